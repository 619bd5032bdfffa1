//! The SQL of metrics over a table.

use bowline_contract::{Formula, Metric};
use bowline_query::{ExpressionError, Expressions, Rows};
use bowline_template::Value;

/// The number of rows of the table.
pub(crate) const ROWS: &str = "COUNT(*)";

/// A share of two aggregates, or one aggregate alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) whole: String,
    pub(crate) of: Option<String>,
}

/// The aggregates that a metric of a column takes.
pub(crate) fn parts(
    expressions: &Expressions,
    metric: &Metric,
    column: &str,
    now: i64,
) -> Result<Parts, ExpressionError> {
    let values = [
        ("column", Value::from(column)),
        ("now_seconds", Value::from(now)),
    ];
    let definition = metric.definition();
    Ok(Parts {
        whole: expressions.render_with(definition.aggregate(), &Rows::default(), values)?,
        of: match definition.formula {
            Formula::Aggregate(_) => None,
            Formula::ShareOfRows(_) => Some(ROWS.to_owned()),
            Formula::ShareOfValues(_) => Some(format!("COUNT({column})")),
        },
    })
}
