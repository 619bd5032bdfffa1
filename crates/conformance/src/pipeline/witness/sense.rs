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

/// Whether a schedule rests, by a word for how it stands; those that vendors have for runs, too, only where they are of
/// schedules.
fn rests(word: &str, is_of_schedule: bool) -> Option<bool> {
    let word = word.to_lowercase();
    let begins = |all: &str| all.split(' ').any(|begin| word.starts_with(begin));
    if begins("disabl paus suspend deactiv") || is_of_schedule && begins("stopp inactiv") {
        Some(true)
    } else if begins("enabl activ unpaus") || is_of_schedule && begins("start run") {
        Some(false)
    } else {
        None
    }
}

/// Jobs that say they are paused where the vendor says that they are not, and the other way round; or none paused of those
/// that the vendor says are.
pub(super) fn paused(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let given: Vec<(usize, &str, bool, bool)> = jobs
        .iter()
        .filter_map(|(number, job, label)| {
            let is_paused = job.json()["is_paused"].as_bool()?;
            let rests = job.json()["schedule"]["paused"] == true;
            Some((*number, *label, is_paused, is_paused || rests))
        })
        .collect();
    // What each job is by the vendor, and whether that is said in words.
    let said_at = |(kind, place): Place<'_>, column: &Column<'_>| -> Vec<Option<(bool, bool)>> {
        let is_able = words(place)
            .iter()
            .any(|word| word == "can" || word.ends_with("able"));
        let is_of_schedule = any_speaks_of(place, "sched trigger timer");
        let when_true = if speaks_of(place, "paus suspend disabl") {
            Some(true)
        } else if speaks_of(place, "enabl active") {
            Some(false)
        } else {
            None
        };
        let of = |said: &str| match (truth(said), when_true) {
            (Some(said), Some(when_true)) if !is_able && !owners.is_joined(kind) => {
                Some((said == when_true, false))
            }
            (None, _) if is_of_schedule || !owners.is_joined(kind) => {
                Some((rests(said, is_of_schedule)?, true))
            }
            _ => None,
        };
        let own = |job: usize| match column[job].len() {
            1 => of(column[job].first()?),
            _ => None,
        };
        given.iter().map(|(job, ..)| own(*job)).collect()
    };
    let all: Vec<(Place<'_>, &Column<'_>, Vec<Option<(bool, bool)>>)> = owners
        .columns()
        .map(|(place, column)| (place, column, said_at(place, column)))
        .filter(|(.., said)| said.iter().flatten().count() >= SEVERAL)
        .collect();
    let agrees = |said: &[Option<(bool, bool)>]| {
        let mut both = given.iter().zip(said);
        both.all(|((.., given, _), said)| said.is_none_or(|(said, _)| said == *given))
    };
    if all.iter().any(|(.., said)| agrees(said)) {
        return None;
    }
    all.iter().find_map(|((_, place), column, said)| {
        let both = || {
            let both = given.iter().zip(said);
            both.filter_map(|(given, said)| Some((given, (*said)?)))
        };
        let is_said = |is: bool| both().filter(move |(_, (said, _))| *said == is).count();
        let is_turned = both().all(|((.., given, _), (said, _))| *given != said);
        let resting = both().filter(|(_, (said, in_words))| *said && *in_words);
        let are_forgotten = resting.clone().count() > 1 && both().all(|((.., rests), _)| !rests);
        let is_so = is_said(true) > 0 && is_said(false) > 0 && (is_turned || are_forgotten);
        is_so.then(|| {
            let lines = both().filter(|((.., given, _), (said, _))| given != said);
            let lines = lines.map(|((job, label, given, _), _)| {
                let said: Vec<&str> = column[*job].iter().copied().collect();
                format!(
                    "{label}: `is_paused` is {given}, and the vendor's `{place}` is {}",
                    said.join(", ")
                )
            });
            let expected = format!("`is_paused` as the vendor's `{place}` says");
            let got = if is_turned {
                "the opposite of every job"
            } else {
                "no job that is"
            };
            Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN))
        })
    })
}

/// Expressions as the vendor writes them, said to be of UTC where it says that they are of another zone.
pub(super) fn zones(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let is_utc = |zone: &str| {
        let zone = zone.rsplit('/').next().unwrap_or(zone).to_uppercase();
        ["UTC", "GMT", "ZULU", "Z", "UNIVERSAL"].contains(&zone.as_str())
    };
    let of_utc: Vec<(usize, &str)> = jobs
        .iter()
        .filter(|(number, job, _)| {
            let schedule = &job.json()["schedule"];
            let expression = schedule["cron_expression"].as_str();
            schedule["timezone"].as_str().is_some_and(is_utc)
                && expression.is_some_and(|own| owners.everything(*number).any(|said| said == own))
        })
        .map(|(number, _, label)| (*number, *label))
        .collect();
    owners.columns().find_map(|((_, place), column)| {
        if !speaks_of(place, "timezone zone tz") {
            return None;
        }
        let lines = of_utc.iter().filter_map(|(job, label)| {
            let zone = column[*job].first().filter(|_| column[*job].len() == 1)?;
            let is_other = zone.contains('/') && !is_utc(zone);
            is_other.then(|| format!("{label}: UTC, and the vendor's `{place}` is `{zone}`"))
        });
        let lines: Vec<String> = lines.collect();
        (lines.len() >= SEVERAL && is_nearly_all(lines.len(), of_utc.len())).then(|| {
            let expected = format!("`schedule.timezone` as the vendor's `{place}` says");
            let got = format!("UTC for {}", counted(lines.len(), "job"));
            Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN))
        })
    })
}

/// Titles, with blanks in them, as ids of jobs, where the vendor's runs name the same jobs by ids, too.
pub(super) fn titles(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let named: Vec<(usize, &str)> = runs
        .iter()
        .filter_map(|(number, run, _)| Some((*number, run.job_source_id()?)))
        .collect();
    let titles: BTreeSet<&str> = named.iter().map(|(_, title)| *title).collect();
    let is_given = |place: &str| {
        let mut columns = owners.columns();
        columns.any(|(at, column)| {
            at.1 == place
                && named
                    .iter()
                    .all(|(run, title)| column[*run].contains(title))
        })
    };
    let has_blank = titles.iter().any(|title| title.contains(' '));
    let of_list = || owners.columns().filter(|(at, _)| at.0 == owners.list.0);
    let (_, title) = of_list()
        .map(|(at, _)| at)
        .find(|(_, place)| speaks_of(place, "name title") && is_given(place))?;
    of_list().find_map(|((_, place), column)| {
        let pairs: Option<BTreeSet<(&str, &str)>> = named
            .iter()
            .map(|(run, title)| Some((*title, *column[*run].first()?)))
            .collect();
        let pairs = pairs?;
        let ids: BTreeSet<&str> = pairs.iter().map(|(_, id)| *id).collect();
        let is_id = speaks_of(place, "id uuid guid") && ids.is_disjoint(&titles);
        let is_of_jobs = ids.len() == pairs.len() && titles.len() == pairs.len();
        let are_many = pairs.len() >= SEVERAL && 2 * pairs.len() <= named.len();
        (has_blank && is_id && is_of_jobs && are_many).then(|| {
            let lines = pairs
                .iter()
                .map(|(title, id)| format!("job `{title}` is `{id}` by the vendor's `{place}`"));
            let expected = format!("the vendor's `{place}` as `job_source_id`");
            let got = format!("its `{title}`, which is for people");
            Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN))
        })
    })
}
