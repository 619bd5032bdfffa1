//! Reading an archive: what `docker save` and `podman save` write, or an OCI layout packed with tar.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bowline_words::listed;
use serde::Deserialize;

use crate::files::Files;
use crate::layout::{Layout, MARKER};
use crate::{
    BlobSource, Descriptor, Digest, Document, Hasher, Manifest, OciError, OciErrorKind, Verified,
    media_type, oci_error,
};

/// The file of Docker's archives that lists their images.
pub(super) const LIST: &str = "manifest.json";

/// The one image in an archive.
#[derive(Debug)]
pub enum Archive {
    /// In an OCI layout.
    Oci(Layout),
    /// As Docker writes it.
    Docker(DockerArchive),
}

/// An image as Docker packs it. It has no manifest, so one is made.
#[derive(Debug)]
pub struct DockerArchive {
    files: Files,
    names: BTreeMap<Digest, String>,
    manifest: Document,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Configured {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

impl Archive {
    /// Opens the one image in an archive.
    ///
    /// # Errors
    /// When it is no archive of an image, holds several, or is damaged.
    pub fn open(path: &Path) -> Result<Self, OciError> {
        let files = Files::archive(path)?;
        // What newer engines write is both; the OCI layout in it knows the true manifest.
        if files.has(MARKER) {
            return Layout::from_files(files, None).map(Self::Oci);
        }
        if files.has(LIST) {
            return DockerArchive::new(files).map(Self::Docker);
        }
        Err(
            OciError::new(OciErrorKind::Invalid, format!("`{}`", files.name()))
                .because(format!(
                    "it holds neither `{LIST}` nor `{MARKER}`, so it is no archive of an image"
                ))
                .hint("make one with `docker save` or `skopeo copy`".to_owned()),
        )
    }

    fn source(&self) -> &dyn BlobSource {
        match self {
            Self::Oci(layout) => layout,
            Self::Docker(archive) => archive,
        }
    }
}

impl BlobSource for Archive {
    fn name(&self) -> String {
        self.source().name()
    }

    fn root(&self) -> Result<Document, OciError> {
        self.source().root()
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, OciError> {
        self.source().manifest(descriptor)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        self.source().open(blob)
    }

    fn file(&self, blob: &Descriptor) -> Option<PathBuf> {
        self.source().file(blob)
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        self.source().referrers(subject)
    }
}

impl DockerArchive {
    fn new(files: Files) -> Result<Self, OciError> {
        let corrupt = |cause: String| {
            OciError::new(OciErrorKind::Corrupt, format!("`{}`", files.name())).because(cause)
        };
        let mut images: Vec<Listed> = files.json(LIST)?;
        let Some(image) = images.pop() else {
            return Err(OciError::new(
                OciErrorKind::Missing,
                format!("an image in `{}`", files.name()),
            ));
        };
        if !images.is_empty() {
            images.push(image);
            let images = images.into_iter();
            let tags = images.flat_map(|each| each.repo_tags.unwrap_or_default());
            return Err(
                OciError::new(OciErrorKind::Invalid, format!("`{}`", files.name()))
                    .because(format!("it holds several images: {}", listed(tags)))
                    .hint("save one image only".to_owned()),
            );
        }
        let config = files.read(&image.config)?;
        let Configured { rootfs } = serde_json::from_slice(&config)
            .map_err(|error| corrupt(format!("`{}`: {error}", image.config)))?;
        if rootfs.diff_ids.len() != image.layers.len() {
            return Err(corrupt(format!(
                "its configuration tells of {} layers, and it holds {}",
                rootfs.diff_ids.len(),
                image.layers.len()
            )));
        }
        let config_descriptor = Descriptor::of(media_type::CONFIG, &config);
        let mut names = BTreeMap::from([(config_descriptor.digest.clone(), image.config)]);
        let mut layers = Vec::new();
        for (name, diff_id) in image.layers.into_iter().zip(rootfs.diff_ids) {
            let descriptor = layer(&files, &name, diff_id)?;
            names.insert(descriptor.digest.clone(), name);
            layers.push(descriptor);
        }
        let manifest = Document::manifest(&Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config: config_descriptor,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        });
        Ok(Self {
            files,
            names,
            manifest,
        })
    }
}

/// A layer's descriptor. A layer that is not packed is called what the configuration calls it; that this is true is
/// found out when it is read.
fn layer(files: &Files, name: &str, diff_id: Digest) -> Result<Descriptor, OciError> {
    let failed = |error: io::Error| {
        oci_error(
            error,
            OciErrorKind::Unreadable,
            format!("`{name}` in `{}`", files.name()),
        )
    };
    let (mut reader, size) = files.open(name)?;
    let mut start = Vec::new();
    reader
        .by_ref()
        .take(2)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start != [0x1f, 0x8b] {
        return Ok(Descriptor::new(media_type::LAYER, diff_id, size));
    }
    let mut hasher = Hasher::default();
    hasher.update(&start);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let (digest, size) = hasher.finish();
    Ok(Descriptor::new(media_type::LAYER_GZIP, digest, size))
}

impl BlobSource for DockerArchive {
    fn name(&self) -> String {
        self.files.name()
    }

    fn root(&self) -> Result<Document, OciError> {
        Ok(self.manifest.clone())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Document, OciError> {
        if descriptor.digest == self.manifest.digest {
            Ok(self.manifest.clone())
        } else {
            Err(OciError::new(
                OciErrorKind::Missing,
                format!("manifest `{}` in `{}`", descriptor.digest, self.name()),
            ))
        }
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        let name = self.names.get(&blob.digest).ok_or_else(|| {
            OciError::new(
                OciErrorKind::Missing,
                format!("blob `{}` in `{}`", blob.digest, self.name()),
            )
        })?;
        let (reader, _) = self.files.open(name)?;
        Ok(Box::new(Verified::new(reader, blob, self.name())))
    }

    fn referrers(&self, _subject: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        Ok(Vec::new())
    }
}
