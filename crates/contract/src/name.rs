//! The name of a connector: its folder, and how people ask for it.

use std::fmt;

use bowline_words::{Diagnose, Diagnostic};

/// A connector's name as its folder bears it: lower-case letters, digits and `_`, not starting with `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorName(String);

impl ConnectorName {
    /// Reads a name as a person types it: outer blanks go, capitals become small, blanks and hyphens become `_`.
    ///
    /// # Errors
    /// When what is left cannot name a folder in the workspace; the error says why.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.trim().to_lowercase().replace([' ', '-'], "_");
        let wrong = |problem| NameError {
            name: text.to_owned(),
            problem,
        };
        match name.chars().next() {
            None => return Err(wrong(NameProblem::Empty)),
            Some(first @ ('_' | '.')) => return Err(wrong(NameProblem::Hidden(first))),
            Some(_) => {}
        }
        match name.chars().find(|letter| !is_allowed(*letter)) {
            Some(letter) => Err(wrong(NameProblem::Character(letter))),
            None => Ok(Self(name)),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(letter: char) -> bool {
    matches!(letter, 'a'..='z' | '0'..='9' | '_')
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for ConnectorName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ConnectorName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A text that cannot name a connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid connector name: `{name}`: {problem}")]
pub struct NameError {
    /// What was typed.
    pub name: String,
    /// Why it does not do.
    pub problem: NameProblem,
}

impl Diagnose for NameError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint("use letters, digits and `_`, such as `sales_db`".to_owned())
    }
}

/// Why a text cannot name a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// Folders that start with this are passed over.
    #[error("folders that start with `{0}` are not connectors")]
    Hidden(char),
    /// A character that is not allowed.
    #[error("`{}` is not allowed", .0.escape_debug())]
    Character(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_folder_names() {
        for (typed, name) in [
            ("shop", "shop"),
            (" My Shop-2 ", "my_shop_2"),
            ("2nd", "2nd"),
        ] {
            assert_eq!(ConnectorName::parse(typed).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_name_no_connector_say_why() {
        for (typed, problem) in [
            ("", NameProblem::Empty),
            ("  ", NameProblem::Empty),
            ("_shared", NameProblem::Hidden('_')),
            ("-shop", NameProblem::Hidden('_')),
            (".git", NameProblem::Hidden('.')),
            ("../shop", NameProblem::Hidden('.')),
            ("a/b", NameProblem::Character('/')),
            ("a\0", NameProblem::Character('\0')),
            ("käse", NameProblem::Character('ä')),
        ] {
            assert_eq!(ConnectorName::parse(typed).unwrap_err().problem, problem);
        }
        assert_eq!(
            ConnectorName::parse("a\nb")
                .unwrap_err()
                .problem
                .to_string(),
            r"`\n` is not allowed"
        );
    }
}
