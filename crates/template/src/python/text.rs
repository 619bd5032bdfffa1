//! Python's methods of `str`.

use std::collections::HashSet;

use super::arguments::{Arguments, Bound, Signature, expected, integer};
use super::chars::{self, is_space};
use super::fault::{
    Fault, FaultKind, Outcome, check_list, check_text, type_fault, unsupported, value_fault,
};
use super::slice::clamp;
use super::value::Value;

/// The methods that are honoured.
pub(crate) const METHODS: [&str; 41] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
];

/// More methods that are honoured.
pub(crate) const MORE_METHODS: [&str; 3] = ["title", "upper", "zfill"];

/// The methods of Python that are not honoured.
pub(crate) const REFUSED: [&str; 3] = ["encode", "maketrans", "translate"];

/// Calls a method that needs no more than the text and its arguments.
pub(crate) fn call(text: &str, method: &'static str, arguments: Arguments) -> Outcome<Value> {
    match method {
        "capitalize" | "casefold" | "isalnum" | "isalpha" | "isascii" | "isdecimal" | "isdigit"
        | "isidentifier" | "islower" | "isnumeric" | "isprintable" | "isspace" | "istitle"
        | "isupper" | "lower" | "swapcase" | "title" | "upper" => {
            arguments.none(method)?;
            bare(text, method)
        }
        "center" | "ljust" | "rjust" => {
            let bound = arguments.bind(Signature::by_place(method, &["width", "fillchar"], 1))?;
            justify(text, method, &bound).map(Value::text)
        }
        "count" | "find" | "index" | "rfind" | "rindex" => {
            let bound = arguments.bind(Signature::by_place(method, &["sub", "start", "end"], 1))?;
            search(text, method, &bound)
        }
        "startswith" | "endswith" => {
            let bound =
                arguments.bind(Signature::by_place(method, &["prefix", "start", "end"], 1))?;
            affix(text, method, &bound).map(Value::Bool)
        }
        "expandtabs" => {
            let bound = arguments.bind(Signature::by_name(method, &["tabsize"], 0))?;
            expand_tabs(text, bound.integer(0, 8)?).map(Value::text)
        }
        "strip" | "lstrip" | "rstrip" => {
            let bound = arguments.bind(Signature::by_place(method, &["chars"], 0))?;
            let set: Option<HashSet<char>> = match bound.some(0) {
                Some(_) => Some(bound.text(0)?.chars().collect()),
                None => None,
            };
            let out = |c: char| {
                set.as_ref()
                    .map_or_else(|| is_space(c), |set| set.contains(&c))
            };
            Ok(Value::text(match method {
                "strip" => text.trim_matches(out),
                "lstrip" => text.trim_start_matches(out),
                _ => text.trim_end_matches(out),
            }))
        }
        "partition" | "rpartition" => {
            let bound = arguments.bind(Signature::by_place(method, &["sep"], 1))?;
            partition(text, bound.text(0)?, method == "partition")
        }
        "removeprefix" | "removesuffix" => {
            let bound = arguments.bind(Signature::by_place(method, &["affix"], 1))?;
            let affix = bound.text(0)?;
            let rest = if method == "removeprefix" {
                text.strip_prefix(affix)
            } else {
                text.strip_suffix(affix)
            };
            Ok(Value::text(rest.unwrap_or(text)))
        }
        "replace" => {
            let bound = arguments.bind(Signature::by_place(method, &["old", "new", "count"], 2))?;
            replace(text, bound.text(0)?, bound.text(1)?, bound.integer(2, -1)?).map(Value::text)
        }
        "split" | "rsplit" => {
            let bound = arguments.bind(Signature::by_name(method, &["sep", "maxsplit"], 0))?;
            let separator = match bound.some(0) {
                Some(_) => Some(bound.text(0)?),
                None => None,
            };
            let most = bound.integer(1, -1)?;
            let parts = split(text, separator, most, method == "rsplit")?;
            texts(parts)
        }
        "splitlines" => {
            let bound = arguments.bind(Signature::by_name(method, &["keepends"], 0))?;
            texts(split_lines(text, bound.is_true(0, false)))
        }
        "zfill" => {
            let bound = arguments.bind(Signature::by_place(method, &["width"], 1))?;
            zero_fill(text, bound.integer(0, 0)?).map(Value::text)
        }
        _ => unsupported(format!("the method `{method}` of `str`")),
    }
}

fn texts(parts: Vec<&str>) -> Outcome<Value> {
    Value::list(parts.into_iter().map(Value::text).collect())
}

