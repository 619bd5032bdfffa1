//! The translation itself: one pass over the pattern, one construct at a time.

use std::collections::HashMap;

use super::PatternError;
use super::class;

pub(super) fn fault(reason: &str) -> PatternError {
    PatternError(reason.to_owned())
}

/// The pattern as characters with a place in them.
pub(super) struct Source {
    characters: Vec<char>,
    at: usize,
}

impl Source {
    pub(super) fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    /// Steps over the character if it comes next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn until(&mut self, end: char) -> Result<String, PatternError> {
        let mut out = String::new();
        loop {
            match self.next() {
                Some(character) if character == end => return Ok(out),
                Some(character) => out.push(character),
                None => return Err(fault(&format!("`{end}` is missing"))),
            }
        }
    }

    fn digits(&mut self) -> String {
        let mut out = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            out.push(digit);
            self.at += 1;
        }
        out
    }
}

/// The flags in force.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ascii: bool,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    verbose: bool,
}

impl Flags {
    fn set(&mut self, letter: char, on: bool) -> Result<(), PatternError> {
        match letter {
            'a' => self.ascii = on,
            'i' => self.ignore_case = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            'x' => self.verbose = on,
            'u' => self.ascii = false,
            'L' => return Err(fault("the flag `(?L)` is for bytes only")),
            _ => return Err(fault(&format!("the flag `{letter}` is unknown"))),
        }
        if self.ascii && self.ignore_case {
            return Err(fault("the flags `a` and `i` cannot stand together here"));
        }
        Ok(())
    }
}

/// What a repeat sign would apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Atom,
    Repeat,
}

struct Translator {
    source: Source,
    /// Numbers of the named groups.
    names: HashMap<String, usize>,
    /// Groups opened so far; an entry is true once the group is closed.
    closed: Vec<bool>,
    depth: usize,
}

const DEEPEST: usize = 100;

/// Writes a Python pattern for matching at the start of a text.
pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut translator = Translator {
        source: Source {
            characters: pattern.chars().collect(),
            at: 0,
        },
        names: HashMap::new(),
        closed: Vec::new(),
        depth: 0,
    };
    let flags = translator.leading_flags()?;
    let body = translator.alternatives(flags)?;
    if translator.source.peek().is_some() {
        return Err(fault("a group is closed that was not opened"));
    }
    let case = if flags.ignore_case { "i" } else { "" };
    Ok(format!(r"\A(?{case}:{body})"))
}

impl Translator {
    /// Flags for the whole pattern, which Python takes at its start only.
    fn leading_flags(&mut self) -> Result<Flags, PatternError> {
        let mut flags = Flags::default();
        loop {
            let start = self.source.at;
            if self.source.take('(') && self.source.take('?') {
                let mut letters = String::new();
                while let Some(letter) = self.source.peek().filter(char::is_ascii_alphabetic) {
                    letters.push(letter);
                    self.source.at += 1;
                }
                if !letters.is_empty() && self.source.take(')') {
                    for letter in letters.chars() {
                        flags.set(letter, true)?;
                    }
                    continue;
                }
            }
            self.source.at = start;
            return Ok(flags);
        }
    }

