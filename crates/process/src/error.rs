//! What can go wrong with a connector in a process of its own.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bowline_protocol::{ErrorObject, Method};
use bowline_words::{Diagnose, Diagnostic, Redactor, Seconds};

/// A failed call, with the connector it was made to. No text in it holds a credential.
#[derive(Debug)]
pub struct ProcessError {
    /// The connector's name.
    pub connector: String,
    /// What happened.
    pub fault: Fault,
    /// The last lines the process wrote to its standard error; empty when it is not the process's fault.
    pub last_words: Vec<String>,
}

/// The ways a call can fail.
#[derive(Debug)]
pub enum Fault {
    /// The program could not be started.
    NotStarted {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The process ended, or closed its standard output, before it answered.
    Ended {
        /// What it was asked.
        method: Method,
        /// How it ended, such as `exit status: 1`.
        how: String,
        /// The connector's folder, of a program of its own that said nothing: it runs elsewhere.
        folder: Option<PathBuf>,
    },
    /// No answer came in time. The process was ended.
    TimedOut {
        /// What it was asked.
        method: Method,
        /// The time it had.
        limit: Duration,
    },
    /// Somebody cancelled the call. The process was ended.
    Cancelled,
    /// A line on its standard output is not the answer that was due.
    Garbage {
        /// What it was asked.
        method: Method,
        /// What is wrong with the line.
        reason: String,
        /// The beginning of the line.
        line: String,
    },
    /// The line of an answer is too long. The process was ended.
    TooLong {
        /// What it was asked.
        method: Method,
        /// The most bytes it may have.
        limit: usize,
    },
    /// It speaks another version, is of another kind, or does not serve what is needed.
    Unfit(String),
    /// It answered with an error.
    Refused(Box<ErrorObject>),
}

impl Fault {
    /// The same with every secret masked.
    pub(crate) fn redacted(self, redactor: &Redactor) -> Self {
        let mask = |text: String| redactor.redact(&text);
        match self {
            Self::Garbage {
                method,
                reason,
                line,
            } => Self::Garbage {
                method,
                reason: mask(reason),
                line: mask(line),
            },
            Self::Unfit(text) => Self::Unfit(mask(text)),
            Self::Refused(mut error) => {
                error.message = mask(error.message);
                error.data.trace = error.data.trace.into_iter().map(mask).collect();
                error.data.hint = error.data.hint.map(mask);
                Self::Refused(error)
            }
            other => other,
        }
    }

    /// Whether the process can still be asked something else.
    pub(crate) fn leaves_it_usable(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether the process gets a moment to stop its statement before it is killed.
    pub(crate) fn deserves_grace(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Cancelled)
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connector = &self.connector;
        match &self.fault {
            Fault::NotStarted { program, source } => write!(
                f,
                "cannot start the process of connector `{connector}`: `{program}`: {source}"
            ),
            Fault::Ended { method, how, .. } => write!(
                f,
                "the process of connector `{connector}` ended during `{method}`: {how}"
            ),
            Fault::TimedOut { method, limit } => write!(
                f,
                "the process of connector `{connector}` was ended: `{method}` took longer than {}",
                Seconds(*limit)
            ),
            Fault::Cancelled => f.write_str("statement was cancelled"),
            Fault::Garbage {
                method,
                reason,
                line,
            } => write!(
                f,
                "the process of connector `{connector}` did not answer `{method}` by the protocol: {reason}\n  {line}"
            ),
            Fault::TooLong { method, limit } => write!(
                f,
                "result is too large: connector `{connector}` answered `{method}` with more than {limit} bytes"
            ),
            Fault::Unfit(reason) => {
                write!(f, "connector `{connector}` cannot be used: {reason}")
            }
            Fault::Refused(error) => {
                let mut trace = error.data.trace.iter();
                f.write_str(&error.message)?;
                trace.try_for_each(|line| write!(f, "\n  {line}"))
            }
        }?;
        if !self.last_words.is_empty() {
            f.write_str("\nits last words on standard error:")?;
            for line in &self.last_words {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

impl ProcessError {
    fn hint(&self) -> Option<String> {
        let hint = match &self.fault {
            Fault::NotStarted { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "build the program, or mend `command` in connector.toml"
            }
            Fault::Garbage { .. } => {
                "only messages belong on its standard output; logs belong on standard error"
            }
            Fault::Ended {
                folder: Some(folder),
                ..
            } => {
                return Some(format!(
                    "it runs in the workspace: name files of `{}` by their paths from there",
                    folder.display()
                ));
            }
            Fault::Refused(error) => return error.data.hint.clone(),
            Fault::NotStarted { .. }
            | Fault::Ended { .. }
            | Fault::TimedOut { .. }
            | Fault::Cancelled
            | Fault::TooLong { .. }
            | Fault::Unfit(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl Diagnose for ProcessError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint())
    }
}

impl std::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::NotStarted { source, .. } => Some(source),
            _ => None,
        }
    }
}
