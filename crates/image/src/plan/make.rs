//! From the folders of a workspace to a plan, with everything checked that can be checked before work starts.

use std::collections::BTreeMap;

use bowline_contract::ConnectorName;
use bowline_contract::manifest::{AssetClass, ConnectionType};
use bowline_oci::Platform;
use bowline_oci::registry::Reference;
use serde_json::{Value, json};

use super::connector::{Checked, Mistakes, check};
use super::image_plan::{BASE_NAME_LABEL, title};
use super::problem::{PlanError, PlanProblem, PlanProblemKind};
use super::{
    AGENT_USER, BaseImage, CONNECTORS_LABEL, Candidate, ENABLING_VARIABLE, ImagePlan, PlanRequest,
    Planned, PlannedFile, STOCK_AGENT,
};

/// The version of the stock agent that images are built on when none is named.
pub(super) const DEFAULT_VERSION: &str = "latest";
/// The repository of an image that nobody gave a name.
const DEFAULT_REPOSITORY: &str = "custom-agent";

/// Plans an image and checks all that can be checked before work starts.
///
/// # Errors
/// Everything that stands in the way, at once.
pub fn plan(request: &PlanRequest<'_>) -> Result<Planned, PlanError> {
    let mut problems = Vec::new();
    let version = request.version.unwrap_or(DEFAULT_VERSION);
    let base = base_or_stock(request.base.clone(), version, &mut problems);
    let tag = tag_or_usual(request.tag, version, &mut problems);
    let platforms = platforms_or_usual(request.platforms);
    let checked = check_all(request, &platforms, &mut problems);
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }
    Ok(assemble(base, tag, version, platforms, checked))
}

/// The base that is asked for, or the stock agent's of a version, which a tag must be able to hold.
pub(super) fn base_or_stock(
    base: Option<BaseImage>,
    version: &str,
    problems: &mut Vec<PlanProblem>,
) -> BaseImage {
    if !is_tag(version) {
        let what = format!("not a version that a tag can hold: `{version}`");
        problems.push(
            PlanProblem::new(PlanProblemKind::Argument, what)
                .hint("give one such as `1.2.3`".to_owned()),
        );
    }
    match base {
        Some(base) => {
            problems.extend(base_problem(&base));
            base
        }
        None => BaseImage::Reference(format!("{STOCK_AGENT}:{version}-generic")),
    }
}

fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['.', '-'])
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
}

fn base_problem(base: &BaseImage) -> Option<PlanProblem> {
    let problem = |what: String| PlanProblem::new(PlanProblemKind::Argument, what);
    match base {
        BaseImage::Reference(reference) => reference.parse::<Reference>().err().map(|error| {
            problem(format!(
                "not a base: {}: {}",
                error.thing,
                error.causes.join("; ")
            ))
            .hint("name an image, the folder of an OCI layout, or an archive".to_owned())
        }),
        BaseImage::Layout { .. } | BaseImage::Archive(_) => base.absence().map(|absence| {
            let what = format!("{}: `{}`", absence.why, absence.path.display());
            problem(what).hint(absence.hint)
        }),
    }
}

/// The tag that is asked for, or the usual one of a version.
fn tag_or_usual(tag: Option<&str>, version: &str, problems: &mut Vec<PlanProblem>) -> String {
    match tag {
        Some(tag) => {
            problems.extend(tag_problem(tag));
            tag.to_owned()
        }
        None => format!("{DEFAULT_REPOSITORY}:{version}-generic"),
    }
}

fn tag_problem(tag: &str) -> Option<PlanProblem> {
    let problem = |why: String| {
        PlanProblem::new(
            PlanProblemKind::Argument,
            format!("not a tag: `{tag}`: {why}"),
        )
        .hint("write it like `registry.example.com/team/agent:1.0`".to_owned())
    };
    match tag.parse::<Reference>() {
        Ok(reference) if reference.digest().is_some() => Some(problem(
            "a digest is what an image turns out to have, and cannot be asked for".to_owned(),
        )),
        Ok(_) => None,
        Err(error) => Some(PlanProblem {
            what: format!("not a tag: {}: {}", error.thing, error.causes.join("; ")),
            ..problem(String::new())
        }),
    }
}

