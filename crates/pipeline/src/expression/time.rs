//! Times and spans in the ways vendors write them.

use bowline_template::{Kind, Value};
use jiff::fmt::temporal::DateTimeParser;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// What a bare number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// 100 ns since the year 1, as .NET counts.
    Ticks,
    /// 100 ns since 1601, as Windows counts.
    FileTime,
}

/// From the year 1 to 1970, in seconds.
const TICKS_BEFORE: i128 = 62_135_596_800;
/// From 1601 to 1970, in seconds.
const FILE_TIME_BEFORE: i128 = 11_644_473_600;
const NANOS: i128 = 1_000_000_000;
/// From the last moment that a [`Timestamp`] has to the end of the year 9999: what vendors write for "never".
const CALENDAR: std::ops::Range<i128> = 253_402_207_200 * NANOS..253_402_300_800 * NANOS;

impl Unit {
    /// How many nanoseconds one of it has.
    const fn nanos(self) -> i128 {
        match self {
            Self::Seconds => NANOS,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1000,
            Self::Nanoseconds => 1,
            Self::Ticks | Self::FileTime => 100,
        }
    }

    /// How many nanoseconds before 1970 it counts from.
    const fn before(self) -> i128 {
        match self {
            Self::Ticks => TICKS_BEFORE * NANOS,
            Self::FileTime => FILE_TIME_BEFORE * NANOS,
            _ => 0,
        }
    }

    fn read(self, number: i128) -> Option<Timestamp> {
        let nanos = number
            .checked_mul(self.nanos())?
            .checked_sub(self.before())?;
        Timestamp::from_nanosecond(nanos)
            .ok()
            .or_else(|| (CALENDAR.contains(&nanos)).then_some(Timestamp::MAX))
    }

    /// A fraction of it; microseconds are what a float still holds of today's times.
    fn read_float(self, number: f64) -> Option<Timestamp> {
        let seconds = match self {
            Self::Seconds => number,
            Self::Milliseconds => number / 1000.0,
            Self::Microseconds => number / 1_000_000.0,
            Self::Nanoseconds | Self::Ticks | Self::FileTime => return None,
        };
        let span = SignedDuration::try_from_secs_f64(seconds).ok()?;
        let micros = span.as_micros();
        let rounding = i128::from(span.subsec_nanos() % 1000 >= 500);
        Timestamp::from_microsecond(i64::try_from(micros + rounding).ok()?).ok()
    }

    fn write(self, at: Timestamp) -> i128 {
        (at.as_nanosecond() + self.before()).div_euclid(self.nanos())
    }
}

/// How a vendor writes times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// As RFC 3339, as HTTP dates, as .NET's `/Date(0)/`, or as seconds since 1970: whatever it is.
    Any,
    /// As a number.
    Count(Unit),
    /// As HTTP does: RFC 1123, and when it is read also RFC 850 and as C does.
    Http,
    /// As .NET does in JSON: `/Date(1700000000000)/`.
    DotNet,
    /// By a pattern of C's `strftime`.
    Pattern(String),
}

impl Format {
    pub(super) fn from_name(name: Option<&str>) -> Result<Self, String> {
        Ok(match name {
            None => Self::Any,
            Some("s") => Self::Count(Unit::Seconds),
            Some("ms") => Self::Count(Unit::Milliseconds),
            Some("us") => Self::Count(Unit::Microseconds),
            Some("ns") => Self::Count(Unit::Nanoseconds),
            Some("ticks") => Self::Count(Unit::Ticks),
            Some("filetime") => Self::Count(Unit::FileTime),
            Some("http") => Self::Http,
            Some("dotnet") => Self::DotNet,
            Some(pattern) if pattern.contains('%') => Self::Pattern(pattern.to_owned()),
            Some(other) => {
                return Err(format!(
                    "unknown format `{other}`: use `s`, `ms`, `us`, `ns`, `ticks`, `filetime`, `http`, `dotnet`, or a \
                     pattern such as `%Y-%m-%d %H:%M:%S`"
                ));
            }
        })
    }
}

