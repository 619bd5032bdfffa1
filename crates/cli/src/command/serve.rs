//! `bowline serve`: a connector that needs no code, as a program that speaks the process protocol.

use std::path::PathBuf;

use bowline_contract::ConnectorName;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

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
        let name = self.name.as_deref().map(ConnectorName::parse).transpose();
        bowline_workbench::serve(&context.path(&self.dir), name.map_err(CliError::Name)?)?;
        Ok(Ended::Fine)
    }
}