/// The platforms that are asked for, sorted and each once, or the usual one.
fn platforms_or_usual(asked: &[Platform]) -> Vec<Platform> {
    let mut platforms = asked.to_vec();
    if platforms.is_empty() {
        platforms.push(Platform::linux_amd64());
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

/// Checks every connector; those without a problem are given.
fn check_all(
    request: &PlanRequest<'_>,
    platforms: &[Platform],
    problems: &mut Vec<PlanProblem>,
) -> Vec<Checked> {
    if request.connectors.is_empty() {
        let nothing = PlanProblem::new(PlanProblemKind::Name, "no connector to put into it");
        problems.push(nothing.hint(
            "export one with `bowline export`, or put a pipeline connector into `etl_connectors/`"
                .to_owned(),
        ));
    }
    let mut checked = Vec::new();
    let mut by_type: BTreeMap<ConnectionType, Vec<&ConnectorName>> = BTreeMap::new();
    for candidate in in_order(request.connectors) {
        let mut mistakes = Mistakes::of(candidate, request.workspace);
        checked.extend(check(candidate, request, platforms, &mut mistakes));
        problems.extend(mistakes.problems);
        if let Some(connection_type) = mistakes.connection_type {
            by_type
                .entry(connection_type)
                .or_default()
                .push(&candidate.name);
        }
    }
    problems.extend(shared_types(by_type));
    checked
}

/// Warehouses first, then pipelines, each sorted by name and once.
pub(super) fn in_order(connectors: &[Candidate]) -> Vec<&Candidate> {
    let mut sorted: Vec<&Candidate> = connectors.iter().collect();
    sorted.sort_by_key(|each| (each.class == AssetClass::Pipeline, &each.name));
    sorted.dedup_by_key(|each| (each.class, &each.name));
    sorted
}

/// The agent finds a connector by its type alone, so two of one type cannot live in one image.
fn shared_types(
    by_type: BTreeMap<ConnectionType, Vec<&ConnectorName>>,
) -> impl Iterator<Item = PlanProblem> {
    by_type
        .into_iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(connection_type, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            PlanProblem::new(
                PlanProblemKind::Manifest,
                format!(
                    "{} have the same `connection_type`: `{connection_type}`",
                    names.join(" and ")
                ),
            )
            .hint("give the copied one seven other hex digits, and export it again".to_owned())
        })
}

/// The plan of what was found to be right.
fn assemble(
    base: BaseImage,
    tag: String,
    version: &str,
    platforms: Vec<Platform>,
    checked: Vec<Checked>,
) -> Planned {
    let labels = labels(&base, &tag, version, connectors_label(&checked));
    let mut shared = Vec::new();
    let mut questions = Vec::new();
    let mut advices = Vec::new();
    let mut unproven = Vec::new();
    let mut connectors = Vec::new();
    for each in checked {
        shared.extend(each.shared);
        questions.extend(each.questions);
        advices.extend(each.advices);
        unproven.extend(each.unproven.map(|why| (each.planned.name.clone(), why)));
        connectors.push(each.planned);
    }
    shared.sort_by(|a: &PlannedFile, b| (&a.path, &a.platform).cmp(&(&b.path, &b.platform)));
    shared.dedup();
    let (variable, value) = ENABLING_VARIABLE;
    Planned {
        plan: ImagePlan {
            labels,
            base,
            platforms,
            tag,
            environment: vec![(variable.to_owned(), value.to_owned())],
            user: AGENT_USER.to_owned(),
            shared,
            connectors,
        },
        questions,
        advices,
        unproven,
    }
}

fn labels(
    base: &BaseImage,
    tag: &str,
    version: &str,
    connectors: String,
) -> BTreeMap<String, String> {
    let name = base.name().map(|name| (BASE_NAME_LABEL, name.to_owned()));
    [
        ("org.opencontainers.image.title", title(tag).to_owned()),
        ("org.opencontainers.image.version", version.to_owned()),
        (CONNECTORS_LABEL, connectors),
    ]
    .into_iter()
    .chain(name)
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn connectors_label(checked: &[Checked]) -> String {
    let described = checked.iter().map(|each| {
        let mut described = json!({
            "name": each.planned.name.as_str(),
            "class": each.planned.class.name(),
            "connection_type": each.identity.connection_type.as_str(),
            "connection_name": each.identity.connection_name,
        });
        if let Some(mode) = each.planned.mode {
            described["mode"] = mode.name().into();
            described["capabilities"] = each
                .identity
                .capabilities
                .iter()
                .map(|capability| Value::from(capability.name()))
                .collect();
        }
        described
    });
    Value::Array(described.collect()).to_string()
}
