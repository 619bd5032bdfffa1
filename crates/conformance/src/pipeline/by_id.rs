//! Runs asked for by id: exactly those, none for an id that is nobody's, and none for no question at all.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{RunEvent, RunStatus, Window, validate_runs};
use bowline_pipeline::SourceErrorKind;
use bowline_words::{counted, listed};
use jiff::Timestamp;

use super::check;
use super::outcome::{Doubt, Outcome, failure, invalid, is_vendors};
use super::prints::{run_print, run_whole};
use super::reading::{Reading, run_label};
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

/// How many runs are asked for by id.
const ASKED: usize = 3;
/// How many are asked for at once, to see whether all of them come.
const MANY: usize = 25;

/// Asks for runs by id, which must give exactly those.
pub(super) fn by_id(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) {
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
        let now: Vec<(&str, &RunEvent)> = now
            .iter()
            .filter_map(|run| Some((run.run_source_id()?, run)))
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
    if suite.is_strict() && outcome == Outcome::Supported {
        outcome = under_way(suite, span, runs);
    }
    if suite.is_strict() && outcome == Outcome::Supported {
        outcome = many(suite, runs);
    }
    let basis = format!("{} asked for by id", counted(ids.len(), "run"));
    suite.settle(&check::BY_ID, outcome, basis);
}

/// Judges whether a run that has not ended comes by its id, too, where there is one.
fn under_way(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) -> Outcome {
    let open = runs
        .iter()
        .filter(|run| !run.has_ended() && run.has("start_time"));
    let Some(id) = open
        .max_by_key(|run| run.event_time())
        .and_then(RunEvent::run_source_id)
    else {
        return Outcome::Supported;
    };
    let ids = [id.to_owned()];
    let comes = |suite: &mut Suite<'_>| {
        // A vendor that cannot be asked just now shows nothing.
        let reading = suite.reader.by_id(&ids);
        reading.map_or(true, |reading| {
            !reading.events.is_empty() || !reading.is_whole()
        })
    };
    if comes(suite) {
        return Outcome::Supported;
    }
    let is_there = suite.reader.runs(span, PAGE).is_ok_and(|again| {
        let mut runs = again.events.iter();
        runs.any(|run| run.run_source_id() == Some(id) && !run.has_ended())
    });
    if !is_there || comes(suite) {
        return Outcome::Supported;
    }
    Outcome::wrong("runs that have not ended, too", "no run".to_owned())
        .with_evidence([format!(
            "run `{id}` is under way in its window, and does not come by its id"
        )])
        .with_hint("give a run that is asked for by id however it stands: webhooks tell of those that begin, too")
}

/// Judges whether many runs come by their ids at once as they come by them one by one.
fn many(suite: &mut Suite<'_>, runs: &[RunEvent]) -> Outcome {
    let ended = runs.iter().rev().filter(|run| run.has_ended());
    let asked: BTreeMap<&str, &RunEvent> = ended
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .take(MANY)
        .collect();
    let ids: Vec<String> = asked.keys().map(|id| (*id).to_owned()).collect();
    // A vendor that cannot be asked just now shows nothing.
    let Some(reading) = suite.reader.by_id(&ids).ok().filter(Reading::is_whole) else {
        return Outcome::Supported;
    };
    let is_as_before = |reading: &Reading<RunEvent>, id: &str| {
        let mut runs = reading.events.iter();
        let run = runs.find(|run| run.run_source_id() == Some(id));
        run.is_some_and(|run| run_whole(run) == run_whole(asked[id]))
    };
    let other: Vec<&String> = ids
        .iter()
        .filter(|id| !is_as_before(&reading, id))
        .collect();
    let mut lines = BTreeSet::new();
    for id in [other.first(), other.last()].into_iter().flatten() {
        let alone = suite.reader.by_id(std::slice::from_ref(*id));
        if alone.is_ok_and(|alone| is_as_before(&alone, id)) {
            lines.insert(format!(
                "run `{id}` comes by its id alone, and not or as another among {}",
                ids.len()
            ));
        }
    }
    // One may have gone and come back.
    if lines.len() < 2 {
        return Outcome::Supported;
    }
    Outcome::wrong(
        format!("exactly the {} asked for", counted(ids.len(), "run")),
        counted(reading.events.len(), "run"),
    )
    .with_evidence(lines)
    .with_hint("ask the vendor for all ids, in as many requests as it takes, and tell the runs by their ids")
}

