//! What can stop a collection.

use std::io;
use std::path::PathBuf;

use bowline_contract::pipeline::Window;
use bowline_pipeline::SourceError;
use bowline_words::{Diagnose, Diagnostic, Failure, FailureKind};

/// Why a collection stopped. What it had delivered stays delivered, and its window stays open.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The vendor could not be read to the end.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The platform does not take the events.
    #[error(transparent)]
    Push(PushError),
    /// The platform refused every event so far, so that the fault is hardly theirs.
    #[error("the platform takes no event: the first {count} were all refused\n{reason}")]
    NothingTaken {
        /// How many were refused.
        count: usize,
        /// What the platform said about the first.
        reason: String,
    },
    /// Events, dead letters or the state cannot be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output does not hold any more what was written to it.
    #[error("the output has vanished: `{}` had {bytes} bytes of events, and {}", .path.display(), has(*there))]
    Vanished {
        /// The file.
        path: PathBuf,
        /// How many bytes it had.
        bytes: u64,
        /// How many it has; nothing when it is not there.
        there: Option<u64>,
    },
    /// What is written down of earlier collections cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Standard output cannot be written.
    #[error("cannot write standard output")]
    Output(#[source] io::Error),
    /// Whoever read the output has closed it.
    #[error("the reader of the output closed it")]
    Closed,
}

fn has(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "is not there any more".to_owned(),
        |bytes| format!("has {bytes} now"),
    )
}

impl Diagnose for CollectError {
    fn diagnose(&self) -> Diagnostic {
        match self {
            Self::Source(error) => error.diagnose(),
            Self::Push(error) => error.diagnose(),
            Self::State(error) => error.diagnose(),
            Self::NothingTaken { .. } => Diagnostic::of(self).hint(
                "see that the resource's uuid and type are those of this connector".to_owned(),
            ),
            Self::Vanished { .. } => Diagnostic::of(self).hint(
                "put it back; if it was moved away on purpose, say so with `--rotated`".to_owned(),
            ),
            Self::Write { .. } | Self::Output(_) | Self::Closed => Diagnostic::of(self),
        }
    }
}

/// Why the platform does not take events. No secret is in it.
pub type PushError = Failure<PushErrorKind>;

/// The kinds of [`PushError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushErrorKind {
    /// The platform cannot be reached, and still cannot after every retry.
    Unreachable,
    /// The key is not let in.
    Unauthorized,
    /// The platform failed or wants fewer requests, and still does after every retry.
    Failing,
    /// The platform has no such place, or does not take this kind of request.
    Refused,
    /// The collection was cancelled.
    Cancelled,
}

impl FailureKind for PushErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot reach the platform",
            Self::Unauthorized => "the platform does not let us in",
            Self::Failing => "the platform fails",
            Self::Refused => "the platform refused the request",
            Self::Cancelled => "stopped before the events were delivered",
        }
    }
}

/// Why the state of earlier collections cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another collection works with it.
    #[error("another collection is at work: `{}`", .0.display())]
    Locked(PathBuf),
    /// It belongs to another connector or destination.
    #[error("the state in `{}` is of another collection: {theirs}\nthis one is: {ours}", .path.display())]
    Foreign {
        /// The checkpoint.
        path: PathBuf,
        /// What it was made for.
        theirs: String,
        /// What is asked for now.
        ours: String,
    },
    /// Its window lasts for as long as another one is unfinished.
    #[error("an unfinished window stands in the way: {0}")]
    Unfinished(Window),
    /// It is not readable as what this program writes.
    #[error("cannot read the checkpoint: `{}`: {message}", .path.display())]
    Invalid {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There is a ledger without the checkpoint that belongs to it.
    #[error(
        "the checkpoint is gone: `{}`, though {entries} events are written down beside it",
        .path.display()
    )]
    NoCheckpoint {
        /// The checkpoint.
        path: PathBuf,
        /// How many events the ledger has.
        entries: usize,
    },
    /// The system does not let us read or write it.
    #[error("cannot use the state: `{}`", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Diagnose for StateError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Locked(_) => "stop it, or give this one a `--state` folder of its own",
            Self::Foreign { .. } => {
                "give this collection a `--state` folder of its own, so that neither leaves out a window of the other"
            }
            Self::NoCheckpoint { .. } => {
                "put it back; or move its folder away to begin anew, and say with `--since` from when"
            }
            Self::Invalid { .. } => {
                "move its folder away to begin anew, and say with `--since` from when"
            }
            Self::Unfinished(_) | Self::Io { .. } => return Diagnostic::of(self),
        };
        Diagnostic::of(self).hint(hint.to_owned())
    }
}
