//! The section `metadata`: databases, schemas, tables and columns, each asked for with what the one before found.

mod listing;
mod proofs;
mod selected;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_contract::Capability;
use bowline_driver::ResultSet;
use bowline_template::TemplateValue;
use bowline_words::listed;
use jiff::Timestamp;

pub(crate) use self::listing::{ORDERED, WELL_FORMED};
use self::proofs::{Found, PATTERN};
pub(crate) use self::proofs::{OTHER_DATABASE, OTHER_SCHEMA, PAGES};
pub(crate) use self::selected::{ALL_COLUMNS, IDENTIFIED};
pub(crate) use self::tables::{
    ALL, Hidden, ListedColumn, Table, all_names, columns_differ, columns_stray, columns_variables,
    first_names, full_table_id, is_timestamp, read_columns, read_tables, repeated, require_columns,
    tables_variables,
};
use crate::Tier;
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, Spec, quoted_list, text};
use crate::warehouse::finding::Finding;
use crate::warehouse::functional::is_test_object;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};
use crate::warehouse::tokens::{is_uncut, tokens};

/// How many schemas are looked into, and how many tables are asked for by name.
const SCHEMAS: usize = 5;
const TABLES_BY_NAME: usize = 7;
/// Of how many tables the columns are asked for at most: of one less than there are, so that strays show.
const COLUMNS_OF: usize = 200;
/// How many columns tables that are asked for at once may have, or schemas a database.
const MOST: i64 = 100_000;
/// How often what should be the same is asked for: tables come and go.
const ROUNDS: usize = 5;

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
    let strict = tier == Tier::Strict;
    let database = chain
        .check(
            &DATABASES,
            |asking| asking.query("get_databases_query", Vec::new()),
            |answers| first_database(answers, tier),
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
            |answers| some_schemas(answers, tier),
        )
        .ok_or(&SCHEMA_NAMES)?;
    listing::advise_on_system(chain, &SCHEMA_NAMES);
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
    let left_out = left_out(&tables);
    let named = named(&tables, left_out);
    let decoy = left_out.filter(|_| strict);
    let decoy = decoy.and_then(|left_out| decoy_of(left_out, &tables));
    let by_names = |page| {
        let names = named.iter().copied().chain(decoy.as_deref());
        let names = Some(quoted_list(names));
        tables_variables(&database, &schemas, names, page)
    };
    chain.check(
        &TABLES_BY_NAMES,
        |asking| {
            for _ in 0..ROUNDS {
                asking.begin_round();
                list_tables(asking, &by_names(ALL))?;
                if exactly(asking.answers(), &named).is_ok() {
                    break;
                }
                // A table that is missing may have been dropped.
                list_tables(asking, &tables_variables(&database, &schemas, None, ALL))?;
            }
            Ok(())
        },
        |answers| exactly(answers, &named),
    );
    if strict {
        listing::prove(chain, (&database, &schemas), &tables);
    }
    let has: [(&Spec, Has); 3] = [
        (&ROW_COUNT, |table| table.row_count.is_some()),
        (&BYTE_COUNT, |table| table.byte_count.is_some()),
        (&LAST_UPDATE_TIME, |table| table.updated().is_some()),
    ];
    for (spec, has) in has {
        let judged = if tables.iter().any(has) {
            Ok(())
        } else {
            let words = if spec.id == LAST_UPDATE_TIME.id
                && tables.iter().any(|table| table.last_update_time.is_some())
            {
                format!("every last_update_time is {}", Timestamp::UNIX_EPOCH)
            } else {
                format!("no table has a {}", spec.id)
            };
            Err(Outcome::Unsupported(Proof::Absent(words)))
        };
        chain.check_known(spec, judged);
    }
    let found = Found {
        database: &database,
        schemas: &schemas,
        tables: &tables,
        named: &named,
        by_names: &by_names,
    };
    let selected =
        (strict && chain.has("get_table_identifier")).then(|| selected::select(chain, &found));
    let ids: Vec<String> = tables
        .iter()
        .filter(|table| left_out.is_none_or(|left_out| *table != left_out))
        .take(COLUMNS_OF)
        .map(|table| full_table_id(&database, &table.schema, &table.name))
        .collect();
    let decoys = decoy.as_ref().zip(left_out);
    let decoys = decoys.map(|(name, table)| decoy_ids(&database, &schemas, name, table));
    let asked = [ids, decoys.unwrap_or_default()].concat();
    let can_read = !matches!(&selected, Some(None));
    let asked_schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let columns_asked = columns_variables(
        &database,
        asked.iter().map(String::as_str),
        asked_schemas.into_iter(),
    );
    chain.announce(|ahead| {
        ahead.query("get_columns_query", columns_asked.clone());
        if let Some(Some(selected)) = &selected {
            ahead.query("get_columns_query", selected.variables(&found));
        }
    });
    chain.check(
        &TABLE_COLUMNS,
        |asking| asking.query("get_columns_query", columns_asked),
        |answers| columns_of(answers, &asked, can_read, tier),
    );
    if let Some(Some(selected)) = selected {
        selected.compare(chain, &found, &asked);
    }
    if strict {
        proofs::prove(chain, &found);
    }
    Ok(())
}

