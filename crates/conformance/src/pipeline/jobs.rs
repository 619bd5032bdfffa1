//! What jobs and runs say of each other: a platform joins them by the ids of jobs, tasks and groups.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent, Window};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::check;
use super::contradictions::contradiction;
use super::lineage::{both_sides, is_less, is_more, misnamed, turned_lineage};
use super::order::{at_once, turned_tasks};
use super::outcome::Outcome;
use super::reading::Reading;
use super::runner::{PAGE, Suite};
use super::schedules::has_schedule;
use super::statuses::parroted;
use super::tasks::{forgotten_tasks, missing_tasks, one_task_for_all, unknown_tasks};
use super::times::SHOWN;
use super::triggers::begun_otherwise;
use crate::Verdict;

/// How many jobs advice names.
const NAMED: usize = 3;
/// With so many runs one can tell how often a job runs.
pub(super) const RHYTHM: usize = 3;
/// A run that has not ended and began longer ago may have been forgotten by everybody.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Judges whether the metadata knows what runs name.
pub(super) fn jobs(suite: &mut Suite<'_>, assets: &[AssetEvent], runs: &[RunEvent], span: Window) {
    if runs.is_empty() || assets.is_empty() {
        return;
    }
    let in_the_way = [
        &check::ASSETS_PAGES,
        &check::ASSETS_AGAIN,
        &check::IDS,
        &check::WINDOW,
    ];
    if let Some(by) = in_the_way
        .into_iter()
        .find(|check| suite.verdict(check) == Some(Verdict::Wrong))
    {
        suite.settle(&check::JOBS, Outcome::Blocked { by }, "");
        return;
    }
    let mut known: Vec<AssetEvent> = assets.to_vec();
    let mut is_whole = [&check::ASSETS_PAGES, &check::ASSETS_AGAIN]
        .into_iter()
        .all(|check| suite.verdict(check) != Some(Verdict::Unknown));
    if !strangers(&known, runs).is_empty() {
        // A job may have been made after the first look at the jobs.
        let again = suite.reader.assets(suite.window.end, PAGE);
        is_whole &= again.as_ref().is_ok_and(Reading::is_whole);
        known.extend(again.into_iter().flat_map(|again| again.events));
    }
    let basis = format!(
        "{} and {}",
        counted(runs.len(), "run"),
        counted(assets.len(), "job")
    );
    let now = (suite.options.clock)();
    let strangers = strangers(&known, runs);
    let unknown = || unknown_jobs(&strangers, runs, now);
    let outcome = is_whole
        .then(unknown)
        .flatten()
        .or_else(|| unknown_tasks(&known, runs))
        .or_else(|| one_task_for_all(&known, runs))
        .or_else(|| unknown_groups(&known, runs))
        .or_else(|| forgotten_tasks(&known, runs))
        .or_else(|| missing_tasks(&known, runs))
        .or_else(|| misnamed(&known, runs, is_less))
        .or_else(|| turned_lineage(&known, runs))
        .or_else(|| turned_tasks(&known, runs))
        .or_else(|| at_once(&known, runs))
        .or_else(|| contradiction(&known, runs))
        .or_else(|| begun_otherwise(&known, runs))
        .or_else(|| parroted(&known, runs))
        .unwrap_or(Outcome::Supported);
    if outcome == Outcome::Supported && !strangers.is_empty() {
        suite.advise(
            &check::JOBS,
            format!(
                "runs are of {} that the metadata does not have, such as {}: they may have been deleted since",
                counted(strangers.len(), "job"),
                named(strangers.keys().copied())
            ),
        );
    }
    if outcome == Outcome::Supported {
        let doubts = [misnamed(&known, runs, is_more), both_sides(&known, runs)];
        for advice in doubts
            .into_iter()
            .flatten()
            .filter_map(Outcome::into_advice)
        {
            suite.advise(&check::JOBS, advice);
        }
    }
    if span.start == suite.window.start {
        let ran: BTreeSet<&str> = runs.iter().filter_map(RunEvent::job_source_id).collect();
        let idle: Vec<&str> = assets
            .iter()
            .filter(|job| has_schedule(job.json()))
            .filter_map(AssetEvent::job_source_id)
            .filter(|job| !ran.contains(job))
            .collect();
        if !idle.is_empty() {
            suite.advise(
                &check::JOBS,
                format!(
                    "{} with a schedule that is not paused had no run of {span}, such as {}",
                    counted(idle.len(), "job"),
                    named(idle.iter().copied())
                ),
            );
        }
    }
    suite.settle(&check::JOBS, outcome, basis);
}

