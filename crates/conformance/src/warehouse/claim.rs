//! Verdicts without what they rest on: what a catalogue and a query log answered can be confidential, and of the checks
//! that read them only what they found is told.

use std::collections::BTreeSet;

use bowline_contract::{SuiteSection, Template};
use bowline_driver::{SqlError, SqlErrorKind};
use serde::{Deserialize, Serialize};

use crate::Tier;
use crate::warehouse::Report;
use crate::warehouse::checks::in_section;
use crate::warehouse::finding::Finding;
use crate::warehouse::outcome::{Doubt, Fault, Outcome, Proof};
use crate::warehouse::plan::{FUNCTIONAL_WORK, METADATA_WORK, QUERY_LOGS_WORK};

/// The sections with checks whose answers are confidential.
const SECTIONS: [SuiteSection; 2] = [SuiteSection::Metadata, SuiteSection::Functional];

/// What stands in the place of what is not told.
pub const CONFIDENTIAL: &str = "confidential: not in the public evidence";

/// Whether what this piece of work asks and is answered is confidential: it reads a catalogue or a query log.
#[must_use]
pub fn is_confidential(work: &str) -> bool {
    [METADATA_WORK, QUERY_LOGS_WORK, FUNCTIONAL_WORK].contains(&work)
}

/// What a check found whose statements and answers are not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The check's name.
    pub check: String,
    /// What it found.
    pub found: Claimed,
    /// The short names of the templates that its statements were made from.
    pub uses: Vec<String>,
    /// A digest of its statements and their answers.
    pub sha256: String,
}

/// What is told of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimed {
    /// The run did not come to ask it.
    NotAsked,
    /// See [`Outcome::Supported`].
    Supported,
    /// See [`Proof::NotImplemented`].
    NotImplemented(Vec<String>),
    /// See [`Proof::Refused`].
    Refused(SqlErrorKind),
    /// See [`Proof::Absent`].
    Absent,
    /// See [`Outcome::Wrong`].
    Wrong,
    /// See [`Outcome::Unknown`].
    Unknown,
    /// See [`Outcome::Blocked`].
    Blocked(Vec<String>),
}

impl Claimed {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Supported => Self::Supported,
            Outcome::Unsupported(Proof::NotImplemented(missing)) => {
                Self::NotImplemented(names(missing))
            }
            Outcome::Unsupported(Proof::Refused(error)) => Self::Refused(error.kind),
            Outcome::Unsupported(Proof::Absent(_)) => Self::Absent,
            Outcome::Wrong(_) => Self::Wrong,
            Outcome::Unknown(_) => Self::Unknown,
            Outcome::Blocked { by } => Self::Blocked(names(by)),
        }
    }

    /// The outcome, as far as it is told; none where there was none.
    fn outcome(&self) -> Option<Outcome> {
        let confidential = || CONFIDENTIAL.to_owned();
        Some(match self {
            Self::NotAsked => return None,
            Self::Supported => Outcome::Supported,
            Self::NotImplemented(missing) => {
                Outcome::Unsupported(Proof::NotImplemented(templates(missing)))
            }
            Self::Refused(kind) => {
                Outcome::Unsupported(Proof::Refused(SqlError::new(*kind, confidential())))
            }
            Self::Absent => Outcome::Unsupported(Proof::Absent(confidential())),
            Self::Wrong => Outcome::Wrong(Fault::Answer {
                expected: confidential(),
                got: confidential(),
            }),
            Self::Unknown => Outcome::Unknown(Doubt::NotReached(confidential())),
            Self::Blocked(by) => Outcome::Blocked { by: templates(by) },
        })
    }
}

impl Claim {
    /// What a run found by the checks whose answers are confidential; `digest` is given what a check asked and was
    /// answered.
    #[must_use]
    pub fn all(report: &Report, digest: impl Fn(&[super::Step]) -> String) -> Vec<Self> {
        let claim = |check: super::Check| {
            let found = report
                .checks
                .iter()
                .find(|found| found.check.id == check.id);
            Self {
                check: check.id.to_string(),
                found: found.map_or(Claimed::NotAsked, |found| Claimed::of(&found.outcome)),
                uses: found.map(|found| names(&found.uses)).unwrap_or_default(),
                sha256: digest(found.map(|found| &found.steps[..]).unwrap_or_default()),
            }
        };
        let checks = SECTIONS
            .into_iter()
            .flat_map(|section| in_section(section, report.tier));
        checks.map(claim).collect()
    }
}

/// What is claimed, as if it had been found. A claim says nothing once a template is another that a check of its section
/// uses, for these checks follow from each other.
pub(crate) fn findings(
    claims: &[Claim],
    changed: &[&'static Template],
    sections: &[SuiteSection],
    tier: Tier,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in SECTIONS.into_iter().filter(|each| sections.contains(each)) {
        let checks = in_section(section, tier);
        let claim_of = |name: &str| claims.iter().find(|claim| claim.check == name);
        let claimed: Vec<Option<&Claim>> = checks
            .iter()
            .map(|check| claim_of(check.id.as_str()))
            .collect();
        let is_stale = claimed.iter().flatten().any(|claim| {
            changed.iter().any(|template| {
                let mut uses = claim.uses.iter();
                uses.any(|used| used == template.short_name())
            })
        });
        for (check, claim) in checks.into_iter().zip(claimed) {
            let (outcome, uses) = match claim.filter(|_| !is_stale) {
                Some(claim) => (claim.found.outcome(), templates(&claim.uses)),
                None => {
                    let doubt = Doubt::Unasked(CONFIDENTIAL.to_owned());
                    (Some(Outcome::Unknown(doubt)), Vec::new())
                }
            };
            if let Some(outcome) = outcome {
                let uses: BTreeSet<_> = uses.into_iter().collect();
                findings.push(Finding {
                    expected: Some(CONFIDENTIAL.to_owned()),
                    ..Finding::new(check, outcome, uses, Vec::new())
                });
            }
        }
    }
    findings
}

fn names(templates: &[&'static Template]) -> Vec<String> {
    let names = templates.iter().map(|template| template.short_name());
    names.map(str::to_owned).collect()
}

/// The templates with these names; one that this version does not know is passed over.
fn templates(names: &[String]) -> Vec<&'static Template> {
    names
        .iter()
        .filter_map(|name| Template::find(name))
        .collect()
}
