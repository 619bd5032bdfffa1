//! A vendor with four jobs and twelve runs, read rightly and with one mistake each.

use bowline_contract::pipeline::{PipelineManifest, RunEvent, Window};
use bowline_pipeline::VendorAnswers;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::{Testimony, Witness};
use crate::Verdict;
use crate::pipeline::outcome::Outcome;

mod begun;
mod errors;
mod faithful;
mod jobs;

const RUNS: i64 = 12;

fn at(run: i64, minutes: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:07Z".parse().unwrap();
    noon + SignedDuration::from_mins(run * 61 + minutes)
}

fn is_bad(run: i64) -> bool {
    run % 3 == 0
}

/// What the vendor says of a run.
fn record(run: i64) -> Json {
    let failed = is_bad(run);
    json!({
        "id": run, "job": {"id": 100 + run % 4}, "result": if failed { "FAILED" } else { "OK" },
        "created": at(run, -9).to_string(), "startedAt": at(run, 0).as_millisecond(),
        "finished": at(run, run + 1).to_string(), "attempt": 1 + run % 2,
        "triggerType": if run % 5 == 0 { "manual" } else { "scheduled" },
        "failure": failed.then(|| format!("step {run} ran out of disk")),
        "link": format!("https://vendor.example/runs/{run}"),
    })
}

/// What a right connector makes of it.
fn event(run: i64) -> Json {
    let mut event = json!({
        "job_source_id": (100 + run % 4).to_string(), "run_source_id": run.to_string(), "raw_status": "OK",
        "status": "success", "queued_at": at(run, -9).to_string(), "start_time": at(run, 0).to_string(),
        "end_time": at(run, run + 1).to_string(), "event_time": at(run, run + 1).to_string(),
        "attempt_number": 1 + run % 2, "trigger": if run % 5 == 0 { "MANUAL" } else { "SCHEDULE" },
        "run_url": format!("https://vendor.example/runs/{run}"),
    });
    if is_bad(run) {
        event["status"] = "failed".into();
        event["raw_status"] = "FAILED".into();
        event["error"] = json!({"message": format!("step {run} ran out of disk")});
    }
    event
}

fn job(number: i64) -> (Json, Json) {
    let id = 100 + number;
    let (name, enabled) = (format!("load {number}"), number != 2);
    (
        json!({"id": id, "title": name, "enabled": enabled, "kind": "flow", "owner": {"mail": format!("o{number}@e.example")}}),
        json!({"job_source_id": id.to_string(), "name": name, "is_paused": !enabled,
            "owner": {"primary_email": format!("o{number}@e.example")}}),
    )
}

/// The verdict over runs of which somebody changed the events.
fn of_runs(records: &[Json], events: Vec<Json>) -> Testimony {
    of_answers(vec![json!({ "runs": records })], events)
}

/// The same by answers with the vendor's runs.
fn of_answers(answers: Vec<Json>, events: Vec<Json>) -> Testimony {
    let mut witness = Witness::default();
    let jobs: Vec<Json> = (0..4).map(|number| job(number).0).collect();
    witness.hear(&VendorAnswers {
        documents: [vec![json!({ "jobs": jobs })], answers].concat(),
        is_cut: false,
    });
    for number in 0..4 {
        witness.see(&job(number).1);
    }
    let runs: Vec<RunEvent> = events.into_iter().map(RunEvent::new).collect();
    runs.iter().for_each(|run| witness.see(run.json()));
    let manifest = PipelineManifest::parse(
        r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": "Vendor", "asset_class": "etl",
            "run_status_mapping": {"OK": "success", "FAILED": "failed", "BUSY": "in_progress"}}"#,
    )
    .unwrap();
    let span = Window {
        start: at(0, -60),
        end: at(RUNS, 60),
    };
    witness.of_runs(&runs, span, &manifest)
}

fn records() -> Vec<Json> {
    (0..RUNS).map(record).collect()
}

fn events() -> Vec<Json> {
    (0..RUNS).map(event).collect()
}

#[track_caller]
fn blamed(testimony: &Testimony, words: &str) {
    let Outcome::Wrong(fault) = &testimony.outcome else {
        panic!("not blamed for `{words}`: {:?}", testimony.outcome);
    };
    let told = format!("{}: {}", fault.expected, fault.got);
    assert!(told.contains(words), "{told}");
}

