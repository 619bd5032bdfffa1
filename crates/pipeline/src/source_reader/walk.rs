//! Walking the pages of a list, also while it changes.
//!
//! A record that moves to a later page is seen twice: its key tells. A record that moves to an earlier page would be
//! missed, and each style has its own way not to. By offset, each page begins with the last record of the page before,
//! and when that is not there the walk steps back until it is found. By a cursor that is a record, an empty page is
//! believed only when that record is still there. Pages by number cannot overlap, nor can pages of one record: such a
//! list is walked again, until a walk finds everything that the walk before it found, in the same order. A walk that
//! missed a record did so because another one, which it had read, left its place: the next walk sees that.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use bowline_template::{Kind, Scope, Value};

use super::lookup::written;
use super::page::Page;
use super::{Row, SourceReader};
use crate::description::{Paging, PagingStyle, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::Expression;
use crate::http::{Prepared, resolve};

/// How often a list is walked when a walk may have missed some of it.
const WALKS: usize = 6;

/// How many pages in a row may be the same before the vendor must be taken to ignore what is asked: records that begin
/// meanwhile can fill a page exactly, but not again and again.
const SAME_PAGES: usize = 8;

/// How many pages that are all the same record are a list of one, which the vendor does not split.
const ONE_RECORD: usize = 2;

/// How many short pages in a row without anything behind the record that they must hold are the end of a list.
const STALE_PAGES: usize = 3;

/// What takes the rows of a page.
type OnRows<'w> = dyn FnMut(Vec<Row>) -> Result<(), SourceError> + 'w;

/// Where a walk stands.
struct Walk<'s> {
    paging: &'s Paging,
    offset: usize,
    number: i64,
    cursor: Value,
    address: Option<String>,
    cursors: HashSet<String>,
    /// The key of the record that the next page must begin with or hold.
    anchor: Option<String>,
    /// For each page that was read, its cursor and the key of its last record.
    trail: Vec<(Value, String)>,
    /// The key that must be on the page that is read again.
    confirmed_by: Option<String>,
    /// How many records a page is asked for.
    size: usize,
    /// The most records that a page had.
    given: usize,
    pages_read: usize,
    records_read: usize,
    previous: Vec<String>,
    same_pages: usize,
    stale_pages: usize,
    /// The vendor's last word on how many records there are.
    total: Option<usize>,
    /// The keys in the order in which they came, where pages do not overlap.
    order: Vec<String>,
    ordered: HashSet<String>,
}

/// How a walk ended.
struct Ended {
    total: Option<usize>,
    /// The keys in the order in which they came, if only another walk can tell whether records moved past this one.
    order: Option<Vec<String>>,
}

