//! `bowline tag check`: the tags of SQL that is there, and what is malformed about them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

use bowline_contract::pipeline::query_tag::{self, Integration, Statement};
use bowline_contract::reading::not_wide;
use bowline_driver::Limits;
use bowline_words::visible;
use bowline_workbench::query_log;
use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::command::moment::{self, Moment};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::pipeline;
use crate::style::{BAD, GOOD, OPEN, QUIET, STRONG, paint};
use crate::terminal::waiting;

/// The most statements of a query log that are looked at when nothing else is said.
const STATEMENTS: usize = 10_000;

/// What is checked.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// SQL files; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "logs")]
    files: Vec<PathBuf>,
    /// Look at what the database of this warehouse connector logged instead
    #[arg(long, value_name = "CONNECTOR", conflicts_with = "files", add = complete::warehouses())]
    logs: Option<String>,
    /// Since when the log is read: `1h`, or a time
    #[arg(long, value_name = "WHEN", default_value = "1h", value_parser = moment::parse, allow_hyphen_values = true)]
    since: Moment,
    /// Compare the jobs and tasks with those that this pipeline connector reports
    #[arg(long, value_name = "CONNECTOR", add = complete::pipelines())]
    pipeline: Option<String>,
    /// How the result is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// As a JSON array with an object for each statement that has a tag or a mistake
    Json,
}

/// Where a statement comes from.
struct Placed {
    /// A file, or the log's id of the statement.
    source: String,
    statement: Statement,
    /// Tags that name nothing the pipeline connector reports.
    unmatched: Vec<String>,
}

/// What a pipeline connector reports: the ids of each job's tasks, by the job's id.
type Jobs = BTreeMap<String, BTreeSet<String>>;

impl CheckArgs {
    pub(super) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let mut placed = match &self.logs {
            Some(connector) => self.logged(context, connector)?,
            None => self.written(context)?,
        };
        let statements = placed.len();
        if let Some(connector) = &self.pipeline {
            let jobs = jobs(context, connector)?;
            for placed in &mut placed {
                placed.unmatched = unmatched(&placed.statement, connector, &jobs);
            }
        }
        placed.retain(|placed| {
            !placed.statement.tags.is_empty() || !placed.statement.mistakes.is_empty()
        });
        match self.format {
            Format::Human => context.printer.text(&page(&placed, statements))?,
            Format::Json => context.printer.data(&document(&placed))?,
        }
        let is_right =
            |placed: &Placed| placed.statement.mistakes.is_empty() && placed.unmatched.is_empty();
        Ok(if placed.iter().all(is_right) {
            Ended::Fine
        } else {
            Ended::FellShort
        })
    }

    fn written(&self, context: &Context) -> Result<Vec<Placed>, CliError> {
        let mut all = Vec::new();
        for file in &self.files {
            let read = if file.as_os_str() == "-" {
                let mut bytes = Vec::new();
                let mut input = std::io::stdin();
                input.read_to_end(&mut bytes).map(|_| bytes)
            } else {
                std::fs::read(context.path(file))
            };
            // Tags are ASCII; what else a file holds, in whatever encoding that has ASCII in it, does not matter here.
            let read = read.and_then(|bytes| not_wide(&bytes).map(|()| bytes));
            let bytes = read.map_err(|error| {
                CliError::usage(
                    format!("cannot read `{}`: {error}", file.display()),
                    "give SQL files, or `-` for standard input",
                )
            })?;
            let text = String::from_utf8_lossy(&bytes);
            let source = file.display().to_string();
            all.extend(placed(&source, &text));
        }
        Ok(all)
    }

    fn logged(&self, context: &Context, name: &str) -> Result<Vec<Placed>, CliError> {
        let connector = context.warehouse(Some(name))?;
        let printer = &context.printer;
        let now = Timestamp::now();
        let bound = |at: Timestamp| at.to_zoned(TimeZone::UTC).datetime();
        let span = [bound(self.since.at(now)), bound(now)];
        let logged = context.connected(&connector, &Limits::default(), |reached| {
            waiting(printer, "reading the query log", || {
                query_log(&connector, reached.connection, span, STATEMENTS)
            })
            .map_err(|source| CliError::QueryLog {
                connector: name.to_owned(),
                source,
            })
        })?;
        if logged.len() == STATEMENTS {
            printer.say(format!(
                "only {STATEMENTS} statements were looked at; `--since` with a shorter time looks at others"
            ));
        }
        let of_entry = |entry: &bowline_workbench::Logged| placed(&entry.id, &entry.text);
        Ok(logged.iter().flat_map(of_entry).collect())
    }
}

