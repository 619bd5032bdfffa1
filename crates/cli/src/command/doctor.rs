//! `bowline doctor`: what is here, what is missing, and how to mend it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bowline_connector::{Credentials, Located, find_python};
use bowline_contract::{AssetClass, Template};
use bowline_driver::{Connection, Limits};
use bowline_image::engine::Engine;
use bowline_installer::{InstallState, catalogue, driver_folder, install_state};
use bowline_pipeline::Opening;
use bowline_process::find_program;
use bowline_query::{Clock, Composer, Expressions, Rows};
use bowline_warehouse::Connector;
use bowline_warehouse::template::Origin;
use bowline_words::{Diagnose, Seconds, listed, visible};
use bowline_workbench::{Run, WorkbenchError, pipeline, warehouse};
use jiff::Timestamp;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::named::NamedConnector;
use crate::style::{BAD, GOOD, OPEN, paint};
use crate::terminal::waiting;

/// How long a program may take to say whether it can work, and a database to answer a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// By how much a database's clock may be off before it is told, in seconds.
const APART: f64 = 5.0;

/// See what is here, what is missing, and how to mend it.
///
/// Looks at package clients, Python, drivers and container engines; with a connector at its files, its credentials, its
/// connection and the database's clock too.
#[derive(Debug, clap::Args)]
#[command(mut_arg("connector", |argument| argument.help("A connector to look at")))]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    connector: NamedConnector,
}

/// How it is with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All is well.
    Well,
    /// Something is missing that not everybody needs.
    Missing,
    /// It was not asked, or gave no answer.
    Open,
    /// Something must be mended.
    Ill,
}

/// One thing, and how it is with it.
struct Finding {
    state: State,
    thing: &'static str,
    detail: String,
    mend: Option<String>,
    /// What is laid out in lines of its own: where it stands, and single mistakes with their hints.
    shown: String,
}

impl Finding {
    fn well(thing: &'static str, detail: impl Into<String>) -> Self {
        Self {
            state: State::Well,
            thing,
            detail: detail.into(),
            mend: None,
            shown: String::new(),
        }
    }

    fn missing(thing: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            state: State::Missing,
            mend: Some(mend.into()),
            ..Self::well(thing, detail)
        }
    }

    fn ill(thing: &'static str, error: &impl Diagnose) -> Self {
        let told = error.diagnose();
        let (mut shown, causes): (Vec<String>, Vec<String>) = told
            .causes
            .iter()
            .cloned()
            .partition(|cause| cause.contains('\n'));
        shown.push(told.listing());
        let what = told
            .what
            .lines()
            .chain(causes.iter().map(|cause| cause.trim()));
        Self {
            state: State::Ill,
            thing,
            detail: what.collect::<Vec<_>>().join("; "),
            mend: told.hints.first().cloned(),
            shown: shown.join("\n"),
        }
    }
}

impl DoctorArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let mut found = vec![
            Finding::well("bowline", env!("BOWLINE_VERSION")),
            clients(),
            python(),
            drivers(),
            engines(),
        ];
        if self.connector.name().is_some() {
            let located = context.locate(self.connector.name(), None)?;
            found.extend(match located.class {
                AssetClass::Warehouse => of_warehouse(context, &located),
                AssetClass::Pipeline => of_pipeline(context, &located, context.interruptible()?),
            });
        }
        let short = |text: &str| context.printer.with_short_paths(text);
        context.printer.text(&page(&found, short))?;
        let is_ill = found.iter().any(|finding| finding.state == State::Ill);
        Ok(if is_ill {
            Ended::FellShort
        } else {
            Ended::Fine
        })
    }
}

fn page(found: &[Finding], short: impl Fn(&str) -> String) -> String {
    let width = found.iter().map(|finding| finding.thing.len()).max();
    let width = width.unwrap_or_default();
    let mut page = Listing::default();
    for finding in found {
        let sign = match finding.state {
            State::Well => paint(GOOD, "✓"),
            State::Missing => paint(OPEN, "-"),
            State::Open => paint(OPEN, "?"),
            State::Ill => paint(BAD, "✗"),
        };
        let first = format!("{sign} {:<width$}  ", finding.thing);
        let others = " ".repeat(width + 4);
        page.prose(&first, &others, &short(&finding.detail));
        for line in short(&finding.shown).lines() {
            page.line(format!("{others}{}", visible(line)));
        }
        if let Some(mend) = &finding.mend {
            page.prose(&others, &others, &format!("hint: {mend}"));
        }
    }
    page.finish()
}

