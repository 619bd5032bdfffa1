//! A new warehouse connector: what it starts from, and its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_connector::{
    NewFile, NewFolder, ScaffoldError, Workspace, new_connection_type, rust_project,
};
use bowline_contract::layout::{
    CONNECTOR_FILE, CREDENTIALS_FILE, DOCKERFILE_EXTRA, MANIFEST_FILE, PYTHON_FILE,
    REQUIREMENTS_FILE, TEMPLATES_FILE,
};
use bowline_contract::{AssetClass, ConnectorName, SourceManifest};
use serde_json::{Map, Value};

use super::asked_driver::AskedDriver;
use super::conversion::Conversion;
use super::{python, texts};
use crate::connector::Connector;
use crate::dialect::{ANY_ENGINE, Pack, ScaffoldFiles};

const RUST_MAIN: &str = include_str!("rust/main.rs.txt");
const RUST_CONNECTOR: &str = include_str!("rust/connector.toml.txt");

/// What a new connector shall be.
#[derive(Debug, Clone)]
pub struct Scaffold {
    /// Its name.
    pub name: ConnectorName,
    /// What people call the connection.
    pub connection_name: String,
    /// The pack it starts from; only a connector in Python may have none.
    pub dialect: Option<Arc<Pack>>,
    start: Start,
    conversion: Option<Conversion>,
    credentials: Option<String>,
}

/// What the new connector's driver is.
#[derive(Debug, Clone)]
enum Start {
    /// One that a pack knows, with the pack's `connector.toml`.
    Pack(Arc<Pack>, ScaffoldFiles, String),
    /// One that no pack knows.
    Driver(AskedDriver),
    /// The connector's own code, in Python.
    Python,
    /// A program of its own, in Rust.
    Rust,
}

/// A connector just made.
#[derive(Debug)]
pub struct Scaffolded {
    /// The connector, loaded from what was written.
    pub connector: Connector,
    /// The files written, in the order to read them; a folder stands for what is copied into it.
    pub files: Vec<PathBuf>,
    /// The workspace's `.gitignore`, when it was made or extended.
    pub ignore_file: Option<PathBuf>,
}

impl Scaffold {
    /// Plans a connector from what was asked: a dialect brings its driver, a driver brings the dialect that knows it.
    ///
    /// # Errors
    /// `NeedsDialect` when neither is given, `NeedsDriver` when the dialect has none of its own.
    pub fn plan(
        name: ConnectorName,
        asked: Option<Arc<Pack>>,
        driver: Option<&AskedDriver>,
    ) -> Result<Self, ScaffoldError> {
        let knows_driver = driver.and_then(pack_of_driver);
        let (dialect, start) = match (asked, driver, knows_driver) {
            (asked, Some(_), Some(start)) => {
                let known = Arc::clone(&start.0);
                (Some(asked.unwrap_or(known)), Start::from(start))
            }
            (asked, Some(driver), None) => {
                (asked.or_else(any_engine), Start::Driver(driver.clone()))
            }
            (Some(pack), None, _) => match declared(&pack) {
                Some(start) => (Some(pack), start.into()),
                None => {
                    let dialect = pack.name.clone();
                    return Err(ScaffoldError::NeedsDriver { dialect });
                }
            },
            (None, None, _) => {
                return Err(ScaffoldError::NeedsDialect {
                    dialects: Pack::engines().map(|pack| pack.name.as_str()).collect(),
                });
            }
        };
        Ok(Self {
            connection_name: name.to_string(),
            name,
            dialect,
            start,
            conversion: None,
            credentials: None,
        })
    }

    /// Plans a connector in Python; with a dialect its templates are filled in, else each says not supported.
    #[must_use]
    pub fn in_python(name: ConnectorName, dialect: Option<Arc<Pack>>) -> Self {
        Self {
            connection_name: name.to_string(),
            name,
            dialect,
            start: Start::Python,
            conversion: None,
            credentials: None,
        }
    }

