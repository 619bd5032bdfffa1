//! What is known of each connector: its last report, and what was known before, kept in the workspace so that they can be
//! read again and compared.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bowline_connector::Workspace;
use bowline_contract::AssetClass;
use bowline_contract::layout::{CONNECTORS_DIR, ETL_CONNECTORS_DIR, IGNORE_FILE};
use bowline_contract::reading::text_of;
use bowline_report::{Report, ReportErrorKind};
use bowline_workbench::{Readers, write_whole};

use crate::context::Context;
use crate::error::CliError;

/// Where the reports of a connector are kept.
#[derive(Debug)]
pub(crate) struct Kept {
    name: String,
    state: PathBuf,
    latest: PathBuf,
    previous: PathBuf,
}

impl Kept {
    /// The reports about the connector of a folder, whether or not there are any.
    pub(crate) fn of(dir: &Path, class: AssetClass, name: &str) -> Result<Self, CliError> {
        let state = Workspace::find(dir)?.state_dir();
        let class = match class {
            AssetClass::Warehouse => CONNECTORS_DIR,
            AssetClass::Pipeline => ETL_CONNECTORS_DIR,
        };
        let folder = state.join("reports").join(class);
        Ok(Self {
            name: name.to_owned(),
            latest: folder.join(format!("{name}.json")),
            previous: folder.join(format!("{name}.previous.json")),
            state,
        })
    }

    /// Keeps a report as the latest. A workspace that cannot be written is left as it is, and that is told: what shows the
    /// last report shows an older one then. A run is worth its report all the same.
    pub(crate) fn keep(&self, context: &Context, report: &Report) {
        let kept = report
            .to_json()
            .map_err(io::Error::other)
            .and_then(|json| self.write(&context.printer.redact(&json)));
        if let Err(error) = kept {
            let place = context.shown(&self.latest).display();
            context
                .printer
                .warn(format!("the report cannot be kept in `{place}`: {error}"));
        }
    }

    fn write(&self, json: &str) -> io::Result<()> {
        let folder = self.latest.parent().unwrap_or(&self.state);
        fs::create_dir_all(folder)?;
        let ignore = self.state.join(IGNORE_FILE);
        if !ignore.exists() {
            fs::write(&ignore, "*\n")?;
        }
        if let Some(known) = self.known() {
            let known = known.to_json().map_err(io::Error::other)?;
            write_whole(&self.previous, known.as_bytes(), Readers::Owner)?;
        }
        write_whole(&self.latest, json.as_bytes(), Readers::Owner)
    }

    /// What is known of the connector: of the sections that the last run did not ask, what runs before it found.
    pub(crate) fn known(&self) -> Option<Report> {
        let (latest, previous) = self.read().ok().flatten()?;
        Some(match previous {
            Some(previous) => latest.over(previous),
            None => latest,
        })
    }

    /// The latest report, and what was known before it.
    pub(crate) fn read(&self) -> Result<Option<(Report, Option<Report>)>, CliError> {
        let anew = || format!("run `bowline test {}`, which writes it anew", self.name);
        let latest = read(&self.latest).map_err(|error| match error {
            CliError::Report(error) if error.kind == ReportErrorKind::Malformed => {
                CliError::Report(error.hint(anew()))
            }
            CliError::Usage { what, .. } => CliError::usage(what, anew()),
            error => error,
        })?;
        let Some(latest) = latest else {
            return Ok(None);
        };
        // What an older or newer program left is no reason to show nothing.
        let previous = read(&self.previous).ok().flatten();
        Ok(Some((latest, previous)))
    }

    /// When the latest report was made.
    pub(crate) fn made(&self) -> Option<std::time::SystemTime> {
        fs::metadata(&self.latest).ok()?.modified().ok()
    }
}

/// Reads a report from a file; none when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Report>, CliError> {
    match fs::read(path).and_then(text_of) {
        Ok(text) => Report::from_json(&text, &path.display().to_string())
            .map(Some)
            .map_err(CliError::Report),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::usage(
            format!("cannot read `{}`: {error}", path.display()),
            "give what `bowline test --format json` wrote",
        )),
    }
}
