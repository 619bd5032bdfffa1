//! Operators over the shape of a text: numbers, brackets, words, terms, quotes, and the Jinja around them.

use crate::operators::{Right, Wrong};
use crate::tokens::{Kind, Place, Token};

/// Constants off by one, ten times as great, or none.
pub(super) fn numbers(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let mut wrong = Vec::new();
    for token in source.all(Kind::Number) {
        let Ok(number) = source.of(token).parse::<i64>() else {
            continue;
        };
        for other in [number + 1, number - 1, number * 10, 0, 1] {
            let text = source.with(vec![(token.range.clone(), other.to_string())]);
            wrong.push((format!("{number} is {other}"), text));
        }
    }
    wrong
}

/// Brackets of an expression taken away.
pub(super) fn brackets(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql();
    let pairs = source.brackets(&sql).into_iter();
    pairs
        .map(|(open, close)| {
            let text = source.with(vec![
                (sql[open].range.clone(), " ".to_owned()),
                (sql[close].range.clone(), " ".to_owned()),
            ]);
            (format!("without brackets {}", open + 1), text)
        })
        .collect()
}

/// A function left out: its first argument stands alone.
pub(super) fn functions(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql();
    let mut wrong = Vec::new();
    for pair in source.brackets(&sql) {
        let Some(name) = pair.0.checked_sub(1).map(|before| sql[before]) else {
            continue;
        };
        if name.kind != Kind::Word {
            continue;
        }
        let name_of = source.of(name);
        for (number, argument) in source.arguments(&sql, pair).into_iter().enumerate() {
            let mut argument = &source.text[argument];
            if let Some(at) = argument.to_ascii_uppercase().rfind(" AS ") {
                argument = &argument[..at];
            }
            let whole = name.range.start..sql[pair.1].range.end;
            let text = source.with(vec![(whole, format!(" {} ", argument.trim()))]);
            wrong.push((
                format!("{name_of} left out for its argument {}", number + 1),
                text,
            ));
        }
    }
    wrong
}

/// Types that hold less than others.
const TYPES: &[&str] = &[
    "REAL",
    "FLOAT",
    "DOUBLE PRECISION",
    "DOUBLE",
    "INTEGER",
    "BIGINT",
    "SIGNED",
    "DECIMAL",
    "DECIMAL(10, 0)",
    "DECIMAL(10, 3)",
    "DECIMAL(18, 6)",
    "DECIMAL(38, 2)",
    "VARCHAR",
    "VARCHAR(5)",
    "VARCHAR(20)",
    "VARCHAR(30)",
    "CHAR",
    "CHAR(20)",
    "CHAR(40)",
    "TEXT",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP(0)",
    "TIMESTAMP(3)",
    "TIMESTAMP_S",
    "TIMESTAMP WITH TIME ZONE",
    "DATETIME",
    "DATETIME(3)",
    "BOOLEAN",
];

/// Casts to another type, most of them narrower.
pub(super) fn casts(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql();
    let mut wrong = Vec::new();
    for (open, close) in source.brackets(&sql) {
        let is_cast = open > 0
            && source
                .of(sql[open - 1])
                .to_ascii_uppercase()
                .ends_with("CAST");
        let last_as = (open..close)
            .rev()
            .find(|position| source.is_word(sql[*position], "AS"));
        let Some(at) = last_as.filter(|_| is_cast) else {
            continue;
        };
        let range = sql[at].range.end..sql[close].range.start;
        let own = source.text[range.clone()].trim().to_owned();
        for other in TYPES
            .iter()
            .filter(|other| !other.eq_ignore_ascii_case(&own))
        {
            let text = source.with(vec![(range.clone(), format!(" {other}"))]);
            wrong.push((format!("a cast to {other} and not to {own}"), text));
        }
    }
    wrong
}

/// A word left out: NOT, DISTINCT, ALL, DESC.
pub(super) fn words(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql().into_iter();
    let words = sql.filter(|token| matches!(token.kind, Kind::Word | Kind::Sign));
    words
        .enumerate()
        .map(|(number, token)| {
            let text = source.with(vec![(token.range.clone(), String::new())]);
            (
                format!("without {} (word {})", source.of(token), number + 1),
                text,
            )
        })
        .collect()
}

