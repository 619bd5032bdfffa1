//! Answers as they come over the wire, decoded into values.
//!
//! Records are read one by one straight into the values that expressions see, and what they take in memory is counted
//! while they are read: an answer that is small on the wire can be huge in memory. What vendors often do wrong is put
//! up with where nothing can be mistaken for something else, and told.

mod budget;
mod json;
mod oddity;
mod separated;
mod text;
mod xml;

use bowline_template::Value;

use crate::description::BodyFormat;

pub(crate) use budget::Budget;
pub(crate) use oddity::{Oddities, Oddity};
pub(crate) use text::decoded_text;

/// Why an answer cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// It takes more memory than it may.
    TooLarge,
    /// It is not in its format.
    Malformed(String),
    /// It ends before what it holds does.
    Ended(String),
}

/// What an answer says. `content_type` is the header of that name.
pub(crate) fn decode(
    bytes: &[u8],
    content_type: Option<&str>,
    format: BodyFormat,
    budget: Budget,
    oddities: &Oddities,
) -> Result<Value, DecodeError> {
    if let Some(kind) = container(bytes) {
        return Err(DecodeError::Malformed(format!("it is {kind}, and no text")));
    }
    let text = decoded_text(bytes, content_type, oddities);
    match format {
        BodyFormat::Json => json::one(&text, budget, oddities),
        BodyFormat::JsonLines => json::lines(&text, budget, oddities),
        BodyFormat::Csv { delimiter } => separated::read(&text, delimiter, budget),
        BodyFormat::Xml => xml::read(&text, budget),
        BodyFormat::Text => budget.text(&text),
    }
}

/// What files begin with that hold no text.
const CONTAINERS: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b\x08", "packed with gzip once more"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"BZh", "packed with bzip2"),
];

/// What an answer is that is no text.
fn container(bytes: &[u8]) -> Option<&'static str> {
    let mut known = CONTAINERS.into_iter();
    let (_, kind) = known.find(|(mark, _)| bytes.starts_with(mark))?;
    // A table may have a column `BZhours`.
    (!kind.ends_with("bzip2") || std::str::from_utf8(bytes).is_err()).then_some(kind)
}

#[cfg(test)]
mod tests;
