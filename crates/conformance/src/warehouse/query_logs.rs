//! Query logs, part of the section `metadata`: what was run, and when.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline_contract::Capability;
use bowline_driver::ResultSet;
use bowline_template::TemplateValue;
use bowline_words::listed;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use crate::Tier;
use crate::warehouse::answers::{Answers, Asking, Halt, came};
use crate::warehouse::chain::{Chain, PageRequest, Spec, text};
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::logged_query::{LoggedQuery, read_logs};
use crate::warehouse::outcome::{Doubt, Outcome};
use crate::warehouse::tokens::{
    Order, Term, Token, is_outermost, is_uncut, offsets, order, tokens,
};

/// How many logged queries are asked for.
const LIMIT: i64 = 100;
const CARRIES: &[Capability] = &[
    Capability::QueryLogs,
    Capability::Lineage,
    Capability::FieldLineage,
];

pub(crate) const WITH_DATETIMES: Spec = Spec::new(
    "query_logs",
    "the last hour's queries come with ids, times and texts",
    &["get_query_logs_query"],
    CARRIES,
);
pub(crate) const WITH_TEXTS: Spec = Spec::new(
    "query_logs_text_bounds",
    "the bounds may be given as text instead",
    &["get_query_logs_query"],
    CARRIES,
);

pub(crate) const SOUND: Spec = Spec::new(
    "query_logs_sound",
    "logged queries are told apart, by the same ids each time, end after they begin, and are of the span asked for",
    &["get_query_logs_query"],
    CARRIES,
)
.strict();
pub(crate) const LIMITED: Spec = Spec::new(
    "query_logs_limit",
    "no more queries come than asked for, in pages that follow each other, and none after the last",
    &["get_query_logs_query"],
    CARRIES,
)
.strict();
pub(crate) const BOUNDED: Spec = Spec::new(
    "query_logs_bounds",
    "of an hour that is over and of the next but one, no query of another hour comes",
    &["get_query_logs_query"],
    CARRIES,
)
.strict();

const FIRST_PAGE: PageRequest = PageRequest {
    limit: LIMIT,
    offset: 0,
};

const ALL: PageRequest = PageRequest {
    limit: 5_000,
    offset: 0,
};

/// How far a time may be off: bounds are rounded to seconds.
pub(crate) const LEEWAY: SignedDuration = SignedDuration::from_secs(2);
/// How far a server's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);
/// How many signs an id has that is cut: there are too few of them to tell queries apart.
const SHORT_ID: usize = 3;
/// How many short ids stand for several queries, and say nothing yet.
const FEW: usize = 3;
/// An offset that no log reaches in an hour.
const BEYOND: i64 = 1_000_000_000;

/// The bounds of a query log request, as datetimes or as the agent's text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bounds {
    DateTimes,
    Texts,
}

/// Runs the checks; those of the strict tier follow where a query was logged.
pub(crate) fn query_logs(mut chain: Chain<'_>, tier: Tier) -> Vec<Finding> {
    let mut logged = false;
    let asked = Cell::new([DateTime::default(); 2]);
    for (spec, bounds) in [
        (&WITH_DATETIMES, Bounds::DateTimes),
        (&WITH_TEXTS, Bounds::Texts),
    ] {
        // Where the last hour has queries, the second span ends at an earlier time of day than it begins: days count, and
        // not the time of day alone.
        let hours: i64 = if logged { 22 } else { 0 };
        let earlier = hours.hours();
        let seen = chain.check(
            spec,
            |asking| {
                // An embedded engine has logged nothing but this run: its bounds must reach up to now.
                let span = |asking: &Asking<'_>| {
                    let [first, last] = asking.clock().last_hour();
                    [first.saturating_sub(earlier), last]
                };
                asked.set(span(asking));
                let result = ask(asking, asked.get(), bounds, FIRST_PAGE)?;
                if result.rows.is_empty() {
                    // Where the log was still empty, the first request itself is in it by now.
                    asking.begin_round();
                    asked.set(span(asking));
                    ask(asking, asked.get(), bounds, FIRST_PAGE)?;
                }
                Ok(())
            },
            |answers| some_query(answers, logged),
        );
        if seen.is_some() && !logged && tier == Tier::Strict {
            logged = true;
            let step = chain.last_step(spec);
            chain.check(
                &SOUND,
                |asking| {
                    asking.recall(step);
                    ask(asking, asked.get(), bounds, FIRST_PAGE).map(drop)
                },
                |answers| are_sound(answers, asked.get()),
            );
        }
        logged |= seen.is_some();
    }
    if logged && tier == Tier::Strict {
        chain.check(&LIMITED, page_through, follow);
        let clock = chain.clock();
        let hours = [clock.hour_until_lately(), clock.hour_to_come()];
        chain.check(
            &BOUNDED,
            |asking| {
                for (hour, bounds) in hours.into_iter().zip([Bounds::DateTimes, Bounds::Texts]) {
                    ask(asking, hour, bounds, FIRST_PAGE)?;
                }
                Ok(())
            },
            |answers| nothing_of_another_hour(answers, hours),
        );
    }
    chain.finish()
}

