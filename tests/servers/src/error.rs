//! Why a server could not be had.

use std::io;
use std::path::PathBuf;

/// A server that could not be found, started or asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The server's programs are not on this machine.
    #[error("server not found: `{engine}`\nhint: {hint}")]
    NotFound {
        /// The engine's name.
        engine: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// Root may not run the server and there is nobody else to run it as.
    #[error("no user to run a server as: neither {users} exists")]
    NoUser {
        /// The users that were tried.
        users: String,
    },
    /// A program could not be run at all.
    #[error("cannot run `{program}`: {source}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("`{program}` failed: {output}")]
    Failed {
        /// The program.
        program: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server ended before it was ready.
    #[error("the server did not start: {log}")]
    Ended {
        /// The end of its log.
        log: String,
    },
    /// The server was not ready in time.
    #[error("the server was not ready after {seconds} s: {log}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// An address that is not `postgresql://user@host:port/database`.
    #[error("not a server address: `{text}`")]
    Address {
        /// The text as given.
        text: String,
    },
    /// The temporary folder could not be made or handed over.
    #[error("cannot prepare the server's folder: {0}")]
    Folder(#[from] io::Error),
}
