//! What a fit tells while it works and gives at the end.

use std::time::Duration;

use bowline_conformance::warehouse::{Outcome, Proof, Report, Short};
use bowline_contract::Template;
use bowline_driver::SqlError;
use bowline_warehouse::template::{SuiteWords, TemplateSet};

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The engine is being asked what it has.
    Profiling,
    /// A template's turn has come.
    Trying {
        /// The template.
        template: &'static Template,
        /// How many are behind it.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// A spelling is proven.
    Found(&'a Found),
    /// The whole suite runs over what was found.
    Proving,
}

/// A spelling that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The template.
    pub template: &'static Template,
    /// Its text.
    pub text: String,
    /// The pack that has the same text; none for one that was composed.
    pub pack: Option<&'static str>,
    /// How many checks of the suite judge it, and pass.
    pub checks: usize,
    /// How many answers over rows beyond the suite's were right.
    pub rows: usize,
}

/// Why a template of the connector stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is proven.
    Proven,
    /// It is wrong, and the user's own.
    WrongAndOwn,
}

/// A template without a proven spelling.
#[derive(Debug, Clone)]
pub struct Missed {
    /// The template.
    pub template: &'static Template,
    /// How many spellings were tried.
    pub tried: usize,
    /// The one that came nearest, if any was tried.
    pub nearest: Option<Miss>,
}

/// A spelling that is not proven.
#[derive(Debug, Clone)]
pub struct Miss {
    /// Its text.
    pub text: String,
    /// What it fell short of; none when it was taken out because rows beyond the suite's came out wrong.
    pub short: Option<Box<Short>>,
    /// What was asked beyond the suite, with what was expected and what came.
    pub rows: Option<WrongRow>,
    /// How many checks it had passed.
    pub passed: usize,
}

impl Miss {
    /// The engine's words where it refused what was asked.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self.short.as_ref().map(|short| &short.outcome) {
            Some(Outcome::Unsupported(Proof::Refused(error))) => Some(&error.message),
            _ => None,
        }
    }

    /// Whether nobody could say that it falls short, because a check had no answer.
    pub(crate) fn is_unanswered(&self) -> bool {
        let short = self.short.as_ref();
        short.is_some_and(|short| short.outcome.unanswered().is_some())
    }
}

/// An answer over rows beyond the suite's that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongRow {
    /// What was asked.
    pub sql: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// Why a fit ended before it had tried everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody stopped it.
    Interrupted,
    /// The connection was lost, and no other could be had.
    Lost,
    /// It had asked as many statements as it might.
    Statements,
    /// It had taken as long as it might.
    Time,
}

/// What a fit found out.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What is on the other end, as the server names itself.
    pub product: String,
    /// The connector's templates with what was found.
    pub templates: TemplateSet,
    /// The words for the suite's own statements that were found.
    pub suite: SuiteWords,
    /// What was found, in the contract's order.
    pub found: Vec<Found>,
    /// The templates that the connector had, and what came of them.
    pub kept: Vec<(&'static Template, Kept)>,
    /// The templates for which nothing was found.
    pub missed: Vec<Missed>,
    /// The templates that were not looked for, because nothing says where a table may be made.
    pub without_place: Vec<&'static Template>,
    /// Statements that would remove what could not be removed; empty as a rule.
    pub left_behind: Vec<String>,
    /// What the whole suite says of it all; none when the fit was stopped before.
    pub report: Option<Report>,
    /// Why the whole suite could not run over it.
    pub unproven: Option<SqlError>,
    /// How many statements were sent, those of whole runs left out.
    pub statements: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Why it ended early, if it did.
    pub stopped: Option<Stopped>,
}
