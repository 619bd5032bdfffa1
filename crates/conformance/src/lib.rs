//! The suite: checks, plan, runner, events, verdicts and what is derived from them.
//!
//! [`run`] puts a connector's templates to the test on a live database. It prints nothing: it tells its readers
//! [`Event`]s while it works and gives a [`Report`] at the end, from which an [`Export`] is made. [`pipeline`] does the
//! same for pipeline connectors, and [`protocol`] for programs that speak the process protocol.

mod blame;
mod chain;
mod check;
mod checks;
mod clock;
mod compose;
mod connection;
mod derive;
mod event;
mod expect;
mod export;
mod expression;
mod finding;
mod functional;
mod literal;
mod metadata;
mod metadata_proofs;
mod outcome;
pub mod pipeline;
mod plan;
pub mod protocol;
mod query_logs;
mod reading;
mod record;
mod report;
mod runner;
mod session;
mod written;

pub use bowline_report::{Conclusion, Tier, Verdict};
pub use check::{CheckId, CheckInfo};
pub use checks::checks;
pub use event::Event;
pub use expect::spell;
pub use export::{Export, ExportError};
pub use outcome::{Doubt, Fault, Outcome, Preview, Proof, Step};
pub use report::{
    CapabilityReport, CheckReport, Culprit, Mend, MetricReport, Report, TemplateReport,
};
pub use runner::{Options, Subject, run};
pub use session::Interrupt;
pub use written::About;
