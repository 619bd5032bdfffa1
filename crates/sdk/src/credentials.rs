//! What a connector logs in with.

use std::fmt;

use bowline_protocol::ErrorKind;
use serde_json::{Map, Value as Json};

use crate::Error;

/// What stands under `connect_args` in credentials.json. Its `Debug` shows names only.
#[derive(Clone, PartialEq)]
pub struct Credentials(Map<String, Json>);

impl Credentials {
    /// Credentials by name.
    #[must_use]
    pub fn new(connect_args: Map<String, Json>) -> Self {
        Self(connect_args)
    }

    /// All of them, for a connector that hands them on.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Json> {
        &self.0
    }

    /// A credential of any type; none when it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// A credential that must be there and be text.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Driver`], naming the credential.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        let problem = match self.get(name) {
            Some(Json::String(text)) => return Ok(text),
            Some(_) => "is not text",
            None => "is missing",
        };
        Err(
            Error::new(ErrorKind::Driver, format!("credential `{name}` {problem}")).with_hint(
                format!("put `{name}` under `connect_args` in credentials.json"),
            ),
        )
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_and_no_value_is_shown() {
        let Json::Object(args) = serde_json::json!({"password": "hush", "port": 1}) else {
            unreachable!()
        };
        let credentials = Credentials::new(args);
        assert_eq!(credentials.text("password"), Ok("hush"));
        let told = |name| credentials.text(name).unwrap_err().message;
        assert_eq!(told("host"), "credential `host` is missing");
        assert_eq!(told("port"), "credential `port` is not text");
        assert_eq!(format!("{credentials:?}"), r#"{"password", "port"}"#);
    }
}
