//! TOML that may not be: what is nested too deep, or hardly closed at all, is never given to the parser, which goes one
//! call deeper with every bracket.

use serde::de::DeserializeOwned;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// How deep brackets may be nested.
const DEEPEST: usize = 80;
/// With so few brackets nothing is deep, closed or not: the parser then tells what is wrong, and goes on behind it.
const FEW: usize = 500;

/// A bracket that the parser must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddBracket {
    /// Where it stands, in bytes from the beginning.
    pub at: usize,
    /// What is the matter with it.
    pub oddity: Oddity,
}

/// What is the matter with a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// More than eighty are open.
    TooDeep,
    /// It closes nothing, or something else.
    ClosesNothing,
    /// Nothing closes it.
    Open,
}

impl OddBracket {
    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self.oddity {
            Oddity::TooDeep => "brackets are nested more than 80 deep",
            Oddity::ClosesNothing => "this bracket closes none",
            Oddity::Open => "this bracket is not closed",
        }
    }
}

/// Looks at the brackets of a text that should be TOML.
///
/// # Errors
/// The first bracket for which the parser might go too deep; few brackets are never that.
pub fn check_brackets(text: &str) -> Result<(), OddBracket> {
    let mut open: Vec<(TokenKind, usize)> = Vec::new();
    let mut brackets = 0;
    let mut odd = None;
    for token in Source::new(text).lex() {
        let (kind, at) = (token.kind(), token.span().start());
        let opening = match kind {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                brackets += 1;
                open.push((kind, at));
                if open.len() > DEEPEST {
                    let oddity = Oddity::TooDeep;
                    odd.get_or_insert(OddBracket { at, oddity });
                }
                continue;
            }
            TokenKind::RightSquareBracket => TokenKind::LeftSquareBracket,
            TokenKind::RightCurlyBracket => TokenKind::LeftCurlyBracket,
            _ => continue,
        };
        if open.pop().is_none_or(|(kind, _)| kind != opening) {
            let oddity = Oddity::ClosesNothing;
            odd.get_or_insert(OddBracket { at, oddity });
        }
    }
    if let Some((_, at)) = open.first() {
        let (at, oddity) = (*at, Oddity::Open);
        odd.get_or_insert(OddBracket { at, oddity });
    }
    match odd {
        Some(odd) if brackets > FEW => Err(odd),
        _ => Ok(()),
    }
}

/// What a text says that may be TOML; nothing where it is none.
#[must_use]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    check_brackets(text).ok()?;
    toml::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn no_text_takes_the_parser_too_deep() {
        for line in [
            "a = {[b]\n",
            "a = {[b]]\n",
            "a = {[} b]\n",
            "a = {{x} b = ",
            "a = [{]}\n",
            "[",
            "{",
            "[[",
            "{a = ",
            "a = [[",
        ] {
            let text = line.repeat(60_000);
            assert!(check_brackets(&text).is_err(), "{line}");
            assert_eq!(read::<Value>(&text), None);
        }
        for deep in [DEEPEST, DEEPEST + 1, FEW] {
            let text = format!("a = {}{}", "[".repeat(deep), "]".repeat(deep));
            assert_eq!(read::<Value>(&text).is_some(), deep <= DEEPEST, "{deep}");
        }
    }

    #[test]
    fn what_is_closed_or_hardly_there_is_the_parsers() {
        let many = "[a]\nb = {c = [1, 2]}\nd = '{{'\n# [[[\n".repeat(FEW);
        assert_eq!(check_brackets(&many), Ok(()));
        assert_eq!(check_brackets("a = {b = ["), Ok(()));
    }

    #[test]
    fn the_first_bracket_is_told() {
        let text = format!("a = {{\n{}", "[a]\n".repeat(FEW));
        let odd = check_brackets(&text).unwrap_err();
        assert_eq!((odd.at, odd.words()), (4, "this bracket is not closed"));
    }
}
