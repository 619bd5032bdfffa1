//! The section `metadata`: databases, schemas, tables and columns, each asked for with what the one before found.

mod proofs;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_contract::Capability;
use bowline_driver::ResultSet;
use bowline_template::TemplateValue;
use bowline_words::listed;

use self::proofs::Found;
pub(crate) use self::proofs::{ALL_COLUMNS, IDENTIFIED, OTHER_SCHEMA, PAGES};
pub(crate) use self::tables::{
    ALL, Table, columns_variables, first_names, full_table_id, is_timestamp, read_columns,
    read_tables, require_columns, tables_variables,
};
use crate::Tier;
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, Spec, quoted_list, text};
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};

/// How many schemas are looked into, and how many tables are asked for by name.
const SCHEMAS: usize = 5;
const TABLES_BY_NAME: usize = 3;

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

/// Runs the chain. `passing` is the table that functional checks make and drop meanwhile: what is said of it here
/// would depend on the moment.
pub(crate) fn metadata(mut chain: Chain<'_>, tier: Tier, passing: Option<&str>) -> Vec<Finding> {
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

/// Whether a table has something.
type Has = fn(&Table) -> bool;

/// Asks one thing after the other; gives the check without which there is no going on.
fn walk(chain: &mut Chain<'_>, tier: Tier, passing: Option<&str>) -> Result<(), &'static Spec> {
    let database = chain
        .check(
            &DATABASES,
            |asking| asking.query("get_databases_query", Vec::new()),
            first_database,
        )
        .ok_or(&DATABASES)?;
    let schemas = chain
        .check(
            &SCHEMA_NAMES,
            |asking| {
                asking.query(
                    "get_schemas_query",
                    vec![("database_name", text(&database))],
                )
            },
            some_schemas,
        )
        .ok_or(&SCHEMA_NAMES)?;
    let tables = chain
        .check(
            &TABLES,
            |asking| {
                let variables = tables_variables(&database, &schemas, None, ALL);
                list_tables(asking, &variables)
            },
            |answers| some_tables(answers, &schemas, passing),
        )
        .ok_or(&TABLES)?;
    let named: BTreeSet<&str> = tables
        .iter()
        .map(|table| table.name.as_str())
        .take(TABLES_BY_NAME)
        .collect();
    chain.check(
        &TABLES_BY_NAMES,
        |asking| {
            let names = Some(quoted_list(named.iter().copied()));
            let variables = tables_variables(&database, &schemas, names, ALL);
            list_tables(asking, &variables)
        },
        |answers| exactly(answers, &named),
    );
    let has: [(&Spec, Has); 3] = [
        (&ROW_COUNT, |table| table.row_count.is_some()),
        (&BYTE_COUNT, |table| table.byte_count.is_some()),
        (&LAST_UPDATE_TIME, |table| table.last_update_time.is_some()),
    ];
    for (spec, has) in has {
        let judged = if tables.iter().any(has) {
            Ok(())
        } else {
            Err(Outcome::Unsupported(Proof::Absent(format!(
                "no table has a {}",
                spec.id
            ))))
        };
        chain.check_known(spec, judged);
    }
    let ids: Vec<String> = tables
        .iter()
        .map(|table| full_table_id(&database, &table.schema, &table.name))
        .collect();
    chain.check(
        &TABLE_COLUMNS,
        |asking| {
            let schemas: BTreeSet<&str> =
                tables.iter().map(|table| table.schema.as_str()).collect();
            let variables = columns_variables(
                &database,
                ids.iter().map(String::as_str),
                schemas.iter().copied(),
            );
            asking.query("get_columns_query", variables)
        },
        |answers| columns_of(answers, &ids),
    );
    if tier == Tier::Strict {
        let found = Found {
            database: &database,
            schemas: &schemas,
            tables: &tables,
            passing,
        };
        proofs::prove(chain, &found);
    }
    Ok(())
}

/// Asks for tables. One that is dropped between being listed and being counted is nobody's fault, so a missing
/// object is asked for again once.
fn list_tables(
    asking: &mut Asking<'_>,
    variables: &[(&'static str, TemplateValue)],
) -> Result<Arc<ResultSet>, Halt> {
    match asking.query_what_may_be_missing("get_tables_query", variables.to_vec())? {
        Some(result) => Ok(result),
        None => {
            asking.forget();
            asking.query("get_tables_query", variables.to_vec())
        }
    }
}

fn first_database(answers: &Answers) -> Judged<String> {
    let mut names = answers.read(|result| first_names(result, 1))?;
    names.pop().ok_or_else(|| nothing("no database"))
}

fn some_schemas(answers: &Answers) -> Judged<Vec<String>> {
    match answers.read(|result| first_names(result, SCHEMAS))? {
        names if names.is_empty() => Err(nothing("no schema")),
        names => Ok(names),
    }
}

fn some_tables(answers: &Answers, schemas: &[String], passing: Option<&str>) -> Judged<Vec<Table>> {
    let mut tables = answers.read(read_tables)?;
    tables.retain(|table| passing.is_none_or(|name| !table.name.eq_ignore_ascii_case(name)));
    if tables.is_empty() {
        let schemas = schemas.join(", ");
        return Err(nothing(format!("no table in the schemas {schemas}")));
    }
    Ok(tables)
}

fn exactly(answers: &Answers, asked: &BTreeSet<&str>) -> Judged<()> {
    let found = answers.read(read_tables)?;
    let found: BTreeSet<&str> = found.iter().map(|table| table.name.as_str()).collect();
    if found == *asked {
        Ok(())
    } else {
        Err(wrong(
            format!("the tables {}", list(asked)),
            format!("the tables {}", list(&found)),
        ))
    }
}

fn columns_of(answers: &Answers, asked: &[String]) -> Judged<()> {
    let columns = answers.read(read_columns)?;
    let asked: BTreeSet<&String> = asked.iter().collect();
    let stray = columns.iter().find(|(table, _)| !asked.contains(table));
    match stray {
        Some((table, _)) => Err(wrong(
            "columns of the tables asked for only",
            format!("a column of `{table}`"),
        )),
        None if columns.is_empty() => Err(wrong("at least one column", "no rows")),
        None => Ok(()),
    }
}

fn nothing(what: impl Into<String>) -> Outcome {
    Outcome::Unknown(Doubt::NothingToSee(what.into()))
}

fn list(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        "(none)".to_owned()
    } else {
        listed(names)
    }
}
