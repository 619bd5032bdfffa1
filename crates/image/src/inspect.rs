//! What an image holds, told from its configuration and from what is attached to it.

use std::collections::BTreeMap;
use std::io::Read as _;

use bowline_contract::layout::{MANIFEST_FILE, TEMPLATE_EXPORT_ENDING, TEMPLATES_DIR};
use bowline_oci::layer::{Node, Tree, read_layer};
use bowline_oci::{
    BlobSource, Cancel, Descriptor, Digest, Document, Manifest, OciError, OciErrorKind, Platform,
    media_type, read_config,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ImageError, from_oci};
use crate::native::{EVIDENCE_ARTIFACT, STATEMENT_ARTIFACT, Statement, TITLE, evidence_title};
use crate::plan::{CONNECTORS_LABEL, PIPELINE_ROOT, WAREHOUSE_ROOT};

/// The file that tells what a connector is, in its folder of an image.
const CONNECTOR_MANIFEST: &str = "/manifest.json";
/// The largest file of a connector that is read.
const LARGEST_FILE: u64 = 4 << 20;
/// The largest file that is read of what is attached.
const LARGEST_ATTACHED: u64 = 64 << 20;

/// An image and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedImage {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// What that is: a manifest or an index.
    pub media_type: String,
    /// It for each platform, in its own order.
    pub platforms: Vec<InspectedPlatform>,
    /// What is attached to the index, when it is one.
    pub attached: Vec<Attached>,
}

/// An image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedPlatform {
    /// What it is made for, such as `linux/amd64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// How many layers it has.
    pub layers: usize,
    /// How many bytes they have as they are stored.
    pub size: u64,
    /// The user it runs as; empty is root.
    pub user: String,
    /// When it says it was created.
    pub created: Option<String>,
    /// Its labels but the one that describes its connectors.
    pub labels: BTreeMap<String, String>,
    /// Where the description of its connectors was found.
    pub described_by: DescribedBy,
    /// Its connectors.
    pub connectors: Vec<InspectedConnector>,
    /// What is attached to it.
    pub attached: Vec<Attached>,
}

/// Where the description of an image's connectors was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DescribedBy {
    /// A label.
    Label,
    /// The connectors' own manifests in its layers.
    Layers,
}

/// A connector in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedConnector {
    /// Its name.
    pub name: String,
    /// `warehouse` or `etl`.
    pub class: String,
    /// What the platform calls its type.
    #[serde(default)]
    pub connection_type: Option<String>,
    /// What people call its type.
    #[serde(default)]
    pub connection_name: Option<String>,
    /// `full` or `hybrid`; nothing for a pipeline connector, and where only a label would tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What it can do, in the contract's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

/// Something attached to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attached {
    /// What kind of artifact it is.
    pub artifact_type: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its files: their names where they have one, and their lengths in bytes.
    pub files: Vec<AttachedName>,
}

/// A file of what is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttachedName {
    /// Its name; its digest where it has none.
    pub title: String,
    /// What it is.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
}

/// Looks into an image. Layers are read only when no label describes its connectors.
///
/// # Errors
/// When the image cannot be had or is damaged.
pub fn inspect(source: &dyn BlobSource, cancel: &Cancel) -> Result<InspectedImage, ImageError> {
    image(source, cancel).map_err(from_oci)
}

/// The manifests and templates of the warehouse connectors in an image, on the first of its platforms: by connector,
/// by the file's name below the connector's folder.
///
/// # Errors
/// When the image cannot be had or is damaged.
pub fn exported(source: &dyn BlobSource, cancel: &Cancel) -> Result<Exports, ImageError> {
    exported_files(source, cancel).map_err(from_oci)
}

/// The manifests and templates of warehouse connectors: by connector, by the file's name below its folder.
pub type Exports = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// What an image holds for a platform, and what is attached that says how it was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedPlatform {
    /// What it is made for, such as `linux/amd64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// What its warehouse connectors ship.
    pub exports: Exports,
    /// Their public evidence, packed, by connector.
    pub evidence: BTreeMap<String, Vec<u8>>,
    /// What is stated of it.
    pub statements: Vec<Statement>,
}