fn placed(source: &str, text: &str) -> Vec<Placed> {
    query_tag::read(text)
        .into_iter()
        .map(|statement| Placed {
            source: source.to_owned(),
            statement,
            unmatched: Vec::new(),
        })
        .collect()
}

/// Reads the jobs and tasks of a pipeline connector.
fn jobs(context: &Context, name: &str) -> Result<Jobs, CliError> {
    use bowline_workbench::pipeline as workbench;

    let connector = context.pipeline(Some(name))?;
    let credentials = workbench::credentials(&connector, &|event| context.tell(event))?;
    let run = context.interruptible()?;
    let opened = workbench::open(&connector, &credentials, pipeline::opening(context), run)?;
    let mut jobs = Jobs::new();
    waiting(&context.printer, "asking the vendor for its jobs", || {
        opened.assets(pipeline::now(), None, &mut |asset| {
            let Some(job) = asset.job_source_id() else {
                return;
            };
            let tasks = asset.json().get("tasks").and_then(Value::as_array);
            let ids = tasks
                .into_iter()
                .flatten()
                .filter_map(|task| task.get("task_source_id").and_then(Value::as_str))
                .map(str::to_owned);
            jobs.entry(job.to_owned()).or_default().extend(ids);
        })
    })?;
    Ok(jobs)
}

/// The jobs and tasks of a statement that the connector does not report, in words. Only tags of custom connectors name
/// what it reports.
fn unmatched(statement: &Statement, connector: &str, jobs: &Jobs) -> Vec<String> {
    let value = |identifier: &str| {
        statement
            .tags
            .iter()
            .find(|tag| {
                tag.tag.integration == Integration::Custom && tag.tag.identifier == identifier
            })
            .map(|tag| tag.value.as_str())
    };
    let Some(job) = value("job") else {
        return Vec::new();
    };
    let Some(tasks) = jobs.get(job) else {
        let near = bowline_words::nearest(job, jobs.keys().map(String::as_str));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return vec![format!("`{connector}` reports no job `{job}`{meant}")];
    };
    match value("task") {
        Some(task) if !tasks.contains(task) => {
            let near = bowline_words::nearest(task, tasks.iter().map(String::as_str));
            let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            vec![format!("job `{job}` has no task `{task}`{meant}")]
        }
        Some(_) | None => Vec::new(),
    }
}

fn page(placed: &[Placed], statements: usize) -> String {
    let mut page = Listing::default();
    let mut wrong = 0;
    for Placed {
        source,
        statement,
        unmatched,
    } in placed
    {
        let mark = match (statement.mistakes.is_empty(), unmatched.is_empty()) {
            (true, true) => paint(GOOD, "✓"),
            (false, _) => paint(BAD, "✗"),
            (true, false) => paint(OPEN, "?"),
        };
        if !statement.mistakes.is_empty() || !unmatched.is_empty() {
            wrong += 1;
        }
        let tags: Vec<String> = statement
            .tags
            .iter()
            .map(|tag| {
                let name = tag.tag.integration.name();
                format!(
                    "{name} {} {}",
                    tag.tag.identifier,
                    paint(STRONG, visible(&tag.value))
                )
            })
            .collect();
        let place = paint(QUIET, format!("{}:{}", visible(source), statement.line));
        page.line(format!("{mark} {place}  {}", tags.join(", ")));
        for mistake in &statement.mistakes {
            page.prose(
                "    ",
                "    ",
                &format!("line {}: {}", mistake.line, mistake.mistake),
            );
        }
        for word in unmatched {
            page.prose("    ", "    ", word);
        }
    }
    page.gap();
    let tagged = placed
        .iter()
        .filter(|placed| !placed.statement.tags.is_empty())
        .count();
    let rest = match wrong {
        0 => String::new(),
        wrong => format!(", {wrong} with a mistake"),
    };
    page.line(format!(
        "{} of {} tagged{rest}",
        tagged,
        bowline_words::counted(statements, "statement")
    ));
    page.finish()
}

fn document(placed: &[Placed]) -> String {
    let statements: Vec<Value> = placed
        .iter()
        .map(|placed| {
            let tags: Vec<Value> = placed
                .statement
                .tags
                .iter()
                .map(|tag| {
                    json!({
                        "integration": tag.tag.integration.name(),
                        "identifier": tag.tag.identifier,
                        "value": tag.value,
                        "line": tag.line,
                    })
                })
                .collect();
            let mistakes: Vec<Value> = placed
                .statement
                .mistakes
                .iter()
                .map(|mistake| json!({"line": mistake.line, "what": mistake.mistake.to_string()}))
                .collect();
            json!({
                "source": placed.source,
                "line": placed.statement.line,
                "tags": tags,
                "mistakes": mistakes,
                "unmatched": placed.unmatched,
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(statements))
}
