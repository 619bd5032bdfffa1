//! `bowline test`: the suite against a connector's live database or orchestrator.

mod against;
pub(crate) mod pipeline;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use bowline_conformance::Tier;
use bowline_conformance::warehouse::{About, Options, Report};
use bowline_connector::{Located, Workspace};
use bowline_contract::layout::{TEMPLATES_DIR, exported_template_file};
use bowline_contract::{AssetClass, SuiteSection, Template};
use bowline_driver::Limits;
use bowline_report::Conclusion;
use bowline_warehouse::Connector;
use bowline_words::{Diagnose as _, Diagnostic, counted, listed};
use bowline_workbench::evidence::{self, Judged};
use bowline_workbench::refresh::{self, Asked};
use bowline_workbench::warehouse::{self, Recorded};
use bowline_workbench::{Event, WorkbenchError};
use clap::ValueEnum as _;

use super::in_container::InContainerArgs;
use super::report::{check_place, is_standard_output};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::named::NamedConnector;
use crate::output::Verbosity;
use crate::proven::Proving;
use crate::report::{self, Format, Next, progress::Progress};
use crate::searched::Search;

/// Prove a connector against its live database or orchestrator.
///
/// The exit code tells how it went: 0 all is well, 1 something is wrong, 3 something could not be found out.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// What `bowline export` does, as other toolkits have it.
    #[arg(long, hide = true)]
    export: bool,
    /// Ask only this section; may be given several times
    #[arg(short = 'm', long = "section", value_name = "SECTION", add = complete::sections())]
    sections: Vec<String>,
    #[command(flatten)]
    suite: SuiteArgs,
    /// Judge the last whole run again from its evidence, with no database and no credentials
    #[arg(long, conflicts_with_all = ["sections", "jobs", "timeout", "tier", "refresh", "in_container"])]
    offline: bool,
    #[command(flatten)]
    refresh: RefreshArgs,
    /// Prove it against each of these servers, by the credentials in `credentials.<name>.json`, and show what differs
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with_all = ["offline", "refresh", "page", "in_container"]
    )]
    against: Vec<String>,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write the report as a page to this file too; `-` writes the page to standard output, and nothing else there
    #[arg(long = "report", value_name = "FILE", conflicts_with = "in_container")]
    page: Option<PathBuf>,
    #[command(flatten)]
    container: InContainerArgs,
}

