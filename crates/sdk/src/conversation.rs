//! Requests in, answers out: what both kinds of connector share.

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bowline_protocol::{
    ConnectorKind, Done, ErrorKind, ErrorObject, InitializeParams, InitializeResult, JsonRpc,
    Method, VERSION, code,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::warehouse::Cancel;

/// How long the connector may go on once nobody listens.
const GRACE: Duration = Duration::from_millis(400);

/// A connector of either kind.
pub(crate) trait Host {
    /// Its kind.
    const KIND: ConnectorKind;

    /// Its name, for people.
    fn name(&self) -> &str;

    /// The methods it serves, `initialize` and `close` aside.
    fn methods(&self) -> Vec<Method>;

    /// Carries out one of them; gives the result as JSON.
    fn call(&mut self, method: Method, params: Json) -> Result<String, ErrorObject>;

    /// Lets go of a session that a panic may have left in any state.
    fn abandon(&mut self);

    /// Logs out; a second time does nothing.
    fn close(&mut self);
}

/// What the thread that listens knows of the one that works.
#[derive(Default)]
pub(crate) struct Work {
    is_busy: AtomicBool,
    cancel: Mutex<Option<Cancel>>,
}

impl Work {
    /// Notes how the session's statements are stopped.
    pub(crate) fn set_cancel(&self, cancel: Option<Cancel>) {
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = cancel;
    }

    fn interrupt(&self) {
        if !self.is_busy.load(Ordering::SeqCst) {
            return;
        }
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancel) = cancel.as_ref() {
            // The process ends in any case.
            let _ = catch_unwind(AssertUnwindSafe(cancel));
        }
    }
}

/// One request, as far as it could be read.
#[derive(Deserialize)]
struct Call {
    #[serde(rename = "jsonrpc")]
    _marks: JsonRpc,
    id: Option<u64>,
    method: String,
    #[serde(default)]
    params: Option<Json>,
}

/// Serves the host until `close` or until standard input ends.
pub(crate) fn serve<H: Host>(mut host: H, work: Arc<Work>) -> ExitCode {
    let (lines, over) = listen(Arc::clone(&work));
    // Nobody is left who could be told of output that could not be written.
    let _ = converse(&mut host, &work, &lines, &mut io::stdout());
    let closed = catch_unwind(AssertUnwindSafe(|| host.close()));
    drop(over);
    match closed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Answers lines until `close` or the last of them, or until the answers cannot be written.
pub(crate) fn converse<H: Host>(
    host: &mut H,
    work: &Work,
    lines: impl IntoIterator<Item = Vec<u8>>,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut is_initialized = false;
    for line in lines {
        let (id, outcome, ends) = match read(&line) {
            Err(error) => (None, Err(error), false),
            Ok(Call { id: None, .. }) => continue,
            Ok(call) => {
                work.is_busy.store(true, Ordering::SeqCst);
                let is_close = call.method == Method::Close.name();
                let id = call.id;
                let outcome = answer(host, &mut is_initialized, call);
                work.is_busy.store(false, Ordering::SeqCst);
                let ends = is_close && outcome.is_ok();
                (id, outcome, ends)
            }
        };
        say(output, id, outcome)?;
        if ends {
            break;
        }
    }
    Ok(())
}

/// The lines of an input, to its end.
pub(crate) fn lines_of(input: impl BufRead) -> impl Iterator<Item = Vec<u8>> {
    input.split(b'\n').map_while(Result::ok)
}

/// Reads lines on a thread of its own. Once they end it stops what runs, and ends the process if the sender it gave
/// is not dropped soon.
fn listen(work: Arc<Work>) -> (Receiver<Vec<u8>>, Sender<()>) {
    let (line_sender, lines) = mpsc::channel();
    let (over, is_over) = mpsc::channel();
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    if line_sender.send(line).is_err() {
                        return;
                    }
                }
            }
        }
        drop(line_sender);
        work.interrupt();
        if is_over.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            std::process::exit(1);
        }
    });
    (lines, over)
}

