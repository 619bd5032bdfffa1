//! The packages that connectors in Python ask for, put where the Python of an image's base finds them.
//!
//! [`BasePython::find`] says which Python the base runs and what it takes; [`install`] resolves what the connectors
//! ask for as wheels for that Python, through the package client of the machine it runs on, and unpacks them. Nothing
//! of the image is run. What only an engine can do is found without any work, by [`obstacles`].

mod base;
mod client;
mod install;
mod record;
mod requirement;
mod wheel;

pub(crate) use base::check_python;
pub use base::{BasePython, Libc};
pub use install::{PackageRequest, Packages, install};
pub(crate) use requirement::normalized;
pub use requirement::obstacles;
pub use wheel::unpack;
