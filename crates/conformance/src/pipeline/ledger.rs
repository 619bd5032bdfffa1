//! Readings of the same things, compared: what one of them lost, though it was there before and after.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::Window;
use jiff::Timestamp;

/// What one reading saw.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    /// The window it was about; none when time means nothing.
    pub(super) span: Option<Window>,
    /// What it saw, by label.
    pub(super) seen: BTreeMap<String, Seen>,
}

/// One thing as one reading saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its time, where it has one.
    pub(super) at: Option<Timestamp>,
    /// The same for things that differ in their ids only.
    pub(super) kin: u64,
    /// The same for things that say the same.
    pub(super) print: u64,
    /// The same for things that say the same down to what may change at any time.
    pub(super) whole: u64,
    /// Whether nothing can happen to it any more.
    pub(super) is_settled: bool,
}

/// Something about one thing in one reading, by the reading's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Oddity {
    pub(super) reading: usize,
    pub(super) label: String,
    pub(super) at: Option<Timestamp>,
}

/// What comparing readings showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// There before and after, unchanged, and not in the reading between.
    pub(super) lost: Vec<Oddity>,
    /// The same before and after, and otherwise in the reading between.
    pub(super) mixed: Vec<Oddity>,
    /// Not in this reading, though it is settled and in later ones.
    pub(super) late: Vec<Oddity>,
    /// Not in this reading, though it is settled and was in earlier ones.
    pub(super) gone: Vec<Oddity>,
}

impl Comparison {
    /// The readings that lost something or mixed it up.
    pub(super) fn lossy(&self) -> BTreeSet<usize> {
        let odd = self.lost.iter().chain(&self.mixed);
        odd.map(|one| one.reading).collect()
    }

    /// Takes out what one reading alone lost or mixed up, and did not when it was made again.
    pub(super) fn take_once(&mut self) -> Vec<Oddity> {
        if self.lossy().len() != 1 {
            return Vec::new();
        }
        let mut once = std::mem::take(&mut self.lost);
        once.append(&mut self.mixed);
        once
    }
}

/// Compares readings, in the order in which they were made.
pub(super) fn compare(sightings: &[Sighting]) -> Comparison {
    let mut comparison = Comparison::default();
    let mut labels: Vec<&String> = sightings.iter().flat_map(|one| one.seen.keys()).collect();
    labels.sort_unstable();
    labels.dedup();
    for label in labels {
        for (reading, sighting) in sightings.iter().enumerate() {
            let before = sightings[..reading]
                .iter()
                .rev()
                .find_map(|one| one.seen.get(label));
            let after = sightings[reading + 1..]
                .iter()
                .find_map(|one| one.seen.get(label));
            let oddity = |seen: &Seen| Oddity {
                reading,
                label: label.clone(),
                at: seen.at,
            };
            let covered = |seen: &Seen| match (sighting.span, seen.at) {
                (Some(span), Some(at)) => span.contains(at),
                _ => true,
            };
            match (before, sighting.seen.get(label), after) {
                (Some(before), Some(seen), Some(after))
                    if before.whole == after.whole && seen.whole != before.whole =>
                {
                    comparison.mixed.push(oddity(before));
                }
                (Some(before), None, Some(after))
                    if before.print == after.print && covered(before) =>
                {
                    comparison.lost.push(oddity(before));
                }
                (None, None, Some(after)) if after.is_settled && covered(after) => {
                    comparison.late.push(oddity(after));
                }
                (Some(before), None, None) if before.is_settled && covered(before) => {
                    comparison.gone.push(oddity(before));
                }
                _ => {}
            }
        }
    }
    comparison
}

