//! The closed vocabularies of pipeline connectors, and the keys that tie a query to a job.

use crate::words::words;

words! {
    /// How a run stands.
    pub enum RunStatus {
        Success = "success", "It ended well.";
        Failed = "failed", "Its work went wrong.";
        Skipped = "skipped", "It was passed over on purpose.";
        Cancelled = "cancelled", "Someone stopped it.";
        Cancelling = "cancelling", "Someone asked it to stop; it has not yet.";
        InProgress = "in_progress", "It is running.";
        Error = "error", "It could not be run as meant.";
        TimedOut = "timed_out", "It ran past its limit.";
        Queued = "queued", "It waits for a place to run.";
        Blocked = "blocked", "It waits for something else to finish.";
        Inactive = "inactive", "It is switched off.";
        Restarting = "restarting", "It is being started again.";
        UpForRetry = "up_for_retry", "It failed and will be tried again.";
        UpForReschedule = "up_for_reschedule", "It looked, found nothing to do yet, and will look again.";
        UpstreamFailed = "upstream_failed", "It never ran, because something before it failed.";
        Removed = "removed", "It is gone from its pipeline.";
        Scheduled = "scheduled", "Its time is set but has not come.";
        Deferred = "deferred", "It gave up its place until something outside happens.";
        Pass = "pass", "A check that held.";
        Fail = "fail", "A check that did not hold.";
        Warn = "warn", "A check that did not hold, and is not held against the run.";
        PartialSuccess = "partial_success", "Some of it ended well, some not.";
        Unknown = "unknown", "The vendor's word is not mapped.";
    }
}

impl RunStatus {
    /// Whether nothing can follow it; such a run must carry its end time.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::Failed
                | Self::Skipped
                | Self::Cancelled
                | Self::Error
                | Self::TimedOut
                | Self::Pass
                | Self::Fail
                | Self::PartialSuccess
        )
    }

    /// Whether such a run must carry an error object.
    #[must_use]
    pub const fn needs_error(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

words! {
    /// What started a run.
    pub enum RunTrigger {
        Schedule = "SCHEDULE", "Its schedule.";
        Manual = "MANUAL", "A person.";
        Api = "API", "A call from another program.";
        Upstream = "UPSTREAM", "A job it depends on.";
        Event = "EVENT", "Something that happened, such as a file that arrived.";
        Cyclic = "CYCLIC", "The end of its own last run.";
        Backfill = "BACKFILL", "A request to redo a stretch of the past.";
        Retry = "RETRY", "The failure of an earlier attempt.";
    }
}

words! {
    /// What a job reads or writes.
    pub enum AssetType {
        Table = "TABLE", "A table.";
        View = "VIEW", "A view.";
        File = "FILE", "A file.";
        Topic = "TOPIC", "A topic of a message queue.";
        Dataset = "DATASET", "Data of another shape.";
        Dashboard = "DASHBOARD", "A dashboard or report.";
    }
}

words! {
    /// On which side of a job an asset stands.
    pub enum AssetRole {
        Input = "INPUT", "The job reads it.";
        Output = "OUTPUT", "The job writes it.";
    }
}

words! {
    /// What decides when a job runs.
    pub enum ScheduleKind {
        Cron = "cron", "A cron expression.";
        Interval = "interval", "A span of time between runs.";
        Event = "event", "Something that happens.";
        Upstream = "upstream", "The end of other jobs.";
        Manual = "manual", "Nothing; it is started by hand.";
    }
}

/// One identifier that a JSON object in a query's comment may carry, and the keys it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryTag {
    /// Whose jobs it names.
    pub integration: &'static str,
    /// What it names.
    pub identifier: &'static str,
    /// Its keys, the usual one first; that one is understood in capitals too.
    pub keys: &'static [&'static str],
}

impl QueryTag {
    /// The tag that a key belongs to.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        QUERY_TAGS.iter().find(|tag| tag.has_key(key))
    }

    fn has_key(&self, key: &str) -> bool {
        self.keys.contains(&key)
            || self
                .keys
                .first()
                .is_some_and(|first| first.to_uppercase() == key)
    }
}

const fn tag(
    integration: &'static str,
    identifier: &'static str,
    keys: &'static [&'static str],
) -> QueryTag {
    QueryTag {
        integration,
        identifier,
        keys,
    }
}

/// Every query tag; a task of a custom connector counts only beside its job.
pub const QUERY_TAGS: &[QueryTag] = &[
    tag("custom ETL", "job", &["mcd_job_id"]),
    tag("custom ETL", "task", &["mcd_task_id"]),
    tag("custom ETL", "connection", &["mcd_resource_id"]),
    tag(
        "Airflow",
        "DAG",
        &["dag_id", "dag", "dag_name", "airflow_dag", "airflow_dag_id"],
    ),
    tag(
        "Airflow",
        "task",
        &[
            "task_id",
            "task",
            "task_name",
            "airflow_task",
            "airflow_task_id",
        ],
    ),
    tag("Airflow", "connection", &["airflow_env"]),
    tag("ADF", "pipeline", &["adf_pipeline_name"]),
    tag("ADF", "activity", &["adf_activity_name"]),
    tag("ADF", "connection", &["mc_integration_name"]),
    tag("dbt", "invocation", &["dbt_invocation_id", "invocation_id"]),
    tag("dbt", "node", &["dbt_node_id", "model_id", "node_id"]),
    tag(
        "dbt",
        "node name",
        &["dbt_model", "dbt_model_name", "model_name", "node_name"],
    ),
    tag(
        "dbt",
        "target",
        &["dbt_target", "dbt_target_name", "target_name"],
    ),
    tag("dbt Cloud", "job", &["dbt_cloud_job_id"]),
    tag("dbt Cloud", "run", &["dbt_cloud_run_id"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn statuses_say_whether_they_end_a_run() {
        assert_eq!(RunStatus::ALL.len(), 23);
        let terminal = RunStatus::ALL.iter().filter(|status| status.is_terminal());
        assert_eq!(terminal.count(), 9);
        for status in RunStatus::ALL {
            assert!(!status.needs_error() || status.is_terminal(), "{status}");
        }
    }

    #[test]
    fn a_key_names_one_tag() {
        let keys: Vec<&str> = QUERY_TAGS
            .iter()
            .flat_map(|tag| tag.keys)
            .copied()
            .collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn the_first_key_is_known_in_capitals() {
        assert_eq!(QueryTag::find("DAG_ID"), QueryTag::find("dag_id"));
        assert_eq!(QueryTag::find("dag_name").unwrap().identifier, "DAG");
        assert_eq!(QueryTag::find("DAG_NAME"), None);
        assert_eq!(QueryTag::find("Dag_Id"), None);
    }
}
