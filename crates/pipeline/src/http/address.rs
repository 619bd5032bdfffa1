//! Where requests go.

use bowline_http::Origin;
use bowline_words::percent_encode_foreign;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use crate::description::{Description, Drivers};

/// The places that the credentials and the description's lists speak of, in small letters.
#[derive(Default)]
pub(super) struct OwnPlaces(String);

impl OwnPlaces {
    /// Those in the credentials, and in lists that stand in the description.
    pub(super) fn of(credentials: &Json, description: &Description) -> Self {
        let mut places = String::new();
        texts_of(credentials, &mut places);
        for source in description.sources.values() {
            if let Some(Drivers::List(list)) = source.origin.drivers() {
                places.push('\n');
                places.push_str(list.text());
            }
        }
        Self(places.to_lowercase())
    }

    /// Whether a host and its port stand there, the usual port also unsaid.
    pub(super) fn mention(&self, origin: &Origin) -> bool {
        let usual = if origin.scheme == "https" { 443 } else { 80 };
        let is_part = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
        self.0.match_indices(&origin.host).any(|(at, host)| {
            let (before, after) = (&self.0[..at], &self.0[at + host.len()..]);
            let port = after.strip_prefix(':').map(|after| {
                let end = after.find(|letter: char| !letter.is_ascii_digit());
                &after[..end.unwrap_or(after.len())]
            });
            let port = match port.filter(|port| !port.is_empty()) {
                Some(port) => port.parse() == Ok(origin.port),
                None => origin.port == usual,
            };
            // `ann@example.com` is a person, unless an address begins before.
            let word = before.rsplit(char::is_whitespace).next().unwrap_or(before);
            let is_person = before.ends_with('@') && !word.contains("://");
            port && !is_person && !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    }
}

/// Every text in a value, a line each.
fn texts_of(value: &Json, texts: &mut String) {
    match value {
        Json::String(text) => {
            texts.push_str(text);
            texts.push('\n');
        }
        Json::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        Json::Object(members) => members.values().for_each(|member| texts_of(member, texts)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// A base address: what paths are appended to, and the parameters that all requests below it have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// Without a slash at its end.
    pub(super) address: String,
    pub(super) query: Vec<(String, String)>,
}

impl Base {
    /// A base address, or what to do about a text that is none.
    pub(super) fn of(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err("begin it with `https://` or `http://`");
        }
        if Origin::of(&percent_encode_foreign(text)).is_none() {
            return Err(
                "write it like `https://host.example.com:8443/api`: a port is a number up to 65535, and a name in other \
                 letters stands as `xn--…`",
            );
        }
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            query: pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_mentioned_as_a_whole() {
        let places = OwnPlaces(
            "https://a.example.com/x\n10.0.0.1:8080\nann@mail.example\npg://u:p@db.example\n"
                .to_owned(),
        );
        let mentions = |address: &str| places.mention(&Origin::of(address).unwrap());
        for address in [
            "https://a.example.com/y",
            "http://10.0.0.1:8080",
            "https://db.example",
        ] {
            assert!(mentions(address), "{address}");
        }
        for address in [
            "https://example.com",
            "https://b.a.example.com",
            "https://a.example.com:8443",
            "http://10.0.0.1",
            "http://10.0.0.1:80",
            "https://a.example.co",
            "https://mail.example",
        ] {
            assert!(!mentions(address), "{address}");
        }
    }

    #[test]
    fn a_base_address_may_have_parameters() {
        let base = Base::of(" https://host/v1/?tenant=a%20b&x#here").unwrap();
        assert_eq!(base.address, "https://host/v1");
        let query = base.query.iter();
        let query: Vec<_> = query
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(query, [("tenant", "a b"), ("x", "")]);
        for text in [
            "",
            "host/v1",
            "ftp://host",
            "file:///x",
            "https://",
            "https://host:99999",
            "https://ex\u{e4}mple.com",
        ] {
            assert!(Base::of(text).is_err(), "{text}");
        }
        assert!(Base::of("https://host:8443/my api").is_ok());
    }
}
