//! The colours of words. Everything stays readable without them.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// A wrong answer, an error.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// A right answer.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// An open question.
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default().bold();
/// What to do next.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// A heading.
pub(crate) const HEADING: Style = Style::new().bold().underline();
/// A name that stands out.
pub(crate) const STRONG: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// SQL and template text.
pub(crate) const CODE: Style = AnsiColor::Blue.on_default();

/// The colours of help texts.
pub(crate) const HELP: clap::builder::Styles = clap::builder::Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(BAD)
    .valid(GOOD)
    .invalid(OPEN);

/// A thing to print in a style.
pub(crate) struct Painted<T> {
    style: Style,
    thing: T,
}

/// The thing in a style; the stream strips the colour where it is not wanted.
pub(crate) fn paint<T: fmt::Display>(style: Style, thing: T) -> Painted<T> {
    Painted { style, thing }
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style)?;
        self.thing.fmt(f)?;
        write!(f, "{:#}", self.style)
    }
}
