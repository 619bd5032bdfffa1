//! What a person should see while something is done.

use std::io;
use std::path::Path;

use bowline_conformance::{pipeline, warehouse};
use bowline_connector::EnvironmentEvent;
use bowline_connector::folder::Problem;
use bowline_contract::ConnectorName;
use bowline_contract::credentials::NearMiss;
use bowline_warehouse::MissingFile;
use bowline_words::Redactor;

use crate::grants::Grant;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A connector is about to be loaded.
    Loading {
        /// Its folder.
        dir: &'a Path,
    },
    /// Something in a connector's files is worth a word, and stops nothing.
    Advice(&'a Problem),
    /// The packages of a connector in Python are being installed.
    Environment(EnvironmentEvent<'a>),
    /// Credentials were read; what this hides must be shown nowhere from now on.
    Secrets(&'a Redactor),
    /// Others on this machine may read the credentials.
    OpenCredentials {
        /// The file.
        path: &'a Path,
    },
    /// A credential nearly has the name of one that the schema knows, and is given to nobody under it.
    OddCredential(&'a NearMiss),
    /// A credential of this name is given to nobody: no value of `connector.toml` names it.
    UnusedCredential(&'a str),
    /// There is no such database file, so that the driver makes an empty one, and another has nearly its name.
    NoSuchFile(&'a MissingFile),
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
    /// The suite runs as an account that has what a connector needs, without some of its rights.
    Proving {
        /// The rights that it lacks this time; none the first time.
        without: &'a [Grant],
        /// How many runs there were.
        done: usize,
        /// How many there will be.
        of: usize,
    },
    /// Something that was made could not be removed.
    LeftBehind {
        /// The statements that would remove it.
        statements: &'a [String],
    },
    /// The suite for warehouse connectors has come on.
    Warehouse(warehouse::Event<'a>),
    /// The suite for pipeline connectors has come on.
    Pipeline(pipeline::Event<'a>),
}
