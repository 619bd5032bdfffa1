//! `bowline new`: a new connector, from a dialect pack, from what is known of an orchestrator, or with code of its own.

mod pipeline;
mod skills;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_connector::{Credentials, Workspace};
use bowline_contract::ConnectorName;
use bowline_contract::layout::{CONNECTOR_FILE, CREDENTIALS_FILE, PYTHON_FILE};
use bowline_driver::{AdbcLibrary, DriverKind};
use bowline_installer::{InstallState, catalogue, driver_folder, install_state};
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::{
    AskedDriver, Scaffold, Scaffolded, is_reached_from_python, pack_with_driver,
};
use bowline_words::listed;
use bowline_words::nearest::hint_or;
use dialoguer::console::{Term, truncate_str};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, Select};

use super::fit::FitArgs;
use super::{explain, schema};
use crate::complete;
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
                  bowline new exotic --dialect ansi --driver odbc --credentials exotic.json --fit\n  bowline new nightly --pipeline --like prefect\n  bowline new nightly --pipeline --openapi vendor.yaml"
)]
pub(crate) struct NewArgs {
    /// The connector's name: letters, digits and `_`
    name: Option<String>,
    /// The dialect pack to start from
    #[arg(long, value_name = "DIALECT", add = complete::dialects())]
    dialect: Option<String>,
    /// The driver, when it is not the dialect's own: one of `bowline driver list` (`postgresql` is PostgreSQL's through
    /// ADBC), `odbc`, `odbc:` and the name of a data source, or a library's path
    #[arg(long, value_name = "DRIVER", add = complete::asked_drivers())]
    driver: Option<AskedDriver>,
    /// Write code of its own, for a database that no driver reaches or an orchestrator that no description fits
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "driver")]
    lang: Option<Language>,
    /// Take the credentials from this file; without it, credentials.json has places to fill in
    #[arg(long, value_name = "FILE", conflicts_with = "pipeline")]
    credentials: Option<PathBuf>,
    /// Then find the templates that the dialect pack does not have, as `bowline fit` does
    #[arg(long, conflicts_with_all = ["lang", "pipeline"])]
    fit: bool,
    #[command(flatten)]
    pipeline: pipeline::PipelineArgs,
    /// Write what an assistant needs to know about Bowline into the workspace, and no connector
    #[arg(long, conflicts_with_all = ["name", "dialect", "driver", "lang", "credentials", "fit"])]
    skills: bool,
}

/// What `--driver` calls the machine's ODBC driver manager.
pub(crate) const ODBC: &str = "odbc";

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
        if self.skills {
            return skills::write(context);
        }
        let asking = context.printer.can_ask();
        let _on_stop = if asking {
            Some(context.interruptible()?.on_stop(show_cursor))
        } else {
            None
        };
        let ended = self.make(context, asking)?;
        if asking && ended == Ended::Fine {
            skills::offer(context)?;
        }
        Ok(ended)
    }

    /// Makes the connector, and asks what was not said.
    fn make(&self, context: &Context, asking: bool) -> Result<Ended, CliError> {
        let name = match &self.name {
            Some(typed) => taken(context, typed)?,
            None if asking => taken(context, &ask_name()?)?,
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
        let credentials = self.given_credentials(context)?;
        if self.fit && credentials.is_none() && !asking {
            return Err(CliError::usage(
                "a connector without credentials cannot be fitted",
                "name the file that holds them with `--credentials`",
            ));
        }
        let dialect = match (&self.dialect, &self.driver, self.lang) {
            (None, None, None) if asking => Some(ask_dialect(context)?),
            (Some(name), ..) => Some(explain::pack(context, name)?),
            (None, ..) => None,
        };
        let is_open = self.driver.is_none() && self.lang.is_none();
        let (driver, lang) = if asking && is_open && dialect.as_deref().is_some_and(is_of_no_engine)
        {
            let driver = ask_driver()?;
            let lang = driver.is_none().then_some(Language::Python);
            (driver, lang)
        } else {
            (self.driver.clone(), self.lang)
        };
        let workspace = Workspace::find(&context.directory)?;
        let driver = driver
            .map(|driver| asked_driver(context, &workspace, driver))
            .transpose()?;
        let driver = driver.as_ref();
        let language = lang.or_else(|| language_of(dialect.as_deref(), driver));
        let plan = match language {
            None => Scaffold::plan(name, dialect, driver)?,
            Some(Language::Python) => Scaffold::in_python(name, dialect),
            Some(Language::Rust) => Scaffold::in_rust(name, dialect),
        };
        let is_open = credentials.is_none();
        let pack = plan.dialect.clone();
        let scaffolded = plan.with_credentials(credentials).write(&workspace)?;
        schema::write_into(&workspace)?;
        let connector = &scaffolded.connector;
        let steps = steps(context, &scaffolded, (language, pack.as_deref()), is_open);
        let files = scaffolded.files.iter().chain(&scaffolded.ignore_file);
        if !self.fit {
            tell(context, &connector.name, files, &steps)?;
            return Ok(Ended::Fine);
        }
        tell(context, &connector.name, files, &[])?;
        if is_open {
            let file = connector.dir.join(CREDENTIALS_FILE);
            let question = format!("Fill in {}. Is it done?", context.shown(&file).display());
            let theme = ColorfulTheme::default();
            let asked = Confirm::with_theme(&theme)
                .with_prompt(question)
                .default(true);
            if !asked.interact().map_err(unanswered)? {
                return Ok(Ended::Fine);
            }
        }
        FitArgs::whole(&connector.name).exec(context)
    }

    /// The text of the file with the credentials, where one is named.
    fn given_credentials(&self, context: &Context) -> Result<Option<String>, CliError> {
        let Some(file) = &self.credentials else {
            return Ok(None);
        };
        let path = context.path(file);
        let credentials = Credentials::read(&path)?;
        Ok(Some(format!("{:#}\n", credentials.document())))
    }
}

