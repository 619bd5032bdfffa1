//! The section `etl_run_details`: the newest runs, what they say, and the proofs that none is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use bowline_contract::etl::{RunStatus, validate_runs};
use bowline_etl::{SourceError, SourceErrorKind};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::Check;
use super::check;
use super::outcome::{Doubt, Outcome, failure, is_vendors};
use super::proofs::{Proofs, counted, invalid};
use super::reading::{Reading, run_label, run_print, status, task_runs, text, time};
use super::retries::retries;
use super::runner::{PAGE, Suite};
use super::span::{Span, whole_second};
use super::times::{SHOWN, SKEW, times};
use crate::Verdict;

/// With so many runs, the first look has seen enough.
const ENOUGH: usize = 100;
/// The parts of the window that are looked at, the newest first, until there is enough: dividing it by these.
const PARTS: [i32; 3] = [64, 8, 1];
/// How many runs are asked for by id.
const ASKED: usize = 3;
/// A vendor that has a run under way for this share of the time, in percent, is hardly ever seen without one.
const BUSY: i128 = 90;
/// How long a run may have gone on before the vendor shows it.
const SHOWING: SignedDuration = SignedDuration::from_secs(60);

/// Runs the section; gives the first look, if there was one.
pub(super) fn run_details(suite: &mut Suite<'_>) -> Result<Option<Reading>, SourceError> {
    let mut proofs = Proofs::new();
    let (span, look) = match look(suite, &mut proofs) {
        Ok(found) => found,
        Err(error) => {
            suite.failed(&check::RUNS, error)?;
            if suite.verdict(&check::RUNS) == Some(Verdict::Wrong) {
                block(suite, &check::RUNS);
            }
            return Ok(None);
        }
    };
    let events = look.events;
    let within = events
        .iter()
        .filter(|run| time(run, "event_time").is_none_or(|at| span.holds(at)))
        .count();
    no_query(suite);
    if events.is_empty() {
        let nothing = Outcome::nothing_to_see(look.why_nothing);
        suite.settle(&check::RUNS, nothing, "");
        if suite.is_strict() {
            let watched = watch(suite, span, &events);
            running(suite, watched, &events);
        }
        return Ok(Some(Reading {
            summary: look.summary,
            ..Reading::default()
        }));
    }
    let basis = format!("{} of {span}", counted(within, "run"));
    if within == 0 {
        // The proof about windows says where these runs are.
        let by = &check::WINDOW;
        let outcome = if suite.is_strict() {
            Outcome::Blocked { by }
        } else {
            Outcome::wrong("a run in the window", "runs outside it only")
        };
        suite.settle(&check::RUNS, outcome, "");
    } else {
        suite.settle(&check::RUNS, Outcome::Supported, basis.as_str());
    }
    let errors = validate_runs(&events);
    let valid = invalid(&errors, &events, &run_label, "run");
    suite.settle(&check::RUNS_VALID, valid, basis.as_str());
    suite.settle(
        &check::STATUSES,
        statuses(&look.summary.unmapped),
        basis.as_str(),
    );
    suite.settle(&check::IDS, ids(&events, &look.clashes), basis.as_str());
    let judged = times(&events, suite.window.end);
    suite.settle(&check::TIMES, judged, basis.as_str());
    let (judged, followed) = retries(&events);
    suite.settle(&check::RETRIES, judged, followed);
    by_id(suite, span, &events);
    if suite.is_strict() {
        let watched = watch(suite, span, &events);
        unknown_id(suite, &events);
        proofs.prove(suite);
        running(suite, watched, &events);
    }
    Ok(Some(Reading {
        summary: look.summary,
        events,
        ..Reading::default()
    }))
}

/// What the first look gave.
struct Look {
    events: Vec<Json>,
    clashes: Vec<String>,
    summary: bowline_etl::Summary,
    why_nothing: String,
}

