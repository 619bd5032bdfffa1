//! The engines that mutants run on: a right connector for each, over a database of its own for each job.

use std::path::Path;
use std::sync::Arc;

use bowline_conformance::warehouse::Subject;
use bowline_connector::{Credentials, Workspace};
use bowline_contract::ConnectorName;
use bowline_driver::Limits;
use bowline_installer::{InstallState, catalogue};
use bowline_servers::shared;
use bowline_warehouse::Scaffold;
use bowline_warehouse::dialect::Pack;
use serde_json::{Value as Json, json};

use crate::Failure;

/// A few tables that every engine understands, so that a catalogue has something to say; `@` is the quote around names.
const SHOP: &[&str] = &[
    "CREATE TABLE customers (id INTEGER, name VARCHAR(40))",
    "INSERT INTO customers VALUES (1, 'Ada'), (2, NULL)",
    "CREATE TABLE orders (id INTEGER, customer INTEGER)",
    "CREATE TABLE items (id INTEGER)",
    "CREATE VIEW named AS SELECT id FROM customers WHERE name IS NOT NULL",
    "CREATE TABLE @It's 100% -- (odd); \\n.name@ (@Mixed Case@ INTEGER, @per-cent %_@ VARCHAR(10))",
    "INSERT INTO @It's 100% -- (odd); \\n.name@ VALUES (1, 'a')",
    "CREATE TABLE @Customers_of_a_name_that_is_longer_than_thirty_letters@ (id INTEGER)",
];

/// An engine, by its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    DuckDb,
    Postgres,
    MariaDb,
    Sqlite,
}

impl Engine {
    pub(crate) const ALL: [Self; 4] = [Self::DuckDb, Self::Postgres, Self::MariaDb, Self::Sqlite];

    /// The pack's name.
    pub(crate) fn pack(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }

    /// Whether it can be had on this machine.
    pub(crate) fn is_here(self) -> Result<(), String> {
        match self {
            Self::Sqlite => Ok(()),
            Self::DuckDb => is_installed("duckdb"),
            Self::Postgres => {
                is_installed("postgresql").and_then(|()| shared::postgres().map(drop))
            }
            Self::MariaDb => shared::mariadb(|_| ()),
        }
    }

    /// What stands around names.
    fn quote(self) -> &'static str {
        match self {
            Self::MariaDb => "`",
            Self::DuckDb | Self::Postgres | Self::Sqlite => "\"",
        }
    }

    /// A connector as the pack scaffolds it, over a small shop.
    pub(crate) fn subject(self, root: &Path, job: usize) -> Result<Subject, Failure> {
        // Several programs may share a server.
        let name = format!("mutants_{}_{job}", std::process::id());
        let connect_args = match self {
            Self::DuckDb | Self::Sqlite => json!({ "path": root.join("shop.db") }),
            Self::Postgres => {
                let cluster = shared::postgres()?;
                cluster
                    .create_database(&name, &name, "secret")
                    .map_err(|error| error.to_string())?;
                server(cluster.port(), &name)
            }
            Self::MariaDb => {
                let port = shared::mariadb(|server| {
                    let made = server.create_database(&name, &name, "secret");
                    made.map(|()| server.port())
                })?;
                server(port.map_err(|error| error.to_string())?, &name)
            }
        };
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let name = ConnectorName::parse(self.pack()).map_err(|error| words(&error))?;
        let scaffold = Scaffold::plan(name, Pack::find(self.pack()).cloned(), None)
            .map_err(|error| words(&error))?;
        let made = scaffold
            .write(&Workspace::at(root))
            .map_err(|error| words(&error))?;
        let connector = made.connector;
        let arguments = connect_args.as_object().cloned().unwrap_or_default();
        let credentials = Credentials::of_connect_args(arguments);
        let database = connector
            .open(&credentials, &bowline_driver::Limits::default())
            .map_err(|error| words(&error))?;
        let mut connection = database.connect().map_err(|error| words(&error))?;
        for statement in SHOP {
            connection
                .run(&statement.replace('@', self.quote()), &Limits::default())
                .map_err(|error| words(&error))?;
        }
        let functional = connector
            .functional_target(&credentials)
            .map_err(|error| words(&error))?;
        Ok(Subject {
            functional,
            templates: Arc::new(connector.templates),
            database,
        })
    }
}

/// Whether an ADBC driver is installed.
fn is_installed(driver: &str) -> Result<(), String> {
    let folder = bowline_installer::driver_folder().ok_or("there is no folder of drivers")?;
    let entry = catalogue::find(driver).ok_or("the catalogue does not know the driver")?;
    if bowline_installer::install_state(entry, &folder) == InstallState::Missing {
        return Err(format!("the ADBC driver `{driver}` is not installed"));
    }
    Ok(())
}

fn server(port: u16, name: &str) -> Json {
    json!({ "host": "127.0.0.1", "port": port, "database": name, "user": name, "password": "secret" })
}
