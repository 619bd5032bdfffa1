//! Values as databases give them, exact.

use bigdecimal::BigDecimal;
use jiff::civil::{Date, DateTime, Time};

/// One value of a result, exactly as the database gave it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A whole number of any width up to 128 bits.
    Integer(i128),
    /// A binary floating point number, NaN and infinities included.
    Float(f64),
    /// An exact decimal, its scale kept.
    Decimal(BigDecimal),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A timestamp without a zone.
    Timestamp(DateTime),
    /// An instant, shown in the zone the database gave.
    TimestampTz(jiff::Zoned),
    /// An interval of months, days and nanoseconds.
    Interval(Interval),
    /// A list.
    List(Vec<Value>),
    /// Named values in order.
    Struct(Vec<(String, Value)>),
}

/// A length of time in the three units SQL keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Nanoseconds.
    pub nanoseconds: i64,
}
