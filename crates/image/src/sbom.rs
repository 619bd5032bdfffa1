//! The bill of materials of an image: what it was built on, its connectors with their files, its Python packages.
//! CycloneDX 1.6 as JSON; the same image has the same bill, byte for byte.

use std::fs::File;
use std::io::{self, Read};

use bowline_oci::layer::Content;
use bowline_oci::{Hasher, Platform, json_bytes};
use serde_json::{Value, json};

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::{ImagePlan, PlannedFile};

/// The media type of a bill, and the kind of the artifact that holds one.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
/// The file in which an installed Python package describes itself.
const METADATA: &str = ".dist-info/METADATA";
const BUFFER: usize = 128 << 10;

/// What a bill is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) plan: &'a ImagePlan,
    pub(crate) platform: &'a Platform,
    /// The digest of the base's manifest.
    pub(crate) base_digest: &'a str,
    /// The files of the Python packages.
    pub(crate) packages: &'a [PlannedFile],
    /// The time as RFC 3339 writes it.
    pub(crate) time: &'a str,
}

/// Writes the bill.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn write(subject: &Subject<'_>) -> Result<Vec<u8>, ImageError> {
    let plan = subject.plan;
    let (name, tag) = match plan.tag.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (plan.tag.as_str(), ""),
    };
    let base_hash = subject.base_digest.rsplit(':').next().unwrap_or_default();
    let mut components = vec![json!({
        "type": "container",
        "bom-ref": "base",
        "name": plan.base.name().unwrap_or("base"),
        "version": subject.base_digest,
        "hashes": [{ "alg": "SHA-256", "content": base_hash }],
    })];
    let here = |file: &&PlannedFile| {
        let only = file.platform.as_ref();
        only.is_none_or(|only| only == subject.platform)
    };
    for connector in &plan.connectors {
        let class = connector.class.name();
        let mut properties = vec![json!({ "name": "bowline:class", "value": class })];
        if let Some(mode) = connector.mode {
            properties.push(json!({ "name": "bowline:mode", "value": mode.name() }));
        }
        let files: Vec<&PlannedFile> = connector.files.iter().filter(here).collect();
        components.push(json!({
            "type": "application",
            "bom-ref": format!("{class}:{}", connector.name),
            "name": connector.name.as_str(),
            "properties": properties,
            "components": file_components(&files)?,
        }));
    }
    let shared: Vec<&PlannedFile> = plan.shared.iter().filter(here).collect();
    components.extend(file_components(&shared)?);
    for file in subject.packages {
        if file.path.ends_with(METADATA) {
            components.extend(package(file)?);
        }
    }
    let refs: Vec<&str> = components
        .iter()
        .filter_map(|each| each["bom-ref"].as_str())
        .collect();
    Ok(json_bytes(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": subject.time,
            "tools": { "components": [{
                "type": "application",
                "name": "bowline",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": name,
                "version": tag,
                "properties": [{ "name": "bowline:platform", "value": subject.platform.to_string() }],
            },
        },
        "dependencies": [{ "ref": "image", "dependsOn": refs }],
        "components": components,
    })))
}

fn file_components(files: &[&PlannedFile]) -> Result<Vec<Value>, ImageError> {
    files
        .iter()
        .map(|file| {
            Ok(json!({
                "type": "file",
                "bom-ref": format!("file:{}", file.path),
                "name": file.path,
                "hashes": [{ "alg": "SHA-256", "content": hash(file)? }],
            }))
        })
        .collect()
}

fn hash(file: &PlannedFile) -> Result<String, ImageError> {
    let mut hasher = Hasher::default();
    match &file.content {
        Content::Bytes(bytes) => hasher.update(bytes),
        Content::File(path) => {
            let mut read = || -> io::Result<()> {
                let mut file = File::open(path)?;
                let mut buffer = vec![0; BUFFER];
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(()),
                        count => hasher.update(&buffer[..count]),
                    }
                }
            };
            read().map_err(|error| {
                ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
                    .because(error.to_string())
            })?;
        }
    }
    Ok(hasher.finish().0.hex().to_owned())
}

/// An installed Python package, from its own description.
fn package(file: &PlannedFile) -> Result<Option<Value>, ImageError> {
    let bytes = match &file.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => std::fs::read(path).map_err(|error| {
            ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
                .because(error.to_string())
        })?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let header = |wanted: &str| {
        text.lines()
            .take_while(|line| !line.trim().is_empty())
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
    };
    let (Some(name), Some(version)) = (header("Name"), header("Version")) else {
        return Ok(None);
    };
    let purl = format!("pkg:pypi/{}@{version}", normal(&name));
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    });
    if let Some(license) = header("License-Expression") {
        component["licenses"] = json!([{ "expression": license }]);
    }
    Ok(Some(component))
}

/// A package's name as package indexes compare it.
fn normal(name: &str) -> String {
    let mut normal = String::new();
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_lowercase());
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bowline_contract::ConnectorName;
    use bowline_contract::manifest::AssetClass;

    use super::*;
    use crate::plan::{BaseImage, Mode, PlannedConnector};

    fn file(path: &str, text: &str) -> PlannedFile {
        PlannedFile {
            path: path.to_owned(),
            content: Content::Bytes(text.as_bytes().to_vec()),
            mode: 0o644,
            platform: None,
        }
    }

    #[test]
    fn a_bill_names_base_connectors_files_and_packages() {
        let plan = ImagePlan {
            base: BaseImage::Reference("agent:1".to_owned()),
            platforms: vec![Platform::linux_amd64()],
            tag: "registry:5000/custom-agent:2".to_owned(),
            environment: Vec::new(),
            user: "mcdagent".to_owned(),
            labels: BTreeMap::new(),
            shared: Vec::new(),
            connectors: vec![PlannedConnector {
                name: ConnectorName::parse("shop").unwrap(),
                class: AssetClass::Warehouse,
                mode: Some(Mode::Full),
                root: "/opt/custom-connectors/shop".to_owned(),
                files: vec![file("/opt/custom-connectors/shop/connector.py", "abc")],
                requirements: Vec::new(),
                extra: None,
                manifest: Vec::new(),
            }],
        };
        let packages = [
            file(
                "/lib/Foo_Bar-1.2.dist-info/METADATA",
                "Metadata-Version: 2.4\nName: Foo_Bar\nVersion: 1.2\nLicense-Expression: MIT\n\nVersion: 9\n",
            ),
            file("/lib/broken-1.dist-info/METADATA", "\n"),
        ];
        let subject = Subject {
            plan: &plan,
            platform: &Platform::linux_amd64(),
            base_digest: "sha256:00ff",
            packages: &packages,
            time: "1970-01-01T00:00:00Z",
        };
        let bytes = write(&subject).unwrap();
        assert_eq!(bytes, write(&subject).unwrap());
        let bill: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            bill["metadata"]["component"]["name"],
            "registry:5000/custom-agent"
        );
        assert_eq!(bill["metadata"]["component"]["version"], "2");
        assert_eq!(
            bill["dependencies"][0]["dependsOn"],
            json!(["base", "warehouse:shop", "pkg:pypi/foo-bar@1.2"])
        );
        let connector = &bill["components"][1];
        assert_eq!(connector["properties"][1]["value"], "full");
        assert_eq!(
            connector["components"][0]["hashes"][0]["content"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let package = &bill["components"][2];
        assert_eq!(package["version"], "1.2");
        assert_eq!(package["licenses"], json!([{ "expression": "MIT" }]));
    }
}
