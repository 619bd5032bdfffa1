//! What a check of a pipeline connector found.

use bowline_contract::pipeline::{EventError, MAX_EVENT_ERRORS};
use bowline_pipeline::{SourceError, SourceErrorKind, Summary};
use bowline_words::{Diagnose, counted};

use super::Check;
use super::times::SHOWN;
use crate::Verdict;

/// What one check found.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// See [`Verdict::Supported`].
    Supported,
    /// See [`Verdict::Wrong`].
    Wrong(Fault),
    /// See [`Verdict::Unknown`].
    Unknown(Doubt),
    /// See [`Verdict::Blocked`].
    Blocked {
        /// The check whose fault leaves this one without anything to judge by.
        by: &'static Check,
    },
}

impl Outcome {
    /// The kind of answer.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Supported => Verdict::Supported,
            Self::Wrong(_) => Verdict::Wrong,
            Self::Unknown(_) => Verdict::Unknown,
            Self::Blocked { .. } => Verdict::Blocked,
        }
    }

    pub(super) fn wrong(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Wrong(Fault {
            expected: expected.into(),
            got: got.into(),
            evidence: Vec::new(),
            hint: None,
        })
    }

    pub(super) fn nothing_to_see(why: impl Into<String>) -> Self {
        Self::Unknown(Doubt::NothingToSee(why.into()))
    }

    /// What comparing readings showed, where lists were read to their ends; unknown otherwise.
    pub(super) fn of_whole_lists<'s>(self, read: impl IntoIterator<Item = &'s Summary>) -> Self {
        let note = read
            .into_iter()
            .find_map(|summary| summary.incomplete.first());
        match (self, note) {
            (Self::Supported | Self::Wrong(_), Some(note)) => {
                Self::Unknown(Doubt::Changed(note.clone()))
            }
            (outcome, _) => outcome,
        }
    }

    /// Adds what shows a fault, a line each; other outcomes have none.
    pub(super) fn with_evidence(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        if let Self::Wrong(fault) = &mut self {
            fault.evidence.extend(lines);
        }
        self
    }

    /// What a fault says where somebody may have meant it; other outcomes say nothing.
    pub(super) fn into_advice(self) -> Option<String> {
        let Self::Wrong(fault) = self else {
            return None;
        };
        let shown = fault
            .evidence
            .first()
            .map(|line| format!(", such as {line}"));
        let shown = shown.unwrap_or_default();
        Some(format!(
            "{}, where one expects {}{shown}: see whether that is meant",
            fault.got, fault.expected
        ))
    }

    /// Adds what to do about a fault; other outcomes have no hint.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Wrong(fault) = &mut self {
            fault.hint = Some(hint.into());
        }
        self
    }
}

/// Why a check says wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was expected, in words.
    pub expected: String,
    /// What came instead, in words.
    pub got: String,
    /// The events and readings that show it, a line each; the first few where there are many.
    pub evidence: Vec<String>,
    /// One thing to do about it.
    pub hint: Option<String>,
}

/// Why a check says unknown; the error is the vendor's.
pub type Doubt = crate::Doubt<SourceError>;

/// What a failed reading means for the check that made it.
pub(super) fn failure(error: &SourceError) -> Outcome {
    if error.kind == SourceErrorKind::Cancelled {
        return Outcome::Unknown(Doubt::Interrupted);
    }
    if is_vendors(error.kind) {
        return Outcome::Unknown(Doubt::Answer(error.clone()));
    }
    let mut told = error.diagnose();
    let causes = told.causes.iter().flat_map(|cause| cause.lines());
    Outcome::Wrong(Fault {
        expected: "an answer".to_owned(),
        evidence: causes.map(str::to_owned).collect(),
        got: told.what,
        hint: told.hints.pop(),
    })
}

/// Whether an error is the vendor's, or the way's to it, and says nothing about the connector.
pub(super) fn is_vendors(kind: SourceErrorKind) -> bool {
    match kind {
        SourceErrorKind::Unreachable
        | SourceErrorKind::Broken
        | SourceErrorKind::Timeout
        | SourceErrorKind::Unauthorized
        | SourceErrorKind::RateLimited
        | SourceErrorKind::Vendor
        | SourceErrorKind::TooLarge
        | SourceErrorKind::Cancelled => true,
        SourceErrorKind::Unsendable
        | SourceErrorKind::Refused
        | SourceErrorKind::NotFound
        | SourceErrorKind::NoSuchPage
        | SourceErrorKind::Format
        | SourceErrorKind::Pages
        | SourceErrorKind::PlaceExpired
        | SourceErrorKind::ForeignHost
        | SourceErrorKind::Expression
        | SourceErrorKind::Credentials
        | SourceErrorKind::Connector => false,
    }
}

/// What errors of validation mean: each line names the event that it is about.
pub(super) fn invalid<E>(
    errors: &[EventError],
    events: &[E],
    label: &dyn Fn(&E) -> Option<String>,
    noun: &str,
) -> Outcome {
    if errors.is_empty() {
        return Outcome::Supported;
    }
    let lines = errors.iter().take(SHOWN).map(|error| {
        let index = error.path.split('.').next().unwrap_or_default();
        let event = index
            .parse()
            .ok()
            .and_then(|index: usize| events.get(index));
        match event.and_then(label) {
            Some(label) => format!("{label}: {error}"),
            None => error.to_string(),
        }
    });
    let count = match errors.len() {
        most if most >= MAX_EVENT_ERRORS => {
            format!("{most} errors or more")
        }
        count => counted(count, "error"),
    };
    Outcome::wrong(format!("every {noun} as the contract says"), count).with_evidence(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_not_read_to_its_end_proves_nothing() {
        let whole = Summary::default();
        let mut cut = Summary::default();
        cut.incomplete.push("a list changed".to_owned());
        let changed = Outcome::Unknown(Doubt::Changed("a list changed".to_owned()));
        for outcome in [Outcome::Supported, Outcome::wrong("all", "some")] {
            assert_eq!(outcome.clone().of_whole_lists([&whole]), outcome);
            assert_eq!(outcome.of_whole_lists([&whole, &cut]), changed);
        }
        let blocked = Outcome::nothing_to_see("no run");
        assert_eq!(blocked.clone().of_whole_lists([&cut]), blocked);
    }
}
