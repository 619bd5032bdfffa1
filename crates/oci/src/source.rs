//! Where images and their blobs come from.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use bowline_words::listed;
use serde_json::{Map, Value};

use crate::{Descriptor, Document, OciError, OciErrorKind, Platform, oci_error};

/// The largest configuration that is read.
const LARGEST_CONFIG: u64 = 16 << 20;

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
    fn root(&self) -> Result<Document, OciError>;

    /// Another manifest or index, named by its descriptor; its bytes have been checked against it.
    ///
    /// # Errors
    /// When it is not there, is damaged, or cannot be had.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, OciError>;

    /// The bytes of a blob. Reading fails at the latest at the end when they are not those that the descriptor
    /// names; see [`Verified`](crate::Verified).
    ///
    /// # Errors
    /// When it is not there or cannot be had.
    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError>;

    /// Brings these blobs near, several at a time, where reading them one after the other would take longer.
    ///
    /// # Errors
    /// When one cannot be had.
    fn prepare(&self, blobs: &[Descriptor]) -> Result<(), OciError> {
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
    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, OciError>;
}

/// The manifest for a platform, where `root` is a manifest or an index of this place.
///
/// # Errors
/// When there is none for that platform, and when it cannot be had.
pub fn manifest_for(
    source: &dyn BlobSource,
    root: &Document,
    platform: &Platform,
) -> Result<Document, OciError> {
    if !root.is_index() {
        return Ok(root.clone());
    }
    let index = root.to_index()?;
    let found = index
        .manifests
        .iter()
        .find(|each| each.platform.as_ref().is_some_and(|own| own.fits(platform)));
    if let Some(found) = found {
        return source.manifest(found);
    }
    // An index within an index is what layouts of some tools hold.
    if let [only] = index.manifests.as_slice()
        && only.platform.is_none()
    {
        let inner = source.manifest(only)?;
        return if inner.is_index() {
            manifest_for(source, &inner, platform)
        } else {
            Ok(inner)
        };
    }
    let manifests = index.manifests.iter();
    let there = manifests
        .filter_map(|each| each.platform.as_ref())
        .filter(|each| each.os != "unknown");
    Err(about(source, OciErrorKind::Missing)
        .because(format!("it is not made for `{platform}`"))
        .hint(format!("it is made for {}", listed(there))))
}

/// The configuration that a manifest names.
///
/// # Errors
/// When it cannot be had or is damaged.
pub fn read_config(
    source: &dyn BlobSource,
    descriptor: &Descriptor,
) -> Result<Map<String, Value>, OciError> {
    let corrupt = |cause: String| {
        about(source, OciErrorKind::Corrupt).because(format!("its configuration: {cause}"))
    };
    if descriptor.size > LARGEST_CONFIG {
        return Err(corrupt(format!("it has {} bytes", descriptor.size)));
    }
    let mut bytes = Vec::new();
    source
        .open(descriptor)?
        .read_to_end(&mut bytes)
        .map_err(|error| {
            oci_error(
                error,
                OciErrorKind::Unreadable,
                format!("the image `{}`", source.name()),
            )
        })?;
    serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))
}

fn about(source: &dyn BlobSource, kind: OciErrorKind) -> OciError {
    OciError::new(kind, format!("the image `{}`", source.name()))
}
