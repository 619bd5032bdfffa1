//! The optional features: what was seen, what was not, and what there was nothing to see it in.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::PipelineSection;
use bowline_contract::pipeline::{
    AssetEvent, PipelineFeature, PipelineManifest, RunEvent, RunStatus,
};
use bowline_report::pipeline::FeatureAnswer;
use bowline_words::beginning;
use serde_json::{Map, Value as Json};

use super::report::FeatureReport;

/// What features are looked for in.
pub(super) struct Evidence<'a> {
    pub(super) manifest: &'a PipelineManifest,
    /// The assets that were read; none when there was no reading.
    pub(super) assets: Option<&'a [AssetEvent]>,
    /// The runs that were read; none when there was no reading.
    pub(super) runs: Option<&'a [RunEvent]>,
    /// Whether runs can be asked for by id, and why that is thought.
    pub(super) by_id: (FeatureAnswer, String),
}

/// Looks for every feature of the sections.
pub(super) fn features(
    sections: &[PipelineSection],
    evidence: &Evidence<'_>,
) -> Vec<FeatureReport> {
    PipelineFeature::ALL
        .iter()
        .map(|feature| {
            let seen = if sections.contains(&feature.section()) {
                look(*feature, evidence)
            } else {
                let section = feature.section().name();
                (FeatureAnswer::Unknown, format!("`{section}` was not asked")).into()
            };
            FeatureReport {
                feature: *feature,
                answer: seen.answer,
                why: seen.why,
                records: seen.records,
            }
        })
        .collect()
}

/// What a feature was seen in.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    answer: FeatureAnswer,
    why: String,
    records: Vec<String>,
}

impl From<(FeatureAnswer, String)> for Seen {
    fn from((answer, why): (FeatureAnswer, String)) -> Self {
        Self {
            answer,
            why,
            records: Vec::new(),
        }
    }
}

fn look(feature: PipelineFeature, evidence: &Evidence<'_>) -> Seen {
    let manifest = evidence.manifest;
    let assets = evidence
        .assets
        .map(|jobs| jobs.iter().map(AssetEvent::json).collect());
    let runs: Option<Vec<&Json>> = evidence
        .runs
        .map(|runs| runs.iter().map(RunEvent::json).collect());
    let assets = |fields: &[&str], sought| among("job", assets, fields, sought);
    let runs = |fields: &[&str], sought| among("run", runs, fields, sought);
    match feature {
        PipelineFeature::MetadataGroup => assets(&["group"], Sought::All),
        PipelineFeature::MetadataTasks => assets(&["tasks"], Sought::All),
        PipelineFeature::MetadataInputs => assets(&["inputs"], Sought::InTasksToo),
        PipelineFeature::MetadataOutputs => assets(&["outputs"], Sought::InTasksToo),
        PipelineFeature::MetadataSchedule => assets(&["schedule"], Sought::All),
        PipelineFeature::MetadataOwner => assets(&["owner"], Sought::All),
        PipelineFeature::MetadataTags => {
            let seen = assets(&["properties", "tags"], Sought::Any);
            unless_one_for_all(seen, evidence.assets.unwrap_or_default())
        }
        PipelineFeature::RunTiming => runs(&["start_time", "end_time"], Sought::All),
        PipelineFeature::RunError => {
            let jobs = evidence.assets.unwrap_or_default();
            unless_all_alike(
                failed(evidence.runs),
                evidence.runs.unwrap_or_default(),
                jobs,
            )
        }
        PipelineFeature::RunTaskRuns => runs(&["task_runs"], Sought::All),
        PipelineFeature::RunInputs => runs(&["inputs"], Sought::InTasksToo),
        PipelineFeature::RunOutputs => runs(&["outputs"], Sought::InTasksToo),
        PipelineFeature::RunGroup => runs(&["group"], Sought::All),
        PipelineFeature::RunWebhookMode => evidence.by_id.clone().into(),
        PipelineFeature::ManifestRunStatusMapping => {
            let count = manifest.run_status_mapping.iter().count();
            (FeatureAnswer::Yes, format!("{count} words are mapped")).into()
        }
        PipelineFeature::ManifestTaskStatusMapping => match &manifest.task_run_status_mapping {
            Some(mapping) => (
                FeatureAnswer::Yes,
                format!("{} words are mapped", mapping.iter().count()),
            ),
            None => (
                FeatureAnswer::No,
                "`run_status_mapping` serves for both".to_owned(),
            ),
        }
        .into(),
        PipelineFeature::ManifestCredentialsSchema => match &manifest.credentials_schema {
            Some(schema) if !schema.is_empty() => (
                FeatureAnswer::Yes,
                "credentials are checked with it".to_owned(),
            ),
            _ => (FeatureAnswer::No, "credentials are not checked".to_owned()),
        }
        .into(),
    }
}

