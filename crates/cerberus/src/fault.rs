//! Where Cerberus itself stops with a Python exception instead of a verdict.

use std::fmt;

use super::errors::Crumb;

/// Neither valid nor invalid: Cerberus has no answer for this value under this rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the document, or in the schema when that is what is checked.
    pub path: Vec<Crumb>,
    /// Why there is no answer; a lowercase fragment without values of the document.
    pub reason: String,
}

impl Fault {
    pub(crate) fn new(path: Vec<Crumb>, reason: impl Into<String>) -> Self {
        Self {
            path,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return formatter.write_str(&self.reason);
        }
        write!(formatter, "`{}`: {}", dotted(&self.path), self.reason)
    }
}

impl std::error::Error for Fault {}

/// A path for people: `connect_args.hosts[0]`.
pub(crate) fn dotted(path: &[Crumb]) -> String {
    let mut out = String::new();
    for crumb in path {
        match crumb {
            Crumb::Index(index) => out.push_str(&format!("[{index}]")),
            other => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&other.to_string());
            }
        }
    }
    out
}

/// Why a nested validation ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Fault(Fault),
    /// The rules of a list's items were to be read as a dict's fields.
    NotFields,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
