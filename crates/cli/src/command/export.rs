//! `bowline export`: the proven connector as the platform takes it.

use bowline_connector::WorkspaceError;
use bowline_contract::layout::exported_template_file;
use bowline_contract::{AssetClass, SuiteSection, Template};
use bowline_warehouse::Connector;
use bowline_workbench::warehouse::{self, Recorded};
use bowline_workbench::{WorkbenchError, evidence};

use super::test::{RefreshArgs, SuiteArgs, keep, prove, written};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::named::{self, NamedConnector};
use crate::proven::Proving;
use crate::report::{self, Format, Next};
use crate::style::{GOOD, HINT, paint};

/// Prove a connector with the whole suite and write what the platform takes from it.
///
/// Writes `output/<connector>/manifest.json` and a `.j2` file for every template that was found right. What is wrong
/// or unknown is left out, and the exit code says so. A connection that is wrong cannot be left out: `bowline build`
/// refuses it.
#[derive(Debug, clap::Args)]
#[command(mut_args(named::warehouses))]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// Not for export, which needs the whole suite
    #[arg(short = 'm', long = "section", value_name = "SECTION", hide = true)]
    sections: Vec<String>,
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    refresh: RefreshArgs,
    /// Write what of the evidence may be committed to `evidence/<connector>.jsonl.gz` too
    #[arg(long)]
    public: bool,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

impl ExportArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        if !self.sections.is_empty() {
            return Err(CliError::usage(
                "export refuses a section filter: what it writes must rest on the whole suite",
                "run `bowline export` without `-m`, or `bowline test -m …` to look at one section",
            ));
        }
        let found = context
            .locate(self.connector.name(), Some(AssetClass::Warehouse))
            .map_err(refused)?;
        let proving = Proving::begin(&found)?;
        let connector = warehouse::load(&found, &|event| context.tell(event))?;
        let recorded = match self.refresh.refresh(context, &connector, &self.suite)? {
            Some(refreshed) => refreshed,
            None => prove(context, &connector, SuiteSection::ALL, &self.suite)?,
        };
        let report = &recorded.report;
        let written = written(context, &connector, report);
        Kept::of(
            &connector.dir,
            AssetClass::Warehouse,
            connector.name.as_str(),
        )?
        .keep(context, &written);
        report::write(&context.printer, &written, self.format, Next::Nothing)?;
        let ended = Ended::from(report.conclusion());
        if ended == Ended::Interrupted {
            context.printer.say("nothing was exported");
            return Ok(ended);
        }
        let (done, is_taken) = export(context, &connector, &recorded, proving)?;
        context.printer.say(done);
        if self.public {
            let path = evidence::offer(&connector)?;
            context.printer.say(format!(
                "{} wrote the evidence that may be committed to {}",
                paint(GOOD, "✓"),
                context.shown(&path).display()
            ));
        }
        if is_taken {
            context.printer.say(format!(
                "{} run `bowline build`, which puts it into an agent image",
                paint(HINT, "next:")
            ));
        }
        Ok(ended)
    }
}

/// Says why a pipeline connector is not exported, in words that are about exports.
fn refused(error: CliError) -> CliError {
    match error {
        CliError::Workbench(WorkbenchError::Workspace(WorkspaceError::OtherClass {
            name,
            class: AssetClass::Pipeline,
        })) => CliError::usage(
            format!(
                "export is for warehouse connectors: `{name}` is a pipeline connector, whose folder is taken as it is"
            ),
            format!("run `bowline test {name}` to prove it"),
        ),
        error => error,
    }
}

/// Writes what a run proved and what that rests on, with its proof, and gives the line that says so, and whether
/// `bowline build` takes it.
pub(crate) fn export(
    context: &Context,
    connector: &Connector,
    recorded: &Recorded,
    proving: Proving,
) -> Result<(String, bool), CliError> {
    let exported = warehouse::export(connector, &recorded.report)?;
    keep(context, connector, recorded)?;
    evidence::publish(connector, recorded)?;
    let templates = &exported.export.templates;
    let ships = |template: &Template| {
        let file = exported_template_file(template);
        templates.iter().any(|(name, _)| *name == file)
    };
    let conclusion = recorded.report.conclusion_of_what_ships(&ships);
    let is_taken = proving.end(
        context,
        conclusion,
        recorded.report.tier,
        &connector.outside,
    );
    let done = format!(
        "{} exported the manifest and {} templates to {}",
        paint(GOOD, "✓"),
        templates.len(),
        context.shown(&exported.folder).display()
    );
    Ok((done, is_taken))
}
