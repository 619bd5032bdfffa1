//! What the catalogue says of the new tables and what stands beside them: everything under its exact name.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bowline_driver::{Column, ResultSet};
use bowline_template::TemplateValue;

use super::clock;
use super::growth::kept_rows;
use super::making::{CREATED, Created, KEY_COLUMNS, VIEWED};
use super::place::{find_database, find_schema};
use super::table::{Rows, TestTable, TestTables, Written};
use crate::Tier;
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Answers, Asking, Halt, apart};
use crate::warehouse::chain::{Chain, Seen, Spec, text};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{
    Hidden, ListedColumn, Table, all_names, columns_differ, columns_stray, columns_variables,
    read_columns, read_tables, repeated,
};
use crate::warehouse::outcome::{Outcome, Proof};
use crate::warehouse::tokens::{TokenKind, tokens, view_query};

pub(super) const TABLE_LISTED: Spec = Spec::new(
    "table_listed",
    "a new table appears",
    &["get_tables_query"],
    &[],
);
pub(super) const TABLE_DESCRIBED: Spec = Spec::new(
    "table_described",
    "new tables and views come once each, under their names and as what they are, and an index does not come",
    &["get_tables_query"],
    &[],
)
.strict();
pub(super) const COLUMNS_DESCRIBED: Spec = Spec::new(
    "columns_described",
    "the columns of new tables and views are those that selecting gives, with types to match",
    &["get_columns_query"],
    &[],
)
.strict();
pub(super) const VIEW_DEFINED: Spec = Spec::new(
    "view_defined",
    "the definition of each new view is a query of the table beneath that gives its columns and rows",
    &["get_tables_query"],
    &[],
)
.strict();

/// What is asked for after the tables are made: the server's time, then everything on the way to their columns.
pub(super) fn look_next(chain: &mut Chain<'_>, tables: &TestTables, created: &Created) {
    let database = vec![("database_name", text(&tables.changed.database))];
    let has_clock = clock::is_told(chain);
    chain.announce(|ahead| {
        if has_clock {
            ahead.then(clock::seconds);
        }
        ahead.then(|ahead| Ok(apart(&ahead.render("get_databases_query", Vec::new())?)));
        ahead.then(|ahead| Ok(apart(&ahead.render("get_schemas_query", database)?)));
        let (shown, asked) = objects(tables, created);
        ahead.query("get_tables_query", tables.row_variables(&asked));
        let shown: Vec<TestTable> = shown.into_iter().cloned().collect();
        if let Some(variables) = column_variables(&shown) {
            ahead.query("get_columns_query", variables);
        }
    });
}

/// The objects that the catalogue must show, and those that are asked for.
fn objects<'t>(
    tables: &'t TestTables,
    created: &Created,
) -> (Vec<&'t TestTable>, Vec<&'t TestTable>) {
    let mut shown = vec![&tables.changed, &tables.kept];
    shown.extend(created.has_view.then_some(&tables.view));
    shown.extend(created.has_other_view.then_some(&tables.other_view));
    shown.extend(created.has_keys.then_some(&tables.keys));
    let mut asked = shown.clone();
    asked.extend(created.has_index.then_some(&tables.index));
    (shown, asked)
}

/// Finds the tables in the catalogue; gives them under the names they were found by, with their rows.
pub(super) fn find(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    created: &Created,
    tier: Tier,
    patience: Duration,
) -> Option<(TestTables, Rows)> {
    let tables = if tier == Tier::Strict {
        let database = find_database(chain, tables);
        let database = database.as_deref().unwrap_or(&tables.changed.database);
        let schema = find_schema(chain, tables, database);
        tables.found_in(
            database,
            schema.as_deref().unwrap_or(&tables.changed.schema),
        )
    } else {
        tables.clone()
    };
    let (shown, _) = objects(&tables, created);
    let stored = RefCell::new(tables.clone());
    let rows = chain.watch(
        &TABLE_LISTED,
        patience,
        |_| Ok(()),
        |asking, round| {
            if round == 1 && tables.written == Written::Quoted {
                stored.replace(stored_as(asking, &tables)?);
            }
            let tables = stored.borrow();
            let (_, asked) = objects(&tables, created);
            tables.ask_rows(asking, &asked).map(drop)
        },
        |answers| match (tables.read(answers)?, answers.read(read_tables)?) {
            (Seen::AsExpected(seen), rows) => {
                let missing = shown.iter().find(|object| object.row(&rows).is_none());
                Ok(
                    missing.map_or(Seen::AsExpected(seen), |view| Seen::Otherwise {
                        expected: format!("`{}`", view.table),
                        got: "none".to_owned(),
                    }),
                )
            }
            (seen, _) => Ok(seen),
        },
    )?;
    if tier == Tier::Strict {
        describe(chain, &tables, created, &shown);
    }
    let listed = last_listed(chain);
    let name = |object: &TestTable| object.row(&listed).map(|row| row.name.clone());
    Some((tables.listed_as(name), rows))
}

