//! How often schedules say that jobs run, against how often they do.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::contradictions::SEVERAL;

/// In seconds.
pub(super) const HOUR: i64 = 3600;
/// In seconds.
pub(super) const DAY: i64 = 86_400;
/// How many times too often a job runs whose interval is in another unit.
const TOO_OFTEN: i64 = 20;

/// Whether a schedule began a run. What is `CYCLIC` follows the end of its own last run.
pub(super) fn is_scheduled(run: &RunEvent) -> bool {
    run.trigger() == Some("SCHEDULE")
}

/// When the runs of a job began that its schedule started.
pub(super) fn scheduled(runs: &[RunEvent], job: &str) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = runs
        .iter()
        .filter(|run| run.job_source_id() == Some(job) && is_scheduled(run))
        .filter_map(|run| run.start_time().or(run.event_time()))
        .collect();
    starts.sort_unstable();
    starts
}

/// Jobs that run evenly and far more often than their interval says, where all do that have one.
pub(super) fn too_often(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let says = |_: &str, job: &Json, gap: i64| {
        let seconds = job["schedule"]["interval_seconds"].as_i64()?;
        let is_rarer = gap.saturating_mul(TOO_OFTEN) < seconds;
        Some((is_rarer, format!("`interval_seconds` is {seconds}")))
    };
    let (lines, judged) = against(jobs, runs, "interval_seconds", &says);
    if lines.len() < judged {
        Vec::new()
    } else {
        lines
    }
}

/// Whether the schedule of a job, by its id, says otherwise than that it runs with so many seconds between, and what it
/// says.
type Saying<'f> = dyn Fn(&str, &Json, i64) -> Option<(bool, String)> + 'f;

/// Jobs that run evenly otherwise than a field of their schedules says, where there are several, and how many were judged.
/// What catches up does not run by the clock.
fn against(
    jobs: &BTreeMap<&str, &Json>,
    runs: &[RunEvent],
    field: &str,
    says: &Saying<'_>,
) -> (Vec<String>, usize) {
    let judged: Vec<(&&str, i64, bool, String)> = jobs
        .iter()
        .filter(|(_, job)| !job["schedule"][field].is_null())
        .filter_map(|(id, job)| {
            let gap = rhythm(job, id, runs)?;
            let (is_other, what) = says(id, job, gap)?;
            Some((id, gap, is_other, what))
        })
        .collect();
    let other = judged.iter().filter(|(_, _, is_other, _)| *is_other);
    let lines = other.map(|(id, gap, _, what)| {
        format!("job `{id}` runs every {gap} s by its schedule, and {what}")
    });
    let lines: Vec<String> = lines.collect();
    (
        if lines.len() < 2 { Vec::new() } else { lines },
        judged.len(),
    )
}

/// How many seconds lie between the runs of a job that its schedule begins evenly, until now. What begins right after the
/// run before catches up, and a job with a schedule in the vendor's own words may have several.
pub(super) fn rhythm(job: &Json, id: &str, runs: &[RunEvent]) -> Option<i64> {
    let starts = scheduled(runs, id);
    let gaps = between(&starts);
    let gap = *gaps.get(gaps.len() / 2)?;
    let steady = gaps.iter().filter(|other| (*other - gap).abs() * 20 < gap);
    let is_even = gaps.len() >= SEVERAL && 4 * steady.count() >= 3 * gaps.len();
    let is_plain = job["schedule"]["raw"].is_null();
    if !is_even || !is_plain || !goes_on_from(&starts, &gaps, runs) {
        return None;
    }
    let own = runs
        .iter()
        .filter(|run| run.job_source_id() == Some(id) && is_scheduled(run));
    let is_followed = |end: Timestamp| {
        let next = starts.get(starts.partition_point(|start| *start < end));
        next.is_some_and(|next| 2 * next.duration_since(end).as_secs() < gap)
    };
    let catches_up = own.filter_map(RunEvent::end_time).any(is_followed);
    (!catches_up).then_some(gap)
}

/// Whether schedules still begin runs of a job: the last was no longer ago than twice the time between them.
pub(super) fn goes_on(runs: &[RunEvent], job: &str) -> bool {
    let starts = scheduled(runs, job);
    goes_on_from(&starts, &between(&starts), runs)
}

fn goes_on_from(starts: &[Timestamp], gaps: &[i64], runs: &[RunEvent]) -> bool {
    let Some((last, gap)) = starts.last().zip(gaps.get(gaps.len() / 2)) else {
        return false;
    };
    newest(runs).is_some_and(|newest| newest.duration_since(*last).as_secs() <= 2 * gap)
}

/// How many seconds lie between starts, the shortest time first.
fn between(starts: &[Timestamp]) -> Vec<i64> {
    let mut gaps: Vec<i64> = starts
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs())
        .collect();
    gaps.sort_unstable();
    gaps
}

