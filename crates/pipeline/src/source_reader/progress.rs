//! Where a walk stands.

mod advance;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;

use bowline_template::Value;

use super::effort::Lie;
use super::mark::Mark;
use super::page::Page;
use super::walk::{Found, size_of};
use crate::description::{Keep, Paging, PagingStyle};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{text_of, to_json};

/// How many short pages in a row without anything behind the record that they must hold are the end of a list.
const STALE_PAGES: usize = 3;

/// The most letters of what stands in a next cursor's place and means that there is none.
const LONGEST_END: usize = 16;

/// Of how many known records on a page half must have changed their order, so that it is not a few that moved.
const SHUFFLED: usize = 4;

/// How many of the last records are remembered to tell whether their order changed.
const RECENT: usize = 4096;

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the list's end.
    Reached,
    /// The list must be read in another way, from its beginning.
    Unsettled,
    /// So much was asked that no more may be.
    Spent,
}

/// What an answer says about whether more follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// This is the last page.
    Last,
    /// It is not.
    More,
    /// Nothing.
    None,
}

impl Word {
    /// What `last` comes to: null says nothing, nor does an empty text; other texts are what they say.
    fn of(last: &Value) -> Self {
        let text = last.as_text().map(|text| text.trim().to_ascii_lowercase());
        match text.as_deref() {
            Some("" | "null" | "none") => Self::None,
            Some("false" | "no" | "n" | "0") => Self::More,
            _ if last.is_nothing() => Self::None,
            _ if last.is_true() => Self::Last,
            _ => Self::More,
        }
    }
}

/// What a whole walk found.
pub(super) struct Findings {
    /// The vendor's last word on how many records there are.
    pub(super) total: Option<usize>,
    /// Whether a record came on two pages that should not overlap, as it does where another one was pushed aside by it.
    pub(super) is_torn: bool,
    /// The records in order, if only another walk can tell whether some moved past this one.
    pub(super) order: Option<Vec<Mark>>,
}

/// Where a walk stands.
pub(super) struct Walk<'s> {
    pub(super) paging: &'s Paging,
    lie: Lie,
    is_aligned: bool,
    /// Whether this is a walk after one that came to nothing by overlapping.
    is_fallback: bool,
    /// Whether it is the first walk of its list.
    is_first: bool,
    offset: usize,
    /// By how many records the second page overlaps the first, so that no two walks cut the list at the same places.
    shift: usize,
    number: i64,
    cursor: Value,
    address: Option<String>,
    cursors: HashSet<String>,
    /// The record that the next page must begin with or hold.
    anchor: Option<Mark>,
    /// For each page that was read, its cursor and its last record.
    trail: Vec<(Value, Mark)>,
    /// The record that must be on the page that is read again.
    confirmed_by: Option<Mark>,
    /// How many records a page is asked for.
    size: usize,
    /// The most records that a page had.
    given: usize,
    /// How many the last page had.
    received: usize,
    pages_read: usize,
    records_read: usize,
    previous: Vec<Mark>,
    same_pages: usize,
    stale_pages: usize,
    empty_pages: usize,
    /// Whether the walk stepped back and has not gone on to something new since.
    is_stepping: bool,
    /// How many pages held nothing new since.
    idle_steps: usize,
    /// Whether everything was found, by what the vendor says, and it is only looked whether that is true.
    is_probing: bool,
    /// The vendor's last word on how many records there are.
    total: Option<usize>,
    /// The records in the order in which they came, where pages do not overlap.
    order: Vec<Mark>,
    ordered: HashSet<Mark>,
    /// How many records came again where pages do not overlap.
    again: usize,
    /// How many records were asked for again, so that no two walks cut the list at the same places.
    overlap: usize,
    /// Where each of the last records came first.
    places: HashMap<Mark, usize>,
    /// How many pages held records, and none that was new.
    repeats: usize,
}

impl<'s> Walk<'s> {
    pub(super) fn new(paging: &'s Paging, most: Option<NonZeroUsize>, found: &Found) -> Self {
        let (number, cursor) = match &paging.style {
            PagingStyle::Number { first } => (*first, Value::NONE),
            PagingStyle::Cursor { first, .. } => {
                (0, first.clone().map_or(Value::NONE, Value::from))
            }
            PagingStyle::Offset | PagingStyle::Link { .. } => (0, Value::NONE),
        };
        let size = size_of(paging, most);
        let lie = match &paging.style {
            PagingStyle::Offset if size > 1 && !found.is_apart && !found.is_aligned => {
                Lie::Overlapping
            }
            PagingStyle::Offset | PagingStyle::Number { .. } => Lie::Apart,
            PagingStyle::Cursor { .. } | PagingStyle::Link { .. } => Lie::Named,
        };
        Self {
            paging,
            lie,
            is_aligned: found.is_aligned,
            is_fallback: found.is_apart,
            is_first: found.walks == 0,
            offset: 0,
            shift: if found.is_apart && !found.is_aligned {
                size * (found.walks % 4) / 4
            } else {
                0
            },
            number,
            cursor,
            address: None,
            cursors: HashSet::new(),
            anchor: None,
            trail: Vec::new(),
            confirmed_by: None,
            size,
            given: 0,
            received: 0,
            pages_read: 0,
            records_read: 0,
            previous: Vec::new(),
            same_pages: 0,
            stale_pages: 0,
            empty_pages: 0,
            is_stepping: false,
            idle_steps: 0,
            is_probing: false,
            total: None,
            order: Vec::new(),
            ordered: HashSet::new(),
            again: 0,
            overlap: 0,
            places: HashMap::new(),
            repeats: 0,
        }
    }

