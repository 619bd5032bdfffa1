//! What a connector with a mistake says of runs.

use std::collections::BTreeSet;
use std::ops::Bound;

use bowline_contract::pipeline::RunEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::Mistake;

/// How the runs of a page are spoilt.
pub(super) struct Spoiling {
    pub(super) mistake: Option<Mistake>,
    /// Whether they were asked for by id.
    pub(super) by_id: bool,
    /// What the vendor's clock shows.
    pub(super) now: Timestamp,
    /// The end of the window that was asked for.
    pub(super) end: Timestamp,
    /// How many calls there were.
    pub(super) calls: u64,
}

impl Spoiling {
    /// The runs of a page with the mistakes that are about what they say; `all` is what the page was cut from.
    pub(super) fn spoil(&self, page: &mut Vec<RunEvent>, all: &[RunEvent]) {
        let before = page.clone();
        for (place, run) in page.iter_mut().enumerate() {
            self.spoil_run(run, all);
            self.spoil_steps(run);
            self.spoil_details(run, all);
            self.join(run, &before, place);
            if self.by_id {
                self.spoil_asked(run);
            }
        }
        if self.mistake == Some(Mistake::StepsAsRuns) {
            let steps: Vec<RunEvent> = page
                .iter()
                .flat_map(|run| {
                    run.task_runs().cloned().map(|mut step| {
                        copy(&mut step, "job_source_id", run, "job_source_id");
                        step
                    })
                })
                .collect();
            page.extend(steps);
        }
    }

