//! Exchanges with a vendor written down without secrets, and read again in the vendor's place.
//!
//! A recording is a folder: `recording.json` says when it was made and with which credentials (of which only what is
//! no secret), and every exchange is a file of its own, in the order in which the answers came.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bowline_connector::Credentials;
use bowline_contract::credentials::secret_values;
use bowline_durable::{Disk, RealDisk};
use bowline_words::{Diagnose, Diagnostic};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::error::SourceErrorKind;
use crate::http::{Exchange, Incoming, Outgoing, Transport, TransportError};

const ABOUT: &str = "recording.json";
const VERSION: u64 = 1;
/// What stands where a secret stood.
const MASK: &str = "***";

/// Why a recording cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The folder holds something already.
    #[error("cannot save a recording: `{}` is not empty", .dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no recording.
    #[error("no recording: `{}`: {source}", .path.display())]
    Missing {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no part of a recording.
    #[error("cannot read the recording: `{}`: {reason}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Diagnose for RecordingError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::NotEmpty { .. } => Some("name a folder that does not exist yet".to_owned()),
            Self::Missing { .. } => Some("make one with `bowline inspect --save`".to_owned()),
            Self::Write { .. } | Self::Format { .. } => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

/// Writes exchanges down.
#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    count: AtomicUsize,
    failure: Mutex<Option<RecordingError>>,
}

impl Recorder {
    /// Begins a recording in a folder that is empty or not there; `now` is what the clock shows to the connector.
    ///
    /// # Errors
    /// `NotEmpty`, `Write`.
    pub fn create(
        dir: &Path,
        now: Timestamp,
        credentials: &Credentials,
    ) -> Result<Self, RecordingError> {
        let failed = |source| RecordingError::Write {
            path: dir.to_path_buf(),
            source,
        };
        RealDisk.create_folder(dir).map_err(failed)?;
        if std::fs::read_dir(dir).map_err(failed)?.next().is_some() {
            return Err(RecordingError::NotEmpty {
                dir: dir.to_path_buf(),
            });
        }
        let about = json!({
            "version": VERSION,
            "now": now.to_string(),
            "connect_args": open_args(credentials),
        });
        let recorder = Self {
            dir: dir.to_path_buf(),
            count: AtomicUsize::new(0),
            failure: Mutex::new(None),
        };
        recorder.write(ABOUT, &about)?;
        Ok(recorder)
    }

    /// Writes an exchange down, if there was an answer. A failure is told by [`Recorder::finish`].
    pub fn keep(&self, exchange: &Exchange<'_>) {
        let (Ok((status, _)), Some(answer)) = (exchange.outcome(), exchange.answer()) else {
            return;
        };
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut request = json!({ "method": exchange.method(), "address": exchange.address() });
        if let Some(body) = exchange.body() {
            request["body"] = body;
        }
        let text = json!({
            "request": request,
            "answer": { "status": status, "headers": exchange.headers(), "body": answer },
        });
        if let Err(error) = self.write(&format!("{number:04}.json"), &text) {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
    }

    /// How many exchanges were written down.
    ///
    /// # Errors
    /// `Write`, when one could not be.
    pub fn finish(&self) -> Result<usize, RecordingError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.take() {
            Some(error) => Err(error),
            None => Ok(self.count.load(Ordering::Relaxed)),
        }
    }

    fn write(&self, name: &str, content: &Json) -> Result<(), RecordingError> {
        let path = self.dir.join(name);
        bowline_durable::replace(&RealDisk, &path, format!("{content:#}\n").as_bytes())
            .map_err(|source| RecordingError::Write { path, source })
    }
}

/// The credentials with a mask for every secret.
fn open_args(credentials: &Credentials) -> Json {
    let secrets = secret_values(credentials.document());
    let masked = |text: &str| {
        if secrets.iter().any(|secret| secret == text) {
            MASK.to_owned()
        } else {
            credentials.redactor().redact(text)
        }
    };
    fn walk(value: &Json, masked: &impl Fn(&str) -> String) -> Json {
        match value {
            Json::String(text) => Json::from(masked(text)),
            Json::Number(number) => {
                let text = number.to_string();
                match masked(&text) {
                    same if same == text => value.clone(),
                    masked => Json::from(masked),
                }
            }
            Json::Array(items) => items.iter().map(|item| walk(item, masked)).collect(),
            Json::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), walk(value, masked)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }
    walk(&Json::Object(credentials.connect_args().clone()), &masked)
}

