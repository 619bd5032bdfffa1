//! `bowline protocol`: the process protocol, for whoever writes a connector in a language of their own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bowline_conformance::protocol::{self, CaseReport, CaseVerdict, CheckOptions};
use bowline_connector::Credentials;
use bowline_contract::AssetClass;
use bowline_driver::DriverKind;
use bowline_pipeline::PipelineKind;
use bowline_process::Program;
use bowline_workbench::{Event, pipeline, warehouse};
use clap::Subcommand;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::named::NamedConnector;
use crate::style::{BAD, GOOD, QUIET, STRONG, paint};

/// Check programs that speak the process protocol.
#[derive(Debug, clap::Args)]
pub(crate) struct ProtocolArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask a connector's program, or another, everything the protocol asks
    ///
    /// Every case runs in a process of its own. Without credentials, what needs a login is not asked.
    #[command(after_help = "Examples:\n  bowline protocol check shop\n  \
                        bowline protocol check --credentials credentials.json -- ./my-connector --serve")]
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The file with `connect_args` to log in with
    #[arg(long, value_name = "FILE", requires = "command")]
    credentials: Option<PathBuf>,
    /// A statement that gives at least one row
    #[arg(long, value_name = "SQL", default_value = "SELECT 1 AS n")]
    sql: String,
    /// Wait this many seconds for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// A program and its arguments, in place of a connector
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["connector", "named"])]
    command: Vec<OsString>,
}

impl ProtocolArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        match &self.action {
            Action::Check(args) => args.exec(context),
        }
    }
}

impl CheckArgs {
    fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let (program, credentials) = self.subject(context)?;
        let options = CheckOptions {
            credentials: credentials.map(|credentials| credentials.connect_args().clone()),
            sql: self.sql.clone(),
            timeout: Duration::from_secs(self.timeout),
        };
        let mut written = Ok(());
        let reports = protocol::check(&program, &options, &mut |case| {
            if written.is_ok() {
                written = context.printer.text(&line(case));
            }
        });
        written?;
        let count = |is: fn(&CaseVerdict) -> bool| {
            reports.iter().filter(|report| is(&report.verdict)).count()
        };
        let failed = count(|verdict| matches!(verdict, CaseVerdict::Failed(_)));
        let passed = count(|verdict| matches!(verdict, CaseVerdict::Passed));
        let not_asked = reports.len() - failed - passed;
        context.printer.text(&format!(
            "\n{passed} passed, {failed} failed, {not_asked} not asked\n"
        ))?;
        Ok(match failed {
            0 => Ended::Fine,
            _ => Ended::FellShort,
        })
    }

    fn subject(&self, context: &Context) -> Result<(Program, Option<Credentials>), CliError> {
        if let Some(program) = self.command.first() {
            let credentials = self
                .credentials
                .as_ref()
                .map(|path| Credentials::read(&context.path(path)))
                .transpose()?;
            if let Some(credentials) = &credentials {
                context.printer.hide(credentials.redactor().clone());
            }
            let shown = program.to_string_lossy().into_owned();
            let program = Program::new(shown, &self.command, &context.directory);
            return Ok((program, credentials));
        }
        let found = context.locate(self.connector.name(), None)?;
        let tell = |event: Event<'_>| context.tell(event);
        let (program, credentials) = match found.class {
            AssetClass::Warehouse => {
                let connector = warehouse::load(&found, &tell)?;
                let program = match &connector.driver.kind {
                    DriverKind::Process(program) => Some(program.clone()),
                    _ => None,
                };
                (program, warehouse::credentials(&connector, &tell)?)
            }
            AssetClass::Pipeline => {
                let connector = pipeline::load(&found, &tell)?;
                let program = match &connector.kind {
                    PipelineKind::Program(program) => Some(program.clone()),
                    PipelineKind::Described(_) => None,
                };
                (program, pipeline::credentials(&connector, &tell)?)
            }
        };
        let program = program.ok_or_else(|| {
            CliError::usage(
                format!("connector `{}` does not run in a process of its own", found.name),
                "the protocol is spoken by connectors in Python and those with `kind = \"process\"`",
            )
        })?;
        Ok((program, Some(credentials)))
    }
}

fn line(case: &CaseReport) -> String {
    let title = format!("{}: {}", paint(STRONG, case.id), case.title);
    match &case.verdict {
        CaseVerdict::Passed => format!("{} {title}\n", paint(GOOD, "✓")),
        CaseVerdict::Failed(reason) => {
            let reason: Vec<String> = reason.lines().map(|line| format!("    {line}")).collect();
            format!("{} {title}\n{}\n", paint(BAD, "✗"), reason.join("\n"))
        }
        CaseVerdict::NotAsked(reason) => {
            format!("{} {title}\n    not asked: {reason}\n", paint(QUIET, "-"))
        }
    }
}