/// Up to three runs to ask for, of those that have ended if there are such: the newest that went wrong, since that is
/// what webhooks ask for, best one that another attempt follows, the newest of the others, and the oldest.
fn chosen(runs: &[RunEvent]) -> Vec<(&str, &RunEvent)> {
    let mut by_time: Vec<(bool, Timestamp, &str, &RunEvent)> = runs
        .iter()
        .filter_map(|run| {
            let id = run.run_source_id()?;
            Some((run.has_ended(), run.event_time()?, id, run))
        })
        .collect();
    by_time.sort_by_key(|(ended, at, id, _)| (*ended, *at, *id));
    by_time.dedup_by_key(|(_, _, id, _)| *id);
    let ended = by_time.iter().filter(|(ended, ..)| *ended).count();
    if ended >= ASKED {
        by_time.drain(..by_time.len() - ended);
    }
    let went_wrong = |(_, _, _, run): &(bool, Timestamp, &str, &RunEvent)| {
        run.status().is_some_and(RunStatus::needs_error)
    };
    // What looks for the last attempt finds another where one follows.
    let followed: BTreeSet<&str> = runs
        .iter()
        .filter_map(RunEvent::parent_attempt_run_source_id)
        .collect();
    let is_followed = |(_, _, id, _): &(bool, Timestamp, &str, &RunEvent)| followed.contains(id);
    // What says of tasks what became of their run is seen where they fared otherwise.
    let is_telling = |(_, _, _, run): &(bool, Timestamp, &str, &RunEvent)| {
        run.task_runs().any(|task| task.status() != run.status())
    };
    let failed = by_time
        .iter()
        .enumerate()
        .filter(|(_, run)| went_wrong(run))
        .max_by_key(|(place, run)| (is_telling(run), is_followed(run), *place))
        .map(|(place, _)| place);
    let last = (0..by_time.len())
        .rev()
        .find(|place| Some(*place) != failed);
    // What looks for an id within others finds more than was asked for.
    let within = (0..by_time.len()).find(|place| {
        let id = by_time[*place].2.to_lowercase();
        let mut others = by_time.iter().map(|(_, _, other, _)| *other);
        others.any(|other| other.len() > id.len() && other.to_lowercase().contains(&id))
    });
    let between = (failed.is_none() && by_time.len() >= ASKED).then_some(by_time.len() / 2);
    let mut places: Vec<usize> = Vec::new();
    for place in [within, failed, last, between, Some(0)]
        .into_iter()
        .flatten()
    {
        if places.len() < ASKED && !places.contains(&place) {
            places.push(place);
        }
    }
    places
        .into_iter()
        .filter_map(|place| by_time.get(place))
        .map(|(_, _, id, run)| (*id, *run))
        .collect()
}

fn has_strangers(asked: &[(&str, &RunEvent)], reading: &Reading<RunEvent>) -> bool {
    reading.events.iter().any(|run| {
        let id = run.run_source_id();
        !asked.iter().any(|(asked, _)| Some(*asked) == id)
    })
}

/// Judges an answer to a question by id.
fn exactly(asked: &[(&str, &RunEvent)], reading: &Reading<RunEvent>, is_strict: bool) -> Outcome {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    let mut is_certain = reading.is_whole();
    for run in &reading.events {
        let id = run.run_source_id().unwrap_or_default();
        is_certain |= seen.contains(id) || !asked.iter().any(|(asked, _)| *asked == id);
        match asked.iter().find(|(asked, _)| *asked == id) {
            None => lines.push(format!("run `{id}` came, and was not asked for")),
            Some(_) if !seen.insert(id) => lines.push(format!("run `{id}` came more than once")),
            Some((_, before)) => {
                if is_strict && before.has_ended() && is_another(before, run) {
                    let fields = listed(differing(before, run));
                    lines.push(format!(
                        "run `{id}` is another by id than in its window: {fields}"
                    ));
                }
            }
        }
    }
    let missing = asked.iter().filter(|(id, _)| !seen.contains(id));
    lines.extend(missing.map(|(id, _)| format!("run `{id}` was asked for, and did not come")));
    if !lines.is_empty() {
        let wrong = Outcome::wrong(
            format!("exactly the {} asked for", counted(asked.len(), "run")),
            counted(reading.events.len(), "run"),
        )
        .with_evidence(lines.into_iter().take(SHOWN));
        let doubtful = (!is_certain).then_some(&reading.summary);
        return match doubtful {
            Some(summary) => wrong.of_whole_lists([summary]),
            None => wrong,
        };
    }
    invalid(
        &validate_runs(&reading.events),
        &reading.events,
        &run_label,
        "run",
    )
}

