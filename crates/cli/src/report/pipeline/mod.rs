//! What the suite for pipelines found out, for people and for programs.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod progress;

use bowline_conformance::pipeline::{Doubt, Outcome};
use bowline_words::Diagnose;

/// Why a check was not answered with supported; none for supported.
fn reason(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Wrong(fault) => format!("expected {}, got {}", fault.expected, fault.got),
        Outcome::Unknown(doubt) => match doubt {
            Doubt::Vendor(error) => error.diagnose().to_string(),
            Doubt::NothingToSee(what)
            | Doubt::NoOccasion(what)
            | Doubt::Changed(what)
            | Doubt::NotReached(what) => what.clone(),
            Doubt::Interrupted => "the run was interrupted first".to_owned(),
        },
        Outcome::Blocked { by } => format!("blocked by {}", by.id),
    })
}
