//! Pipeline connectors: load, open, prove.

use std::sync::Arc;

use bowline_conformance::pipeline::{self as suite, Options, Report};
use bowline_connector::{Credentials, Located};
use bowline_contract::layout::CREDENTIALS_FILE;
use bowline_pipeline::{Opening, Pipeline, PipelineConnector};

use crate::locate::advise;
use crate::{Event, Run, WorkbenchError, credentials};

/// Loads a connector.
///
/// # Errors
/// [`WorkbenchError::Load`], with every mistake in its files.
pub fn load(
    found: &Located,
    on_event: &dyn Fn(Event<'_>),
) -> Result<PipelineConnector, WorkbenchError> {
    on_event(Event::Loading { dir: &found.dir });
    let connector = PipelineConnector::load_with(&found.dir, &mut |event| {
        on_event(Event::Environment(event));
    })?;
    advise(&found.dir, &connector.manifest.advices, on_event);
    Ok(connector)
}

/// Reads a connector's credentials and checks them against its manifest's schema. What is secret in them is told first.
///
/// # Errors
/// [`WorkbenchError::Credentials`] and [`WorkbenchError::CredentialsCheck`].
pub fn credentials(
    connector: &PipelineConnector,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Credentials, WorkbenchError> {
    let schema = connector.manifest.credentials_schema.as_ref();
    credentials::read(&connector.dir, CREDENTIALS_FILE, schema, on_event)
}

/// Makes a connector ready to be read; nothing is sent yet. Stopping the run stops a reading soon.
///
/// # Errors
/// [`WorkbenchError::Source`] when the credentials do not fit what the connector describes.
pub fn open(
    connector: &PipelineConnector,
    credentials: &Credentials,
    opening: Opening,
    run: &Run,
) -> Result<Arc<dyn Pipeline>, WorkbenchError> {
    Ok(connector.open_with(credentials, run.flag(), opening)?)
}

/// Runs the suite over a connector and its live orchestrator. Stopping the run gives a report of what was found until
/// then.
///
/// # Errors
/// When the credentials cannot be used or the orchestrator cannot be reached.
pub fn prove(
    connector: &PipelineConnector,
    options: &Options,
    opening: Opening,
    run: &Run,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Report, WorkbenchError> {
    let credentials = credentials(connector, on_event)?;
    let opening = Opening {
        keeps_answers: true,
        ..opening
    };
    let pipeline = open(connector, &credentials, opening, run)?;
    on_event(Event::Connecting {
        connector: &connector.name,
    });
    let report = suite::run(&*pipeline, options, &|event| {
        on_event(Event::Pipeline(event));
    });
    for advice in connector.advices() {
        on_event(Event::Advice(&advice));
    }
    Ok(report?)
}
