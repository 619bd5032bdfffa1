//! `bowline pack`: a proven connector's templates as a dialect pack that others extend.

use bowline_conformance::{Tier, Verdict};
use bowline_connector::Workspace;
use bowline_contract::{AssetClass, ConnectorName, SuiteSection};
use bowline_warehouse::dialect::{NewPack, Pack};
use bowline_words::{Diagnose as _, counted, listed, visible};
use bowline_workbench::{WorkbenchError, warehouse};

use super::schema;
use super::test::{SuiteArgs, prove, written};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::listing::Listing;
use crate::named::{self, NamedConnector};
use crate::report::{self, Format, Next};
use crate::style::{GOOD, HINT, STRONG, paint};

/// Prove a connector with the whole suite and write its templates as a dialect pack that others extend.
///
/// Writes `packs/<name>/`: what differs from the pack that the program brings, each template with how it was proven, what
/// the database does not have as `false`, the server and the day, and the connector.toml that a new connector starts
/// with. No credentials go in. Nothing is written where a template is wrong.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline pack shop --name exasol\n  bowline new sales --dialect exasol\n  bowline pack --list\n\nA pack of somebody else's: `git submodule add URL packs/NAME`, or `git clone URL packs/NAME`."
)]
#[command(mut_args(named::warehouses))]
pub(crate) struct PackArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The pack's name; without it, the connector's
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace a pack of that name
    #[arg(long)]
    replace: bool,
    /// List the packs that the program brings and those of the workspace, with the servers they are proven on
    #[arg(long, conflicts_with_all = ["connector", "named", "name", "replace"])]
    list: bool,
    #[command(flatten)]
    suite: SuiteArgs,
}

impl PackArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        if self.list {
            context.printer.text(&list(context)?)?;
            return Ok(Ended::Fine);
        }
        let found = context.locate(self.connector.name(), Some(AssetClass::Warehouse))?;
        let connector = warehouse::load(&found, &|event| context.tell(event))?;
        let name = self.name.as_deref().unwrap_or(connector.name.as_str());
        let name = ConnectorName::parse(name).map_err(CliError::Name)?;
        let workspace = Workspace::find(&connector.dir)?;
        let folder = NewPack::folder(&workspace, &name, self.replace);
        let folder = folder.map_err(WorkbenchError::from)?;
        let report = prove(context, &connector, SuiteSection::ALL, &self.suite)?.report;
        let written = written(context, &connector, &report);
        Kept::of(&found.dir, found.class, found.name.as_str())?.keep(context, &written);
        report::write(&context.printer, &written, Format::Human, Next::Nothing)?;
        let templates = report.templates.iter();
        let wrong = templates.filter(|found| found.verdict == Some(Verdict::Wrong));
        let wrong: Vec<&str> = wrong.map(|found| found.template.short_name()).collect();
        let refused = warehouse::refused(&connector, &report).into_iter();
        let refused: Vec<&str> = refused.map(|found| found.template.short_name()).collect();
        let why = if report.interrupted {
            Some((Ended::Interrupted, "the run was stopped".to_owned()))
        } else if report.tier != Tier::Strict {
            let why = "a pack rests on the strict tier";
            Some((Ended::FellShort, why.to_owned()))
        } else if !wrong.is_empty() {
            let why = format!("{} wrong: {}", is_or_are(wrong.len()), listed(wrong));
            Some((Ended::FellShort, why))
        } else if let Some(first) = refused.first() {
            let why = format!(
                "the database refuses {}\n{} mend it, or write `{first} = false` in templates.toml where the database does not have it",
                listed(&refused),
                paint(HINT, "hint:")
            );
            Some((Ended::FellShort, why))
        } else {
            None
        };
        if let Some((ended, why)) = why {
            context.printer.say(format!("nothing was packed: {why}"));
            return Ok(ended);
        }
        let (pack, files) = warehouse::pack(&connector, &report, &name, folder)?;
        schema::write_into(&workspace)?;
        context.printer.say(format!(
            "{} dialect pack {}, proven on {}",
            paint(GOOD, "✓"),
            paint(STRONG, &pack.name),
            visible(&pack.proven_on())
        ));
        for file in files {
            context
                .printer
                .say(format!("  {}", context.shown(&file).display()));
        }
        let more = match &pack.scaffold {
            Some(_) => "",
            None if connector.is_in_python() => " --lang python",
            // Its driver is a file or program of its own.
            None => " --driver DRIVER",
        };
        context.printer.say(format!(
            "{} run `bowline new NAME --dialect {name}{more}`, or write `extends = \"{name}\"` under `[dialect]` in a connector.toml",
            paint(HINT, "next:")
        ));
        Ok(Ended::Fine)
    }
}

fn is_or_are(templates: usize) -> String {
    let verb = if templates == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(templates, "template"))
}

/// The packs there are; those of the workspace that cannot be read with the reason.
fn list(context: &Context) -> Result<String, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    let mut page = Listing::default();
    let mut tell = |pack: &Pack| {
        let base = pack.base().map(|base| format!(", extends {}", base.name));
        page.line(format!(
            "{}  {}",
            paint(STRONG, &pack.name),
            visible(&pack.facts.description)
        ));
        let place = pack
            .dir()
            .map(|dir| format!(", in {}", context.shown(dir).display()));
        let words = format!(
            "proven on {}{}{}",
            pack.proven_on(),
            base.unwrap_or_default(),
            place.unwrap_or_default()
        );
        page.prose("  ", "  ", &words);
    };
    for pack in Pack::all() {
        tell(pack);
    }
    for folder in Pack::folders(&workspace) {
        match Pack::load(&folder) {
            Ok(pack) => tell(&pack),
            Err(error) => context.printer.say(error.diagnose()),
        }
    }
    Ok(page.finish())
}
