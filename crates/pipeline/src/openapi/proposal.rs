//! The proposal: a `connector.toml` in which every guess is marked.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::document::{Document, OpenApiError};
use super::endpoint::{Chosen, ListEndpoint, below, choose};
use super::fields::Fields;
use super::jobs::JobFields;
use super::login::ProposedLogin;
use super::mapping::of_parent;
use super::paging::{ProposedPaging, toml_text};
use super::runs::RunFields;
use super::window::ProposedWindow;
use crate::status::guessed_meaning;

/// What a vendor's OpenAPI document proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `connector.toml`; what was guessed ends with `# review`.
    pub connector: String,
    /// The names of the credentials that it takes.
    pub credentials: Vec<String>,
    /// The vendor's words for how a run stands, and what they seem to mean.
    pub statuses: Vec<(String, &'static str)>,
    /// The endpoint that was taken for the list of jobs.
    pub jobs: String,
    /// The endpoint that was taken for the list of runs, if there is one.
    pub runs: Option<String>,
}

/// How many other lists are named.
const OTHERS: usize = 30;

impl Proposal {
    /// Reads an OpenAPI document, version 2 or 3, in JSON or YAML.
    ///
    /// # Errors
    /// [`OpenApiError`]: another format, no endpoint that gives a list, or none because it stands in another file.
    pub fn of(text: &str) -> Result<Self, OpenApiError> {
        let document = Document::parse(text)?;
        let (lists, endpoints) = ListEndpoint::all(&document);
        let chosen = choose(&document, lists).ok_or_else(|| match document.elsewhere() {
            Some(reference) => OpenApiError::Elsewhere {
                reference: comment(reference),
            },
            None => OpenApiError::NoLists { endpoints },
        })?;
        let login = ProposedLogin::of(&document);
        let runs = RunFields::of(&document, chosen.runs.as_ref(), &chosen.jobs);
        let jobs = JobFields::of(&document, &chosen.jobs, runs.jobs_by);
        let mut text = head(&document, &login);
        sources(&mut text, &document, &chosen, &login, &jobs, &runs);
        jobs.write(&mut text);
        runs.write(&mut text);
        others(&mut text, &chosen.others);
        let mut credentials = vec!["api_url".to_owned()];
        credentials.extend(login.credentials.iter().map(|name| (*name).to_owned()));
        let lists = std::iter::once(&chosen.jobs).chain(&chosen.runs);
        for name in lists.flat_map(|list| list.fixed_parameters(&chosen.jobs)) {
            let name = credential(name);
            if !credentials.contains(&name) {
                credentials.push(name);
            }
        }
        Ok(Self {
            connector: text,
            credentials,
            statuses: runs.statuses,
            jobs: named(&chosen.jobs),
            runs: chosen.runs.as_ref().map(named),
        })
    }
}

fn named(list: &ListEndpoint<'_>) -> String {
    comment(&format!("{} {}", list.method, list.path))
}

/// A text of the document's on one line of a comment.
pub(super) fn comment(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(160)
        .collect();
    line.trim().to_owned()
}

fn head(document: &Document, login: &ProposedLogin) -> String {
    let title = document.at(&["info", "title"]).as_str();
    let mut text = format!(
        "# Proposed from the OpenAPI document of {}: guessed by names, so nothing here is sure.\n\
         # Compare every line that ends with `# review` with what the vendor really answers, and take the words away.\n",
        comment(title.unwrap_or("the vendor")),
    );
    if let Some(reference) = document.elsewhere() {
        let _ = writeln!(
            text,
            "# Parts of the document were not read, for they are in other files, such as `{}`: bundle it into one file.",
            comment(reference)
        );
    }
    text.push_str("version = 1\n\n[http]\n");
    let (address, below) = address(document);
    if let Some(address) = address {
        let _ = writeln!(
            text,
            "# `api_url` in credentials.json: the document names {}",
            comment(&address)
        );
    }
    let base = format!("{{{{ credentials.api_url }}}}{below}");
    let _ = writeln!(text, "base_url = {} # review", toml_text(&base));
    let _ = writeln!(text, "# Login: {}.", comment(&login.remark));
    let _ = writeln!(text, "auth = {} # review", login.auth);
    text
}

