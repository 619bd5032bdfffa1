//! One connector: its files, its manifest and its mode, checked.

use std::collections::BTreeMap;
use std::path::Path;

use bowline_contract::manifest::{AssetClass, ConnectionType};
use bowline_contract::{Capability, ConnectorName, layout};
use bowline_oci::Platform;
use bowline_oci::layer::Content;
use bowline_words::{Diagnose, Diagnostic};

use super::exported::{self, Identity};
use super::files::{self, FileProblem, Ignored};
use super::problem::{PlanProblem, PlanProblemKind};
use super::proof::{self, ObjectionEnd};
use super::{
    Candidate, ENABLING_VARIABLE, Mode, ModeChoice, PIPELINE_ROOT, PlanRequest, PlannedConnector,
    PlannedFile, Question, Requirement, RuntimeFiles, WAREHOUSE_ROOT, requirements, secrets,
};
use crate::error::ImageError;
use crate::extra::DockerfileExtra;

/// A connector that may go in.
pub(super) struct Checked {
    pub(super) planned: PlannedConnector,
    pub(super) identity: Identity,
    pub(super) shared: Vec<PlannedFile>,
    pub(super) questions: Vec<Question>,
    /// What is worth a word.
    pub(super) advices: Vec<PlanProblem>,
    /// Why it is not what was proven, where it may go in all the same.
    pub(super) unproven: Option<String>,
}

/// What was found wrong with one connector.
pub(super) struct Mistakes<'a> {
    connector: &'a ConnectorName,
    workspace: &'a Path,
    pub(super) problems: Vec<PlanProblem>,
    /// Its type, where its manifest says one, whatever else is wrong.
    pub(super) connection_type: Option<ConnectionType>,
}

impl<'a> Mistakes<'a> {
    pub(super) fn of(candidate: &'a Candidate, workspace: &'a Path) -> Self {
        Self {
            connector: &candidate.name,
            workspace,
            problems: Vec::new(),
            connection_type: None,
        }
    }

    fn add(&mut self, kind: PlanProblemKind, what: impl Into<String>, hint: Option<String>) {
        self.problems
            .push(PlanProblem::new(kind, what).of(self.connector).hint(hint));
    }

    /// A path as messages show it: from the workspace's root.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.workspace).unwrap_or(path);
        format!("`{}`", path.display())
    }

    /// The value, or its absence and the problem told.
    fn keep<T>(&mut self, result: Result<T, FileProblem>) -> Option<T> {
        result
            .map_err(|problem| {
                let what = format!("{}: {}", self.shown(&problem.path), problem.why);
                self.add(PlanProblemKind::File, what, None);
            })
            .ok()
    }
}

/// What a connector is written in.
enum Language {
    Python,
    /// A `connector.toml`; a program of its own may belong to it.
    Declared,
}

/// Checks one connector; nothing when a problem was found.
pub(super) fn check(
    candidate: &Candidate,
    request: &PlanRequest<'_>,
    platforms: &[Platform],
    mistakes: &mut Mistakes<'_>,
) -> Option<Checked> {
    let dir = &candidate.dir;
    let root = format!(
        "{}/{}",
        match candidate.class {
            AssetClass::Warehouse => WAREHOUSE_ROOT,
            AssetClass::Pipeline => PIPELINE_ROOT,
        },
        candidate.name
    );
    let language = language(dir);
    missing_artifacts(candidate, language.as_ref(), mistakes);
    let ignored = mistakes.keep(Ignored::of(request.workspace, dir))?;
    let (manifest, identity) = read_manifest(candidate, mistakes);
    mistakes.connection_type = identity
        .as_ref()
        .map(|identity| identity.connection_type.clone());
    let mode = identity
        .as_ref()
        .and_then(|identity| match candidate.class {
            AssetClass::Warehouse => mode_of(identity, request.mode, mistakes),
            AssetClass::Pipeline => None,
        });
    let extra = read_extra(dir, mistakes);
    let requirements = match language {
        Some(Language::Python) => read_requirements(dir, mistakes),
        _ => Vec::new(),
    };
    let language = language?;
    ignored_files(candidate, &language, &ignored, mistakes);
    let own = own_files(candidate, &root, ignored).map_err(|problems| {
        for problem in problems {
            mistakes.keep::<()>(Err(problem));
        }
    });
    let is_readable = own.is_ok();
    let own = own.unwrap_or_default();
    let (files, shared) = match language {
        Language::Python => (
            files_in_python(candidate, &root, &own, mistakes),
            Vec::new(),
        ),
        Language::Declared => {
            let provided = request.runtime.provide(candidate, &root, &own, platforms);
            declared_files(candidate, &root, &own, provided, mistakes)?
        }
    };
    forbid_secrets(candidate, request, &files, mistakes);
    // Of files that cannot be read nobody knows whether they are what was proven; an export with a mistake in it is made
    // anew, whatever else was changed.
    let is_mistaken = candidate.class == AssetClass::Warehouse
        && mistakes
            .problems
            .iter()
            .any(|problem| problem.kind == PlanProblemKind::Manifest);
    let unproven = (is_readable && !is_mistaken)
        .then(|| unproven(candidate, request, &own, &root, platforms, mistakes))
        .flatten();
    let identity = identity?;
    let path = mistakes.shown(&dir.join(layout::MANIFEST_FILE));
    let advices: Vec<PlanProblem> = identity
        .advices
        .iter()
        .map(|advice| {
            let what = format!("{path}: {}", advice.words());
            let problem = PlanProblem::new(PlanProblemKind::Advice, what);
            problem
                .of(&candidate.name)
                .hint(advice.hints.first().cloned())
        })
        .collect();
    if !mistakes.problems.is_empty() {
        // Who mends the others will want to know.
        mistakes.problems.extend(advices);
        return None;
    }
    let questions = Vec::from_iter(unusable_metrics(candidate, &identity));
    Some(Checked {
        planned: PlannedConnector {
            name: candidate.name.clone(),
            class: candidate.class,
            mode,
            root,
            files,
            requirements,
            extra,
            manifest: manifest?,
        },
        identity,
        shared,
        questions,
        advices,
        unproven,
    })
}

