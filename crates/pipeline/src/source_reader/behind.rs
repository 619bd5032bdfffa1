//! What the last answer of a list says of more, where the description does not read it.

use bowline_template::{Kind, Value};

use super::past_ends::names;
use crate::description::{Paging, Source};
use crate::expression::to_json;

/// Flags that more follows, wherever they stand beside lists, in small letters without anything between.
const MORE_FLAGS: [&str; 4] = ["hasmore", "hasnext", "hasnextpage", "incompleteresults"];
/// Flags that may be about something else, except where an answer tells of its page; some are the next token themselves.
const PAGE_FLAGS: [&str; 4] = ["more", "moreresults", "truncated", "istruncated"];
/// How such a token says that there is none.
const DENIALS: [&str; 5] = ["", "false", "no", "n", "0"];
/// Counts of all records of a list.
const TOTALS: [&str; 10] = [
    "total",
    "totalcount",
    "totalelements",
    "totalentries",
    "totalhits",
    "totalitems",
    "totalrecords",
    "totalresults",
    "totalrows",
    "totalsize",
];
/// Counts of those that follow.
const REMAINDERS: [&str; 2] = ["remainingitemcount", "remaining"];
/// Parts of an answer that tell of its page.
const AROUND: [&str; 11] = [
    "data",
    "response",
    "result",
    "meta",
    "metadata",
    "page",
    "pageinfo",
    "paging",
    "pagination",
    "extra",
    "links",
];

/// How deep in an answer its parts are looked at.
const DEEPEST: usize = 3;

/// The name by which the first answer of a list of so many records and the last both say that there are more; nothing
/// where the description reads how far the list goes. A list that grows while it is read says so at its end only.
pub(super) fn more_behind(
    source: &Source,
    (first, last): (&Value, &Value),
    records: usize,
) -> Option<String> {
    let is_read = |paging: &Paging| paging.total.is_some() || paging.last.is_some();
    if source.paging.as_ref().is_some_and(is_read) {
        return None;
    }
    // Of pages, so few more are what began and what went meanwhile.
    let most = records + source.paging.as_ref().map_or(0, |paging| paging.size - 1);
    let before = said(first, most);
    said(last, most)
        .into_iter()
        .find(|name| before.contains(name))
        .or_else(|| match source.paging {
            Some(_) => None,
            // Where there are no pages, a next one is not looked for.
            None => names(&to_json(&around(last)), 0)
                .into_iter()
                .next()
                .map(|(name, _)| name),
        })
}

/// What stands in an answer beside its records.
fn around(body: &Value) -> Value {
    let entries = body.entries().unwrap_or_default();
    let beside = entries.into_iter().filter_map(|(name, value)| {
        let letters = letters(name.as_text()?);
        let is_beside = match value.kind() {
            Kind::Mapping => AROUND.contains(&letters.as_str()),
            Kind::Sequence => false,
            _ => true,
        };
        is_beside.then(|| (name.to_string(), value))
    });
    Value::mapping(beside)
}

/// The names by which an answer says that there are more records than so many.
fn said(body: &Value, records: usize) -> Vec<String> {
    let mut found = Vec::new();
    // Each part with whether it tells of the page, and how deep it lies.
    let mut open = vec![(body.clone(), true, 0)];
    while let Some((place, is_of_page, depth)) = open.pop() {
        for (name, value) in place.entries().unwrap_or_default() {
            let Some(name) = name.as_text() else {
                continue;
            };
            let letters = letters(name);
            let is = |names: &[&str]| names.contains(&letters.as_str());
            let is_more = match value.kind() {
                Kind::Boolean(flag) => flag && (is(&MORE_FLAGS) || is_of_page && is(&PAGE_FLAGS)),
                Kind::Text(token) => {
                    let token = token.trim().to_ascii_lowercase();
                    is_of_page && letters == "more" && !DENIALS.contains(&token.as_str())
                }
                Kind::Integer(count) => {
                    let above = |least| usize::try_from(count).is_ok_and(|count| count > least);
                    is_of_page && (is(&TOTALS) && above(records) || is(&REMAINDERS) && above(0))
                }
                Kind::Mapping if depth < DEEPEST => {
                    open.push((value.clone(), is_of_page && is(&AROUND), depth + 1));
                    false
                }
                _ => false,
            };
            if is_more {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// A name in small letters, without anything between them.
pub(super) fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::to_value;

    #[test]
    fn more_is_told_by_flags_totals_and_what_remains() {
        for (body, name) in [
            (json!({"items": [1], "has_more": true}), Some("has_more")),
            (
                json!({"pageInfo": {"hasNextPage": true}}),
                Some("hasNextPage"),
            ),
            (json!({"total_count": 3}), Some("total_count")),
            (
                json!({"extra": {"pagination": {"total": 3}}}),
                Some("total"),
            ),
            (
                json!({"metadata": {"remainingItemCount": 1}}),
                Some("remainingItemCount"),
            ),
            (json!({"total": 2, "has_more": false, "remaining": 0}), None),
            (
                json!({"items": {"total": 9}, "totals": 9, "total": "9 h"}),
                None,
            ),
            (json!({"more": "token"}), Some("more")),
            (
                json!({"data": {"runs": {"pageInfo": {"hasNextPage": true}}}}),
                Some("hasNextPage"),
            ),
            (
                json!({"more": "", "job": {"truncated": true, "total": 9}}),
                None,
            ),
            (json!([{"total": 9, "has_more": true}]), None),
        ] {
            let said = said(&to_value(body.clone()), 2);
            assert_eq!(said, name.map_or(Vec::new(), |name| vec![name]), "{body}");
        }
    }
}
