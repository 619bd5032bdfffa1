//! Running statements, and finding them again in the database's query logs.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bigdecimal::Zero;
use bowline_contract::Template;
use bowline_driver::{Column, ResultSet, Value};
use bowline_query::Alphabet;
use bowline_warehouse::template::Origin;
use jiff::civil::{DateTime, DateTimeRound};
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, Unit};

use super::growth::rows_variables;
use super::logged::{APART, LEAST, Run, ids_are_told, is_described, is_same_user, rows_are_told};
use super::making::Created;
use super::table::TestTables;
use crate::Tier;
use crate::warehouse::ahead::{Ahead, Renders};
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, PageRequest, Seen, Spec, text};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::logged_query::{LoggedQuery, read_logs};
use crate::warehouse::outcome::{Doubt, Outcome, Step};
use crate::warehouse::query_logs::{self, Bounds, LEEWAY, nothing_logged};
use crate::warehouse::reading;
use crate::warehouse::tokens::{Likeness, TokenKind, tokens};

const LOG_PAGE: usize = 1000;
const LOG_PAGES: usize = 20;
/// How far bounds are off at most when they are read in another zone, in hours.
const ZONES: i64 = 14;
/// About how long a long statement is.
const LONG: usize = 4_500;
/// How long the longest texts of some databases are: a template that cuts there may have to.
const LONGEST_TEXT: usize = 4_000;
/// A name with letters that are not in ASCII, and one that is not in the alphabets of western Europe; two blanks in it are
/// one where blanks are made fewer.
const COUNTED: &str = "Zähler  λ";
/// What begins a statement that takes something away.
const REMOVES: [&str; 3] = ["DELETE", "TRUNCATE", "DROP"];
/// What databases call the user of a session, the usual word first.
const USERS: [&str; 3] = ["CURRENT_USER", "SESSION_USER", "SYSTEM_USER"];
/// What makes one row of several.
const MAKE_ONE: [&str; 3] = ["DISTINCT", "GROUP", "ROW_NUMBER"];

pub(super) const LINEAGE: Spec = Spec::new(
    "lineage_query",
    "a query over the table runs",
    &["create_lineage_query"],
    &[],
);
pub(super) const LOGGED: Spec = Spec::new(
    "query_logged",
    "a query run now appears in the query logs",
    &["get_query_logs_query"],
    &[],
);
pub(super) const DESCRIBED: Spec = Spec::new(
    "logged_query_described",
    "a logged query comes with its own id, time, user and number of rows, and with no error",
    &["get_query_logs_query"],
    &[],
)
.strict();
pub(super) const LONG_LOGGED: Spec = Spec::new(
    "long_query_logged",
    "a long query appears whole, as often as it ran",
    &["get_query_logs_query"],
    &[],
)
.strict();
pub(super) const WRITE_LOGGED: Spec = Spec::new(
    "write_logged",
    "a statement that writes appears as well",
    &["get_query_logs_query"],
    &[],
)
.strict();

pub(super) const EMPTY_LOGGED: Spec = Spec::new(
    "empty_query_logged",
    "a query that gives no rows, and begins with a comment, appears as well",
    &["get_query_logs_query"],
    &[],
)
.strict();

/// How the log has a statement.
#[derive(Debug, Clone)]
struct Logged {
    likeness: Likeness,
    queries: Vec<LoggedQuery>,
    /// How many signs of it the log has, where it is not all of them.
    cut: Option<usize>,
}

/// What is known when the log is looked through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    pub(super) tier: Tier,
    pub(super) patience: Duration,
    /// How far the server's clock is ahead of ours, where it was asked.
    pub(super) skew: Option<SignedDuration>,
}