/// Why what would ship is not what was proven, where that is allowed; a problem where it is not.
fn unproven(
    candidate: &Candidate,
    request: &PlanRequest<'_>,
    own: &[PlannedFile],
    root: &str,
    platforms: &[Platform],
    mistakes: &mut Mistakes<'_>,
) -> Option<String> {
    let is_missing = candidate.class == AssetClass::Warehouse
        && !candidate.export.join(layout::MANIFEST_FILE).exists();
    if is_missing {
        // That it is not exported is told already.
        return None;
    }
    let objection = match proof::objection(request.workspace, candidate, own, root, platforms) {
        Ok(objection) => objection?,
        Err(error) => {
            // What cannot be read or is not there is told where it is planned.
            if mistakes.problems.is_empty() {
                mistakes.add(PlanProblemKind::File, error.to_string(), None);
            }
            return None;
        }
    };
    if request.unproven.contains(&candidate.dir) {
        return Some(objection.why);
    }
    let name = &candidate.name;
    let command = match candidate.class {
        AssetClass::Warehouse => "export",
        AssetClass::Pipeline => "test",
    };
    let remedy = match objection.end {
        ObjectionEnd::Proof => format!("run `bowline {command} {name}`"),
        ObjectionEnd::Code => format!(
            "write it into `{}`, name a package that has it in `{}`",
            layout::PYTHON_FILE,
            layout::REQUIREMENTS_FILE
        ),
    };
    let hint = format!("{remedy}, or allow it with `--unproven {name}`");
    mistakes.add(PlanProblemKind::Unproven, objection.why, Some(hint));
    None
}

/// Refuses files that hold a secret, but for those that are allowed to.
fn forbid_secrets(
    candidate: &Candidate,
    request: &PlanRequest<'_>,
    files: &[PlannedFile],
    mistakes: &mut Mistakes<'_>,
) {
    let found = match secrets::files_with_secrets(candidate, files) {
        Ok(found) => found,
        Err(unread) => {
            let what = format!(
                "{}: its secrets cannot be looked for in what ships: {}",
                mistakes.shown(&unread.path),
                unread.why
            );
            let hint = "mend the file, or remove it".to_owned();
            return mistakes.add(PlanProblemKind::Secret, what, Some(hint));
        }
    };
    for (path, found) in found {
        if request.secrets.iter().any(|allowed| allowed == path) {
            continue;
        }
        let shown = mistakes.shown(path);
        let what = format!("{shown} goes into the image and holds {}", found.what);
        let hint = format!(
            "take it out, name it in `{}`, or allow it with `--allow-secrets {}`",
            layout::IGNORE_FILE,
            shown.trim_matches('`')
        );
        mistakes.add(PlanProblemKind::Secret, what, Some(hint));
    }
}

fn language(dir: &Path) -> Option<Language> {
    if dir.join(layout::CONNECTOR_FILE).is_file() {
        Some(Language::Declared)
    } else if dir.join(layout::PYTHON_FILE).is_file() {
        Some(Language::Python)
    } else {
        None
    }
}

