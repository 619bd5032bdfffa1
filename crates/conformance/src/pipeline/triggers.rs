//! What began runs, against what their jobs say of it.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;
use serde_json::Value as Json;

use super::contradictions::{SEVERAL, by_id, first, texts};
use super::outcome::Outcome;
use super::schedules::{
    DAY, HOUR, goes_on, has_schedule, in_another_unit, is_twice_due, more_often, next_behind,
    scheduled,
};
use super::triggered_by::{by_schedule_and_run, by_the_latest, by_their_own_jobs, triggered};

/// What began runs otherwise than their jobs say, if anything did.
pub(super) fn begun_otherwise(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = by_id(assets);
    first([
        (
            by_those_after(&jobs, runs),
            "jobs that trigger those whose runs theirs begin",
            "give as `triggered_job_source_ids` the jobs that come after, and not those before",
        ),
        (
            by_their_own_jobs(&jobs, runs, true),
            "runs that were triggered by those of other jobs",
            "give as `triggered_by_run_source_id` the run that the vendor names, with its own job",
        ),
        (
            by_the_latest(runs),
            "runs that were triggered by earlier ones",
            "give as `triggered_by_run_source_id` the run that the vendor names, and not the last one of its job",
        ),
        (
            next_behind(&jobs, runs, DAY),
            "next runs that lie ahead",
            "see in which zone the vendor writes `next_run_at`",
        ),
        (
            all_by_hand(&jobs, runs),
            "runs that a schedule began, of jobs that have one",
            "take `trigger` from what the vendor says of the run",
        ),
        (
            by_schedules_elsewhere(&jobs, runs),
            "schedules of the jobs that schedules begin runs of",
            "join schedules to jobs by their ids",
        ),
        (
            more_often(&jobs, runs),
            "jobs that run as often as their schedules say",
            "join schedules to jobs by their ids, and give each as the vendor does",
        ),
        (
            in_another_unit(&jobs, runs),
            "jobs that run as often as their schedules say",
            "give `interval_seconds` in seconds",
        ),
    ])
}

/// What somebody may have meant: jobs may go round and round, a schedule may count for all that follows what it begins,
/// and a vendor may be slow to say when a job runs next.
pub(super) fn doubtfully_begun(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = by_id(assets);
    first([
        (
            by_their_own_jobs(&jobs, runs, false),
            "runs that were triggered by those of other jobs",
            "give as `triggered_by_run_source_id` the run that the vendor names, and not the one before",
        ),
        (
            by_schedule_and_run(&jobs, runs),
            "runs that others triggered, where they name them and their jobs run after others",
            "take `trigger` from what the vendor says of the run",
        ),
        (
            next_behind(&jobs, runs, HOUR),
            "next runs that lie ahead",
            "see in which zone the vendor writes `next_run_at`",
        ),
    ])
}

/// Jobs whose runs trigger those of another that says itself to trigger them, where most are such.
fn by_those_after(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let pairs: BTreeSet<(&str, &str)> = triggered(runs)
        .into_iter()
        .filter_map(|(before, run)| Some((before.job_source_id()?, run.job_source_id()?)))
        .filter(|(before, after)| before != after)
        .collect();
    let says = |one: &str, other: &str| {
        let job = jobs.get(one);
        job.is_some_and(|job| texts(&job["triggered_job_source_ids"]).any(|id| id == other))
    };
    let straight = pairs.iter().filter(|(before, after)| says(before, after));
    let straight = straight.count();
    let turned = pairs
        .iter()
        .filter(|(before, after)| says(after, before) && !says(before, after));
    let lines: Vec<String> = turned
        .map(|(before, after)| {
            format!("job `{after}` says that it triggers `{before}`, whose runs trigger its own")
        })
        .collect();
    if lines.len() < 2 || straight > 0 {
        return Vec::new();
    }
    lines
}