/// Where the fields of a feature are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sought {
    /// All of them in the event.
    All,
    /// One of them in the event.
    Any,
    /// One of them in the event or in a task of it.
    InTasksToo,
}

impl Sought {
    fn is_in(self, event: &Json, fields: &[&str]) -> bool {
        let mut fields = fields.iter();
        match self {
            Self::All => fields.all(|field| has(event, field)),
            Self::Any => fields.any(|field| has(event, field)),
            Self::InTasksToo => {
                fields.any(|field| has(event, field) || tasks(event).any(|task| has(task, field)))
            }
        }
    }
}

fn has(event: &Json, field: &str) -> bool {
    RunEvent::of(event).has(field)
}

/// The tasks of a job, or the task runs of a run.
fn tasks(event: &Json) -> impl Iterator<Item = &Json> {
    let lists = TASKS.iter().filter_map(|list| event.get(list)?.as_array());
    lists.flatten()
}

const TASKS: [&str; 2] = ["tasks", "task_runs"];

/// How many of some events have a feature.
fn among(noun: &str, events: Option<Vec<&Json>>, fields: &[&str], sought: Sought) -> Seen {
    let Some(events) = events else {
        return (FeatureAnswer::Unknown, format!("no {noun}s could be read")).into();
    };
    let total = events.len();
    if total == 0 {
        return (FeatureAnswer::Unknown, format!("there is no {noun}")).into();
    }
    let with: Vec<&Json> = events
        .into_iter()
        .filter(|event| sought.is_in(event, fields))
        .collect();
    match with.len() {
        0 => (FeatureAnswer::No, format!("none of {total} {noun}s")).into(),
        count => Seen {
            answer: FeatureAnswer::Yes,
            why: format!("{count} of {total} {noun}s"),
            records: records(&with, fields),
        },
    }
}

/// Errors are expected of runs that failed only.
fn failed(runs: Option<&[RunEvent]>) -> Seen {
    let Some(runs) = runs else {
        return (FeatureAnswer::Unknown, "no runs could be read".to_owned()).into();
    };
    let failed: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| run.has("error") || run.status().is_some_and(RunStatus::needs_error))
        .collect();
    let with = failed.iter().filter(|run| run.has("error"));
    let with: Vec<&Json> = with.map(|run| run.json()).collect();
    match (failed.len(), with.len()) {
        (0, _) => (
            FeatureAnswer::Unknown,
            format!("none of {} runs failed", runs.len()),
        )
            .into(),
        (total, 0) => (FeatureAnswer::No, format!("none of {total} failed runs")).into(),
        (total, count) => Seen {
            answer: FeatureAnswer::Yes,
            why: format!("{count} of {total} failed runs"),
            records: records(&with, &["error"]),
        },
    }
}

/// With so many jobs or runs that all say one thing, nothing shows that it is said of each.
const MANY: usize = 5;

/// Tags are not seen in what all of many jobs have, of which another job may have been the source.
fn unless_one_for_all(seen: Seen, assets: &[AssetEvent]) -> Seen {
    let fields = ["properties", "tags"];
    let given = assets.iter().map(AssetEvent::json);
    let given = given.filter(|job| Sought::Any.is_in(job, &fields));
    let given: Vec<[&Json; 2]> = given.map(|job| fields.map(|field| &job[field])).collect();
    let is_one = given.windows(2).all(|pair| pair[0] == pair[1]);
    if given.len() < MANY || given.len() < assets.len() || !is_one {
        return seen;
    }
    let why = format!("all of {} jobs have the same", given.len());
    let answer = FeatureAnswer::Unknown;
    Seen {
        answer,
        why,
        ..seen
    }
}

