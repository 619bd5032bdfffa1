//! JSON, straight into values.

use std::borrow::Cow;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, NumberAny, NumberInt, Peek};

use bowline_template::Value;
use serde_json::Value as Json;

use super::{Budget, DecodeError, Oddities, Oddity};

/// How deep lists and records may be nested.
const MOST_DEEP: usize = 128;

/// One value.
pub(super) fn one(text: &str, budget: Budget, oddities: &Oddities) -> Result<Value, DecodeError> {
    read(text, budget, oddities, |reader, json| {
        let value = reader.next(json)?;
        json.finish()?;
        Ok(value)
    })
}

/// One value behind the other, as a list.
pub(super) fn lines(text: &str, budget: Budget, oddities: &Oddities) -> Result<Value, DecodeError> {
    read(text, budget, oddities, |reader, json| {
        let mut values = Vec::new();
        while !reader.text[json.current_index()..].trim_start().is_empty() {
            reader.budget.item()?;
            values.push(reader.next(json)?);
        }
        Ok(reader.budget.list(values)?)
    })
}

fn read(
    text: &str,
    budget: Budget,
    oddities: &Oddities,
    read: impl Fn(&mut Reader<'_>, &mut Jiter<'_>) -> Result<Value, Fault>,
) -> Result<Value, DecodeError> {
    let mended = without_lone_surrogates(text);
    if mended.is_some() {
        oddities.note(Oddity::LoneSurrogate);
    }
    let text = mended.as_deref().unwrap_or(text);
    let attempt = |text: &str, budget: Budget| {
        let mut json = Jiter::new(text.as_bytes()).with_allow_inf_nan();
        let mut reader = Reader {
            text,
            budget,
            has_no_number: false,
            has_repeats: false,
        };
        let value = read(&mut reader, &mut json).map_err(|fault| match fault {
            Fault::Json(error) if is_control(&error) => Fault::Control,
            Fault::Json(error) => Fault::Decode(failure(&error, &json, text)),
            fault => fault,
        })?;
        if reader.has_no_number {
            oddities.note(Oddity::NoNumber);
        }
        if reader.has_repeats {
            oddities.note(Oddity::RepeatedName);
        }
        Ok(value)
    };
    let mut text = Cow::Borrowed(text);
    let mut put_up_with = Vec::new();
    loop {
        let (oddity, mended) = match attempt(&text, budget.clone()) {
            Ok(value) => {
                put_up_with
                    .into_iter()
                    .for_each(|oddity| oddities.note(oddity));
                return Ok(value);
            }
            Err(Fault::Decode(error)) => return Err(error),
            Err(Fault::Control) => (Oddity::ControlCharacter, without_controls(&text)),
            Err(Fault::TooDeep | Fault::Json(_)) => (Oddity::TooDeep, flattened(&text)),
        };
        if put_up_with.contains(&oddity) {
            let reason = format!("nested more than {MOST_DEEP} deep");
            return Err(DecodeError::Malformed(reason));
        }
        put_up_with.push(oddity);
        text = Cow::Owned(mended);
    }
}

fn is_control(error: &JiterError) -> bool {
    let JiterErrorType::JsonError(kind) = &error.error_type else {
        return false;
    };
    matches!(kind, JsonErrorType::ControlCharacterWhileParsingString)
}

fn failure(error: &JiterError, json: &Jiter<'_>, text: &str) -> DecodeError {
    let place = json.error_position(error.index).short();
    let reason = format!("{} at {place}", error.error_type);
    let is_at_end = matches!(
        error.error_type,
        JiterErrorType::JsonError(
            JsonErrorType::EofWhileParsingList
                | JsonErrorType::EofWhileParsingObject
                | JsonErrorType::EofWhileParsingString
                | JsonErrorType::EofWhileParsingValue
        )
    );
    if is_at_end && !text.trim().is_empty() {
        DecodeError::Ended(reason)
    } else {
        DecodeError::Malformed(reason)
    }
}