/// How often a day a cron expression of five fields comes at most; none for others.
fn a_day(expression: &str) -> Option<i64> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minutes, hours, _, _, _] = fields[..] else {
        return None;
    };
    let count = |field: &str, all: i64| -> Option<i64> {
        let parts = field.split(',').map(|part| {
            let (span, step) = part.split_once('/').unwrap_or((part, "1"));
            let step: i64 = step.parse().ok().filter(|step| *step > 0)?;
            let length = match span.split_once('-') {
                Some((from, to)) => to.parse::<i64>().ok()? - from.parse::<i64>().ok()? + 1,
                None if span == "*" || part.contains('/') => all,
                None => span.parse::<i64>().map(|_| 1).ok()?,
            };
            Some((length + step - 1) / step)
        });
        parts.sum()
    };
    Some(count(minutes, 60)? * count(hours, 24)?).filter(|times| *times > 0)
}

/// Jobs whose runs are as far apart as their intervals would be in minutes, hours or days, where all that have intervals
/// are, and several; or where several different ones are, and most, or two and all of several. Where nothing says what
/// began runs, all but further attempts count.
pub(super) fn in_another_unit(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let mut judged = 0;
    let mut lines = Vec::new();
    let mut lengths = BTreeSet::new();
    let mut is_seldom = true;
    let is_silent = runs.iter().all(|run| run.trigger().is_none());
    let by = if is_silent {
        "at its median"
    } else {
        "by its schedule"
    };
    for (id, job) in jobs {
        let Some(seconds) = job["schedule"]["interval_seconds"].as_i64() else {
            continue;
        };
        let mut starts = scheduled(runs, id);
        if is_silent {
            let is_own = |run: &&RunEvent| {
                run.job_source_id() == Some(id) && run.parent_attempt_run_source_id().is_none()
            };
            starts.extend(runs.iter().filter(is_own).filter_map(RunEvent::start_time));
            starts.sort_unstable();
        }
        let gaps = between(&starts);
        let Some(gap) = gaps.get(gaps.len() / 2).filter(|_| gaps.len() > 1) else {
            continue;
        };
        judged += 1;
        // What looks all the time whether there is anything to do may find it once an hour.
        let is_near = |unit: &i64| (gap - seconds * unit).abs() * 20 < seconds * unit;
        let unit = [60, HOUR, DAY].into_iter().find(is_near);
        if let Some(unit) = unit.filter(|_| seconds < DAY) {
            lengths.insert((unit, seconds));
            is_seldom &= seconds < 60 && seconds * unit >= DAY;
            lines.push(format!(
                "job `{id}` runs every {gap} s {by}, and `interval_seconds` is {seconds}"
            ));
        }
    }
    let units: BTreeSet<i64> = lengths.iter().map(|(unit, _)| *unit).collect();
    let is_all = lines.len() == judged;
    let least = if is_all && lines.len() >= SEVERAL {
        2
    } else {
        SEVERAL
    };
    let is_no_accident = units.len() == 1 && lengths.len() >= least;
    let is_most = 2 * lines.len() > judged;
    if lines.len() < 2 || !(is_all && is_seldom || is_most && is_no_accident) {
        lines.clear();
    }
    lines
}

/// Whether the schedule of a job should have begun two of its runs or more since the first of them, or of all where it has
/// none: it has an interval, or comes every day.
pub(super) fn is_twice_due(job: &Json, id: &str, runs: &[RunEvent]) -> bool {
    if !has_schedule(job) {
        return false;
    }
    let schedule = &job["schedule"];
    let expression = schedule["cron_expression"].as_str();
    let period = match schedule["interval_seconds"].as_i64() {
        Some(seconds) => Some(seconds),
        None => expression
            .filter(|text| text.ends_with(" * * *"))
            .and_then(a_day)
            .map(|_| DAY),
    };
    let Some(period) = period else {
        return false;
    };
    let own = runs.iter().filter(|run| run.job_source_id() == Some(id));
    let since = own.filter_map(RunEvent::event_time).min();
    let since = since.or_else(|| runs.iter().filter_map(RunEvent::event_time).min());
    let lasted = since
        .zip(newest(runs))
        .map(|(since, until)| until.duration_since(since));
    lasted.is_some_and(|lasted| lasted.as_secs() >= 2 * period)
}

pub(super) fn newest(runs: &[RunEvent]) -> Option<Timestamp> {
    runs.iter().filter_map(RunEvent::event_time).max()
}

/// Whether a job has a schedule of its own that is at work.
pub(super) fn has_schedule(job: &Json) -> bool {
    let schedule = &job["schedule"];
    let is_paused = job["is_paused"] == true || schedule["paused"] == true;
    matches!(schedule["kind"].as_str(), Some("cron" | "interval")) && !is_paused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_say_how_often_a_day_they_come() {
        assert_eq!(a_day("15 4 * * *"), Some(1));
        assert_eq!(a_day("*/15 8-17 * * 1-5"), Some(40));
        assert_eq!(a_day("0,30 * * * *"), Some(48));
        assert_eq!(a_day("0 0 12 * * ?"), None);
    }
}
