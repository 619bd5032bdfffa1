//! `bowline credentials`: whether a connector's credentials fit its manifest.

use bowline_contract::AssetClass;
use bowline_workbench::{Event, pipeline, warehouse};
use clap::Subcommand;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::style::{GOOD, paint};

/// Check a connector's credentials.
#[derive(Debug, clap::Args)]
pub(crate) struct CredentialsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check credentials.json against the `credentials_schema` of the manifest; nothing is contacted
    Check {
        /// The connector; not needed when there is only one
        connector: Option<String>,
    },
}

impl CredentialsArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let Action::Check { connector } = &self.action;
        let found = context.locate(connector.as_deref(), None)?;
        let tell = |event: Event<'_>| context.tell(event);
        let (schema, credentials) = match found.class {
            AssetClass::Warehouse => {
                let connector = warehouse::load(&found, &tell)?;
                let credentials = warehouse::credentials(&connector, &tell)?;
                (connector.manifest.credentials_schema, credentials)
            }
            AssetClass::Pipeline => {
                let connector = pipeline::load(&found, &tell)?;
                let credentials = pipeline::credentials(&connector, &tell)?;
                (connector.manifest.credentials_schema, credentials)
            }
        };
        let count = credentials.connect_args().len();
        let schema = match schema {
            Some(schema) if !schema.is_empty() => "they fit the manifest's schema",
            _ => "the manifest has no schema to check them against",
        };
        context.printer.text(&format!(
            "{} credentials of {}: {count} in `connect_args`; {schema}\n",
            paint(GOOD, "✓"),
            found.name
        ))?;
        Ok(Ended::Fine)
    }
}