/// Looks at the newest part of the window, and further back until there is enough.
fn look(suite: &mut Suite<'_>, proofs: &mut Proofs) -> Result<(Span, Look), SourceError> {
    let whole = suite.window.end.duration_since(suite.window.start);
    let mut parts = PARTS.into_iter();
    loop {
        let part = parts.next();
        let span = Span {
            start: match part {
                None | Some(1) => suite.window.start,
                Some(part) => whole_second(suite.window.end - whole / part),
            },
            end: suite.window.end,
        };
        let mut size = PAGE;
        let mut reading = suite.reader.runs(span, size)?;
        let is_last = part.is_none_or(|part| part == 1);
        if is_last && reading.events.is_empty() && suite.reader.pipeline.methods().is_some() {
            // A connector that drops its last page, which is its only one here, may still have something to show.
            proofs.look(span, size, reading);
            size = NonZeroUsize::MIN;
            reading = suite.reader.runs(span, size)?;
        }
        let within = reading
            .events
            .iter()
            .filter(|run| time(run, "event_time").is_none_or(|at| span.holds(at)));
        if within.count() >= ENOUGH || is_last {
            let look = Look {
                events: reading.events.clone(),
                clashes: reading.clashes.clone(),
                summary: reading.summary.clone(),
                why_nothing: reading.why_nothing(),
            };
            proofs.look(span, size, reading);
            return Ok((span, look));
        }
        proofs.look(span, size, reading);
    }
}

/// Answers every open check of the section with what stands in its way.
fn block(suite: &mut Suite<'_>, by: &'static Check) {
    for check in check::CHECKS {
        if check.section == by.section && suite.verdict(check).is_none() {
            suite.settle(check, Outcome::Blocked { by }, "");
        }
    }
}

fn statuses(unmapped: &bowline_etl::Unmapped) -> Outcome {
    if unmapped.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "a meaning for every status in `run_status_mapping` or `task_run_status_mapping`",
        format!("{} without one", counted(unmapped.len(), "status word")),
    )
    .with_evidence(
        unmapped
            .iter()
            .map(|(word, count)| format!("`{word}`, seen {}", counted(*count, "time"))),
    )
    .with_hint("map each of them in manifest.json")
}

/// Ids: one run each, one task run each. Runs are asked for by their ids alone, whatever their job.
fn ids(runs: &[Json], clashes: &[String]) -> Outcome {
    let mut lines: Vec<String> = clashes
        .iter()
        .map(|label| format!("{label} is the id of several runs, which began at different times"))
        .collect();
    let mut jobs: BTreeMap<&str, &str> = BTreeMap::new();
    let mut tasks: BTreeMap<&str, String> = BTreeMap::new();
    for run in runs {
        let (Some(id), Some(job), Some(label)) = (
            text(run, "run_source_id"),
            text(run, "job_source_id"),
            run_label(run),
        ) else {
            continue;
        };
        match jobs.get(id) {
            Some(other) => lines.push(format!("run `{id}` is of job `{other}` and of `{job}`")),
            None => {
                jobs.insert(id, job);
            }
        }
        for task in task_runs(run) {
            if let Some(of) = text(task, "job_source_id").filter(|of| *of != job) {
                lines.push(format!("{label} has a task run of job `{of}`"));
            }
            let Some(task_run) = text(task, "run_source_id") else {
                continue;
            };
            // A task run without an id of its own carries its run's; its task and attempt tell it apart.
            if task_run == id {
                continue;
            }
            match tasks.get(task_run) {
                Some(other) => {
                    lines.push(format!(
                        "task run `{task_run}` is in {other} and in {label}"
                    ));
                }
                None => {
                    tasks.insert(task_run, label.clone());
                }
            }
        }
    }
    if lines.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "an id for every run and task run that no other has",
        counted(lines.len(), "shared or foreign id"),
    )
    .with_evidence(lines.into_iter().take(SHOWN))
    .with_hint("put the job's id before a run's where runs of several jobs share ids")
}

