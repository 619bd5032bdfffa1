//! Walking the pages of a list, also while it changes.
//!
//! A list of the newest first shifts while it is read. A record that moves to a later page is seen twice: its key tells.
//! A record that moves to an earlier page would be missed: each page by offset therefore begins with the last record
//! of the page before, and when that is not there the walk steps back until it is found.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use minijinja::Value;

use super::lookup::written;
use super::{Reader, Row};
use crate::description::{Pages, Paging, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, Scope, to_value};
use crate::http::{Answer, Prepared, resolve};

/// How often a list is walked anew when it held fewer records than the vendor said.
const WALKS: usize = 3;

/// Where a walk stands.
struct Walk<'s> {
    pages: &'s Pages,
    offset: usize,
    number: i64,
    cursor: Value,
    address: Option<String>,
    cursors: HashSet<String>,
    /// The key of the record that the next page must begin with or hold.
    anchor: Option<String>,
    /// Whether the vendor gives pages of more than one record, so that one may be read again.
    roomy: bool,
    read: usize,
    previous: Vec<String>,
    /// How many records a page is asked for.
    size: usize,
}

impl<'s> Walk<'s> {
    fn new(pages: &'s Pages, most: Option<NonZeroUsize>) -> Self {
        let (number, cursor) = match &pages.paging {
            Paging::Number { first } => (*first, Value::from(())),
            Paging::Cursor { first, .. } => (
                0,
                first.clone().map_or_else(|| Value::from(()), Value::from),
            ),
            Paging::Offset | Paging::Link { .. } => (0, Value::from(())),
        };
        Self {
            pages,
            offset: 0,
            number,
            cursor,
            address: None,
            cursors: HashSet::new(),
            anchor: None,
            roomy: true,
            read: 0,
            previous: Vec::new(),
            size: most.map_or(pages.size, |most| pages.size.min(most.get())),
        }
    }

    /// The offset to ask for: one record of the page before is read again.
    fn from(&self) -> usize {
        if self.anchor.is_some() {
            self.offset.saturating_sub(1)
        } else {
            self.offset
        }
    }

    fn variables(&self) -> Value {
        Value::from_pairs([
            ("size", Value::from(self.size)),
            ("offset", Value::from(self.from())),
            ("number", Value::from(self.number)),
            ("cursor", self.cursor.clone()),
        ])
    }
}

/// What an answer holds.
struct Page {
    records: Vec<Value>,
    keys: Option<Vec<String>>,
    scope: Scope,
    address: String,
    body: Value,
}