/// Where the document says that the vendor is: an address, and what is behind it on every vendor's own.
fn address(document: &Document) -> (Option<String>, String) {
    let server = document.at(&["servers"])[0]["url"].as_str();
    let base_path = document.at(&["basePath"]).as_str();
    let plain = |path: &str| {
        if path.contains(['{', '}']) {
            String::new()
        } else {
            path.trim_end_matches('/').to_owned()
        }
    };
    match (server, document.at(&["host"]).as_str(), base_path) {
        (Some(server), _, _) if server.starts_with('/') => (None, plain(server)),
        (Some(server), _, _) => (Some(server.to_owned()), String::new()),
        (None, Some(host), path) => (
            Some(format!("https://{host}{}", path.unwrap_or_default())),
            String::new(),
        ),
        (None, None, Some(path)) => (None, plain(path)),
        (None, None, None) => (None, String::new()),
    }
}

/// `[sources.*]`: the jobs, the runs, and the runs by their ids.
fn sources(
    text: &mut String,
    document: &Document,
    chosen: &Chosen<'_>,
    login: &ProposedLogin,
    jobs: &JobFields,
    runs: &RunFields,
) {
    let path = |list: &ListEndpoint<'_>, parent: &str| {
        filled_path(list.path, &list.fixed_parameters(&chosen.jobs), parent)
    };
    let _ = write!(text, "\n# {}\n[sources.jobs]\n", named(&chosen.jobs));
    source(
        text,
        document,
        &chosen.jobs,
        &path(&chosen.jobs, "parent"),
        None,
        login,
    );
    let _ = writeln!(text, "key = {} # review", toml_text(&jobs.id));
    let Some(list) = &chosen.runs else {
        text.push_str(
            "\n# No list of runs was found: name the endpoint that gives them.\n[sources.runs]\npath = \"/runs\" # review\n",
        );
        return;
    };
    let _ = write!(text, "\n# {}\n[sources.runs]\n", named(list));
    if list.hangs_on(&chosen.jobs) {
        text.push_str("for_each = \"jobs\" # review\n");
    }
    let parent = of_parent(&jobs.own);
    let window = ProposedWindow::of(document, list);
    if window.start.is_none() {
        text.push_str("# No parameter for a window of time was found: every run is read, and those outside passed over.\n");
    }
    source(
        text,
        document,
        list,
        &path(list, &parent),
        Some(&window),
        login,
    );
    let _ = writeln!(text, "key = {} # review", toml_text(&runs.id));
    if let Some((one, records)) = by_id(document, list, &chosen.jobs, runs) {
        let _ = write!(
            text,
            "\n# GET {}\n[sources.runs_by_id]\nfor_each = \"run_ids\"\npath = {} # review\n{}missing = [404]\nkey = {} # review\n",
            comment(one),
            toml_text(&filled_path(one, &list.path_parameters(), "parent")),
            records.map_or_else(String::new, |records| {
                format!("records = {} # review\n", toml_text(&records))
            }),
            toml_text(&runs.id),
        );
    }
}

/// Whether there is an endpoint for a run by its id.
pub(super) fn by_id<'d>(
    document: &'d Document,
    list: &ListEndpoint<'d>,
    jobs: &ListEndpoint<'d>,
    runs: &RunFields,
) -> Option<(&'d str, Option<String>)> {
    if list.hangs_on(jobs) {
        return None;
    }
    let paths = document.at(&["paths"]).as_object()?;
    let (path, item) = paths.iter().find(|(path, _)| {
        let rest = below(path, list.base()).and_then(|rest| rest.split_once('}'));
        rest.is_some_and(|(_, end)| end.chars().all(|c| matches!(c, '/' | '\'' | ')')))
    })?;
    let answer = document.answer(document.resolved(item).get("get")?)?;
    let key = runs.id.trim_start_matches("record.");
    if document.members(answer).get(key).is_some() {
        return Some((path, None));
    }
    let members = document.members(answer).all;
    let (name, _) = members
        .into_iter()
        .find(|(_, inner)| document.members(inner).get(key).is_some())?;
    Some((path, Some(super::fields::member("response", name))))
}

