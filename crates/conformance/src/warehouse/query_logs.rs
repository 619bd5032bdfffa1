//! Query logs, part of the section `metadata`: what was run, and when.

use std::sync::Arc;

use bowline_contract::Capability;
use bowline_driver::{ResultSet, Value};
use bowline_template::TemplateValue;
use jiff::civil::DateTime;

use crate::Tier;
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, PageRequest, Spec, text};
use crate::warehouse::expect::spell;
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{is_timestamp, require_columns};
use crate::warehouse::outcome::{Doubt, Outcome};
use crate::warehouse::reading;

/// How many logged queries are asked for.
const LIMIT: i64 = 100;
const REQUIRED: [&str; 4] = ["query_id", "start_time", "end_time", "query_text"];
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

pub(crate) const LIMITED: Spec = Spec::new(
    "query_logs_limit",
    "no more queries come than asked for, and none after the last",
    &["get_query_logs_query"],
    CARRIES,
)
.strict();
pub(crate) const BOUNDED: Spec = Spec::new(
    "query_logs_bounds",
    "of a day long ago and of one to come, no query of today comes",
    &["get_query_logs_query"],
    CARRIES,
)
.strict();

const FIRST_PAGE: PageRequest = PageRequest {
    limit: LIMIT,
    offset: 0,
};

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
    for (spec, bounds) in [
        (&WITH_DATETIMES, Bounds::DateTimes),
        (&WITH_TEXTS, Bounds::Texts),
    ] {
        let seen = chain.check(
            spec,
            |asking| {
                // An embedded engine has logged nothing but this run: its bounds must reach up to now.
                let hour = asking.clock().last_hour();
                let result = ask(asking, hour, bounds, FIRST_PAGE)?;
                if result.rows.is_empty() {
                    // Where the log was still empty, the first request itself is in it by now.
                    asking.begin_round();
                    ask(asking, asking.clock().last_hour(), bounds, FIRST_PAGE)?;
                }
                Ok(())
            },
            some_query,
        );
        logged |= seen.is_some();
    }
    if logged && tier == Tier::Strict {
        let pages = [(1, 0, 1), (LIMIT, BEYOND, 0)]
            .map(|(limit, offset, most)| (PageRequest { limit, offset }, most));
        chain.check(
            &LIMITED,
            |asking| {
                for (page, _) in pages {
                    let hour = asking.clock().last_hour();
                    ask(asking, hour, Bounds::DateTimes, page)?;
                }
                Ok(())
            },
            |answers| no_more_than(answers, &pages),
        );
        let clock = chain.clock();
        chain.check(
            &BOUNDED,
            |asking| {
                for day in [clock.day_long_ago(), clock.day_to_come()] {
                    ask(asking, day, Bounds::DateTimes, FIRST_PAGE)?;
                }
                Ok(())
            },
            |answers| nothing_of_today(answers, clock.last_hour()),
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

fn some_query(answers: &Answers) -> Judged<()> {
    if answers.read(read_texts)?.is_empty() {
        return Err(Outcome::Unknown(Doubt::NothingToSee(
            "no query was logged in the last hour".to_owned(),
        )));
    }
    Ok(())
}

fn no_more_than(answers: &Answers, pages: &[(PageRequest, usize)]) -> Judged<()> {
    for (result, (PageRequest { limit, offset }, most)) in answers.results().zip(pages) {
        if result.rows.len() > *most {
            return Err(wrong(
                format!("at most {most} queries with limit {limit} and offset {offset}"),
                format!("{} queries", result.rows.len()),
            ));
        }
    }
    Ok(())
}

/// Judges what is logged of a day long ago and of one to come.
fn nothing_of_today(answers: &Answers, [recent, now]: [DateTime; 2]) -> Judged<()> {
    for (result, day) in answers.results().zip(["long ago", "to come"]) {
        read_texts(result)?;
        let start = result.position("start_time");
        let of_today = result
            .rows
            .iter()
            .filter_map(|row| row.get(start?))
            .find(|at| reading::wall_clock(at).is_some_and(|at| recent <= at && at <= now));
        if let Some(at) = of_today {
            return Err(wrong(format!("queries of a day {day} only"), spell(at)));
        }
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

/// Reads and checks a result: the texts of the logged queries.
pub(crate) fn read_texts(result: &ResultSet) -> Judged<Vec<String>> {
    require_columns(result, &REQUIRED)?;
    let position = |name: &str| result.position(name);
    let optional_texts = ["user", "error_code", "error_text"].map(|name| (name, position(name)));
    let required = REQUIRED.map(|name| (name, position(name)));
    result
        .rows
        .iter()
        .map(|row| {
            let at = |position: Option<usize>| {
                position
                    .and_then(|position| row.get(position))
                    .unwrap_or(&Value::Null)
            };
            let [id, start, end, query] = required.map(|(_, position)| at(position));
            if !matches!(id, Value::Text(_)) {
                return Err(wrong("text as query_id", spell(id)));
            }
            for (name, value) in [("start_time", start), ("end_time", end)] {
                if !is_timestamp(value) {
                    return Err(wrong(format!("a timestamp as {name}"), spell(value)));
                }
            }
            for (name, position) in optional_texts {
                let value = at(position);
                if !matches!(value, Value::Text(_) | Value::Null) {
                    return Err(wrong(format!("text or NULL as {name}"), spell(value)));
                }
            }
            let returned = at(position("returned_rows"));
            if !returned.is_null() && reading::whole_number(returned).is_none() {
                return Err(wrong(
                    "a whole number or NULL as returned_rows",
                    spell(returned),
                ));
            }
            match query {
                Value::Text(query) => Ok(query.clone()),
                other => Err(wrong("text as query_text", spell(other))),
            }
        })
        .collect()
}
