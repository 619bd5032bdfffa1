//! What stands in the way of an image, all of it at once.

use std::fmt;

use bowline_contract::ConnectorName;
use bowline_words::{Diagnose, Diagnostic, Layout, counted};

/// An image that cannot be built as asked: everything that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// What stands in the way; never empty.
    pub problems: Vec<PlanProblem>,
}

/// One thing that stands in the way of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    /// What kind of thing it is.
    pub kind: PlanProblemKind,
    /// The connector it is about, if it is about one.
    pub connector: Option<ConnectorName>,
    /// What it is, in one line.
    pub what: String,
    /// One thing to do about it.
    pub hint: Option<String>,
}

/// The kinds of [`PlanProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanProblemKind {
    /// No connector has the name asked for, or there is none at all.
    Name,
    /// The tag or another part of the command is not valid.
    Argument,
    /// A connector was not exported, or a file of it is missing.
    Missing,
    /// A manifest is not valid.
    Manifest,
    /// The connector cannot be used in the mode asked for.
    Mode,
    /// `Dockerfile.extra` is not valid.
    Extra,
    /// `requirements.txt` is not valid.
    Requirements,
    /// A file cannot be read, or may not go into an image.
    File,
    /// What would ship is not what was proven.
    Unproven,
    /// A file would carry a secret into the image.
    Secret,
    /// What lets the stock agent run a connector without Python cannot be had.
    Runtime,
    /// Worth a word, and in no way of the image: whoever mends what stands in its way will want to know.
    Advice,
}

impl PlanProblem {
    /// A problem of no one connector.
    #[must_use]
    pub fn new(kind: PlanProblemKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            connector: None,
            what: what.into(),
            hint: None,
        }
    }

    /// The same, about this connector.
    #[must_use]
    pub fn of(mut self, connector: &ConnectorName) -> Self {
        self.connector = Some(connector.clone());
        self
    }

    /// The same with this one thing to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(connector) = &self.connector {
            write!(f, "`{connector}`: ")?;
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.problems.as_slice() {
            return write!(f, "cannot build the image: {only}");
        }
        f.write_str(&several(&self.problems))?;
        for problem in &self.problems {
            write!(f, "\n{}", listed(problem))?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}

impl Diagnose for PlanError {
    fn diagnose(&self) -> Diagnostic {
        if let [only] = self.problems.as_slice() {
            return Diagnostic::of(self).hint(only.hint.clone());
        }
        let told =
            |problem: &PlanProblem| Diagnostic::new(listed(problem)).hint(problem.hint.clone());
        Diagnostic::new(several(&self.problems))
            .mistakes(Layout::List, self.problems.iter().map(told))
    }
}

fn several(problems: &[PlanProblem]) -> String {
    let problems = problems.iter();
    let count = problems.filter(|problem| problem.kind != PlanProblemKind::Advice);
    format!(
        "cannot build the image: {}",
        counted(count.count(), "problem")
    )
}

/// One among several.
fn listed(problem: &PlanProblem) -> String {
    match problem.kind {
        PlanProblemKind::Advice => format!("warning: {problem}"),
        _ => problem.to_string(),
    }
}
