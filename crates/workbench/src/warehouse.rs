//! Warehouse connectors: load, open, prove, export.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_conformance::warehouse::{self as suite, Export, Interrupt, Options, Report, Subject};
use bowline_connector::{Credentials, Located, Workspace};
use bowline_contract::SuiteSection;
use bowline_driver::{Connection, Database, SqlError};
use bowline_warehouse::{Connector, FunctionalTarget, OpenError};

use crate::table_lock::TableLock;
use crate::{Event, Run, WorkbenchError, credentials};

/// Loads a connector.
///
/// # Errors
/// [`WorkbenchError::Load`], with every mistake in its files.
pub fn load(found: &Located, on_event: &dyn Fn(Event<'_>)) -> Result<Connector, WorkbenchError> {
    on_event(Event::Loading { dir: &found.dir });
    Ok(Connector::load_with(&found.dir, &mut |event| {
        on_event(Event::Environment(event));
    })?)
}

/// Reads a connector's credentials and checks them against its manifest's schema. What is secret in them is told first.
///
/// # Errors
/// [`WorkbenchError::Credentials`] and [`WorkbenchError::CredentialsCheck`].
pub fn credentials(
    connector: &Connector,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Credentials, WorkbenchError> {
    let schema = connector.manifest.credentials_schema.as_ref();
    credentials::read(&connector.dir, schema, on_event)
}

/// Opens a connector's database; connecting may wait. Relative paths in the credentials begin in the workspace's folder.
///
/// # Errors
/// [`WorkbenchError::Expression`] and [`WorkbenchError::Connect`].
pub fn open(
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Arc<dyn Database>, WorkbenchError> {
    connector
        .open(credentials)
        .map_err(|error| unopened(connector, error))
}

/// Makes a connection.
///
/// # Errors
/// [`WorkbenchError::Connect`].
pub fn connect(
    connector: &Connector,
    database: &dyn Database,
) -> Result<Box<dyn Connection>, WorkbenchError> {
    database
        .connect()
        .map_err(|source| unreachable(connector, source))
}

/// Runs the suite over a connector and its live database. Stopping the run gives a report of what was found until then.
///
/// Runs of one workspace that change the same test table take turns.
///
/// # Errors
/// When the credentials cannot be used or the database cannot be reached.
pub fn prove(
    connector: &Connector,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Report, WorkbenchError> {
    let credentials = credentials(connector, on_event)?;
    let functional = functional_target(connector, &credentials)?;
    let changes = functional.is_some() && options.sections.contains(&SuiteSection::Functional);
    let _lock = changes
        .then(|| TableLock::take(connector, run, on_event))
        .transpose()?;
    let subject = Subject {
        templates: Arc::new(connector.templates.clone()),
        database: open(connector, &credentials)?,
        functional,
    };
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    let _on_stop = run.on_stop(move || stop.stop());
    on_event(Event::Connecting {
        connector: &connector.name,
    });
    suite::run(&subject, options, &interrupt, &|event| {
        on_event(Event::Warehouse(event));
    })
    .map_err(|source| unreachable(connector, source))
}

/// What a run proved, as it was written for the platform.
#[derive(Debug)]
pub struct Exported {
    /// The files.
    pub export: Export,
    /// The folder they are in.
    pub folder: PathBuf,
}

/// Writes what a run proved to the connector's folder among the workspace's outputs.
///
/// # Errors
/// [`WorkbenchError::Export`] when the run was not whole, or a file cannot be written.
pub fn export(connector: &Connector, report: &Report) -> Result<Exported, WorkbenchError> {
    let folder = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    let version = env!("CARGO_PKG_VERSION");
    let export = Export::new(report, &connector.manifest, &connector.templates, version)
        .map_err(WorkbenchError::Export)?;
    export.write(&folder).map_err(WorkbenchError::Export)?;
    Ok(Exported { export, folder })
}

/// Where functional checks may create their table; none when the connector does not say.
fn functional_target(
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Option<FunctionalTarget>, WorkbenchError> {
    connector
        .functional_target(credentials)
        .map_err(|error| unopened(connector, error))
}

fn unopened(connector: &Connector, error: OpenError) -> WorkbenchError {
    match error {
        OpenError::Sql(source) => unreachable(connector, source),
        error => WorkbenchError::Expression(error),
    }
}

fn unreachable(connector: &Connector, source: SqlError) -> WorkbenchError {
    WorkbenchError::Connect {
        connector: connector.name.to_string(),
        source,
    }
}
