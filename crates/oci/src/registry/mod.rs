//! Registries: images are read from them and pushed to them.
//!
//! [`RegistryImage`] reads an image, [`push`] brings one there; both say how through [`Access`].
//!
//! The published client, `oci-client`, was weighed and not taken. Its upload sessions are private and are neither
//! resumed nor tried again; an answer's `Retry-After` is gone when its error arrives; it reads manifests and refusals
//! of any length into memory; and it brings a second, asynchronous HTTP stack into a program that has one. What would
//! be left of it is the forms of requests, which are here in a few lines each. Logins are found by
//! `docker_credential`, which reads Docker's configuration and runs its credential helpers.

mod access;
mod address;
mod challenge;
mod client;
mod credentials;
mod download;
mod event;
mod parallel;
mod push;
mod reference;
mod referrers;
mod request;
mod retry;
mod source;
mod token;
mod upload;

pub use access::{Access, Limits};
pub use challenge::Challenge;
pub use credentials::{Login, LoginFiles};
pub use event::RegistryEvent;
pub use push::{Pushed, ask_to_push, push};
pub use reference::Reference;
pub use source::RegistryImage;
