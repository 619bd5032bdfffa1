//! The platforms that agent images can be made for.

use bowline_oci::Platform;
use bowline_words::nearest::hint_or;
use bowline_words::{Diagnose, Diagnostic};

const KNOWN: [&str; 2] = ["linux/amd64", "linux/arm64"];

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

/// Reads `linux/amd64` or `linux/arm64`; `v8` may follow the latter and says nothing new.
///
/// # Errors
/// When it is neither.
pub fn agent_platform(text: &str) -> Result<Platform, PlatformError> {
    match text {
        "linux/amd64" => Ok(Platform::linux_amd64()),
        "linux/arm64" | "linux/arm64/v8" => Ok(Platform::linux_arm64()),
        _ => Err(PlatformError {
            text: text.to_owned(),
            hint: hint_or(text, KNOWN, || {
                format!("there are `{}` and `{}`", KNOWN[0], KNOWN[1])
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in KNOWN {
            assert_eq!(agent_platform(name).unwrap().to_string(), name);
        }
        assert_eq!(
            agent_platform("linux/arm64/v8"),
            Ok(Platform::linux_arm64())
        );
    }

    #[test]
    fn an_unknown_one_gets_the_nearest() {
        let error = agent_platform("linux/amd46").unwrap_err();
        assert_eq!(
            error.diagnose().to_string(),
            "unknown platform: `linux/amd46`\nhint: did you mean `linux/amd64`?"
        );
        assert!(agent_platform("windows").is_err());
    }
}
