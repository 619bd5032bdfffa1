//! A workspace: where connectors live, which one a command means, and where its output goes.

use std::path::{Path, PathBuf};

use bowline_contract::layout::{self, CONNECTOR_VARIABLE};
use bowline_contract::{AssetClass, ConnectorName, NameProblem};
use bowline_words::nearest::hint_or;
use bowline_words::{Diagnose, Diagnostic, listed};

/// What stands in folders of connectors, finished or not.
const OF_CONNECTORS: [&str; 5] = [
    layout::CONNECTOR_FILE,
    layout::PYTHON_FILE,
    layout::MANIFEST_FILE,
    layout::TEMPLATES_FILE,
    layout::TEMPLATES_DIR,
];

/// A folder that holds connectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// A connector of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// What it connects to.
    pub class: AssetClass,
    /// Its name.
    pub name: ConnectorName,
    /// Its folder.
    pub dir: PathBuf,
}

/// Why a workspace cannot say which connector is meant.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The workspace has no connectors at all.
    #[error("no connectors: `{}` is empty or does not exist", .dir.display())]
    Empty {
        /// The folder looked in.
        dir: PathBuf,
        /// The command that makes one.
        make: &'static str,
    },
    /// Several connectors, and none named.
    #[error("which connector? there are several: {}", listed(.names))]
    Ambiguous {
        /// The names there are, sorted; with the folder in front where both folders have one of that name.
        names: Vec<String>,
    },
    /// The connector asked for is of the other kind.
    #[error("connector `{name}` is {}", what_it_is(*.class))]
    OtherClass {
        /// Its name.
        name: ConnectorName,
        /// What it connects to.
        class: AssetClass,
    },
    /// No connector has the name asked for.
    #[error("unknown connector: `{asked}`{}", told(*.from))]
    Unknown {
        /// The name, as asked.
        asked: String,
        /// Where the name came from.
        from: NameSource,
        /// The nearest name, or the list of them.
        hint: String,
    },
    /// The name asked for cannot name a connector.
    #[error("invalid connector name: `{asked}`{}: {reason}", told(*.from))]
    InvalidName {
        /// The name, as asked.
        asked: String,
        /// Where the name came from.
        from: NameSource,
        /// What is wrong with it.
        reason: NameProblem,
    },
    /// Two folders' names come to the same connector.
    #[error("two folders for one connector: `{}` and `{}`", .folders[0].display(), .folders[1].display())]
    SameName {
        /// The two folders.
        folders: [PathBuf; 2],
    },
    /// The folder could not be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Diagnose for WorkspaceError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Empty { make, .. } => Some(format!("make one with `{make}`")),
            Self::Ambiguous { .. } => Some(format!("name one, or set `{CONNECTOR_VARIABLE}`")),
            Self::OtherClass { name, class } => Some(instead(*class, name)),
            Self::Unknown { hint, .. } => Some(hint.clone()),
            Self::SameName { .. } => Some("rename one of them".to_owned()),
            Self::InvalidName { .. } | Self::Unreadable { .. } => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

/// Where a connector's name came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSource {
    /// The command line, or a caller.
    Argument,
    /// The environment variable `CONNECTOR`.
    Environment,
}

fn told(from: NameSource) -> &'static str {
    match from {
        NameSource::Argument => "",
        NameSource::Environment => " (from the environment variable `CONNECTOR`)",
    }
}

fn what_it_is(class: AssetClass) -> &'static str {
    match class {
        AssetClass::Warehouse => "a warehouse connector, which has no jobs and no runs",
        AssetClass::Pipeline => "a pipeline connector, which has no templates and runs no SQL",
    }
}

fn instead(class: AssetClass, name: &ConnectorName) -> String {
    match class {
        AssetClass::Warehouse => {
            format!("`bowline query -c {name} \"SELECT …\"` shows what its database holds")
        }
        AssetClass::Pipeline => format!("`bowline inspect {name}` shows what it gives"),
    }
}

impl Workspace {
    /// The workspace around a folder: the nearest one upward that holds `connectors/` or `etl_connectors/`, else the
    /// folder itself.
    ///
    /// # Errors
    /// When the folder's absolute path cannot be worked out.
    pub fn find(start: &Path) -> Result<Self, WorkspaceError> {
        let start = std::path::absolute(start).map_err(|source| WorkspaceError::Unreadable {
            path: start.to_path_buf(),
            source,
        })?;
        let root = start
            .ancestors()
            .find(|folder| {
                CLASSES
                    .iter()
                    .any(|class| folder.join(folder_of(*class)).is_dir())
            })
            .unwrap_or(&start);
        Ok(Self::at(root))
    }

