//! Whether the times of runs are in order.

use bowline_contract::pipeline::RunEvent;
use jiff::{SignedDuration, Timestamp};

use super::outcome::Outcome;
use super::reading::run_label;

/// How far two clocks of one vendor may be apart.
const SLACK: SignedDuration = SignedDuration::from_secs(1);
/// How long after it happened a vendor may write a change down under an earlier time.
const BOOKING: SignedDuration = SignedDuration::from_secs(60);
/// How far the vendor's clock may be ahead of ours.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// The most lines of evidence.
pub(super) const SHOWN: usize = 5;

/// A time of a run: its name, and what gives it.
type Time = (&'static str, fn(&RunEvent) -> Option<Timestamp>);
const EVENT: Time = ("event_time", RunEvent::event_time);
const QUEUED: Time = ("queued_at", RunEvent::queued_at);
const START: Time = ("start_time", RunEvent::start_time);
const END: Time = ("end_time", RunEvent::end_time);
/// Pairs of times of which the first may not be after the second.
const ORDERED: [(Time, Time); 3] = [(QUEUED, START), (START, END), (QUEUED, END)];

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

/// Adds a line for everything out of order; says whether `event_time` is before what it should tell of.
fn of_run(run: &RunEvent, label: &str, now: Timestamp, lines: &mut Vec<String>) -> bool {
    for ((first, earlier), (second, later)) in ORDERED {
        if let (Some(earlier), Some(later)) = (earlier(run), later(run))
            && earlier.duration_since(later) > SLACK
        {
            lines.push(format!(
                "{label}: `{first}` {earlier} is after `{second}` {later}"
            ));
        }
    }
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
    for (field, time) in [EVENT, START, END] {
        if let Some(at) = time(run)
            && at.duration_since(now) > SKEW
        {
            lines.push(format!("{label}: `{field}` {at} is in the future"));
        }
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
        let within_slack = json!({"queued_at": "2026-01-01T10:01:00.5Z"});
        assert_eq!(judged(within_slack), Outcome::Supported);
        let running = json!({
            "status": "in_progress", "end_time": null, "event_time": "2026-01-01T10:01:00Z",
        });
        assert_eq!(judged(running), Outcome::Supported);
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
