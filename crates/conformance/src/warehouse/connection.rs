//! The section `connection`: rows and column descriptions come back and survive JSON, whichever thread asks.

use bowline_driver::{ResultSet, SqlError, SqlErrorKind, ThreadRows, Value};

use crate::Tier;
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::expect::describe;
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::outcome::{Outcome, Proof};

/// How many threads ask at once.
const THREADS: i64 = 4;

/// What values of types are made with, where a driver may make objects of them that JSON does not have. No database
/// knows all of these: what it refuses, it does not make.
const VALUES_OF_TYPES: [&str; 9] = [
    NUMBERS[0],
    NUMBERS[1],
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "CAST('2024-02-29 12:30:00' AS TIMESTAMP)",
    "CAST('14:30:00' AS TIME)",
    "INTERVAL '1' DAY",
    "CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS UUID)",
    "ARRAY[1.5, 2.5]",
];

/// The number 1.5, of the types that drivers make different objects of.
const NUMBERS: [&str; 2] = ["CAST(1.5 AS DECIMAL(10, 2))", "CAST(1.5 AS FLOAT)"];

/// The same for bytes, which no template asks for: an advice.
const BYTES: [&str; 3] = ["X'00AB'", "CAST('ab' AS BYTEA)", "CAST('ab' AS BLOB)"];

pub(crate) const QUERY: Spec = Spec::new("query", "a query gives a row", &[], &[]);
pub(crate) const ROWS: Spec = Spec::new("rows_as_json", "rows survive JSON", &[], &[]);
pub(crate) const DESCRIPTION: Spec = Spec::new(
    "description_as_json",
    "column descriptions survive JSON",
    &[],
    &[],
);
/// Asked of connectors whose own code makes the rows.
pub(crate) const VALUES: Spec = Spec::new(
    "values_as_json",
    "values of every type that the database makes survive JSON, and numbers are what they were",
    &[],
    &[],
)
.strict();

/// Asked of the same connectors.
pub(crate) const PERCENT: Spec = Spec::new(
    "percent_signs",
    "percent signs reach the database as they are",
    &[],
    &[],
);

/// A text that formatting with parameters changes or refuses.
const WITH_PERCENT: &str = "100% of %s, %d and %(name)s";

/// What some drivers make one of, also where they are given no parameters.
const DOUBLED: &str = "a%%b";

/// A statement of one row and one column.
fn select(value: impl std::fmt::Display, one_row: &str) -> String {
    format!("SELECT {value} AS test_col{one_row}")
}

/// What joins the rows of two statements.
const UNION: &str = " UNION ALL ";

/// A number, and a NULL of its type: what makes columns of rows may have no NULL among numbers.
fn beside_null(number: &str, one_row: &str) -> String {
    let null = number.replace("1.5", "NULL");
    select(number, one_row) + UNION + &select(null, one_row)
}

/// Runs the chain. That there is a connection at all is the session's doing.
pub(crate) fn connection(mut chain: Chain<'_>, tier: Tier) -> Vec<Finding> {
    let mut one_row = String::new();
    let ask = |asking: &mut Asking<'_>| {
        one_row = asking.one_row_clause()?;
        match asking.run(None, &select(1, &one_row)) {
            // Judged by the step that holds it: that the connector's own code fails is its fault, not open.
            Err(Halt::Failed(error)) if error.kind == SqlErrorKind::Driver => Ok(()),
            asked => asked.map(|_| ()),
        }
    };
    let Some(result) = chain.check(&QUERY, ask, some_row) else {
        chain.not_reached(&ROWS, &QUERY);
        chain.not_reached(&DESCRIPTION, &QUERY);
        return chain.finish();
    };
    // Drivers of ours give what JSON can hold; a connector in Python may not, and says so.
    chain.check_known(&ROWS, as_json("rows", result.not_json.rows.as_ref()));
    chain.check_known(&DESCRIPTION, described(&result));
    let statements: Vec<String> = (1..=THREADS)
        .map(|number| select(number, &one_row))
        .collect();
    if let Some(seen) = chain.session.ask_together(&statements) {
        if let Err(words) = judge_threads(&seen) {
            chain.advise(&QUERY, words);
        }
        percent_signs(&mut chain, &one_row);
        // Rows that are none of JSON's whatever is in them are told once.
        if tier >= VALUES.tier() && result.not_json.rows.is_none() {
            values(&mut chain, &one_row);
        }
    }
    chain.finish()
}

fn some_row(answers: &Answers) -> Judged<ResultSet> {
    let failed = answers.steps.last().map(|step| &step.answer.result);
    if let Some(Err(error)) = failed {
        return Err(wrong("a row", error.text()));
    }
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
            format!(
                "{what} that can be written as JSON, which the class `Cursor` of `bowline new --lang python` makes"
            ),
            reason.as_str(),
        )),
    }
}

/// What threads that ask at once saw, each of its statement.
type Seen = Result<Vec<ThreadRows>, SqlError>;

/// Whether every thread saw its own result; else what is the matter, in words.
fn judge_threads(seen: &Seen) -> Result<(), String> {
    let threads = match seen {
        Ok(threads) => threads,
        Err(error) => return Err(not_for_threads(&error.message)),
    };
    for (number, rows) in (1i64..).zip(threads) {
        match rows {
            Err(words) => return Err(not_for_threads(words)),
            Ok(rows) if matches!(rows.as_slice(), [row] if matches!(row.as_slice(), [value] if is(value, number))) =>
                {}
            Ok(rows) => {
                let rows: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
                let saw = rows.first().map_or("no row", String::as_str);
                return Err(not_for_threads(&format!(
                    "the one that asked for {number} got {saw}"
                )));
            }
        }
    }
    Ok(())
}

