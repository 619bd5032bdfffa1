//! From a vendor's words for how a run stands to the contract's.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::RunStatus;
use crate::json::kind_of;
use bowline_words::{Diagnose, Diagnostic, nearest};

/// A vendor's words for how a run stands, and what each means. Words are matched without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusMapping {
    /// By the word in lower case: the word as written, and its meaning.
    meanings: BTreeMap<String, (String, RunStatus)>,
}

impl StatusMapping {
    /// A mapping of these words; of none, it is empty.
    ///
    /// # Errors
    /// Everything that is wrong with the pairs.
    pub fn from_pairs<'p>(
        pairs: impl IntoIterator<Item = (&'p str, &'p Value)>,
    ) -> Result<Self, Vec<MappingProblem>> {
        let mut meanings: BTreeMap<String, (String, RunStatus)> = BTreeMap::new();
        let mut problems = Vec::new();
        let mut words: BTreeMap<String, &str> = BTreeMap::new();
        for (word, meaning) in pairs {
            let folded = word.to_lowercase();
            match words.get(&folded) {
                Some(first) => problems.push(MappingProblem::Repeated {
                    first: (*first).to_owned(),
                    second: word.to_owned(),
                }),
                None => {
                    words.insert(folded.clone(), word);
                }
            }
            let Some(name) = meaning.as_str() else {
                problems.push(MappingProblem::NotText {
                    word: word.to_owned(),
                    found: kind_of(meaning),
                });
                continue;
            };
            let Some(status) = RunStatus::from_name(name) else {
                problems.push(MappingProblem::UnknownStatus {
                    word: word.to_owned(),
                    status: name.to_owned(),
                });
                continue;
            };
            meanings.insert(folded, (word.to_owned(), status));
        }
        if problems.is_empty() {
            Ok(Self { meanings })
        } else {
            Err(problems)
        }
    }

    /// What a vendor's word means; nothing when it is not mapped, which stands for `unknown` and is worth a warning.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<RunStatus> {
        let found = match self.meanings.get(word) {
            Some(found) => Some(found),
            None => self.meanings.get(&word.to_lowercase()),
        };
        found.map(|(_, status)| *status)
    }

    /// Whether it maps no word yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meanings.is_empty()
    }

    /// The words as written and their meanings, sorted by word without case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, RunStatus)> {
        self.meanings
            .values()
            .map(|(word, status)| (word.as_str(), *status))
    }

    pub(super) fn to_json(&self) -> Map<String, Value> {
        self.iter()
            .map(|(word, status)| (word.to_owned(), Value::from(status.name())))
            .collect()
    }
}

/// What can be wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingProblem {
    /// It maps nothing.
    #[error("it maps no word")]
    Empty,
    /// Two of its words are the same but for their case.
    #[error("`{first}` and `{second}` are the same word: case does not count")]
    Repeated {
        /// The one that stands first.
        first: String,
        /// The other.
        second: String,
    },
    /// A word's meaning is not text.
    #[error("wrong type for `{word}`: expected text, found {found}")]
    NotText {
        /// The vendor's word.
        word: String,
        /// What stands there.
        found: &'static str,
    },
    /// A word's meaning is no status of the contract.
    #[error("unknown status for `{word}`: `{status}`")]
    UnknownStatus {
        /// The vendor's word.
        word: String,
        /// What it is mapped to.
        status: String,
    },
}

impl MappingProblem {
    /// The word it is about, if it is about one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Empty => None,
            Self::Repeated { second, .. } => Some(second),
            Self::NotText { word, .. } | Self::UnknownStatus { word, .. } => Some(word),
        }
    }
}

impl Diagnose for MappingProblem {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Empty => {
                Some("map every word that the vendor has for how a run stands".to_owned())
            }
            Self::Repeated { .. } => Some("keep one of them".to_owned()),
            Self::NotText { .. } => None,
            Self::UnknownStatus { status, .. } => {
                Some(nearest::hint(status, RunStatus::NAMES.iter().copied()))
            }
        };
        Diagnostic::of(self).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mapping: &Value) -> Result<StatusMapping, Vec<MappingProblem>> {
        let pairs = mapping.as_object().unwrap();
        StatusMapping::from_pairs(pairs.iter().map(|(word, value)| (word.as_str(), value)))
    }

    #[test]
    fn words_are_found_without_case() {
        let mapping = read(&json!({"COMPLETED": "success", "Läuft": "in_progress"})).unwrap();
        assert_eq!(mapping.find("completed"), Some(RunStatus::Success));
        assert_eq!(mapping.find("LÄUFT"), Some(RunStatus::InProgress));
        assert_eq!(mapping.find("complete"), None);
    }

    #[test]
    fn everything_wrong_is_told() {
        let problems = read(&json!({
            "DONE": "succes", "done": "failed", "X": "sucess", "Y": 1
        }))
        .unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "unknown status for `DONE`: `succes`",
                "`DONE` and `done` are the same word: case does not count",
                "unknown status for `X`: `sucess`",
                "wrong type for `Y`: expected text, found a number",
            ]
        );
        assert_eq!(problems[0].diagnose().hints[0], "did you mean `success`?");
        assert!(read(&json!({})).unwrap().is_empty());
    }
}
