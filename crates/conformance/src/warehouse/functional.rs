//! The section `functional`: changes made to a real table must show up in metadata and query logs.
//!
//! The checks wait by asking again until a deadline, and what they made is dropped whatever happens.

mod logs;
mod table;

use std::time::Duration;

use bigdecimal::BigDecimal;
use bowline_driver::{ResultSet, SqlErrorKind};
use bowline_template::TemplateValue;
use bowline_warehouse::FunctionalTarget;
use jiff::Timestamp;

use self::logs::{is_logged, look_through_logs};
use self::table::{RowWatch, TestTable, watch_columns};
use crate::Tier;
use crate::warehouse::answers::{Answers, Asking};
use crate::warehouse::chain::{Chain, Seen, Spec, text};
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{Table, first_names};
use crate::warehouse::outcome::{Outcome, Proof};
use crate::warehouse::reading;
use crate::warehouse::{Activity, Event};

const ROWS: i64 = 10;
/// How many times as many rows a count that is an estimate may say there are.
const ESTIMATE: i64 = 10;
const MANY_ROWS: i64 = 10_000;
const COLUMN: &str = "bowline_added";
const COLUMN_TYPE: &str = "TEXT";
/// A cancellation meant for a check may hit the statement that cleans up after it.
const DROP_ATTEMPTS: usize = 3;

pub(crate) const CLEAN_START: Spec = Spec::new(
    "clean_start",
    "a table left from before can be dropped",
    &["drop_test_table"],
    &[],
);
pub(crate) const CREATED: Spec = Spec::new(
    "created",
    "a new table appears",
    &["create_test_table"],
    &[],
);
pub(crate) const ROWS_GROW: Spec = Spec::new(
    "row_count_grows",
    "inserted rows are counted",
    &["insert_rows"],
    &[],
);
pub(crate) const ROWS_COUNTED: Spec = Spec::new(
    "row_count_near",
    "the row count is near the number of rows there are",
    &["get_tables_query"],
    &[],
)
.strict();
pub(crate) const BYTES_GROW: Spec = Spec::new(
    "byte_count_grows",
    "inserted rows make the table larger",
    &[],
    &[],
);
pub(crate) const UPDATE_ADVANCES: Spec = Spec::new(
    "last_update_advances",
    "inserting moves the time of the last update",
    &[],
    &[],
);
pub(crate) const COLUMN_ADDED: Spec = Spec::new(
    "column_added",
    "an added column appears",
    &["add_column"],
    &[],
);
pub(crate) const COLUMN_DROPPED: Spec = Spec::new(
    "column_dropped",
    "a dropped column disappears",
    &["drop_column"],
    &[],
);
pub(crate) const LOGGED: Spec = Spec::new(
    "query_logged",
    "a query run now appears in the query logs",
    &["create_lineage_query"],
    &[],
);
pub(crate) const DROPPED: Spec = Spec::new(
    "dropped",
    "a dropped table disappears",
    &["drop_test_table"],
    &[],
);

const AFTER_CREATION: [&Spec; 7] = [
    &ROWS_GROW,
    &BYTES_GROW,
    &UPDATE_ADVANCES,
    &COLUMN_ADDED,
    &COLUMN_DROPPED,
    &LOGGED,
    &DROPPED,
];

/// What the functional checks gave.
pub(crate) struct Functional {
    pub(crate) findings: Vec<Finding>,
    /// A statement that would remove what could not be removed.
    pub(crate) left_behind: Option<String>,
}

/// Runs the chain.
pub(crate) fn functional(
    mut chain: Chain<'_>,
    target: Option<&FunctionalTarget>,
    tier: Tier,
    patience: Duration,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Functional {
    let Some(table) = clean_start(&mut chain, target) else {
        chain.not_reached(&CREATED, &CLEAN_START);
        for spec in AFTER_CREATION {
            chain.not_reached(spec, &CLEAN_START);
        }
        return Functional {
            findings: chain.finish(),
            left_behind: None,
        };
    };
    let created = chain.watch(
        &CREATED,
        patience,
        |asking| {
            asking
                .query("create_test_table", table.variables())
                .map(drop)
        },
        |asking, _| table.ask_row(asking).map(drop),
        |answers| table.is_there(answers),
    );
    let gone = match created {
        Some(before) => mutate(&mut chain, &table, &before, tier, patience),
        None => {
            for spec in AFTER_CREATION {
                chain.not_reached(spec, &CREATED);
            }
            chain.step(&CREATED, "create_test_table").is_none()
        }
    };
    let left_behind = if gone {
        None
    } else {
        on_event(Event::Doing(Activity::CleaningUp));
        clean_up(&mut chain, &table)
    };
    Functional {
        findings: chain.finish(),
        left_behind,
    }
}

/// Drops what was left from before; gives where the table is.
fn clean_start(chain: &mut Chain<'_>, target: Option<&FunctionalTarget>) -> Option<TestTable> {
    let ask = |asking: &mut Asking<'_>| {
        let databases = match target {
            Some(FunctionalTarget { database: None, .. }) => {
                Some(asking.query("get_databases_query", Vec::new())?)
            }
            _ => None,
        };
        if let Ok(table) = test_table(target, databases.as_deref()) {
            asking.query_what_may_be_missing("drop_test_table", table.variables())?;
        }
        Ok(())
    };
    chain.check(&CLEAN_START, ask, |answers| {
        test_table(target, answers.results().next())
    })
}

