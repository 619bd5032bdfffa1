//! `bowline serve`: a connector that needs no code, as a program that speaks the process protocol.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bowline_contract::layout::MANIFEST_FILE;
use bowline_contract::{AssetClass, ConnectorName};
use bowline_pipeline::PipelineConnector;
use bowline_warehouse::Connector;
use serde_json::Value;

use crate::error::CliError;
use crate::exit::Ended;
use crate::run::Context;
use crate::serve;

/// Speak the process protocol for a connector, on standard input and output
///
/// The other side of `kind = "process"`: what an agent's image runs beside the agent for connectors that are no
/// Python. Credentials come with the protocol; credentials.json is not read.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The connector's folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The connector's name, where it is not that of its folder
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl ServeArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let dir = context.directory.join(&self.dir);
        let name = self.name.as_deref().map(ConnectorName::parse).transpose();
        let name = name.map_err(CliError::Name)?;
        let code = if is_pipeline(&dir) {
            let mut connector = PipelineConnector::load(&dir)?;
            connector.name = name.unwrap_or(connector.name);
            serve::pipeline(connector)
        } else {
            let mut connector = Connector::load(&dir)?;
            connector.name = name.unwrap_or(connector.name);
            serve::warehouse(connector)
        };
        match code == ExitCode::SUCCESS {
            true => Ok(Ended::Fine),
            false => Err(CliError::Internal(
                "the connection could not be closed".to_owned(),
            )),
        }
    }
}

/// Whether the manifest says that it connects to an orchestrator; a broken manifest is told by whoever loads it.
fn is_pipeline(dir: &Path) -> bool {
    let text = std::fs::read_to_string(dir.join(MANIFEST_FILE)).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    manifest["asset_class"] == AssetClass::Pipeline.name()
}