/// Whether a value is this whole number, of whatever type.
fn is(value: &Value, number: i64) -> bool {
    value
        .to_string()
        .parse::<f64>()
        .is_ok_and(|value| value == number as f64)
}

fn not_for_threads(what: &str) -> String {
    let what = what.lines().next().unwrap_or_default();
    format!(
        "the platform's agent asks one connector from several threads at once, and here {THREADS} did not get on: \
         {what}; `bowline new --lang python` shows a cursor that lets threads take turns"
    )
}

/// Asks for a text with percent signs. A driver that is given parameters too takes them for places of these, and then it
/// is no template that is wrong.
fn percent_signs(chain: &mut Chain<'_>, one_row: &str) {
    let mut doubled = None;
    chain.check(
        &PERCENT,
        |asking| {
            match asking.run(None, &select(format!("'{WITH_PERCENT}'"), one_row)) {
                // Judged by the step that holds it, whether the driver's code refused or its database.
                Err(Halt::Failed(error)) if !error.kind.is_no_answer() => return Ok(()),
                asked => asked.map(|_| ())?,
            }
            if let Ok(result) = asking.try_run(None, &select(format!("'{DOUBLED}'"), one_row))? {
                doubled = text(&result);
                asking.forget();
            }
            Ok(())
        },
        |answers| {
            let expected = || format!("the text `{WITH_PERCENT}`");
            if let Some(Err(error)) = answers.steps.last().map(|step| &step.answer.result) {
                return Err(wrong(expected(), error.text()));
            }
            answers.read(|result| match text(result) {
                Some(text) if text == WITH_PERCENT => Ok(()),
                _ => Err(wrong(expected(), describe(result))),
            })
        },
    );
    if let Some(doubled) = doubled.filter(|text| text != DOUBLED) {
        chain.advise(
            &PERCENT,
            format!(
                "the text `{DOUBLED}` comes back as `{doubled}`: the driver reads `%%` its own way"
            ),
        );
    }
}

/// The first value of a result.
fn text(result: &ResultSet) -> Option<String> {
    let value = result.rows.first()?.first()?;
    Some(value.to_string())
}

/// Reads a row of every type that the database makes.
fn values(chain: &mut Chain<'_>, one_row: &str) {
    let mut bytes = None;
    chain.check(
        &VALUES,
        |asking| {
            let values = VALUES_OF_TYPES.map(|value| select(value, one_row));
            let beside = NUMBERS.map(|number| beside_null(number, one_row));
            for sql in values.iter().chain(&beside) {
                match asking.run(None, sql) {
                    Ok(result) if result.not_json.rows.is_none() => {}
                    // What the database refuses, it does not make: no evidence.
                    Err(Halt::Failed(error)) if is_refusal(error.kind) => asking.forget(),
                    Err(Halt::Failed(error)) if error.kind.is_no_answer() => {
                        return Err(Halt::Failed(error));
                    }
                    Err(halt @ (Halt::Unwritten(_) | Halt::Unasked(_))) => return Err(halt),
                    // The last statement is the evidence.
                    Ok(_) | Err(Halt::Failed(_)) => return Ok(()),
                }
            }
            for value in BYTES {
                if let Ok(result) = asking.try_run(None, &select(value, one_row))? {
                    bytes = bytes.take().or_else(|| result.not_json.rows.clone());
                    asking.forget();
                }
            }
            Ok(())
        },
        |answers| {
            for step in &answers.steps {
                match &step.answer.result {
                    Ok(result) => {
                        as_json("values", result.not_json.rows.as_ref())?;
                        if step.sql.contains(UNION) {
                            has_its_null(result)?;
                        } else if NUMBERS.iter().any(|number| step.sql.contains(number)) {
                            as_it_was(result)?;
                        }
                    }
                    Err(error) => return Err(wrong("a row", error.text())),
                }
            }
            if answers.steps.is_empty() {
                return Err(Outcome::Unsupported(Proof::Absent(
                    "the database makes none of the values that were tried".to_owned(),
                )));
            }
            Ok(())
        },
    );
    if let Some(reason) = bytes {
        chain.advise(
            &VALUES,
            format!("bytes reach the platform only as text or numbers: {reason}"),
        );
    }
}

/// Judges what came of the number 1.5. A text that is no number may be the driver's way to write one.
fn as_it_was(result: &ResultSet) -> Judged<()> {
    match text(result).and_then(|text| text.parse::<f64>().ok()) {
        Some(number) if number != 1.5 => Err(wrong("the number 1.5", describe(result))),
        _ => Ok(()),
    }
}

/// Judges what came of the number 1.5 and a NULL.
fn has_its_null(result: &ResultSet) -> Judged<()> {
    let is_of_none = |value: &Value| ["NaN", "nan", "NaT"].contains(&&*value.to_string());
    if result.rows.iter().flatten().any(is_of_none) {
        return Err(wrong("a NULL beside a number", describe(result)));
    }
    Ok(())
}

/// Whether it is the database that refused, and not the connector's code that failed, or nobody that answered.
fn is_refusal(kind: SqlErrorKind) -> bool {
    let is_connectors = matches!(
        kind,
        SqlErrorKind::Driver | SqlErrorKind::UnsupportedType | SqlErrorKind::TooLarge
    );
    !is_connectors && !kind.is_no_answer()
}
