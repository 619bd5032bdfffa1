//! What can be wrong with a template, and where.

use std::fmt::Write;

use bowline_words::{Diagnose, Diagnostic};

use crate::python::fault::Origin;

/// A template that cannot be compiled or rendered.
///
/// `{}` is the message with its place; [`TemplateError::window`] shows the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What kind of failure it is.
    pub kind: TemplateErrorKind,
    /// The template's name or file.
    pub name: Box<str>,
    /// The line, from 1, if known.
    pub line: Option<usize>,
    /// The column in characters, from 1, if known.
    pub column: Option<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// One action that may help.
    pub hint: Option<String>,
    /// The lines around the place.
    source: Option<Box<Source>>,
    pub(crate) origin: Option<Box<Origin>>,
}

/// Some lines of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// The number of the first, from 1.
    first: usize,
    lines: Vec<String>,
}

/// How many lines a window shows before and after the line in question.
const CONTEXT_LINES: usize = 2;

/// How many characters of a line a window shows.
const WINDOW_WIDTH: usize = 120;

impl TemplateError {
    /// An error whose place is not known.
    #[must_use]
    pub fn new(kind: TemplateErrorKind, name: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: Box::from(name),
            line: None,
            column: None,
            message: message.into(),
            hint: None,
            source: None,
            origin: None,
        }
    }

    /// The error of a caller's own function that is behind it, if that is of this type.
    #[must_use]
    pub fn cause<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match self.origin.as_deref()? {
            Origin::Function(cause) => cause.0.downcast_ref(),
            Origin::Undefined(_) => None,
        }
    }

    /// The name that is not there, where that is what is wrong.
    #[must_use]
    pub fn undefined(&self) -> Option<&str> {
        match self.origin.as_deref()? {
            Origin::Undefined(name) => Some(name),
            Origin::Function(_) => None,
        }
    }

    /// An error at a place of `text`, given in bytes.
    #[must_use]
    pub fn at_offset(
        kind: TemplateErrorKind,
        name: &str,
        text: &str,
        offset: usize,
        message: impl Into<String>,
    ) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let first = line.saturating_sub(CONTEXT_LINES).max(1);
        let lines = text
            .split('\n')
            .skip(first - 1)
            .take(line - first + 1 + CONTEXT_LINES)
            .map(str::to_owned)
            .collect();
        Self {
            line: Some(line),
            column: Some(column),
            source: Some(Box::new(Source { first, lines })),
            ..Self::new(kind, name, message)
        }
    }

    /// Adds the one action that may help.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The lines around the place with a caret under it; empty when the place is not known.
    #[must_use]
    pub fn window(&self) -> String {
        let (Some(line), Some(column), Some(source)) = (self.line, self.column, &self.source)
        else {
            return String::new();
        };
        let Source { first, lines } = &**source;
        let gutter = (first + lines.len()).to_string().len();
        let skip = column.saturating_sub(WINDOW_WIDTH * 3 / 4);
        let mut out = String::new();
        for (index, text) in lines.iter().enumerate() {
            let number = first + index;
            let shown: String = text
                .chars()
                .skip(skip)
                .take(WINDOW_WIDTH)
                .map(|c| if c == '\t' { ' ' } else { c })
                .collect();
            let _ = writeln!(out, "{}", format!("{number:>gutter$} | {shown}").trim_end());
            if number == line {
                let _ = writeln!(out, "{:gutter$} | {:>2$}", "", "^", column - skip);
            }
        }
        out
    }
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (`{}`, {line}:{column})", self.name),
            (Some(line), None) => write!(f, " (`{}`, line {line})", self.name),
            _ => write!(f, " (`{}`)", self.name),
        }
    }
}

impl std::error::Error for TemplateError {}

impl Diagnose for TemplateError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

/// The kinds of [`TemplateError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// The text is not valid Jinja.
    Syntax,
    /// A construct of Jinja2 that is not honoured here; see `docs/COMPATIBILITY.md`.
    Unsupported,
    /// Rendering failed.
    Render,
    /// The sandbox refused it.
    Security,
    /// It ran past its bound of work.
    OutOfFuel,
    /// The `str.format` stage failed.
    Format,
}
