//! A workspace: where connectors live, which one a command means, and where its output goes.

use std::path::{Path, PathBuf};

use bowline_contract::layout::{self, CONNECTOR_VARIABLE};
use bowline_contract::{ConnectorName, NameProblem};

use crate::folder::shown;

/// A folder that holds connectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// Why a workspace cannot say which connector is meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The workspace has no connectors at all.
    #[error("no connectors: `{}` is empty or does not exist\nhint: make one with `bowline new`", .dir.display())]
    Empty {
        /// The folder looked in.
        dir: PathBuf,
    },
    /// Several connectors, and none named.
    #[error("which connector? there are several: {}\nhint: name one, or set `{CONNECTOR_VARIABLE}`", quoted(.names))]
    Ambiguous {
        /// The names there are, sorted.
        names: Vec<ConnectorName>,
    },
    /// No connector has the name asked for.
    #[error("unknown connector: `{asked}`{}\nhint: {hint}", told(*.from))]
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
    #[error("two folders for one connector: `{}` and `{}`\nhint: rename one of them", .folders[0].display(), .folders[1].display())]
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

fn quoted(names: &[ConnectorName]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl Workspace {
    /// The workspace around a folder: the nearest one upward that holds `connectors/`, else the folder itself.
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
            .find(|folder| folder.join(layout::CONNECTORS_DIR).is_dir())
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

    /// Where connectors live.
    #[must_use]
    pub fn connectors_dir(&self) -> PathBuf {
        self.root.join(layout::CONNECTORS_DIR)
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

    /// The connectors there are, by name, with their folders; sorted by name.
    ///
    /// A folder whose name starts with `_` or `.` or cannot name a connector is none.
    ///
    /// # Errors
    /// When the folder of connectors cannot be read, or two folders come to one name.
    pub fn connectors(&self) -> Result<Vec<(ConnectorName, PathBuf)>, WorkspaceError> {
        let dir = self.connectors_dir();
        let unreadable = |source| WorkspaceError::Unreadable {
            path: shown(&dir),
            source,
        };
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut found: Vec<(ConnectorName, PathBuf)> = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let folder = path.file_name().unwrap_or_default().to_string_lossy();
            let named = !folder.starts_with(['_', '.']) && path.is_dir();
            if let Some(name) = named.then(|| ConnectorName::parse(&folder).ok()).flatten() {
                found.push((name, path));
            }
        }
        found.sort();
        match found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(WorkspaceError::SameName {
                folders: [shown(&pair[0].1), shown(&pair[1].1)],
            }),
            None => Ok(found),
        }
    }

    /// The folder of the connector that is meant: the argument's, else `CONNECTOR`'s, else the only one.
    ///
    /// # Errors
    /// [`WorkspaceError`] when there is none, several, or none of that name.
    pub fn resolve(&self, argument: Option<&str>) -> Result<PathBuf, WorkspaceError> {
        let variable = std::env::var(CONNECTOR_VARIABLE).ok();
        self.resolve_with(argument, variable.as_deref())
    }

    /// As [`Workspace::resolve`], with the environment variable's value given.
    ///
    /// # Errors
    /// As [`Workspace::resolve`].
    pub fn resolve_with(
        &self,
        argument: Option<&str>,
        variable: Option<&str>,
    ) -> Result<PathBuf, WorkspaceError> {
        let connectors = self.connectors()?;
        let asked = match (argument, variable.filter(|name| !name.trim().is_empty())) {
            (Some(name), _) => Some((name, NameSource::Argument)),
            (None, Some(name)) => Some((name, NameSource::Environment)),
            (None, None) => None,
        };
        let Some((asked, from)) = asked else {
            return match connectors.as_slice() {
                [] => Err(self.empty()),
                [(_, dir)] => Ok(dir.clone()),
                many => Err(WorkspaceError::Ambiguous {
                    names: many.iter().map(|(name, _)| name.clone()).collect(),
                }),
            };
        };
        let name = ConnectorName::parse(asked).map_err(|error| WorkspaceError::InvalidName {
            asked: asked.to_owned(),
            from,
            reason: error.problem,
        })?;
        if let Some((_, dir)) = connectors.iter().find(|(found, _)| *found == name) {
            return Ok(dir.clone());
        }
        if connectors.is_empty() {
            return Err(self.empty());
        }
        let names = connectors.iter().map(|(name, _)| name.as_str());
        Err(WorkspaceError::Unknown {
            asked: asked.to_owned(),
            from,
            hint: match bowline_contract::nearest(name.as_str(), names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", crate::folder::listed(names)),
            },
        })
    }

    fn empty(&self) -> WorkspaceError {
        WorkspaceError::Empty {
            dir: shown(&self.connectors_dir()),
        }
    }
}

