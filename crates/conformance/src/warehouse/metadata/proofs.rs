//! What the strict tier asks of metadata: that filters filter, pages are pages, and names lead to the tables they name.

use std::collections::BTreeSet;

use bowline_contract::Capability;

use super::list_tables;
use super::tables::{
    ALL, Table, columns_variables, full_table_id, read_columns, read_tables, tables_variables,
};
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, PageRequest, Spec, text};
use crate::warehouse::judge::{Judged, wrong};

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
        chain.check(
            &PAGES,
            |asking| {
                for _ in 0..WALKS {
                    asking.begin_round();
                    walk(asking, found)?;
                    if walked(asking.answers(), found).is_ok() {
                        break;
                    }
                }
                Ok(())
            },
            |answers| walked(answers, found),
        );
    }
    chain.check(
        &OTHER_SCHEMA,
        |asking| {
            let schema = [NO_SCHEMA.to_owned()];
            let variables = tables_variables(found.database, &schema, None, ALL);
            asking.query_what_may_be_missing("get_tables_query", variables)
        },
        no_tables,
    );
    if !chain.has("get_table_identifier") {
        return;
    }
    let looked_into = wanting_care(found.tables);
    let selected = chain.check(
        &IDENTIFIED,
        |asking| select_nothing(asking, found, &looked_into),
        |answers| Ok(columns_selected(answers)),
    );
    if let Some(selected) = selected {
        let id = |table: &&Table| full_table_id(found.database, &table.schema, &table.name);
        let ids: Vec<String> = looked_into.iter().map(id).collect();
        chain.check(
            &ALL_COLUMNS,
            |asking| {
                let schemas: BTreeSet<&str> = looked_into
                    .iter()
                    .map(|table| table.schema.as_str())
                    .collect();
                let variables = columns_variables(
                    found.database,
                    ids.iter().map(String::as_str),
                    schemas.iter().copied(),
                );
                asking.query("get_columns_query", variables)
            },
            |answers| every_column_is_listed(answers, &ids, &selected),
        );
    }
}

impl Found<'_> {
    fn is_passing(&self, table: &Table) -> bool {
        self.passing
            .is_some_and(|name| table.name.eq_ignore_ascii_case(name))
    }

    /// The tables of a page, without the passing one, by schema and name.
    fn named(&self, tables: Vec<Table>) -> impl Iterator<Item = (String, String)> {
        tables
            .into_iter()
            .filter(|table| !self.is_passing(table))
            .map(|table| (table.schema, table.name))
    }
}

/// Asks for all tables at once, then page by page, in two or three pages.
fn walk(asking: &mut Asking<'_>, found: &Found<'_>) -> Result<(), Halt> {
    let all = tables_variables(found.database, found.schemas, None, ALL);
    let Ok(whole) = read_tables(&*list_tables(asking, &all)?) else {
        return Ok(());
    };
    let limit = page_size(found.named(whole).count());
    // One page more than there should be: it ends the list.
    for page in 0..4 {
        let page = PageRequest {
            limit: wide(limit),
            offset: wide(page * limit),
        };
        let variables = tables_variables(found.database, found.schemas, None, page);
        if list_tables(asking, &variables)?.rows.len() != limit {
            break;
        }
    }
    Ok(())
}

fn page_size(tables: usize) -> usize {
    tables.div_ceil(2).max(1)
}

/// Judges a walk: the first result holds all tables, the others are its pages.
fn walked(answers: &Answers, found: &Found<'_>) -> Judged<()> {
    let mut results = answers.results().map(read_tables);
    let whole = results.next().unwrap_or(Ok(Vec::new()))?;
    let whole: BTreeSet<(String, String)> = found.named(whole).collect();
    let limit = page_size(whole.len());
    let mut names = Vec::new();
    for tables in results {
        let tables = tables?;
        if tables.len() > limit {
            return Err(wrong(
                format!("at most {limit} tables with a limit of {limit}"),
                format!("{} tables", tables.len()),
            ));
        }
        names.extend(found.named(tables));
    }
    let once: BTreeSet<_> = names.iter().collect();
    if names.len() == whole.len()
        && once.len() == whole.len()
        && once.iter().all(|each| whole.contains(*each))
    {
        return Ok(());
    }
    Err(wrong(
        format!(
            "{} tables over all pages of {limit}, each once",
            whole.len()
        ),
        format!("{} tables, {} of them different", names.len(), once.len()),
    ))
}

/// Some databases refuse to look into a schema that is not there.
fn no_tables(answers: &Answers) -> Judged<()> {
    if answers.results().next().is_none() {
        return Ok(());
    }
    match answers.read(read_tables)?.first() {
        None => Ok(()),
        Some(table) => Err(wrong(
            format!("no table in the schema `{NO_SCHEMA}`"),
            format!("`{}` of `{}`", table.name, table.schema),
        )),
    }
}

/// Selects from each of these tables; they may be huge, so nothing is read from them.
fn select_nothing(
    asking: &mut Asking<'_>,
    found: &Found<'_>,
    tables: &[&Table],
) -> Result<(), Halt> {
    for table in tables {
        let variables = vec![
            ("database", text(found.database)),
            ("schema", text(&table.schema)),
            ("table", text(&table.name)),
        ];
        let identifier = asking.render("get_table_identifier", variables)?;
        asking.run(None, &format!("SELECT * FROM {identifier} WHERE 1 = 0"))?;
    }
    Ok(())
}

/// The names of the columns that selecting from each table gave.
fn columns_selected(answers: &Answers) -> Vec<Vec<String>> {
    answers
        .results()
        .map(|result| {
            result
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect()
        })
        .collect()
}

fn every_column_is_listed(
    answers: &Answers,
    ids: &[String],
    selected: &[Vec<String>],
) -> Judged<()> {
    let listed = answers.read(read_columns)?;
    for (id, columns) in ids.iter().zip(selected) {
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
