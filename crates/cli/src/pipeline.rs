//! From a name on the command line to a pipeline connector, its credentials and its vendor.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bowline_connector::{Credentials, Located, Workspace};
use bowline_contract::AssetClass;
use bowline_pipeline::{Exchange, OnExchange, OnRetry, Opening, Pipeline, PipelineConnector};
use jiff::Timestamp;

use crate::connector::{read_credentials, tell};
use crate::context::Context;
use crate::error::CliError;
use crate::interrupt::on_interrupt;
use crate::output::visible;
use crate::style::{STRONG, paint};

/// Finds and loads the pipeline connector that is meant: the one named, else the environment's, else the only one.
pub(crate) fn load(context: &Context, name: Option<&str>) -> Result<PipelineConnector, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    load_from(
        context,
        &workspace.locate(name, Some(AssetClass::Pipeline))?,
    )
}

/// Loads a pipeline connector.
pub(crate) fn load_from(context: &Context, found: &Located) -> Result<PipelineConnector, CliError> {
    context
        .printer
        .detail(format!("connector folder: {}", found.dir.display()));
    Ok(PipelineConnector::load_with(&found.dir, &mut |event| {
        tell(context, event)
    })?)
}

/// Reads a connector's credentials, checks them against its manifest's schema, and hides their secrets from now on.
pub(crate) fn credentials(
    context: &Context,
    connector: &PipelineConnector,
) -> Result<Credentials, CliError> {
    read_credentials(
        context,
        &connector.dir,
        connector.manifest.credentials_schema.as_ref(),
    )
}

/// Makes a connector ready to be read, with its credentials; nothing is sent yet. Ctrl-C stops a reading soon. Asked to
/// say more, every request is shown.
pub(crate) fn open(
    context: &Context,
    connector: &PipelineConnector,
) -> Result<Arc<dyn Pipeline>, CliError> {
    let credentials = credentials(context, connector)?;
    open_with(connector, &credentials, opening(context))
}

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

/// As [`open`], with credentials from elsewhere, something in the vendor's place, or somebody who looks on.
pub(crate) fn open_with(
    connector: &PipelineConnector,
    credentials: &Credentials,
    opening: Opening,
) -> Result<Arc<dyn Pipeline>, CliError> {
    let pipeline = connector.open_with(credentials, Arc::default(), opening)?;
    let asked = Arc::clone(&pipeline);
    on_interrupt(move || asked.cancel())?;
    Ok(pipeline)
}
