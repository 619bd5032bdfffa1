//! The section `functional`: changes made to a real table must show up in metadata and query logs.
//!
//! The checks wait by asking again until a deadline, and what they made is dropped whatever happens. A second table is
//! made first and dropped last: it is the mark by which the first is known to be ours, and the one that stays as it is
//! while the other changes.

mod clock;
mod columns;
mod counts;
mod growth;
mod listing;
mod logged;
mod logs;
mod making;
mod place;
mod start;
mod table;

use std::time::Duration;

use bowline_warehouse::FunctionalTarget;

use self::columns::alter;
use self::growth::Growth;
pub(crate) use self::growth::{BYTES_GROW, ROWS_GROW, UPDATE_ADVANCES};
use self::logs::Looking;
use self::making::Created;
pub use self::start::undo;
use self::start::{Made, Presence};
pub(crate) use self::table::NO_ROW;
use self::table::TestTables;
pub use self::table::{is_test_object, named_beside};
use crate::Tier;
use crate::warehouse::accuracy::Accuracy;
use crate::warehouse::chain::{Chain, Seen, Spec};
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::wrong;
use crate::warehouse::metadata::read_tables;
use crate::warehouse::outcome::Outcome;
use crate::warehouse::tokens::{TokenKind, tokens};
use crate::warehouse::{Activity, Event};

pub(crate) const DROPPED: Spec = Spec::new(
    "dropped",
    "a table can be dropped",
    &["drop_test_table"],
    &[],
);
pub(crate) const DROPPED_NOT_LISTED: Spec = Spec::new(
    "dropped_table_not_listed",
    "a dropped table disappears",
    &["get_tables_query"],
    &[],
);

const LINEAGE_READS: Spec = Spec::new(
    "lineage_query_reads",
    "the query over the table cannot run without it",
    &["create_lineage_query"],
    &[],
)
.strict();

/// Every check, in the order of the chain.
pub(crate) const ALL: [&Spec; 29] = [
    &start::CLEAN_START,
    &making::CREATED,
    &clock::SERVER_CLOCK,
    &place::DATABASE_LISTED,
    &place::SCHEMA_LISTED,
    &listing::TABLE_LISTED,
    &listing::TABLE_DESCRIBED,
    &listing::COLUMNS_DESCRIBED,
    &growth::INSERTED,
    &growth::ROWS_GROW,
    &growth::ROWS_COUNTED,
    &growth::BYTES_GROW,
    &growth::BYTES_COUNTED,
    &growth::UPDATE_ADVANCES,
    &growth::UPDATE_TIMED,
    &listing::VIEW_DEFINED,
    &columns::COLUMN_ADDED,
    &columns::ADDED_LISTED,
    &columns::COLUMN_DROPPED,
    &columns::DROPPED_NOT_LISTED,
    &logs::LINEAGE,
    &logs::LOGGED,
    &logs::LONG_LOGGED,
    &logs::DESCRIBED,
    &logs::WRITE_LOGGED,
    &logs::EMPTY_LOGGED,
    &DROPPED,
    &LINEAGE_READS,
    &DROPPED_NOT_LISTED,
];

/// What the functional checks gave.
pub(crate) struct Functional {
    pub(crate) findings: Vec<Finding>,
    /// Statements that would remove what could not be removed.
    pub(crate) left_behind: Vec<String>,
    pub(crate) accuracy: Accuracy,
}

