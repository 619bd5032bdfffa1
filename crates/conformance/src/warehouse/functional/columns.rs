//! A column is added and dropped again: the catalogue's columns must follow.

use std::time::Duration;

use bowline_driver::Column;
use bowline_template::TemplateValue;

use super::listing::{ask_columns, column_variables};
use super::table::{TestTable, TestTables};
use crate::Tier;
use crate::warehouse::answers::Answers;
use crate::warehouse::chain::{Chain, Seen, Spec, text};
use crate::warehouse::column_types::{Family, family};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{Hidden, columns_differ, read_columns};
use crate::warehouse::outcome::{Fault, Outcome};

/// With capitals, so that case counts.
const COLUMN: &str = "Bowline_Added";

pub(super) const COLUMN_ADDED: Spec = Spec::new(
    "column_added",
    "a column can be added",
    &["add_column"],
    &[],
);
pub(super) const ADDED_LISTED: Spec = Spec::new(
    "added_column_listed",
    "an added column appears",
    &["get_columns_query"],
    &[],
);
pub(super) const COLUMN_DROPPED: Spec = Spec::new(
    "column_dropped",
    "a column can be dropped",
    &["drop_column"],
    &[],
);
pub(super) const DROPPED_NOT_LISTED: Spec = Spec::new(
    "dropped_column_not_listed",
    "a dropped column disappears",
    &["get_columns_query"],
    &[],
);

/// Adds a column and drops it.
pub(super) fn alter(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    made: Option<&[Column]>,
    (tier, patience): (Tier, Duration),
) {
    let can_select = made.is_some();
    // The contract asks for the one column only.
    let known = |columns: Option<Vec<Column>>| columns.filter(|_| tier == Tier::Strict);
    let text_type = chain.text_type();
    let adds = Change::Add {
        column_type: &text_type,
        to: made,
    };
    let added = change(chain, (&COLUMN_ADDED, adds), (tables, can_select, tier));
    let Some(added) = added else {
        for spec in [&ADDED_LISTED, &COLUMN_DROPPED, &DROPPED_NOT_LISTED] {
            chain.not_reached(spec, &COLUMN_ADDED);
        }
        return;
    };
    let added = known(added);
    watch(
        chain,
        (&ADDED_LISTED, true),
        tables,
        (patience, added.as_deref()),
    );
    let drops = Change::Drop {
        from: added.as_deref(),
    };
    let dropped = change(chain, (&COLUMN_DROPPED, drops), (tables, can_select, tier));
    match dropped {
        Some(left) => watch(
            chain,
            (&DROPPED_NOT_LISTED, false),
            tables,
            (patience, known(left).as_deref()),
        ),
        None => chain.not_reached(&DROPPED_NOT_LISTED, &COLUMN_DROPPED),
    }
}

/// What is done to the table's columns.
#[derive(Clone, Copy)]
enum Change<'c> {
    Add {
        column_type: &'c str,
        /// The columns before.
        to: Option<&'c [Column]>,
    },
    Drop {
        /// The columns before.
        from: Option<&'c [Column]>,
    },
}

impl Change<'_> {
    /// The template that does it, and its variables.
    fn statement(&self, table: &TestTable) -> (&'static str, Vec<(&'static str, TemplateValue)>) {
        let mut variables = table.variables();
        variables.push(("column_name", text(COLUMN)));
        match self {
            Self::Add { column_type, .. } => {
                variables.push(("column_type", text(*column_type)));
                ("add_column", variables)
            }
            Self::Drop { .. } => ("drop_column", variables),
        }
    }
}

