//! The identifier that ties a connector to its connection in the platform.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many hex digits end a type.
const DIGITS: usize = 7;

/// What kind of thing a connector connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AssetClass {
    /// A database.
    #[serde(rename = "warehouse")]
    Warehouse,
    /// An orchestrator of pipelines.
    #[serde(rename = "etl")]
    Pipeline,
}

impl AssetClass {
    /// The contract's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warehouse => "warehouse",
            Self::Pipeline => "etl",
        }
    }

    /// What the type of every such connector starts with.
    #[must_use]
    pub const fn type_prefix(self) -> &'static str {
        match self {
            Self::Warehouse => "custom-connector-",
            Self::Pipeline => "custom-etl-connector-",
        }
    }

    /// The pattern of such a type, for JSON Schema.
    #[must_use]
    pub fn type_pattern(self) -> String {
        let prefix = self.type_prefix();
        format!("^{prefix}[0-9a-fA-F]{{{DIGITS}}}$")
    }
}

/// A connector's own type: the prefix of its asset class and seven hex digits, made once and then kept for good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionType(String);

impl ConnectionType {
    /// A new type for a warehouse from random bytes, of which 28 bits are used.
    #[must_use]
    pub fn generate(random: [u8; 4]) -> Self {
        Self::generate_for(AssetClass::Warehouse, random)
    }

    /// A new type from random bytes, of which 28 bits are used.
    #[must_use]
    pub fn generate_for(class: AssetClass, random: [u8; 4]) -> Self {
        let prefix = class.type_prefix();
        let digits = u32::from_be_bytes(random) >> 4;
        Self(format!("{prefix}{digits:0DIGITS$x}"))
    }

    /// Reads the type of a warehouse.
    ///
    /// # Errors
    /// When it is not the prefix and seven hex digits.
    pub fn parse(text: &str) -> Result<Self, ConnectionTypeError> {
        Self::parse_for(AssetClass::Warehouse, text)
    }

    /// Reads a type.
    ///
    /// # Errors
    /// When it is not the prefix of that class and seven hex digits.
    pub fn parse_for(class: AssetClass, text: &str) -> Result<Self, ConnectionTypeError> {
        let valid = text
            .strip_prefix(class.type_prefix())
            .is_some_and(|digits| {
                digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(ConnectionTypeError {
                text: text.to_owned(),
            })
        }
    }

    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no connection type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid `connection_type`: `{text}`")]
pub struct ConnectionTypeError {
    /// What was found.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_types_are_valid() {
        for (random, text) in [
            ([0, 0, 0, 0], "custom-connector-0000000"),
            ([0xab, 0xcd, 0xef, 0x12], "custom-connector-abcdef1"),
            ([0xff; 4], "custom-connector-fffffff"),
        ] {
            let made = ConnectionType::generate(random);
            assert_eq!(made.as_str(), text);
            assert_eq!(ConnectionType::parse(text), Ok(made));
        }
    }

    #[test]
    fn each_class_has_its_own_types() {
        let made = ConnectionType::generate_for(AssetClass::Pipeline, [0xab, 0xcd, 0xef, 0x12]);
        assert_eq!(made.as_str(), "custom-etl-connector-abcdef1");
        assert_eq!(
            ConnectionType::parse_for(AssetClass::Pipeline, made.as_str()),
            Ok(made.clone())
        );
        assert!(ConnectionType::parse(made.as_str()).is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "custom-connector-",
            "custom-connector-abcdef",
            "custom-connector-abcdef12",
            "custom-connector-abcdefg",
            "custom-etl-connector-abcdef1",
            " custom-connector-abcdef1",
        ] {
            assert!(ConnectionType::parse(text).is_err(), "{text}");
        }
    }
}
