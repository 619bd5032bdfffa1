//! `bowline render`: what one template becomes, given some variables.

use std::sync::Arc;

use bowline_contract::{Template, TemplateKind};
use bowline_query::{ComposeError, Composer};
use bowline_warehouse::Connector;
use bowline_warehouse::template::{Origin, RenderError};

use super::explain::find;
use super::query::Query;
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::variables::arguments;

/// Show what one template of a connector becomes with the variables you give.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bowline render get_tables_query database_name=shop schemas=\"'main'\" offset=0 limit=10\n\
                  A placeholder that is not given stays as it is, such as `{x}`."
)]
pub(crate) struct RenderArgs {
    /// The template, with or without `_template`
    #[arg(add = complete::templates())]
    template: String,
    /// Variables and placeholders; lists as JSON, or item by item
    #[arg(value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Variables as one JSON object
    #[arg(long, value_name = "JSON")]
    var_json: Option<String>,
    /// The connector; not needed when there is only one
    #[arg(short, long, add = complete::warehouses())]
    connector: Option<String>,
    /// Run it too and show the first rows: a query as it is, an expression as what `SELECT` gives
    #[arg(long)]
    run: bool,
}

impl RenderArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let template = find(&self.template)?;
        let arguments = arguments(template, &self.variables, self.var_json.as_deref())?;
        let connector = context.warehouse(self.connector.as_deref())?;
        if let Some(place) = place(context, &connector, template) {
            context.printer.detail(format!("from {place}"));
        }
        let text = connector
            .templates
            .render(template, &arguments)
            .map_err(|error| unrendered(context, &connector, template, &error))?;
        context.printer.data(&format!("{text}\n"))?;
        if !self.run {
            return Ok(Ended::Fine);
        }
        let sql = match template.kind {
            TemplateKind::Query => text,
            TemplateKind::Expression if is_query(&text) => text,
            TemplateKind::Expression => {
                let composer = Composer::new(Arc::new(connector.templates.clone()));
                let clause = composer.one_row_clause().map_err(|error| match error {
                    ComposeError::Render(error) => {
                        unrendered(context, &connector, template, &error)
                    }
                    ComposeError::NoOneRowTable | ComposeError::NotAFlag { .. } => {
                        CliError::usage(error.to_string(), "or run it in a query of your own")
                    }
                })?;
                format!("SELECT {text} AS result{clause}")
            }
            TemplateKind::Statement | TemplateKind::Flag => {
                return Err(CliError::usage(
                    format!("`{}` is no query", template.short_name()),
                    "`bowline query` runs statements that change something",
                ));
            }
        };
        Query::of(sql).run(context, &connector)
    }
}

/// Whether what a template became is a query already: some that stand in queries wrap a whole one.
fn is_query(text: &str) -> bool {
    let text = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(');
    let first = text.split(|letter: char| !letter.is_alphabetic()).next();
    first.is_some_and(|first| ["SELECT", "WITH"].contains(&first.to_uppercase().as_str()))
}

/// Where the template's text stands.
fn place(context: &Context, connector: &Connector, template: &Template) -> Option<String> {
    let found = connector.templates.get(template)?;
    match (found.place(), &found.origin) {
        (Some((path, line)), _) => Some(format!("{}:{line}", context.shown(path).display())),
        (None, Origin::Pack(pack)) => Some(format!("the dialect pack `{}`", pack.name)),
        (None, _) => None,
    }
}

fn unrendered(
    context: &Context,
    connector: &Connector,
    template: &'static Template,
    error: &RenderError,
) -> CliError {
    let name = template.short_name();
    let (mut words, hint) = match error {
        RenderError::NotImplemented(_) => (
            "the connector does not implement it".to_owned(),
            Some(format!(
                "`bowline explain {name}` shows how dialects spell it"
            )),
        ),
        RenderError::IgnoredVariable { variable, .. } => (
            format!("it does not use the variable `{variable}`, which must not be ignored"),
            None,
        ),
        RenderError::Template { error, .. } => (
            format!("{}\n{}", error.message, error.window()),
            error.hint.clone(),
        ),
    };
    if let Some(place) = place(context, connector, template) {
        words = format!("{}\nit stands in {place}", words.trim_end());
    }
    CliError::Render {
        template: name,
        words,
        hint,
    }
}
