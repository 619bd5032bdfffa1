//! Reading a connector folder: every file, every mistake.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bowline_connector::folder::{Document, LoadError, Place, Problem, ProblemKind, connector_name};
use bowline_connector::{EnvironmentEvent, check_expression, own_program};
use bowline_contract::{ConnectorName, SourceManifest, Template, layout};
use bowline_driver::AdbcLibrary;
use bowline_protocol::OutsideCode;
use bowline_words::nearest::hint_or;
use bowline_words::{Diagnose, listed};
use toml::Spanned;

use super::{Connector, Driver, Functional, given};
use crate::dialect::{Pack, extended};
use crate::folder::{
    ConnectorFile, DriverKind, DriverSection, TemplateFile, compile, read_optional,
    read_own_templates,
};
use crate::template::{ConnectorTemplate, Origin, TemplateSet};

impl Connector {
    /// Reads the connector in a folder, checks all of it and compiles its templates.
    ///
    /// # Errors
    /// [`LoadError`]; `Invalid` holds every mistake found in any file, each with its place and a hint.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        Self::load_with(dir, &mut |_| ())
    }

    /// As [`Connector::load`], and tells what happens while the packages of a connector in Python are installed.
    ///
    /// # Errors
    /// As [`Connector::load`].
    pub fn load_with(
        dir: &Path,
        on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
    ) -> Result<Self, LoadError> {
        let name = connector_name(dir)?;
        let python = dir.join(layout::PYTHON_FILE);
        if python.is_file() && !dir.join(layout::CONNECTOR_FILE).exists() {
            given::load_python(&name, dir, on_event)
        } else {
            Self::load_named(&name, dir)
        }
    }

    /// Reads as much of a declarative connector as reaches its database: it has no templates, and what they are from need
    /// not be there.
    ///
    /// # Errors
    /// As [`Connector::load`].
    pub fn load_connection(dir: &Path) -> Result<Self, LoadError> {
        Self::load_part(&connector_name(dir)?, dir, Part::Connection)
    }

    /// As [`Connector::load`], for a declarative connector whose folder's own name does not count.
    pub(crate) fn load_named(name: &ConnectorName, dir: &Path) -> Result<Self, LoadError> {
        Self::load_part(name, dir, Part::All)
    }

    fn load_part(name: &ConnectorName, dir: &Path, part: Part) -> Result<Self, LoadError> {
        let Some(connector_text) = read_optional(&dir.join(layout::CONNECTOR_FILE))? else {
            return Err(LoadError::NotAConnector {
                dir: dir.to_path_buf(),
            });
        };
        let mut problems = Vec::new();
        let file = read_connector_file(name, dir, &connector_text, part, &mut problems)?;
        let own = match part {
            Part::All => read_own_templates(dir, &mut problems)?,
            Part::Connection => Vec::new(),
        };
        let manifest = read_manifest(dir, &mut problems)?;
        let (
            Some(ConnectorParts {
                file,
                dialect,
                driver,
            }),
            Some(manifest),
        ) = (file, manifest)
        else {
            return Err(LoadError::Invalid { problems });
        };
        let mut functional = file.functional.map(Functional::Declared);
        let mut outside = OutsideCode::default();
        let mut advices = Vec::new();
        let given = match &driver.kind {
            // A dialect pack says what the templates are; without one the program does.
            bowline_driver::DriverKind::Process(program)
                if dialect.is_none() && part == Part::All =>
            {
                let path = dir.join(layout::CONNECTOR_FILE);
                let given = given::ask(program, &path, &mut problems)?;
                functional = functional.or(given.functional.map(Functional::Given));
                outside = given.outside;
                advices = given.advices;
                given.templates
            }
            _ => TemplateSet::default(),
        };
        let from_dialect = dialect.as_ref().map(|pack| pack.suite());
        let suite = file.suite.or(given.suite().clone());
        let suite = suite.or(from_dialect.unwrap_or_default());
        let (templates, dropped) = merge(given, dialect.as_ref(), own, &mut problems);
        let templates = templates.with_suite(suite);
        if !problems.is_empty() {
            return Err(LoadError::Invalid { problems });
        }
        Ok(Self {
            name: name.clone(),
            dir: dir.to_path_buf(),
            manifest,
            dialect,
            driver,
            templates,
            dropped,
            outside,
            advices,
            functional,
            observer: None,
        })
    }
}

