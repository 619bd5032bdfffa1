//! Connectors that give their templates themselves: a `connector.py`, or a program that serves `templates`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bowline_connector::folder::{LoadError, Place, Problem, ProblemKind};
use bowline_connector::{
    EnvironmentEvent, python_program, python_program_without_packages, with_interpreter,
};
use bowline_contract::{ConnectorName, Template, layout};
use bowline_driver::DriverKind;
use bowline_process::{CallLimits, Fault, Process, ProcessError, Program};
use bowline_protocol::{
    ConnectorKind, Done, GivenText, Method, OutsideCode, TemplateProblem, TemplatesResult,
};
use bowline_template::CompiledTemplate;
use bowline_words::Redactor;
use bowline_words::nearest::slip_of;

use super::open::FunctionalTarget;
use super::{Connector, Driver, Functional, load};
use crate::folder::{template_of_file, template_paths};
use crate::template::{ConnectorTemplate, Origin, SuiteWords, TemplateSet};

/// How long a connector may take to give its templates.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes all templates of a connector may have.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// In how many templates' names a word may be that tells one from others.
const MOST_OF_A_WORD: usize = 10;

/// What a connector's process gave.
pub(super) struct Given {
    pub(super) templates: TemplateSet,
    pub(super) functional: Option<FunctionalTarget>,
    pub(super) outside: OutsideCode,
    pub(super) advices: Vec<Problem>,
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
    problems.extend(texts_beside(dir)?);
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
        outside: given.outside,
        advices: given.advices,
        functional: given.functional.map(Functional::Given),
        observer: None,
    })
}

/// Files of templates beside a `connector.py`: nobody would read them, here or in the agent.
fn texts_beside(dir: &Path) -> Result<Vec<Problem>, LoadError> {
    let mut paths = template_paths(&dir.join(layout::TEMPLATES_DIR))?;
    paths.retain(|path| template_of_file(path).ok().flatten().is_some());
    let file = dir.join(layout::TEMPLATES_FILE);
    paths.extend(file.is_file().then_some(file));
    Ok(paths
        .into_iter()
        .map(|path| Problem {
            kind: ProblemKind::Template,
            path,
            place: None,
            message: format!("nobody reads it beside `{}`", layout::PYTHON_FILE),
            hint: Some(format!(
                "write its templates as methods in `{}`, which is what the agent reads, and remove it",
                layout::PYTHON_FILE
            )),
        })
        .collect())
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
    let outside = process.hello().outside.clone();
    let result: TemplatesResult = if process.serves(Method::Templates) {
        let limits = CallLimits {
            timeout: PATIENCE,
            max_bytes: MAX_BYTES,
        };
        process.call(Method::Templates, &Done {}, limits)?
    } else {
        TemplatesResult::default()
    };
    program.keep(process);
    let source = bowline_contract::reading::read_text(file).unwrap_or_default();
    problems.extend(misspelt(&result).map(|(name, line, words)| {
        problem(file, &source, line, format!("`{name}`: {words}"), None)
    }));
    let advices = unread(&result).map(|(text, meant)| {
        let message = format!(
            "`{}`: no template has this name, so nobody reads it",
            text.name
        );
        let hint = format!("did you mean `{}`?", meant.name);
        Problem {
            kind: ProblemKind::Advice,
            ..problem(file, &source, text.line, message, Some(hint))
        }
    });
    let advices = advices.collect();
    let mut templates = TemplateSet::default().with_suite(SuiteWords {
        one_row_table: result.suite.one_row_table,
        text_type: result.suite.text_type,
    });
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
        outside,
        advices,
        interpreter,
    })
}

/// The templates that were not given.
fn missing(result: &TemplatesResult) -> Vec<&'static Template> {
    let is_right = |text: &&GivenText| {
        Template::find(&text.name).is_some_and(|template| {
            let class = text.class.as_deref();
            class.is_none_or(|class| class == template.section.class_name())
        })
    };
    let given: Vec<&str> = result
        .templates
        .iter()
        .filter(is_right)
        .map(|text| text.name.as_str())
        .collect();
    Template::all()
        .filter(|template| !given.contains(&template.name))
        .collect()
}

/// The texts under names of their own that nobody uses, and that say what the name of a missing template does.
fn unread(result: &TemplatesResult) -> impl Iterator<Item = (&GivenText, &'static Template)> {
    let missing = missing(result);
    result.templates.iter().filter_map(move |text| {
        let class = text.class.as_deref()?;
        if Template::find(&text.name).is_some() || result.used_names.contains(&text.name) {
            return None;
        }
        let own = words(&text.name);
        let of_class = missing
            .iter()
            .filter(|template| template.section.class_name() == class);
        // Half of what both names say, at least; one word of several says little.
        let alike = of_class.filter_map(|template| {
            let theirs = words(template.name);
            let both = own.intersection(&theirs).count();
            let all = own.union(&theirs).count();
            let is_enough = both >= 2 && both * 2 >= all || both == 1 && all == 1;
            is_enough.then_some((both * 100 / all, template))
        });
        let (_, meant) = alike.max_by_key(|(share, _)| *share)?;
        Some((text, *meant))
    })
}

/// The words of a template's name that tell it from others.
fn words(name: &str) -> BTreeSet<&str> {
    let of_many = |word: &&str| {
        let has = |template: &&Template| template.name.split('_').any(|own| own == *word);
        Template::all().filter(has).count() > MOST_OF_A_WORD
    };
    name.split('_').filter(|word| !of_many(word)).collect()
}

/// The methods that would be templates under another name: with their lines, and what they should be called.
fn misspelt(result: &TemplatesResult) -> impl Iterator<Item = (&String, Option<usize>, String)> {
    let missing = missing(result);
    let texts = result
        .templates
        .iter()
        .map(|text| (&text.name, text.class.as_ref(), text.line));
    let others = result
        .other_names
        .iter()
        .map(|other| (&other.name, Some(&other.class), other.line));
    texts.chain(others).filter_map(move |(name, class, line)| {
        // Helpers have names of their own: only what is meant for a template that is missing is misspelt. One that
        // stands in another class is nobody's.
        let is_template = Template::find(name).is_some_and(|template| template.name == name);
        let names = missing
            .iter()
            .flat_map(|template| [template.name, template.short_name()]);
        let near = slip_of(name, names).filter(|_| !is_template);
        let near = Template::find(near?)?;
        class?;
        let words = format!("no template has this name: did you mean `{}`?", near.name);
        Some((name, line, words))
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
