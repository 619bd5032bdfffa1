//! Before and after: what an earlier run left is dropped, what is somebody's own is not touched, and nothing stays.

use std::cell::Cell;
use std::time::Duration;

use bowline_driver::{Column, ResultSet, SqlErrorKind};
use bowline_warehouse::FunctionalTarget;

use super::table::{TestTable, TestTables};
use crate::warehouse::ahead::{Ahead, Renders};
use crate::warehouse::answers::{Asking, Halt};
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::judge::Judged;
use crate::warehouse::metadata::{first_names, read_tables};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};

/// A cancellation meant for a check may hit the statement that cleans up after it.
const DROP_ATTEMPTS: usize = 3;
/// How long a server may still be at a statement whose client is gone.
const LATE: Duration = Duration::from_secs(1);

pub(super) const CLEAN_START: Spec = Spec::new(
    "clean_start",
    "nothing of an earlier run is left, and nothing of somebody else's in the way",
    &["drop_test_table"],
    &[],
);

/// What was there before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// What a run left that was killed.
    OurOwn,
    /// A table without the mark: it is somebody's.
    SomebodyElses,
}

/// Drops what was left from before; gives where the tables go.
pub(super) fn clean_start(
    chain: &mut Chain<'_>,
    target: Option<&FunctionalTarget>,
) -> Option<TestTables> {
    let can_select = chain.has("get_table_identifier");
    let before = Cell::new(Before::Nothing);
    let tables = chain.check(
        &CLEAN_START,
        |asking| {
            let databases = match target {
                Some(FunctionalTarget { database: None, .. }) => {
                    Some(asking.query("get_databases_query", Vec::new())?)
                }
                _ => None,
            };
            let Ok(tables) = test_tables(target, databases.as_deref()) else {
                return Ok(());
            };
            before.set(if can_select {
                selected_before(asking, &tables)?
            } else {
                listed_before(asking, &tables.clone().written_by(asking))?
            });
            if before.get() == Before::OurOwn {
                drop_others(asking, &tables)?;
                for table in [&tables.changed, &tables.kept] {
                    asking.query_what_may_be_missing("drop_test_table", table.variables())?;
                }
            }
            Ok(())
        },
        |answers| {
            let asks_databases = target.is_some_and(|target| target.database.is_none());
            let databases = answers.results().next().filter(|_| asks_databases);
            let tables = test_tables(target, databases);
            match before.get() {
                Before::SomebodyElses => Err(Outcome::Unknown(Doubt::NotReached(somebody_elses(
                    &tables?.changed,
                )))),
                _ => tables,
            }
        },
    )?;
    if before.get() == Before::OurOwn {
        let TestTable { schema, table, .. } = &tables.changed;
        let words = format!(
            "an earlier run had left `{schema}.{table}` and what stands beside it; it was removed"
        );
        chain.advise(&CLEAN_START, words);
    }
    Some(tables.written_by(chain))
}

fn somebody_elses(TestTable { schema, table, .. }: &TestTable) -> String {
    format!(
        "`{schema}.{table}` is there, and no run of the suite made it: it is left alone; drop it yourself, or name \
         another table where functional checks may work (`[functional]` in connector.toml)"
    )
}

/// The target with its database named: its own, or the one the metadata queries speak of.
fn test_tables(
    target: Option<&FunctionalTarget>,
    databases: Option<&ResultSet>,
) -> Judged<TestTables> {
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
    Ok(TestTables::beside(TestTable {
        database,
        schema: target.schema.clone(),
        table: target.table.clone(),
        listed: None,
    }))
}

