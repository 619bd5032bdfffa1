//! The replacement-field syntax of Python's `str.format`: `{name}`, `{name!r:>10}`, `{{` and `}}`.
//!
//! This module only takes text apart; what a field means is for its readers to say.

/// A piece of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text that stands for itself; doubled braces are already single.
    Literal(&'a str),
    /// A replacement field.
    Field(Field<'a>),
}

/// What stands between `{` and `}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// The field's name with its attribute and item steps.
    pub(super) name: &'a str,
    /// The letter after `!`.
    pub(super) conversion: Option<char>,
    /// The text after `:`; it may hold fields itself.
    pub(super) spec: &'a str,
    /// Where the field's `{` stands, in bytes.
    pub(super) offset: usize,
}

/// A format string that cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormatSyntaxError {
    /// Where, in bytes.
    pub(super) offset: usize,
    /// What is wrong.
    pub(super) message: String,
}

impl FormatSyntaxError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

/// Takes a format string apart.
///
/// # Errors
/// Braces that do not pair, a conversion that is cut off.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, FormatSyntaxError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(brace) = rest.find(['{', '}']) else {
            pieces.push(Piece::Literal(rest));
            break;
        };
        let sign = rest.as_bytes()[brace];
        let next = rest.as_bytes().get(brace + 1).copied();
        if next == Some(sign) {
            pieces.push(Piece::Literal(&rest[..=brace]));
            at += brace + 2;
            continue;
        }
        if sign == b'}' {
            return Err(FormatSyntaxError::new(
                at + brace,
                "single `}` in a format string",
            ));
        }
        if next.is_none() {
            return Err(FormatSyntaxError::new(
                at + brace,
                "single `{` in a format string",
            ));
        }
        if brace > 0 {
            pieces.push(Piece::Literal(&rest[..brace]));
        }
        let (field, end) = field(text, at + brace)?;
        pieces.push(Piece::Field(field));
        at = end;
    }
    Ok(pieces)
}

/// Reads the field whose `{` is at `offset`; gives it and where it ends.
fn field(text: &str, offset: usize) -> Result<(Field<'_>, usize), FormatSyntaxError> {
    let bytes = text.as_bytes();
    let unclosed = || FormatSyntaxError::new(offset, "expected `}` before the end of the text");
    let start = offset + 1;
    let mut at = start;
    let stop = loop {
        match bytes.get(at) {
            None => return Err(unclosed()),
            Some(b'{') => return Err(FormatSyntaxError::new(at, "unexpected `{` in a field name")),
            Some(b'[') => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != b']') {
                    at += 1;
                }
            }
            Some(stop @ (b'}' | b':' | b'!')) => break *stop,
            Some(_) => at += 1,
        }
    };
    let name = &text[start..at];
    let mut found = Field {
        name,
        conversion: None,
        spec: "",
        offset,
    };
    at += 1;
    if stop == b'}' {
        return Ok((found, at));
    }
    if stop == b'!' {
        let Some(letter) = text[at..].chars().next() else {
            return Err(FormatSyntaxError::new(
                offset,
                "end of text where a conversion should follow `!`",
            ));
        };
        found.conversion = Some(letter);
        at += letter.len_utf8();
        match bytes.get(at) {
            Some(b'}') => return Ok((found, at + 1)),
            Some(b':') => at += 1,
            Some(_) => {
                return Err(FormatSyntaxError::new(
                    at,
                    "expected `:` after a conversion",
                ));
            }
            None => {
                return Err(FormatSyntaxError::new(
                    offset,
                    "unmatched `{` in a format spec",
                ));
            }
        }
    }
    let spec = at;
    let mut depth = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    found.spec = &text[spec..at];
                    return Ok((found, at + 1));
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(FormatSyntaxError::new(
        offset,
        "unmatched `{` in a format spec",
    ))
}

/// What a field name starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First<'a> {
    /// Nothing: the next positional argument.
    Next,
    /// A positional argument.
    Index(usize),
    /// A named argument.
    Key(&'a str),
}

/// A step from a value to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// `.name`
    Attribute(&'a str),
    /// `[3]`
    Index(usize),
    /// `[name]`
    Key(&'a str),
}

/// Takes a field's name apart.
///
/// # Errors
/// Empty attributes, unclosed brackets, numbers too large for an index.
pub(super) fn field_name<'a>(
    field: &Field<'a>,
) -> Result<(First<'a>, Vec<Step<'a>>), FormatSyntaxError> {
    let fail = |message: &str| FormatSyntaxError::new(field.offset, message);
    let name = field.name;
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let first = match &name[..end] {
        "" => First::Next,
        digits if is_number(digits) => First::Index(
            digits
                .parse()
                .map_err(|_| fail("too many decimal digits in a format string"))?,
        ),
        key => First::Key(key),
    };
    let mut steps = Vec::new();
    let mut rest = &name[end..];
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return Err(fail("empty attribute in a format string"));
            }
            steps.push(Step::Attribute(&after[..end]));
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after
                .find(']')
                .ok_or_else(|| fail("missing `]` in a format string"))?;
            let key = &after[..end];
            if key.is_empty() {
                return Err(fail("empty attribute in a format string"));
            }
            steps.push(if is_number(key) {
                Step::Index(
                    key.parse()
                        .map_err(|_| fail("too many decimal digits in a format string"))?,
                )
            } else {
                Step::Key(key)
            });
            rest = &after[end + 1..];
        } else {
            return Err(fail("only `.` or `[` may follow `]` in a format field"));
        }
    }
    Ok((first, steps))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