/// The rows that [`find`] saw last.
fn last_listed(chain: &Chain<'_>) -> Vec<Table> {
    let result = chain.last_result(&TABLE_LISTED);
    let rows = result.and_then(|result| read_tables(result).ok());
    rows.unwrap_or_default()
}

/// The tables under the names that the standard's own catalogue has for them, where it shows that the database folds what
/// is quoted.
fn stored_as(asking: &mut Asking<'_>, tables: &TestTables) -> Result<TestTables, Halt> {
    let written = &tables.kept.table;
    let result = ask_standard_catalogue(asking, written)?;
    asking.forget();
    let names = result.and_then(|result| all_names(&result).ok());
    let names = names.unwrap_or_default();
    let folds: [fn(&str) -> String; 2] = [str::to_lowercase, str::to_uppercase];
    let fold = folds.into_iter().find(|fold| {
        let folded = fold(written);
        folded != *written && !names.is_empty() && names.iter().all(|name| *name == folded)
    });
    let tables = tables.clone();
    Ok(match fold {
        Some(fold) => tables.listed_as(|object| Some(fold(&object.table))),
        None => tables,
    })
}

/// What the catalogue says of the new objects.
fn describe(chain: &mut Chain<'_>, tables: &TestTables, created: &Created, objects: &[&TestTable]) {
    let listed = last_listed(chain);
    let folded = listed
        .iter()
        .find(|row| objects.iter().all(|object| row.name != object.table));
    let folded = folded.map(|row| row.name.clone());
    let is_quoted = tables.written == Written::Quoted;
    let step = chain.last_step(&TABLE_LISTED);
    chain.check(
        &TABLE_DESCRIBED,
        |asking| {
            asking.recall(step);
            match &folded {
                Some(name) if is_quoted => ask_standard_catalogue(asking, name).map(drop),
                _ => Ok(()),
            }
        },
        |answers| {
            let known = |name: &String| {
                let second = answers
                    .results()
                    .nth(1)
                    .and_then(|result| all_names(result).ok());
                second.is_some_and(|names| names.iter().all(|there| there == name))
            };
            let may_fold = !is_quoted || folded.as_ref().is_some_and(known);
            are_described(&listed, tables, objects, may_fold)
        },
    );
    let (Some(columns), true) = (&created.columns, chain.has("get_columns_query")) else {
        return;
    };
    // Asked for under the names that the listing has.
    let ids: Vec<TestTable> = objects
        .iter()
        .filter_map(|object| {
            let row = object.row(&listed)?;
            Some(TestTable {
                listed: Some(row.name.clone()),
                ..(*object).clone()
            })
        })
        .collect();
    let written = chain
        .step(&CREATED, "create_test_table")
        .map(|step| step.sql.clone())
        .unwrap_or_default();
    chain.check(
        &COLUMNS_DESCRIBED,
        |asking| ask_columns(asking, &ids),
        |answers| {
            let listed = answers.read(read_columns)?;
            let asked: Vec<String> = ids.iter().map(TestTable::id).collect();
            columns_stray(&listed, &asked)?;
            let gains_zone = |column: &&ListedColumn| gains_zone(column, &written, &tables.kept);
            if let Some(column) = listed.iter().find(gains_zone) {
                return Err(wrong(
                    format!(
                        "the type of the column `{}`, which has no zone",
                        column.name
                    ),
                    format!("`{}`", column.type_name),
                ));
            }
            ids.iter().try_for_each(|table| {
                if table.table == tables.keys.table {
                    return are_keys(&listed, &table.id());
                }
                columns_differ(&listed, &table.id(), columns, Hidden::No)
            })
        },
    );
}

/// Whether a column is listed with a zone that the statement which made the table does not give it. A table that is made
/// from a query says nothing of it, and a database may add columns of its own.
fn gains_zone(listed: &ListedColumn, made_by: &str, table: &TestTable) -> bool {
    let place = [&table.database, &table.schema, &table.table];
    let tokens = tokens(made_by);
    let is_written = tokens
        .iter()
        .any(|token| bare(token.text).eq_ignore_ascii_case(&listed.name));
    let words = || {
        let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
        words.filter(|word| {
            let mut place = place.iter();
            !place.any(|name| word.text.eq_ignore_ascii_case(name))
        })
    };
    let type_name = listed.type_name.to_lowercase();
    let first = type_name.split([' ', '(']).next().unwrap_or_default();
    is_written
        && type_name.contains("with time zone")
        && words().any(|word| word.text.eq_ignore_ascii_case(first))
        && !words().any(|word| tells_of_zones(&word.text.to_lowercase()))
}

