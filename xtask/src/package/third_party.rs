//! The crates that are linked into the program: their licences, and the bill of materials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::VERSION;
use crate::process::{Failure, cargo, root, run_quietly};

/// A crate of somebody else's.
pub(super) struct Crate {
    name: String,
    version: String,
    /// As the crate says it, in SPDX's words.
    licence: String,
    /// Whose it is, as far as the crate says so.
    holders: String,
    /// Where its sources lie.
    folder: PathBuf,
    /// The SHA-256 that the registry gives for it.
    checksum: Option<String>,
}

/// Every crate that the program is linked with on a platform, by name and version.
pub(super) fn crates(triple: &str) -> Result<Vec<Crate>, Failure> {
    let metadata: Value = serde_json::from_str(&run_quietly(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        triple,
        "--locked",
    ]))?)
    .map_err(|error| format!("cannot read what `cargo metadata` says: {error}"))?;
    let linked = linked(&metadata)?;
    let checksums = checksums()?;
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let mut crates: Vec<Crate> = list(&metadata["packages"])
        .filter(|package| linked.contains(&text(package, "id")) && !package["source"].is_null())
        .map(|package| {
            let (name, version) = (text(package, "name"), text(package, "version"));
            let manifest = PathBuf::from(text(package, "manifest_path"));
            Crate {
                licence: text(package, "license"),
                holders: holders(package),
                folder: manifest.parent().unwrap_or(Path::new("")).to_owned(),
                checksum: checksums.get(&(name.clone(), version.clone())).cloned(),
                name,
                version,
            }
        })
        .collect();
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    if crates.is_empty() {
        return Err("`cargo metadata` names no crate of others".to_owned());
    }
    Ok(crates)
}

/// The ids of the packages that the program reaches over dependencies that are linked.
fn linked(metadata: &Value) -> Result<BTreeSet<String>, Failure> {
    let edges: BTreeMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .map(|node| {
            let needed = list(&node["deps"]).filter(|dependency| {
                list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null())
            });
            let ids = needed.filter_map(|dependency| dependency["pkg"].as_str());
            (node["id"].as_str().unwrap_or_default(), ids.collect())
        })
        .collect();
    let program = list(&metadata["packages"])
        .find(|package| package["name"] == "bowline")
        .and_then(|package| package["id"].as_str())
        .ok_or("`cargo metadata` does not name the program")?;
    let mut reached = BTreeSet::from([program.to_owned()]);
    let mut waiting = vec![program];
    while let Some(id) = waiting.pop() {
        for needed in edges.get(id).into_iter().flatten() {
            if reached.insert((*needed).to_owned()) {
                waiting.push(needed);
            }
        }
    }
    Ok(reached)
}

/// The registry's checksums, out of the lock file.
fn checksums() -> Result<BTreeMap<(String, String), String>, Failure> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let of = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
    };
    Ok(lock
        .split("[[package]]")
        .filter_map(|block| {
            Some((
                (of(block, "name")?, of(block, "version")?),
                of(block, "checksum")?,
            ))
        })
        .collect())
}