fn clients() -> Finding {
    let there: Vec<&str> = ["npm", "pip", "pip3", "uv"]
        .into_iter()
        .filter(|name| find_program(name).is_some())
        .collect();
    if there.is_empty() {
        return Finding::missing(
            "packages",
            "no `npm`, `pip` or `uv`",
            "install one of them to install drivers; `bowline driver install --archive` takes a file",
        );
    }
    Finding::well(
        "packages",
        format!("{} for drivers and wheels", there.join(", ")),
    )
}

fn python() -> Finding {
    let Some(python) = find_python() else {
        return Finding::missing(
            "Python",
            "none, which only connectors in Python need",
            "install Python 3.9 or newer for them",
        );
    };
    match version(&python) {
        Some(version) => Finding::well("Python", format!("{version} at {}", python.display())),
        None => Finding::missing(
            "Python",
            format!(
                "{} does not say its version within {}",
                python.display(),
                Seconds(PATIENCE)
            ),
            format!("see what `{} --version` does", python.display()),
        ),
    }
}

/// What a program says its version is; a program that does not answer is ended.
fn version(program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut said = String::new();
        // Nobody listens any more where it took too long.
        let _ = stdout.read_to_string(&mut said);
        let _ = sender.send(said);
    });
    let said = receiver.recv_timeout(PATIENCE);
    // One that has ended by itself is no news.
    let _ = child.kill();
    let _ = child.wait();
    let said = said.ok()?.trim().to_owned();
    (!said.is_empty()).then_some(said)
}

fn drivers() -> Finding {
    let Some(folder) = driver_folder() else {
        return Finding::missing(
            "drivers",
            "no folder for them",
            "name one with BOWLINE_DRIVER_DIR",
        );
    };
    let mut there = vec!["postgres and sqlite (compiled in)".to_owned()];
    let mut broken = Vec::new();
    for entry in catalogue::catalogue() {
        match install_state(entry, &folder) {
            InstallState::Missing => {}
            InstallState::Current(installed)
            | InstallState::Outdated(installed)
            | InstallState::Foreign(installed) => {
                there.push(format!("{} {}", entry.name, installed.version));
            }
            InstallState::Broken { .. } => broken.push(entry.name),
        }
    }
    if let Some(name) = broken.first() {
        return Finding {
            state: State::Ill,
            mend: Some(format!("run `bowline driver install {name}`")),
            ..Finding::well("drivers", format!("broken: {}", listed(&broken)))
        };
    }
    Finding::well("drivers", there.join(", "))
}

/// Container engines: a daemon that does not answer is not waited for.
fn engines() -> Finding {
    let (sender, receiver) = channel();
    for engine in Engine::ALL {
        let sender = sender.clone();
        std::thread::spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = sender.send((engine, engine.is_ready()));
        });
    }
    drop(sender);
    let until = Instant::now() + PATIENCE;
    let mut ready = Vec::new();
    while let Ok((engine, is_ready)) =
        receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        if is_ready {
            ready.push(engine.name());
        }
    }
    if ready.is_empty() {
        return Finding::missing(
            "engines",
            "no docker, podman or buildah that is ready",
            "images are built without one; only `RUN` in Dockerfile.extra needs it",
        );
    }
    Finding::well("engines", ready.join(", "))
}

/// Tells how it is with a connector's credentials, and gives those that fit.
fn checked(
    found: &mut Vec<Finding>,
    credentials: Result<Credentials, WorkbenchError>,
) -> Option<Credentials> {
    let finding = match &credentials {
        Ok(_) => Finding::well("credentials", "they fit the manifest's schema"),
        Err(error) => Finding::ill("credentials", error),
    };
    found.push(finding);
    credentials.ok()
}

fn of_warehouse(context: &Context, located: &Located) -> Vec<Finding> {
    let tell = |event: bowline_workbench::Event<'_>| context.tell(event);
    let connector = match warehouse::load(located, &tell) {
        Ok(connector) => connector,
        Err(error) => return vec![Finding::ill("files", &error)],
    };
    let mut found = vec![Finding::well(
        "files",
        format!("{} templates", connector.templates.iter().count()),
    )];
    let Some(credentials) = checked(&mut found, warehouse::credentials(&connector, &tell)) else {
        return found;
    };
    let started = Instant::now();
    let opened = waiting(&context.printer, "connecting", || {
        let database = warehouse::open(&connector, &credentials, &Limits::default())?;
        let connection = warehouse::connect(&connector, database.as_ref())?;
        Ok::<_, WorkbenchError>((database.product(), connection))
    });
    match opened {
        Err(error) => found.push(Finding::ill("connection", &error)),
        Ok((product, mut connection)) => {
            let took = Seconds(started.elapsed());
            found.push(Finding::well("connection", format!("{product}, in {took}")));
            found.extend(clock(&connector, &mut *connection));
            found.extend(needs(&connector, &mut *connection));
        }
    }
    found
}

