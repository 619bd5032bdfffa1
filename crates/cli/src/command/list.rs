//! `bowline list`: the connectors of a workspace and where each stands.

use std::time::SystemTime;

use bowline_connector::{Located, Workspace};
use bowline_contract::layout::{CONNECTOR_FILE, MANIFEST_FILE, PYTHON_FILE};
use bowline_contract::{AssetClass, toml_text};
use bowline_report::pipeline::FeatureAnswer;
use bowline_report::{Conclusion, Report, Verdict};
use bowline_words::visible;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};
use textwrap::core::display_width;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::report::some;
use crate::terminal;

/// List the connectors of the workspace and what their last tests found.
///
/// Nothing is contacted and no code of a connector runs.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// As a JSON array with an object for each connector
    Json,
}

/// What is told of each connector.
const COLUMNS: [&str; 9] = [
    "connector",
    "kind",
    "dialect",
    "last test",
    "proven",
    "missing",
    "on",
    "when",
    "exported",
];

/// The most names of what is missing that are shown; fewer where a table with them is wider than the terminal.
const MISSING: usize = 2;

/// A connector and where it stands.
struct Row {
    name: String,
    class: AssetClass,
    written_in: &'static str,
    dialect: Option<String>,
    last: LastTest,
    exported: bool,
}

/// What is kept of the last test.
enum LastTest {
    /// There was none.
    Never,
    /// A report that is damaged, or of a newer version.
    Unreadable,
    /// What it found.
    Ended(Last),
}

impl LastTest {
    fn word(&self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Unreadable => "cannot be read",
            Self::Ended(last) => last.verdict,
        }
    }

    fn ended(&self) -> Option<&Last> {
        match self {
            Self::Ended(last) => Some(last),
            Self::Never | Self::Unreadable => None,
        }
    }
}

/// What the last test found.
struct Last {
    verdict: &'static str,
    /// Checks that are supported, of all.
    supported: usize,
    checks: usize,
    progress: Progress,
    product: String,
    made: Option<Timestamp>,
}

/// How much of what a connector can have it has: templates, or optional features.
struct Progress {
    noun: &'static str,
    /// Those that are there and right.
    done: usize,
    all: usize,
    /// Those that are not there, or not right.
    missing: Vec<String>,
}

/// How one of what a connector can have stands.
enum Standing {
    Done,
    Missing,
    /// The last test asked nothing of it, or had nothing to see it in.
    NotAsked,
}

impl Standing {
    fn of_done(is_done: bool) -> Self {
        if is_done { Self::Done } else { Self::Missing }
    }
}

impl Progress {
    fn of(noun: &'static str, things: impl Iterator<Item = (String, Standing)>) -> Self {
        let mut progress = Self {
            noun,
            done: 0,
            all: 0,
            missing: Vec::new(),
        };
        for (name, standing) in things {
            progress.all += 1;
            match standing {
                Standing::Done => progress.done += 1,
                Standing::Missing => progress.missing.push(name),
                Standing::NotAsked => {}
            }
        }
        progress
    }

    fn in_words(&self) -> String {
        format!("{}/{} {}", self.done, self.all, self.noun)
    }

    fn missing_in_words(&self, most: usize) -> String {
        let names: Vec<&str> = self.missing.iter().map(String::as_str).collect();
        match (names.len(), most) {
            (0, _) => String::new(),
            (count, 0) => count.to_string(),
            _ => visible(&some(&names, most)),
        }
    }
}

impl ListArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let workspace = Workspace::find(&context.directory)?;
        let mut rows = Vec::new();
        for class in [AssetClass::Warehouse, AssetClass::Pipeline] {
            for found in workspace.connectors(class)? {
                rows.push(row(&workspace, &found)?);
            }
        }
        match self.format {
            Format::Human if rows.is_empty() => context
                .printer
                .say("there is no connector yet; `bowline new <name>` starts one"),
            Format::Human => context.printer.text(&table(&rows, terminal::width()))?,
            Format::Json => context.printer.data(&document(&rows))?,
        }
        Ok(Ended::Fine)
    }
}

