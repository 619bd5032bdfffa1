//! Events in the words of OpenLineage: jobs, runs and what they read and write.
//!
//! A job becomes a job event, and each of its tasks another. A run becomes a START event at its start and an event for
//! how it stands at its own time; the same for its task runs, whose parent it is. Identifiers are made from the
//! vendor's, so that the same run has the same identifier in every collection.

use std::fmt;

use bowline_contract::pipeline::{
    AssetEvent, AssetType, EventProblem, GivenAssetRef, GivenOwner, GivenRunError, GivenTask,
    RunEvent, RunStatus,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

const PRODUCER: &str = concat!("urn:bowline:", env!("CARGO_PKG_VERSION"));
const JOB_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent";
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const FACETS: &str = "https://openlineage.io/spec/facets";

/// Writes events as OpenLineage events.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// The namespace of jobs, and of data whose name does not say where it is.
    namespace: String,
    integration: String,
    ids: Uuid,
    /// The time of job events, which have none of their own.
    now: Timestamp,
}

/// What kind of job an event is about.
#[derive(Clone, Copy)]
enum JobType {
    Job,
    Task,
}

impl Lineage {
    /// A writer. Jobs stand under `namespace`; `connection_type` and `connection_name` are the connector's.
    #[must_use]
    pub fn new(
        namespace: &str,
        connection_type: &str,
        connection_name: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            namespace: namespace.to_owned(),
            integration: connection_name.to_uppercase(),
            ids: Uuid::new_v5(&Uuid::NAMESPACE_URL, connection_type.as_bytes()),
            now,
        }
    }

    /// The job events of a valid asset, a line each.
    pub(crate) fn asset(&self, asset: &AssetEvent) -> Result<String, Absent> {
        let id = asset.job_source_id().ok_or(Absent("job_source_id"))?;
        let mut facets = self.job_facets(JobType::Job, asset.description());
        if let Some(owners) = asset.owner().and_then(owners) {
            let facet = facet("1-0-1/OwnershipJobFacet", [("owners", owners)]);
            facets.insert("ownership".to_owned(), facet);
        }
        if let Some(tags) = tags(asset) {
            let facet = facet("1-0-0/TagsJobFacet", [("tags", tags)]);
            facets.insert("tags".to_owned(), facet);
        }
        let job = self.job(id, facets);
        let mut events = vec![self.job_event(&job, asset.inputs(), asset.outputs())?];
        for task in asset.tasks() {
            events.push(self.task_event(id, task)?);
        }
        Ok(lines(&events))
    }

    fn task_event(&self, job: &str, task: &GivenTask) -> Result<Json, Absent> {
        let id = task.task_source_id().ok_or(Absent("task_source_id"))?;
        let facets = self.job_facets(JobType::Task, task.description());
        let job = self.job(&task_name(job, id), facets);
        self.job_event(&job, task.inputs(), task.outputs())
    }

    /// The run events of a valid run and its task runs, a line each.
    pub(crate) fn run(&self, run: &RunEvent) -> Result<String, Absent> {
        let mut events = Vec::new();
        self.run_events(run, None, &mut events)?;
        Ok(lines(&events))
    }

    fn run_events(
        &self,
        run: &RunEvent,
        parent: Option<&RunEvent>,
        events: &mut Vec<Json>,
    ) -> Result<(), Absent> {
        let stands = event_type(run.status().ok_or(Absent("status"))?);
        let event_time = run.event_time().ok_or(Absent("event_time"))?;
        let id = self.run_id(run)?;
        let job_type = match run.task_source_id() {
            None => JobType::Job,
            Some(_) => JobType::Task,
        };
        let job = self.job(&job_name(run)?, self.job_facets(job_type, None));
        let mut facets = Map::new();
        if let Some(parent) = parent {
            let of = [
                ("run", json!({"runId": self.run_id(parent)?})),
                (
                    "job",
                    json!({"namespace": self.namespace, "name": job_name(parent)?}),
                ),
            ];
            facets.insert("parent".to_owned(), facet("1-2-0/ParentRunFacet", of));
        }
        let event = |kind: &str, at: Timestamp, facets: Map<String, Json>| {
            let mut run_object = json!({"runId": id});
            if !facets.is_empty() {
                run_object["facets"] = Json::Object(facets);
            }
            let mut event = json!({
                "eventTime": at.to_string(),
                "producer": PRODUCER,
                "schemaURL": RUN_EVENT,
                "eventType": kind,
                "run": run_object,
                "job": job,
            });
            self.add_data(&mut event, "inputs", run.inputs())?;
            self.add_data(&mut event, "outputs", run.outputs())?;
            Ok(event)
        };
        let start = run.start_time().filter(|_| stands != "OTHER");
        if let Some(start) = start {
            events.push(event("START", start, facets.clone())?);
        }
        for task in run.task_runs() {
            self.run_events(task, Some(run), events)?;
        }
        // A run that has just begun says so once.
        if stands == "RUNNING" && start == Some(event_time) {
            return Ok(());
        }
        if let Some(message) = run.error().and_then(GivenRunError::message) {
            let of = [
                ("message", Json::from(message)),
                ("programmingLanguage", Json::from("unknown")),
            ];
            facets.insert(
                "errorMessage".to_owned(),
                facet("1-0-1/ErrorMessageRunFacet", of),
            );
        }
        let at = match stands {
            "COMPLETE" | "FAIL" | "ABORT" => run.end_time().unwrap_or(event_time),
            _ => event_time,
        };
        events.push(event(stands, at, facets)?);
        Ok(())
    }

    fn job_event<'e>(
        &self,
        job: &Json,
        inputs: impl Iterator<Item = &'e GivenAssetRef>,
        outputs: impl Iterator<Item = &'e GivenAssetRef>,
    ) -> Result<Json, Absent> {
        let mut event = json!({
            "eventTime": self.now.to_string(),
            "producer": PRODUCER,
            "schemaURL": JOB_EVENT,
            "job": job,
        });
        self.add_data(&mut event, "inputs", inputs)?;
        self.add_data(&mut event, "outputs", outputs)?;
        Ok(event)
    }

    fn job(&self, name: &str, facets: Map<String, Json>) -> Json {
        json!({"namespace": self.namespace, "name": name, "facets": facets})
    }

    fn job_facets(&self, job_type: JobType, description: Option<&str>) -> Map<String, Json> {
        let mut facets = Map::new();
        let of = [
            ("processingType", Json::from("BATCH")),
            ("integration", Json::from(self.integration.as_str())),
            (
                "jobType",
                Json::from(match job_type {
                    JobType::Job => "JOB",
                    JobType::Task => "TASK",
                }),
            ),
        ];
        facets.insert("jobType".to_owned(), facet("2-0-4/JobTypeJobFacet", of));
        if let Some(description) = description {
            let of = [("description", Json::from(description))];
            facets.insert(
                "documentation".to_owned(),
                facet("1-1-0/DocumentationJobFacet", of),
            );
        }
        facets
    }

    fn add_data<'e>(
        &self,
        event: &mut Json,
        name: &str,
        refs: impl Iterator<Item = &'e GivenAssetRef>,
    ) -> Result<(), Absent> {
        let data: Vec<Json> = refs
            .map(|one| self.dataset(one))
            .collect::<Result<_, _>>()?;
        if !data.is_empty() {
            event[name] = Json::from(data);
        }
        Ok(())
    }

    fn dataset(&self, asset_ref: &GivenAssetRef) -> Result<Json, Absent> {
        let name = [asset_ref.fully_qualified_name(), asset_ref.mcon()]
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty())
            .ok_or(Absent("fully_qualified_name"))?;
        let asset_type = asset_ref.asset_type().ok_or(Absent("asset_type"))?;
        let (namespace, name) = self.placed(name);
        let mut dataset = json!({"namespace": namespace, "name": name});
        if asset_type != AssetType::Dataset {
            let of = [("datasetType", Json::from(asset_type.name()))];
            let facet = facet("1-0-1/DatasetTypeDatasetFacet", of);
            dataset["facets"] = json!({"datasetType": facet});
        }
        Ok(dataset)
    }

    /// Where data is, and its name there: `s3://bucket/path` is `path` in `s3://bucket`.
    fn placed<'n>(&'n self, name: &'n str) -> (&'n str, &'n str) {
        let authority = name.find("://").map(|at| at + 3);
        let split = authority.and_then(|at| Some(at + name[at..].find('/')?));
        match split {
            Some(at) if at + 1 < name.len() => (&name[..at], &name[at + 1..]),
            _ => (&self.namespace, name),
        }
    }

    fn run_id(&self, run: &RunEvent) -> Result<String, Absent> {
        let job = run.job_source_id().ok_or(Absent("job_source_id"))?;
        let id = run.run_source_id().ok_or(Absent("run_source_id"))?;
        let parts = [job, id, run.task_source_id().unwrap_or_default()];
        // With their lengths, so that no two lists of parts look alike.
        let name: String = parts
            .iter()
            .map(|part| format!("{}:{part}", part.len()))
            .collect();
        Ok(Uuid::new_v5(&self.ids, name.as_bytes()).to_string())
    }
}