/// Asks for runs by id, which must give exactly those.
fn by_id(suite: &mut Suite<'_>, span: Span, runs: &[Json]) {
    let asked = chosen(runs);
    let ids: Vec<String> = asked.iter().map(|(id, _)| (*id).to_owned()).collect();
    if ids.is_empty() {
        let nothing = Outcome::nothing_to_see("no run has an id to ask for");
        suite.settle(&check::BY_ID, nothing, "");
        return;
    }
    let reading = match suite.reader.by_id(&ids) {
        Ok(reading) => reading,
        Err(error) => {
            suite.settle(&check::BY_ID, failure(&error), "");
            return;
        }
    };
    let mut outcome = exactly(&asked, &reading, suite.is_strict());
    if let Outcome::Wrong(_) = outcome
        && let Some(now) = still_there(suite, span, &asked)
    {
        // Judged by how the runs are now: those that changed or went meanwhile are not asked for.
        let now: Vec<(&str, &Json)> = now
            .iter()
            .filter_map(|run| Some((text(run, "run_source_id")?, run)))
            .filter(|(id, run)| {
                asked
                    .iter()
                    .any(|(other, before)| id == other && run_print(before) == run_print(run))
            })
            .collect();
        if now.len() < asked.len() && !has_strangers(&asked, &reading) {
            outcome = Outcome::Unknown(Doubt::Changed(
                "runs changed or went while they were asked for by id".to_owned(),
            ));
        }
    }
    let basis = format!("{} asked for by id", counted(ids.len(), "run"));
    suite.settle(&check::BY_ID, outcome, basis);
}

/// Up to three runs to ask for: the newest, the oldest and one between, of those that have ended if there are such.
fn chosen(runs: &[Json]) -> Vec<(&str, &Json)> {
    let mut by_time: Vec<(bool, Timestamp, &str, &Json)> = runs
        .iter()
        .filter_map(|run| {
            let ended = status(run).is_some_and(RunStatus::is_terminal);
            let id = text(run, "run_source_id")?;
            Some((ended, time(run, "event_time")?, id, run))
        })
        .collect();
    by_time.sort_by_key(|(ended, at, id, _)| (*ended, *at, *id));
    by_time.dedup_by_key(|(_, _, id, _)| *id);
    let ended = by_time.iter().filter(|(ended, ..)| *ended).count();
    if ended >= ASKED {
        by_time.drain(..by_time.len() - ended);
    }
    let last = by_time.len().saturating_sub(1);
    let mut places = vec![last, last / 2, 0];
    places.dedup();
    places
        .into_iter()
        .filter_map(|place| by_time.get(place))
        .map(|(_, _, id, run)| (*id, *run))
        .collect()
}

fn has_strangers(asked: &[(&str, &Json)], reading: &Reading) -> bool {
    reading.events.iter().any(|run| {
        let id = text(run, "run_source_id");
        !asked.iter().any(|(asked, _)| Some(*asked) == id)
    })
}

/// Judges an answer to a question by id.
fn exactly(asked: &[(&str, &Json)], reading: &Reading, is_strict: bool) -> Outcome {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    for run in &reading.events {
        let id = text(run, "run_source_id").unwrap_or_default();
        match asked.iter().find(|(asked, _)| *asked == id) {
            None => lines.push(format!("run `{id}` came, and was not asked for")),
            Some(_) if !seen.insert(id) => lines.push(format!("run `{id}` came more than once")),
            Some((_, before)) => {
                let ended = status(before).is_some_and(RunStatus::is_terminal);
                if is_strict && ended && run_print(before) != run_print(run) {
                    let fields = differing(before, run).join(", ");
                    lines.push(format!(
                        "run `{id}` is another by id than in its window: {fields}"
                    ));
                }
            }
        }
    }
    for (id, _) in asked {
        if !seen.contains(id) {
            lines.push(format!("run `{id}` was asked for, and did not come"));
        }
    }
    if !lines.is_empty() {
        return Outcome::wrong(
            format!("exactly the {} asked for", counted(asked.len(), "run")),
            counted(reading.events.len(), "run"),
        )
        .with_evidence(lines.into_iter().take(SHOWN));
    }
    invalid(
        &validate_runs(&reading.events),
        &reading.events,
        &run_label,
        "run",
    )
}

/// The fields that differ between two tellings of a run.
fn differing(before: &Json, after: &Json) -> Vec<String> {
    let fields: BTreeSet<&String> = [before, after]
        .iter()
        .filter_map(|run| run.as_object())
        .flat_map(serde_json::Map::keys)
        .collect();
    fields
        .into_iter()
        .filter(|field| before[field.as_str()] != after[field.as_str()])
        .map(|field| format!("`{field}`"))
        .collect()
}

