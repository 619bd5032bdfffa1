//! A connector in memory, read from its folder.

mod load;
mod open;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bowline_contract::{ConnectorName, SourceManifest, Template};
use bowline_driver::DriverKind;
use toml::Spanned;

use crate::dialect::Pack;
use crate::folder::FunctionalSection;
use crate::template::TemplateSet;

pub use open::{FunctionalTarget, OpenError};

/// A declarative connector: everything its folder says, checked and compiled.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its name.
    pub name: ConnectorName,
    /// Its folder.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: SourceManifest,
    /// The dialect pack it extends, if any.
    pub dialect: Option<&'static Pack>,
    /// How to reach the database.
    pub driver: Driver,
    /// Its templates: the pack's, and its own over them.
    pub templates: TemplateSet,
    /// Templates the pack has and the connector says are not implemented.
    pub dropped: Vec<&'static Template>,
    pub(crate) functional: Option<FunctionalSection>,
}

/// How a connector reaches its database. Texts are Jinja over the connect_args of credentials.json.
#[derive(Debug, Clone)]
pub struct Driver {
    /// The driver.
    pub kind: DriverKind,
    pub(crate) options: BTreeMap<String, Spanned<String>>,
    pub(crate) init: Vec<Spanned<String>>,
}
