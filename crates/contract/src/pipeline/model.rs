//! Assets, runs and what they are made of.

use serde_json::{Map, Value};

use super::record::record;
use super::{AssetRole, AssetType, EventTime, RunStatus, RunTrigger, ScheduleKind, Shape};

record! {
    /// A job: what an orchestrator runs.
    pub struct Asset {
        /// The vendor's identifier of the job; the same in every reading.
        required job_source_id: String => Shape::Text,
        /// What people call it.
        required name: String => Shape::Text,
        /// What the vendor groups it under.
        optional group: Group => Shape::Record(Group::FIELDS),
        /// What it is for.
        optional description: String => Shape::Text,
        /// Where it is filed, as a path.
        optional folder: String => Shape::Text,
        /// Whether its schedule is switched off.
        optional is_paused: bool => Shape::Flag,
        /// Where people look at it.
        optional job_url: String => Shape::Text,
        /// What decides when it runs.
        optional schedule: Schedule => Shape::Record(Schedule::FIELDS),
        /// Who answers for it.
        optional owner: Owner => Shape::Record(Owner::FIELDS),
        /// Its tags and properties.
        list properties: Property => Shape::Records(Property::FIELDS),
        /// Anything else, in the vendor's words.
        optional attributes: Map<String, Value> => Shape::Dict,
        /// What it reads.
        list inputs: AssetRef => Shape::Refs(AssetRole::Input),
        /// What it writes.
        list outputs: AssetRef => Shape::Refs(AssetRole::Output),
        /// Its steps.
        list tasks: Task => Shape::Records(Task::FIELDS),
        /// Jobs that it starts when it ends.
        list triggered_job_source_ids: String => Shape::Texts,
    }
}

record! {
    /// What a vendor groups jobs under: a folder, a pool, a code location.
    pub struct Group {
        /// The vendor's identifier of the group.
        required source_id: String => Shape::Text,
        /// What people call it.
        optional name: String => Shape::Text,
        /// The vendor's word for this kind of group.
        optional group_type: String => Shape::Text,
        /// What decides when its jobs run, where that is said once for all of them.
        optional schedule: Schedule => Shape::Record(Schedule::FIELDS),
        /// Anything else, in the vendor's words.
        optional attributes: Map<String, Value> => Shape::Dict,
    }
}

record! {
    /// One step of a job.
    pub struct Task {
        /// The vendor's identifier of the task, unique within its job.
        required task_source_id: String => Shape::Text,
        /// What people call it.
        required name: String => Shape::Text,
        /// The vendor's word for this kind of task.
        optional task_type: String => Shape::Text,
        /// What it is for.
        optional description: String => Shape::Text,
        /// What it reads.
        list inputs: AssetRef => Shape::Refs(AssetRole::Input),
        /// What it writes.
        list outputs: AssetRef => Shape::Refs(AssetRole::Output),
        /// Tasks of the same job that come before it.
        list upstream_task_source_ids: String => Shape::Texts,
        /// Jobs that it starts.
        list triggered_job_source_ids: String => Shape::Texts,
        /// Anything else, in the vendor's words.
        optional attributes: Map<String, Value> => Shape::Dict,
    }
}

record! {
    /// What decides when a job runs.
    pub struct Schedule {
        /// Its kind.
        required kind: ScheduleKind => Shape::Word(ScheduleKind::NAMES),
        /// The cron expression, in the vendor's dialect.
        optional cron_expression: String => Shape::Text,
        /// Seconds between runs.
        optional interval_seconds: i64 => Shape::Integer(i64::MIN),
        /// The zone the expression is meant in, by its IANA name.
        optional timezone: String => Shape::Text,
        /// When it will run next.
        optional next_run_at: EventTime => Shape::Time,
        /// Whether it is switched off.
        optional paused: bool => Shape::Flag,
        /// What it waits for.
        optional event_trigger: Map<String, Value> => Shape::Dict,
        /// Jobs whose end it waits for.
        list upstream_job_source_ids: String => Shape::Texts,
        /// The vendor's own words about it.
        optional raw: Map<String, Value> => Shape::Dict,
    }
}