fn list_tables(
    asking: &mut Asking<'_>,
    variables: &[(&'static str, TemplateValue)],
) -> Result<Arc<ResultSet>, Halt> {
    asking.query("get_tables_query", variables.to_vec())
}

fn first_database(answers: &Answers, tier: Tier) -> Judged<String> {
    let names = answers.read(|result| names(result, 1, "database", tier))?;
    names
        .into_iter()
        .next()
        .ok_or_else(|| nothing("no database"))
}

fn some_schemas(answers: &Answers, tier: Tier) -> Judged<Vec<String>> {
    match answers.read(|result| names(result, SCHEMAS, "schema", tier))? {
        names if names.is_empty() => Err(nothing("no schema")),
        names if names.len() == 1 || tier != Tier::Strict => Ok(names),
        names => is_whole(answers).map(|()| names),
    }
}

/// Judges that a list which has no pages is not cut.
fn is_whole(answers: &Answers) -> Judged<()> {
    let sql = answers.steps.last().map_or("", |step| step.sql.as_str());
    is_uncut(&tokens(sql), MOST)
}

/// Judges that no column comes again. Two tables whose names have dots may have one id, and columns of one name each.
fn come_once(columns: &[ListedColumn], asked: &[String]) -> Judged<()> {
    let is_shared = |id: &str| asked.iter().filter(|asked| *asked == id).count() > 1;
    let mut seen = BTreeSet::new();
    let again = columns
        .iter()
        .filter(|column| !is_shared(&column.table))
        .find(|column| !seen.insert((&column.table, &column.name)));
    match again {
        Some(ListedColumn { table, name, .. }) => Err(wrong(
            "each column once",
            format!("`{name}` of `{table}` again"),
        )),
        None => Ok(()),
    }
}

/// The first names; in the strict tier, none of all may come again.
fn names(result: &ResultSet, first: usize, what: &str, tier: Tier) -> Judged<Vec<String>> {
    if tier == Tier::Strict
        && let Some(twice) = repeated(&all_names(result)?)
    {
        return Err(wrong(
            format!("each {what} once"),
            format!("`{twice}` again"),
        ));
    }
    first_names(result, first)
}

fn some_tables(answers: &Answers, schemas: &[String], passing: Option<&str>) -> Judged<Vec<Table>> {
    let mut tables = answers.read(read_tables)?;
    tables.retain(|table| passing.is_none_or(|name| !is_test_object(name, &table.name)));
    if tables.is_empty() {
        let schemas = schemas.join(", ");
        return Err(nothing(format!("no table in the schemas {schemas}")));
    }
    Ok(tables)
}

/// Judges tables asked for by name; those that a later listing does not have are gone.
fn exactly(answers: &Answers, asked: &BTreeSet<&str>) -> Judged<()> {
    let mut results = answers.results().map(read_tables);
    let found = results.next().unwrap_or(Ok(Vec::new()))?;
    let found: BTreeSet<&str> = found.iter().map(|table| table.name.as_str()).collect();
    let later = results.next().transpose()?;
    let is_there = |name: &&&str| {
        let later = later.as_ref();
        later.is_none_or(|tables| tables.iter().any(|table| table.name == ***name))
    };
    let wanted: BTreeSet<&str> = asked
        .iter()
        .filter(|name| found.contains(*name) || is_there(name))
        .copied()
        .collect();
    if found == wanted {
        Ok(())
    } else {
        Err(wrong(
            format!("the tables {}", list(&wanted)),
            format!("the tables {}", list(&found)),
        ))
    }
}

fn columns_of(answers: &Answers, asked: &[String], can_read: bool, tier: Tier) -> Judged<()> {
    let columns = answers.read(read_columns)?;
    columns_stray(&columns, asked)?;
    if tier == Tier::Strict {
        is_whole(answers)?;
        come_once(&columns, asked)?;
    }
    if !columns.is_empty() {
        Ok(())
    } else if can_read {
        Err(wrong("at least one column", "no rows"))
    } else {
        Err(nothing("no column of any table, and none can be read"))
    }
}

/// The table that is not asked for where others are, so that there is one that must not come: the last, but not the only
/// view.
fn left_out(tables: &[Table]) -> Option<&Table> {
    let is_view = |table: &&Table| table.is_view;
    let views = tables.iter().filter(is_view).count();
    let mut others = tables.iter().filter(|table| views > 1 || !table.is_view);
    others.next_back().filter(|_| tables.len() > 1)
}

/// The names of the first few others, a view's among them.
fn named<'t>(tables: &'t [Table], left_out: Option<&Table>) -> BTreeSet<&'t str> {
    let is_other = |table: &&Table| left_out.is_none_or(|left_out| table.name != left_out.name);
    let others = || tables.iter().filter(is_other);
    let view = others().find(|table| table.is_view);
    let first = view.into_iter().chain(others()).chain(tables);
    let names = first.map(|table| table.name.as_str());
    let most = others().count().clamp(1, TABLES_BY_NAME);
    let mut named = BTreeSet::new();
    for name in names {
        if named.len() == most {
            break;
        }
        named.insert(name);
    }
    named
}

