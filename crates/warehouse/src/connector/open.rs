//! From a connector and its credentials to an opened database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bowline_connector::{Credentials, ExpressionError};
use bowline_driver::{
    Database, DriverKind, DriverSpec, Limits, ObservedDatabase, OpeningDatabase, OpeningStatement,
    SqlError, SqlErrorKind,
};
use bowline_words::{Diagnose, Diagnostic, nearest};
use serde_json::Value;
use toml::Spanned;

use super::{Connector, Functional};
use crate::dialect::Pack;
use bowline_connector::Workspace;

/// The longest a connector's own process may take to log in: it may have to load a large driver first.
const PROCESS_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a connector's database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A value of `connector.toml` could not be worked out from the credentials.
    #[error("cannot work out {what} of connector `{connector}`: {error}")]
    Expression {
        /// The connector's name.
        connector: String,
        /// Which value, such as ``driver option `uri` ``.
        what: String,
        /// What went wrong.
        error: ExpressionError,
    },
    /// The options of `[driver.options]` are not the driver's.
    #[error("cannot use the driver options of connector `{connector}`")]
    Options {
        /// The connector's name.
        connector: String,
        /// What is the matter with them.
        source: SqlError,
    },
    /// The driver refused.
    #[error(transparent)]
    Sql(SqlError),
}

impl Diagnose for OpenError {
    fn diagnose(&self) -> Diagnostic {
        match self {
            Self::Expression { error, .. } => Diagnostic::of(self).because_of(error),
            Self::Options { source, .. } => Diagnostic::of(self).because_of(source),
            Self::Sql(error) => error.diagnose(),
        }
    }
}

/// Where functional checks may create their table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionalTarget {
    /// The database; none means the one the metadata queries name.
    pub database: Option<String>,
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// A database file that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// The file, as the credentials name it.
    pub path: String,
    /// The name of one beside it that is there.
    pub near: String,
}

impl Connector {
    /// Opens the connector's database. Relative paths in the driver's options begin in the workspace's folder. Connections come from the result; each runs the `init` statements first, within the limits.
    ///
    /// # Errors
    /// [`OpenError::Expression`] when a credential is missing, [`OpenError::Options`] when the driver has no such option,
    /// [`OpenError::Sql`] when it refuses.
    pub fn open(
        &self,
        credentials: &Credentials,
        limits: &Limits,
    ) -> Result<Arc<dyn Database>, OpenError> {
        let mut spec = DriverSpec::new(self.driver.kind.clone());
        spec.redactor = credentials.redactor().clone();
        spec.directory = self.workspace_dir();
        if let DriverKind::Process(_) = &spec.kind {
            spec.connect_args = credentials.connect_args().clone();
            spec.connect_timeout = PROCESS_CONNECT_TIMEOUT;
        }
        for (option, expression) in &self.driver.options {
            let what = || format!("driver option `{option}`");
            let value = self.evaluate(credentials, expression, what)?;
            spec.options.insert(option.clone(), value);
        }
        if let Some(path) = self.placeholder_path(&spec) {
            let error = SqlError::new(SqlErrorKind::Connection, format!("no such file: `{path}`"));
            return Err(OpenError::Sql(error.hint(
                "credentials.json still has the path that `bowline new` wrote: name your database there; under any other \
                 name the driver makes an empty one"
                    .to_owned(),
            )));
        }
        let mut init = Vec::new();
        for (number, expression) in self.driver.init.iter().enumerate() {
            let what = || format!("`init` statement {}", number + 1);
            init.push(OpeningStatement {
                sql: self.evaluate(credentials, expression, what)?,
                name: format!("{} of connector.toml", what()),
            });
        }
        let mut database = bowline_driver::open(&spec).map_err(|source| match spec.kind {
            // What is compiled in cannot be missing: it is the options that are refused.
            DriverKind::Sqlite | DriverKind::Postgres if source.kind == SqlErrorKind::Driver => {
                let connector = self.name.to_string();
                OpenError::Options { connector, source }
            }
            _ => OpenError::Sql(source),
        })?;
        if let Some(observer) = &self.observer {
            database = Arc::new(ObservedDatabase::new(database, observer.clone()));
        }
        Ok(if init.is_empty() {
            database
        } else {
            Arc::new(OpeningDatabase::new(database, init, limits.clone()))
        })
    }

