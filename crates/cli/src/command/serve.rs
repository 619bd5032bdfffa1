//! `bowline serve`: a connector that needs no code, as a program that speaks the process protocol.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_contract::ConnectorName;
use bowline_words::visible;
use bowline_workbench::ServedPart;

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
    /// Give no templates: who asks has them from an export
    #[arg(long)]
    without_templates: bool,
}

impl ServeArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let name = self.name.as_deref().map(ConnectorName::parse).transpose();
        let printer = Arc::clone(&context.printer);
        let name = name.map_err(CliError::Name)?;
        let served = if self.without_templates {
            ServedPart::Connection
        } else {
            ServedPart::All
        };
        bowline_workbench::serve(&context.path(&self.dir), name, served, move |failed| {
            let (what, why) = (failed.part.word(), visible(&failed.error.to_string()));
            printer.say(match &failed.run_source_id {
                Some(run) => format!("left out: a {what} of run `{}`: {why}", visible(run)),
                None => format!("left out: a {what}: {why}"),
            });
        })?;
        Ok(Ended::Fine)
    }
}
