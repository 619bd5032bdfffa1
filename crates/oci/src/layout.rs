//! Reading an OCI layout: a folder, or the same packed with tar.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use bowline_words::{listed, nearest};
use serde::Deserialize;

use crate::files::Files;
use crate::{
    BlobSource, Descriptor, Digest, Document, Index, OciError, OciErrorKind, Verified, media_type,
};

/// The file that says that a folder is an OCI layout.
pub(super) const MARKER: &str = "oci-layout";
/// What that file says.
pub(super) const VERSION: &str = "1.0.0";
/// The file that lists what a layout holds.
pub(super) const INDEX: &str = "index.json";
/// The file of our own archives that lists what belongs to the image; in a folder, [`INDEX`] does.
pub(super) const REFERRERS: &str = "referrers.json";
/// The note that holds an image's tag.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The note that holds an image's whole name, as containerd and buildx write it.
pub(super) const FULL_NAME: &str = "io.containerd.image.name";

/// One image in an OCI layout.
#[derive(Debug)]
pub struct Layout {
    files: Files,
    index: Index,
    root: Descriptor,
}

#[derive(Deserialize)]
struct Marker {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl Layout {
    /// Opens an image of the layout in a folder: the one with that tag or digest, or the only one.
    ///
    /// # Errors
    /// When the folder is no layout, when it is damaged, and when the image is not there or not the only one.
    pub fn open(folder: &Path, image: Option<&str>) -> Result<Self, OciError> {
        if !folder.is_dir() {
            return Err(OciError::new(
                OciErrorKind::Missing,
                format!("the folder `{}`", folder.display()),
            )
            .hint("give the folder of an OCI layout, which holds `oci-layout`".to_owned()));
        }
        Self::from_files(Files::Folder(folder.to_owned()), image)
    }

    pub(super) fn from_files(files: Files, image: Option<&str>) -> Result<Self, OciError> {
        let index = index_of(&files)?;
        let root = choose(&files, &index, image)?;
        Ok(Self { files, index, root })
    }

    fn read(&self, descriptor: &Descriptor) -> Result<Document, OciError> {
        read(&self.files, descriptor)
    }
}

fn read(files: &Files, descriptor: &Descriptor) -> Result<Document, OciError> {
    let bytes = files.read(&blob_name(&descriptor.digest))?;
    let document = Document::new(descriptor.media_type.clone(), bytes);
    if document.digest != descriptor.digest {
        return Err(OciError::new(
            OciErrorKind::Corrupt,
            format!("manifest `{}` of `{}`", descriptor.digest, files.name()),
        )
        .because(format!("its bytes have the digest `{}`", document.digest)));
    }
    Ok(document)
}

/// Gathers everything that a manifest or an index is made of, itself included.
fn reach(files: &Files, from: &Descriptor, reached: &mut BTreeSet<Digest>) -> Result<(), OciError> {
    if !reached.insert(from.digest.clone()) {
        return Ok(());
    }
    if media_type::is_index(&from.media_type) {
        for each in read(files, from)?.to_index()?.manifests {
            reach(files, &each, reached)?;
        }
    } else if media_type::is_manifest(&from.media_type) {
        let manifest = read(files, from)?.to_manifest()?;
        let blobs = manifest.layers.into_iter().chain([manifest.config]);
        reached.extend(blobs.map(|blob| blob.digest));
    }
    Ok(())
}

/// What a layout lists.
fn index_of(files: &Files) -> Result<Index, OciError> {
    if !files.has(MARKER) {
        return Err(
            OciError::new(OciErrorKind::Invalid, format!("`{}`", files.name()))
                .because(format!("it holds no `{MARKER}`, so it is no OCI layout")),
        );
    }
    let marker: Marker = files.json(MARKER)?;
    if !marker.version.starts_with("1.") {
        return Err(
            OciError::new(OciErrorKind::Invalid, format!("`{}`", files.name())).because(format!(
                "it is an OCI layout of the unknown version `{}`",
                marker.version
            )),
        );
    }
    files.json(INDEX)
}

/// What a layout holds besides the image of one name.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Other images, and what belongs to them.
    pub(super) manifests: Vec<Descriptor>,
    /// Everything that these are made of, themselves included.
    pub(super) blobs: BTreeSet<Digest>,
}

