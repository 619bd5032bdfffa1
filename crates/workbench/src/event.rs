//! What a person should see while something is done.

use std::io;
use std::path::Path;

use bowline_conformance::{pipeline, warehouse};
use bowline_connector::EnvironmentEvent;
use bowline_contract::ConnectorName;
use bowline_words::Redactor;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A connector is about to be loaded.
    Loading {
        /// Its folder.
        dir: &'a Path,
    },
    /// The packages of a connector in Python are being installed.
    Environment(EnvironmentEvent<'a>),
    /// Credentials were read; what this hides must be shown nowhere from now on.
    Secrets(&'a Redactor),
    /// Another run uses the connector's test table, and is waited for.
    Waiting {
        /// The connector.
        connector: &'a ConnectorName,
    },
    /// Other runs cannot be waited for; this one goes on as if alone.
    Alone {
        /// Why.
        reason: &'a io::Error,
    },
    /// The suite is about to connect.
    Connecting {
        /// The connector.
        connector: &'a ConnectorName,
    },
    /// The suite for warehouse connectors has come on.
    Warehouse(warehouse::Event<'a>),
    /// The suite for pipeline connectors has come on.
    Pipeline(pipeline::Event<'a>),
}
