//! The section `functional`: changes made to a real table must show up in metadata and query logs.
//!
//! The checks wait by asking again until a deadline, and what they made is dropped whatever happens.

mod logs;
mod polling;

use std::sync::Arc;
use std::time::Duration;

use bowline_connector::FunctionalTarget;
use bowline_connector::template::TemplateSet;
use bowline_contract::SuiteSection;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_template::TemplateValue;

use self::logs::look_through_logs;
use self::polling::{Seen, find_table, poll, watch, watch_columns};
use crate::warehouse::chain::{Asked, Chain, Spec, text};
use crate::warehouse::finding::{Finding, refusal, wrong};
use crate::warehouse::metadata::{Table, first_names, full_table_id};
use crate::warehouse::outcome::{Outcome, Proof};
use crate::warehouse::reading;
use crate::warehouse::session::Session;
use crate::{CheckInfo, Event, Tier};

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

/// Where the table is, with every part known.
struct Place {
    database: String,
    schema: String,
    table: String,
}

impl Place {
    fn id(&self) -> String {
        full_table_id(&self.database, &self.schema, &self.table)
    }

    fn variables(&self) -> Vec<(&'static str, TemplateValue)> {
        vec![
            ("database", text(&self.database)),
            ("schema", text(&self.schema)),
            ("table", text(&self.table)),
        ]
    }
}