/// A zone by its name, such as `Europe/Berlin`, or as an offset, such as `+02:00`.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "UTC" | "Z" => Ok(TimeZone::UTC),
        name => DateTimeParser::new().parse_time_zone(name).map_err(|_| {
            format!("unknown zone `{name}`: use one such as `Europe/Berlin` or `+02:00`")
        }),
    }
}

/// Reads a time. One that says no zone is in the given one; without it, it is refused.
///
/// Of a local time that comes twice, when clocks go back, the first is meant; one that never comes, when they go
/// forward, is as much later.
pub(super) fn read(
    value: &Value,
    format: &Format,
    zone: Option<&TimeZone>,
) -> Result<Timestamp, String> {
    let not_a_time = || format!("not a time: `{value}`");
    let unit = match format {
        Format::Count(unit) => *unit,
        _ => Unit::Seconds,
    };
    match (value.kind(), format) {
        // Digits that stand for a date as the pattern says, such as 20261130, and for no seconds.
        (Kind::Integer(number), Format::Pattern(pattern)) => {
            return by_pattern(&number.to_string(), pattern, zone);
        }
        (Kind::Float(number), Format::Pattern(pattern)) => {
            return by_pattern(&number.to_string(), pattern, zone);
        }
        (Kind::Integer(number), _) => return unit.read(number).ok_or_else(not_a_time),
        (Kind::Float(number), _) => return unit.read_float(number).ok_or_else(not_a_time),
        _ => {}
    }
    let text = value.as_text().ok_or_else(not_a_time)?.trim();
    // Some languages write a space that breaks no line, as Java does before AM and PM.
    let text = &with_plain_blanks(text);
    if text.is_empty() {
        return Err("the text is empty, and no time: write `if` behind it, as in `record.ended | time if record.ended`".to_owned());
    }
    match format {
        Format::Pattern(pattern) => by_pattern(text, pattern, zone),
        Format::Http => http_date(text).ok_or_else(not_a_time),
        Format::DotNet => dot_net(text).ok_or_else(not_a_time),
        Format::Any | Format::Count(_) => {
            if let Ok(number) = text.parse::<i128>() {
                return unit.read(number).ok_or_else(not_a_time);
            }
            if let Ok(number) = text.parse::<f64>() {
                return unit.read_float(number).ok_or_else(not_a_time);
            }
            http_date(text)
                .or_else(|| dot_net(text))
                .map_or_else(|| by_contract(text, zone), Ok)
        }
    }
}

fn by_contract(text: &str, zone: Option<&TimeZone>) -> Result<Timestamp, String> {
    let time = bowline_contract::pipeline::EventTime::parse(text);
    match (time, zone, text.parse::<jiff::civil::DateTime>()) {
        (Ok(time), ..) => Ok(time.timestamp()),
        (Err(_), Some(zone), Ok(local)) if !text.contains('[') => at_local(local, zone),
        (Err(reason), ..) => spelled(text).ok_or_else(|| format!("{reason}: `{text}`")),
    }
}

/// A time of which languages write the zone in their own way, or more digits than a nanosecond has:
/// `2026-11-22T10:00:00Z[UTC]` of Java, `2026-11-22 10:00:00 +0000 UTC` of Go, `2026-11-22 10:00:00 UTC`.
fn spelled(text: &str) -> Option<Timestamp> {
    if text.ends_with(']') {
        return Some(text.parse::<jiff::Zoned>().ok()?.timestamp());
    }
    let mut words = text.split_ascii_whitespace();
    let date = words.next()?;
    let (date, clock) = match date.split_once(['T', 't']) {
        Some(parts) => parts,
        None => (date, words.next()?),
    };
    let zone = words.next();
    let offset = match zone {
        Some("UTC" | "GMT" | "Z") => "Z",
        Some(offset) if offset.starts_with(['+', '-']) => offset,
        Some(_) => return None,
        None => "",
    };
    // Behind an offset its name may stand.
    let name = words.next();
    let is_name = |name: &str| offset != "Z" && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if words.next().is_some() || !name.is_none_or(is_name) {
        return None;
    }
    let time = format!("{date}T{}{offset}", in_nanoseconds(clock));
    let time = bowline_contract::pipeline::EventTime::parse(&time);
    Some(time.ok()?.timestamp())
}

