//! What belongs to an image and is found by its digest: OCI artifacts whose subject it is.

use std::collections::BTreeMap;

use bowline_oci::{Blob, BlobContent, Descriptor, Document, Manifest, media_type};

/// The kind of artifact that holds the manifests of an image's connectors, one after another.
pub const CONNECTORS_ARTIFACT: &str = "application/vnd.bowline.connectors.v1";
/// The note that holds the name of a file.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
/// The file that stands for a configuration where there is none.
const NOTHING: &[u8] = b"{}";

/// Something that is attached to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What kind of artifact it is, a media type.
    pub artifact_type: String,
    /// Its files.
    pub files: Vec<AttachedFile>,
}

/// A file of an attachment. It is held in memory, so it should be small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// What it is called, such as `shop/manifest.json`.
    pub title: String,
    /// What it is.
    pub media_type: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The artifact's manifest, and its blobs. The subject is named by its media type, digest and size alone.
pub(super) fn artifact(attachment: &Attachment, subject: &Document) -> (Document, Vec<Blob>) {
    let config = Descriptor::of(media_type::EMPTY, NOTHING);
    let mut blobs = vec![Blob {
        descriptor: config.clone(),
        content: BlobContent::Bytes(NOTHING.to_vec()),
    }];
    let mut layers = Vec::new();
    for file in &attachment.files {
        let descriptor = Descriptor::of(file.media_type.as_str(), &file.bytes);
        blobs.push(Blob {
            descriptor: descriptor.clone(),
            content: BlobContent::Bytes(file.bytes.clone()),
        });
        layers.push(descriptor.annotated(TITLE, file.title.as_str()));
    }
    let manifest = Document::manifest(&Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(attachment.artifact_type.clone()),
        config,
        layers,
        subject: Some(subject.descriptor()),
        annotations: BTreeMap::new(),
    });
    (manifest, blobs)
}
