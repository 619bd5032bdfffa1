//! Whether attempts follow the attempts that they name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{RunEvent, RunStatus, Window};
use bowline_words::counted;
use jiff::SignedDuration;

use super::check;
use super::outcome::Outcome;
use super::proofs::SETTLING;
use super::reading::{Reading, run_label};
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

/// The fields in which runs name others.
const PARENT: &str = "parent_attempt_run_source_id";
const TRIGGER: &str = "triggered_by_run_source_id";
/// So many runs whose numbers follow each other are a list of the newest ones.
const NUMBERED: usize = 10;
/// How many runs that are named, or would come before, and are not there are asked for by id.
const ASKED: usize = 3;

/// With so many it is no accident.
const SEVERAL: usize = 3;
/// Of so many attempts that are named one is called as a run is.
const TOLD_OFTEN: usize = 5;
/// Of so many runs one is a first attempt.
const MANY: usize = 10;

/// How far two clocks of one vendor may be apart.
const SLACK: SignedDuration = SignedDuration::from_secs(1);
/// How long after it happened a vendor may write down that an attempt ended.
const BOOKING: SignedDuration = SignedDuration::from_secs(60);

/// Judges what runs and task runs say about earlier attempts; gives what that rests on, too.
pub(super) fn retries(runs: &[RunEvent]) -> (Outcome, String) {
    let mut lines = Vec::new();
    let mut followed = follow(runs.iter(), &mut lines, &|run| {
        run_label(run).unwrap_or_else(|| "a run".to_owned())
    });
    for run in runs {
        let within = run_label(run).unwrap_or_default();
        followed += follow(run.task_runs(), &mut lines, &|task| {
            let id = task.run_source_id().unwrap_or_default();
            format!("task run `{id}` in {within}")
        });
    }
    for judge in [no_first, skipped] {
        lines.extend(judge(runs));
    }
    let basis = match followed {
        0 => "no run names the attempt before it".to_owned(),
        1 => "1 attempt and the one before it".to_owned(),
        count => format!("{count} attempts and those before them"),
    };
    if lines.is_empty() {
        return (Outcome::Supported, basis);
    }
    let outcome = Outcome::wrong(
        "each attempt after the one that it names, of the same job, with a higher number",
        match lines.len() {
            1 => "1 attempt that does not follow".to_owned(),
            count => format!("{count} attempts that do not follow"),
        },
    )
    .with_evidence(lines.into_iter().take(SHOWN));
    (outcome, basis)
}

/// Runs of several jobs of which none is a first attempt, by their numbers or by what began them, though all say it.
fn no_first(runs: &[RunEvent]) -> Vec<String> {
    let jobs: BTreeSet<Option<&str>> = runs.iter().map(RunEvent::job_source_id).collect();
    let is_numbered = |run: &RunEvent| run.attempt_number().is_some_and(|number| number > 1);
    let is_all =
        runs.iter().all(is_numbered) || runs.iter().all(|run| run.trigger() == Some("RETRY"));
    if runs.len() < MANY || jobs.len() < 2 || !is_all {
        return Vec::new();
    }
    let line = |run| {
        Some(format!(
            "{}: is another attempt, and no run is the first",
            run_label(run)?
        ))
    };
    runs.iter().filter_map(line).collect()
}

/// Attempts whose numbers do not follow those that they name, where none of them does: one was added twice. What names the
/// first attempt of many may be any.
fn skipped(runs: &[RunEvent]) -> Vec<String> {
    let pairs = pairs(runs);
    let numbers: Vec<(&RunEvent, i64, i64)> = pairs
        .iter()
        .filter_map(|(before, run)| Some((*run, before.attempt_number()?, run.attempt_number()?)))
        .collect();
    let skips = |(_, before, own): &(&RunEvent, i64, i64)| own - before == 2;
    if numbers.len() < SEVERAL || !numbers.iter().all(skips) {
        return Vec::new();
    }
    let line = |(run, before, own): (&RunEvent, i64, i64)| {
        Some(format!(
            "{}: is attempt {own}, right after attempt {before}",
            run_label(run)?
        ))
    };
    numbers.into_iter().filter_map(line).collect()
}

/// Attempts that are there, each with the one that it names and before it.
fn pairs(runs: &[RunEvent]) -> Vec<(&RunEvent, &RunEvent)> {
    let by_id: BTreeMap<&str, &RunEvent> = runs
        .iter()
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .collect();
    let pair = |run| {
        Some((
            *by_id.get(RunEvent::parent_attempt_run_source_id(run)?)?,
            run,
        ))
    };
    runs.iter().filter_map(pair).collect()
}

