//! The drivers that can be installed: where each comes from, and what its options mean.

/// A driver that can be installed.
#[derive(Debug)]
pub struct CatalogueEntry {
    /// The name it is installed and loaded under, such as `duckdb`.
    pub name: &'static str,
    /// The library's entry point.
    pub entrypoint: &'static str,
}

/// Every driver that can be installed, by name.
#[must_use]
pub fn catalogue() -> &'static [CatalogueEntry] {
    &[]
}

/// The entry with exactly this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| entry.name == name)
}