/// Runs statements and waits until the query logs have them.
pub(super) fn log(chain: &mut Chain<'_>, tables: &TestTables, created: &Created, looking: Looking) {
    let strict = looking.tier == Tier::Strict;
    let runs_others = strict && chain.has("get_query_logs_query");
    let columns = created.columns.as_deref();
    let query = chain.check(
        &LINEAGE,
        |asking| {
            asking.announce(|ahead| {
                ahead.query("create_lineage_query", tables.changed.variables());
                if let (true, Some(columns)) = (runs_others, columns) {
                    others_next(ahead, tables, columns);
                }
            });
            asking.query("create_lineage_query", tables.changed.variables())
        },
        |answers| {
            let query = answers.steps.last();
            let first = query.and_then(|step| tokens(&step.sql).into_iter().next());
            match first.filter(|first| REMOVES.iter().any(|word| first.is_word(word))) {
                Some(first) => Err(wrong("a query of the table", first.text.to_owned())),
                None => Ok(query.map(Run::of)),
            }
        },
    );
    let Some(Some(query)) = query else {
        chain.not_reached(&LOGGED, &LINEAGE);
        return;
    };
    let others = if runs_others {
        run_others(chain, tables, columns)
    } else {
        [None, None, None]
    };
    let logged = find(chain, &LOGGED, &query, looking, &[]);
    let Some(logged) = logged else {
        return;
    };
    let logs = logged.queries;
    if logged.likeness == Likeness::Normalized {
        chain.advise(
            &LOGGED,
            "the query log keeps queries without their constants: lineage can be drawn from it, and what a query \
             looked for cannot be told",
        );
    }
    if !strict {
        return;
    }
    let [long, write, empty] = others;
    let step = chain.last_step(&LOGGED);
    let long = long.map(|run| {
        let found = find(chain, &LONG_LOGGED, &run, looking, &step);
        if let Some(signs) = found.as_ref().and_then(|found| found.cut) {
            chain.advise(
                &LONG_LOGGED,
                format!("of a long query the log has the first {signs} signs: lineage of what follows is lost"),
            );
        }
        let queries = found.map(|found| found.queries);
        (run, queries.unwrap_or_default())
    });
    let told_users = RefCell::new(Vec::new());
    chain.check(
        &DESCRIBED,
        |asking| {
            asking.recall(step.clone());
            told_users.replace(users(asking, &logs)?);
            Ok(())
        },
        |answers| {
            let all = all(answers)?;
            let users = told_users.borrow();
            is_described(answers, &query, (&logs, &all), &users, looking.skew)?;
            query_logs::tell_apart(&all)?;
            match &long {
                Some((run, logs)) => {
                    ids_are_told(logs)?;
                    rows_are_told(run, logs)
                }
                None => Ok(()),
            }
        },
    );
    for (spec, run) in [(&WRITE_LOGGED, write), (&EMPTY_LOGGED, empty)] {
        if let Some(run) = run {
            find(chain, spec, &run, looking, &step);
        }
    }
}

/// What [`run_others`] asks of a database that takes all of it.
fn others_next(ahead: &mut Ahead, tables: &TestTables, columns: &[Column]) {
    let long = |ahead: &Ahead| long_query(tables, first_name(columns), COUNTED, ahead);
    ahead.then(long);
    ahead.query("insert_rows", rows_variables(&tables.changed, 1));
    ahead.then(|ahead| nothing(tables, ahead));
    ahead.then(long);
}

/// Runs a long statement, one that writes and one that gives nothing: what the database refuses is left out.
fn run_others(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    columns: Option<&[Column]>,
) -> [Option<Run>; 3] {
    let run = |chain: &mut Chain<'_>, ask: &dyn Fn(&mut Asking<'_>) -> Result<(), Halt>| {
        chain.aside(|asking| {
            ask(asking)?;
            Ok(asking.answers().steps.last().map(Run::of))
        })
    };
    let long = run(chain, &|asking| run_long(asking, tables, columns));
    let write = run(chain, &|asking| {
        asking
            .query("insert_rows", rows_variables(&tables.changed, 1))
            .map(drop)
    });
    let empty = run(chain, &|asking| {
        let sql = nothing(tables, asking)?;
        asking.run(None, &sql).map(drop)
    });
    let run = |run: Option<(Option<Run>, _)>| run.and_then(|(run, _)| run);
    let (long, write, empty) = (run(long), run(write), run(empty));
    let long = long.map(|long| {
        let again = chain.aside(|asking| asking.run(None, &long.sql).map(drop));
        Run {
            again: again.map(|((), span)| span),
            ..long
        }
    });
    [long, write, empty]
}