/// Errors are not seen in one text and code that all of many failed runs have, of several jobs, but for names and numbers:
/// they say nothing of what went wrong.
fn unless_all_alike(seen: Seen, runs: &[RunEvent], assets: &[AssetEvent]) -> Seen {
    let names: BTreeMap<&str, &str> = assets
        .iter()
        .filter_map(|job| Some((job.job_source_id()?, job.name()?)))
        .collect();
    let mut jobs = BTreeSet::new();
    let mut texts = BTreeSet::new();
    let mut count = 0;
    let message = |run: &RunEvent| Some(run.error()?.message()?.to_owned());
    for run in runs {
        let (Some(mut text), Some(id)) = (message(run), run.job_source_id()) else {
            continue;
        };
        count += 1;
        jobs.insert(id);
        let own = [Some(id), names.get(id).copied(), run.run_source_id()];
        for name in own.into_iter().flatten().filter(|name| !name.is_empty()) {
            text = text.replace(name, "");
        }
        text.retain(|letter| !letter.is_ascii_digit());
        texts.insert((text, run.json()["error"]["code"].to_string()));
    }
    if count < MANY || jobs.len() < 2 || texts.len() > 1 {
        return seen;
    }
    let answer = FeatureAnswer::Unknown;
    let why = format!("all of {count} failed runs say the same");
    Seen {
        answer,
        why,
        ..seen
    }
}

/// The most records that are shown of a feature, and the most characters of one.
const RECORDS: usize = 3;
const RECORD: usize = 300;