/// Takes out what is not lost, late or gone but there under another id: the old label and the new of each.
pub(super) fn take_renamed(
    sightings: &[Sighting],
    comparison: &mut Comparison,
) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    let missing = comparison
        .lost
        .iter()
        .chain(&comparison.late)
        .chain(&comparison.gone);
    for oddity in missing {
        let Some(had) = sightings
            .iter()
            .find(|one| one.seen.contains_key(&oddity.label))
        else {
            continue;
        };
        let kin = had.seen[&oddity.label].kin;
        // Another of its kin that was beside it before is no new name of it.
        let other = sightings[oddity.reading]
            .seen
            .iter()
            .find(|(label, seen)| seen.kin == kin && !had.seen.contains_key(*label));
        if let Some((other, _)) = other {
            renamed.insert(oddity.label.clone(), other.clone());
        }
    }
    let is_there = |oddity: &Oddity| !renamed.contains_key(&oddity.label);
    comparison.lost.retain(is_there);
    comparison.late.retain(is_there);
    comparison.gone.retain(is_there);
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seen(second: i64, print: u64) -> Seen {
        Seen {
            at: Some(at(second)),
            kin: second.unsigned_abs(),
            print,
            whole: print,
            is_settled: true,
        }
    }

    fn sighting(start: i64, end: i64, seen: &[(&str, Seen)]) -> Sighting {
        Sighting {
            span: Some(Window {
                start: at(start),
                end: at(end),
            }),
            seen: seen
                .iter()
                .map(|(label, seen)| ((*label).to_owned(), seen.clone()))
                .collect(),
        }
    }

    fn labels(oddities: &[Oddity]) -> Vec<(usize, &str)> {
        oddities
            .iter()
            .map(|one| (one.reading, one.label.as_str()))
            .collect()
    }

    #[test]
    fn what_was_there_before_and_after_was_lost_between() {
        let both = [("a", seen(1, 7)), ("b", seen(5, 8))];
        let readings = [
            sighting(0, 10, &both),
            sighting(0, 10, &both[..1]),
            sighting(0, 3, &both[..1]),
            sighting(0, 10, &both),
        ];
        let found = compare(&readings);
        assert_eq!(labels(&found.lost), [(1, "b")]);
        assert!(found.late.is_empty() && found.gone.is_empty() && found.mixed.is_empty());
    }

    #[test]
    fn what_changed_or_came_and_went_is_nobodys_fault() {
        let readings = [
            sighting(0, 10, &[("gone", seen(1, 1)), ("changed", seen(2, 1))]),
            sighting(0, 10, &[]),
            sighting(0, 10, &[("late", seen(3, 1)), ("changed", seen(4, 2))]),
        ];
        let found = compare(&readings);
        assert_eq!(found.lost, []);
        assert_eq!(labels(&found.gone), [(1, "gone"), (2, "gone")]);
        assert_eq!(labels(&found.late), [(0, "late"), (1, "late")]);
        assert_eq!(take_renamed(&readings, &mut found.clone()), BTreeMap::new());
    }

    #[test]
    fn what_reads_otherwise_between_two_equal_readings_is_mixed_up() {
        let readings = [
            sighting(0, 10, &[("a", seen(1, 1))]),
            sighting(0, 10, &[("a", seen(1, 2))]),
            sighting(0, 10, &[("a", seen(1, 1))]),
        ];
        assert_eq!(labels(&compare(&readings).mixed), [(1, "a")]);
    }

    #[test]
    fn the_same_thing_under_another_id_is_renamed() {
        let readings = [
            sighting(0, 10, &[("a", seen(1, 1))]),
            sighting(0, 10, &[("b", seen(1, 1))]),
        ];
        let mut found = compare(&readings);
        let renamed = take_renamed(&readings, &mut found);
        assert_eq!(renamed["a"], "b");
        assert_eq!(found, Comparison::default());
    }

    #[test]
    fn what_one_reading_alone_lost_is_no_loss() {
        let odd = |reading| Oddity {
            reading,
            label: "a".to_owned(),
            at: None,
        };
        let lost_in = |lost: usize, mixed: usize| Comparison {
            lost: vec![odd(lost)],
            mixed: vec![odd(mixed)],
            ..Comparison::default()
        };
        let mut once = lost_in(1, 1);
        assert_eq!(once.take_once(), [odd(1), odd(1)]);
        assert_eq!(once, Comparison::default());
        let mut twice = lost_in(1, 2);
        assert_eq!(twice.lossy(), BTreeSet::from([1, 2]));
        assert_eq!(twice.take_once(), []);
        assert_eq!(twice, lost_in(1, 2));
    }
}
