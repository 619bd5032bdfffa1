//! Parts of a reading that failed while the rest went on.

use serde_json::Value as Json;

use crate::error::SourceError;

/// Something that a reading left out because it failed. What it holds is without secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedPart {
    /// What is missing.
    pub part: Part,
    /// The record that it was to be made of, or was to be asked for with.
    pub record: Json,
    /// The run that is missing, or that lacks the part, where it is known.
    pub run_source_id: Option<String>,
    /// Why: an expression with its place, or a request.
    pub error: SourceError,
}

/// What a [`FailedPart`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// A job.
    Job,
    /// A run.
    Run,
    /// An entry of a list of an event's, such as a task run; the event was handed on without it.
    Entry,
    /// A record of a source's: it is not found by its key, or nothing is asked for it.
    Record,
    /// A list that a source with `failing = "leave_out"` asks for.
    List,
}

impl Part {
    /// Its word, such as `run`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Run => "run",
            Self::Entry => "entry",
            Self::Record => "record",
            Self::List => "list",
        }
    }
}