fn not_blamed(testimony: &Testimony) {
    let outcome = &testimony.outcome;
    assert_eq!(outcome.verdict(), Verdict::Supported, "{outcome:?}");
}

#[test]
fn a_right_connector_is_not_blamed() {
    let testimony = of_runs(&records(), events());
    not_blamed(&testimony);
    assert!(testimony.advice.is_empty());
}

#[test]
fn what_is_of_another_record_is_wrong() {
    for (field, words) in [
        ("run_url", "a `run_url` from the record"),
        ("end_time", "a `end_time` from the record"),
        ("job_source_id", "a `job_source_id` from the record"),
    ] {
        let mut joined_by_place = events();
        for (run, joined) in joined_by_place.iter_mut().enumerate().skip(6) {
            joined[field] = event((run as i64 + 1) % RUNS)[field].clone();
        }
        blamed(&of_runs(&records(), joined_by_place), words);
        let mut kept_from_the_first = events();
        kept_from_the_first
            .iter_mut()
            .for_each(|run| run[field] = event(1)[field].clone());
        blamed(&of_runs(&records(), kept_from_the_first), words);
    }
}

#[test]
fn times_of_another_meaning_zone_or_unit_are_wrong() {
    type Mistake<'w> = (&'w str, &'w dyn Fn(i64) -> Timestamp, &'w str);
    let mistakes: [Mistake<'_>; 5] = [
        (
            "start_time",
            &|run| at(run, -9),
            "`startedAt` as `start_time`: its `created`",
        ),
        (
            "start_time",
            &|run| at(run, 120),
            "a moment 2 hours from it",
        ),
        (
            "end_time",
            &|run| at(run, run - 4),
            "11 times that the vendor does not say",
        ),
        (
            "end_time",
            &|run| at(run, run + 1) - SignedDuration::from_secs(at(run, run + 1).as_second() % 60),
            "cut to whole minutes",
        ),
        (
            "end_time",
            &|run| at(run, run + 1 + if run > 7 { 5 } else { 0 }),
            "4 times that the vendor does not say",
        ),
    ];
    for (field, time, words) in mistakes {
        let mut runs = events();
        for (run, event) in runs.iter_mut().enumerate() {
            event[field] = time(run as i64).to_string().into();
        }
        blamed(&of_runs(&records(), runs), words);
    }
}

/// The same with two steps in each run, of which the second may fail.
fn with_steps() -> (Vec<Json>, Vec<Json>) {
    let (mut known, mut runs) = (records(), events());
    for (number, (record, event)) in known.iter_mut().zip(&mut runs).enumerate() {
        let run = number as i64;
        let steps = ["read", "write"].into_iter().zip(0..).map(|(name, part)| {
            let is_bad = is_bad(run) && part == 1;
            let state = if is_bad { "FAILED" } else { "OK" };
            let (begun, ended) = (at(run, part), at(run, part + run + 1));
            let text = is_bad.then(|| format!("step {run} ran out of disk"));
            let record = json!({"name": name, "state": state, "startedAt": begun.to_string(), "finished": ended.to_string(), "why": text});
            let mut event = json!({"run_source_id": format!("{run}/{name}"), "task_source_id": name, "status": if is_bad { "failed" } else { "success" },
                "raw_status": state, "start_time": begun.to_string(), "end_time": ended.to_string()});
            if let Some(text) = text {
                event["error"] = json!({"message": text});
            }
            (record, event)
        });
        let (said, given): (Vec<Json>, Vec<Json>) = steps.unzip();
        record["steps"] = said.into();
        event["task_runs"] = given.into();
    }
    (known, runs)
}

