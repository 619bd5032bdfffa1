//! Percent-encoding: how texts stand in addresses.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// Everything but what an address may hold anywhere.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~`, so that the text fits any part of an address.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    encoded(text).to_string()
}

/// What may not stand in an address at all, whatever it means there.
const FOREIGN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// Percent-encodes what may not stand in an address at all, and leaves what separates its parts and what is encoded.
#[must_use]
pub fn percent_encode_foreign(address: &str) -> String {
    utf8_percent_encode(address, FOREIGN).to_string()
}

/// The encoded text in stretches: a byte with its percent sign, or what needs none.
pub(crate) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_encoded() {
        assert_eq!(
            percent_encode("manual__2026-11-22T18:29:44+00:00/x é~."),
            "manual__2026-11-22T18%3A29%3A44%2B00%3A00%2Fx%20%C3%A9~."
        );
    }

    #[test]
    fn addresses_keep_what_separates_their_parts() {
        assert_eq!(
            percent_encode_foreign("/y?q=a b&é=\"%20\"#<c>"),
            "/y?q=a%20b&%C3%A9=%22%20%22#%3Cc%3E"
        );
    }
}
