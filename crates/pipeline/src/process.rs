//! Connectors in a process of their own, in Python or any language that speaks the process protocol.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bowline_connector::Credentials;
use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_process::{CallLimits, Fault, Process, ProcessError, Program};
use bowline_protocol::{
    ConnectorKind, Done, FetchMetadataParams, FetchMetadataResult, FetchRunDetailsParams,
    FetchRunDetailsResult, InitializeResult, Method, SetupParams, VendorAnswersResult,
};
use bowline_words::Redactor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::error::{SourceError, SourceErrorKind};
use crate::methods::{FetchMethods, PageQuery};
use crate::pipeline::RunQuery;
use crate::vendor_answers::{Keeper, VendorAnswers};

/// How long one call may take: a page of a slow vendor, with a request for each run.
const CALL: CallLimits = CallLimits {
    timeout: Duration::from_secs(300),
    max_bytes: 256 * 1024 * 1024,
};

/// A connector's process, started with the first call and again after it was lost.
pub struct ProcessMethods {
    program: Program,
    credentials: Map<String, Json>,
    /// What is used in their place, where the vendor is to let nobody in.
    false_credentials: Mutex<Option<Map<String, Json>>>,
    redactor: Redactor,
    cancel: Arc<AtomicBool>,
    process: Mutex<Option<Process>>,
    /// What the first process said of itself.
    hello: Arc<OnceLock<InitializeResult>>,
    /// What the vendor answered, where somebody wants to know.
    answers: Option<Keeper>,
}

impl ProcessMethods {
    /// The methods of a program; nothing is started yet. Setting `cancel` stops a reading before its next page. What its
    /// process says of itself is put into `hello`.
    #[must_use]
    pub fn new(
        program: Program,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
        hello: Arc<OnceLock<InitializeResult>>,
    ) -> Self {
        Self {
            program,
            credentials: credentials.connect_args().clone(),
            false_credentials: Mutex::new(None),
            redactor: credentials.redactor().clone(),
            cancel,
            process: Mutex::new(None),
            hello,
            answers: None,
        }
    }

    /// The same, keeping what the vendor answers.
    #[must_use]
    pub(crate) fn keeping_answers(mut self) -> Self {
        self.answers = Some(Keeper::default());
        self
    }

    fn begin_with(&self, instead: Option<Map<String, Json>>) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut known = self
            .false_credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = instead;
    }

    fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: Method,
        params: &P,
    ) -> Result<R, SourceError> {
        let mut slot = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if self.cancel.load(Ordering::Relaxed) {
            return Err(SourceError::new(
                SourceErrorKind::Cancelled,
                format!("`{method}`"),
            ));
        }
        let mut process = match slot.take() {
            Some(process) => process,
            None => self.start().map_err(|error| failed(method, &error))?,
        };
        match process.call(method, params, CALL) {
            Ok(result) => {
                self.keep_answers(&mut process);
                // A process that could not answer is over, and the next call starts another.
                if process.is_usable() {
                    *slot = Some(process);
                }
                Ok(result)
            }
            Err(error) => {
                if matches!(error.fault, Fault::Refused(_)) {
                    *slot = Some(process);
                }
                Err(failed(method, &error))
            }
        }
    }

    /// Asks for what the vendor answered. What cannot be told is no fault of the call before.
    fn keep_answers(&self, process: &mut Process) {
        let Some(keeper) = &self.answers else {
            return;
        };
        if process.serves(Method::VendorAnswers)
            && let Ok(VendorAnswersResult { answers, is_cut }) =
                process.call(Method::VendorAnswers, &Map::new(), CALL)
        {
            keeper.keep_texts(&answers, is_cut);
        }
    }

    fn start(&self) -> Result<Process, ProcessError> {
        let mut process = Process::start(&self.program, &self.redactor)?;
        if process.hello().kind != ConnectorKind::Pipeline {
            let reason = "it is a connector for a database, not for an orchestrator".to_owned();
            return Err(process.fail(Fault::Unfit(reason)));
        }
        self.hello.get_or_init(|| process.hello().clone());
        if process.serves(Method::Setup) {
            let instead = self.false_credentials.lock();
            let instead = instead.unwrap_or_else(PoisonError::into_inner).clone();
            let params = SetupParams {
                credentials: instead.unwrap_or_else(|| self.credentials.clone()),
                keep_answers: self.answers.is_some() && process.serves(Method::VendorAnswers),
            };
            let Done {} = process.call(Method::Setup, &params, CALL)?;
        }
        Ok(process)
    }
}

