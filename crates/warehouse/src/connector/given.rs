//! Connectors that give their templates themselves: a `connector.py`, or a program that serves `templates`.

use std::path::Path;
use std::time::Duration;

use bowline_connector::folder::{LoadError, Place, Problem, ProblemKind};
use bowline_connector::{
    EnvironmentEvent, python_program, python_program_without_packages, with_interpreter,
};
use bowline_contract::{ConnectorName, Template, layout};
use bowline_driver::DriverKind;
use bowline_process::{CallLimits, Fault, Process, ProcessError, Program};
use bowline_protocol::{ConnectorKind, Done, GivenText, Method, TemplateProblem, TemplatesResult};
use bowline_template::CompiledTemplate;
use bowline_words::Redactor;

use super::open::FunctionalTarget;
use super::{Connector, Driver, Functional, load};
use crate::template::{ConnectorTemplate, Origin, TemplateSet};

/// How long a connector may take to give its templates.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes all templates of a connector may have.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What a connector's process gave.
pub(super) struct Given {
    pub(super) templates: TemplateSet,
    pub(super) functional: Option<FunctionalTarget>,
    interpreter: Option<String>,
}

/// Loads a connector written in Python.
///
/// # Errors
/// [`LoadError`].
pub(super) fn load_python(
    name: &ConnectorName,
    dir: &Path,
    on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
) -> Result<Connector, LoadError> {
    let program = python_program(name, dir, on_event)?;
    load_program(name, dir, program)
}

impl Connector {
    /// As [`Connector::load`], for a connector in Python whose templates need none of its packages, and whose
    /// folder's own name does not count.
    pub(crate) fn load_python_without_packages(
        name: &ConnectorName,
        dir: &Path,
    ) -> Result<Self, LoadError> {
        let program = python_program_without_packages(name, dir)?;
        load_program(name, dir, program)
    }
}

fn load_program(
    name: &ConnectorName,
    dir: &Path,
    program: Program,
) -> Result<Connector, LoadError> {
    let mut problems = Vec::new();
    let manifest = load::read_manifest(dir, &mut problems)?;
    let file = dir.join(layout::PYTHON_FILE);
    let given = ask(&program, &file, &mut problems)?;
    let Some(manifest) = manifest.filter(|_| problems.is_empty()) else {
        return Err(LoadError::Invalid { problems });
    };
    let program = with_interpreter(program, given.interpreter.as_deref());
    Ok(Connector {
        name: name.clone(),
        dir: dir.to_path_buf(),
        manifest,
        dialect: None,
        driver: Driver::plain(DriverKind::Process(program)),
        templates: given.templates,
        dropped: Vec::new(),
        functional: given.functional.map(Functional::Given),
    })
}

/// Starts a connector's process and asks for its templates; mistakes in them are noted, placed in `file`.
///
/// # Errors
/// When the process fails.
pub(super) fn ask(
    program: &Program,
    file: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Given, ProcessError> {
    let mut process = Process::start(program, &Redactor::default())?;
    if process.hello().kind != ConnectorKind::Warehouse {
        let fault =
            Fault::Unfit("it is a connector for an orchestrator, not for a database".to_owned());
        return Err(process.fail(fault));
    }
    let interpreter = process.hello().interpreter.clone();
    let result: TemplatesResult = if process.serves(Method::Templates) {
        let limits = CallLimits {
            timeout: PATIENCE,
            max_bytes: MAX_BYTES,
        };
        process.call(Method::Templates, &Done {}, limits)?
    } else {
        TemplatesResult::default()
    };
    let source = std::fs::read_to_string(file).unwrap_or_default();
    let mut templates = TemplateSet::default();
    for text in result.templates {
        match compile(text, file, &source) {
            Ok(Some(template)) => templates.insert(template),
            Ok(None) => {}
            Err(problem) => problems.push(*problem),
        }
    }
    for given in result.problems {
        let TemplateProblem {
            name,
            message,
            line,
        } = given;
        problems.push(problem(
            file,
            &source,
            line,
            format!("`{name}`: {message}"),
            None,
        ));
    }
    Ok(Given {
        templates,
        functional: result.functional_target.map(|place| FunctionalTarget {
            database: place.database,
            schema: place.schema,
            table: place.table,
        }),
        interpreter,
    })
}

/// A template that was given; none for what the contract does not look for there, or an empty text.
fn compile(
    given: GivenText,
    file: &Path,
    source: &str,
) -> Result<Option<ConnectorTemplate>, Box<Problem>> {
    let Some(template) = Template::find(&given.name) else {
        return Ok(None);
    };
    let stands_elsewhere = given
        .class
        .is_some_and(|class| class != template.section.class_name());
    if stands_elsewhere || given.text.trim().is_empty() {
        return Ok(None);
    }
    match CompiledTemplate::compile(template.short_name(), &given.text) {
        Ok(compiled) => Ok(Some(ConnectorTemplate {
            template,
            origin: Origin::File {
                path: file.to_path_buf(),
                line: given.line.unwrap_or(1),
            },
            text: given.text,
            compiled,
        })),
        Err(error) => {
            let message = format!("`{}`: {}", template.short_name(), error.message);
            Err(Box::new(problem(
                file, source, given.line, message, error.hint,
            )))
        }
    }
}

fn problem(
    file: &Path,
    source: &str,
    line: Option<usize>,
    message: String,
    hint: Option<String>,
) -> Problem {
    Problem {
        kind: ProblemKind::Template,
        path: file.to_path_buf(),
        place: line.map(|line| Place::at(source, line, 0)),
        message,
        hint,
    }
}
