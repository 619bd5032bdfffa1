//! A PostgreSQL database and its connections, behind the crate's traits.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;

use super::parameters::{Parameters, SslMode, Target};
use super::reach::{Reaching, reach};
use super::statement::Connected;
use super::together::AT_ONCE;
use super::types::TypesSeen;
use super::{error, tls};
use crate::session::{Open, Run, Stopper, ThreadedConnection};
use crate::{Connection, Database, DriverSpec, Limits, ResultSize, SqlError, SqlErrorKind, Value};

/// Reads how to connect. Nothing is connected yet.
///
/// # Errors
/// Kind `Driver` for options that are unknown, malformed or not supported, and files that cannot be read.
pub(crate) fn open(spec: &DriverSpec) -> Result<Arc<dyn Database>, SqlError> {
    let environment = |name: &str| std::env::var(name).ok();
    let parameters = Parameters::read(&spec.directory, &spec.options, &environment)?;
    // Through a socket of this machine nothing is encrypted.
    let is_near = parameters.hosts.iter().all(|host| host.folder().is_some());
    let tls = match parameters.tls.mode {
        SslMode::Disable => None,
        _ if is_near => None,
        _ => Some(tls::config(&parameters.tls)?),
    };
    Ok(Arc::new(PostgresDatabase {
        shared: Arc::new(Shared {
            parameters,
            tls,
            spec: spec.clone(),
            types: TypesSeen::default(),
            product: OnceLock::new(),
        }),
    }))
}

struct PostgresDatabase {
    shared: Arc<Shared>,
}

/// What all connections of a database share. Nothing of it is held while one of them waits for the server.
struct Shared {
    parameters: Parameters,
    tls: Option<Arc<ClientConfig>>,
    spec: DriverSpec,
    types: TypesSeen,
    product: OnceLock<String>,
}

impl Shared {
    fn connect(&self, stopper: &Stopper) -> Result<Run, SqlError> {
        let parameters = &self.parameters;
        let suits = |connected: &mut Connected| is_target(connected, parameters.target);
        let limit = self.spec.connect_timeout;
        let reaching = Reaching {
            parameters,
            tls: self.tls.as_ref(),
            // What is left has to do for the servers behind one that does not answer.
            limit: parameters
                .timeout
                .unwrap_or_else(|| limit / parameters.servers()),
            types: &self.types,
        };
        let (connected, way) = reach(&reaching, &suits)?;
        connected
            .unlimited()
            .map_err(|broken| error::lost(&broken))?;
        self.product.get_or_init(|| connected.product());
        if let Some(key) = connected.key() {
            stopper.opened(Arc::new(move || way.stop(key)));
        }
        let mut connected = connected;
        Ok(Box::new(move |statements, limits, done| {
            connected.run_all(statements, limits, done);
        }))
    }
}

/// Whether a server is one of those that will do.
fn is_target(connected: &mut Connected, target: Target) -> Result<(), SqlError> {
    if target == Target::Any {
        return Ok(());
    }
    let limits = Limits {
        expect: ResultSize::Small,
        ..Limits::default()
    };
    let answer = connected.run(
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on'",
        &limits,
    )?;
    let is = |column: usize| {
        let row = answer.rows.first();
        row.and_then(|row| row.get(column)) == Some(&Value::Boolean(true))
    };
    let (is_standby, is_read_only) = (is(0), is(1));
    let (suits, wanted) = match target {
        Target::Any => (true, "any"),
        Target::ReadWrite => (!is_read_only, "read-write"),
        Target::ReadOnly => (is_read_only, "read-only"),
        Target::Primary => (!is_standby, "primary"),
        Target::Standby => (is_standby, "standby"),
    };
    if suits {
        return Ok(());
    }
    Err(SqlError::new(
        SqlErrorKind::Connection,
        format!("the server is not as `target_session_attrs` wants it: {wanted}"),
    )
    .hint("name a server that is, or say another `target_session_attrs`".to_owned()))
}

impl Database for PostgresDatabase {
    fn product(&self) -> String {
        let product = self.shared.product.get();
        product.map_or_else(|| "PostgreSQL".to_owned(), String::clone)
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let shared = Arc::clone(&self.shared);
        let open: Open = Arc::new(move |stopper| shared.connect(stopper));
        let spec = &self.shared.spec;
        let parameters = &self.shared.parameters;
        let limit = parameters.timeout.map_or(spec.connect_timeout, |own| {
            // What the author says is for each server.
            own.saturating_mul(parameters.servers())
        });
        let connection = ThreadedConnection::open(open, limit, &spec.redactor)?;
        Ok(Box::new(connection.sending_at_once(AT_ONCE)))
    }
}