    /// Plans a connector whose driver is a program in Rust; without a dialect it extends the base for any engine.
    #[must_use]
    pub fn in_rust(name: ConnectorName, dialect: Option<Arc<Pack>>) -> Self {
        Self {
            connection_name: name.to_string(),
            name,
            dialect: dialect.or_else(any_engine),
            start: Start::Rust,
            conversion: None,
            credentials: None,
        }
    }

    /// Plans the same connector with the templates, the credentials and the functional checks' table of another,
    /// which has its templates from its own code.
    ///
    /// Of the credentials, those are taken over that the dialect's own connectors use; `renamed` pairs such a name
    /// with the one that the other connector has for it.
    #[must_use]
    pub fn converting(
        mut self,
        from: &Connector,
        connect_args: &Map<String, Value>,
        renamed: &[(String, String)],
    ) -> Self {
        self.connection_name
            .clone_from(&from.manifest.connection_name);
        self.conversion = Some(Conversion::of(from, connect_args, renamed));
        self
    }

    /// Plans the same connector with this `credentials.json`, and not one with places to fill in.
    #[must_use]
    pub fn with_credentials(mut self, text: Option<String>) -> Self {
        self.credentials = text;
        self
    }

    /// Writes the connector, then loads and validates what was written.
    ///
    /// Nothing is overwritten. On an error nothing of the connector is left; `.gitignore` may have been extended.
    ///
    /// # Errors
    /// [`ScaffoldError`].
    pub fn write(self, workspace: &Workspace) -> Result<Scaffolded, ScaffoldError> {
        self.draft(workspace)?.keep()
    }

    /// As [`Scaffold::write`], where no command finds it yet: it is gone again unless it is kept.
    ///
    /// # Errors
    /// [`ScaffoldError`].
    pub fn draft(self, workspace: &Workspace) -> Result<Draft, ScaffoldError> {
        let files = self.files_of_folder();
        let folder = NewFolder::write(workspace, AssetClass::Warehouse, &self.name, files)?;
        let connector = self.load(&folder.path())?;
        Ok(Draft {
            connector,
            scaffold: self,
            folder,
        })
    }

    /// Loads what was written. No packages are installed for that: a new connector's templates need none.
    fn load(&self, dir: &Path) -> Result<Connector, ScaffoldError> {
        Ok(match self.start {
            Start::Python => Connector::load_python_without_packages(&self.name, dir)?,
            Start::Pack(..) | Start::Driver(_) | Start::Rust => {
                Connector::load_named(&self.name, dir)?
            }
        })
    }

    fn files_of_folder(&self) -> Vec<NewFile> {
        let (mut files, known) = self.files();
        let known = known.as_ref();
        let mut credentials = known
            .map_or(texts::EMPTY_CREDENTIALS, |known| &known.credentials)
            .to_owned();
        if let Start::Driver(AskedDriver::Odbc(Some(source))) = &self.start {
            credentials = credentials.replacen("\"\"", &serde_json::json!(source).to_string(), 1);
        }
        if let Some(conversion) = &self.conversion {
            for (name, text) in &mut files {
                match name.as_str() {
                    CONNECTOR_FILE => *text = conversion.connector(text),
                    TEMPLATES_FILE => *text = conversion.templates(self.dialect.as_ref()),
                    _ => {}
                }
            }
            credentials = conversion.credentials(known);
        }
        if let Some(given) = &self.credentials {
            credentials.clone_from(given);
        }
        let manifest = SourceManifest {
            connection_type: new_connection_type(AssetClass::Warehouse),
            connection_name: self.connection_name.clone(),
            credentials_schema: Some(
                known
                    .and_then(|known| serde_json::from_str(&known.credentials_schema).ok())
                    .unwrap_or_default(),
            ),
            other: serde_json::Map::new(),
            advices: Vec::new(),
        };
        files.push((MANIFEST_FILE.to_owned(), manifest.to_json_string()));
        files.push((CREDENTIALS_FILE.to_owned(), credentials));
        files
    }

