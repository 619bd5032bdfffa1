//! `bowline convert`: a declarative connector from one in Python, kept only when both prove to be the same.

use std::collections::BTreeMap;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{CheckId, Report};
use bowline_connector::Workspace;
use bowline_contract::layout::PYTHON_FILE;
use bowline_contract::{ConnectorName, SuiteSection};
use bowline_warehouse::{AskedDriver, Scaffold, Scaffolded};
use bowline_workbench::{Event, WorkbenchError, warehouse};

use crate::command::new::asked_driver;
use crate::command::test::{SuiteArgs, prove};
use crate::command::{explain, schema};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::named::{self, NamedConnector};
use crate::style::{BAD, GOOD, STRONG, paint};

/// Turn a connector in Python into a declarative one.
///
/// Writes what differs from a dialect pack, reaches the database with a driver of Bowline's, and runs the suite over
/// both. Only when every check but those of the Python driver itself comes to the same verdict is the new connector
/// kept, next to the old one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bowline convert sales --dialect postgres --credential database=dbname"
)]
#[command(mut_args(named::warehouses))]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The dialect pack to start from
    #[arg(long, value_name = "DIALECT", add = complete::dialects())]
    dialect: Option<String>,
    /// The driver, when it is not the dialect's own
    #[arg(long, value_name = "DRIVER", add = complete::asked_drivers())]
    driver: Option<AskedDriver>,
    /// The new connector's name; without it, the old one's with `_declarative` behind
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// What the old connector calls a credential that the new one wants; may be given several times
    #[arg(long = "credential", value_name = "NEW=OLD", value_parser = renamed)]
    credentials: Vec<(String, String)>,
    #[command(flatten)]
    suite: SuiteArgs,
}

fn renamed(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.to_owned(), theirs.to_owned()))
        }
        _ => Err("write it as `NEW=OLD`".to_owned()),
    }
}

/// A check on which the two connectors differ.
struct Difference {
    check: CheckId,
    old: Option<Verdict>,
    new: Option<Verdict>,
}

impl ConvertArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let old = context.warehouse(self.connector.name())?;
        let tell = |event: Event<'_>| context.tell(event);
        if !old.dir.join(PYTHON_FILE).is_file() || old.dialect.is_some() {
            return Err(CliError::usage(
                format!("connector `{}` is not in Python", old.name),
                "only connectors in Python can be converted",
            ));
        }
        let into = match &self.into {
            Some(name) => name.clone(),
            None => format!("{}_declarative", old.name),
        };
        let into = ConnectorName::parse(&into).map_err(CliError::Name)?;
        let connect_args = warehouse::credentials(&old, &tell)?.connect_args().clone();
        let workspace = Workspace::find(&context.directory)?;
        let driver = self.driver.clone();
        let driver = driver
            .map(|driver| asked_driver(context, &workspace, driver))
            .transpose()?;
        let dialect = self.dialect.as_ref();
        let dialect = dialect
            .map(|name| explain::pack(context, name))
            .transpose()?;
        let draft = Scaffold::plan(into, dialect, driver.as_ref())?
            .converting(&old, &connect_args, &self.credentials)
            .draft(&workspace)?;
        warehouse::credentials(&draft.connector, &tell).map_err(|error| match error {
            WorkbenchError::CredentialsCheck { source, .. } => CliError::usage(
                format!(
                    "the credentials of `{}` are not those the dialect wants: {source}",
                    old.name
                ),
                "say what they are called there with `--credential NEW=OLD`",
            ),
            error => error.into(),
        })?;

        let mut reports = Vec::new();
        for connector in [&old, &draft.connector] {
            let report = prove(context, connector, SuiteSection::ALL, &self.suite)?.report;
            if report.interrupted {
                return Ok(Ended::Interrupted);
            }
            reports.push(report);
        }
        let found = differences(&reports[0], &reports[1]);
        if !found.is_empty() {
            context.printer.text(&told(&found))?;
            context
                .printer
                .say("nothing is kept; mend the old connector, or try another dialect or driver");
            return Ok(Ended::FellShort);
        }
        let compared = verdicts(&reports[0]).len();
        let kept = draft.keep()?;
        schema::write_into(&workspace)?;
        report(context, &kept, compared)?;
        Ok(Ended::Fine)
    }
}

/// The verdicts on a connector's templates: all but those on its connection, which is another's.
fn verdicts(report: &Report) -> BTreeMap<&CheckId, Verdict> {
    report
        .checks
        .iter()
        .filter(|check| check.check.section != SuiteSection::Connection)
        .map(|check| (&check.check.id, check.outcome.verdict()))
        .collect()
}

fn differences(old: &Report, new: &Report) -> Vec<Difference> {
    let (old, new) = (verdicts(old), verdicts(new));
    let mut checks: Vec<&CheckId> = old.keys().chain(new.keys()).copied().collect();
    checks.sort();
    checks.dedup();
    checks
        .into_iter()
        .map(|check| Difference {
            check: check.clone(),
            old: old.get(check).copied(),
            new: new.get(check).copied(),
        })
        .filter(|difference| difference.old != difference.new)
        .collect()
}

fn told(differences: &[Difference]) -> String {
    let name = |verdict: Option<Verdict>| verdict.map_or("not asked", Verdict::name);
    let mut text = format!(
        "{} the two connectors differ on {} checks\n",
        paint(BAD, "✗"),
        differences.len()
    );
    for difference in differences {
        text.push_str(&format!(
            "  {}: {} in Python, {} as declared\n",
            difference.check,
            name(difference.old),
            name(difference.new)
        ));
    }
    text
}

fn report(context: &Context, made: &Scaffolded, compared: usize) -> Result<(), CliError> {
    let mut text = format!(
        "{} new connector {}: the same verdicts on {compared} checks\n",
        paint(GOOD, "✓"),
        paint(STRONG, &made.connector.name)
    );
    for file in made.files.iter().chain(&made.ignore_file) {
        text.push_str(&format!("  {}\n", context.shown(file).display()));
    }
    context.printer.text(&text)
}
