//! Fields that say the same of every run, or something else than the vendor's field of that meaning.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;

use super::given::{Given, any_speaks_of, moments, shortened, speaks_of, words};
use super::owners::{Column, Owners, Place};
use super::{Judged, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Texts of errors are at least so long.
const TELLING: usize = 8;

/// Judges what runs say by what the vendor's fields mean.
pub(super) fn of_runs(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    ids: &BTreeSet<String>,
) -> Vec<Outcome> {
    let judges = [error_of_all, trigger, attempts];
    let faults = judges.iter().filter_map(|judge| judge(runs, owners));
    faults.chain(starters(runs, owners, ids)).collect()
}

/// Words of names for what went wrong.
const ERRORS: [&str; 9] = [
    "err",
    "fail",
    "messag",
    "reason",
    "exception",
    "detail",
    "explan",
    "cause",
    "stack",
];

/// One error text for all that went wrong, where the vendor says of each what went wrong: a text that is there for runs
/// that failed and for no other.
fn error_of_all(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let message = |run: &RunEvent| Some(run.error()?.message()?.trim().to_owned());
    let failed: Vec<(usize, &str, String)> = runs
        .iter()
        .filter_map(|(number, run, label)| Some((*number, *label, message(run)?)))
        .collect();
    let well: Vec<usize> = runs
        .iter()
        .filter(|(_, run, _)| run.has_ended() && run.error().is_none())
        .map(|(number, ..)| *number)
        .collect();
    let texts: BTreeSet<&String> = failed.iter().map(|(.., text)| text).collect();
    if failed.len() < 2 || texts.len() != 1 || well.is_empty() {
        return None;
    }
    let is_told = failed.iter().any(|(run, _, text)| {
        let text = Given::Text(text.clone());
        owners.everything(*run).any(|said| text.may_be(said))
    });
    if is_told {
        return None;
    }
    let is_text =
        |said: &&&str| said.len() >= TELLING && said.contains(' ') && moments(said).is_empty();
    let tells = |((_, place), column): &(Place<'_>, &Column<'_>)| {
        if !speaks_of(place, &ERRORS) {
            return false;
        }
        let of_failed = failed
            .iter()
            .map(|(run, ..)| column[*run].iter().find(is_text));
        let of_failed: Option<BTreeSet<&&str>> = of_failed.collect();
        of_failed.is_some_and(|texts| texts.len() > 1)
            && well.iter().all(|run| column[*run].is_empty())
    };
    let ((_, place), column) = owners.columns().find(tells)?;
    let lines = failed.iter().map(|(run, label, text)| {
        let said = column[*run]
            .iter()
            .find(is_text)
            .copied()
            .unwrap_or_default();
        format!(
            "{label}: `{text}`, and the vendor's `{place}` is `{}`",
            shortened(said)
        )
    });
    let expected = format!("what went wrong in each run, as the vendor's `{place}` says");
    let got = format!("one text for {}", counted(failed.len(), "run"));
    Some(Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN)))
}

/// What starts runs, as far as vendors' words for it are plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    Schedule,
    Manual,
}

impl Start {
    fn of_vendor(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        if word.len() > 30 {
            return None;
        }
        let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
        match (
            has(&["manual", "ondemand", "on_demand"]),
            has(&["sched", "cron", "timer"]),
        ) {
            (true, false) => Some(Self::Manual),
            (false, true) => Some(Self::Schedule),
            _ => None,
        }
    }

    fn of_contract(word: &str) -> Option<Self> {
        match word {
            "MANUAL" => Some(Self::Manual),
            "SCHEDULE" => Some(Self::Schedule),
            _ => None,
        }
    }
}

/// Words of fields that say why a run began.
const CAUSES: [&str; 9] = [
    "trigger", "caus", "reason", "launch", "initiat", "invok", "invoc", "source", "type",
];

/// Runs that say they were scheduled where the vendor says that somebody started them, or the other way round.
fn trigger(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, &str, Start)> = runs
        .iter()
        .filter_map(|(number, run, label)| {
            let word = run.trigger()?;
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
        let is_given = any_speaks_of(place, &["param", "conf", "arg"]);
        if !speaks_of(place, &CAUSES) || speaks_of(place, &["sched"]) || is_given {
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
            !said.is_empty() && !said.contains(start)
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
        if !is_one_for_all && !is_nearly_all(lines.len(), given.len()) {
            return None;
        }
        let expected = format!("a `trigger` as the vendor's `{place}` says");
        let got = format!("{} that it contradicts", counted(lines.len(), "run"));
        Some(Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN)))
    })
}

