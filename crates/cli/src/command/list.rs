//! `bowline list`: the connectors of a workspace and where each stands.

use std::time::SystemTime;

use bowline_connector::{Located, Workspace};
use bowline_contract::AssetClass;
use bowline_contract::layout::{MANIFEST_FILE, PYTHON_FILE};
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
const COLUMNS: [&str; 8] = [
    "connector",
    "kind",
    "in",
    "last test",
    "checks",
    "on",
    "when",
    "exported",
];

/// A connector and where it stands.
struct Row {
    name: String,
    class: AssetClass,
    written_in: &'static str,
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
    product: String,
    made: Option<Timestamp>,
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
        Ok(Some((report, _))) => LastTest::Ended(last(&report, &kept)),
    };
    let manifest = workspace.output_dir(&found.name).join(MANIFEST_FILE);
    Ok(Row {
        name: found.name.to_string(),
        class: found.class,
        written_in: if found.dir.join(PYTHON_FILE).exists() {
            "Python"
        } else {
            "TOML"
        },
        last,
        exported: found.class == AssetClass::Warehouse && manifest.exists(),
    })
}

fn last(report: &Report, kept: &Kept) -> Last {
    let (summary, product) = match report {
        Report::Warehouse(report) => (report.summary, report.product.clone()),
        Report::Pipeline(report) => (report.summary, String::new()),
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
        product,
        made: kept.made().and_then(timestamp),
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
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(COLUMNS);
    let mut one_by_one = String::new();
    for row in rows {
        let last = row.last.ended();
        let word = |pick: fn(&Last) -> String| last.map(pick).unwrap_or_default();
        let exported = match (row.class, row.exported) {
            (AssetClass::Pipeline, _) => "",
            (AssetClass::Warehouse, true) => "yes",
            (AssetClass::Warehouse, false) => "no",
        };
        let words = [
            row.name.clone(),
            class_word(row.class).to_owned(),
            row.written_in.to_owned(),
            row.last.word().to_owned(),
            word(|last| format!("{}/{}", last.supported, last.checks)),
            word(|last| visible(&last.product)),
            word(|last| last.made.map(ago).unwrap_or_default()),
            exported.to_owned(),
        ];
        for (column, word) in COLUMNS.iter().zip(&words) {
            let indent = if *column == COLUMNS[0] { "" } else { "  " };
            if !word.is_empty() {
                one_by_one.push_str(&format!("{indent}{column}: {word}\n"));
            }
        }
        table.add_row(words);
    }
    let table = format!("{table}\n");
    let width = table.lines().next().map_or(0, display_width);
    match terminal {
        Some(terminal) if width > terminal => one_by_one,
        _ => table,
    }
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
                "exported": row.exported,
                "last_test": match &row.last {
                    LastTest::Never => Value::Null,
                    LastTest::Unreadable => json!({ "conclusion": row.last.word() }),
                    LastTest::Ended(last) => json!({
                        "conclusion": last.verdict,
                        "supported": last.supported,
                        "checks": last.checks,
                        "product": last.product,
                        "made": last.made.map(|at| at.to_string()),
                    }),
                },
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(rows))
}