/// Whether evidence is brought up to date, for every command that runs the suite.
#[derive(Debug, clap::Args)]
pub(crate) struct RefreshArgs {
    /// Ask only what the evidence of the last whole run lacks, such as the statements of changed templates
    #[arg(long, conflicts_with_all = ["sections", "tier"])]
    refresh: bool,
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
        if self.export {
            return Err(CliError::usage(
                "`test --export` is a command of its own",
                "run `bowline export`, which proves the connector and writes what the platform takes",
            ));
        }
        if self.is_page_the_output() && self.format != Format::Human {
            return Err(CliError::usage(
                "`--report -` and `--format` both write to standard output",
                "give `--report` a file",
            ));
        }
        check_place(context, self.page.as_deref())?;
        if self.container.in_container {
            return self.container.exec(context, &self.arguments());
        }
        let found = context.locate(self.connector.name(), None)?;
        if found.class == AssetClass::Pipeline {
            if !self.against.is_empty() {
                return Err(CliError::usage(
                    format!(
                        "`--against` is for warehouse connectors, and `{}` is a pipeline connector",
                        found.name
                    ),
                    "leave it out",
                ));
            }
            let asked = [
                ("--offline", self.offline),
                ("--refresh", self.refresh.refresh),
            ];
            if let Some((option, _)) = asked.into_iter().find(|(_, is_asked)| *is_asked) {
                return Err(CliError::usage(
                    format!(
                        "`{option}` is for warehouse connectors: no evidence is kept of pipeline connector `{}`",
                        found.name
                    ),
                    "leave it out",
                ));
            }
            return pipeline::exec(context, &found, self);
        }
        let sections = sections(&self.sections)?;
        let is_one_whole_run =
            sections.len() == SuiteSection::ALL.len() && self.against.is_empty() && !self.offline;
        // Before it is loaded: what is edited while it is tested was not tested.
        let proving = is_one_whole_run
            .then(|| Proving::begin(&found))
            .transpose()?;
        let connector = warehouse::load(&found, &|event| context.tell(event))?;
        if !self.against.is_empty() {
            return against::exec(context, &connector, &sections, self);
        }
        if self.offline {
            return self.judge_again(context, &connector);
        }
        let recorded = match self.refresh.refresh(context, &connector, &self.suite)? {
            Some(refreshed) => refreshed,
            None => prove(context, &connector, &sections, &self.suite)?,
        };
        if let Err(error) = keep(context, &connector, &recorded) {
            // A run is worth its report all the same.
            warn(context, &error.diagnose());
        }
        let report = &recorded.report;
        let written = written(context, &connector, report);
        self.hand_over(context, &found, &written)?;
        let exported = Workspace::find(&found.dir)?
            .output_dir(&found.name)
            .join(TEMPLATES_DIR);
        let ships = |template: &Template| exported.join(exported_template_file(template)).is_file();
        if let Some(proving) = proving
            && report.conclusion_of_what_ships(&ships) == Conclusion::FellShort
        {
            proving.refute(context);
        }
        Ok(report.conclusion().into())
    }

    /// Judges the last whole run again from its evidence.
    fn judge_again(&self, context: &Context, connector: &Connector) -> Result<Ended, CliError> {
        let judged = evidence::judge_again(connector, evidence::read(connector)?)?;
        let written = written(context, connector, &judged.report);
        self.write(context, &written, None)?;
        for said in [confidential(&judged), not_held(&judged)] {
            said.into_iter().for_each(|said| context.printer.say(said));
        }
        Ok(judged.report.conclusion().into())
    }

    /// Keeps a report, and writes it in the forms that were asked for.
    fn hand_over(
        &self,
        context: &Context,
        found: &Located,
        written: &bowline_report::Report,
    ) -> Result<(), CliError> {
        let kept = Kept::of(&found.dir, found.class, found.name.as_str())?;
        let previous = kept.known();
        kept.keep(context, written);
        self.write(context, written, previous.as_ref())
    }

    /// Writes a report in the forms that were asked for; the page says what changed since the one before.
    fn write(
        &self,
        context: &Context,
        written: &bowline_report::Report,
        previous: Option<&bowline_report::Report>,
    ) -> Result<(), CliError> {
        // A page that cannot be written costs nobody the report.
        if !self.is_page_the_output() {
            report::write(&context.printer, written, self.format, Next::Usual)?;
        }
        let Some(page) = &self.page else {
            return Ok(());
        };
        let (next, verbosity) = (Next::Nothing, Verbosity::Normal);
        let text = report::text(written, previous, Format::Html, next, verbosity)?;
        super::report::write(context, page, &text)
    }

    /// Whether the page takes the place of the report on standard output.
    fn is_page_the_output(&self) -> bool {
        self.page.as_deref().is_some_and(is_standard_output)
    }

    /// The same command as it is given to the program in a container.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["test".to_owned()];
        arguments.extend(self.connector.name().map(str::to_owned));
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

/// A report as every reader takes it.
pub(crate) fn written(
    context: &Context,
    connector: &Connector,
    report: &Report,
) -> bowline_report::Report {
    let search = Search::of(connector, &report.product, &connector.templates);
    bowline_report::Report::Warehouse(report.written(About {
        searched: &search.in_vain(),
        connector: connector.name.as_str(),
        templates: &connector.templates,
        base: &context.directory,
        home: &connector.home(),
    }))
}

