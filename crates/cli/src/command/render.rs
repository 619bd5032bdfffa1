//! `bowline render`: what one template becomes, given some variables.

use bowline_connector::template::Origin;

use super::explain::find;
use crate::connector;
use crate::error::CliError;
use crate::exit::Ended;
use crate::run::Context;
use crate::variables::arguments;

/// Show what one template of a connector becomes with the variables you give.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bowline render get_tables_query database_name=shop schemas=\"'main'\" offset=0 limit=10\n\
                  A placeholder that is not given stays as it is, such as `{x}`."
)]
pub(crate) struct RenderArgs {
    /// The template, with or without `_template`
    template: String,
    /// Variables and placeholders; lists as JSON, or item by item
    #[arg(value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Variables as one JSON object
    #[arg(long, value_name = "JSON")]
    var_json: Option<String>,
    /// The connector; not needed when there is only one
    #[arg(short, long)]
    connector: Option<String>,
}

impl RenderArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let template = find(&self.template)?;
        let arguments = arguments(template, &self.variables, self.var_json.as_deref())?;
        let connector = connector::load(context, self.connector.as_deref())?;
        if let Some(found) = connector.templates.get(template) {
            match &found.origin {
                Origin::Pack(pack) => context
                    .printer
                    .detail(format!("from the dialect pack `{pack}`")),
                Origin::File { path, line } => {
                    context
                        .printer
                        .detail(format!("from {}:{line}", path.display()));
                }
            }
        }
        let text = connector
            .templates
            .render(template, &arguments)
            .map_err(CliError::Render)?;
        context.printer.data(&format!("{text}\n"))?;
        Ok(Ended::Fine)
    }
}