#[test]
fn task_runs_are_compared_too() {
    let (known, right) = with_steps();
    let testimony = of_runs(&known, right.clone());
    not_blamed(&testimony);
    type Change = fn(&mut Json, &Json);
    let mistakes: [(Change, &str); 3] = [
        (
            |task, run| task["start_time"] = run["queued_at"].clone(),
            "the moment of the vendor's `startedAt` as `start_time`",
        ),
        (
            |task, run| task["end_time"] = run["queued_at"].clone(),
            "`finished` as `end_time`",
        ),
        (
            |task, _| (task["status"], task["error"]) = ("success".into(), Json::Null),
            "4 task runs that say the opposite",
        ),
    ];
    for (change, words) in mistakes {
        let mut runs = right.clone();
        for run in &mut runs {
            let whole = run.clone();
            run["task_runs"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|task| change(task, &whole));
        }
        blamed(&of_runs(&known, runs), words);
    }
}

#[test]
fn runs_that_the_vendor_says_failed_did_not_go_well() {
    let mut runs = events();
    for run in [3, 6] {
        runs[run]["status"] = "success".into();
        runs[run].as_object_mut().unwrap().remove("error");
    }
    blamed(
        &of_runs(&records(), runs.clone()),
        "2 runs that say the opposite",
    );
    let mut about_data = records();
    for (run, record) in about_data.iter_mut().enumerate() {
        record["passed_sla"] = (run % 2 == 0).into();
        record["quality"] = json!({"status": if run == 5 { "failed" } else { "passed" }});
    }
    let right = of_runs(&about_data, events()).outcome.verdict();
    assert_eq!(right, Verdict::Supported);
    for meaning in ["allowFailure", "nature"] {
        let mut meant = records();
        for (run, record) in meant.iter_mut().enumerate() {
            record[meaning] = ([3, 6].contains(&run)).into();
        }
        let verdict = of_runs(&meant, runs.clone()).outcome.verdict();
        assert_eq!(verdict, Verdict::Supported, "{meaning}");
    }
}

#[test]
fn lists_are_read_until_they_leave_the_window() {
    let pages = |more: Json, first: i64| -> Json {
        let mut newest_first: Vec<Json> = (first..RUNS).rev().map(record).collect();
        newest_first.insert(0, json!({"id": 99, "job": {"id": 101}, "result": "BUSY"}));
        let mut page = json!({ "runs": newest_first });
        let Json::Object(more) = more else {
            panic!("no fields: {more}");
        };
        page.as_object_mut().unwrap().extend(more);
        page
    };
    let of = |more: Json, first: i64| of_answers(vec![pages(more, first)], events());
    let going_on = [
        json!({"page": {"hasMore": true}}),
        json!({"nextToken": "abc"}),
        json!({"next": "true"}),
    ];
    for more in going_on {
        blamed(&of(more.clone(), 0), "1 list cut short");
        not_blamed(&of(more.clone(), -3));
        let whole = pages(json!({"nextToken": Json::Null, "more": false}), 0);
        for end in [json!({"runs": []}), json!({"runs": null}), json!({}), whole] {
            not_blamed(&of_answers(vec![pages(more.clone(), 0), end], events()));
        }
        let other = json!({"message": "ok"});
        let testimony = of_answers(vec![pages(more, 0), other], events());
        blamed(&testimony, "1 list cut short");
    }
    // What was made before the window began shows that the list was read to there.
    let (mut page, mut runs) = (pages(json!({"next": "abc"}), 0), events());
    let (made, last) = (at(0, -70).to_string(), RUNS as usize);
    page["runs"][last]["created"] = made.clone().into();
    runs[0]["queued_at"] = made.into();
    not_blamed(&of_answers(vec![page], runs));
    for whole in [
        json!({"page": {"hasMore": false}}),
        json!({"nextToken": ""}),
        json!({"next": "None", "hasNext": "N"}),
        json!({"nextToken": "abc", "hasMore": false}),
        json!({"nextRunAt": "2026-11-30T00:00:00Z", "moreInfoUrl": "https://vendor.example/help"}),
        json!({"schedule": {"next": "2026-11-30T00:00:00Z"}}),
        json!({"total_count": 30}),
    ] {
        not_blamed(&of(whole, 0));
    }
}

