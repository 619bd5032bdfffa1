//! The program's own container image: its binary on a base, packed by the crates that pack agent images.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_oci::layer::{Content, Entry, write_layer};
use bowline_oci::registry::{Access, RegistryImage};
use bowline_oci::{
    Archive, Blob, BlobContent, BlobSource, Cancel, Descriptor, Document, Layout, Manifest,
    OciError, PackedImage, Platform, json_bytes, manifest_for, media_type, read_config,
    write_oci_archive,
};
use serde_json::{Map, Value, json};

use super::{Built, VERSION};
use crate::process::{Failure, root, step};

/// Where commands run: what a user mounts there is the workspace.
const WORKSPACE: &str = "/workspace";

/// Writes the image on a base as an OCI archive, and gives its path. The base is an image's name in a registry, the
/// folder of an OCI layout, or an archive; it needs a C library no older than the binary's.
pub(super) fn write(built: &Built, base: &str) -> Result<PathBuf, Failure> {
    step("the container image");
    let files = [
        (
            "usr/local/bin/bowline",
            Content::File(built.binary.clone()),
            0o755,
        ),
        (
            "usr/local/share/doc/bowline/LICENSE",
            Content::File(root().join("LICENSE")),
            0o644,
        ),
        (
            "usr/local/share/doc/bowline/THIRD-PARTY.md",
            Content::File(built.licences.clone()),
            0o644,
        ),
    ];
    let entries = files.map(|(path, content, mode)| Entry {
        path: path.to_owned(),
        content: Some(Cow::Owned(content)),
        mode,
    });
    let path = built
        .folder
        .join(format!("bowline-{}.oci.tar", built.triple));
    pack(&open(base).map_err(told)?, &entries, &built.folder, &path).map_err(told)?;
    Ok(path)
}

fn told(error: OciError) -> Failure {
    [vec![error.thing], error.causes].concat().join(": ")
}

fn open(base: &str) -> Result<Arc<dyn BlobSource>, OciError> {
    let path = Path::new(base);
    if path.is_dir() {
        return Ok(Arc::new(Layout::open(path, None)?));
    }
    if path.is_file() {
        return Ok(Arc::new(Archive::open(path)?));
    }
    let access = Access::of_user(|name| std::env::var_os(name).map(PathBuf::from));
    Ok(Arc::new(RegistryImage::new(&base.parse()?, &access)))
}

/// Puts the entries on the base as one layer, and writes what comes of it.
fn pack(
    base: &Arc<dyn BlobSource>,
    entries: &[Entry<'_>],
    folder: &Path,
    path: &Path,
) -> Result<(), OciError> {
    let cancel = Cancel::default();
    let root = manifest_for(base.as_ref(), &base.root()?, &Platform::host())?;
    let below = root.to_manifest()?;
    base.prepare(&below.layers)?;
    let file = folder.join("bowline.layer");
    let layer = write_layer(entries, 0, &file, &cancel)?;
    let mut config = read_config(base.as_ref(), &below.config)?;
    start_with_bowline(&mut config, layer.diff_id.as_str());
    let config = json_bytes(&config);
    let own = |mut descriptor: Descriptor| {
        descriptor.media_type = media_type::oci(&descriptor.media_type).to_owned();
        descriptor
    };
    let mut layers: Vec<Descriptor> = below.layers.into_iter().map(own).collect();
    let mut blobs: Vec<Blob> = layers
        .iter()
        .map(|descriptor| Blob {
            descriptor: descriptor.clone(),
            content: BlobContent::Source(Arc::clone(base)),
        })
        .collect();
    layers.push(layer.descriptor.clone());
    blobs.push(Blob {
        descriptor: layer.descriptor,
        content: BlobContent::File(file.clone()),
    });
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of(media_type::CONFIG, &config),
        layers,
        subject: None,
        annotations: [].into(),
    };
    blobs.push(Blob {
        descriptor: manifest.config.clone(),
        content: BlobContent::Bytes(config),
    });
    blobs.sort_by(|a, b| a.descriptor.digest.cmp(&b.descriptor.digest));
    blobs.dedup_by(|a, b| a.descriptor.digest == b.descriptor.digest);
    let image = PackedImage {
        tag: format!("bowline:{VERSION}"),
        blobs,
        manifests: Vec::new(),
        root: Document::manifest(&manifest),
        referrers: Vec::new(),
    };
    write_oci_archive(&image, path, &cancel)?;
    // It is in the archive now.
    let _removed = std::fs::remove_file(file);
    Ok(())
}

/// The base's configuration with one layer more, and with the program as what is started.
fn start_with_bowline(config: &mut Map<String, Value>, diff_id: &str) {
    let layers = config
        .get_mut("rootfs")
        .and_then(|rootfs| rootfs.get_mut("diff_ids"))
        .and_then(Value::as_array_mut);
    if let Some(layers) = layers {
        layers.push(diff_id.into());
    }
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        history.push(json!({ "created_by": "cargo xtask package --image" }));
    }
    let inner = config
        .entry("config")
        .or_insert_with(|| json!({}))
        .as_object_mut();
    if let Some(inner) = inner {
        inner.insert("Entrypoint".to_owned(), json!(["/usr/local/bin/bowline"]));
        inner.insert("Cmd".to_owned(), json!(["--help"]));
        inner.insert("WorkingDir".to_owned(), WORKSPACE.into());
        let labels = json!({
            "org.opencontainers.image.title": "Bowline",
            "org.opencontainers.image.version": VERSION,
        });
        inner.insert("Labels".to_owned(), labels);
    }
}
