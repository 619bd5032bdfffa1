//! Finding statements again in the database's query logs, and what these say of them.

use std::cell::RefCell;
use std::iter;
use std::time::Duration;

use bigdecimal::{BigDecimal, ToPrimitive};
use bowline_driver::{ResultSet, Value};
use bowline_query::Alphabet;
use jiff::civil::{DateTime, DateTimeRound};
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, Unit};

use super::growth::rows_variables;
use super::table::TestTables;
use crate::Tier;
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Answers, Asking, Halt, came};
use crate::warehouse::chain::{Chain, PageRequest, Seen, Spec, text};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::outcome::{Doubt, Outcome, Step};
use crate::warehouse::query_logs::{self, Bounds, LEEWAY, LoggedQuery, nothing_logged, read_logs};
use crate::warehouse::tokens::{Likeness, TokenKind, holds, tokens};

const LOG_PAGE: usize = 1000;
const LOG_PAGES: usize = 20;
/// How far the clocks of server and client may be apart where nobody has asked.
const APART: SignedDuration = SignedDuration::from_mins(15);
/// How far bounds are off at most when they are read in another zone, in hours.
const ZONES: i64 = 14;
/// About how long a long statement is.
const LONG: usize = 4_500;
/// How much of one a log has at least: some databases keep no more than 1,024 bytes.
const LEAST: usize = 900;
/// How long the longest texts of some databases are: a template that cuts there may have to.
const LONGEST_TEXT: usize = 4_000;
/// The tokens of the shortest beginning of a statement that counts as one.
const SHORTEST: usize = 20;
/// A name with letters that are not in ASCII, and one that is not in the alphabets of western Europe.
const COUNTED: &str = "Zählerλ";
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
    "a query that gives no rows, and has a comment, appears as well",
    &["get_query_logs_query"],
    &[],
)
.strict();

/// A statement that was run, and that the log is searched for.
#[derive(Debug, Clone)]
struct Run {
    sql: String,
    rows: usize,
    /// From when to when it ran, by our clock.
    span: [Timestamp; 2],
    /// From when to when it ran again, where it did.
    again: Option<[Timestamp; 2]>,
}

/// How the log has a statement.
#[derive(Debug, Clone)]
struct Logged {
    likeness: Likeness,
    queries: Vec<LoggedQuery>,
    /// How many signs of it the log has, where it is not all of them.
    cut: Option<usize>,
}

impl Run {
    fn of(step: &Step) -> Self {
        let rows = step
            .answer
            .result
            .as_deref()
            .map_or(0, |result| result.rows.len());
        Self {
            sql: step.sql.clone(),
            rows,
            span: [step.answer.asked, came(&step.answer)],
            again: None,
        }
    }