/// The first of some events: what tells which they are, and some fields of theirs or of their first task with one.
fn records(events: &[&Json], fields: &[&str]) -> Vec<String> {
    let part = |event: &Json| -> Map<String, Json> {
        let which = ["run_source_id", "job_source_id", "task_source_id", "name"];
        let names = which.iter().chain(fields);
        names
            .filter(|name| has(event, name))
            .map(|name| ((*name).to_owned(), event[*name].clone()))
            .collect()
    };
    let has_any = |event: &Json| fields.iter().any(|field| has(event, field));
    let shown = |event: &&Json| {
        let mut shown = part(event);
        if !has_any(event) {
            let task = tasks(event).find(|task| has_any(task)).map(part);
            shown.insert("task".to_owned(), task.into());
        }
        beginning(&Json::from(shown).to_string(), RECORD)
    };
    events.iter().take(RECORDS).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_looked_for_in_failed_runs() {
        let [good, bad, told] = [
            json!({"status": "success"}),
            json!({"status": "failed"}),
            json!({"run_source_id": "7", "status": "failed", "error": {"message": "x"}}),
        ]
        .map(RunEvent::new);
        let answer = |runs: &[&RunEvent]| {
            let runs: Vec<RunEvent> = runs.iter().copied().cloned().collect();
            failed(Some(&runs)).answer
        };
        assert_eq!(failed(None).answer, FeatureAnswer::Unknown);
        assert_eq!(answer(&[&good]), FeatureAnswer::Unknown);
        assert_eq!(answer(&[&good, &bad]), FeatureAnswer::No);
        assert_eq!(
            failed(Some(&[good, bad, told])),
            Seen {
                answer: FeatureAnswer::Yes,
                why: "1 of 2 failed runs".to_owned(),
                records: vec![r#"{"run_source_id":"7","error":{"message":"x"}}"#.to_owned()],
            }
        );
    }

    #[test]
    fn an_empty_schema_of_credentials_checks_nothing() {
        for (schema, expected) in [
            (
                json!({"connect_args": {"type": "dict"}}),
                FeatureAnswer::Yes,
            ),
            (json!({}), FeatureAnswer::No),
        ] {
            let manifest = json!({
                "connection_type": "custom-etl-connector-abc1234", "connection_name": "Test",
                "asset_class": "etl", "run_status_mapping": {"done": "success"},
                "credentials_schema": schema,
            });
            let manifest = PipelineManifest::parse(&manifest.to_string()).unwrap();
            let evidence = Evidence {
                manifest: &manifest,
                assets: None,
                runs: None,
                by_id: (FeatureAnswer::Unknown, String::new()),
            };
            let seen = look(PipelineFeature::ManifestCredentialsSchema, &evidence);
            assert_eq!(seen.answer, expected);
        }
    }

    #[test]
    fn lineage_counts_where_tasks_have_it() {
        let jobs = [
            json!({"name": "n", "tasks": [{"name": "t", "outputs": [{}], "retries": 1}], "inputs": []}),
            json!({}),
        ];
        let among = |field| {
            among(
                "job",
                Some(jobs.iter().collect()),
                &[field],
                Sought::InTasksToo,
            )
        };
        let outputs = among("outputs");
        assert_eq!(outputs.why, "1 of 2 jobs");
        assert_eq!(
            outputs.records,
            [r#"{"name":"n","task":{"name":"t","outputs":[{}]}}"#]
        );
        let none = (FeatureAnswer::No, "none of 2 jobs".to_owned());
        assert_eq!(among("inputs"), none.into());
    }

    #[test]
    fn few_records_are_shown_and_long_ones_cut() {
        let long = json!({"error": "é".repeat(1_000)});
        let shown = records(&[&long; 9], &["error"]);
        assert_eq!(shown.len(), RECORDS);
        let lengths = shown.iter().map(|record| record.chars().count());
        assert!(
            lengths.into_iter().all(|length| length == RECORD + 1),
            "{shown:?}"
        );
    }

    #[test]
    fn what_all_say_alike_is_not_claimed() {
        let yes = || Seen {
            answer: FeatureAnswer::Yes,
            why: String::new(),
            records: Vec::new(),
        };
        let failed = |job: &str, text: &str| {
            RunEvent::new(json!({"job_source_id": job, "error": {"message": text}}))
        };
        let of = |texts: [&str; 5]| {
            let runs: Vec<RunEvent> = ["a-job", "b-job", "a-job", "b-job", "a-job"]
                .iter()
                .zip(texts)
                .map(|(job, text)| failed(job, text))
                .collect();
            unless_all_alike(yes(), &runs, &[]).answer
        };
        assert_eq!(
            of([
                "run 7 of a-job failed",
                "run 8 of b-job failed",
                "run 9 of a-job failed",
                "run 1 of b-job failed",
                "run of a-job failed"
            ]),
            FeatureAnswer::Yes
        );
        assert_eq!(of(["it failed"; 5]), FeatureAnswer::Unknown);
        assert_eq!(
            of([
                "a-job failed 1",
                "b-job failed 2",
                "a-job failed 3",
                "b-job failed 4",
                "a-job failed 5"
            ]),
            FeatureAnswer::Unknown
        );
        assert_eq!(
            of([
                "it failed",
                "it failed",
                "it failed",
                "it failed",
                "no such table"
            ]),
            FeatureAnswer::Yes
        );
        let coded: Vec<RunEvent> = (0..5)
            .map(|nth| {
                let error = json!({"message": "it failed", "code": format!("E{nth}")});
                RunEvent::new(json!({"job_source_id": format!("{nth}-job"), "error": error}))
            })
            .collect();
        assert_eq!(
            unless_all_alike(yes(), &coded, &[]).answer,
            FeatureAnswer::Yes
        );
        let jobs = |of: &dyn Fn(usize) -> Json| -> FeatureAnswer {
            let jobs: Vec<AssetEvent> = (0..6).map(|nth| AssetEvent::new(of(nth))).collect();
            unless_one_for_all(yes(), &jobs).answer
        };
        let team = |value| json!({"properties": [{"key": "team", "value": value}]});
        for (job, seen) in [
            (&(|_| team(1)) as &dyn Fn(usize) -> Json, false),
            (&team, true),
            (&|_| json!({"tags": ["a"]}), false),
            (&|nth| json!({"properties": [], "tags": [nth]}), true),
            (&|nth| if nth == 0 { json!({}) } else { team(1) }, true),
        ] {
            assert_eq!(jobs(job) == FeatureAnswer::Yes, seen);
        }
    }
}