/// Whether two tellings of a run differ. That only one of them says what triggered the run is no fault.
fn is_another(before: &RunEvent, after: &RunEvent) -> bool {
    let by = "triggered_by_run_source_id";
    let tell_both = before.has(by) && after.has(by);
    run_whole(before) != run_whole(after) || tell_both && before.json()[by] != after.json()[by]
}

/// The fields that differ between two tellings of a run.
fn differing<'r>(before: &'r RunEvent, after: &'r RunEvent) -> BTreeSet<&'r String> {
    let (before, after) = (before.json(), after.json());
    [before, after]
        .iter()
        .filter_map(|run| run.as_object())
        .flat_map(serde_json::Map::keys)
        .filter(|field| before[field.as_str()] != after[field.as_str()])
        .collect()
}

/// The runs asked for, read anew; none when they could not be.
fn still_there(
    suite: &mut Suite<'_>,
    span: Window,
    asked: &[(&str, &RunEvent)],
) -> Option<Vec<RunEvent>> {
    let reading = suite.reader.runs(span, PAGE).ok();
    let mut reading = reading.filter(Reading::is_whole)?;
    reading.events.retain(|run| {
        let id = run.run_source_id();
        asked.iter().any(|(asked, _)| Some(*asked) == id)
    });
    Some(reading.events)
}

/// Asks for an id that looks like one and is none.
pub(super) fn unknown_id(suite: &mut Suite<'_>, runs: &[RunEvent]) {
    let known: BTreeSet<&str> = runs.iter().filter_map(RunEvent::run_source_id).collect();
    let Some(id) = unknown(&known) else {
        return;
    };
    let outcome = match suite.reader.by_id(std::slice::from_ref(&id)) {
        Ok(reading) if reading.events.is_empty() => Outcome::Supported,
        Ok(reading) if is_all(&reading, &id) => there_too(suite, &id),
        Ok(reading) => Outcome::wrong("nothing", counted(reading.events.len(), "run"))
            .with_evidence([format!("no run has the id `{id}`")]),
        // What those that it knows fail of as well is no matter of others.
        Err(error) if suite.verdict(&check::BY_ID) == Some(Verdict::Wrong) => failure(&error),
        Err(error) => failure(&error).with_hint(
            "give an empty list for an id that the vendor does not know: webhooks may name runs that are gone",
        ),
    };
    let outcome = match outcome {
        Outcome::Supported => beginning(suite, &known)
            .or_else(|| beside(suite, &known, &id))
            .unwrap_or(Outcome::Supported),
        outcome => outcome,
    };
    suite.settle(&check::UNKNOWN_ID, outcome, format!("asked for `{id}`"));
}

/// Asks for an id that no run has beside one that a run has, which must come all the same.
fn beside(suite: &mut Suite<'_>, known: &BTreeSet<&str>, unknown: &str) -> Option<Outcome> {
    let id = *known.first()?;
    let both = [unknown.to_owned(), id.to_owned()];
    let mut is_missing = |ids: &[String]| {
        // A vendor that cannot be asked just now shows nothing.
        let reading = suite.reader.by_id(ids).ok().filter(Reading::is_whole)?;
        let mut runs = reading.events.iter();
        Some(!runs.any(|run| run.run_source_id() == Some(id)))
    };
    let is_lost = is_missing(&both)? && !is_missing(&both[1..])? && is_missing(&both)?;
    is_lost.then(|| {
        Outcome::wrong(format!("run `{id}`"), "no run")
            .with_evidence([format!(
                "run `{id}` comes by its id alone, and not beside `{unknown}`, which no run has"
            )])
            .with_hint("give the runs that are there, whatever else was asked for")
    })
}

