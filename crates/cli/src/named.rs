//! How a command is told which connector it is about.

use crate::complete;

/// A connector's name: on its own, or behind the option that the commands have whose first word is something else.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct NamedConnector {
    /// The connector; not needed when there is only one
    #[arg(add = complete::connectors())]
    connector: Option<String>,
    /// The connector, as an option.
    #[arg(
        short = 'c',
        long = "connector",
        alias = "etl-connection",
        value_name = "CONNECTOR",
        hide = true,
        add = complete::connectors(),
        conflicts_with = "connector"
    )]
    named: Option<String>,
}

impl NamedConnector {
    /// The name, where one was given.
    pub(crate) fn name(&self) -> Option<&str> {
        self.connector.as_deref().or(self.named.as_deref())
    }
}