/// The target with its database named: its own, or the one the metadata queries speak of.
fn test_table(
    target: Option<&FunctionalTarget>,
    databases: Option<&ResultSet>,
) -> Judged<TestTable> {
    let target = target.ok_or_else(|| {
        Outcome::Unsupported(Proof::Absent(
            "the connector names no table that functional checks may create".to_owned(),
        ))
    })?;
    let database = match (&target.database, databases) {
        (Some(database), _) => database.clone(),
        (None, Some(databases)) => first_names(databases, 1)?.pop().unwrap_or_default(),
        (None, None) => String::new(),
    };
    Ok(TestTable {
        database,
        schema: target.schema.clone(),
        table: target.table.clone(),
    })
}

/// Everything that is done with the table once it is there; says whether it is gone at the end.
fn mutate(
    chain: &mut Chain<'_>,
    table: &TestTable,
    before: &Table,
    tier: Tier,
    patience: Duration,
) -> bool {
    insert(chain, table, before, tier, patience);
    alter(chain, table, patience);
    log(chain, table, patience);
    let dropped = chain.watch(
        &DROPPED,
        patience,
        |asking| asking.query("drop_test_table", table.variables()).map(drop),
        |asking, _| table.ask_row(asking).map(drop),
        |answers| table.is_gone(answers),
    );
    dropped.is_some()
}

/// Inserts rows, and watches what metadata says of the table.
fn insert(
    chain: &mut Chain<'_>,
    table: &TestTable,
    before: &Table,
    tier: Tier,
    patience: Duration,
) {
    let watch = |seen: Option<Table>| RowWatch {
        table,
        patience,
        seen,
    };
    let insert = |rows: i64| {
        move |asking: &mut Asking<'_>| {
            let mut variables = table.variables();
            variables.push(("num_rows", TemplateValue::Integer(rows)));
            asking.query("insert_rows", variables).map(drop)
        }
    };
    let nothing = |_: &mut Asking<'_>| Ok(());
    let rows = before.row_count.clone().ok_or_else(|| absent("row_count"));
    watch(None).check(
        chain,
        &ROWS_GROW,
        insert(ROWS),
        nothing,
        (rows, |before: &BigDecimal, row: &Table| {
            let wanted = before + ROWS;
            Ok(match &row.row_count {
                Some(now) if *now >= wanted => Seen::AsExpected(()),
                now => Seen::Otherwise {
                    expected: format!("a row_count of {wanted} or more"),
                    got: number(now.as_ref()),
                },
            })
        }),
    );
    let seen = |chain: &Chain<'_>, spec| table.row(chain.last_result(spec)?).ok().flatten();
    let latest = seen(chain, &ROWS_GROW);
    if let Some(said) = latest.as_ref().and_then(|row| row.row_count.as_ref())
        && tier == Tier::Strict
        && chain.has("get_table_identifier")
    {
        chain.check(
            &ROWS_COUNTED,
            |asking| {
                let table = asking.render("get_table_identifier", table.variables())?;
                asking.run(None, &format!("SELECT COUNT(*) FROM {table}"))
            },
            |answers| is_near(answers, said),
        );
    }
    let inserted = chain.step(&ROWS_GROW, "insert_rows");
    if inserted.is_none_or(|step| step.answer.result.is_err()) {
        chain.not_reached(&BYTES_GROW, &ROWS_GROW);
        chain.not_reached(&UPDATE_ADVANCES, &ROWS_GROW);
        return;
    }
    let bytes = before
        .byte_count
        .clone()
        .ok_or_else(|| absent("byte_count"));
    watch(latest.clone()).check(
        chain,
        &BYTES_GROW,
        nothing,
        // Ten rows may fit into space that the table has already: more follow when the size stands still.
        insert(MANY_ROWS),
        (bytes, |before: &BigDecimal, row: &Table| {
            Ok(match &row.byte_count {
                Some(now) if now > before => Seen::AsExpected(()),
                now => Seen::Otherwise {
                    expected: format!("a byte_count above {before}"),
                    got: number(now.as_ref()),
                },
            })
        }),
    );
    watch(seen(chain, &BYTES_GROW).or(latest)).check(
        chain,
        &UPDATE_ADVANCES,
        nothing,
        nothing,
        (
            Ok(before.last_update_time),
            |before: &Option<Timestamp>, row: &Table| match (row.last_update_time, before) {
                (None, None) => Err(absent("last_update_time")),
                (Some(_), None) => Ok(Seen::AsExpected(())),
                (Some(now), Some(before)) if now > *before => Ok(Seen::AsExpected(())),
                (now, Some(before)) => Ok(Seen::Otherwise {
                    expected: format!("a last_update_time after {before}"),
                    got: now.map_or("NULL".to_owned(), |now| now.to_string()),
                }),
            },
        ),
    );
}

