//! What events say that a vendor's record may say, too, and how the two are compared.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{self as contract, AssetRef, EventTime, Shape};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

/// Texts from this length on are compared by what they contain, too: a connector may put words around what the vendor says.
const TELLING: usize = 8;

/// What an event says in a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    Text(String),
    Time(Timestamp),
}

impl Given {
    /// Whether a value of a record is the same, or may be what it was made from.
    pub(super) fn may_be(&self, said: &str) -> bool {
        match self {
            Self::Text(text) => {
                let is_telling = text.len() >= TELLING && said.len() >= TELLING;
                text == said || is_telling && (has_within(text, said) || has_within(said, text))
            }
            Self::Time(at) => moments(said)
                .iter()
                .any(|moment| (moment.at.as_second() - at.as_second()).abs() <= 1),
        }
    }

    /// Whether a value of a record is the same.
    pub(super) fn is(&self, said: &str) -> bool {
        self.keys(said).contains(&self.key())
    }

    /// What it is looked up by: times by their second.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Time(at) => at.as_second().to_string(),
        }
    }

    /// What a value of a record would be looked up by.
    pub(super) fn keys(&self, said: &str) -> Vec<String> {
        match self {
            Self::Text(_) => vec![said.to_owned()],
            Self::Time(_) => {
                let seconds = moments(said)
                    .into_iter()
                    .map(|moment| moment.at.as_second());
                seconds.map(|second| second.to_string()).collect()
            }
        }
    }
}