/// Judges whether the runs that others name, as attempts before them or as what triggered them, are there: one that comes
/// by its id, with a time in the window, belongs there, and was left out.
pub(super) fn left_out(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) -> Outcome {
    let known: BTreeSet<&str> = runs.iter().filter_map(RunEvent::run_source_id).collect();
    let asked: Vec<String> = [PARENT, TRIGGER]
        .into_iter()
        .flat_map(|field| {
            let named = runs.iter().filter_map(|run| run.json()[field].as_str());
            let missing: BTreeSet<&str> = named.filter(|id| !known.contains(id)).collect();
            missing.into_iter().rev().take(ASKED)
        })
        .map(str::to_owned)
        .chain(below(runs))
        .collect();
    if asked.is_empty() || suite.verdict(&check::BY_ID) != Some(Verdict::Supported) {
        return Outcome::Supported;
    }
    // That a run is gone, or cannot be asked for just now, is no fault.
    let Ok(found) = suite.reader.by_id(&asked) else {
        return Outcome::Supported;
    };
    // Jobs that are not looked at may trigger those that are.
    let jobs: BTreeSet<Option<&str>> = runs.iter().map(RunEvent::job_source_id).collect();
    let belongs = |run: &&RunEvent| {
        let is_asked = run
            .run_source_id()
            .is_some_and(|id| asked.iter().any(|asked| asked == id))
            && jobs.contains(&run.job_source_id());
        // What ended just now may come in lists a while later.
        let is_settled = |at| span.contains(at) && at < span.end - SETTLING;
        is_asked && run.has_ended() && run.event_time().is_some_and(is_settled)
    };
    let missing: Vec<&RunEvent> = found.events.iter().filter(belongs).collect();
    if missing.is_empty() {
        let found = found.events.iter().filter_map(RunEvent::run_source_id);
        let known = known.iter().copied().chain(found).collect();
        let doubts = [PARENT, TRIGGER].map(|field| nowhere(runs, field, &known, &asked));
        for advice in doubts
            .into_iter()
            .flatten()
            .filter_map(Outcome::into_advice)
        {
            suite.advise(&check::RETRIES, advice);
        }
        return Outcome::Supported;
    }
    let Some(again) = suite.reader.runs(span, PAGE).ok().filter(Reading::is_whole) else {
        return Outcome::Supported;
    };
    let is_there = |run: &RunEvent| {
        let mut others = again.events.iter();
        others.any(|other| other.run_source_id() == run.run_source_id())
    };
    let lines: Vec<String> = missing
        .into_iter()
        .filter(|run| !is_there(run))
        .filter_map(|run| {
            let status = run.status().map_or("", RunStatus::name);
            let label = run_label(run)?;
            Some(format!(
                "{label}, `{status}` at {}, comes by its id only",
                run.event_time()?
            ))
        })
        .collect();
    if lines.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "the runs that others name or are numbered after among those of their time",
        format!("{} left out", counted(lines.len(), "run")),
    )
    .with_evidence(lines)
    .with_hint("give every run of the window, however it ended")
}

/// Ids of the numbers before the first ones, where runs are numbered without a gap from one that is not the first on.
fn below(runs: &[RunEvent]) -> Vec<String> {
    let mut numbered: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for id in runs.iter().filter_map(RunEvent::run_source_id) {
        let begin = id.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let number = id[begin.len()..].parse();
        if let Some(number) = number
            .ok()
            .filter(|number: &u64| begin.len() + number.to_string().len() == id.len())
        {
            numbered.entry(begin).or_default().insert(number);
        }
    }
    // The longest lists are cut first.
    let mut numbered: Vec<(&str, BTreeSet<u64>)> = numbered.into_iter().collect();
    numbered.sort_by_key(|(_, numbers)| Reverse(numbers.len()));
    let before = numbered.into_iter().filter_map(|(begin, numbers)| {
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let is_whole = numbers.len() >= NUMBERED && last - first == numbers.len() as u64 - 1;
        (is_whole && first > 1).then(|| format!("{begin}{}", first - 1))
    });
    before.take(ASKED).collect()
}