/// The runs asked for, read anew; none when they could not be.
fn still_there(suite: &mut Suite<'_>, span: Span, asked: &[(&str, &Json)]) -> Option<Vec<Json>> {
    let mut reading = suite.reader.runs(span, PAGE).ok()?;
    reading.events.retain(|run| {
        let id = text(run, "run_source_id");
        asked.iter().any(|(asked, _)| Some(*asked) == id)
    });
    Some(reading.events)
}

/// Asks for an id that looks like one and is none.
fn unknown_id(suite: &mut Suite<'_>, runs: &[Json]) {
    let known: BTreeSet<&str> = runs
        .iter()
        .filter_map(|run| text(run, "run_source_id"))
        .collect();
    let Some(id) = unknown(&known) else {
        return;
    };
    let outcome = match suite.reader.by_id(std::slice::from_ref(&id)) {
        Ok(reading) if reading.events.is_empty() => Outcome::Supported,
        Ok(reading)
            if reading
                .events
                .iter()
                .all(|run| text(run, "run_source_id") == Some(&id)) =>
        {
            Outcome::nothing_to_see(format!("there is a run `{id}`, made up as it was"))
        }
        Ok(reading) => Outcome::wrong("nothing", counted(reading.events.len(), "run"))
            .with_evidence([format!("no run has the id `{id}`")]),
        Err(error) => failure(&error).with_hint(
            "give an empty list for an id that the vendor does not know: webhooks may name runs that are gone",
        ),
    };
    suite.settle(&check::UNKNOWN_ID, outcome, format!("asked for `{id}`"));
}

/// An id that none of these is, of the same make; one more letter or digit where there are too few to choose from.
fn unknown(known: &BTreeSet<&str>) -> Option<String> {
    let mut id = other_id(known.first()?);
    while known.contains(id.as_str()) {
        id.push(id.chars().last().unwrap_or('0'));
    }
    Some(id)
}

/// An id of the same make as another: its last letters and digits changed to others of their kind.
fn other_id(id: &str) -> String {
    const CHANGED: usize = 12;
    let mut left = CHANGED;
    let changed: Vec<char> = id
        .chars()
        .rev()
        .map(|character| {
            if left == 0 || !character.is_ascii_alphanumeric() {
                return character;
            }
            left -= 1;
            match character {
                '0'..='9' => char::from(b'9' - (character as u8 - b'0')),
                'a'..='f' => char::from(b'f' - (character as u8 - b'a')),
                'A'..='F' => char::from(b'F' - (character as u8 - b'A')),
                other => other,
            }
        })
        .collect();
    changed.into_iter().rev().collect()
}

/// Asks for runs with neither ids nor a window.
fn no_query(suite: &mut Suite<'_>) {
    let Some(methods) = suite.reader.pipeline.methods() else {
        return;
    };
    if !suite.asks(&check::NO_QUERY) {
        return;
    }
    let what = "runs, with neither ids nor a window".to_owned();
    let outcome = match suite.reader.once(what, methods, None) {
        Ok(reading) => Outcome::wrong(
            "an error: `run_ids`, or `window_start` and `window_end`, must be given",
            counted(reading.events.len(), "run"),
        )
        .with_hint("raise an error, such as ValueError, when neither is given"),
        Err(error) if error.kind == SourceErrorKind::Cancelled || is_vendors(error.kind) => {
            failure(&error)
        }
        Err(_) => Outcome::Supported,
    };
    suite.settle(&check::NO_QUERY, outcome, "");
}

/// What was there of runs that had not ended.
enum Watch {
    /// Some were there.
    Seen(usize),
    /// None was; everything that had begun by a moment should be among these.
    Unseen {
        span: Span,
        before: Timestamp,
        known: BTreeSet<String>,
    },
}

