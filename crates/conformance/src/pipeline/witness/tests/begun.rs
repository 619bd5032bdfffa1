//! What began runs, and when, read rightly and with one mistake each.

use super::*;

/// A run with what began it by the vendor and by the connector, and other things that the vendor says.
type Change<'c> = &'c dyn Fn(i64, &mut Json, &mut Json);

fn changed(change: Change<'_>) -> (Vec<Json>, Vec<Json>) {
    let (mut known, mut runs) = (records(), events());
    for (run, (record, event)) in (0..).zip(known.iter_mut().zip(&mut runs)) {
        let said = ["API", "SCHEDULE", "MANUAL"][run as usize / 4];
        (record["triggerType"], event["trigger"]) = (said.into(), said.into());
        change(run, record, event);
    }
    (known, runs)
}

fn with(change: Change<'_>) -> Testimony {
    let (known, runs) = changed(change);
    of_runs(&known, runs)
}

#[test]
fn what_one_began_is_not_taken_for_what_another_did() {
    let takes = |event: &mut Json, said: &str, given: &str| {
        if event["trigger"] == said {
            event["trigger"] = given.into();
        }
    };
    not_blamed(&with(&|_, _, _| ()));
    blamed(
        &with(&|_, _, event| takes(event, "MANUAL", "API")),
        "`triggerType` says: API for 4 runs",
    );
    let excuses: [Change<'_>; 6] = [
        // A run that is tried again may have been so by hand, and what catches up, too.
        &|run, record, event| {
            record["triggerType"] = ["MANUAL", "RETRY"][run as usize / 4 % 2].into();
            event["trigger"] = "RETRY".into();
        },
        &|run, record, event| {
            record["triggerType"] = ["API", "BACKFILL"][run as usize / 4 % 2].into();
            event["trigger"] = "API".into();
        },
        // What a run is given is not why it began.
        &|_, record, event| {
            record["params"] = json!({"type": record["triggerType"].take()});
            takes(event, "MANUAL", "API");
        },
        // One word for all runs of a job is of the job.
        &|run, record, event| {
            record["triggerType"] = ["API", "SCHEDULE", "MANUAL", "EVENT"][run as usize % 4].into();
            event["trigger"] = if run % 4 == 2 {
                "API".into()
            } else {
                record["triggerType"].clone()
            };
        },
        // Another place says so.
        &|_, record, event| {
            if event["trigger"] == "MANUAL" {
                record["by"] = "via api token".into();
            }
            takes(event, "MANUAL", "API");
        },
        // Two alone are an accident.
        &|run, record, event| {
            let said = if run < 2 {
                "MANUAL"
            } else {
                ["API", "EVENT"][run as usize / 4 % 2]
            };
            record["triggerType"] = said.into();
            event["trigger"] = if run < 2 { "API" } else { said }.into();
        },
    ];
    excuses
        .into_iter()
        .for_each(|excuse| not_blamed(&with(excuse)));
}

#[test]
fn times_of_jobs_are_not_those_of_their_runs() {
    let made = |job: i64| at(-1000 * (job + 1), 0).to_string();
    let told = |key: &str, hours: i64, queued: &dyn Fn(i64) -> Option<String>| {
        let (mut known, mut runs) = changed(&|run, record, event| {
            let flow = format!("flow-{}", run % 2);
            for (said, given, minutes) in
                [("startedAt", "start_time", 0), ("finished", "end_time", 2)]
            {
                let time = at(0, 60 * hours * run + minutes + run * minutes).to_string();
                (record[said], event[given]) = (time.clone().into(), time.into());
            }
            event["event_time"] = event["end_time"].clone();
            (record["flow"], event["job_source_id"]) = (flow.clone().into(), flow.into());
            record.as_object_mut().unwrap().remove("created");
            match queued(run) {
                Some(queued) => event["queued_at"] = queued.into(),
                None => _ = event.as_object_mut().unwrap().remove("queued_at"),
            }
        });
        for record in &mut known {
            record.as_object_mut().unwrap().remove("job");
        }
        runs.iter_mut()
            .for_each(|run| _ = run.as_object_mut().unwrap().remove("run_url"));
        let flows: Vec<Json> = (0..2)
            .map(|job| json!({key: format!("flow-{job}"), "made": made(job), "title": format!("Flow {job}")}))
            .collect();
        of_answers(vec![json!({"flows": flows}), json!({"runs": known})], runs)
    };
    let of_job = |run: i64| Some(made(run % 2));
    blamed(
        &told("key", 12, &of_job),
        "the run's own `queued_at`: `made` of the job, in 12 runs",
    );
    not_blamed(&told("key", 12, &|_| None));
    // All may be tries of one order, which is queued once.
    not_blamed(&told("key", 1, &of_job));
    // Most have times of their own.
    not_blamed(&told("key", 12, &|run| match run {
        0..4 => of_job(run),
        _ => Some(at(0, 720 * run - 3).to_string()),
    }));
}
