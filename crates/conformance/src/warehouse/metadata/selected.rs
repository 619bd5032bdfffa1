//! A second opinion on tables and their columns: what selecting from a listed table gives.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bowline_contract::Capability;
use bowline_driver::{Column, SqlError, SqlErrorKind};
use bowline_template::TemplateValue;

use super::list_tables;
use super::proofs::Found;
use super::tables::{
    ALL, Hidden, ListedColumn, Table, columns_differ, columns_stray, columns_variables,
    full_table_id, read_columns, read_tables,
};
use super::{ROUNDS, TABLE_COLUMNS, nothing};
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Asking, Halt};
use crate::warehouse::chain::{Chain, Spec, quoted_list, text};
use crate::warehouse::functional::NO_ROW;
use crate::warehouse::judge::{Judged, refusal};

/// How many tables are looked into: those whose names want the most care, and a view.
const LOOKED_INTO: usize = 4;
/// How many are tried, where some cannot be read.
const TRIED: usize = 12;
/// How many more, of which the catalogue lists no column.
const BARE: usize = 3;

pub(crate) const IDENTIFIED: Spec = Spec::new(
    "table_identifier",
    "the tables that metadata names can be selected from",
    &["get_table_identifier"],
    &[Capability::FullQueryLanguage],
)
.strict();
pub(crate) const ALL_COLUMNS: Spec = Spec::new(
    "columns_of_tables",
    "a table's columns are those that selecting from it gives, in their order and with types to match",
    &["get_columns_query"],
    &[Capability::Schema],
)
.strict();

/// Tables with the columns that selecting from them gives.
pub(super) struct Selected<'t> {
    tables: Vec<(&'t Table, Vec<Column>)>,
}

/// A table that could not be selected from.
struct Refused<'t> {
    table: &'t Table,
    error: SqlError,
}

/// Selects from some of the listed tables; nothing is read from them, for they may be huge. Broken views and tables that
/// may not be read are passed over; none where all are.
pub(super) fn select<'t>(chain: &mut Chain<'_>, found: &Found<'t>) -> Option<Selected<'t>> {
    let refused: RefCell<Vec<Refused<'t>>> = RefCell::default();
    let selected: RefCell<Vec<(&Table, Vec<Column>)>> = RefCell::default();
    chain.check(
        &IDENTIFIED,
        |asking| {
            let tables = wanting_care(found.tables);
            asking.announce(|ahead| {
                for table in tables.iter().take(LOOKED_INTO) {
                    ahead.then(|ahead| select_nothing(ahead, found, table));
                }
            });
            for table in tables {
                if selected.borrow().len() == LOOKED_INTO {
                    break;
                }
                match columns(asking, found, table)? {
                    Ok(columns) => selected.borrow_mut().push((table, columns)),
                    Err(error) => refused.borrow_mut().push(Refused { table, error }),
                }
            }
            // What shows that the identifier is wrong is asked again, as evidence.
            let at_fault = at_fault(&refused.borrow(), selected.borrow().is_empty())
                .map(|refused| refused.table);
            if let Some(table) = at_fault
                && is_listed(asking, found, table)?
            {
                let sql = select_nothing(asking, found, table)?;
                asking.run(None, &sql)?;
            }
            Ok(())
        },
        |_| match (selected.borrow().is_empty(), refused.borrow().as_slice()) {
            (false, _) => Ok(()),
            (true, refused) => {
                let unreadable = refused
                    .iter()
                    .find(|refused| refused.error.kind == SqlErrorKind::Permission);
                Err(unreadable.map_or_else(
                    || nothing("no table that is listed can be selected from"),
                    |refused| refusal(&refused.error),
                ))
            }
        },
    );
    for Refused { table, error } in refused.borrow().iter().take(LOOKED_INTO) {
        let words = error.message.lines().next().unwrap_or_default();
        let what = if table.is_view { "view" } else { "table" };
        chain.advise(
            &IDENTIFIED,
            format!(
                "the {what} `{}`.`{}` was passed over, since it cannot be read: {words}",
                table.schema, table.name
            ),
        );
    }
    let tables = selected.take();
    (!tables.is_empty()).then_some(Selected { tables })
}

/// What cannot be the object's own fault: the database does not find a table, or cannot read the statement, where others
/// can be selected from and its name has signs that want quotes; or there is no other.
fn at_fault<'r, 't>(refused: &'r [Refused<'t>], is_alone: bool) -> Option<&'r Refused<'t>> {
    let is_unreadable = |refused: &Refused<'_>| refused.error.kind == SqlErrorKind::Permission;
    if is_alone && refused.iter().any(is_unreadable) {
        return None;
    }
    refused.iter().find(|refused| {
        let is_unfound = matches!(
            refused.error.kind,
            SqlErrorKind::MissingObject | SqlErrorKind::Syntax
        );
        let wants_quotes = |sign: char| !sign.is_alphanumeric() && sign != '_';
        is_unfound
            && !refused.table.is_view
            && (is_alone || refused.table.name.contains(wants_quotes))
    })
}

fn is_listed(asking: &mut Asking<'_>, found: &Found<'_>, table: &Table) -> Result<bool, Halt> {
    let names = quoted_list(std::iter::once(table.name.as_str()));
    let schemas = std::slice::from_ref(&table.schema);
    let variables = super::tables_variables(found.database, schemas, Some(names), ALL);
    let listed = list_tables(asking, &variables)?;
    asking.forget();
    Ok(read_tables(&listed).is_ok_and(|tables| tables.iter().any(|each| each.name == table.name)))
}