/// Nobody tries more often: larger numbers are ids of attempts.
const MOST_ATTEMPTS: i64 = 100;
/// The words beside `attempt` and `try` in the names of what counts them.
const COUNTERS: [&str; 9] = [
    "attempt", "try", "number", "no", "num", "count", "index", "run", "current",
];

/// Runs that all say they are the same attempt, where the vendor counts them.
fn attempts(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, i64)> = runs
        .iter()
        .filter_map(|(number, run, label)| Some((*number, *label, run.attempt_number()?)))
        .collect();
    let numbers: BTreeSet<i64> = given.iter().map(|(.., number)| *number).collect();
    let (Some(number), 1) = (numbers.first(), numbers.len()) else {
        return None;
    };
    owners.columns().find_map(|((_, place), column)| {
        let names = words(place);
        let is_of_attempts = names.contains("attempt") || names.contains("try");
        let counts = names.iter().all(|name| COUNTERS.contains(&name.as_str()));
        if !is_of_attempts || !counts {
            return None;
        }
        let said = given.iter().map(|(run, label, _)| {
            let said: i64 = column[*run].last()?.parse().ok()?;
            (said <= MOST_ATTEMPTS).then_some((said, *label))
        });
        let said: Option<BTreeSet<(i64, &str)>> = said.collect();
        let said = said?;
        let ((least, _), (most, label)) = (said.first()?, said.last()?);
        if least == most {
            return None;
        }
        let line = format!("{label}: the vendor's `{place}` is {most}");
        let expected = format!("attempts as the vendor's `{place}` counts them");
        Some(Outcome::wrong(expected, format!("{number} of every run")).with_evidence([line]))
    })
}

/// Runs that name others as what started them by ids that no run has, where the vendor names runs in another field.
fn starters(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    ids: &BTreeSet<String>,
) -> Option<Outcome> {
    const FIELD: &str = "triggered_by_run_source_id";
    let given: Vec<(&Judged<'_, RunEvent>, &str)> = runs
        .iter()
        .filter_map(|judged| Some((judged, judged.1.json()[FIELD].as_str()?)))
        .collect();
    if given.iter().any(|(_, starter)| ids.contains(*starter)) {
        return None;
    }
    let may_name_it = |place: &str| speaks_of(place, &REFERENCES) && !speaks_of(place, &OTHERS);
    owners.columns().find_map(|((_, place), column)| {
        let named = given.iter().filter_map(|((number, run, label), starter)| {
            let own = run.run_source_id();
            let mut said = column[*number].iter();
            let other = said.find(|said| ids.contains(**said) && Some(**said) != own)?;
            Some(format!(
                "{label}: `{starter}`, and the vendor's `{place}` is `{other}`"
            ))
        });
        let lines: Vec<String> = named.collect();
        let is_of_runs = lines.len() > 1 && lines.len() * 2 > given.len() && may_name_it(place);
        is_of_runs.then(|| {
            let expected = format!("the vendor's `{place}` as `{FIELD}`, which names runs");
            let got = format!("{} that no run has", counted(given.len(), "id"));
            Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN))
        })
    })
}

/// Words of names for runs that did not begin this one.
const OTHERS: [&str; 8] = [
    "prev", "last", "next", "orig", "root", "retry", "first", "attempt",
];
/// Words of names that hold an id.
const REFERENCES: [&str; 4] = ["id", "run", "uuid", "key"];

/// Jobs that say they are paused where the vendor says that they are not, and the other way round.
pub(super) fn paused(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, bool)> = jobs
        .iter()
        .filter_map(|(number, job, label)| {
            Some((*number, *label, job.json()["is_paused"].as_bool()?))
        })
        .collect();
    owners.columns().find_map(|((_, place), column)| {
        let is_able = words(place)
            .iter()
            .any(|word| word == "can" || word.ends_with("able"));
        if is_able {
            return None;
        }
        let when_true = if speaks_of(place, &["paus", "suspend", "disabl"]) {
            true
        } else if speaks_of(place, &["enabl", "active"]) {
            false
        } else {
            return None;
        };
        let said: Option<Vec<bool>> = given
            .iter()
            .map(|(job, ..)| Some(column[*job].first()?.parse::<bool>().ok()? == when_true))
            .collect();
        let said = said?;
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
