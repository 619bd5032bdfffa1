//! `bowline tag`: the comments that tie SQL to the job that runs it.

mod check;

use bowline_contract::pipeline::query_tag::{
    self, Integration, QUERY_TAGS, QueryTag, Style, WriteError,
};
use bowline_words::{listed, nearest};
use clap::{Subcommand, ValueEnum};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Make and check the comments that tie SQL to the job that runs it.
///
/// A JSON object in a comment of a statement names the job that runs it, so that the platform can draw lineage between
/// jobs and tables.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline tag make custom job=load_orders task=t1\n  bowline tag check models/*.sql --pipeline nightly\n  \
                  bowline tag check --logs sales --since 1h --pipeline nightly"
)]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the comment for a job, or the warehouse's own tag
    Make(MakeArgs),
    /// Find the tags of SQL files, standard input or a query log, and say what is malformed
    Check(check::CheckArgs),
}

/// What a tag is made from.
#[derive(Debug, clap::Args)]
struct MakeArgs {
    /// Whose jobs they are
    integration: IntegrationName,
    /// What is named, such as `job=load_orders`; the identifiers of an integration are those of `bowline tag make --help`
    #[arg(value_name = "NAME=VALUE", required = true)]
    values: Vec<String>,
    /// Where the tag is put
    #[arg(long = "as", value_name = "STYLE", default_value = "line")]
    style: StyleName,
}

/// An integration as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IntegrationName {
    /// Pipelines of a custom connector: job, task, connection
    Custom,
    /// Airflow: dag, task, connection
    Airflow,
    /// Azure Data Factory: pipeline, activity, connection
    Adf,
    /// dbt: invocation, node, node-name, target
    Dbt,
    /// dbt Cloud: job, run
    DbtCloud,
}

impl From<IntegrationName> for Integration {
    fn from(name: IntegrationName) -> Self {
        match name {
            IntegrationName::Custom => Self::Custom,
            IntegrationName::Airflow => Self::Airflow,
            IntegrationName::Adf => Self::Adf,
            IntegrationName::Dbt => Self::Dbt,
            IntegrationName::DbtCloud => Self::DbtCloud,
        }
    }
}

/// Where a tag is put, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StyleName {
    /// `-- …`, a line before the statement
    Line,
    /// `/* … */`, anywhere in the statement
    Block,
    /// A statement that sets Snowflake's query tag for the session
    Snowflake,
    /// A statement that sets Redshift's query group for the session
    Redshift,
}

impl From<StyleName> for Style {
    fn from(name: StyleName) -> Self {
        match name {
            StyleName::Line => Self::Line,
            StyleName::Block => Self::Block,
            StyleName::Snowflake => Self::Snowflake,
            StyleName::Redshift => Self::Redshift,
        }
    }
}

impl TagArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        match &self.action {
            Action::Make(args) => args.exec(context),
            Action::Check(args) => args.exec(context),
        }
    }
}

impl MakeArgs {
    fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let integration = Integration::from(self.integration);
        let values: Vec<(&'static QueryTag, String)> = self
            .values
            .iter()
            .map(|given| value(integration, given))
            .collect::<Result<_, _>>()?;
        let tag = query_tag::write(self.style.into(), &values).map_err(|error| {
            let hint = match &error {
                WriteError::Malformed(_) | WriteError::Empty => {
                    "name the job too, and give each identifier one value"
                }
                WriteError::TooLong { .. } => "put it into a comment: `--as line`",
            };
            CliError::usage(format!("cannot write the tag: {error}"), hint)
        })?;
        context.printer.data(&format!("{tag}\n"))?;
        Ok(Ended::Fine)
    }
}

/// Reads `job=load_orders`.
fn value(integration: Integration, given: &str) -> Result<(&'static QueryTag, String), CliError> {
    let Some((name, value)) = given.split_once('=') else {
        return Err(CliError::usage(
            format!("`{given}` has no `=`"),
            "write it as `NAME=VALUE`, such as `job=load_orders`",
        ));
    };
    match query_tag::identifier(integration, name.trim()) {
        Some(tag) => Ok((tag, value.to_owned())),
        None => {
            let names = || {
                QUERY_TAGS
                    .iter()
                    .filter(|tag| tag.integration == integration)
                    .map(|tag| tag.identifier)
            };
            let hint =
                nearest::hint_or(name, names(), || format!("use one of {}", listed(names())));
            Err(CliError::usage(
                format!("{} has no identifier `{name}`", integration.name()),
                hint,
            ))
        }
    }
}
