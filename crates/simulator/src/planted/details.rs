//! What a connector with a mistake says of a run: its ids, what it belongs to, how it fared and how long it took.

use bowline_contract::pipeline::RunEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::Mistake;
use super::runs::{Spoiling, copy, remove, set, steps, text};

/// When the clocks of the vendor's zone were set back last.
const CLOCKS_BACK: &str = "2026-10-25T01:00:00Z";

impl Spoiling {
    /// A run; `all` is what the page was cut from.
    pub(super) fn spoil_details(&self, run: &mut RunEvent, all: &[RunEvent]) {
        let Some(mistake) = self.mistake else {
            return;
        };
        let before = run.clone();
        let id = text(before.json(), "run_source_id").to_owned();
        let job = text(before.json(), "job_source_id").to_owned();
        match mistake {
            Mistake::RunningIsDone if before.has("start_time") && !before.has("end_time") => {
                set(run, "status", "SUCCEEDED");
                set(run, "end_time", self.now.to_string());
            }
            Mistake::ExpectedBefore => {
                let start = before
                    .start_time()
                    .map(|start| start - SignedDuration::from_mins(10));
                start
                    .into_iter()
                    .for_each(|start| set(run, "expected_end_time", start.to_string()));
            }
            Mistake::ByHandAtOnce
                if before.trigger() == Some("MANUAL") && before.has("end_time") =>
            {
                copy(run, "start_time", &before, "end_time");
            }
            Mistake::ByHandElsewhere if before.trigger() == Some("MANUAL") => {
                let start = before
                    .start_time()
                    .map(|start| start - SignedDuration::from_hours(8));
                start
                    .into_iter()
                    .for_each(|start| set(run, "start_time", start.to_string()));
            }
            Mistake::ErrorsOfSteps if before.has("error") => {
                let error = json!({"message": before.json()["error"]["message"]});
                let steps = steps(run).into_iter().flatten();
                steps.for_each(|step| step["error"] = error.clone());
            }
            Mistake::LastStepLost => {
                steps(run).and_then(Vec::pop);
            }
            Mistake::EndFromQueueing | Mistake::DurationInMinutes => self.count_length(run),
            Mistake::ClockOnly => self.move_times(run, |at, end| {
                let days = end.as_second().div_euclid(86_400) - at.as_second().div_euclid(86_400);
                SignedDuration::from_hours(24 * days)
            }),
            Mistake::WinterTimeAlways => self.move_times(run, |at, _| {
                let back: Timestamp = CLOCKS_BACK.parse().unwrap_or(at);
                SignedDuration::from_hours(i64::from(at < back))
            }),
            Mistake::IdsPadded => set(run, "run_source_id", format!("{id} ")),
            Mistake::IdsUpper => set(run, "run_source_id", id.to_uppercase()),
            Mistake::IdsAsAddresses => {
                set(
                    run,
                    "run_source_id",
                    format!("https://vendor.example.com/runs/{id}"),
                );
            }
            Mistake::JobIdsUpper => set(run, "job_source_id", job.to_uppercase()),
            Mistake::AttemptsOfAll | Mistake::FollowsPrevious => {
                let of_job = || {
                    let same = |other: &&RunEvent| other.job_source_id() == Some(job.as_str());
                    all.iter().filter(same)
                };
                let place = of_job().position(|other| other.run_source_id() == Some(id.as_str()));
                let place = place.unwrap_or_default();
                set(run, "attempt_number", place + 1);
                let previous = place.checked_sub(1).and_then(|place| of_job().nth(place));
                if let (Mistake::FollowsPrevious, Some(previous)) = (mistake, previous) {
                    copy(
                        run,
                        "parent_attempt_run_source_id",
                        previous,
                        "run_source_id",
                    );
                }
            }
            Mistake::StepsOfFirstAttempt => {
                let parent = before.parent_attempt_run_source_id();
                let first = all
                    .iter()
                    .find(|other| parent.is_some() && other.run_source_id() == parent);
                if let Some(first) = first.filter(|first| first.has("task_runs")) {
                    copy(run, "task_runs", first, "task_runs");
                }
            }
            Mistake::TasksByNumber => {
                for (place, step) in run.task_runs_mut().enumerate() {
                    set(step, "task_source_id", place.to_string());
                }
            }
            Mistake::ErrorsAsBytes | Mistake::ErrorsBlank if before.has("error") => {
                let message = match mistake {
                    Mistake::ErrorsAsBytes => "b'column is missing'",
                    _ => " ",
                };
                set(run, "error", json!({"message": message}));
            }
            Mistake::GroupIsJob => set(run, "group", json!({"source_id": job})),
            Mistake::LineageUpper => rename(run, str::to_uppercase),
            Mistake::LineageBare => rename(run, |name| {
                name.rsplit('.').next().unwrap_or(name).to_owned()
            }),
            Mistake::TriggersTurned => {
                let turned = match text(before.json(), "trigger") {
                    "SCHEDULE" => "MANUAL",
                    _ => "SCHEDULE",
                };
                set(run, "trigger", turned);
            }
            Mistake::TriggerAlwaysRetry => set(run, "trigger", "RETRY"),
            Mistake::TriggeredByItself => set(run, "triggered_by_run_source_id", id),
            Mistake::AddressesUnfilled => {
                set(run, "run_url", "https://vendor.example.com/runs/{run_id}");
            }
            Mistake::AttemptsFromTwo | Mistake::AttemptsByTwos => {
                let number = before.attempt_number().unwrap_or(1);
                let is_first = mistake == Mistake::AttemptsFromTwo;
                set(
                    run,
                    "attempt_number",
                    if is_first { number + 1 } else { 2 * number - 1 },
                );
            }
            Mistake::ErrorsTurned if before.has("error") => {
                let error = &before.json()["error"];
                let message = error["message"].as_str().unwrap_or_default();
                let sentence = format!("the step failed: {message}");
                let turned = json!({"message": error["code"], "code": sentence});
                set(run, "error", turned);
            }
            Mistake::EndedIsDone if before.has("end_time") => set(run, "status", "SUCCEEDED"),
            Mistake::AllByHand => set(run, "trigger", "MANUAL"),
            Mistake::EndsInMinutes => {
                if let Some(end) = before.end_time() {
                    let cut = end.as_second().rem_euclid(60);
                    let cut = end - SignedDuration::new(cut, end.subsec_nanosecond());
                    set(run, "end_time", cut.to_string());
                }
            }
            Mistake::StatusOfFirstStep if before.has("end_time") => {
                if let Some(first) = before.task_runs().next() {
                    copy(run, "status", first, "status");
                    remove(run, "error");
                }
            }
            Mistake::AddressesOfAnother => {
                let other = all
                    .iter()
                    .find(|other| other.run_source_id() != before.run_source_id());
                let other = other.and_then(RunEvent::run_source_id).unwrap_or_default();
                set(
                    run,
                    "run_url",
                    format!("https://vendor.example.com/runs/{other}"),
                );
            }
            Mistake::IdsWithoutCodes if self.by_id && before.has("error") => {
                let error = json!({"message": before.json()["error"]["message"]});
                set(run, "error", error);
            }
            Mistake::StepTimesOfRun => {
                let (start, end) = (before.start_time(), before.end_time());
                for step in steps(run).into_iter().flatten() {
                    if let (Some(start), Some(end)) = (start, end) {
                        step["start_time"] = start.to_string().into();
                        step["end_time"] = end.to_string().into();
                        step["event_time"] = end.to_string().into();
                    }
                }
            }
            Mistake::JobIdsEncoded => set(run, "job_source_id", job.replace('-', "%2D")),
            Mistake::LineageLevelsTurned => rename(run, |name| {
                let mut levels: Vec<&str> = name.split('.').collect();
                levels.swap(0, 1);
                levels.join(".")
            }),
            Mistake::OutputsHoldInputs => {
                let mut outputs = before.json()["inputs"].clone();
                for asset in outputs.as_array_mut().into_iter().flatten() {
                    asset["role"] = "OUTPUT".into();
                }
                let own = before.json()["outputs"].as_array().into_iter().flatten();
                outputs
                    .as_array_mut()
                    .into_iter()
                    .for_each(|list| list.extend(own.clone().cloned()));
                set(run, "outputs", outputs);
            }
            Mistake::StepsOfFirstRun => {
                let is_first = |other: &&RunEvent| {
                    other.job_source_id() == Some(job.as_str()) && other.has("task_runs")
                };
                if let Some(first) = all.iter().find(is_first) {
                    copy(run, "task_runs", first, "task_runs");
                    for (place, step) in run.task_runs_mut().enumerate() {
                        set(step, "run_source_id", format!("{id}/{place}"));
                    }
                }
            }
            Mistake::CancelledIsDone if text(before.json(), "status") == "CANCELLED" => {
                set(run, "status", "SUCCEEDED");
            }
            Mistake::AttemptsNowhere if before.parent_attempt_run_source_id().is_some() => {
                set(run, "parent_attempt_run_source_id", format!("{id}/before"));
            }
            Mistake::IdsWithoutTriggers if self.by_id => remove(run, "trigger"),
            Mistake::IdsWithoutGroups if self.by_id => remove(run, "group"),
            Mistake::IdsFiledNow if self.by_id => set(run, "event_time", self.now.to_string()),
            Mistake::IdsJobByName if self.by_id => {
                set(run, "job_source_id", job.replace('-', " "));
            }
            _ => {}
        }
    }

