//! Where a walk goes from a page.

use std::collections::HashSet;

use bowline_template::{Kind, Value};

use super::{End, Walk, Word};
use crate::description::{Follow, PagingStyle};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, text_of, to_json};
use crate::http::{Extent, Prepared};
use crate::source_reader::SourceReader;
use crate::source_reader::effort::Lie;
use crate::source_reader::mark::Mark;
use crate::source_reader::page::Page;
use crate::source_reader::walk::Found;

/// How many pages in a row may be the same before the vendor must be taken to ignore what is asked: records that begin
/// meanwhile can fill a page exactly, but not again and again.
const SAME_PAGES: usize = 8;

/// How many pages that are all the same record are a list of one, which the vendor does not split.
const ONE_RECORD: usize = 2;

/// How many steps back may find nothing new before pages are no longer made to overlap.
const IDLE_STEPS: usize = 2;

/// How many pages in a row may be empty though the vendor says that more follow.
const EMPTY_PAGES: usize = 100;

/// How many pages from a vendor's own cursors or links may hold nothing new, beside two for each that does.
const REPEATS: usize = 8;

/// How many pages in a row from a vendor's own cursors or links may be empty: some look through what they have piece by
/// piece, and find nothing in many of them.
const EMPTY_IN_A_ROW: usize = 250;

