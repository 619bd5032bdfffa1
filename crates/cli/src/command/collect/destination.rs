//! Where events go, as the command line says it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bowline_collect::{
    CollectError, Event, Format, Kind, LineFile, Lineage, Push, PushTarget, Refused, Resource,
    Sink, lines,
};
use bowline_connector::Credentials;
use bowline_durable::{Disk, RealDisk};
use bowline_pipeline::PipelineConnector;
use indicatif::ProgressBar;
use uuid::Uuid;

use super::uuid;
use crate::command::new::web_address;
use crate::command::report::is_standard_output;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Printer;
use crate::pipeline;

const KEY_ID_VARIABLE: &str = "BOWLINE_PUSH_KEY_ID";
const TOKEN_VARIABLE: &str = "BOWLINE_PUSH_TOKEN";

/// Where events go, and how they are written.
#[derive(Debug, clap::Args)]
pub(super) struct DestinationArgs {
    /// Add the events to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Push the events to the platform at this address; the key is taken from the environment variables
    /// BOWLINE_PUSH_KEY_ID and BOWLINE_PUSH_TOKEN
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "output",
        requires = "resource",
        value_parser = web_address
    )]
    push: Option<String>,
    /// What the platform knows the vendor's installation by
    #[arg(long, value_name = "UUID", value_parser = uuid, requires = "push")]
    resource: Option<Uuid>,
    /// The platform's type of it; without it, the connector's own type
    #[arg(long, value_name = "TYPE", requires = "push")]
    resource_type: Option<String>,
    /// How events are written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "events",
        conflicts_with = "push"
    )]
    format: FormatName,
    /// The namespace of jobs in OpenLineage; without it, the connector's name
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
}

/// The formats of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FormatName {
    /// A line per event: its kind, its key and itself
    Events,
    /// OpenLineage's job and run events
    Openlineage,
}

/// Where events go.
pub(super) enum Destination {
    /// Standard output.
    Output {
        /// What writes there.
        output: Output,
        /// How events are written.
        format: FormatName,
    },
    /// A file.
    File {
        /// Its path, as given.
        given: PathBuf,
        /// Its path.
        path: PathBuf,
        /// The file, once something is to be written: whoever else collects into it must be done by then.
        file: Option<LineFile>,
        /// How events are written.
        format: FormatName,
    },
    /// The platform.
    Push(Box<Push>),
}

impl DestinationArgs {
    pub(super) fn open(
        &self,
        context: &Context,
        connector: &PipelineConnector,
        credentials: &Credentials,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Destination, CliError> {
        let (Some(base_url), Some(resource)) = (&self.push, self.resource) else {
            let file = self.output.as_ref();
            return Ok(match file.filter(|file| !is_standard_output(file)) {
                None => Destination::Output {
                    output: Output(Arc::clone(&context.printer)),
                    format: self.format,
                },
                Some(given) => Destination::File {
                    path: lasting(context.path(given), given)?,
                    given: given.clone(),
                    file: None,
                    format: self.format,
                },
            });
        };
        let (key_id, token) = (variable(KEY_ID_VARIABLE)?, variable(TOKEN_VARIABLE)?);
        context
            .printer
            .hide(credentials.redactor().with([token.clone()]));
        let resource_type = match &self.resource_type {
            Some(resource_type) => resource_type.clone(),
            None => connector.manifest.connection_type.to_string(),
        };
        let target = PushTarget {
            base_url: base_url.clone(),
            key_id,
            token,
            resource: Resource {
                uuid: resource,
                resource_type,
            },
        };
        let client = Push::new(target, Arc::clone(cancel)).map_err(CollectError::Push)?;
        let on_retry = pipeline::on_retry(context);
        let client = client.telling(Box::new(move |why, wait| on_retry(why, wait)));
        Ok(Destination::Push(Box::new(client)))
    }

    pub(super) fn namespace(&self, connector: &str) -> String {
        self.namespace.as_deref().unwrap_or(connector).to_owned()
    }
}

/// The path of an output, unless what is there keeps nothing: events would be written down as delivered that nobody has.
fn lasting(path: PathBuf, given: &Path) -> Result<PathBuf, CliError> {
    let there = std::fs::metadata(&path);
    if there.is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Err(CliError::usage(
            format!(
                "the output is no file that keeps events: `{}`",
                given.display()
            ),
            "give `--output -`, and lead standard output there",
        ));
    }
    Ok(path)
}

fn variable(name: &str) -> Result<String, CliError> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(CliError::usage(
            format!("no key to push with: `{name}` is not set"),
            format!("set `{KEY_ID_VARIABLE}` and `{TOKEN_VARIABLE}` to a key that may ingest"),
        )),
    }
}

impl Destination {
    /// Whether what was delivered there stays there, so that it is worth writing down.
    pub(super) fn lasts(&self) -> bool {
        !matches!(self, Self::Output { .. })
    }

    /// How events are written for it; `lineage` makes OpenLineage events.
    pub(super) fn format(&self, lineage: impl FnOnce() -> Lineage) -> Format {
        match self {
            Self::Output { format, .. } | Self::File { format, .. } => match format {
                FormatName::Events => Format::Lines,
                FormatName::Openlineage => Format::OpenLineage(lineage()),
            },
            Self::Push(_) => Format::Push,
        }
    }

    /// What takes the events; an output that had so many bytes must still have them.
    pub(super) fn sink(&mut self, bytes: Option<u64>) -> Result<&mut dyn Sink, CliError> {
        Ok(match self {
            Self::Output { output, .. } => output,
            Self::File { path, file, .. } => match file {
                Some(file) => file,
                None => {
                    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
                    let opened = match bytes {
                        Some(bytes) => LineFile::open_again(&disk, path, bytes)?,
                        None => LineFile::open(&disk, path)?,
                    };
                    file.insert(opened)
                }
            },
            Self::Push(client) => &mut **client,
        })
    }

    /// The output, where it is a file of lines with keys.
    pub(super) fn lines(&self) -> Option<&Path> {
        match self {
            Self::File {
                path,
                format: FormatName::Events,
                ..
            } => Some(path),
            Self::File { .. } | Self::Output { .. } | Self::Push(_) => None,
        }
    }

    /// What shows how far a window is; nothing where events themselves are shown.
    pub(super) fn bar(&self, context: &Context) -> ProgressBar {
        match self {
            Self::Output { .. } => ProgressBar::hidden(),
            Self::File { .. } | Self::Push(_) => context.printer.bar("{spinner} {msg}"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |format: &FormatName| match format {
            FormatName::Events => "events",
            FormatName::Openlineage => "OpenLineage events",
        };
        match self {
            Self::Output { format, .. } => write!(f, "as {} to standard output", words(format)),
            Self::File { given, format, .. } => {
                write!(f, "as {} to `{}`", words(format), given.display())
            }
            Self::Push(client) => write!(f, "pushed to {}", client.place()),
        }
    }
}

/// Standard output.
pub(super) struct Output(Arc<Printer>);

impl Sink for Output {
    fn deliver(&mut self, _kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError> {
        match self.0.events(&lines(events)) {
            Ok(()) => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(CollectError::Closed),
            Err(error) => Err(CollectError::Output(error)),
        }
    }
}
