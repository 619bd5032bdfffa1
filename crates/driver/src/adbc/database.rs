//! An ADBC database and its connections, behind the crate's traits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use adbc_core::options::{InfoCode, OptionConnection, OptionDatabase, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Statement as _};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedDriver};

use super::arrow::{self, Vendor};
use super::error::{Stage, from_adbc};
use super::{library, paths, statement};
use crate::session::{Open, Run, Stopper, ThreadedConnection, one_by_one};
use crate::{AdbcLibrary, Connection, Database, DriverSpec, SqlError, Value};

/// Options that belong to each connection, not to the database.
const CONNECTION_OPTIONS: &str = "adbc.connection.";

/// Options that belong to each statement.
const STATEMENT_OPTIONS: [&str; 2] = [statement::USE_COPY, "adbc.postgresql.batch_size_hint_bytes"];

/// DuckDB's setting for passing on every type as it is.
const LOSSLESS: &str = "arrow_lossless_conversion";

/// Loads a driver. Nothing is connected yet.
///
/// # Errors
/// Kind `Driver` when the library cannot be found or loaded.
pub(crate) fn open(
    spec: &DriverSpec,
    library: &AdbcLibrary,
    entrypoint: Option<&str>,
) -> Result<Arc<dyn Database>, SqlError> {
    let driver = library::load(library, entrypoint)?;
    Ok(Arc::new(AdbcDatabase {
        shared: Arc::new(Shared {
            driver,
            name: match library {
                AdbcLibrary::Named(name) => name.clone(),
                AdbcLibrary::File(path) => path.display().to_string(),
            },
            options: paths::options(&spec.directory, library, &spec.options),
            spec: spec.clone(),
            opened: Mutex::new(None),
            about: OnceLock::new(),
        }),
    }))
}

struct AdbcDatabase {
    shared: Arc<Shared>,
}

/// What all connections of a database share.
struct Shared {
    driver: ManagedDriver,
    name: String,
    /// The driver's options, with whole paths.
    options: BTreeMap<String, String>,
    spec: DriverSpec,
    opened: Mutex<Option<ManagedDatabase>>,
    about: OnceLock<About>,
}

/// What is on the other end, learnt on the first connection.
struct About {
    product: String,
    vendor: Vendor,
}

impl Shared {
    fn connect(&self, stopper: &Arc<Stopper>) -> Result<Run, SqlError> {
        let (statement_options, rest): (Vec<_>, Vec<_>) = self
            .options
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .partition(|(key, _)| STATEMENT_OPTIONS.contains(&key.as_str()));
        let (connection_options, database_options): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|(key, _)| key.starts_with(CONNECTION_OPTIONS));
        let database = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            match &*opened {
                Some(database) => database.clone(),
                None => {
                    let options = database_options.iter().map(|(key, value)| {
                        let key = OptionDatabase::from(key.as_str());
                        (key, OptionValue::from(value.as_str()))
                    });
                    let database = self.driver.clone().new_database_with_opts(options);
                    opened.insert(database.map_err(connecting)?).clone()
                }
            }
        };
        let options = connection_options.iter().map(|(key, value)| {
            let key = OptionConnection::from(key.as_str());
            (key, OptionValue::from(value.as_str()))
        });
        let mut connection = database
            .new_connection_with_opts(options)
            .map_err(connecting)?;
        let vendor = self.greet(&mut connection)?;
        let handle = connection.get_cancel_handle();
        stopper.opened(Arc::new(move || handle.try_cancel().is_ok()));
        let stopper = Arc::clone(stopper);
        Ok(one_by_one(move |sql, limits| {
            let connection = &mut connection;
            statement::run(
                connection,
                sql,
                limits,
                vendor,
                &statement_options,
                &stopper,
            )
        }))
    }
}

impl Shared {
    /// Learns what is on the other end, once, and sets what only it needs.
    fn greet(&self, connection: &mut ManagedConnection) -> Result<Vendor, SqlError> {
        if let Some(about) = self.about.get() {
            return Ok(about.vendor);
        }
        let about = About::of(connection, &self.name);
        // Without it DuckDB passes off bit strings as bytes and drops the zone of times.
        if about.vendor == Vendor::DuckDb && !self.options.contains_key(LOSSLESS) {
            let mut statement = connection.new_statement().map_err(connecting)?;
            statement
                .set_sql_query(format!("SET GLOBAL {LOSSLESS} = true"))
                .map_err(connecting)?;
            statement.execute_update().map_err(connecting)?;
        }
        Ok(self.about.get_or_init(|| about).vendor)
    }
}

fn connecting(error: adbc_core::error::Error) -> SqlError {
    from_adbc(&error, Stage::Connect)
}

impl About {
    /// Asks the driver, which knows without asking the server as a rule.
    fn of(connection: &ManagedConnection, driver: &str) -> Self {
        let codes = [InfoCode::VendorName, InfoCode::VendorVersion];
        let mut found = [None, None];
        if let Ok(batches) = connection.get_info(Some(codes.into())) {
            for batch in batches.flatten() {
                let schema = batch.schema();
                for row in 0..batch.num_rows() {
                    let cell = |column: usize| {
                        let field = schema.field(column);
                        arrow::value(batch.column(column), row, field, Vendor::Other)
                    };
                    if let (Ok(Value::Integer(code)), Ok(Value::Text(text))) = (cell(0), cell(1))
                        && let Ok(code) = usize::try_from(code)
                        && let Some(place) = found.get_mut(code)
                    {
                        *place = Some(text);
                    }
                }
            }
        }
        let [name, version] = found;
        let name = name.unwrap_or_else(|| driver.to_owned());
        let (name, vendor) = match name.to_lowercase().as_str() {
            "duckdb" => ("DuckDB".to_owned(), Vendor::DuckDb),
            "postgresql" => ("PostgreSQL".to_owned(), Vendor::PostgreSql),
            _ => (name, Vendor::Other),
        };
        Self {
            product: match version {
                Some(version) if vendor == Vendor::PostgreSql => {
                    format!("{name} {}", postgres_version(&version))
                }
                Some(version) => format!("{name} {version}"),
                None => name,
            },
            vendor,
        }
    }
}

/// PostgreSQL's driver gives the version as a number: 150018 is 15.18.
fn postgres_version(version: &str) -> String {
    match version.parse::<u32>() {
        Ok(number) if number >= 100_000 => format!("{}.{}", number / 10_000, number % 10_000),
        _ => version.to_owned(),
    }
}

impl Database for AdbcDatabase {
    fn product(&self) -> String {
        let about = self.shared.about.get();
        about.map_or_else(|| self.shared.name.clone(), |about| about.product.clone())
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let shared = Arc::clone(&self.shared);
        let open: Open = Arc::new(move |stopper| shared.connect(stopper));
        let spec = &self.shared.spec;
        let connection = ThreadedConnection::open(open, spec.connect_timeout, &spec.redactor)?;
        Ok(Box::new(connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_versions_are_written_as_people_do() {
        assert_eq!(postgres_version("150018"), "15.18");
        assert_eq!(postgres_version("16.2 (fork)"), "16.2 (fork)");
    }
}
