//! `connector.toml`: which driver, how credentials become its options, which dialect it starts from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::template::SuiteWords;

/// The file `connector.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "connector.toml")]
pub struct ConnectorFile {
    /// The version of this file's format: always 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// How to reach the database.
    pub driver: DriverSection,
    /// Which templates the connector starts from.
    pub dialect: Option<DialectSection>,
    /// Where functional checks may create their table; without it they do not run.
    pub functional: Option<FunctionalSection>,
    /// What the suite writes into statements of its own, where the dialect does not say.
    #[serde(default)]
    pub suite: SuiteWords,
}

/// `[driver]`: how to reach the database.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriverSection {
    /// What sort of driver it is.
    #[schemars(with = "DriverKind")]
    pub kind: Spanned<String>,
    /// The driver's name, for drivers that are found by name.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// The driver's file, relative to the connector's folder; for drivers that are found by their place.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// The function that starts the driver, where it is not the usual one.
    #[schemars(with = "Option<String>")]
    pub entrypoint: Option<Spanned<String>>,
    /// The program that speaks the process protocol and its arguments, for `kind = "process"`. It runs in the workspace,
    /// where relative paths begin; what is not there and is in the connector's folder is found there. It is given the
    /// connect_args of credentials.json as they are.
    #[schemars(with = "Option<Vec<String>>")]
    pub command: Option<Spanned<Vec<String>>>,
    /// The driver's options: Jinja over the connect_args of credentials.json.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub options: BTreeMap<String, Spanned<String>>,
    /// Statements that every new connection runs first: Jinja over the connect_args of credentials.json.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub init: Vec<Spanned<String>>,
}

/// The sorts of driver a connector can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum DriverKind {
    /// A shared library that follows the ADBC standard.
    Adbc,
    /// A driver of the machine's ODBC driver manager.
    Odbc,
    /// A program of its own that speaks the process protocol.
    Process,
    /// PostgreSQL, through a client that is compiled into this program.
    Postgres,
    /// SQLite, compiled into this program.
    Sqlite,
}

impl DriverKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Adbc,
        Self::Odbc,
        Self::Process,
        Self::Postgres,
        Self::Sqlite,
    ];

    /// The word for it in `connector.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adbc => "adbc",
            Self::Odbc => "odbc",
            Self::Process => "process",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// `[dialect]`: which templates the connector starts from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DialectSection {
    /// The dialect pack whose templates the connector inherits: one that the program brings or of the workspace's `packs` by
    /// name, or a folder of the workspace, as `../../packs/other`.
    #[schemars(with = "String")]
    pub extends: Spanned<String>,
}

/// `[functional]`: where functional checks may create their table. Values are Jinja over the connect_args.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionalSection {
    /// The database, for engines that have several; left out, it is the one the metadata queries name.
    #[schemars(with = "Option<String>")]
    pub database: Option<Spanned<String>>,
    /// The schema.
    #[schemars(with = "String")]
    pub schema: Spanned<String>,
    /// The table: it is dropped, created and changed, so it must be nobody's.
    #[schemars(with = "String")]
    pub table: Spanned<String>,
}
