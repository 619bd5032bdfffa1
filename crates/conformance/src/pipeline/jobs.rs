//! What jobs and runs say of each other: a platform joins them by the ids of jobs, tasks and groups.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, GivenTask, RunEvent, RunStatus, Window};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::check;
use super::contradictions::{contradiction, doubtful};
use super::garbled::spelt_otherwise;
use super::lineage::{both_sides, is_less, is_more, misnamed, turned_lineage};
use super::order::{MANY, at_once, turned_tasks, well_unbegun};
use super::outcome::Outcome;
use super::reading::Reading;
use super::runner::{PAGE, Suite};
use super::schedules::has_schedule;
use super::statuses::parroted;
use super::times::SHOWN;
use super::triggers::{begun_otherwise, doubtfully_begun};
use crate::Verdict;

/// How many jobs advice names.
const NAMED: usize = 3;
/// With so many runs one can tell how often a job runs.
const RHYTHM: usize = 3;
/// How much of their runs' time is left at the end where a task is missing, as one in so many.
const LEFT: i128 = 10;
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
    // What is wrong of runs that failed alone is lost among the others.
    let is_ill = |run: &&RunEvent| run.status().is_some_and(RunStatus::needs_error);
    let failed: Vec<RunEvent> = runs.iter().filter(is_ill).cloned().collect();
    let unknown = || spelt_otherwise(runs, &known).or_else(|| unknown_jobs(&strangers, runs, now));
    let outcome = is_whole
        .then(unknown)
        .flatten()
        .or_else(|| unknown_tasks(&known, runs))
        .or_else(|| unknown_groups(&known, runs))
        .or_else(|| unknown_groups(&known, &failed))
        .or_else(|| forgotten_tasks(&known, runs))
        .or_else(|| missing_tasks(&known, runs))
        .or_else(|| misnamed(&known, runs, is_less))
        .or_else(|| turned_lineage(&known, runs))
        .or_else(|| turned_tasks(&known, runs))
        .or_else(|| at_once(&known, runs))
        .or_else(|| well_unbegun(&known, runs, MANY))
        .or_else(|| contradiction(&known, runs, span.end))
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
        let doubts = [
            doubtful(&known, runs),
            doubtfully_begun(&known, runs),
            well_unbegun(&known, runs, RHYTHM),
            misnamed(&known, runs, is_more),
            both_sides(&known, runs),
        ];
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

fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
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

/// Last tasks that no run of a job has, well or ill, although runs have those before and go on when all that they have are
/// over: so of every job that has one last task, and several. What runs after failures only is in some that failed.
fn missing_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut lines = Vec::new();
    for job in assets {
        let id = job.job_source_id();
        let own = runs
            .iter()
            .filter(|run| run.job_source_id() == id && run.has_ended() && run.has("task_runs"));
        let own: Vec<&RunEvent> = own.collect();
        let ill = own
            .iter()
            .filter(|run| run.status().is_some_and(RunStatus::needs_error));
        if job.tasks().nth(1).is_none() || ill.count() == 0 || own.len() < RHYTHM {
            continue;
        }
        let seen: BTreeSet<&str> = own
            .iter()
            .flat_map(|run| run.task_runs())
            .filter_map(RunEvent::task_source_id)
            .collect();
        let Some((missing, mut before)) = last_task(job) else {
            continue;
        };
        let is_seen = |task: &str| seen.iter().any(|run| has(&BTreeSet::from([task]), run));
        if is_seen(missing) || !before.all(is_seen) {
            return None;
        }
        let (mut whole, mut left) = (0, 0);
        for run in own
            .iter()
            .filter(|run| run.status() == Some(RunStatus::Success))
        {
            let last = run.task_runs().filter_map(RunEvent::end_time).max();
            let (Some(start), Some(end), Some(last)) = (run.start_time(), run.end_time(), last)
            else {
                continue;
            };
            whole += end.duration_since(start).as_millis();
            left += end.duration_since(last).as_millis();
        }
        if left * LEFT <= whole {
            return None;
        }
        lines.push(format!(
            "job `{}` has task `{missing}`, which no run has, and runs go on after their tasks",
            id.unwrap_or_default()
        ));
    }
    if lines.len() < RHYTHM {
        return None;
    }
    let got = format!("{} with one that none has", counted(lines.len(), "job"));
    let told = Outcome::wrong("every task of the jobs in some run", got)
        .with_evidence(lines.into_iter().take(SHOWN));
    Some(told.with_hint("give the task runs of a run to the last one"))
}

/// The one task of a job that no other follows, and those before it.
fn last_task(job: &AssetEvent) -> Option<(&str, impl Iterator<Item = &str>)> {
    let before: BTreeSet<&str> = job
        .tasks()
        .flat_map(GivenTask::upstream_task_source_ids)
        .collect();
    let is_last = |task: &&GivenTask| task.task_source_id().is_some_and(|id| !before.contains(id));
    let mut last = job.tasks().filter(is_last);
    let (only, None) = (last.next()?, last.next()) else {
        return None;
    };
    Some((only.task_source_id()?, only.upstream_task_source_ids()))
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

/// Tasks: where none that the runs of most jobs name is one of the job's.
fn unknown_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut tasks: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in assets {
        if let Some(id) = job.job_source_id() {
            let own = job.tasks().filter_map(GivenTask::task_source_id);
            tasks.entry(id).or_default().extend(own);
        }
    }
    mostly(runs, "task", |run| {
        let known = tasks
            .get(run.job_source_id()?)
            .filter(|known| !known.is_empty())?;
        let named: Vec<&str> = run
            .task_runs()
            .filter_map(RunEvent::task_source_id)
            .collect();
        let first = named.first()?;
        let is_known = named.iter().any(|task| has(known, task));
        Some((
            is_known,
            format!("task `{first}`, which its job does not have"),
        ))
    })
}

