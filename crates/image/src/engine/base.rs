//! Bases that lie in files, on their way into an engine's store.
//!
//! Engines read layouts and archives in ways of their own, and name what they read after its path, which they cannot
//! do with every path. So what the base has for one platform is packed into a file that all of them load, with a name
//! in it.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_oci::registry::{Access, LoginFiles};
use bowline_oci::{
    Blob, BlobContent, Cancel, Digest, PackedImage, Platform, manifest_for, read_config,
    write_docker_archive,
};

use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::native::{check_platform, open};
use crate::plan::BaseImage;
use crate::work::WorkFolder;

/// A file for an image on its way between a file and an engine's store; it goes with the value.
#[derive(Debug)]
pub(crate) struct BaseFile {
    folder: WorkFolder,
}

impl BaseFile {
    /// A place for one, with nothing there.
    pub(super) fn new() -> Result<Self, ImageError> {
        let folder = WorkFolder::temporary().map_err(|error| {
            ImageError::new(ImageErrorKind::Unwritable, "a temporary folder")
                .because(error.to_string())
        })?;
        Ok(Self { folder })
    }

    /// Where it is: an archive as `docker save` writes it.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("base.tar")
    }
}

/// A base as an engine knows it.
pub(super) struct NamedBase {
    pub(super) name: String,
    /// The digest of its manifest, if there is one.
    pub(super) digest: Option<String>,
}

/// A base in a file that every engine loads.
pub(super) struct LoadableBase {
    pub(super) file: BaseFile,
    /// The digest of its manifest, where it lies in files.
    pub(super) digest: Digest,
    /// The name that it has once it is loaded.
    pub(super) name: String,
}

impl LoadableBase {
    /// Packs what a base has for a platform.
    pub(super) fn pack(
        base: &BaseImage,
        platform: &Platform,
        cancel: &Cancel,
    ) -> Result<Self, ImageError> {
        // A base that lies in a file takes no login.
        let source = open(base, &Access::new(LoginFiles::default()))?;
        let root = source
            .root()
            .and_then(|root| manifest_for(source.as_ref(), &root, platform))
            .map_err(from_oci)?;
        let manifest = root.to_manifest().map_err(from_oci)?;
        let config = read_config(source.as_ref(), &manifest.config).map_err(from_oci)?;
        check_platform(source.as_ref(), &config, platform)?;
        let mut blobs: Vec<Blob> = [&manifest.config]
            .into_iter()
            .chain(&manifest.layers)
            .map(|descriptor| Blob {
                descriptor: descriptor.clone(),
                content: BlobContent::Source(Arc::clone(&source)),
            })
            .collect();
        blobs.sort_by(|a, b| a.descriptor.digest.cmp(&b.descriptor.digest));
        blobs.dedup_by(|a, b| a.descriptor.digest == b.descriptor.digest);
        let digest = root.descriptor().digest;
        let name = format!("{LOADED}:{}", &digest.hex()[..NAME_DIGITS]);
        let file = BaseFile::new()?;
        let image = PackedImage {
            tag: name.clone(),
            blobs,
            manifests: Vec::new(),
            root,
            referrers: Vec::new(),
        };
        write_docker_archive(&image, &file.path(), cancel).map_err(from_oci)?;
        Ok(Self { file, digest, name })
    }
}

/// Whether a name is one that a base gets here which is loaded from a file; people call theirs nearly the same.
pub(super) fn is_loaded(image: &str) -> bool {
    let tag = image
        .strip_prefix(LOADED)
        .and_then(|rest| rest.strip_prefix(':'));
    let is_digit = |sign: u8| matches!(sign, b'0'..=b'9' | b'a'..=b'f');
    tag.is_some_and(|tag| tag.len() == NAME_DIGITS && tag.bytes().all(is_digit))
}

/// What bases that were loaded from files are called.
const LOADED: &str = "localhost/bowline-base";
/// How much of a digest tells bases apart.
const NAME_DIGITS: usize = 12;
