//! Python's regular expressions, translated for the engine used here.
//!
//! The syntax looks alike but differs where it matters: `$` also matches before a last line
//! break, `\w` takes other characters, `[` is literal inside a class. Every construct is therefore
//! parsed and written anew; one that cannot be honoured is refused by name.

use fancy_regex::{Error, ParseError, Regex};

mod class;
mod translate;

/// A `regex` rule: matched from the start, and to the end as Cerberus adds a `$`.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    source: String,
    compiled: Regex,
}

/// Why a pattern cannot be used; a lowercase fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError(pub(crate) String);

impl Pattern {
    /// Translates and compiles a pattern.
    pub(crate) fn new(source: &str) -> Result<Self, PatternError> {
        let anchored = if source.ends_with('$') {
            source.to_owned()
        } else {
            format!("{source}$")
        };
        let translated = translate::translate(&anchored)?;
        let compiled = Regex::new(&translated).map_err(|error| match error {
            // Python repeats a look-around, or an empty group, to no effect.
            Error::ParseError(_, ParseError::TargetNotRepeatable) => PatternError(
                "a repeat after something that takes no text has no counterpart here".to_owned(),
            ),
            other => PatternError(other.to_string()),
        })?;
        Ok(Self {
            source: source.to_owned(),
            compiled,
        })
    }

    /// The pattern as the schema has it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the text matches; `None` when the search was given up for its cost.
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        self.compiled.is_match(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern)
            .unwrap_or_else(|error| panic!("{pattern}: {error:?}"))
            .matches(text)
            .unwrap_or_else(|| panic!("{pattern}: gave up"))
    }

    #[test]
    fn reads_patterns_as_python_does() {
        for (pattern, text, expected) in [
            ("[a-z]+", "abc", true),
            ("[a-z]+", "abc\n", true),
            ("[a-z]+", "abc\n\n", false),
            ("[a-z]+", "1abc", false),
            (r"a\Z", "a\n", false),
            // The added `$` belongs to the last branch alone.
            ("a|b", "axxx", true),
            ("a|b", "bxxx", false),
            ("(?i)holy grail", "hOly grAil", true),
            (r"\d?\d\.\d\d", "7.25", true),
            (r"\w+", "e\u{301}", false),
            (r"\w+", "½é漢", true),
            (r"\s", "\u{1c}", true),
            (r"[\s\w]+", "a \u{1c}", true),
            (r"[^\W\d]+", "ab", true),
            (r"[^\W\d]+", "a1", false),
            ("[[a]+", "[a[", true),
            ("[]a]+", "a]", true),
            ("[a&&b~~c||-]+", "a&b~c|-", true),
            ("a{,2}", "aa", true),
            ("a{,2}", "aaa", false),
            ("a{x}", "a{x}", true),
            ("a{2", "a{2", true),
            (r"(?P<q>['\x22]).*(?P=q)", "'x'", true),
            (r"(?P<q>['\x22]).*(?P=q)", "'x\"", false),
            (r"(a)?b(?(1)c|d)", "abc", true),
            (r"(a)?b(?(1)c|d)", "abd", false),
            (r"\bfoo\b.*", "foo bar", true),
            (r"foo\b.+", "foobar", false),
            (r"(?<!x)a(?=b)b", "ab", true),
            (".", "\n", false),
            ("(?s).", "\n", true),
            ("(?m)a$\n^b", "a\nb", true),
            ("(?x) a b # note\n c", "abc", true),
            (r"\101\0", "A\0", true),
            (r"\u0041\x42", "AB", true),
            ("(?#note)a", "a", true),
            ("(?a)\\w", "é", false),
            ("a++b", "aab", true),
            ("(?>a+)ab", "aab", false),
            (r"a\$", "a$b", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_honour_by_name() {
        for (pattern, word) in [
            ("[", "class"),
            ("(", "group"),
            ("a**", "repeat"),
            ("*a", "repeat"),
            (r"\q", r"\q"),
            (r"\N{DIGIT ONE}", r"\N"),
            ("(?L)a", "(?L"),
            (r"(?i)(a)\1", "back-reference"),
            (r"\2", "group"),
            ("a(?i)b", "start"),
            ("[z-a]", "range"),
            ("(?<=a+)b", ""),
        ] {
            let PatternError(reason) = Pattern::new(pattern).expect_err(pattern);
            assert!(reason.contains(word), "{pattern}: {reason}");
        }
    }
}
