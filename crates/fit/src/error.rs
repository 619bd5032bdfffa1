//! Why a connector cannot be fitted.

use bowline_driver::SqlError;
use bowline_words::{Diagnose, Diagnostic};

/// Why a connector cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// No connection can be had.
    #[error("cannot connect to the database")]
    Connect(#[source] SqlError),
    /// The database answers nothing that can be used.
    #[error("nothing can be fitted: the database does not answer `{sql}` with 1")]
    NoAnswer {
        /// What was asked.
        sql: String,
        /// What it said.
        source: Option<SqlError>,
    },
}

impl Diagnose for FitError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::Connect(source) => told.because_of(source),
            Self::NoAnswer { source, .. } => {
                let told = told.hint(
                    "see what `bowline query` says to it; the connection must give the numbers and texts it selects".to_owned(),
                );
                match source {
                    Some(source) => told.because_of(source),
                    None => told,
                }
            }
        }
    }
}
