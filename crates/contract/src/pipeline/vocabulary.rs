//! The closed vocabularies of pipeline connectors.

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

#[cfg(test)]
mod tests {
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
}