/// Judges the listed columns of the table with keys.
fn are_keys(listed: &[ListedColumn], id: &str) -> Judged<()> {
    let names = listed.iter().filter(|column| column.table == id);
    let names = names.map(|column| column.name.as_str());
    // A database may add columns of its own.
    let is_ours = |name: &&str| KEY_COLUMNS.iter().any(|key| name.eq_ignore_ascii_case(key));
    let names: Vec<&str> = names.filter(is_ours).collect();
    let (names, there) = (names.join(", "), KEY_COLUMNS.join(", "));
    if names.eq_ignore_ascii_case(&there) {
        return Ok(());
    }
    Err(wrong(
        format!("the columns of `{id}`, once each and in their order: {there}"),
        names,
    ))
}

fn tells_of_zones(word: &str) -> bool {
    ["zone", "tz", "offset"]
        .iter()
        .any(|zone| word.contains(zone))
}

/// What the catalogue says of the new view's query, once the table beneath has rows.
pub(super) fn define_view(chain: &mut Chain<'_>, tables: &TestTables, created: &Created) {
    let (Some(columns), true) = (&created.columns, created.has_view) else {
        return;
    };
    define(chain, tables, definitions(chain, tables), columns);
}

/// The new view's query, which [`define_view`] asks.
pub(super) fn asked_of_view(
    chain: &Chain<'_>,
    tables: &TestTables,
    created: &Created,
) -> Option<String> {
    let [definition, _] = definitions(chain, tables);
    let definition = definition.filter(|_| created.columns.is_some() && created.has_view)?;
    Some(plain(view_query(&definition)?).to_owned())
}

/// What the catalogue says to be the queries of the new views.
fn definitions(chain: &Chain<'_>, tables: &TestTables) -> [Option<String>; 2] {
    let listed = last_listed(chain);
    let definition = |view: &TestTable| view.row(&listed)?.view_query.clone();
    [&tables.view, &tables.other_view].map(definition)
}

/// A view's query without what ends it.
fn plain(query: &str) -> &str {
    query.trim_end_matches([';', ' ', '\n'])
}

pub(super) fn ask_columns(asking: &mut Asking<'_>, tables: &[TestTable]) -> Result<(), Halt> {
    match column_variables(tables) {
        Some(variables) => asking.query("get_columns_query", variables).map(drop),
        None => Ok(()),
    }
}

/// What asks for the columns of tables.
pub(super) fn column_variables(tables: &[TestTable]) -> Option<Vec<(&'static str, TemplateValue)>> {
    let first = tables.first()?;
    let ids: Vec<String> = tables.iter().map(TestTable::id).collect();
    Some(columns_variables(
        &first.database,
        ids.iter().map(String::as_str),
        std::iter::once(first.schema.as_str()),
    ))
}

/// Asks the standard's own catalogue, where there is one, how a name is kept that came in another case than it was
/// written in quotes: some databases fold even those.
fn ask_standard_catalogue(
    asking: &mut Asking<'_>,
    name: &str,
) -> Result<Option<Arc<ResultSet>>, Halt> {
    let name = name.to_lowercase();
    let sql = format!(
        "SELECT table_name FROM information_schema.tables WHERE LOWER(table_name) = '{name}'"
    );
    asking.try_run(None, &sql).map(Result::ok)
}

fn are_described(
    listed: &[Table],
    tables: &TestTables,
    objects: &[&TestTable],
    may_fold: bool,
) -> Judged<()> {
    let TestTable {
        database, schema, ..
    } = &tables.changed;
    for row in listed {
        if row.database != *database || row.schema != *schema {
            return Err(wrong(
                format!("tables of the schema `{schema}` in the database `{database}`"),
                format!("`{}` of `{}` in `{}`", row.name, row.schema, row.database),
            ));
        }
    }
    let names: Vec<String> = listed.iter().map(|row| row.name.clone()).collect();
    if let Some(twice) = repeated(&names) {
        return Err(wrong("each table once", format!("`{twice}` again")));
    }
    let index = &tables.index;
    if let Some(row) = index.row(listed) {
        return Err(wrong(
            "tables and views only",
            format!("the index `{}`", row.name),
        ));
    }
    for object in objects {
        let Some(row) = object.row(listed) else {
            continue;
        };
        let folds: [fn(&str) -> String; 2] = [str::to_lowercase, str::to_uppercase];
        let is_folded = folds.iter().any(|fold| {
            objects.iter().all(|object| {
                object
                    .row(listed)
                    .is_none_or(|row| row.name == fold(&object.table))
            })
        });
        if row.name != object.table && !(may_fold && is_folded) {
            return Err(wrong(
                format!("`{}`", object.table),
                format!("`{}`", row.name),
            ));
        }
        let views = [&tables.view.table, &tables.other_view.table];
        let (is_view, what) = if views.contains(&&object.table) {
            (true, "view")
        } else {
            (false, "table")
        };
        if row.is_view != is_view {
            let other = if row.is_view { "view" } else { "table" };
            return Err(wrong(
                format!("`{}` as a {what}", row.name),
                format!("`{}` as a {other}", row.name),
            ));
        }
    }
    Ok(())
}