    /// Which database is asked and how it is reached, as far as the connector's files and the credentials say; secrets are
    /// masked. None where the connector's own code does it, of which its files do not tell all.
    #[must_use]
    pub fn way(&self, credentials: &Credentials) -> Option<String> {
        if let DriverKind::Process(_) = &self.driver.kind {
            return None;
        }
        let mut way = format!("{:?}\n", self.driver.kind);
        for (option, expression) in &self.driver.options {
            way.push_str(&format!("{option} = {:?}\n", expression.get_ref()));
        }
        for expression in &self.driver.init {
            way.push_str(&format!("{:?}\n", expression.get_ref()));
        }
        let given = Value::Object(credentials.connect_args().clone()).to_string();
        way.push_str(&credentials.redactor().redact(&given));
        Some(way)
    }

    /// The path of a file that is not there, where it is the one that a dialect pack writes to be replaced: a driver
    /// would make it, and find nothing in it.
    fn placeholder_path(&self, spec: &DriverSpec) -> Option<String> {
        let path = spec.options.get("path")?;
        let is_placeholder = Pack::engines().any(|pack| {
            let written = pack.scaffold.as_ref();
            let written =
                written.and_then(|files| serde_json::from_str::<Value>(&files.credentials).ok());
            written.is_some_and(|written| written["connect_args"]["path"] == path.as_str())
        });
        let is_there = || spec.directory.join(path).exists();
        (is_placeholder && !is_there()).then(|| path.clone())
    }

    /// The file of the database where there is none, and one beside it has nearly its name: a driver makes the one that
    /// is asked for, with nothing in it.
    ///
    /// # Errors
    /// [`OpenError::Expression`] when a credential is missing.
    pub fn missing_file(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<MissingFile>, OpenError> {
        let Some(expression) = self.driver.options.get("path") else {
            return Ok(None);
        };
        let path = self.evaluate(credentials, expression, || {
            "driver option `path`".to_owned()
        })?;
        // What has a colon is a place in memory or in a service, or a URI.
        let is_file = !path.is_empty() && !path.contains(':');
        let file = self.workspace_dir().join(&path);
        if !is_file || file.exists() {
            return Ok(None);
        }
        let names: Vec<String> = file
            .parent()
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let name = file.file_name().and_then(|name| name.to_str());
        let near = nearest(name.unwrap_or_default(), names.iter().map(String::as_str));
        Ok(near.map(|near| MissingFile {
            near: near.to_owned(),
            path,
        }))
    }

    /// Where functional checks may create their table; none when the connector does not say.
    ///
    /// # Errors
    /// [`OpenError::Expression`] when a credential is missing.
    pub fn functional_target(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<FunctionalTarget>, OpenError> {
        let section = match &self.functional {
            None => return Ok(None),
            Some(Functional::Given(target)) => return Ok(Some(target.clone())),
            Some(Functional::Declared(section)) => section,
        };
        let value = |key: &str, expression| {
            self.evaluate(credentials, expression, || {
                format!("`{key}` in `[functional]`")
            })
        };
        Ok(Some(FunctionalTarget {
            database: section
                .database
                .as_ref()
                .map(|expression| value("database", expression))
                .transpose()?,
            schema: value("schema", &section.schema)?,
            table: value("table", &section.table)?,
        }))
    }

    /// The folder of the workspace, in which relative paths begin wherever in it somebody is.
    fn workspace_dir(&self) -> PathBuf {
        Workspace::find(&self.dir).map_or_else(
            |_| self.dir.clone(),
            |workspace| workspace.root().to_path_buf(),
        )
    }

    fn evaluate(
        &self,
        credentials: &Credentials,
        expression: &Spanned<String>,
        what: impl Fn() -> String,
    ) -> Result<String, OpenError> {
        credentials
            .evaluate(expression.get_ref())
            .map_err(|error| OpenError::Expression {
                connector: self.name.to_string(),
                what: what(),
                error,
            })
    }
}