/// A field that an event cannot be written without; valid events have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent(&'static str);

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.0, EventProblem::Missing)
    }
}

fn job_name(run: &RunEvent) -> Result<String, Absent> {
    let job = run.job_source_id().ok_or(Absent("job_source_id"))?;
    Ok(match run.task_source_id() {
        None => job.to_owned(),
        Some(task) => task_name(job, task),
    })
}

fn task_name(job: &str, task: &str) -> String {
    format!("{job}.{task}")
}

/// How a run stands, in the format's words.
const fn event_type(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Success
        | RunStatus::Skipped
        | RunStatus::Pass
        | RunStatus::Warn
        | RunStatus::PartialSuccess => "COMPLETE",
        RunStatus::Failed | RunStatus::Error | RunStatus::TimedOut | RunStatus::Fail => "FAIL",
        RunStatus::Cancelled | RunStatus::Removed | RunStatus::UpstreamFailed => "ABORT",
        RunStatus::InProgress
        | RunStatus::Cancelling
        | RunStatus::Restarting
        | RunStatus::UpForRetry
        | RunStatus::UpForReschedule
        | RunStatus::Deferred => "RUNNING",
        RunStatus::Queued
        | RunStatus::Blocked
        | RunStatus::Inactive
        | RunStatus::Scheduled
        | RunStatus::Unknown => "OTHER",
    }
}

