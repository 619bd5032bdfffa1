//! The section `connection`: rows and column descriptions come back and survive JSON.

use bowline_driver::ResultSet;

use crate::warehouse::answers::Answers;
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::expect::describe;
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};

const SELECT: &str = "SELECT 1 AS test_col";

pub(crate) const QUERY: Spec = Spec::new("query", "a query gives a row", &[], &[]);
pub(crate) const ROWS: Spec = Spec::new("rows_as_json", "rows survive JSON", &[], &[]);
pub(crate) const DESCRIPTION: Spec = Spec::new(
    "description_as_json",
    "column descriptions survive JSON",
    &[],
    &[],
);

/// Runs the chain. That there is a connection at all is the session's doing.
pub(crate) fn connection(mut chain: Chain<'_>) -> Vec<Finding> {
    let result = chain.check(&QUERY, |asking| asking.run(None, SELECT), some_row);
    let Some(result) = result else {
        chain.not_reached(&ROWS, &QUERY);
        chain.not_reached(&DESCRIPTION, &QUERY);
        return chain.finish();
    };
    // Drivers of ours give what JSON can hold; a connector in Python may not, and says so.
    chain.check_known(&ROWS, as_json("rows", result.not_json.rows.as_ref()));
    chain.check_known(&DESCRIPTION, described(&result));
    chain.finish()
}

fn some_row(answers: &Answers) -> Judged<ResultSet> {
    answers.read(|result| {
        if result.rows.is_empty() {
            Err(wrong("at least one row", describe(result)))
        } else {
            Ok(result.clone())
        }
    })
}

fn described(result: &ResultSet) -> Judged<()> {
    as_json("column descriptions", result.not_json.columns.as_ref())?;
    match result.columns.iter().find(|column| column.name.is_empty()) {
        None if !result.columns.is_empty() => Ok(()),
        None => Err(wrong("a description of each column", "none")),
        Some(_) => Err(wrong("a name for each column", "a column without a name")),
    }
}

fn as_json(what: &str, refusal: Option<&String>) -> Judged<()> {
    match refusal {
        None => Ok(()),
        Some(reason) => Err(wrong(
            format!("{what} that can be written as JSON"),
            reason.as_str(),
        )),
    }
}
