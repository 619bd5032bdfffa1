//! What the metadata templates are asked with, and how their rows are read and checked.

use std::collections::BTreeSet;

use bigdecimal::{BigDecimal, Signed};
use bowline_driver::{Column, ResultSet, Value};
use bowline_template::TemplateValue;
use bowline_words::listed;

use crate::warehouse::chain::{PageRequest, quoted_list, text};
use crate::warehouse::column_types::{contradiction, is_no_name, tells_of_null};
use crate::warehouse::expect::{describe, spell};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::reading;

const TABLE_LIMIT: i64 = 5000;
/// The letters of the shortest names of types: `bit`, `int`.
const SHORTEST_TYPE: usize = 3;

const REQUIRED: [&str; 4] = ["database_name", "schema_name", "table_name", "table_type"];
const OPTIONAL: [&str; 4] = ["row_count", "byte_count", "last_update_time", "view_query"];
const COLUMNS: [&str; 3] = ["full_table_id", "column_name", "column_type"];

/// As many tables as are ever asked for at once.
pub(crate) const ALL: PageRequest = PageRequest {
    limit: TABLE_LIMIT,
    offset: 0,
};

/// A table, as the metadata query gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) database: String,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) is_view: bool,
    /// A view's definition, where the catalogue has it.
    pub(crate) view_query: Option<String>,
    pub(crate) row_count: Option<BigDecimal>,
    pub(crate) byte_count: Option<BigDecimal>,
    pub(crate) last_update_time: Option<jiff::Timestamp>,
}

impl Table {
    /// When it was last updated; the beginning of the epoch is what engines say that keep no time.
    pub(crate) fn updated(&self) -> Option<jiff::Timestamp> {
        let told = self.last_update_time;
        told.filter(|at| *at != jiff::Timestamp::UNIX_EPOCH)
    }
}

/// A table's full name, as the contract joins it.
pub(crate) fn full_table_id(database: &str, schema: &str, table: &str) -> String {
    format!("{database}.{schema}.{table}")
}

/// The variables of the tables query.
pub(crate) fn tables_variables(
    database: &str,
    schemas: &[String],
    names: Option<TemplateValue>,
    page: PageRequest,
) -> Vec<(&'static str, TemplateValue)> {
    vec![
        ("database_name", text(database)),
        ("schemas", quoted_list(schemas.iter().map(String::as_str))),
        ("offset", TemplateValue::Integer(page.offset)),
        ("limit", TemplateValue::Integer(page.limit)),
        ("table_names", names.unwrap_or(TemplateValue::None)),
    ]
}

/// The variables of the columns query.
pub(crate) fn columns_variables<'n>(
    database: &str,
    tables: impl Iterator<Item = &'n str>,
    schemas: impl Iterator<Item = &'n str>,
) -> Vec<(&'static str, TemplateValue)> {
    vec![
        ("database_name", text(database)),
        ("tables", quoted_list(tables)),
        ("schemas", quoted_list(schemas)),
    ]
}

/// The first column of the first rows, which must be text.
pub(crate) fn first_names(result: &ResultSet, rows: usize) -> Judged<Vec<String>> {
    let name = |row: &Vec<Value>| match row.first() {
        Some(Value::Text(name)) if !name.is_empty() => Ok(name.clone()),
        Some(other) => Err(wrong("a name in the first column", spell(other))),
        None => Err(wrong("a name in the first column", "no columns")),
    };
    result.rows.iter().take(rows).map(name).collect()
}

/// The first column of all rows, which must be text.
pub(crate) fn all_names(result: &ResultSet) -> Judged<Vec<String>> {
    first_names(result, usize::MAX)
}

/// The first of some names that came before.
pub(crate) fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name))
}

