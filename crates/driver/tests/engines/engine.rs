//! Opening the engines, and what the tests ask them.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_driver::{
    AdbcLibrary, Connection, Database, DriverKind, DriverSpec, Limits, ResultSet, SqlError, Value,
    open,
};
use bowline_installer::{InstallState, catalogue};
use bowline_servers::{needed, shared};

/// What a test cannot do without, or why it is not there.
pub(crate) type Needed<T> = Result<T, String>;

/// Runs a test with what it needs; without it the test fails in CI and says elsewhere that it did not run.
pub(crate) fn with<T>(found: Needed<T>, test: impl FnOnce(T)) {
    if let Some(found) = needed(found) {
        test(found);
    }
}

/// An installed ADBC driver with options.
pub(crate) fn adbc(name: &str, options: &[(&str, &str)]) -> Needed<DriverSpec> {
    let folder = bowline_installer::driver_folder().ok_or("there is no folder of drivers")?;
    let entry = catalogue::find(name).ok_or("the catalogue does not know the driver")?;
    if bowline_installer::install_state(entry, &folder) == InstallState::Missing {
        return Err(format!("the ADBC driver `{name}` is not installed"));
    }
    Ok(DriverSpec {
        options: options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..DriverSpec::new(DriverKind::Adbc {
            library: AdbcLibrary::Named(name.to_owned()),
            entrypoint: None,
        })
    })
}

pub(crate) fn duckdb() -> Needed<Arc<dyn Database>> {
    adbc("duckdb", &[("path", ":memory:")]).map(|spec| open(&spec).unwrap())
}

/// Makes what opens a database of PostgreSQL's from its URI.
pub(crate) type Way = fn(&str) -> Needed<DriverSpec>;

/// The ways to PostgreSQL that hold themselves to one book, with their names.
pub(crate) const WAYS_TO_POSTGRESQL: [(&str, Way); 2] = [
    ("postgresql", |uri| adbc("postgresql", &[("uri", uri)])),
    ("postgresql, compiled in", |uri| {
        Ok(compiled_in(&[("uri", uri)]))
    }),
];

/// PostgreSQL through the client that is compiled in.
pub(crate) fn compiled_in(options: &[(&str, &str)]) -> DriverSpec {
    DriverSpec {
        options: options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..DriverSpec::new(DriverKind::Postgres)
    }
}

/// The shared server's database, over each way to it.
pub(crate) fn every_postgresql() -> [(&'static str, Needed<Arc<dyn Database>>); 2] {
    WAYS_TO_POSTGRESQL.map(|(name, way)| {
        let uri = shared::postgres().map(|cluster| cluster.url("postgres"));
        let spec = uri.and_then(|uri| way(&uri));
        (name, spec.map(|spec| open(&spec).unwrap()))
    })
}

/// The shared server's database, over the client that is compiled in.
pub(crate) fn postgresql() -> Needed<Arc<dyn Database>> {
    let [_, (_, database)] = every_postgresql();
    database
}

pub(crate) fn sqlite() -> Arc<dyn Database> {
    let mut spec = DriverSpec::new(DriverKind::Sqlite);
    spec.options
        .insert("path".to_owned(), ":memory:".to_owned());
    open(&spec).unwrap()
}

/// Every engine there is, with its name.
pub(crate) fn every_engine() -> Vec<(&'static str, Needed<Arc<dyn Database>>)> {
    let mut engines = vec![
        ("sqlite", Ok(sqlite())),
        ("duckdb", duckdb()),
        ("postgresql through odbc", crate::odbc::postgresql()),
        ("mariadb", crate::odbc::mariadb()),
    ];
    engines.extend(every_postgresql());
    engines
}

pub(crate) fn run(connection: &mut dyn Connection, sql: &str) -> Result<ResultSet, SqlError> {
    connection.run(sql, &Limits::default())
}

/// Asks for one expression after the other and compares what comes back as people read it.
pub(crate) fn check_values(connection: &mut dyn Connection, cases: &[(&str, &str, &str)]) {
    for (expression, variant, text) in cases {
        let result = run(connection, &format!("SELECT {expression} AS x"))
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let value = result.scalar().unwrap();
        assert_eq!(
            (variant_name(value), value.to_string().as_str()),
            (*variant, *text),
            "{expression} came back as {value:?}"
        );
    }
}

fn variant_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "integer",
        Value::Float(_) => "float",
        Value::Decimal(_) => "decimal",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Timestamp(_) => "timestamp",
        Value::TimestampTz(_) => "instant",
        Value::Interval(_) => "interval",
        Value::List(_) => "list",
        Value::Struct(_) => "struct",
    }
}

/// A folder that is removed at the end.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}