fn read(line: &[u8]) -> Result<Call, ErrorObject> {
    let json: Json = serde_json::from_slice(line).map_err(|error| {
        ErrorObject::new(code::PARSE_ERROR, format!("the line is not JSON: {error}"))
    })?;
    serde_json::from_value(json).map_err(|error| {
        ErrorObject::new(
            code::INVALID_REQUEST,
            format!("the line is not a request: {error}"),
        )
    })
}

fn answer<H: Host>(
    host: &mut H,
    is_initialized: &mut bool,
    call: Call,
) -> Result<String, ErrorObject> {
    let params = call
        .params
        .unwrap_or_else(|| Json::Object(Default::default()));
    let method = Method::from_name(&call.method);
    match method {
        Some(Method::Initialize) => {
            let asked: InitializeParams = parameters(params)?;
            if asked.protocol != VERSION {
                return Err(ErrorObject::new(
                    code::INVALID_PARAMS,
                    format!("only version {VERSION} of the protocol is spoken here"),
                ));
            }
            let hello = InitializeResult {
                protocol: VERSION,
                kind: H::KIND,
                name: host.name().to_owned(),
                capabilities: host
                    .methods()
                    .iter()
                    .map(|method| method.name().to_owned())
                    .collect(),
                interpreter: None,
                outside: bowline_protocol::OutsideCode::default(),
                misspelt: Vec::new(),
            };
            *is_initialized = true;
            written(&hello)
        }
        _ if !*is_initialized => Err(ErrorObject::new(
            code::INVALID_REQUEST,
            "the first request must be `initialize`",
        )),
        Some(Method::Close) => {
            guarded(host, |host| {
                host.close();
                Ok(())
            })?;
            written(&Done {})
        }
        Some(method) if host.methods().contains(&method) => {
            guarded(host, |host| host.call(method, params))
        }
        _ => Err(ErrorObject::new(
            code::METHOD_NOT_FOUND,
            format!("unknown method: `{}`", call.method),
        )),
    }
}

/// Runs the connector's own code; a panic becomes an error, and the session is given up.
fn guarded<H: Host, R>(
    host: &mut H,
    run: impl FnOnce(&mut H) -> Result<R, ErrorObject>,
) -> Result<R, ErrorObject> {
    catch_unwind(AssertUnwindSafe(|| run(host))).unwrap_or_else(|payload| {
        // What the session's destructor may add says no more than the panic at hand.
        let _ = catch_unwind(AssertUnwindSafe(|| host.abandon()));
        let words = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "it gives no reason".to_owned());
        Err(ErrorObject::failed(
            ErrorKind::Driver,
            format!("the connector panicked: {words}"),
        ))
    })
}

/// The parameters of a method.
pub(crate) fn parameters<P: DeserializeOwned>(params: Json) -> Result<P, ErrorObject> {
    serde_json::from_value(params).map_err(|error| {
        // A message of the reader may quote what it read, but only of the wrong type: no secret is.
        ErrorObject::new(code::INVALID_PARAMS, error.to_string())
    })
}

/// A result as JSON.
pub(crate) fn written<R: Serialize>(result: &R) -> Result<String, ErrorObject> {
    serde_json::to_string(result)
        .map_err(|error| ErrorObject::failed(ErrorKind::Driver, error.to_string()))
}

fn say(
    output: &mut impl Write,
    id: Option<u64>,
    outcome: Result<String, ErrorObject>,
) -> io::Result<()> {
    let id = id.map_or("null".to_owned(), |id| id.to_string());
    let (member, text) = match outcome {
        Ok(text) => ("result", text),
        Err(error) => ("error", serde_json::to_string(&error)?),
    };
    let line = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{member}\":{text}}}\n");
    output.write_all(line.as_bytes())?;
    output.flush()
}