    /// A run of its own.
    fn spoil_run(&self, run: &mut RunEvent, all: &[RunEvent]) {
        let Some(mistake) = self.mistake else {
            return;
        };
        let before = run.clone();
        let is_retry = before.parent_attempt_run_source_id().is_some();
        match mistake {
            Mistake::SharesIdOfRetries if is_retry => {
                copy(
                    run,
                    "run_source_id",
                    &before,
                    "parent_attempt_run_source_id",
                );
            }
            Mistake::RetriesOfAnother if is_retry => {
                let other = all
                    .iter()
                    .find(|other| other.job_source_id() != before.job_source_id());
                if let Some(other) = other {
                    copy(run, "parent_attempt_run_source_id", other, "run_source_id");
                }
            }
            Mistake::RetriesOfItself if is_retry => {
                copy(
                    run,
                    "parent_attempt_run_source_id",
                    &before,
                    "run_source_id",
                );
            }
            Mistake::ForgetsAttempts => set(run, "attempt_number", 1),
            Mistake::ZoneDropped => {
                let bare = text(before.json(), "event_time").trim_end_matches('Z');
                set(run, "event_time", bare);
            }
            Mistake::LocalAsUtc => shift(run, SignedDuration::from_hours(2)),
            Mistake::IdsNotStable => {
                let id = text(before.json(), "run_source_id");
                set(run, "run_source_id", format!("{id}-{}", self.calls));
            }
            Mistake::IdOfJob => copy(run, "run_source_id", &before, "job_source_id"),
            Mistake::IdsShared => {
                let second = before.event_time().map_or(0, Timestamp::as_second);
                set(run, "run_source_id", (second % 5).to_string());
            }
            Mistake::StepsOfAnother => {
                let own = before.run_source_id();
                let at = all.iter().position(|other| other.run_source_id() == own);
                let other = at.and_then(|at| all.get((at + 1) % all.len()));
                if let Some(other) = other.filter(|other| other.has("task_runs")) {
                    copy(run, "task_runs", other, "task_runs");
                }
            }
            Mistake::StatusUnmapped if before.has("end_time") && !before.has("error") => {
                set(run, "status", "WELL_DONE");
            }
            Mistake::NoEnd => remove(run, "end_time"),
            Mistake::NoError => remove(run, "error"),
            Mistake::TimeOfQueueing => copy(run, "event_time", &before, "queued_at"),
            Mistake::TimeOfStart if before.has("start_time") => {
                copy(run, "event_time", &before, "start_time")
            }
            Mistake::TimesSwapped if before.has("end_time") => {
                copy(run, "start_time", &before, "end_time");
                copy(run, "end_time", &before, "start_time");
            }
            Mistake::TimesAsNumbers => {
                let second = before.event_time().map_or(0, Timestamp::as_second);
                set(run, "event_time", second.to_string());
            }
            Mistake::JobByName => {
                let id = text(before.json(), "job_source_id").replace('-', " ");
                set(run, "job_source_id", id);
            }
            Mistake::GroupOfAnother => {
                let own = text(&before.json()["group"], "source_id");
                let other = all
                    .iter()
                    .find(|other| other.json()["group"]["source_id"] != *own);
                if let Some(other) = other {
                    copy(run, "group", other, "group");
                }
            }
            Mistake::LineageTurned => {
                copy(run, "inputs", &before, "outputs");
                copy(run, "outputs", &before, "inputs");
            }
            Mistake::SecondsAsMillis => {
                if let Some(start) = before.start_time() {
                    let at = Timestamp::from_millisecond(start.as_second());
                    set(run, "start_time", at.unwrap_or(start).to_string());
                    remove(run, "queued_at");
                }
            }
            Mistake::EndOfRunning if !before.has("end_time") => {
                set(run, "end_time", self.now.to_string());
            }
            Mistake::StatusesSwapped => match text(before.json(), "status") {
                "FAILED" => {
                    set(run, "status", "SUCCEEDED");
                    remove(run, "error");
                }
                "SUCCEEDED" => {
                    set(run, "status", "FAILED");
                    set(run, "error", json!({"message": "it failed"}));
                }
                _ => {}
            },
            Mistake::NothingAsText if !is_retry => {
                set(run, "parent_attempt_run_source_id", "None");
            }
            Mistake::IdsCut => {
                let id: String = text(before.json(), "run_source_id")
                    .chars()
                    .take(8)
                    .collect();
                set(run, "run_source_id", id);
            }
            Mistake::IdsAsFractions => {
                let id = text(before.json(), "run_source_id").replace("run-", "1");
                set(run, "run_source_id", format!("{id}.0"));
                remove(run, "parent_attempt_run_source_id");
            }
            Mistake::TimesInMinutes => self.round(run, 0),
            Mistake::TimesInMinutesUp => self.round(run, 59),
            Mistake::TimeOfReading => set(run, "event_time", self.now.to_string()),
            Mistake::ZoneAdded => shift(run, SignedDuration::from_hours(-2)),
            Mistake::TwelveHours => {
                if let Some(at) = before.event_time() {
                    let second = at.as_second().rem_euclid(86_400);
                    let lost = if second >= 43_200 { 12 } else { 0 };
                    shift(run, SignedDuration::from_hours(-lost));
                }
            }
            Mistake::AttemptsFromZero => {
                let number = before.attempt_number().unwrap_or(1);
                set(run, "attempt_number", number - 1);
            }
            Mistake::TriggerInOwnWords => set(run, "trigger", "timer"),
            Mistake::AttemptsTurned => {
                let follows = |other: &&RunEvent| {
                    other.parent_attempt_run_source_id() == before.run_source_id()
                };
                remove(run, "parent_attempt_run_source_id");
                if let Some(next) = all.iter().find(follows) {
                    copy(run, "parent_attempt_run_source_id", next, "run_source_id");
                }
            }
            Mistake::StatusOfJob => {
                let same = |other: &&RunEvent| other.job_source_id() == before.job_source_id();
                if let Some(last) = all.iter().rfind(same) {
                    copy(run, "status", last, "status");
                    remove(run, "error");
                    copy_if_there(run, "error", last, "error");
                }
            }
            Mistake::StartElsewhere => {
                if let Some(start) = before.start_time() {
                    set(
                        run,
                        "start_time",
                        (start - SignedDuration::from_hours(2)).to_string(),
                    );
                    remove(run, "queued_at");
                }
            }
            Mistake::EndOfReading if before.has("end_time") => {
                set(run, "end_time", self.now.to_string());
            }
            Mistake::DurationInMillis | Mistake::DurationTooShort => {
                if let (Some(start), Some(end)) = (before.start_time(), before.end_time()) {
                    let length = end.duration_since(start);
                    let length = match mistake {
                        Mistake::DurationInMillis => length * 1000,
                        _ => length / 1000,
                    };
                    set(run, "end_time", (start + length).to_string());
                }
            }
            Mistake::StartOfFirstAttempt if is_retry => {
                let parent = before.parent_attempt_run_source_id();
                let first = all.iter().find(|other| other.run_source_id() == parent);
                if let Some(first) = first.filter(|first| first.has("start_time")) {
                    copy(run, "start_time", first, "start_time");
                    remove(run, "queued_at");
                }
            }
            Mistake::QueuedAtEnd if before.has("end_time") => {
                copy(run, "queued_at", &before, "end_time");
            }
            Mistake::TimeOfFirstStep => {
                if let Some(step) = before.task_runs().find(|step| step.has("end_time")) {
                    copy(run, "event_time", step, "end_time");
                }
            }
            Mistake::TimesInSeconds => self.whole_seconds(run),
            Mistake::StepsCut if !self.by_id => {
                if let Some(steps) = steps(run) {
                    steps.truncate(1);
                }
            }
            Mistake::StepsByPlace => {
                let names: Vec<Json> = before
                    .task_runs()
                    .map(|step| step.json()["task_source_id"].clone())
                    .collect();
                for (place, step) in run.task_runs_mut().enumerate() {
                    set(
                        step,
                        "task_source_id",
                        names[(place + 1) % names.len()].clone(),
                    );
                }
            }
            Mistake::StepsOfAnotherJob => {
                let other = all
                    .iter()
                    .find(|other| other.job_source_id() != before.job_source_id());
                if let Some(other) = other {
                    for step in run.task_runs_mut() {
                        copy(step, "job_source_id", other, "job_source_id");
                    }
                }
            }
            Mistake::EndIsStart if before.has("end_time") => {
                copy(run, "end_time", &before, "start_time");
            }
            Mistake::MillisWithoutZeros => {
                for field in ["event_time", "start_time", "end_time", "queued_at"] {
                    let at: Option<Timestamp> = text(before.json(), field).parse().ok();
                    if let Some(at) = at {
                        let millis = at.subsec_millisecond();
                        let at = at.strftime("%Y-%m-%dT%H:%M:%S");
                        set(run, field, format!("{at}.{millis}Z"));
                    }
                }
            }
            Mistake::StepsAsTheirRun => {
                for step in run.task_runs_mut() {
                    copy(step, "status", &before, "status");
                    copy_if_there(step, "error", &before, "error");
                }
            }
            Mistake::ErrorsOfAll if before.has("end_time") && !before.has("error") => {
                set(run, "error", json!({"message": "no error"}));
            }
            Mistake::ErrorsAsText if before.has("error") => {
                set(run, "error", json!({"message": "None"}));
            }
            Mistake::ErrorsAsRecords if before.has("error") => {
                let shown = "{'message': 'column is missing', 'code': 'E1'}";
                set(run, "error", json!({"message": shown}));
            }
            Mistake::ExpectedIn1970 => set(run, "expected_end_time", "1970-01-01T00:00:00Z"),
            Mistake::TriggeredByJobs => {
                copy(run, "triggered_by_run_source_id", &before, "job_source_id");
            }
            Mistake::LineageOfAnotherJob => {
                let jobs: BTreeSet<Option<&str>> =
                    all.iter().map(RunEvent::job_source_id).collect();
                let next = jobs
                    .range((Bound::Excluded(before.job_source_id()), Bound::Unbounded))
                    .next()
                    .or_else(|| jobs.first());
                let other = all
                    .iter()
                    .find(|other| Some(&other.job_source_id()) == next);
                if let Some(other) = other {
                    copy(run, "inputs", other, "inputs");
                    copy(run, "outputs", other, "outputs");
                }
            }
            Mistake::ErrorsCut if !self.by_id && before.has("error") => {
                set(run, "error", json!({"message": "column"}));
            }
            _ => {}
        }
    }

