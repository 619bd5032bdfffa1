//! What the strict tier asks of metadata: that filters filter and pages are pages.

use std::collections::BTreeSet;

use bowline_contract::Capability;
use bowline_template::TemplateValue;

use super::ROUNDS;
use super::list_tables;
use super::tables::{ALL, Table, all_names, read_tables, tables_variables};
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, PageRequest, Spec, quoted_list, text};
use crate::warehouse::judge::{Judged, wrong};

/// In how many pages tables are asked for.
const PAGES_ASKED: usize = 3;
/// A schema that no database has.
const NO_SCHEMA: &str = "bowline_no_such_schema";
/// A name that is a pattern of every other one where names are taken for patterns; before or behind
/// another, of that one.
pub(super) const PATTERN: &str = "%";

pub(crate) const PAGES: Spec = Spec::new(
    "tables_by_page",
    "pages of tables are no longer than asked, and hold each table once",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();
pub(crate) const OTHER_SCHEMA: Spec = Spec::new(
    "tables_of_no_schema",
    "a schema or a database that is not there has no tables, and keeps none of another schema away",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();
pub(crate) const OTHER_DATABASE: Spec = Spec::new(
    "schemas_of_no_database",
    "a database that is not there has no schemas",
    &["get_schemas_query"],
    &[Capability::Metadata],
)
.strict();

/// What the metadata checks before these found.
pub(crate) struct Found<'f> {
    pub(crate) database: &'f str,
    pub(crate) schemas: &'f [String],
    /// Never empty, and without the tables that functional checks make meanwhile.
    pub(crate) tables: &'f [Table],
    /// The names of the first few tables.
    pub(crate) named: &'f BTreeSet<&'f str>,
    /// The variables that ask for a page of these.
    pub(crate) by_names: &'f dyn Fn(PageRequest) -> Vec<(&'static str, TemplateValue)>,
}

/// What comparing two listings shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Alike,
    /// The tables came and went while they were asked for.
    Moved,
}

const MOVED: &str =
    "tables come and go faster than they can be asked for twice: some listings were not compared";

/// Runs the checks that what was found gives something to ask about.
pub(crate) fn prove(chain: &mut Chain<'_>, found: &Found<'_>) {
    if found.tables.len() > 1 {
        let compared = chain.check(
            &PAGES,
            |asking| {
                for _ in 0..ROUNDS {
                    asking.begin_round();
                    walk(asking, found)?;
                    if walked(asking.answers()) == Ok(Compared::Alike) {
                        break;
                    }
                }
                Ok(())
            },
            walked,
        );
        advise(chain, &PAGES, compared);
    }
    let no_database = format!("{}{PATTERN}", found.database);
    other_schema(chain, found, &no_database);
    chain.check(
        &OTHER_DATABASE,
        |asking| {
            asking.try_query(
                "get_schemas_query",
                vec![("database_name", text(&no_database))],
            )
        },
        |answers| {
            let names = answers
                .results()
                .next()
                .map(all_names)
                .unwrap_or(Ok(Vec::new()))?;
            // Where a database has no schemas, its own name may stand for one.
            match names.iter().find(|name| **name != no_database) {
                None => Ok(()),
                Some(name) => Err(wrong(
                    format!("no schema in the database `{no_database}`"),
                    format!("`{name}`"),
                )),
            }
        },
    );
}

/// Asks for the first few tables at once, page by page, and at once again.
fn walk(asking: &mut Asking<'_>, found: &Found<'_>) -> Result<(), Halt> {
    // As many as are named, as a rule; then these are the pages.
    let all = found.named.len();
    asking.announce(|ahead| {
        let full = pages(all).take_while(|(offset, limit)| offset + limit <= all);
        let requests = pages(all).take(full.count() + 1).map(page_request);
        for request in [ALL].into_iter().chain(requests).chain([ALL]) {
            ahead.query("get_tables_query", (found.by_names)(request));
        }
    });
    let whole = list_tables(asking, &(found.by_names)(ALL))?;
    for page in pages(whole.rows.len()) {
        let (_, limit) = page;
        let variables = (found.by_names)(page_request(page));
        if list_tables(asking, &variables)?.rows.len() != limit {
            break;
        }
    }
    list_tables(asking, &(found.by_names)(ALL)).map(drop)
}

/// Where the pages of a list begin and how long they are: one more than there should be, which ends the list.
fn pages(tables: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..=PAGES_ASKED).scan(0, move |offset, page| {
        let limit = page_size(tables, page);
        let begin = *offset;
        *offset += limit;
        Some((begin, limit))
    })
}

fn page_request((offset, limit): (usize, usize)) -> PageRequest {
    PageRequest {
        limit: wide(limit),
        offset: wide(offset),
    }
}

/// Every other page is longer, so that none but the first begins where pages of its own length would.
fn page_size(tables: usize, page: usize) -> usize {
    tables.div_ceil(PAGES_ASKED).max(1) + page % 2
}

fn names(tables: &[Table]) -> Vec<(&str, &str)> {
    tables
        .iter()
        .map(|table| (table.schema.as_str(), table.name.as_str()))
        .collect()
}