fn bare(text: &str, method: &str) -> Outcome<Value> {
    let all = |test: fn(char) -> bool| Value::Bool(!text.is_empty() && text.chars().all(test));
    Ok(match method {
        "lower" => Value::text(text.to_lowercase()),
        "upper" => Value::text(text.to_uppercase()),
        "capitalize" => Value::text(capitalize(text)?),
        "title" => Value::text(title(text)?),
        "swapcase" => Value::text(swap_case(text)?),
        "casefold" if text.is_ascii() => Value::text(text.to_lowercase()),
        "casefold" => return unsupported("`casefold` of a text that is not ASCII"),
        "isalnum" => all(chars::is_alphanumeric),
        "isalpha" => all(chars::is_alpha),
        "isascii" => Value::Bool(text.is_ascii()),
        "isdecimal" => all(chars::is_decimal),
        "isdigit" => all(chars::is_digit),
        "isnumeric" => {
            let ideograph = |c: char| {
                !c.is_ascii() && chars::is_alpha(c) && !c.is_lowercase() && !c.is_uppercase()
            };
            if text.chars().any(ideograph) {
                return unsupported("`isnumeric` of a text with ideographs");
            }
            all(chars::is_number)
        }
        "isprintable" => Value::Bool(text.chars().all(chars::is_printable)),
        "isspace" => all(is_space),
        "isidentifier" => Value::Bool(is_identifier(text)),
        "islower" => Value::Bool(is_lower(text)),
        "isupper" => Value::Bool(is_upper(text)),
        _ => Value::Bool(is_title(text)),
    })
}

/// Whether Python takes the text for a name.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
}

pub(crate) fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase)
        && !text
            .chars()
            .any(|c| c.is_uppercase() || chars::is_titlecase(c))
}

pub(crate) fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
        && !text
            .chars()
            .any(|c| c.is_lowercase() || chars::is_titlecase(c))
}

fn is_title(text: &str) -> bool {
    let (mut inside, mut cased) = (false, false);
    for c in text.chars() {
        if c.is_uppercase() || chars::is_titlecase(c) {
            if inside {
                return false;
            }
            (inside, cased) = (true, true);
        } else if c.is_lowercase() {
            if !inside {
                return false;
            }
            (inside, cased) = (true, true);
        } else {
            inside = false;
        }
    }
    cased
}

fn refuse_cases(text: &str, what: &str) -> Outcome<()> {
    match text
        .chars()
        .find(|c| *c == 'Σ' || chars::has_own_title_form(*c))
    {
        Some(c) => unsupported(format!("`{what}` of a text with `{c}`")),
        None => Ok(()),
    }
}

/// `str.capitalize`
pub(crate) fn capitalize(text: &str) -> Outcome<String> {
    refuse_cases(text, "capitalize")?;
    let mut chars = text.chars();
    Ok(match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    })
}

fn title(text: &str) -> Outcome<String> {
    refuse_cases(text, "title")?;
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_lowercase() || c.is_uppercase() || chars::is_titlecase(c);
    }
    Ok(out)
}

fn swap_case(text: &str) -> Outcome<String> {
    refuse_cases(text, "swapcase")?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// `str.center`
pub(crate) fn centre(text: &str, width: i64, fill: char) -> Outcome<String> {
    let (missing, width) = missing(text, width, fill)?;
    let left = missing / 2 + (missing & width & 1);
    Ok(pad(text, fill, left, missing - left))
}

fn missing(text: &str, width: i64, fill: char) -> Outcome<(usize, usize)> {
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    check_text(text.len() + missing.saturating_mul(fill.len_utf8()))?;
    Ok((missing, width))
}

fn pad(text: &str, fill: char, left: usize, right: usize) -> String {
    let fill = fill.to_string();
    fill.repeat(left) + text + &fill.repeat(right)
}

fn justify(text: &str, method: &str, bound: &Bound) -> Outcome<String> {
    let width = bound.integer(0, 0)?;
    let mut fill = ' ';
    if bound.get(1).is_some() {
        let given = bound.text(1)?;
        let mut chars = given.chars();
        fill = match (chars.next(), chars.next()) {
            (Some(only), None) => only,
            _ => return type_fault("the fill character must be exactly one character"),
        };
    }
    if method == "center" {
        return centre(text, width, fill);
    }
    let (missing, _) = missing(text, width, fill)?;
    Ok(if method == "ljust" {
        pad(text, fill, 0, missing)
    } else {
        pad(text, fill, missing, 0)
    })
}

fn zero_fill(text: &str, width: i64) -> Outcome<String> {
    let (missing, _) = missing(text, width, '0')?;
    let sign = usize::from(text.starts_with(['+', '-']));
    Ok(format!(
        "{}{}{}",
        &text[..sign],
        "0".repeat(missing),
        &text[sign..]
    ))
}

/// The part of a text between two places in characters, and the first of them; `None` when it starts past the end.
fn window<'t>(text: &'t str, bound: &Bound) -> Outcome<Option<(&'t str, usize)>> {
    let length = text.chars().count();
    let place = |given: Option<&Value>, default: i64| given.map_or(Ok(default), integer);
    let start = place(bound.some(1), 0)?;
    let end = place(bound.some(2), i64::MAX)?;
    let wide = i64::try_from(length).unwrap_or(i64::MAX);
    let first = if start < 0 {
        (start + wide).max(0)
    } else {
        start
    };
    if first > wide {
        return Ok(None);
    }
    let (from, to) = (clamp(start, length), clamp(end, length));
    if from > to {
        return Ok(None);
    }
    let byte = |place: usize| {
        text.char_indices()
            .nth(place)
            .map_or(text.len(), |(at, _)| at)
    };
    Ok(Some((&text[byte(from)..byte(to)], from)))
}

