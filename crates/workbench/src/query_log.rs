//! What a connector's database logged.

use bowline_contract::Template;
use bowline_driver::{Connection, Limits, SqlError, Surplus};
use bowline_report::UNREADABLE_LOG;
use bowline_template::TemplateValue;
use bowline_warehouse::Connector;
use bowline_warehouse::template::{Arguments, RenderError};
use bowline_words::{Diagnose, Diagnostic};
use jiff::civil::DateTime;

/// How many statements a page of the log is asked for.
const PAGE: usize = 1000;

/// A statement that was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The log's id for it.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum QueryLogError {
    /// The connector's template does not become a statement.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The database refuses the statement.
    #[error(transparent)]
    Statement(#[from] SqlError),
    /// The answer lacks a column.
    #[error("the query log has no column `{0}`")]
    Column(&'static str),
}

impl Diagnose for QueryLogError {
    fn diagnose(&self) -> Diagnostic {
        match self {
            Self::Render(error) => error.diagnose(),
            Self::Statement(error) if error.is_unreadable_text() => {
                error.diagnose().hint(UNREADABLE_LOG.to_owned())
            }
            Self::Statement(error) => error.diagnose(),
            Self::Column(_) => Diagnostic::of(self).hint(
                "`bowline test -m metadata` says what `get_query_logs_query` must give".to_owned(),
            ),
        }
    }
}

/// Reads the statements that were logged between two times of the database's, page by page, `most` at most.
///
/// # Errors
/// [`QueryLogError`].
pub fn query_log(
    connector: &Connector,
    connection: &mut dyn Connection,
    [start, end]: [DateTime; 2],
    most: usize,
) -> Result<Vec<Logged>, QueryLogError> {
    let template = Template::known("get_query_logs_query");
    let mut logged = Vec::new();
    while logged.len() < most {
        let limit = PAGE.min(most - logged.len());
        let whole =
            |number: usize| TemplateValue::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let arguments = Arguments {
            variables: vec![
                ("start_time", TemplateValue::DateTime(start)),
                ("end_time", TemplateValue::DateTime(end)),
                ("limit", whole(limit)),
                ("offset", whole(logged.len())),
            ],
            placeholders: Vec::new(),
        };
        let sql = connector.templates.render(template, &arguments)?;
        let limits = Limits {
            max_rows: limit,
            surplus: Surplus::Leave,
            ..Limits::default()
        };
        let result = connection.run(&sql, &limits)?;
        let column = |name| result.position(name).ok_or(QueryLogError::Column(name));
        let (id, text) = (column("query_id")?, column("query_text")?);
        let rows = result.rows.len();
        logged.extend(result.rows.into_iter().map(|row| {
            let word = |position: usize| {
                row.get(position)
                    .map(ToString::to_string)
                    .unwrap_or_default()
            };
            Logged {
                id: word(id),
                text: word(text),
            }
        }));
        if rows < limit {
            break;
        }
    }
    Ok(logged)
}
