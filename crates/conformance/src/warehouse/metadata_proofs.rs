//! What the strict tier asks of metadata: that filters filter, pages are pages, and names lead to the tables they name.

use std::collections::BTreeSet;

use bowline_contract::Capability;
use bowline_driver::SqlErrorKind;

use crate::warehouse::chain::{Asked, Chain, Spec, text};
use crate::warehouse::finding::{refusal, wrong};
use crate::warehouse::metadata::{
    Request, Table, columns_variables, full_table_id, list_tables, read_columns, tables_variables,
};
use crate::warehouse::outcome::{Outcome, Proof};

/// How many tables are looked into: those whose names want the most care.
const LOOKED_INTO: usize = 3;
/// How many tables a listing may have for its pages to be walked.
const WALKED: usize = 1000;
/// How often pages are walked: tables that come and go meanwhile shift them.
const WALKS: usize = 3;
/// A schema that no database has.
const NO_SCHEMA: &str = "bowline_no_such_schema";

pub(crate) const IDENTIFIED: Spec = Spec::new(
    "table_identifier",
    "the tables that metadata names can be selected from",
    &["get_table_identifier"],
    &[Capability::FullQueryLanguage],
)
.strict();
pub(crate) const PAGES: Spec = Spec::new(
    "tables_by_page",
    "pages of tables are no longer than asked, and hold each table once",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();
pub(crate) const OTHER_SCHEMA: Spec = Spec::new(
    "tables_of_no_schema",
    "a schema that is not there has no tables",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();
pub(crate) const ALL_COLUMNS: Spec = Spec::new(
    "columns_of_tables",
    "a table's columns are those that selecting from it gives",
    &["get_columns_query"],
    &[Capability::Schema],
)
.strict();

/// What the metadata checks before these found.
pub(crate) struct Found<'f> {
    pub(crate) database: &'f str,
    pub(crate) schemas: &'f [String],
    /// Never empty.
    pub(crate) tables: &'f [Table],
    /// The table that comes and goes meanwhile.
    pub(crate) passing: Option<&'f str>,
}

/// Runs the checks that what was found gives something to ask about.
pub(crate) fn prove(chain: &mut Chain<'_>, found: &Found<'_>) {
    if (2..=WALKED).contains(&found.tables.len()) {
        chain.check(&PAGES, |chain, info| {
            let mut walked = walk(chain, info, found)?;
            for _ in 1..WALKS {
                if walked.is_ok() {
                    break;
                }
                walked = walk(chain, info, found)?;
            }
            walked.map_err(|seen| wrong(seen.expected, seen.got))
        });
    }
    chain.check(&OTHER_SCHEMA, |chain, info| {
        let variables =
            tables_variables(found.database, &[NO_SCHEMA.to_owned()], None, Request::ALL);
        match list_tables(chain, info, variables) {
            // Some databases refuse to look into a schema that is not there.
            Err(Outcome::Unsupported(Proof::Refused(error)))
                if error.kind == SqlErrorKind::MissingObject =>
            {
                Ok(())
            }
            Err(outcome) => Err(outcome),
            Ok(tables) => match tables.first() {
                None => Ok(()),
                Some(table) => Err(wrong(
                    format!("no table in the schema `{NO_SCHEMA}`"),
                    format!("`{}` of `{}`", table.name, table.schema),
                )),
            },
        }
    });
    if !chain.has("get_table_identifier") {
        return;
    }
    let looked_into = wanting_care(found.tables);
    let selected = chain.check(&IDENTIFIED, |chain, info| {
        let mut selected = Vec::new();
        for table in &looked_into {
            let variables = vec![
                ("database", text(found.database)),
                ("schema", text(&table.schema)),
                ("table", text(&table.name)),
            ];
            let identifier = chain.render(info, "get_table_identifier", variables)?;
            // The table may be huge: nothing is read from it.
            let sql = format!("SELECT * FROM {identifier} WHERE 1 = 0");
            let result = chain.session.run(None, &sql).map_err(refusal)?;
            let columns = result.columns.into_iter().map(|column| column.name);
            selected.push((*table, columns.collect::<Vec<_>>()));
        }
        Ok(selected)
    });
    if let Some(selected) = selected {
        chain.check(&ALL_COLUMNS, |chain, info| {
            let id = |table: &Table| full_table_id(found.database, &table.schema, &table.name);
            let ids: Vec<String> = selected.iter().map(|(table, _)| id(table)).collect();
            let schemas: BTreeSet<&str> = selected
                .iter()
                .map(|(table, _)| table.schema.as_str())
                .collect();
            let variables = columns_variables(
                found.database,
                ids.iter().map(String::as_str),
                schemas.iter().copied(),
            );
            let listed = read_columns(&chain.query(info, "get_columns_query", variables)?)?;
            for ((_, columns), id) in selected.iter().zip(&ids) {
                // Some databases put the table's name before the column's.
                let is_listed = |column: &str| {
                    listed.iter().any(|(table, name)| {
                        table == id
                            && (name == column
                                || column
                                    .strip_suffix(name.as_str())
                                    .is_some_and(|rest| rest.ends_with('.')))
                    })
                };
                if let Some(column) = columns.iter().find(|column| !is_listed(column)) {
                    return Err(wrong(
                        format!("a column `{column}` of `{id}`"),
                        "no such column",
                    ));
                }
            }
            Ok(())
        });
    }
}

struct Seen {
    expected: String,
    got: String,
}

/// Walks all tables in two or three pages; the inner error is a page that is not as it should be.
fn walk(
    chain: &mut Chain<'_>,
    info: &crate::CheckInfo,
    found: &Found<'_>,
) -> Asked<Result<(), Seen>> {
    let is_passing = |table: &Table| {
        found
            .passing
            .is_some_and(|name| table.name.eq_ignore_ascii_case(name))
    };
    let all = tables_variables(found.database, found.schemas, None, Request::ALL);
    let whole: BTreeSet<(String, String)> = list_tables(chain, info, all)?
        .into_iter()
        .filter(|table| !is_passing(table))
        .map(|table| (table.schema, table.name))
        .collect();
    let limit = whole.len().div_ceil(2).max(1);
    let mut names = Vec::new();
    // One page more than there should be: it ends the list.
    for page in 0..4 {
        let request = Request {
            limit: wide(limit),
            offset: wide(page * limit),
        };
        let variables = tables_variables(found.database, found.schemas, None, request);
        let tables = list_tables(chain, info, variables)?;
        if tables.len() > limit {
            return Ok(Err(Seen {
                expected: format!("at most {limit} tables with a limit of {limit}"),
                got: format!("{} tables", tables.len()),
            }));
        }
        let is_last = tables.len() < limit;
        names.extend(
            tables
                .into_iter()
                .filter(|table| !is_passing(table))
                .map(|table| (table.schema, table.name)),
        );
        if is_last {
            break;
        }
    }
    let once: BTreeSet<_> = names.iter().collect();
    if names.len() == whole.len()
        && once.len() == whole.len()
        && once.iter().all(|each| whole.contains(*each))
    {
        return Ok(Ok(()));
    }
    Ok(Err(Seen {
        expected: format!(
            "{} tables over all pages of {limit}, each once",
            whole.len()
        ),
        got: format!("{} tables, {} of them different", names.len(), once.len()),
    }))
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The tables whose names have the most signs that must be quoted, those first.
fn wanting_care(tables: &[Table]) -> Vec<&Table> {
    let signs = |table: &&Table| {
        let plain = |sign: &char| !sign.is_ascii_lowercase() && !sign.is_ascii_digit();
        std::cmp::Reverse(table.name.chars().filter(plain).count())
    };
    let mut sorted: Vec<&Table> = tables.iter().collect();
    sorted.sort_by_key(signs);
    sorted.truncate(LOOKED_INTO);
    sorted
}
