//! The drivers that can be installed: where each comes from, and what its options mean.
//!
//! A driver is an entry here and its builds in `builds.rs`; no code knows any of them by name.

mod builds;
mod entries;
mod platform;

pub use platform::Platform;

/// A driver that can be installed.
#[derive(Debug)]
pub struct CatalogueEntry {
    /// The name it is installed and loaded under, such as `duckdb`.
    pub name: &'static str,
    /// What it reaches, such as `DuckDB`.
    pub title: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// Which package client fetches it.
    pub source: PackageSource,
    /// Its licence, as SPDX writes it.
    pub license: &'static str,
    /// The library's entry point.
    pub entrypoint: &'static str,
    /// Its most useful options, the required ones first.
    pub options: &'static [DriverOption],
    /// The builds there are, one for each platform.
    pub builds: &'static [Build],
}

/// Where a driver's packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageSource {
    /// Fetched with `pip download`.
    PyPi,
    /// Fetched with `npm pack`.
    Npm,
}

impl PackageSource {
    /// The client that fetches such packages, as people call it.
    #[must_use]
    pub fn client(self) -> &'static str {
        match self {
            Self::PyPi => "pip",
            Self::Npm => "npm",
        }
    }
}

/// An option of a driver, set under `[driver.options]` of a connector.
#[derive(Debug)]
pub struct DriverOption {
    /// Its name, as the driver knows it.
    pub name: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Whether a connection needs it.
    pub need: Need,
    /// What to write, with credentials in braces: `{{ password }}`.
    pub example: &'static str,
}

/// How much a connection needs an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing works without it.
    Required,
    /// It may be left out.
    Optional,
}

/// One build of a driver: a package, and the library inside it.
#[derive(Debug)]
pub struct Build {
    /// The platform it runs on.
    pub platform: Platform,
    /// The package's name.
    pub package: &'static str,
    /// The package's version.
    pub version: &'static str,
    /// The archive's file name.
    pub file: &'static str,
    /// The archive's SHA-256, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The archive's size.
    pub bytes: u64,
    /// The shared library's path inside the archive.
    pub library: &'static str,
}

impl Build {
    /// The package's address as bills of materials write it.
    #[must_use]
    pub fn purl(&self, source: PackageSource) -> String {
        let (index, package) = match source {
            PackageSource::PyPi => ("pypi", self.package.to_owned()),
            PackageSource::Npm => ("npm", self.package.replace('@', "%40")),
        };
        format!("pkg:{index}/{package}@{}", self.version)
    }
}

impl CatalogueEntry {
    /// The build for a platform, if there is one.
    #[must_use]
    pub fn build(&self, platform: Platform) -> Option<&'static Build> {
        self.builds.iter().find(|build| build.platform == platform)
    }
}

/// Every driver that can be installed, the embedded ones first.
#[must_use]
pub fn catalogue() -> &'static [CatalogueEntry] {
    entries::ENTRIES
}

/// The entry with exactly this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_can_be_fetched_checked_and_unpacked() {
        for entry in catalogue() {
            assert!(!entry.builds.is_empty(), "{}", entry.name);
            // What was proven on one platform ships for another.
            assert!(
                entry
                    .builds
                    .iter()
                    .all(|build| build.version == entry.builds[0].version),
                "{}",
                entry.name
            );
            for (position, build) in entry.builds.iter().enumerate() {
                let earlier = &entry.builds[..position];
                assert!(earlier.iter().all(|other| other.platform != build.platform));
                let suffix = match entry.source {
                    PackageSource::PyPi => ".whl",
                    PackageSource::Npm => ".tgz",
                };
                assert!(build.file.ends_with(suffix), "{}", build.file);
                assert!(build.file.contains(build.version), "{}", build.file);
                assert_eq!(build.sha256.len(), 64, "{}", build.file);
                assert!(
                    build
                        .sha256
                        .bytes()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                );
                assert!(!build.library.contains(".."), "{}", build.library);
            }
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for entry in catalogue() {
            assert!(std::ptr::eq(find(entry.name).unwrap(), entry));
        }
        assert!(find("oracel").is_none());
    }

    #[test]
    fn required_options_come_first() {
        for entry in catalogue() {
            let required = |option: &DriverOption| option.need == Need::Required;
            assert!(
                entry.options.is_sorted_by_key(|option| !required(option)),
                "{}",
                entry.name
            );
        }
    }
}
