//! What the methods of a warehouse connector take and give.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::WireValue;
use crate::reading::{many, one};

/// How many bytes the line of an answer may be longer than the rows in it may be.
pub const ANSWER_OVERHEAD: u64 = 1024 * 1024;

/// What `connect` takes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectParams {
    /// What stands under `connect_args` in credentials.json.
    pub credentials: Map<String, Json>,
}

impl std::fmt::Debug for ConnectParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.credentials.keys().collect();
        f.debug_struct("ConnectParams")
            .field("credentials", &names)
            .finish_non_exhaustive()
    }
}

/// What `connect` gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectResult {
    /// What is on the other end, as the server names itself, such as `DuckDB v1.5.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// What `query` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryParams {
    /// One statement.
    pub sql: String,
    /// The most rows wanted; a result with more fails with kind `too_large`.
    pub max_rows: u64,
    /// The most bytes the rows may take in the answer; a larger result fails with kind `too_large`.
    pub max_bytes: u64,
    /// How long the program waits, in milliseconds, before it ends the process.
    pub timeout_ms: u64,
}

/// What `query` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryResult {
    /// The columns; empty for a statement without a result set.
    #[serde(deserialize_with = "many")]
    pub columns: Vec<WireColumn>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<WireValue>>,
    /// How many rows the statement changed, where that is known.
    #[serde(default)]
    pub rows_affected: Option<u64>,
    /// What of the result could not be written as JSON as it came from the connector's own driver.
    #[serde(default, deserialize_with = "one")]
    pub not_json: NotJson,
}

/// What `query_together` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryTogetherParams {
    /// The statements, each for a thread of its own.
    pub statements: Vec<String>,
    /// How long the program waits, in milliseconds, before it ends the process.
    pub timeout_ms: u64,
}

/// What `query_together` gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryTogetherResult {
    /// What each thread saw, in the order of the statements.
    pub answers: Vec<ThreadAnswer>,
}

/// What one of several threads saw of its statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadAnswer {
    /// Its rows.
    Rows(Vec<Vec<WireValue>>),
    /// Why it has none, in words.
    Error(String),
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireColumn {
    /// The name exactly as the database gave it.
    pub name: String,
    /// The driver's word for its type; empty when there is none.
    #[serde(rename = "type", default)]
    pub type_name: String,
}

/// What the platform's agent could not have written as JSON, and why. Only connectors in Python have such things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJson {
    /// Why the rows cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Why the descriptions of the columns cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
}

/// What `execute` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecuteParams {
    /// One statement.
    pub sql: String,
    /// How long the program waits, in milliseconds, before it ends the process.
    pub timeout_ms: u64,
}

/// What `execute` gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecuteResult {
    /// How many rows the statement changed, where that is known.
    #[serde(default)]
    pub rows_affected: Option<u64>,
}

/// What `templates` gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplatesResult {
    /// The templates the connector has; one that is not here is not supported.
    pub templates: Vec<GivenText>,
    /// Where functional checks may create their table.
    #[serde(default)]
    pub functional_target: Option<FunctionalPlace>,
    /// What the suite writes into statements of its own; what is not here is as for most engines.
    #[serde(default, skip_serializing_if = "SuiteTexts::is_empty")]
    pub suite: SuiteTexts,
    /// Templates the connector has but could not give.
    #[serde(default)]
    pub problems: Vec<TemplateProblem>,
    /// Methods beside templates that the classes of a connector in Python have: a template's name may be misspelt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<OtherName>,
    /// The names of texts that a connector in Python uses itself: they may be helpers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_names: Vec<String>,
}

/// A method that is no template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherName {
    /// The class that has it.
    pub class: String,
    /// Its name.
    pub name: String,
    /// The line of the connector's file where it begins, from 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What the suite writes into statements of its own, for engines on which the usual words mean nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteTexts {
    /// A table that always has one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_row_table: Option<String>,
    /// A type for columns of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_type: Option<String>,
}

impl SuiteTexts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One template's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenText {
    /// The contract's method name, such as `get_avg_function_template`.
    pub name: String,
    /// The text as given.
    pub text: String,
    /// The class that has the method, for connectors in Python.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The line of the connector's file where the text begins, from 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Where functional checks may create their table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionalPlace {
    /// The database; none means the one the metadata queries name.
    #[serde(default)]
    pub database: Option<String>,
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// A template that could not be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateProblem {
    /// The method's name.
    pub name: String,
    /// What is wrong.
    pub message: String,
    /// The line of the connector's file, from 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}
