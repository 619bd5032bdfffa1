//! What a request asks for, wherever it says so: in its query, its body, or the variables of GraphQL.

use bowline_words::percent_encode;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

/// The parameters of a request. Those that are null count as not given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Map<String, Json>);

impl Parameters {
    pub(crate) fn of_query(query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (decoded(name), Json::from(decoded(value))))
                .collect(),
        )
    }

    pub(crate) fn of_json(json: &Json) -> Self {
        Self(json.as_object().cloned().unwrap_or_default())
    }

    pub(crate) fn json(&self, name: &str) -> Json {
        self.0.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// The parameters as a query, without one of them.
    pub(crate) fn query_without(&self, left_out: &str) -> String {
        let mut query = String::new();
        for name in self.0.keys().filter(|name| *name != left_out) {
            if let Some(value) = self.text(name) {
                let value = percent_encode(&value);
                query.push_str(&format!("&{name}={value}"));
            }
        }
        query
    }
}

/// A text without percent signs for what an address cannot hold.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
