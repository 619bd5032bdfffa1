//! `bowline doctor`: what is here, what is missing, and how to mend it.

mod machine;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bowline_connector::{Credentials, Located, python_has_packages};
use bowline_contract::layout::CONNECTOR_FILE;
use bowline_contract::{AssetClass, Template, layout};
use bowline_driver::{Connection, Limits};
use bowline_pipeline::{PipelineConnector, PipelineKind};
use bowline_query::{Clock, Composer, Expressions, Rows};
use bowline_warehouse::Connector;
use bowline_warehouse::template::Origin;
use bowline_words::{Diagnose, Seconds, visible};
use bowline_workbench::{Run, WorkbenchError, pipeline, warehouse};
use jiff::Timestamp;

use super::test::pipeline::unfinished;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::named::NamedConnector;
use crate::style::{BAD, GOOD, OPEN, paint};
use crate::terminal::waiting;

/// How long a program may take to say whether it can work, and a database to answer a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a login may take, and an orchestrator to answer.
const LOGIN: Duration = Duration::from_secs(5);

/// By how much a database's clock may be off before it is told, in seconds.
const APART: f64 = 5.0;

/// See what is here, what is missing, and how to mend it.
///
/// Looks at package clients, Python, drivers, ODBC, container engines, the room on the disk and the rights in the
/// workspace; with a connector at its files, its credentials, its
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
            machine::clients(),
            machine::python(),
            machine::drivers(),
            machine::odbc(),
            machine::engines(),
        ];
        found.extend(machine::disk(context));
        found.extend(machine::rights(context));
        if self.connector.name().is_some() {
            let located = context.locate(self.connector.name(), None)?;
            let more = match (packages(&located), located.class) {
                (Some(finding), _) => vec![finding],
                (None, AssetClass::Warehouse) => of_warehouse(context, &located),
                (None, AssetClass::Pipeline) => {
                    of_pipeline(context, &located, context.interruptible()?)
                }
            };
            found.extend(more);
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
            page.prose(&others, &others, &short(&format!("hint: {mend}")));
        }
    }
    page.finish()
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

/// What keeps a connector in Python from being started now. Its packages are not installed for a look at it: that may
/// take minutes.
fn packages(located: &Located) -> Option<Finding> {
    if !located.dir.join(layout::PYTHON_FILE).is_file() {
        return None;
    }
    match python_has_packages(&located.name, &located.dir) {
        Ok(true) => None,
        Ok(false) => Some(Finding::missing(
            "requirements",
            format!(
                "those of {} are not installed yet",
                layout::REQUIREMENTS_FILE
            ),
            format!("run `bowline test {}`, which installs them", located.name),
        )),
        Err(error) => Some(Finding::ill("requirements", &error)),
    }
}

fn of_warehouse(context: &Context, located: &Located) -> Vec<Finding> {
    let tell = |event: bowline_workbench::Event<'_>| context.tell(event);
    let mut connector = match warehouse::load(located, &tell) {
        Ok(connector) => connector,
        Err(error) => return vec![Finding::ill("files", &error)],
    };
    connector.observer = context.observer();
    let mut found = vec![Finding::well(
        "files",
        format!("{} templates", connector.templates.iter().count()),
    )];
    let Some(credentials) = checked(&mut found, warehouse::credentials(&connector, &tell)) else {
        return found;
    };
    let started = Instant::now();
    let opened = within_login(context, "connecting", {
        let connector = connector.clone();
        move || {
            let database = warehouse::open(&connector, &credentials, &quick(), &|_| ())?;
            let connection = warehouse::connect(&connector, database.as_ref())?;
            Ok::<_, WorkbenchError>((database.product(), connection))
        }
    });
    match opened {
        None => found.push(silent("the database")),
        Some(Err(error)) => found.push(Finding::ill("connection", &error)),
        Some(Ok((product, mut connection))) => {
            let took = Seconds(started.elapsed());
            found.push(Finding::well("connection", format!("{product}, in {took}")));
            found.extend(clock(&connector, &mut *connection));
            found.extend(needs(&connector, &mut *connection));
        }
    }
    found
}

