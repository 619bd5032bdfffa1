//! Durations as errors tell them.

use std::fmt;
use std::time::Duration;

/// Prints a duration in seconds, to the millisecond and as short as it can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", (self.0.as_secs_f64() * 1e3).round() / 1e3)
    }
}