/// Looks for runs that have not ended. When there is none, notes what there is instead, up to a moment to come: so
/// that a run that ends while it is noted, or at a vendor whose clock is ahead, is noted too.
fn watch(suite: &mut Suite<'_>, span: Span, first: &[Json]) -> Result<Watch, SourceError> {
    let active = first.iter().filter(|run| is_under_way(run)).count();
    if active > 0 {
        return Ok(Watch::Seen(active));
    }
    let now = whole_second((suite.options.clock)());
    let span = Span {
        start: span.start,
        end: now + SKEW + SKEW,
    };
    let reading = suite.reader.runs(span, PAGE)?;
    let active = reading
        .events
        .iter()
        .filter(|run| is_under_way(run))
        .count();
    if active > 0 {
        return Ok(Watch::Seen(active));
    }
    // The vendor's clock may be off; what it had written down before is told in its own time.
    let newest = first.iter().filter_map(|run| time(run, "event_time")).max();
    let surely = now - SKEW;
    Ok(Watch::Unseen {
        span,
        before: newest.map_or(surely, |at| surely.max(at - SHOWING)),
        known: reading.events.iter().filter_map(run_label).collect(),
    })
}

/// Whether runs that have not ended are given: some were there, or one that has ended since was.
fn running(suite: &mut Suite<'_>, watch: Result<Watch, SourceError>, first: &[Json]) {
    let (span, before, known) = match watch {
        Err(error) => {
            suite.settle(&check::RUNNING, failure(&error), "");
            return;
        }
        Ok(Watch::Seen(active)) => {
            let basis = format!("{} under way", counted(active, "run"));
            suite.settle(&check::RUNNING, Outcome::Supported, basis);
            return;
        }
        Ok(Watch::Unseen {
            span,
            before,
            known,
        }) => (span, before, known),
    };
    let later = Span {
        start: (suite.window.end - SKEW).max(span.start),
        end: whole_second((suite.options.clock)()) + SKEW + SKEW,
    };
    let reading = match suite.reader.runs(later, PAGE) {
        Ok(reading) => reading,
        Err(error) => {
            suite.settle(&check::RUNNING, failure(&error), "");
            return;
        }
    };
    let hidden: Vec<String> = reading
        .events
        .iter()
        .filter(|run| status(run).is_some_and(RunStatus::is_terminal))
        .filter_map(|run| {
            let start = time(run, "start_time")?;
            let end = time(run, "end_time")?;
            let label = run_label(run)?;
            let was_under_way = span.start <= start && start <= before && !known.contains(&label);
            was_under_way
                .then(|| format!("{label} began at {start}, ended at {end}, and came only then"))
        })
        .collect();
    let cause = [&check::WINDOW, &check::PAGES]
        .into_iter()
        .find(|cause| suite.verdict(cause) == Some(Verdict::Wrong));
    let outcome = if let (false, Some(by)) = (hidden.is_empty(), cause) {
        Outcome::Blocked { by }
    } else if !hidden.is_empty() {
        Outcome::wrong(
            "runs that have not ended, too",
            format!("{} that came only when ended", counted(hidden.len(), "run")),
        )
        .with_evidence(hidden.into_iter().take(SHOWN))
        .with_hint("give runs that have not ended with the time that they began as `event_time`")
    } else if reading.events.iter().any(is_under_way) {
        Outcome::Supported
    } else {
        unseen(busy(first, suite.window.end))
    };
    suite.settle(&check::RUNNING, outcome, "");
}

/// What it means that no run was under way at a vendor that had one under way for this share of the time.
fn unseen(busy: i128) -> Outcome {
    const NOTHING: &str = "no run was under way while the suite looked";
    match busy < BUSY {
        true => Outcome::Unknown(Doubt::NoOccasion(format!(
            "{NOTHING}; test again while one is"
        ))),
        false => Outcome::nothing_to_see(format!(
            "{NOTHING}, though one was for {busy} % of the time before; are those left out?"
        )),
    }
}

/// The share of the time in which some run was under way, in percent: from when the first of these runs began until
/// now, by those that have ended.
fn busy(runs: &[Json], now: Timestamp) -> i128 {
    let mut spans: Vec<(Timestamp, Timestamp)> = runs
        .iter()
        .filter_map(|run| Some((time(run, "start_time")?, time(run, "end_time")?)))
        .collect();
    spans.sort_unstable();
    let Some((first, _)) = spans.first().copied() else {
        return 0;
    };
    let mut until = first;
    let mut covered = 0;
    for (start, end) in spans {
        let end = end.min(now);
        covered += end.duration_since(start.max(until)).as_nanos().max(0);
        until = until.max(end);
    }
    let whole = now.duration_since(first).as_nanos().max(1);
    covered * 100 / whole
}