/// The name of the table that is left out behind a sign that stands for any others where names are taken for patterns:
/// it is in this one too, where names are looked for in the text of the list. None where that is another's name.
fn decoy_of(left_out: &Table, tables: &[Table]) -> Option<String> {
    let pattern = format!("{PATTERN}{}", left_out.name);
    let mut others = tables.iter().filter(|table| *table != left_out);
    (!others.any(|table| table.name == pattern || table.name == left_out.name)).then_some(pattern)
}

/// The shortest that any database keeps of names, in bytes.
const SHORTEST_LIMIT: usize = 30;

/// Ids near that of the table that is left out: none of them brings its columns. Where there is another schema, the
/// table's name in that one. A name that is longer than databases keep may be cut to the table's own.
fn decoy_ids(database: &str, schemas: &[String], decoy: &str, table: &Table) -> Vec<String> {
    let Table { schema, name, .. } = table;
    let other = schemas.iter().find(|other| *other != schema);
    let id = |schema: &String, name: &str| full_table_id(database, schema, name);
    let mut ids = vec![id(schema, decoy)];
    ids.extend((name.len() < SHORTEST_LIMIT).then(|| id(schema, &format!("{name}{PATTERN}"))));
    ids.extend(other.map(|other| id(other, name)));
    ids
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
