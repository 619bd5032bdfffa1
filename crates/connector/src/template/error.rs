//! What can be wrong with a template, and where.

/// A template that cannot be compiled or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What kind of failure it is.
    pub kind: TemplateErrorKind,
    /// The template's name or file.
    pub name: String,
    /// The line, from 1, if known.
    pub line: Option<usize>,
    /// The column, from 1, if known.
    pub column: Option<usize>,
    /// What is wrong, in one line.
    pub message: String,
}

/// The kinds of [`TemplateError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