/// A recording in the vendor's place.
pub struct Recording {
    /// What the clock showed when it was made.
    pub now: Timestamp,
    /// The credentials it was made with, without their secrets.
    pub credentials: Credentials,
    dir: PathBuf,
    answers: Mutex<HashMap<Asked, VecDeque<Incoming>>>,
    /// The time that passes, in milliseconds: nobody waits for a recording.
    passed: AtomicU64,
}

/// What tells requests apart: method, address and body.
type Asked = (String, String, String);

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// `Missing`, `Format`.
    pub fn open(dir: &Path) -> Result<Self, RecordingError> {
        let missing = |path: &Path| {
            let path = path.to_path_buf();
            |source| RecordingError::Missing { path, source }
        };
        let about_file = dir.join(ABOUT);
        let about = read(&about_file)?;
        let wrong = |reason: &str| RecordingError::Format {
            path: about_file.clone(),
            reason: reason.to_owned(),
        };
        if about["version"] != VERSION {
            return Err(wrong("another version than 1"));
        }
        let now = about["now"].as_str().and_then(|now| now.parse().ok());
        let now = now.ok_or_else(|| wrong("`now` is no time"))?;
        let args = about["connect_args"].as_object();
        let args = args.ok_or_else(|| wrong("`connect_args` is no object"))?;
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(missing(dir))? {
            let path = entry.map_err(missing(dir))?.path();
            let is_exchange = path.extension().is_some_and(|ending| ending == "json");
            if is_exchange && path != about_file {
                files.push(path);
            }
        }
        files.sort();
        let mut answers: HashMap<Asked, VecDeque<Incoming>> = HashMap::new();
        for path in files {
            let exchange = read(&path)?;
            let (asked, answer) = parse(&exchange).ok_or_else(|| RecordingError::Format {
                path: path.clone(),
                reason: "it is no exchange".to_owned(),
            })?;
            answers.entry(asked).or_default().push_back(answer);
        }
        Ok(Self {
            now,
            credentials: Credentials::of_connect_args(args.clone()),
            dir: dir.to_path_buf(),
            answers: Mutex::new(answers),
            passed: AtomicU64::new(0),
        })
    }
}

fn read(path: &Path) -> Result<Json, RecordingError> {
    let text = std::fs::read_to_string(path).map_err(|source| RecordingError::Missing {
        path: path.to_path_buf(),
        source,
    })?;
    let text = bowline_contract::reading::without_mark(text);
    serde_json::from_str(&text).map_err(|error| RecordingError::Format {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

fn parse(exchange: &Json) -> Option<(Asked, Incoming)> {
    let request = &exchange["request"];
    let answer = &exchange["answer"];
    let headers = answer["headers"].as_object()?.iter();
    let headers: BTreeMap<String, String> = headers
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect::<Option<_>>()?;
    let body = match &answer["body"] {
        // A text that is no JSON was kept as it was.
        Json::String(text) if !is_json(&headers) => text.clone().into_bytes(),
        body => body.to_string().into_bytes(),
    };
    let asked = asked(
        request["method"].as_str()?,
        request["address"].as_str()?,
        request.get("body"),
    );
    let incoming = Incoming {
        status: answer["status"].as_u64()?.try_into().ok()?,
        headers,
        body,
    };
    Some((asked, incoming))
}

fn is_json(headers: &BTreeMap<String, String>) -> bool {
    let kind = headers.get("content-type");
    kind.is_some_and(|kind| kind.contains("json") && !kind.contains("ndjson"))
}

/// Masks in addresses are the same whether they are percent-encoded or not.
fn asked(method: &str, address: &str, body: Option<&Json>) -> Asked {
    let body = body.map_or_else(String::new, Json::to_string);
    (method.to_owned(), address.replace("%2A", "*"), body)
}

impl Transport for Recording {
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
        let body = request
            .body
            .as_deref()
            .map(|body| serde_json::from_str(body).unwrap_or_else(|_| Json::from(body)));
        let asked = asked(&request.method, &request.address, body.as_ref());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let found = answers
            .get_mut(&asked)
            .and_then(|answers| match answers.len() {
                // The last answer is given again: a reading may ask more often than the one that was recorded.
                0 | 1 => answers.front().cloned(),
                _ => answers.pop_front(),
            });
        found.ok_or_else(|| TransportError {
            kind: SourceErrorKind::Refused,
            message: format!(
                "the recording `{}` has no answer to this request: record again",
                self.dir.display()
            ),
        })
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }

    fn sleep(&self, wait: Duration) {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        self.passed.fetch_add(wait, Ordering::Relaxed);
    }
}
