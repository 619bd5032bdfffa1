//! Moments and lengths of time as people write them.

use bowline_contract::pipeline::EventTime;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A moment on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A time with its zone.
    At(Timestamp),
    /// So long ago.
    Ago(SignedDuration),
}

impl Moment {
    /// The moment it stands for, seen from `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => *at,
            // A length so long that it leaves the calendar means the beginning of time.
            Self::Ago(length) => now.checked_sub(*length).unwrap_or(Timestamp::MIN),
        }
    }
}

/// Reads a moment: `2026-11-22T10:00:00Z`, or `24h` for so long ago.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    if text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('-') {
        return EventTime::parse(text)
            .map(|time| Moment::At(time.timestamp()))
            .map_err(|error| format!("{error}; write it as `2026-11-22T10:00:00Z`"));
    }
    match text.strip_prefix('-') {
        Some(ago) if parse_length(ago).is_ok() => {
            Err(format!("how long ago is written without a sign: `{ago}`"))
        }
        Some(option) if option.starts_with('-') => {
            Err("that is an option, and no time: write `24h` or `2026-11-22T10:00:00Z`".to_owned())
        }
        _ => parse_length(text).map(Moment::Ago),
    }
}

/// Reads a length of time: `60m`, `24h`, `7d`.
pub(crate) fn parse_length(text: &str) -> Result<SignedDuration, String> {
    let length = text.parse::<Span>().and_then(|span| {
        let days = SpanRelativeTo::days_are_24_hours();
        span.to_duration(days)
    });
    match length {
        Ok(length) if !length.is_negative() => Ok(length),
        Ok(_) => Err("it is negative".to_owned()),
        Err(_) => Err("write it as `60m`, `24h` or `7d`".to_owned()),
    }
}

/// Reads how often windows are collected.
pub(crate) fn parse_every(text: &str) -> Result<SignedDuration, String> {
    match parse_length(text)? {
        length if length < SignedDuration::from_secs(1) => Err("less than a second".to_owned()),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_lengths() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, at) in [
            ("2026-11-21T12:00:00+02:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"),
            ("24h", "2026-11-21T10:00:00Z"),
            ("2d", "2026-11-20T10:00:00Z"),
            ("1h 30m", "2026-11-22T08:30:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().at(now).to_string(), at, "{text}");
        }
        for text in [
            "",
            "soon",
            "2026-11-21",
            "2026-11-21T12:00:00",
            "-3h",
            "1mo",
            "24",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            parse("-3h"),
            Err("how long ago is written without a sign: `3h`".to_owned())
        );
        let option = parse("--until").unwrap_err();
        assert!(option.contains("an option"), "{option}");
    }
}
