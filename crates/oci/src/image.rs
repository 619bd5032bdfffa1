//! An image that is complete and has yet to be written somewhere.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use crate::{BlobSource, Descriptor, Document, OciError, OciErrorKind, Verified, oci_error};

/// An image with all that belongs to it. Whoever writes it does so in this order: blobs, manifests, referrers, and
/// what gives the root its name last; then no name ever leads to what is not there.
#[derive(Debug)]
pub struct PackedImage {
    /// Its name with its tag.
    pub tag: String,
    /// Configurations and layers, each once, sorted by digest.
    pub blobs: Vec<Blob>,
    /// The manifests that the root lists, when it is an index.
    pub manifests: Vec<Document>,
    /// The manifest, or the index when there are several platforms.
    pub root: Document,
    /// Manifests of artifacts that name one of the image's manifests as their subject.
    pub referrers: Vec<Document>,
}

/// A blob and where its bytes are.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its name and length.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub content: BlobContent,
}

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub enum BlobContent {
    /// Here.
    Bytes(Vec<u8>),
    /// In this file.
    File(PathBuf),
    /// In the place that another image comes from.
    Source(Arc<dyn BlobSource>),
}

impl Blob {
    /// Its bytes, checked while they are read.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn open(&self) -> Result<Box<dyn Read + Send + '_>, OciError> {
        match &self.content {
            BlobContent::Bytes(bytes) => Ok(Box::new(io::Cursor::new(bytes))),
            BlobContent::File(path) => {
                let place = self.place();
                let file = std::fs::File::open(path).map_err(|error| {
                    oci_error(error, OciErrorKind::Unreadable, format!("`{place}`"))
                })?;
                Ok(Box::new(Verified::new(file, &self.descriptor, place)))
            }
            BlobContent::Source(source) => source.open(&self.descriptor),
        }
    }

    /// What to call the place of its bytes in messages.
    pub(crate) fn place(&self) -> String {
        match &self.content {
            BlobContent::Bytes(_) => "memory".to_owned(),
            BlobContent::File(path) => path.display().to_string(),
            BlobContent::Source(source) => source.name(),
        }
    }

    /// A file that should hold exactly this blob, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        match &self.content {
            BlobContent::Bytes(_) => None,
            BlobContent::File(path) => Some(path.clone()),
            BlobContent::Source(source) => source.file(&self.descriptor),
        }
    }
}