/// Reads and checks a result of the tables query.
pub(crate) fn read_tables(result: &ResultSet) -> Judged<Vec<Table>> {
    require_columns(result, &REQUIRED, &OPTIONAL)?;
    if result.rows.len() > usize::try_from(TABLE_LIMIT).unwrap_or(usize::MAX) {
        return Err(wrong(
            format!("at most {TABLE_LIMIT} rows"),
            format!("{} rows", result.rows.len()),
        ));
    }
    let view_query = result.position("view_query");
    let optional =
        ["row_count", "byte_count", "last_update_time"].map(|name| result.position(name));
    result
        .rows
        .iter()
        .map(|row| {
            let [database, schema, name, table_type] = required_texts(result, row, REQUIRED)?;
            if !matches!(table_type.as_str(), "table" | "view") {
                return Err(wrong(
                    "`table` or `view` as table_type",
                    format!("'{table_type}' for `{name}`"),
                ));
            }
            let [row_count, byte_count, last_update_time] = optional.map(|position| {
                position
                    .and_then(|position| row.get(position))
                    .unwrap_or(&Value::Null)
            });
            if !row_count.is_null()
                && reading::whole_number(row_count).is_none_or(|count| count.is_negative())
            {
                return Err(wrong(
                    "a whole row_count, 0 or more",
                    format!("{} for `{name}`", spell(row_count)),
                ));
            }
            if !byte_count.is_null() && reading::whole_number(byte_count).is_none() {
                return Err(wrong(
                    "a whole byte_count",
                    format!("{} for `{name}`", spell(byte_count)),
                ));
            }
            let updated = is_timestamp(last_update_time)
                .then(|| reading::instant(last_update_time))
                .flatten();
            if !last_update_time.is_null() && updated.is_none() {
                return Err(wrong(
                    "a timestamp or ISO 8601 text as last_update_time",
                    format!("{} for `{name}`", spell(last_update_time)),
                ));
            }
            let view_text = view_query
                .and_then(|position| row.get(position))
                .unwrap_or(&Value::Null);
            if table_type == "table" && !view_text.is_null() {
                return Err(wrong(
                    "view_query on views only",
                    format!("{} for the table `{name}`", spell(view_text)),
                ));
            }
            Ok(Table {
                database,
                schema,
                name,
                is_view: table_type == "view",
                view_query: match view_text {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                },
                row_count: reading::whole_number(row_count),
                byte_count: reading::whole_number(byte_count),
                last_update_time: updated,
            })
        })
        .collect()
}

/// A column, as the metadata query gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedColumn {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) type_name: String,
}

/// Reads and checks a result of the columns query.
pub(crate) fn read_columns(result: &ResultSet) -> Judged<Vec<ListedColumn>> {
    require_columns(result, &COLUMNS, &[])?;
    result
        .rows
        .iter()
        .map(|row| {
            let [table, name, type_name] = required_texts(result, row, COLUMNS)?;
            if !type_name.contains(char::is_alphabetic) {
                return Err(wrong(
                    format!("the name of a type, for the column `{name}` of `{table}`"),
                    format!("`{type_name}`"),
                ));
            }
            Ok(ListedColumn {
                table,
                name,
                type_name,
            })
        })
        .collect()
}

/// Judges that no other table's columns came.
pub(crate) fn columns_stray(listed: &[ListedColumn], asked: &[String]) -> Judged<()> {
    match listed.iter().find(|column| !asked.contains(&column.table)) {
        None => Ok(()),
        Some(ListedColumn { table, .. }) => Err(wrong(
            "columns of the tables asked for only",
            format!("a column of `{table}`"),
        )),
    }
}

/// Whether a table may have columns that are listed and not selected with `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Somebody else made it: databases have columns that hide.
    Perhaps,
    /// It was made here, without any.
    No,
}

