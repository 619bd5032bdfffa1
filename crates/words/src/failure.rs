//! Errors of one shape: what failed, which thing, why, and one thing to do about it.

use std::fmt;

use crate::{Diagnose, Diagnostic};

/// The kinds of a [`Failure`]; programs tell them apart, people read their words.
pub trait FailureKind: Copy {
    /// What failed, such as `cannot reach the vendor`.
    fn words(self) -> &'static str;
}

/// An error of one of these kinds. Its words hold no secret.
///
/// It displays as `<what failed>: <which thing>`, then a line a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure<K> {
    /// The kind.
    pub kind: K,
    /// What it happened to: a file, a request, an expression with its place.
    pub thing: String,
    /// Why, one line each: what was found, the system's words, the other side's words.
    pub causes: Vec<String>,
    /// One thing to do about it.
    pub hint: Option<String>,
}

impl<K> Failure<K> {
    /// A failure of that kind, of that thing.
    #[must_use]
    pub fn new(kind: K, thing: impl Into<String>) -> Self {
        Self {
            kind,
            thing: thing.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The same with one cause more; an empty one is none.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        if !cause.is_empty() {
            self.causes.push(cause);
        }
        self
    }

    /// The same with what an error below it says, and with its hint where this one has none.
    #[must_use]
    pub fn because_of(self, below: &impl Diagnose) -> Self {
        let mut told = below.diagnose();
        let hint = told.hints.pop();
        let mut failure = self.because(told.to_string());
        failure.hint = failure.hint.or(hint);
        failure
    }

    /// The same with this one thing to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl<K: FailureKind> fmt::Display for Failure<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.words(), self.thing)?;
        for cause in &self.causes {
            write!(f, "\n{cause}")?;
        }
        Ok(())
    }
}

impl<K: FailureKind + fmt::Debug> std::error::Error for Failure<K> {}

impl<K: FailureKind + fmt::Debug> Diagnose for Failure<K> {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

/// Names in backticks, separated by commas.
#[must_use]
pub fn listed<N: fmt::Display>(names: impl IntoIterator<Item = N>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A count with its noun, such as `1 check` and `3 checks`.
#[must_use]
pub fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let end = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{end}")
}

/// How a number of things is made up, to stand behind it: `, not valid` of 1 that is, `, all not valid` of 3 that are,
/// `: 2 not valid, 1 repeated` of 3. Parts of none are left out.
#[must_use]
pub fn shares(total: usize, parts: &[(usize, &str)]) -> String {
    let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).collect();
    match parts.as_slice() {
        [] => String::new(),
        [(1, what)] if total == 1 => format!(", {what}"),
        [(count, what)] if *count == total => format!(", all {what}"),
        parts => {
            let parts: Vec<_> = parts
                .iter()
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            format!(": {}", parts.join(", "))
        }
    }
}

/// The beginning of a text of others, as errors show it: at most so many characters, then `…` where more follow.
#[must_use]
pub fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy)]
    struct Lost;

    impl FailureKind for Lost {
        fn words(self) -> &'static str {
            "lost"
        }
    }

    #[test]
    fn names_stand_in_backticks() {
        assert_eq!(listed(["a", "b c"]), "`a`, `b c`");
        assert_eq!(listed([0; 0]), "");
    }

    #[test]
    fn nouns_agree_with_their_number() {
        assert_eq!(counted(1_usize, "check"), "1 check");
        assert_eq!(counted(0_u64, "check"), "0 checks");
    }

    #[test]
    fn what_things_are_is_told_in_plain_words() {
        assert_eq!(
            shares(1, &[(1, "not valid"), (0, "repeated")]),
            ", not valid"
        );
        assert_eq!(shares(3, &[(3, "not valid")]), ", all not valid");
        assert_eq!(shares(3, &[(1, "not valid")]), ": 1 not valid");
        assert_eq!(
            shares(3, &[(2, "not valid"), (1, "repeated")]),
            ": 2 not valid, 1 repeated"
        );
        assert_eq!(shares(3, &[(0, "not valid")]), "");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(beginning("née", 2), "né…");
        assert_eq!(beginning("née", 3), "née");
    }

    #[test]
    fn it_is_shown_line_by_line() {
        let failure = Failure::new(Lost, "`keys`");
        assert_eq!(failure.to_string(), "lost: `keys`");
        let failure = failure
            .because("not in the bag")
            .because("")
            .because("nor in the door")
            .hint("look under the mat".to_owned());
        assert_eq!(
            failure.to_string(),
            "lost: `keys`\nnot in the bag\nnor in the door"
        );
        assert_eq!(
            failure.diagnose().to_string(),
            "lost: `keys`\nnot in the bag\nnor in the door\nhint: look under the mat"
        );
    }
}
