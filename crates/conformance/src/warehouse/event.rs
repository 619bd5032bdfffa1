//! What the suite for warehouses tells its readers while it runs.

use std::time::Duration;

use crate::warehouse::Check;

/// Something that happened.
pub type Event<'a> = crate::Event<'a, Check, Activity<'a>>;

/// What the suite does beside answering checks.
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// It has opened a connection.
    Connected {
        /// What is on the other end.
        product: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// All checks have run; it asks again to find which template is at fault.
    Blaming {
        /// How many checks fell short.
        checks: usize,
    },
    /// It removes what functional checks made.
    CleaningUp,
}
