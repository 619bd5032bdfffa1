//! A pipeline connector's folder, whatever the connector is written in.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use bowline_connector::folder::{LoadError, Place, Problem, ProblemKind};
use bowline_connector::{Credentials, EnvironmentEvent, own_program};
use bowline_contract::ConnectorName;
use bowline_contract::layout::{CONNECTOR_FILE, MANIFEST_FILE, PYTHON_FILE};
use bowline_contract::pipeline::PipelineManifest;
use bowline_process::Program;
use bowline_protocol::{InitializeResult, MisspeltMethod, OutsideCode};

use crate::described::DescribedPipeline;
use crate::description::{self, Description, File};
use crate::error::SourceError;
use crate::explanation::OnExplanation;
use crate::http::{OnExchange, OnRetry, Transport};
use crate::methods::MethodsPipeline;
use crate::pipeline::Pipeline;
use crate::process::ProcessMethods;

/// A pipeline connector's folder in memory.
#[derive(Debug, Clone)]
pub struct PipelineConnector {
    /// Its name.
    pub name: ConnectorName,
    /// Its folder.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: PipelineManifest,
    /// How its vendor is read.
    pub kind: PipelineKind,
    hello: Arc<OnceLock<InitializeResult>>,
}

/// How a connector is opened. Only one that is described takes note of all of it.
#[derive(Default)]
pub struct Opening {
    /// Whether what the vendor answers is kept for [`Pipeline::vendor_answers`]; programs that can do it, do it, too.
    pub keeps_answers: bool,
    /// What answers in the vendor's place.
    pub transport: Option<Arc<dyn Transport>>,
    /// What is shown every exchange.
    pub on_exchange: Option<OnExchange>,
    /// What is told why a reading takes its time.
    pub on_retry: Option<OnRetry>,
    /// What every event is explained to.
    pub on_explanation: Option<OnExplanation>,
}

/// How a connector reads its vendor.
#[derive(Debug, Clone)]
pub enum PipelineKind {
    /// As its `connector.toml` describes.
    Described(Box<Description>),
    /// By a program of its own: a `connector.py`, or what `[driver]` names.
    Program(Program),
}

