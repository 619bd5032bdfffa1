//! `bowline simulate`: an orchestrator on a port of this machine, that misbehaves as asked.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use bowline_connector::{Workspace, schema_line};
use bowline_contract::AssetClass;
use bowline_contract::layout::{CONNECTOR_FILE, CREDENTIALS_FILE, MANIFEST_FILE};
use bowline_durable::RealDisk;
use bowline_simulator::{
    Clock, Form, Lists, Login, Order, Pace, PagingStyle, Scenario, Server, Steps, Vendor,
    credentials, description, manifest,
};
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{SignedDuration, Timestamp};

use super::schema;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::style::{STRONG, paint};

/// Be an orchestrator that misbehaves, to aim a pipeline connector at
///
/// Answers over HTTP on 127.0.0.1 until Ctrl-C. Prints its address and a connector that fits it. Runs begin, end, are
/// tried again and deleted between two requests, and answers fail, as often as asked; what happens follows from the seed
/// and from what is asked of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    bowline simulate --port 8080 --connector etl_connectors/simulated\n  \
    bowline simulate --seed 7 --paging cursor --form graphql --faults many --changes some")]
pub(crate) struct SimulateArgs {
    /// What everything that looks like chance follows from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Let the seed choose whatever is not given here
    #[arg(long)]
    any: bool,
    /// The port to listen on; any free one without it
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Write the connector that fits into this new folder
    #[arg(long, value_name = "DIR")]
    connector: Option<PathBuf>,
    /// How lists are split
    #[arg(long, value_name = "STYLE", value_parser = choice(PagingStyle::ALL, PagingStyle::word, PagingStyle::from_word))]
    paging: Option<PagingStyle>,
    /// How requests are written
    #[arg(long, value_name = "FORM", value_parser = choice(Form::ALL, Form::word, Form::from_word))]
    form: Option<Form>,
    /// How one says who asks
    #[arg(long, value_name = "KIND", value_parser = choice(Login::ALL, Login::word, Login::from_word))]
    login: Option<Login>,
    /// How times are written
    #[arg(long, value_name = "KIND", value_parser = choice(Clock::ALL, Clock::word, Clock::from_word))]
    times: Option<Clock>,
    /// In which order runs are listed
    #[arg(long, value_name = "ORDER", value_parser = choice(Order::ALL, Order::word, Order::from_word))]
    order: Option<Order>,
    /// Whether runs that have not ended have a list of their own
    #[arg(long, value_name = "LISTS", value_parser = choice(Lists::ALL, Lists::word, Lists::from_word))]
    lists: Option<Lists>,
    /// How the runs of steps are asked for
    #[arg(long, value_name = "HOW", value_parser = choice(Steps::ALL, Steps::word, Steps::from_word))]
    steps: Option<Steps>,
    /// How many records the connector asks a page for
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    page: Option<usize>,
    /// How many records a page has at most, whatever is asked for
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    most: Option<usize>,
    /// Say with every list how many records it has in all
    #[arg(long)]
    total: bool,
    /// How many jobs there are
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    jobs: Option<usize>,
    /// How many runs there are
    #[arg(long, value_name = "COUNT")]
    runs: Option<usize>,
    /// Over how many hours before now they are spread
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=24 * 366))]
    hours: Option<u64>,
    /// How often answers fail in a way that passes: 429, 5xx, connections that break
    #[arg(long, value_name = "HOW-OFTEN")]
    faults: Option<Often>,
    /// How often something changes between two requests
    #[arg(long, value_name = "HOW-OFTEN")]
    changes: Option<Often>,
    /// How long every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// How many seconds the vendor's clock is ahead; negative when it is behind
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-86_400..=86_400))]
    skew: Option<i64>,
    /// Use names and ids that nobody thought of
    #[arg(long)]
    odd_names: bool,
    /// Let some runs stand in a way that the vendor's documentation does not have
    #[arg(long)]
    odd_states: bool,
}

/// How often something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Often {
    /// Never
    None,
    /// With one request in ten
    Some,
    /// With one request in three
    Many,
}

impl Often {
    const fn percent(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Some => 10,
            Self::Many => 33,
        }
    }
}

/// Reads one of a list of words.
fn choice<T: Copy + Clone + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
    from_word: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|one| word(*one)))
        .try_map(move |given| from_word(&given).ok_or("no such word"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let count = text.parse::<usize>();
    count
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "give a whole number from 1 on".to_owned())
}

