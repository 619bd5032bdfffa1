//! Lists that are not read to their ends, though what is missing may be of the window.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::Window;
use bowline_words::counted;
use jiff::Timestamp;

use super::MARGIN;
use super::given::moments;
use super::records::{Kind, Record, Said};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// With so many records a list is no accident.
const FEW: usize = 5;

/// Where records of runs say what they say.
pub(super) struct Places<'r> {
    pub(super) id: &'r str,
    /// When they ended, and when they began or were made.
    pub(super) ended: Vec<&'r str>,
    pub(super) begun: Vec<&'r str>,
    /// The job that they are of.
    pub(super) jobs: Vec<&'r str>,
}

/// Judges the longest of the lists of runs, newest first, that say that more follows: nothing older ever came, and the
/// oldest run is of the window.
pub(super) fn cut_short(kind: &Kind, places: &Places<'_>, span: Window) -> Option<Outcome> {
    let at = *places.ended.first()?;
    let longest = kind.lists.iter().map(Vec::len).max()?;
    let (part, whole): (Vec<_>, Vec<_>) = kind
        .lists
        .iter()
        .zip(&kind.go_on)
        .partition(|(_, goes_on)| **goes_on);
    let parts = part.into_iter().map(|(list, _)| list.as_slice());
    let parts: Vec<&[Record]> = parts.filter(|list| list.len() >= FEW).collect();
    if parts.is_empty() {
        return None;
    }
    let job = places
        .jobs
        .iter()
        .find(|place| are_of_jobs(&parts, at, place));
    let job_of = |record: &'_ Record| job.and_then(|place| record.said(place).cloned());
    let mut oldest: BTreeMap<Option<Said>, Timestamp> = BTreeMap::new();
    for record in kind.records() {
        if let Some(moment) = moment(record, at) {
            let known = oldest.entry(job_of(record)).or_insert(moment);
            *known = moment.min(*known);
        }
    }
    // Pages of several sizes hold the same runs.
    let at_ends = whole.into_iter().flat_map(|(list, _)| list);
    let at_ends: BTreeSet<&Said> = at_ends
        .filter_map(|record| record.said(places.id))
        .collect();
    let longest_parts = parts.into_iter().filter(|list| list.len() == longest);
    let lines = longest_parts.filter_map(|list| {
        let mut times = list.iter().filter_map(|record| moment(record, at));
        let newest_first = times.next()? > times.next_back()?;
        if !newest_first {
            return None;
        }
        let (last, record) = list
            .iter()
            .filter_map(|record| Some((moment(record, at)?, record)))
            .min_by_key(|(moment, _)| *moment)?;
        let is_last = oldest.get(&job_of(record)) == Some(&last)
            && record
                .said(places.id)
                .is_none_or(|id| !at_ends.contains(id));
        // A list may be in the order of another time, and be read until that is before the window.
        let begun = list.iter().flat_map(|record| {
            let begun = places.begun.iter();
            begun.filter_map(|place| moment(record, place))
        });
        let first = begun.chain([last]).min()?;
        let is_of_window = first > span.start + MARGIN && last < span.end;
        (is_last && is_of_window).then(|| {
            let runs = counted(list.len(), "run");
            format!("a list of {runs} goes back to {last}, and more follow")
        })
    });
    let lines: BTreeSet<String> = lines.collect();
    (!lines.is_empty()).then(|| {
        let got = format!("{} cut short", counted(lines.len(), "list"));
        Outcome::wrong("the vendor's lists read to the start of the window", got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint("follow the vendor's pages until one has no next")
    })
}

/// Whether each job has a list of its own: each of those that go on is of one job, and two of two jobs are of the same time.
/// Pages of one list follow each other.
fn are_of_jobs(parts: &[&[Record]], at: &str, place: &str) -> bool {
    let of_one = parts.iter().map(|list| {
        let job = list[0].said(place)?;
        let times = || list.iter().filter_map(|record| moment(record, at));
        let is_one = list.iter().all(|record| record.said(place) == Some(job));
        is_one.then_some((times().max()?, times().min()?, job))
    });
    let Some(mut of_one) = of_one.collect::<Option<Vec<_>>>() else {
        return false;
    };
    of_one.sort_unstable();
    of_one.windows(2).any(|two| {
        let [(newest, _, one), (_, oldest, other)] = [two[0], two[1]];
        one != other && oldest < newest
    })
}

/// When a record says that something happened.
fn moment(record: &Record, place: &str) -> Option<Timestamp> {
    Some(moments(record.said(place)?.first()?).first()?.at)
}
