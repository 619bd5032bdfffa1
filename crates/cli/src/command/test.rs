//! `bowline test`: the suite against a connector's live database or orchestrator.

mod pipeline;

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use bowline_conformance::Tier;
use bowline_conformance::warehouse::{About, Options, Report};
use bowline_contract::{AssetClass, SuiteSection};
use bowline_driver::Limits;
use bowline_warehouse::Connector;
use bowline_workbench::{Event, warehouse};
use clap::ValueEnum as _;

use super::in_container::InContainerArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::report::{self, Format, Next, progress::Progress};

/// Prove a connector against its live database or orchestrator.
///
/// The exit code tells how it went: 0 all is well, 1 something is wrong, 3 something could not be found out.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// The connector; not needed when there is only one
    connector: Option<String>,
    /// Ask only this section; may be given several times
    #[arg(short = 'm', long = "section", value_name = "SECTION")]
    sections: Vec<String>,
    #[command(flatten)]
    suite: SuiteArgs,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    container: InContainerArgs,
}

/// How many seconds a statement may take when nothing else was asked for.
pub(crate) const USUAL_TIMEOUT: NonZeroU64 = NonZeroU64::new(60).unwrap();

/// Reads a number that is not zero.
pub(crate) fn at_least_one<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| "give a whole number of at least 1".to_owned())
}

/// How the suite is run, for every command that runs it.
#[derive(Debug, clap::Args)]
pub(crate) struct SuiteArgs {
    /// How many connections to a database are used at once
    #[arg(short, long, value_name = "CONNECTIONS", value_parser = at_least_one::<NonZeroUsize>)]
    jobs: Option<NonZeroUsize>,
    /// Stop a statement after this many seconds; a pipeline connector has limits of its own
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
    /// How much is asked
    #[arg(long, value_name = "TIER", default_value = "strict")]
    tier: TierName,
}

/// The tiers on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TierName {
    /// What the contract's suite asks
    Reference,
    /// All of that, and what tells a wrong template from a right one
    Strict,
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Self {
        match name {
            TierName::Reference => Self::Reference,
            TierName::Strict => Self::Strict,
        }
    }
}

impl Default for SuiteArgs {
    fn default() -> Self {
        Self {
            jobs: None,
            timeout: USUAL_TIMEOUT,
            tier: TierName::Strict,
        }
    }
}

impl SuiteArgs {
    fn options(&self, sections: &[SuiteSection]) -> Options {
        let usual = Options::default();
        Options {
            sections: sections.to_vec(),
            tier: self.tier.into(),
            jobs: self.jobs.unwrap_or(usual.jobs),
            limits: Limits {
                timeout: Duration::from_secs(self.timeout.get()),
                ..usual.limits
            },
            ..usual
        }
    }
}

impl TestArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        if self.container.in_container {
            return self.container.exec(context, &self.arguments());
        }
        let found = context.locate(self.connector.as_deref(), None)?;
        if found.class == AssetClass::Pipeline {
            return pipeline::exec(context, &found, self);
        }
        let sections = sections(&self.sections)?;
        let connector = warehouse::load(&found, &|event| context.tell(event))?;
        let report = prove(context, &connector, &sections, &self.suite)?;
        write(context, &connector, &report, self.format, Next::Usual)?;
        Ok(report.conclusion().into())
    }
}

impl TestArgs {
    /// The same command as it is given to the program in a container.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["test".to_owned()];
        arguments.extend(self.connector.clone());
        for section in &self.sections {
            arguments.extend(["--section".to_owned(), section.clone()]);
        }
        if let Some(jobs) = self.suite.jobs {
            arguments.extend(["--jobs".to_owned(), jobs.to_string()]);
        }
        arguments.extend(["--timeout".to_owned(), self.suite.timeout.to_string()]);
        for (option, value) in [
            ("--tier", self.suite.tier.to_possible_value()),
            ("--format", self.format.to_possible_value()),
        ] {
            let value = value.map(|value| value.get_name().to_owned());
            arguments.extend([option.to_owned()].into_iter().chain(value));
        }
        arguments
    }
}

/// Writes a report to standard output.
pub(crate) fn write(
    context: &Context,
    connector: &Connector,
    report: &Report,
    format: Format,
    next: Next,
) -> Result<(), CliError> {
    let written = report.written(About {
        connector: connector.name.as_str(),
        templates: &connector.templates,
        base: &context.directory,
    });
    let written = bowline_report::Report::Warehouse(written);
    report::write(&context.printer, &written, format, next)
}

/// The sections that filters name, each once, in the suite's order; all of them without a filter.
fn sections(filters: &[String]) -> Result<Vec<SuiteSection>, CliError> {
    let mut chosen = Vec::new();
    for filter in filters {
        chosen.extend(SuiteSection::parse_filter(filter).map_err(CliError::Section)?);
    }
    Ok(SuiteSection::ALL
        .iter()
        .copied()
        .filter(|section| filters.is_empty() || chosen.contains(section))
        .collect())
}

/// Runs the suite, with progress on standard error; Ctrl-C stops it cleanly.
pub(crate) fn prove(
    context: &Context,
    connector: &Connector,
    sections: &[SuiteSection],
    suite: &SuiteArgs,
) -> Result<Report, CliError> {
    let progress = OnceLock::new();
    let report = warehouse::prove(
        connector,
        &suite.options(sections),
        context.interruptible()?,
        &|event| match event {
            Event::Connecting { connector } => {
                progress.get_or_init(|| Progress::new(&context.printer, connector.as_str()));
            }
            Event::Warehouse(event) => {
                if let Some(progress) = progress.get() {
                    progress.on_warehouse(event);
                }
            }
            event => context.tell(event),
        },
    );
    if let Some(progress) = progress.into_inner() {
        progress.finish();
    }
    Ok(report?)
}