impl SimulateArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let scenario = self.scenario()?;
        let connector = self.connector.as_ref().map(|dir| (dir, context.path(dir)));
        if let Some((dir, _)) = connector.as_ref().filter(|(_, path)| path.exists()) {
            return Err(CliError::usage(
                format!(
                    "cannot write the connector: `{}` is there already",
                    dir.display()
                ),
                "give `--connector` a folder that does not exist",
            ));
        }
        let latency = Duration::from_millis(self.latency);
        let told = scenario.to_string();
        let text = description(&scenario);
        let server = Server::start(Vendor::new(scenario), self.port, latency, Pace::Real).map_err(
            |error| {
                CliError::usage(
                    format!("cannot listen on port {}: {error}", self.port),
                    "give `--port` one that is free, or leave it out",
                )
            },
        )?;
        let (stop, stopped) = mpsc::channel();
        let _on_stop = context.interruptible()?.on_stop(move || {
            // Nobody waits for it once the command has ended.
            let _ = stop.send(());
        });
        let url = server.url();
        match &connector {
            Some((dir, path)) => {
                let workspace = workspace_of(path);
                let line = workspace
                    .as_ref()
                    .map(|_| schema_line("pipeline-connector"));
                let text = line.unwrap_or_default() + &text;
                write_connector(path, &text, &url).map_err(|error| CliError::write(dir, error))?;
                if let Some(workspace) = workspace {
                    schema::write_into(&workspace)?;
                }
                context.printer.text(&format!("{url}\n"))?;
                context.printer.say(format!(
                    "the connector that fits it is in {}",
                    paint(STRONG, dir.display())
                ));
            }
            None => {
                let page = format!(
                    "# {url}\n# {MANIFEST_FILE}: {}\n# {CREDENTIALS_FILE}: {}\n{text}",
                    manifest(),
                    credentials(&url)
                );
                context.printer.text(&page)?;
            }
        }
        context.printer.detail(told);
        context
            .printer
            .say(format!("answering at {} until Ctrl-C", paint(STRONG, &url)));
        // An error means that the action is gone, and with it the only way to be stopped.
        let _ = stopped.recv();
        let asked = server.vendor().asked();
        context
            .printer
            .say(format!("{asked} requests were answered"));
        Ok(Ended::Fine)
    }

    fn scenario(&self) -> Result<Scenario, CliError> {
        let base = if self.any {
            Scenario::of_seed(self.seed)
        } else {
            Scenario::calm(self.seed, Timestamp::now())
        };
        let skew = self.skew.map_or(base.skew, SignedDuration::from_secs);
        let now = Timestamp::now();
        let percent = |often: Option<Often>, otherwise| often.map_or(otherwise, Often::percent);
        let scenario = Scenario {
            paging: self.paging.unwrap_or(base.paging),
            form: self.form.unwrap_or(base.form),
            login: self.login.unwrap_or(base.login),
            times: self.times.unwrap_or(base.times),
            order: self.order.unwrap_or(base.order),
            lists: self.lists.unwrap_or(base.lists),
            steps: self.steps.unwrap_or(base.steps),
            page: self.page.unwrap_or(base.page),
            most: self.most.unwrap_or(base.most),
            says_total: self.total || base.says_total,
            jobs: self.jobs.unwrap_or(base.jobs),
            runs: self.runs.unwrap_or(base.runs),
            hours: self.hours.unwrap_or(base.hours),
            faults: percent(self.faults, base.faults),
            changes: percent(self.changes, base.changes),
            // A person waits for it, with a connector that tries as often as is usual.
            rest: 3,
            in_row: 3,
            skew,
            start: now.saturating_add(skew).unwrap_or(now),
            latency: 1,
            odd: self.odd_names || base.odd,
            unmapped: self.odd_states || base.unmapped,
            ..base
        };
        let (problem, hint) = match (scenario.paging, scenario.form, scenario.order) {
            (PagingStyle::Link, Form::GraphQl, _) => (
                "GraphQL has no links to next pages",
                "choose another `--paging` or `--form`",
            ),
            (PagingStyle::After, _, Order::LastChanged | Order::FirstChanged | Order::Rank) => (
                "a list that goes on behind a record must not let it move",
                "choose `--order newest` or `--order oldest`",
            ),
            _ => return Ok(scenario),
        };
        Err(CliError::usage(problem, hint))
    }
}

/// The workspace that a connector's folder is of: editors find the schemas that lie in it.
fn workspace_of(dir: &Path) -> Option<Workspace> {
    let connectors = dir.parent()?;
    let workspace = Workspace::at(connectors.parent()?);
    (workspace.dir_of(AssetClass::Pipeline) == connectors).then_some(workspace)
}

/// Writes a connector's folder, whole or not at all.
fn write_connector(dir: &Path, text: &str, url: &str) -> std::io::Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let stage = tempfile::Builder::new()
        .prefix(".simulated-")
        .tempdir_in(parent)?;
    let files = [
        (CONNECTOR_FILE, text.to_owned()),
        (MANIFEST_FILE, format!("{:#}\n", manifest())),
    ];
    for (name, text) in files {
        std::fs::write(stage.path().join(name), text)?;
    }
    let secret = format!("{:#}\n", credentials(url));
    let file = stage.path().join(CREDENTIALS_FILE);
    bowline_durable::replace(&RealDisk, &file, secret.as_bytes())?;
    let staged = stage.keep();
    std::fs::rename(&staged, dir).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = std::fs::remove_dir_all(&staged);
    })
}
