//! Packs of a workspace: folders in the shape of the embedded ones, which connectors and other packs extend.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bowline_connector::Workspace;
use bowline_connector::folder::{Document, LoadError, Place, Problem, ProblemKind};
use bowline_contract::layout;
use bowline_words::listed;
use bowline_words::nearest::hint_or;
use serde_json::{Value, json};
use toml::Spanned;

use super::checked::{check_facts, check_name};
use super::pack::{Pack, PackFile, ScaffoldFiles, Source, given_by};
use crate::folder::{ConnectorFile, compile, read_optional, read_own_templates};

/// How many packs of a workspace may extend each other.
const DEEPEST: usize = 8;

/// Of a pack that is no folder of the workspace.
const OUTSIDE: &str = "it lies outside of the workspace";
const BRING_IN: &str =
    "bring it in, as by `git submodule add URL packs/NAME`, and extend it by that name";

impl Pack {
    /// The folders of a workspace's `packs` that hold a pack, sorted.
    #[must_use]
    pub fn folders(workspace: &Workspace) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(workspace.root().join(layout::PACKS_DIR));
        let paths = entries.into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = paths
            .map(|entry| entry.path())
            .filter(|path| path.join(layout::PACK_FILE).is_file())
            .collect();
        folders.sort();
        folders
    }

    /// The packs of a workspace's `packs` that can be read.
    #[must_use]
    pub fn of_workspace(workspace: &Workspace) -> Vec<Arc<Self>> {
        let folders = Self::folders(workspace).into_iter();
        folders
            .filter_map(|folder| Self::load(&folder).ok())
            .collect()
    }

    /// The pack that a word on the command line means: an embedded one, or one of the workspace's `packs`; nothing when
    /// there is none.
    ///
    /// # Errors
    /// As [`Pack::load`].
    pub fn named(word: &str, workspace: &Workspace) -> Result<Option<Arc<Self>>, LoadError> {
        if let Some(pack) = embedded(word, workspace) {
            return Ok(Some(Arc::clone(pack)));
        }
        let folder = folder_named(word, workspace);
        folder.map(|folder| Self::load(&folder)).transpose()
    }

    /// What to say of a word that names no pack: the nearest name, or all of them.
    #[must_use]
    pub fn hint(word: &str, workspace: &Workspace) -> String {
        let own = Self::folders(workspace);
        let own = own.iter().filter_map(|path| path.file_name()?.to_str());
        let names = Self::all().iter().map(|pack| pack.name.as_str());
        let names: Vec<&str> = names.chain(own).collect();
        hint_or(word, names.iter().copied(), || {
            let packs = listed(names.iter().copied());
            format!("packs are {packs}; `ansi` is the base for any other engine")
        })
    }

    /// Reads the pack in a folder, checks all of it and what it extends, and compiles its templates.
    ///
    /// # Errors
    /// [`LoadError`]; `Invalid` holds every mistake found in any file, each with its place and a hint.
    pub fn load(folder: &Path) -> Result<Arc<Self>, LoadError> {
        let mut problems = Vec::new();
        let folder = normal(folder);
        let workspace = Workspace::find(&folder).unwrap_or_else(|_| Workspace::at(&folder));
        if !lies_within(&workspace, &folder) {
            problems.push(Problem {
                kind: ProblemKind::UnknownDialect,
                path: folder,
                place: None,
                message: OUTSIDE.to_owned(),
                hint: Some(BRING_IN.to_owned()),
            });
            return Err(LoadError::InvalidPack { problems });
        }
        match read(&[folder], &mut problems)? {
            Some(pack) if problems.is_empty() => Ok(pack),
            _ => Err(LoadError::InvalidPack { problems }),
        }
    }

    /// The pack that the `connector.toml` in a folder extends; none where that extends none or cannot be read.
    ///
    /// # Errors
    /// As [`Pack::load`], and with the mistake in the word that names the pack.
    pub fn extended_by(connector: &Path) -> Result<Option<Arc<Self>>, LoadError> {
        let path = connector.join(layout::CONNECTOR_FILE);
        let Some(text) = read_optional(&path)? else {
            return Ok(None);
        };
        let mut document = Document::new(&path, &text);
        let file: Option<ConnectorFile> = document.read();
        let Some(extends) = file.and_then(|file| Some(file.dialect?.extends)) else {
            return Ok(None);
        };
        let mut of_packs = Vec::new();
        let pack = extended(&mut document, &extends, connector, &mut of_packs)?;
        match (document.into_problems(), of_packs) {
            (own, problems) if own.is_empty() && problems.is_empty() => Ok(pack),
            (own, problems) if own.is_empty() => Err(LoadError::InvalidPack { problems }),
            (problems, _) => Err(LoadError::Invalid { problems }),
        }
    }
}

