//! Endpoints that answer with lists of records, and which of them are jobs and runs.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::document::{Document, body};
use super::runs::is_like_runs;

/// An endpoint that answers with a list of records.
#[derive(Debug, Clone)]
pub(super) struct ListEndpoint<'d> {
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// Its path, with `{parameters}`.
    pub(super) path: &'d str,
    /// Its query parameters, or the members of its body.
    pub(super) parameters: Vec<Parameter<'d>>,
    /// The headers that every request must have, without those that any request has.
    pub(super) headers: Vec<&'d str>,
    /// Where in the answer the list is; empty when it is the answer itself.
    pub(super) records: Vec<&'d str>,
    /// The schema of a record.
    pub(super) record: &'d Json,
    /// The schema of the answer.
    pub(super) answer: &'d Json,
    /// Whether the answer has a header `Link`.
    pub(super) link_header: bool,
}

/// A parameter of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Parameter<'d> {
    pub(super) name: Cow<'d, str>,
    pub(super) schema: &'d Json,
    pub(super) description: &'d str,
    pub(super) required: bool,
}

/// The endings of paths whose `POST` reads, and how they may begin.
const READING_POSTS: [&str; 5] = ["filter", "list", "query", "search", "find"];
/// The endings of paths that say that a list is searched, and not what is in it.
const SEARCHES: [&str; 7] = [
    "filter", "list", "search", "find", "getall", "getlist", "all",
];
/// Objects that hold nothing but a list of records, or an answer of their own.
const WRAPPERS: [&str; 8] = [
    "data", "result", "results", "response", "payload", "body", "embedded", "d",
];
/// How lists are called that answers have beside the records, or the endings of their names.
const BESIDE: [&str; 8] = [
    "errors", "warnings", "messages", "links", "included", "facets", "meta", "sort",
];
/// Headers that say nothing about which records are asked for.
const USUAL_HEADERS: [&str; 3] = ["accept", "contenttype", "authorization"];
/// What a run may be called, from the surest to the least sure.
const RUN_WORDS: [&str; 10] = [
    "run",
    "dagrun",
    "jobrun",
    "flowrun",
    "execution",
    "invocation",
    "build",
    "history",
    "attempt",
    "instance",
];
/// What a job may be called, from the surest to the least sure.
const JOB_WORDS: [&str; 17] = [
    "pipeline",
    "job",
    "workflow",
    "dag",
    "deployment",
    "flow",
    "recipe",
    "sync",
    "connection",
    "connector",
    "process",
    "scenario",
    "automation",
    "schedule",
    "task",
    "query",
    "project",
];

/// What a job is called beside its word where its runs are called jobs: `job-template`.
const DEFINITIONS: [&str; 5] = ["template", "definition", "config", "configuration", "spec"];

/// The word for a job that is as often the word for what owns jobs.
const OWNER_WORD: &str = "project";

impl<'d> Parameter<'d> {
    /// The parameters that a query has for one of the document's: one, or one for each member of an object.
    fn in_query(document: &'d Document, name: &'d str, parameter: &'d Json) -> Vec<Self> {
        // Version 2 has the type beside the name.
        let schema = document.settled(parameter.get("schema").unwrap_or(parameter));
        let required = parameter["required"] == true;
        let mut members = Self::of_members(document, schema);
        for member in &mut members {
            member.required &= required;
            if parameter["style"] == "deepObject" {
                member.name = format!("{name}[{}]", member.name).into();
            }
        }
        if members.is_empty() {
            members.push(Self {
                name: name.into(),
                schema,
                description: parameter["description"].as_str().unwrap_or_default(),
                required,
            });
        }
        members
    }

    fn of_members(document: &'d Document, schema: &'d Json) -> Vec<Self> {
        let members = document.members(schema);
        let required = members.required;
        let all = members.all.into_iter();
        all.map(|(name, schema)| Self {
            name: name.into(),
            schema: document.settled(schema),
            description: schema["description"].as_str().unwrap_or_default(),
            required: required.contains(name),
        })
        .collect()
    }
}