fn row(workspace: &Workspace, found: &Located) -> Result<Row, CliError> {
    let kept = Kept::of(&found.dir, found.class, found.name.as_str())?;
    let last = match kept.read() {
        Ok(None) => LastTest::Never,
        Err(_) => LastTest::Unreadable,
        Ok(Some((report, None))) => LastTest::Ended(last(&report, &kept)),
        Ok(Some((report, Some(before)))) => LastTest::Ended(last(&report.over(before), &kept)),
    };
    let config = std::fs::read_to_string(found.dir.join(CONNECTOR_FILE)).unwrap_or_default();
    let manifest = workspace.output_dir(&found.name).join(MANIFEST_FILE);
    Ok(Row {
        name: found.name.to_string(),
        class: found.class,
        written_in: if found.dir.join(PYTHON_FILE).exists() {
            "Python"
        } else {
            "TOML"
        },
        dialect: dialect(&config),
        last,
        exported: found.class == AssetClass::Warehouse && manifest.exists(),
    })
}

/// The dialect pack that a connector starts from, where its file names one.
fn dialect(config: &str) -> Option<String> {
    let config: toml::Table = toml_text::read(config)?;
    let extends = config.get("dialect")?.get("extends")?.as_str()?;
    Some(visible(extends))
}

fn last(report: &Report, kept: &Kept) -> Last {
    let (summary, product, progress) = match report {
        Report::Warehouse(report) => {
            let templates = report.templates.iter().map(|found| {
                let standing = match found.verdict {
                    None if found.implemented => Standing::NotAsked,
                    verdict => {
                        Standing::of_done(found.implemented && verdict == Some(Verdict::Supported))
                    }
                };
                let short = found.name.trim_end_matches("_template");
                (short.to_owned(), standing)
            });
            let progress = Progress::of("templates", templates);
            (report.summary, report.product.clone(), progress)
        }
        Report::Pipeline(report) => {
            let features = report
                .features
                .iter()
                .map(|found| (found.name.clone(), standing(found.answer)));
            let progress = Progress::of("features", features);
            (report.summary, String::new(), progress)
        }
    };
    Last {
        verdict: match report.conclusion() {
            Conclusion::Interrupted => "interrupted",
            Conclusion::FellShort => "falls short",
            Conclusion::Inconclusive => "unknown in part",
            Conclusion::Fine if report.is_whole() => "proven",
            Conclusion::Fine => "right so far",
        },
        supported: summary.supported,
        checks: Verdict::ALL
            .map(|verdict| summary.count(verdict))
            .iter()
            .sum(),
        progress,
        product,
        made: kept.made().and_then(timestamp),
    }
}

fn standing(answer: FeatureAnswer) -> Standing {
    match answer {
        FeatureAnswer::Yes => Standing::Done,
        FeatureAnswer::No => Standing::Missing,
        FeatureAnswer::Unknown => Standing::NotAsked,
    }
}

fn timestamp(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}

fn class_word(class: AssetClass) -> &'static str {
    match class {
        AssetClass::Warehouse => "warehouse",
        AssetClass::Pipeline => "pipeline",
    }
}

/// The connectors as a table, or where that is wider than the terminal one under the other.
fn table(rows: &[Row], terminal: Option<usize>) -> String {
    let fits = |table: &String| {
        let width = table.lines().next().map_or(0, display_width);
        terminal.is_none_or(|terminal| width <= terminal)
    };
    let mut tables = (0..=MISSING).rev().map(|most| wide_table(rows, most));
    tables.find(fits).unwrap_or_else(|| one_by_one(rows))
}

fn wide_table(rows: &[Row], most_missing: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(COLUMNS);
    for row in rows {
        table.add_row(words(row, most_missing));
    }
    format!("{table}\n")
}

fn one_by_one(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        for (column, word) in COLUMNS.iter().zip(words(row, MISSING)) {
            let indent = if *column == COLUMNS[0] { "" } else { "  " };
            if !word.is_empty() {
                text.push_str(&format!("{indent}{column}: {word}\n"));
            }
        }
    }
    text
}