/// A driver that somebody asked for, as a connector's folder names it.
///
/// # Errors
/// When it has a name that nobody knows.
pub(crate) fn asked_driver(
    context: &Context,
    workspace: &Workspace,
    driver: AskedDriver,
) -> Result<AskedDriver, CliError> {
    is_known(&driver)?;
    Ok(from_connector(context, workspace, driver))
}

/// Refuses the name of a driver that nobody knows.
fn is_known(driver: &AskedDriver) -> Result<(), CliError> {
    let AskedDriver::Named(name) = driver else {
        return Ok(());
    };
    if pack_with_driver(driver).is_some() || catalogue::find(name).is_some() {
        return Ok(());
    }
    let names = catalogue::catalogue().iter().map(|entry| entry.name);
    let names = names.chain([ODBC]);
    Err(CliError::usage(
        format!("unknown driver: `{name}`"),
        hint_or(name, names.clone(), || {
            let drivers = listed(names);
            format!("drivers are {drivers}; any other is named by its library's path")
        }),
    ))
}

/// A driver as a connector's folder names it: paths begin there, and not where the program was started.
fn from_connector(context: &Context, workspace: &Workspace, driver: AskedDriver) -> AskedDriver {
    let AskedDriver::Library(path) = driver else {
        return driver;
    };
    let whole = context.path(Path::new(&path));
    let path = match whole.strip_prefix(workspace.root()) {
        Ok(inside) => Path::new("../..").join(inside),
        Err(_) => whole,
    };
    AskedDriver::Library(path.display().to_string())
}

/// The language a connector has to be written in, where no driver reaches the dialect's engine.
fn language_of(dialect: Option<&Pack>, driver: Option<&AskedDriver>) -> Option<Language> {
    (driver.is_none() && dialect?.needs_python()).then_some(Language::Python)
}

/// A question that is interrupted leaves the cursor hidden.
fn show_cursor() {
    // Nothing is lost when the terminal no longer listens.
    let _ = Term::stderr().show_cursor();
}

/// The name that a connector gets from what was typed; told when it reads otherwise.
fn taken(context: &Context, typed: &str) -> Result<ConnectorName, CliError> {
    let name = ConnectorName::parse(typed).map_err(CliError::Name)?;
    if name.as_str() != typed {
        context.printer.say(format!(
            "`{typed}` is called `{name}`: names are small letters, digits and `_`"
        ));
    }
    Ok(name)
}

fn ask_name() -> Result<String, CliError> {
    Input::with_theme(&ColorfulTheme::default())
        .with_prompt("What is the connector's name?")
        .validate_with(|typed: &String| match ConnectorName::parse(typed) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.problem.to_string()),
        })
        .interact_text()
        .map_err(unanswered)
}

