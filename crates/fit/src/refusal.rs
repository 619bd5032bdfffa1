//! What the words of a refusal tell beyond that a spelling is wrong: functions to call instead, types that do not meet,
//! and where the grammar ended.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::{Template, VariableType};

use crate::profile::Profile;

/// Words that types begin with on one engine or another, and the choices to cast to where an error names such a type.
const TYPES: [(&[&str], &[&str]); 3] = [
    (
        &["text", "varchar", "char", "string", "utf8", "clob", "str"],
        &["text"],
    ),
    (
        &[
            "double", "float", "real", "numeric", "decimal", "number", "int", "integer", "bigint",
            "dbl", "i", "f",
        ],
        &["double", "decimal"],
    ),
    (&["timestamp", "datetime", "date"], &["timestamp"]),
];

/// What stands before the word at which an engine could not read on.
const STOPPED_AT: [&str; 6] = [
    "at or near",
    "near",
    "encountered",
    "unexpected token",
    "unexpected",
    "found:",
];

/// Two words of a text that follow each other, in small letters.
type Pair = (String, String);

/// Whether an error says that the statement could not be read at all.
fn is_of_grammar(message: &str) -> bool {
    let message = message.to_lowercase();
    // What is no number or date is told as its input's syntax.
    message.replace("input syntax", "").contains("syntax") || message.contains("parser error")
}

/// The names that an error proposes, in small letters as it is: what stands in quotes behind such words.
pub(crate) fn proposed(message: &str) -> impl Iterator<Item = &str> {
    const WORDS: [&str; 4] = ["did you mean", "you meant", "maybe", "similar"];
    let behind = WORDS.iter().find_map(|words| message.split_once(words));
    let behind = behind.map_or("", |(_, behind)| behind);
    let quoted = behind.split(['"', '\'', '`']).skip(1).step_by(2);
    // A function may be told with its arguments.
    quoted.filter_map(|name| name.split('(').next())
}

/// The same text with what it is given cast, once for each type that the error may ask for.
pub(crate) fn with_casts(
    template: &Template,
    text: &str,
    message: &str,
    profile: &Profile,
) -> Vec<String> {
    if is_of_grammar(message) {
        return Vec::new();
    }
    let message = message.to_lowercase();
    let words: Vec<&str> = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .collect();
    let is_named = |kinds: &&(&[&str], &[&str])| {
        let mut kinds = kinds.0.iter();
        let is_kind = |word: &str, kind: &str| {
            let rest = word.strip_prefix(kind);
            rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        kinds.any(|kind| words.iter().any(|word| is_kind(word, kind)))
    };
    let choices = TYPES.iter().filter(is_named).flat_map(|kinds| kinds.1);
    let types = choices.filter_map(|choice| profile.first(choice));
    let cast = types.map(|kind| cast(template, text, kind));
    cast.filter(|cast| cast != text).collect()
}

/// The text with every placeholder and every variable that is text cast to a type, but where it is already.
fn cast(template: &Template, text: &str, kind: &str) -> String {
    let variables = template
        .variables
        .iter()
        .filter(|variable| variable.kind == VariableType::Text)
        .map(|variable| format!("{{{{ {} }}}}", variable.name));
    let placeholders = template.placeholders.iter();
    let given = placeholders
        .map(|name| format!("{{{name}}}"))
        .chain(variables);
    given.fold(text.to_owned(), |text, given| {
        let mut written = String::new();
        for (place, piece) in text.split(given.as_str()).enumerate() {
            if place > 0 {
                let is_cast = written.to_uppercase().ends_with("CAST(");
                if is_cast {
                    written.push_str(&given);
                } else {
                    written.push_str(&format!("CAST({given} AS {kind})"));
                }
            }
            written.push_str(piece);
        }
        written
    })
}

/// What an engine's parser takes, learnt from what it refused.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    /// The texts that could not be read from here on.
    stops: BTreeMap<Pair, BTreeSet<String>>,
    read: BTreeSet<Pair>,
}

/// How many texts an engine must stop at before others like them are not tried: the cause may stand before the place.
const ENOUGH: usize = 2;

impl Grammar {
    /// Learns from a text, and from the error where there was one.
    pub(crate) fn learn(&mut self, text: &str, message: Option<&str>) {
        match message.filter(|message| is_of_grammar(message)) {
            Some(message) => {
                if let Some(pair) = stopped_at(text, message) {
                    self.stops.entry(pair).or_default().insert(text.to_owned());
                }
            }
            None => self.read.append(&mut pairs(text)),
        }
    }

    /// Whether nothing that the engine stopped at is in a text, but what it read elsewhere.
    pub(crate) fn reads(&self, text: &str) -> bool {
        let mut stops = self.stops.iter();
        !stops.any(|(pair, texts)| {
            texts.len() >= ENOUGH && !self.read.contains(pair) && pairs(text).contains(pair)
        })
    }
}

