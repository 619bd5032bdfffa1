//! The optional features: what was seen, what was not, and what there was nothing to see it in.

use bowline_contract::PipelineSection;
use bowline_contract::pipeline::{PipelineFeature, PipelineManifest, RunStatus};
use bowline_report::pipeline::FeatureAnswer;
use serde_json::Value as Json;

use super::reading::{status, task_runs};
use super::report::FeatureReport;

/// What features are looked for in.
pub(super) struct Evidence<'a> {
    pub(super) manifest: &'a PipelineManifest,
    /// The assets that were read; none when there was no reading.
    pub(super) assets: Option<&'a [Json]>,
    /// The runs that were read; none when there was no reading.
    pub(super) runs: Option<&'a [Json]>,
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
            let (answer, why) = if sections.contains(&feature.section()) {
                look(*feature, evidence)
            } else {
                let section = feature.section().name();
                (FeatureAnswer::Unknown, format!("`{section}` was not asked"))
            };
            FeatureReport {
                feature: *feature,
                answer,
                why,
            }
        })
        .collect()
}

fn look(feature: PipelineFeature, evidence: &Evidence<'_>) -> (FeatureAnswer, String) {
    let manifest = evidence.manifest;
    let assets = |holds: &dyn Fn(&Json) -> bool| among("job", evidence.assets, holds);
    let runs = |holds: &dyn Fn(&Json) -> bool| among("run", evidence.runs, holds);
    match feature {
        PipelineFeature::MetadataGroup => assets(&|job| has(job, "group")),
        PipelineFeature::MetadataTasks => assets(&|job| has(job, "tasks")),
        PipelineFeature::MetadataInputs => assets(&|job| has_within(job, tasks(job), "inputs")),
        PipelineFeature::MetadataOutputs => assets(&|job| has_within(job, tasks(job), "outputs")),
        PipelineFeature::MetadataSchedule => assets(&|job| has(job, "schedule")),
        PipelineFeature::MetadataOwner => assets(&|job| has(job, "owner")),
        PipelineFeature::MetadataTags => assets(&|job| has(job, "properties") || has(job, "tags")),
        PipelineFeature::RunTiming => runs(&|run| has(run, "start_time") && has(run, "end_time")),
        PipelineFeature::RunError => failed(evidence.runs),
        PipelineFeature::RunTaskRuns => runs(&|run| has(run, "task_runs")),
        PipelineFeature::RunInputs => runs(&|run| has_within(run, task_runs(run), "inputs")),
        PipelineFeature::RunOutputs => runs(&|run| has_within(run, task_runs(run), "outputs")),
        PipelineFeature::RunGroup => runs(&|run| has(run, "group")),
        PipelineFeature::RunWebhookMode => evidence.by_id.clone(),
        PipelineFeature::ManifestRunStatusMapping => {
            let count = manifest.run_status_mapping.iter().count();
            (FeatureAnswer::Yes, format!("{count} words are mapped"))
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
        },
        PipelineFeature::ManifestCredentialsSchema => match &manifest.credentials_schema {
            Some(schema) if !schema.is_empty() => (
                FeatureAnswer::Yes,
                "credentials are checked with it".to_owned(),
            ),
            _ => (FeatureAnswer::No, "credentials are not checked".to_owned()),
        },
    }
}

/// How many of some events have a feature.
fn among(
    noun: &str,
    events: Option<&[Json]>,
    holds: &dyn Fn(&Json) -> bool,
) -> (FeatureAnswer, String) {
    let total = match events {
        None => return (FeatureAnswer::Unknown, format!("no {noun}s could be read")),
        Some([]) => return (FeatureAnswer::Unknown, format!("there is no {noun}")),
        Some(events) => events.len(),
    };
    let count = events
        .into_iter()
        .flatten()
        .filter(|event| holds(event))
        .count();
    if count == 0 {
        (FeatureAnswer::No, format!("none of {total} {noun}s"))
    } else {
        (FeatureAnswer::Yes, format!("{count} of {total} {noun}s"))
    }
}

/// Errors are expected of runs that failed only.
fn failed(runs: Option<&[Json]>) -> (FeatureAnswer, String) {
    let Some(runs) = runs else {
        return (FeatureAnswer::Unknown, "no runs could be read".to_owned());
    };
    let failed: Vec<&Json> = runs
        .iter()
        .filter(|run| has(run, "error") || status(run).is_some_and(RunStatus::needs_error))
        .collect();
    let with = failed.iter().filter(|run| has(run, "error")).count();
    match (failed.len(), with) {
        (0, _) => (
            FeatureAnswer::Unknown,
            format!("none of {} runs failed", runs.len()),
        ),
        (total, 0) => (FeatureAnswer::No, format!("none of {total} failed runs")),
        (total, with) => (FeatureAnswer::Yes, format!("{with} of {total} failed runs")),
    }
}

fn tasks(job: &Json) -> &[Json] {
    job["tasks"].as_array().map_or(&[], Vec::as_slice)
}

fn has_within(event: &Json, parts: &[Json], field: &str) -> bool {
    has(event, field) || parts.iter().any(|part| has(part, field))
}

/// Whether a field is there and says something.
fn has(event: &Json, field: &str) -> bool {
    match &event[field] {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_looked_for_in_failed_runs() {
        let good = json!({"status": "success"});
        let bad = json!({"status": "failed"});
        let told = json!({"status": "failed", "error": {"message": "x"}});
        assert_eq!(failed(None).0, FeatureAnswer::Unknown);
        assert_eq!(
            failed(Some(std::slice::from_ref(&good))).0,
            FeatureAnswer::Unknown
        );
        assert_eq!(
            failed(Some(&[good.clone(), bad.clone()])).0,
            FeatureAnswer::No
        );
        assert_eq!(
            failed(Some(&[good, bad, told])),
            (FeatureAnswer::Yes, "1 of 2 failed runs".to_owned())
        );
    }

    #[test]
    fn lineage_counts_where_tasks_have_it() {
        let jobs = [
            json!({"tasks": [{"outputs": [{}]}], "inputs": []}),
            json!({}),
        ];
        let outputs = among("job", Some(&jobs), &|job| {
            has_within(job, tasks(job), "outputs")
        });
        assert_eq!(outputs, (FeatureAnswer::Yes, "1 of 2 jobs".to_owned()));
        let inputs = among("job", Some(&jobs), &|job| {
            has_within(job, tasks(job), "inputs")
        });
        assert_eq!(inputs, (FeatureAnswer::No, "none of 2 jobs".to_owned()));
    }
}
