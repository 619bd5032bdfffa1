//! `bowline new --pipeline`: a new pipeline connector.

use std::path::PathBuf;

use bowline_connector::Workspace;
use bowline_contract::ConnectorName;
use bowline_contract::ManifestFault;
use bowline_contract::layout::{CONNECTOR_FILE, CREDENTIALS_FILE, MANIFEST_FILE, PYTHON_FILE};
use bowline_contract::pipeline::{Terminology, icon_fault};
use bowline_pipeline::{Example, PipelineScaffold, PipelineScaffolded, PipelineStart, Proposal};
use clap::builder::PossibleValue;
use dialoguer::Input;
use dialoguer::theme::ColorfulTheme;

use super::{Language, rust_steps, tell, unanswered};
use crate::command::schema;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// The options of pipeline connectors.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options for pipelines")]
pub(super) struct PipelineArgs {
    /// Start a pipeline connector: one for an orchestrator, its jobs and its runs
    #[arg(long, alias = "etl", conflicts_with_all = ["dialect", "driver"])]
    pipeline: bool,
    /// Start from the complete connector of an orchestrator
    #[arg(long, value_name = "ORCHESTRATOR", requires = "pipeline", conflicts_with = "lang", value_parser = orchestrators())]
    like: Option<String>,
    /// Propose the description from the vendor's OpenAPI document, in JSON or YAML
    #[arg(long, value_name = "FILE", requires = "pipeline", conflicts_with_all = ["lang", "like"])]
    openapi: Option<PathBuf>,
    /// The vendor's word for what jobs are grouped under
    #[arg(long, value_name = "WORD", requires = "pipeline")]
    group: Option<String>,
    /// The vendor's word for what is run
    #[arg(long, value_name = "WORD", requires = "pipeline")]
    job: Option<String>,
    /// The vendor's word for one step of a job
    #[arg(long, value_name = "WORD", requires = "pipeline")]
    task: Option<String>,
    /// Where the vendor's picture is
    #[arg(long, value_name = "URL", requires = "pipeline", value_parser = picture)]
    icon_url: Option<String>,
}

/// The orchestrators that examples are for, with their full names.
fn orchestrators() -> impl clap::builder::TypedValueParser<Value = String> {
    let values =
        Example::ALL.map(|example| PossibleValue::new(example.name).help(example.orchestrator));
    clap::builder::PossibleValuesParser::new(values)
}

/// Reads an address of the web.
pub(crate) fn web_address(text: &str) -> Result<String, String> {
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(text.to_owned())
    } else {
        Err("begin it with `https://` or `http://`".to_owned())
    }
}