/// Not the condition of others: a log that sums up statements keeps the text of the first. And with the signs that markup
/// spells otherwise, behind a comment as programs write them that say who asks.
fn nothing(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let table = tables.kept.identifier(with)?;
    Ok(format!(
        "/* nothing */ SELECT * FROM {table} WHERE 1 > 2 AND 1 < 2"
    ))
}

fn select_user(who: &str, with: &impl Renders) -> Result<String, Halt> {
    Ok(format!("SELECT {who}{}", with.one_row_clause()?))
}

/// Who the server says we are: some databases have a name for the login and another for what it may do.
fn users(asking: &mut Asking<'_>, logs: &[LoggedQuery]) -> Result<Vec<String>, Halt> {
    let mut users = Vec::new();
    for who in USERS {
        let who = select_user(who, asking)?;
        let result = asking.try_run(None, &who)?;
        if result.is_ok() {
            asking.forget();
        }
        if let Some(Value::Text(user)) = result.ok().as_deref().and_then(ResultSet::scalar) {
            users.push(user.clone());
        }
        let mut logged = logs.iter().filter_map(|query| query.user.as_deref());
        if logged.all(|logged| users.iter().any(|user| is_same_user(logged, user))) {
            break;
        }
    }
    Ok(users)
}

/// Counts the first column of the table that stays, again and again: no constants, names with capitals, and one row of the
/// several that are looked at. Where the database takes it, it begins with what it counts, and gives it a name that is not
/// in ASCII: in fewer letters where the database cannot hold them. Where its first line ends, two words would be one.
fn run_long(
    asking: &mut Asking<'_>,
    tables: &TestTables,
    columns: Option<&[Column]>,
) -> Result<(), Halt> {
    let first = match columns {
        Some(columns) => first_name(columns).to_owned(),
        None => {
            let sql = tables.kept.no_rows(asking)?;
            first_name(&asking.run(None, &sql)?.columns).to_owned()
        }
    };
    let fewer_letters = Alphabet::ALL.map(|alphabet| alphabet.spell(COUNTED));
    let written = [COUNTED.to_owned(), COUNTED.replace(' ', "")];
    for counted in written.into_iter().chain(fewer_letters) {
        let Ok(most) = long_query(tables, &first, &counted, asking) else {
            break;
        };
        match asking.try_run(None, &most)? {
            Ok(result) => {
                let named = result.columns.first();
                if named.is_some_and(|column| column.name.ends_with(&counted)) {
                    return Ok(());
                }
                // What cannot write the name cannot log it.
                asking.forget();
                break;
            }
            // Some databases take no blank in an alias.
            Err(error) if error.is_unencodable() || counted == COUNTED => {}
            Err(_) => break,
        }
    }
    let (counts, table) = (
        counts(&first, LEAST, asking)?,
        tables.kept.identifier(asking)?,
    );
    asking
        .run(None, &format!("SELECT\n{counts} FROM {table}"))
        .map(drop)
}

/// Some databases put the table's name before the column's.
fn first_name(columns: &[Column]) -> &str {
    let first = columns.first().map_or("", |column| column.name.as_str());
    first.rsplit('.').next().unwrap_or_default()
}

/// The count of a column, over and over in so many bytes.
fn counts(column: &str, length: usize, with: &impl Renders) -> Result<String, Halt> {
    let field = format!("COUNT({})", escaped(column, with)?);
    Ok(vec![field.as_str(); length / (field.len() + 2)].join(", "))
}

/// The long statement with what it counts first, and a name for that.
fn long_query(
    tables: &TestTables,
    column: &str,
    counted: &str,
    with: &impl Renders,
) -> Result<String, Halt> {
    let table = tables.kept.identifier(with)?;
    let all = vec![
        ("cte", text(format!("SELECT * FROM {table}"))),
        ("alias", text("counted")),
    ];
    let all = with.render("build_cte", all)?;
    let (field, named) = (escaped(column, with)?, escaped(counted, with)?);
    let counts = counts(column, LONG, with)?;
    Ok(format!(
        "{all} SELECT\nCOUNT({field}) AS {named}, {counts} FROM counted"
    ))
}