pub(super) fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.take(NAMED).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The jobs of runs that the metadata does not have, each with its runs.
fn strangers<'r>(
    assets: &[AssetEvent],
    runs: &'r [RunEvent],
) -> BTreeMap<&'r str, Vec<&'r RunEvent>> {
    let known: BTreeSet<&str> = assets
        .iter()
        .filter_map(AssetEvent::job_source_id)
        .collect();
    let mut strangers: BTreeMap<&str, Vec<&RunEvent>> = BTreeMap::new();
    for run in runs {
        if let Some(job) = run.job_source_id().filter(|job| !known.contains(job)) {
            strangers.entry(job).or_default().push(run);
        }
    }
    strangers
}

/// Jobs that are not known, although they cannot have been deleted: all of several, or those that still run.
fn unknown_jobs(
    strangers: &BTreeMap<&str, Vec<&RunEvent>>,
    runs: &[RunEvent],
    now: Timestamp,
) -> Option<Outcome> {
    let named: BTreeSet<&str> = runs.iter().filter_map(RunEvent::job_source_id).collect();
    let alive: Vec<&&str> = strangers
        .iter()
        .filter(|(_, runs)| still_runs(runs, now))
        .map(|(job, _)| job)
        .collect();
    let none_is_known = strangers.len() == named.len() && named.len() > 1 && runs.len() >= RHYTHM;
    let told: Vec<&&str> = if none_is_known {
        strangers.keys().collect()
    } else {
        alive
    };
    if told.is_empty() {
        return None;
    }
    let got = if none_is_known {
        "runs of other jobs only".to_owned()
    } else {
        match told.len() {
            1 => "1 job that still runs, and is not there".to_owned(),
            count => format!("{count} jobs that still run, and are not there"),
        }
    };
    Some(
        Outcome::wrong("the jobs that runs are of", got)
            .with_evidence(told.into_iter().take(SHOWN).map(|job| {
                format!(
                    "job `{job}` has {}, and is not in the metadata",
                    counted(strangers[job].len(), "run")
                )
            }))
            .with_hint("give the same `job_source_id` in the metadata and in runs, for every job that runs"),
    )
}

/// Whether a job goes on, of which there are several runs: one is under way, or the last is no longer ago than they are
/// apart. What has run once may have been made for that.
fn still_runs(runs: &[&RunEvent], now: Timestamp) -> bool {
    let is_under_way = runs.iter().any(|run| {
        let start = run.start_time().filter(|_| !run.has_ended());
        start.is_some_and(|start| now.duration_since(start) < LATELY)
    });
    let times = || runs.iter().filter_map(|run| run.event_time());
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return false;
    };
    let gaps = i32::try_from(runs.len())
        .unwrap_or(i32::MAX)
        .saturating_sub(1);
    runs.len() >= RHYTHM
        && (is_under_way || now.duration_since(last) <= last.duration_since(first) / gaps)
}

/// Groups: where those that most runs name are not their jobs'.
fn unknown_groups(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in assets {
        if let (Some(id), Some(group)) = (job.job_source_id(), group(job.json())) {
            groups.entry(id).or_default().insert(group);
        }
    }
    mostly(runs, "group", |run| {
        let known = groups.get(run.job_source_id()?)?;
        let named = group(run.json())?;
        Some((
            known.contains(named),
            format!("group `{named}`, which is not its job's"),
        ))
    })
}

fn group(event: &serde_json::Value) -> Option<&str> {
    event["group"]["source_id"].as_str()
}

