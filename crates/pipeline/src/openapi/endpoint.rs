//! Endpoints that answer with lists of records, and which of them are jobs and runs.

use serde_json::Value as Json;

use super::document::Document;
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'d> {
    pub(super) name: &'d str,
    pub(super) schema: &'d Json,
    pub(super) description: &'d str,
    pub(super) required: bool,
}

/// The endings of paths whose `POST` reads.
const READING_POSTS: [&str; 5] = ["filter", "list", "query", "search", "find"];
/// The endings of paths that say that a list is searched, and not what is in it.
const SEARCHES: [&str; 4] = ["filter", "list", "search", "find"];
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

/// The word for a job that is as often the word for what owns jobs.
const OWNER_WORD: &str = "project";

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
                    "post" if READING_POSTS.contains(&last) => "POST",
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
        let (records, record) = find_list(document, answer)?;
        let mut parameters = Vec::new();
        for owner in [operation, item] {
            let listed = owner.get("parameters").and_then(Json::as_array);
            for parameter in listed.into_iter().flatten() {
                let parameter = document.resolved(parameter);
                let (Some(name), "query") = (
                    parameter["name"].as_str(),
                    parameter["in"].as_str().unwrap_or_default(),
                ) else {
                    continue;
                };
                parameters.push(Parameter {
                    name,
                    // Version 2 has the type beside the name.
                    schema: document.settled(parameter.get("schema").unwrap_or(parameter)),
                    description: parameter["description"].as_str().unwrap_or_default(),
                    required: parameter["required"] == true,
                });
            }
        }
        if method == "POST" {
            let content = &document.resolved(&operation["requestBody"])["content"];
            let body = content
                .as_object()
                .and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")))
                .and_then(|(_, media)| media.get("schema"));
            if let Some(body) = body {
                let members = document.members(body);
                let required = members.required;
                parameters.extend(members.all.into_iter().map(|(name, schema)| Parameter {
                    name,
                    schema: document.settled(schema),
                    description: schema["description"].as_str().unwrap_or_default(),
                    required: required.contains(name),
                }));
            }
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
        let last = segments(self.path)
            .into_iter()
            .rfind(|segment| !READING_POSTS.contains(segment) && !segment.contains('{'));
        singular(last.unwrap_or_default())
    }

    /// Its path without the word that says that it is a search.
    pub(super) fn base(&self) -> &'d str {
        let path = self.path.trim_end_matches('/');
        match path.rsplit_once('/') {
            Some((base, last)) if self.method == "POST" || SEARCHES.contains(&last) => base,
            _ => path,
        }
    }

    /// How surely this is a list of what the words name: the less the surer; none when it is not at all.
    fn rank(&self, words: &[&str]) -> Option<usize> {
        let noun = folded(&self.noun());
        let exact = words.iter().position(|word| noun == *word);
        let ending = || words.iter().position(|word| noun.ends_with(word));
        exact.or_else(|| ending().map(|at| at + words.len()))
    }

    /// The parameters of its path when they say whose list it is, such as an account: they are the same for every
    /// request. None when one of them is a job or a run.
    pub(super) fn fixed_parameters(&self) -> Option<Vec<&'d str>> {
        let segments = segments(self.path);
        let is_of = |segment: &str| {
            let noun = folded(&singular(segment));
            RUN_WORDS.contains(&noun.as_str())
                || (noun != OWNER_WORD && JOB_WORDS.contains(&noun.as_str()))
        };
        let hangs = segments
            .windows(2)
            .any(|pair| pair[1].contains('{') && is_of(pair[0]));
        (!hangs).then(|| self.path_parameters())
    }

    /// Whether its records can be asked for with the other list at hand: runs below a thing that is no job of ours
    /// cannot.
    fn hangs_on(&self, jobs: &Self) -> bool {
        let below = self.path.strip_prefix(jobs.base());
        let own = self.path_parameters().len();
        own == jobs.path_parameters().len() + 1 && below.is_some_and(|rest| rest.starts_with("/{"))
    }
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
    let job_rank = |list: &ListEndpoint<'_>| match list.rank(&RUN_WORDS) {
        Some(_) => None,
        None => list.rank(&JOB_WORDS),
    };
    // Some vendors call a run a job, and a job by another word.
    let run_rank = |list: &ListEndpoint<'d>| {
        let called_job = || job_rank(list).filter(|_| is_like_runs(document, list));
        list.rank(&RUN_WORDS)
            .or_else(|| Some(called_job()? + 2 * RUN_WORDS.len()))
    };
    let run_of = |jobs_at: usize| {
        let jobs = &lists[jobs_at];
        let others = lists.iter().enumerate().filter(|(at, _)| *at != jobs_at);
        let runs = others.filter_map(|(at, list)| {
            let rank = run_rank(list)?;
            let given = jobs.path_parameters();
            let cost = match list.fixed_parameters() {
                Some(own) => own.iter().filter(|name| !given.contains(name)).count() * PARAMETER,
                None if list.hangs_on(jobs) => RUNS_BY_JOB,
                None => return None,
            };
            Some((rank + cost, list.path.len(), at))
        });
        runs.min()
    };
    let alone = || {
        let lists = lists.iter().enumerate();
        lists.filter_map(|(at, list)| Some((at, list, list.fixed_parameters()?.len() * PARAMETER)))
    };
    let best = alone().filter_map(|(at, list, parameters)| {
        let rank = job_rank(list)?;
        let likeness = usize::from(is_like_runs(document, list)) * LIKE_RUNS;
        let runs = run_of(at).map_or(NO_RUNS, |(cost, ..)| cost);
        Some((rank + likeness + parameters + runs, list.path.len(), at))
    });
    let first = || {
        let mut others = alone().filter(|(_, list, _)| list.rank(&RUN_WORDS).is_none());
        others.next().or_else(|| alone().next())
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

/// Where a list of objects is in an answer, and the schema of its records.
fn find_list<'d>(document: &'d Document, answer: &'d Json) -> Option<(Vec<&'d str>, &'d Json)> {
    let record = |schema| {
        let items = document.items(schema)?;
        let is_record = !document.members(items).all.is_empty();
        is_record.then_some(items)
    };
    if let Some(items) = record(answer) {
        return Some((Vec::new(), items));
    }
    let members = document.members(answer);
    let direct = members
        .all
        .iter()
        .find_map(|(name, schema)| Some((vec![*name], record(schema)?)));
    direct.or_else(|| {
        members.all.iter().find_map(|(outer, schema)| {
            let wraps = ["data", "result", "response", "payload", "body"].contains(outer);
            let inner = document.members(schema).all.into_iter();
            wraps
                .then(|| {
                    inner
                        .into_iter()
                        .find_map(|(name, schema)| Some((vec![*outer, name], record(schema)?)))
                })
                .flatten()
        })
    })
}

pub(super) fn segments(path: &str) -> Vec<&str> {
    let all = path.split('/').filter(|segment| !segment.is_empty());
    all.collect()
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