/// What is there, told by selecting from it: the table is ours when the mark stands beside it, and has its columns.
fn selected_before(asking: &mut Asking<'_>, tables: &TestTables) -> Result<Before, Halt> {
    asking.announce(|ahead| {
        for table in [&tables.changed, &tables.kept] {
            ahead.then(|ahead| table.no_rows(ahead));
        }
    });
    let changed = match tables.changed.columns(asking)? {
        Err(error) if error.kind == SqlErrorKind::Permission => return Ok(Before::SomebodyElses),
        columns => columns.ok(),
    };
    let mark = tables.kept.columns(asking)?.ok();
    let starts_with = |columns: &[Column], mark: &[Column]| {
        let names = |columns: &[Column]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        names(columns).starts_with(&names(mark))
    };
    Ok(match (changed, mark) {
        (None, None) => Before::Nothing,
        (Some(changed), Some(mark)) if starts_with(&changed, &mark) => Before::OurOwn,
        (None, Some(_)) => Before::OurOwn,
        (Some(_), _) => Before::SomebodyElses,
    })
}

/// The same, told by the catalogue, where nothing can be selected from.
fn listed_before(asking: &mut Asking<'_>, tables: &TestTables) -> Result<Before, Halt> {
    let listed = tables.ask_rows(asking, &[&tables.changed, &tables.kept])?;
    let listed = read_tables(&listed).unwrap_or_default();
    let is_there = |table: &TestTable| table.row(&listed).is_some();
    Ok(match (is_there(&tables.changed), is_there(&tables.kept)) {
        (false, false) => Before::Nothing,
        (_, true) => Before::OurOwn,
        (true, false) => Before::SomebodyElses,
    })
}

/// Drops what stands beside the tables, if there is anything.
fn drop_others(asking: &mut Asking<'_>, tables: &TestTables) -> Result<(), Halt> {
    for other in [&tables.view, &tables.other_view, &tables.keys] {
        if let Ok(sql) = dropping(tables, other, asking) {
            let dropped = asking.try_run(None, &sql)?;
            if dropped.is_ok() {
                asking.forget();
            }
        }
    }
    Ok(())
}

/// The statement that drops what stands beside the tables.
pub(super) fn dropping(
    tables: &TestTables,
    other: &TestTable,
    with: &impl Renders,
) -> Result<String, Halt> {
    let is_table = other.table == tables.keys.table;
    let kind = if is_table { "TABLE" } else { "VIEW" };
    Ok(format!("DROP {kind} {}", other.identifier(with)?))
}

/// Whether a table may still be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Presence {
    #[default]
    Absent,
    /// Making it failed, and may have made it all the same.
    Possible,
    /// Nobody knows what came of making it: the server may be at it still.
    Unanswered,
    Made,
}

/// What of the objects may still be there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    pub(super) view: Presence,
    pub(super) other_view: Presence,
    pub(super) keys: Presence,
    pub(super) kept: Presence,
    pub(super) changed: Presence,
}

impl Made {
    /// What stands beside the tables and may still be there.
    fn others(self, tables: &TestTables) -> impl Iterator<Item = (Presence, &TestTable)> {
        let others = [
            (self.view, &tables.view),
            (self.other_view, &tables.other_view),
            (self.keys, &tables.keys),
        ];
        let others = others.into_iter();
        others.filter(|(presence, _)| *presence != Presence::Absent)
    }
}

/// What [`clean_up`] asks first.
pub(super) fn clean_up_next(ahead: &mut Ahead, tables: &TestTables, made: Made) {
    for (_, other) in made.others(tables) {
        ahead.then(|ahead| dropping(tables, other, ahead));
    }
    if made.changed == Presence::Absent && made.kept == Presence::Made {
        ahead.then(|ahead| tables.kept.no_rows(ahead));
    }
}

