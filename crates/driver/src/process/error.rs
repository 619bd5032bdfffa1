//! What a failed call means in terms of SQL.

use bowline_process::{Fault, ProcessError};
use bowline_protocol::ErrorObject;
use bowline_words::Diagnose;

use crate::error::{kind_of_sqlstate, kind_of_words};
use crate::{SqlError, SqlErrorKind};

impl From<ProcessError> for SqlError {
    fn from(error: ProcessError) -> Self {
        let sqlstate = match &error.fault {
            Fault::Refused(refused) => refused.data.sqlstate.clone(),
            _ => None,
        };
        Self {
            sqlstate,
            ..Self::new(kind(&error.fault), error.to_string()).hint(error.diagnose().hints.pop())
        }
    }
}

/// The kind of SQL error it comes to.
fn kind(fault: &Fault) -> SqlErrorKind {
    match fault {
        Fault::NotStarted { .. } | Fault::Garbage { .. } | Fault::Unfit(_) => SqlErrorKind::Driver,
        Fault::Ended { .. } => SqlErrorKind::Connection,
        Fault::TimedOut { .. } => SqlErrorKind::Timeout,
        Fault::Cancelled => SqlErrorKind::Cancelled,
        Fault::TooLong { .. } => SqlErrorKind::TooLarge,
        Fault::Refused(error) => kind_of_refusal(error),
    }
}

/// The kind an answer's error means: its own, else what its SQLSTATE says.
fn kind_of_refusal(error: &ErrorObject) -> SqlErrorKind {
    match error.data.kind {
        SqlErrorKind::Other if error.code != bowline_protocol::code::FAILED => SqlErrorKind::Driver,
        SqlErrorKind::Other => {
            let sqlstate = error.data.sqlstate.as_deref();
            sqlstate
                .and_then(|code| kind_of_sqlstate(code, &error.message))
                .filter(|kind| *kind != SqlErrorKind::Other)
                .or_else(|| kind_of_words(&error.message))
                .unwrap_or(SqlErrorKind::Other)
        }
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_believed_and_a_sqlstate_fills_in() {
        let error = |kind, sqlstate: &str| {
            let mut error = ErrorObject::failed(kind, "no");
            error.data.sqlstate = Some(sqlstate.to_owned());
            kind_of_refusal(&error)
        };
        assert_eq!(error(SqlErrorKind::Data, "42601"), SqlErrorKind::Data);
        for (sqlstate, kind) in [
            ("42601", SqlErrorKind::Syntax),
            ("42P01", SqlErrorKind::MissingObject),
            ("42501", SqlErrorKind::Permission),
            ("22012", SqlErrorKind::Data),
            ("57P01", SqlErrorKind::Connection),
            ("08006", SqlErrorKind::Connection),
            ("57014", SqlErrorKind::Cancelled),
            ("XX000", SqlErrorKind::Other),
            ("é", SqlErrorKind::Other),
        ] {
            assert_eq!(error(SqlErrorKind::Other, sqlstate), kind, "{sqlstate}");
        }
        let broken = ErrorObject::new(bowline_protocol::code::INTERNAL_ERROR, "no");
        assert_eq!(kind_of_refusal(&broken), SqlErrorKind::Driver);
    }
}