/// Runs that name others of which none is there, of several jobs; some were asked for by their ids. A vendor may not keep
/// the attempts before the last, and may call them otherwise: those are not called as any run is.
fn nowhere(
    runs: &[RunEvent],
    field: &str,
    known: &BTreeSet<&str>,
    asked: &[String],
) -> Option<Outcome> {
    let kind = |id: &str| -> BTreeSet<char> {
        let kinds = id.chars().map(|letter| match letter {
            '0'..='9' => '0',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        });
        kinds.collect()
    };
    let kinds: BTreeSet<BTreeSet<char>> = known.iter().map(|id| kind(id)).collect();
    let named: Vec<(&RunEvent, &str)> = runs
        .iter()
        .filter_map(|run| Some((run, run.json()[field].as_str()?)))
        .collect();
    let jobs: BTreeSet<Option<&str>> = named.iter().map(|(run, _)| run.job_source_id()).collect();
    let may_be_one = |(_, before): &(&RunEvent, &str)| {
        known.contains(before) || field == PARENT && kinds.contains(&kind(before))
    };
    if named.len() < TOLD_OFTEN || field == PARENT && jobs.len() < 2 || named.iter().any(may_be_one)
    {
        return None;
    }
    let got = format!(
        "{} with a `{field}` that is none",
        counted(named.len(), "run")
    );
    let lines = named.into_iter().filter_map(|(run, before)| {
        let is_asked = asked.iter().any(|asked| asked == before);
        let label = run_label(run).filter(|_| is_asked)?;
        Some(format!(
            "{label} names `{before}`, which does not come by its id either"
        ))
    });
    let expected = "the `run_source_id` of the run before";
    Some(Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN)))
}

/// Adds a line for every attempt that does not follow the one it names; gives how many name one that is there.
fn follow<'r>(
    runs: impl Iterator<Item = &'r RunEvent> + Clone,
    lines: &mut Vec<String>,
    label: &dyn Fn(&RunEvent) -> String,
) -> usize {
    let by_id: BTreeMap<&str, &RunEvent> = runs
        .clone()
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .collect();
    let mut followed = 0;
    for run in runs {
        let Some(before) = run.parent_attempt_run_source_id() else {
            continue;
        };
        let number = run.attempt_number();
        if run.run_source_id() == Some(before) {
            lines.push(format!("{}: names itself", label(run)));
            continue;
        }
        if number == Some(1) {
            lines.push(format!(
                "{}: names `{before}` as the attempt before it, and says it is the first",
                label(run)
            ));
        }
        let Some(earlier) = by_id.get(before) else {
            continue;
        };
        followed += 1;
        if let Some(problem) = misfit(earlier, run, number) {
            lines.push(format!(
                "{}: names `{before}` as the attempt before it, {problem}",
                label(run)
            ));
        }
    }
    followed
}

