//! The folder of a new connector: all of it or nothing, and never over something that is there.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use bowline_contract::layout::{CONNECTOR_FILE, CREDENTIALS_FILE, TEMPLATES_FILE};
use bowline_contract::{AssetClass, ConnectionType, ConnectorName};

use super::{ScaffoldError, ignore, rust};
use crate::workspace::{SCHEMAS_DIR, STATE_DIR, Workspace};

/// One file of a new connector: where in its folder, and its text.
pub type NewFile = (String, String);

/// The folder of a new connector, where no command finds it yet. Dropped, it is gone.
#[derive(Debug)]
pub struct NewFolder {
    folder: tempfile::TempDir,
    dir: PathBuf,
    written: Vec<String>,
    ignore_file: Option<PathBuf>,
}

/// The folder of a new connector in its place.
#[derive(Debug)]
pub struct KeptFolder {
    /// Where it is.
    pub dir: PathBuf,
    /// The files written, in the order to read them; a folder stands for what is copied into it.
    pub files: Vec<PathBuf>,
    /// The workspace's `.gitignore`, when it was made or extended.
    pub ignore_file: Option<PathBuf>,
}

impl NewFolder {
    /// Writes the files of a connector, and sees to it that git ignores its credentials.
    ///
    /// On an error nothing of the connector is left; `.gitignore` may have been extended.
    ///
    /// # Errors
    /// `Exists` when there is a connector of that name, whatever it connects to; `Workspace`, `Write`.
    pub fn write(
        workspace: &Workspace,
        class: AssetClass,
        name: &ConnectorName,
        files: Vec<NewFile>,
    ) -> Result<Self, ScaffoldError> {
        let parent = workspace.dir_of(class);
        let dir = parent.join(name.as_str());
        let mut others = workspace.connectors(AssetClass::Warehouse)?;
        others.extend(workspace.connectors(AssetClass::Pipeline)?);
        let taken = others
            .into_iter()
            .find(|found| found.name == *name)
            .map(|found| found.dir)
            .or_else(|| dir.symlink_metadata().is_ok().then(|| dir.clone()));
        if let Some(dir) = taken {
            return Err(ScaffoldError::Exists { dir: dir.clone() });
        }
        let ignore_file = ignore::extend(workspace.root())?;
        std::fs::create_dir_all(&parent).map_err(|source| failed(&parent, source))?;
        let outer = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&parent)
            .map_err(|source| failed(&parent, source))?;
        let inner = outer.path().join(name.as_str());
        std::fs::create_dir(&inner).map_err(|source| failed(&inner, source))?;
        for (file, text) in &files {
            let path = inner.join(file);
            let parent = path.parent().unwrap_or(&inner);
            // What comes from a pack of a workspace names its schema already.
            let schema = schema_of(class, file).filter(|_| !text.starts_with(SCHEMA));
            let text = schema.map_or_else(String::new, schema_line) + text;
            std::fs::create_dir_all(parent)
                .and_then(|()| write_new(&path, &text, *file == CREDENTIALS_FILE))
                .map_err(|source| failed(&path, source))?;
        }
        let copied = format!("{}/", rust::VENDOR);
        let (copies, mut written): (Vec<_>, Vec<_>) = files
            .into_iter()
            .map(|(name, _)| name)
            .partition(|name| name.starts_with(&copied));
        written.extend((!copies.is_empty()).then_some(copied));
        Ok(Self {
            folder: outer,
            dir,
            written,
            ignore_file,
        })
    }

    /// Where its files stand now, in a folder of the connector's name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder
            .path()
            .join(self.dir.file_name().unwrap_or_default())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// `Write`.
    pub fn keep(self) -> Result<KeptFolder, ScaffoldError> {
        let Self {
            dir,
            written,
            ignore_file,
            ..
        } = &self;
        std::fs::rename(self.path(), dir).map_err(|source| failed(dir, source))?;
        Ok(KeptFolder {
            dir: dir.clone(),
            files: written.iter().map(|file| dir.join(file)).collect(),
            ignore_file: ignore_file.clone(),
        })
    }
}

/// The schema that a file follows, where files of that name have one and take comments.
fn schema_of(class: AssetClass, file: &str) -> Option<&'static str> {
    match (file, class) {
        (TEMPLATES_FILE, _) => Some("templates"),
        (CONNECTOR_FILE, AssetClass::Warehouse) => Some("connector"),
        (CONNECTOR_FILE, AssetClass::Pipeline) => Some("pipeline-connector"),
        _ => None,
    }
}

/// How a line begins that tells editors which schema a file follows.
const SCHEMA: &str = "#:schema";

/// The line that tells editors which schema a file follows that lies two folders below the workspace's.
#[must_use]
pub fn schema_line(schema: &str) -> String {
    format!("{SCHEMA} ../../{STATE_DIR}/{SCHEMAS_DIR}/{schema}.schema.json\n")
}

/// A connection type that no other connector has.
///
/// Seeds of the standard library's hash maps are random; a connection type needs no better source.
#[must_use]
pub fn new_connection_type(class: AssetClass) -> ConnectionType {
    let [a, b, c, d, ..] = RandomState::new()
        .hash_one(std::process::id())
        .to_be_bytes();
    ConnectionType::generate_for(class, [a, b, c, d])
}

fn failed(path: &Path, source: std::io::Error) -> ScaffoldError {
    ScaffoldError::Write {
        path: path.to_path_buf(),
        source,
    }
}

/// Writes a file that must not exist; a secret one so that only its owner reads it.
fn write_new(path: &Path, text: &str, secret: bool) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    options.open(path)?.write_all(text.as_bytes())
}