/// What is read of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it.
    All,
    /// How its database is reached.
    Connection,
}

/// What `connector.toml` comes to.
struct ConnectorParts {
    file: ConnectorFile,
    dialect: Option<Arc<Pack>>,
    driver: Driver,
}

fn read_connector_file(
    name: &ConnectorName,
    dir: &Path,
    text: &str,
    part: Part,
    problems: &mut Vec<Problem>,
) -> Result<Option<ConnectorParts>, LoadError> {
    let mut document = Document::new(&dir.join(layout::CONNECTOR_FILE), text);
    let file: Option<ConnectorFile> = document.read();
    let mut of_packs = Vec::new();
    let dialect = match file.as_ref().and_then(|file| file.dialect.as_ref()) {
        Some(dialect) if part == Part::All => {
            extended(&mut document, &dialect.extends, dir, &mut of_packs)?
        }
        _ => None,
    };
    let parts = file.and_then(|file| {
        check_expressions(&mut document, &file);
        let driver = read_driver(name, dir, &mut document, &file.driver)?;
        Some(ConnectorParts {
            file,
            dialect,
            driver,
        })
    });
    problems.extend(document.into_problems());
    problems.extend(of_packs);
    Ok(parts)
}

/// The driver a `[driver]` section means: what finds the driver must be there, and mean something for its kind.
fn read_driver(
    name: &ConnectorName,
    dir: &Path,
    document: &mut Document<'_>,
    section: &DriverSection,
) -> Option<Driver> {
    let kind = find_kind(document, &section.kind)?;
    report_meaningless(document, section, kind);
    let kind = match kind {
        DriverKind::Postgres => bowline_driver::DriverKind::Postgres,
        DriverKind::Sqlite => bowline_driver::DriverKind::Sqlite,
        // Neither is needed: a data source or a connection string may say which driver it is.
        DriverKind::Odbc => bowline_driver::DriverKind::Odbc {
            driver: match (&section.path, &section.name) {
                (Some(path), _) => {
                    let path = dir.join(path.get_ref());
                    let path = std::path::absolute(&path).unwrap_or(path);
                    Some(path.display().to_string())
                }
                (None, name) => name.as_ref().map(|name| name.get_ref().clone()),
            },
        },
        DriverKind::Process => {
            let command = section.command.as_ref().map(Spanned::get_ref);
            let Some(command) = command.filter(|command| !command.is_empty()) else {
                document.report_at(
                    ProblemKind::MissingKey,
                    section
                        .command
                        .as_ref()
                        .map(|command| Place::of(document.text(), command.span())),
                    "`[driver]` has no `command`",
                    Some(
                        "name the program and its arguments: `command = [\"./my-connector\"]`"
                            .to_owned(),
                    ),
                );
                return None;
            };
            bowline_driver::DriverKind::Process(own_program(name, command, dir))
        }
        DriverKind::Adbc => {
            let library = match (&section.path, &section.name) {
                (Some(path), _) => AdbcLibrary::File(dir.join(path.get_ref())),
                (None, Some(name)) => AdbcLibrary::Named(name.get_ref().clone()),
                (None, None) => {
                    document.report_at(
                        ProblemKind::MissingKey,
                        None,
                        "`[driver]` has neither `name` nor `path`",
                        Some("`bowline driver list` names the drivers there are".to_owned()),
                    );
                    return None;
                }
            };
            bowline_driver::DriverKind::Adbc {
                library,
                entrypoint: section
                    .entrypoint
                    .as_ref()
                    .map(|entrypoint| entrypoint.get_ref().clone()),
            }
        }
    };
    Some(Driver {
        kind,
        options: section.options.clone(),
        init: section.init.clone(),
    })
}

fn find_kind(document: &mut Document<'_>, kind: &Spanned<String>) -> Option<DriverKind> {
    let word = kind.get_ref();
    let kinds = DriverKind::ALL.into_iter();
    let found = kinds.clone().find(|each| each.name() == word);
    if found.is_none() {
        let names = kinds.map(DriverKind::name);
        let hint = hint_or(word, names.clone(), || {
            format!("kinds are {}", listed(names))
        });
        document.report(
            ProblemKind::InvalidValue,
            kind.span(),
            format!("unknown driver kind `{word}`"),
            Some(hint),
        );
    }
    found
}

