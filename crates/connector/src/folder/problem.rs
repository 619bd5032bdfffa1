//! What can be wrong with the files of a connector, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bowline_contract::ManifestError;
use bowline_process::ProcessError;
use bowline_words::{Diagnose, Diagnostic, Layout, counted};

use crate::python::EnvironmentError;

/// Why a connector folder cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such folder, or nothing in it makes it a connector.
    #[error("no connector here: `{}` has neither `connector.toml` nor `connector.py`", .dir.display())]
    NotAConnector {
        /// The folder looked at.
        dir: PathBuf,
    },
    /// A connector written in Python cannot be given what it needs.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The connector's own process could not give its templates.
    #[error("cannot load the connector: {0}")]
    Process(#[from] ProcessError),
    /// The folder's name cannot name a connector.
    #[error("cannot load the connector: `{}`: {reason}", .dir.display())]
    Name {
        /// The folder looked at.
        dir: PathBuf,
        /// What is wrong with its name.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The files were read and hold mistakes: all that were found, in the order of the files.
    #[error("{}", Listing(CONNECTOR, .problems))]
    Invalid {
        /// The mistakes; never empty.
        problems: Vec<Problem>,
    },
    /// The files of a dialect pack were read and hold mistakes, as with `Invalid`.
    #[error("{}", Listing(PACK, .problems))]
    InvalidPack {
        /// The mistakes; never empty.
        problems: Vec<Problem>,
    },
}

impl Diagnose for LoadError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::NotAConnector { .. } => told.hint("scaffold one with `bowline new`".to_owned()),
            Self::Environment(error) => error.diagnose(),
            Self::Process(error) => told.because_of(error),
            Self::Name { .. } | Self::Unreadable { .. } => told,
            Self::Invalid { problems } => of_problems(told, CONNECTOR, problems),
            Self::InvalidPack { problems } => of_problems(told, PACK, problems),
        }
    }
}

/// What files belong to, in the words of messages.
const CONNECTOR: &str = "connector";
const PACK: &str = "dialect pack";

/// Several mistakes, each with its hint; where there is but one hint, it comes last.
fn of_problems(told: Diagnostic, of: &str, problems: &[Problem]) -> Diagnostic {
    if let [only] = problems {
        return told.hint(only.hint.clone());
    }
    let mistake = |problem: &Problem| Diagnostic::new(listed(problem)).hint(problem.hint.clone());
    let mut mistakes: Vec<Diagnostic> = problems.iter().map(mistake).collect();
    let hints = mistakes.iter().map(|mistake| mistake.hints.len());
    let last = match hints.sum() {
        1 => mistakes.iter_mut().find_map(|mistake| mistake.hints.pop()),
        _ => None,
    };
    Diagnostic::new(count(of, problems))
        .mistakes(Layout::Apart, mistakes)
        .hint(last)
}

fn count(of: &str, problems: &[Problem]) -> String {
    let problems = problems.iter();
    let count = problems.filter(|problem| problem.kind != ProblemKind::Advice);
    format!(
        "cannot load the {of}: {}",
        counted(count.count(), "problem")
    )
}

/// One among several.
fn listed(problem: &Problem) -> String {
    match problem.kind {
        ProblemKind::Advice => format!("warning: {problem}"),
        _ => problem.to_string(),
    }
}

/// One mistake in a file a user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is.
    pub kind: ProblemKind,
    /// The file, as it should be shown.
    pub path: PathBuf,
    /// Where in the file, if it can be said.
    pub place: Option<Place>,
    /// What is wrong, in one line.
    pub message: String,
    /// The one thing to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// What is wrong with a manifest, each with its place.
    pub fn of_manifest(
        path: &Path,
        text: &str,
        error: &ManifestError,
    ) -> impl Iterator<Item = Self> {
        error.problems.iter().map(move |problem| Self {
            kind: if problem.fault.is_advice() {
                ProblemKind::Advice
            } else {
                ProblemKind::Manifest
            },
            path: path.to_path_buf(),
            // The reader counts to just behind the mistake.
            place: problem
                .place
                .map(|place| Place::at(text, place.line, place.column.saturating_sub(1))),
            message: problem.fault.to_string(),
            hint: problem.diagnose().hints.pop(),
        })
    }
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The text is not valid TOML or JSON.
    Syntax,
    /// The file asks for a format version this program does not know.
    Version,
    /// A key that has no meaning there.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A value of the wrong type or outside what is allowed.
    InvalidValue,
    /// The name of a template that the contract does not have.
    UnknownTemplate,
    /// A template stands under another section's heading.
    WrongSection,
    /// The same template is given twice.
    Duplicate,
    /// The dialect pack it extends does not exist.
    UnknownDialect,
    /// A template's text cannot be compiled.
    Template,
    /// The manifest is not valid.
    Manifest,
    /// Worth a word, and in no way of the connector: whoever mends what stands in its way will want to know.
    Advice,
}