    /// The workspace with this root, whatever is in it.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// Its root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where warehouse connectors live.
    #[must_use]
    pub fn connectors_dir(&self) -> PathBuf {
        self.dir_of(AssetClass::Warehouse)
    }

    /// Where connectors of a class live.
    #[must_use]
    pub fn dir_of(&self, class: AssetClass) -> PathBuf {
        self.root.join(folder_of(class))
    }

    /// Where `export` writes a connector's artifacts.
    #[must_use]
    pub fn output_dir(&self, name: &ConnectorName) -> PathBuf {
        self.root.join(layout::OUTPUT_DIR).join(name.as_str())
    }

    /// Where the program keeps what it may want again, such as the evidence of runs.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.root.join(STATE_DIR)
    }

    /// Where the schemas lie that the files of new connectors name, for editors.
    #[must_use]
    pub fn schemas_dir(&self) -> PathBuf {
        self.state_dir().join(SCHEMAS_DIR)
    }

    /// The connectors of a class, sorted by name.
    ///
    /// A folder whose name starts with `_` or `.` or cannot name a connector is none, nor is one that holds other things
    /// alone, such as tests.
    ///
    /// # Errors
    /// When the folder of connectors cannot be read, or two folders come to one name.
    pub fn connectors(&self, class: AssetClass) -> Result<Vec<Located>, WorkspaceError> {
        let mut found = self.folders(class)?;
        found.retain(|found| !holds_other_things(&found.dir));
        found.sort_by(|a, b| (&a.name, &a.dir).cmp(&(&b.name, &b.dir)));
        match found.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(WorkspaceError::SameName {
                folders: [pair[0].dir.clone(), pair[1].dir.clone()],
            }),
            None => Ok(found),
        }
    }

    /// The folders that can name a connector of a class, whatever they hold.
    fn folders(&self, class: AssetClass) -> Result<Vec<Located>, WorkspaceError> {
        let dir = self.dir_of(class);
        let unreadable = |source| WorkspaceError::Unreadable {
            path: dir.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let dir = entry.map_err(unreadable)?.path();
            let folder = dir.file_name().unwrap_or_default().to_string_lossy();
            let named = !folder.starts_with(['_', '.']) && dir.is_dir();
            if let Some(name) = named.then(|| ConnectorName::parse(&folder).ok()).flatten() {
                found.push(Located { class, name, dir });
            }
        }
        Ok(found)
    }

    /// The connector that is meant: the argument's, else `CONNECTOR`'s, else the only one. Where a class is wanted, only
    /// its connectors count.
    ///
    /// A name may have its folder in front, as in `etl_connectors/shop`.
    ///
    /// # Errors
    /// [`WorkspaceError`] when there is none, several, or none of that name.
    pub fn locate(
        &self,
        argument: Option<&str>,
        wanted: Option<AssetClass>,
    ) -> Result<Located, WorkspaceError> {
        let variable = std::env::var(CONNECTOR_VARIABLE).ok();
        self.locate_with(argument, variable.as_deref(), wanted)
    }

    /// As [`Workspace::locate`], with the environment variable's value given.
    ///
    /// # Errors
    /// As [`Workspace::locate`].
    pub fn locate_with(
        &self,
        argument: Option<&str>,
        variable: Option<&str>,
        wanted: Option<AssetClass>,
    ) -> Result<Located, WorkspaceError> {
        let mut all = Vec::new();
        for class in CLASSES {
            all.extend(self.connectors(class)?);
        }
        let fits = |found: &Located, class: Option<AssetClass>| {
            class.is_none_or(|class| found.class == class)
        };
        let asked = match (argument, variable.filter(|name| !name.trim().is_empty())) {
            (Some(name), _) => Some((name, NameSource::Argument)),
            (None, Some(name)) => Some((name, NameSource::Environment)),
            (None, None) => None,
        };
        let Some((asked, from)) = asked else {
            all.retain(|found| fits(found, wanted));
            return self.only(all, wanted);
        };
        let (folder, name) = split_folder(asked, &self.root);
        let name = ConnectorName::parse(name).map_err(|error| WorkspaceError::InvalidName {
            asked: asked.to_owned(),
            from,
            reason: error.problem,
        })?;
        // One that was named is told what it lacks.
        if all.iter().all(|found| found.name != name) {
            for class in CLASSES {
                let folders = self.folders(class)?.into_iter();
                all.extend(folders.filter(|found| found.name == name));
            }
        }
        let (named, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|found| fits(found, folder))
            .partition(|found| found.name == name);
        let (fitting, unfit): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|found| fits(found, wanted));
        match unfit.into_iter().next() {
            Some(unfit) if fitting.is_empty() => {
                return Err(WorkspaceError::OtherClass {
                    name: unfit.name,
                    class: unfit.class,
                });
            }
            _ if fitting.is_empty() && others.is_empty() => {
                return Err(self.empty(folder.or(wanted)));
            }
            _ if !fitting.is_empty() => return self.only(fitting, wanted),
            _ => {}
        }
        let names = others.iter().map(|found| found.name.as_str());
        Err(WorkspaceError::Unknown {
            asked: asked.to_owned(),
            from,
            hint: hint_or(name.as_str(), names.clone(), || {
                format!("there are {}", listed(names))
            }),
        })
    }

    /// The one connector that there is.
    fn only(
        &self,
        mut found: Vec<Located>,
        wanted: Option<AssetClass>,
    ) -> Result<Located, WorkspaceError> {
        match (found.pop(), found.len()) {
            (None, _) => Err(self.empty(wanted)),
            (Some(only), 0) => Ok(only),
            (Some(last), _) => {
                found.push(last);
                Err(WorkspaceError::Ambiguous {
                    names: told_apart(&found),
                })
            }
        }
    }

    fn empty(&self, wanted: Option<AssetClass>) -> WorkspaceError {
        let class = wanted.unwrap_or(AssetClass::Warehouse);
        WorkspaceError::Empty {
            dir: self.dir_of(class),
            make: match class {
                AssetClass::Warehouse => "bowline new",
                AssetClass::Pipeline => "bowline new --pipeline",
            },
        }
    }
}

