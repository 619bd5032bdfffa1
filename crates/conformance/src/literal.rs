//! Literal values and the rows they stand in.

use jiff::civil::{Date, DateTime};

/// A literal value of a data source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    /// A number, spelled as it goes into the statement.
    Number(String),
    Text(String),
    DateTime(DateTime),
    Date(Date),
    /// A ready piece of SQL.
    Sql(String),
}

/// The rows of a data source.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) values: Vec<Vec<Literal>>,
}

impl Rows {
    /// One row that nothing reads, for dialects that need a FROM.
    pub(crate) fn one() -> Self {
        Self {
            columns: vec!["val".to_owned()],
            values: vec![vec![Literal::Number("1".to_owned())]],
        }
    }
}
