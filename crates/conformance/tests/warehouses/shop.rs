//! Connectors as the packs scaffold them, each over a database with a small shop.

use std::sync::Arc;
use std::time::Duration;

use bowline_conformance::warehouse::{Options, Subject};
use bowline_connector::{Credentials, Workspace};
use bowline_contract::{ConnectorName, Template};
use bowline_driver::Limits;
use bowline_installer::{InstallState, catalogue};
use bowline_servers::{needed, shared};
use bowline_template::CompiledTemplate;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{ConnectorTemplate, Origin};
use bowline_warehouse::{Connector, Scaffold};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A few tables that every engine understands.
const SHOP: [&str; 5] = [
    "CREATE TABLE customers (id INTEGER, name VARCHAR(40))",
    "INSERT INTO customers VALUES (1, 'Ada'), (2, NULL)",
    "CREATE TABLE orders (id INTEGER, customer INTEGER)",
    "CREATE TABLE items (id INTEGER)",
    "CREATE VIEW named AS SELECT id FROM customers WHERE name IS NOT NULL",
];

/// A connector, and the folder that lasts as long.
pub(crate) struct Shop {
    pub(crate) subject: Subject,
    _folder: TempDir,
}

impl Shop {
    /// The names of what the suite made and left in an SQLite database.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut connection = self.subject.database.connect().unwrap();
        let names = "SELECT name FROM sqlite_master WHERE lower(name) LIKE '%bowline%'";
        let left = connection.run(names, &Limits::default()).unwrap();
        left.rows.iter().map(|row| row[0].to_string()).collect()
    }
}

/// Options that do not wait long for what never comes.
pub(crate) fn options() -> Options {
    Options {
        patience: Duration::from_millis(300),
        ..Options::default()
    }
}

fn shop(folder: TempDir, pack: &str, connect_args: Json) -> Shop {
    let name = ConnectorName::parse(pack).unwrap();
    let scaffold = Scaffold::plan(name, Pack::find(pack).cloned(), None).unwrap();
    let made = scaffold.write(&Workspace::at(folder.path())).unwrap();
    let connector: Connector = made.connector;
    let credentials = Credentials::of_connect_args(connect_args.as_object().unwrap().clone());
    let database = connector.open(&credentials, &Limits::default()).unwrap();
    let mut connection = database.connect().unwrap();
    for statement in SHOP {
        connection.run(statement, &Limits::default()).unwrap();
    }
    let subject = Subject {
        functional: connector.functional_target(&credentials).unwrap(),
        templates: Arc::new(connector.templates),
        database,
    };
    Shop {
        subject,
        _folder: folder,
    }
}

/// In a file.
fn embedded(pack: &str) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    shop(folder, pack, json!({ "path": path }))
}

/// On a server of this machine.
fn served(pack: &str, host: &str, port: u16, database: &str) -> Shop {
    let args = json!({
        "host": host, "port": port, "database": database, "user": database, "password": "secret",
    });
    shop(tempfile::tempdir().unwrap(), pack, args)
}

pub(crate) fn sqlite() -> Shop {
    embedded("sqlite")
}

pub(crate) fn duckdb() -> Option<Shop> {
    needed(installed("duckdb")).map(|()| embedded("duckdb"))
}

/// The database and its user have this name.
pub(crate) fn postgres(name: &str) -> Option<Shop> {
    let cluster = needed(installed("postgresql").and_then(|()| shared::postgres()))?;
    cluster.create_database(name, name, "secret").unwrap();
    Some(served("postgres", cluster.host(), cluster.port(), name))
}

/// The database and its user have this name.
pub(crate) fn mariadb(name: &str) -> Option<Shop> {
    let port = shared::mariadb(|server| {
        server.create_database(name, name, "secret").unwrap();
        server.port()
    });
    Some(served("mariadb", "127.0.0.1", needed(port)?, name))
}

/// Another text for one template of a connector.
pub(crate) fn spelled(subject: &Subject, name: &'static str, text: &str) -> Subject {
    let template = Template::known(name);
    let mut templates = (*subject.templates).clone();
    templates.insert(ConnectorTemplate {
        template,
        text: text.to_owned(),
        origin: Origin::Composed,
        compiled: CompiledTemplate::compile(name, text).unwrap(),
    });
    Subject {
        templates: Arc::new(templates),
        ..subject.clone()
    }
}

/// Whether an ADBC driver is installed.
fn installed(driver: &str) -> Result<(), String> {
    let folder = bowline_installer::driver_folder().ok_or("there is no folder of drivers")?;
    let entry = catalogue::find(driver).ok_or("the catalogue does not know the driver")?;
    if bowline_installer::install_state(entry, &folder) == InstallState::Missing {
        return Err(format!("the ADBC driver `{driver}` is not installed"));
    }
    Ok(())
}
