//! From a name on the command line to a pipeline connector, its credentials and its vendor.

use std::sync::Arc;

use bowline_connector::{Credentials, Located, Workspace};
use bowline_contract::AssetClass;
use bowline_etl::{EtlConnector, Opening, Pipeline};

use crate::connector::{read_credentials, tell};
use crate::error::CliError;
use crate::interrupt::on_interrupt;
use crate::run::Context;

/// Finds and loads the pipeline connector that is meant: the one named, else the environment's, else the only one.
pub(crate) fn load(context: &Context, name: Option<&str>) -> Result<EtlConnector, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    load_from(context, &workspace.locate(name, Some(AssetClass::Etl))?)
}

/// Loads a pipeline connector.
pub(crate) fn load_from(context: &Context, found: &Located) -> Result<EtlConnector, CliError> {
    context
        .printer
        .detail(format!("connector folder: {}", found.dir.display()));
    Ok(EtlConnector::load_with(&found.dir, &mut |event| {
        tell(context, event)
    })?)
}

/// Reads a connector's credentials, checks them against its manifest's schema, and hides their secrets from now on.
pub(crate) fn credentials(
    context: &Context,
    connector: &EtlConnector,
) -> Result<Credentials, CliError> {
    read_credentials(
        context,
        &connector.dir,
        connector.manifest.credentials_schema.as_ref(),
    )
}

/// Makes a connector ready to be read, with its credentials; nothing is sent yet. Ctrl-C stops a reading soon.
pub(crate) fn open(
    context: &Context,
    connector: &EtlConnector,
) -> Result<Arc<dyn Pipeline>, CliError> {
    let credentials = credentials(context, connector)?;
    open_with(connector, &credentials, Opening::default())
}

/// As [`open`], with credentials from elsewhere, something in the vendor's place, or somebody who looks on.
pub(crate) fn open_with(
    connector: &EtlConnector,
    credentials: &Credentials,
    opening: Opening,
) -> Result<Arc<dyn Pipeline>, CliError> {
    let pipeline = connector.open_with(credentials, Arc::default(), opening)?;
    let asked = Arc::clone(&pipeline);
    on_interrupt(move || asked.cancel())?;
    Ok(pipeline)
}
