//! What leaves a full run: the manifest of what was proven, and the templates that passed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bowline_contract::{ExportedManifest, SourceManifest, SuiteSection, TemplateKind, layout};
use bowline_durable::{RealDisk, sync_name, sync_tree};
use bowline_warehouse::template::TemplateSet;
use bowline_words::listed;
use serde_json::Value;

use crate::Verdict;
use crate::warehouse::Report;

/// The files of an export, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The manifest.
    pub manifest: ExportedManifest,
    /// File names under the templates folder with their texts, sorted.
    pub templates: Vec<(String, String)>,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run left sections out, so that what they would have found is not known.
    #[error("an export needs the whole suite, and this run left out {}", listed(.missing))]
    Partial {
        /// The sections that did not run.
        missing: Vec<SuiteSection>,
    },
    /// The run was interrupted.
    #[error("the run was interrupted before it had judged everything")]
    Interrupted,
    /// A file or folder could not be read.
    #[error("`{}` cannot be read: {error}", .path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// A file or folder could not be written.
    #[error("`{}` cannot be written: {error}", .path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
}

impl Export {
    /// Collects what a run proved. `version` is that of the program, for the manifest's `setup_version`.
    ///
    /// Equal verdicts give equal exports, to the byte.
    ///
    /// # Errors
    /// [`ExportError::Partial`] and [`ExportError::Interrupted`].
    pub fn new(
        report: &Report,
        source: &SourceManifest,
        templates: &TemplateSet,
        version: &str,
    ) -> Result<Self, ExportError> {
        let missing: Vec<SuiteSection> = SuiteSection::ALL
            .iter()
            .copied()
            .filter(|section| !report.sections.contains(section))
            .collect();
        if !missing.is_empty() {
            return Err(ExportError::Partial { missing });
        }
        if report.interrupted {
            return Err(ExportError::Interrupted);
        }
        let manifest = ExportedManifest {
            connection_type: source.connection_type.clone(),
            connection_name: source.connection_name.clone(),
            setup_version: Some(version.to_owned()),
            capabilities: report
                .capabilities
                .iter()
                .filter(|each| each.verdict == Some(Verdict::Supported))
                .map(|each| each.capability)
                .collect(),
            metrics: report
                .metrics
                .iter()
                .filter(|each| each.supported)
                .map(|each| each.metric)
                .collect(),
            credentials_schema: source.credentials_schema.clone(),
        };
        // The statements of functional checks serve the suite alone; the agent has no use for them.
        let mut files: Vec<(String, String)> = report
            .templates
            .iter()
            .filter(|each| {
                each.verdict == Some(Verdict::Supported)
                    && each.template.kind != TemplateKind::Statement
            })
            .filter_map(|each| templates.get(each.template))
            .map(|each| {
                (
                    layout::exported_template_file(each.template),
                    each.text.clone(),
                )
            })
            .collect();
        files.sort();
        Ok(Self {
            manifest,
            templates: files,
        })
    }

    /// The files of an export in a folder: the manifest and the templates, by their names below it.
    ///
    /// # Errors
    /// [`ExportError::Read`].
    pub fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, ExportError> {
        let mut names = vec![layout::MANIFEST_FILE.to_owned()];
        let templates = folder.join(layout::TEMPLATES_DIR);
        match fs::read_dir(&templates) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(unread(&templates))?.file_name();
                    names.push(format!("{}/{}", layout::TEMPLATES_DIR, entry.display()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unread(&templates)(error)),
        }
        let mut files = BTreeMap::new();
        for name in names {
            if let Some(bytes) = read(&folder.join(&name))? {
                files.insert(name, bytes);
            }
        }
        Ok(files)
    }

    /// What stands in the files of an export otherwise than this one would write them, a line each; nothing when it is
    /// this export.
    #[must_use]
    pub fn differences(&self, there: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let manifest = (
            layout::MANIFEST_FILE.to_owned(),
            self.manifest.to_json_string(),
        );
        let templates = self.templates.iter().map(|(name, text)| {
            let name = format!("{}/{name}", layout::TEMPLATES_DIR);
            (name, text.clone())
        });
        let files: BTreeMap<String, String> = std::iter::once(manifest).chain(templates).collect();
        let mut found = Vec::new();
        for (name, text) in &files {
            match there.get(name) {
                None => found.push(format!("`{name}` is missing")),
                Some(there) if there == text.as_bytes() => {}
                Some(there) if name == layout::MANIFEST_FILE => {
                    found.extend(self.manifest_differences(there));
                }
                Some(_) => found.push(format!("`{name}` has another text")),
            }
        }
        let unproven = there.keys().filter(|name| !files.contains_key(*name));
        found.extend(unproven.map(|name| format!("`{name}` was not proven")));
        found
    }

    /// What a manifest claims that this one does not, and the other way round.
    fn manifest_differences(&self, there: &[u8]) -> Vec<String> {
        let name = layout::MANIFEST_FILE;
        let Ok(there) = serde_json::from_slice::<Value>(there) else {
            return vec![format!("`{name}` is no JSON")];
        };
        let here = serde_json::from_str(&self.manifest.to_json_string()).unwrap_or(Value::Null);
        let mut found = Vec::new();
        for list in ["capabilities", "metrics"] {
            let [here, there] = [&here, &there].map(|manifest| claims(&manifest[list]));
            let only = |one: &[String], other: &[String], what: &str| {
                let only: Vec<&String> = one.iter().filter(|name| !other.contains(name)).collect();
                (!only.is_empty()).then(|| format!("`{name}` {what} {}", listed(only)))
            };
            found.extend(only(&there, &here, "claims what was not proven:"));
            found.extend(only(&here, &there, "leaves out what was proven:"));
        }
        if found.is_empty() {
            found.push(format!("`{name}` has another text"));
        }
        found
    }

