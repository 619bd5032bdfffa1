//! The section `metadata`: databases, schemas, tables and columns, each asked for with what the one before found.

use std::collections::BTreeSet;
use std::sync::Arc;

use bigdecimal::{BigDecimal, Signed};
use bowline_connector::template::TemplateSet;
use bowline_contract::{Capability, SuiteSection};
use bowline_driver::{ResultSet, SqlErrorKind, Value};
use bowline_template::TemplateValue;
use bowline_words::listed;

use crate::warehouse::chain::{Asked, Chain, Spec, quoted_list, text};
use crate::warehouse::expect::{describe, spell};
use crate::warehouse::finding::{Finding, wrong};
use crate::warehouse::metadata_proofs::{self, Found};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};
use crate::warehouse::reading;
use crate::warehouse::session::Session;
use crate::{CheckInfo, Tier};

const TABLE_LIMIT: i64 = 5000;
/// How many schemas are looked into, and how many tables are asked for by name.
const SCHEMAS: usize = 5;
const TABLES_BY_NAME: usize = 3;

const REQUIRED: [&str; 4] = ["database_name", "schema_name", "table_name", "table_type"];
const COLUMNS: [&str; 3] = ["full_table_id", "column_name", "column_type"];

pub(crate) const DATABASES: Spec = Spec::new(
    "databases",
    "the first database is named",
    &["get_databases_query"],
    &[Capability::Metadata],
);
pub(crate) const SCHEMA_NAMES: Spec = Spec::new(
    "schemas",
    "the database has a schema",
    &["get_schemas_query"],
    &[Capability::Metadata],
);
pub(crate) const TABLES: Spec = Spec::new(
    "tables",
    "tables come with lower-case column names and well-formed values",
    &["get_tables_query"],
    &[Capability::Metadata],
);
pub(crate) const TABLES_BY_NAMES: Spec = Spec::new(
    "tables_by_name",
    "tables asked for by name are exactly the ones that come",
    &["get_tables_query"],
    &[Capability::Metadata],
);
pub(crate) const ROW_COUNT: Spec = Spec::new(
    "row_count",
    "a table has a row count",
    &[],
    &[Capability::VolumeRows],
);
pub(crate) const BYTE_COUNT: Spec = Spec::new(
    "byte_count",
    "a table has a byte count",
    &[],
    &[Capability::VolumeBytes],
);
pub(crate) const LAST_UPDATE_TIME: Spec = Spec::new(
    "last_update_time",
    "a table has a time of its last update",
    &[],
    &[Capability::Freshness],
);
pub(crate) const TABLE_COLUMNS: Spec = Spec::new(
    "columns",
    "the found tables' columns come with names and types",
    &["get_columns_query"],
    &[Capability::Schema],
);

/// The checks that every run of the chain answers, in the order in which they build on each other.
const ORDER: [&Spec; 8] = [
    &DATABASES,
    &SCHEMA_NAMES,
    &TABLES,
    &TABLES_BY_NAMES,
    &ROW_COUNT,
    &BYTE_COUNT,
    &LAST_UPDATE_TIME,
    &TABLE_COLUMNS,
];

/// Which of the tables are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Request {
    /// As many as are ever asked for at once.
    pub(crate) const ALL: Self = Self {
        limit: TABLE_LIMIT,
        offset: 0,
    };
}

/// A table, as the metadata query gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) row_count: Option<BigDecimal>,
    pub(crate) byte_count: Option<BigDecimal>,
    pub(crate) last_update_time: Option<jiff::Timestamp>,
    is_full: [bool; 3],
}

/// Runs the chain. `passing` is the table that functional checks make and drop meanwhile: what is said of it here
/// would depend on the moment.
pub(crate) fn metadata(
    templates: Arc<TemplateSet>,
    session: &mut Session,
    tier: Tier,
    passing: Option<&str>,
) -> Vec<Finding> {
    let mut chain = Chain::new(SuiteSection::Metadata, templates, session);
    if let Err(failed) = walk(&mut chain, tier, passing) {
        let reached = ORDER.iter().position(|spec| spec.id == failed.id);
        for spec in ORDER
            .iter()
            .skip(reached.map_or(0, |position| position + 1))
        {
            chain.not_reached(spec, failed);
        }
    }
    chain.finish()
}

