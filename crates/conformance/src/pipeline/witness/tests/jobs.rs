//! Jobs, read rightly and with one mistake each.

use bowline_contract::pipeline::AssetEvent;

use super::*;

#[test]
fn jobs_are_compared_too() {
    let judged = |change: &dyn Fn(usize, &mut Json, &mut Json)| {
        let mut witness = Witness::default();
        let (mut records, mut assets) = (Vec::new(), Vec::new());
        for number in 0..4 {
            let (mut record, mut asset) = job(number);
            change(number as usize, &mut record, &mut asset);
            witness.see(&asset);
            records.push(record);
            assets.push(AssetEvent::new(asset));
        }
        records.push(json!({"id": 9, "title": "old", "kind": "folder"}));
        let teams = [0, 1].map(|n| json!({"key": format!("g{n}"), "label": format!("Team {n}")}));
        let people = (0..4)
            .map(|n| json!({"mail": format!("o{n}@e.example"), "called": format!("Ann {n}")}));
        witness.hear(&VendorAnswers {
            documents: vec![json!(records), people.collect(), json!({"teams": teams})],
            is_cut: false,
        });
        witness.of_jobs(&assets)
    };
    let right = judged(&|_, _, _| ());
    assert_eq!(
        right.outcome.verdict(),
        Verdict::Supported,
        "{:?}",
        right.outcome
    );
    assert!(
        right.advice[0].contains("the only kind with `kind` = `folder`"),
        "{:?}",
        right.advice
    );
    let schedules = judged(&|number, job, _| job["scheduleEnabled"] = (number == 2).into());
    assert_eq!(schedules.outcome.verdict(), Verdict::Supported);
    blamed(
        &judged(&|_, _, job| job["is_paused"] = (job["is_paused"] == false).into()),
        "the opposite of every job",
    );
    blamed(
        &judged(&|_, _, asset| asset["owner"] = job(0).1["owner"].clone()),
        "`owner.primary_email` from the record",
    );
    let joined = judged(&|_, _, asset| asset["owner"]["primary_name"] = "Ann 0".into());
    assert_eq!(joined.outcome.verdict(), Verdict::Supported);
    let is_told = |line: &String| line.contains("`owner.primary_name` from the record");
    assert!(joined.advice.iter().any(is_told), "{:?}", joined.advice);
    type Change = fn(usize, &mut Json, &mut Json);
    let changes: [(Change, Option<&str>); 15] = [
        (
            |number, job, asset| {
                job["quartz"] = format!("0 {number} 4 ? * MON").into();
                asset["schedule"] = json!({"cron_expression": format!("0 {number} 4 * *")});
            },
            Some("its seconds for minutes, in 4 jobs"),
        ),
        (
            |number, job, asset| {
                job["quartz"] = format!("0 {number} 4 ? * MON").into();
                asset["schedule"] = json!({"cron_expression": format!("{number} 4 * * MON")});
            },
            None,
        ),
        // Every second is every minute, at best.
        (
            |_, job, asset| {
                job["quartz"] = "* * * * * ?".into();
                asset["schedule"] = json!({"cron_expression": "* * * * *"});
            },
            None,
        ),
        // A year, and no seconds.
        (
            |number, job, asset| {
                job["cron"] = format!("{number} 4 ? * MON *").into();
                asset["schedule"] = json!({"cron_expression": format!("{number} 4 ? * MON")});
            },
            None,
        ),
        (
            |_, job, asset| {
                (job["cron"], job["zone"]) = ("0 4 * * *".into(), "Europe/Berlin".into());
                asset["schedule"] = json!({"cron_expression": "0 4 * * *", "timezone": "UTC"});
            },
            Some("UTC for 4 jobs"),
        ),
        // Whoever turns the expression into UTC's says so.
        (
            |_, job, asset| {
                (job["cron"], job["zone"]) = ("0 4 * * *".into(), "Europe/Berlin".into());
                asset["schedule"] = json!({"cron_expression": "0 3 * * *", "timezone": "UTC"});
            },
            None,
        ),
        // What comes every hour is the same everywhere, nearly.
        (
            |_, job, asset| {
                (job["cron"], job["zone"]) = ("0 * * * *".into(), "Europe/Berlin".into());
                asset["schedule"] = json!({"cron_expression": "0 * * * *", "timezone": "UTC"});
            },
            None,
        ),
        (
            |_, job, asset| {
                (job["cron"], job["displayZone"]) = ("0 4 * * *".into(), "Europe/Berlin".into());
                asset["schedule"] = json!({"cron_expression": "0 4 * * *", "timezone": "UTC"});
            },
            None,
        ),
        (
            |_, job, asset| {
                (job["cron"], job["zone"], job["timezone"]) =
                    ("0 4 * * *".into(), "Europe/Berlin".into(), "utc".into());
                asset["schedule"] = json!({"cron_expression": "0 4 * * *", "timezone": "UTC"});
            },
            None,
        ),
        (
            |number, job, asset| {
                let state = if number < 2 {
                    "disabled_by_hand"
                } else {
                    "active"
                };
                (job["enabled"], job["state"]) = (Json::Null, state.into());
                asset["is_paused"] = false.into();
            },
            Some("no job that is"),
        ),
        (
            |number, job, asset| {
                let state = if number < 2 { "DISABLE" } else { "ENABLE" };
                job["options"] = json!({"LogSubscription": state, "status": {"log": state}});
                (job["enabled"], asset["is_paused"]) = (Json::Null, false.into());
            },
            None,
        ),
        (
            |number, job, asset| {
                let state = if number < 2 {
                    "disabled_by_hand"
                } else {
                    "active"
                };
                (job["enabled"], job["state"]) = (Json::Null, state.into());
                (asset["is_paused"], asset["schedule"]) =
                    (false.into(), json!({"paused": number < 2}));
            },
            None,
        ),
        // Ids of groups are small numbers, as those of jobs.
        (
            |number, job, asset| {
                let group = 100 + (number + 1) % 4;
                (job["set"], asset["group"]) = (
                    json!({"id": group, "label": format!("Team {group}")}),
                    json!({"source_id": group.to_string(), "name": format!("Team {group}")}),
                );
            },
            None,
        ),
        (
            |number, _, asset| {
                asset["group"] = json!({"source_id": format!("g{}", number % 2), "name": "Team 0"})
            },
            Some("a `name` from the record"),
        ),
        (
            |number, _, asset| {
                let group = number % 2;
                asset["group"] =
                    json!({"source_id": format!("g{group}"), "name": format!("Team {group}")});
            },
            None,
        ),
    ];
    for (number, (change, words)) in changes.into_iter().enumerate() {
        let testimony = judged(&change);
        match words {
            Some(words) => blamed(&testimony, words),
            None => assert_eq!(testimony.outcome.verdict(), Verdict::Supported, "{number}"),
        }
    }
    blamed(
        &judged(&|number, _, asset| {
            asset["name"] = job((number as i64 + number as i64 / 2) % 4).1["name"].clone()
        }),
        "`name` from the record",
    );
}
