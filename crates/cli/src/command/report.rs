//! `bowline report`: what a test found, as a page and in other forms.

use std::io::Read;
use std::path::{Path, PathBuf};

use bowline_report::Report;
use bowline_workbench::{Readers, write_whole};

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::{self, Kept};
use crate::named::NamedConnector;
use crate::report::{Format, Next, text};

/// Write what the last test of a connector found, as a page or in another form.
///
/// Nothing is asked again: the report of the last `bowline test` is kept in the workspace, and the one before, so that
/// the page can say what changed.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("connector", subject),
    after_help = "Examples:\n  bowline report sales\n  bowline report sales --format markdown -o summary.md\n  \
                  bowline report report.json --format junit -o -"
)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    subject: NamedConnector,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    format: Format,
    /// The file to write, `-` for standard output; without it the page goes to `<connector>-report.html`, and other
    /// forms to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The report to compare with, instead of the one before
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

/// A report may be read from a file, too.
fn subject(argument: clap::Arg) -> clap::Arg {
    argument
        .value_name("CONNECTOR|FILE")
        .help(
            "The connector, not needed when there is only one; or a file that `bowline test --format json` wrote, `-` \
             for standard input",
        )
        .add(complete::connectors_and_files())
}

impl ReportArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let (report, mut previous) = self.read(context)?;
        if let Some(file) = &self.since {
            previous = Some(from_file(&context.path(file), file, WRITTEN)?);
        }
        let verbosity = context.printer.verbosity();
        let text = text(
            &report,
            previous.as_ref(),
            self.format,
            Next::Nothing,
            verbosity,
        )?;
        let connector = match &report {
            Report::Warehouse(report) => &report.connector,
            Report::Pipeline(report) => &report.connector,
        };
        let usual = (self.format == Format::Html)
            .then(|| PathBuf::from(format!("{connector}-report.html")));
        match self.output.clone().or(usual) {
            Some(file) => write(context, &file, &text)?,
            _ if self.format == Format::Human => context.printer.text(&text)?,
            _ => context.printer.data(&text)?,
        }
        Ok(Ended::Fine)
    }

    fn read(&self, context: &Context) -> Result<(Report, Option<Report>), CliError> {
        match self.subject.name() {
            Some("-") => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(CliError::Input)?;
                let report =
                    Report::from_json(&text, "standard input").map_err(CliError::Report)?;
                Ok((report, None))
            }
            Some(file) if names_a_file(context, file) => {
                let file = Path::new(file);
                Ok((
                    from_file(&context.path(file), file, NAMED_OR_WRITTEN)?,
                    None,
                ))
            }
            name => {
                let found = context.locate(name, None)?;
                let reports = Kept::of(&found.dir, found.class, found.name.as_str())?.read()?;
                reports.ok_or_else(|| {
                    CliError::usage(
                        format!("connector `{}` has no report yet", found.name),
                        format!("run `bowline test {}` first", found.name),
                    )
                })
            }
        }
    }
}

/// What to give where only a file is read, and where a connector's name is, too.
const WRITTEN: &str = "give a file that `bowline test --format json` wrote";
pub(super) const NAMED_OR_WRITTEN: &str =
    "give a connector's name, or a file that `bowline test --format json` wrote";

pub(super) fn from_file(path: &Path, given: &Path, hint: &str) -> Result<Report, CliError> {
    kept::read(path)?
        .ok_or_else(|| CliError::usage(format!("there is no file `{}`", given.display()), hint))
}

/// Whether it is no connector that is meant: names of connectors have no dot.
fn names_a_file(context: &Context, subject: &str) -> bool {
    let path = Path::new(subject);
    path.extension().is_some() || (path.components().count() > 1 && context.path(path).is_file())
}

/// Whether `-` stands for the file, which is standard output.
pub(crate) fn is_standard_output(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Refuses a page for which there is no folder, before it costs anything to find out what is on it.
///
/// # Errors
/// [`CliError::Usage`], when there is none.
pub(crate) fn check_place(context: &Context, file: Option<&Path>) -> Result<(), CliError> {
    let path = file
        .filter(|file| !is_standard_output(file))
        .map(|file| context.path(file));
    if let Some(folder) = path.as_deref().filter(|path| path.is_dir()) {
        return Err(CliError::usage(
            format!("`{}` is a folder", context.shown(folder).display()),
            "name a file in it",
        ));
    }
    match path.as_deref().and_then(Path::parent) {
        Some(folder) if !folder.is_dir() => Err(CliError::usage(
            format!("there is no folder `{}`", context.shown(folder).display()),
            "make it, or name another file",
        )),
        _ => Ok(()),
    }
}

/// Writes a report to a file, and says where it is; or to standard output.
pub(crate) fn write(context: &Context, file: &Path, text: &str) -> Result<(), CliError> {
    if is_standard_output(file) {
        return context.printer.data(text);
    }
    let path = context.path(file);
    let text = context.printer.redact(text);
    write_whole(&path, text.as_bytes(), Readers::Everybody)
        .map_err(|error| CliError::write(&path, error))?;
    context
        .printer
        .say(format!("wrote `{}`", context.shown(&path).display()));
    Ok(())
}
