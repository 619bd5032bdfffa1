//! A connector from a bare connection: finds spellings of templates that the database proves.
//!
//! A [`fit`] asks the engine first: which types, literals and families of functions it has (the profile), told by their
//! answers and never by the engine's name. From these and the dialect packs it composes candidates for every template
//! the connector lacks, and keeps one only when every check that judges the template passes, in the strict tier, and
//! rows beyond the suite's come out right too. At the end the whole suite runs over what was found, and what it does not
//! prove is taken out again.
//!
//! The spellings are data: `bank/*.toml`, facts of grammar from the engines' manuals.

mod bank;
mod budget;
mod catalogue;
mod error;
mod fit;
mod functions;
mod grammar;
mod known_answers;
mod outcome;
mod pool;
mod profile;
mod refusal;
mod rows;
mod search;

pub use bank::knows_spellings;
pub use error::FitError;
pub use fit::{Options, fit};
pub use outcome::{Event, Fitted, Found, Kept, Miss, Missed, Stopped, WrongRow};