/// Drops everything that may be there, also after an interruption; gives the statements that failed. A server may be at
/// what makes it although its client is gone: it has a moment to be done.
pub(super) fn clean_up(chain: &mut Chain<'_>, tables: &TestTables, made: Made) -> Vec<String> {
    let all = [
        made.view,
        made.other_view,
        made.keys,
        made.kept,
        made.changed,
    ];
    if all.contains(&Presence::Unanswered) && !chain.session.is_lost() {
        chain.session.pause(LATE);
    }
    let mut left_behind = Vec::new();
    chain.announce(|ahead| clean_up_next(ahead, tables, made));
    for (presence, other) in made.others(tables) {
        if let Ok(sql) = dropping(tables, other, chain) {
            // What was never made, or is gone already, is not there to be dropped, however that is told.
            let is_there = |chain: &mut Chain<'_>| match other.no_rows(chain) {
                Ok(sql) => asked(chain, &sql) == Asked::Ran || chain.session.is_lost(),
                Err(_) => presence == Presence::Made,
            };
            let stays = !succeeds(chain, &sql) && is_there(chain);
            left_behind.extend(stays.then_some(sql));
        }
    }
    let mut dropped = Dropped::Gone;
    for (table, presence) in [(&tables.changed, made.changed), (&tables.kept, made.kept)] {
        if presence == Presence::Absent {
            continue;
        }
        let drop = chain.render("drop_test_table", table.variables());
        let drop = drop.unwrap_or_else(|_| format!("DROP TABLE {}.{}", table.schema, table.table));
        let create = chain.render("create_test_table", table.variables()).ok();
        let create = create.filter(|_| presence == Presence::Made);
        // The mark goes last, and stays beside what stays.
        let is_mark = table.table == tables.kept.table;
        if !is_mark || left_behind.is_empty() {
            dropped = drop_table(chain, table, &drop, create.as_deref());
        } else if dropped == Dropped::Gone {
            dropped = Dropped::Refused;
        }
        left_behind.extend(match (dropped, create) {
            (Dropped::Gone, _) => None,
            (Dropped::Missed, Some(create)) => Some(undo(&create)),
            (Dropped::Refused | Dropped::Missed, _) => Some(drop),
        });
    }
    left_behind
}

/// What a statement that drops a table did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dropped {
    Gone,
    Refused,
    /// It ran, and the table is still there.
    Missed,
}

/// Drops a table and sees that it is gone: a statement that drops only what exists does nothing, and says nothing,
/// where it names another table than the one that `create` made.
fn drop_table(
    chain: &mut Chain<'_>,
    table: &TestTable,
    drop: &str,
    create: Option<&str>,
) -> Dropped {
    let select = table.no_rows(chain).ok().filter(|_| create.is_some());
    let was_seen = select.filter(|sql| asked(chain, sql) == Asked::Ran);
    if was_seen.is_some() {
        chain.announce(|ahead| {
            ahead.then(|_| Ok(drop.to_owned()));
            ahead.then(|ahead| table.no_rows(ahead));
        });
    }
    if !succeeds(chain, drop) {
        return Dropped::Refused;
    }
    let stays = match (was_seen, create) {
        (Some(select), _) => asked(chain, &select) == Asked::Ran,
        // What can be made again was gone.
        (None, Some(create)) => match asked(chain, create) {
            Asked::Ran => !succeeds(chain, drop),
            Asked::Unrecorded => false,
            Asked::Missing | Asked::Failed => true,
        },
        (None, None) => false,
    };
    if stays {
        Dropped::Missed
    } else {
        Dropped::Gone
    }
}

/// What is to be done about a table for which no statement that drops it is known, fit to stand among statements.
#[must_use]
pub fn undo(create: &str) -> String {
    format!(
        "-- drop what this made: {}",
        create.trim().replace('\n', " ")
    )
}

/// What came of a statement that cleans up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Ran,
    /// What it speaks of is not there.
    Missing,
    Failed,
    /// A replay has nothing recorded for it, and made nothing.
    Unrecorded,
}

fn asked(chain: &mut Chain<'_>, sql: &str) -> Asked {
    match chain.session.ask_always(sql) {
        Ok(answer) => match &answer.result {
            Ok(_) => Asked::Ran,
            Err(error) if error.kind == SqlErrorKind::MissingObject => Asked::Missing,
            Err(_) => Asked::Failed,
        },
        Err(error) if error.kind.is_no_answer() => Asked::Failed,
        Err(_) => Asked::Unrecorded,
    }
}

fn succeeds(chain: &mut Chain<'_>, sql: &str) -> bool {
    (0..DROP_ATTEMPTS).any(|_| asked(chain, sql) != Asked::Failed)
}