/// Tasks: where all runs of most jobs that went well name one that the job does not have. One that is the same for all jobs is the
/// vendor's own.
fn forgotten_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut judged = 0;
    let mut forgotten: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in assets {
        let known: BTreeSet<&str> = job.tasks().filter_map(GivenTask::task_source_id).collect();
        let Some(id) = job.job_source_id().filter(|_| !known.is_empty()) else {
            continue;
        };
        // What failed may not have come to all of its tasks.
        let named: Vec<BTreeSet<&str>> = runs
            .iter()
            .filter(|run| run.job_source_id() == Some(id) && run.has("task_runs"))
            .filter(|run| run.status() == Some(RunStatus::Success))
            .map(|run| {
                run.task_runs()
                    .filter_map(RunEvent::task_source_id)
                    .filter(|task| !has(&known, task))
                    .collect()
            })
            .collect();
        if named.len() < RHYTHM {
            continue;
        }
        judged += 1;
        let by_all = named.into_iter().reduce(|all, one| &all & &one);
        let lacking = by_all.unwrap_or_default();
        if !lacking.is_empty() {
            forgotten.insert(id, lacking);
        }
    }
    let common = forgotten.values().cloned().reduce(|all, one| &all & &one);
    forgotten.retain(|_, lacking| {
        lacking
            .iter()
            .any(|task| !common.iter().flatten().any(|own| own == task))
    });
    if forgotten.len() < 2 || 2 * forgotten.len() <= judged {
        return None;
    }
    let got = format!(
        "{} of {} that lack some",
        forgotten.len(),
        counted(judged, "job")
    );
    Some(
        Outcome::wrong("the tasks that every run of a job has", got)
            .with_evidence(forgotten.into_iter().take(SHOWN).map(|(job, tasks)| {
                format!(
                    "job `{job}` lacks task {}, which all its runs name",
                    named(tasks.into_iter())
                )
            }))
            .with_hint("give every task of a job in the metadata, under the id that its runs have"),
    )
}

/// Whether a job has a task, or the one that it was made of: `load` for `load[3]`.
fn has(known: &BTreeSet<&str>, task: &str) -> bool {
    let made = task
        .strip_suffix(']')
        .and_then(|task| task.rsplit_once('['));
    known.contains(task) || made.is_some_and(|(of, _)| known.contains(of))
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
    fn a_task_that_all_runs_have_is_one_of_the_job() {
        let job = |id: &str| job(id, json!({"tasks": [{"task_source_id": "load"}]}));
        let runs = |id: &str, more: &str| -> Vec<RunEvent> {
            let tasks =
                json!({"task_runs": [{"task_source_id": "load"}, {"task_source_id": more}]});
            (1..4).map(|hour| run(id, hour, tasks.clone())).collect()
        };
        let known = [job("a"), job("b"), job("c")];
        let told = |names: [&str; 3]| {
            let all = ["a", "b", "c"].into_iter().zip(names);
            let runs: Vec<RunEvent> = all.flat_map(|(id, more)| runs(id, more)).collect();
            forgotten_tasks(&known, &runs).is_some()
        };
        assert!(told(["x", "y", "z"]));
        assert!(told(["x", "y", "load"]));
        assert!(!told(["x", "load", "load"]));
        assert!(!told(["load[a]", "load[b]", "load[0]"]), "made of one task");
        assert!(!told(["set up", "set up", "set up"]), "the vendor's own");
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

    #[test]
    fn tasks_that_no_run_has_although_runs_go_on_are_told() {
        let ids = ["a", "b", "c"];
        let of = |before: Json| {
            let tasks = json!([{"task_source_id": "one"},
                {"task_source_id": "two", "upstream_task_source_ids": before}]);
            ids.map(|id| job(id, json!({"tasks": tasks})))
        };
        let (straight, apart) = (of(json!(["one"])), of(json!([])));
        let told_of = |jobs: &[AssetEvent], minute: u8, ran: &str, of_failed: &str| {
            let of = |id: &'static str| (1..5).map(move |hour| (id, hour));
            let runs: Vec<RunEvent> = ids
                .into_iter()
                .flat_map(of)
                .map(|(id, hour)| {
                    let (status, task) = if hour == 1 {
                        ("failed", of_failed)
                    } else {
                        ("success", ran)
                    };
                    let at = |minute: u8| format!("2026-01-01T{hour:02}:{minute:02}:00Z");
                    run(
                        id,
                        hour,
                        json!({
                            "status": status, "start_time": at(0), "end_time": at(40),
                            "task_runs": [{"task_source_id": task, "end_time": at(minute)}],
                        }),
                    )
                })
                .collect();
            missing_tasks(jobs, &runs).is_some()
        };
        let told = |minute, of_failed| told_of(&straight, minute, "one", of_failed);
        assert!(told(20, "one"));
        assert!(!told(39, "one"), "nothing is left to run");
        assert!(!told(20, "two"), "it runs after failures");
        assert!(!told(20, "two[0]"), "it runs after failures, in parts");
        assert!(!told_of(&apart, 20, "one", "one"), "it may handle the end");
        assert!(
            !told_of(&straight, 20, "three", "three"),
            "none before it ran"
        );
    }
}
