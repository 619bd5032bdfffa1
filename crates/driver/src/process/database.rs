//! A warehouse connector's process as a database.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bowline_process::{AbortHandle, CallLimits, Fault, Process, ProcessError, Program};
use bowline_protocol::{
    ANSWER_OVERHEAD, ConnectParams, ConnectResult, ConnectorKind, Method, QueryParams, QueryResult,
    QueryTogetherParams, QueryTogetherResult,
};

use super::wire::thread_rows;
use crate::{
    Canceller, Connection, ConnectionCost, Database, DriverSpec, Limits, ResultSet, SqlError,
    SqlErrorKind, Surplus, ThreadRows,
};

/// What a login may take at least, however quick the first was.
const SHORTEST_LOGIN_LIMIT: Duration = Duration::from_secs(10);
/// A login that takes so many times as long as the first does not come about any more.
const LONGEST_LOGIN: u32 = 5;

/// A database whose every connection is a process.
pub(crate) fn open(spec: &DriverSpec, program: &Program) -> Arc<dyn Database> {
    Arc::new(ProcessDatabase {
        shared: Arc::new(Shared {
            program: program.clone(),
            spec: spec.clone(),
            product: OnceLock::new(),
            first_login: OnceLock::new(),
        }),
    })
}

struct ProcessDatabase {
    shared: Arc<Shared>,
}

struct Shared {
    program: Program,
    spec: DriverSpec,
    product: OnceLock<String>,
    first_login: OnceLock<Duration>,
}

impl Database for ProcessDatabase {
    fn product(&self) -> String {
        let product = self.shared.product.get();
        product
            .cloned()
            .unwrap_or_else(|| self.shared.program.connector.clone())
    }

    fn cost(&self) -> ConnectionCost {
        ConnectionCost::Process
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let process = self.shared.connect()?;
        Ok(Box::new(ProcessConnection {
            shared: Arc::clone(&self.shared),
            canceller: Arc::new(Switch(Mutex::new(process.abort_handle()))),
            state: State::Open(Box::new(process)),
        }))
    }
}

impl Shared {
    fn connect(&self) -> Result<Process, ProcessError> {
        let mut process = Process::start(&self.program, &self.spec.redactor)?;
        if process.hello().kind != ConnectorKind::Warehouse || !process.serves(Method::Query) {
            let reason = "it is no connector for a database: it does not serve `query`".to_owned();
            return Err(process.fail(Fault::Unfit(reason)));
        }
        let params = ConnectParams {
            credentials: self.spec.connect_args.clone(),
        };
        let limit = login_limit(self.spec.connect_timeout, self.first_login.get().copied());
        let begun = Instant::now();
        let connected: ConnectResult =
            process.call(Method::Connect, &params, CallLimits::small(limit))?;
        self.first_login.get_or_init(|| begun.elapsed());
        if let Some(product) = connected.product {
            self.product.get_or_init(|| product);
        }
        Ok(process)
    }
}

/// How long a login may take: where one has come about, a server that is silent is told apart sooner.
fn login_limit(limit: Duration, first: Option<Duration>) -> Duration {
    first.map_or(limit, |first| {
        limit.min(SHORTEST_LOGIN_LIMIT.max(first * LONGEST_LOGIN))
    })
}

struct ProcessConnection {
    shared: Arc<Shared>,
    canceller: Arc<Switch>,
    state: State,
}

enum State {
    Open(Box<Process>),
    /// We ended the process; the next statement starts another one.
    Stopped,
    /// The connection was lost for good.
    Lost,
}

impl Connection for ProcessConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let process = self.process()?;
        let params = QueryParams {
            sql: sql.to_owned(),
            // The protocol knows no result that is cut: what is left of this one is left here.
            max_rows: count(match limits.surplus {
                Surplus::Refuse => limits.max_rows,
                Surplus::Leave => limits.max_rows.max(Limits::default().max_rows),
            }),
            max_bytes: count(limits.max_bytes),
            timeout_ms: u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let call = CallLimits {
            timeout: limits.timeout,
            max_bytes: limits
                .max_bytes
                .saturating_add(usize::try_from(ANSWER_OVERHEAD).unwrap_or(usize::MAX)),
        };
        let answer: Result<QueryResult, ProcessError> = process.call(Method::Query, &params, call);
        let is_usable = process.is_usable();
        let outcome = answer
            .map_err(SqlError::from)
            .and_then(|result| ResultSet::from_wire(result, limits));
        match &outcome {
            Err(error) if error.kind == SqlErrorKind::Connection => self.state = State::Lost,
            _ if !is_usable => self.state = State::Stopped,
            _ => {}
        }
        outcome.map_err(|error| error.redacted(&self.shared.spec.redactor))
    }

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        let process = match self.process() {
            Ok(process) if !process.serves(Method::QueryTogether) => return None,
            Ok(process) => process,
            Err(error) => return Some(Err(error)),
        };
        let params = QueryTogetherParams {
            statements: statements.to_vec(),
            timeout_ms: u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let call = CallLimits::small(limits.timeout);
        let answer: Result<QueryTogetherResult, ProcessError> =
            process.call(Method::QueryTogether, &params, call);
        if !process.is_usable() {
            self.state = State::Stopped;
        }
        let redactor = &self.shared.spec.redactor;
        let seen = answer.map(|result| {
            let answers = result.answers.into_iter();
            answers
                .map(|answer| thread_rows(answer).map_err(|words| redactor.redact(&words)))
                .collect()
        });
        Some(seen.map_err(|error| SqlError::from(error).redacted(redactor)))
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.canceller) as Arc<dyn Canceller>
    }
}

impl ProcessConnection {
    fn process(&mut self) -> Result<&mut Process, SqlError> {
        if let State::Stopped = self.state {
            let process = self.shared.connect()?;
            self.canceller.turn_to(process.abort_handle());
            self.state = State::Open(Box::new(process));
        }
        match &mut self.state {
            State::Open(process) => Ok(process),
            State::Stopped | State::Lost => Err(SqlError::new(
                SqlErrorKind::Connection,
                format!(
                    "the connection of connector `{}` was lost before",
                    self.shared.program.connector
                ),
            )),
        }
    }
}

/// Cancels whatever process the connection has now.
struct Switch(Mutex<AbortHandle>);

impl Switch {
    fn turn_to(&self, next: AbortHandle) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl Canceller for Switch {
    fn cancel(&self) {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.abort();
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_logins_have_less_time() {
        let seconds = Duration::from_secs;
        let limit = |first| login_limit(seconds(30), first).as_secs();
        assert_eq!(limit(None), 30);
        assert_eq!(limit(Some(Duration::from_millis(20))), 10);
        assert_eq!(limit(Some(seconds(4))), 20);
        assert_eq!(limit(Some(seconds(20))), 30);
        assert_eq!(login_limit(seconds(3), Some(seconds(1))), seconds(3));
    }
}
