//! Platforms: the systems and processors that an image is made for.

use std::fmt;

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

impl Platform {
    /// The platform that most images are made for.
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

    /// Whether what is made for this one runs on another; of 64-bit Arm processors there is only one kind.
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        let variant = |platform: &Self| match (platform.architecture.as_str(), &platform.variant) {
            ("arm64", Some(variant)) if variant == "v8" => None,
            (_, variant) => variant.clone(),
        };
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && variant(self) == variant(wanted)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_others_write_them() {
        let v7 = Platform {
            architecture: "arm".to_owned(),
            variant: Some("v7".to_owned()),
            ..Platform::linux_amd64()
        };
        assert_eq!(v7.to_string(), "linux/arm/v7");
        assert_eq!(Platform::linux_arm64().dashed(), "linux-arm64");
    }

    #[test]
    fn platforms_fit_or_do_not() {
        let v8 = Platform {
            variant: Some("v8".to_owned()),
            ..Platform::linux_arm64()
        };
        assert!(v8.fits(&Platform::linux_arm64()));
        assert!(!v8.fits(&Platform::linux_amd64()));
    }
}