    fn alternatives(&mut self, flags: Flags) -> Result<String, PatternError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(fault("groups are nested too deeply"));
        }
        let mut out = self.sequence(flags)?;
        while self.source.take('|') {
            out.push('|');
            out.push_str(&self.sequence(flags)?);
        }
        self.depth -= 1;
        Ok(out)
    }

    fn sequence(&mut self, flags: Flags) -> Result<String, PatternError> {
        let mut out = String::new();
        let mut last = Last::Nothing;
        while let Some(character) = self.source.peek() {
            if matches!(character, '|' | ')') {
                break;
            }
            self.source.at += 1;
            match character {
                _ if flags.verbose && character.is_ascii_whitespace() => continue,
                '#' if flags.verbose => {
                    while self.source.next().is_some_and(|skipped| skipped != '\n') {}
                    continue;
                }
                '*' | '+' | '?' => last = self.repeat(&mut out, &character.to_string(), last)?,
                '{' => match self.bounds()? {
                    Some(bounds) => last = self.repeat(&mut out, &bounds, last)?,
                    None => {
                        out.push_str(&class::literal('{'));
                        last = Last::Atom;
                    }
                },
                '(' => match self.group(flags)? {
                    Some(group) => {
                        out.push_str(&group);
                        last = Last::Atom;
                    }
                    None => continue,
                },
                '\\' => last = self.escape(&mut out, flags)?,
                _ => last = self.plain(character, &mut out, flags)?,
            }
        }
        Ok(out)
    }

    fn plain(
        &mut self,
        character: char,
        out: &mut String,
        flags: Flags,
    ) -> Result<Last, PatternError> {
        let (text, last) = match character {
            '.' if flags.dot_all => ("(?s:.)".to_owned(), Last::Atom),
            '.' => (r"[^\n]".to_owned(), Last::Atom),
            '[' => (class::translate(&mut self.source, flags)?, Last::Atom),
            '^' if flags.multi_line => ("(?m:^)".to_owned(), Last::Nothing),
            '^' => (r"\A".to_owned(), Last::Nothing),
            '$' if flags.multi_line => (r"(?=\n|\z)".to_owned(), Last::Nothing),
            '$' => (r"(?=\n?\z)".to_owned(), Last::Nothing),
            _ => (class::literal(character), Last::Atom),
        };
        out.push_str(&text);
        Ok(last)
    }

    fn repeat(&mut self, out: &mut String, sign: &str, last: Last) -> Result<Last, PatternError> {
        match last {
            Last::Nothing => return Err(fault("there is nothing to repeat")),
            Last::Repeat => return Err(fault("a repeat follows another repeat")),
            Last::Atom => out.push_str(sign),
        }
        for mode in ['?', '+'] {
            if self.source.take(mode) {
                out.push(mode);
                break;
            }
        }
        Ok(Last::Repeat)
    }

    /// The inside of `{m,n}` whose brace was read already; `None` where Python takes it literally.
    fn bounds(&mut self) -> Result<Option<String>, PatternError> {
        let start = self.source.at;
        let low = self.source.digits();
        let has_comma = self.source.take(',');
        let high = if has_comma {
            self.source.digits()
        } else {
            low.clone()
        };
        let is_bounds = self.source.take('}') && (has_comma || !low.is_empty());
        if !is_bounds {
            self.source.at = start;
            return Ok(None);
        }
        let number = |digits: &str| {
            digits
                .parse::<u32>()
                .map_err(|_| fault("a repeat count is too large"))
        };
        let low = if low.is_empty() { 0 } else { number(&low)? };
        if high.is_empty() {
            return Ok(Some(format!("{{{low},}}")));
        }
        let high = number(&high)?;
        if low > high {
            return Err(fault("a repeat's least count is above its most"));
        }
        Ok(Some(format!("{{{low},{high}}}")))
    }

    fn escape(&mut self, out: &mut String, flags: Flags) -> Result<Last, PatternError> {
        let letter = self
            .source
            .next()
            .ok_or_else(|| fault("the pattern ends with a backslash"))?;
        if let Some(set) = class::set(letter, flags) {
            out.push_str(&set);
            return Ok(Last::Atom);
        }
        let word = class::members('w', flags).unwrap_or_default();
        let text = match letter {
            'A' => r"\A".to_owned(),
            'Z' => r"\z".to_owned(),
            'b' => format!("(?:(?<=[{word}])(?![{word}])|(?<![{word}])(?=[{word}]))"),
            // Python finds no `\B` in an empty text.
            'B' => format!(r"(?!\A\z)(?:(?<=[{word}])(?=[{word}])|(?<![{word}])(?![{word}]))"),
            _ => {
                let atom = match letter {
                    '0' => class::literal(class::octal('0', &mut self.source)?),
                    '1'..='9' => self.numbered(letter, flags)?,
                    _ => class::literal(class::character_escape(letter, &mut self.source)?),
                };
                out.push_str(&atom);
                return Ok(Last::Atom);
            }
        };
        out.push_str(&text);
        Ok(Last::Nothing)
    }

    /// A back-reference, or an octal escape of three digits.
    fn numbered(&mut self, first: char, flags: Flags) -> Result<String, PatternError> {
        let mut digits = first.to_string();
        if let Some(second) = self.source.peek().filter(char::is_ascii_digit) {
            let third = self.source.characters.get(self.source.at + 1).copied();
            let is_octal = [Some(first), Some(second), third]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_digit(8)));
            if is_octal {
                return Ok(class::literal(class::octal(first, &mut self.source)?));
            }
            self.source.at += 1;
            digits.push(second);
        }
        let number = digits
            .parse()
            .map_err(|_| fault("a group number is too large"))?;
        self.reference(number, flags)
    }

    fn reference(&self, number: usize, flags: Flags) -> Result<String, PatternError> {
        self.known(number)?;
        if flags.ignore_case {
            return Err(fault(
                "a back-reference under the flag `i` has no counterpart here",
            ));
        }
        Ok(format!(r"(?:\{number})"))
    }

    fn known(&self, number: usize) -> Result<(), PatternError> {
        match number.checked_sub(1).and_then(|at| self.closed.get(at)) {
            Some(true) => Ok(()),
            Some(false) => Err(fault("a group is referred to while it is open")),
            None => Err(fault(&format!("there is no group {number}"))),
        }
    }

    /// A group whose `(` was read already; `None` for a comment.
    fn group(&mut self, flags: Flags) -> Result<Option<String>, PatternError> {
        if !self.source.take('?') {
            return self.capture(None, flags).map(Some);
        }
        let kind = self
            .source
            .next()
            .ok_or_else(|| fault("a group is not closed"))?;
        let group = match kind {
            ':' => self.wrapped("(?:", flags)?,
            '=' => self.wrapped("(?=", flags)?,
            '!' => self.wrapped("(?!", flags)?,
            '>' => self.wrapped("(?>", flags)?,
            '<' => match self.source.next() {
                Some('=') => self.wrapped("(?<=", flags)?,
                Some('!') => self.wrapped("(?<!", flags)?,
                _ => return Err(fault("a group starts with `(?<` and no known sign")),
            },
            '#' => {
                self.source.until(')')?;
                return Ok(None);
            }
            '(' => self.conditional(flags)?,
            'P' => self.named(flags)?,
            _ => {
                self.source.at -= 1;
                self.scoped_flags(flags)?
            }
        };
        Ok(Some(group))
    }

    fn wrapped(&mut self, opening: &str, flags: Flags) -> Result<String, PatternError> {
        let body = self.alternatives(flags)?;
        if !self.source.take(')') {
            return Err(fault("a group is not closed"));
        }
        Ok(format!("{opening}{body})"))
    }

    fn capture(&mut self, name: Option<String>, flags: Flags) -> Result<String, PatternError> {
        self.closed.push(false);
        let number = self.closed.len();
        if let Some(name) = name
            && self.names.insert(name.clone(), number).is_some()
        {
            return Err(fault(&format!("the group name `{name}` is used twice")));
        }
        let group = self.wrapped("(", flags)?;
        self.closed[number - 1] = true;
        Ok(group)
    }

    fn named(&mut self, flags: Flags) -> Result<String, PatternError> {
        match self.source.next() {
            Some('<') => {
                let name = self.source.until('>')?;
                self.capture(Some(name), flags)
            }
            Some('=') => {
                let name = self.source.until(')')?;
                let number = self.number_of(&name)?;
                self.reference(number, flags)
            }
            _ => Err(fault("a group starts with `(?P` and no known sign")),
        }
    }

    fn number_of(&self, name: &str) -> Result<usize, PatternError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| fault(&format!("there is no group `{name}`")))
    }

    fn conditional(&mut self, flags: Flags) -> Result<String, PatternError> {
        let name = self.source.until(')')?;
        let number = match name.parse() {
            Ok(number) => number,
            Err(_) => self.number_of(&name)?,
        };
        self.known(number)?;
        let yes = self.sequence(flags)?;
        let no = if self.source.take('|') {
            self.sequence(flags)?
        } else {
            String::new()
        };
        if self.source.peek() == Some('|') {
            return Err(fault("a conditional group has more than two branches"));
        }
        if !self.source.take(')') {
            return Err(fault("a group is not closed"));
        }
        Ok(format!("(?({number})(?:{yes})|(?:{no}))"))
    }

    fn scoped_flags(&mut self, outer: Flags) -> Result<String, PatternError> {
        let mut flags = outer;
        let mut on = true;
        loop {
            match self.source.next() {
                Some(':') => break,
                Some('-') if on => on = false,
                Some(')') => {
                    return Err(fault("flags for the whole pattern must stand at its start"));
                }
                Some(letter) => flags.set(letter, on)?,
                None => return Err(fault("a group is not closed")),
            }
        }
        let case = match (outer.ignore_case, flags.ignore_case) {
            (false, true) => "(?i:",
            (true, false) => "(?-i:",
            _ => "(?:",
        };
        self.wrapped(case, flags)
    }
}
