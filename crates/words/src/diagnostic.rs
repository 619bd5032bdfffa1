//! What is shown of an error, taken apart.

use std::error::Error;
use std::fmt;

/// An error as it is shown: what failed and which thing, why, and what to do about it.
///
/// Its text is `<what failed>: <which thing>`, then the causes, then `hint: <one thing to do>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostic {
    /// What failed, and which thing; one line, except where others' words are shown as they are.
    pub what: String,
    /// Why, each a line or a block of lines.
    pub causes: Vec<String>,
    /// The single mistakes, where one error holds several; each has hints of its own.
    pub mistakes: Vec<Diagnostic>,
    /// How the mistakes are laid out.
    pub layout: Layout,
    /// Things to do about it, one action each.
    pub hints: Vec<String>,
}

/// How the mistakes of one error are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// With a blank line before each: mistakes of several lines, such as with a window on the source.
    #[default]
    Apart,
    /// One after the other, hints indented.
    List,
}

/// An error that says what is shown of it.
pub trait Diagnose: Error {
    /// The error taken apart, with its hint.
    fn diagnose(&self) -> Diagnostic;
}

impl Diagnostic {
    /// A diagnostic that says no more than this.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// What an error and its sources say. Words that were said already are not said again.
    #[must_use]
    pub fn of(error: &dyn Error) -> Self {
        let text = error.to_string();
        let mut lines = text.trim_end().splitn(2, '\n');
        let mut diagnostic = Self::new(lines.next().unwrap_or_default());
        diagnostic.causes.extend(lines.next().map(str::to_owned));
        let mut next = error.source();
        while let Some(source) = next {
            diagnostic.add(source.to_string());
            next = source.source();
        }
        diagnostic
    }

    /// The same with this one thing to do about it, if there is one and it does not stand there yet.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hints
            .extend(hint.into().filter(|hint| !self.hints.contains(hint)));
        self
    }

    /// The same with what an error below it says that was not said yet.
    #[must_use]
    pub fn because_of(mut self, below: &impl Diagnose) -> Self {
        let below = below.diagnose();
        self.add(below.what);
        below.causes.into_iter().for_each(|cause| self.add(cause));
        self.mistakes.extend(below.mistakes);
        self.layout = below.layout;
        below.hints.into_iter().fold(self, Self::hint)
    }

    /// The same with these single mistakes.
    #[must_use]
    pub fn mistakes(self, layout: Layout, mistakes: impl IntoIterator<Item = Self>) -> Self {
        Self {
            layout,
            mistakes: mistakes.into_iter().collect(),
            ..self
        }
    }

    fn add(&mut self, words: String) {
        let words = words.trim_end();
        if !self.words().contains(words.trim_start()) {
            self.causes.push(words.to_owned());
        }
    }

    /// What failed and why in one text, without mistakes and hints.
    #[must_use]
    pub fn words(&self) -> String {
        std::iter::once(&self.what)
            .chain(&self.causes)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The mistakes as lines, with their hints; empty where there are none.
    #[must_use]
    pub fn listing(&self) -> String {
        let (before, indent) = match self.layout {
            Layout::Apart => ("\n", ""),
            Layout::List => ("", "  "),
        };
        let lines = self.mistakes.iter().map(|mistake| {
            let hints = mistake.hints.iter();
            let hints: String = hints
                .map(|hint| format!("\n{indent}hint: {hint}"))
                .collect();
            format!("{before}{}{hints}", mistake.words())
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())?;
        if !self.mistakes.is_empty() {
            write!(f, "\n{}", self.listing())?;
        }
        self.hints
            .iter()
            .try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        hint: &'static str,
        source: Option<Box<Link>>,
    }

    impl Diagnose for Link {
        fn diagnose(&self) -> Diagnostic {
            let own = Diagnostic::of(self).hint(self.hint.to_owned());
            match &self.source {
                Some(source) => own.because_of(source.as_ref()),
                None => own,
            }
        }
    }

    #[test]
    fn an_error_is_taken_apart() {
        let error = Link {
            text: "connector is not valid: `shop`\n  line 3",
            hint: "say `a`",
            source: Some(Box::new(Link {
                text: "line 3",
                hint: "say `b`",
                source: Some(Box::new(Link {
                    text: "no such file",
                    hint: "say `a`",
                    source: None,
                })),
            })),
        };
        let diagnostic = error.diagnose();
        assert_eq!(
            diagnostic,
            Diagnostic {
                what: "connector is not valid: `shop`".to_owned(),
                causes: vec!["  line 3".to_owned(), "no such file".to_owned()],
                mistakes: Vec::new(),
                layout: Layout::Apart,
                hints: vec!["say `a`".to_owned(), "say `b`".to_owned()],
            }
        );
        assert_eq!(
            diagnostic.to_string(),
            "connector is not valid: `shop`\n  line 3\nno such file\nhint: say `a`\nhint: say `b`"
        );
    }

    #[test]
    fn hints_of_several_mistakes_stay_with_them() {
        let mistakes = ["one", "two"].map(|what| Diagnostic::new(what).hint(format!("not {what}")));
        let list = Diagnostic::new("two mistakes").mistakes(Layout::List, mistakes);
        assert_eq!(
            list.to_string(),
            "two mistakes\none\n  hint: not one\ntwo\n  hint: not two"
        );
        let apart = Diagnostic {
            layout: Layout::Apart,
            ..list
        };
        assert_eq!(
            apart.to_string(),
            "two mistakes\n\none\nhint: not one\n\ntwo\nhint: not two"
        );
    }
}
