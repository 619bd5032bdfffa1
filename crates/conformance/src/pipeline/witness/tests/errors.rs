//! What runs failed of, in the words of the vendor and of the connector.

use super::*;

/// The verdict over runs whose errors, and the vendor's words for them, somebody changed.
fn of_errors(change: &dyn Fn(i64, &mut Json, &mut Json)) -> Testimony {
    let (mut known, mut runs) = (records(), events());
    for run in (0..RUNS).filter(|run| is_bad(*run)) {
        let at = run as usize;
        let texts = [
            "no disk",
            "no such table: orders",
            "out of memory",
            "denied by host",
        ];
        known[at]["failure"] = format!("it ended: {}", texts[at / 3]).into();
        known[at]["job"]["name"] = format!("load {}", run % 4).into();
        change(run, &mut known[at], &mut runs[at]["error"]);
    }
    of_runs(&known, runs)
}

#[test]
fn one_text_for_all_may_name_the_run_and_its_job() {
    let named = |run: i64| format!("job load {} failed in run {run}", run % 4);
    let one = "one text for 4 runs";
    blamed(
        &of_errors(&|run, _, error| error["message"] = named(run).into()),
        one,
    );
    not_blamed(&of_errors(&|run, _, error| {
        error["message"] = format!("exit code {}", 20 + run).into();
    }));
    not_blamed(&of_errors(&|run, _, error| {
        *error = json!({"message": named(run), "code": format!("E{run}")});
    }));
    // A code may be all that a connector gives.
    not_blamed(&of_errors(&|run, _, error| {
        error["message"] = format!("E_{}", ["A", "B", "C", "D"][run as usize / 3]).into();
    }));
}

#[test]
fn one_text_may_come_from_a_record_of_something_else() {
    let of = |more: Json, text: &str| {
        of_errors(&|run, record, error| {
            if run == 0 {
                record["more"] = json!([more]);
            }
            error["message"] = text.into();
        })
    };
    let text = "the warehouse was suspended";
    blamed(&of(json!({"why": "none"}), text), "one text for 4 runs");
    not_blamed(&of(json!({"why": text}), &format!("failed: {text}")));
    not_blamed(&of(json!({"why": "OOM"}), "OOM"));
}

#[test]
fn texts_that_the_connector_cuts_are_wrong() {
    let cut = |record: &Json| record["failure"].as_str().unwrap()[..11].to_owned();
    blamed(
        &of_errors(&|_, record, error| error["message"] = cut(record).into()),
        "texts cut to 11 letters",
    );
    let (mut known, mut runs) = (records(), events());
    for run in (0..RUNS as usize).filter(|run| is_bad(*run as i64)) {
        known[run]["failure"] = format!("{run}th step had no room").into();
        runs[run]["error"]["message"] = cut(&known[run]).into();
    }
    (known[1]["result"], known[1]["failure"]) = ("STOPPED".into(), "by hand".into());
    runs[1]["status"] = "cancelled".into();
    runs[1]["raw_status"] = "STOPPED".into();
    blamed(&of_runs(&known, runs), "texts cut to 11 letters");
    not_blamed(&of_errors(&|_, record, error| {
        record["short"] = cut(record).into();
        error["message"] = cut(record).into();
    }));
    not_blamed(&of_errors(&|_, record, error| {
        error["message"] = record["failure"].clone();
    }));
}