impl Others {
    /// Finds them in a folder.
    ///
    /// # Errors
    /// As [`Layout::open`], and when a manifest is damaged.
    pub(super) fn besides(name: &str, folder: &Path) -> Result<Self, OciError> {
        let files = Files::Folder(folder.to_owned());
        let manifests = index_of(&files)?.manifests;
        let (images, artifacts): (Vec<_>, Vec<_>) = manifests.into_iter().partition(is_image);
        let is_of_name = |each: &Descriptor| {
            let full_name = each.annotations.get(FULL_NAME);
            full_name.is_some_and(|full_name| full_name == name)
        };
        let (own, images): (Vec<_>, Vec<_>) = images.into_iter().partition(is_of_name);
        let mut others = Self::default();
        let (mut replaced, mut stays) = (BTreeSet::new(), BTreeSet::new());
        for image in own {
            reach(&files, &image, &mut replaced)?;
        }
        for image in images {
            reach(&files, &image, &mut stays)?;
            others.manifests.push(image);
        }
        for artifact in artifacts {
            let subject = read(&files, &artifact)?.to_manifest()?.subject;
            let subject = subject.map(|subject| subject.digest);
            let is_of_replaced = subject
                .is_some_and(|subject| replaced.contains(&subject) && !stays.contains(&subject));
            if !is_of_replaced {
                reach(&files, &artifact, &mut others.blobs)?;
                others.manifests.push(artifact);
            }
        }
        others.blobs.extend(stays);
        Ok(others)
    }

    /// Whether another image has the tag that this image would have.
    pub(super) fn have_tag(&self, tag: &str) -> bool {
        let mut tags = self
            .manifests
            .iter()
            .filter_map(|each| each.annotations.get(REF_NAME));
        tags.any(|other| other == tag)
    }
}

/// The name of a blob's file in a layout.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn choose(files: &Files, index: &Index, image: Option<&str>) -> Result<Descriptor, OciError> {
    let named = |each: &Descriptor, key: &str, wanted: &str| {
        each.annotations.get(key).is_some_and(|name| name == wanted)
    };
    let found: Vec<&Descriptor> = match image {
        Some(wanted) => index
            .manifests
            .iter()
            .filter(|each| {
                each.digest.as_str() == wanted
                    || named(each, REF_NAME, wanted)
                    || named(each, FULL_NAME, wanted)
            })
            .collect(),
        None => index
            .manifests
            .iter()
            .filter(|each| is_image(each))
            .collect(),
    };
    if let ([only], _) | ([only, ..], Some(_)) = (found.as_slice(), image) {
        return Ok((*only).clone());
    }
    let names: Vec<&str> = index
        .manifests
        .iter()
        .filter(|each| is_image(each))
        .map(|each| {
            let tag = each.annotations.get(REF_NAME);
            tag.map_or(each.digest.as_str(), String::as_str)
        })
        .collect();
    Err(match image {
        Some(wanted) => OciError::new(
            OciErrorKind::Missing,
            format!("image `{wanted}` in `{}`", files.name()),
        )
        .hint((!names.is_empty()).then(|| nearest::hint(wanted, names))),
        None if names.is_empty() => OciError::new(
            OciErrorKind::Missing,
            format!("an image in `{}`", files.name()),
        ),
        None => OciError::new(
            OciErrorKind::Invalid,
            format!("`{}` without the name of one of its images", files.name()),
        )
        .hint(format!("say which: {}", listed(names))),
    })
}

/// Layouts list what belongs to an image beside the image; such an artifact says what kind it is.
fn is_image(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.is_none()
        && (media_type::is_manifest(&descriptor.media_type)
            || media_type::is_index(&descriptor.media_type))
}

impl BlobSource for Layout {
    fn name(&self) -> String {
        self.files.name()
    }

    fn root(&self) -> Result<Document, OciError> {
        self.read(&self.root)
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, OciError> {
        self.read(descriptor)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        let (reader, _) = self.files.open(&blob_name(&blob.digest))?;
        Ok(Box::new(Verified::new(reader, blob, self.name())))
    }

    fn file(&self, blob: &Descriptor) -> Option<PathBuf> {
        self.files.path(&blob_name(&blob.digest))
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        let mut found = Vec::new();
        let beside: Option<Index> = if self.files.has(REFERRERS) {
            Some(self.files.json(REFERRERS)?)
        } else {
            None
        };
        let beside = beside.iter().flat_map(|index| &index.manifests);
        for each in self.index.manifests.iter().chain(beside) {
            if media_type::is_manifest(&each.media_type)
                && let Some(named) = self.read(each)?.to_manifest()?.subject
                && named.digest == subject.digest
            {
                found.push(each.clone());
            }
        }
        Ok(found)
    }
}