fn search(text: &str, method: &str, bound: &Bound) -> Outcome<Value> {
    let needle = bound.text(0)?;
    let window = window(text, bound)?;
    if method == "count" {
        let count = window.map_or(0, |(part, _)| part.matches(needle).count());
        return Ok(Value::size(count));
    }
    let found = window.and_then(|(part, from)| {
        let at = if method.starts_with('r') {
            part.rfind(needle)
        } else {
            part.find(needle)
        };
        at.map(|at| from + part[..at].chars().count())
    });
    match found {
        Some(place) => Ok(Value::size(place)),
        None if method.ends_with("find") => Ok(Value::Int(-1)),
        None => value_fault("the text looked for is not there"),
    }
}

fn affix(text: &str, method: &str, bound: &Bound) -> Outcome<bool> {
    let candidates: Vec<&str> = match bound.required(0) {
        Value::Tuple(items) => {
            let mut texts = Vec::new();
            for item in &items.values {
                match item.as_str() {
                    Some(text) => texts.push(text),
                    None => return expected("a text", item),
                }
            }
            texts
        }
        _ => vec![bound.text(0)?],
    };
    Ok(window(text, bound)?.is_some_and(|(part, _)| {
        candidates.iter().any(|candidate| {
            if method == "startswith" {
                part.starts_with(candidate)
            } else {
                part.ends_with(candidate)
            }
        })
    }))
}

fn expand_tabs(text: &str, size: i64) -> Outcome<String> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let missing = size - column % size;
                check_text(out.len() + missing)?;
                out.push_str(&" ".repeat(missing));
                column += missing;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    Ok(out)
}

fn partition(text: &str, separator: &str, first: bool) -> Outcome<Value> {
    if separator.is_empty() {
        return value_fault("empty separator");
    }
    let found = if first {
        text.split_once(separator)
    } else {
        text.rsplit_once(separator)
    };
    let parts = match (found, first) {
        (Some((before, after)), _) => [before, separator, after],
        (None, true) => [text, "", ""],
        (None, false) => ["", "", text],
    };
    Value::tuple(parts.into_iter().map(Value::text).collect())
}

/// `str.replace`; a negative count replaces all.
pub(crate) fn replace(text: &str, old: &str, new: &str, count: i64) -> Outcome<String> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let found = if old.is_empty() {
        text.chars().count() + 1
    } else {
        text.matches(old).count()
    };
    check_text(text.len() + found.min(most).saturating_mul(new.len()))?;
    Ok(text.replacen(old, new, most))
}

/// `str.split` and `str.rsplit`; a negative count splits everywhere.
pub(crate) fn split<'t>(
    text: &'t str,
    separator: Option<&str>,
    most: i64,
    from_end: bool,
) -> Outcome<Vec<&'t str>> {
    let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
    let parts = match separator {
        Some("") => return value_fault("empty separator"),
        Some(separator) if from_end => {
            let mut parts: Vec<&str> = text.rsplitn(most + 1, separator).collect();
            parts.reverse();
            parts
        }
        Some(separator) => text.splitn(most + 1, separator).collect(),
        None => split_words(text, most, from_end),
    };
    check_list(parts.len())?;
    Ok(parts)
}

fn split_words(text: &str, most: usize, from_end: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        rest = if from_end {
            chars::trim_end(rest)
        } else {
            chars::trim_start(rest)
        };
        if rest.is_empty() {
            break;
        }
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        if from_end {
            let at = rest
                .char_indices()
                .rev()
                .find(|(_, c)| is_space(*c))
                .map_or(0, |(at, c)| at + c.len_utf8());
            parts.push(&rest[at..]);
            rest = &rest[..at];
        } else {
            let at = rest.find(is_space).unwrap_or(rest.len());
            parts.push(&rest[..at]);
            rest = &rest[at..];
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}

/// `str.splitlines`
pub(crate) fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let ends = |c: char| matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(ends) else {
            lines.push(rest);
            break;
        };
        let width = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(&rest[..if keep_ends { at + width } else { at }]);
        rest = &rest[at + width..];
    }
    lines
}

/// `separator.join(texts)`; items must be texts.
pub(crate) fn join(separator: &str, items: &[Value]) -> Outcome<String> {
    let mut out = String::new();
    for (place, item) in items.iter().enumerate() {
        let Some(text) = item.as_str() else {
            return Err(Fault::new(
                FaultKind::Type,
                format!(
                    "item {place} to join is a `{}`, not a text",
                    item.type_name()
                ),
            ));
        };
        if place > 0 {
            out.push_str(separator);
        }
        check_text(out.len() + text.len())?;
        out.push_str(text);
    }
    Ok(out)
}