    /// The logged queries that are this one, and how like it they are.
    fn find<'q>(&self, logs: &'q [LoggedQuery]) -> Option<(Likeness, Vec<&'q LoggedQuery>)> {
        let wanted = tokens(&self.sql);
        // Most texts of a log are long and about something else: they are not worth taking apart.
        let names = [TokenKind::Word, TokenKind::Quoted];
        let names = wanted.iter().filter(|token| names.contains(&token.kind));
        let longest = names.max_by_key(|token| token.text.len());
        let telling = longest.map_or(String::new(), |token| token.text.to_lowercase());
        let alike: Vec<(Likeness, &LoggedQuery)> = logs
            .iter()
            .filter(|query| query.text.to_lowercase().contains(&telling))
            .filter_map(|query| Some((holds(&tokens(&query.text), &wanted)?, query)))
            .collect();
        let likeness = alike.iter().map(|(likeness, _)| *likeness).min()?;
        let queries = alike.into_iter().filter(|(each, _)| *each == likeness);
        Some((likeness, queries.map(|(_, query)| query).collect()))
    }

    /// The first logged query that is the beginning of this one.
    fn find_cut<'q>(&self, logs: &'q [LoggedQuery]) -> Option<&'q LoggedQuery> {
        let wanted = tokens(&self.sql);
        logs.iter().find(|query| {
            // The last one may be cut itself.
            let there = tokens(&query.text);
            let whole = there.len().saturating_sub(1);
            there.len() > SHORTEST
                && wanted
                    .get(..whole)
                    .is_some_and(|start| holds(&there[..whole], start).is_some())
        })
    }

    /// Whether one logged query stands for both times that this one ran: it takes the time between them, or times are
    /// not told that exactly.
    fn is_both(&self, query: &LoggedQuery) -> bool {
        let is_exact = |at: Timestamp| at.subsec_nanosecond() != 0;
        let Some([again, _]) = self.again else {
            return true;
        };
        let between = again.duration_since(self.span[1]);
        query.end.duration_since(query.start) >= between
            || !is_exact(query.start) && !is_exact(query.end)
    }

    fn expected(&self) -> String {
        let sql: String = self.sql.chars().take(LEAST / 4).collect();
        let rest = if sql.len() < self.sql.len() {
            "…"
        } else {
            ""
        };
        format!("the query `{sql}{rest}` among the logged ones")
    }
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
pub(super) fn log(chain: &mut Chain<'_>, tables: &TestTables, looking: Looking) {
    let strict = looking.tier == Tier::Strict;
    let runs_others = strict && chain.has("get_query_logs_query");
    let query = chain.check(
        &LINEAGE,
        |asking| {
            asking.announce(|ahead| {
                ahead.query("create_lineage_query", tables.changed.variables());
                if runs_others {
                    ahead.then(|ahead| tables.kept.no_rows(ahead));
                }
            });
            asking.query("create_lineage_query", tables.changed.variables())
        },
        |answers| Ok(answers.steps.last().map(Run::of)),
    );
    let Some(Some(query)) = query else {
        chain.not_reached(&LOGGED, &LINEAGE);
        return;
    };
    let others = if runs_others {
        run_others(chain, tables)
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
            is_described(answers, &query, &logs, &told_users.borrow(), looking.skew)?;
            query_logs::tell_apart(&all(answers)?)?;
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

/// Runs a long statement, one that writes and one that gives nothing: what the database refuses is left out.
fn run_others(chain: &mut Chain<'_>, tables: &TestTables) -> [Option<Run>; 3] {
    let run = |chain: &mut Chain<'_>, ask: &dyn Fn(&mut Asking<'_>) -> Result<(), Halt>| {
        chain.aside(|asking| {
            ask(asking)?;
            Ok(asking.answers().steps.last().map(Run::of))
        })
    };
    let long = run(chain, &|asking| run_long(asking, tables));
    let again = match &long {
        Some((Some(long), _)) => Some(long.sql.clone()),
        _ => None,
    };
    chain.announce(|ahead| {
        ahead.query("insert_rows", rows_variables(&tables.changed, 1));
        ahead.then(|ahead| nothing(tables, ahead));
        if let Some(again) = again {
            ahead.then(|_| Ok(again));
        }
    });
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

/// Not the condition of others: a log that sums up statements keeps the text of the first.
fn nothing(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let table = tables.kept.identifier(with)?;
    Ok(format!(
        "SELECT /* nothing */ * FROM {table} WHERE 1 = 0 AND 1 = 1"
    ))
}

/// Who the server says we are: some databases have a name for the login and another for what it may do.
fn users(asking: &mut Asking<'_>, logs: &[LoggedQuery]) -> Result<Vec<String>, Halt> {
    let mut users = Vec::new();
    for who in ["CURRENT_USER", "SESSION_USER", "SYSTEM_USER"] {
        let who = format!("SELECT {who}{}", asking.one_row_clause()?);
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
/// in ASCII: in fewer letters where the database cannot hold them.
fn run_long(asking: &mut Asking<'_>, tables: &TestTables) -> Result<(), Halt> {
    let table = tables.kept.identifier(asking)?;
    let sql = tables.kept.no_rows(asking)?;
    let columns = asking.run(None, &sql)?;
    let first = columns
        .columns
        .first()
        .map_or("", |column| column.name.as_str());
    // Some databases put the table's name before the column's.
    let first = first.rsplit('.').next().unwrap_or_default();
    let name = |asking: &Asking<'_>, name: &str| {
        asking.render("escape_field_name", vec![("field_name", text(name))])
    };
    let field = format!("COUNT({})", name(asking, first)?);
    let counts = |length: usize| vec![field.as_str(); length / (field.len() + 2)].join(", ");
    let all = vec![
        ("cte", text(format!("SELECT * FROM {table}"))),
        ("alias", text("counted")),
    ];
    let all = asking.render("build_cte", all);
    let fewer_letters = Alphabet::ALL.map(|alphabet| alphabet.spell(COUNTED));
    for counted in iter::once(COUNTED.to_owned()).chain(fewer_letters) {
        let (Ok(all), Ok(named)) = (&all, name(asking, &counted)) else {
            break;
        };
        let counts = counts(LONG);
        let most = format!("{all} SELECT {field} AS {named}, {counts} FROM counted");
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
            Err(error) if error.is_unencodable() => {}
            Err(_) => break,
        }
    }
    let plain = format!("SELECT {} FROM {table}", counts(LEAST));
    asking.run(None, &plain).map(drop)
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
    let look = |asking: &mut Asking<'_>, round| {
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
            return Ok(Some(Outcome::Unknown(Doubt::NothingToSee(words))));
        }
        if logged > 0 {
            return Ok(None);
        }
        shifted(asking, run, skew)
    };
    chain.watch_and_settle(spec, looking.patience, |_| Ok(()), look, read, settle)
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
        let page = PageRequest {
            limit: wide(LOG_PAGE),
            offset: wide(page * LOG_PAGE),
        };
        let result = query_logs::ask(asking, span, Bounds::DateTimes, page)?;
        if is_in(&result, run) || result.rows.len() < LOG_PAGE {
            break;
        }
    }
    Ok(())
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