/// Asks for the beginning of an id: a run of that very id may be there, but none whose id only begins so.
fn beginning(suite: &mut Suite<'_>, known: &BTreeSet<&str>) -> Option<Outcome> {
    // Of an id of several parts, all of them are left.
    let beginning = known.iter().find_map(|id| {
        let mut letters = id.chars();
        letters.next_back()?;
        let is_whole = letters.clone().next_back()?.is_alphanumeric();
        is_whole.then(|| letters.as_str().to_owned())
    })?;
    // A vendor that refuses such an id, or cannot be asked just now, shows nothing.
    let reading = suite.reader.by_id(std::slice::from_ref(&beginning)).ok()?;
    (!is_all(&reading, &beginning)).then(|| {
        Outcome::wrong(
            "nothing, or the run of that id",
            counted(reading.events.len(), "run"),
        )
        .with_evidence([format!(
            "`{beginning}` was asked for, and a run came whose id only begins so or holds it"
        )])
        .with_hint("compare ids whole")
    })
}

/// Whether all runs of a reading have this id.
fn is_all(reading: &Reading<RunEvent>, id: &str) -> bool {
    let mut runs = reading.events.iter();
    runs.all(|run| run.run_source_id() == Some(id))
}

/// Judges that there is a run with an id that was made up: one may be, but not one for every id.
fn there_too(suite: &mut Suite<'_>, id: &str) -> Outcome {
    let longer: String = id.chars().chain(id.chars().rev()).collect();
    let others = [longer.clone(), format!("{longer}{}", other_id(id))];
    for other in &others {
        match suite.reader.by_id(std::slice::from_ref(other)) {
            Ok(reading) if !reading.events.is_empty() && is_all(&reading, other) => {}
            _ => {
                return Outcome::nothing_to_see(format!(
                    "there is a run `{id}`, made up as it was"
                ));
            }
        }
    }
    let evidence = std::iter::once(id).chain(others.iter().map(String::as_str));
    Outcome::wrong("nothing", "a run for every id".to_owned())
        .with_evidence(evidence.map(|id| format!("a run came for `{id}`, which was made up")))
        .with_hint("give nothing for an id that the vendor does not know")
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
pub(super) fn no_query(suite: &mut Suite<'_>) {
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
    fn what_one_answer_alone_says_is_no_fault() {
        let run = |fields: serde_json::Value| {
            let mut run = json!({"job_source_id": "j", "run_source_id": "r", "status": "success"});
            run.as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            RunEvent::new(run)
        };
        let by = |id: &str| run(json!({"triggered_by_run_source_id": id}));
        assert!(!is_another(&run(json!({})), &by("p")));
        assert!(is_another(&by("q"), &by("p")));
        let at = |url: &str| run(json!({"run_url": url}));
        assert!(!is_another(
            &at("https://x.example/list/r"),
            &at("https://x.example/r?sig=1")
        ));
    }

    #[test]
    fn of_ended_runs_the_newest_oldest_and_one_that_went_wrong_are_asked_for() {
        let run = |id: &str, status: &str, hour: u8| {
            let at = format!("2026-01-01T{hour:02}:00:00Z");
            RunEvent::new(json!({"run_source_id": id, "status": status, "event_time": at}))
        };
        let runs = [
            run("a", "success", 1),
            run("b", "failed", 2),
            run("c", "success", 3),
            run("d", "success", 4),
            run("e", "in_progress", 5),
        ];
        let ids = |runs: &[RunEvent]| -> Vec<String> {
            chosen(runs)
                .iter()
                .map(|(id, _)| (*id).to_owned())
                .collect()
        };
        assert_eq!(ids(&runs), ["b", "d", "a"]);
        assert_eq!(ids(&runs[3..]), ["d", "e"]);
        let within = [
            run("run-12", "success", 1),
            run("run-1", "success", 2),
            run("c", "success", 3),
            run("d", "success", 4),
        ];
        assert_eq!(ids(&within), ["run-1", "d", "c"]);
        assert_eq!(ids(&[]), Vec::<String>::new());
    }
}