/// Whether a run has begun and not ended.
fn is_under_way(run: &Json) -> bool {
    match status(run) {
        Some(
            RunStatus::InProgress
            | RunStatus::Cancelling
            | RunStatus::Restarting
            | RunStatus::Deferred
            | RunStatus::UpForRetry
            | RunStatus::UpForReschedule,
        ) => true,
        Some(RunStatus::Queued | RunStatus::Blocked) => time(run, "start_time").is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_made_up_id_looks_like_the_others() {
        assert_eq!(
            other_id("7f3c2a10-11d2-4e0c-9c1e-00a1b2c3d4e5"),
            "7f3c2a10-11d2-4e0c-9c1e-99f8e7d6c5b4"
        );
        assert_eq!(
            other_id("daily/manual__2026-01-02"),
            "daily/manufl__7973-98-97"
        );
        assert_eq!(other_id("12"), "87");
        let small: Vec<String> = (1..=99).map(|id| id.to_string()).collect();
        let small: BTreeSet<&str> = small.iter().map(String::as_str).collect();
        assert_eq!(unknown(&small).as_deref(), Some("888"));
        assert_eq!(unknown(&BTreeSet::new()), None);
    }

    #[test]
    fn the_newest_oldest_and_middle_of_ended_runs_are_asked_for() {
        let run = |id: &str, status: &str, hour: u8| json!({"run_source_id": id, "status": status, "event_time": format!("2026-01-01T{hour:02}:00:00Z")});
        let runs = [
            run("a", "success", 1),
            run("b", "failed", 2),
            run("c", "success", 3),
            run("d", "success", 4),
            run("e", "in_progress", 5),
        ];
        let ids = |runs: &[Json]| -> Vec<String> {
            chosen(runs)
                .iter()
                .map(|(id, _)| (*id).to_owned())
                .collect()
        };
        assert_eq!(ids(&runs), ["d", "b", "a"]);
        assert_eq!(ids(&runs[3..]), ["d", "e"]);
        assert_eq!(ids(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_vendor_at_rest_is_no_doubt_and_a_busy_one_without_runs_is() {
        let run = |start: &str, end: &str| json!({"start_time": format!("2026-01-01T{start}:00Z"), "end_time": format!("2026-01-01T{end}:00Z")});
        let now: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let idle = [run("00:00", "01:00"), run("00:30", "01:30")];
        assert_eq!(busy(&idle, now), 15);
        assert!(matches!(
            unseen(busy(&idle, now)),
            Outcome::Unknown(Doubt::NoOccasion(_))
        ));
        let chain = [
            run("05:00", "07:00"),
            run("00:00", "04:00"),
            run("03:00", "06:00"),
            run("07:06", "09:54"),
        ];
        assert_eq!(busy(&chain, now), 98);
        let Outcome::Unknown(Doubt::NothingToSee(why)) = unseen(busy(&chain, now)) else {
            panic!("it is odd that no run is under way");
        };
        assert!(why.contains("98 %"), "{why}");
        assert_eq!(busy(&[json!({})], now), 0);
    }

    #[test]
    fn ids_that_several_runs_share_are_shown() {
        let runs = [
            json!({"job_source_id": "a", "run_source_id": "1", "task_runs": [{"run_source_id": "t"}]}),
            json!({"job_source_id": "b", "run_source_id": "1", "task_runs": [{"run_source_id": "t"}]}),
        ];
        assert_eq!(ids(&runs[..1], &[]), Outcome::Supported);
        let Outcome::Wrong(fault) = ids(&runs, &[]) else {
            panic!("two runs share an id");
        };
        assert_eq!(
            fault.evidence,
            [
                "run `1` is of job `a` and of `b`",
                "task run `t` is in run `1` of job `a` and in run `1` of job `b`"
            ]
        );
    }
}