/// Judges a walk: the first and the last result hold all tables, the others are pages.
fn walked(answers: &Answers) -> Judged<Compared> {
    let results: Vec<Vec<Table>> = answers.results().map(read_tables).collect::<Judged<_>>()?;
    let [whole, pages @ .., again] = results.as_slice() else {
        return Ok(Compared::Alike);
    };
    let all: BTreeSet<_> = names(whole).into_iter().collect();
    let mut paged = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let limit = page_size(whole.len(), number);
        if page.len() > limit {
            return Err(wrong(
                format!("at most {limit} tables with a limit of {limit}"),
                format!("{} tables", page.len()),
            ));
        }
        paged.extend(names(page));
    }
    let once: BTreeSet<_> = paged.iter().copied().collect();
    if paged.len() == whole.len() && once == all {
        return Ok(Compared::Alike);
    }
    if all != names(again).into_iter().collect() {
        return Ok(Compared::Moved);
    }
    Err(wrong(
        format!(
            "{} tables over all pages of {} or one more, each once",
            whole.len(),
            page_size(whole.len(), 0)
        ),
        format!("{} tables, {} of them different", paged.len(), once.len()),
    ))
}

/// Asks for tables of a schema and of a database that are not there; some databases refuse to look into them. And for the
/// tables that are there, with a schema that is not named first.
fn other_schema(chain: &mut Chain<'_>, found: &Found<'_>, no_database: &str) {
    let other = [NO_SCHEMA, PATTERN].map(str::to_owned);
    let also: Vec<String> = other.iter().chain(found.schemas).cloned().collect();
    let sample = || Some(quoted_list(found.named.iter().copied()));
    let compared = chain.check(
        &OTHER_SCHEMA,
        |asking| {
            let nowhere = [
                tables_variables(found.database, &other, None, ALL),
                tables_variables(no_database, found.schemas, sample(), ALL),
            ];
            let also = tables_variables(found.database, &also, sample(), ALL);
            asking.announce(|ahead| {
                for variables in nowhere.iter().chain([&also]) {
                    ahead.query("get_tables_query", variables.clone());
                }
                for _ in 0..2 {
                    ahead.query("get_tables_query", (found.by_names)(ALL));
                }
                ahead.query(
                    "get_schemas_query",
                    vec![("database_name", text(no_database))],
                );
            });
            for variables in nowhere {
                let answer = asking.try_query("get_tables_query", variables)?;
                asking.keep();
                if answer.is_ok_and(|result| !result.rows.is_empty()) {
                    return Ok(());
                }
            }
            for round in 1..=ROUNDS {
                asking.begin_round();
                if asking.try_query("get_tables_query", also.clone())?.is_err() {
                    // What is refused may be the schema that is not there; the others may stand in the list twice.
                    asking.begin_round();
                    let twice = [found.schemas, found.schemas].concat();
                    let variables = tables_variables(found.database, &twice, sample(), ALL);
                    return list_tables(asking, &variables).map(drop);
                }
                for _ in 0..2 {
                    list_tables(asking, &(found.by_names)(ALL))?;
                }
                if same(asking.answers()) == Ok(Compared::Alike) || round == ROUNDS {
                    break;
                }
            }
            Ok(())
        },
        |answers| {
            // What was kept before the rounds; what was refused is not among it.
            let nowhere = answers.steps.len() - answers.round().len();
            for step in answers.steps.iter().take(nowhere) {
                let Ok(result) = &step.answer.result else {
                    continue;
                };
                // A statement that names neither is of a connector without them.
                let place = if step.sql.contains(no_database) {
                    format!("the database `{no_database}`")
                } else if step.sql.contains(NO_SCHEMA) {
                    format!("the schema `{NO_SCHEMA}`")
                } else {
                    continue;
                };
                if let Some(table) = read_tables(result)?.first() {
                    let got = format!("`{}` of `{}`", table.name, table.schema);
                    return Err(wrong(format!("no table in {place}"), got));
                }
            }
            same(answers)
        },
    );
    advise(chain, &OTHER_SCHEMA, compared);
}

fn advise(chain: &mut Chain<'_>, spec: &Spec, compared: Option<Compared>) {
    if compared == Some(Compared::Moved) {
        chain.advise(spec, MOVED);
    }
}

/// Judges two listings that should be the same; the second is asked for again, to tell whether it stands still.
fn same(answers: &Answers) -> Judged<Compared> {
    let results: Vec<Vec<Table>> = answers.results().map(read_tables).collect::<Judged<_>>()?;
    let [also, alone, again] = results.as_slice() else {
        return Ok(Compared::Alike);
    };
    let [also, alone, again]: [BTreeSet<_>; 3] =
        [also, alone, again].map(|tables| names(tables).into_iter().collect());
    match alone.symmetric_difference(&also).next() {
        None => Ok(Compared::Alike),
        Some(_) if alone != again => Ok(Compared::Moved),
        Some((schema, table)) => Err(wrong(
            format!(
                "the same tables when a schema that is not there is asked for as well, `{table}` of `{schema}` too"
            ),
            format!("{} tables instead of {}", also.len(), alone.len()),
        )),
    }
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
