//! The bank's texts: SQL in which `<name>` and `<name(argument; argument)>` stand for a choice.
//!
//! `<{>` and `<}>` are braces of the engine's own: where `str.format` reads the text later they must be doubled to
//! survive that, and Jinja must not see them.

/// A text taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// As it stands.
    Text(&'t str),
    /// A choice, or a parameter of the one the text belongs to.
    Choice {
        /// Its name.
        name: &'t str,
        /// Its arguments, texts themselves.
        arguments: Vec<&'t str>,
    },
}

/// Takes a text apart; what is not closed is text.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let open = at + found;
        match choice(&text[open..]) {
            Some((piece, length)) => {
                if start < open {
                    pieces.push(Piece::Text(&text[start..open]));
                }
                pieces.push(piece);
                at = open + length;
                start = at;
            }
            None => at = open + 1,
        }
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

/// The choice that a text begins with, and its length.
fn choice(text: &str) -> Option<(Piece<'_>, usize)> {
    let rest = text.strip_prefix('<')?;
    if let Some(brace) = rest.strip_prefix(['{', '}']) {
        brace.strip_prefix('>')?;
        let piece = Piece::Choice {
            name: &rest[..1],
            arguments: Vec::new(),
        };
        return Some((piece, 3));
    }
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let length = rest.find(|c| !is_of_name(c))?;
    let (name, behind) = rest.split_at(length);
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    if behind.starts_with('>') {
        let piece = Piece::Choice {
            name,
            arguments: Vec::new(),
        };
        return Some((piece, length + 2));
    }
    let inside = behind.strip_prefix('(')?;
    let (arguments, length_inside) = arguments(inside)?;
    let piece = Piece::Choice { name, arguments };
    Some((piece, 1 + length + 1 + length_inside))
}

/// The arguments up to the closing `)>`, and the length with it.
fn arguments(text: &str) -> Option<(Vec<&str>, usize)> {
    let mut arguments = Vec::new();
    let (mut start, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with(")>") {
            arguments.push(text[start..at].trim());
            return Some((arguments, at + 2));
        }
        if let Some((_, length)) = choice(rest) {
            at += length;
            continue;
        }
        let next = rest.chars().next()?;
        at += next.len_utf8();
        if next == ';' {
            arguments.push(text[start..at - 1].trim());
            start = at;
        }
    }
}

/// How braces of the engine's own are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Braces {
    /// As they are: in statements, and in templates that `str.format` does not read.
    Plain,
    /// For Jinja and `str.format`.
    Formatted,
}

impl Braces {
    fn spell(self, brace: &str) -> String {
        match self {
            Self::Plain => brace.to_owned(),
            Self::Formatted => format!("{{{{ '{brace}{brace}' }}}}"),
        }
    }
}

/// The text with every choice spelled by `spell`, which is given the spelled arguments; none where it has no word.
pub(crate) fn spelled(
    text: &str,
    braces: Braces,
    spell: &dyn Fn(&str, &[String]) -> Option<String>,
) -> Option<String> {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => written.push_str(text),
            Piece::Choice {
                name: name @ ("{" | "}"),
                ..
            } => written.push_str(&braces.spell(name)),
            Piece::Choice { name, arguments } => {
                let arguments = arguments
                    .into_iter()
                    .map(|argument| spelled(argument, braces, spell))
                    .collect::<Option<Vec<_>>>()?;
                written.push_str(&spell(name, &arguments)?);
            }
        }
    }
    Some(written)
}

/// The names of the choices in a text, arguments included.
pub(crate) fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        if let Piece::Choice { name, arguments } = piece {
            if !matches!(name, "{" | "}") {
                found.push(name);
            }
            found.extend(arguments.into_iter().flat_map(names));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let spell = |name: &str, arguments: &[String]| {
            (name != "nothing").then(|| format!("[{name}:{}]", arguments.join("|")))
        };
        spelled(text, Braces::Plain, &spell).unwrap_or_default()
    }

    #[test]
    fn choices_may_stand_in_arguments() {
        assert_eq!(
            shown("a <add(<now>; (1 + 2) * -1; DAY)> b"),
            "a [add:[now:]|(1 + 2) * -1|DAY] b"
        );
        assert_eq!(names("<a(<b>; <c(<d>)>)>"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn comparisons_are_no_choices() {
        for text in [
            "a < b",
            "a <> b",
            "a<b",
            "x <= 1 AND y > 2",
            "<",
            "<A>",
            "<add(1",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn braces_survive_what_reads_them_later() {
        let none = |_: &str, _: &[String]| None;
        assert_eq!(
            spelled("<{>fn NOW()<}>", Braces::Plain, &none).as_deref(),
            Some("{fn NOW()}")
        );
        assert_eq!(
            spelled("<{>ts<}>", Braces::Formatted, &none).as_deref(),
            Some("{{ '{{' }}ts{{ '}}' }}")
        );
    }

    #[test]
    fn what_has_no_word_is_not_spelled() {
        let none = |_: &str, _: &[String]| None;
        assert_eq!(spelled("CAST(1 AS <double>)", Braces::Plain, &none), None);
    }
}