/// Words that part terms or begin clauses.
const JOINTS: &[&str] = &[
    "AND", "OR", "ELSE", "WHEN", "WHERE", "ORDER", "LIMIT", "FILTER", "AT", "UNION", "FROM",
];

/// A term left out: from a joint or a sign to the next joint or to the end of its bracket, or from that one's start to
/// the joint.
pub(super) fn terms(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql();
    let is_joint = |token: &Token| {
        JOINTS.iter().any(|joint| source.is_word(token, joint))
            || source.is_word(token, "END")
            || source.is_word(token, "THEN")
    };
    let mut wrong = Vec::new();
    for (position, token) in sql.iter().enumerate() {
        let joins = JOINTS.iter().any(|joint| source.is_word(token, joint));
        if !joins && token.kind != Kind::Sign {
            continue;
        }
        let mut depth = 0;
        let mut end = source.text.len();
        let mut stop = |next: &Token| {
            match next.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            depth < 0 || (depth == 0 && (is_joint(next) || next.kind == Kind::Comma))
        };
        if let Some(next) = sql[position + 1..].iter().find(|next| stop(next)) {
            end = next.range.start;
        }
        let name = source.of(token);
        let number = position + 1;
        let text = source.with(vec![(token.range.start..end, " ".to_owned())]);
        wrong.push((format!("without what follows {name} ({number})"), text));
        let mut depth = 0;
        let mut start = 0;
        let mut stop = |before: &Token| {
            match before.kind {
                Kind::Close => depth += 1,
                Kind::Open => depth -= 1,
                _ => {}
            }
            depth < 0 || (depth == 0 && (is_joint(before) || before.kind == Kind::Comma))
        };
        if let Some(before) = sql[..position].iter().rev().find(|before| stop(before)) {
            start = before.range.end;
        }
        let text = source.with(vec![(start..token.range.end, " ".to_owned())]);
        wrong.push((format!("without what {name} follows ({number})"), text));
    }
    wrong
}

/// The arguments of a call swapped or one of them left out.
pub(super) fn calls(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let sql = source.sql();
    let mut wrong = Vec::new();
    for (number, pair) in source.brackets(&sql).into_iter().enumerate() {
        let arguments = source.arguments(&sql, pair);
        for (place, two) in arguments.windows(2).enumerate() {
            let [first, second] = two else { continue };
            let text = |range: &std::ops::Range<usize>| source.text[range.clone()].to_owned();
            let swapped = source.with(vec![
                (first.clone(), text(second)),
                (second.clone(), text(first)),
            ]);
            let which = format!("{} of brackets {}", place + 1, number + 1);
            wrong.push((format!("the arguments after {which} swapped"), swapped));
            let left_out = source.with(vec![(first.end..second.end, String::new())]);
            wrong.push((format!("the argument after {which} left out"), left_out));
        }
    }
    wrong
}

/// Quotes left out, or of another kind, or not doubled.
pub(super) fn quotes(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let mut wrong = Vec::new();
    let holds_value = |token: &Token| {
        source
            .all(Kind::Value)
            .any(|value| token.range.start < value.range.start && value.range.end < token.range.end)
    };
    for (number, token) in source.sql().into_iter().enumerate() {
        let (start, end) = (token.range.start, token.range.end);
        let quotes = [start..start + 1, end.saturating_sub(1)..end];
        let number = number + 1;
        match token.kind {
            Kind::Text | Kind::Name if holds_value(token) => {
                for (quote, name) in [("", "no quotes"), ("'", "'"), ("\"", "\""), ("`", "`")] {
                    let parts = quotes.clone().map(|range| (range, quote.to_owned()));
                    wrong.push((
                        format!("{name} around text {number}"),
                        source.with(parts.to_vec()),
                    ));
                }
                for (added, name) in [(" ", "a blank"), ("x", "a letter"), ("\\", "a backslash")] {
                    let after = source.with(vec![(end - 1..end - 1, added.to_owned())]);
                    wrong.push((format!("{name} at the end of text {number}"), after));
                    let before = source.with(vec![(start + 1..start + 1, added.to_owned())]);
                    wrong.push((format!("{name} before text {number}"), before));
                }
            }
            Kind::Value | Kind::Placeholder => {
                for quote in ["'", "\""] {
                    let text = format!("{quote}{}{quote}", source.of(token));
                    wrong.push((
                        format!("{quote} around value {number}"),
                        source.with(vec![(token.range.clone(), text)]),
                    ));
                }
            }
            _ => {}
        }
    }
    wrong
}

