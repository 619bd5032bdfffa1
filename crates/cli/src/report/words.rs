//! What verdicts are called and how their reasons are put, alike in every format.

use std::path::Path;

use bowline_conformance::{CheckReport, Culprit, Doubt, Fault, Outcome, Proof, Report, Step};
use bowline_connector::template::{Origin, TemplateSet};
use bowline_contract::Template;
use bowline_driver::{SqlError, SqlErrorKind};

/// The short names of templates, with commas.
pub(super) fn names<'a>(templates: impl IntoIterator<Item = &'a &'static Template>) -> String {
    let names: Vec<_> = templates
        .into_iter()
        .map(|template| template.short_name())
        .collect();
    names.join(", ")
}

/// What is the matter with a culprit: the end of a sentence that begins with the template's name.
pub(super) fn accusation(culprit: &Culprit, report: &Report) -> String {
    let outcome = report.check(&culprit.check).map(|check| &check.outcome);
    match outcome {
        Some(Outcome::Wrong(Fault::Render { template, .. })) if *template == culprit.template => {
            "cannot be rendered".to_owned()
        }
        Some(Outcome::Unsupported(Proof::Refused(_))) => "is refused by the database".to_owned(),
        Some(Outcome::Unsupported(Proof::NotImplemented(_))) => "is not implemented".to_owned(),
        Some(Outcome::Unknown(_)) => "could not be judged".to_owned(),
        _ => "is wrong".to_owned(),
    }
}

/// Whether the database refused the check that shows best what a culprit is about.
pub(super) fn is_refused(culprit: &Culprit, report: &Report) -> bool {
    let outcome = report.check(&culprit.check).map(|check| &check.outcome);
    matches!(outcome, Some(Outcome::Unsupported(Proof::Refused(_))))
}

/// Why a check was not answered with supported; none for supported.
pub(super) fn reason(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Unsupported(Proof::NotImplemented(templates)) => {
            format!("not implemented: {}", names(templates))
        }
        Outcome::Unsupported(Proof::Refused(error)) => format!("the database refused it: {error}"),
        Outcome::Unsupported(Proof::Absent(what)) => what.clone(),
        Outcome::Wrong(Fault::Answer { expected, got }) => {
            format!("expected {expected}, got {got}")
        }
        Outcome::Wrong(Fault::Render { message, .. }) => message.clone(),
        Outcome::Unknown(doubt) => doubted(doubt),
        Outcome::Blocked { by } => format!("blocked by {}", names(by)),
    })
}

fn doubted(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Database(error) => format!("{}: {error}", kind(error)),
        Doubt::NothingToSee(what) | Doubt::NotReached(what) => what.clone(),
        Doubt::Interrupted => "the run was interrupted first".to_owned(),
    }
}

/// What kind of database error it is, in words.
pub(super) fn kind(error: &SqlError) -> &'static str {
    match error.kind {
        SqlErrorKind::Syntax => "not valid SQL there",
        SqlErrorKind::MissingObject => "no such thing there",
        SqlErrorKind::Permission => "not permitted",
        SqlErrorKind::Data => "the data was refused",
        SqlErrorKind::Timeout => "out of time",
        SqlErrorKind::Cancelled => "cancelled",
        SqlErrorKind::Connection => "no connection",
        SqlErrorKind::TooLarge => "too large a result",
        SqlErrorKind::UnsupportedType => "a type that cannot be carried",
        SqlErrorKind::Driver => "the driver failed",
        SqlErrorKind::Other => "the database failed",
    }
}

/// The statement that shows best why a check was answered as it was: the first that failed, else the last.
pub(super) fn telling_step(check: &CheckReport) -> Option<&Step> {
    check
        .steps
        .iter()
        .find(|step| step.answer.result.is_err())
        .or_else(|| check.steps.last())
}

/// Where a template's text stands: `file:line`, or the pack it is from; none when the connector lacks it.
pub(super) fn place(templates: &TemplateSet, template: &Template, base: &Path) -> Option<Place> {
    let found = templates.get(template)?;
    Some(match &found.origin {
        Origin::Pack(pack) => Place::Pack(pack.clone()),
        Origin::File { path, line } => {
            let path = path.strip_prefix(base).unwrap_or(path);
            Place::File(format!("{}:{line}", path.display()))
        }
    })
}

/// See [`place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A dialect pack, by name.
    Pack(String),
    /// A file and line.
    File(String),
}