/// Judges what the log says of a statement; one of several entries suffices, for a log may have older ones.
fn is_described(
    answers: &Answers,
    run: &Run,
    logs: &[LoggedQuery],
    users: &[String],
    skew: Option<SignedDuration>,
) -> Judged<()> {
    let looked = answers
        .steps
        .last()
        .map_or(run.span[1], |step| came(&step.answer));
    let leeway = if skew.is_some() { LEEWAY } else { APART };
    let skew = skew.unwrap_or_default();
    let judge = |query: &LoggedQuery| -> Judged<()> {
        let [from, until] = run.span.map(|at| at + skew);
        // What counts queries instead of logging them knows no more than that it ran in the span asked for.
        let is_bound = query.start.duration_since(from - LEEWAY).abs() <= LEEWAY;
        if !is_bound && (query.start < from - leeway || query.start > until + leeway) {
            return Err(wrong(
                format!("a start_time from {from} to {until}, when the query ran"),
                query.start.to_string(),
            ));
        }
        if query.end < from - leeway || query.end > looked + skew + leeway {
            return Err(wrong(
                format!("an end_time near {until}, when the query ended"),
                query.end.to_string(),
            ));
        }
        let is_error = |error: &&String| !is_no_error(error);
        if let Some(error) = query.errors.iter().flatten().find(is_error) {
            return Err(wrong(
                "no error for a query that succeeded",
                format!("`{error}`"),
            ));
        }
        rows_are_told(run, std::slice::from_ref(query))?;
        match (&query.user, users) {
            (Some(logged), [user, ..]) if !users.iter().any(|user| is_same_user(logged, user)) => {
                Err(wrong(format!("the user `{user}`"), format!("`{logged}`")))
            }
            _ => Ok(()),
        }
    };
    let is_twice = |at: usize| logs[..at].contains(&logs[at]);
    if let Some(twice) = (0..logs.len()).find(|at| is_twice(*at)) {
        return Err(wrong(
            "each query once",
            format!("`{}` again", logs[twice].id),
        ));
    }
    let mut judged = logs.iter().map(judge);
    match judged.next() {
        None | Some(Ok(())) => Ok(()),
        Some(first) if judged.any(|judged| judged.is_ok()) => {
            let _: () = drop(first);
            Ok(())
        }
        Some(first) => first,
    }
}

/// Judges that what ran at different times is told apart.
fn ids_are_told(logs: &[LoggedQuery]) -> Judged<()> {
    let Some((first, others)) = logs.split_first() else {
        return Ok(());
    };
    if others.iter().any(|other| other.id != first.id) {
        return Ok(());
    }
    match others.iter().find(|other| other.start != first.start) {
        Some(other) => Err(wrong(
            "a query_id of its own each time that a query runs",
            format!(
                "`{}` for what began at {} and for what began at {}",
                first.id, first.start, other.start
            ),
        )),
        None => Ok(()),
    }
}

/// Judges how many rows a statement is said to have returned; one of several entries suffices.
fn rows_are_told(run: &Run, logs: &[LoggedQuery]) -> Judged<()> {
    let told = logs.iter().map(|query| query.returned_rows.as_ref());
    let is_told =
        |rows: Option<&BigDecimal>| rows.is_none_or(|rows| rows.to_usize() == Some(run.rows));
    match told.clone().next().flatten() {
        Some(rows) if !told.clone().any(is_told) => Err(wrong(
            format!("{} as returned_rows", run.rows),
            rows.to_string(),
        )),
        _ => Ok(()),
    }
}

/// What stands for no error in a log that always has one.
fn is_no_error(error: &str) -> bool {
    let error = error.trim().to_lowercase();
    error.chars().all(|sign| sign == '0')
        || [
            "ok",
            "success",
            "successful",
            "succeeded",
            "none",
            "null",
            "no error",
            "finished",
        ]
        .contains(&error.as_str())
}

/// Names of users come with or without where they come from: `ada`, `ada@localhost`, `ada[ada] @ localhost []`, `HOME\ada`.
fn is_same_user(logged: &str, user: &str) -> bool {
    fn names(user: &str) -> impl Iterator<Item = &str> {
        let parts = user.split(['@', '[', ']', '\\', '/', ':', ' ', '\'', '"', '`']);
        parts.filter(|part| !part.is_empty())
    }
    let is_in = |user: &str, others: &str| {
        let name = names(user).next();
        name.is_some_and(|name| names(others).any(|other| other.eq_ignore_ascii_case(name)))
    };
    logged.eq_ignore_ascii_case(user) || is_in(user, logged) || is_in(logged, user)
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