/// What is told of a connector, column by column.
fn words(row: &Row, most_missing: usize) -> [String; COLUMNS.len()] {
    let last = row.last.ended();
    let word = |pick: &dyn Fn(&Last) -> String| last.map(pick).unwrap_or_default();
    let exported = match (row.class, row.exported) {
        (AssetClass::Pipeline, _) => "",
        (AssetClass::Warehouse, true) => "yes",
        (AssetClass::Warehouse, false) => "no",
    };
    // What stands behind it in brackets is how it was built.
    let product = |last: &Last| {
        let name = last.product.split(" (").next().unwrap_or_default();
        visible(name)
    };
    [
        row.name.clone(),
        class_word(row.class).to_owned(),
        row.dialect.clone().unwrap_or_default(),
        row.last.word().to_owned(),
        word(&|last| last.progress.in_words()),
        word(&|last| last.progress.missing_in_words(most_missing)),
        word(&product),
        word(&|last| last.made.map(ago).unwrap_or_default()),
        exported.to_owned(),
    ]
}

/// How long ago a moment was, as people say it.
fn ago(at: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(at).as_secs().max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

fn document(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "connector": row.name,
                "kind": class_word(row.class),
                "written_in": row.written_in,
                "dialect": row.dialect,
                "exported": row.exported,
                "last_test": match &row.last {
                    LastTest::Never => Value::Null,
                    LastTest::Unreadable => json!({ "conclusion": row.last.word() }),
                    LastTest::Ended(last) => json!({
                        "conclusion": last.verdict,
                        "supported": last.supported,
                        "checks": last.checks,
                        "missing": last.progress.missing,
                        "product": last.product,
                        "made": last.made.map(|at| at.to_string()),
                    }),
                },
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_not_missing() {
        let answers = [
            FeatureAnswer::Yes,
            FeatureAnswer::No,
            FeatureAnswer::Unknown,
        ];
        let features = answers.map(|answer| (answer.name().to_owned(), standing(answer)));
        let progress = Progress::of("features", features.into_iter());
        assert_eq!((progress.done, progress.all), (1, 3));
        assert_eq!(progress.missing, ["no"]);
    }

    #[test]
    fn a_terminal_of_sixty_columns_shows_all_of_it() {
        let templates = ["get_avg_function", "get_sum_function", "get_max_function"];
        let missing = templates.map(|name| (name.to_owned(), Standing::Missing));
        let done = ("get_length".to_owned(), Standing::Done);
        let unasked = ("get_min_function".to_owned(), Standing::NotAsked);
        let rows = [Row {
            name: "sales".to_owned(),
            class: AssetClass::Warehouse,
            written_in: "TOML",
            dialect: dialect("[dialect]\nextends = \"postgres\""),
            last: LastTest::Ended(Last {
                verdict: "falls short",
                supported: 700,
                checks: 940,
                progress: Progress::of("templates", missing.into_iter().chain([done, unasked])),
                product: "PostgreSQL 15.14 (Debian 15.14-0+deb12u1)".to_owned(),
                made: Some(Timestamp::now()),
            }),
            exported: false,
        }];
        let told = table(&rows, Some(60));
        assert!(told.lines().all(|line| display_width(line) <= 60), "{told}");
        for line in [
            "sales",
            "  dialect: postgres",
            "  proven: 1/5 templates",
            "  missing: get_avg_function, get_sum_function, and 1 more",
        ] {
            assert!(
                told.lines()
                    .any(|told| told.trim_start_matches("connector: ") == line),
                "{told}"
            );
        }
        for (terminal, missing) in [(160, "and 1 more"), (140, "and 2 more"), (120, "┆ 3 ")] {
            let told = table(&rows, Some(terminal));
            assert!(told.contains(missing), "{terminal}: {told}");
            assert!(told.contains("PostgreSQL 15.14 ┆"), "{terminal}: {told}");
        }
    }
}