    /// Writes the export to a folder, whole or not at all; an earlier export there is replaced.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    pub fn write(&self, folder: &Path) -> Result<(), ExportError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| ExportError::Write { path, error }
        };
        let parent = folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let new = tempfile::Builder::new()
            .prefix(".export-")
            .tempdir_in(parent)
            .map_err(failed(parent))?;
        let write = |path: PathBuf, text: &str| fs::write(&path, text).map_err(failed(&path));
        write(
            new.path().join(layout::MANIFEST_FILE),
            &self.manifest.to_json_string(),
        )?;
        let templates = new.path().join(layout::TEMPLATES_DIR);
        fs::create_dir(&templates).map_err(failed(&templates))?;
        for (name, text) in &self.templates {
            write(templates.join(name), text)?;
        }
        // A pipeline connector may have the same name, and its proof stands in the same folder.
        let beside = folder.join(layout::PIPELINE_PROOF_FILE);
        if beside.is_file() {
            let place = new.path().join(layout::PIPELINE_PROOF_FILE);
            fs::copy(&beside, place).map_err(failed(&beside))?;
        }
        readable_by_all(new.path()).map_err(failed(new.path()))?;
        sync_tree(new.path()).map_err(failed(new.path()))?;
        let old = tempfile::Builder::new()
            .prefix(".export-old-")
            .tempdir_in(parent)
            .map_err(failed(parent))?;
        put(new.path(), folder, old.path()).map_err(failed(folder))?;
        sync_name(&RealDisk, folder).map_err(failed(folder))?;
        // It stands in its place now; nothing is left to remove.
        let _ = new.keep();
        Ok(())
    }
}

/// A file's bytes; none when there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, ExportError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(path)(error)),
    }
}

fn unread(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_owned();
    move |error| ExportError::Read { path, error }
}

/// The names that a list or the true members of an object claim.
fn claims(list: &Value) -> Vec<String> {
    match list {
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::Object(flags) => {
            let claimed = flags.iter().filter(|(_, flag)| **flag == Value::Bool(true));
            claimed.map(|(name, _)| name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// How often an export gives way to another that was put in its place meanwhile.
const RACES: usize = 100;

/// Renames a folder to where another may be, which goes to `aside` first and comes back on an error.
fn put(new: &Path, folder: &Path, aside: &Path) -> io::Result<()> {
    let mut race = 0;
    loop {
        let earlier = aside.join(race.to_string());
        let moved = match fs::rename(folder, &earlier) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        race += 1;
        match fs::rename(new, folder) {
            Ok(()) => return Ok(()),
            Err(error) if race < RACES && is_taken(&error) => {}
            Err(error) => {
                if moved {
                    fs::rename(&earlier, folder)?;
                }
                return Err(error);
            }
        }
    }
}

/// Whether another stands, or stood a moment ago, where a folder was to go.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
    )
}

/// Temporary folders are private; an export is for others to read.
#[cfg(unix)]
fn readable_by_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_contract::manifest::ConnectionType;

    use super::*;

    #[test]
    fn a_pipelines_proof_of_the_same_name_stays() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("shop");
        fs::create_dir_all(folder.join("templates")).unwrap();
        for name in [
            layout::PIPELINE_PROOF_FILE,
            "proof.json",
            "templates/old.j2",
        ] {
            fs::write(folder.join(name), "earlier").unwrap();
        }
        let export = Export {
            manifest: ExportedManifest {
                connection_type: ConnectionType::parse("custom-connector-0000001").unwrap(),
                connection_name: "Shop".to_owned(),
                setup_version: None,
                capabilities: BTreeSet::new(),
                metrics: BTreeSet::new(),
                credentials_schema: None,
            },
            templates: Vec::new(),
        };
        export.write(&folder).unwrap();
        let kept = fs::read_to_string(folder.join(layout::PIPELINE_PROOF_FILE));
        assert_eq!(kept.unwrap(), "earlier");
        assert!(!folder.join("proof.json").exists() && !folder.join("templates/old.j2").exists());
    }

    #[test]
    fn what_stood_there_comes_back_when_the_new_cannot_be_put() {
        let root = tempfile::tempdir().unwrap();
        let [folder, aside] = ["there", "aside"].map(|name| root.path().join(name));
        fs::create_dir_all(&aside).unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("manifest.json"), "earlier").unwrap();
        put(&root.path().join("absent"), &folder, &aside).unwrap_err();
        assert_eq!(
            fs::read_to_string(folder.join("manifest.json")).unwrap(),
            "earlier"
        );
    }

    #[test]
    fn exports_at_once_leave_one_of_them_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("there");
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (root, folder) = (root.path(), &folder);
                scope.spawn(move || {
                    for round in 0..50 {
                        let new = root.join(format!("new-{number}-{round}"));
                        let aside = root.join(format!("aside-{number}-{round}"));
                        fs::create_dir(&new).unwrap();
                        fs::create_dir(&aside).unwrap();
                        fs::write(new.join("manifest.json"), "whole").unwrap();
                        put(&new, folder, &aside).unwrap();
                    }
                });
            }
        });
        assert_eq!(
            fs::read_to_string(folder.join("manifest.json")).unwrap(),
            "whole"
        );
    }
}
