//! From text to tokens.

use num_bigint::BigInt;

use super::{Whitespace, strings};
use crate::python::chars::{is_alphanumeric, is_space, trim_end, trim_start};
use crate::python::fault::{Fault, Outcome, runtime, unsupported};
use crate::python::text::is_identifier;
use crate::python::value::Value;

/// A token and where it stands.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Clone)]
pub(super) enum TokenKind {
    Data(String),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Text(String),
    Integer(Value),
    Float(f64),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// The operators, longer ones first.
const SIGNS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

struct Lexer<'s> {
    source: &'s str,
    whitespace: Whitespace,
    at: usize,
    /// Whether what was read last ended in a newline.
    line_starting: bool,
    tokens: Vec<Token>,
}

/// Takes the text apart.
pub(super) fn tokens(source: &str, whitespace: Whitespace) -> Outcome<Vec<Token>> {
    let mut lexer = Lexer::new(source, whitespace);
    while lexer.at < source.len() {
        lexer.root()?;
    }
    lexer.push(source.len(), TokenKind::End);
    Ok(lexer.tokens)
}

/// Takes an expression apart.
pub(super) fn expression_tokens(source: &str, whitespace: Whitespace) -> Outcome<Vec<Token>> {
    let mut lexer = Lexer::new(source, whitespace);
    let mut brackets = Vec::new();
    while lexer.at < source.len() {
        let at = lexer.at;
        lexer.token(&mut brackets).map_err(|fault| fault.at(at))?;
    }
    lexer.push(source.len(), TokenKind::End);
    Ok(lexer.tokens)
}

/// The sign right after the start of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strip {
    Minus,
    Plus,
    None,
}

impl<'s> Lexer<'s> {
    fn new(source: &'s str, whitespace: Whitespace) -> Self {
        Self {
            source,
            whitespace,
            at: 0,
            line_starting: true,
            tokens: Vec::new(),
        }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn push(&mut self, at: usize, kind: TokenKind) {
        self.tokens.push(Token { at, kind });
    }

    fn advance(&mut self, length: usize) {
        self.at += length;
        self.line_starting = self.source[..self.at].ends_with('\n');
    }

    fn data(&mut self, text: &str, strip: Strip, block: bool) {
        let at = self.at;
        let kept = match strip {
            Strip::Minus => trim_end(text),
            Strip::None if block && self.whitespace.lstrip_blocks => {
                let line = text.rfind('\n').map_or(0, |place| place + 1);
                let starts_line = line > 0 || self.line_starting;
                let blank = text.len() > line && text[line..].chars().all(is_space);
                if starts_line && blank {
                    &text[..line]
                } else {
                    text
                }
            }
            _ => text,
        };
        if !kept.is_empty() {
            self.push(at, TokenKind::Data(kept.to_owned()));
        }
    }

    /// Text up to the next tag, and the tag.
    fn root(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let tag = rest
            .match_indices('{')
            .map(|(place, _)| place)
            .find(|place| matches!(rest.as_bytes().get(place + 1), Some(b'{' | b'%' | b'#')));
        let Some(place) = tag else {
            self.push(self.at, TokenKind::Data(rest.to_owned()));
            self.advance(rest.len());
            return Ok(());
        };
        let (strip, width) = match rest.as_bytes().get(place + 2) {
            Some(b'-') => (Strip::Minus, 3),
            Some(b'+') => (Strip::Plus, 3),
            _ => (Strip::None, 2),
        };
        let opener = rest.as_bytes()[place + 1];
        self.data(&rest[..place], strip, opener != b'{');
        let start = self.at + place;
        if opener == b'%'
            && let Some(length) = raw_begin(&rest[place + width..])
        {
            self.advance(place + width + length);
            return self.raw(start);
        }
        self.advance(place + width);
        match opener {
            b'#' => self.comment(start),
            b'%' => {
                self.push(start, TokenKind::BlockBegin);
                self.code(true)
            }
            _ => {
                self.push(start, TokenKind::VariableBegin);
                self.code(false)
            }
        }
    }

    /// How long the end of a block tag at the start of `text` is.
    fn block_end(&self, text: &str) -> Option<usize> {
        self.tag_end(text, "%}")
    }

    fn tag_end(&self, text: &str, end: &str) -> Option<usize> {
        if let Some(after) = text
            .strip_prefix('-')
            .and_then(|text| text.strip_prefix(end))
        {
            return Some(text.len() - trim_start(after).len());
        }
        if text
            .strip_prefix('+')
            .is_some_and(|text| text.starts_with(end))
        {
            return Some(end.len() + 1);
        }
        let after = text.strip_prefix(end)?;
        let newline = self.whitespace.trim_blocks && after.starts_with('\n');
        Some(end.len() + usize::from(newline))
    }

    fn comment(&mut self, start: usize) -> Outcome<()> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find_map(|(place, _)| Some((place, self.tag_end(&rest[place..], "#}")?)));
        match end {
            Some((place, length)) => self.advance(place + length),
            None if rest.is_empty() => {}
            None => return runtime("a comment without its end").map_err(|f: Fault| f.at(start)),
        }
        Ok(())
    }

