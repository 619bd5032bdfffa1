//! Answers that say success and are not, or not yet, what was asked for.

use bowline_template::{Kind, Scope, Value};

use super::Client;
use super::judging::{Expiry, Failed, Passing};
use crate::error::SourceErrorKind;
use crate::expression::Expression;
use crate::http::content_range::Extent;
use crate::http::prepared::Prepared;
use crate::http::transport::{Incoming, TransportError};

/// The status of a request that was taken and is not answered yet.
pub(super) const ACCEPTED: u16 = 202;

impl Client {
    /// An answer that came in part though all of it was asked for: whatever is read of it is cut somewhere.
    pub(super) fn cut_short(&self, request: &Prepared, raw: &Incoming) -> Option<Failed> {
        let is_asked = request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("range"));
        let Extent::More(part) = Extent::of(raw.status, &raw.headers) else {
            return None;
        };
        if is_asked || !Extent::is_of_bytes(&raw.headers) {
            return None;
        }
        let message = format!("status {}: only a part came: `{part}`", raw.status);
        let error = TransportError {
            kind: SourceErrorKind::Broken,
            message,
        };
        let error = self.transport_error(error, request);
        Some(self.failed(error, raw, Passing::Failure, Expiry::No))
    }

    /// An answer to come back for: the vendor took the request, and has no records yet.
    pub(super) fn pending(&self, request: &Prepared, raw: &Incoming) -> Failed {
        let known = self.limits.retry_statuses.as_ref();
        let passing = match self.asked(raw) {
            _ if known.is_some_and(|known| !known.contains(&raw.status)) => Passing::No,
            Some(wait) => Passing::Refusal(Some(wait)),
            None => Passing::Failure,
        };
        let body = self.shown(&String::from_utf8_lossy(&raw.body));
        let error = self
            .error(SourceErrorKind::Broken, request)
            .because(format!("status {}: the vendor took the request, and gives no records yet: {body}", raw.status))
            .hint(
                "raise `retries` in `[http.limits]`; where the vendor means by it that there are none, write \
                 `missing = [202]`"
                    .to_owned(),
            );
        self.failed(error, raw, passing, Expiry::No)
    }
}

/// Whether there are any records where an answer has them.
pub(super) fn holds_records(records: Option<&Expression>, scope: &Scope, body: &Value) -> bool {
    match records {
        None => !is_empty(body),
        Some(records) => records.evaluate(scope).is_ok_and(|list| !is_empty(&list)),
    }
}

/// Whether a list holds nothing.
pub(crate) fn is_empty(list: &Value) -> bool {
    list.is_nothing() || list.kind() == Kind::Sequence && list.at(0).is_none()
}
