//! Bytes to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Oddities, Oddity};

/// The text of an answer, without a byte order mark. What is UTF-8 is read as that, whatever the answer says of itself;
/// all else by the encoding that `content_type` names, or as Windows-1252, which Latin-1 is a part of.
pub(crate) fn decoded_text<'b>(
    bytes: &'b [u8],
    content_type: Option<&str>,
    oddities: &Oddities,
) -> Cow<'b, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        oddities.note(Oddity::ByteOrderMark);
        let (text, had_errors) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if !had_errors {
            return text;
        }
    }
    let named = content_type.and_then(named_encoding);
    let is_wide = named.is_some_and(|named| named == UTF_16BE || named == UTF_16LE);
    if !is_wide && let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    oddities.note(Oddity::OtherEncoding);
    let encoding = named.filter(|named| *named != UTF_8);
    encoding
        .unwrap_or(WINDOWS_1252)
        .decode_without_bom_handling(bytes)
        .0
}

/// The encoding in `text/csv; charset="iso-8859-1"`.
fn named_encoding(content_type: &str) -> Option<&'static Encoding> {
    let mut parameters = content_type.split(';').skip(1);
    let label = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_it = name.trim().eq_ignore_ascii_case("charset");
        is_it.then(|| value.trim().trim_matches('"'))
    })?;
    Encoding::for_label(label.as_bytes())
}