fn escaped(name: &str, with: &impl Renders) -> Result<String, Halt> {
    with.render("escape_field_name", vec![("field_name", text(name))])
}

/// Looks through the log until it has a statement; gives how it has it, and the logged queries that are it. What was
/// found of another may have it already.
fn find(
    chain: &mut Chain<'_>,
    spec: &Spec,
    run: &Run,
    looking: Looking,
    found: &[Step],
) -> Option<Logged> {
    let skew = looking.skew.unwrap_or_default();
    let (patience, has_none) = (Cell::new(looking.patience), Cell::new(false));
    let look = |asking: &mut Asking<'_>, round| {
        // That another statement was found does not say that all of them are kept.
        if round == 1 && lacks_log(asking)? {
            has_none.set(true);
            patience.set(Duration::ZERO);
        }
        let mut results = found
            .iter()
            .filter_map(|step| step.answer.result.as_deref().ok());
        if round == 0 && results.any(|result| is_in(result, run)) {
            asking.recall(found.to_vec());
            return Ok(());
        }
        // Where nobody has asked how the clocks differ, a wider span is looked into next.
        let apart = if round == 0 || looking.skew.is_some() {
            LEEWAY
        } else {
            APART
        };
        let now = asking.now();
        let span = span(run.span[0] + skew - apart, now + skew + apart);
        if round == 0 && spec.id == LOGGED.id && looking.tier == Tier::Strict {
            asking.announce(|ahead| {
                let first = query_logs::variables(span, Bounds::DateTimes, log_page(0));
                ahead.query("get_query_logs_query", first);
                ahead.then(|ahead| select_user(USERS[0], ahead));
            });
        }
        look_through(asking, span, run)
    };
    let read = |answers: &Answers| -> Judged<Seen<Logged>> {
        let logs = all(answers)?;
        let sql = answers.steps.last().map_or("", |step| step.sql.as_str());
        if let Some((likeness, queries)) = run.find(&logs) {
            return Ok(match queries.as_slice() {
                [query] if !run.is_both(query) && makes_one(sql) => Seen::Otherwise {
                    expected: format!("{} as often as it ran, twice", run.expected()),
                    got: format!(
                        "`{}` alone, from {} to {}",
                        query.id, query.start, query.end
                    ),
                },
                _ => Seen::AsExpected(Logged {
                    likeness,
                    queries: queries.into_iter().cloned().collect(),
                    cut: None,
                }),
            });
        }
        if let Some(query) = run.find_cut(&logs) {
            let signs = query.text.chars().count();
            if signs < LEAST || signs < LONGEST_TEXT && names_number(sql, signs) {
                return Err(wrong(
                    run.expected(),
                    format!("the first {signs} signs of it"),
                ));
            }
            return Ok(Seen::AsExpected(Logged {
                likeness: Likeness::Verbatim,
                queries: vec![query.clone()],
                cut: Some(signs),
            }));
        }
        Ok(Seen::Otherwise {
            expected: run.expected(),
            got: match logs.len() {
                1 => "1 other query".to_owned(),
                others => format!("{others} other queries"),
            },
        })
    };
    let settle = |asking: &mut Asking<'_>, _: &str, _: &str| {
        let logged: usize = asking
            .answers()
            .results()
            .map(|result| result.rows.len())
            .sum();
        if logged >= LOG_PAGE * LOG_PAGES {
            let words = format!(
                "more than {logged} queries were logged meanwhile, too many to look through"
            );
            return Ok(Some(Outcome::Unknown(Doubt::NoOccasion(words))));
        }
        if has_none.get() {
            return Ok(Some(nothing_logged(
                "what ran in this run is not logged, or not all of it, and the server says that it lacks what that takes",
            )));
        }
        if logged > 0 {
            return Ok(None);
        }
        shifted(asking, run, skew)
    };
    chain.watch_and_settle(spec, &patience, |_| Ok(()), look, read, settle)
}

