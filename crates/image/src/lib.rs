//! Agent images: what goes into one, and the builders that make it with an engine and without.
//!
//! A [`ImagePlan`] says everything that an image will hold; a builder reads nothing else.

mod dockerfile;
pub mod engine;
mod error;
mod event;
pub mod extra;
pub mod inspect;
pub mod native;
pub mod plan;
mod platform;
pub mod python;
mod sbom;
pub mod shim;

pub use error::{ImageError, ImageErrorKind, from_oci};
pub use event::BuildEvent;
pub use extra::DockerfileExtra;
pub use plan::{BaseImage, ImagePlan, Mode, PlannedConnector, PlannedFile, Requirement};
pub use platform::{PlatformError, agent_platform};
