//! Whether the times of runs are in order.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{RunEvent, RunStatus};
use bowline_pipeline::Summary;
use jiff::{SignedDuration, Timestamp};

use super::outcome::Outcome;
use super::reading::run_label;
use super::spans::{
    of_all, over_at_once, tasks_after_the_end, tasks_elsewhere, tasks_that_all_follow,
};

/// How far two clocks of one vendor may be apart.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(1);
/// How long after it happened a vendor may write a change down under an earlier time.
pub(super) const BOOKING: SignedDuration = SignedDuration::from_secs(60);
/// How far the vendor's clock may be ahead of ours.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// The most lines of evidence.
pub(super) const SHOWN: usize = 5;

/// With so many runs it is no accident.
pub(super) const SEVERAL: usize = 3;
/// So many runs are not all over in no time.
const MANY: usize = 10;
/// No orchestrator that anybody connects ran anything before; seconds taken for milliseconds are in 1970.
const EPOCH: i64 = 946_684_800;

/// A time of a run: its name, and what gives it.
type Time = (&'static str, fn(&RunEvent) -> Option<Timestamp>);
const EVENT: Time = ("event_time", RunEvent::event_time);
const QUEUED: Time = ("queued_at", RunEvent::queued_at);
const START: Time = ("start_time", RunEvent::start_time);
const END: Time = ("end_time", RunEvent::end_time);
const EXPECTED: Time = ("expected_end_time", |run| {
    run.json()["expected_end_time"].as_str()?.parse().ok()
});
/// Pairs of times of which the first may not be after the second, whatever clocks they are read from and how often a run
/// was asked for anew.
const QUEUED_BEFORE: [(Time, Time); 2] = [(QUEUED, START), (QUEUED, END)];

/// What it means that runs were left out for times that stand for none; nothing where none was.
pub(super) fn sentinels(summary: &Summary) -> Option<Outcome> {
    summary.sentinels.clone().map(|note| {
        Outcome::wrong(
            "times of runs, and null where there is none",
            "runs that no window has",
        )
        .with_evidence([note])
        .with_hint("give a run that has not ended the time that it began as `event_time`")
    })
}

/// Judges the times of runs and of their task runs.
pub(super) fn times(runs: &[RunEvent], now: Timestamp) -> Outcome {
    let mut lines = Vec::new();
    let mut late = false;
    for run in runs {
        let label = run_label(run).unwrap_or_else(|| "a run".to_owned());
        late |= of_run(run, &label, now, &mut lines);
        for task in run.task_runs() {
            let task_id = task.task_source_id().or(task.run_source_id());
            let label = format!("task run `{}` in {label}", task_id.unwrap_or_default());
            late |= of_run(task, &label, now, &mut lines);
        }
    }
    lines.extend(tasks_elsewhere(runs));
    lines.extend(tasks_that_all_follow(runs));
    lines.extend(cut_ends(runs));
    lines.extend(queued_late(runs));
    lines.extend(expected_before(runs));
    for trigger in runs
        .iter()
        .filter_map(RunEvent::trigger)
        .collect::<BTreeSet<_>>()
    {
        let of_trigger: Vec<&RunEvent> = runs
            .iter()
            .filter(|run| run.trigger() == Some(trigger))
            .collect();
        lines.extend(over_at_once(&of_trigger));
    }
    if lines.is_empty() {
        return Outcome::Supported;
    }
    let count = lines.len();
    let outcome = Outcome::wrong(
        "queued_at ≤ start_time ≤ end_time ≤ event_time, none in the future",
        match count {
            1 => "1 time out of order".to_owned(),
            count => format!("{count} times out of order"),
        },
    )
    .with_evidence(lines.into_iter().take(SHOWN));
    if late {
        outcome.with_hint(
            "give as `event_time` when the run came to its status: a run whose end is not in the window of its end is \
             never collected as ended",
        )
    } else {
        outcome
    }
}

/// Whether a run with this status is under way.
const fn is_at_work(status: RunStatus) -> bool {
    matches!(status, RunStatus::InProgress | RunStatus::Queued)
}

/// Ends that are all whole minutes, where the times that runs came to their statuses are none of them, and not all runs
/// begin by the minute, too: the end was cut.
fn cut_ends(runs: &[RunEvent]) -> Vec<String> {
    let ends: Vec<(&RunEvent, Timestamp, Timestamp)> = runs
        .iter()
        .filter_map(|run| Some((run, run.end_time()?, run.event_time()?)))
        .collect();
    let is_whole = |at: Timestamp| at.as_second() % 60 == 0 && at.subsec_nanosecond() == 0;
    let is_cut =
        |(_, end, event): &(&RunEvent, Timestamp, Timestamp)| is_whole(*end) && end != event;
    let by_the_minute = ends
        .iter()
        .all(|(run, ..)| run.start_time().is_none_or(is_whole));
    if ends.len() < MANY || !ends.iter().all(is_cut) || by_the_minute {
        return Vec::new();
    }
    let line = |(run, end, event): (&RunEvent, Timestamp, Timestamp)| {
        let label = run_label(run)?;
        Some(format!(
            "{label}: `end_time` {end} is a whole minute, as all are, and `event_time` is {event}"
        ))
    };
    ends.into_iter().filter_map(line).collect()
}

/// What there is to say of two times of a run of which the first should not be after the second.
fn turned(run: &RunEvent, label: &str, pair: (Time, Time)) -> Option<String> {
    let ((first, earlier), (second, later)) = pair;
    let (earlier, later) = (earlier(run)?, later(run)?);
    (earlier.duration_since(later) > SLACK)
        .then(|| format!("{label}: `{first}` {earlier} is after `{second}` {later}"))
}

/// Runs that were asked for after they began or ended, where that is so of most: a line each. Some may have been asked
/// for anew.
fn queued_late(runs: &[RunEvent]) -> Vec<String> {
    let judged = runs
        .iter()
        .filter(|run| run.has("queued_at") && (run.has("start_time") || run.has("end_time")));
    let line = |run: &RunEvent| {
        let label = run_label(run)?;
        QUEUED_BEFORE
            .into_iter()
            .find_map(|pair| turned(run, &label, pair))
    };
    let lines: Vec<String> = judged.clone().filter_map(line).collect();
    if lines.len() < SEVERAL || 2 * lines.len() <= judged.count() {
        return Vec::new();
    }
    lines
}

/// Runs that should all have ended before they began, of which there are many. What is made up for or tried again is late.
fn expected_before(runs: &[RunEvent]) -> Vec<String> {
    let in_time = runs
        .iter()
        .filter(|run| run.has(EXPECTED.0) && !matches!(run.trigger(), Some("BACKFILL" | "RETRY")));
    let in_time: Vec<&RunEvent> = in_time.collect();
    if in_time.len() < MANY {
        return Vec::new();
    }
    of_all(
        &in_time,
        &|run| Some((EXPECTED.1)(run)? < run.start_time()?),
        "`expected_end_time` is before `start_time`, as in all runs",
    )
}

/// What somebody may have meant: tasks that go on without their run.
pub(super) fn doubts(runs: &[RunEvent]) -> impl Iterator<Item = String> {
    let elsewhere = tasks_elsewhere(runs);
    let after = tasks_after_the_end(runs).into_iter().next();
    after
        .filter(|_| elsewhere.is_empty())
        .into_iter()
        .map(|line| format!("{line}: see whether that is meant"))
}

/// Adds a line for everything out of order; says whether `event_time` is before what it should tell of.
fn of_run(run: &RunEvent, label: &str, now: Timestamp, lines: &mut Vec<String>) -> bool {
    lines.extend(turned(run, label, (START, END)));
    let (reached, since) = if run.has_ended() { END } else { START };
    let mut is_late = false;
    if let (Some(event), Some(since)) = (run.event_time(), since(run))
        && since.duration_since(event) > BOOKING
    {
        is_late = true;
        lines.push(format!(
            "{label}: `event_time` {event} is before `{reached}` {since}"
        ));
    }
    for (field, time) in [EVENT, START, END, EXPECTED] {
        let Some(at) = time(run) else { continue };
        if at.duration_since(now) > SKEW && field != EXPECTED.0 {
            lines.push(format!("{label}: `{field}` {at} is in the future"));
        } else if at.as_second() < EPOCH {
            lines.push(format!(
                "{label}: `{field}` {at} is before there were such runs"
            ));
        }
    }
    if run.end_time().is_some() && run.status().is_some_and(is_at_work) {
        lines.push(format!(
            "{label}: `end_time` is given, and the run has not ended: an end to come is `expected_end_time`"
        ));
    }
    is_late
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::Verdict;

    fn judged(fields: Json) -> Outcome {
        let mut run = json!({
            "job_source_id": "j", "run_source_id": "r", "status": "success",
            "queued_at": "2026-01-01T10:00:00Z", "start_time": "2026-01-01T10:01:00Z",
            "end_time": "2026-01-01T10:02:00Z", "event_time": "2026-01-01T10:02:00Z",
        });
        for (key, value) in fields.as_object().unwrap() {
            run[key] = value.clone();
        }
        times(
            &[RunEvent::new(run)],
            "2026-01-01T11:00:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn times_in_order_are_right() {
        assert_eq!(judged(json!({})), Outcome::Supported);
        let within_slack = json!({"start_time": "2026-01-01T10:02:00.5Z"});
        assert_eq!(judged(within_slack), Outcome::Supported);
        let asked_for_anew = json!({"queued_at": "2026-01-01T10:01:20Z"});
        assert_eq!(judged(asked_for_anew), Outcome::Supported);
        let late = json!({"expected_end_time": "2026-01-01T10:00:30Z"});
        assert_eq!(judged(late), Outcome::Supported);
        let running = json!({
            "status": "in_progress", "end_time": null, "event_time": "2026-01-01T10:01:00Z",
        });
        assert_eq!(judged(running), Outcome::Supported);
    }

    #[test]
    fn tasks_and_requests_out_of_place_are_shown_where_most_are() {
        let run = |fields: Json| {
            let mut run = json!({
                "job_source_id": "j", "run_source_id": "r", "status": "success", "start_time": "2026-01-01T10:01:00Z",
                "end_time": "2026-01-01T10:02:00Z", "event_time": "2026-01-01T10:02:00Z",
            });
            run.as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            RunEvent::new(run)
        };
        let fine = run(json!({"queued_at": "2026-01-01T10:00:00Z",
            "task_runs": [{"start_time": "2026-01-01T10:01:00Z", "end_time": "2026-01-01T10:02:00Z"}]}));
        for (fields, line) in [
            (
                json!({"task_runs": [{"start_time": "2026-01-01T08:00:00Z", "end_time": "2026-01-01T08:02:00Z"}]}),
                "run `r` of job `j`: no task run lies between `start_time` 2026-01-01T10:01:00Z and `end_time` \
                 2026-01-01T10:02:00Z; one began at 2026-01-01T08:00:00Z",
            ),
            (
                json!({"queued_at": "2026-01-01T10:01:30Z"}),
                "run `r` of job `j`: `queued_at` 2026-01-01T10:01:30Z is after `start_time` 2026-01-01T10:01:00Z",
            ),
        ] {
            let all = vec![run(fields); 3];
            let judge = |runs: &[RunEvent]| times(runs, "2026-01-01T11:00:00Z".parse().unwrap());
            let Outcome::Wrong(fault) = judge(&all) else {
                panic!("{line}");
            };
            assert_eq!(fault.evidence[0], line);
            assert_eq!(judge(&all[1..]), Outcome::Supported);
            let half = [all, vec![fine.clone(); 3]].concat();
            assert_eq!(judge(&half), Outcome::Supported);
        }
    }

    #[test]
    fn runs_that_end_before_their_tasks_are_shown_where_most_do() {
        let run = |task_end: &str| {
            RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "status": "success",
                "start_time": "2026-01-01T10:01:00Z", "end_time": "2026-01-01T10:02:00Z",
                "event_time": "2026-01-01T10:02:00Z",
                "task_runs": [{"start_time": "2026-01-01T10:01:00Z", "end_time": task_end}],
            }))
        };
        let (late, fine) = (run("2026-01-01T10:40:00Z"), run("2026-01-01T10:02:00Z"));
        let verdict =
            |runs: &[RunEvent]| times(runs, "2026-01-01T11:00:00Z".parse().unwrap()).verdict();
        let doubts = |runs: &[RunEvent]| doubts(runs).count();
        let forgotten = vec![late.clone(); 3];
        assert_eq!(
            verdict(&forgotten),
            Verdict::Supported,
            "it only begins them"
        );
        assert_eq!(doubts(&forgotten), 1);
        assert_eq!(doubts(&vec![late.clone(); 2]), 0);
        let half = [vec![late.clone(); 3], vec![fine; 3]].concat();
        assert_eq!(doubts(&half), 0);
        let mut all_late = late.json().clone();
        let after =
            json!({"start_time": "2026-01-01T10:40:00Z", "end_time": "2026-01-01T10:50:00Z"});
        all_late["task_runs"].as_array_mut().unwrap().push(after);
        let all_late = vec![RunEvent::new(all_late); 3];
        assert_eq!(verdict(&all_late), Verdict::Wrong);
        assert_eq!(verdict(&all_late[1..]), Verdict::Supported);
    }

    #[test]
    fn runs_do_not_all_begin_after_their_expected_ends() {
        let told = |trigger: &str, expected: &str, count: usize| {
            let run = |job: &str| {
                RunEvent::new(
                    json!({"job_source_id": job, "run_source_id": "r", "trigger": trigger,
                    "expected_end_time": expected, "start_time": "2026-01-01T10:00:00Z"}),
                )
            };
            let runs: Vec<RunEvent> = ["a", "b"]
                .into_iter()
                .cycle()
                .take(count)
                .map(run)
                .collect();
            let now = "2026-01-01T11:00:00Z".parse().unwrap();
            times(&runs, now).verdict() == Verdict::Wrong
        };
        assert!(told("SCHEDULE", "2026-01-01T09:00:00Z", MANY));
        assert!(
            !told("SCHEDULE", "2026-01-01T09:00:00Z", MANY - 1),
            "all are late"
        );
        assert!(!told("SCHEDULE", "2026-01-01T10:10:00Z", MANY));
        assert!(!told("BACKFILL", "2026-01-01T09:00:00Z", MANY));
    }

    #[test]
    fn ends_that_alone_are_whole_minutes_are_shown() {
        let run = |end: &str, event: &str| {
            RunEvent::new(
                json!({"job_source_id": "j", "run_source_id": "r", "start_time": "2026-01-01T10:00:03Z",
                "end_time": end, "event_time": event}),
            )
        };
        let cut = run("2026-01-01T10:02:00Z", "2026-01-01T10:02:17Z");
        assert_eq!(cut_ends(&vec![cut.clone(); MANY]).len(), MANY);
        assert_eq!(cut_ends(&vec![cut.clone(); MANY - 1]).len(), 0);
        let mut by_the_minute = cut.json().clone();
        by_the_minute["start_time"] = "2026-01-01T10:00:00Z".into();
        let by_the_minute = vec![RunEvent::new(by_the_minute); MANY];
        assert_eq!(cut_ends(&by_the_minute).len(), 0);
        let fine = run("2026-01-01T10:02:17Z", "2026-01-01T10:02:17Z");
        assert_eq!(cut_ends(&[vec![cut; MANY], vec![fine]].concat()).len(), 0);
        let whole = run("2026-01-01T10:02:00Z", "2026-01-01T10:02:00Z");
        assert_eq!(
            cut_ends(&vec![whole; MANY]).len(),
            0,
            "all times are in minutes"
        );
    }

    #[test]
    fn times_out_of_order_are_shown() {
        for (fields, line) in [
            (
                json!({"start_time": "2026-01-01T10:03:00Z"}),
                "run `r` of job `j`: `start_time` 2026-01-01T10:03:00Z is after `end_time` 2026-01-01T10:02:00Z",
            ),
            (
                json!({"event_time": "2026-01-01T10:00:00Z"}),
                "run `r` of job `j`: `event_time` 2026-01-01T10:00:00Z is before `end_time` 2026-01-01T10:02:00Z",
            ),
            (
                json!({"start_time": "1970-01-21T10:00:00Z", "queued_at": null}),
                "run `r` of job `j`: `start_time` 1970-01-21T10:00:00Z is before there were such runs",
            ),
            (
                json!({"status": "in_progress"}),
                "run `r` of job `j`: `end_time` is given, and the run has not ended: an end to come is \
                 `expected_end_time`",
            ),
            (
                json!({"event_time": "2026-01-01T12:00:00Z"}),
                "run `r` of job `j`: `event_time` 2026-01-01T12:00:00Z is in the future",
            ),
            (
                json!({"task_runs": [{"task_source_id": "t", "start_time": "2026-01-02T00:00:00Z"}]}),
                "task run `t` in run `r` of job `j`: `start_time` 2026-01-02T00:00:00Z is in the future",
            ),
        ] {
            let outcome = judged(fields);
            assert_eq!(outcome.verdict(), Verdict::Wrong);
            let Outcome::Wrong(fault) = outcome else {
                continue;
            };
            assert_eq!(fault.evidence, [line]);
        }
    }
}
