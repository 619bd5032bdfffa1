//! What is said while a vendor is read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bowline_pipeline::{Exchange, OnExchange, OnRetry, Opening};
use jiff::Timestamp;

use crate::context::Context;
use crate::output::visible;
use crate::style::{STRONG, paint};

/// What opens a connector so that waits are told, and every request is shown when asked to say more.
pub(crate) fn opening(context: &Context) -> Opening {
    let printer = Arc::clone(&context.printer);
    Opening {
        on_retry: Some(on_retry(context)),
        on_exchange: printer.says_details().then(|| {
            Arc::new(move |exchange: &Exchange<'_>| printer.detail(traced(exchange))) as OnExchange
        }),
        ..Opening::default()
    }
}

/// The second that it is. Windows begin and end with whole seconds: many vendors read no finer times.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// What says why nothing seems to happen. Requests that fail together are told once.
pub(crate) fn on_retry(context: &Context) -> OnRetry {
    /// How long one word is enough.
    const QUIET: Duration = Duration::from_secs(2);
    let printer = Arc::clone(&context.printer);
    let told: Mutex<Option<Instant>> = Mutex::new(None);
    Arc::new(move |why, wait| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= QUIET) {
            let when = match wait.as_secs() {
                0 => String::new(),
                seconds => format!(" in {seconds} s"),
            };
            printer.say(format!("trying again{when}: {}", visible(why)));
            *told = Some(Instant::now());
        }
    })
}

/// A line for a request and its answer.
pub(crate) fn traced(exchange: &Exchange<'_>) -> String {
    let outcome = match exchange.outcome() {
        Ok((status, size)) => format!("{status}, {size} bytes"),
        Err(error) => error,
    };
    let page = exchange
        .page()
        .map_or_else(String::new, |page| format!(", page {page}"));
    format!(
        "{} {} → {}{page}, {} ms",
        paint(STRONG, exchange.method()),
        visible(&exchange.address()),
        visible(&outcome),
        exchange.elapsed().as_millis()
    )
}