/// Asks one thing after the other; gives the check without which there is no going on.
fn walk(chain: &mut Chain<'_>, tier: Tier, passing: Option<&str>) -> Result<(), &'static Spec> {
    let database = chain
        .check(&DATABASES, |chain, info| {
            let result = chain.query(info, "get_databases_query", Vec::new())?;
            first_names(&result, 1)?
                .pop()
                .ok_or_else(|| Outcome::Unknown(Doubt::NothingToSee("no database".to_owned())))
        })
        .ok_or(&DATABASES)?;
    let schemas = chain
        .check(&SCHEMA_NAMES, |chain, info| {
            let result = chain.query(
                info,
                "get_schemas_query",
                vec![("database_name", text(&database))],
            )?;
            match first_names(&result, SCHEMAS)? {
                names if names.is_empty() => Err(Outcome::Unknown(Doubt::NothingToSee(
                    "no schema".to_owned(),
                ))),
                names => Ok(names),
            }
        })
        .ok_or(&SCHEMA_NAMES)?;
    let tables = chain
        .check(&TABLES, |chain, info| {
            let variables = tables_variables(&database, &schemas, None, Request::ALL);
            let mut tables = list_tables(chain, info, variables)?;
            tables
                .retain(|table| passing.is_none_or(|name| !table.name.eq_ignore_ascii_case(name)));
            match tables {
                tables if tables.is_empty() => Err(Outcome::Unknown(Doubt::NothingToSee(format!(
                    "no table in the schemas {}",
                    schemas.join(", ")
                )))),
                tables => Ok(tables),
            }
        })
        .ok_or(&TABLES)?;
    chain.check(&TABLES_BY_NAMES, |chain, info| {
        let asked: BTreeSet<&str> = tables
            .iter()
            .map(|table| table.name.as_str())
            .take(TABLES_BY_NAME)
            .collect();
        let names = quoted_list(asked.iter().copied());
        let found = list_tables(
            chain,
            info,
            tables_variables(&database, &schemas, Some(names), Request::ALL),
        )?;
        let found: BTreeSet<&str> = found.iter().map(|table| table.name.as_str()).collect();
        if found == asked {
            Ok(())
        } else {
            Err(wrong(
                format!("the tables {}", list(&asked)),
                format!("the tables {}", list(&found)),
            ))
        }
    });
    for (position, spec) in [&ROW_COUNT, &BYTE_COUNT, &LAST_UPDATE_TIME]
        .into_iter()
        .enumerate()
    {
        chain.check(spec, |_, _| {
            match tables.iter().any(|table| table.is_full[position]) {
                true => Ok(()),
                false => Err(Outcome::Unsupported(Proof::Absent(format!(
                    "no table has a {}",
                    spec.id
                )))),
            }
        });
    }
    chain.check(&TABLE_COLUMNS, |chain, info| {
        let ids: Vec<String> = tables
            .iter()
            .map(|table| full_table_id(&database, &table.schema, &table.name))
            .collect();
        let schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
        let result = chain.query(
            info,
            "get_columns_query",
            columns_variables(
                &database,
                ids.iter().map(String::as_str),
                schemas.iter().copied(),
            ),
        )?;
        let columns = read_columns(&result)?;
        let asked: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        match columns
            .iter()
            .find(|(table, _)| !asked.contains(table.as_str()))
        {
            Some((table, _)) => Err(wrong(
                "columns of the tables asked for only",
                format!("a column of `{table}`"),
            )),
            None if columns.is_empty() => Err(wrong("at least one column", "no rows")),
            None => Ok(()),
        }
    });
    if tier == Tier::Strict {
        metadata_proofs::prove(
            chain,
            &Found {
                database: &database,
                schemas: &schemas,
                tables: &tables,
                passing,
            },
        );
    }
    Ok(())
}

/// Asks for tables. One that is dropped between being listed and being counted is nobody's fault, so a missing
/// object is asked for again once.
pub(crate) fn list_tables(
    chain: &mut Chain<'_>,
    info: &CheckInfo,
    variables: Vec<(&'static str, TemplateValue)>,
) -> Asked<Vec<Table>> {
    let result = match chain.query(info, "get_tables_query", variables.clone()) {
        Err(Outcome::Unsupported(Proof::Refused(error)))
            if error.kind == SqlErrorKind::MissingObject =>
        {
            chain.query(info, "get_tables_query", variables)?
        }
        answer => answer?,
    };
    read_tables(&result)
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
    request: Request,
) -> Vec<(&'static str, TemplateValue)> {
    vec![
        ("database_name", text(database)),
        ("schemas", quoted_list(schemas.iter().map(String::as_str))),
        ("offset", TemplateValue::Integer(request.offset)),
        ("limit", TemplateValue::Integer(request.limit)),
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
pub(crate) fn first_names(result: &ResultSet, rows: usize) -> Asked<Vec<String>> {
    let name = |row: &Vec<Value>| match row.first() {
        Some(Value::Text(name)) if !name.is_empty() => Ok(name.clone()),
        Some(other) => Err(wrong("a name in the first column", spell(other))),
        None => Err(wrong("a name in the first column", "no columns")),
    };
    result.rows.iter().take(rows).map(name).collect()
}

/// Reads and checks a result of the tables query.
pub(crate) fn read_tables(result: &ResultSet) -> Asked<Vec<Table>> {
    require_columns(result, &REQUIRED)?;
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
            let [_, schema, name, table_type] = required_texts(result, row, REQUIRED)?;
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
                schema,
                name,
                row_count: reading::whole_number(row_count),
                byte_count: reading::whole_number(byte_count),
                last_update_time: updated,
                is_full: [row_count, byte_count, last_update_time].map(|value| !value.is_null()),
            })
        })
        .collect()
}

/// Reads and checks a result of the columns query: full table id and column name.
pub(crate) fn read_columns(result: &ResultSet) -> Asked<Vec<(String, String)>> {
    require_columns(result, &COLUMNS)?;
    result
        .rows
        .iter()
        .map(|row| required_texts(result, row, COLUMNS).map(|[table, column, _]| (table, column)))
        .collect()
}

/// A timestamp, or text that spells one; numbers do not count.
pub(crate) fn is_timestamp(value: &Value) -> bool {
    matches!(
        value,
        Value::Timestamp(_) | Value::TimestampTz(_) | Value::Text(_)
    ) && reading::wall_clock(value).is_some()
}

/// The agent maps columns by name, so the names must be these, in lower case.
pub(crate) fn require_columns(result: &ResultSet, names: &[&str]) -> Asked<()> {
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
) -> Asked<[String; N]> {
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

fn list(names: &BTreeSet<&str>) -> String {
    match names.len() {
        0 => "(none)".to_owned(),
        _ => listed(names),
    }
}