record! {
    /// Who answers for a job.
    pub struct Owner {
        /// The owner's address.
        optional primary_email: String => Shape::Text,
        /// The owner's name.
        optional primary_name: String => Shape::Text,
        /// The owner's identifier at the vendor.
        optional primary_external_id: String => Shape::Text,
        /// The address of the account that the job runs under.
        optional run_as_email: String => Shape::Text,
        /// Who hears about failures.
        list notification_emails: String => Shape::Texts,
        /// The owner's team.
        optional team: String => Shape::Text,
        /// The vendor's own words about it.
        optional raw: Map<String, Value> => Shape::Dict,
    }
}

record! {
    /// A tag or property.
    pub struct Property {
        /// Its key.
        required key: String => Shape::Text,
        /// Its value; a bare tag has none.
        optional value: String => Shape::Text,
    }
}

record! {
    /// Something a job reads or writes. At least one of `mcon` and `fully_qualified_name` is there.
    pub struct AssetRef {
        /// What it is.
        required asset_type: AssetType => Shape::Word(AssetType::NAMES),
        /// On which side of the job it stands.
        required role: AssetRole => Shape::Word(AssetRole::NAMES),
        /// The platform's identifier of it.
        optional mcon: String => Shape::Text,
        /// Its name with everything it stands in.
        optional fully_qualified_name: String => Shape::Text,
    }
}

record! {
    /// One run of a job, or of one of its tasks.
    pub struct Run {
        /// The job it is a run of.
        required job_source_id: String => Shape::Text,
        /// The vendor's identifier of the run; the same in every reading.
        required run_source_id: String => Shape::Text,
        /// How it stands.
        required status: RunStatus => Shape::Word(RunStatus::NAMES),
        /// When it came to stand so.
        required event_time: EventTime => Shape::Time,
        /// The identifier that the platform knows the run by, where it is another one.
        optional job_run_id: String => Shape::Text,
        /// What the vendor groups its job under.
        optional group: Group => Shape::Record(Group::FIELDS),
        /// The task, for the run of one.
        optional task_source_id: String => Shape::Text,
        /// When its work began.
        optional start_time: EventTime => Shape::Time,
        /// When it ended; runs whose status is terminal have it.
        optional end_time: EventTime => Shape::Time,
        /// When it should end.
        optional expected_end_time: EventTime => Shape::Time,
        /// When it began to wait for a place to run.
        optional queued_at: EventTime => Shape::Time,
        /// What started it.
        optional trigger: RunTrigger => Shape::Word(RunTrigger::NAMES),
        /// The run that started it.
        optional triggered_by_run_source_id: String => Shape::Text,
        /// The attempt before this one.
        optional parent_attempt_run_source_id: String => Shape::Text,
        /// Which attempt it is, from 1.
        optional attempt_number: i64 => Shape::Integer(1),
        /// The backfill it belongs to.
        optional backfill_id: String => Shape::Text,
        /// What went wrong; runs that failed have it.
        optional error: RunError => Shape::Record(RunError::FIELDS),
        /// Where people look at it.
        optional run_url: String => Shape::Text,
        /// Runs of its tasks.
        list task_runs: Run => Shape::TaskRuns,
        /// What it read.
        list inputs: AssetRef => Shape::Refs(AssetRole::Input),
        /// What it wrote.
        list outputs: AssetRef => Shape::Refs(AssetRole::Output),
        /// Its tags and properties.
        list properties: Property => Shape::Records(Property::FIELDS),
        /// Anything else, in the vendor's words.
        optional attributes: Map<String, Value> => Shape::Dict,
    }
}

record! {
    /// What went wrong with a run.
    pub struct RunError {
        /// The error's text.
        required message: String => Shape::Text,
        /// Its code or class.
        optional code: String => Shape::Text,
        /// Whether another attempt may succeed.
        optional retryable: bool => Shape::Flag,
        /// The vendor's word for this kind of failure.
        optional failure_type: String => Shape::Text,
        /// Tasks before it whose failure is the cause.
        list upstream_failed_task_source_ids: String => Shape::Texts,
        /// Anything else, in the vendor's words.
        optional structured_fields: Map<String, Value> => Shape::Dict,
    }
}
