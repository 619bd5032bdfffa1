//! What tests read and push.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use bowline_oci::registry::{Access, Limits, LoginFiles, RegistryImage};
use bowline_oci::{
    Blob, BlobContent, BlobSource, Descriptor, Document, Index, Manifest, OciError, PackedImage,
    Platform, media_type,
};

use crate::server::Server;

/// Access without logins, in a hurry.
pub(crate) fn access(server: &Server) -> Access {
    Access {
        insecure: vec![server.name().to_owned()],
        limits: hurried(),
        ..Access::new(LoginFiles::default())
    }
}

pub(crate) fn hurried() -> Limits {
    Limits {
        retries: 3,
        longest_wait: Duration::from_millis(2),
        silence: Duration::from_secs(20),
        chunk: 1000,
        in_flight: 2,
    }
}

/// Logins for a registry, in a file as `docker login` writes it.
pub(crate) fn logins(folder: &tempfile::TempDir, entry: &serde_json::Value) -> LoginFiles {
    let path: PathBuf = folder.path().join("config.json");
    std::fs::write(&path, entry.to_string()).unwrap();
    LoginFiles::new([path])
}

/// Bytes that do not repeat.
pub(crate) fn bytes(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

/// Reads a blob to its end.
pub(crate) fn read(image: &RegistryImage, blob: &Descriptor) -> Result<Vec<u8>, OciError> {
    let mut bytes = Vec::new();
    let kind = bowline_oci::OciErrorKind::Unreadable;
    image
        .open(blob)?
        .read_to_end(&mut bytes)
        .map(|_| bytes)
        .map_err(|error| bowline_oci::oci_error(error, kind, "the test's blob"))
}

pub(crate) fn blob(kind: &str, bytes: &[u8]) -> Blob {
    Blob {
        descriptor: Descriptor::of(kind, bytes),
        content: BlobContent::Bytes(bytes.to_vec()),
    }
}

fn manifest(config: &Blob, layers: &[&Blob], subject: Option<Descriptor>) -> Document {
    Document::manifest(&Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: subject.as_ref().map(|_| "application/spdx+json".to_owned()),
        config: config.descriptor.clone(),
        layers: layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect(),
        subject,
        annotations: BTreeMap::new(),
    })
}

/// An image for two platforms that share a layer of that many bytes, with one artifact that belongs to each platform's
/// manifest and one to the index.
pub(crate) fn image(layer: usize) -> PackedImage {
    // Engines read what they push, so the layer is a real one: a file in an archive.
    let content = bytes(layer, 7);
    let mut header = tar_header("opt/data", content.len());
    header.extend(&content);
    header.resize(header.len().div_ceil(512) * 512 + 1024, 0);
    let shared = blob(media_type::LAYER, &header);
    let mut blobs = vec![shared.clone()];
    let mut manifests = Vec::new();
    let mut referrers = Vec::new();
    let empty = blob(media_type::EMPTY, b"{}");
    let note = |subject: &Document, text: &str| {
        let note = blob("application/spdx+json", text.as_bytes());
        let document = manifest(&empty, &[&note], Some(subject.descriptor()));
        (note, document)
    };
    let mut listed = Vec::new();
    for platform in [Platform::linux_amd64(), Platform::linux_arm64()] {
        let config = serde_json::json!({
            "architecture": platform.architecture,
            "os": platform.os,
            "config": {"Env": ["A=1"]},
            "rootfs": {"type": "layers", "diff_ids": [shared.descriptor.digest.as_str()]},
        });
        let config = blob(media_type::CONFIG, config.to_string().as_bytes());
        let document = manifest(&config, &[&shared], None);
        let (note, referrer) = note(&document, &format!("about {platform}"));
        let mut descriptor = document.descriptor();
        descriptor.platform = Some(platform);
        listed.push(descriptor);
        blobs.extend([config, note]);
        manifests.push(document);
        referrers.push(referrer);
    }
    let root = Document::index(&Index::new(listed));
    let (note, referrer) = note(&root, "about both");
    blobs.extend([note, empty.clone()]);
    referrers.push(referrer);
    PackedImage {
        tag: "agent:1".to_owned(),
        blobs,
        manifests,
        root,
        referrers,
    }
}

fn tar_header(name: &str, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
