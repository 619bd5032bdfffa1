//! Parts that fail while the rest is delivered: dead letters of their own.

use bowline_contract::pipeline::RunEvent;
use bowline_pipeline::{FailedPart, Part};
use serde_json::{Value as Json, json};

use crate::event::{Encoder, Event, Given, Kind};

impl Encoder {
    /// The events of what a connector gave: one, and one for each task run of it that is not valid, which it goes out
    /// without.
    #[must_use]
    pub fn events(&self, given: Given) -> Vec<Event> {
        let whole = self.event(given);
        let kept = match (whole.kind, whole.problems.as_slice()) {
            (Kind::Asset, _) | (_, []) => None,
            // What has problems is written as it was given.
            (Kind::Run, _) => serde_json::from_str(&whole.text).ok(),
        };
        let Some(mut kept) = kept.map(RunEvent::new) else {
            return vec![whole];
        };
        let mut left_out = Vec::new();
        if let Some(tasks) = kept
            .fields_mut()
            .and_then(|fields| fields.get_mut("task_runs"))
            .and_then(Json::as_array_mut)
        {
            tasks.retain(|task| {
                let task = self.event(Given::Run(RunEvent::new(task.clone())));
                let is_valid = task.problems.is_empty();
                if !is_valid {
                    left_out.push(task);
                }
                is_valid
            });
        }
        if left_out.is_empty() {
            return vec![whole];
        }
        let kept = self.event(Given::Run(kept));
        if !kept.problems.is_empty() {
            // It cannot go out without them either.
            return vec![whole];
        }
        left_out.insert(0, kept);
        left_out
    }

    /// What failed while it was read, as a dead letter: the record, and the expression or request that failed.
    #[must_use]
    pub fn failed(&self, failed: &FailedPart) -> Event {
        let kind = match failed.part {
            Part::Job => Kind::Asset,
            Part::Run | Part::Entry | Part::Record | Part::List => Kind::Run,
        };
        let reason = failed.error.causes.first();
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let what = json!({
            "part": failed.part.word(),
            "run_source_id": failed.run_source_id,
            "failed": failed.error.thing,
            "record": failed.record,
        });
        let mut event = self.raw(kind, &what);
        event.problems.push(format!(
            "{} {}{reason}",
            bowline_words::FailureKind::words(failed.error.kind),
            failed.error.thing,
        ));
        event
    }
}

#[cfg(test)]
mod tests {
    use bowline_pipeline::{SourceError, SourceErrorKind};

    use super::*;
    use crate::event::Format;

    fn encoder() -> Encoder {
        Encoder::new("custom-etl-connector-abc1234", Format::Lines)
    }

    fn task(id: &Json) -> Json {
        json!({
            "job_source_id": "a", "task_source_id": "t", "run_source_id": id, "status": "queued",
            "event_time": "2026-11-22T10:00:00Z",
        })
    }

    fn run(tasks: &[Json]) -> Given {
        Given::Run(RunEvent::new(json!({
            "job_source_id": "a", "run_source_id": "1", "status": "queued",
            "event_time": "2026-11-22T10:00:00Z", "task_runs": tasks,
        })))
    }

    #[test]
    fn a_task_run_that_is_not_valid_does_not_take_its_run_along() {
        let (good, bad) = (task(&json!("t1")), task(&Json::Null));
        let events = encoder().events(run(&[good.clone(), bad]));
        let problems: Vec<usize> = events.iter().map(|event| event.problems.len()).collect();
        assert_eq!(problems, [0, 1]);
        assert_eq!(events[0], encoder().event(run(&[good])));
        assert!(events[1].problems[0].contains("`run_source_id`"));
        // What is wrong with the run itself is no task run's fault.
        let Given::Run(mut broken) = run(&[]) else {
            unreachable!("it is a run");
        };
        broken.fields_mut().unwrap().shift_remove("event_time");
        assert_eq!(encoder().events(Given::Run(broken)).len(), 1);
    }

    #[test]
    fn what_failed_is_kept_with_expression_record_and_reason() {
        let failed = FailedPart {
            part: Part::Run,
            record: json!({"id": 7, "ended": "N/A"}),
            run_source_id: Some("7".to_owned()),
            error: SourceError::new(
                SourceErrorKind::Expression,
                "`record.ended | time` (line 9)",
            )
            .because("not a time: `N/A`"),
        };
        let event = encoder().failed(&failed);
        assert_eq!(
            event.problems,
            ["cannot evaluate `record.ended | time` (line 9): not a time: `N/A`"]
        );
        let text: Json = serde_json::from_str(&event.text).unwrap();
        assert_eq!(text["record"], failed.record);
        assert_eq!(text["failed"], "`record.ended | time` (line 9)");
        assert_eq!(event.key, encoder().failed(&failed).key);
    }
}