pub(crate) fn ask(
    asking: &mut Asking<'_>,
    span: [DateTime; 2],
    bounds: Bounds,
    page: PageRequest,
) -> Result<Arc<ResultSet>, Halt> {
    asking.query("get_query_logs_query", variables(span, bounds, page))
}

/// `before` says whether the other writing of the bounds had found a query.
fn some_query(answers: &Answers, before: bool) -> Judged<()> {
    if !answers.read(read_logs)?.is_empty() {
        return Ok(());
    }
    Err(if before {
        wrong(
            "the last hour's queries, as with bounds that are datetimes",
            "no rows",
        )
    } else {
        nothing_logged("no query was logged in the last hour")
    })
}

/// Unknown, for there is nothing in the log.
pub(crate) fn nothing_logged(what: &str) -> Outcome {
    Outcome::Unknown(Doubt::NothingToSee(format!(
        "{what}: does the server log queries, and may this account see them?"
    )))
}

/// Judges that logged queries ran in the span that was asked for.
fn are_of_span(logs: &[LoggedQuery], [first, last]: [DateTime; 2]) -> Judged<()> {
    let [first, last] = [first, last].map(|at| at.to_zoned(TimeZone::UTC).map(|at| at.timestamp()));
    let (Ok(first), Ok(last)) = (first, last) else {
        return Ok(());
    };
    for LoggedQuery { id, start, end, .. } in logs {
        if *start > last + LEEWAY || *end < first - LEEWAY {
            return Err(wrong(
                format!("queries from {first} to {last}"),
                format!("`{id}` from {start} to {end}"),
            ));
        }
    }
    Ok(())
}

/// Judges what is logged of a span that was asked for twice.
fn are_sound(answers: &Answers, span: [DateTime; 2]) -> Judged<()> {
    let mut results = answers.results();
    let logs = results.next().map_or(Ok(Vec::new()), read_logs)?;
    let again = results.next().map_or(Ok(Vec::new()), read_logs)?;
    let came = answers.steps.first().map(|step| came(&step.answer));
    for query in &logs {
        let LoggedQuery { id, start, end, .. } = query;
        if *start > *end + LEEWAY {
            return Err(wrong(
                format!("an end_time after the start_time, {start}, for the query `{id}`"),
                end.to_string(),
            ));
        }
        if let Some(came) = came
            && *end > came + AHEAD
        {
            return Err(wrong(
                format!("queries that ended before {came}"),
                format!("`{id}`, which ended at {end}"),
            ));
        }
    }
    are_of_span(&logs, span)?;
    do_not_run_backwards(&logs)?;
    keep_their_ids(&logs, &again)?;
    tell_apart(&logs)?;
    let mut once: Vec<&LoggedQuery> = Vec::new();
    for query in &logs {
        if !once.contains(&query) {
            once.push(query);
        }
    }
    if logs.len() > 1 && once.len() * 2 <= logs.len() {
        return Err(wrong("each query once", format!("`{}` again", logs[0].id)));
    }
    Ok(())
}