/// What is only claimed, because it is confidential; nothing when nothing is.
pub(crate) fn confidential(judged: &Judged) -> Option<String> {
    (judged.confidential > 0).then(|| {
        format!(
            "{} rest on what is confidential: the public evidence holds only what they found",
            counted(judged.confidential, "check")
        )
    })
}

/// What evidence does not hold of a connector as it is now; nothing when it holds all.
pub(crate) fn not_held(judged: &Judged) -> Option<String> {
    let names: Vec<&str> = judged
        .changed
        .iter()
        .map(|template| template.short_name())
        .collect();
    let count = judged.not_recorded.len();
    if names.is_empty() && count == 0 {
        return None;
    }
    let changed = match &names[..] {
        [] => "the suite or what it stands on".to_owned(),
        names => listed(names),
    };
    let older = format!("the evidence is older than {changed}");
    Some(match count {
        0 => format!("{older}: `bowline test --refresh` writes it anew"),
        _ => format!(
            "{older}: up to {} must be asked again, `bowline test --refresh` does it",
            counted(count, "statement")
        ),
    })
}

/// Keeps a run's evidence, and says where it cannot be judged again.
pub(crate) fn keep(
    context: &Context,
    connector: &Connector,
    recorded: &Recorded,
) -> Result<(), WorkbenchError> {
    if evidence::keep(connector, recorded)? && !recorded.masked.is_empty() {
        let told = format!(
            "the evidence cannot be judged again as a whole: statements hold the value of {} in credentials.json, and it is masked",
            listed(&recorded.masked)
        );
        let hint = "take a password that is no word of SQL, of the templates or of the schema";
        warn(context, &Diagnostic::new(told).hint(hint.to_owned()));
    }
    Ok(())
}

fn warn(context: &Context, told: &Diagnostic) {
    context.printer.warn(told);
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
) -> Result<Recorded, CliError> {
    let run = context.interruptible()?;
    let options = suite.options(sections);
    let prove = |on_event: &OnEvent<'_>| warehouse::prove(connector, &options, run, on_event);
    Ok(with_progress(context, prove)?)
}

type OnEvent<'a> = dyn Fn(Event<'_>) + Sync + 'a;

/// Does something that runs the suite, with progress on standard error.
fn with_progress<T>(context: &Context, work: impl FnOnce(&OnEvent<'_>) -> T) -> T {
    let progress = OnceLock::new();
    let done = work(&|event| match event {
        Event::Connecting { connector } => {
            progress.get_or_init(|| Progress::new(&context.printer, connector.as_str()));
        }
        Event::Warehouse(event) => {
            if let Some(progress) = progress.get() {
                progress.on_warehouse(event);
            }
        }
        event => context.tell(event),
    });
    if let Some(progress) = progress.into_inner() {
        progress.finish();
    }
    done
}

impl RefreshArgs {
    /// Brings the evidence up to date and says what was asked for it; nothing where that is not wanted.
    pub(crate) fn refresh(
        &self,
        context: &Context,
        connector: &Connector,
        suite: &SuiteArgs,
    ) -> Result<Option<Recorded>, CliError> {
        if !self.refresh {
            return Ok(None);
        }
        let run = context.interruptible()?;
        let options = suite.options(SuiteSection::ALL);
        let refreshed = with_progress(context, |on_event| {
            refresh::refresh(connector, &options, run, on_event)
        })?;
        if refreshed.recorded.report.interrupted {
            return Ok(Some(refreshed.recorded));
        }
        context.printer.say(match refreshed.asked {
            Asked::Lacking(0) => "nothing was asked: the evidence holds every answer".to_owned(),
            Asked::Lacking(count) => format!(
                "{} asked, every other answer is from the evidence",
                counted(count, "statement")
            ),
            Asked::Everything(why) => format!("everything was asked: {why}"),
        });
        Ok(Some(refreshed.recorded))
    }
}