/// Texts of SQL or Jinja replaced by others, and letters of patterns left out.
pub(super) fn constants(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let mut wrong = Vec::new();
    for token in source.all(Kind::Text) {
        let own = source.of(token);
        let inner = token.range.start + 1..token.range.end.saturating_sub(1);
        if inner.is_empty() || own.contains("{{") {
            continue;
        }
        let text = source.with(vec![(inner.clone(), String::new())]);
        wrong.push((format!("nothing and not {own}"), text));
        if own.len() > 60 {
            continue;
        }
        for (at, letter) in source.text[inner.clone()].char_indices() {
            let at = inner.start + at;
            let text = source.with(vec![(at..at + letter.len_utf8(), String::new())]);
            wrong.push((
                format!("{own} without its letter {}", at - inner.start + 1),
                text,
            ));
        }
    }
    wrong
}

/// Jinja's filters left out.
pub(super) fn filters(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let jinja: Vec<&Token> = source
        .tokens
        .iter()
        .filter(|token| token.place == Place::Jinja)
        .collect();
    let mut wrong = Vec::new();
    for (position, token) in jinja.iter().enumerate() {
        if token.kind != Kind::Sign || source.of(token) != "|" {
            continue;
        }
        let Some(name) = jinja.get(position + 1) else {
            continue;
        };
        let mut end = name.range.end;
        if source.text[end..].starts_with('(') {
            let mut depth = 0;
            for next in &jinja[position + 2..] {
                match next.kind {
                    Kind::Open => depth += 1,
                    Kind::Close => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = next.range.end;
                    break;
                }
            }
        }
        let filter = &source.text[token.range.start..end];
        let text = source.with(vec![(token.range.start..end, String::new())]);
        wrong.push((format!("without {filter} ({})", position + 1), text));
    }
    wrong
}

/// Jinja's conditions turned round, always true or never.
pub(super) fn branches(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let mut wrong = Vec::new();
    let jinja: Vec<&Token> = source
        .tokens
        .iter()
        .filter(|token| token.place == Place::Jinja)
        .collect();
    for (position, token) in jinja.iter().enumerate() {
        let is_if = source.is_word(token, "if") || source.is_word(token, "elif");
        if !is_if {
            continue;
        }
        let holder = source.tokens.iter().rfind(|holder| {
            matches!(holder.kind, Kind::Value | Kind::Statement)
                && holder.range.start < token.range.start
                && token.range.end < holder.range.end
        });
        let Some(holder) = holder else { continue };
        let mut end = holder.range.end - 2;
        if source.text[..end].ends_with('-') {
            end -= 1;
        }
        let mut depth = 0;
        for next in jinja[position + 1..]
            .iter()
            .take_while(|next| next.range.end <= holder.range.end)
        {
            match next.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            if depth < 0 || (depth == 0 && source.is_word(next, "else")) {
                end = next.range.start;
                break;
            }
        }
        let range = token.range.end..end;
        let condition = source.text[range.clone()].trim();
        for (other, name) in [
            (format!(" not ({condition}) "), "the other way round"),
            (format!(" ({condition}) or true "), "always"),
            (format!(" ({condition}) and false "), "never"),
        ] {
            let text = source.with(vec![(range.clone(), other)]);
            wrong.push((format!("`if {condition}` {name}"), text));
        }
    }
    wrong
}