/// Reads what an image holds for each platform, and how that was proven.
///
/// # Errors
/// When the image cannot be had or is damaged.
pub fn attested(
    source: &dyn BlobSource,
    cancel: &Cancel,
) -> Result<Vec<AttestedPlatform>, ImageError> {
    let attested = || {
        let images = images(source, &source.root()?)?;
        let images = images.iter();
        let attested = images.map(|image| attested_platform(source, image, cancel));
        attested.collect::<Result<_, OciError>>()
    };
    attested().map_err(from_oci)
}

fn attested_platform(
    source: &dyn BlobSource,
    image: &Document,
    cancel: &Cancel,
) -> Result<AttestedPlatform, OciError> {
    let manifest = image.to_manifest()?;
    let config = read_config(source, &manifest.config)?;
    let exports = exported_by(source, &manifest, cancel)?;
    let (mut evidence, mut statements) = (BTreeMap::new(), Vec::new());
    for descriptor in source.referrers(&image.descriptor())? {
        let artifact = source.manifest(&descriptor)?.to_manifest()?;
        let kind = artifact.artifact_type.as_deref().unwrap_or_default();
        if kind != EVIDENCE_ARTIFACT && kind != STATEMENT_ARTIFACT {
            continue;
        }
        for file in &artifact.layers {
            let bytes = attached_bytes(source, file)?;
            let title = file.annotations.get(TITLE);
            if kind == STATEMENT_ARTIFACT {
                statements.extend(serde_json::from_slice::<Statement>(&bytes));
            } else if let Some(name) = exports
                .keys()
                .find(|name| title.is_some_and(|title| *title == evidence_title(name)))
            {
                evidence.insert(name.clone(), bytes);
            }
        }
    }
    Ok(AttestedPlatform {
        platform: platform_of(&config).to_string(),
        digest: image.digest.clone(),
        exports,
        evidence,
        statements,
    })
}

fn attached_bytes(source: &dyn BlobSource, file: &Descriptor) -> Result<Vec<u8>, OciError> {
    let corrupt = |why: String| {
        OciError::new(OciErrorKind::Corrupt, format!("`{}`", file.digest)).because(why)
    };
    if file.size > LARGEST_ATTACHED {
        return Err(corrupt("it is too large for what is attached".to_owned()));
    }
    let mut bytes = Vec::new();
    let mut reader = source.open(file)?;
    let read = reader.read_to_end(&mut bytes);
    read.map_err(|error| corrupt(error.to_string()))?;
    Ok(bytes)
}

fn platform_of(config: &Map<String, Value>) -> Platform {
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    Platform {
        os: text("os").unwrap_or("unknown").to_owned(),
        architecture: text("architecture").unwrap_or("unknown").to_owned(),
        variant: text("variant").map(str::to_owned),
    }
}

fn exported_files(source: &dyn BlobSource, cancel: &Cancel) -> Result<Exports, OciError> {
    let images = images(source, &source.root()?)?;
    let first = images.first().ok_or_else(|| {
        let what = format!("`{}`", source.name());
        OciError::new(OciErrorKind::Corrupt, what).because("its index names no image".to_owned())
    })?;
    exported_by(source, &first.to_manifest()?, cancel)
}

fn exported_by(
    source: &dyn BlobSource,
    manifest: &Manifest,
    cancel: &Cancel,
) -> Result<Exports, OciError> {
    let mut found = Exports::new();
    read_files(source, manifest, cancel, |path| {
        let (connector, name) = exported_file(path)?;
        Some((connector.to_owned(), name.to_owned()))
    })?
    .into_iter()
    .for_each(|((connector, name), content)| {
        found.entry(connector).or_default().insert(name, content);
    });
    Ok(found)
}

