//! The instants that statements speak about, fixed once so that all of a run mean the same ones.

use jiff::civil::{Date, DateTime, Time, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

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

    /// The moment that counts as now, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.now
            .to_zoned(TimeZone::UTC)
            .map_or(0, |now| now.timestamp().as_second())
    }

    /// The moments that an expression may name.
    #[must_use]
    pub fn moments(&self) -> [(&'static str, DateTime); 13] {
        let today = self.now.date();
        let noon = today.to_datetime(time(12, 0, 0, 0));
        let monday =
            today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
        let midnight = |day: Date| day.to_datetime(Time::midnight());
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
            ("today", midnight(today)),
            ("this_monday", midnight(monday)),
            ("this_month", midnight(today.first_of_month())),
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

    /// An hour that had ended before the run began: what the run itself asked is not of it, and of the same day.
    #[must_use]
    pub fn hour_until_lately(&self) -> [DateTime; 2] {
        [
            self.now.saturating_sub(65.minutes()),
            self.now.saturating_sub(5.minutes()),
        ]
    }

    /// An hour of which nothing can be logged yet.
    #[must_use]
    pub fn hour_to_come(&self) -> [DateTime; 2] {
        [
            self.now.saturating_add(1.hour()),
            self.now.saturating_add(2.hours()),
        ]
    }

    /// The moment with this name, or one as far from it as the spans behind it say: `today -6d +30s`.
    #[must_use]
    pub fn moment(&self, text: &str) -> Option<DateTime> {
        let mut words = text.split_whitespace();
        let name = words.next()?;
        let (_, start) = self
            .moments()
            .into_iter()
            .find(|(known, _)| *known == name)?;
        words.try_fold(start, |at, span| {
            at.checked_add(span.parse::<Span>().ok()?).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_others() {
        let clock = Clock::at("2024-06-15T14:30:45.9Z".parse().unwrap());
        let at = |text: &str| clock.moment(text).map(|at| at.to_string());
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(at("now"), is("2024-06-15T14:30:45"));
        assert_eq!(at("today -6d +30s"), is("2024-06-09T00:00:30"));
        assert_eq!(at("this_monday"), is("2024-06-10T00:00:00"));
        assert_eq!(at("this_month -1mo -1s"), is("2024-04-30T23:59:59"));
        assert_eq!(at("then"), None);
        assert_eq!(at("now -1"), None);
    }
}