#[test]
fn the_last_page_may_be_of_one_fate_or_job() {
    let page = |runs: std::ops::Range<i64>, change: &dyn Fn(&mut Json)| -> Json {
        let mut runs: Vec<Json> = runs.rev().map(record).collect();
        runs.iter_mut().for_each(change);
        runs.into()
    };
    let (mut known, mut runs) = (page(2..RUNS, &|_| ()), events());
    for (record, event) in known
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .rev()
        .zip(&mut runs[2..])
    {
        (record["result"], record["failure"]) = ("OK".into(), Json::Null);
        (event["status"], event["raw_status"]) = ("success".into(), "OK".into());
        event.as_object_mut().unwrap().remove("error");
    }
    let pages = vec![
        json!({"runs": known, "next": "abc"}),
        json!({"runs": page(0..1, &|_| ())}),
    ];
    not_blamed(&of_answers(pages, runs));
    let mut runs = events();
    for (run, event) in runs.iter_mut().enumerate() {
        event["job_source_id"] = if run < 6 { "100" } else { "101" }.into();
    }
    let pages = vec![
        json!({"runs": page(6..RUNS, &|run| run["job"]["id"] = 101.into()), "next": "abc"}),
        json!({"runs": page(0..6, &|run| run["job"]["id"] = 100.into()), "next": "def"}),
        json!({"runs": page(-3..-2, &|run| run["job"]["id"] = 102.into())}),
    ];
    not_blamed(&of_answers(pages, runs));
}

#[test]
fn lists_of_each_job_are_read_until_they_leave_the_window() {
    let of_job = |runs: &[i64], job: i64| -> Vec<Json> {
        let all = runs.iter().rev().map(|run| {
            let mut record = record(*run);
            record["job"]["id"] = job.into();
            record
        });
        all.collect()
    };
    let waiting = [98, 99].map(|run| json!({"id": run, "job": {"id": run + 2}, "result": "BUSY"}));
    let of = |first: &[i64], others: &[i64]| {
        let answers = vec![
            json!({"runs": of_job(first, 100), "next": "abc"}),
            json!({"runs": of_job(others, 101), "next": "def"}),
            json!({"runs": waiting}),
        ];
        let mut runs = events();
        for (run, event) in runs.iter_mut().enumerate() {
            event["job_source_id"] = (100 + run % 2).to_string().into();
        }
        of_answers(answers, runs)
    };
    let odd = [-2, 3, 5, 7, 9, 11];
    blamed(&of(&[0, 2, 4, 6, 8, 10], &odd), "1 list cut short");
    not_blamed(&of(&[-3, 0, 2, 4, 6, 8, 10], &odd));
    let longer = [-2, 1, 3, 5, 7, 9, 11];
    not_blamed(&of(&[0, 2, 4, 6, 8, 10], &longer));
}

#[test]
fn codes_may_be_meant_where_a_status_has_other_words() {
    let mut known = records();
    for (run, record) in known.iter_mut().enumerate() {
        let is_bad = is_bad(run as i64);
        record["result"] = if is_bad { "FAILED" } else { "COMPLETED" }.into();
        record["exitCode"] = match run {
            4 | 8 => 2,
            _ => i64::from(is_bad),
        }
        .into();
    }
    let judged = |known: &[Json]| of_runs(known, events());
    let right = judged(&known);
    assert_eq!(
        right.outcome.verdict(),
        Verdict::Supported,
        "{:?}",
        right.outcome
    );
    known.iter_mut().for_each(|record| {
        record["result"] = "COMPLETED".into();
    });
    blamed(&judged(&known), "2 runs that say the opposite");
}

#[test]
fn attempts_of_one_record_have_fates_of_their_own() {
    let known: Vec<Json> = (0..24).map(record).collect();
    let attempt = |run: i64, number: i64| {
        let mut event = event(run);
        event["run_source_id"] = format!("{run}/{number}").into();
        event
    };
    let mut runs: Vec<Json> = (0..24).map(|run| attempt(run, 2)).collect();
    for run in [4, 8] {
        let mut failed = attempt(run, 1);
        failed["status"] = "failed".into();
        runs.push(failed);
    }
    let testimony = of_runs(&known, runs);
    not_blamed(&testimony);
}