    /// The times of a run on whole minutes, after so many seconds were added.
    fn round(&self, run: &mut RunEvent, seconds: i64) {
        for field in ["event_time", "start_time", "end_time", "queued_at"] {
            let at: Option<Timestamp> = text(run.json(), field).parse().ok();
            if let Some(at) = at {
                let minute = (at.as_second() + seconds).div_euclid(60) * 60;
                let at = Timestamp::from_second(minute).unwrap_or(at);
                set(run, field, at.to_string());
            }
        }
    }

    /// The times of a run without what is less than a second.
    fn whole_seconds(&self, run: &mut RunEvent) {
        for field in ["event_time", "start_time", "end_time", "queued_at"] {
            let at: Option<Timestamp> = text(run.json(), field).parse().ok();
            if let Some(at) = at {
                let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
                set(run, field, at.to_string());
            }
        }
    }

    /// The runs of its steps.
    fn spoil_steps(&self, run: &mut RunEvent) {
        for step in run.task_runs_mut() {
            let before = step.clone();
            match self.mistake {
                Some(Mistake::TasksByTheirRuns) => {
                    copy(step, "task_source_id", &before, "run_source_id");
                }
                Some(Mistake::StepIdsAsFractions) => {
                    let id = text(before.json(), "run_source_id");
                    let number = id
                        .bytes()
                        .fold(0, |sum, byte| sum * 31 % 999_983 + u32::from(byte));
                    set(step, "run_source_id", format!("{number}.0"));
                }
                Some(Mistake::TaskIdsCut) => {
                    let id: String = text(before.json(), "task_source_id")
                        .chars()
                        .take(4)
                        .collect();
                    set(step, "task_source_id", id);
                }
                Some(Mistake::TasksElsewhere) => shift(step, SignedDuration::from_hours(-7)),
                Some(Mistake::TaskIdsShared) => {
                    copy(step, "run_source_id", &before, "task_source_id");
                }
                _ => {}
            }
        }
    }

