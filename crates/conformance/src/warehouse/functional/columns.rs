//! A column is added and dropped again: the catalogue's columns must follow.

use std::time::Duration;

use bigdecimal::BigDecimal;
use bowline_driver::Column;
use bowline_template::TemplateValue;

use super::counts::ROWS;
use super::growth::kept_rows;
use super::listing::{ask_columns, column_variables};
use super::table::{TestTable, TestTables};
use crate::Tier;
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Answers, Halt};
use crate::warehouse::chain::{Chain, Seen, Spec, text};
use crate::warehouse::column_types::{Family, family};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{Hidden, ListedColumn, columns_differ, read_columns};
use crate::warehouse::outcome::{Fault, Outcome};
use crate::warehouse::reading;

/// With capitals, so that case counts.
const COLUMN: &str = "Bowline_Added";
/// How long texts may be at least, where their type has no length.
const SHORTEST_TEXT: u64 = 256;

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
        (&ADDED_LISTED, Some(&text_type)),
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
            (&DROPPED_NOT_LISTED, None),
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
    let counts = can_select
        && tier == Tier::Strict
        && kept_rows(chain).is_some()
        && chain.has("get_count_all_expression");
    chain.check(
        spec,
        |asking| {
            asking.announce(|ahead| {
                ahead.query(name, variables.clone());
                if counts {
                    ahead.then(|ahead| count(&tables.changed, ahead));
                }
                if can_select {
                    ahead.then(|ahead| tables.changed.no_rows(ahead));
                }
                if let Some(variables) = column_variables(std::slice::from_ref(&tables.changed)) {
                    ahead.query("get_columns_query", variables);
                }
            });
            asking.query(name, variables)?;
            asking.keep();
            if counts {
                let sql = count(&tables.changed, asking)?;
                asking.run(None, &sql)?;
            }
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
            if let Some(before) = before {
                keep_their_types(before, &result.columns)?;
            }
            if let Change::Add { column_type, .. } = change {
                is_of_texts(&result.columns, column_type)?;
            }
            let counted = answers.results().next().filter(|_| counts);
            let counted = counted.and_then(|result| reading::whole_number(result.scalar()?));
            let least = BigDecimal::from(ROWS);
            if let Some(rows) = counted.filter(|rows| *rows < least) {
                let before = "rows or more that the table had before its columns changed";
                return Err(wrong(
                    format!("the {ROWS} {before}"),
                    format!("{rows} rows"),
                ));
            }
            Ok(Some(result.columns.clone()))
        },
    )
}

/// Watches the table's columns in the catalogue; `of_type` is what the added one is of, where it is there.
fn watch(
    chain: &mut Chain<'_>,
    (spec, of_type): (&Spec, Option<&str>),
    tables: &TestTables,
    (patience, selected): (Duration, Option<&[Column]>),
) {
    let table = [tables.changed.clone()];
    let read = |answers: &Answers| -> Judged<Seen<()>> {
        let listed = answers.read(read_columns)?;
        let Some(selected) = selected else {
            return Ok(column_is(
                of_type.is_some(),
                listed.iter().map(|column| column.name.as_str()),
            ));
        };
        let differ = columns_differ(&listed, &table[0].id(), selected, Hidden::No);
        match differ.and_then(|()| is_listed_as_texts(&listed, selected, of_type)) {
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

/// A query of how many rows a table has.
fn count(table: &TestTable, with: &impl Renders) -> Result<String, Halt> {
    let count = with.render("get_count_all_expression", Vec::new())?;
    Ok(format!("SELECT {count} FROM {}", table.identifier(with)?))
}

/// Judges that columns that were there before are what they were, as the driver tells it.
fn keep_their_types(before: &[Column], after: &[Column]) -> Judged<()> {
    let changed = before.iter().find_map(|column| {
        let now = after.iter().find(|now| now.name == column.name)?;
        (now.type_name != column.type_name).then_some((column, now))
    });
    match changed {
        Some((column, now)) => Err(wrong(
            format!(
                "{} for the column `{}` as before",
                column.type_name, column.name
            ),
            now.type_name.clone(),
        )),
        None => Ok(()),
    }
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

/// Judges that the added column is listed with a type for texts, where the asked one is known for that: none for shorter
/// ones, and none that says nothing where the driver has that very name for it, or none where others are told for texts.
fn is_listed_as_texts(
    listed: &[ListedColumn],
    selected: &[Column],
    of_type: Option<&str>,
) -> Judged<()> {
    let column = listed.iter().find(|column| is_added(&column.name));
    let of_type = of_type.filter(|name| family(name) == Some(Family::Text));
    let (Some(column), Some(of_type)) = (column, of_type) else {
        return Ok(());
    };
    let is_text = |told: &Column| family(&told.type_name) == Some(Family::Text);
    let is_known = |told: &Column| {
        let is_bare = told.type_name.is_empty() && selected.iter().any(is_text);
        is_added(&told.name) && (is_bare || told.type_name.eq_ignore_ascii_case(of_type))
    };
    let is_other = match family(&column.type_name) {
        Some(family) => family != Family::Text,
        None => selected.iter().any(is_known),
    };
    let bare = |name: &str| name.split('(').next().unwrap_or(name).trim().to_lowercase();
    // Some databases have a short length of their own where none is said, and list it.
    let is_the_same = bare(&column.type_name) == bare(of_type);
    let shortest = if is_the_same { 0 } else { SHORTEST_TEXT };
    let least = length(of_type).unwrap_or(shortest);
    if is_other || length(&column.type_name).is_some_and(|length| length < least) {
        return Err(wrong(
            format!(
                "a type like {of_type} for the added column `{}`",
                column.name
            ),
            format!("`{}`", column.type_name),
        ));
    }
    Ok(())
}

/// The length that a type's name has in brackets.
fn length(type_name: &str) -> Option<u64> {
    let (_, after) = type_name.split_once('(')?;
    let end = after.find(|sign: char| !sign.is_ascii_digit());
    let (digits, rest) = after.split_at(end.unwrap_or(after.len()));
    // `1M` is no length of one.
    let is_unit = rest.starts_with(|sign: char| sign.is_alphabetic());
    digits.parse().ok().filter(|_| !is_unit)
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
