//! Counts of days and seconds to dates, times and timestamps, far years included.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::Value;
use crate::value::offset_text;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// Days from 1970 to 2000, where PostgreSQL counts from.
pub(crate) const POSTGRES_DAYS: i64 = 10_957;

/// Microseconds from 1970 to 2000.
pub(crate) const POSTGRES_MICROS: i64 = POSTGRES_DAYS * SECONDS_PER_DAY * 1_000_000;

/// A date counted in days since 1970.
pub(crate) fn date(days: i64) -> Value {
    near_date(days).map_or_else(|| far_date(days).into(), Value::Date)
}

/// A time of day counted in so many units a second; `24:00:00`, which some databases have, is text.
pub(crate) fn time(count: i64, per_second: i64) -> Value {
    let seconds = count.div_euclid(per_second);
    let nanos = count.rem_euclid(per_second) * (NANOS_PER_SECOND / per_second);
    match clock(seconds, nanos) {
        Some(time) => time.into(),
        None => clock_text(seconds, nanos).into(),
    }
}

/// A timestamp counted in so many units a second since 1970, an instant when it has a zone.
pub(crate) fn timestamp(count: i64, per_second: i64, zone: Option<TimeZone>) -> Value {
    let seconds = count.div_euclid(per_second);
    let nanos = count.rem_euclid(per_second) * (NANOS_PER_SECOND / per_second);
    moment(seconds, nanos, zone)
}

/// A timestamp in seconds since 1970 and nanoseconds behind them, an instant when it has a zone.
pub(crate) fn moment(seconds: i64, nanos: i64, zone: Option<TimeZone>) -> Value {
    let (days, second) = (
        seconds.div_euclid(SECONDS_PER_DAY),
        seconds.rem_euclid(SECONDS_PER_DAY),
    );
    let civil = near_date(days)
        .zip(clock(second, nanos))
        .map(|(date, time)| DateTime::from_parts(date, time));
    let far = || format!("{} {}", far_date(days), clock_text(second, nanos));
    match (civil, zone) {
        (Some(civil), None) => civil.into(),
        (None, None) => far().into(),
        (_, Some(zone)) => {
            let nanos = i32::try_from(nanos).unwrap_or_default();
            match jiff::Timestamp::new(seconds, nanos) {
                Ok(instant) => instant.to_zoned(zone).into(),
                Err(_) => format!("{}{}", far(), offset_text(jiff::tz::Offset::UTC)).into(),
            }
        }
    }
}

fn near_date(days: i64) -> Option<Date> {
    const EPOCH: Date = jiff::civil::date(1970, 1, 1);
    // Every date there is lies within four million days of 1970.
    let days = i32::try_from(days)
        .ok()
        .filter(|days| days.abs() < 4_500_000)?;
    EPOCH.checked_add(jiff::Span::new().days(days)).ok()
}

fn clock(seconds: i64, nanos: i64) -> Option<Time> {
    if !(0..SECONDS_PER_DAY).contains(&seconds) {
        return None;
    }
    Time::new(
        i8::try_from(seconds / 3600).ok()?,
        i8::try_from(seconds / 60 % 60).ok()?,
        i8::try_from(seconds % 60).ok()?,
        i32::try_from(nanos).ok()?,
    )
    .ok()
}

fn clock_text(seconds: i64, nanos: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{hours:02}:{minutes:02}:{rest:02}");
    match nanos {
        0 => whole,
        nanos => format!("{whole}.{}", format!("{nanos:09}").trim_end_matches('0')),
    }
}

/// The text of a date in any year of the proleptic Gregorian calendar: year 0 is 1 BC.
fn far_date(days: i64) -> String {
    // Eras of 400 years, whose years start in March so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let sign = match year {
        ..0 => "-",
        0..=9999 => "",
        10_000.. => "+",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_dates_follow_the_same_calendar_as_near_ones() {
        for days in [
            -719_528, -141_428, -1, 0, 59, 60, 11_016, 789_000, 2_932_896,
        ] {
            let near = near_date(days).unwrap().to_string();
            assert_eq!(far_date(days), near);
        }
        assert_eq!(far_date(2_932_897), "+10000-01-01");
        assert_eq!(far_date(106_751_991), "+294247-01-10");
    }

    #[test]
    fn the_last_day_of_year_9999_is_a_date() {
        assert_eq!(
            timestamp(253_402_300_799, 1, None).to_string(),
            "9999-12-31 23:59:59"
        );
        assert_eq!(
            timestamp(253_402_300_799, 1, Some(TimeZone::UTC)).to_string(),
            "9999-12-31 23:59:59+00:00"
        );
        assert_eq!(
            timestamp(253_402_300_800, 1, None).to_string(),
            "+10000-01-01 00:00:00"
        );
    }

    #[test]
    fn time_goes_up_to_the_end_of_the_day() {
        assert_eq!(
            time(86_399_999_999, 1_000_000).to_string(),
            "23:59:59.999999"
        );
        assert_eq!(time(86_400_000_000, 1_000_000), "24:00:00".into());
    }

    #[test]
    fn before_1970_fractions_count_forward() {
        assert_eq!(
            timestamp(-1, 1_000, None).to_string(),
            "1969-12-31 23:59:59.999"
        );
    }
}