enum Fault {
    Json(JiterError),
    Decode(DecodeError),
    /// It is nested deeper than it may be.
    TooDeep,
    /// A text in it has a control character that is not escaped.
    Control,
}

impl From<JiterError> for Fault {
    fn from(error: JiterError) -> Self {
        Self::Json(error)
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

struct Reader<'t> {
    text: &'t str,
    budget: Budget,
    has_no_number: bool,
    /// Whether a record has a name twice.
    has_repeats: bool,
}

impl Reader<'_> {
    fn next(&mut self, json: &mut Jiter<'_>) -> Result<Value, Fault> {
        let peek = json.peek()?;
        self.value(json, peek, 0)
    }

    fn value(&mut self, json: &mut Jiter<'_>, peek: Peek, depth: usize) -> Result<Value, Fault> {
        if depth > MOST_DEEP {
            return Err(Fault::TooDeep);
        }
        Ok(match peek {
            Peek::Null => {
                json.known_null()?;
                Value::NONE
            }
            Peek::True | Peek::False => Value::from(json.known_bool(peek)?),
            Peek::String => self.budget.text(json.known_str()?)?,
            Peek::Array => {
                let mut items = Vec::new();
                let mut next = json.known_array()?;
                while let Some(peek) = next {
                    self.budget.item()?;
                    items.push(self.value(json, peek, depth + 1)?);
                    next = json.array_step()?;
                }
                self.budget.list(items)?
            }
            Peek::Object => {
                let mut fields = Vec::new();
                let mut name = match json.known_object()? {
                    Some(name) => Some(self.budget.name(name)?),
                    None => None,
                };
                while let Some(known) = name {
                    let peek = json.peek()?;
                    fields.push((known, self.value(json, peek, depth + 1)?));
                    name = match json.next_key()? {
                        Some(name) => Some(self.budget.name(name)?),
                        None => None,
                    };
                }
                let last = fields.len().checked_sub(1);
                let record = self.budget.record(fields)?;
                self.has_repeats |= last.is_some_and(|last| record.at(last).is_none());
                record
            }
            _ => match json.known_number(peek)? {
                NumberAny::Int(NumberInt::Int(number)) => Value::from(number),
                NumberAny::Int(NumberInt::BigInt(number)) => Value::from(number),
                NumberAny::Float(number) if number.is_finite() => Value::from(number),
                NumberAny::Float(_) => {
                    self.has_no_number = true;
                    Value::NONE
                }
            },
        })
    }
}

/// The text with the control characters escaped that its texts hold.
fn without_controls(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 64);
    let (mut in_text, mut is_escaped) = (false, false);
    for letter in text.chars() {
        if in_text && letter < ' ' {
            mended.push_str(&format!("\\u{:04x}", u32::from(letter)));
            is_escaped = false;
            continue;
        }
        mended.push(letter);
        in_text ^= letter == '"' && !is_escaped;
        is_escaped = in_text && letter == '\\' && !is_escaped;
    }
    mended
}

/// The text with lists and records that are nested too deep as texts that hold their JSON.
fn flattened(text: &str) -> String {
    let mut flat = String::new();
    let (mut copied, mut depth) = (0, 0_usize);
    let (mut in_text, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_text {
            in_text = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                if depth == MOST_DEEP {
                    flat.push_str(&text[copied..at]);
                    copied = at;
                }
                depth += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == MOST_DEEP {
                    flat.push_str(&Json::from(&text[copied..=at]).to_string());
                    copied = at + 1;
                }
            }
            _ => {}
        }
    }
    flat.push_str(&text[copied..]);
    flat
}

/// The text with U+FFFD for every escaped half of a surrogate pair that has no other half; nothing when there is none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
            None => {
                let escaped = text[at + 1..].chars().next();
                at += 1 + escaped.map_or(0, char::len_utf8);
            }
        }
    }
    (copied > 0).then(|| {
        mended.push_str(&text[copied..]);
        mended
    })
}