/// Everything that should be there and is not, in one problem with one thing to do about it.
fn missing_artifacts(
    candidate: &Candidate,
    language: Option<&Language>,
    mistakes: &mut Mistakes<'_>,
) {
    if language.is_none() {
        let what = format!(
            "{} has neither `{}` nor `{}`",
            mistakes.shown(&candidate.dir),
            layout::PYTHON_FILE,
            layout::CONNECTOR_FILE
        );
        mistakes.add(PlanProblemKind::Missing, what, None);
    }
    if candidate.class != AssetClass::Warehouse {
        return;
    }
    let missing: Vec<String> = [layout::MANIFEST_FILE, layout::TEMPLATES_DIR]
        .into_iter()
        .map(|name| candidate.export.join(name))
        .filter(|path| !path.exists())
        .map(|path| mistakes.shown(&path))
        .collect();
    if !missing.is_empty() {
        let what = format!("not exported: {} missing", listed(&missing));
        let hint = format!("run `bowline export {}`", candidate.name);
        mistakes.add(PlanProblemKind::Missing, what, Some(hint));
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [only] => format!("{only} is"),
        many => format!("{} are", many.join(" and ")),
    }
}

/// The manifest that ships, and what it says; its absence is told elsewhere for exports.
fn read_manifest(
    candidate: &Candidate,
    mistakes: &mut Mistakes<'_>,
) -> (Option<Vec<u8>>, Option<Identity>) {
    let folder = match candidate.class {
        AssetClass::Warehouse => &candidate.export,
        AssetClass::Pipeline => &candidate.dir,
    };
    let path = folder.join(layout::MANIFEST_FILE);
    if candidate.class == AssetClass::Pipeline && !path.exists() {
        mistakes.add(
            PlanProblemKind::Missing,
            format!("{} is missing", mistakes.shown(&path)),
            None,
        );
    }
    if !path.exists() {
        return (None, None);
    }
    let text = match bowline_contract::reading::read_text(&path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("{}: {error}", mistakes.shown(&path));
            mistakes.add(PlanProblemKind::File, what, None);
            return (None, None);
        }
    };
    if is_longer(&path, &text) {
        let what = format!(
            "{}: it begins with a byte order mark, which the agent's reader of JSON refuses",
            mistakes.shown(&path)
        );
        let hint = "save it as UTF-8 without a mark (BOM)".to_owned();
        mistakes.add(PlanProblemKind::File, what, Some(hint));
    }
    let again = (candidate.class == AssetClass::Warehouse)
        .then(|| format!("run `bowline export {}` again", candidate.name));
    match exported::read(candidate.class, &text) {
        Ok(identity) => {
            let source =
                bowline_contract::reading::read_text(&candidate.dir.join(layout::MANIFEST_FILE));
            let is_of_another = candidate.class == AssetClass::Warehouse
                && source.is_ok_and(|source| exported::is_of_another(&source, &identity));
            if is_of_another {
                let what = format!(
                    "{} is of another connector: its `connection_type` is not that of {}",
                    mistakes.shown(&path),
                    mistakes.shown(&candidate.dir.join(layout::MANIFEST_FILE))
                );
                mistakes.add(PlanProblemKind::Manifest, what, again);
            }
            (Some(text.into_bytes()), Some(identity))
        }
        Err(unfit) => {
            let mut tell = |kind, told: Vec<Diagnostic>| {
                for told in told {
                    let what = format!("{}: {}", mistakes.shown(&path), told.words());
                    let hint = again.clone().or_else(|| told.hints.first().cloned());
                    mistakes.add(kind, what, hint);
                }
            };
            tell(PlanProblemKind::Manifest, unfit.problems);
            tell(PlanProblemKind::Advice, unfit.advices);
            (None, None)
        }
    }
}

/// Whether a file holds more than the text that was read from it: the mark that some editors begin it with.
fn is_longer(path: &Path, text: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.len() > text.len() as u64)
}

