//! Collection: what a pipeline connector reads goes out as events, at least once, whatever dies meanwhile.
//!
//! A thread reads metadata, then runs; another checks, batches and delivers. A bounded queue between them keeps memory
//! flat when the far end is slow. What was delivered is written down in a [`State`], so that a collection that was
//! killed goes on with the window it was in and sends little twice.
//!
//! What goes out is checked and has a key of its own, the same whenever the same event is read:
//!
//! ```
//! use bowline_collect::{Encoder, Format, Given};
//! use bowline_contract::pipeline::RunEvent;
//! use serde_json::json;
//!
//! let encoder = Encoder::new("custom-etl-connector-0123abc", Format::Lines);
//! let run = |status| {
//!     Given::Run(RunEvent::new(json!({
//!         "job_source_id": "load", "run_source_id": "1", "status": status,
//!         "event_time": "2026-11-22T10:00:00Z",
//!     })))
//! };
//! let event = encoder.event(run("queued"));
//! assert!(event.problems.is_empty() && event.text.starts_with(r#"{"kind":"run","key":""#));
//! assert_eq!(encoder.event(run("queued")).key, event.key);
//! assert_eq!(
//!     encoder.event(run("success")).problems,
//!     ["`end_time`: required, because the status is `success`"]
//! );
//! ```

mod checkpoint;
mod clocks;
mod collection;
mod dead_letters;
mod error;
mod event;
mod failed_windows;
mod given_up;
mod inbox;
mod ledger;
mod lineage;
mod listener;
mod parts;
mod push;
mod queue;
mod sink;
mod state;
mod verification;

pub use clocks::{ClockReading, Clocks};
pub use collection::{Collected, Collection, Found, Parts, Tally};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use error::{CollectError, PushError, PushErrorKind, StateError};
pub use event::{Encoder, Event, Format, Given, Kind};
pub use failed_windows::FailedWindow;
pub use given_up::{Discarded, discard, give_up_window, settle_retried};
pub use inbox::{Admission, Callback, Inbox};
pub use ledger::{Entry, Ledger, Outcome};
pub use lineage::Lineage;
pub use listener::{Listener, WebhookSecret};
pub use push::{OnRetry, Push, PushTarget, Resource};
pub use sink::{LineFile, Refused, Sink, lines};
pub use state::State;
pub use verification::{Group, Keys, Verification, output_keys};