    /// The end of a run by a length that is counted wrongly.
    fn count_length(&self, run: &mut RunEvent) {
        let (Some(start), Some(end)) = (run.start_time(), run.end_time()) else {
            return;
        };
        let length = end.duration_since(start);
        let end = match self.mistake {
            Some(Mistake::EndFromQueueing) => run.queued_at().unwrap_or(start) + length,
            _ => start + SignedDuration::from_mins(length.as_mins()),
        };
        set(run, "end_time", end.to_string());
        set(run, "event_time", end.to_string());
    }

    /// Moves every time of a run by what comes of it and of the window's end.
    fn move_times(&self, run: &mut RunEvent, by: impl Fn(Timestamp, Timestamp) -> SignedDuration) {
        for field in ["event_time", "start_time", "end_time", "queued_at"] {
            let at: Option<Timestamp> = text(run.json(), field).parse().ok();
            if let Some(at) = at {
                set(run, field, (at + by(at, self.end)).to_string());
            }
        }
        for step in steps(run).into_iter().flatten() {
            for field in ["event_time", "start_time", "end_time"] {
                let at: Option<Timestamp> = text(step, field).parse().ok();
                if let Some(at) = at {
                    step[field] = (at + by(at, self.end)).to_string().into();
                }
            }
        }
    }
}

/// Renames what a run reads and writes.
fn rename(run: &mut RunEvent, renamed: impl Fn(&str) -> String) {
    for field in ["inputs", "outputs"] {
        let Some(list) = run.fields_mut().and_then(|run| run.get_mut(field)) else {
            continue;
        };
        for asset in list.as_array_mut().into_iter().flatten() {
            let name = text(asset, "fully_qualified_name");
            asset["fully_qualified_name"] = Json::from(renamed(name));
        }
    }
}