fn mode_of(identity: &Identity, choice: ModeChoice, mistakes: &mut Mistakes<'_>) -> Option<Mode> {
    let has_metadata = identity.capabilities.contains(&Capability::Metadata);
    let has_monitors = identity
        .capabilities
        .contains(&Capability::CustomSqlMonitor);
    let metadata = Capability::Metadata.name();
    let monitors = Capability::CustomSqlMonitor.name();
    let (what, hint) = match (choice, has_metadata, has_monitors) {
        (ModeChoice::Auto | ModeChoice::Full, true, _) => return Some(Mode::Full),
        (ModeChoice::Auto | ModeChoice::Hybrid, false, true) => return Some(Mode::Hybrid),
        (ModeChoice::Full, false, _) => (
            format!("mode `full` needs `{metadata}`, which was not proven"),
            has_monitors
                .then(|| "use `--mode hybrid`, where somebody else pushes the metadata".to_owned()),
        ),
        (ModeChoice::Hybrid, true, _) => (
            format!(
                "mode `hybrid` is for connectors without metadata, and `{metadata}` was proven"
            ),
            Some("use `--mode full` or `--mode auto`".to_owned()),
        ),
        (ModeChoice::Hybrid, false, false) => (
            format!("mode `hybrid` needs `{monitors}`, which was not proven"),
            None,
        ),
        (ModeChoice::Auto, false, false) => (
            format!(
                "no mode fits: `full` needs `{metadata}`, `hybrid` needs `{monitors}`, and neither was proven"
            ),
            None,
        ),
    };
    mistakes.add(PlanProblemKind::Mode, what, hint);
    None
}

pub(super) fn read_extra(dir: &Path, mistakes: &mut Mistakes<'_>) -> Option<DockerfileExtra> {
    let path = dir.join(layout::DOCKERFILE_EXTRA);
    let text = read_optional(&path, mistakes)?;
    match DockerfileExtra::parse(&text) {
        Ok(extra) => {
            if extra.as_ref().is_some_and(switches_off) {
                let (variable, value) = ENABLING_VARIABLE;
                let what = format!(
                    "{}: `{variable}` switches every connector of the image off where it is not `{value}`",
                    mistakes.shown(&path)
                );
                mistakes.add(PlanProblemKind::Extra, what, Some("take it out".to_owned()));
            }
            extra
        }
        Err(problems) => {
            for problem in problems {
                let what = format!("{}: {problem}", mistakes.shown(&path));
                let hint = problem.diagnose().hints.pop();
                mistakes.add(PlanProblemKind::Extra, what, hint);
            }
            None
        }
    }
}

pub(super) fn read_requirements(dir: &Path, mistakes: &mut Mistakes<'_>) -> Vec<Requirement> {
    let path = dir.join(layout::REQUIREMENTS_FILE);
    let Some(text) = read_optional(&path, mistakes) else {
        return Vec::new();
    };
    let (requirements, problems) = requirements::read(&text);
    for (line, problem) in problems {
        let what = format!("{}: line {line}: {problem}", mistakes.shown(&path));
        mistakes.add(PlanProblemKind::Requirements, what, None);
    }
    requirements
}

/// Whether it takes back what the image sets so that connectors are loaded at all.
fn switches_off(extra: &DockerfileExtra) -> bool {
    let (variable, on) = ENABLING_VARIABLE;
    let set = extra.carry_out(&mut BTreeMap::new(), &mut BTreeMap::new());
    set.iter()
        .any(|(name, value)| name == variable && !value.eq_ignore_ascii_case(on))
}

fn read_optional(path: &Path, mistakes: &mut Mistakes<'_>) -> Option<String> {
    match bowline_contract::reading::read_text(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let what = format!("{}: {error}", mistakes.shown(path));
            mistakes.add(PlanProblemKind::File, what, None);
            None
        }
    }
}

/// What a connector cannot do without, where a `.gitignore` names it. What an export takes the place of may be named.
fn ignored_files(
    candidate: &Candidate,
    language: &Language,
    ignored: &Ignored,
    mistakes: &mut Mistakes<'_>,
) {
    let mut needed = vec![layout::DOCKERFILE_EXTRA];
    needed.extend(match language {
        Language::Python => [layout::PYTHON_FILE, layout::REQUIREMENTS_FILE],
        // The image's own program reads the connector's folder.
        Language::Declared => [layout::CONNECTOR_FILE, layout::TEMPLATES_FILE],
    });
    if candidate.class == AssetClass::Pipeline || matches!(language, Language::Declared) {
        needed.push(layout::MANIFEST_FILE);
    }
    for name in needed {
        let path = candidate.dir.join(name);
        if path.is_file() && ignored.names(&path, false) {
            let why = "a `.gitignore` names it, and what it names stays out of images";
            mistakes.keep::<()>(Err(FileProblem::new(&path, why)));
        }
    }
}