    pub(super) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    pub(super) fn pages_read(&self) -> usize {
        self.pages_read
    }

    pub(super) fn records_read(&self) -> usize {
        self.records_read
    }

    pub(super) fn is_probing(&self) -> bool {
        self.is_probing
    }

    /// Whether the page asked for begins where pages that do not overlap never do.
    pub(super) fn is_between_pages(&self) -> bool {
        matches!(self.paging.style, PagingStyle::Offset)
            && !self.is_aligned
            && self.given == self.size
            && !self.from().is_multiple_of(self.size)
    }

    /// Whether a later page that is not there means that the list ended with the page before: the vendor says so of the
    /// page, or the last one had fewer records than others.
    pub(super) fn is_past_end(&self, kind: SourceErrorKind) -> bool {
        let is_by_position = match &self.paging.style {
            PagingStyle::Offset | PagingStyle::Number { .. } => self.pages_read > 0,
            PagingStyle::Cursor { .. } | PagingStyle::Link { .. } => false,
        };
        is_by_position
            && match kind {
                SourceErrorKind::NoSuchPage => true,
                SourceErrorKind::NotFound => self.received < self.given,
                _ => false,
            }
    }

    /// An error on the way, with what it may have to do with the pages; `method` is that of the first request.
    pub(super) fn explained(&self, error: SourceError, method: &str) -> SourceError {
        if self.pages_read == 0 {
            return error;
        }
        let is_refused = error.kind.is_refusal();
        let is_not_let_in = error.kind == SourceErrorKind::Unauthorized;
        let page = self.pages_read + 1;
        match &self.paging.style {
            PagingStyle::Number { .. } | PagingStyle::Offset if is_refused => {
                error.because(format!("page {page}, after others that were given")).hint(
                    "where the list ends there, say with `last` or `total` in `pages` how an answer tells so"
                        .to_owned(),
                )
            }
            PagingStyle::Link { follow, .. } if is_refused || is_not_let_in => {
                let part = if method == "POST" && follow.body == Keep::No {
                    "body"
                } else if follow.query == Keep::No {
                    "query"
                } else {
                    return error;
                };
                let told = error.because(format!("page {page}, at the address that page {} named", page - 1));
                told.hint(format!(
                    "where the vendor wants the {part} of the first request there too, write `keep = [\"{part}\"]` in \
                     `pages`"
                ))
            }
            PagingStyle::Cursor { .. } if is_refused => {
                let asked = text_of(&to_json(&self.cursor));
                let hint = self.end_hint(&Value::NONE).filter(|_| may_be_end(&asked));
                let hint = hint.or_else(|| error.hint.clone());
                error
                    .because(format!("page {page}, after others that were given"))
                    .hint(hint)
            }
            _ => error,
        }
    }

    /// How a description says that what the page was asked for by stands for the end, where it may; its answer names
    /// `next`.
    pub(super) fn end_hint(&self, next: &Value) -> Option<String> {
        let PagingStyle::Cursor { next: from, .. } = &self.paging.style else {
            return None;
        };
        let from = match from.text().trim() {
            text if text.contains(' ') => format!("({text})"),
            text => text.to_owned(),
        };
        let asked = text_of(&to_json(&self.cursor));
        let is_below_one = asked.parse().is_ok_and(|number: i64| number < 1);
        if text_of(&to_json(next)) == asked && !is_below_one {
            return Some(format!(
                "where a last page names itself as the next one, write `last = \"{from} == page.cursor\"` in `pages`"
            ));
        }
        // Where a page that was there names one from before, neither stands for the end.
        let is_place = !next.is_nothing() && !may_be_end(&asked);
        if self.cursor.is_nothing() || asked.chars().count() > LONGEST_END || is_place {
            return None;
        }
        let end = match self.cursor.as_text() {
            Some(text) => format!("'{text}'"),
            None => asked.clone(),
        };
        Some(format!(
            "where `{asked}` in the place of the next cursor means that there is none, write `last = \"{from} == {end}\"` \
             in `pages`"
        ))
    }

    /// The offset to ask for: one record of the page before is read again.
    fn from(&self) -> usize {
        match self.anchor {
            Some(_) => self.offset.saturating_sub(1),
            None => self.offset,
        }
    }

    pub(super) fn variables(&self) -> Value {
        Value::mapping([
            ("size", Value::from(self.size)),
            ("offset", Value::from(self.from())),
            ("number", Value::from(self.number)),
            ("cursor", self.cursor.clone()),
        ])
    }

