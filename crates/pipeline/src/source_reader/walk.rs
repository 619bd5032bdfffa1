//! Walking the pages of a list, also while it changes.
//!
//! A record that moves to a later page is seen twice: its key tells. A record that moves to an earlier page would be
//! missed, and each style has its own way not to. By offset, each page begins with the last record of the page before,
//! and when that is not there the walk steps back until it is found. By a cursor that is a record, an empty page is
//! believed only when that record is still there. Pages by number cannot overlap, nor can pages of one record: such a
//! list is walked again, until a walk finds everything that the walk before it found, in the same order. A walk that
//! missed a record did so because another one, which it had read, left its place: the next walk sees that.
//!
//! Where steps back find nothing new, or the order changes from request to request, a list by offset is read as pages by
//! number are. What all of it may cost is bounded by what the list costs when it stands still.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use bowline_template::{Scope, Value};

use super::behind::{is_cut, more_behind};
use super::effort::Effort;
use super::mark::{Mark, Seen};
use super::page::{Earlier, Page};
use super::progress::{End, Findings, Walk};
use super::{Row, SourceReader};
use crate::description::{Paging, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::http::{Extent, Prepared};

/// How many times in a row a list is walked through without a new record until it is taken for whole, though nothing says
/// so.
const ENOUGH_WITHOUT_NEW: usize = 2;

/// How often a list is begun again because the place to go on from has expired.
const RESTARTS: usize = 3;

/// How many times as many records as were found a list may have by what the vendor says.
const MOST_UNSEEN: usize = 4;

/// What takes the rows of a page.
pub(super) type OnRows<'w> = dyn FnMut(Vec<Row>) -> Result<(), SourceError> + 'w;

/// What takes a page, and the records that were seen so far.
type OnPage<'w> = dyn FnMut(&Page, &mut Seen) -> Result<(), SourceError> + 'w;

/// What was found of a list so far, over all its walks.
pub(super) struct Found {
    pub(super) seen: Seen,
    /// What stands beside the records in the first answer and in the last.
    ends: Option<(Value, Value)>,
    pub(super) effort: Effort,
    /// Whether pages are no longer made to overlap, because that came to nothing.
    pub(super) is_apart: bool,
    /// Whether pages begin at multiples of their size only.
    pub(super) is_aligned: bool,
    /// Whether the order changed from request to request.
    pub(super) is_shuffled: bool,
    /// How many walks there were before this one.
    pub(super) walks: usize,
}

impl Found {
    /// From now on pages begin at multiples of their size; the list is read from its beginning, as if for the first time.
    pub(super) fn align(&mut self) {
        self.is_aligned = true;
        self.walks = 0;
    }

    /// How many records a list has for all that is known: those that were found, or as many as the vendor says there are,
    /// who may be wrong about it.
    pub(super) fn known(&self, total: Option<usize>) -> usize {
        let seen = self.seen.len();
        seen.max(total.unwrap_or_default().min(MOST_UNSEEN * seen))
    }
}

impl SourceReader<'_> {
    /// Reads every page of a list and hands on its rows, each once if the source says what tells them apart; those in
    /// `handed` were handed on before. Gives how many records came, some of them twice, and which they are. No more pages
    /// are asked for once there are `most`.
    pub(super) fn list(
        &self,
        source: &Source,
        scope: &Scope,
        most: Option<usize>,
        handed: &Seen,
        on_rows: &mut OnRows<'_>,
    ) -> Result<(usize, Seen), SourceError> {
        let Some(paging) = &source.paging else {
            let page = match self.first_request(source, scope)? {
                Some(request) => self.page(source, scope, &request, &mut Earlier::default())?,
                None => None,
            };
            let mut seen = Seen::new();
            let Some(page) = page else {
                return Ok((0, seen));
            };
            match &page.extent {
                Extent::Whole => {}
                Extent::More(part) => {
                    let error = SourceErrorKind::Pages;
                    let error = SourceError::new(error, format!("`{}`", source.request.path_text()));
                    return Err(error
                        .because(format!("the answer is a part of what there is: `{part}`"))
                        .hint("say with `pages` how the rest is asked for".to_owned()));
                }
                Extent::Unknown => self.note(format!(
                    "an answer to `{}` says that it is a part (status 206), and the source has no `pages`: some may be \
                     missing",
                    source.request.path_text()
                )),
            }
            // What is no page of several may well hold the same record twice.
            let rows = match source.window {
                Some(_) => self.rows(source, &page, Some(&mut seen), handed)?,
                None => self.rows(source, &page, None, handed)?,
            };
            on_rows(rows)?;
            if most.is_none() {
                let ends = (page.beside.clone(), page.beside.clone());
                self.note_more(source, Some(&ends), page.records.len());
            }
            return Ok((page.records.len(), seen));
        };
        let mut found = Found {
            seen: Seen::new(),
            ends: None,
            effort: Effort::default(),
            is_apart: false,
            is_aligned: paging.aligned,
            is_shuffled: false,
            walks: 0,
        };
        let mut records = 0;
        let mut before: Option<Vec<Mark>> = None;
        let mut restarts = 0;
        let mut expired: Option<SourceError> = None;
        let mut walks_without_new = 0;
        loop {
            let known = found.seen.len();
            let mut walk = Walk::new(paging, self.page_size, &found);
            let mut rows_of = |page: &Page, seen: &mut Seen| {
                let rows = self.rows(source, page, Some(seen), handed)?;
                on_rows(rows)
            };
            found.walks += 1;
            let end = match self.walk_once(source, &mut walk, scope, most, &mut found, &mut rows_of)
            {
                // What was read stays read: its keys tell.
                Err(error)
                    if error.kind == SourceErrorKind::PlaceExpired
                        && source.identity().is_some()
                        && restarts < RESTARTS =>
                {
                    restarts += 1;
                    self.note(
                        "a list was begun again, because its next page had expired".to_owned(),
                    );
                    expired = Some(error);
                    End::Unsettled
                }
                Err(error)
                    if error.kind == SourceErrorKind::PlaceExpired
                        && source.identity().is_none() =>
                {
                    return Err(error.hint(
                        "give the source a `key` or `id`: then the list can be begun again"
                            .to_owned(),
                    ));
                }
                end => end?,
            };
            records = records.max(walk.records_read());
            let is_full = most.is_some_and(|most| records >= most);
            if is_full {
                return Ok((records, found.seen));
            }
            if source.identity().is_none() {
                self.note_more(source, found.ends.as_ref(), records);
                return Ok((records, found.seen));
            }
            match end {
                End::Reached => expired = None,
                End::Unsettled => {
                    before = None;
                    continue;
                }
                End::Spent => break,
            }
            found.effort.end(walk.pages_read());
            let cost = walk.cost();
            let Findings {
                total,
                is_torn,
                order,
            } = walk.into_findings();
            walks_without_new = if known == found.seen.len() {
                walks_without_new + 1
            } else {
                0
            };
            let is_whole = total.is_none_or(|total| found.seen.len() >= total);
            // A record that came twice was pushed on by one that is new, and that another walk finds; else it came in the
            // place of one that was not given.
            let is_pushed = is_torn && known == found.seen.len();
            let counts = |order: &[Mark]| total.is_some_and(|total| order.len() >= total);
            let is_sure = match (&before, &order) {
                (_, None) => true,
                (None, Some(order)) => found.is_apart && counts(order),
                (Some(before), Some(order)) => {
                    (!is_pushed && holds_in_order(order, before))
                        || (counts(order) && (found.is_apart || holds(order, before)))
                }
            };
            let is_settled = is_sure && (!found.is_shuffled || total.is_some());
            if is_whole && is_settled {
                self.note_more(source, found.ends.as_ref(), found.seen.len());
                return Ok((records, found.seen));
            }
            if !is_whole && is_sure && found.walks > 1 && known == found.seen.len() {
                let total = total.unwrap_or_default();
                let count = found.seen.len();
                self.note_incomplete(format!(
                    "the vendor says that a list has {total} records, and gave {count}; leave `total` out if it counts \
                     what the list does not have"
                ));
                return Ok((records, found.seen));
            }
            if found.effort.is_spent(cost, found.known(total), paging.size) {
                break;
            }
            before = order;
        }
        // What lies behind the place that expired was never seen.
        if let Some(error) = expired {
            return Err(error);
        }
        let count = found.seen.len();
        let note = if found.is_shuffled {
            format!(
                "the order of a list changes from request to request, so that some of it may be missing: {count} records \
                 found; ask the vendor to sort by something that no two records share"
            )
        } else {
            format!(
                "a list changed so much while it was read that some of it may be missing: {count} records found"
            )
        };
        if walks_without_new >= ENOUGH_WITHOUT_NEW {
            self.note(note);
        } else {
            self.note_incomplete(note);
        }
        Ok((records, found.seen))
    }

    /// Tells that a list has more than so many records, where its answers say so.
    fn note_more(&self, source: &Source, ends: Option<&(Value, Value)>, records: usize) {
        let Some((first, last)) = ends else { return };
        let Some(name) = more_behind(source, (first, last), records) else {
            return;
        };
        let path = source.request.path_text();
        if is_cut(source, &name, last, records) {
            self.note_incomplete(format!(
                "the vendor says by `{name}` that `{path}` has more than the {records} records that it gave: ask for \
                 them by `window`, which `most_records` splits, or say with `last` in `pages` where the list ends"
            ));
            return;
        }
        self.note(format!(
            "the vendor says by `{name}` that `{path}` has more than what came: see what `pages` of it says"
        ));
    }

    fn walk_once(
        &self,
        source: &Source,
        walk: &mut Walk<'_>,
        scope: &Scope,
        most: Option<usize>,
        found: &mut Found,
        on_page: &mut OnPage<'_>,
    ) -> Result<End, SourceError> {
        let paging = walk.paging;
        let mut first: Option<Prepared> = None;
        let mut earlier = Earlier::default();
        for _ in 0..paging.most {
            let scope = scope.with([("page", walk.variables())]);
            let mut request = match (walk.address(), &first) {
                (Some(address), Some(first)) => first.at(address.to_owned(), paging.keeps_body()),
                _ if walk.pages_read() == 0 && found.walks == 1 => {
                    match self.first_request(source, &scope)? {
                        Some(request) => request,
                        None => return Ok(End::Reached),
                    }
                }
                _ => self.prepare(source, &scope)?,
            };
            request.page = Some(walk.pages_read() + 1);
            first.get_or_insert_with(|| request.clone());
            let method = first.as_ref().map_or("", |first| first.method.as_ref());
            let page = match self.page(source, &scope, &request, &mut earlier) {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(End::Reached),
                Err(error) if error.kind.is_refusal() && walk.is_probing() => {
                    return Ok(End::Reached);
                }
                Err(error) if error.kind.is_refusal() && walk.is_between_pages() => {
                    self.note(
                        "the vendor takes no offsets but multiples of the page size: say `aligned = true` in `pages`"
                            .to_owned(),
                    );
                    found.align();
                    return Ok(End::Unsettled);
                }
                Err(error) if walk.is_past_end(error.kind) => {
                    self.note(format!(
                        "the vendor has no page behind the last of `{}`, which was taken for its end",
                        source.request.path_text()
                    ));
                    return Ok(End::Reached);
                }
                Err(error) => return Err(walk.explained(error, method)),
            };
            let keys = page.keys.iter().flatten().copied();
            let fresh: HashSet<Mark> = keys.filter(|key| !found.seen.contains_key(key)).collect();
            on_page(&page, &mut found.seen)?;
            match &mut found.ends {
                Some((_, last)) => *last = page.beside.clone(),
                ends => *ends = Some((page.beside.clone(), page.beside.clone())),
            }
            if let Some(end) = self.advance(walk, &page, &fresh, &request, found)? {
                return Ok(end);
            }
            if most.is_some_and(|most| walk.records_read() >= most) {
                return Ok(End::Reached);
            }
        }
        Err(SourceError::new(
            SourceErrorKind::Pages,
            format!("`{}`", source.request.path_text()),
        )
        .because(format!("{} pages were read", paging.most))
        .hint("raise `most` in `pages`, or look at what ends the list".to_owned()))
    }
}

/// A walk's page size: no more than somebody wants.
pub(super) fn size_of(paging: &Paging, most: Option<NonZeroUsize>) -> usize {
    most.map_or(paging.size, |most| paging.size.min(most.get()))
}

/// Whether a walk found everything that another found before it, in the same order; it may have found more.
fn holds_in_order(order: &[Mark], before: &[Mark]) -> bool {
    let mut rest = order.iter();
    before.iter().all(|key| rest.any(|found| found == key))
}

/// Whether a walk found everything that another found before it.
fn holds(order: &[Mark], before: &[Mark]) -> bool {
    let order: HashSet<&Mark> = order.iter().collect();
    before.iter().all(|key| order.contains(key))
}
