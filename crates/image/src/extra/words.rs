//! Words of a Dockerfile: quotes, escapes and variables.

/// A word as written, known to be readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable { name: String, otherwise: Otherwise },
}

/// What a variable stands for depending on whether it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Otherwise {
    /// Its value, or nothing.
    Nothing,
    /// Its value, or this when it is unset or empty: `${X:-word}`.
    Default(Word),
    /// This when it is set and not empty, else nothing: `${X:+word}`.
    Alternative(Word),
}

impl Word {
    /// Reads a word, quotes and all.
    ///
    /// # Errors
    /// What cannot be read, such as a quote that is not closed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader {
            rest: text,
            pieces: Vec::new(),
            plain: String::new(),
        };
        reader.unquoted()?;
        reader.end_plain();
        Ok(Self {
            pieces: reader.pieces,
        })
    }

    /// What it comes to with these variables.
    pub(super) fn value<'v>(&self, lookup: impl Fn(&str) -> Option<&'v String> + Copy) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Variable { name, otherwise } => {
                    let value = lookup(name).filter(|value| !value.is_empty());
                    match (otherwise, value) {
                        (Otherwise::Default(word), None) => word.value(lookup),
                        (Otherwise::Alternative(word), Some(_)) => word.value(lookup),
                        (Otherwise::Alternative(_), None) => String::new(),
                        (_, value) => value.cloned().unwrap_or_default(),
                    }
                }
            })
            .collect()
    }
}

struct Reader<'t> {
    rest: &'t str,
    pieces: Vec<Piece>,
    plain: String,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn until(&mut self, end: char, what: &str) -> Result<&'t str, String> {
        let (inside, behind) = self
            .rest
            .split_once(end)
            .ok_or_else(|| format!("{what} is not closed"))?;
        self.rest = behind;
        Ok(inside)
    }

    fn unquoted(&mut self) -> Result<(), String> {
        while let Some(next) = self.next() {
            match next {
                '\'' => {
                    let inside = self.until('\'', "a single quote")?;
                    self.plain.push_str(inside);
                }
                '"' => self.quoted()?,
                '\\' => match self.next() {
                    Some(escaped) => self.plain.push(escaped),
                    None => self.plain.push('\\'),
                },
                '$' => self.variable()?,
                other => self.plain.push(other),
            }
        }
        Ok(())
    }

    fn quoted(&mut self) -> Result<(), String> {
        loop {
            match self.next() {
                None => return Err("a double quote is not closed".to_owned()),
                Some('"') => return Ok(()),
                Some('$') => self.variable()?,
                Some('\\') => match self.next() {
                    Some(escaped @ ('"' | '$' | '\\')) => self.plain.push(escaped),
                    Some(other) => self.plain.extend(['\\', other]),
                    None => self.plain.push('\\'),
                },
                Some(other) => self.plain.push(other),
            }
        }
    }

    fn variable(&mut self) -> Result<(), String> {
        if self.rest.starts_with('{') {
            self.next();
            return self.braced();
        }
        let name = leading_name(self.rest);
        if name.is_empty() {
            self.plain.push('$');
            return Ok(());
        }
        self.rest = &self.rest[name.len()..];
        self.put(name, Otherwise::Nothing);
        Ok(())
    }

    fn braced(&mut self) -> Result<(), String> {
        let name = leading_name(self.rest);
        if name.is_empty() {
            return Err("`${` is not followed by a name".to_owned());
        }
        self.rest = &self.rest[name.len()..];
        let inside = self.until('}', "`${`")?;
        let otherwise = match (inside.get(..2), inside) {
            (_, "") => Otherwise::Nothing,
            (Some(":-"), _) => Otherwise::Default(Word::parse(&inside[2..])?),
            (Some(":+"), _) => Otherwise::Alternative(Word::parse(&inside[2..])?),
            _ => return Err(format!("`${{{name}{inside}}}` is not understood")),
        };
        self.put(name, otherwise);
        Ok(())
    }

    fn put(&mut self, name: &str, otherwise: Otherwise) {
        self.end_plain();
        self.pieces.push(Piece::Variable {
            name: name.to_owned(),
            otherwise,
        });
    }

    fn end_plain(&mut self) {
        if !self.plain.is_empty() {
            self.pieces
                .push(Piece::Text(std::mem::take(&mut self.plain)));
        }
    }
}

fn leading_name(text: &str) -> &str {
    let end = text
        .char_indices()
        .find(|(at, letter)| {
            !(*letter == '_' || letter.is_ascii_alphabetic() || *at > 0 && letter.is_ascii_digit())
        })
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Splits at blanks that are neither quoted nor escaped; quotes and escapes stay.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if quote.is_none() && letter.is_whitespace() {
            if let Some(start) = start.take() {
                words.push(&text[start..at]);
            }
            continue;
        }
        start.get_or_insert(at);
        match letter {
            '\\' if quote != Some('\'') => {
                letters.next();
            }
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let set = "set".to_owned();
        let empty = String::new();
        Word::parse(text).unwrap().value(|name| match name {
            "SET" => Some(&set),
            "EMPTY" => Some(&empty),
            _ => None,
        })
    }

    #[test]
    fn words_come_to_what_an_engine_makes_of_them() {
        assert_eq!(value("plain"), "plain");
        assert_eq!(value("'$SET \\ \"'"), "$SET \\ \"");
        assert_eq!(value("\"a b $SET \\$SET \\x\""), "a b set $SET \\x");
        assert_eq!(value("a\\ b"), "a b");
        assert_eq!(value("${SET}x$SET-$1$"), "setxset-$1$");
        assert_eq!(
            value("${EMPTY:-none}/${SET:-none}/${NO:-$SET}"),
            "none/set/set"
        );
        assert_eq!(value("${EMPTY:+some}/${SET:+some}"), "/some");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for text in ["'open", "\"open", "${SET", "${}", "${SET%x}"] {
            assert!(Word::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_split_at_free_blanks() {
        assert_eq!(
            split(" A=1 B=\"x y\" C=a\\ b  D='p \" q' "),
            ["A=1", "B=\"x y\"", "C=a\\ b", "D='p \" q'"]
        );
        assert!(split("  ").is_empty());
    }
}