/// The same credentials with other letters where keys and tokens stand; nothing where there are none, nor beside what names
/// an account: wrong ones may lock it.
fn with_false_keys(credentials: &Map<String, Json>) -> Option<Map<String, Json>> {
    const KEYS: [&str; 5] = ["apikey", "accesskey", "authkey", "subscriptionkey", "token"];
    let letters = |name: &str| -> String {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let is_of_account = |name: &String| {
        let name = letters(name);
        ["user", "login", "email"]
            .iter()
            .any(|of| name.contains(of))
            || ["password", "secret"].iter().any(|of| name.ends_with(of))
    };
    if credentials.keys().any(is_of_account) {
        return None;
    }
    let mut instead = credentials.clone();
    let keys = instead.iter_mut().filter(|(name, value)| {
        let name = letters(name);
        (name == "key" || KEYS.iter().any(|key| name.ends_with(key)))
            && value.as_str().is_some_and(|key| !key.is_empty())
    });
    let changed = keys.map(|(_, value)| {
        let letters = value.as_str().map_or(0, str::len);
        *value = "0".repeat(letters).into();
    });
    (changed.count() > 0).then_some(instead)
}

impl FetchMethods for ProcessMethods {
    fn setup_connection(&self) -> Result<(), SourceError> {
        let mut slot = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(
                self.start()
                    .map_err(|error| failed(Method::Setup, &error))?,
            );
        }
        Ok(())
    }

    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
        let params = FetchMetadataParams {
            limit: page.limit as u64,
            offset: page.offset as u64,
        };
        let result: FetchMetadataResult = self.call(Method::FetchMetadata, &params)?;
        Ok(result.assets.into_iter().map(AssetEvent::new).collect())
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError> {
        let (run_ids, window) = match query {
            None => (None, None),
            Some(RunQuery::Ids(ids)) => (Some(ids.clone()), None),
            Some(RunQuery::Window(window)) => (None, Some(window)),
        };
        let params = FetchRunDetailsParams {
            run_ids,
            window_start: window.map(|window| window.start.to_string()),
            window_end: window.map(|window| window.end.to_string()),
            limit: page.limit as u64,
            offset: page.offset as u64,
        };
        let result: FetchRunDetailsResult = self.call(Method::FetchRunDetails, &params)?;
        Ok(result.runs.into_iter().map(RunEvent::new).collect())
    }

    fn begin_anew(&self) {
        self.begin_with(None);
    }

    fn begin_with_false_keys(&self) -> bool {
        let instead = with_false_keys(&self.credentials);
        let are_there = instead.is_some();
        if let (true, Some(keeper)) = (are_there, &self.answers) {
            keeper.forget();
        }
        self.begin_with(instead);
        are_there
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        let slot = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let tells = |process: &Process| process.serves(Method::VendorAnswers);
        let keeper = self.answers.as_ref()?;
        slot.as_ref().is_none_or(tells).then(|| keeper.take())
    }

    fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

fn failed(method: Method, error: &ProcessError) -> SourceError {
    let kind = match &error.fault {
        Fault::TimedOut { .. } => SourceErrorKind::Timeout,
        Fault::Cancelled => SourceErrorKind::Cancelled,
        Fault::TooLong { .. } => SourceErrorKind::TooLarge,
        Fault::Garbage { .. } => SourceErrorKind::Format,
        Fault::NotStarted { .. } | Fault::Ended { .. } | Fault::Unfit(_) | Fault::Refused(_) => {
            SourceErrorKind::Connector
        }
    };
    SourceError::new(kind, format!("`{method}`")).because_of(error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_process_is_set_up_with_false_keys_until_it_begins_anew() {
        const SCRIPT: &str = r#"
            answer() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$1" "$2"; }
            read -r line
            answer 1 '"result":{"protocol":1,"kind":"pipeline","name":"shell","capabilities":["setup"]}'
            read -r line
            case "$line" in
                *'"token":"00"'*) answer 2 '"error":{"code":-32000,"message":"401"}' ;;
                *) answer 2 '"result":{}' ;;
            esac
            read -r line
        "#;
        let program = Program::new("shell", ["/bin/sh", "-c", SCRIPT], ".");
        let methods = |name: &str| {
            let known = Map::from_iter([(name.to_owned(), "t1".into())]);
            let known = Credentials::of_connect_args(known);
            ProcessMethods::new(program.clone(), &known, Arc::default(), Arc::default())
        };
        let with_token = methods("token");
        assert!(with_token.setup_connection().is_ok());
        assert!(with_token.begin_with_false_keys());
        assert!(with_token.setup_connection().is_err());
        with_token.begin_anew();
        assert!(with_token.setup_connection().is_ok());
        assert!(!methods("host").begin_with_false_keys());
    }

    #[test]
    fn keys_are_made_false_unless_they_are_of_an_account() {
        let made = |credentials: Json| with_false_keys(credentials.as_object().expect("an object"));
        let known =
            json!({"api_url": "u", "api_key": "k-77", "Token": "t", "project_key": "P", "key": ""});
        let instead =
            json!({"api_url": "u", "api_key": "0000", "Token": "0", "project_key": "P", "key": ""});
        assert_eq!(made(known).map(Json::from), Some(instead));
        assert_eq!(made(json!({"project_key": "P"})), None);
        for of_account in [
            "user",
            "userName",
            "login",
            "e-mail",
            "password",
            "client_secret",
        ] {
            let beside = json!({of_account: "u", "api_token": "t"});
            assert_eq!(made(beside), None, "{of_account}");
        }
    }
}