/// Whether a pack belongs to no engine in particular, so that nothing says how the database is reached.
fn is_of_no_engine(pack: &Pack) -> bool {
    pack.scaffold.is_none()
}

/// Asks how a database is reached that no pack knows: the driver, or none where code of its own does it.
fn ask_driver() -> Result<Option<AskedDriver>, CliError> {
    const PYTHON: &str = "python";
    let drivers = catalogue::catalogue().iter();
    let choices: Vec<(&str, &str)> = [
        (ODBC, "a data source of this machine"),
        (PYTHON, "a Python package"),
    ]
    .into_iter()
    .chain(drivers.map(|entry| (entry.name, entry.title)))
    .collect();
    let lines: Vec<String> = choices
        .iter()
        .map(|(name, what)| format!("{name:<12} {what}"))
        .collect();
    let chosen = Select::with_theme(&ColorfulTheme::default())
        .with_prompt("How is it reached?")
        .items(&lines)
        .default(0)
        .interact_opt()
        .map_err(unanswered)?;
    let chosen = chosen.and_then(|position| choices.get(position));
    let (name, _) = chosen.ok_or(CliError::Interrupted)?;
    if *name == PYTHON {
        return Ok(None);
    }
    let Ok(driver) = name.parse();
    Ok(Some(driver))
}

fn ask_dialect(context: &Context) -> Result<Arc<Pack>, CliError> {
    let own = explain::of_workspace(&context.directory);
    let others = Pack::all().iter().filter(|pack| is_of_no_engine(pack));
    let packs: Vec<_> = Pack::engines()
        .cloned()
        .chain(own)
        .chain(others.cloned())
        .collect();
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
        .cloned()
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

/// What comes next.
fn steps(
    context: &Context,
    scaffolded: &Scaffolded,
    (language, pack): (Option<Language>, Option<&Pack>),
    lacks_credentials: bool,
) -> Vec<(String, &'static str)> {
    let connector = &scaffolded.connector;
    let credentials = connector.dir.join(CREDENTIALS_FILE);
    let mut steps = Vec::new();
    if lacks_credentials {
        steps.push((
            format!("fill in {}", context.shown(&credentials).display()),
            "it is kept out of git",
        ));
    }
    let place = context.shown(&connector.dir);
    let is_adbc = matches!(connector.driver.kind, DriverKind::Adbc { .. });
    if is_adbc && !connector.driver.has_options() {
        steps.push((
            format!(
                "fill in [driver.options] in {}",
                place.join(CONNECTOR_FILE).display()
            ),
            "only what is named there reaches the driver",
        ));
    }
    match (&connector.driver.kind, language) {
        (_, Some(Language::Python)) if pack.is_some_and(is_reached_from_python) => {}
        (_, Some(Language::Python)) => steps.push((
            format!("write {}", place.join(PYTHON_FILE).display()),
            "how the database is reached",
        )),
        (_, Some(Language::Rust)) => {
            steps.extend(rust_steps(place, "how the database is reached"));
            steps.push((
                format!("bowline protocol check {}", connector.name),
                "asks the program what the protocol asks",
            ));
        }
        (
            DriverKind::Adbc {
                library: AdbcLibrary::Named(driver),
                ..
            },
            None,
        ) if !is_installed(driver) => steps.push((
            format!("bowline driver install {driver}"),
            "unless you have it",
        )),
        _ => {}
    }
    let is_spelled = |pack: &Pack| !is_of_no_engine(pack) || pack.dir().is_some();
    if !pack.is_some_and(is_spelled) {
        steps.push((
            format!("bowline fit {}", connector.name),
            "finds the templates, each proven against the database",
        ));
    }
    steps.push((
        format!("bowline test {}", connector.name),
        "proves it against the database",
    ));
    steps
}

/// Whether `bowline driver install` would find a driver in its place.
fn is_installed(driver: &str) -> bool {
    let place = catalogue::find(driver).zip(driver_folder());
    place.is_some_and(|(entry, folder)| {
        let state = install_state(entry, &folder);
        !matches!(state, InstallState::Missing | InstallState::Broken { .. })
    })
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
    if !steps.is_empty() {
        printer.say(format!("\n{}", paint(HINT, "next:")));
    }
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
