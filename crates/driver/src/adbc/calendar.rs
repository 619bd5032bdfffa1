//! Counts of days and seconds as drivers give them, with the infinities that some databases have.

use arrow_schema::DataType;
use jiff::tz::TimeZone;

use super::arrow::Vendor;
use crate::Value;
use crate::calendar::{self, POSTGRES_DAYS, POSTGRES_MICROS};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A date counted in days, or in milliseconds when Arrow's type is `Date64`.
pub(super) fn date(count: i64, vendor: Vendor, counted_as: &DataType) -> Value {
    let days = match counted_as {
        DataType::Date64 => count.div_euclid(MILLIS_PER_DAY),
        _ => count,
    };
    // Both keep infinities at the ends of 32 bits; PostgreSQL's are moved by its driver, which wraps.
    let (infinite, minus_infinite) = match vendor {
        Vendor::PostgreSql => (
            i64::from(i32::MAX.wrapping_add(POSTGRES_DAYS as i32)),
            i64::from(i32::MIN.wrapping_add(POSTGRES_DAYS as i32)),
        ),
        Vendor::DuckDb => (i64::from(i32::MAX), -i64::from(i32::MAX)),
        Vendor::Other => (i64::MAX, i64::MIN),
    };
    match days {
        days if days == infinite => "infinity".into(),
        days if days == minus_infinite => "-infinity".into(),
        days => calendar::date(days),
    }
}

/// A timestamp counted in so many units a second since 1970, an instant when it has a zone.
pub(super) fn timestamp(
    count: i64,
    per_second: i64,
    zone: Option<TimeZone>,
    vendor: Vendor,
) -> Value {
    let (infinite, minus_infinite) = match vendor {
        Vendor::PostgreSql => (
            i64::MAX.wrapping_add(POSTGRES_MICROS),
            i64::MIN.wrapping_add(POSTGRES_MICROS),
        ),
        Vendor::DuckDb => (i64::MAX, -i64::MAX),
        Vendor::Other => (i64::MAX, i64::MIN),
    };
    if count == infinite {
        return "infinity".into();
    }
    if count == minus_infinite {
        return "-infinity".into();
    }
    calendar::timestamp(count, per_second, zone)
}