/// A time of day without what is less than a nanosecond.
fn in_nanoseconds(clock: &str) -> String {
    let Some((whole, rest)) = clock.split_once(['.', ',']) else {
        return clock.to_owned();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    format!("{whole}.{}{}", &rest[..digits.min(9)], &rest[digits..])
}

fn at_local(local: jiff::civil::DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    if is_end_of_calendar(local) {
        return Ok(Timestamp::MAX);
    }
    let at = zone.to_ambiguous_timestamp(local).compatible();
    at.map_err(|error| error.to_string())
}

/// Whether a local time is one of the last hours of the year 9999, for which a [`Timestamp`] has no room in some zones.
fn is_end_of_calendar(local: jiff::civil::DateTime) -> bool {
    local.date() >= jiff::civil::date(9999, 12, 30)
}

/// A time as the contract writes it. The last moment that there is stands for the end of the calendar.
pub(super) fn to_contract(at: Timestamp) -> String {
    if at == Timestamp::MAX {
        "9999-12-31T23:59:59Z".to_owned()
    } else {
        at.to_string()
    }
}

/// A text with plain blanks. Some languages write a space that breaks no line, as Java does before AM and PM.
fn with_plain_blanks(text: &str) -> String {
    let is_odd = |letter: char| letter.is_whitespace() && !letter.is_ascii();
    text.replace(is_odd, " ")
}

fn by_pattern(text: &str, pattern: &str, zone: Option<&TimeZone>) -> Result<Timestamp, String> {
    let parts = strtime::parse(with_plain_blanks(pattern), text)
        .map_err(|_| format!("not a time as `{pattern}` writes it: `{text}`"))?;
    if let Ok(at) = parts.to_timestamp() {
        return Ok(at);
    }
    let local = parts
        .to_datetime()
        .or_else(|_| parts.to_date().map(jiff::civil::DateTime::from))
        .map_err(|error| format!("{error}: `{text}`"))?;
    match zone {
        Some(zone) => at_local(local, zone),
        None if parts.offset().is_some() && is_end_of_calendar(local) => Ok(Timestamp::MAX),
        None => Err(format!(
            "the time has no zone: `{text}`; name it: `time('{pattern}', 'Europe/Berlin')`"
        )),
    }
}

/// The three ways of writing a date in HTTP.
fn http_date(text: &str) -> Option<Timestamp> {
    let first = text.as_bytes().first()?;
    if !first.is_ascii_alphabetic() {
        return None;
    }
    if let Ok(at) = rfc2822::parse(text) {
        return Some(at.timestamp());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|pattern| by_pattern(text, pattern, Some(&TimeZone::UTC)).ok())
}

/// `/Date(1700000000000)/`, with an offset that only says where it was written.
fn dot_net(text: &str) -> Option<Timestamp> {
    let text = text.replace('\\', "");
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner
        .get(1..)?
        .find(['+', '-'])
        .map_or(inner.len(), |at| at + 1);
    let millis: i64 = inner[..end].parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

/// Writes a time as a vendor reads it, in UTC when no zone is given.
pub(super) fn write(
    at: Timestamp,
    format: &Format,
    zone: Option<&TimeZone>,
) -> Result<Value, String> {
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    Ok(match format {
        Format::Count(unit) => {
            let number = unit.write(at);
            match i64::try_from(number) {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(number.to_string()),
            }
        }
        Format::DotNet => Value::from(format!("/Date({})/", at.as_millisecond())),
        Format::Http => Value::from(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        Format::Any => {
            let offset = zone.to_offset(at);
            Value::from(at.display_with_offset(offset).to_string())
        }
        Format::Pattern(pattern) => {
            let zoned = at.to_zoned(zone);
            let text = strtime::format(pattern, &zoned).map_err(|error| error.to_string())?;
            Value::from(text)
        }
    })
}

/// What to write behind the expression of a time that the contract does not take as it is; nothing for one that it does,
/// and for what is no time.
pub(crate) fn advice(value: &serde_json::Value) -> Option<&'static str> {
    let number = match value {
        serde_json::Value::Number(number) => number.as_f64(),
        serde_json::Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => return None,
    };
    if let Some(number) = number {
        // What it counts is told by its size, for times that people live in.
        return match number.abs() {
            small if small < 1e8 => None,
            seconds if seconds < 1e11 => Some("`| time`"),
            millis if millis < 1e14 => Some("`| time('ms')`"),
            micros if micros < 1e17 => Some("`| time('us')`"),
            nanos if nanos < 1e20 => Some("`| time('ns')`"),
            _ => None,
        };
    }
    let text = value.as_str()?;
    let reads = |zone| read(&Value::from(text), &Format::Any, zone).is_ok();
    if bowline_contract::pipeline::EventTime::parse(text).is_ok() {
        None
    } else if reads(None) {
        Some("`| time`")
    } else if reads(Some(&TimeZone::UTC)) {
        Some("`| time(none, 'Europe/Berlin')`, with the zone that the vendor means")
    } else if text.bytes().any(|byte| byte.is_ascii_digit()) {
        Some("`| time('%d.%m.%Y %H:%M', 'Europe/Berlin')`, with the vendor's format and zone")
    } else {
        None
    }
}

/// A time as epoch seconds.
pub(super) fn epoch_seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// Reads a span.
pub(super) fn span(value: &Value) -> Result<SignedDuration, String> {
    let not_a_span = || format!("not a span of time: `{value}`");
    let of_seconds = |seconds| SignedDuration::try_from_secs_f64(seconds).ok();
    if let Some(seconds) = value.as_number() {
        return of_seconds(seconds).ok_or_else(not_a_span);
    }
    let text = value.as_text().ok_or_else(not_a_span)?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return of_seconds(seconds).ok_or_else(not_a_span);
    }
    clock_span(text)
        .or_else(|| {
            let span: Span = text.parse().ok()?;
            let days = jiff::SpanRelativeTo::days_are_24_hours();
            span.to_duration(days).ok()
        })
        .ok_or_else(not_a_span)
}

/// `6:00:00` and `2 days, 6:00:00`, as Python writes spans, and `2.06:00:00`, as .NET does.
fn clock_span(text: &str) -> Option<SignedDuration> {
    // Of Python's, only the days have the sign.
    if let Some(text) = text.strip_prefix('-').filter(|text| !text.contains(',')) {
        return Some(-clock_span(text)?);
    }
    let (days, clock) = match text.split_once(',') {
        Some((days, clock)) => {
            let number = days
                .trim()
                .strip_suffix("days")
                .or_else(|| days.trim().strip_suffix("day"))?;
            (number.trim().parse::<i64>().ok()?, clock.trim())
        }
        None => match text.split_once('.').filter(|(_, rest)| rest.contains(':')) {
            Some((days, clock)) => (days.parse().ok()?, clock),
            None => (0, text),
        },
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let is_number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let seconds: f64 = seconds.parse().ok().filter(|_| is_number(seconds))?;
    let whole = days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?;
    let whole = whole.checked_add(minutes)?.checked_mul(60)?;
    let seconds = SignedDuration::try_from_secs_f64(seconds).ok()?;
    SignedDuration::from_secs(whole).checked_add(seconds)
}
