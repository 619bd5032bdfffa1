//! Fields that say the same of every run, or something else than the vendor's field of that meaning.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;

use super::given::{any_speaks_of, speaks_of, words};
use super::owners::{Column, Owners, Place};
use super::{Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// What starts runs, as far as vendors' words for it are plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    Schedule,
    Manual,
    Upstream,
}

impl Start {
    fn of_vendor(text: &str) -> Option<Self> {
        const LONGEST: usize = 60;
        // What names another run or what sent it says how that began, or nothing.
        const NOT_A_PERSON: [&str; 6] = ["pipeline", "job", "dag", "upstream", "hook", "__"];
        let text = text.to_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let is_by_hand = matches!(text.as_str(), "ui" | "web" | "user")
            || text.ends_with("by user")
            || has(&["manual", "ondemand", "on_demand", "by user "]);
        match (is_by_hand, has(&["sched", "cron", "timer"])) {
            _ if text.len() > LONGEST || has(&NOT_A_PERSON) => None,
            (true, false) => Some(Self::Manual),
            (false, true) => Some(Self::Schedule),
            _ => None,
        }
    }

    fn of_contract(word: &str) -> Option<Self> {
        match word {
            "MANUAL" => Some(Self::Manual),
            "SCHEDULE" => Some(Self::Schedule),
            "UPSTREAM" => Some(Self::Upstream),
            _ => None,
        }
    }

    /// Whether a run with this cannot be one that the vendor says that of: another run may start one by hand.
    fn contradicts(self, said: Self) -> bool {
        self != said && (self, said) != (Self::Upstream, Self::Manual)
    }
}

/// Words of fields that say why a run began.
const CAUSES: &str = "trigger caus reason launch initiat invok invoc source type";

/// Runs that say they were scheduled, or that others started them, where the vendor says that somebody did, or the other way
/// round: most, or all that the vendor says the same of. What names the run that started it knows better.
pub(super) fn trigger(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, &str, Start)> = runs
        .iter()
        .filter_map(|(number, run, label)| {
            let word = run.trigger()?;
            let is_named = run.json().get("triggered_by_run_source_id").is_some();
            (!is_named).then_some(())?;
            Some((*number, *label, word, Start::of_contract(word)?))
        })
        .collect();
    let words: BTreeSet<&str> = given.iter().map(|(_, _, word, _)| *word).collect();
    let starts = |said: &BTreeSet<&str>| -> BTreeSet<Start> {
        said.iter()
            .filter_map(|word| Start::of_vendor(word))
            .collect()
    };
    owners.columns().find_map(|((_, place), column)| {
        let is_given = any_speaks_of(place, "param conf arg");
        if !speaks_of(place, CAUSES) || speaks_of(place, "sched") || is_given {
            return None;
        }
        // What is one word for all runs of a job says how the job is begun, and not each run.
        let mut by_job: BTreeMap<&str, BTreeSet<Start>> = BTreeMap::new();
        for (run, event, _) in runs {
            let job = by_job.entry(event.job_source_id().unwrap_or_default());
            job.or_default().extend(starts(&column[*run]));
        }
        if by_job.values().all(|starts| starts.len() < 2) {
            return None;
        }
        let contradicted = given.iter().filter(|(run, _, _, start)| {
            let said = starts(&column[*run]);
            !said.is_empty() && said.iter().all(|said| start.contradicts(*said))
        });
        let lines: Vec<String> = contradicted
            .map(|(run, label, word, _)| {
                let said: Vec<&str> = column[*run].iter().copied().collect();
                format!(
                    "{label}: {word}, and the vendor's `{place}` is `{}`",
                    said.join(", ")
                )
            })
            .collect();
        let is_one_for_all = words.len() == 1 && !lines.is_empty();
        let are_of_one_start = |start: Start| {
            let those = given
                .iter()
                .filter(|(run, ..)| starts(&column[*run]) == [start].into());
            let given: BTreeSet<&str> = those.clone().map(|(_, _, word, _)| *word).collect();
            let is_other = given
                .iter()
                .filter_map(|word| Start::of_contract(word))
                .all(|given| given.contradicts(start));
            given.len() == 1 && is_other && those.count() >= SEVERAL
        };
        let is_of_one = [Start::Schedule, Start::Manual]
            .into_iter()
            .any(are_of_one_start);
        if !is_one_for_all && !is_of_one && !is_nearly_all(lines.len(), given.len()) {
            return None;
        }
        let expected = format!("a `trigger` as the vendor's `{place}` says");
        let got = format!("{} that it contradicts", counted(lines.len(), "run"));
        Some(Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN)))
    })
}

/// Yes or no, as vendors write it.
fn truth(said: &str) -> Option<bool> {
    match said.to_lowercase().as_str() {
        "true" | "1" | "y" | "yes" | "on" => Some(true),
        "false" | "0" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Jobs that say they are paused where the vendor says that they are not, and the other way round.
pub(super) fn paused(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, bool)> = jobs
        .iter()
        .filter_map(|(number, job, label)| {
            Some((*number, *label, job.json()["is_paused"].as_bool()?))
        })
        .collect();
    let said_at = |(kind, place): Place<'_>, column: &Column<'_>| -> Option<Vec<bool>> {
        let is_able = words(place)
            .iter()
            .any(|word| word == "can" || word.ends_with("able"));
        if is_able || owners.is_joined(kind) {
            return None;
        }
        let when_true = if speaks_of(place, "paus suspend disabl") {
            true
        } else if speaks_of(place, "enabl active") {
            false
        } else {
            return None;
        };
        let said = given.iter();
        said.map(|(job, ..)| Some(truth(column[*job].first()?)? == when_true))
            .collect()
    };
    let right: Vec<bool> = given.iter().map(|(.., given)| *given).collect();
    let mut columns = owners.columns();
    if columns.any(|(place, column)| said_at(place, column).as_ref() == Some(&right)) {
        return None;
    }
    owners.columns().find_map(|(at, column)| {
        let (said, (_, place)) = (said_at(at, column)?, at);
        let is_turned = given
            .iter()
            .zip(&said)
            .all(|((.., given), said)| given != said);
        let tells = said.contains(&true) && said.contains(&false);
        (is_turned && tells).then(|| {
            let lines = given.iter().map(|(job, label, given)| {
                let said: Vec<&str> = column[*job].iter().copied().collect();
                format!(
                    "{label}: `is_paused` is {given}, and the vendor's `{place}` is {}",
                    said.join(", ")
                )
            });
            let expected = format!("`is_paused` as the vendor's `{place}` says");
            Outcome::wrong(expected, "the opposite of every job").with_evidence(lines.take(SHOWN))
        })
    })
}
