//! Fields that say the same of every run, or something else than the vendor's field of that meaning.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent, RunTrigger};
use bowline_words::counted;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::given::{any_speaks_of, speaks_of, truth, words, words_in_order};
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

/// Whether a place says why each run began, by what is read there: not what runs are given, nor what is one for all runs of
/// a job, which says how the job is begun.
fn says_why<W: Ord>(
    place: &str,
    runs: &[Judged<'_, RunEvent>],
    read: impl Fn(usize) -> BTreeSet<W>,
) -> bool {
    let is_given = any_speaks_of(place, "param conf arg");
    if !speaks_of(place, CAUSES) || speaks_of(place, "sched") || is_given {
        return false;
    }
    let mut by_job: BTreeMap<&str, BTreeSet<W>> = BTreeMap::new();
    for (run, event, _) in runs {
        let job = by_job.entry(event.job_source_id().unwrap_or_default());
        job.or_default().extend(read(*run));
    }
    by_job.values().any(|read| read.len() > 1)
}

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
        if !says_why(place, runs, |run| starts(&column[run])) {
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

/// Runs of which the vendor says one word of the contract's, and the connector another that both say of others. What is an
/// attempt, catches up or comes after others may have been begun by anything, and other places may know better.
pub(super) fn taken_for_others(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
) -> Option<Outcome> {
    const BESIDES: [&str; 3] = ["RETRY", "BACKFILL", "UPSTREAM"];
    let all = || {
        let names = RunTrigger::NAMES.iter();
        names.copied().filter(|word| !BESIDES.contains(word))
    };
    owners.columns().find_map(|((_, place), column)| {
        let is = |run: usize, word: &str| {
            let mut said = column[run].iter();
            column[run].len() == 1 && said.all(|said| said.eq_ignore_ascii_case(word))
        };
        let read = |run: usize| all().filter(|word| is(run, word)).collect::<BTreeSet<_>>();
        if !says_why(place, runs, read) {
            return None;
        }
        all().find_map(|said| {
            let those = runs.iter().filter(|(run, ..)| is(*run, said));
            let given: BTreeSet<_> = those.clone().map(|(_, run, _)| run.trigger()).collect();
            let given = given.first().filter(|_| given.len() == 1)?;
            let given = given.filter(|given| *given != said && all().any(|word| word == *given))?;
            let mut others = runs
                .iter()
                .filter(|(_, run, _)| run.trigger() == Some(given));
            let is_excused = |(run, event, _): &Judged<'_, RunEvent>| {
                let mut words = owners.everything(*run).flat_map(words_in_order);
                event.json().get("triggered_by_run_source_id").is_some()
                    || words.any(|word| word.starts_with(&given.to_lowercase()))
            };
            let count = those.clone().count();
            let is_so = count >= SEVERAL && others.any(|(run, ..)| is(*run, given));
            (is_so && !those.clone().any(is_excused)).then(|| {
                let got = format!("{given} for {}", counted(count, "run"));
                let line = |(_, _, label): &Judged<'_, RunEvent>| {
                    format!("{label}: {given}, and the vendor's `{place}` is {said}")
                };
                Outcome::wrong(format!("a `trigger` as the vendor's `{place}` says"), got)
                    .with_evidence(those.map(line).take(SHOWN))
            })
        })
    })
}

/// Words of names for how schedules stand, and those for things that stand somehow, too.
const STANDING: &str = "stat paus suspend enabl disabl active sched trigger";
const OF_OTHERS: &str = "last latest run owner user account log notif encrypt";

