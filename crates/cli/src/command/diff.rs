//! `bowline diff`: what changed between two runs, exports or images.

use std::path::Path;

use bowline_connector::Workspace;
use bowline_contract::ConnectorName;
use bowline_contract::layout::MANIFEST_FILE;
use bowline_image::inspect::exported;
use bowline_report::{Bump, Release, ReleaseChange, ReleaseChanges, Report, Thing};
use bowline_words::listed;
use bowline_workbench::release::{read_files, read_folder};

use super::image;
use super::report::{NAMED_OR_WRITTEN, from_file};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::insecure::InsecureRegistries;
use crate::listing::Listing;
use crate::style::{BAD, GOOD, QUIET, STRONG, paint};

/// Say what changed between two runs, exports or images, and how much that asks of users.
///
/// Compares capabilities, metrics, templates by what they render to, the credentials' schema, and the server. `major`
/// takes something away or asks for a credential, `minor` adds, `patch` does the same otherwise.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A side is a connector's name (its export), the folder of an export, a report of `bowline test --format json`,\n\
                  or an image: its name in a registry, `oci:DIR[:IMAGE]`, or an archive.\n\n\
                  Examples:\n  bowline diff released/shop shop\n  \
                  bowline diff registry.example.com/team/agent:1.0 oci:image --connector shop --format markdown"
)]
pub(crate) struct DiffArgs {
    /// What it was
    #[arg(add = complete::connectors_and_files())]
    before: String,
    /// What it is
    #[arg(add = complete::connectors_and_files())]
    after: String,
    /// The connector, where an image holds several
    #[arg(short, long, add = complete::connectors())]
    connector: Option<String>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    registries: InsecureRegistries,
}

/// How changes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: `bump`, and in `changes` what is different
    Json,
    /// For a pull request
    Markdown,
}

impl DiffArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let before = self.release(context, &self.before)?;
        let after = self.release(context, &self.after)?;
        let changes = after.changes_since(&before);
        match self.format {
            Format::Human => {
                let sides = format!("{} → {}", self.before, self.after);
                context.printer.text(&page(&sides, &changes))?;
            }
            Format::Markdown => context
                .printer
                .data(&changes.markdown(&self.before, &self.after))?,
            Format::Json => {
                let text = serde_json::to_string_pretty(&changes)
                    .map_err(|error| CliError::Internal(error.to_string()))?;
                context.printer.data(&format!("{text}\n"))?;
            }
        }
        Ok(Ended::Fine)
    }

    /// Reads one side.
    fn release(&self, context: &Context, side: &str) -> Result<Release, CliError> {
        let path = context.directory.join(side);
        if path.is_file() && path.extension().is_some_and(|ending| ending == "json") {
            return of_report(&path, side);
        }
        if path.join(MANIFEST_FILE).is_file() {
            return Ok(read_folder(&path)?);
        }
        if let Some(folder) = ConnectorName::parse(side).ok().and_then(|name| {
            let workspace = Workspace::find(&context.directory).ok()?;
            let folder = workspace.output_dir(&name);
            folder.join(MANIFEST_FILE).is_file().then_some(folder)
        }) {
            return Ok(read_folder(&folder)?);
        }
        // A word alone is the name of a connector; whoever means an image says from where, or which.
        if !path.is_file() && !side.contains([':', '/', '.']) {
            return Err(CliError::usage(
                format!("there is no export, report or image `{side}`"),
                "`bowline export` writes an export; `bowline list` names the connectors",
            ));
        }
        self.of_image(context, side)
    }

    fn of_image(&self, context: &Context, side: &str) -> Result<Release, CliError> {
        let connectors = image::read(context, side, &self.registries, exported)?;
        let names: Vec<&String> = connectors.keys().collect();
        let name = match (&self.connector, names.as_slice()) {
            (Some(name), _) if connectors.contains_key(name) => name,
            (None, [name]) => name,
            (_, []) => {
                return Err(CliError::usage(
                    format!("`{side}` holds no warehouse connector"),
                    "`bowline image inspect` tells what an image holds",
                ));
            }
            _ => {
                return Err(CliError::usage(
                    format!(
                        "`{side}` holds several connectors, or others: {}",
                        listed(&names)
                    ),
                    "name one with `--connector`",
                ));
            }
        };
        Ok(read_files(side, &connectors[name])?)
    }
}

fn of_report(path: &Path, side: &str) -> Result<Release, CliError> {
    match from_file(path, Path::new(side), NAMED_OR_WRITTEN)? {
        Report::Warehouse(report) => Ok(Release::of_report(&report)),
        Report::Pipeline(_) => Err(CliError::usage(
            format!("`{side}` is about a pipeline connector"),
            "`bowline report` says what changed since the run before",
        )),
    }
}

fn page(sides: &str, changes: &ReleaseChanges) -> String {
    let mut page = Listing::default();
    page.line(match changes.bump {
        Bump::None => format!("{sides}: {}", paint(GOOD, "nothing is different")),
        bump => format!("{sides}: {}", paint(STRONG, bump.name())),
    });
    for bump in [Bump::Major, Bump::Minor, Bump::Patch] {
        let of_it: Vec<&ReleaseChange> = changes
            .changes
            .iter()
            .filter(|change| change.bump == bump)
            .collect();
        if of_it.is_empty() {
            continue;
        }
        page.heading(bump.name());
        for thing in Thing::ALL {
            let of_thing = || of_it.iter().filter(move |change| change.what == thing);
            let names = |is_named: fn(&ReleaseChange) -> bool| {
                let named = of_thing().filter(|change| is_named(change));
                named.map(|change| change.name.as_str()).collect::<Vec<_>>()
            };
            let gone = names(|change| change.after.is_none());
            let new = names(|change| change.before.is_none());
            for (sign, colour, names) in [("-", BAD, gone), ("+", GOOD, new)] {
                if !names.is_empty() {
                    let first = format!("  {} {} ", paint(colour, sign), thing.name());
                    page.prose(&first, "      ", &names.join(", "));
                }
            }
            of_thing().for_each(|change| tell(&mut page, change));
        }
    }
    page.finish()
}

/// Shows both sides of what is there before and after.
fn tell(page: &mut Listing, change: &ReleaseChange) {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return;
    };
    page.line(format!(
        "  ~ {} {}",
        change.what.name(),
        paint(STRONG, &change.name)
    ));
    for (sign, text) in [("-", before), ("+", after)] {
        for line in text.lines() {
            page.line(format!("      {} {line}", paint(QUIET, sign)));
        }
    }
}