/// Runs the chain.
pub(crate) fn functional(
    mut chain: Chain<'_>,
    target: Option<&FunctionalTarget>,
    tier: Tier,
    patience: Duration,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Functional {
    let mut made = Made::default();
    let Some(tables) = start::clean_start(&mut chain, target) else {
        not_reached(&mut chain, &start::CLEAN_START, tier);
        return Functional {
            accuracy: Accuracy::default(),
            findings: chain.finish(),
            left_behind: Vec::new(),
        };
    };
    let created = making::create(&mut chain, &tables, tier, &mut made);
    match created {
        Some(created) => mutate(&mut chain, &tables, &created, (tier, patience), &mut made),
        None => not_reached(&mut chain, &making::CREATED, tier),
    }
    if made.changed != Presence::Absent {
        on_event(Event::Doing(Activity::CleaningUp));
    }
    let left_behind = start::clean_up(&mut chain, &tables, made);
    Functional {
        accuracy: std::mem::take(&mut chain.accuracy),
        findings: chain.finish(),
        left_behind,
    }
}

/// Notes every check after one that did not succeed.
fn not_reached(chain: &mut Chain<'_>, after: &Spec, tier: Tier) {
    for spec in ALL.iter().skip_while(|spec| spec.id != after.id).skip(1) {
        if spec.is_asked(tier) {
            chain.not_reached(spec, after);
        }
    }
}

/// Everything that is done with the tables once they are there.
fn mutate(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    created: &Created,
    (tier, patience): (Tier, Duration),
    made: &mut Made,
) {
    if tier == Tier::Strict {
        listing::look_next(chain, tables, created);
    }
    let skew = (tier == Tier::Strict).then(|| clock::skew(chain)).flatten();
    let can_select = created.columns.is_some();
    let found = listing::find(chain, tables, created, tier, patience);
    if let Some((found, empty)) = &found {
        let growth = Growth {
            tables: found,
            empty,
            can_select,
            tier,
            patience,
            skew,
            next: (tier == Tier::Strict)
                .then(|| listing::asked_of_view(chain, found, created))
                .flatten(),
        };
        growth.watch(chain);
        if tier == Tier::Strict {
            listing::define_view(chain, found, created);
        }
        alter(chain, found, created.columns.as_deref(), (tier, patience));
    } else {
        let unfound = ALL
            .iter()
            .skip_while(|spec| spec.id != listing::TABLE_LISTED.id)
            .skip(1);
        for spec in unfound.take_while(|spec| spec.id != logs::LINEAGE.id) {
            if spec.is_asked(tier) {
                chain.not_reached(spec, &listing::TABLE_LISTED);
            }
        }
    }
    let looking = Looking {
        tier,
        patience,
        skew,
    };
    logs::log(chain, tables, created, looking);
    chain.announce(|ahead| {
        ahead.query("drop_test_table", tables.changed.variables());
        if can_select {
            ahead.then(|ahead| tables.changed.no_rows(ahead));
        }
        if can_select && tier == Tier::Strict {
            ahead.query("create_lineage_query", tables.changed.variables());
        }
        if let Some((found, _)) = &found {
            ahead.query("get_tables_query", found.row_variables(&[&found.changed]));
        }
        let changed = if can_select {
            Presence::Absent
        } else {
            made.changed
        };
        start::clean_up_next(ahead, tables, Made { changed, ..*made });
    });
    let dropped = drop_table(chain, tables, can_select, made);
    if dropped && can_select && tier == Tier::Strict {
        need_the_table(chain, tables);
    }
    match &found {
        Some((found, _)) if dropped => is_gone(chain, found, patience),
        Some(_) => chain.not_reached(&DROPPED_NOT_LISTED, &DROPPED),
        None => chain.not_reached(&DROPPED_NOT_LISTED, &listing::TABLE_LISTED),
    }
}

/// Drops the table; gives whether that succeeded. What was not selected from is looked for when all is cleaned up.
fn drop_table(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    can_select: bool,
    made: &mut Made,
) -> bool {
    let dropped = chain.check(
        &DROPPED,
        |asking| {
            asking.query("drop_test_table", tables.changed.variables())?;
            if can_select {
                asking.keep();
                let _ = tables.changed.columns(asking)?;
            }
            Ok(())
        },
        |answers| match answers.results().next() {
            Some(_) if can_select => Err(wrong(
                format!("no table `{}`", tables.changed.table),
                "it can still be selected from",
            )),
            _ => Ok(()),
        },
    );
    if dropped.is_some() && can_select {
        made.changed = Presence::Absent;
    }
    dropped.is_some()
}

/// Asks the query over the table once more, now that the table is gone.
fn need_the_table(chain: &mut Chain<'_>, tables: &TestTables) {
    let ran = chain.finding(&logs::LINEAGE);
    if ran.is_none_or(|found| found.outcome != Outcome::Supported) {
        return;
    }
    let table = &tables.changed;
    chain.check(
        &LINEAGE_READS,
        |asking| asking.try_query("create_lineage_query", table.variables()),
        // What names the table may be answered from what the engine remembers of it.
        |answers| match answers.steps.last() {
            Some(step) if !is_named(&step.sql, &table.table) => Err(wrong(
                format!("a query of the table `{}`, which is gone", table.table),
                "one that runs without it, and does not name it",
            )),
            _ => Ok(()),
        },
    );
}

/// Whether a statement names a table, and not in a text or a comment only.
fn is_named(sql: &str, table: &str) -> bool {
    tokens(sql).into_iter().any(|token| {
        let name = token.text.trim_matches(['"', '`', '[', ']']);
        let last = name.rsplit('.').next().unwrap_or(name);
        matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
            && last.eq_ignore_ascii_case(table)
    })
}

/// Watches until the catalogue has the table no more.
fn is_gone(chain: &mut Chain<'_>, tables: &TestTables, patience: Duration) {
    chain.watch(
        &DROPPED_NOT_LISTED,
        patience,
        |_| Ok(()),
        |asking, _| tables.ask_rows(asking, &[&tables.changed]).map(drop),
        |answers| {
            let listed = answers.read(read_tables)?;
            let name = &tables.changed.table;
            if let Some(other) = listed
                .iter()
                .find(|row| !row.name.eq_ignore_ascii_case(name))
            {
                return Err(wrong(
                    format!("no table, for `{name}` alone was asked for and is gone"),
                    format!("`{}`", other.name),
                ));
            }
            Ok(match tables.changed.row(&listed) {
                None => Seen::AsExpected(()),
                Some(_) => Seen::Otherwise {
                    expected: format!("no table `{name}`"),
                    got: "it is still there".to_owned(),
                },
            })
        },
    );
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn a_statement_names_its_table() {
        for sql in [
            "SELECT id FROM s.probe",
            "SELECT id FROM \"s\".\"PROBE\"",
            "SELECT id FROM `p.s.probe`",
            "SELECT id FROM [s].[probe]",
        ] {
            assert!(is_named(sql, "probe"), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "SELECT 'probe'",
            "SELECT 1 -- probe",
            "SELECT 1 AS probe_2",
        ] {
            assert!(!is_named(sql, "probe"), "{sql}");
        }
    }
}