/// Whether a schedule rests, by the word with which a text begins; those that vendors have for runs, too, only where they
/// are of schedules.
fn rests(text: &str, is_of_schedule: bool) -> Option<bool> {
    const LONGEST: usize = 24;
    if text.len() > LONGEST || text.contains(char::is_whitespace) {
        return None;
    }
    match words_in_order(text).first()?.as_str() {
        "disable" | "disabled" | "pause" | "paused" | "suspend" | "suspended" | "deactivated" => {
            Some(true)
        }
        "enable" | "enabled" | "active" | "activated" | "unpaused" => Some(false),
        "stopped" | "inactive" if is_of_schedule => Some(true),
        "started" | "running" if is_of_schedule => Some(false),
        _ => None,
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
        let is_standing = speaks_of(place, STANDING) && !any_speaks_of(place, OF_OTHERS);
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
            (None, _) if is_standing && (is_of_schedule || !owners.is_joined(kind)) => {
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
    let all: Vec<_> = owners
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
        let is_turned = is_nearly_all(both().count(), given.len())
            && both().all(|((.., given, _), (said, _))| *given != said);
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

/// Words of names for whose a zone may be, other than a schedule's.
const OF_PEOPLE: &str = "user owner account display default";

/// Expressions that are the first five fields of the vendor's, whose first is of seconds: of those with a `?` the day of the
/// month is the fourth field then, and that of the week the sixth.
pub(super) fn cut_crons(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let lines = jobs.iter().filter_map(|(number, job, label)| {
        let own = job.json()["schedule"]["cron_expression"].as_str()?;
        let starred = |fields: &[&str]| fields.join(" ").replace('?', "*");
        let given = starred(&own.split_whitespace().collect::<Vec<_>>());
        let is_cut = |text: &&str| {
            let said: Vec<&str> = text.split_whitespace().collect();
            let has_seconds = said.len() > 5 && (said[3] == "?" || said[5] == "?");
            has_seconds && given == starred(&said[..5]) && given != starred(&said[1..6])
        };
        let mut everything = owners.everything(*number);
        let said = everything.clone().find(is_cut)?;
        let is_said = everything.any(|said| said == own);
        (!is_said).then(|| format!("{label}: `{own}`, and the vendor has `{said}`, with seconds"))
    });
    let lines: Vec<String> = lines.collect();
    (lines.len() > 1).then(|| {
        let count = counted(lines.len(), "job");
        let got = format!("its seconds for minutes, in {count}");
        let expected = "the vendor's minutes, hours and days as `schedule.cron_expression`";
        Outcome::wrong(expected, got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint("leave out the first field, and a year where there is one")
    })
}

/// The middles of a winter and a summer: what is judged does not hang on the day.
const SEASONS: [i64; 2] = [1_736_899_200, 1_752_537_600];

/// Whether clocks of a zone differ from UTC's in some season.
fn is_apart(zone: &str) -> bool {
    let apart = |zone: &TimeZone, at: i64| {
        Timestamp::from_second(at).is_ok_and(|at| !zone.to_offset(at).is_zero())
    };
    TimeZone::get(zone).is_ok_and(|zone| SEASONS.iter().any(|at| apart(&zone, *at)))
}

/// Expressions with hours, as the vendor writes them, said to be of UTC where it says that they are of another zone.
pub(super) fn zones(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let is_utc = |zone: &str| {
        let zone = zone.rsplit('/').next().unwrap_or(zone).to_uppercase();
        ["UTC", "GMT", "ZULU", "Z", "UNIVERSAL"].contains(&zone.as_str())
    };
    // What comes every hour is the same in most zones.
    let has_hours = |expression: &str| {
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let is_fixed = |hours: &str| hours.bytes().all(|one| one == b',' || one.is_ascii_digit());
        fields.len() == 5 && is_fixed(fields[1])
    };
    let of_utc: Vec<(usize, &str)> = jobs
        .iter()
        .filter(|(number, job, _)| {
            let schedule = &job.json()["schedule"];
            let expression = schedule["cron_expression"].as_str();
            let expression = expression.filter(|own| has_hours(own));
            schedule["timezone"].as_str().is_some_and(is_utc)
                && expression.is_some_and(|own| owners.everything(*number).any(|said| said == own))
        })
        .map(|(number, _, label)| (*number, *label))
        .collect();
    let of_zones = || {
        let columns = owners.columns();
        columns.filter(|((_, place), _)| speaks_of(place, "timezone zone tz"))
    };
    let mut said = of_zones().flat_map(|(_, column)| of_utc.iter().map(|(job, _)| &column[*job]));
    if said.any(|said| said.iter().any(|zone| is_utc(zone))) {
        return None;
    }
    of_zones().find_map(|((kind, place), column)| {
        if owners.is_joined(kind) || any_speaks_of(place, OF_PEOPLE) {
            return None;
        }
        let lines = of_utc.iter().filter_map(|(job, label)| {
            let zone = column[*job].first().filter(|_| column[*job].len() == 1)?;
            is_apart(zone).then(|| format!("{label}: UTC, and the vendor's `{place}` is `{zone}`"))
        });
        let lines: Vec<String> = lines.collect();
        (lines.len() >= SEVERAL && is_nearly_all(lines.len(), of_utc.len())).then(|| {
            let expected = format!("`schedule.timezone` as the vendor's `{place}` says");
            let got = format!("UTC for {}", counted(lines.len(), "job"));
            Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN))
        })
    })
}