const CLASSES: [AssetClass; 2] = [AssetClass::Warehouse, AssetClass::Pipeline];

/// Whether a folder holds files and none by which a connector is known.
fn holds_other_things(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return false;
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let is_known = |name: &std::ffi::OsString| {
        OF_CONNECTORS.iter().any(|known| name == *known)
            || name.to_str().is_some_and(layout::is_credentials_file)
    };
    !names.is_empty() && !names.iter().any(is_known)
}

const fn folder_of(class: AssetClass) -> &'static str {
    match class {
        AssetClass::Warehouse => layout::CONNECTORS_DIR,
        AssetClass::Pipeline => layout::ETL_CONNECTORS_DIR,
    }
}

/// A name as shells complete it, taken apart: with its folder in front, with the folders above that, with what ends a
/// folder's name.
fn split_folder<'a>(asked: &'a str, root: &Path) -> (Option<AssetClass>, &'a str) {
    let is_end = |letter| letter == '/' || letter == std::path::MAIN_SEPARATOR;
    let path = asked.strip_prefix("./").unwrap_or(asked);
    let mut parts = path.trim_end_matches(is_end).rsplitn(3, is_end);
    let name = parts.next().unwrap_or_default();
    let Some(folder) = parts.next() else {
        return (None, name);
    };
    // A connector of another workspace is none of this one, whatever it is called.
    let is_here = parts.next().is_none_or(|above| {
        let above = std::fs::canonicalize(root.join(format!("{above}/")));
        above.is_ok_and(|above| std::fs::canonicalize(root).is_ok_and(|root| root == above))
    });
    CLASSES
        .into_iter()
        .find(|class| is_here && folder_of(*class) == folder)
        .map_or((None, asked), |class| (Some(class), name))
}

/// The names of connectors, sorted, with the folder in front of those that two have.
fn told_apart(found: &[Located]) -> Vec<String> {
    let mut names: Vec<String> = found
        .iter()
        .map(|this| {
            let shared = found.iter().filter(|other| other.name == this.name).count() > 1;
            if shared {
                format!("{}/{}", folder_of(this.class), this.name)
            } else {
                this.name.to_string()
            }
        })
        .collect();
    names.sort();
    names
}

/// The folder for what the program keeps for itself.
pub(crate) const STATE_DIR: &str = ".bowline";
/// The folder in it for the schemas of files.
pub(crate) const SCHEMAS_DIR: &str = "schemas";

/// Where the program keeps what belongs to the connector in this folder: below the workspace's root, two folders up.
#[must_use]
pub fn state_of(dir: &Path) -> PathBuf {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let root = dir.parent().and_then(Path::parent).unwrap_or(&dir);
    root.join(STATE_DIR)
}

#[cfg(test)]
mod tests;