fn select_nothing(with: &impl Renders, found: &Found<'_>, table: &Table) -> Result<String, Halt> {
    let variables = vec![
        ("database", text(found.database)),
        ("schema", text(&table.schema)),
        ("table", text(&table.name)),
    ];
    let identifier = with.render("get_table_identifier", variables)?;
    Ok(format!("SELECT * FROM {identifier} WHERE {NO_ROW}"))
}

fn columns(
    asking: &mut Asking<'_>,
    found: &Found<'_>,
    table: &Table,
) -> Result<Result<Vec<Column>, SqlError>, Halt> {
    let sql = select_nothing(asking, found, table)?;
    let result = asking.try_run(None, &sql)?;
    Ok(result.map(|result| result.columns.clone()))
}

impl Selected<'_> {
    /// What asks for their columns.
    pub(super) fn variables(&self, found: &Found<'_>) -> Vec<(&'static str, TemplateValue)> {
        variables(found, &self.tables)
    }

    /// Compares the catalogue's columns with these, and with those of tables among the ones `asked` for that have none there.
    /// A table may be changed or dropped meanwhile: then both are asked for again.
    pub(super) fn compare(self, chain: &mut Chain<'_>, found: &Found<'_>, asked: &[String]) {
        let mut bare = bare(chain, found, asked);
        bare.retain(|bare| self.tables.iter().all(|(table, _)| table != bare));
        bare.truncate(BARE);
        let tables: RefCell<Vec<(&Table, Vec<Column>)>> = RefCell::new(self.tables);
        let judge = |listed: &[ListedColumn]| -> Judged<()> {
            columns_stray(listed, &ids(found, &tables.borrow()))?;
            tables.borrow().iter().try_for_each(|(table, columns)| {
                let id = full_table_id(found.database, &table.schema, &table.name);
                columns_differ(listed, &id, columns, Hidden::Perhaps)
            })
        };
        chain.check(
            &ALL_COLUMNS,
            |asking| {
                for table in bare {
                    let columns = columns(asking, found, table)?;
                    asking.forget();
                    let columns = columns.map(|columns| (table, columns));
                    tables.borrow_mut().extend(columns.ok());
                }
                for round in 1..=ROUNDS {
                    let variables = variables(found, &tables.borrow());
                    let listed = asking.query("get_columns_query", variables)?;
                    let is_right = read_columns(&listed)
                        .and_then(|listed| judge(&listed))
                        .is_ok();
                    if is_right || round == ROUNDS {
                        break;
                    }
                    asking.begin_round();
                    let mut again = Vec::new();
                    for (table, _) in tables.take() {
                        if let Ok(columns) = columns(asking, found, table)? {
                            again.push((table, columns));
                        }
                    }
                    tables.replace(again);
                    asking.begin_round();
                }
                Ok(())
            },
            |answers| judge(&answers.read(read_columns)?),
        );
    }
}

/// Tables of which the catalogue lists no column, though it was asked. Some catalogues know no columns of views that are bound
/// when they are read.
fn bare<'t>(chain: &Chain<'_>, found: &Found<'t>, asked: &[String]) -> Vec<&'t Table> {
    let listed = chain.last_result(&TABLE_COLUMNS);
    let Some(listed) = listed.and_then(|result| read_columns(result).ok()) else {
        return Vec::new();
    };
    let with_columns: BTreeSet<&str> = listed.iter().map(|each| each.table.as_str()).collect();
    let is_bare = |table: &&Table| {
        let id = full_table_id(found.database, &table.schema, &table.name);
        !table.is_view && asked.contains(&id) && !with_columns.contains(id.as_str())
    };
    found.tables.iter().filter(is_bare).collect()
}

fn variables(
    found: &Found<'_>,
    tables: &[(&Table, Vec<Column>)],
) -> Vec<(&'static str, TemplateValue)> {
    let ids = ids(found, tables);
    let schemas: BTreeSet<&str> = tables
        .iter()
        .map(|(table, _)| table.schema.as_str())
        .collect();
    columns_variables(
        found.database,
        ids.iter().map(String::as_str),
        schemas.into_iter(),
    )
}

fn ids(found: &Found<'_>, tables: &[(&Table, Vec<Column>)]) -> Vec<String> {
    tables
        .iter()
        .map(|(table, _)| full_table_id(found.database, &table.schema, &table.name))
        .collect()
}

/// The tables whose names have the most signs that must be quoted, those first, and a view among the first.
fn wanting_care(tables: &[Table]) -> Vec<&Table> {
    let signs = |table: &&Table| {
        let plain = |sign: &char| !sign.is_ascii_lowercase() && !sign.is_ascii_digit();
        std::cmp::Reverse(table.name.chars().filter(plain).count())
    };
    let mut sorted: Vec<&Table> = tables.iter().collect();
    sorted.sort_by_key(signs);
    if let Some(view) = sorted.iter().position(|table| table.is_view)
        && view >= LOOKED_INTO
    {
        let view = sorted.remove(view);
        sorted.insert(LOOKED_INTO - 1, view);
    }
    sorted.truncate(TRIED);
    sorted
}