/// Whether a statement has this name, quoted or not.
fn names_object(sql: &str, name: &str) -> bool {
    let tokens = tokens(sql);
    let mut names = tokens.iter().map(|token| bare(token.text));
    names.any(|named| named.eq_ignore_ascii_case(name))
}

/// A name without its quotes.
fn bare(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}

/// Runs a view's definition, which is not that of the other view.
fn define(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    [definition, other]: [Option<String>; 2],
    columns: &[Column],
) {
    let Some(definition) = definition.filter(|text| !text.trim().is_empty()) else {
        let what = "the tables query gives no definition of a view".to_owned();
        chain.check_known(
            &VIEW_DEFINED,
            Err(Outcome::Unsupported(Proof::Absent(what))),
        );
        return;
    };
    let rows = kept_rows(chain).map(|rows| rows * VIEWED);
    let refused = RefCell::new(None);
    chain.check(
        &VIEW_DEFINED,
        |asking| {
            if let Some(query) = view_query(&definition) {
                let answer = asking.try_run(None, plain(query))?;
                refused.replace(answer.err());
            }
            Ok(())
        },
        |answers: &Answers| {
            let names = |columns: &[Column]| {
                let names: Vec<String> = columns
                    .iter()
                    .map(|column| column.name.to_lowercase())
                    .collect();
                names.join(", ")
            };
            let expected = format!("a query of the columns {}", names(columns));
            let (table, view) = (&tables.kept.table, &tables.view.table);
            let query = view_query(&definition).unwrap_or_default();
            if other.as_ref() == Some(&definition) {
                let another = &tables.other_view.table;
                return Err(wrong(
                    format!("another query for the view `{another}` than for `{view}`"),
                    definition.clone(),
                ));
            }
            if !names_object(query, table) || names_object(query, view) {
                return Err(wrong(
                    format!("a query of the table `{table}`, which the view selects from"),
                    definition.clone(),
                ));
            }
            match (answers.results().last(), refused.take()) {
                (Some(result), _)
                    if rows.is_some_and(|rows| i64::try_from(result.rows.len()) != Ok(rows)) =>
                {
                    Err(wrong(
                        format!(
                            "a query of {} rows, as the view is",
                            rows.unwrap_or_default()
                        ),
                        format!("one of {}: {definition}", result.rows.len()),
                    ))
                }
                (Some(result), _) if names(&result.columns) == names(columns) => Ok(()),
                (Some(result), _) => Err(wrong(
                    expected,
                    format!(
                        "one of the columns {}: {definition}",
                        names(&result.columns)
                    ),
                )),
                (None, Some(error)) => {
                    Err(wrong(expected, format!("{definition}: {}", error.text())))
                }
                (None, None) => Err(wrong(expected, definition.clone())),
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_told_only_of_a_column_that_the_statement_names() {
        let table = TestTable {
            database: "shop".to_owned(),
            schema: "time_zone".to_owned(),
            table: "t".to_owned(),
            listed: None,
        };
        let made_by = "CREATE TABLE time_zone.t (id INTEGER, \"made_at\" TIMESTAMP)";
        let gains = |name: &str, type_name: &str, made_by: &str| {
            let column = ListedColumn {
                table: table.id(),
                name: name.to_owned(),
                type_name: type_name.to_owned(),
            };
            gains_zone(&column, made_by, &table)
        };
        let zoned = "timestamp(6) with time zone";
        assert!(gains("made_at", zoned, made_by));
        assert!(!gains("made_at", "timestamp without time zone", made_by));
        assert!(!gains("audit_at", zoned, made_by));
        let with_zone = made_by.replace("TIMESTAMP", "TIMESTAMP WITH TIME ZONE");
        assert!(!gains("made_at", zoned, &with_zone));
    }
}
