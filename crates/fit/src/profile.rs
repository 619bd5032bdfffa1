//! The profile of an engine: which spellings of each choice answer rightly, found by asking.

use std::collections::BTreeMap;

use bigdecimal::ToPrimitive;
use bowline_conformance::warehouse::Trial;
use bowline_driver::Value;
use bowline_warehouse::template::SuiteWords;
use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::bank::{Choice, Probe, ProbeAnswer, choices};
use crate::budget::Budget;
use crate::functions::Functions;
use crate::grammar::{Braces, names, spelled};

/// How many right spellings of a choice are kept: what a probe takes for right may still be wrong for a template.
const KEPT: usize = 3;

/// The most texts that one of the bank's becomes.
const MOST_TEXTS: usize = 9;

/// What is known of an engine's spellings.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    right: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Profile {
    /// Asks the engine about every choice. What the connector says itself is not asked.
    pub(crate) fn ask(
        trial: &mut Trial,
        budget: &Budget,
        words: &SuiteWords,
        functions: &Functions,
    ) -> Self {
        let mut profile = Self::default();
        for choice in choices() {
            let own = match (choice.name.as_str(), words) {
                ("from", words) => words
                    .one_row_table
                    .as_ref()
                    .map(|table| format!(" FROM {table}")),
                ("text", words) => words.text_type.clone(),
                _ => None,
            };
            let mut right = Vec::new();
            let mut options: Vec<&String> = choice.options.iter().collect();
            options.sort_by_key(|option| functions.is_doubtful(option));
            for option in options {
                if !right.is_empty() && functions.is_doubtful(option) {
                    break;
                }
                if budget.is_spent(trial) || right.len() == KEPT {
                    break;
                }
                let is_given = own.as_ref().is_some_and(|own| own == option);
                if is_given || profile.is_right(trial, choice, option) {
                    right.push(option.as_str());
                }
            }
            profile.right.insert(&choice.name, right);
        }
        profile
    }

    /// One in which these spellings are right.
    #[cfg(test)]
    pub(crate) fn of(right: &[(&'static str, &'static str)]) -> Self {
        let right = right
            .iter()
            .map(|(choice, option)| (*choice, vec![*option]));
        Self {
            right: right.collect(),
        }
    }

    /// The plainest right spelling of a choice without arguments.
    pub(crate) fn first(&self, choice: &str) -> Option<&'static str> {
        self.right.get(choice)?.first().copied()
    }

    fn is_right(&self, trial: &mut Trial, choice: &'static Choice, option: &str) -> bool {
        choice.probes.iter().all(|probe| {
            let chosen = |name: &str| {
                if name == choice.name {
                    Some(option)
                } else {
                    self.first(name)
                }
            };
            let sql = spelled_with(&probe.sql, Braces::Plain, &chosen);
            sql.is_some_and(|sql| answers(trial, probe, &sql))
        })
    }

    /// The texts that one of the bank's becomes with what is right here; the plainest first.
    pub(crate) fn texts(&self, text: &str, braces: Braces) -> Vec<String> {
        let mut used: Vec<&str> = names(text);
        used.sort_unstable();
        used.dedup();
        let counts: Vec<usize> = used
            .iter()
            .map(|name| self.right.get(name).map_or(0, Vec::len))
            .collect();
        if counts.contains(&0) {
            return Vec::new();
        }
        let mut picks = vec![vec![]];
        for count in &counts {
            picks = picks
                .into_iter()
                .flat_map(|pick: Vec<usize>| {
                    (0..*count).map(move |next| {
                        let mut pick = pick.clone();
                        pick.push(next);
                        pick
                    })
                })
                .collect();
        }
        picks.sort_by_key(|pick| pick.iter().sum::<usize>());
        picks.truncate(MOST_TEXTS);
        let mut texts: Vec<String> = Vec::new();
        for pick in picks {
            let chosen = |name: &str| {
                let place = used.iter().position(|used| *used == name);
                let place = place.and_then(|place| pick.get(place)).copied();
                self.right.get(name)?.get(place.unwrap_or(0)).copied()
            };
            let text = spelled_with(text, braces, &chosen);
            texts.extend(text.filter(|text| !texts.contains(text)));
        }
        texts
    }
}

/// A text with its choices spelled as chosen, and those in their spellings too.
fn spelled_with<'o>(
    text: &str,
    braces: Braces,
    chosen: &dyn Fn(&str) -> Option<&'o str>,
) -> Option<String> {
    spelled(text, braces, &|name, arguments| {
        let choice = choices().iter().find(|choice| choice.name == name)?;
        let option = chosen(name)?;
        let parameter = |name: &str| {
            let (name, is_lower) = match name.strip_suffix(".lower") {
                Some(name) => (name, true),
                None => (name, false),
            };
            let place = choice.takes.iter().position(|taken| taken == name)?;
            let argument = arguments.get(place).cloned().unwrap_or_default();
            Some(if is_lower {
                argument.to_lowercase()
            } else {
                argument
            })
        };
        let filled = fill(option, &parameter);
        spelled_with(&filled, braces, chosen)
    })
}

/// A choice's spelling with its parameters filled in; other choices are left as they are.
fn fill(text: &str, parameter: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = text.to_owned();
    for name in names(text) {
        if let Some(value) = parameter(name) {
            filled = filled.replace(&format!("<{name}>"), &value);
        }
    }
    filled
}

fn answers(trial: &mut Trial, probe: &Probe, sql: &str) -> bool {
    let Ok(result) = trial.run(sql) else {
        return false;
    };
    let Some(value) = result.scalar() else {
        return false;
    };
    match &probe.answer {
        ProbeAnswer::Number(wanted) => {
            number(value).is_some_and(|got| (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0))
        }
        ProbeAnswer::Text(wanted) => matches!(value, Value::Text(got) if got == wanted),
        ProbeAnswer::Moment(wanted) => {
            let wanted: Option<DateTime> = wanted.parse().ok();
            let apart = moment(value)
                .zip(wanted)
                .map(|(got, wanted)| got.duration_since(wanted).abs());
            // Some engines keep no more than hundredths of a second.
            apart.is_some_and(|apart| apart.as_millis() < 10)
        }
        ProbeAnswer::Now(seconds) => moment(value).is_some_and(|got| {
            let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
            got.duration_since(now).abs().as_secs() < *seconds
        }),
    }
}

/// The number a value is; a boolean is none.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => number.to_f64(),
        Value::Decimal(number) => number.to_f64(),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// The moment a value is, in UTC where it has a zone. Some drivers give moments as ISO texts; what a choice asks for is
/// never a text by itself.
fn moment(value: &Value) -> Option<DateTime> {
    match value {
        Value::Timestamp(at) => Some(*at),
        Value::TimestampTz(at) => Some(at.timestamp().to_zoned(TimeZone::UTC).datetime()),
        Value::Date(day) => Some(day.to_datetime(Time::midnight())),
        Value::Text(text) => match text.parse::<Timestamp>() {
            Ok(at) => Some(at.to_zoned(TimeZone::UTC).datetime()),
            Err(_) => text.parse().ok(),
        },
        _ => None,
    }
}
