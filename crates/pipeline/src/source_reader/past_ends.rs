//! What lies where a description does not look: before the first page of a list, and behind the last.

use bowline_template::{Scope, Value};
use serde_json::Value as Json;

use super::behind::letters;
use super::mark::Seen;
use super::page::Earlier;
use super::{Row, SourceReader};
use crate::description::{Follow, Keep, Paging, PagingStyle, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{text_of, to_json};
use crate::http::Prepared;

/// How deep in an answer names for a next page are looked for.
const DEEPEST: usize = 3;
/// What names of a next page have in them, in small letters.
const NEXT_WORDS: [&str; 5] = ["next", "cursor", "continuation", "pagetoken", "bookmark"];
/// And what they do not.
const OTHER_WORDS: [&str; 5] = ["prev", "first", "start", "has", "run"];
/// The most names that are tried.
const TRIED: usize = 2;

/// A page that a description does not ask for.
pub(crate) struct Page {
    /// What was asked, in words.
    pub(crate) what: String,
    pub(crate) rows: Vec<Row>,
}

impl SourceReader<'_> {
    /// Asks for the page before the first one, and for a next page that the last answer names although the description
    /// ends there. Refusals mean that there is none.
    ///
    /// # Errors
    /// Those of the list itself.
    pub(crate) fn past_ends(
        &self,
        source: &Source,
        scope: &Scope,
    ) -> Result<Vec<Page>, SourceError> {
        let mut pages = Vec::new();
        match source.paging.as_ref().map(|paging| (paging, &paging.style)) {
            Some((paging, PagingStyle::Number { first })) if *first > 0 => {
                let number = first - 1;
                let scope = self.at(scope, paging, number, Value::NONE);
                let request = self.prepare(source, &scope)?;
                let rows = self.tried(source, &scope, &request)?;
                pages.push(Page {
                    what: format!("page {number}, before the first one"),
                    rows,
                });
            }
            Some((_, PagingStyle::Number { .. } | PagingStyle::Offset)) => {}
            _ => {
                for (name, scope, request) in self.named_after_the_last(source, scope)? {
                    let rows = self.tried(source, &scope, &request)?;
                    pages.push(Page {
                        what: format!("the page that the last answer names as `{name}`"),
                        rows,
                    });
                }
            }
        }
        Ok(pages)
    }

    /// The requests for the next pages that the last answer names.
    fn named_after_the_last(
        &self,
        source: &Source,
        scope: &Scope,
    ) -> Result<Vec<(String, Scope, Prepared)>, SourceError> {
        let paging = source.paging.as_ref();
        let mut earlier = Earlier::default();
        let mut cursor = Value::NONE;
        let mut address: Option<String> = None;
        let mut first: Option<Prepared> = None;
        let mut used: Vec<String> = Vec::new();
        for _ in 0..paging.map_or(1, |paging| paging.most) {
            let at = match paging {
                Some(paging) => self.at(scope, paging, 0, cursor.clone()),
                None => scope.clone(),
            };
            let request = match (&address, &first) {
                (Some(address), Some(first)) => first.at(address.clone(), keep(paging)),
                _ => self.prepare(source, &at)?,
            };
            first.get_or_insert_with(|| request.clone());
            let Some(page) = self.page(source, &at, &request, &mut earlier)? else {
                return Ok(Vec::new());
            };
            let next = match paging.map(|paging| &paging.style) {
                Some(PagingStyle::Cursor { next, .. } | PagingStyle::Link { next, .. }) => {
                    self.next(next, &page)?
                }
                _ => None,
            };
            let Some(next) = next else {
                let named = names(&to_json(&page.body), 0);
                let named = named.into_iter().filter(|(_, value)| !used.contains(value));
                let requests = named.take(TRIED).filter_map(|(name, value)| {
                    let request = first.as_ref().unwrap_or(&request);
                    let (scope, request) = self.named(source, scope, request, &value)?;
                    Some((name, scope, request))
                });
                return Ok(requests.collect());
            };
            let text = text_of(&to_json(&next));
            if used.contains(&text) {
                return Ok(Vec::new());
            }
            if let Some(PagingStyle::Link { follow, .. }) = paging.map(|paging| &paging.style) {
                address = Some(self.client.next_address(&request, &text, follow)?);
            }
            used.push(text);
            cursor = next;
        }
        Ok(Vec::new())
    }

    /// The request for a next page by what the last answer names; none where it cannot be placed.
    fn named(
        &self,
        source: &Source,
        scope: &Scope,
        first: &Prepared,
        value: &str,
    ) -> Option<(Scope, Prepared)> {
        let paging = source.paging.as_ref();
        let follow = match paging.map(|paging| &paging.style) {
            Some(PagingStyle::Cursor { .. }) => {
                let scope = self.at(scope, paging?, 0, Value::from(value));
                let request = self.prepare(source, &scope).ok()?;
                return Some((scope, request));
            }
            Some(PagingStyle::Link { follow, .. }) => follow.clone(),
            _ => Follow::default(),
        };
        if !["http://", "https://", "/", "?"]
            .iter()
            .any(|begin| value.starts_with(begin))
        {
            return None;
        }
        let address = self.client.next_address(first, value, &follow).ok()?;
        Some((scope.clone(), first.at(address, keep(paging))))
    }

    /// The rows of a page that there may not be.
    fn tried(
        &self,
        source: &Source,
        scope: &Scope,
        request: &Prepared,
    ) -> Result<Vec<Row>, SourceError> {
        let page = match self.page(source, scope, request, &mut Earlier::default()) {
            Ok(page) => page,
            Err(error) if error.kind == SourceErrorKind::Cancelled => return Err(error),
            Err(_) => None,
        };
        match page {
            Some(page) => self.rows(source, &page, None, &Seen::new()),
            None => Ok(Vec::new()),
        }
    }

    fn at(&self, scope: &Scope, paging: &Paging, number: i64, cursor: Value) -> Scope {
        let page = Value::mapping([
            (
                "size",
                Value::from(super::walk::size_of(paging, self.page_size)),
            ),
            ("offset", Value::from(0_usize)),
            ("number", Value::from(number)),
            ("cursor", cursor),
        ]);
        scope.with([("page", page)])
    }
}

/// Whether the body of the first request goes with the next one.
fn keep(paging: Option<&Paging>) -> Keep {
    paging.map_or(Keep::No, Paging::keeps_body)
}

/// What an answer names as a next page, by the names; what stands in lists is the records' own.
pub(super) fn names(body: &Json, depth: usize) -> Vec<(String, String)> {
    let Json::Object(fields) = body else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in fields {
        let letters = letters(name);
        let has = |words: &[&str]| words.iter().any(|word| letters.contains(word));
        match value {
            Json::Object(_) if depth + 1 < DEEPEST => found.extend(names(value, depth + 1)),
            Json::String(text) if text.is_empty() => {}
            Json::String(_) | Json::Number(_) if has(&NEXT_WORDS) && !has(&OTHER_WORDS) => {
                found.push((name.clone(), text_of(value)));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_a_next_page_are_found_outside_of_records() {
        let body = json!({
            "items": [{"next": "no"}], "hasNext": true, "paging": {"nextPageToken": "abc", "previous_cursor": "x"},
            "links": {"next": "/runs?page=2", "first": "/runs"}, "next_run_at": "2026-01-01", "cursor": "", "Next": 7,
        });
        let mut found: Vec<String> = names(&body, 0)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        found.sort();
        assert_eq!(found, ["/runs?page=2", "7", "abc"]);
    }
}