#[test]
fn what_is_said_at_two_places_counts_at_one_of_them() {
    let (mut known, mut runs) = (records(), events());
    for (run, (record, event)) in known.iter_mut().zip(&mut runs).enumerate() {
        record["finished"] = Json::Null;
        record["created"] = record["startedAt"].clone();
        event["queued_at"] = event["start_time"].clone();
        record["duration"] = (60 * (run + 1)).into();
        record["avgDuration"] = record["duration"].clone();
    }
    assert_eq!(of_runs(&known, runs).outcome.verdict(), Verdict::Supported);
}

#[test]
fn what_names_a_run_is_not_the_run() {
    let (mut known, mut runs) = (records(), events());
    let mut steps = Vec::new();
    for (run, (record, event)) in known.iter_mut().zip(&mut runs).enumerate() {
        let end = at(run as i64, run as i64 + 1);
        record["updated"] = record["finished"].take();
        event["end_time"] = end.to_string().into();
        let ended = (end - SignedDuration::from_secs(5)).to_string();
        steps.push(json!({"stepId": format!("s{run}"), "runId": run, "finishedAt": ended}));
    }
    known.push(json!({"id": 99, "steps": steps}));
    let testimony = of_runs(&known, runs);
    not_blamed(&testimony);
}

#[test]
fn times_may_be_made_of_others_and_lengths() {
    let of = |change: &dyn Fn(i64) -> Timestamp| {
        let (mut long, mut runs) = (records(), events());
        for (run, (record, event)) in long.iter_mut().zip(&mut runs).enumerate() {
            record["setupMs"] = ((20 + run) * 1000).into();
            event["end_time"] = change(run as i64).to_string().into();
        }
        of_runs(&long, runs).outcome.verdict()
    };
    let setup = |run: i64| SignedDuration::from_secs(20 + run);
    assert_eq!(of(&|run| at(run, run + 1) + setup(run)), Verdict::Supported);
    assert_eq!(of(&|run| at(run, run + 1) - setup(run)), Verdict::Wrong);
    assert_eq!(of(&|run| at(run, 0) + setup(run)), Verdict::Supported);
    assert_eq!(of(&|run| at(run, 0)), Verdict::Wrong, "the start");
}

#[test]
fn what_is_under_way_has_not_ended_and_what_was_stopped_has_not_failed() {
    let of = |numbers: &[usize], word: &str, change: &dyn Fn(&mut Json, &mut Json)| {
        let (mut known, mut runs) = (records(), events());
        for run in numbers {
            let (record, event) = (&mut known[*run], &mut runs[*run]);
            (record["result"], record["failure"]) = (word.into(), Json::Null);
            event.as_object_mut().unwrap().remove("error");
            change(record, event);
        }
        of_runs(&known, runs)
    };
    let right = |_: &mut Json, _: &mut Json| ();
    for (numbers, word) in [([1, 2, 4], "RUNNING"), ([3, 6, 9], "CANCELLED")] {
        blamed(&of(&numbers, word, &right), "3 runs otherwise");
        not_blamed(&of(&numbers[..2], word, &right));
        // What a word means is the manifest's to say.
        for own in [word.to_owned(), format!("done/{}", word.to_lowercase())] {
            not_blamed(&of(&numbers, word, &|_, event| {
                event["raw_status"] = own.clone().into();
            }));
        }
    }
    not_blamed(&of(&[3, 6, 9], "ABORTED", &right));
    not_blamed(&of(&[1, 2, 4], "STARTED", &right));
    not_blamed(&of(&[1, 2, 4], "RUNNING", &|_, event| {
        event["status"] = "failed".into();
    }));
    not_blamed(&of(&[3, 6, 9], "CANCELLED", &|record, _| {
        record["by"] = "exceeded its timeout".into();
    }));
    not_blamed(&of(&[3, 6, 9], "CANCELLED", &|record, event| {
        let text = format!("no room in {}", record["id"]);
        record["failure"] = text.clone().into();
        event["error"] = json!({"message": text});
    }));
}

#[test]
fn one_word_for_all_is_wrong_where_the_vendor_has_several() {
    for (field, word, words) in [
        (
            "error",
            json!({"message": "the run failed"}),
            "one text for 4 runs",
        ),
        ("trigger", json!("SCHEDULE"), "runs that it contradicts"),
        ("trigger", json!("UPSTREAM"), "runs that it contradicts"),
    ] {
        let mut runs = events();
        let having = runs.iter_mut().filter(|run| !run[field].is_null());
        having.for_each(|run| run[field] = word.clone());
        blamed(&of_runs(&records(), runs), words);
    }
}

