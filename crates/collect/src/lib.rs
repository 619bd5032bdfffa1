//! Collection: what a pipeline connector reads goes out as events, at least once, whatever dies meanwhile.
//!
//! A thread reads metadata, then runs; another checks, batches and delivers. A bounded queue between them keeps memory
//! flat when the far end is slow. What was delivered is written down in a [`State`], so that a collection that was
//! killed goes on with the window it was in and sends little twice.

mod collection;
mod dead_letters;
mod error;
mod event;
mod lineage;
mod push;
mod queue;
mod sink;
mod state;

pub use collection::{Collected, Collection, Parts, Tally};
pub use dead_letters::DeadLetters;
pub use error::{CollectError, PushError, PushErrorKind, StateError};
pub use event::{Encoder, Event, Format, Given, Kind};
pub use lineage::Lineage;
pub use push::{OnRetry, Push, PushTarget, Resource};
pub use sink::{LineFile, Refused, Sink, lines};
pub use state::{Ledger, State};
