//! From a name on the command line to a connector, its credentials and its database.

use std::path::Path;
use std::sync::Arc;

use bowline_connector::dialect::Pack;
use bowline_connector::folder::shown;
use bowline_connector::{
    Connector, Credentials, EnvironmentEvent, FunctionalTarget, Located, OpenError, Workspace,
};
use bowline_contract::layout::CREDENTIALS_FILE;
use bowline_contract::{AssetClass, credentials};
use bowline_driver::{Connection, Database};
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::run::Context;

/// Finds and loads the warehouse connector that is meant: the one named, else the environment's, else the only one.
pub(crate) fn load(context: &Context, name: Option<&str>) -> Result<Connector, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    load_from(
        context,
        &workspace.locate(name, Some(AssetClass::Warehouse))?,
    )
}

/// Finds the connector that is meant, whatever it connects to.
pub(crate) fn locate(context: &Context, name: Option<&str>) -> Result<Located, CliError> {
    Ok(Workspace::find(&context.directory)?.locate(name, None)?)
}

/// Loads a warehouse connector.
pub(crate) fn load_from(context: &Context, found: &Located) -> Result<Connector, CliError> {
    context
        .printer
        .detail(format!("connector folder: {}", found.dir.display()));
    Ok(Connector::load_with(&found.dir, &mut |event| {
        tell(context, event)
    })?)
}

/// Says what takes its time before a connector in Python can run.
pub(crate) fn tell(context: &Context, event: EnvironmentEvent<'_>) {
    match event {
        EnvironmentEvent::Creating { directory, .. } => context
            .printer
            .detail(format!("virtual environment: {}", directory.display())),
        EnvironmentEvent::Installing {
            connector,
            requirements,
        } => context.printer.say(format!(
            "installing the Python packages of `{connector}`, this once: {}",
            requirements.join(", ")
        )),
        EnvironmentEvent::Ready { elapsed, .. } => context
            .printer
            .say(format!("installed in {:.1} s", elapsed.as_secs_f64())),
    }
}

/// Reads a connector's credentials, checks them against its manifest's schema, and hides their secrets from now on.
pub(crate) fn credentials(
    context: &Context,
    connector: &Connector,
) -> Result<Credentials, CliError> {
    read_credentials(
        context,
        &connector.dir,
        connector.manifest.credentials_schema.as_ref(),
    )
}

/// Reads the credentials in a connector's folder, checks them against a schema, and hides their secrets from now on.
pub(crate) fn read_credentials(
    context: &Context,
    dir: &Path,
    schema: Option<&Map<String, Value>>,
) -> Result<Credentials, CliError> {
    let path = dir.join(CREDENTIALS_FILE);
    let credentials = Credentials::read(&path)?;
    context.printer.hide(credentials.redactor().clone());
    let schema = schema.cloned().map(Value::Object);
    credentials::check(schema.as_ref(), credentials.document()).map_err(|source| {
        CliError::CredentialsCheck {
            path: shown(&path),
            source,
        }
    })?;
    Ok(credentials)
}

/// Opens the connector's database; connecting may wait.
///
/// From now on the process works in the workspace's folder, so that a relative path in the credentials means the same
/// file wherever in the workspace the command was given.
pub(crate) fn open(
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Arc<dyn Database>, CliError> {
    let workspace = Workspace::find(&connector.dir)?;
    std::env::set_current_dir(workspace.root()).map_err(|error| {
        CliError::usage(
            format!("cannot work in `{}`: {error}", workspace.root().display()),
            "see that you may enter the workspace's folder",
        )
    })?;
    connector
        .open(credentials)
        .map_err(|error| unopened(connector, error))
}

fn unopened(connector: &Connector, error: OpenError) -> CliError {
    match error {
        OpenError::Sql(source) => CliError::Connect {
            connector: connector.name.to_string(),
            source,
        },
        error => CliError::Expression(error),
    }
}

/// Makes a connection.
pub(crate) fn connect(
    connector: &Connector,
    database: &dyn Database,
) -> Result<Box<dyn Connection>, CliError> {
    database.connect().map_err(|source| CliError::Connect {
        connector: connector.name.to_string(),
        source,
    })
}

/// Where functional checks may create their table; none when the connector does not say.
pub(crate) fn functional_target(
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Option<FunctionalTarget>, CliError> {
    connector
        .functional_target(credentials)
        .map_err(|error| unopened(connector, error))
}

/// The packs that stand for an engine; bases are no engines.
pub(crate) fn engines() -> impl Iterator<Item = &'static Pack> {
    Pack::all().iter().filter(|pack| pack.scaffold.is_some())
}
