//! The bill of materials of an image: what it was built on, its connectors with their files, the program, the drivers and
//! the Python packages.
//! CycloneDX 1.6 as JSON; the same image has the same bill, byte for byte.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use bowline_oci::layer::Content;
use bowline_oci::{Hasher, Platform, json_bytes};
use serde_json::{Value, json};

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::{ImagePlan, PlannedFile};
use crate::python::{Packages, normalized};
use crate::shim;

/// The media type of a bill, and the kind of the artifact that holds one.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
/// The file in which an installed Python package describes itself.
const METADATA: &str = ".dist-info/METADATA";
/// How the words of a package index about licences begin.
const LICENSE_CLASSIFIER: &str = "License :: ";
/// The longest name of a licence; what is longer is its text.
const MOST_OF_A_NAME: usize = 60;
const BUFFER: usize = 128 << 10;

/// What a bill is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) plan: &'a ImagePlan,
    pub(crate) platform: &'a Platform,
    /// The digest of the image's manifest: an image that goes by several names has one bill.
    pub(crate) digest: &'a str,
    /// The digest of the base's manifest.
    pub(crate) base_digest: &'a str,
    /// The Python packages.
    pub(crate) packages: Option<&'a Packages>,
    /// The time as RFC 3339 writes it.
    pub(crate) time: &'a str,
}

/// Writes the bill.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn write(subject: &Subject<'_>) -> Result<Vec<u8>, ImageError> {
    let plan = subject.plan;
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
    for (mut component, file) in file_components(&shared)?.into_iter().zip(&shared) {
        if let Some(known) = known(file, subject.platform) {
            known.tell(&mut component);
        }
        components.push(component);
    }
    if let Some(packages) = subject.packages {
        let described = |file: &&PlannedFile| file.path.ends_with(METADATA);
        for file in packages.files.iter().filter(described) {
            components.extend(package(file, &packages.wheels)?);
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
                "name": plan.title(),
                "version": subject.digest,
                "properties": [{ "name": "bowline:platform", "value": subject.platform.to_string() }],
            },
        },
        "dependencies": [{ "ref": "image", "dependsOn": refs }],
        "components": components,
    })))
}

/// What is known of a file that all connectors share.
struct Known {
    kind: &'static str,
    name: String,
    version: String,
    purl: String,
    license: &'static str,
}

/// This program, or a driver that can be installed by its name. Of another build of the program nothing is known.
fn known(file: &PlannedFile, platform: &Platform) -> Option<Known> {
    if file.path == shim::PROGRAM {
        if !is_running(&file.content) {
            return None;
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        return Some(Known {
            kind: "application",
            name: "bowline".to_owned(),
            purl: format!("pkg:generic/bowline@{version}"),
            version,
            license: env!("CARGO_PKG_LICENSE"),
        });
    }
    let (entry, build) = shim::driver_of(&file.path, platform)?;
    Some(Known {
        kind: "library",
        name: build.package.to_owned(),
        version: build.version.to_owned(),
        purl: build.purl(entry.source),
        license: entry.license,
    })
}

/// Whether it is the program that runs.
fn is_running(content: &Content) -> bool {
    let running = std::env::current_exe();
    matches!((content, running), (Content::File(path), Ok(running)) if *path == running)
}

impl Known {
    fn tell(self, component: &mut Value) {
        component["type"] = self.kind.into();
        component["name"] = self.name.into();
        component["version"] = self.version.into();
        component["purl"] = self.purl.into();
        component["licenses"] = json!([{ "expression": self.license }]);
    }
}

fn file_components(files: &[&PlannedFile]) -> Result<Vec<Value>, ImageError> {
    files
        .iter()
        .map(|file| {
            Ok(json!({
                "type": "file",
                "bom-ref": format!("file:{}", file.path),
                "name": file.path,
                "hashes": [{ "alg": "SHA-256", "content": hash(&file.content)? }],
            }))
        })
        .collect()
}

/// The digest of what is in a file, in hexadecimal.
pub(crate) fn hash(content: &Content) -> Result<String, ImageError> {
    let mut hasher = Hasher::default();
    match content {
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

/// An installed Python package, from its own description, with the digest of the wheel that it came from.
fn package(
    file: &PlannedFile,
    wheels: &BTreeMap<String, String>,
) -> Result<Option<Value>, ImageError> {
    let bytes = match &file.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => std::fs::read(path).map_err(|error| {
            ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
                .because(error.to_string())
        })?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines = || text.lines().take_while(|line| !line.is_empty());
    let headers = |wanted: &'static str| {
        let next = lines().skip(1).chain([""]);
        // A licence over several lines, the first of which says little.
        let is_whole = |(_, next): &(&str, &str)| !next.starts_with([' ', '\t']);
        lines()
            .zip(next)
            .filter(is_whole)
            .filter_map(|(line, _)| line.split_once(": "))
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
    };
    let header = |wanted| headers(wanted).next();
    let (Some(name), Some(version)) = (header("Name"), header("Version")) else {
        return Ok(None);
    };
    let normal = normalized(&name);
    let purl = format!("pkg:pypi/{normal}@{version}");
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    });
    // What was written before there were expressions may be a whole licence, or a classifier.
    let named = header("License").filter(|name| (1..=MOST_OF_A_NAME).contains(&name.len()));
    let mut classified = headers("Classifier").filter(|word| word.starts_with(LICENSE_CLASSIFIER));
    let named = named
        .filter(|name| name != "UNKNOWN")
        .or_else(|| Some(classified.next()?.rsplit(" :: ").next()?.to_owned()));
    if let Some(expression) = header("License-Expression") {
        component["licenses"] = json!([{ "expression": expression }]);
    } else if let Some(name) = named {
        component["licenses"] = json!([{ "license": { "name": name } }]);
    }
    if let Some(hash) = wheels.get(&normal) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": hash }]);
    }
    Ok(Some(component))
}

