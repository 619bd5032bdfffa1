//! The way to what was made: its database and schema are listed, under the names that lead there.

use super::table::{TestTable, TestTables};
use crate::warehouse::chain::{Chain, Spec, text};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{all_names, read_tables, repeated};
use crate::warehouse::outcome::Outcome;

pub(super) const DATABASE_LISTED: Spec = Spec::new(
    "database_listed",
    "the databases lead to a new table",
    &["get_databases_query"],
    &[],
)
.strict();
pub(super) const SCHEMA_LISTED: Spec = Spec::new(
    "schema_listed",
    "the schemas lead to a new table",
    &["get_schemas_query"],
    &[],
)
.strict();
/// The name of the table's database in the catalogue: its own or, where the database does not mind, in another case.
pub(super) fn find_database(chain: &mut Chain<'_>, tables: &TestTables) -> Option<String> {
    let TestTable {
        database, schema, ..
    } = &tables.changed;
    chain.check(
        &DATABASE_LISTED,
        |asking| {
            let listed = asking.query_apart("get_databases_query", Vec::new())?;
            let listed = all_names(&listed).unwrap_or_default();
            if !listed.contains(database)
                && let Some(other) = in_other_case(&listed, database)
            {
                // The first answer stays the one that is judged by.
                for name in [other, database] {
                    asking.query_apart("get_schemas_query", vec![("database_name", text(name))])?;
                }
            }
            Ok(())
        },
        |answers| {
            let mut results = answers.results();
            let listed = results.next().map(all_names).unwrap_or(Ok(Vec::new()))?;
            let found = named(&listed, database, "database")?;
            let leads = |result: Option<&_>| {
                let names = result.map(all_names).unwrap_or(Ok(Vec::new()))?;
                Ok::<_, Outcome>(names.iter().any(|name| name.eq_ignore_ascii_case(schema)))
            };
            if found != database && !leads(results.next())? && leads(results.next())? {
                return Err(wrong(
                    format!("the database `{database}`, in which the schema `{schema}` is"),
                    format!("`{found}`, in which it is not"),
                ));
            }
            Ok(found.to_owned())
        },
    )
}

/// The same for its schema.
pub(super) fn find_schema(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    database: &str,
) -> Option<String> {
    let schema = &tables.changed.schema;
    chain.check(
        &SCHEMA_LISTED,
        |asking| {
            let listed =
                asking.query_apart("get_schemas_query", vec![("database_name", text(database))])?;
            let listed = all_names(&listed).unwrap_or_default();
            if !listed.contains(schema)
                && let Some(other) = in_other_case(&listed, schema)
            {
                for name in [other, schema] {
                    let tables = tables.found_in(database, name);
                    tables.ask_rows(asking, &[&tables.changed])?;
                }
            }
            Ok(())
        },
        |answers| {
            let mut results = answers.results();
            let listed = results.next().map(all_names).unwrap_or(Ok(Vec::new()))?;
            let found = named(&listed, schema, "schema")?;
            let leads = |result: Option<&_>| {
                let rows = result.map(read_tables).unwrap_or(Ok(Vec::new()))?;
                Ok::<_, Outcome>(tables.changed.row(&rows).is_some())
            };
            if found != schema && !leads(results.next())? && leads(results.next())? {
                return Err(wrong(
                    format!("the schema `{schema}`, in which a new table is"),
                    format!("`{found}`, in which it is not"),
                ));
            }
            Ok(found.to_owned())
        },
    )
}

fn in_other_case<'n>(names: &'n [String], wanted: &str) -> Option<&'n String> {
    names.iter().find(|name| name.eq_ignore_ascii_case(wanted))
}

/// The name that is meant among those listed, each of which comes once.
fn named<'n>(listed: &'n [String], wanted: &str, what: &str) -> Judged<&'n str> {
    if let Some(twice) = repeated(listed) {
        return Err(wrong(
            format!("each {what} once"),
            format!("`{twice}` again"),
        ));
    }
    let exact = listed.iter().find(|name| *name == wanted);
    exact
        .or_else(|| in_other_case(listed, wanted))
        .map(String::as_str)
        .ok_or_else(|| {
            let names: Vec<String> = listed.iter().map(|name| format!("`{name}`")).collect();
            wrong(
                format!("the {what} `{wanted}`, in which a new table is"),
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                },
            )
        })
}
