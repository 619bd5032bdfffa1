//! Query logs, part of the section `metadata`: what was run, and when.

use std::sync::Arc;

use bowline_connector::template::{TemplateSet, TemplateValue};
use bowline_contract::{Capability, SuiteSection};
use bowline_driver::{ResultSet, Value};

use crate::chain::{Asked, Chain, Spec, text};
use crate::clock::Clock;
use crate::expect::spell;
use crate::finding::{Finding, wrong};
use crate::metadata::{is_timestamp, require_columns};
use crate::outcome::{Doubt, Outcome};
use crate::reading;
use crate::session::Session;

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

/// The bounds of a query log request, as datetimes or as the agent's text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bounds {
    DateTimes,
    Texts,
}

/// Runs both checks.
pub(crate) fn query_logs(templates: Arc<TemplateSet>, session: &mut Session) -> Vec<Finding> {
    let mut chain = Chain::new(SuiteSection::Metadata, templates, session);
    for (spec, bounds) in [
        (&WITH_DATETIMES, Bounds::DateTimes),
        (&WITH_TEXTS, Bounds::Texts),
    ] {
        chain.check(spec, |chain, info| {
            let mut ask = || {
                // An embedded engine has logged nothing but this run: its bounds must reach up to now.
                let page = Page {
                    limit: LIMIT,
                    offset: 0,
                };
                let variables = variables(Clock::start(), bounds, page);
                let result = chain.query(info, "get_query_logs_query", variables)?;
                read_texts(&result)
            };
            // Where the log was still empty, the first request itself is in it by now.
            match ask()?.is_empty() && ask()?.is_empty() {
                true => Err(Outcome::Unknown(Doubt::NothingToSee(
                    "no query was logged in the last hour".to_owned(),
                ))),
                false => Ok(()),
            }
        });
    }
    chain.finish()
}

/// Which of the logged queries are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// The variables that ask for the hour up to now.
pub(crate) fn variables(
    clock: Clock,
    bounds: Bounds,
    page: Page,
) -> Vec<(&'static str, TemplateValue)> {
    let [start, end] = clock.last_hour();
    let bound = |at: jiff::civil::DateTime| match bounds {
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
pub(crate) fn read_texts(result: &ResultSet) -> Asked<Vec<String>> {
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
