//! Building an image without an engine.
//!
//! The base is read from a registry, an OCI layout or an archive. Its layers go into the new image as they are; what
//! the plan adds becomes new layers, and its variables, labels and user are put into a copy of the base's
//! configuration. Nothing is run. What would have to be is found out before work begins; see [`obstacles`].

mod artifact;
mod base;
mod binary;
mod build;
mod config;
mod entries;
mod libc;
mod pack;
mod proven;

pub use artifact::{AttachedFile, Attachment, CONNECTORS_ARTIFACT};
pub use base::BaseFacts;
pub use build::{Built, NativeOptions, Output, build, obstacles, open};

pub use proven::{EVIDENCE_ARTIFACT, ProvenConnector, STATEMENT_ARTIFACT, Statement};

pub use crate::sbom::MEDIA_TYPE as SBOM_ARTIFACT;

pub(crate) use artifact::TITLE;
pub(crate) use base::check_platform;
pub(crate) use build::check_python;
pub(crate) use proven::evidence_title;
