//! Connectors for databases.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;

use bowline_protocol::{
    ConnectParams, ConnectResult, ConnectorKind, ErrorObject, ExecuteParams, ExecuteResult,
    FunctionalPlace, GivenText, Method, QueryParams, SuiteTexts, TemplatesResult, code,
};
use serde_json::Value as Json;

use crate::conversation::{self, Host, Work, parameters, written};
use crate::{Answer, Credentials, Error};

/// Stops a session's running statement; called from another thread, at most once, right before the process ends.
pub type Cancel = Box<dyn Fn() + Send>;

/// A connector for a database: how to log in, and what is known without a login.
pub trait Warehouse {
    /// One connection.
    type Session: WarehouseSession;

    /// The connector's name, for people.
    fn name(&self) -> &str;

    /// Logs in. Called again on a new login or after a panic; the session before is gone by then.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) when the server cannot be reached,
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) when it refuses the login.
    fn connect(&self, credentials: &Credentials) -> Result<Self::Session, Error>;

    /// The contract's templates as pairs of name and text, such as `("get_avg_function_template", "AVG({x})")`. One
    /// that is not among them is not supported. They count only for a connector without `[dialect]`; by default there
    /// are none.
    fn templates(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Where functional checks may drop, create and change a table of their own; by default nowhere. It counts only
    /// for a connector without `[dialect]`.
    fn functional_target(&self) -> Option<FunctionalPlace> {
        None
    }

    /// What the suite writes into statements of its own, where the engine knows no `SELECT 1` or no type `TEXT`. It
    /// counts only for a connector without `[dialect]`.
    fn suite(&self) -> SuiteTexts {
        SuiteTexts::default()
    }
}

/// One connection to a database. Dropping it ends the connection.
pub trait WarehouseSession {
    /// What the server calls itself, such as `DuckDB v1.5.6`; by default unknown.
    fn product(&self) -> Option<String> {
        None
    }

    /// Runs one statement, commits what it changed, and puts columns and rows into `answer`.
    ///
    /// # Errors
    /// With the database's own words, its SQLSTATE if it has one, and the kind that fits.
    fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error>;

    /// How a running statement is stopped on the server; by default it cannot be.
    fn cancel(&self) -> Option<Cancel> {
        None
    }
}

/// Speaks the process protocol for the connector, until it is told to close or its standard input ends. The exit code
/// is for `main` to return.
#[must_use]
pub fn serve<W: Warehouse>(connector: W) -> ExitCode {
    let host = WarehouseHost::new(connector);
    let work = Arc::clone(&host.work);
    conversation::serve(host, work)
}

/// The same conversation over another input and output, such as texts in a test. It ends with the input at the latest.
///
/// # Errors
/// When an answer cannot be written.
pub fn converse<W: Warehouse>(
    connector: W,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut host = WarehouseHost::new(connector);
    let work = Arc::clone(&host.work);
    conversation::converse(&mut host, &work, conversation::lines_of(input), &mut output)
}

struct WarehouseHost<W: Warehouse> {
    connector: W,
    /// What the last successful login used.
    login: Option<Credentials>,
    session: Option<W::Session>,
    work: Arc<Work>,
}

impl<W: Warehouse> WarehouseHost<W> {
    fn new(connector: W) -> Self {
        Self {
            connector,
            login: None,
            session: None,
            work: Arc::default(),
        }
    }

    fn connect(&mut self, credentials: Credentials) -> Result<ConnectResult, ErrorObject> {
        self.close();
        let session = self.connector.connect(&credentials)?;
        self.work.set_cancel(session.cancel());
        let product = session.product();
        self.login = Some(credentials);
        self.session = Some(session);
        Ok(ConnectResult { product })
    }

    fn query(&mut self, params: &QueryParams) -> Result<Answer, ErrorObject> {
        if let (None, Some(login)) = (&self.session, self.login.clone()) {
            self.connect(login)?;
        }
        let Some(session) = &mut self.session else {
            return Err(ErrorObject::new(
                code::INVALID_REQUEST,
                "`connect` comes before statements",
            ));
        };
        let mut answer = Answer::within(params);
        session.query(&params.sql, &mut answer)?;
        Ok(answer)
    }

    fn templates(&self) -> TemplatesResult {
        TemplatesResult {
            templates: self
                .connector
                .templates()
                .into_iter()
                .map(|(name, text)| GivenText {
                    name,
                    text,
                    class: None,
                    line: None,
                })
                .collect(),
            functional_target: self.connector.functional_target(),
            suite: self.connector.suite(),
            problems: Vec::new(),
            other_names: Vec::new(),
            used_names: Vec::new(),
        }
    }
}

impl<W: Warehouse> Host for WarehouseHost<W> {
    const KIND: ConnectorKind = ConnectorKind::Warehouse;

    fn name(&self) -> &str {
        self.connector.name()
    }

    fn methods(&self) -> Vec<Method> {
        vec![
            Method::Connect,
            Method::Query,
            Method::Execute,
            Method::Templates,
        ]
    }

    fn call(&mut self, method: Method, params: Json) -> Result<String, ErrorObject> {
        match method {
            Method::Connect => {
                let params: ConnectParams = parameters(params)?;
                written(&self.connect(Credentials::new(params.credentials))?)
            }
            Method::Execute => {
                let ExecuteParams { sql, timeout_ms } = parameters(params)?;
                let answer = self.query(&QueryParams {
                    sql,
                    max_rows: u64::MAX,
                    max_bytes: u64::MAX,
                    timeout_ms,
                })?;
                let rows_affected = answer.affected();
                written(&ExecuteResult { rows_affected })
            }
            Method::Templates => written(&self.templates()),
            _ => {
                let params: QueryParams = parameters(params)?;
                self.query(&params)?.finish()
            }
        }
    }

    fn abandon(&mut self) {
        self.work.set_cancel(None);
        self.session = None;
    }

    fn close(&mut self) {
        self.login = None;
        self.abandon();
    }
}
