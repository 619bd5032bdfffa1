//! Agent images: what goes into one, and the builders that make it with an engine and without.
//!
//! A [`ImagePlan`] says everything that an image will hold; a builder reads nothing else.

mod cancel;
mod dockerfile;
pub mod engine;
mod error;
mod event;
pub mod extra;
pub mod inspect;
pub mod layer;
pub mod native;
pub mod oci;
pub mod plan;
mod platform;
pub mod python;
pub mod registry;
mod sbom;
pub mod shim;
mod unused;

pub use cancel::Cancel;
pub use error::{ImageError, ImageErrorKind};
pub use event::BuildEvent;
pub use extra::DockerfileExtra;
pub use plan::{BaseImage, Content, ImagePlan, Mode, PlannedConnector, PlannedFile, Requirement};
pub use platform::{Platform, PlatformError};