/// A place in a text file, with the line that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The whole line.
    pub source: String,
    /// How many characters the mistake covers there, at least 1.
    pub width: usize,
}

impl Place {
    /// The place of a byte range in a text.
    #[must_use]
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let start = floor_boundary(text, range.start);
        let end = floor_boundary(text, range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            source: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            width: text[start..end.min(line_end).max(start)]
                .chars()
                .count()
                .max(1),
        }
    }

    /// The place of a line and column, both from 1; a column of 0 points at the line's first word.
    #[must_use]
    pub fn at(text: &str, line: usize, column: usize) -> Self {
        let source = text
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .to_owned();
        let first_word = source.chars().take_while(|c| c.is_whitespace()).count() + 1;
        Self {
            line: line.max(1),
            column: if column == 0 { first_word } else { column },
            source,
            width: 1,
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(place) = self.place.as_ref().filter(|place| !place.source.is_empty()) {
            write!(f, "\n{}", Window(place))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl Diagnose for Problem {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

/// The line of a place with carets under the mistake.
struct Window<'a>(&'a Place);

/// The longest piece of a line that a window shows.
const WINDOW_WIDTH: usize = 100;

impl fmt::Display for Window<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0;
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        let skipped = if place.column > WINDOW_WIDTH {
            place.column - WINDOW_WIDTH / 2
        } else {
            0
        };
        let shown: String = place
            .source
            .chars()
            .skip(skipped)
            .take(WINDOW_WIDTH)
            .map(|c| if c == '\t' { ' ' } else { c })
            .collect();
        let indent = (place.column - 1)
            .saturating_sub(skipped)
            .min(shown.chars().count());
        let width = place
            .width
            .min(shown.chars().count().saturating_sub(indent))
            .max(1);
        writeln!(f, "  {gutter} |")?;
        writeln!(f, "  {number} | {}", shown.trim_end())?;
        write!(
            f,
            "  {gutter} | {}{}",
            " ".repeat(indent),
            "^".repeat(width)
        )
    }
}

/// Every problem, one after the other.
struct Listing<'a>(&'a str, &'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(of, problems) = self;
        match problems {
            [only] => write!(f, "cannot load the {of}: {only}"),
            many => {
                f.write_str(&count(of, many))?;
                for problem in *many {
                    write!(f, "\n\n{}", listed(problem))?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_worth_a_word_reads_so_and_is_not_counted() {
        let text = r#"{"conection_name": "x", "connection_type": "custom-etl-connector-0123abc",
            "asset_class": "etl", "run_status_mapping": {"A": "success"}}"#;
        let error = bowline_contract::pipeline::PipelineManifest::parse(text).unwrap_err();
        let problems = Problem::of_manifest(Path::new("m.json"), text, &error).collect();
        let told = LoadError::Invalid { problems }.diagnose().to_string();
        assert!(
            told.starts_with("cannot load the connector: 1 problem\n"),
            "{told}"
        );
        assert!(
            told.contains("\nwarning: m.json:1:16: unknown key: `conection_name`"),
            "{told}"
        );
        assert!(
            told.contains("\nm.json: missing key: `connection_name`"),
            "{told}"
        );
    }

    #[test]
    fn a_place_counts_characters_and_stays_on_its_line() {
        let text = "é = 1\nnämé = [1,\n2]\n";
        let start = text.find("[1").unwrap();
        let place = Place::of(text, start..text.len());
        assert_eq!((place.line, place.column, place.width), (2, 8, 3));
        assert_eq!(place.source, "nämé = [1,");
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        let place = Place::of("a\nb", 99..120);
        assert_eq!((place.line, place.column, place.width), (2, 2, 1));
    }

    #[test]
    fn long_lines_are_cut_around_the_mistake() {
        let text = format!("{}mistake{}", "a".repeat(300), "b".repeat(300));
        let problem = Problem {
            kind: ProblemKind::Syntax,
            path: "x.toml".into(),
            place: Some(Place::of(&text, 300..307)),
            message: "no".into(),
            hint: None,
        };
        let shown = problem.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.len() < 120), "{shown}");
        let caret = lines[3].find('^').unwrap();
        assert_eq!(&lines[2][caret..caret + 7], "mistake");
    }
}
