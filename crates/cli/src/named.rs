//! How a command is told which connector it is about.

use clap::Arg;
use clap_complete::engine::ArgValueCandidates;

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

/// Completes a connector's name with those of warehouse connectors alone, for commands that refuse others.
pub(crate) fn warehouses(argument: Arg) -> Arg {
    completed(argument, complete::warehouses())
}

/// The same with those of pipeline connectors.
pub(crate) fn pipelines(argument: Arg) -> Arg {
    completed(argument, complete::pipelines())
}

fn completed(argument: Arg, with: ArgValueCandidates) -> Arg {
    if ["connector", "named"].contains(&argument.get_id().as_str()) {
        argument.add(with)
    } else {
        argument
    }
}
