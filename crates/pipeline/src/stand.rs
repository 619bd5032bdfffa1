//! How runs stood when they came: one that comes again as it stood later is handed on as such.

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;
use jiff::Timestamp;

use crate::expression::to_value;
use crate::source_reader::contents;

/// How a run stood when it came: the second of its time, and what stands for its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand {
    at: u32,
    status: u32,
}

impl Stand {
    pub(crate) fn of(run: &RunEvent) -> Self {
        let seconds = run.event_time().map(Timestamp::as_second);
        let status = run
            .json()
            .get("status")
            .map(|status| to_value(status.clone()));
        Self {
            at: seconds
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or_default(),
            status: contents(&status.unwrap_or_default()),
        }
    }

    /// Whether it is how the run stood later than at another time, by the run's own times; at the same one what comes later
    /// counts.
    pub(crate) fn is_after(self, before: Self) -> bool {
        self.at > before.at || (self.at == before.at && self.status != before.status)
    }
}

/// What to say of runs that came again as they stood later.
pub(crate) fn changed(newer: &[RunEvent]) -> Option<String> {
    let runs = || counted(newer.len(), "run");
    (!newer.is_empty()).then(|| format!("{} changed while the list was read", runs()))
}