/// The limits of a question that a database answers at once, or not at all.
fn quick() -> Limits {
    Limits {
        timeout: PATIENCE,
        ..Limits::default()
    }
}

/// How far the database's clock is from this one's.
fn clock(connector: &Connector, connection: &mut dyn Connection) -> Option<Finding> {
    let composer = Composer::new(Arc::new(connector.templates.clone()));
    let expressions = Expressions::new(composer, Clock::at(Timestamp::now()));
    let asked = "{{ row(get_epoch_seconds_expression(x=current_timestamp_func())) }}";
    let sql = expressions.render(asked, &Rows::default()).ok()?;
    let answer = match connection.run(&sql, &quick()) {
        Ok(answer) => answer,
        Err(error) => {
            return Some(Finding {
                state: State::Open,
                ..Finding::ill("clock", &error)
            });
        }
    };
    let theirs: f64 = answer.scalar()?.to_string().parse().ok()?;
    let ours = Timestamp::now().as_duration().as_secs_f64();
    let apart = theirs - ours;
    if apart.abs() < APART {
        return Some(Finding::well("clock", "the database's is this one's"));
    }
    let (by, way) = (apart.abs(), if apart > 0.0 { "ahead" } else { "behind" });
    Some(Finding::missing(
        "clock",
        format!("the database's is {by:.0} s {way}, or its session has another zone"),
        "set the clocks by a time server; the session's zone with `init`",
    ))
}

/// What the templates that are the pack's need of the server, which not every server has: where it does not say whether it
/// has it, the suite tells.
fn needs(connector: &Connector, connection: &mut dyn Connection) -> Vec<Finding> {
    let Some(pack) = connector.dialect else {
        return Vec::new();
    };
    let is_packs = |template| {
        let spelled = connector.templates.get(template);
        spelled.is_some_and(|spelled| matches!(spelled.origin, Origin::Pack(_)))
    };
    Template::all()
        .filter(|template| is_packs(template))
        .filter_map(|template| {
            let name = template.short_name();
            let needs = pack.needs(template)?;
            let answer = pack.has(template).and_then(|has| {
                let answer = connection.run(has, &quick()).ok()?;
                answer.scalar()?.to_string().parse::<u8>().ok()
            });
            let state = match answer {
                Some(1) => {
                    return Some(Finding::well(
                        "needs",
                        format!("the server has what {name} wants"),
                    ));
                }
                Some(_) => State::Missing,
                None => State::Open,
            };
            Some(Finding {
                state,
                ..Finding::well("needs", format!("{name} wants {needs}"))
            })
        })
        .collect()
}

fn of_pipeline(context: &Context, located: &Located, run: &Run) -> Vec<Finding> {
    let tell = |event: bowline_workbench::Event<'_>| context.tell(event);
    let connector = match pipeline::load(located, &tell) {
        Ok(connector) => connector,
        Err(error) => return vec![Finding::ill("files", &error)],
    };
    let mut found = vec![Finding::well("files", "they are valid")];
    let Some(credentials) = checked(&mut found, pipeline::credentials(&connector, &tell)) else {
        return found;
    };
    let started = Instant::now();
    let checked = waiting(&context.printer, "asking the orchestrator", || {
        let source = pipeline::open(&connector, &credentials, Opening::default(), run)?;
        Ok::<_, WorkbenchError>(source.check()?)
    });
    found.push(match checked {
        Ok(_) => Finding::well(
            "connection",
            format!(
                "the orchestrator answers, in {}",
                Seconds(started.elapsed())
            ),
        ),
        Err(error) => Finding::ill("connection", &error),
    });
    found
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_that_hangs_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python3");
        let said = |script: &str| {
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
            version(&program)
        };
        assert_eq!(said("echo Python 3.13.1").as_deref(), Some("Python 3.13.1"));
        assert_eq!(said("sleep 20; echo Python 3.13.1"), None);
        assert_eq!(said("exit 1"), None);
    }
}
