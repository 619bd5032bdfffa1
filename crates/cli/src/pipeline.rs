//! What is said while a vendor is read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bowline_collect::Clocks;
use bowline_pipeline::{Exchange, OnExchange, OnRetry, Opening};
use bowline_words::visible;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::context::Context;
use crate::style::{STRONG, paint};

/// What opens a connector so that waits are told, and every request is shown when asked to say more.
pub(crate) fn opening(context: &Context) -> Opening {
    Opening {
        on_retry: Some(on_retry(context)),
        on_exchange: on_exchange(context),
        ..Opening::default()
    }
}

/// The same, with the vendor's clock compared with ours.
pub(crate) fn opening_with_clocks(context: &Context, clocks: &Arc<Clocks>) -> Opening {
    let (clocks, shown) = (Arc::clone(clocks), on_exchange(context));
    Opening {
        on_exchange: Some(Arc::new(move |exchange: &Exchange<'_>| {
            if let Some(time) = exchange.vendor_time() {
                clocks.note(time, exchange.elapsed());
            }
            if let Some(shown) = &shown {
                shown(exchange);
            }
        })),
        ..opening(context)
    }
}

fn on_exchange(context: &Context) -> Option<OnExchange> {
    let printer = Arc::clone(&context.printer);
    printer.says_details().then(|| {
        Arc::new(move |exchange: &Exchange<'_>| printer.detail(traced(exchange))) as OnExchange
    })
}

/// The second that it is. Windows begin and end with whole seconds: many vendors read no finer times.
pub(crate) fn now() -> Timestamp {
    whole_second(Timestamp::now())
}

/// The second that a moment is in.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    at.round(
        TimestampRound::new()
            .smallest(Unit::Second)
            .mode(RoundMode::Floor),
    )
    .unwrap_or(at)
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
