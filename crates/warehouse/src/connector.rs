//! A connector in memory, read from its folder.

mod given;
mod load;
mod open;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bowline_connector::folder::Problem;
use bowline_contract::{ConnectorName, SourceManifest, Template, layout};
use bowline_driver::{DriverKind, Observer};
use bowline_protocol::OutsideCode;
use toml::Spanned;

use crate::dialect::Pack;
use crate::folder::FunctionalSection;
use crate::template::TemplateSet;

pub use open::{FunctionalTarget, MissingFile, OpenError};

/// A connector: everything its folder says, checked and compiled.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its name.
    pub name: ConnectorName,
    /// Its folder.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: SourceManifest,
    /// The dialect pack it extends, if any.
    pub dialect: Option<Arc<Pack>>,
    /// How to reach the database.
    pub driver: Driver,
    /// Its templates: the pack's, and its own over them.
    pub templates: TemplateSet,
    /// Templates of which its own files say that it has none.
    pub dropped: Vec<&'static Template>,
    /// What its process said of the code it loads, as [`InitializeResult::outside`](bowline_protocol::InitializeResult).
    pub outside: OutsideCode,
    /// What is worth a word in its code, and stops nothing.
    pub advices: Vec<Problem>,
    pub(crate) functional: Option<Functional>,
    /// Who hears of the statements that its databases are asked.
    pub observer: Option<Observer>,
}

impl Connector {
    /// Whether it says where functional checks may create their table.
    #[must_use]
    pub fn has_functional_place(&self) -> bool {
        self.functional.is_some()
    }

    /// Whether its templates are methods of a `connector.py`.
    #[must_use]
    pub fn is_in_python(&self) -> bool {
        self.dir.join(layout::PYTHON_FILE).is_file()
            && !self.dir.join(layout::CONNECTOR_FILE).exists()
    }

    /// The file in which templates of its own stand, or would.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        if self.is_in_python() {
            self.dir.join(layout::PYTHON_FILE)
        } else {
            self.dir.join(layout::TEMPLATES_FILE)
        }
    }
}

/// Where functional checks may create their table.
#[derive(Debug, Clone)]
pub(crate) enum Functional {
    /// As `connector.toml` says: Jinja over the connect_args.
    Declared(FunctionalSection),
    /// As the connector's own code says.
    Given(FunctionalTarget),
}

/// How a connector reaches its database. Texts are Jinja over the connect_args of credentials.json.
#[derive(Debug, Clone)]
pub struct Driver {
    /// The driver.
    pub kind: DriverKind,
    pub(crate) options: BTreeMap<String, Spanned<String>>,
    pub(crate) init: Vec<Spanned<String>>,
}

impl Driver {
    /// Whether `connector.toml` gives it options.
    #[must_use]
    pub fn has_options(&self) -> bool {
        !self.options.is_empty()
    }

    /// A driver that needs neither options nor statements.
    pub(crate) fn plain(kind: DriverKind) -> Self {
        Self {
            kind,
            options: BTreeMap::new(),
            init: Vec::new(),
        }
    }
}
