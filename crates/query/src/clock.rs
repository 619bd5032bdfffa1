//! The instants that statements speak about, fixed once so that all of a run mean the same ones.

use jiff::civil::{DateTime, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The moment that counts as now, in UTC. It is handed in: nothing here reads the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    now: DateTime,
}

impl Clock {
    /// A clock that shows this moment, to the second.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let now = now.to_zoned(TimeZone::UTC).datetime();
        let whole_second = now
            .time()
            .with()
            .subsec_nanosecond(0)
            .build()
            .unwrap_or(now.time());
        Self {
            now: now.date().to_datetime(whole_second),
        }
    }

    /// The moments that an expression may name.
    #[must_use]
    pub fn moments(&self) -> [(&'static str, DateTime); 10] {
        let noon = self.now.date().to_datetime(time(12, 0, 0, 0));
        [
            ("now", self.now),
            ("an_hour_ago", self.now.saturating_sub(1.hour())),
            ("two_days_ago", self.now.saturating_sub(2.days())),
            ("nine_days_ago", self.now.saturating_sub(9.days())),
            ("ninety_days_ago", self.now.saturating_sub(90.days())),
            ("long_ago", self.now.saturating_sub(400.days())),
            ("today_noon", noon),
            ("tomorrow_noon", noon.saturating_add(1.day())),
            ("yesterday_noon", noon.saturating_sub(1.day())),
            ("noon_two_days_ago", noon.saturating_sub(2.days())),
        ]
    }

    /// The hour up to now, as the bounds of a query log request.
    #[must_use]
    pub fn last_hour(&self) -> [DateTime; 2] {
        [
            self.now.saturating_sub(1.hour()),
            self.now.saturating_add(1.second()),
        ]
    }

    /// A day that no query log reaches back to, or that has nothing of today in it if it does.
    #[must_use]
    pub fn day_long_ago(&self) -> [DateTime; 2] {
        [
            self.now.saturating_sub(400.days()),
            self.now.saturating_sub(399.days()),
        ]
    }

    /// A day of which nothing can be logged yet.
    #[must_use]
    pub fn day_to_come(&self) -> [DateTime; 2] {
        [
            self.now.saturating_add(1.day()),
            self.now.saturating_add(2.days()),
        ]
    }

    /// The moment with this name.
    #[must_use]
    pub fn moment(&self, name: &str) -> Option<DateTime> {
        self.moments()
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, at)| at)
    }
}