/// Runs the chain.
pub(crate) fn functional(
    templates: Arc<TemplateSet>,
    target: Option<&FunctionalTarget>,
    session: &mut Session,
    tier: Tier,
    patience: Duration,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Functional {
    let mut chain = Chain::new(SuiteSection::Functional, templates, session);
    let place = chain.check(&CLEAN_START, |chain, info| {
        let Some(target) = target else {
            return Err(Outcome::Unsupported(Proof::Absent(
                "the connector names no table that functional checks may create".to_owned(),
            )));
        };
        let place = place_of(chain, info, target)?;
        match chain.query(info, "drop_test_table", place.variables()) {
            Ok(_) => Ok(place),
            Err(Outcome::Unsupported(Proof::Refused(error)))
                if error.kind == SqlErrorKind::MissingObject =>
            {
                Ok(place)
            }
            Err(outcome) => Err(outcome),
        }
    });
    let Some(place) = place else {
        chain.not_reached(&CREATED, &CLEAN_START);
        for spec in AFTER_CREATION {
            chain.not_reached(spec, &CLEAN_START);
        }
        return Functional {
            findings: chain.finish(),
            left_behind: None,
        };
    };
    let mut made = false;
    let table = chain.check(&CREATED, |chain, info| {
        made = true;
        chain.query(info, "create_test_table", place.variables())?;
        poll(chain, patience, |chain| {
            match find_table(chain, info, &place)? {
                Some(table) => Ok(Seen::AsExpected(table)),
                None => Ok(Seen::Otherwise {
                    expected: format!("a table `{}`", place.table),
                    got: "none".to_owned(),
                }),
            }
        })
    });
    let gone = match table {
        Some(before) => mutate(&mut chain, &place, &before, tier, patience),
        None => {
            for spec in AFTER_CREATION {
                chain.not_reached(spec, &CREATED);
            }
            !made
        }
    };
    let left_behind = if gone {
        None
    } else {
        on_event(Event::CleaningUp);
        clean_up(&mut chain, &place)
    };
    Functional {
        findings: chain.finish(),
        left_behind,
    }
}

/// Everything that is done with the table once it is there; says whether it is gone at the end.
fn mutate(
    chain: &mut Chain<'_>,
    place: &Place,
    before: &Table,
    tier: Tier,
    patience: Duration,
) -> bool {
    let mut inserted = false;
    let mut latest = None;
    chain.check(&ROWS_GROW, |chain, info| {
        chain.query(info, "insert_rows", insert_variables(place, ROWS))?;
        inserted = true;
        let Some(count) = before.row_count.clone() else {
            return Err(absent("row_count"));
        };
        watch(chain, info, place, patience, None, |_, table| {
            latest = Some(table.clone());
            Ok(match &table.row_count {
                Some(now) if *now >= &count + ROWS => Seen::AsExpected(()),
                now => Seen::Otherwise {
                    expected: format!("a row_count of {} or more", &count + ROWS),
                    got: number(now.as_ref()),
                },
            })
        })
    });
    let counted = latest
        .as_ref()
        .and_then(|table: &Table| table.row_count.clone());
    if let Some(said) = counted
        && tier == Tier::Strict
        && chain.has("get_table_identifier")
    {
        chain.check(&ROWS_COUNTED, |chain, info| {
            let table = chain.render(info, "get_table_identifier", place.variables())?;
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let result = chain.session.run(None, &sql).map_err(refusal)?;
            let there = result.scalar().and_then(reading::whole_number);
            match there {
                Some(there) if said <= &there * ESTIMATE => Ok(()),
                there => Err(wrong(
                    format!("a row_count near {}", number(there.as_ref())),
                    number(Some(&said)),
                )),
            }
        });
    }
    if !inserted {
        chain.not_reached(&BYTES_GROW, &ROWS_GROW);
        chain.not_reached(&UPDATE_ADVANCES, &ROWS_GROW);
    } else {
        chain.check(&BYTES_GROW, |chain, info| {
            let Some(bytes) = before.byte_count.clone() else {
                return Err(absent("byte_count"));
            };
            // Ten rows may fit into space that the table has already: more follow when the size stands still.
            let mut topped_up = false;
            watch(
                chain,
                info,
                place,
                patience,
                latest.take(),
                |chain, table| {
                    latest = Some(table.clone());
                    match &table.byte_count {
                        Some(now) if *now > bytes => Ok(Seen::AsExpected(())),
                        now => {
                            if !std::mem::replace(&mut topped_up, true) {
                                chain.query(
                                    info,
                                    "insert_rows",
                                    insert_variables(place, MANY_ROWS),
                                )?;
                            }
                            let expected = format!("a byte_count above {bytes}");
                            Ok(Seen::Otherwise {
                                expected,
                                got: number(now.as_ref()),
                            })
                        }
                    }
                },
            )
        });
        chain.check(&UPDATE_ADVANCES, |chain, info| {
            let first = before.last_update_time;
            watch(
                chain,
                info,
                place,
                patience,
                latest.take(),
                |_, table| match (table.last_update_time, first) {
                    (None, None) => Err(absent("last_update_time")),
                    (Some(_), None) => Ok(Seen::AsExpected(())),
                    (Some(now), Some(first)) if now > first => Ok(Seen::AsExpected(())),
                    (now, Some(first)) => Ok(Seen::Otherwise {
                        expected: format!("a last_update_time after {first}"),
                        got: now.map_or("NULL".to_owned(), |now| now.to_string()),
                    }),
                },
            )
        });
    }
    let added = chain.check(&COLUMN_ADDED, |chain, info| {
        let mut variables = place.variables();
        variables.push(("column_name", text(COLUMN)));
        variables.push(("column_type", text(COLUMN_TYPE)));
        chain.query(info, "add_column", variables)?;
        watch_columns(chain, info, place, patience, |names| {
            match names.iter().any(|name| is_the_column(name)) {
                true => Seen::AsExpected(()),
                false => Seen::Otherwise {
                    expected: format!("a column `{COLUMN}`"),
                    got: format!("the columns {}", names.join(", ")),
                },
            }
        })
    });
    if added.is_some() {
        chain.check(&COLUMN_DROPPED, |chain, info| {
            let mut variables = place.variables();
            variables.push(("column_name", text(COLUMN)));
            chain.query(info, "drop_column", variables)?;
            watch_columns(chain, info, place, patience, |names| {
                match names.iter().any(|name| is_the_column(name)) {
                    false => Seen::AsExpected(()),
                    true => Seen::Otherwise {
                        expected: format!("no column `{COLUMN}`"),
                        got: format!("the columns {}", names.join(", ")),
                    },
                }
            })
        });
    } else {
        chain.not_reached(&COLUMN_DROPPED, &COLUMN_ADDED);
    }
    chain.check(&LOGGED, |chain, info| {
        let sql = chain.render(info, "create_lineage_query", place.variables())?;
        chain
            .session
            .run(Some("create_lineage_query"), &sql)
            .map_err(refusal)?;
        if !chain.has("get_query_logs_query") {
            return Err(Outcome::Unsupported(Proof::Absent(
                "the connector reads no query logs".to_owned(),
            )));
        }
        poll(chain, patience, |chain| {
            look_through_logs(chain, info, &sql)
        })
    });
    let dropped = chain.check(&DROPPED, |chain, info| {
        chain.query(info, "drop_test_table", place.variables())?;
        poll(chain, patience, |chain| {
            Ok(match find_table(chain, info, place)? {
                None => Seen::AsExpected(()),
                Some(_) => Seen::Otherwise {
                    expected: format!("no table `{}`", place.table),
                    got: "it is still there".to_owned(),
                },
            })
        })
    });
    dropped.is_some()
}

/// The target with its database named: its own, or the one the metadata queries speak of.
fn place_of(chain: &mut Chain<'_>, info: &CheckInfo, target: &FunctionalTarget) -> Asked<Place> {
    let database = match &target.database {
        Some(database) => database.clone(),
        None => {
            let result = chain.query(info, "get_databases_query", Vec::new())?;
            first_names(&result, 1)?.pop().unwrap_or_default()
        }
    };
    Ok(Place {
        database,
        schema: target.schema.clone(),
        table: target.table.clone(),
    })
}

/// Drops the table, also after an interruption; gives the statement when that fails.
fn clean_up(chain: &mut Chain<'_>, place: &Place) -> Option<String> {
    let info = DROPPED.info(SuiteSection::Functional);
    let Ok(sql) = chain.render(&info, "drop_test_table", place.variables()) else {
        return Some(format!("DROP TABLE {}.{}", place.schema, place.table));
    };
    for _ in 0..DROP_ATTEMPTS {
        match chain.session.run_always(Some("drop_test_table"), &sql) {
            Ok(_) => return None,
            Err(SqlError {
                kind: SqlErrorKind::MissingObject,
                ..
            }) => return None,
            Err(_) => {}
        }
    }
    Some(sql)
}

fn insert_variables(place: &Place, rows: i64) -> Vec<(&'static str, TemplateValue)> {
    let mut variables = place.variables();
    variables.push(("num_rows", TemplateValue::Integer(rows)));
    variables
}

fn absent(column: &str) -> Outcome {
    Outcome::Unsupported(Proof::Absent(format!("the tables query gives no {column}")))
}

fn is_the_column(name: &str) -> bool {
    name.eq_ignore_ascii_case(COLUMN)
}

fn number(number: Option<&bigdecimal::BigDecimal>) -> String {
    number.map_or("NULL".to_owned(), ToString::to_string)
}