/// Whether the server says that it lacks what the pack's query of the log needs: then there is nothing to wait for.
fn lacks_log(asking: &mut Asking<'_>) -> Result<bool, Halt> {
    let own = asking.composer().templates();
    let own = own.get(Template::known("get_query_logs_query"));
    let Some(has) = own.and_then(|own| match &own.origin {
        Origin::Pack(pack) => pack.has(own.template).map(str::to_owned),
        Origin::Composed | Origin::File { .. } => None,
    }) else {
        return Ok(false);
    };
    let Ok(answer) = asking.try_run(None, &has)? else {
        return Ok(false);
    };
    asking.forget();
    let answer = answer.scalar().and_then(reading::whole_number);
    Ok(answer.is_some_and(|answer| answer.is_zero()))
}

/// Whether a statement makes one row of several.
fn makes_one(sql: &str) -> bool {
    let mut tokens = tokens(sql).into_iter();
    tokens.any(|token| MAKE_ONE.iter().any(|word| token.is_word(word)))
}

/// Whether a statement has this number in it.
fn names_number(sql: &str, number: usize) -> bool {
    let mut tokens = tokens(sql).into_iter();
    tokens.any(|token| token.kind == TokenKind::Number && token.text.parse() == Ok(number))
}

/// Every logged query of the latest round.
fn all(answers: &Answers) -> Judged<Vec<LoggedQuery>> {
    let pages: Vec<Vec<LoggedQuery>> = answers.results().map(read_logs).collect::<Judged<_>>()?;
    Ok(pages.concat())
}

/// Asks for a span page by page until a statement is there: the order of a log is the dialect's own.
fn look_through(asking: &mut Asking<'_>, span: [DateTime; 2], run: &Run) -> Result<(), Halt> {
    for page in 0..LOG_PAGES {
        let result = query_logs::ask(asking, span, Bounds::DateTimes, log_page(page))?;
        if is_in(&result, run) || result.rows.len() < LOG_PAGE {
            break;
        }
    }
    Ok(())
}

fn log_page(page: usize) -> PageRequest {
    PageRequest {
        limit: wide(LOG_PAGE),
        offset: wide(page * LOG_PAGE),
    }
}

/// Whether a page has the statement; one that cannot be read ends the search.
fn is_in(result: &ResultSet, run: &Run) -> bool {
    read_logs(result).map_or(true, |logs| {
        run.find(&logs).is_some() || run.find_cut(&logs).is_some()
    })
}

/// Nothing at all is logged of the time: perhaps because the bounds mean something else. None when it is there by now.
fn shifted(
    asking: &mut Asking<'_>,
    run: &Run,
    skew: SignedDuration,
) -> Result<Option<Outcome>, Halt> {
    let ran = run.span[0] + skew;
    let around = |middle: Timestamp, far: SignedDuration| span(middle - far, middle + far);
    let [first, last] = around(ran, APART);
    let mut spans = vec![
        (
            "when the first bound is the later one".to_owned(),
            [last, first],
        ),
        (
            "when a span of days is asked for".to_owned(),
            around(ran, SignedDuration::from_hours(48)),
        ),
    ];
    spans.extend((-ZONES..=ZONES).filter(|hours| *hours != 0).map(|hours| {
        let middle = ran + SignedDuration::from_hours(hours);
        (
            format!("when a time {hours} h off is asked for: bounds are in UTC"),
            around(middle, APART * 2),
        )
    }));
    for (when, span) in spans {
        asking.begin_round();
        look_through(asking, span, run)?;
        if asking.answers().results().any(|result| is_in(result, run)) {
            asking.begin_round();
            look_through(asking, around(ran, APART), run)?;
            let is_late = asking.answers().results().any(|result| is_in(result, run));
            return Ok((!is_late).then(|| wrong(run.expected(), format!("it comes {when}"))));
        }
    }
    Ok(Some(nothing_logged(
        "nothing that ran in this run is logged",
    )))
}

fn span(first: Timestamp, last: Timestamp) -> [DateTime; 2] {
    [first, last + SignedDuration::from_secs(1)].map(to_the_second)
}

/// The wall clock in UTC, without fractions: not every template takes them.
fn to_the_second(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC).datetime();
    let whole = DateTimeRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Trunc);
    at.round(whole).unwrap_or(at)
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