impl<'d> ListEndpoint<'d> {
    /// Every list of the document, in its order, and how many endpoints there are.
    pub(super) fn all(document: &'d Document) -> (Vec<Self>, usize) {
        let mut lists = Vec::new();
        let mut endpoints = 0;
        let paths = document.at(&["paths"]).as_object();
        for (path, item) in paths.into_iter().flatten() {
            let item = document.resolved(item);
            for method in ["get", "post", "put", "patch", "delete"] {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                endpoints += 1;
                let last = segments(path).last().copied().unwrap_or_default();
                // What ends with a parameter is one thing, whatever lists are in it.
                let method = match method {
                    "get" if !last.contains('{') => "GET",
                    "post" if reads(last) => "POST",
                    _ => continue,
                };
                lists.extend(Self::of(document, method, path, item, operation));
            }
        }
        (lists, endpoints)
    }

    fn of(
        document: &'d Document,
        method: &'static str,
        path: &'d str,
        item: &'d Json,
        operation: &'d Json,
    ) -> Option<Self> {
        let answer = document.answer(operation)?;
        let (records, record) = find_list(document, answer, &noun(path))?;
        let mut parameters = Vec::new();
        let mut headers = Vec::new();
        let mut sent = body(&document.resolved(&operation["requestBody"])["content"]);
        for owner in [operation, item] {
            let listed = owner.get("parameters").and_then(Json::as_array);
            for parameter in listed.into_iter().flatten() {
                let parameter = document.resolved(parameter);
                let Some(name) = parameter["name"].as_str() else {
                    continue;
                };
                match parameter["in"].as_str() {
                    Some("query") => {
                        parameters.extend(Parameter::in_query(document, name, parameter));
                    }
                    Some("header")
                        if parameter["required"] == true
                            && !is_one_of(name, &USUAL_HEADERS)
                            && !headers.contains(&name) =>
                    {
                        headers.push(name);
                    }
                    // Version 2 has the body among the parameters.
                    Some("body") => sent = sent.or_else(|| parameter.get("schema")),
                    _ => {}
                }
            }
        }
        if let Some(sent) = sent.filter(|_| method == "POST") {
            parameters.extend(Parameter::of_members(document, sent));
        }
        let responses = operation.get("responses").and_then(Json::as_object);
        let link_header = responses.into_iter().flatten().any(|(_, response)| {
            let headers = document.resolved(response)["headers"].as_object();
            headers
                .is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")))
        });
        Some(Self {
            method,
            path,
            parameters,
            headers,
            records,
            record,
            answer,
            link_header,
        })
    }

    /// The names of the parameters in its path.
    pub(super) fn path_parameters(&self) -> Vec<&'d str> {
        let opened = self.path.split('{').skip(1);
        let all = opened.filter_map(|rest| rest.split_once('}'));
        all.map(|(name, _)| name).collect()
    }

    /// What a record of the list is called, by the path: `run` for `/jobs/{id}/runs`.
    pub(super) fn noun(&self) -> String {
        noun(self.path)
    }

    /// Its path without the word that says that it is a search.
    pub(super) fn base(&self) -> &'d str {
        let path = self.path.trim_end_matches('/');
        match path.rsplit_once('/') {
            Some((base, last)) if self.method == "POST" || is_one_of(last, &SEARCHES) => base,
            _ => path,
        }
    }

    /// How surely this is a list of jobs: the less the surer; none when it is not at all.
    fn job_rank(&self) -> Option<usize> {
        match self.run_rank() {
            Some(_) => None,
            None => rank(defined(&folded(&self.noun())), &JOB_WORDS),
        }
    }

    /// The same for runs.
    fn run_rank(&self) -> Option<usize> {
        rank(&folded(&self.noun()), &RUN_WORDS)
    }

    /// Whether the parameters of its path only say whose list it is, such as an account, and none of them is a job or a
    /// run by its name.
    fn stands_alone(&self) -> bool {
        let segments = segments(self.path);
        let is_of = |segment: &str| {
            let noun = folded(&singular(segment));
            let job = defined(&noun);
            RUN_WORDS.contains(&noun.as_str()) || (job != OWNER_WORD && JOB_WORDS.contains(&job))
        };
        !segments
            .windows(2)
            .any(|pair| pair[1].contains('{') && is_of(pair[0]))
    }

    /// Whether its records are asked for once for each record of the other list, which is right above it.
    pub(super) fn hangs_on(&self, jobs: &Self) -> bool {
        let own = self.path_parameters().len();
        own == jobs.path_parameters().len() + 1 && below(self.path, jobs.base()).is_some()
    }

    /// The parameters of its path that are the same for every request, where those jobs are the list that is read.
    pub(super) fn fixed_parameters(&self, jobs: &Self) -> Vec<&'d str> {
        if self.hangs_on(jobs) {
            jobs.path_parameters()
        } else {
            self.path_parameters()
        }
    }
}

