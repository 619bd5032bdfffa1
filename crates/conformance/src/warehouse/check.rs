//! What a check is.

use std::fmt;
use std::sync::Arc;

use bowline_contract::{Capability, Metric, SuiteSection, Template};

use crate::Tier;

/// A check's name: its section, a slash and a short name, such as `ql_metrics/avg`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckId(Arc<str>);

impl CheckId {
    /// Names a check.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What there is to know about a check before it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its name.
    pub id: CheckId,
    /// The suite's section it stands in.
    pub section: SuiteSection,
    /// One line on what it asks.
    pub title: String,
    /// The templates its answer speaks about.
    pub judges: Vec<&'static Template>,
    /// The metrics whose number it is. Such a check speaks about templates only when it is wrong.
    pub metrics: Vec<&'static Metric>,
    /// The capabilities that hang on it.
    pub carries: Vec<Capability>,
    /// The tier it belongs to.
    pub tier: Tier,
}