impl Reader<'_> {
    /// Reads every page of a source and hands on its rows, each once if the source says what tells them apart.
    pub(crate) fn walk(
        &self,
        source: &Source,
        scope: &Scope,
        on_rows: &mut dyn FnMut(Vec<Row>) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let Some(pages) = &source.pages else {
            let request = self.prepare(source, scope)?;
            return match self.page(source, scope, &request)? {
                Some(page) => on_rows(self.rows(source, &page, None)?),
                None => Ok(()),
            };
        };
        let mut seen = HashSet::new();
        for _ in 0..WALKS {
            let total = self.walk_once(source, pages, scope, &mut seen, on_rows)?;
            if source.identity().is_none() || total.is_none_or(|total| seen.len() >= total) {
                return Ok(());
            }
        }
        self.note(format!(
            "a list changed so much while it was read that some of it may be missing: {} records found",
            seen.len()
        ));
        Ok(())
    }

    fn walk_once(
        &self,
        source: &Source,
        pages: &Pages,
        scope: &Scope,
        seen: &mut HashSet<String>,
        on_rows: &mut dyn FnMut(Vec<Row>) -> Result<(), SourceError>,
    ) -> Result<Option<usize>, SourceError> {
        let mut walk = Walk::new(pages, self.page_size);
        let mut total = None;
        let mut first: Option<Prepared> = None;
        for _ in 0..pages.most {
            let request = match (&walk.address, &first) {
                (Some(address), Some(first)) => first.at(address.clone()),
                _ => self.prepare(source, &scope.with([("page", walk.variables())]))?,
            };
            first.get_or_insert_with(|| request.clone());
            let Some(page) = self.page(source, scope, &request)? else {
                return Ok(total);
            };
            if let Some(expression) = &pages.total {
                let value = self.evaluate(expression, &page.scope, &page.body)?;
                total = value.as_usize();
            }
            let stepped_back = self.step_back(&mut walk, &page);
            on_rows(self.rows(source, &page, Some(seen))?)?;
            if stepped_back {
                continue;
            }
            if !self.step(&mut walk, &page, total, &request)? {
                return Ok(total);
            }
        }
        Err(SourceError::new(
            SourceErrorKind::Pages,
            format!("`{}`", source.request.path_text()),
        )
        .because(format!("{} pages were read", pages.most))
        .hint("raise `most` in `pages`, or look at what ends the list".to_owned()))
    }

    fn prepare(&self, source: &Source, scope: &Scope) -> Result<Prepared, SourceError> {
        self.client
            .prepare(&source.request, scope)
            .map_err(|(expression, problem)| {
                self.client
                    .expression_error(expression, &problem, &serde_json::Value::Null)
            })
    }

    fn page(
        &self,
        source: &Source,
        scope: &Scope,
        request: &Prepared,
    ) -> Result<Option<Page>, SourceError> {
        let answer = self.client.send(request, &source.missing, &source.reject)?;
        let Some(Answer { headers, body }) = answer else {
            return Ok(None);
        };
        let body = to_value(body);
        let headers: Vec<(String, Value)> = headers
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        let scope = scope.with([
            ("response", body.clone()),
            ("headers", Value::from_pairs(headers)),
        ]);
        let list = match &source.records {
            None => body.clone(),
            Some(expression) => self.evaluate(expression, &scope, &body)?,
        };
        let records: Vec<Value> = match list.kind() {
            minijinja::value::ValueKind::None => Vec::new(),
            // One record that is not in a list is a list of one.
            minijinja::value::ValueKind::Map => vec![list],
            _ => list
                .try_iter()
                .map_err(|_| {
                    self.client
                        .error(SourceErrorKind::Format, request)
                        .because(format!("the records are no list but {}", list.kind()))
                        .hint("say with `records` where in the answer they are".to_owned())
                })?
                .collect(),
        };
        let keys = match source.identity() {
            Some(key) => {
                let mut keys = Vec::new();
                for record in &records {
                    keys.push(written(&self.evaluate(
                        key,
                        &scope.with([("record", record.clone())]),
                        record,
                    )?));
                }
                Some(keys)
            }
            None => None,
        };
        let last = records.last().cloned().unwrap_or_else(|| Value::from(()));
        let scope = scope.with([("records", Value::from(records.clone())), ("last", last)]);
        Ok(Some(Page {
            records,
            keys,
            scope,
            address: request.address.clone(),
            body,
        }))
    }

    /// Steps back when the record that the page should hold is gone from it; says whether it did.
    fn step_back(&self, walk: &mut Walk<'_>, page: &Page) -> bool {
        let (Some(anchor), Some(keys)) = (&walk.anchor, &page.keys) else {
            return false;
        };
        if keys.contains(anchor) {
            return false;
        }
        let from = walk.from();
        if from == 0 {
            // The record itself is gone from the list; what is new since was just read.
            walk.anchor = None;
            return false;
        }
        walk.offset = from.saturating_sub(walk.size.saturating_sub(1)).max(1);
        if walk.offset == 1 {
            walk.offset = 0;
        }
        true
    }

    /// Goes on to the next page; says whether there is one.
    fn step(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        total: Option<usize>,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        if let Some(last) = &walk.pages.last
            && self.evaluate(last, &page.scope, &page.body)?.is_true()
        {
            return Ok(false);
        }
        let received = page.records.len();
        let repeated = page
            .keys
            .as_ref()
            .is_some_and(|keys| !keys.is_empty() && *keys == walk.previous);
        walk.previous = page.keys.clone().unwrap_or_default();
        match &walk.pages.paging {
            // One record again and again is a list of one.
            Paging::Offset | Paging::Number { .. } if repeated && received == 1 => Ok(false),
            Paging::Offset | Paging::Number { .. } if repeated => Err(self
                .client
                .error(SourceErrorKind::Pages, request)
                .because("the page is the same as the one before")
                .hint(
                    "place `page.offset` or `page.number` where the vendor looks for it".to_owned(),
                )),
            Paging::Offset => {
                let from = walk.from();
                let behind = page.keys.as_ref().zip(walk.anchor.as_ref()).map_or(
                    received,
                    |(keys, anchor)| {
                        let at = keys.iter().position(|key| key == anchor).unwrap_or(0);
                        received.saturating_sub(at + 1)
                    },
                );
                if walk.read == 0 && received < 2 {
                    walk.roomy = false;
                }
                walk.read += 1;
                walk.offset = from + received;
                let keys = page.keys.as_ref().filter(|_| walk.roomy && walk.size > 1);
                walk.anchor = keys.and_then(|keys| keys.last().cloned());
                Ok(behind > 0 && total.is_none_or(|total| walk.offset < total))
            }
            Paging::Number { .. } => {
                walk.number += 1;
                walk.read += received;
                Ok(received > 0 && total.is_none_or(|total| walk.read < total))
            }
            Paging::Cursor { next, .. } => {
                let Some(cursor) = self.next(next, page)? else {
                    return Ok(false);
                };
                self.unseen(walk, &written(&cursor), request)?;
                walk.cursor = cursor;
                Ok(true)
            }
            Paging::Link { next } => {
                let Some(link) = self.next(next, page)? else {
                    return Ok(false);
                };
                let address = resolve(&written(&link), &page.address).map_err(|address| {
                    SourceError::new(
                        SourceErrorKind::ForeignHost,
                        format!("`{}`", self.client.shown_address(&address)),
                    )
                    .hint(
                        "use the address that the vendor itself uses as the base address"
                            .to_owned(),
                    )
                })?;
                self.unseen(walk, &address, request)?;
                walk.address = Some(address);
                Ok(true)
            }
        }
    }

    fn next(&self, next: &Expression, page: &Page) -> Result<Option<Value>, SourceError> {
        let value = self.evaluate(next, &page.scope, &page.body)?;
        let nothing = value.is_none() || value.as_str() == Some("");
        Ok((!nothing).then_some(value))
    }

    fn unseen(
        &self,
        walk: &mut Walk<'_>,
        next: &str,
        request: &Prepared,
    ) -> Result<(), SourceError> {
        if walk.cursors.insert(next.to_owned()) {
            return Ok(());
        }
        Err(self
            .client
            .error(SourceErrorKind::Pages, request)
            .because(format!(
                "the vendor named the same next page twice: `{}`",
                self.client
                    .masked(&next.chars().take(80).collect::<String>())
            )))
    }

    /// The rows of a page that count and were not seen before.
    fn rows(
        &self,
        source: &Source,
        page: &Page,
        mut seen: Option<&mut HashSet<String>>,
    ) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        for (index, record) in page.records.iter().enumerate() {
            if let (Some(seen), Some(keys)) = (seen.as_deref_mut(), &page.keys)
                && !seen.insert(keys[index].clone())
            {
                continue;
            }
            let parent = self.parent(page);
            let found = match &source.flatten {
                None => vec![Row {
                    record: record.clone(),
                    parent,
                }],
                Some(flatten) => {
                    let scope = page
                        .scope
                        .with([("record", record.clone()), ("parent", parent)]);
                    let inner = self.evaluate(flatten, &scope, record)?;
                    let inner = inner.try_iter().into_iter().flatten();
                    inner
                        .map(|inner| Row {
                            record: inner,
                            parent: record.clone(),
                        })
                        .collect()
                }
            };
            for row in found {
                let scope = page.scope.with([
                    ("record", row.record.clone()),
                    ("parent", row.parent.clone()),
                ]);
                if self.holds(source.when.as_ref(), &scope, &row.record)? {
                    rows.push(row);
                }
            }
        }
        Ok(rows)
    }

    fn parent(&self, page: &Page) -> Value {
        page.scope.get("parent")
    }
}