impl SourceReader<'_> {
    /// Goes on from a page, of which the records in `fresh` were new; says how the walk ends if it does.
    pub(in crate::source_reader) fn advance(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        fresh: &HashSet<Mark>,
        request: &Prepared,
        found: &mut Found,
    ) -> Result<Option<End>, SourceError> {
        let said = match &walk.paging.total {
            Some(total) => count(&self.evaluate(total, &page.scope, &page.body)?),
            None => None,
        };
        walk.total = said.or(walk.total);
        let word = match &walk.paging.last {
            Some(last) => Word::of(&self.evaluate(last, &page.scope, &page.body)?),
            None if matches!(page.extent, Extent::More(_)) && !page.records.is_empty() => {
                Word::More
            }
            None => Word::None,
        };
        let is_new = !fresh.is_empty() || page.keys.is_none();
        let is_in_place = walk.is_in_place(page, fresh);
        let is_forward = walk.is_first && is_in_place && (is_new || walk.pages_read == 0);
        let is_passed = page.records.is_empty() && word == Word::More;
        found.effort.add(is_forward || is_passed);
        let is_shuffled = walk.note(page, is_new);
        found.is_shuffled |= is_shuffled;
        if walk.lie == Lie::Overlapping && walk.is_rounded(page) {
            found.align();
            return Ok(Some(End::Unsettled));
        }
        if walk.lie == Lie::Overlapping && is_shuffled {
            found.is_apart = true;
            return Ok(Some(End::Unsettled));
        }
        // What other walks found may be gone from the list by now, and does not count.
        if walk.is_fallback && walk.total.is_some_and(|total| walk.ordered.len() >= total) {
            return Ok(Some(End::Reached));
        }
        // An empty page where the vendor says that more follows is no list that became shorter.
        let is_gap = page.records.is_empty() && walk.says_more(word);
        walk.idle_steps += usize::from(walk.is_stepping && !is_new);
        if is_in_place || is_gap {
            if is_new {
                walk.is_stepping = false;
                walk.idle_steps = 0;
            }
        } else {
            if walk.idle_steps >= IDLE_STEPS {
                found.is_apart = true;
                return Ok(Some(End::Unsettled));
            }
            if walk.step_back() {
                return Ok(Self::spent(walk, found));
            }
        }
        if word == Word::Last || self.is_stuck(walk, page, request)? {
            return Ok(Some(End::Reached));
        }
        let goes_on = match &walk.paging.style {
            PagingStyle::Offset | PagingStyle::Number { .. } => {
                self.by_position(walk, page, is_new, word, request)?
            }
            PagingStyle::Cursor { next, .. } => {
                self.by_cursor(walk, page, !fresh.is_empty(), next, word, request)?
            }
            PagingStyle::Link { next, follow } => {
                let Some(link) = self.next(next, page)? else {
                    self.ends(word, request)?;
                    return Ok(Some(End::Reached));
                };
                self.by_link(walk, &link, !fresh.is_empty(), follow, request)?
            }
        };
        Ok(if goes_on {
            Self::spent(walk, found)
        } else {
            Some(End::Reached)
        })
    }

    /// The end of a walk that asked for as much as it may.
    fn spent(walk: &Walk<'_>, found: &Found) -> Option<End> {
        // Where the same page comes again and again it is found out first whether the vendor looks at what it is asked.
        let is_bounded = walk.same_pages == 0
            && match &walk.paging.style {
                PagingStyle::Cursor { next, .. } => is_of_record(next),
                PagingStyle::Link { .. } => false,
                PagingStyle::Offset | PagingStyle::Number { .. } => true,
            };
        let known = found.known(walk.total);
        let is_spent = || found.effort.is_spent(walk.cost(), known, walk.given);
        (is_bounded && is_spent()).then_some(End::Spent)
    }

    /// Goes on to the next offset or number, if there is one.
    fn by_position(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        is_new: bool,
        word: Word,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        let received = page.records.len();
        let from = walk.from();
        let is_empty = match walk.lie() {
            Lie::Overlapping => walk.is_at_end(page),
            Lie::Apart | Lie::Named => received == 0,
        };
        // Where the vendor has contradicted itself, one empty page is not believed.
        let is_believed = !walk.is_fallback || walk.empty_pages > 1 || walk.pages_read == 1;
        walk.number += 1;
        walk.offset = if walk.is_aligned {
            walk.offset + walk.size
        } else if received > 0 {
            from + received
        } else if walk.anchor.is_some() {
            // The same place again, without the overlap.
            walk.offset
        } else if walk.given > 0 {
            from + walk.given
        } else {
            from + walk.size
        };
        let overlap = walk.shift.min(received.saturating_sub(1));
        walk.offset -= overlap;
        // What is asked for twice may come twice.
        walk.overlap += overlap;
        walk.shift = if received > 1 { 0 } else { walk.shift };
        let had_anchor = walk.anchor.is_some();
        let keys = page
            .keys
            .as_ref()
            .filter(|_| walk.lie() == Lie::Overlapping);
        walk.anchor = keys.and_then(|keys| keys.last().copied());
        let position = match walk.paging.style {
            PagingStyle::Offset => walk.offset,
            _ => walk.records_read,
        };
        let was_probing = walk.is_probing;
        walk.is_probing = walk.total.is_some_and(|total| position >= total);
        if word == Word::More {
            if is_empty {
                walk.anchor = None;
            }
            if walk.empty_pages < EMPTY_PAGES {
                return Ok(true);
            }
            return Err(self
                .client
                .error(SourceErrorKind::Pages, request)
                .because(format!(
                    "{EMPTY_PAGES} pages in a row were empty, though the vendor says that more follow"
                ))
                .hint(
                    "let `last` in `pages` be null where an answer does not say it: `… if response.pages is defined`"
                        .to_owned(),
                ));
        }
        if is_empty && had_anchor && walk.total.is_some_and(|total| from + received < total) {
            // It may be that only this place is empty.
            walk.anchor = None;
            return Ok(true);
        }
        let is_short = received < walk.given;
        let is_whole = (walk.is_probing && is_short) || (was_probing && !is_new);
        Ok(!(is_whole || is_empty && is_believed))
    }

    /// Goes on to the next cursor, if there is one.
    fn by_cursor(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        is_new: bool,
        next: &Expression,
        word: Word,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        if let Some(key) = walk.confirmed_by.take() {
            if page.keys.as_ref().is_some_and(|keys| keys.contains(&key)) {
                return Ok(false);
            }
            // From here the walk goes on where it was before.
            walk.cursors.clear();
        }
        let Some(cursor) = self.next(next, page)? else {
            if page.records.is_empty()
                && let Some((cursor, key)) = walk.trail.pop()
            {
                walk.cursor = cursor;
                walk.confirmed_by = Some(key);
                return Ok(true);
            }
            self.ends(word, request)?;
            return Ok(false);
        };
        if is_of_record(next)
            && let Some(key) = page.keys.as_ref().and_then(|keys| keys.last())
        {
            walk.trail.push((walk.cursor.clone(), *key));
        }
        self.unseen(walk, &text_of(&to_json(&cursor)), is_new, request)
            .map_err(|error| error.hint(walk.end_hint(&cursor)))?;
        walk.cursor = cursor;
        Ok(true)
    }

    /// Goes on to the next address.
    fn by_link(
        &self,
        walk: &mut Walk<'_>,
        link: &Value,
        is_fresh: bool,
        follow: &Follow,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        let link = text_of(&to_json(link));
        let address = self.client.next_address(request, &link, follow)?;
        self.unseen(walk, &address, is_fresh, request)
            .map_err(|error| {
                error.hint(
                    "where the last page names a next one too, say with `last` in `pages` how an answer tells that it is \
                     the last"
                        .to_owned(),
                )
            })?;
        walk.address = Some(address);
        Ok(true)
    }

    /// That a list ends where no next page is named, unless the vendor says that more follows.
    fn ends(&self, word: Word, request: &Prepared) -> Result<(), SourceError> {
        if word != Word::More {
            return Ok(());
        }
        Err(self
            .client
            .error(SourceErrorKind::Pages, request)
            .because("the vendor says that more follows, and not where".to_owned())
            .hint("compare `last` and `next` in `pages` with an answer".to_owned()))
    }

    /// Whether the page is the one record that there is, again. A vendor that gives the same page again and again does
    /// not look at what it is asked.
    fn is_stuck(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        request: &Prepared,
    ) -> Result<bool, SourceError> {
        if walk.lie == Lie::Named {
            return Ok(false);
        }
        let keys = match &page.keys {
            Some(keys) => keys.clone(),
            None => edges(&page.records),
        };
        if keys.is_empty() || keys != walk.previous {
            walk.previous = keys;
            walk.same_pages = 0;
            return Ok(false);
        }
        walk.same_pages += 1;
        if keys.len() == 1 && walk.pages_read > ONE_RECORD && walk.same_pages + 1 == walk.pages_read
        {
            let note = "every page of a list holds the same record, so that more may be missing: see whether the vendor \
                        looks at what says which page it is"
                .to_owned();
            // One record where more were asked for is all that there is, whatever page it is called.
            if walk.size > 1 {
                self.note(note);
            } else {
                self.note_incomplete(note);
            }
            return Ok(true);
        }
        // A page that has fewer records than others ends the list, whatever number it is asked for by.
        let is_short = page.records.len() < walk.given;
        if is_short && matches!(walk.paging.style, PagingStyle::Number { .. }) {
            // They came for another number, and in no other record's place.
            walk.again = walk.again.saturating_sub(page.records.len());
            self.note(
                "the vendor gives the last page of a list again for pages behind it".to_owned(),
            );
            return Ok(true);
        }
        if walk.same_pages < SAME_PAGES {
            return Ok(false);
        }
        Err(self
            .client
            .error(SourceErrorKind::Pages, request)
            .because("the page is the same as the ones before")
            .hint(if walk.same_pages + 1 < walk.pages_read {
                "earlier pages differed: name with `total` or `last` where an answer says how far the list goes, for the \
                 vendor gives its last page again, or none behind this one"
                    .to_owned()
            } else {
                "place `page.offset` or `page.number` where the vendor looks for it".to_owned()
            }))
    }

    pub(in crate::source_reader) fn next(
        &self,
        next: &Expression,
        page: &Page,
    ) -> Result<Option<Value>, SourceError> {
        let value = self.evaluate(next, &page.scope, &page.body)?;
        // Some say that there is no next page as they say that something is not so.
        let is_denied = value.kind() == Kind::Boolean(false);
        let nothing = value.is_nothing() || is_denied || value.as_text() == Some("");
        Ok((!nothing).then_some(value))
    }

    /// Refuses a next page that was named before, unless this one held something new: a list that moves may name a
    /// record twice, but then it is not going round in circles. Refuses pages without end that hold nothing new, too.
    fn unseen(
        &self,
        walk: &mut Walk<'_>,
        next: &str,
        is_new: bool,
        request: &Prepared,
    ) -> Result<(), SourceError> {
        let is_named_twice = !walk.cursors.insert(next.to_owned()) && !is_new;
        let reason = if is_named_twice {
            format!(
                "the vendor named the same next page twice: `{}`",
                self.client
                    .masked(&next.chars().take(80).collect::<String>())
            )
        } else if walk.repeats > REPEATS + 2 * (walk.pages_read - walk.repeats) {
            format!("{} pages held nothing new", walk.repeats)
        } else if walk.empty_pages >= EMPTY_IN_A_ROW {
            format!("{EMPTY_IN_A_ROW} pages in a row were empty, and each named a next one")
        } else {
            return Ok(());
        };
        Err(self
            .client
            .error(SourceErrorKind::Pages, request)
            .because(reason))
    }
}

/// What tells a page of records without keys from others: its first and last record, and how many there are.
fn edges(records: &[Value]) -> Vec<Mark> {
    let mark = |record: &Value| Mark::of(&to_json(record).to_string());
    match records {
        [] => Vec::new(),
        [one] => vec![mark(one)],
        [first, .., last] => vec![mark(first), mark(last), Mark::of(&records.len())],
    }
}

/// A number of records, if the value is one; some vendors write it as text.
fn count(value: &Value) -> Option<usize> {
    match value.kind() {
        Kind::Integer(number) => usize::try_from(number).ok(),
        Kind::Float(number) if number.fract() == 0.0 => format!("{number:.0}").parse().ok(),
        Kind::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Whether a cursor is made from a record, which may be gone by the time it is used.
fn is_of_record(next: &Expression) -> bool {
    let names = next.names();
    names.contains("last") || names.contains("records")
}