/// The folder for what the program keeps for itself.
pub(crate) const STATE_DIR: &str = ".bowline";

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(connectors: &[&str]) -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        for name in connectors {
            std::fs::create_dir_all(dir.path().join("connectors").join(name)).unwrap();
        }
        let workspace = Workspace::at(dir.path());
        (dir, workspace)
    }

    fn resolved(
        connectors: &[&str],
        argument: Option<&str>,
        variable: Option<&str>,
    ) -> Result<String, String> {
        let (dir, workspace) = workspace(connectors);
        match workspace.resolve_with(argument, variable) {
            Ok(found) => Ok(found.file_name().unwrap().to_string_lossy().into_owned()),
            Err(error) => Err(error
                .to_string()
                .replace(&dir.path().display().to_string(), "<root>")),
        }
    }

    #[test]
    fn the_only_connector_needs_no_name() {
        assert_eq!(
            resolved(&["shop", "_draft", ".git"], None, None),
            Ok("shop".into())
        );
        assert_eq!(resolved(&["shop"], None, Some(" ")), Ok("shop".into()));
    }

    #[test]
    fn the_argument_wins_over_the_environment() {
        let both = ["shop", "till"];
        assert_eq!(
            resolved(&both, Some("shop"), Some("till")),
            Ok("shop".into())
        );
        assert_eq!(resolved(&both, None, Some("till")), Ok("till".into()));
    }

    #[test]
    fn names_are_compared_as_connectors_are_named() {
        assert_eq!(
            resolved(&["My-Shop", "till"], Some("my shop"), None),
            Ok("My-Shop".into())
        );
    }

    #[test]
    fn several_are_listed() {
        assert_eq!(
            resolved(&["till", "shop"], None, None),
            Err("which connector? there are several: `shop`, `till`\nhint: name one, or set `CONNECTOR`".into())
        );
    }

    #[test]
    fn an_unknown_name_offers_the_nearest_and_says_where_it_came_from() {
        assert_eq!(
            resolved(&["shop", "till"], Some("shpo"), None),
            Err("unknown connector: `shpo`\nhint: did you mean `shop`?".into())
        );
        assert_eq!(
            resolved(&["shop", "till"], None, Some("warehouse")),
            Err("unknown connector: `warehouse` (from the environment variable `CONNECTOR`)\nhint: there are `shop`, `till`".into())
        );
    }

    #[test]
    fn an_empty_workspace_says_how_to_begin() {
        assert_eq!(
            resolved(&[], Some("shop"), None),
            Err("no connectors: `<root>/connectors` is empty or does not exist\nhint: make one with `bowline new`".into())
        );
    }

    #[test]
    fn two_folders_of_one_name_are_refused() {
        let error = resolved(&["my-shop", "my_shop"], None, None).unwrap_err();
        assert!(
            error.starts_with("two folders for one connector:"),
            "{error}"
        );
    }

    #[test]
    fn the_root_is_found_upward() {
        let (dir, workspace) = workspace(&["shop"]);
        let deep = dir.path().join("connectors/shop/templates");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(Workspace::find(&deep).unwrap(), workspace);
        let bare = tempfile::tempdir().unwrap();
        assert_eq!(Workspace::find(bare.path()).unwrap().root(), bare.path());
    }
}