/// What is behind the brace of the parameter right below a path: `id}/runs` for `/jobs/{id}/runs` below `/jobs`, and
/// for `/jobs({id})/runs`.
pub(super) fn below<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    let (opening, rest) = path.strip_prefix(base)?.split_once('{')?;
    let opens = opening == "/" || (opening.starts_with('(') && !opening.contains('/'));
    opens.then_some(rest)
}

/// How surely a noun is one of the words, which begin with the surest: the less the surer; none when it is not at all.
fn rank(noun: &str, words: &[&str]) -> Option<usize> {
    let exact = words.iter().position(|word| noun == *word);
    let ending = || words.iter().position(|word| noun.ends_with(word));
    exact.or_else(|| ending().map(|at| at + words.len()))
}

/// What a noun is the definition of: `job` for `jobtemplate`; the noun itself when it is none.
pub(super) fn defined(noun: &str) -> &str {
    let mut stems = DEFINITIONS
        .iter()
        .filter_map(|word| noun.strip_suffix(word));
    stems.find(|stem| !stem.is_empty()).unwrap_or(noun)
}

/// The lists of jobs and of runs, as far as names tell.
#[derive(Debug)]
pub(super) struct Chosen<'d> {
    pub(super) jobs: ListEndpoint<'d>,
    pub(super) runs: Option<ListEndpoint<'d>>,
    pub(super) others: Vec<ListEndpoint<'d>>,
}

/// What a list of jobs without runs costs, a list of jobs that looks like one of runs, each parameter of a path, and runs
/// that are asked for by job: more than any word.
const NO_RUNS: usize = 10_000;
const LIKE_RUNS: usize = 5000;
const PARAMETER: usize = 300;
const RUNS_BY_JOB: usize = 100;

/// Chooses the lists that look most like jobs and their runs; without anything like jobs, the first list stands for
/// them.
pub(super) fn choose<'d>(
    document: &'d Document,
    mut lists: Vec<ListEndpoint<'d>>,
) -> Option<Chosen<'d>> {
    // Some vendors call a run a job, and a job by another word.
    let run_rank = |list: &ListEndpoint<'d>| {
        let called_job = || list.job_rank().filter(|_| is_like_runs(document, list));
        list.run_rank()
            .or_else(|| Some(called_job()? + 2 * RUN_WORDS.len()))
    };
    let run_of = |jobs_at: usize| {
        let jobs = &lists[jobs_at];
        let others = lists.iter().enumerate().filter(|(at, _)| *at != jobs_at);
        let runs = others.filter_map(|(at, list)| {
            let rank = run_rank(list)?;
            let given = jobs.path_parameters();
            let cost = if list.stands_alone() {
                let own = list.path_parameters().into_iter();
                own.filter(|name| !given.contains(name)).count() * PARAMETER
            } else if list.hangs_on(jobs) {
                RUNS_BY_JOB
            } else {
                return None;
            };
            Some((rank + cost, list.path.len(), at))
        });
        runs.min()
    };
    let alone = || {
        let lists = lists.iter().enumerate();
        lists.filter(|(_, list)| list.stands_alone())
    };
    let best = alone().filter_map(|(at, list)| {
        let rank = list.job_rank()?;
        let parameters = list.path_parameters().len() * PARAMETER;
        let likeness = usize::from(is_like_runs(document, list)) * LIKE_RUNS;
        let runs = run_of(at).map_or(NO_RUNS, |(cost, ..)| cost);
        Some((rank + likeness + parameters + runs, list.path.len(), at))
    });
    // Nothing that is called a job: what runs are listed below is one by another name.
    let first = || {
        let others = || alone().filter(|(_, list)| list.run_rank().is_none());
        let with_runs =
            |at: usize| run_of(at).is_some_and(|(.., runs)| lists[runs].hangs_on(&lists[at]));
        others()
            .find(|(at, _)| with_runs(*at))
            .or_else(|| others().next())
            .or_else(|| alone().next())
    };
    let jobs = best.min().map(|(_, _, at)| at);
    let jobs = jobs.or_else(|| Some(first()?.0))?;
    let runs = run_of(jobs).map(|(_, _, at)| at);
    let chosen = |at: usize| lists[at].clone();
    let (jobs_list, runs_list) = (chosen(jobs), runs.map(chosen));
    let mut at = 0;
    lists.retain(|_| {
        at += 1;
        at - 1 != jobs && Some(at - 1) != runs
    });
    Some(Chosen {
        jobs: jobs_list,
        runs: runs_list,
        others: lists,
    })
}