/// Changes the table's columns. Gives those that it has now, where it can be selected from.
fn change(
    chain: &mut Chain<'_>,
    (spec, change): (&Spec, Change<'_>),
    (tables, can_select, tier): (&TestTables, bool, Tier),
) -> Option<Option<Vec<Column>>> {
    let (name, variables) = change.statement(&tables.changed);
    chain.check(
        spec,
        |asking| {
            asking.announce(|ahead| {
                ahead.query(name, variables.clone());
                if can_select {
                    ahead.then(|ahead| tables.changed.no_rows(ahead));
                }
                if let Some(variables) = column_variables(std::slice::from_ref(&tables.changed)) {
                    ahead.query("get_columns_query", variables);
                }
            });
            asking.query(name, variables)?;
            asking.keep();
            if can_select {
                let sql = tables.changed.no_rows(asking)?;
                asking.run(None, &sql)?;
            }
            Ok(())
        },
        |answers| {
            let Some(result) = answers.results().last() else {
                return Ok(None);
            };
            let names = || result.columns.iter().map(|column| column.name.as_str());
            let is_there = matches!(change, Change::Add { .. });
            if let Seen::Otherwise { expected, got } = column_is(is_there, names()) {
                return Err(wrong(expected, got));
            }
            if tier != Tier::Strict {
                return Ok(Some(result.columns.clone()));
            }
            let (before, by) = match change {
                Change::Add { to, .. } => (to, 1),
                Change::Drop { from } => (from, -1),
            };
            let is_off = |before: &[Column]| {
                before.len().checked_add_signed(by) != Some(result.columns.len())
            };
            if before.is_some_and(is_off) {
                let got = names().collect::<Vec<_>>().join(", ");
                let expected = "no change of the other columns";
                return Err(wrong(expected, format!("the columns {got}")));
            }
            if let Change::Add { column_type, .. } = change {
                is_of_texts(&result.columns, column_type)?;
            }
            Ok(Some(result.columns.clone()))
        },
    )
}

/// Watches the table's columns in the catalogue.
fn watch(
    chain: &mut Chain<'_>,
    (spec, there): (&Spec, bool),
    tables: &TestTables,
    (patience, selected): (Duration, Option<&[Column]>),
) {
    let table = [tables.changed.clone()];
    let read = |answers: &Answers| -> Judged<Seen<()>> {
        let listed = answers.read(read_columns)?;
        let Some(selected) = selected else {
            return Ok(column_is(
                there,
                listed.iter().map(|column| column.name.as_str()),
            ));
        };
        match columns_differ(&listed, &table[0].id(), selected, Hidden::No) {
            Err(Outcome::Wrong(Fault::Answer { expected, got })) => {
                Ok(Seen::Otherwise { expected, got })
            }
            judged => judged.map(Seen::AsExpected),
        }
    };
    chain.watch(
        spec,
        patience,
        |_| Ok(()),
        |asking, _| ask_columns(asking, &table),
        read,
    );
}

/// Judges that the driver takes the added column for one of texts, where it takes another for one.
fn is_of_texts(columns: &[Column], of_type: &str) -> Judged<()> {
    let (added, others): (Vec<&Column>, Vec<&Column>) =
        columns.iter().partition(|column| is_added(&column.name));
    let tells = |column: &&&Column| family(&column.type_name) == Some(Family::Text);
    let is_another =
        |column: &&&Column| family(&column.type_name).is_some_and(|told| told != Family::Text);
    match (others.iter().find(tells), added.iter().find(is_another)) {
        (Some(_), Some(column)) => Err(wrong(
            format!("the added column `{}` with the type {of_type}", column.name),
            format!("one that the driver calls {}", column.type_name),
        )),
        _ => Ok(()),
    }
}

/// Whether this is the added column's name; some databases put the table's before it.
fn is_added(name: &str) -> bool {
    let name = name.rsplit('.').next();
    name.is_some_and(|name| name.eq_ignore_ascii_case(COLUMN))
}

fn column_is<'n>(there: bool, names: impl Iterator<Item = &'n str>) -> Seen<()> {
    let names: Vec<&str> = names.collect();
    if names.iter().any(|name| is_added(name)) == there {
        return Seen::AsExpected(());
    }
    let article = if there { "a" } else { "no" };
    Seen::Otherwise {
        expected: format!("{article} column `{COLUMN}`"),
        got: format!("the columns {}", names.join(", ")),
    }
}