/// The word at which an engine could not read a text any more, with the one before it. None where the error tells no
/// word, or one that stands in several places.
fn stopped_at(text: &str, message: &str) -> Option<Pair> {
    let message = message.to_lowercase();
    let behind = STOPPED_AT
        .iter()
        .find_map(|words| Some(message.split_once(words)?.1))?;
    let behind = behind.trim_start();
    let word = match behind.chars().next()? {
        quote @ ('"' | '\'' | '`') => behind[1..].split(quote).next()?,
        _ => behind
            .split(|c: char| c.is_whitespace() || c == ',')
            .next()?,
    };
    // Some quote the rest of the statement from there on.
    let at = words(word).into_iter().next()?;
    let words = words(text);
    let mut places = words.iter().enumerate().filter(|(_, word)| **word == at);
    let (place, _) = places.next()?;
    let before = words.get(place.checked_sub(1)?)?.clone();
    places.next().is_none().then_some((before, at))
}

/// The pairs of words in a text that follow each other.
fn pairs(text: &str) -> BTreeSet<Pair> {
    let words = words(text);
    let pairs = words.windows(2).filter_map(|pair| match pair {
        [before, at] => Some((before.clone(), at.clone())),
        _ => None,
    });
    pairs.collect()
}

/// The words, signs and constants of a text in small letters. What Jinja writes is one word each.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let closing = match (first, rest.as_bytes().get(1)) {
            ('{', Some(b'{')) => Some("}}"),
            ('{', Some(b'%')) => Some("%}"),
            ('{', _) => Some("}"),
            ('\'', _) => Some("'"),
            ('"', _) => Some("\""),
            ('`', _) => Some("`"),
            _ => None,
        };
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match closing {
            Some(closing) => {
                let from = first.len_utf8();
                let end = rest[from..].find(closing);
                end.map_or(rest.len(), |end| from + end + closing.len())
            }
            None if is_of_word(first) => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
            None => first.len_utf8(),
        };
        words.push(rest[..end].to_lowercase());
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_proposes_is_tried() {
        let duckdb = "scalar function with name lenght does not exist!\ndid you mean \"length\"?";
        let clickhouse = "unknown function lenght. maybe you meant: ['length','lengthutf8']";
        assert_eq!(proposed(duckdb).collect::<Vec<_>>(), ["length"]);
        let both = proposed(clickhouse).collect::<Vec<_>>();
        assert_eq!(both, ["length", "lengthutf8"]);
        assert_eq!(proposed("no such function: lenght").count(), 0);
    }

    #[test]
    fn what_is_given_is_cast_to_what_the_error_may_ask_for() {
        let profile = Profile::of(&[
            ("text", "VARCHAR"),
            ("double", "FLOAT8"),
            ("decimal", "DEC"),
        ]);
        let length = Template::known("get_length");
        let refused = "function length(integer) does not exist";
        assert_eq!(
            with_casts(length, "LENGTH({x}) + 0", refused, &profile),
            [
                "LENGTH(CAST({x} AS FLOAT8)) + 0",
                "LENGTH(CAST({x} AS DEC)) + 0"
            ]
        );
        let divide = Template::known("get_safe_divide");
        let text = "F({{ dividend }}, CAST({{ divisor }} AS FLOAT8))";
        assert_eq!(
            with_casts(divide, text, "cannot divide VARCHAR by VARCHAR", &profile),
            ["F(CAST({{ dividend }} AS VARCHAR), CAST({{ divisor }} AS FLOAT8))"]
        );
        // No type is named, or none that this engine has, or the statement was not read at all.
        for message in [
            "no such column",
            "not a TIMESTAMP",
            "syntax error near TEXT",
        ] {
            assert!(with_casts(length, "LENGTH({x})", message, &profile).is_empty());
        }
    }

    #[test]
    fn the_word_at_which_an_engine_stops_is_told_in_many_ways() {
        let text = "CAST({{ expression }} AS TIMESTAMP WITH TIME ZONE)";
        let with = Some(("timestamp".to_owned(), "with".to_owned()));
        for message in [
            "syntax error at or near \"WITH\"",
            "Syntax error: Encountered \"WITH\" at line 1, column 41.",
            "You have an error in your SQL syntax; check the manual for the right syntax to use near 'WITH TIME ZONE) AS v' at line 1",
            "sql parser error: Expected: ), found: WITH at Line: 1, Column: 41",
            "syntax error, unexpected WITH, expecting ')'",
        ] {
            assert_eq!(stopped_at(text, message), with, "{message}");
        }
        assert_eq!(stopped_at("f(1), f(2)", "syntax error near 'f'"), None);
    }

    #[test]
    fn what_the_engine_stopped_at_twice_and_never_read_is_not_tried() {
        let mut grammar = Grammar::default();
        let zoned = "CAST({x} AS TIMESTAMP WITH TIME ZONE)";
        let error = Some("syntax error near \"WITH\"");
        grammar.learn(
            "CAST({x} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'UTC'",
            error,
        );
        assert!(grammar.reads(zoned));
        grammar.learn("CAST({y} AS TIMESTAMP WITH TIME ZONE)", error);
        assert!(!grammar.reads(zoned));
        assert!(grammar.reads("CAST({x} AS TIMESTAMP)"));
        grammar.learn("TIMESTAMP WITH DAYS", Some("no such column: days"));
        assert!(grammar.reads(zoned));
    }
}
