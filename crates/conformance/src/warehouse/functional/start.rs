//! Before and after: what an earlier run left is dropped, what is somebody's own is not touched, and nothing stays.

use std::cell::Cell;

use bowline_driver::{Column, ResultSet, SqlErrorKind};
use bowline_warehouse::FunctionalTarget;

use super::table::{TestTable, TestTables};
use crate::warehouse::answers::{Asking, Halt};
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::judge::Judged;
use crate::warehouse::metadata::{first_names, read_tables};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};

/// A cancellation meant for a check may hit the statement that cleans up after it.
const DROP_ATTEMPTS: usize = 3;

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
                listed_before(asking, &tables)?
            });
            if before.get() == Before::OurOwn {
                drop_view(asking, &tables)?;
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
    Some(tables)
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
    }))
}

/// What is there, told by selecting from it: the table is ours when the mark stands beside it, and has its columns.
fn selected_before(asking: &mut Asking<'_>, tables: &TestTables) -> Result<Before, Halt> {
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

/// Drops the view, if there is one.
pub(super) fn drop_view(asking: &mut Asking<'_>, tables: &TestTables) -> Result<(), Halt> {
    if let Ok(view) = tables.view.identifier(asking) {
        let dropped = asking.try_run(None, &format!("DROP VIEW {view}"))?;
        if dropped.is_ok() {
            asking.forget();
        }
    }
    Ok(())
}

/// What of the tables may still be there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    pub(super) view: bool,
    pub(super) kept: bool,
    pub(super) changed: bool,
}

/// Drops everything that may be there, also after an interruption; gives the statements that failed.
pub(super) fn clean_up(chain: &mut Chain<'_>, tables: &TestTables, made: Made) -> Vec<String> {
    let mut statements = Vec::new();
    if made.view
        && let Ok(view) = chain.render("get_table_identifier", tables.view.variables())
    {
        statements.push(format!("DROP VIEW {view}"));
    }
    for (table, _) in [(&tables.changed, made.changed), (&tables.kept, made.kept)]
        .iter()
        .filter(|(_, is_made)| *is_made)
    {
        let sql = chain.render("drop_test_table", table.variables());
        let plain = || format!("DROP TABLE {}.{}", table.schema, table.table);
        statements.push(sql.unwrap_or_else(|_| plain()));
    }
    // The mark goes last, and stays beside what stays.
    let mut stays = false;
    statements.retain(|sql| {
        stays = stays || !is_dropped(chain, sql);
        stays
    });
    statements
}

fn is_dropped(chain: &mut Chain<'_>, sql: &str) -> bool {
    (0..DROP_ATTEMPTS).any(|_| match chain.session.ask_always(sql) {
        Ok(answer) => match &answer.result {
            Ok(_) => true,
            Err(error) => error.kind == SqlErrorKind::MissingObject,
        },
        // A replay that has no answer made nothing.
        Err(error) => !error.kind.is_no_answer(),
    })
}
