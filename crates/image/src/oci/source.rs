//! Where images and their blobs come from.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::error::{ImageError, ImageErrorKind};
use crate::oci::{Descriptor, Document};

/// A place that one image can be read from: an OCI layout, an archive, a registry.
///
/// It is opened with a reference (a tag, a digest, or nothing where there is only one image), and
/// [`root`](BlobSource::root) is what that reference means.
pub trait BlobSource: fmt::Debug + Send + Sync {
    /// What to call it in messages.
    fn name(&self) -> String;

    /// The manifest or index that it was opened for.
    ///
    /// # Errors
    /// When there is none, when several are meant, or when it cannot be had.
    fn root(&self) -> Result<Document, ImageError>;

    /// Another manifest or index, named by its descriptor; its bytes have been checked against it.
    ///
    /// # Errors
    /// When it is not there, is damaged, or cannot be had.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, ImageError>;

    /// The bytes of a blob. Reading fails at the latest at the end when they are not those that the descriptor
    /// names; see [`Verified`](crate::oci::Verified).
    ///
    /// # Errors
    /// When it is not there or cannot be had.
    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, ImageError>;

    /// Brings these blobs near, several at a time, where reading them one after the other would take longer.
    ///
    /// # Errors
    /// When one cannot be had.
    fn prepare(&self, blobs: &[Descriptor]) -> Result<(), ImageError> {
        let _ = blobs;
        Ok(())
    }

    /// A file that holds exactly the blob, if there is one; its bytes have **not** been checked.
    fn file(&self, blob: &Descriptor) -> Option<PathBuf> {
        let _ = blob;
        None
    }

    /// The manifests that say they belong to this one.
    ///
    /// # Errors
    /// When they cannot be looked up.
    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, ImageError>;
}

/// The [`ImageError`] that a failed reading or writing carries, or one of that kind about that thing.
#[must_use]
pub fn image_error(error: io::Error, kind: ImageErrorKind, thing: impl Into<String>) -> ImageError {
    carried(&error).map_or_else(
        || ImageError::new(kind, thing).because(error.to_string()),
        Clone::clone,
    )
}

/// Errors are wrapped on their way through readers; what an `io::Error` wraps is not its `source`.
fn carried(error: &io::Error) -> Option<&ImageError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error.get_ref()?);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>() {
            Some(wrapper) => return carried(wrapper),
            None => error.source(),
        };
    }
    None
}