/// Runs that are all said to be begun by hand, though several of their jobs have schedules that are at work.
fn all_by_hand(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let triggers: BTreeSet<&str> = runs.iter().filter_map(RunEvent::trigger).collect();
    if triggers != BTreeSet::from(["MANUAL"]) {
        return Vec::new();
    }
    let lines: Vec<String> = jobs
        .iter()
        .filter(|(id, job)| is_twice_due(job, id, runs))
        .filter_map(|(id, _)| {
            let own = runs.iter().filter(|run| run.job_source_id() == Some(id));
            let count = own.count();
            (count >= SEVERAL).then(|| {
                format!(
                    "job `{id}` has a schedule, and somebody began all of {}",
                    counted(count, "run")
                )
            })
        })
        .collect();
    if lines.len() < SEVERAL {
        return Vec::new();
    }
    lines
}

/// Jobs without a schedule that schedules begin runs of, where several of those that have one are never begun by it:
/// schedules were joined to other jobs.
fn by_schedules_elsewhere(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let ran = |id: &str| {
        let own = runs.iter().filter(|run| run.job_source_id() == Some(id));
        // What follows its own last run may have the schedule for its pause.
        own.filter(|run| run.trigger().is_some_and(|trigger| trigger != "CYCLIC"))
            .count()
    };
    let mut begun = 0;
    let mut never = 0;
    let mut lines = Vec::new();
    for (id, job) in jobs {
        let of_schedule = scheduled(runs, id).len();
        if has_schedule(job) {
            begun += usize::from(of_schedule > 0);
            let is_due = is_twice_due(job, id, runs);
            never += usize::from(of_schedule == 0 && ran(id) >= 2 && is_due);
        } else if job["schedule"]["kind"].is_string()
            && job["is_paused"] != true
            && of_schedule >= SEVERAL
            && goes_on(runs, id)
        {
            lines.push(format!(
                "job `{id}` has no schedule, and schedules began {}",
                counted(of_schedule, "run")
            ));
        }
    }
    if lines.len() < 2 || never < 2 || begun > never {
        lines.clear();
    }
    lines
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::job;

    fn runs(job: &str, hour: u8, fields: &Json) -> Vec<RunEvent> {
        (0..4)
            .map(|day| {
                let at = |minute: u8| format!("2026-01-0{}T{hour:02}:{minute:02}:00Z", day + 1);
                let mut run = json!({
                    "job_source_id": job, "run_source_id": format!("{job}-{day}"), "start_time": at(0),
                    "end_time": at(5), "event_time": at(5),
                });
                for (field, value) in fields.as_object().unwrap() {
                    let text = value.as_str().unwrap().replace("{day}", &day.to_string());
                    run[field] = text.into();
                }
                RunEvent::new(run)
            })
            .collect()
    }

    fn told(jobs: &[AssetEvent], runs: &[Vec<RunEvent>]) -> Option<String> {
        line(begun_otherwise(jobs, &runs.concat())?)
    }

    fn doubt(runs: &[Vec<RunEvent>]) -> Option<String> {
        line(doubtfully_begun(&[], &runs.concat())?)
    }

    fn line(outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Wrong(fault) => fault.evidence.into_iter().next(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn runs_are_triggered_by_earlier_ones_of_the_job_before() {
        let says = |one: &str, other: &str| job(one, json!({"triggered_job_source_ids": [other]}));
        let first = runs("a", 1, &json!({}));
        let second = |hour| runs("b", hour, &json!({"triggered_by_run_source_id": "a-{day}"}));
        let ab = [says("a", "b"), job("b", json!({}))];
        assert_eq!(told(&ab, &[first.clone(), second(2)]), None);
        let later = [first.clone(), second(0)];
        assert_eq!(
            told(&ab, &later),
            None,
            "the first may have been started anew"
        );
        let turned = [job("a", json!({})), says("b", "a"), says("d", "c")];
        let others = [
            runs("c", 1, &json!({})),
            runs("d", 2, &json!({"triggered_by_run_source_id": "c-{day}"})),
        ];
        let all = [first, second(2), others[0].clone(), others[1].clone()];
        assert_eq!(
            told(&turned, &all).as_deref(),
            Some("job `b` says that it triggers `a`, whose runs trigger its own")
        );
        assert_eq!(
            told(&turned[..2], &all[..2]),
            None,
            "one may go round and round"
        );
    }

    #[test]
    fn schedules_begin_the_runs_of_the_jobs_that_have_them() {
        let cron = json!({"schedule": {"kind": "cron", "cron_expression": "0 1 * * *"}});
        let hand = json!({"schedule": {"kind": "manual"}});
        let jobs = [
            job("a", cron.clone()),
            job("b", cron.clone()),
            job("c", cron),
            job("d", hand.clone()),
            job("e", hand),
        ];
        let all = |of_schedule: &str, by_hand: &str| {
            [
                ("a", of_schedule),
                ("b", of_schedule),
                ("c", of_schedule),
                ("d", by_hand),
                ("e", by_hand),
            ]
            .map(|(id, trigger)| runs(id, 1, &json!({"trigger": trigger})))
        };
        assert_eq!(told(&jobs, &all("SCHEDULE", "MANUAL")), None);
        assert_eq!(
            told(&jobs, &all("SCHEDULE", "SCHEDULE")),
            None,
            "schedules of somebody else's"
        );
        assert_eq!(
            told(&jobs, &all("MANUAL", "MANUAL")).as_deref(),
            Some("job `a` has a schedule, and somebody began all of 4 runs")
        );
        assert_eq!(
            told(&jobs, &all("API", "SCHEDULE")).as_deref(),
            Some("job `d` has no schedule, and schedules began 4 runs")
        );
        assert_eq!(
            told(&jobs, &all("CYCLIC", "SCHEDULE")),
            None,
            "each began its own next one"
        );
        let weekly = json!({"schedule": {"kind": "cron", "cron_expression": "0 1 * * 1"}});
        let weekly = ["a", "b", "c"].map(|id| job(id, weekly.clone()));
        assert_eq!(told(&weekly, &all("MANUAL", "MANUAL")), None, "seldom due");
        let mut moved = all("API", "SCHEDULE");
        for (place, hour) in [(0, 23), (1, 23), (2, 23)] {
            let more = runs(
                jobs[place].job_source_id().unwrap(),
                hour,
                &json!({"trigger": "API"}),
            );
            moved[place] = [moved[place].clone(), more].concat();
        }
        for runs in &mut moved[3..] {
            runs.truncate(3);
            runs.rotate_left(1);
            runs.truncate(2);
        }
        assert_eq!(told(&jobs, &moved), None, "moved to other jobs since");
    }

    #[test]
    fn expressions_come_as_often_as_jobs_run() {
        let hourly = |job: &str, steady: bool| -> Vec<RunEvent> {
            (0..8)
                .map(|hour| {
                    let minute = if steady { 15 } else { hour * hour * 7 % 60 };
                    let at = format!("2026-01-01T{hour:02}:{minute:02}:00Z");
                    RunEvent::new(
                        json!({"job_source_id": job, "run_source_id": format!("{job}-{hour}"),
                        "trigger": "SCHEDULE", "start_time": at, "event_time": at}),
                    )
                })
                .collect()
        };
        let told = |expression: &str, steady: bool| {
            let cron = json!({"schedule": {"kind": "cron", "cron_expression": expression}});
            let jobs = [job("a", cron.clone()), job("b", cron)];
            told(&jobs, &["a", "b"].map(|id| hourly(id, steady)))
        };
        assert_eq!(
            told("15 4 * * *", true).as_deref(),
            Some(
                "job `a` runs every 3600 s by its schedule, and `cron_expression` is `15 4 * * *`"
            )
        );
        assert_eq!(told("15 * * * *", true), None);
        assert_eq!(told("15 4 * * *", false), None, "it catches up");
    }

    #[test]
    fn runs_of_other_jobs_trigger() {
        let all = ["a", "b"].map(|id| {
            let mut runs = runs(id, 1, &json!({"trigger": "UPSTREAM"}));
            for (day, run) in runs.iter_mut().enumerate().skip(1) {
                let before = format!("{id}-{}", day - 1).into();
                let fields = run.fields_mut().unwrap();
                fields.insert("triggered_by_run_source_id".to_owned(), before);
            }
            runs
        });
        assert_eq!(told(&[], &all), None, "they may go round and round");
        assert_eq!(
            doubt(&all).as_deref(),
            Some("run `a-1` of job `a`: names `a-0`, a run of the same job")
        );
        assert_eq!(doubt(&all[..1]), None);
    }

    #[test]
    fn a_schedule_may_count_for_what_follows_its_runs() {
        let after = json!({"schedule": {"kind": "upstream", "upstream_job_source_ids": ["root"]}});
        let jobs = ["a", "b"].map(|id| job(id, after.clone()));
        let child = json!({"trigger": "SCHEDULE", "triggered_by_run_source_id": "root-{day}"});
        let all = [
            runs("root", 1, &json!({"trigger": "SCHEDULE"})),
            runs("a", 2, &child),
            runs("b", 2, &child),
        ];
        assert_eq!(told(&jobs, &all), None);
        let doubt = doubtfully_begun(&jobs, &all.concat()).and_then(line);
        assert_eq!(
            doubt.as_deref(),
            Some("run `a-0` of job `a`: `trigger` is `SCHEDULE`, and run `root-0` triggered it")
        );
    }

    #[test]
    fn intervals_are_seconds() {
        let every = |id: &str, seconds: i64| {
            job(
                id,
                json!({"schedule": {"kind": "interval", "interval_seconds": seconds}}),
            )
        };
        let all = ["a", "b"].map(|id| runs(id, 1, &json!({"trigger": "SCHEDULE"})));
        let told = |seconds| told(&[every("a", seconds), every("b", seconds)], &all);
        assert_eq!(told(86_400), None);
        assert_eq!(told(3600), None, "nothing to do most of the time");
        assert_eq!(told(30), None);
        assert_eq!(
            told(24).as_deref(),
            Some("job `a` runs every 86400 s by its schedule, and `interval_seconds` is 24")
        );
        assert!(told(1).is_some());
        let hours = |hours: [i64; 3]| {
            let jobs = [("a", hours[0]), ("b", hours[1]), ("c", hours[2])];
            let evenly = |(id, hours): (&str, i64)| -> Vec<RunEvent> {
                let start =
                    |nth: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(nth * hours);
                (0..5)
                    .map(|nth| {
                        RunEvent::new(
                            json!({"job_source_id": id, "run_source_id": format!("{id}{nth}"),
                            "trigger": "SCHEDULE", "start_time": start(nth).to_string()}),
                        )
                    })
                    .collect()
            };
            let minutes = [every("a", 60), every("b", 120), every("c", 180)];
            in_another_unit(&by_id(&minutes), &jobs.map(evenly).concat()).len()
        };
        assert_eq!(hours([1, 2, 3]), 3);
        assert_eq!(hours([1, 1, 1]), 0, "nothing to do most of the time");
    }

    #[test]
    fn next_runs_lie_ahead() {
        let ids = ["a", "b", "c"];
        let behind = |all: &[RunEvent], next: &str, late: i64| {
            let jobs = ids.map(|id| {
                job(id, json!({"schedule": {"kind": "interval", "interval_seconds": 86_400, "next_run_at": next}}))
            });
            next_behind(&by_id(&jobs), all, late).len()
        };
        let daily = ids
            .map(|id| runs(id, 1, &json!({"trigger": "SCHEDULE"})))
            .concat();
        let told = |next: &str| behind(&daily, next, DAY);
        assert_eq!(told("2026-01-01T16:00:00Z"), 3);
        assert_eq!(told("2026-01-05T01:00:00Z"), 0);
        assert_eq!(told("2026-01-03T01:00:00Z"), 0, "the day that it is about");
        for day in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+02:00"] {
            assert_eq!(told(day), 0, "{day}: a day");
        }
        let hourly = |(id, hour): (&str, u8)| {
            let at = format!("2026-01-01T{hour:02}:00:00Z");
            RunEvent::new(
                json!({"job_source_id": id, "run_source_id": format!("{id}{hour}"),
                "trigger": "SCHEDULE", "start_time": at, "event_time": at}),
            )
        };
        let hourly: Vec<RunEvent> = ids
            .into_iter()
            .flat_map(|id| (8..16).map(move |hour| hourly((id, hour))))
            .collect();
        assert_eq!(behind(&hourly, "2026-01-01T09:00:00Z", DAY), 0);
        assert_eq!(behind(&hourly, "2026-01-01T09:00:00Z", HOUR), 3);
    }
}
