//! The suite for warehouses: checks, plan, runner, events, verdicts and what is derived from them.
//!
//! [`run`] puts a connector's templates to the test on a live database. It tells its readers [`Event`]s while it works
//! and gives a [`Report`] at the end, from which an [`Export`] is made. Asking and judging are two things: a check's
//! statements are asked, and their answers kept whole; judging is a function of these alone, so that a run over recorded
//! answers gives the same report.

mod accuracy;
mod ahead;
mod answers;
mod blame;
mod chain;
mod check;
mod checks;
mod claim;
mod column_types;
mod connection;
mod derive;
mod event;
mod excuse;
mod expect;
mod export;
mod finding;
mod functional;
mod judge;
mod letters;
mod logged_query;
mod metadata;
mod outcome;
mod plan;
mod query_logs;
mod question;
mod reading;
mod record;
mod record_files;
mod report;
mod respelling;
mod rules;
mod runner;
mod session;
mod success;
mod tokens;
mod trial;
mod value_kind;
mod written;

pub use accuracy::{Accuracy, Told};
pub use check::{Check, CheckId};
pub use checks::checks;
pub use claim::{CONFIDENTIAL, Claim, Claimed, is_confidential};
pub use event::{Activity, Event};
pub use expect::spell;
pub use export::{Export, ExportError};
pub use functional::{is_test_object, named_beside, undo};
pub use outcome::{Doubt, Fault, Outcome, Proof, Step};
pub use plan::{CHAINED_WORK, FUNCTIONAL_WORK, METADATA_WORK, QUERY_LOGS_WORK, standing_answers};
pub use report::{
    CapabilityReport, CheckReport, Culprit, Mend, MetricReport, Report, TemplateReport,
};
pub use respelling::{Respelled, Respelling};
pub use rules::{Rule, rules};
pub use runner::{Claims, Options, Subject, run};
pub use session::Interrupt;
pub use tokens::{Token, TokenKind, tokens};
pub use trial::{Short, Standing, Trial};
pub use written::About;