/// Who has not answered in time.
fn silent(who: &str) -> Finding {
    Finding {
        state: State::Ill,
        mend: Some("see that the address is right, and that no firewall is between".to_owned()),
        ..Finding::well(
            "connection",
            format!("{who} does not answer within {}", Seconds(LOGIN)),
        )
    }
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
    Template::all()
        .filter_map(
            |template| match &connector.templates.get(template)?.origin {
                Origin::Pack(pack) => Some((template, pack)),
                Origin::Composed | Origin::File { .. } => None,
            },
        )
        .filter_map(|(template, pack)| {
            let name = template.short_name();
            let needs = pack.needs(template)?;
            let asked = pack.has(template);
            let answer = asked.map(|has| connection.run(has, &quick()));
            let has = match &answer {
                Some(Ok(answer)) => answer.scalar().map(ToString::to_string),
                Some(Err(_)) | None => None,
            };
            let (state, why) = match (has.as_deref(), answer) {
                (Some("1"), _) => {
                    return Some(Finding::well(
                        "needs",
                        format!("the server has what {name} wants"),
                    ));
                }
                (Some("0"), _) => (State::Missing, String::new()),
                (_, Some(Err(error))) => (
                    State::Open,
                    format!("; it cannot be asked: {}", error.message),
                ),
                (_, Some(Ok(_)) | None) => (State::Open, String::new()),
            };
            Some(Finding {
                state,
                mend: Some(format!(
                    "give it that, or spell {name} your own way in {}",
                    connector.home().display()
                )),
                ..Finding::well("needs", format!("{name} wants {needs}{why}"))
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
    let files = match unfinished(&connector) {
        Some(error) => Finding::ill("files", &error),
        None => Finding::well("files", "they are valid"),
    };
    let mut found = vec![files];
    let Some(credentials) = checked(&mut found, pipeline::credentials(&connector, &tell)) else {
        return found;
    };
    let asks = asks(&connector);
    let started = Instant::now();
    let (asked, opening) = (run.clone(), crate::pipeline::opening(context));
    let answered = within_login(context, "asking the orchestrator", move || {
        let source = pipeline::open(&connector, &credentials, opening, &asked)?;
        source.check()?;
        Ok::<_, WorkbenchError>(())
    });
    let took = Seconds(started.elapsed());
    let jobs = format!(
        "`bowline inspect {}` shows whether its jobs come",
        located.name
    );
    found.push(match (answered, asks) {
        (None, _) => silent("the orchestrator"),
        (Some(Err(error)), _) => Finding::ill("connection", &error),
        (Some(Ok(())), Asks::Vendor) => {
            Finding::well("connection", format!("the orchestrator answers, in {took}"))
        }
        (Some(Ok(())), Asks::Code) => Finding::well(
            "connection",
            format!("the connector's own login passes, in {took}; {jobs}"),
        ),
        (Some(Ok(())), Asks::Nobody) => Finding {
            state: State::Open,
            mend: Some(jobs),
            ..Finding::well(
                "connection",
                format!("{CONNECTOR_FILE} has no `[check]`, so that nothing was asked"),
            )
        },
    });
    found
}

/// Who answers when a pipeline connector is checked.
enum Asks {
    /// The vendor.
    Vendor,
    /// Code of the connector, which may ask the vendor and may not.
    Code,
    /// Nobody.
    Nobody,
}

fn asks(connector: &PipelineConnector) -> Asks {
    match &connector.kind {
        PipelineKind::Described(description) if description.check.is_some() => Asks::Vendor,
        PipelineKind::Described(_) => Asks::Nobody,
        PipelineKind::Program(_) => Asks::Code,
    }
}

/// Does what may wait for somebody who never answers; nothing when that takes longer than a login may.
fn within_login<T: Send + 'static>(
    context: &Context,
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    waiting(&context.printer, what, || {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = sender.send(work());
        });
        receiver.recv_timeout(LOGIN).ok()
    })
}
