//! The suite for pipeline connectors: what the contract asks of them, and proofs that no run is lost, doubled or misplaced.
//!
//! [`run`] reads the vendor several times over, in different pages and windows, and compares what came. The vendor goes
//! on working meanwhile: a reading is only blamed for a run that was there before and after it, unchanged. [`CHECKS`]
//! lists what is asked; [`Report`] holds what was found, and every reading that was made.

mod addresses;
mod afresh;
mod assets;
mod by_id;
mod check;
mod claims;
mod contradictions;
mod cuts;
mod features;
mod findings;
mod garbled;
mod ids;
mod jobs;
mod ledger;
mod lineage;
mod older;
mod order;
mod outcome;
mod page_sizes;
mod prints;
mod proofs;
mod properties;
mod reading;
mod report;
mod retries;
mod runner;
mod running;
mod runs;
#[cfg(test)]
mod samples;
mod schedules;
mod spans;
mod statuses;
mod tasks;
mod texts;
mod times;
mod triggers;
mod witness;
mod words;
mod written;

pub use check::{AskedOf, CHECKS, Check};
pub use outcome::{Doubt, Fault, Outcome};
pub use report::{CheckReport, FeatureReport, ReadingReport, Report};
pub use runner::{Activity, Event, Options, run};