/// What does not fit between an attempt and the one before it.
fn misfit(earlier: &RunEvent, run: &RunEvent, number: Option<i64>) -> Option<String> {
    for (thing, of, own) in [
        (
            "job_source_id",
            earlier.job_source_id(),
            run.job_source_id(),
        ),
        (
            "task_source_id",
            earlier.task_source_id(),
            run.task_source_id(),
        ),
    ] {
        if let (Some(of), Some(own)) = (of, own)
            && of != own
        {
            return Some(format!("whose `{thing}` is another: `{of}`, not `{own}`"));
        }
    }
    let numbers = earlier.attempt_number().zip(number);
    if let Some((of, own)) = numbers
        && of >= own
    {
        return Some(format!(
            "whose number is {of}, which is not less than its own, {own}"
        ));
    }
    let own = run.start_time()?;
    if let Some(start) = earlier.start_time()
        && start.duration_since(own) > SLACK
    {
        return Some(format!("which started later, at {start}"));
    }
    let end = earlier.end_time().filter(|_| earlier.has_ended())?;
    (end.duration_since(own) > BOOKING)
        .then(|| format!("which ended later than it began, at {end}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn attempts(second: Json) -> (Outcome, String) {
        let first = json!({
            "job_source_id": "j", "run_source_id": "a", "status": "failed", "attempt_number": 1,
            "start_time": "2026-01-01T10:00:00Z", "end_time": "2026-01-01T10:05:00Z",
        });
        let mut next = json!({
            "job_source_id": "j", "run_source_id": "b", "status": "success", "attempt_number": 2,
            "parent_attempt_run_source_id": "a",
            "start_time": "2026-01-01T10:06:00Z", "end_time": "2026-01-01T10:07:00Z",
        });
        for (key, value) in second.as_object().unwrap() {
            next[key] = value.clone();
        }
        retries(&[next, first].map(RunEvent::new))
    }

    #[test]
    fn numbers_before_the_first_are_asked_for() {
        let asked = |first: u32, begin: &str| {
            let ids = (first..first + 10)
                .map(|number| json!({"run_source_id": format!("{begin}{number}")}));
            below(&ids.map(RunEvent::new).collect::<Vec<_>>())
        };
        assert_eq!(asked(101, "a#"), ["a#100"]);
        assert_eq!(asked(1, "a#"), [""; 0], "the first of all");
        assert_eq!(asked(101, "a#0"), [""; 0], "no numbers");
        let few =
            [7, 8, 9].map(|number| RunEvent::new(json!({"run_source_id": number.to_string()})));
        assert_eq!(below(&few), [""; 0]);
    }

    #[test]
    fn an_attempt_that_follows_is_right() {
        let (outcome, basis) = attempts(json!({}));
        assert_eq!(outcome, Outcome::Supported);
        assert_eq!(basis, "1 attempt and the one before it");
        let (outcome, basis) = attempts(json!({"parent_attempt_run_source_id": "long ago"}));
        assert_eq!(outcome, Outcome::Supported);
        assert_eq!(basis, "no run names the attempt before it");
    }

    #[test]
    fn attempts_are_counted_from_one_by_one() {
        let run = |id: usize, number: i64, before: Option<usize>| {
            let mut run = json!({
                "job_source_id": (id % 3).to_string(), "run_source_id": id.to_string(), "status": "success",
                "attempt_number": number, "trigger": before.map_or("SCHEDULE", |_| "RETRY"),
            });
            if let Some(before) = before {
                run["parent_attempt_run_source_id"] = before.to_string().into();
            }
            RunEvent::new(run)
        };
        let first: Vec<RunEvent> = (0..12).map(|id| run(id, 1, None)).collect();
        let second: Vec<RunEvent> = (0..12).map(|id| run(id, 2, None)).collect();
        assert_eq!(no_first(&first), [""; 0]);
        assert_eq!(no_first(&second).len(), 12);
        assert_eq!(no_first(&second[..9]), [""; 0], "too few");
        assert_eq!(no_first(&[&first[..1], &second].concat()), [""; 0]);
        let unnumbered = RunEvent::new(json!({"job_source_id": "0", "run_source_id": "u"}));
        let some = [vec![unnumbered], second.clone()].concat();
        assert_eq!(no_first(&some), [""; 0], "first attempts have no number");
        let again: Vec<RunEvent> = (0..12).map(|id| run(id, 1, Some(id + 12))).collect();
        assert_eq!(no_first(&again).len(), 12);
        let tries = |number| -> Vec<RunEvent> {
            let again = (0..3).map(|id| run(id + 12, number, Some(id)));
            first.iter().cloned().chain(again).collect()
        };
        assert_eq!(skipped(&tries(2)), [""; 0]);
        assert_eq!(skipped(&tries(3)).len(), 3);
        let third = run(15, 3, Some(0));
        assert_eq!(
            skipped(&[tries(2), vec![third]].concat()),
            [""; 0],
            "the first is named by all"
        );
    }

    #[test]
    fn attempts_are_named_by_ids_of_runs() {
        let run = |id: usize, before: String| {
            RunEvent::new(json!({
                "job_source_id": (id % 2).to_string(), "run_source_id": id.to_string(),
                "parent_attempt_run_source_id": before,
            }))
        };
        let told = |count, before: fn(usize) -> String| {
            let runs: Vec<RunEvent> = (0..count).map(|id| run(id, before(id))).collect();
            let known = runs.iter().filter_map(RunEvent::run_source_id).collect();
            nowhere(&runs, PARENT, &known, &[]).is_some()
        };
        assert!(told(5, |id| format!("try/{id}")));
        assert!(!told(4, |id| format!("try/{id}")), "too few");
        assert!(
            !told(5, |id| (id + 90).to_string()),
            "the vendor has forgotten them"
        );
        let child = |id: usize, by: &str| {
            RunEvent::new(
                json!({"job_source_id": "child", "run_source_id": id.to_string(),
                "triggered_by_run_source_id": by}),
            )
        };
        let triggered = |by: &str| {
            let mut runs: Vec<RunEvent> = (0..5).map(|id| child(id, "90")).collect();
            runs.push(child(5, by));
            let known = runs.iter().filter_map(RunEvent::run_source_id).collect();
            nowhere(&runs, TRIGGER, &known, &[]).is_some()
        };
        assert!(triggered("91"), "by nobody");
        assert!(!triggered("3"), "some are of another time");
    }

    #[test]
    fn an_attempt_may_begin_before_the_end_of_the_one_before_is_written_down() {
        let (outcome, _) = attempts(json!({"start_time": "2026-01-01T10:04:53Z"}));
        assert_eq!(outcome, Outcome::Supported);
    }

    #[test]
    fn an_attempt_that_does_not_follow_is_shown() {
        for (second, told) in [
            (json!({"parent_attempt_run_source_id": "b"}), "names itself"),
            (json!({"attempt_number": 1}), "says it is the first"),
            (
                json!({"job_source_id": "other"}),
                "`job_source_id` is another",
            ),
            (
                json!({"start_time": "2026-01-01T10:02:00Z"}),
                "ended later than it began",
            ),
            (
                json!({"start_time": "2026-01-01T09:00:00Z"}),
                "which started later",
            ),
        ] {
            let (outcome, _) = attempts(second);
            let Outcome::Wrong(fault) = outcome else {
                panic!("{told}");
            };
            assert!(fault.evidence[0].contains(told), "{:?}", fault.evidence);
        }
    }
}