    /// The files that say what the connector does, and the pack's texts where they fit its driver.
    fn files(&self) -> (Vec<NewFile>, Option<ScaffoldFiles>) {
        let own_templates = || {
            let text = self.dialect.as_ref().map(texts::templates);
            let text = text.unwrap_or_default();
            (TEMPLATES_FILE.to_owned(), text)
        };
        match (&self.start, self.dialect.as_ref()) {
            (Start::Pack(pack, files, connector), dialect) => {
                let connector = texts::connector_of_pack(connector, pack, dialect.unwrap_or(pack));
                let files_written = vec![(CONNECTOR_FILE.to_owned(), connector), own_templates()];
                (files_written, Some(files.clone()))
            }
            (Start::Driver(driver), dialect) => {
                let dialect = dialect.map(|pack| &**pack);
                let connector = texts::connector(driver, dialect);
                let is_odbc = matches!(driver, AskedDriver::Odbc(_));
                (
                    vec![(CONNECTOR_FILE.to_owned(), connector), own_templates()],
                    is_odbc.then(|| texts::odbc(dialect)),
                )
            }
            (Start::Python, dialect) => {
                let files = python::files(self.name.as_str(), dialect);
                let written = vec![
                    (PYTHON_FILE.to_owned(), files.connector),
                    (REQUIREMENTS_FILE.to_owned(), files.requirements),
                    (DOCKERFILE_EXTRA.to_owned(), files.dockerfile_extra),
                ];
                (written, files.credentials)
            }
            (Start::Rust, dialect) => {
                let dialect = dialect.map_or(ANY_ENGINE, |pack| &pack.name);
                let mut written = rust_project(
                    RUST_CONNECTOR.replace("DIALECT", dialect),
                    RUST_MAIN,
                    self.name.as_str(),
                );
                written.push(own_templates());
                (written, None)
            }
        }
    }
}

/// A new connector that no command finds yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Draft {
    /// The connector, as it loads where it stands now.
    pub connector: Connector,
    scaffold: Scaffold,
    folder: NewFolder,
}

impl Draft {
    /// Puts the connector in its place, and loads it there.
    ///
    /// # Errors
    /// [`ScaffoldError`]; nothing is overwritten.
    pub fn keep(self) -> Result<Scaffolded, ScaffoldError> {
        let kept = self.folder.keep()?;
        Ok(Scaffolded {
            connector: self.scaffold.load(&kept.dir)?,
            files: kept.files,
            ignore_file: kept.ignore_file,
        })
    }
}

fn any_engine() -> Option<Arc<Pack>> {
    Pack::find(ANY_ENGINE).cloned()
}

/// A pack that brings a driver, its files and its `connector.toml`.
type Declared = (Arc<Pack>, ScaffoldFiles, String);

impl From<Declared> for Start {
    fn from((pack, files, connector): Declared) -> Self {
        Self::Pack(pack, files, connector)
    }
}

/// What a pack brings, where that is a driver.
fn declared(pack: &Arc<Pack>) -> Option<Declared> {
    let files = pack.scaffold.clone()?;
    let connector = files.connector.as_deref()?.to_owned();
    Some((Arc::clone(pack), files, connector))
}

/// The pack whose engine is reached by the driver of this name, with the driver in its `connector.toml`.
fn pack_of_driver(driver: &AskedDriver) -> Option<Declared> {
    let AskedDriver::Named(driver) = driver else {
        return None;
    };
    let (pack, files, connector) = Pack::all()
        .iter()
        .filter_map(declared)
        .find(|(pack, ..)| texts::is_reached_by(pack, driver))?;
    Some((pack, files, texts::reached_by(&connector, driver)))
}

/// The pack whose own `connector.toml` can name the driver.
#[must_use]
pub fn pack_with_driver(driver: &AskedDriver) -> Option<Arc<Pack>> {
    pack_of_driver(driver).map(|(pack, ..)| pack)
}
