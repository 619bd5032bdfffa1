//! The servers that all tests of one program share: the first that asks starts them.
//!
//! They notice the end of the program; [`stop`] takes them down before.

use std::sync::{LazyLock, Mutex};

use crate::{Cluster, Firebird, MariaDb, Postgres};

/// Names a PostgreSQL server to take instead of one started here, by its superuser's URL.
const POSTGRES_VARIABLE: &str = "BOWLINE_TEST_POSTGRES";

static POSTGRES: Mutex<Option<Postgres>> = Mutex::new(None);

static CLUSTER: LazyLock<Result<Cluster, String>> = LazyLock::new(|| {
    if let Ok(url) = std::env::var(POSTGRES_VARIABLE) {
        return Cluster::at(&url).map_err(|error| error.to_string());
    }
    let server = Postgres::start().map_err(|error| error.to_string())?;
    let cluster = server.cluster().clone();
    *POSTGRES.lock().map_err(|error| error.to_string())? = Some(server);
    Ok(cluster)
});

static MARIADB: Mutex<Option<Result<MariaDb, String>>> = Mutex::new(None);

static FIREBIRD: Mutex<Option<Result<Firebird, String>>> = Mutex::new(None);

/// The PostgreSQL server.
///
/// # Errors
/// Why there is none.
pub fn postgres() -> Result<&'static Cluster, String> {
    CLUSTER.as_ref().map_err(Clone::clone)
}

/// Does something with the MariaDB server.
///
/// # Errors
/// Why there is none.
pub fn mariadb<T>(with: impl FnOnce(&MariaDb) -> T) -> Result<T, String> {
    let mut server = MARIADB.lock().map_err(|error| error.to_string())?;
    let server = server.get_or_insert_with(|| MariaDb::start().map_err(|error| error.to_string()));
    server.as_ref().map(with).map_err(Clone::clone)
}

/// Does something with the Firebird server.
///
/// # Errors
/// Why there is none.
pub fn firebird<T>(with: impl FnOnce(&Firebird) -> T) -> Result<T, String> {
    let mut server = FIREBIRD.lock().map_err(|error| error.to_string())?;
    let server = server.get_or_insert_with(|| Firebird::start().map_err(|error| error.to_string()));
    server.as_ref().map(with).map_err(Clone::clone)
}

/// Stops what was started here: statics are never dropped.
pub fn stop() {
    if let Ok(mut server) = FIREBIRD.lock() {
        drop(server.take());
    }
    if let Ok(mut server) = MARIADB.lock() {
        drop(server.take());
    }
    if let Ok(mut server) = POSTGRES.lock() {
        drop(server.take());
    }
}
