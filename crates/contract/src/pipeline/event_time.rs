//! Points in time as the contract writes them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 8601 date and time with a zone; it keeps the text it was read from, so that it is written back unchanged.
///
/// Compares by the moment it stands for, not by its text.
#[derive(Debug, Clone)]
pub struct EventTime {
    text: String,
    at: Timestamp,
}

impl EventTime {
    /// Reads a time.
    ///
    /// # Errors
    /// When the text is no ISO 8601 date and time, or says no zone.
    pub fn parse(text: &str) -> Result<Self, EventTimeError> {
        Ok(Self {
            at: timestamp(text)?,
            text: text.to_owned(),
        })
    }

    /// The text as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The moment it stands for.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.at
    }
}

/// The moment a text stands for; the check behind [`EventTime::parse`] without keeping the text.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, EventTimeError> {
    // The reader of times also takes a zone's name in brackets, which is not ISO 8601.
    if text.contains('[') {
        return Err(EventTimeError::NotATime);
    }
    Timestamp::from_str(text).or_else(|_| {
        if is_end_of_calendar(text) {
            Ok(Timestamp::MAX)
        } else if jiff::civil::DateTime::from_str(text).is_ok() {
            Err(EventTimeError::NoZone)
        } else {
            Err(EventTimeError::NotATime)
        }
    })
}

/// Whether it is one of the last hours of the year 9999, which stand for "never" and which the type of moments leaves
/// room for in every zone.
fn is_end_of_calendar(text: &str) -> bool {
    Pieces::parse(text).is_ok_and(|pieces| {
        pieces.time().is_some()
            && pieces.offset().is_some()
            && pieces.date() >= jiff::civil::date(9999, 12, 30)
    })
}

impl From<Timestamp> for EventTime {
    fn from(at: Timestamp) -> Self {
        Self {
            text: at.to_string(),
            at,
        }
    }
}

impl PartialEq for EventTime {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for EventTime {}

impl PartialOrd for EventTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Why a text is no time of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventTimeError {
    /// It is no ISO 8601 date and time.
    #[error("not an ISO 8601 date and time")]
    NotATime,
    /// It is one, but does not say in which zone.
    #[error("the time has no zone")]
    NoZone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoned_times_are_read_and_keep_their_text() {
        for text in [
            "2026-11-22T18:29:44Z",
            "2026-11-22T18:29:44.926238+00:00",
            "2026-11-22T20:29:44+02:00",
            "2026-11-22 18:29:44Z",
        ] {
            assert_eq!(EventTime::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(
            EventTime::parse("2026-11-22T20:29:44+02:00"),
            EventTime::parse("2026-11-22T18:29:44Z")
        );
    }

    #[test]
    fn the_end_of_the_calendar_is_a_time() {
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999+00:00",
            "9999-12-31 00:00:00-14:00",
        ] {
            let time = EventTime::parse(text).unwrap();
            assert_eq!(time.as_str(), text);
            assert!(time > EventTime::parse("9999-12-29T00:00:00Z").unwrap());
        }
        for text in [
            "9999-12-32T00:00:00Z",
            "9999-12-31T25:00:00Z",
            "9999-12-31Z",
        ] {
            assert_eq!(
                EventTime::parse(text),
                Err(EventTimeError::NotATime),
                "{text}"
            );
        }
        let local = EventTime::parse("9999-12-31T23:59:59");
        assert_eq!(local, Err(EventTimeError::NoZone));
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, reason) in [
            ("2026-11-22T18:29:44", EventTimeError::NoZone),
            ("2026-11-22", EventTimeError::NoZone),
            (
                "2026-11-22T18:29:44+01:00[Europe/Berlin]",
                EventTimeError::NotATime,
            ),
            ("2026-13-22T18:29:44Z", EventTimeError::NotATime),
            ("yesterday", EventTimeError::NotATime),
            ("1795373643.29", EventTimeError::NotATime),
            ("", EventTimeError::NotATime),
        ] {
            assert_eq!(EventTime::parse(text), Err(reason), "{text}");
        }
    }
}
