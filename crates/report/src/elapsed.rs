//! How long something took.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time span in milliseconds, to the microsecond: more digits would be noise.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Milliseconds(f64);

impl From<Duration> for Milliseconds {
    fn from(elapsed: Duration) -> Self {
        Self((elapsed.as_secs_f64() * 1_000_000.0).round() / 1_000.0)
    }
}

impl From<Milliseconds> for Duration {
    /// A report may hold any number; what is no time span is none.
    fn from(elapsed: Milliseconds) -> Self {
        Self::try_from_secs_f64(elapsed.0 / 1_000.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_the_microsecond() {
        let kept = Milliseconds::from(Duration::from_nanos(1_234_567));
        assert!((kept.0 - 1.235).abs() < 1e-9);
        assert_eq!(Duration::from(kept), Duration::from_micros(1_235));
    }

    #[test]
    fn a_number_that_is_no_time_span_is_none() {
        for odd in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Duration::from(Milliseconds(odd)), Duration::ZERO);
        }
    }
}