    fn raw(&mut self, start: usize) -> Outcome<()> {
        let rest = self.rest();
        for (place, _) in rest.match_indices("{%") {
            let inside = &rest[place + 2..];
            let (strip, inside) = match inside.as_bytes().first() {
                Some(b'-') => (Strip::Minus, &inside[1..]),
                Some(b'+') => (Strip::Plus, &inside[1..]),
                _ => (Strip::None, inside),
            };
            let Some(after) = trim_start(inside).strip_prefix("endraw") else {
                continue;
            };
            let after = trim_start(after);
            let Some(length) = self.block_end(after) else {
                continue;
            };
            self.data(&rest[..place], strip, true);
            self.advance(rest.len() - after.len() + length);
            return Ok(());
        }
        if rest.is_empty() {
            return Ok(());
        }
        runtime("`raw` without its `endraw`").map_err(|f: Fault| f.at(start))
    }

    /// The inside of a tag, with its end.
    fn code(&mut self, block: bool) -> Outcome<()> {
        let mut brackets: Vec<&'static str> = Vec::new();
        while self.at < self.source.len() {
            let rest = self.rest();
            let at = self.at;
            let end = if block {
                self.block_end(rest)
            } else {
                variable_end(rest)
            };
            if let Some(length) = end.filter(|_| brackets.is_empty()) {
                self.advance(length);
                let kind = if block {
                    TokenKind::BlockEnd
                } else {
                    TokenKind::VariableEnd
                };
                self.push(at, kind);
                return Ok(());
            }
            self.token(&mut brackets).map_err(|fault| fault.at(at))?;
        }
        Ok(())
    }

    fn token(&mut self, brackets: &mut Vec<&'static str>) -> Outcome<()> {
        let rest = self.rest();
        let blank = rest.len() - trim_start(rest).len();
        if blank > 0 {
            self.advance(blank);
            return Ok(());
        }
        let after_dot = self.source[..self.at].ends_with('.');
        let (kind, length) = if let Some((number, length)) = float(rest).filter(|_| !after_dot) {
            (number?, length)
        } else if let Some((number, length)) = integer(rest) {
            (number, length)
        } else if let Some(length) = name(rest) {
            let name = &rest[..length];
            if !is_identifier(name) {
                return runtime(format!("invalid character in the name `{name}`"));
            }
            (TokenKind::Name(name.to_owned()), length)
        } else if let Some(length) = quoted(rest) {
            let text = strings::unescape(&rest[1..length - 1])?;
            (TokenKind::Text(text), length)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            balance(sign, brackets)?;
            (TokenKind::Sign(sign), sign.len())
        } else {
            let found = rest.chars().next().unwrap_or(' ');
            return runtime(format!("unexpected character `{found}`"));
        };
        self.push(self.at, kind);
        self.advance(length);
        Ok(())
    }
}

fn balance(sign: &str, brackets: &mut Vec<&'static str>) -> Outcome<()> {
    match sign {
        "(" => brackets.push(")"),
        "[" => brackets.push("]"),
        "{" => brackets.push("}"),
        ")" | "]" | "}" => match brackets.pop() {
            Some(expected) if expected == sign => {}
            Some(expected) => {
                return runtime(format!("unexpected `{sign}`, expected `{expected}`"));
            }
            None => return runtime(format!("unexpected `{sign}`")),
        },
        _ => {}
    }
    Ok(())
}