#[test]
fn what_began_a_run_may_have_been_begun_by_hand() {
    for (said, given) in [
        ("manual", "UPSTREAM"),
        ("Triggered by pipeline user_dim", "SCHEDULE"),
        ("upstream web #12", "SCHEDULE"),
        ("web-hook", "SCHEDULE"),
        ("etl-user", "SCHEDULE"),
    ] {
        let (mut known, mut runs) = (records(), events());
        for (record, event) in known.iter_mut().zip(&mut runs) {
            if event["trigger"] == "MANUAL" {
                record["triggerType"] = said.into();
                event["trigger"] = given.into();
            }
        }
        let verdict = of_runs(&known, runs).outcome.verdict();
        assert_eq!(verdict, Verdict::Supported, "{said}");
    }
}

#[test]
fn runs_that_the_vendor_lists_and_that_do_not_come_are_wrong() {
    let mut runs = events();
    runs.retain(|run| run["trigger"] != "MANUAL");
    let testimony = of_runs(&records(), runs);
    blamed(&testimony, "3 runs of its answers missing");
    let Outcome::Wrong(fault) = testimony.outcome else {
        unreachable!("it was blamed")
    };
    assert!(
        fault.evidence[0].contains("`triggerType` = `manual`"),
        "{fault:?}"
    );
}

#[test]
fn runs_under_way_that_the_vendor_lists_come() {
    let open = |id: i64, run: i64, minutes: i64| json!({"id": id, "job": {"id": 101}, "result": "BUSY", "startedAt": at(run, minutes).as_millisecond()});
    let of = |more: Json, given: &[Json]| {
        let known: Vec<Json> = records().into_iter().chain([more]).collect();
        let mut runs = events();
        runs.extend_from_slice(given);
        of_runs(&known, runs)
    };
    blamed(&of(open(77, 3, 5), &[]), "1 run of its answers missing");
    not_blamed(&of(open(77, -3, 5), &[]));
    not_blamed(&of(open(77, RUNS, 55), &[]));
    let mut waiting = open(77, 3, 5);
    waiting["created"] = waiting["startedAt"].take();
    not_blamed(&of(waiting, &[]));
    let given = json!({"job_source_id": "101", "run_source_id": "78", "status": "in_progress"});
    not_blamed(&of(open(77, 3, 5), &[given]));
}

#[test]
fn runs_of_another_kind_or_job_and_those_outside_may_be_left_out() {
    type Odd = fn(&mut Json);
    let odd: [Odd; 6] = [
        |record| record["origin"] = "sandbox".into(),
        |record| record["runType"] = "test".into(),
        |record| record["job"]["id"] = 7.into(),
        |record| record["finished"] = "2026-11-29T00:00:00Z".into(),
        |record| record["result"] = "UNHEARD OF".into(),
        |record| record["rootRun"] = 3.into(),
    ];
    for change in odd {
        let mut with_more = records();
        with_more.iter_mut().for_each(|record| {
            (record["runType"], record["origin"]) = ("live".into(), "app".into())
        });
        let mut more = record(5);
        more["id"] = 77.into();
        (more["runType"], more["origin"]) = ("live".into(), "app".into());
        change(&mut more);
        with_more.push(more);
        not_blamed(&of_runs(&with_more, events()));
    }
    let mut again = records();
    again
        .iter_mut()
        .for_each(|record| record["attempt_type"] = "first".into());
    let mut more = record(5);
    (more["id"], more["attempt_type"]) = (77.into(), "retry".into());
    again.push(more);
    blamed(&of_runs(&again, events()), "1 run of its answers missing");
}

#[test]
fn a_vendor_that_names_no_ids_is_no_witness() {
    let mut nameless = records();
    nameless
        .iter_mut()
        .for_each(|record| record["id"] = "none".into());
    let testimony = of_runs(&nameless, events());
    assert_eq!(testimony.outcome.verdict(), Verdict::Unknown);
}
