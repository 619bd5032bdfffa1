//! How far the catalogue is from the truth and how long behind it, measured on the suite's own table while it changes.

use std::time::Duration;

use bigdecimal::{BigDecimal, ToPrimitive};
use jiff::Timestamp;

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accuracy {
    /// How long after each change the catalogue told it, at most: the time from the end of the change until the answer in
    /// which it shows.
    pub lags: Vec<Duration>,
    /// The same for statements and the query log.
    pub log_lags: Vec<Duration>,
    /// How many changes showed only after the database was told to count anew.
    pub counted_anew: usize,
    /// Row counts, as there are and as told.
    pub row_counts: Vec<Told>,
    /// Sizes in bytes: of the values' texts, and as told. A table takes more than its values.
    pub byte_counts: Vec<Told>,
}

/// A number that is known, and what the catalogue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What there is.
    pub there: i64,
    /// What is told.
    pub told: i64,
}

impl Told {
    /// What is told, where it can be.
    pub(crate) fn of(there: i64, told: Option<&BigDecimal>) -> Option<Self> {
        let told = told?.to_i64()?;
        Some(Self { there, told })
    }
}

impl Accuracy {
    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// The moments that lags are told by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    /// When the last answer came; until there is one, when the run began.
    pub(crate) latest: Timestamp,
    /// When the last change was over.
    pub(crate) changed: Timestamp,
    /// Whether the database was told since then to count anew.
    pub(crate) counted_anew: bool,
}

impl Moments {
    pub(crate) fn at(began: Timestamp) -> Self {
        Self {
            latest: began,
            changed: began,
            counted_anew: false,
        }
    }

    /// How long ago the last change was when the last answer came.
    pub(crate) fn lag(&self) -> Duration {
        let lag = self.latest.duration_since(self.changed);
        Duration::try_from(lag).unwrap_or_default()
    }
}
