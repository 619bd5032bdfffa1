//! A warehouse connector, served.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::hinted;
use bowline_connector::Credentials;
use bowline_driver::{Connection, Database, Limits, ResultSize, SqlError, Surplus};
use bowline_sdk::{
    Answer, Cancel, Error, ErrorKind, FunctionalPlace, Map, Value, Warehouse, WarehouseSession,
};
use bowline_warehouse::{Connector, OpenError};

/// How much sooner than the caller gives up a statement is stopped, at most.
const HEAD_START: Duration = Duration::from_millis(500);

/// Serves the connector until its standard input ends.
pub(super) fn serve(connector: Connector) -> ExitCode {
    bowline_sdk::warehouse::serve(Served(connector))
}

struct Served(Connector);

impl Warehouse for Served {
    type Session = Session;

    fn name(&self) -> &str {
        self.0.name.as_str()
    }

    fn connect(&self, credentials: &bowline_sdk::Credentials) -> Result<Session, Error> {
        let credentials = Credentials::of_connect_args(credentials.as_map().clone());
        let database = self
            .0
            .open(&credentials, &Limits::default())
            .map_err(unopened)?;
        let connection = database.connect().map_err(failed)?;
        Ok(Session {
            connection,
            database,
        })
    }

    fn templates(&self) -> Vec<(String, String)> {
        let templates = self.0.templates.iter();
        templates
            .map(|each| (each.template.name.to_owned(), each.text.clone()))
            .collect()
    }

    fn functional_target(&self) -> Option<FunctionalPlace> {
        // Without a login only a place that hangs on no credential is known.
        let nothing = Credentials::of_connect_args(Map::new());
        let target = self.0.functional_target(&nothing).ok()??;
        Some(FunctionalPlace {
            database: target.database,
            schema: target.schema,
            table: target.table,
        })
    }
}

/// A connection, and before it in the order of fields what it came from: it is closed first.
struct Session {
    connection: Box<dyn Connection>,
    database: Arc<dyn Database>,
}

impl WarehouseSession for Session {
    fn product(&self) -> Option<String> {
        Some(self.database.product())
    }

    fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error> {
        let timeout = answer.timeout();
        let limits = Limits {
            timeout: timeout.saturating_sub(HEAD_START.min(timeout / 10)),
            max_rows: usize::try_from(answer.max_rows()).unwrap_or(usize::MAX),
            max_bytes: usize::try_from(answer.max_bytes()).unwrap_or(usize::MAX),
            expect: ResultSize::Any,
            surplus: Surplus::Refuse,
        };
        let result = self.connection.run(sql, &limits).map_err(failed)?;
        for column in result.columns {
            answer.column(column.name, column.type_name);
        }
        for row in result.rows {
            let row: Vec<Value> = row.into_iter().map(Value::from).collect();
            answer.row(&row)?;
        }
        if let Some(count) = result.rows_affected {
            answer.rows_affected(count);
        }
        Ok(())
    }

    fn cancel(&self) -> Option<Cancel> {
        let canceller = self.connection.canceller();
        Some(Box::new(move || canceller.cancel()))
    }
}

fn unopened(error: OpenError) -> Error {
    match error {
        OpenError::Sql(error) => failed(error),
        OpenError::Options { source, .. } => failed(source),
        error @ OpenError::Expression { .. } => {
            hinted(Error::new(ErrorKind::Driver, error.to_string()), &error)
        }
    }
}

fn failed(error: SqlError) -> Error {
    let told = hinted(Error::new(error.kind, &error.message), &error);
    match error.sqlstate {
        Some(code) => told.with_sqlstate(code),
        None => told,
    }
}