/// Adds a column and drops it.
fn alter(chain: &mut Chain<'_>, table: &TestTable, patience: Duration) {
    let mut variables = table.variables();
    variables.push(("column_name", text(COLUMN)));
    let dropping = variables.clone();
    variables.push(("column_type", text(COLUMN_TYPE)));
    let added = watch_columns(
        chain,
        &COLUMN_ADDED,
        (table, patience),
        |asking| asking.query("add_column", variables).map(drop),
        |names| column_is(true, names),
    );
    if added.is_none() {
        chain.not_reached(&COLUMN_DROPPED, &COLUMN_ADDED);
        return;
    }
    watch_columns(
        chain,
        &COLUMN_DROPPED,
        (table, patience),
        |asking| asking.query("drop_column", dropping).map(drop),
        |names| column_is(false, names),
    );
}

fn column_is(there: bool, names: &[String]) -> Seen<()> {
    if names.iter().any(|name| name.eq_ignore_ascii_case(COLUMN)) == there {
        return Seen::AsExpected(());
    }
    let article = if there { "a" } else { "no" };
    Seen::Otherwise {
        expected: format!("{article} column `{COLUMN}`"),
        got: format!("the columns {}", names.join(", ")),
    }
}

/// Runs a query and waits until the query logs have it.
fn log(chain: &mut Chain<'_>, table: &TestTable, patience: Duration) {
    let has_logs = chain.has("get_query_logs_query");
    chain.watch(
        &LOGGED,
        patience,
        |asking| {
            asking
                .query("create_lineage_query", table.variables())
                .map(drop)
        },
        |asking, _| {
            if has_logs {
                look_through_logs(asking)?;
            }
            Ok(())
        },
        |answers| {
            if has_logs {
                is_logged(answers)
            } else {
                Err(Outcome::Unsupported(Proof::Absent(
                    "the connector reads no query logs".to_owned(),
                )))
            }
        },
    );
}

/// Drops the table, also after an interruption; gives the statement when that fails.
fn clean_up(chain: &mut Chain<'_>, table: &TestTable) -> Option<String> {
    let Ok(sql) = chain.render("drop_test_table", table.variables()) else {
        return Some(format!("DROP TABLE {}.{}", table.schema, table.table));
    };
    let dropped = (0..DROP_ATTEMPTS).any(|_| {
        let answer = chain
            .session
            .ask_always(&sql)
            .and_then(|answer| answer.result);
        answer.map_or_else(|error| error.kind == SqlErrorKind::MissingObject, |_| true)
    });
    (!dropped).then_some(sql)
}

/// Judges the row count that metadata gave by the number of rows there are.
fn is_near(answers: &Answers, said: &BigDecimal) -> Judged<()> {
    answers.read(
        |result| match result.scalar().and_then(reading::whole_number) {
            Some(there) if *said <= &there * ESTIMATE => Ok(()),
            there => Err(wrong(
                format!("a row_count near {}", number(there.as_ref())),
                number(Some(said)),
            )),
        },
    )
}

fn absent(column: &str) -> Outcome {
    Outcome::Unsupported(Proof::Absent(format!("the tables query gives no {column}")))
}

fn number(number: Option<&BigDecimal>) -> String {
    number.map_or("NULL".to_owned(), ToString::to_string)
}