/// Judges that ids tell queries apart. A few may share one, such as the statements that another one runs; but not when
/// ids are so short that there are too few of them.
pub(crate) fn tell_apart(logs: &[LoggedQuery]) -> Judged<()> {
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for query in logs {
        ids.entry(&query.id).or_default().insert(&query.text);
    }
    let texts: BTreeSet<&str> = logs.iter().map(|query| query.text.as_str()).collect();
    let shared = ids.values().filter(|texts| texts.len() > 1).count();
    let are_short = ids.keys().all(|id| id.len() <= SHORT_ID);
    let are_too_few = shared > FEW && shared * 4 >= ids.len() || ids.len() + 1 < texts.len();
    if ids.len() * 2 <= texts.len() || are_short && are_too_few {
        return Err(wrong(
            "a query_id of its own for each query",
            format!(
                "{} of them for {} different queries",
                ids.len(),
                texts.len()
            ),
        ));
    }
    Ok(())
}

/// Judges that not all queries that take any time end before they begin: times may be rounded, and then to seconds.
fn do_not_run_backwards(logs: &[LoggedQuery]) -> Judged<()> {
    let is_exact = |query: &LoggedQuery| query.end.subsec_nanosecond() != 0;
    let is_forwards = |query: &LoggedQuery| query.start < query.end;
    if !logs.iter().any(is_exact) || logs.iter().any(is_forwards) {
        return Ok(());
    }
    match logs.iter().find(|query| query.start > query.end) {
        Some(query) => Err(wrong(
            "an end_time after the start_time",
            format!(
                "{} after {} for the query `{}`, and no other way round",
                query.start, query.end, query.id
            ),
        )),
        None => Ok(()),
    }
}

/// Judges that a query has the same id whenever the log is asked: what has its text and its beginning is the same query.
fn keep_their_ids(logs: &[LoggedQuery], again: &[LoggedQuery]) -> Judged<()> {
    fn ids<'q>(logs: &'q [LoggedQuery], like: &LoggedQuery) -> BTreeSet<&'q str> {
        let is_it = |query: &&LoggedQuery| query.text == like.text && query.start == like.start;
        let found = logs.iter().filter(is_it);
        found.map(|query| query.id.as_str()).collect()
    }
    let (mut changed, mut is_kept, mut passed_on) = (BTreeSet::new(), false, 0);
    for query in logs {
        let (before, after) = (ids(logs, query), ids(again, query));
        if !before.is_disjoint(&after) {
            is_kept = true;
        } else if !after.is_empty() {
            let has_id = |other: &LoggedQuery| before.contains(other.id.as_str());
            passed_on += usize::from(again.iter().any(has_id));
            changed.insert((&query.text, before, after));
        }
    }
    match changed.first() {
        // One alone may have run twice at once, with room for one of them on the page. Where others keep theirs, those
        // that changed must have passed them on.
        Some((text, before, after)) if changed.len() > 1 && (!is_kept || passed_on > 1) => {
            Err(wrong(
                format!("the query_id `{}` again for `{text}`", listed(before)),
                format!("`{}`", listed(after)),
            ))
        }
        _ => Ok(()),
    }
}

/// The pages that are asked for, with how many queries may come. The first is asked for again after those that begin
/// where it does: a log moves on.
const PAGES: [(PageRequest, usize); 5] = {
    const fn page(limit: i64, offset: i64) -> PageRequest {
        PageRequest { limit, offset }
    }
    [
        (page(3, 0), 3),
        (page(1, 0), 1),
        (page(2, 1), 2),
        (page(3, 0), 3),
        (page(1_000, BEYOND), 0),
    ]
};

/// Asks for pages of what was logged before this second, which stands still; of a log that is younger, up to now. It is no
/// younger, and ends early, where more come when more are asked for.
fn page_through(asking: &mut Asking<'_>) -> Result<(), Halt> {
    let [first, next_second] = asking.clock().last_hour();
    let this_second = next_second.saturating_sub(1.second());
    for last in [this_second, next_second] {
        let mut is_whole = true;
        asking.begin_round();
        let mut of_page = |page| ask(asking, [first, last], Bounds::DateTimes, page);
        for (page, most) in PAGES {
            let result = of_page(page)?;
            if page.offset == 0 && most > 1 && result.rows.len() < 2 && last == this_second {
                if result.rows.is_empty()
                    && !of_page(ALL)?.rows.is_empty()
                    && of_page(page)?.rows.is_empty()
                {
                    return Ok(());
                }
                is_whole = false;
                break;
            }
        }
        if is_whole {
            break;
        }
    }
    Ok(())
}