/// Wrong where most of the runs that can be judged do not fit their jobs, and those of several jobs: one may have been
/// moved or renamed since.
pub(super) fn mostly(
    runs: &[RunEvent],
    noun: &str,
    judge: impl Fn(&RunEvent) -> Option<(bool, String)>,
) -> Option<Outcome> {
    let judged: Vec<(&RunEvent, (bool, String))> = runs
        .iter()
        .filter_map(|run| Some((run, judge(run)?)))
        .collect();
    let misfits = || judged.iter().filter(|(_, (fits, _))| !fits);
    let jobs: BTreeSet<Option<&str>> = misfits().map(|(run, _)| run.job_source_id()).collect();
    let misfits: Vec<String> = misfits()
        .map(|(run, (_, words))| {
            let label = super::reading::run_label(run).unwrap_or_default();
            format!("{label} names {words}")
        })
        .collect();
    if jobs.len() < 2 || 2 * misfits.len() <= judged.len() {
        return None;
    }
    let got = format!(
        "{} of {} that name others",
        misfits.len(),
        counted(judged.len(), "run")
    );
    Some(
        Outcome::wrong(format!("runs that name the {noun}s of their jobs"), got)
            .with_evidence(misfits.into_iter().take(SHOWN))
            .with_hint(format!(
                "give each {noun} the same id in the metadata and in runs"
            )),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::pipeline::samples::{job, run};

    fn told(known: &[AssetEvent], runs: &[RunEvent], now: u8) -> Option<String> {
        let now = format!("2026-01-01T{now:02}:30:00Z").parse().unwrap();
        match unknown_jobs(&strangers(known, runs), runs, now)? {
            Outcome::Wrong(fault) => Some(fault.got),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_job_that_is_gone_is_no_fault_and_one_that_still_runs_is() {
        let known = [job("a", json!({}))];
        let hourly: Vec<RunEvent> = (1..8).map(|hour| run("b", hour, json!({}))).collect();
        let mut runs = vec![run("a", 3, json!({}))];
        runs.extend(hourly.iter().cloned());
        assert_eq!(told(&known, &runs, 20), None);
        let alive = Some("1 job that still runs, and is not there".to_owned());
        assert_eq!(told(&known, &runs, 7), alive);
        assert_eq!(told(&known, &runs[..1], 7), None);
        assert_eq!(told(&known, &hourly, 20), None, "the only one that ran");
        let once = run(
            "c",
            7,
            json!({"status": "in_progress", "start_time": "2026-01-01T07:00:00Z"}),
        );
        assert_eq!(
            told(&known, &[runs[0].clone(), once], 7),
            None,
            "made for one run"
        );
        let none = Some("runs of other jobs only".to_owned());
        let more = [hourly, vec![run("c", 3, json!({}))]].concat();
        assert_eq!(told(&known, &more, 20), none);
    }

    #[test]
    fn what_most_runs_name_must_be_their_jobs() {
        let known = ["a", "b"].map(|id| {
            job(
                id,
                json!({
                    "tasks": [{"task_source_id": "load"}], "group": {"source_id": "g"},
                    "inputs": [{"fully_qualified_name": "in"}], "outputs": [{"fully_qualified_name": "out"}],
                }),
            )
        });
        let good = json!({
            "task_runs": [{"task_source_id": "load"}], "group": {"source_id": "g"},
            "inputs": [{"fully_qualified_name": "in"}],
        });
        let judged = |bad: Json, judge: &dyn Fn(&[RunEvent]) -> Option<Outcome>| {
            let runs = [
                run("a", 1, good.clone()),
                run("a", 2, bad.clone()),
                run("b", 3, bad),
            ];
            assert_eq!(
                judge(&runs[1..2]),
                None,
                "one may have been moved or renamed"
            );
            assert_eq!(judge(&runs[..1]), None);
            assert_eq!(judge(&runs[..2]), None, "as many fit as do not");
            judge(&runs).map(|outcome| outcome.verdict())
        };
        let wrong = Some(Verdict::Wrong);
        let task = json!({"task_runs": [{"task_source_id": "7"}]});
        assert_eq!(judged(task, &|runs| unknown_tasks(&known, runs)), wrong);
        let group = json!({"group": {"source_id": "h"}});
        assert_eq!(judged(group, &|runs| unknown_groups(&known, runs)), wrong);
        let more = json!({"inputs": [{"fully_qualified_name": "db.in"}]});
        let misnamed = |of: Json| judged(of, &|runs| misnamed(&known, runs, is_less));
        assert_eq!(misnamed(more.clone()), None, "the run says more");
        let advised = judged(more, &|runs| super::misnamed(&known, runs, is_more));
        assert_eq!(advised, wrong);
        let across = json!({"outputs": [{"fully_qualified_name": "IN"}]});
        assert_eq!(misnamed(across), None, "it writes, and does not read it");
        let capitals = json!({"inputs": [{"fully_qualified_name": "IN"}]});
        assert_eq!(misnamed(capitals), wrong);
        let other = json!({"inputs": [{"fully_qualified_name": "elsewhere"}]});
        assert_eq!(misnamed(other), None);
        let turned = json!({"inputs": [{"fully_qualified_name": "out"}]});
        assert_eq!(judged(turned, &|runs| turned_lineage(&known, runs)), wrong);
        let both = json!({"inputs": [{"fully_qualified_name": "in"}],
            "outputs": [{"fully_qualified_name": "in"}, {"fully_qualified_name": "out"}]});
        assert_eq!(
            judged(both.clone(), &|runs| turned_lineage(&known, runs)),
            None,
            "what it moves"
        );
        assert_eq!(judged(both, &|runs| both_sides(&known, runs)), wrong);
        let merged = json!({"inputs": [{"fully_qualified_name": "in"}, {"fully_qualified_name": "out"}],
            "outputs": [{"fully_qualified_name": "out"}]});
        assert_eq!(
            judged(merged.clone(), &|runs| turned_lineage(&known, runs)),
            None
        );
        assert_eq!(judged(merged, &|runs| both_sides(&known, runs)), None);
        let foreign = json!({"inputs": [{"fully_qualified_name": "elsewhere"}]});
        assert_eq!(judged(foreign, &|runs| turned_lineage(&known, runs)), None);
    }
}