/// The pack that `extends` means in a file of this folder. What is wrong with the word is noted in the file's document,
/// what is wrong in the pack's own files among `problems`.
///
/// # Errors
/// When a file of a pack cannot be read.
pub(crate) fn extended(
    document: &mut Document<'_>,
    extends: &Spanned<String>,
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Option<Arc<Pack>>, LoadError> {
    find(document, extends, &normal(folder), &[], problems)
}

/// As [`extended`]; `above` are the folders of the packs that are being read, the first first.
fn find(
    document: &mut Document<'_>,
    extends: &Spanned<String>,
    folder: &Path,
    above: &[PathBuf],
    problems: &mut Vec<Problem>,
) -> Result<Option<Arc<Pack>>, LoadError> {
    let word = extends.get_ref();
    let workspace = Workspace::find(folder).unwrap_or_else(|_| Workspace::at(folder));
    if let Some(pack) = embedded(word, &workspace) {
        return Ok(Some(Arc::clone(pack)));
    }
    let mut refuse = |message: String, hint: String| {
        let kind = ProblemKind::UnknownDialect;
        document.report(kind, extends.span(), message, Some(hint));
        Ok(None)
    };
    let is_path = matches!(
        Path::new(word).components().next(),
        Some(Component::CurDir | Component::ParentDir)
    );
    let pack = if is_path {
        normal(&folder.join(word))
    } else {
        match folder_named(word, &workspace) {
            Some(pack) => pack,
            None => {
                let hint = Pack::hint(word, &workspace);
                return refuse(format!("unknown dialect `{word}`"), hint);
            }
        }
    };
    if !lies_within(&workspace, &pack) {
        let message = format!("the dialect pack `{word}`: {OUTSIDE}");
        return refuse(message, BRING_IN.to_owned());
    }
    if !pack.join(layout::PACK_FILE).is_file() {
        if pack.is_dir() {
            return refuse(
                format!("the dialect pack `{word}` has no `{}`", layout::PACK_FILE),
                "where it is a git submodule, `git submodule update --init` brings its files"
                    .to_owned(),
            );
        }
        return refuse(
            format!("there is no dialect pack `{word}`"),
            "a path begins in the folder of the file that names it".to_owned(),
        );
    }
    if above.contains(&pack) {
        let names = above
            .iter()
            .chain([&pack])
            .filter_map(|path| path.file_name());
        let names: Vec<_> = names.map(OsStr::to_string_lossy).collect();
        return refuse(
            format!("dialect packs extend each other: {}", names.join(" → ")),
            "let one of them extend `ansi`".to_owned(),
        );
    }
    if above.len() == DEEPEST {
        return refuse(
            format!("more than {DEEPEST} dialect packs extend each other"),
            "let this one extend `ansi`, or one nearer to it".to_owned(),
        );
    }
    read(&[above, &[pack]].concat(), problems)
}

/// Reads the pack in the last of these folders; those before it extend it.
fn read(folders: &[PathBuf], problems: &mut Vec<Problem>) -> Result<Option<Arc<Pack>>, LoadError> {
    let Some(folder) = folders.last() else {
        return Ok(None);
    };
    let before = problems.len();
    let path = folder.join(layout::PACK_FILE);
    let text = read_optional(&path)?.unwrap_or_default();
    let mut document = Document::new(&path, &text);
    let facts: Option<PackFile> = document.read();
    check_name(&mut document, folder);
    if let Some(facts) = &facts {
        check_facts(&mut document, facts);
    }
    let mut of_bases = Vec::new();
    let base = match facts.as_ref().and_then(|facts| facts.extends.as_ref()) {
        Some(extends) => find(&mut document, extends, folder, folders, &mut of_bases)?,
        None => None,
    };
    problems.extend(document.into_problems());
    problems.extend(of_bases);

    let mut files = vec![path];
    let own = read_own_templates(folder, problems)?;
    for file in &own {
        files.push(file.path.clone());
        for given in &file.given {
            let text = given.text.as_deref().unwrap_or_default();
            problems.extend(
                compile(given, text, &file.path, &file.text)
                    .err()
                    .map(|problem| *problem),
            );
        }
    }
    let mut scaffold_file = |name: &str| -> Result<Option<String>, LoadError> {
        let path = folder.join(name);
        let text = read_optional(&path)?;
        files.extend(text.is_some().then_some(path));
        Ok(text)
    };
    let connector = scaffold_file(layout::CONNECTOR_FILE)?;
    let credentials_schema = scaffold_file(layout::CREDENTIALS_SCHEMA_FILE)?;
    if let Some(text) = &connector {
        let mut document = Document::new(&folder.join(layout::CONNECTOR_FILE), text);
        let _: Option<ConnectorFile> = document.read();
        problems.extend(document.into_problems());
    }
    let credentials_schema = credentials_schema.unwrap_or_else(|| "{}\n".to_owned());
    let schema = serde_json::from_str::<Value>(&credentials_schema).unwrap_or_else(|error| {
        problems.push(Problem {
            kind: ProblemKind::Syntax,
            path: folder.join(layout::CREDENTIALS_SCHEMA_FILE),
            place: Some(Place::at(&credentials_schema, error.line(), error.column())),
            message: error.to_string(),
            hint: None,
        });
        Value::Null
    });
    let Some(facts) = facts.filter(|_| problems.len() == before) else {
        return Ok(None);
    };
    let name = folder.file_name().unwrap_or_default();
    Ok(Some(Arc::new(Pack {
        name: name.to_string_lossy().into_owned(),
        facts,
        scaffold: connector.map(|connector| ScaffoldFiles {
            connector: Some(Cow::Owned(connector)),
            credentials: Cow::Owned(placeholders(&schema)),
            credentials_schema: Cow::Owned(credentials_schema),
        }),
        base,
        given: given_by(own.into_iter().flat_map(|file| {
            let given = file.given.into_iter();
            given.map(move |given| (file.path.clone(), given))
        })),
        source: Source::Folder {
            dir: folder.clone(),
            files,
        },
    })))
}

/// The embedded pack of this name; none where a pack of the workspace has it as well, which is refused when it is read.
fn embedded(word: &str, workspace: &Workspace) -> Option<&'static Arc<Pack>> {
    let is_ours =
        folder_named(word, workspace).is_some_and(|dir| dir.join(layout::PACK_FILE).is_file());
    Pack::find(word).filter(|_| !is_ours)
}

/// The folder of this name among the workspace's packs, where it is there.
fn folder_named(word: &str, workspace: &Workspace) -> Option<PathBuf> {
    let mut parts = Path::new(word).components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return None;
    };
    let folder = workspace.root().join(layout::PACKS_DIR).join(name);
    folder.is_dir().then_some(folder)
}

/// A `credentials.json` with a placeholder for each value that a schema has.
fn placeholders(schema: &Value) -> String {
    let fields = schema["connect_args"]["schema"].as_object();
    let values = fields.into_iter().flatten().map(|(name, field)| {
        let value = match field["type"].as_str() {
            Some("integer" | "number" | "float") => json!(0),
            Some("boolean") => json!(false),
            Some("dict") => json!({}),
            Some("list") => json!([]),
            _ => json!(""),
        };
        (name.clone(), value)
    });
    let values: serde_json::Map<String, Value> = values.collect();
    format!("{:#}\n", json!({ "connect_args": values }))
}

/// Whether a folder is one of the workspace's, links followed.
fn lies_within(workspace: &Workspace, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    folder.starts_with(workspace.root()) && real(folder).starts_with(real(workspace.root()))
}

/// An absolute path without steps up.
fn normal(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
