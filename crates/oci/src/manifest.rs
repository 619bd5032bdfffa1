//! Descriptors, manifests and indexes, as the OCI image specification writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, OciError, OciErrorKind, Platform};

/// Media types that are written or understood.
pub mod media_type {
    /// An OCI manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An OCI index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An OCI configuration.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A layer as it is.
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    /// A layer packed with gzip.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// The two bytes `{}`, where a configuration is asked for and there is none.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// Docker's own manifest.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker's own index.
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker's own configuration.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// Docker's own layer packed with gzip.
    pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    /// Docker's own layer as it is.
    pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

    /// Whether this is an index of either kind.
    #[must_use]
    pub fn is_index(media_type: &str) -> bool {
        matches!(media_type, INDEX | DOCKER_INDEX)
    }

    /// Whether this is a manifest of either kind.
    #[must_use]
    pub fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, MANIFEST | DOCKER_MANIFEST)
    }

    /// The OCI name of one of Docker's media types; every other stays as it is.
    #[must_use]
    pub fn oci(media_type: &str) -> &str {
        match media_type {
            DOCKER_MANIFEST => MANIFEST,
            DOCKER_INDEX => INDEX,
            DOCKER_CONFIG => CONFIG,
            DOCKER_LAYER_GZIP => LAYER_GZIP,
            DOCKER_LAYER => LAYER,
            other => other,
        }
    }
}

/// Names a blob: what it is, how it is called, how long it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// What kind of artifact a manifest is, when it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What an image is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Notes on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A descriptor without notes.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The descriptor of these bytes.
    #[must_use]
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The same with one note more.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }
}

/// Says of what an image, or an artifact that belongs to one, is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// What this is: some manifests leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact it is, when it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Notes on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Lists manifests: those of one image for several platforms, or all that are in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u8,
    /// What this is: some indexes leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// Notes on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// An index of these manifests.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}

/// A manifest or an index, byte for byte: its digest is its name, so it is never written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// What it says.
    pub bytes: Vec<u8>,
}

impl Document {
    /// These bytes as a document.
    #[must_use]
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.into(),
            digest: Digest::of(&bytes),
            bytes,
        }
    }

    /// A manifest as a document.
    #[must_use]
    pub fn manifest(manifest: &Manifest) -> Self {
        Self::new(media_type::MANIFEST, json_bytes(manifest))
    }

    /// An index as a document.
    #[must_use]
    pub fn index(index: &Index) -> Self {
        Self::new(media_type::INDEX, json_bytes(index))
    }

    /// Its descriptor.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(
            self.media_type.clone(),
            self.digest.clone(),
            self.bytes.len() as u64,
        )
    }

    /// Whether it is an index.
    #[must_use]
    pub fn is_index(&self) -> bool {
        media_type::is_index(&self.media_type)
    }

    /// It read as a manifest.
    ///
    /// # Errors
    /// When it is no manifest of an image, or a damaged one.
    pub fn to_manifest(&self) -> Result<Manifest, OciError> {
        if !media_type::is_manifest(&self.media_type) {
            return Err(self.unusable(format!("its media type is `{}`", self.media_type)));
        }
        self.parse()
    }

    /// It read as an index.
    ///
    /// # Errors
    /// When it is no index, or a damaged one.
    pub fn to_index(&self) -> Result<Index, OciError> {
        if !self.is_index() {
            return Err(self.unusable(format!("its media type is `{}`", self.media_type)));
        }
        self.parse()
    }

    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, OciError> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.unusable(error.to_string()))
    }

    fn unusable(&self, cause: String) -> OciError {
        OciError::new(OciErrorKind::Corrupt, format!("manifest `{}`", self.digest)).because(cause)
    }
}

/// JSON without blanks, members in the order of their declaration, maps sorted.
pub fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    // Texts, numbers and maps with text keys are all there is in what is written here, and those cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_written_as_the_specification_says() {
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::of(media_type::EMPTY, b"{}"),
            layers: vec![
                Descriptor::of("text/plain", b"abc")
                    .annotated("b", "1")
                    .annotated("a", "2"),
            ],
            subject: None,
            annotations: BTreeMap::new(),
        };
        let document = Document::manifest(&manifest);
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            String::from_utf8(document.bytes.clone()).unwrap(),
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{empty}","size":2}},"layers":[{{"mediaType":"text/plain","digest":"{abc}","size":3,"annotations":{{"a":"2","b":"1"}}}}]}}"#,
                media_type::MANIFEST,
                media_type::EMPTY
            )
        );
        assert_eq!(document.to_manifest().unwrap(), manifest);
        assert!(document.to_index().is_err());
    }

    #[test]
    fn a_damaged_manifest_is_named() {
        let document = Document::new(media_type::MANIFEST, b"{\"schemaVersion\":2}".to_vec());
        let error = document.to_manifest().unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Corrupt);
        assert!(
            error.to_string().contains("missing field `config`"),
            "{error}"
        );
    }
}
