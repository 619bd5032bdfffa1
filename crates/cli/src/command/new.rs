//! `bowline new`: a new connector, from a dialect pack, from what is known of an orchestrator, or with code of its own.

mod pipeline;

use std::path::{Path, PathBuf};

use bowline_connector::Workspace;
use bowline_contract::ConnectorName;
use bowline_contract::layout::{CREDENTIALS_FILE, PYTHON_FILE};
use bowline_driver::{AdbcLibrary, DriverKind};
use bowline_installer::catalogue;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::{Scaffold, Scaffolded};
use dialoguer::console::{Term, truncate_str};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Input, Select};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::style::{GOOD, HINT, QUIET, STRONG, paint};

pub(crate) use pipeline::web_address;

/// Start a new connector.
///
/// Writes `connectors/<name>/`, or with `--pipeline` `etl_connectors/<name>/`, and loads it again to be sure that it is
/// valid. Nothing is overwritten. At a terminal, what you leave out is asked for.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline new sales --dialect postgres\n  bowline new sales --lang python\n  \
                  bowline new nightly --pipeline --like prefect\n  bowline new nightly --pipeline --openapi vendor.yaml"
)]
pub(crate) struct NewArgs {
    /// The connector's name: letters, digits and `_`
    name: Option<String>,
    /// The dialect pack to start from
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
    /// The driver, when it is not the dialect's own
    #[arg(long, value_name = "DRIVER")]
    driver: Option<String>,
    /// Write code of its own, for a database that no driver reaches or an orchestrator that no description fits
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "driver")]
    lang: Option<Language>,
    #[command(flatten)]
    pipeline: pipeline::PipelineArgs,
}

/// The languages a connector can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// A connector.py
    Python,
    /// A Cargo project with the SDK
    Rust,
}

impl NewArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let asking = context.printer.can_ask();
        let _on_stop = if asking {
            Some(context.interruptible()?.on_stop(show_cursor))
        } else {
            None
        };
        let name = match &self.name {
            Some(name) => ConnectorName::parse(name).map_err(CliError::Name)?,
            None if asking => ask_name()?,
            None => {
                return Err(CliError::usage(
                    "the connector has no name",
                    if self.pipeline.is_asked() {
                        "run `bowline new <name> --pipeline`"
                    } else {
                        "run `bowline new <name> --dialect <dialect>`"
                    },
                ));
            }
        };
        if self.pipeline.is_asked() {
            return self.pipeline.exec(context, name, self.lang, asking);
        }
        let dialect = match (&self.dialect, &self.driver, self.lang) {
            (None, None, None) if asking => Some(ask_dialect()?),
            (dialect, ..) => dialect.clone(),
        };
        let dialect = dialect.as_deref();
        let workspace = Workspace::find(&context.directory)?;
        let plan = match self.lang {
            None => Scaffold::plan(name, dialect, self.driver.as_deref()),
            Some(Language::Python) => Scaffold::in_python(name, dialect),
            Some(Language::Rust) => Scaffold::in_rust(name, dialect),
        };
        let scaffolded = plan?.write(&workspace)?;
        report(context, &scaffolded, self.lang)?;
        Ok(Ended::Fine)
    }
}

/// A question that is interrupted leaves the cursor hidden.
fn show_cursor() {
    // Nothing is lost when the terminal no longer listens.
    let _ = Term::stderr().show_cursor();
}

fn ask_name() -> Result<ConnectorName, CliError> {
    let typed: String = Input::with_theme(&ColorfulTheme::default())
        .with_prompt("What is the connector's name?")
        .validate_with(|typed: &String| match ConnectorName::parse(typed) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.problem.to_string()),
        })
        .interact_text()
        .map_err(unanswered)?;
    ConnectorName::parse(&typed).map_err(CliError::Name)
}

