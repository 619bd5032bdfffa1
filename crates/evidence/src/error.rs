//! Why evidence cannot be used.

use bowline_contract::layout::EVIDENCE_FILE;
use bowline_words::{Diagnose, Diagnostic};

/// Why evidence cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the evidence: `{place}`{}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct EvidenceError {
    /// What is the matter.
    #[source]
    pub kind: EvidenceErrorKind,
    /// The file.
    pub place: String,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
}

/// What is the matter with evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceErrorKind {
    /// It does not end as evidence ends.
    #[error("its end is missing")]
    Cut,
    /// It is not what was written: the digest at its end is another.
    #[error("it was changed after it was written")]
    Changed,
    /// A newer program wrote it.
    #[error("it has version {0}, and this program reads up to {max}", max = crate::VERSION)]
    Newer(u64),
    /// A line is not what it should be.
    #[error("{0}")]
    Malformed(String),
}

impl Diagnose for EvidenceError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match &self.kind {
            EvidenceErrorKind::Newer(_) => "read it with the program that wrote it, or a newer one",
            _ if self.place.ends_with(EVIDENCE_FILE) => {
                "run `bowline test` with the database, which writes it anew"
            }
            EvidenceErrorKind::Cut
            | EvidenceErrorKind::Changed
            | EvidenceErrorKind::Malformed(_) => {
                "run `bowline export --public` with the database, which writes it anew"
            }
        };
        Diagnostic::of(self).hint(hint.to_owned())
    }
}
