//! Platforms: the systems and processors that an image is made for.

use std::fmt;
use std::str::FromStr;

use bowline_words::nearest::hint_or;
use bowline_words::{Diagnose, Diagnostic};
use serde::{Deserialize, Serialize};

/// An operating system and a processor, in the words of the OCI image specification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor, such as `amd64` or `arm64`.
    pub architecture: String,
    /// What kind of that processor, such as `v7`, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The platforms that agent images can be made for.
const KNOWN: [&str; 2] = ["linux/amd64", "linux/arm64"];

impl Platform {
    /// The platform that images are made for when none is named.
    #[must_use]
    pub fn linux_amd64() -> Self {
        Self {
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            variant: None,
        }
    }

    /// The platform with 64-bit Arm processors.
    #[must_use]
    pub fn linux_arm64() -> Self {
        Self {
            architecture: "arm64".to_owned(),
            ..Self::linux_amd64()
        }
    }

    /// The platform that this program runs on, in these words.
    #[must_use]
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self {
            os: std::env::consts::OS.to_owned(),
            architecture: architecture.to_owned(),
            variant: None,
        }
    }

    /// Its name where a `/` does not do, such as `linux-amd64`.
    #[must_use]
    pub fn dashed(&self) -> String {
        self.to_string().replace('/', "-")
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// A text that names no platform an agent image can be made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown platform: `{text}`")]
pub struct PlatformError {
    /// What was given.
    pub text: String,
    /// The nearest that there is, or all.
    pub hint: String,
}

impl Diagnose for PlatformError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `linux/amd64` or `linux/arm64`; `v8` may follow the latter and says nothing new.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        match text {
            "linux/amd64" => Ok(Self::linux_amd64()),
            "linux/arm64" | "linux/arm64/v8" => Ok(Self::linux_arm64()),
            _ => Err(PlatformError {
                text: text.to_owned(),
                hint: hint_or(text, KNOWN, || {
                    format!("there are `{}` and `{}`", KNOWN[0], KNOWN[1])
                }),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in KNOWN {
            assert_eq!(name.parse::<Platform>().unwrap().to_string(), name);
        }
        assert_eq!("linux/arm64/v8".parse(), Ok(Platform::linux_arm64()));
        assert_eq!(Platform::linux_arm64().dashed(), "linux-arm64");
    }

    #[test]
    fn an_unknown_one_gets_the_nearest() {
        let error = "linux/amd46".parse::<Platform>().unwrap_err();
        assert_eq!(
            error.diagnose().to_string(),
            "unknown platform: `linux/amd46`\nhint: did you mean `linux/amd64`?"
        );
        assert!("windows".parse::<Platform>().is_err());
    }
}