fn facet<const N: usize>(schema: &str, members: [(&str, Json); N]) -> Json {
    let (_, name) = schema.split_once('/').unwrap_or(("", schema));
    let mut facet = json!({
        "_producer": PRODUCER,
        "_schemaURL": format!("{FACETS}/{schema}.json#/$defs/{name}"),
    });
    for (key, value) in members {
        facet[key] = value;
    }
    facet
}

fn owners(owner: &GivenOwner) -> Option<Json> {
    let person = owner.primary_email().or(owner.primary_name());
    let owners: Vec<Json> = [("user", person), ("team", owner.team())]
        .into_iter()
        .filter_map(|(kind, name)| {
            Some(json!({"name": format!("{kind}:{}", name?), "type": "OWNER"}))
        })
        .collect();
    (!owners.is_empty()).then(|| Json::from(owners))
}

fn tags(asset: &AssetEvent) -> Option<Json> {
    let tags: Vec<Json> = asset
        .properties()
        .map(|property| {
            // A bare tag has no value, and the format wants one.
            let value = property.value().unwrap_or("true");
            json!({"key": property.key(), "value": value})
        })
        .collect();
    (!tags.is_empty()).then(|| Json::from(tags))
}

fn lines(events: &[Json]) -> String {
    let lines: Vec<String> = events.iter().map(Json::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        Lineage::new("shop", "custom-etl-connector-abc1234", "Prefect", now)
    }

    fn read(text: &str) -> Vec<Json> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn of_run(json: Json) -> String {
        lineage().run(&RunEvent::new(json)).unwrap()
    }

    fn of_asset(json: Json) -> String {
        lineage().asset(&AssetEvent::new(json)).unwrap()
    }

    fn types(events: &[Json]) -> Vec<&str> {
        events
            .iter()
            .map(|event| event["eventType"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn a_failed_run_starts_and_fails_around_its_tasks() {
        let events = read(&of_run(json!({
            "job_source_id": "j", "run_source_id": "r", "status": "failed",
            "event_time": "2026-11-22 11:30:00+01:00",
            "start_time": "2026-11-22T09:00:00Z", "end_time": "2026-11-22T10:00:00Z",
            "error": {"message": "no disk"},
            "outputs": [
                {"asset_type": "TABLE", "role": "OUTPUT", "fully_qualified_name": "db.s.t"},
                {"asset_type": "FILE", "role": "OUTPUT", "fully_qualified_name": "s3://b/x/y"},
            ],
            "task_runs": [{
                "job_source_id": "j", "run_source_id": "r1", "task_source_id": "t",
                "status": "in_progress", "event_time": "2026-11-22T09:00:00Z",
                "start_time": "2026-11-22T09:00:00Z",
            }],
        })));
        assert_eq!(types(&events), ["START", "START", "FAIL"]);
        assert_eq!(events[2]["eventTime"], "2026-11-22T10:00:00Z");
        assert_eq!(
            events[2]["run"]["facets"]["errorMessage"]["message"],
            "no disk"
        );
        assert_eq!(events[0]["run"]["runId"], events[2]["run"]["runId"]);
        assert_eq!(events[1]["job"]["name"], "j.t");
        assert_eq!(
            events[1]["run"]["facets"]["parent"]["run"]["runId"],
            events[0]["run"]["runId"]
        );
        let places: Vec<(&str, &str)> = events[2]["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|data| {
                (
                    data["namespace"].as_str().unwrap(),
                    data["name"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(places, [("shop", "db.s.t"), ("s3://b", "x/y")]);
    }

    #[test]
    fn every_status_has_its_event() {
        for (status, expected) in [
            ("success", vec!["START", "COMPLETE"]),
            ("cancelled", vec!["START", "ABORT"]),
            ("in_progress", vec!["START", "RUNNING"]),
            ("queued", vec!["OTHER"]),
        ] {
            let events = read(&of_run(json!({
                "job_source_id": "j", "run_source_id": "r", "status": status,
                "event_time": "2026-11-22T10:00:00Z", "end_time": "2026-11-22T10:00:00Z",
                "start_time": "2026-11-22T09:00:00Z",
            })));
            assert_eq!(types(&events), expected, "{status}");
        }
    }

    #[test]
    fn runs_of_different_jobs_are_different_runs() {
        let id = |job: &str, run: &str| {
            let events = read(&of_run(json!({
                "job_source_id": job, "run_source_id": run, "status": "queued",
                "event_time": "2026-11-22T10:00:00Z",
            })));
            events[0]["run"]["runId"].as_str().unwrap().to_owned()
        };
        assert_eq!(id("a", "1"), id("a", "1"));
        assert_ne!(id("a", "1"), id("b", "1"));
        assert_ne!(id("a", "b1"), id("ab", "1"));
    }

    #[test]
    fn a_job_and_its_tasks_are_told() {
        let events = read(&of_asset(json!({
            "job_source_id": "j", "name": "J", "description": "what for",
            "owner": {"primary_email": "a@example.com", "team": "data"},
            "properties": [{"key": "daily"}, {"key": "tier", "value": "1"}],
            "tasks": [{"task_source_id": "t", "name": "T"}],
        })));
        assert_eq!(events.len(), 2);
        let facets = &events[0]["job"]["facets"];
        assert_eq!(facets["documentation"]["description"], "what for");
        assert_eq!(facets["ownership"]["owners"][1]["name"], "team:data");
        assert_eq!(facets["tags"]["tags"][0]["value"], "true");
        assert_eq!(events[1]["job"]["facets"]["jobType"]["jobType"], "TASK");
    }

    #[test]
    fn data_says_where_it_is_and_what_it_is() {
        let dataset = |name: &str, of: &str, mcon: &str| {
            let asset_ref = json!({
                "asset_type": of, "role": "INPUT", "fully_qualified_name": name, "mcon": mcon,
            });
            let events = read(&of_asset(json!({
                "job_source_id": "j", "name": "J", "inputs": [asset_ref], "outputs": [],
            })));
            assert_eq!(events[0].get("outputs"), None);
            let dataset = &events[0]["inputs"][0];
            let text = |value: &Json| value.as_str().map(str::to_owned);
            let of = &dataset["facets"]["datasetType"]["datasetType"];
            [&dataset["namespace"], &dataset["name"], of].map(text)
        };
        for (name, of, mcon, expected) in [
            (
                "db.s.t",
                "TABLE",
                "",
                [Some("shop"), Some("db.s.t"), Some("TABLE")],
            ),
            ("", "VIEW", "m", [Some("shop"), Some("m"), Some("VIEW")]),
            (
                "s3://b/x/y",
                "FILE",
                "",
                [Some("s3://b"), Some("x/y"), Some("FILE")],
            ),
            ("s3://b/x", "DATASET", "", [Some("s3://b"), Some("x"), None]),
            (
                "s3://b/",
                "DATASET",
                "",
                [Some("shop"), Some("s3://b/"), None],
            ),
            (
                "s3://b",
                "DATASET",
                "",
                [Some("shop"), Some("s3://b"), None],
            ),
        ] {
            let expected = expected.map(|text| text.map(str::to_owned));
            assert_eq!(dataset(name, of, mcon), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_told_of_is_named() {
        let run = json!({"job_source_id": "j", "run_source_id": "r", "status": "success"});
        let absent = lineage().run(&RunEvent::new(run)).unwrap_err();
        assert_eq!(absent.to_string(), "`event_time`: required, but missing");
    }
}