    /// What only another walk can tell the truth of, and by what.
    pub(super) fn into_findings(self) -> Findings {
        let is_alone = self.pages_read < 2;
        let is_apart = self.lie() == Lie::Apart && !is_alone;
        Findings {
            total: self.total,
            is_torn: self.again > self.overlap,
            order: is_apart.then_some(self.order),
        }
    }

    /// How the pages lie; those of one record cannot overlap.
    fn lie(&self) -> Lie {
        match self.lie {
            Lie::Overlapping if self.given < 2 => Lie::Apart,
            lie => lie,
        }
    }

    /// Takes note of a page; says whether most of what was known on it stands in another order than before.
    fn note(&mut self, page: &Page, is_new: bool) -> bool {
        let received = page.records.len();
        self.pages_read += 1;
        self.records_read += received;
        self.given = self.given.max(received);
        self.received = received;
        self.empty_pages = if received == 0 {
            self.empty_pages + 1
        } else {
            0
        };
        self.repeats += usize::from(received > 0 && !is_new);
        if self.lie == Lie::Named {
            return false;
        }
        let keys = page.keys.as_deref().unwrap_or_default();
        if self.lie() == Lie::Apart {
            let before = self.order.len();
            let new = keys.iter().filter(|key| self.ordered.insert(**key));
            self.order.extend(new);
            self.again += keys.len() - (self.order.len() - before);
        }
        let known = keys.iter().filter_map(|key| self.places.get(key).copied());
        let known: Vec<usize> = known.collect();
        let is_shuffled = known.len() >= SHUFFLED && 2 * in_order(&known) < known.len();
        if self.places.len() > RECENT {
            self.places.clear();
        }
        for key in keys {
            let place = self.places.len();
            self.places.entry(*key).or_insert(place);
        }
        is_shuffled
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

    /// Whether the page is where it must be: it holds the anchor, and nothing unknown before it. What is unknown there
    /// came to a place that was read already, or the anchor itself has moved and says nothing about the rest.
    fn is_in_place(&self, page: &Page, fresh: &HashSet<Mark>) -> bool {
        let (Some(anchor), Some(keys)) = (&self.anchor, &page.keys) else {
            return true;
        };
        let before = keys.iter().position(|key| key == anchor);
        before.is_some_and(|at| keys[..at].iter().all(|key| !fresh.contains(key)))
    }

    /// Whether a full page is the one before once more, as servers give it that round offsets to whole pages.
    fn is_rounded(&self, page: &Page) -> bool {
        let keys = page.keys.as_deref().unwrap_or_default();
        !self.is_stepping && keys.len() == self.size && keys == self.previous
    }

    /// What a list that stands still costs like.
    pub(super) fn cost(&self) -> Lie {
        let is_by_force = self.is_fallback || self.is_aligned != self.paging.aligned;
        if is_by_force {
            Lie::Overlapping
        } else {
            self.lie()
        }
    }

    /// Whether an answer says that more follows where its page ends.
    fn says_more(&self, word: Word) -> bool {
        word == Word::More
            || (word == Word::None && self.total.is_some_and(|total| self.from() < total))
    }

    /// Steps back; at the list's beginning there is nothing to step back to, and the anchor itself is gone from the list.
    fn step_back(&mut self) -> bool {
        let from = self.from();
        if from == 0 {
            self.anchor = None;
            return false;
        }
        self.offset = from.saturating_sub(self.given.saturating_sub(1)).max(1);
        if self.offset == 1 {
            self.offset = 0;
        }
        self.is_stepping = true;
        true
    }
}

/// How many of these places at most are in ascending order, when the others are left out.
fn in_order(places: &[usize]) -> usize {
    // The least last place of an ascending row of each length.
    let mut ends: Vec<usize> = Vec::new();
    for place in places {
        let at = ends.partition_point(|end| end < place);
        match ends.get_mut(at) {
            Some(end) => *end = *place,
            None => ends.push(*place),
        }
    }
    ends.len()
}

/// Whether a cursor may stand for the end: one that counts or names a page has a digit that is not 0.
fn may_be_end(cursor: &str) -> bool {
    !cursor.chars().any(|letter| ('1'..='9').contains(&letter)) || cursor.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_says_no_is_no_yes() {
        for (text, word) in [
            ("false", Word::More),
            (" False ", Word::More),
            ("0", Word::More),
            ("true", Word::Last),
            ("Y", Word::Last),
            ("", Word::None),
            ("null", Word::None),
        ] {
            assert_eq!(Word::of(&Value::from(text)), word, "{text}");
        }
        assert_eq!(Word::of(&Value::from(false)), Word::More);
        assert_eq!(Word::of(&Value::from(1_i64)), Word::Last);
        assert_eq!(Word::of(&Value::NONE), Word::None);
    }

    #[test]
    fn few_that_moved_leave_the_rest_in_order() {
        assert_eq!(in_order(&[0, 1, 2, 3]), 4);
        assert_eq!(in_order(&[3, 0, 1, 2]), 3);
        assert_eq!(in_order(&[0, 3, 1, 2, 4]), 4);
        assert_eq!(in_order(&[3, 2, 1, 0]), 1);
        assert_eq!(in_order(&[]), 0);
    }
}