/// Notes the keys of `[driver]` that say nothing to a driver of its kind.
fn report_meaningless(document: &mut Document<'_>, section: &DriverSection, kind: DriverKind) {
    let library = [
        ("name", section.name.as_ref().map(Spanned::span)),
        ("path", section.path.as_ref().map(Spanned::span)),
        ("entrypoint", section.entrypoint.as_ref().map(Spanned::span)),
    ];
    let command = ("command", section.command.as_ref().map(Spanned::span));
    let option = section.options.values().next().map(Spanned::span);
    let (meaningless, hint) = match kind {
        DriverKind::Postgres => (
            [&library[..], &[command]].concat(),
            "it is compiled in; the server is `uri` in `[driver.options]`",
        ),
        DriverKind::Sqlite => (
            [&library[..], &[command]].concat(),
            "it is compiled in; the database file is `path` in `[driver.options]`",
        ),
        DriverKind::Process => (
            [&library[..], &[("options", option)]].concat(),
            "the program is `command`, and it gets the connect_args of credentials.json",
        ),
        DriverKind::Adbc => (vec![command], "the driver is found by `name` or `path`"),
        DriverKind::Odbc => (
            vec![library[2].clone(), command],
            "the driver is found by `name` or `path`, or by `dsn` or `connection_string` in `[driver.options]`",
        ),
    };
    for (key, range) in meaningless {
        if let Some(range) = range {
            document.report(
                ProblemKind::InvalidValue,
                range,
                format!("`{key}` means nothing for `kind = \"{}\"`", kind.name()),
                Some(hint.to_owned()),
            );
        }
    }
}

fn check_expressions(document: &mut Document<'_>, file: &ConnectorFile) {
    let driver = file.driver.options.values().chain(&file.driver.init);
    let functional = file.functional.iter().flat_map(|functional| {
        [&functional.schema, &functional.table]
            .into_iter()
            .chain(&functional.database)
    });
    for expression in driver.chain(functional) {
        if let Err(error) = check_expression(expression.get_ref()) {
            let mut told = error.diagnose();
            let hint = told.hints.pop();
            document.report(ProblemKind::Template, expression.span(), told.what, hint);
        }
    }
}

pub(super) fn read_manifest(
    dir: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Option<SourceManifest>, LoadError> {
    let path = dir.join(layout::MANIFEST_FILE);
    let Some(text) = read_optional(&path)? else {
        problems.push(Problem {
            kind: ProblemKind::Manifest,
            path: path.clone(),
            place: None,
            message: "the connector has no manifest".to_owned(),
            hint: Some("`bowline new` writes one: copy its shape".to_owned()),
        });
        return Ok(None);
    };
    match SourceManifest::parse(&text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            problems.extend(Problem::of_manifest(&path.clone(), &text, &error));
            Ok(None)
        }
    }
}

/// What the program gave, or the pack, with the connector's own templates over it; and those the connector drops.
fn merge(
    given: TemplateSet,
    dialect: Option<&Arc<Pack>>,
    own: Vec<TemplateFile>,
    problems: &mut Vec<Problem>,
) -> (TemplateSet, Vec<&'static Template>) {
    let mut set = TemplateSet::default();
    let mut dropped = Vec::new();
    let mut overridden: BTreeMap<&str, ()> = BTreeMap::new();
    for file in &own {
        for given in &file.given {
            overridden.insert(given.template.name, ());
            let Some(text) = &given.text else {
                dropped.push(given.template);
                continue;
            };
            match compile(given, text, &file.path, &file.text) {
                Ok(compiled) => set.insert(ConnectorTemplate {
                    template: given.template,
                    text: text.clone(),
                    origin: Origin::File {
                        path: file.path.clone(),
                        line: given.line,
                    },
                    compiled,
                }),
                Err(problem) => problems.push(*problem),
            }
        }
    }
    for template in given
        .iter()
        .filter(|given| !overridden.contains_key(given.template.name))
    {
        set.insert(template.clone());
    }
    let inherited = Template::all().filter(|template| !overridden.contains_key(template.name));
    for template in inherited.filter_map(|template| dialect?.template(template)) {
        set.insert(template);
    }
    (set, dropped)
}