impl<'s> Walk<'s> {
    fn new(paging: &'s Paging, most: Option<NonZeroUsize>) -> Self {
        let (number, cursor) = match &paging.style {
            PagingStyle::Number { first } => (*first, Value::NONE),
            PagingStyle::Cursor { first, .. } => {
                (0, first.clone().map_or(Value::NONE, Value::from))
            }
            PagingStyle::Offset | PagingStyle::Link { .. } => (0, Value::NONE),
        };
        Self {
            paging,
            offset: 0,
            number,
            cursor,
            address: None,
            cursors: HashSet::new(),
            anchor: None,
            trail: Vec::new(),
            confirmed_by: None,
            size: most.map_or(paging.size, |most| paging.size.min(most.get())),
            given: 0,
            pages_read: 0,
            records_read: 0,
            previous: Vec::new(),
            same_pages: 0,
            stale_pages: 0,
            total: None,
            order: Vec::new(),
            ordered: HashSet::new(),
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
        Value::mapping([
            ("size", Value::from(self.size)),
            ("offset", Value::from(self.from())),
            ("number", Value::from(self.number)),
            ("cursor", self.cursor.clone()),
        ])
    }

    /// Whether pages overlap, or the vendor says where each begins, so that one can see how the list moved.
    fn overlaps(&self) -> bool {
        match self.paging.style {
            PagingStyle::Offset => self.size > 1 && self.given > 1,
            PagingStyle::Number { .. } => false,
            PagingStyle::Cursor { .. } | PagingStyle::Link { .. } => true,
        }
    }

    /// Whether a page by offset shows that the list ends.
    fn is_at_end(&mut self, page: &Page) -> bool {
        let received = page.records.len();
        let is_stale = self.anchor.is_some()
            && page.keys.as_ref().and_then(|keys| keys.last()) == self.anchor.as_ref();
        self.stale_pages = if is_stale { self.stale_pages + 1 } else { 0 };
        // Nothing but the record it must begin with. A list that grows at its beginning never looks like that.
        received == usize::from(self.anchor.is_some())
            || (self.stale_pages >= STALE_PAGES && received < self.given)
    }

    /// Takes note of a page.
    fn note(&mut self, page: &Page) {
        let received = page.records.len();
        self.pages_read += 1;
        self.records_read += received;
        self.given = self.given.max(received);
        if self.overlaps() {
            return;
        }
        for key in page.keys.iter().flatten() {
            if self.ordered.insert(key.clone()) {
                self.order.push(key.clone());
            }
        }
    }

    fn ended(self) -> Ended {
        let is_sure = self.overlaps() || self.pages_read < 2;
        Ended {
            total: self.total,
            order: (!is_sure).then_some(self.order),
        }
    }
}

impl SourceReader<'_> {
    /// Reads every page of a source and hands on its rows, each once if the source says what tells them apart.
    pub(crate) fn walk(
        &self,
        source: &Source,
        scope: &Scope,
        on_rows: &mut OnRows<'_>,
    ) -> Result<(), SourceError> {
        let Some(paging) = &source.paging else {
            let request = self.prepare(source, scope)?;
            return match self.page(source, scope, &request)? {
                Some(page) => on_rows(self.rows(source, &page, None)?),
                None => Ok(()),
            };
        };
        let mut seen = HashSet::new();
        let mut before: Option<Vec<String>> = None;
        for _ in 0..WALKS {
            let ended = self.walk_once(source, paging, scope, &mut seen, on_rows)?;
            if source.identity().is_none() {
                return Ok(());
            }
            let is_whole = ended.total.is_none_or(|total| seen.len() >= total);
            let is_sure = match (&before, &ended.order) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(before), Some(order)) => holds_in_order(order, before),
            };
            if is_whole && is_sure {
                return Ok(());
            }
            before = ended.order;
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
        paging: &Paging,
        scope: &Scope,
        seen: &mut HashSet<String>,
        on_rows: &mut OnRows<'_>,
    ) -> Result<Ended, SourceError> {
        let mut walk = Walk::new(paging, self.page_size);
        let mut first: Option<Prepared> = None;
        for _ in 0..paging.most {
            let mut request = match (&walk.address, &first) {
                (Some(address), Some(first)) => first.at(address.clone()),
                _ => self.prepare(source, &scope.with([("page", walk.variables())]))?,
            };
            request.page = Some(walk.pages_read + 1);
            first.get_or_insert_with(|| request.clone());
            let Some(page) = self.page(source, scope, &request)? else {
                return Ok(walk.ended());
            };
            if let Some(expression) = &paging.total {
                let value = self.evaluate(expression, &page.scope, &page.body)?;
                walk.total = count(&value).or(walk.total);
            }
            let stepped_back = step_back(&mut walk, &page, seen);
            let before = seen.len();
            on_rows(self.rows(source, &page, Some(seen))?)?;
            let fresh = seen.len() - before;
            walk.note(&page);
            if stepped_back {
                continue;
            }
            if !self.step(&mut walk, &page, fresh, &request)? {
                return Ok(walk.ended());
            }
        }
        Err(SourceError::new(
            SourceErrorKind::Pages,
            format!("`{}`", source.request.path_text()),
        )
        .because(format!("{} pages were read", paging.most))
        .hint("raise `most` in `pages`, or look at what ends the list".to_owned()))
    }

    /// Goes on to the next page; says whether there is one. `fresh` records of this one were new.
    fn step(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        fresh: usize,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        if let Some(last) = &walk.paging.last
            && self.evaluate(last, &page.scope, &page.body)?.is_true()
        {
            return Ok(false);
        }
        let received = page.records.len();
        match &walk.paging.style {
            PagingStyle::Offset | PagingStyle::Number { .. }
                if self.is_stuck(walk, page, request)? =>
            {
                Ok(false)
            }
            PagingStyle::Offset => {
                let is_end = walk.is_at_end(page);
                walk.offset = walk.from() + received;
                let keys = page.keys.as_ref().filter(|_| walk.overlaps());
                walk.anchor = keys.and_then(|keys| keys.last().cloned());
                Ok(!is_end && walk.total.is_none_or(|total| walk.offset < total))
            }
            PagingStyle::Number { .. } => {
                walk.number += 1;
                let is_whole = walk.total.is_some_and(|total| walk.records_read >= total);
                Ok(received > 0 && !is_whole)
            }
            PagingStyle::Cursor { next, .. } => {
                if let Some(key) = walk.confirmed_by.take() {
                    if page.keys.as_ref().is_some_and(|keys| keys.contains(&key)) {
                        return Ok(false);
                    }
                    // From here the walk goes on where it was before.
                    walk.cursors.clear();
                }
                if received == 0
                    && let Some((cursor, key)) = walk.trail.pop()
                {
                    walk.cursor = cursor;
                    walk.confirmed_by = Some(key);
                    return Ok(true);
                }
                let Some(cursor) = self.next(next, page)? else {
                    return Ok(false);
                };
                if is_of_record(next)
                    && let Some(key) = page.keys.as_ref().and_then(|keys| keys.last())
                {
                    walk.trail.push((walk.cursor.clone(), key.clone()));
                }
                self.unseen(walk, &written(&cursor), fresh, request)?;
                walk.cursor = cursor;
                Ok(true)
            }
            PagingStyle::Link { next } => {
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
                self.unseen(walk, &address, fresh, request)?;
                walk.address = Some(address);
                Ok(true)
            }
        }
    }

    /// Whether the page is the one record that there is, again. A vendor that gives the same page again and again does
    /// not look at what it is asked.
    fn is_stuck(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        let keys = page.keys.clone().unwrap_or_default();
        if keys.is_empty() || keys != walk.previous {
            walk.previous = keys;
            walk.same_pages = 0;
            return Ok(false);
        }
        walk.same_pages += 1;
        if keys.len() == 1 && walk.pages_read > ONE_RECORD && walk.same_pages + 1 == walk.pages_read
        {
            return Ok(true);
        }
        if walk.same_pages < SAME_PAGES {
            return Ok(false);
        }
        Err(self
            .client
            .error(SourceErrorKind::Pages, request)
            .because("the page is the same as the ones before")
            .hint("place `page.offset` or `page.number` where the vendor looks for it".to_owned()))
    }

    fn next(&self, next: &Expression, page: &Page) -> Result<Option<Value>, SourceError> {
        let value = self.evaluate(next, &page.scope, &page.body)?;
        let nothing = value.is_nothing() || value.as_text() == Some("");
        Ok((!nothing).then_some(value))
    }

    /// Refuses a next page that was named before, unless this one held something new: a list that moves may name a
    /// record twice, but then it is not going round in circles.
    fn unseen(
        &self,
        walk: &mut Walk<'_>,
        next: &str,
        fresh: usize,
        request: &Prepared,
    ) -> Result<(), SourceError> {
        if walk.cursors.insert(next.to_owned()) || fresh > 0 {
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
}

/// A number of records, if the value is one.
fn count(value: &Value) -> Option<usize> {
    match value.kind() {
        Kind::Integer(number) => usize::try_from(number).ok(),
        Kind::Float(number) if number.fract() == 0.0 => format!("{number:.0}").parse().ok(),
        _ => None,
    }
}

/// Whether a walk found everything that another found before it, in the same order; it may have found more.
fn holds_in_order(order: &[String], before: &[String]) -> bool {
    let mut rest = order.iter();
    before.iter().all(|key| rest.any(|found| found == key))
}

/// Whether a cursor is made from a record, which may be gone by the time it is used.
fn is_of_record(next: &Expression) -> bool {
    let names = next.names();
    names.contains("last") || names.contains("records")
}

/// Steps back when the record that the page should begin with is not where it must be; says whether it did.
fn step_back(walk: &mut Walk<'_>, page: &Page, seen: &HashSet<String>) -> bool {
    let (Some(anchor), Some(keys)) = (&walk.anchor, &page.keys) else {
        return false;
    };
    // What stands before it was read, or the record itself has moved and says nothing about the rest.
    let before = keys.iter().position(|key| key == anchor);
    if before.is_some_and(|at| keys[..at].iter().all(|key| seen.contains(key))) {
        return false;
    }
    let from = walk.from();
    if from == 0 {
        // The record itself is gone from the list; what is new since was just read.
        walk.anchor = None;
        return false;
    }
    walk.offset = from.saturating_sub(walk.given.saturating_sub(1)).max(1);
    if walk.offset == 1 {
        walk.offset = 0;
    }
    true
}