/// The request, its pages and where its records are.
fn source(
    text: &mut String,
    document: &Document,
    list: &ListEndpoint<'_>,
    path: &str,
    window: Option<&ProposedWindow>,
    login: &ProposedLogin,
) {
    let paging = ProposedPaging::of(document, list);
    let mut values: Vec<(String, String)> = Vec::new();
    for (name, value) in paging.iter().flat_map(|paging| &paging.parameters) {
        values.push((name.clone(), (*value).to_owned()));
    }
    let bounds = window
        .into_iter()
        .flat_map(|window| [&window.start, &window.end]);
    for (name, value) in bounds.flatten() {
        if !values.iter().any(|(known, _)| known == name) {
            values.push((name.clone(), value.clone()));
        }
    }
    let _ = writeln!(text, "path = {} # review", toml_text(path));
    let table = |values: &[(String, String)]| {
        let members: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{} = {}", key(name), toml_text(value)))
            .collect();
        format!("{{ {} }}", members.join(", "))
    };
    if let Some((name, value)) = &login.parameter {
        let with_login = (name.clone(), (*value).to_owned());
        match list.method {
            "POST" => {
                let _ = writeln!(text, "query = {} # review", table(&[with_login]));
            }
            _ => values.push(with_login),
        }
    }
    match (list.method, values.is_empty()) {
        ("POST", _) => {
            let _ = writeln!(
                text,
                "method = \"POST\"\njson = {} # review",
                table(&values)
            );
        }
        (_, false) => {
            let _ = writeln!(text, "query = {} # review", table(&values));
        }
        (_, true) => {}
    }
    let given = |name: &str| values.iter().any(|(known, _)| known == name);
    for parameter in list
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
    {
        if !given(&parameter.name) {
            let _ = writeln!(
                text,
                "# review: the vendor asks for `{}` too",
                comment(&parameter.name)
            );
        }
    }
    for header in &list.headers {
        let login = login.header.as_deref().unwrap_or_default();
        if !login.eq_ignore_ascii_case(header) {
            let _ = writeln!(
                text,
                "# review: the vendor asks for the header `{}` too",
                comment(header)
            );
        }
    }
    if !list.records.is_empty() {
        let records = list.records.iter();
        let records = records.fold("response".to_owned(), |path, name| {
            super::fields::member(&path, name)
        });
        let _ = writeln!(text, "records = {} # review", toml_text(&records));
    }
    match paging {
        Some(paging) => {
            let _ = writeln!(text, "pages = {{ {} }} # review", paging.pages.join(", "));
        }
        None => text.push_str(
            "# review: no parameters for pages were found; does one answer hold everything?\n",
        ),
    }
}

/// The name of the credential that a parameter of a path is taken from.
fn credential(parameter: &str) -> String {
    let mut name = String::new();
    for letter in parameter.chars() {
        let is_word = letter.is_ascii_alphanumeric();
        let is_new = !is_word || letter.is_ascii_uppercase();
        if is_new && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if is_word {
            name.push(letter.to_ascii_lowercase());
        }
    }
    match name.trim_end_matches('_') {
        "" => "path".to_owned(),
        name => name.to_owned(),
    }
}

/// A path with an expression for each of its parameters: those that are fixed are credentials, any other is the
/// parent's.
fn filled_path(path: &str, fixed: &[&str], parent: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            return filled;
        };
        let _ = if fixed.contains(&name) {
            write!(
                filled,
                "{{{{ {} }}}}",
                super::fields::member("credentials", &credential(name))
            )
        } else {
            write!(filled, "{{{{ {parent} }}}}")
        };
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// A key as TOML writes it.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        toml_text(name)
    }
}

fn others(text: &mut String, others: &[ListEndpoint<'_>]) {
    if others.is_empty() {
        return;
    }
    text.push_str("\n# Other lists that the document has:\n");
    for list in others.iter().take(OTHERS) {
        let place = match list.records.as_slice() {
            [] => String::new(),
            names => format!(", in `{}`", comment(&names.join("."))),
        };
        let _ = writeln!(text, "#   {}{place}", named(list));
    }
    if others.len() > OTHERS {
        let _ = writeln!(text, "#   and {} more", others.len() - OTHERS);
    }
}

/// The words of an enumeration of statuses, and what they seem to mean.
pub(super) fn statuses_of(document: &Document, schemas: &[&Json]) -> Vec<(String, &'static str)> {
    let words = schemas
        .iter()
        .filter_map(|schema| document.settled(schema)["enum"].as_array())
        .flatten()
        .filter_map(Json::as_str);
    let mut statuses: Vec<(String, &'static str)> = Vec::new();
    for word in words.filter(|word| !word.trim().is_empty()) {
        if statuses
            .iter()
            .all(|(known, _)| known.to_lowercase() != word.to_lowercase())
        {
            statuses.push((word.to_owned(), guessed_meaning(word)));
        }
    }
    statuses
}

/// The fields of a record, called `record`.
pub(super) fn record_fields<'d>(document: &'d Document, list: &ListEndpoint<'d>) -> Fields<'d> {
    Fields::of_record(document, list.record)
}