/// The files in an image's layers that are wanted, by what they are wanted as; of files with one path, the last.
fn read_files<W: Ord>(
    source: &dyn BlobSource,
    manifest: &Manifest,
    cancel: &Cancel,
    wanted: impl Fn(&str) -> Option<W>,
) -> Result<BTreeMap<W, Vec<u8>>, OciError> {
    let mut found = BTreeMap::new();
    // What a layer takes away that ones below it have.
    let mut tree = Tree::default();
    for layer in &manifest.layers {
        tree.next_layer();
        read_layer(source, layer, &mut |entry| {
            cancel.check("reading the image")?;
            tree.add(entry.path, entry.node.clone());
            let Some(wanted) = wanted(entry.path) else {
                return Ok(());
            };
            if entry.node != Node::File || entry.size > LARGEST_FILE {
                return Ok(());
            }
            let mut content = Vec::new();
            entry.content.read_to_end(&mut content).map_err(|error| {
                OciError::new(OciErrorKind::Corrupt, format!("`{}`", entry.path))
                    .because(error.to_string())
            })?;
            found.insert(entry.path.to_owned(), (wanted, content));
            Ok(())
        })?;
    }
    let found = found.into_iter();
    let stays = found.filter(|(path, _)| tree.get(path) == Some(&Node::File));
    Ok(stays.map(|(_, file)| file).collect())
}

/// Whose export this file belongs to, and its name there: the manifest or a template of a warehouse connector.
fn exported_file(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix(WAREHOUSE_ROOT)?.strip_prefix('/')?;
    let (connector, name) = path.split_once('/')?;
    let is_template = name.starts_with(TEMPLATES_DIR) && name.ends_with(TEMPLATE_EXPORT_ENDING);
    (is_template || name == MANIFEST_FILE).then_some((connector, name))
}

/// The image for each platform: those that an index names, or the one that is there.
fn images(source: &dyn BlobSource, root: &Document) -> Result<Vec<Document>, OciError> {
    if !root.is_index() {
        return Ok(vec![root.clone()]);
    }
    let images = root.to_index()?.manifests.into_iter().filter(is_image);
    images.map(|image| source.manifest(&image)).collect()
}

/// Whether an entry of an index is an image, and not something attached to one.
fn is_image(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.is_none()
        && media_type::is_manifest(&descriptor.media_type)
        && descriptor
            .platform
            .as_ref()
            .is_none_or(|platform| platform.os != "unknown")
}

fn image(source: &dyn BlobSource, cancel: &Cancel) -> Result<InspectedImage, OciError> {
    let root = source.root()?;
    let platforms = images(source, &root)?
        .iter()
        .map(|image| platform(source, image, cancel))
        .collect::<Result<_, _>>()?;
    Ok(InspectedImage {
        attached: if root.is_index() {
            attached(source, &root.descriptor())?
        } else {
            Vec::new()
        },
        digest: root.digest,
        media_type: root.media_type,
        platforms,
    })
}

