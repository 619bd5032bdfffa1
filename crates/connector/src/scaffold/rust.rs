//! The texts of a new connector in Rust: a Cargo project with a copy of the SDK, so that it needs no other place to
//! get that from.

use bowline_contract::layout::{CONNECTOR_FILE, IGNORE_FILE};
use toml::{Table, Value};

use super::folder::NewFile;

const CARGO: &str = include_str!("rust/Cargo.toml.txt");

/// The folder of the SDK's copy, in the project.
pub(super) const VENDOR: &str = "vendor";

/// The manifest that the vendored crates inherit from.
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");

/// A crate of which new projects hold a copy.
struct Vendored {
    name: &'static str,
    manifest: &'static str,
    /// The files in `src/`: name and text.
    sources: &'static [(&'static str, &'static str)],
}

macro_rules! vendored {
    ($name:literal, $folder:literal, [$($source:literal),* $(,)?]) => {
        Vendored {
            name: $name,
            manifest: include_str!(concat!("../../../", $folder, "/Cargo.toml")),
            sources: &[$((
                $source,
                include_str!(concat!("../../../", $folder, "/src/", $source)),
            )),*],
        }
    };
}

const CRATES: [Vendored; 2] = [
    vendored!(
        "bowline-protocol",
        "protocol",
        [
            "error.rs",
            "lib.rs",
            "message.rs",
            "pipeline.rs",
            "reading.rs",
            "value.rs",
            "warehouse.rs",
        ]
    ),
    vendored!(
        "bowline-sdk",
        "sdk",
        [
            "answer.rs",
            "conversation.rs",
            "credentials.rs",
            "error.rs",
            "lib.rs",
            "pipeline.rs",
            "warehouse.rs",
        ]
    ),
];

/// The files of a new connector that is a program in Rust: `connector.toml`, `src/main.rs` with `NAME` for the
/// connector's name, and what Cargo needs.
#[must_use]
pub fn rust_project(connector: String, main: &str, name: &str) -> Vec<NewFile> {
    let mut files = vec![
        (CONNECTOR_FILE.to_owned(), connector),
        ("src/main.rs".to_owned(), main.replace("NAME", name)),
        ("Cargo.toml".to_owned(), CARGO.to_owned()),
        (IGNORE_FILE.to_owned(), "/target/\n".to_owned()),
    ];
    let workspace: Table = WORKSPACE.parse().unwrap_or_default();
    for vendored in &CRATES {
        let folder = format!("{VENDOR}/{}", vendored.name);
        let manifest = standalone(vendored.manifest.parse().unwrap_or_default(), &workspace);
        files.push((format!("{folder}/Cargo.toml"), manifest.to_string()));
        for (source, text) in vendored.sources {
            files.push((format!("{folder}/src/{source}"), (*text).to_owned()));
        }
    }
    files
}

/// A crate's manifest with what it inherits written out, and without what only its own tests and lints need.
fn standalone(mut manifest: Table, workspace: &Table) -> Table {
    for only_here in ["dev-dependencies", "lints", "test"] {
        manifest.remove(only_here);
    }
    let shared = |table: &str| workspace.get("workspace")?.get(table)?.as_table();
    for table in ["package", "dependencies"] {
        let entries = manifest.get_mut(table).and_then(Value::as_table_mut);
        for (key, value) in entries.into_iter().flatten() {
            let inherits = value.get("workspace").and_then(Value::as_bool) == Some(true);
            if let (true, Some(given)) = (inherits, shared(table).and_then(|from| from.get(key))) {
                *value = given.clone();
            }
            if let Some(path) = value.get_mut("path") {
                *path = Value::String(format!("../{key}"));
            }
        }
    }
    manifest
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_source_of_the_crates_is_copied() {
        for (vendored, folder) in CRATES.iter().zip(["protocol", "sdk"]) {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(folder);
            let mut there: Vec<_> = std::fs::read_dir(folder.join("src"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            there.sort();
            assert!(vendored.sources.iter().map(|(name, _)| name).eq(&there));
        }
    }

    #[test]
    fn vendored_crates_inherit_nothing() {
        let files = rust_project(String::new(), "", "shop");
        for (name, text) in files
            .iter()
            .filter(|(name, _)| name.ends_with("Cargo.toml"))
        {
            let manifest: Table = text.parse().unwrap();
            assert!(!text.contains("workspace = true"), "{name}: {text}");
            assert!(manifest["dependencies"].as_table().unwrap().len() <= 3);
        }
        let sdk = files
            .iter()
            .find(|(name, _)| name == "vendor/bowline-sdk/Cargo.toml");
        assert!(sdk.unwrap().1.contains("path = \"../bowline-protocol\""));
    }
}
