//! Lists that are not read to their ends, though what is missing may be of the window.

use std::collections::BTreeSet;

use bowline_contract::pipeline::Window;
use bowline_words::counted;

use super::given::moments;
use super::records::{Kind, More, Record};
use super::{MARGIN, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// With so many records a list is no accident.
const FEW: usize = 5;

/// Judges the lists of runs, newest first, that say that more follows: nothing older ever came, and the oldest run is of the
/// window. `id` and `at` are where records have their ids and say when runs ended, `jobs` where they name their jobs.
pub(super) fn cut_short(
    kind: &Kind,
    id: &str,
    at: &str,
    jobs: &[&str],
    span: Window,
) -> Option<Outcome> {
    let said = |record: &'_ Record, place: &str| record.said(place)?.first().cloned();
    let moment = |record: &Record| Some(moments(&said(record, at)?).first()?.at);
    // Lists of several jobs or projects each have an end of their own: what is one in each list tells them apart.
    let is_one = |place: &&str| {
        let mut lists = kind.lists.iter();
        lists.all(|list| {
            list.iter()
                .all(|one| one.said(place) == list[0].said(place))
        })
    };
    let constant: Vec<&str> = kind.places().into_iter().filter(is_one).collect();
    let longest = kind.lists.iter().map(Vec::len).max()?;
    let both = || kind.lists.iter().zip(&kind.more);
    let is_part =
        |list: &[Record], more: &More| list.len() >= FEW && (more.goes_on || more.total.is_some());
    // Where runs of all jobs come in one list, a page may be of one of them by accident.
    let of_jobs = jobs.iter().filter(|place| {
        let parts = both().filter(|(list, more)| is_part(list, more));
        let of_one = parts.clone().filter(|(list, _)| {
            let first = list[0].said(place);
            list.iter().all(|one| one.said(place) == first)
        });
        is_nearly_all(of_one.count(), parts.count())
    });
    // A last page that is short shows that ends were come to, or that the total is of something else.
    let is_total_of_list =
        both().all(|(list, more)| list.len() == longest || more.total <= Some(list.len() as u64));
    let lines = both().filter_map(|(list, more)| {
        if !is_part(list, more) {
            return None;
        }
        let places: Vec<&&str> = constant.iter().chain(of_jobs.clone()).collect();
        let is_same = |one: &&Record| {
            let mut places = places.iter();
            places.all(|place| one.said(place) == list[0].said(place))
        };
        let others = || kind.records().filter(is_same);
        let seen: BTreeSet<String> = others().filter_map(|one| said(one, id)).collect();
        let is_less = |total: u64| is_total_of_list && (seen.len() as u64) < total;
        let mut times = list.iter().filter_map(moment);
        let newest_first = times.next()? > times.last()?;
        let last = list.iter().filter_map(moment).min()?;
        let is_last = Some(last) == others().filter_map(moment).min();
        let is_cut = more.goes_on || more.total.is_some_and(is_less);
        let is_of_window = last > span.start + MARGIN && last < span.end;
        (is_cut && is_last && newest_first && is_of_window).then(|| {
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