/// How long `raw %}` is, read from behind `{%`.
fn raw_begin(text: &str) -> Option<usize> {
    let after = trim_start(trim_start(text).strip_prefix("raw")?);
    if let Some(after) = after.strip_prefix("-%}") {
        return Some(text.len() - trim_start(after).len());
    }
    Some(text.len() - after.strip_prefix("%}")?.len())
}

fn variable_end(text: &str) -> Option<usize> {
    if let Some(after) = text.strip_prefix("-}}") {
        return Some(text.len() - trim_start(after).len());
    }
    text.starts_with("}}").then_some(2)
}

/// How long a string literal is, with its quotes.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut chars = text.char_indices().skip(1);
    while let Some((place, c)) = chars.next() {
        if c == '\\' {
            chars.next()?;
        } else if c == quote {
            return Some(place + 1);
        }
    }
    None
}

fn name(text: &str) -> Option<usize> {
    let word = |c: char| {
        c == '_' || is_alphanumeric(c) || (!c.is_ascii() && unicode_ident::is_xid_continue(c))
    };
    let length = text.find(|c| !word(c)).unwrap_or(text.len());
    (length > 0).then_some(length)
}

/// How long a run of digits with single underscores between them is.
fn digits(text: &str, digit: fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    loop {
        match (bytes.get(length), bytes.get(length + 1)) {
            (Some(byte), _) if digit(*byte) => length += 1,
            (Some(b'_'), Some(byte)) if length > 0 && digit(*byte) => length += 2,
            _ => return length,
        }
    }
}

fn decimal(text: &str) -> usize {
    digits(text, |byte| byte.is_ascii_digit())
}

fn float(text: &str) -> Option<(Outcome<TokenKind>, usize)> {
    let whole = Some(decimal(text)).filter(|length| *length > 0)?;
    let fraction = match text[whole..].strip_prefix('.').map(decimal) {
        Some(length) if length > 0 => length + 1,
        _ => 0,
    };
    let exponent = exponent(&text[whole + fraction..]);
    if fraction + exponent == 0 {
        return None;
    }
    let length = whole + fraction + exponent;
    let number: f64 = text[..length].replace('_', "").parse().unwrap_or(0.0);
    let kind = if number.is_finite() {
        Ok(TokenKind::Float(number))
    } else {
        unsupported("a float literal that is too large")
    };
    Some((kind, length))
}

fn exponent(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
    match decimal(unsigned) {
        0 => 0,
        length => text.len() - unsigned.len() + length,
    }
}

fn integer(text: &str) -> Option<(TokenKind, usize)> {
    let radix = match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0b") => Some((
            2,
            digits_after_prefix(text, |byte| matches!(byte, b'0' | b'1')),
        )),
        Some("0o") => Some((
            8,
            digits_after_prefix(text, |byte| (b'0'..=b'7').contains(&byte)),
        )),
        Some("0x") => Some((
            16,
            digits_after_prefix(text, |byte| byte.is_ascii_hexdigit()),
        )),
        _ => None,
    };
    if let Some((radix, length)) = radix.filter(|(_, length)| *length > 0) {
        let number = text[2..2 + length].replace('_', "");
        return Some((whole(&number, radix), length + 2));
    }
    let length = match text.as_bytes().first() {
        Some(b'0') => digits(text, |byte| byte == b'0'),
        Some(b'1'..=b'9') => decimal(text),
        _ => return None,
    };
    Some((whole(&text[..length].replace('_', ""), 10), length))
}

fn digits_after_prefix(text: &str, digit: fn(u8) -> bool) -> usize {
    let body = &text[2..];
    let skipped = usize::from(body.starts_with('_'));
    match digits(&body[skipped..], digit) {
        0 => 0,
        length => length + skipped,
    }
}

fn whole(digits: &str, radix: u32) -> TokenKind {
    let number = BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default();
    TokenKind::Integer(Value::integer(number))
}
