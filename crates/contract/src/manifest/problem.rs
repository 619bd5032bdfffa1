//! What can be wrong with a manifest.

use std::fmt;

use bowline_words::{Diagnose, Diagnostic, listed, nearest};

use super::connection_type::{AssetClass, ConnectionType, ConnectionTypeError};
use super::{ASSET_CLASS, CONNECTION_NAME, CONNECTION_TYPE};
use crate::json::Place;
use crate::layout::{CONNECTORS_DIR, ETL_CONNECTORS_DIR};
use crate::pipeline::MappingProblem;

/// A manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Everything that is wrong, in the order of the text; keys that are missing come last. Never empty.
    pub problems: Vec<ManifestProblem>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestProblem {
    /// The class of the connectors that have such a manifest.
    pub class: AssetClass,
    /// What is wrong.
    pub fault: ManifestFault,
    /// Where: at the end of the key; nothing for a key that is not there.
    pub place: Option<Place>,
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        match self.place {
            Some(Place { line, column }) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

/// What can be wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// The text is not JSON; the parser's words.
    #[error("invalid JSON: {0}")]
    Json(String),
    /// A key that the contract does not know.
    #[error("unknown key: `{key}`{}", inside(.parent))]
    UnknownKey {
        /// The key.
        key: String,
        /// The object it stands in; nothing for the manifest itself.
        parent: Option<&'static str>,
        /// The keys that may stand there.
        known: &'static [&'static str],
    },
    /// A key that stands there twice.
    #[error("repeated key: `{0}`")]
    RepeatedKey(&'static str),
    /// A key that must be there and is not.
    #[error("missing key: `{0}`")]
    MissingKey(&'static str),
    /// A value of the wrong type.
    #[error("wrong type{}: expected {expected}, found {found}", of_key(.key))]
    WrongType {
        /// The key it stands at; empty for the manifest itself.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A text of nothing but blanks.
    #[error("empty `{0}`")]
    Empty(String),
    /// A connection type that is not one.
    #[error(transparent)]
    ConnectionType(#[from] ConnectionTypeError),
    /// The asset class of other connectors, or of none.
    #[error("unexpected `asset_class`: `{0}`")]
    AssetClass(String),
    /// An address that no browser opens.
    #[error("invalid `{key}`: `{found}` is no address of the web")]
    Address {
        /// Where it stands.
        key: &'static str,
        /// What stands there.
        found: String,
    },
    /// An address of a picture that does not end as pictures do.
    #[error("`{key}` may be no picture: `{found}`")]
    Picture {
        /// Where it stands.
        key: &'static str,
        /// What stands there.
        found: String,
    },
    /// A status mapping that is not one.
    #[error("invalid `{key}`: {problem}")]
    Mapping {
        /// Which mapping.
        key: &'static str,
        /// What is wrong.
        problem: MappingProblem,
    },
}

impl ManifestFault {
    /// Whether it is only worth a word: a manifest with nothing else is one.
    #[must_use]
    pub const fn is_advice(&self) -> bool {
        matches!(self, Self::UnknownKey { .. } | Self::Picture { .. })
    }
}

/// How the addresses of pictures end that every browser shows.
pub(crate) const PICTURE_ENDINGS: [&str; 7] =
    [".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico"];

fn of_key(key: &str) -> String {
    if key.is_empty() {
        return String::new();
    }
    format!(" for `{key}`")
}

fn inside(parent: &Option<&'static str>) -> String {
    parent.map_or_else(String::new, |parent| format!(" in `{parent}`"))
}

impl std::error::Error for ManifestProblem {}

impl Diagnose for ManifestProblem {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint())
    }
}

impl ManifestProblem {
    fn hint(&self) -> Option<String> {
        let class = self.class.name();
        match &self.fault {
            ManifestFault::Json(_) | ManifestFault::WrongType { .. } => None,
            ManifestFault::UnknownKey { key, known, .. } => {
                let fate = match self.class {
                    AssetClass::Pipeline => "and then it is kept",
                    AssetClass::Warehouse => "and then this version exports nothing of it",
                };
                Some(nearest::hint_or(key, known.iter().copied(), || {
                    format!(
                        "a newer contract may know it, {fate}; this one knows {}",
                        listed(*known)
                    )
                }))
            }
            ManifestFault::Address { .. } => {
                Some("begin it with `https://` or `http://`".to_owned())
            }
            ManifestFault::Picture { .. } => {
                Some(format!("end it with {}", listed(PICTURE_ENDINGS)))
            }
            ManifestFault::RepeatedKey(_) => Some("keep one of them".to_owned()),
            ManifestFault::MissingKey(CONNECTION_TYPE) | ManifestFault::ConnectionType(_) => {
                Some(format!(
                    "use `{}` and seven hex digits of your own, such as `{}`",
                    self.class.type_prefix(),
                    ConnectionType::generate_for(self.class, [0x5e, 0xed, 0x0f, 0x01])
                ))
            }
            ManifestFault::MissingKey(ASSET_CLASS) => {
                Some(format!("add `\"{ASSET_CLASS}\": \"{class}\"`"))
            }
            ManifestFault::MissingKey(CONNECTION_NAME) => {
                Some("say what people call the connection".to_owned())
            }
            // The other keys that must be there are mappings.
            ManifestFault::MissingKey(_) => MappingProblem::Empty.diagnose().hints.pop(),
            ManifestFault::Empty(key) if key == CONNECTION_NAME => {
                Some("say what people call the connection".to_owned())
            }
            ManifestFault::Empty(key) => Some(format!("fill in `{key}`")),
            ManifestFault::AssetClass(found) => {
                let other = match self.class {
                    AssetClass::Warehouse => (AssetClass::Pipeline, ETL_CONNECTORS_DIR),
                    AssetClass::Pipeline => (AssetClass::Warehouse, CONNECTORS_DIR),
                };
                Some(match other {
                    (other, dir) if other.name() == found => {
                        format!("move the folder to `{dir}/`, or use `{class}`")
                    }
                    _ => format!("use `{class}`"),
                })
            }
            ManifestFault::Mapping { problem, .. } => problem.diagnose().hints.pop(),
        }
    }
}