/// The files of a connector's folder that go into an image. Beside the `connector.py` of a warehouse these are all but
/// those that the export takes the place of, and the checks of its own.
pub(super) fn own_files(
    candidate: &Candidate,
    root: &str,
    ignored: Ignored,
) -> Result<Vec<PlannedFile>, Vec<FileProblem>> {
    let mut files = files::folder(&candidate.dir, root, ignored)?;
    let is_python = !candidate.dir.join(layout::CONNECTOR_FILE).is_file();
    if is_python && candidate.class == AssetClass::Warehouse {
        files.retain(|file| {
            let inside = file.path.strip_prefix(root).unwrap_or(&file.path);
            let first = inside.trim_start_matches('/').split('/').next();
            ![
                layout::MANIFEST_FILE,
                layout::TEMPLATES_DIR,
                layout::CHECKS_DIR,
            ]
            .map(Some)
            .contains(&first)
        });
    }
    Ok(files)
}

/// The files of a connector in Python: its own, and what was exported.
fn files_in_python(
    candidate: &Candidate,
    root: &str,
    own: &[PlannedFile],
    mistakes: &mut Mistakes<'_>,
) -> Vec<PlannedFile> {
    let mut files = own.to_vec();
    if candidate.class == AssetClass::Warehouse {
        files.extend(export(candidate, root, mistakes));
        files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    files
}

/// What was exported; that it cannot be read is a problem.
fn export(candidate: &Candidate, root: &str, mistakes: &mut Mistakes<'_>) -> Vec<PlannedFile> {
    exported_files(candidate, root).unwrap_or_else(|error| {
        let what = format!("{}: {error}", mistakes.shown(&candidate.export));
        mistakes.add(PlanProblemKind::File, what, None);
        Vec::new()
    })
}

/// What `export` wrote: the manifest and the templates. `.gitignore` names the whole folder, and means something else.
pub(super) fn exported_files(
    candidate: &Candidate,
    root: &str,
) -> std::io::Result<Vec<PlannedFile>> {
    let export = &candidate.export;
    let mut paths = vec![export.join(layout::MANIFEST_FILE)];
    match std::fs::read_dir(export.join(layout::TEMPLATES_DIR)) {
        Ok(entries) => paths.extend(entries.flatten().map(|entry| entry.path()).filter(|path| {
            path.to_string_lossy()
                .ends_with(layout::TEMPLATE_EXPORT_ENDING)
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut files: Vec<PlannedFile> = paths
        .into_iter()
        .filter(|path| path.is_file())
        .filter_map(|path| {
            let name = path.strip_prefix(export).ok()?.to_str()?.replace('\\', "/");
            Some(PlannedFile {
                path: format!("{root}/{name}"),
                content: Content::File(path),
                mode: 0o644,
                platform: None,
            })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The files of a connector that is described: what the runtime provides, with what ships whatever it provides. Gives
/// those of the connector alone and those that it shares.
fn declared_files(
    candidate: &Candidate,
    root: &str,
    own: &[PlannedFile],
    provided: Result<RuntimeFiles, ImageError>,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Vec<PlannedFile>, Vec<PlannedFile>)> {
    let fixed = match candidate.class {
        AssetClass::Warehouse => export(candidate, root, mistakes),
        AssetClass::Pipeline => Vec::new(),
    };
    let named =
        [layout::MANIFEST_FILE, layout::DOCKERFILE_EXTRA].map(|name| format!("{root}/{name}"));
    let kept = own.iter().filter(|file| named.contains(&file.path));
    let mut provided = provided
        .map_err(|mut error| {
            let hint = error.hint.take();
            let what = error.to_string().replace('\n', ": ");
            mistakes.add(PlanProblemKind::Runtime, what, hint);
        })
        .ok()?;
    replace(&mut provided.own, kept.cloned().collect());
    replace(&mut provided.own, fixed);
    Some((provided.own, provided.shared))
}

/// Puts files in, sorted, in the place of those with the same path for the same platform.
fn replace(files: &mut Vec<PlannedFile>, with: Vec<PlannedFile>) {
    files.retain(|old| {
        !with.iter().any(|new| {
            new.path == old.path && (new.platform == old.platform || new.platform.is_none())
        })
    });
    files.extend(with);
    files.sort_by(|a, b| (&a.path, &a.platform).cmp(&(&b.path, &b.platform)));
}

fn unusable_metrics(candidate: &Candidate, identity: &Identity) -> Option<Question> {
    let has_language = identity
        .capabilities
        .contains(&Capability::FullQueryLanguage);
    let is_asked =
        candidate.class == AssetClass::Warehouse && !has_language && !identity.metrics.is_empty();
    is_asked.then(|| Question::MetricsWithoutQueryLanguage {
        connector: candidate.name.clone(),
        metrics: identity.metrics.clone(),
    })
}