/// Judges the listed columns of a table by those that selecting from it gives: names, order and types.
pub(crate) fn columns_differ(
    listed: &[ListedColumn],
    id: &str,
    selected: &[Column],
    hidden: Hidden,
) -> Judged<()> {
    let mut listed: Vec<&ListedColumn> = listed.iter().filter(|each| each.table == id).collect();
    // Some databases put the table's name before the column's.
    let is_the_same = |selected: &Column, listed: &ListedColumn| {
        let rest = selected.name.strip_suffix(listed.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let missing = selected
        .iter()
        // What has no name may be left out.
        .filter(|column| hidden == Hidden::No || !column.name.is_empty())
        .find(|column| !listed.iter().any(|listed| is_the_same(column, listed)));
    let names = |listed: &[&ListedColumn]| match listed {
        [] => "no column".to_owned(),
        listed => in_a_row(listed.iter().map(|each| each.name.as_str())),
    };
    if let Some(column) = missing {
        return Err(wrong(
            format!("a column `{}` of `{id}`", column.name),
            names(&listed),
        ));
    }
    if hidden == Hidden::Perhaps {
        listed.retain(|listed| selected.iter().any(|column| is_the_same(column, listed)));
    }
    let is_in_order = listed.len() == selected.len()
        && selected
            .iter()
            .zip(&listed)
            .all(|(column, listed)| is_the_same(column, listed));
    if !is_in_order {
        let selected = selected.iter().map(|column| column.name.as_str());
        return Err(wrong(
            format!(
                "the columns of `{id}` in their order: {}",
                in_a_row(selected)
            ),
            names(&listed),
        ));
    }
    // Somebody else's columns may be called as their types.
    let begins_with_name = |each: &&ListedColumn| {
        let mut words = each.type_name.split_whitespace();
        let first = words.next();
        each.type_name == each.name
            || hidden == Hidden::No
                && first.is_some_and(|first| first.eq_ignore_ascii_case(&each.name))
    };
    if listed.len() > 1 && listed.iter().all(begins_with_name) {
        return Err(wrong(
            format!("the types of the columns of `{id}`"),
            format!("their names: `{}`", listed[0].type_name),
        ));
    }
    // What tables are made of here has types with long names everywhere: shorter ones are a catalogue's codes for them.
    let is_code = |listed: &ListedColumn| {
        let letters = listed.type_name.chars().filter(|sign| sign.is_alphabetic());
        letters.count() < SHORTEST_TYPE || is_no_name(&listed.type_name)
    };
    let is_no_type = |listed: &&&ListedColumn| {
        hidden == Hidden::No && (tells_of_null(&listed.type_name) || is_code(listed))
    };
    if let Some(column) = listed.iter().find(is_no_type) {
        return Err(wrong(
            format!("the type of the column `{}` of `{id}`", column.name),
            format!("`{}`", column.type_name),
        ));
    }
    let types = listed.iter().map(|each| each.type_name.as_str());
    match contradiction(selected, types, hidden) {
        None => Ok(()),
        Some((place, expected)) => Err(wrong(
            format!(
                "{expected}, for the column `{}` of `{id}`",
                selected[place].name
            ),
            format!("`{}`", listed[place].type_name),
        )),
    }
}

fn in_a_row<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// A timestamp, or text that spells one; numbers do not count.
pub(crate) fn is_timestamp(value: &Value) -> bool {
    matches!(
        value,
        Value::Timestamp(_) | Value::TimestampTz(_) | Value::Text(_)
    ) && reading::wall_clock(value).is_some()
}

/// The agent maps columns by name, so the names must be there, in lower case; what has one of them again, or of those that
/// may be left out, says the same.
pub(crate) fn require_columns(result: &ResultSet, names: &[&str], optional: &[&str]) -> Judged<()> {
    for (place, column) in result.columns.iter().enumerate() {
        let first = result.position(&column.name).unwrap_or(place);
        let differs = |row: &Vec<Value>| row.get(first) != row.get(place);
        let mut read = names.iter().chain(optional);
        if read.any(|name| *name == column.name) && result.rows.iter().any(differs) {
            return Err(wrong(
                format!("one column `{}`", column.name),
                "two of that name, which say different things",
            ));
        }
    }
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| result.position(name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = result.columns.iter().map(|column| &column.name);
    Err(wrong(
        format!("the columns {}, in lower case", listed(missing)),
        format!("the columns {}", listed(found)),
    ))
}

fn required_texts<const N: usize>(
    result: &ResultSet,
    row: &[Value],
    names: [&str; N],
) -> Judged<[String; N]> {
    let mut texts = [const { String::new() }; N];
    for (text, name) in texts.iter_mut().zip(names) {
        match result.position(name).and_then(|position| row.get(position)) {
            Some(Value::Text(value)) if !value.is_empty() => text.clone_from(value),
            Some(other) => return Err(wrong(format!("non-empty text in `{name}`"), spell(other))),
            None => return Err(wrong(format!("a column `{name}`"), describe(result))),
        }
    }
    Ok(texts)
}
