//! How far a catalogue is from the truth, and how long behind it.

use std::time::Duration;

use bowline_words::counted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Milliseconds;

/// What was measured on the suite's own table while it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueResult {
    /// How long after a change the catalogue told it, at most: until the answer in which it shows.
    pub lag: Option<Lag>,
    /// How long after a statement the query log told it, at most.
    pub query_log_lag: Option<Lag>,
    /// How many changes showed only after the database was told to count anew (`ANALYZE`).
    pub counted_anew: usize,
    /// Row counts, as there are and as told.
    pub row_counts: Vec<ToldNumber>,
    /// Sizes in bytes: of the values' texts, and as told. A table takes more than its values.
    pub byte_counts: Vec<ToldNumber>,
}

/// Half of the waits and all but a twentieth were no longer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lag {
    /// How many changes were waited for.
    pub changes: usize,
    /// The median, in milliseconds.
    pub p50_ms: Milliseconds,
    /// The 95th percentile, in milliseconds.
    pub p95_ms: Milliseconds,
}

/// A number that is known, and what the catalogue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToldNumber {
    /// What there is.
    pub there: i64,
    /// What is told.
    pub told: i64,
}

impl ToldNumber {
    /// By what part of what there is it is off: 0.1 is ten percent.
    #[must_use]
    pub fn error(&self) -> f64 {
        let off = self.told.abs_diff(self.there) as f64;
        off / self.there.unsigned_abs().max(1) as f64
    }
}

impl Lag {
    /// Over these waits; none over nothing.
    #[must_use]
    pub fn of(waits: &[Duration]) -> Option<Self> {
        let mut waits = waits.to_vec();
        waits.sort();
        Some(Self {
            changes: waits.len(),
            p50_ms: (*percentile(&waits, 50)?).into(),
            p95_ms: (*percentile(&waits, 95)?).into(),
        })
    }

    fn words(&self) -> String {
        let [p50, p95] = [self.p50_ms, self.p95_ms].map(|span| short(span.into()));
        format!("{p50} (p50), {p95} (p95)")
    }
}

/// A span as people read it.
fn short(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        format!("{} ms", span.as_millis())
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}

impl CatalogueResult {
    /// What it comes to, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(lag) = self.lag {
            let anew = match self.counted_anew {
                0 => String::new(),
                count => format!(", {count} of them only after ANALYZE"),
            };
            lines.push(format!(
                "lag: {} over {}{anew}",
                lag.words(),
                counted(lag.changes, "change")
            ));
        }
        if let Some(lag) = self.query_log_lag {
            lines.push(format!(
                "lag of the query log: {} over {}",
                lag.words(),
                counted(lag.changes, "statement")
            ));
        }
        let mut errors: Vec<f64> = self.row_counts.iter().map(ToldNumber::error).collect();
        errors.sort_by(f64::total_cmp);
        if let (Some(p50), Some(p95)) = (percentile(&errors, 50), percentile(&errors, 95)) {
            lines.push(format!(
                "row counts off by {} (p50), {} (p95) over {}",
                percent(*p50),
                percent(*p95),
                counted(errors.len(), "count")
            ));
        }
        for ToldNumber { there, told } in &self.byte_counts {
            lines.push(format!(
                "a table with {there} bytes of values takes {told}, as it says"
            ));
        }
        lines
    }
}

/// The least value that so many percent of them do not pass; `sorted` is.
fn percentile<T>(sorted: &[T], percent: usize) -> Option<&T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?)
}

fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let waits: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        let lag = Lag::of(&waits).unwrap();
        assert_eq!(Duration::from(lag.p50_ms), Duration::from_millis(10));
        assert_eq!(Duration::from(lag.p95_ms), Duration::from_millis(19));
        assert_eq!(Lag::of(&[]), None);
        let lag = Lag::of(&waits[..1]).unwrap();
        assert_eq!(lag.p50_ms, lag.p95_ms);
    }

    #[test]
    fn an_error_is_a_part_of_what_there_is() {
        let told = |there, told| ToldNumber { there, told }.error();
        assert!((told(100, 90) - 0.1).abs() < 1e-9 && (told(100, 110) - 0.1).abs() < 1e-9);
        assert!((told(0, 3) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn it_is_told_in_lines() {
        let measured = CatalogueResult {
            lag: Lag::of(&[Duration::from_millis(4), Duration::from_millis(1500)]),
            query_log_lag: None,
            counted_anew: 1,
            row_counts: vec![
                ToldNumber {
                    there: 10,
                    told: 10,
                },
                ToldNumber {
                    there: 1010,
                    told: 0,
                },
            ],
            byte_counts: vec![ToldNumber {
                there: 1000,
                told: 2500,
            }],
        };
        assert_eq!(
            measured.lines(),
            [
                "lag: 4 ms (p50), 1.5 s (p95) over 2 changes, 1 of them only after ANALYZE",
                "row counts off by 0.0 % (p50), 100.0 % (p95) over 2 counts",
                "a table with 1000 bytes of values takes 2500, as it says",
            ]
        );
    }
}