fn holders(package: &Value) -> String {
    let authors: Vec<&str> = list(&package["authors"])
        .filter_map(Value::as_str)
        .collect();
    match authors.as_slice() {
        [] => format!(
            "the authors of {}, {}",
            package["name"].as_str().unwrap_or_default(),
            package["repository"].as_str().unwrap_or_default()
        ),
        named => named.join(", "),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The name of the page that [`licences`] makes, in everything that people install.
pub(super) const PAGE: &str = "THIRD-PARTY.md";

/// The licences of all crates as Markdown, with every text once, behind the crates that it is the licence of.
pub(super) fn licences(crates: &[Crate]) -> Result<String, Failure> {
    let mut page = String::from("# What others made\n\nBowline is linked with these crates.\n\n");
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    for found in crates {
        let name = format!("{} {}", found.name, found.version);
        let _ = writeln!(page, "- {name}: {}", found.licence);
        for (file, text) in found.texts()? {
            // How a file ends its lines makes no other licence of it.
            let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
            let text = lines.join("\n").replace("```", "'''");
            let held = format!("{name} ({file})");
            match texts.iter_mut().find(|(known, _)| *known == text) {
                Some((_, holders)) => holders.push(held),
                None => texts.push((text, vec![held])),
            }
        }
    }
    for (text, holders) in texts {
        let _ = write!(
            page,
            "\n## {}\n\n```text\n{text}\n```\n",
            holders.join(", ")
        );
    }
    Ok(page)
}

impl Crate {
    /// The texts of its licence: those of its package, by file, or else the one that it names.
    fn texts(&self) -> Result<BTreeMap<String, String>, Failure> {
        let texts = texts(&self.folder);
        if !texts.is_empty() {
            return Ok(texts);
        }
        let (name, text) = standard_text(self)?;
        let file = format!("{name}, which it names without a text");
        Ok(BTreeMap::from([(file, text)]))
    }
}

/// The name and the text of a licence that a crate may be had under, for one that brings no text.
fn standard_text(found: &Crate) -> Result<(&'static str, String), Failure> {
    const APACHE: &str = include_str!("../../../LICENSE");
    const MIT: &str = include_str!("third_party/mit.txt");
    let offers = |licence: &str| {
        found
            .licence
            .split(" OR ")
            .flat_map(|part| part.split('/'))
            .any(|offered| offered.trim() == licence)
    };
    match () {
        () if offers("Apache-2.0") => Ok(("Apache-2.0", APACHE.to_owned())),
        () if offers("MIT") => Ok(("MIT", MIT.replace("{holders}", &found.holders))),
        () => Err(format!(
            "no text of a licence: `{} {}` names `{}` and brings none\nhint: add its text to `standard_text`",
            found.name, found.version, found.licence
        )),
    }
}

/// The licence files of a crate and their texts, by name.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let upper = name.to_uppercase();
            let is_licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"]
                .iter()
                .any(|word| upper.starts_with(word));
            is_licence.then(|| Some((name, std::fs::read_to_string(entry.path()).ok()?)))?
        })
        .collect()
}

/// The bill of materials, in CycloneDX 1.6.
pub(super) fn bill_of_materials(crates: &[Crate]) -> String {
    let components: Vec<Value> = crates
        .iter()
        .map(|found| {
            let purl = format!("pkg:cargo/{}@{}", found.name, found.version);
            let mut component = json!({
                "type": "library",
                "bom-ref": purl,
                "name": found.name,
                "version": found.version,
                "purl": purl,
                "licenses": [{"expression": found.licence.replace('/', " OR ")}],
            });
            if let Some(checksum) = &found.checksum {
                component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
            }
            component
        })
        .collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "bowline",
                "version": VERSION,
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": components,
    });
    format!("{bill:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::npm;

    #[test]
    fn every_crate_travels_with_the_text_of_its_licence() {
        for triple in npm::triples() {
            let crates = crates(triple).unwrap();
            assert!(crates.len() > 100, "{triple}: {}", crates.len());
            for found in crates {
                let page = licences(std::slice::from_ref(&found)).unwrap();
                assert!(page.contains("\n```text\n"), "{page}");
                assert!(!page.contains("{holders}"), "{page}");
            }
        }
    }

    #[test]
    fn a_text_that_crates_share_stands_once() {
        let crates = crates(npm::triples().next().unwrap()).unwrap();
        let page = licences(&crates).unwrap();
        let mut texts: Vec<&str> = page.split("\n```text\n").skip(1).collect();
        texts = texts
            .iter()
            .filter_map(|rest| rest.split("\n```\n").next())
            .collect();
        let distinct: BTreeSet<&str> = texts.iter().copied().collect();
        assert_eq!(texts.len(), distinct.len());
        assert!(texts.len() < crates.len(), "{} texts", texts.len());
        for found in crates {
            let held = format!("{} {} (", found.name, found.version);
            assert!(page.contains(&held), "{held}");
        }
    }

    #[test]
    fn a_crate_under_a_licence_without_a_text_is_refused() {
        let mut found = Crate {
            name: "knot".to_owned(),
            version: "1.0.0".to_owned(),
            licence: "ISC".to_owned(),
            holders: "Ann".to_owned(),
            folder: PathBuf::from("/nowhere/knot"),
            checksum: None,
        };
        let refused = licences(std::slice::from_ref(&found)).unwrap_err();
        assert!(
            refused.contains("knot 1.0.0") && refused.contains("ISC"),
            "{refused}"
        );
        found.licence = "ISC OR MIT".to_owned();
        assert!(licences(&[found]).unwrap().contains("Copyright (c) Ann"));
    }
}