fn platform(
    source: &dyn BlobSource,
    document: &Document,
    cancel: &Cancel,
) -> Result<InspectedPlatform, OciError> {
    let manifest = document.to_manifest()?;
    let config = read_config(source, &manifest.config)?;
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    let inner = config.get("config");
    let mut labels: BTreeMap<String, String> = inner
        .and_then(|inner| inner.get("Labels"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let (described_by, connectors) = match labels.remove(CONNECTORS_LABEL) {
        Some(label) => (DescribedBy::Label, from_label(source, &label)?),
        None => (DescribedBy::Layers, from_layers(source, &manifest, cancel)?),
    };
    Ok(InspectedPlatform {
        platform: platform_of(&config).to_string(),
        digest: document.digest.clone(),
        layers: manifest.layers.len(),
        size: manifest.layers.iter().map(|layer| layer.size).sum(),
        user: inner
            .and_then(|inner| inner.get("User"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        created: text("created").map(str::to_owned),
        labels,
        described_by,
        connectors,
        attached: attached(source, &document.descriptor())?,
    })
}

fn from_label(source: &dyn BlobSource, label: &str) -> Result<Vec<InspectedConnector>, OciError> {
    serde_json::from_str(label).map_err(|error| {
        OciError::new(
            OciErrorKind::Corrupt,
            format!("label `{CONNECTORS_LABEL}` of `{}`", source.name()),
        )
        .because(error.to_string())
    })
}

/// The connectors whose manifests lie in the layers. A manifest that cannot be read still tells that the connector
/// is there.
fn from_layers(
    source: &dyn BlobSource,
    manifest: &Manifest,
    cancel: &Cancel,
) -> Result<Vec<InspectedConnector>, OciError> {
    let manifests = read_files(source, manifest, cancel, |path| {
        let (is_pipeline, name) = connector_of(path)?;
        Some((is_pipeline, name.to_owned()))
    })?;
    let connectors = manifests.into_iter().map(|((is_pipeline, name), text)| {
        let told: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
        let said = |key: &str| Some(told.get(key)?.as_str()?.to_owned());
        let capabilities = told.get("capabilities").and_then(Value::as_object);
        InspectedConnector {
            name,
            class: if is_pipeline { "etl" } else { "warehouse" }.to_owned(),
            connection_type: said("connection_type"),
            connection_name: said("connection_name"),
            mode: None,
            capabilities: capabilities
                .into_iter()
                .flatten()
                .filter(|(_, has)| has.as_bool() == Some(true))
                .map(|(name, _)| name.clone())
                .collect(),
        }
    });
    Ok(connectors.collect())
}

/// Whose manifest this is: whether of a pipeline connector, and its name.
fn connector_of(path: &str) -> Option<(bool, &str)> {
    [(false, WAREHOUSE_ROOT), (true, PIPELINE_ROOT)]
        .into_iter()
        .find_map(|(is_pipeline, root)| {
            let name = path
                .strip_prefix(root)?
                .strip_prefix('/')?
                .strip_suffix(CONNECTOR_MANIFEST)?;
            (!name.contains('/')).then_some((is_pipeline, name))
        })
}

fn attached(source: &dyn BlobSource, subject: &Descriptor) -> Result<Vec<Attached>, OciError> {
    source
        .referrers(subject)?
        .iter()
        .map(|descriptor| {
            let manifest = source.manifest(descriptor)?.to_manifest()?;
            let kind = manifest
                .artifact_type
                .unwrap_or_else(|| manifest.config.media_type.clone());
            let files = manifest.layers.into_iter().map(|layer| AttachedName {
                title: layer
                    .annotations
                    .get(TITLE)
                    .cloned()
                    .unwrap_or_else(|| layer.digest.to_string()),
                media_type: layer.media_type,
                size: layer.size,
            });
            Ok(Attached {
                artifact_type: kind,
                digest: descriptor.digest.clone(),
                files: files.collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_an_export_are_known_by_where_they_are() {
        let of = |name: &str| format!("{WAREHOUSE_ROOT}/{name}");
        let manifest = of("shop/manifest.json");
        assert_eq!(exported_file(&manifest), Some(("shop", "manifest.json")));
        let template = of("shop/templates/get_avg_function_template.j2");
        let name = "templates/get_avg_function_template.j2";
        assert_eq!(exported_file(&template), Some(("shop", name)));
        assert_eq!(exported_file(&of("shop/connector.py")), None);
        assert_eq!(exported_file(&of("manifest.json")), None);
        assert_eq!(
            exported_file("/opt/custom-etl-connectors/a/manifest.json"),
            None
        );
    }

    #[test]
    fn connectors_are_known_by_where_their_manifests_are() {
        let warehouse = "/opt/custom-connectors/shop/manifest.json";
        let pipeline = "/opt/custom-etl-connectors/jobs/manifest.json";
        assert_eq!(connector_of(warehouse), Some((false, "shop")));
        assert_eq!(connector_of(pipeline), Some((true, "jobs")));
        assert_eq!(connector_of("/opt/custom-connectors/manifest.json"), None);
        assert_eq!(
            connector_of("/opt/custom-connectors/a/b/manifest.json"),
            None
        );
        assert_eq!(
            connector_of("/opt/custom-connectors/shop/connector.py"),
            None
        );
    }
}
