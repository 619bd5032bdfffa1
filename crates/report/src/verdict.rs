//! What every report says in the same words: verdicts, how many there are of each, and how much was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of answer a check can give.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It ran and the answer was right.
    Supported,
    /// The connector lacks it, or the database refused it or does not have it; the proof is kept.
    Unsupported,
    /// It ran and the answer is wrong, or a template breaks a rule of the contract.
    Wrong,
    /// It could not be found out: no permission, a timeout, nothing to look at.
    Unknown,
    /// It could not be judged, because something that it builds on is at fault or not implemented.
    Blocked,
}

impl Verdict {
    /// Every verdict, in the order in which they are counted.
    pub const ALL: [Self; 5] = [
        Self::Supported,
        Self::Unsupported,
        Self::Wrong,
        Self::Unknown,
        Self::Blocked,
    ];

    /// The verdict's name, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Unsupported => "unsupported",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
        }
    }
}

/// How many checks have each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// How many are supported.
    pub supported: usize,
    /// How many are unsupported.
    pub unsupported: usize,
    /// How many are wrong.
    pub wrong: usize,
    /// How many are unknown.
    pub unknown: usize,
    /// How many are blocked.
    pub blocked: usize,
}

impl Summary {
    /// Counts the verdicts.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut summary = Self::default();
        for verdict in verdicts {
            let count = match verdict {
                Verdict::Supported => &mut summary.supported,
                Verdict::Unsupported => &mut summary.unsupported,
                Verdict::Wrong => &mut summary.wrong,
                Verdict::Unknown => &mut summary.unknown,
                Verdict::Blocked => &mut summary.blocked,
            };
            *count += 1;
        }
        summary
    }

    /// How many have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Supported => self.supported,
            Verdict::Unsupported => self.unsupported,
            Verdict::Wrong => self.wrong,
            Verdict::Unknown => self.unknown,
            Verdict::Blocked => self.blocked,
        }
    }
}

/// How much the suite asks.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// What the contract's suite asks.
    Reference,
    /// All of that, and what tells a wrong template from a right one.
    #[default]
    Strict,
}

impl Tier {
    /// The name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Strict => "strict",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_written() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::json!(verdict), verdict.name());
        }
        for tier in [Tier::Reference, Tier::Strict] {
            assert_eq!(serde_json::json!(tier), tier.name());
        }
    }

    #[test]
    fn verdicts_are_counted() {
        let summary = Summary::of([Verdict::Wrong, Verdict::Supported, Verdict::Wrong]);
        assert_eq!(
            Verdict::ALL.map(|verdict| summary.count(verdict)),
            [1, 0, 2, 0, 0]
        );
    }
}
