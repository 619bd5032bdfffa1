//! An ODBC database and its connections, behind the crate's traits.

use std::sync::{Arc, OnceLock};

use super::connection_string::connection_string;
use super::error::four_byte_text;
use super::handle::{DBMS_NAME, DBMS_VERSION, Environment, Link};
use super::running::Running;
use super::statement;
use crate::session::{Open, Run, Stopper, ThreadedConnection, one_by_one};
use crate::{Connection, Database, DriverSpec, SqlError};

/// Loads the driver manager and puts the connection string together. Nothing is connected yet.
///
/// # Errors
/// Kind `Driver` when the manager is not there or the options make no connection string.
pub(crate) fn open(spec: &DriverSpec, driver: Option<&str>) -> Result<Arc<dyn Database>, SqlError> {
    let named = spec
        .options
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("driver"))
        .map(|(_, value)| value.trim_matches(['{', '}']).to_owned());
    Ok(Arc::new(OdbcDatabase {
        spec: spec.clone(),
        shared: Arc::new(Shared {
            connection_string: connection_string(driver, &spec.directory, &spec.options)?,
            driver: driver.map(str::to_owned).or(named),
            environment: Arc::new(Environment::new()?),
            limit: spec.connect_timeout,
            product: OnceLock::new(),
        }),
    }))
}

struct OdbcDatabase {
    spec: DriverSpec,
    shared: Arc<Shared>,
}

/// What all connections of a database share.
struct Shared {
    connection_string: String,
    /// The driver's name, where the options say it.
    driver: Option<String>,
    environment: Arc<Environment>,
    limit: std::time::Duration,
    product: OnceLock<String>,
}

impl Shared {
    fn connect(&self, stopper: &Stopper) -> Result<Run, SqlError> {
        let link = Link::open(&self.environment, &self.connection_string, self.limit).map_err(
            |failure| failure.reaching(self.driver.as_deref(), &self.environment.drivers()),
        )?;
        if link.has_four_byte_text() {
            return Err(four_byte_text());
        }
        self.product.get_or_init(|| product(&link));
        let running = Arc::new(Running::default());
        let stop = Arc::clone(&running);
        stopper.running(Arc::new(move || stop.stop()));
        Ok(one_by_one(move |sql, limits| {
            statement::run(&link, sql, limits, &running)
        }))
    }
}

/// The server as it names itself, such as `MariaDB 10.11.6`.
fn product(link: &Link) -> String {
    let name = link.info(DBMS_NAME).unwrap_or_else(|| "ODBC".to_owned());
    match link.info(DBMS_VERSION) {
        Some(version) if !version.is_empty() => {
            let version = plain_version(&version);
            // psqlODBC fills a place that PostgreSQL's versions no longer have: 15.0.18 is 15.18.
            let version = match version.split_once(".0.") {
                Some((major, minor)) if name == "PostgreSQL" => format!("{major}.{minor}"),
                _ => version,
            };
            format!("{name} {version}")
        }
        _ => name,
    }
}

/// ODBC pads the parts of a version with zeros: `10.11.000006` is 10.11.6.
fn plain_version(version: &str) -> String {
    let parts = version.split('.').map(|part| {
        let digits = part.trim_start_matches('0');
        if digits.starts_with(|c: char| c.is_ascii_digit()) || part.is_empty() {
            digits
        } else {
            part.get(part.len().saturating_sub(digits.len() + 1)..)
                .unwrap_or(part)
        }
    });
    parts.collect::<Vec<_>>().join(".")
}

impl Database for OdbcDatabase {
    fn product(&self) -> String {
        let known = self.shared.product.get().or(self.shared.driver.as_ref());
        known.map_or_else(|| "ODBC".to_owned(), Clone::clone)
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let shared = Arc::clone(&self.shared);
        let open: Open = Arc::new(move |stopper| shared.connect(stopper));
        let (limit, redactor) = (self.spec.connect_timeout, &self.spec.redactor);
        Ok(Box::new(ThreadedConnection::open(open, limit, redactor)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_people_do() {
        assert_eq!(plain_version("10.11.000006"), "10.11.6");
        assert_eq!(plain_version("15.0.18"), "15.0.18");
        assert_eq!(plain_version("03.41.2000-x"), "3.41.2000-x");
        assert_eq!(plain_version("08.00.0-beta"), "8.0.0-beta");
    }
}