fn ask_dialect() -> Result<String, CliError> {
    let packs: Vec<_> = Pack::engines().collect();
    // A line that wraps is drawn again and again. The prompt puts two columns before it.
    let width = Term::stderr().size_checked().map(|(_, columns)| columns);
    let width = width.map_or(usize::MAX, |columns| usize::from(columns).saturating_sub(4));
    let lines: Vec<String> = packs
        .iter()
        .map(|pack| format!("{:<10} {}", pack.name, pack.facts.description))
        .map(|line| truncate_str(&line, width, "…").into_owned())
        .collect();
    let chosen = Select::with_theme(&ColorfulTheme::default())
        .with_prompt("Which dialect does its database speak?")
        .items(&lines)
        .default(0)
        .interact_opt()
        .map_err(unanswered)?;
    chosen
        .and_then(|position| packs.get(position))
        .map(|pack| pack.name.to_owned())
        .ok_or(CliError::Interrupted)
}

pub(crate) fn unanswered(error: dialoguer::Error) -> CliError {
    let dialoguer::Error::IO(error) = error;
    show_cursor();
    match error.kind() {
        std::io::ErrorKind::Interrupted => CliError::Interrupted,
        _ => CliError::Input(error),
    }
}

/// Says what was written, and what comes next.
fn report(
    context: &Context,
    scaffolded: &Scaffolded,
    language: Option<Language>,
) -> Result<(), CliError> {
    let connector = &scaffolded.connector;
    let credentials = connector.dir.join(CREDENTIALS_FILE);
    let mut steps = vec![(
        format!("fill in {}", context.shown(&credentials).display()),
        "it is kept out of git",
    )];
    let place = context.shown(&connector.dir);
    match (&connector.driver.kind, language) {
        (_, Some(Language::Python)) => steps.push((
            format!("write {}", place.join(PYTHON_FILE).display()),
            "how the database is reached, and its templates",
        )),
        (_, Some(Language::Rust)) => {
            steps.extend(rust_steps(place, "how the database is reached"));
            steps.push((
                format!("bowline protocol check -c {}", connector.name),
                "asks the program what the protocol asks",
            ));
        }
        (
            DriverKind::Adbc {
                library: AdbcLibrary::Named(driver),
                ..
            },
            None,
        ) => match catalogue::find(driver) {
            Some(_) => steps.push((
                format!("bowline driver install {driver}"),
                "unless you have it",
            )),
            None => steps.push((
                format!("install the driver {driver}"),
                "`bowline driver list` has none of that name",
            )),
        },
        _ => {}
    }
    steps.push((
        format!("bowline test {}", connector.name),
        "proves it against the database",
    ));
    let files = scaffolded.files.iter().chain(&scaffolded.ignore_file);
    tell(context, &connector.name, files, &steps)
}

/// What is done with a Cargo project.
fn rust_steps(place: &Path, what: &'static str) -> [(String, &'static str); 2] {
    [
        (
            format!("write {}", place.join("src/main.rs").display()),
            what,
        ),
        (
            format!(
                "cargo build --release --manifest-path {}",
                place.join("Cargo.toml").display()
            ),
            "makes its program",
        ),
    ]
}

/// Lists the files of a new connector, and the steps that come next with the reason for each.
fn tell<'f>(
    context: &Context,
    name: &ConnectorName,
    files: impl Iterator<Item = &'f PathBuf>,
    steps: &[(String, &str)],
) -> Result<(), CliError> {
    let printer = &context.printer;
    let mut text = format!(
        "{} new connector {}\n",
        paint(GOOD, "✓"),
        paint(STRONG, name)
    );
    for file in files {
        text.push_str(&format!("  {}\n", context.shown(file).display()));
    }
    printer.text(&text)?;
    printer.say(format!("\n{}", paint(HINT, "next:")));
    let width = steps
        .iter()
        .map(|(step, _)| step.chars().count())
        .max()
        .unwrap_or_default();
    for (step, why) in steps {
        printer.say(format!("  {step:<width$}  {}", paint(QUIET, why)));
    }
    Ok(())
}