/// Where a list of objects is in an answer, and the schema of its records: one that is called by the noun first, and one
/// of what stands beside records last.
fn find_list<'d>(
    document: &'d Document,
    answer: &'d Json,
    noun: &str,
) -> Option<(Vec<&'d str>, &'d Json)> {
    let record = |schema| {
        let items = document.items(schema)?;
        let is_record = !document.members(items).all.is_empty();
        is_record.then_some(items)
    };
    if let Some(items) = record(answer) {
        return Some((Vec::new(), items));
    }
    let mut found = Vec::new();
    for (outer, schema) in document.members(answer).all {
        found.extend(record(schema).map(|items| (outer, vec![outer], items)));
        if is_one_of(outer, &WRAPPERS) {
            let inner = document.members(schema).all.into_iter();
            found.extend(
                inner.filter_map(|(name, schema)| Some((name, vec![outer, name], record(schema)?))),
            );
        }
    }
    let best = found.into_iter().min_by_key(|(name, path, _)| {
        let likeness = if folded(&singular(name)) == folded(noun) {
            0
        } else {
            let name = folded(name);
            1 + usize::from(BESIDE.iter().any(|word| name.ends_with(word)))
        };
        (likeness, path.len())
    });
    best.map(|(_, path, items)| (path, items))
}

/// Whether a `POST` to what ends so reads: one of the words, alone or before what is read, as in `queryRuns`.
fn reads(segment: &str) -> bool {
    let begins = |word: &str| {
        let parts = segment.split_at_checked(word.len());
        parts.is_some_and(|(verb, rest)| {
            let ends = |c: char| c.is_ascii_uppercase() || matches!(c, '_' | '-');
            verb.eq_ignore_ascii_case(word) && rest.starts_with(ends)
        })
    };
    is_one_of(segment, &READING_POSTS) || READING_POSTS.iter().any(|word| begins(word))
}

/// The parts of a path; a key in parentheses is one, too.
fn segments(path: &str) -> Vec<&str> {
    let all = path.split(['/', '(']);
    all.map(|segment| segment.trim_end_matches(')'))
        .filter(|segment| !segment.is_empty())
        .collect()
}

fn noun(path: &str) -> String {
    let is_word = |segment: &&str| {
        !is_one_of(segment, &READING_POSTS)
            && !is_one_of(segment, &SEARCHES)
            && !segment.contains('{')
    };
    singular(
        segments(path)
            .into_iter()
            .rfind(is_word)
            .unwrap_or_default(),
    )
}

fn is_one_of(name: &str, words: &[&str]) -> bool {
    words.contains(&folded(name).as_str())
}

/// A name in small letters, without what stands between its words.
pub(super) fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The singular of an English plural in small letters, as far as its letters tell.
fn singular(word: &str) -> String {
    let word = word.to_lowercase();
    match word.as_str() {
        "processes" => "process".to_owned(),
        "histories" => "history".to_owned(),
        _ if word.ends_with("ss") => word,
        _ => match (word.strip_suffix("ies"), word.strip_suffix('s')) {
            (Some(stem), _) => format!("{stem}y"),
            (None, Some(stem)) => stem.to_owned(),
            (None, None) => word,
        },
    }
}