/// Reads the address of a picture. That it may be none is told later.
fn picture(text: &str) -> Result<String, String> {
    match icon_fault(text) {
        Some(ManifestFault::Address { .. }) => {
            Err("begin it with `https://` or `http://`, and name a host".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

impl PipelineArgs {
    /// Whether a pipeline connector is wanted.
    pub(super) fn is_asked(&self) -> bool {
        self.pipeline
    }

    /// Makes it.
    pub(super) fn exec(
        &self,
        context: &Context,
        name: ConnectorName,
        language: Option<Language>,
        asking: bool,
    ) -> Result<Ended, CliError> {
        let start = self.start(context, language)?;
        if let PipelineStart::OpenApi(proposal) = &start {
            context.printer.say(told(proposal));
        }
        let example = matches!(start, PipelineStart::Like(_));
        let scaffold = PipelineScaffold {
            name,
            terminology: self.terminology(asking && !example)?,
            icon_url: self.icon(asking && !example)?,
            start,
        };
        if let Some(fault) = scaffold.icon_url.as_deref().and_then(icon_fault) {
            context.printer.warn(fault);
        }
        let workspace = Workspace::find(&context.directory)?;
        let made = scaffold.write(&workspace)?;
        schema::write_into(&workspace)?;
        report(context, &made, self, language)?;
        Ok(Ended::Fine)
    }

    fn start(
        &self,
        context: &Context,
        language: Option<Language>,
    ) -> Result<PipelineStart, CliError> {
        if let Some(file) = &self.openapi {
            let text =
                bowline_contract::reading::read_text(&context.path(file)).map_err(|error| {
                    CliError::usage(
                        format!(
                            "cannot read the OpenAPI document: `{}`: {error}",
                            file.display()
                        ),
                        "give `--openapi` a file in JSON or YAML",
                    )
                })?;
            return Ok(PipelineStart::OpenApi(Box::new(Proposal::of(&text)?)));
        }
        let example = self.like.as_deref().and_then(Example::find);
        Ok(match (example, language) {
            (Some(example), _) => PipelineStart::Like(example),
            (None, Some(Language::Python)) => PipelineStart::Python,
            (None, Some(Language::Rust)) => PipelineStart::Rust,
            (None, None) => PipelineStart::Described,
        })
    }

    /// The vendor's words; none when not one was given.
    fn terminology(&self, asking: bool) -> Result<Option<Terminology>, CliError> {
        let given = [&self.group, &self.job, &self.task];
        if !asking && given.iter().all(|word| word.is_none()) {
            return Ok(None);
        }
        let usual = Terminology::default();
        let word = |given: &Option<String>, usual: String, what: &str| match given {
            Some(word) if word.trim().is_empty() => Err(CliError::usage(
                format!("the word for {what} is empty"),
                format!("leave it out to call it `{usual}`"),
            )),
            Some(word) => Ok(word.clone()),
            None if asking => ask(&format!("What does the vendor call {what}?"), usual),
            None => Ok(usual),
        };
        Ok(Some(Terminology {
            group: word(&self.group, usual.group, "what jobs are grouped under")?,
            job: word(&self.job, usual.job, "what is run")?,
            task: word(&self.task, usual.task, "one step of it")?,
        }))
    }

    fn icon(&self, asking: bool) -> Result<Option<String>, CliError> {
        if self.icon_url.is_some() || !asking {
            return Ok(self.icon_url.clone());
        }
        let typed: String = Input::with_theme(&ColorfulTheme::default())
            .with_prompt("Where is the vendor's picture? An address, or nothing")
            .allow_empty(true)
            .validate_with(|typed: &String| match typed.trim() {
                "" => Ok(()),
                typed => picture(typed).map(|_| ()),
            })
            .interact_text()
            .map_err(unanswered)?;
        let typed = typed.trim();
        Ok((!typed.is_empty()).then(|| typed.to_owned()))
    }
}

fn ask(question: &str, usual: String) -> Result<String, CliError> {
    Input::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .default(usual)
        .validate_with(|typed: &String| {
            if typed.trim().is_empty() {
                Err("a word is needed")
            } else {
                Ok(())
            }
        })
        .interact_text()
        .map_err(unanswered)
}

/// What a document's lists were taken for.
fn told(proposal: &Proposal) -> String {
    let runs = match &proposal.runs {
        Some(runs) => format!("runs from `{runs}`"),
        None => "no list of runs: name it yourself".to_owned(),
    };
    format!("jobs from `{}`, {runs}", proposal.jobs)
}

fn report(
    context: &Context,
    made: &PipelineScaffolded,
    args: &PipelineArgs,
    language: Option<Language>,
) -> Result<(), CliError> {
    let connector = &made.connector;
    let place = context.shown(&connector.dir);
    let file = |name: &str| place.join(name).display().to_string();
    let mut steps = vec![(
        format!("fill in {}", file(CREDENTIALS_FILE)),
        "it is kept out of git",
    )];
    match language {
        Some(Language::Python) => steps.push((
            format!("write {}", file(PYTHON_FILE)),
            "how the orchestrator is read",
        )),
        Some(Language::Rust) => {
            steps.extend(rust_steps(place, "how the orchestrator is read"));
        }
        None if args.openapi.is_some() => steps.push((
            format!("review {}", file(CONNECTOR_FILE)),
            "what was guessed ends with `# review`",
        )),
        None if args.like.is_none() => steps.push((
            format!("write {}", file(CONNECTOR_FILE)),
            "how the orchestrator is asked, and what its records mean",
        )),
        None => {}
    }
    if args.like.is_none() {
        steps.push((
            format!("complete {}", file(MANIFEST_FILE)),
            "what the vendor's words for how a run stands mean",
        ));
    }
    let inspect = format!("bowline inspect {}", connector.name);
    steps.push((inspect, "shows a job and a run, and where they come from"));
    let test = format!("bowline test {}", connector.name);
    steps.push((test, "proves it against the orchestrator"));
    tell(
        context,
        &connector.name,
        made.files.iter().chain(&made.ignore_file),
        &steps,
    )
}
