//! Times and spans in the ways vendors write them.

use bowline_template::Value;
use jiff::{SignedDuration, Span, Timestamp};

/// What a bare number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    pub(super) fn from_name(name: Option<&str>) -> Result<Self, String> {
        match name {
            None | Some("s") => Ok(Self::Seconds),
            Some("ms") => Ok(Self::Milliseconds),
            Some(other) => Err(format!("unknown unit `{other}`: use `s` or `ms`")),
        }
    }
}

/// Reads a time: RFC 3339 text, or a number since 1970 as number or text. A time without a zone is refused.
pub(super) fn read(value: &Value, unit: Unit) -> Result<Timestamp, String> {
    let not_a_time = || format!("not a time: `{value}`");
    if let Some(number) = value.as_number() {
        return since_epoch(number, unit).ok_or_else(not_a_time);
    }
    let text = value.as_text().ok_or_else(not_a_time)?;
    if let Ok(number) = text.parse::<f64>() {
        return since_epoch(number, unit).ok_or_else(not_a_time);
    }
    bowline_contract::pipeline::EventTime::parse(text)
        .map(|time| time.timestamp())
        .map_err(|reason| format!("{reason}: `{text}`"))
}

/// Epoch seconds are floats in the wild; microseconds are what a float still holds of today's times.
fn since_epoch(number: f64, unit: Unit) -> Option<Timestamp> {
    let seconds = match unit {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1000.0,
    };
    let span = SignedDuration::try_from_secs_f64(seconds).ok()?;
    let micros = span.as_micros();
    let rounding = i128::from(span.subsec_nanos() % 1000 >= 500);
    Timestamp::from_microsecond(i64::try_from(micros + rounding).ok()?).ok()
}

/// A time as epoch seconds.
pub(super) fn epoch_seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// Reads a span as whole seconds.
pub(super) fn span_seconds(value: &Value) -> Result<i64, String> {
    let not_a_span = || format!("not a span of time: `{value}`");
    if let Some(seconds) = value.as_number() {
        let whole = SignedDuration::try_from_secs_f64(seconds).map_err(|_| not_a_span())?;
        return Ok(whole.as_secs());
    }
    let text = value.as_text().ok_or_else(not_a_span)?.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    clock_seconds(text)
        .or_else(|| {
            let span: Span = text.parse().ok()?;
            let days = jiff::SpanRelativeTo::days_are_24_hours();
            span.to_duration(days).ok().map(|span| span.as_secs())
        })
        .ok_or_else(not_a_span)
}

/// `6:00:00` and `2 days, 6:00:00`, as Python writes spans.
fn clock_seconds(text: &str) -> Option<i64> {
    let (days, clock) = match text.split_once(',') {
        Some((days, clock)) => {
            let number = days
                .trim()
                .strip_suffix("days")
                .or_else(|| days.trim().strip_suffix("day"))?;
            (number.trim().parse::<i64>().ok()?, clock.trim())
        }
        None => (0, text),
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let seconds: i64 = seconds.split('.').next()?.parse().ok()?;
    Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}
