//! What the last answer of a list says of more, where the description does not read it.

use std::collections::BTreeMap;

use bowline_template::{Kind, Value};

use super::past_ends::names;
use crate::description::{Origin, Paging, Source, source_names};
use crate::expression::{Expression, link, to_json};

/// Flags that more follows, wherever they stand beside lists, in small letters without anything between.
const MORE_FLAGS: [&str; 7] = [
    "hasmore",
    "hasmoreitems",
    "hasmorepages",
    "hasnext",
    "hasnextpage",
    "incompleteresults",
    "moreavailable",
];
/// Flags that a page is the last one, where an answer tells of its page.
const LAST_FLAGS: [&str; 4] = ["last", "lastpage", "islast", "islastpage"];
/// Flags that may be about something else, except where an answer tells of its page; some are the next token themselves.
const PAGE_FLAGS: [&str; 4] = ["more", "moreresults", "truncated", "istruncated"];
/// How such a token says that there is none.
const DENIALS: [&str; 5] = ["", "false", "no", "n", "0"];
/// Counts of all records of a list.
const TOTALS: [&str; 14] = [
    "count",
    "numfound",
    "odatacount",
    "recordstotal",
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
/// Counts of all pages of a list.
const PAGES: [&str; 5] = ["pages", "lastpage", "numpages", "pagecount", "totalpages"];
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

/// Headers with a next page or the cursor of one, in small letters without anything between.
const NEXT_HEADERS: [&str; 4] = [
    "nextcursor",
    "nextpage",
    "mscontinuation",
    "mscontinuationtoken",
];

/// Where vendors stop is a multiple of this.
const ROUND: usize = 100;

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
                .map(|(name, _)| name)
                .chain(further_pages(last))
                .next(),
        })
}

/// Whether the vendor stopped at so many records, and did not only count others: by a count of its own, under this name,
/// there are plainly more, nothing that the description says leaves any out, and the number is a round one.
pub(super) fn is_cut(source: &Source, name: &str, last: &Value, records: usize) -> bool {
    let picks = |records: &Expression| records.text().contains(['|', '[', '+']);
    let is_plain = matches!(source.origin, Origin::Once)
        && source.paging.is_some()
        && !source.records.as_ref().is_some_and(picks)
        && source.when.is_none()
        && source.flatten.is_none()
        && !source_names(source).contains("window");
    let letters = counter(name);
    let counts = letters.starts_with("total") && TOTALS.contains(&letters.as_str());
    let is_above = |(known, value, _): &(String, Value, bool)| {
        known == name && count_of(value).is_some_and(|count| count > records + records / 10)
    };
    is_plain
        && counts
        && records > 0
        && records.is_multiple_of(ROUND)
        && parts(last).iter().any(is_above)
}

/// What an answer says beside its records: in its body, and in headers that count records or pages or name a next one.
pub(super) fn beside(body: &Value, headers: &BTreeMap<String, String>) -> Value {
    let counted = headers.iter().filter_map(|(name, value)| {
        if name == "link" {
            let next = link::target(value, "next").ok()??;
            return Some(("link: rel=next".to_owned(), Value::from(next)));
        }
        let letters = letters(name.strip_prefix("x-")?);
        let is = |names: &[&str]| names.contains(&letters.as_str());
        (is(&TOTALS) || is(&PAGES) || is(&NEXT_HEADERS))
            .then(|| (name.clone(), Value::from(value.as_str())))
    });
    let counted: Vec<(String, Value)> = counted.collect();
    if counted.is_empty() {
        return body.clone();
    }
    let list = (body.kind() == Kind::Sequence).then(|| (String::new(), body.clone()));
    let entries = body.entries().unwrap_or_default();
    let entries = entries
        .into_iter()
        .filter_map(|(name, value)| Some((name.as_text()?.to_owned(), value)));
    Value::mapping(entries.chain(list).chain(counted))
}

/// The names by which an answer says that its list has more than one page.
fn further_pages(body: &Value) -> Vec<String> {
    let is_further = |name: &str, value: &Value| {
        PAGES.contains(&counter(name).as_str()) && count_of(value).is_some_and(|count| count > 1)
    };
    parts(body)
        .into_iter()
        .filter(|(name, value, is_of_page)| *is_of_page && is_further(name, value))
        .map(|(name, ..)| name)
        .collect()
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
    let found = parts(body);
    // A description may take only some of an answer's list as records.
    let lists: Vec<usize> = found
        .iter()
        .filter_map(|(_, value, _)| (value.kind() == Kind::Sequence).then(|| value.items())?)
        .map(|items| items.len())
        .collect();
    let is_more = |name: &str, value: &Value, is_of_page: bool| {
        let letters = counter(name);
        let is = |names: &[&str]| names.contains(&letters.as_str());
        if let Kind::Boolean(flag) = value.kind() {
            return if flag {
                is(&MORE_FLAGS) || is_of_page && is(&PAGE_FLAGS)
            } else {
                is_of_page && is(&LAST_FLAGS)
            };
        }
        if letters == "more"
            && let Some(token) = value.as_text()
        {
            let token = token.trim().to_ascii_lowercase();
            return is_of_page && !DENIALS.contains(&token.as_str());
        }
        let above =
            |least| count_of(value).is_some_and(|count| count > least && !lists.contains(&count));
        is_of_page && (is(&TOTALS) && above(records) || is(&REMAINDERS) && above(0))
    };
    found
        .iter()
        .filter(|(name, value, is_of_page)| is_more(name, value, *is_of_page))
        .map(|(name, ..)| name.clone())
        .collect()
}

/// What stands in an answer beside objects, by its name, with whether it tells of the page.
fn parts(body: &Value) -> Vec<(String, Value, bool)> {
    let mut found = Vec::new();
    // Each part with whether it tells of the page, and how deep it lies.
    let mut open = vec![(body.clone(), true, 0)];
    while let Some((place, is_of_page, depth)) = open.pop() {
        for (name, value) in place.entries().unwrap_or_default() {
            let Some(name) = name.as_text() else {
                continue;
            };
            if value.kind() != Kind::Mapping {
                found.push((name.to_owned(), value, is_of_page));
            } else if depth < DEEPEST {
                let is_of_page = is_of_page && AROUND.contains(&letters(name).as_str());
                open.push((value, is_of_page, depth + 1));
            }
        }
    }
    found
}

/// A count that is written as a number or as text.
fn count_of(value: &Value) -> Option<usize> {
    match value.kind() {
        Kind::Integer(count) => usize::try_from(count).ok(),
        Kind::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A name as [`letters`], of a header without what marks it as one of the vendor's own.
fn counter(name: &str) -> String {
    letters(name.strip_prefix("x-").unwrap_or(name))
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
            (json!({"totalCount": "3"}), Some("totalCount")),
            (json!({"@odata.count": 3}), Some("@odata.count")),
            (json!({"metadata": {"count": 3}}), Some("count")),
            (json!({"isLast": false, "last": true}), Some("isLast")),
            (json!({"x-total": "3"}), Some("x-total")),
            (
                json!({"job": {"last": false, "count": 9}, "count": "2"}),
                None,
            ),
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