impl PipelineConnector {
    /// Loads a connector's folder.
    ///
    /// # Errors
    /// [`LoadError`]: nothing there, not readable, or every mistake in its files.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        Self::load_with(dir, &mut |_| ())
    }

    /// As [`PipelineConnector::load`], and tells what happens while the packages of a connector in Python are installed.
    ///
    /// # Errors
    /// As [`PipelineConnector::load`].
    pub fn load_with(
        dir: &Path,
        on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
    ) -> Result<Self, LoadError> {
        let name = bowline_connector::connector_name(dir)?;
        let file = dir.join(CONNECTOR_FILE);
        let is_python = dir.join(PYTHON_FILE).is_file();
        // What is there and no file is told when it is read.
        if !file.exists() && !is_python {
            return Err(LoadError::NotAConnector {
                dir: dir.to_path_buf(),
            });
        }
        let mut problems = Vec::new();
        let manifest = read_manifest(&dir.join(MANIFEST_FILE), &mut problems)?;
        let kind = if file.exists() {
            match description::parse(&file, &read(&file)?) {
                Ok(File::Described(description)) => Some(PipelineKind::Described(description)),
                Ok(File::Program { command }) => {
                    let program = own_program(&name, &command, dir);
                    Some(PipelineKind::Program(program))
                }
                Err(LoadError::Invalid { problems: more }) => {
                    problems.extend(more);
                    None
                }
                Err(other) => return Err(other),
            }
        } else {
            let program = bowline_connector::python_program(&name, dir, on_event)?;
            Some(PipelineKind::Program(program))
        };
        match (manifest, kind) {
            (Some(manifest), Some(kind)) => Ok(Self {
                name,
                dir: dir.to_path_buf(),
                manifest,
                kind,
                hello: Arc::default(),
            }),
            _ => Err(LoadError::Invalid { problems }),
        }
    }

    /// The connector with these credentials, ready to be read; nothing is sent yet. Setting `cancel` stops a reading
    /// soon.
    ///
    /// # Errors
    /// When the credentials do not fit what the connector describes.
    pub fn open(
        &self,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
    ) -> Result<Arc<dyn Pipeline>, SourceError> {
        self.open_with(credentials, cancel, Opening::default())
    }

    /// As [`PipelineConnector::open`], with something in the vendor's place or somebody who looks on.
    ///
    /// # Errors
    /// As [`PipelineConnector::open`].
    pub fn open_with(
        &self,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
        opening: Opening,
    ) -> Result<Arc<dyn Pipeline>, SourceError> {
        let manifest = self.manifest.clone();
        Ok(match &self.kind {
            PipelineKind::Described(description) => {
                let description = description.as_ref().clone();
                let mut pipeline = match opening.transport {
                    Some(transport) => DescribedPipeline::over(
                        transport,
                        manifest,
                        description,
                        credentials,
                        cancel,
                    )?,
                    None => {
                        let dir = &self.dir;
                        DescribedPipeline::within(dir, manifest, description, credentials, cancel)?
                            .keeping(self.login_file())
                    }
                };
                if opening.keeps_answers {
                    pipeline = pipeline.keeping_answers(opening.on_exchange);
                } else if let Some(on_exchange) = opening.on_exchange {
                    pipeline = pipeline.watched(on_exchange);
                }
                if let Some(on_retry) = opening.on_retry {
                    pipeline = pipeline.telling(on_retry);
                }
                if let Some(on_explanation) = opening.on_explanation {
                    pipeline = pipeline.explained(on_explanation);
                }
                Arc::new(pipeline)
            }
            PipelineKind::Program(program) => {
                let mut methods = ProcessMethods::new(
                    program.clone(),
                    credentials,
                    cancel,
                    Arc::clone(&self.hello),
                );
                if opening.keeps_answers {
                    methods = methods.keeping_answers();
                }
                Arc::new(MethodsPipeline::new(manifest, methods))
            }
        })
    }

    /// What its process said of the code it loads, as [`InitializeResult::outside`]; nothing while none was started.
    #[must_use]
    pub fn outside(&self) -> OutsideCode {
        let hello = self.hello.get();
        hello.map(|hello| hello.outside.clone()).unwrap_or_default()
    }

    /// What is worth a word in its code, as far as its process told; nothing while none was started.
    #[must_use]
    pub fn advices(&self) -> Vec<Problem> {
        let misspelt = self.hello.get().map(|hello| hello.misspelt.as_slice());
        let misspelt = misspelt.unwrap_or_default();
        // Where the code of other languages lies nobody knows.
        let is_python = !self.dir.join(CONNECTOR_FILE).exists();
        let (path, text) = match misspelt {
            [_, ..] if is_python => {
                let path = self.dir.join(PYTHON_FILE);
                let text = read(&path).unwrap_or_default();
                (path, Some(text))
            }
            _ => (self.dir.clone(), None),
        };
        let problem = |method: &MisspeltMethod| Problem {
            kind: ProblemKind::Advice,
            path: path.clone(),
            place: (method.line.zip(text.as_ref())).map(|(line, text)| Place::at(text, line, 0)),
            message: format!("the agent does not call `{}`", method.name),
            hint: Some(format!("did you mean `{}`?", method.meant)),
        };
        misspelt.iter().map(problem).collect()
    }

    /// Where refresh tokens are kept that change with each login.
    fn login_file(&self) -> PathBuf {
        let state = bowline_connector::state_of(&self.dir);
        state.join("logins").join(format!("{}.json", self.name))
    }
}

fn read(path: &Path) -> Result<String, LoadError> {
    bowline_contract::reading::read_text(path).map_err(|source| LoadError::Unreadable {
        path: path.to_path_buf(),
        source,
    })
}

fn read_manifest(
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Option<PipelineManifest>, LoadError> {
    let text = read(path)?;
    match PipelineManifest::parse(&text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            problems.extend(Problem::of_manifest(path, &text, &error));
            Ok(None)
        }
    }
}