#[cfg(test)]
mod tests {
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
            shared: vec![
                PlannedFile {
                    content: Content::File(std::env::current_exe().unwrap()),
                    ..file(shim::PROGRAM, "")
                },
                file("/opt/bowline/drivers/libduckdb.so", "abc"),
            ],
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
        let files = vec![
            file(
                "/lib/Foo_Bar-1.2.dist-info/METADATA",
                "Metadata-Version: 2.4\nName: Foo_Bar\nVersion: 1.2\nLicense-Expression: MIT\n\nVersion: 9\n",
            ),
            file("/lib/broken-1.dist-info/METADATA", "\n"),
            file(
                "/lib/old-1.dist-info/METADATA",
                "Name: old\nVersion: 1\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: BSD License\n",
            ),
            file(
                "/lib/folded-1.dist-info/METADATA",
                "Name: folded\nVersion: 1\nLicense: Copyright (c) 2005\n        \n        All rights\n\
                 Classifier: License :: OSI Approved :: MIT License\n\nbody\n",
            ),
        ];
        let packages = Packages {
            files,
            wheels: BTreeMap::from([("old".to_owned(), "00ff".to_owned())]),
        };
        let subject = Subject {
            plan: &plan,
            platform: &Platform::linux_amd64(),
            digest: "sha256:11ff",
            base_digest: "sha256:00ff",
            packages: Some(&packages),
            time: "1970-01-01T00:00:00Z",
        };
        let bytes = write(&subject).unwrap();
        assert_eq!(bytes, write(&subject).unwrap());
        let bill: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], "custom-agent");
        assert_eq!(bill["metadata"]["component"]["version"], "sha256:11ff");
        assert_eq!(
            bill["dependencies"][0]["dependsOn"],
            json!([
                "base",
                "warehouse:shop",
                "file:/opt/bowline/bin/bowline",
                "file:/opt/bowline/drivers/libduckdb.so",
                "pkg:pypi/foo-bar@1.2",
                "pkg:pypi/old@1",
                "pkg:pypi/folded@1"
            ])
        );
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (place, purl) in [
            (2, "pkg:generic/bowline@"),
            (3, "pkg:npm/%40duckdb/node-bindings-linux-x64@"),
        ] {
            let found = &bill["components"][place];
            let told = found["purl"].as_str().unwrap_or_default();
            assert!(told.starts_with(purl), "{found:#}");
            assert!(found["licenses"][0]["expression"].is_string(), "{found:#}");
            assert!(
                told.ends_with(found["version"].as_str().unwrap_or("none")),
                "{found:#}"
            );
        }
        assert_eq!(bill["components"][2]["type"], "application");
        assert_eq!(bill["components"][3]["hashes"][0]["content"], abc);
        let given = file(shim::PROGRAM, "another build");
        assert!(known(&given, &Platform::linux_amd64()).is_none());
        let old = &bill["components"][5];
        assert_eq!(
            old["licenses"],
            json!([{ "license": { "name": "BSD License" } }])
        );
        assert_eq!(old["hashes"][0]["content"], "00ff");
        let folded = &bill["components"][6]["licenses"];
        assert_eq!(*folded, json!([{ "license": { "name": "MIT License" } }]));
        let connector = &bill["components"][1];
        assert_eq!(connector["properties"][1]["value"], "full");
        assert_eq!(
            connector["components"][0]["hashes"][0]["content"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let package = &bill["components"][4];
        assert_eq!(package["version"], "1.2");
        assert_eq!(package["licenses"], json!([{ "expression": "MIT" }]));
    }
}