    /// What it takes from others on the same page.
    fn join(&self, run: &mut RunEvent, page: &[RunEvent], place: usize) {
        match self.mistake {
            Some(Mistake::JobsOfAnother) => {
                // The jobs of the page, in an order of their own.
                let other = &page[page.len() - 1 - place];
                copy(run, "job_source_id", other, "job_source_id");
            }
            Some(Mistake::EndLeaks) if run.has("start_time") && !run.has("end_time") => {
                let before = page[..place]
                    .iter()
                    .rev()
                    .find(|other| other.has("end_time"));
                if let Some(before) = before {
                    copy(run, "end_time", before, "end_time");
                }
            }
            Some(Mistake::InputsAddUp) => {
                let inputs = page[..=place]
                    .iter()
                    .filter_map(|other| other.json()["inputs"].as_array())
                    .flatten()
                    .cloned()
                    .collect::<Vec<Json>>();
                set(run, "inputs", inputs);
            }
            Some(Mistake::ErrorsOfAnother) if run.has("error") => {
                let nth = page.iter().filter(|other| other.has("error")).count();
                set(
                    run,
                    "error",
                    json!({"message": format!("one of {nth} errors")}),
                );
            }
            _ => {}
        }
    }

    /// A run that was asked for by id.
    fn spoil_asked(&self, run: &mut RunEvent) {
        match self.mistake {
            Some(Mistake::IdsWithoutTasks) => remove(run, "task_runs"),
            Some(Mistake::IdsWithoutReasons) if run.has("error") => {
                set(run, "error", json!({"message": "it failed"}));
            }
            Some(Mistake::IdsAlwaysWell) if run.has("end_time") => {
                set(run, "status", "SUCCEEDED");
                remove(run, "error");
            }
            Some(Mistake::IdsAsRunning) if run.has("end_time") => {
                set(run, "status", "RUNNING");
                remove(run, "end_time");
                remove(run, "error");
            }
            Some(Mistake::IdsWithoutFractions) => self.whole_seconds(run),
            Some(Mistake::IdsWithoutAttempts) => {
                remove(run, "attempt_number");
                remove(run, "parent_attempt_run_source_id");
            }
            Some(Mistake::IdsInLocalTime) => shift(run, SignedDuration::from_hours(2)),
            Some(Mistake::IdsWithoutLineage) => remove(run, "outputs"),
            _ => {}
        }
    }
}

pub(super) fn set(run: &mut RunEvent, field: &str, value: impl Into<Json>) {
    if let Some(run) = run.fields_mut() {
        run.insert(field.to_owned(), value.into());
    }
}

pub(super) fn copy(run: &mut RunEvent, field: &str, other: &RunEvent, of: &str) {
    set(run, field, other.json()[of].clone());
}

fn copy_if_there(run: &mut RunEvent, field: &str, other: &RunEvent, of: &str) {
    if other.has(of) {
        copy(run, field, other, of);
    }
}

pub(super) fn steps(run: &mut RunEvent) -> Option<&mut Vec<Json>> {
    run.fields_mut()?.get_mut("task_runs")?.as_array_mut()
}

pub(super) fn remove(run: &mut RunEvent, field: &str) {
    if let Some(run) = run.fields_mut() {
        run.shift_remove(field);
    }
}

fn shift(run: &mut RunEvent, by: SignedDuration) {
    for (field, at) in [
        ("event_time", run.event_time()),
        ("start_time", run.start_time()),
        ("end_time", run.end_time()),
        ("queued_at", run.queued_at()),
    ] {
        if let Some(at) = at {
            set(run, field, (at + by).to_string());
        }
    }
}

pub(super) fn text<'r>(run: &'r Json, field: &str) -> &'r str {
    run[field].as_str().unwrap_or_default()
}