/// Whether a text has another in it that neither begins nor ends within a word.
fn has_within(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + part.len()..]);
        let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
        is_edge(before.chars().next_back()) && is_edge(after.chars().next())
    })
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{}`", shortened(text)),
            Self::Time(at) => at.fmt(f),
        }
    }
}

/// The first words of a text that is long. None is cut: a part of a secret would not be known for one, and so not hidden.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let Some((end, _)) = text.char_indices().nth(MOST) else {
        return text.to_owned();
    };
    let words = text[..end].rsplit_once(char::is_whitespace);
    match words {
        Some((words, _)) => format!("{words} …"),
        None => match text.split_once(char::is_whitespace) {
            Some((word, _)) => format!("{word} …"),
            None => text.to_owned(),
        },
    }
}

/// A place of the contract at which events say something that records may say, too: texts and times.
pub(super) struct Field {
    /// The names that lead to it, joined by dots.
    pub(super) name: String,
    is_time: bool,
    /// Whether an event may say several things there.
    pub(super) is_list: bool,
}

/// The texts and times of a record of the contract, but for what is in the vendor's own words, what names other events,
/// and parts that have ids of their own.
pub(super) fn fields(of: &[contract::Field]) -> Vec<Field> {
    let mut fields = Vec::new();
    add("", false, of, &mut fields);
    fields
}

fn add(before: &str, is_list: bool, of: &[contract::Field], fields: &mut Vec<Field>) {
    for field in of {
        let names_others = field.name != "job_source_id"
            && (field.name.ends_with("_source_id") || field.name.ends_with("_source_ids"));
        if names_others || field.name == "tasks" {
            continue;
        }
        let name = format!("{before}{}", field.name);
        let (inner, are_several) = match field.shape {
            Shape::Record(inner) => (inner, is_list),
            Shape::Records(inner) => (inner, true),
            Shape::Refs(_) => (AssetRef::FIELDS, true),
            _ => (Default::default(), is_list),
        };
        add(&format!("{name}."), are_several, inner, fields);
        let (is_time, is_list) = match field.shape {
            Shape::Text => (false, is_list),
            Shape::Texts => (false, true),
            Shape::Time => (true, is_list),
            _ => continue,
        };
        fields.push(Field {
            name,
            is_time,
            is_list,
        });
    }
}

impl Field {
    /// What an event says there.
    pub(super) fn of(&self, event: &Json) -> Vec<Given> {
        let mut said = vec![event];
        for name in self.name.split('.') {
            let inner = said.into_iter().filter_map(|json| json.get(name));
            said = inner.flat_map(items).collect();
        }
        let given = said.into_iter().filter_map(|said| {
            if self.is_time {
                let at = EventTime::parse(said.as_str()?).ok()?;
                return Some(Given::Time(at.timestamp()));
            }
            let text = match said {
                Json::String(text) => text.trim().to_owned(),
                Json::Number(number) => number.to_string(),
                _ => return None,
            };
            (!text.is_empty()).then_some(Given::Text(text))
        });
        given.collect()
    }
}

/// The elements of a list; anything else by itself.
fn items(json: &Json) -> Vec<&Json> {
    match json {
        Json::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// A time that a vendor may have meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// Whether the zone is certain.
    pub(super) is_zoned: bool,
}

/// The times that a value may stand for: none for most.
pub(super) fn moments(said: &str) -> Vec<Moment> {
    let zoned = |at| Moment { at, is_zoned: true };
    if let Some(at) = since_epoch(said) {
        return vec![zoned(at)];
    }
    if said.len() == 14 && said.bytes().all(|byte| byte.is_ascii_digit()) {
        let at = DateTime::strptime("%Y%m%d%H%M%S", said).ok();
        return at.and_then(unzoned).into_iter().collect();
    }
    if said.len() < 16 || !said.as_bytes()[0].is_ascii_alphanumeric() {
        return Vec::new();
    }
    if let Ok(at) = said.parse::<Timestamp>() {
        return vec![zoned(at)];
    }
    if let Ok(at) = said.parse::<DateTime>() {
        return unzoned(at).into_iter().collect();
    }
    let mail = jiff::fmt::rfc2822::parse(said).ok();
    mail.map(|at| zoned(at.timestamp())).into_iter().collect()
}

fn unzoned(at: DateTime) -> Option<Moment> {
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let is_zoned = false;
    Some(Moment { at, is_zoned })
}

/// Seconds since 1970, or thousandths, millionths or billionths of them: by how many digits there are. .NET's way of
/// writing them counts, too.
fn since_epoch(said: &str) -> Option<Timestamp> {
    let bare = said
        .strip_prefix("/Date(")
        .and_then(|rest| rest.strip_suffix(")/"))
        .map_or(said, |inner| {
            inner.split(['+', '-']).next().unwrap_or(inner)
        });
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        16 => Timestamp::from_microsecond(number).ok(),
        19 => Timestamp::from_nanosecond(number.into()).ok(),
        _ => None,
    }
}

/// Yes or no, as vendors write it.
pub(super) fn truth(said: &str) -> Option<bool> {
    match said.to_lowercase().as_str() {
        "true" | "1" | "y" | "yes" | "on" => Some(true),
        "false" | "0" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// The words of a name, however they are joined. Only the last name of a place counts.
pub(super) fn words(place: &str) -> BTreeSet<String> {
    let name = place.rsplit('.').next().unwrap_or(place);
    words_in_order(name).into_iter().collect()
}

/// The words of a text, however they are joined: `startTime`, `start_time`, `START-TIME`.
pub(super) fn words_in_order(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_small = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && was_small;
        if (starts || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase() || letter.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether one of a name's words begins with one of these.
pub(super) fn speaks_of(place: &str, beginnings: &str) -> bool {
    let begins = |word: &String| {
        beginnings
            .split_whitespace()
            .any(|begins| word.starts_with(begins))
    };
    words(place).iter().any(begins)
}

/// The same of any name on the way to a place.
pub(super) fn any_speaks_of(place: &str, beginnings: &str) -> bool {
    place.split('.').any(|name| speaks_of(name, beginnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_way_that_vendors_write_them() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        for said in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T12:00:00.000+02:00",
            "2026-11-22 10:00:00",
            "20261122100000",
            "1795341600",
            "1795341600.0",
            "1795341600000",
            "1795341600000000",
            "/Date(1795341600000)/",
            "/Date(1795341600000+0200)/",
            "Sun, 22 Nov 2026 10:00:00 GMT",
        ] {
            let read = moments(said);
            assert_eq!(read.first().map(|moment| moment.at), Some(at), "{said}");
            let is_bare = ["2026-11-22 10:00:00", "20261122100000"].contains(&said);
            assert_eq!(read[0].is_zoned, !is_bare, "{said}");
        }
        for said in [
            "",
            "7",
            "SUCCESS",
            "manual__2026-11-22T10:00:00Z",
            "12345678901",
        ] {
            assert_eq!(moments(said), [], "{said}");
        }
    }

    #[test]
    fn no_word_is_cut() {
        let (word, many) = ("x".repeat(90), "step ".repeat(20));
        assert_eq!(shortened(&word), word);
        assert_eq!(shortened(&format!("{word} more")), format!("{word} …"));
        assert_eq!(shortened(&many), format!("{}…", "step ".repeat(12)));
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn words_of_names() {
        let of = |place| words(place).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(of("attributes.startTime"), "start time");
        assert_eq!(of("END-DATE"), "date end");
        assert!(speaks_of("run.finishedAt", "finish"));
        assert!(!speaks_of("sender", "end"));
    }
}
