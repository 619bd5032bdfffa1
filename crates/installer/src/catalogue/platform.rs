//! The platforms drivers are built for.

use std::fmt;

/// An operating system and a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Linux with glibc on x86-64.
    LinuxX86_64,
    /// Linux with glibc on 64-bit ARM.
    LinuxAarch64,
    /// macOS on Intel.
    MacosX86_64,
    /// macOS on Apple silicon.
    MacosAarch64,
    /// Windows on x86-64.
    WindowsX86_64,
    /// Windows on 64-bit ARM.
    WindowsAarch64,
}

impl Platform {
    /// The platform this program runs on; `None` where no driver is built for it, as on Linux with musl.
    #[must_use]
    pub fn current() -> Option<Self> {
        if cfg!(target_env = "musl") {
            return None;
        }
        Some(match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Self::LinuxX86_64,
            ("linux", "aarch64") => Self::LinuxAarch64,
            ("macos", "x86_64") => Self::MacosX86_64,
            ("macos", "aarch64") => Self::MacosAarch64,
            ("windows", "x86_64") => Self::WindowsX86_64,
            ("windows", "aarch64") => Self::WindowsAarch64,
            _ => return None,
        })
    }

    /// The key a driver manifest has for it.
    #[must_use]
    pub fn manifest_key(self) -> &'static str {
        match self {
            Self::LinuxX86_64 => "linux_amd64",
            Self::LinuxAarch64 => "linux_arm64",
            Self::MacosX86_64 => "macos_amd64",
            Self::MacosAarch64 => "macos_arm64",
            Self::WindowsX86_64 => "windows_amd64",
            Self::WindowsAarch64 => "windows_arm64",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinuxX86_64 => "linux x86_64",
            Self::LinuxAarch64 => "linux aarch64",
            Self::MacosX86_64 => "macos x86_64",
            Self::MacosAarch64 => "macos aarch64",
            Self::WindowsX86_64 => "windows x86_64",
            Self::WindowsAarch64 => "windows aarch64",
        })
    }
}