/// Judges pages.
fn follow(answers: &Answers) -> Judged<()> {
    for (step, (PageRequest { limit, offset }, most)) in answers.steps.iter().zip(PAGES) {
        let Ok(result) = &step.answer.result else {
            continue;
        };
        let sql = tokens(&step.sql);
        let order = order(&sql);
        let moves = matches!(&order, Order::By(terms) if is_by_measures(&sql, terms));
        if moves || order == Order::Nothing {
            let by = if moves {
                "by measures of queries alone"
            } else {
                "nothing"
            };
            return Err(wrong(
                "pages in an order",
                format!("a statement that orders {by}"),
            ));
        }
        is_uncut(&sql, limit)?;
        // What leaves one out more or less each time shows on no page.
        let offsets = offsets(&sql);
        if !offsets.is_empty() && !offsets.contains(&offset) {
            return Err(wrong(
                format!("a page with the offset {offset}"),
                format!("a statement with the offset {}", listed(offsets)),
            ));
        }
        let rows = result.rows.len();
        if rows > most || rows == 0 && offset == 0 {
            let exactly = if most == 1 { "one query" } else { "queries" };
            return Err(wrong(
                format!("{exactly} with limit {limit} and offset {offset}, and {most} at most"),
                format!("{rows} queries"),
            ));
        }
    }
    let results: Vec<Vec<LoggedQuery>> = answers.results().map(read_logs).collect::<Judged<_>>()?;
    let [whole, pages @ .., again, _] = results.as_slice() else {
        return Ok(());
    };
    if whole != again {
        return Ok(());
    }
    for (page, expected) in pages.iter().zip(whole) {
        if !page.first().is_some_and(|first| first.is(expected)) {
            let told = |query: &LoggedQuery| format!("`{}`, `{}`", query.id, query.text);
            return Err(wrong(
                format!(
                    "pages that follow each other, {} first on this one",
                    told(expected)
                ),
                page.first().map_or("none".to_owned(), told),
            ));
        }
    }
    Ok(())
}

/// Whether pages are ordered by measures alone: several queries or tables have the same, and it grows.
pub(crate) fn is_by_measures(sql: &[Token<'_>], terms: &[Term<'_>]) -> bool {
    is_outermost(sql) && terms.iter().all(is_measure)
}

fn is_measure(term: &Term<'_>) -> bool {
    const MEASURES: &str = "calls executions total mean elapsed duration rows bytes cpu \
                            reltuples relpages tup size length";
    const OTHERS: &str = "start begin end first last at date id";
    let Term::Name(name) = term else {
        return false;
    };
    let name = name.to_lowercase();
    let is_in = |words: &str| {
        name.split('_')
            .any(|part| words.split(' ').any(|word| word == part))
    };
    is_in(MEASURES) && !is_in(OTHERS)
}

/// Judges what is logged of an hour that was over before the run began, as a rule, and of one to come.
fn nothing_of_another_hour(answers: &Answers, hours: [[DateTime; 2]; 2]) -> Judged<()> {
    for (result, hour) in answers.results().zip(hours) {
        are_of_span(&read_logs(result)?, hour)?;
    }
    Ok(())
}

/// The variables that ask for what ran between two moments.
pub(crate) fn variables(
    [start, end]: [DateTime; 2],
    bounds: Bounds,
    page: PageRequest,
) -> Vec<(&'static str, TemplateValue)> {
    let bound = |at: DateTime| match bounds {
        Bounds::DateTimes => TemplateValue::DateTime(at),
        Bounds::Texts => text(at.strftime("%Y-%m-%d %H:%M:%S").to_string()),
    };
    vec![
        ("start_time", bound(start)),
        ("end_time", bound(end)),
        ("limit", TemplateValue::Integer(page.limit)),
        ("offset", TemplateValue::Integer(page.offset)),
    ]
}
