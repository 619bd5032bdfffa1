//! Literal values and the rows they stand in.

use jiff::civil::{Date, DateTime};

/// A literal value of a data source.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// NULL.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number, spelled as it goes into the statement.
    Number(String),
    /// Text, as it is: quotes and escapes are the templates' affair.
    Text(String),
    /// A timestamp without a zone.
    DateTime(DateTime),
    /// A calendar date.
    Date(Date),
    /// A ready piece of SQL.
    Sql(String),
}

/// The rows of a data source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub values: Vec<Vec<Literal>>,
}
