//! The optional features: what was seen, what was not, and what there was nothing to see it in.

use bowline_contract::PipelineSection;
use bowline_contract::pipeline::{
    AssetEvent, PipelineFeature, PipelineManifest, RunEvent, RunStatus,
};
use bowline_report::pipeline::FeatureAnswer;

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
    let assets = |holds: &dyn Fn(&AssetEvent) -> bool| among("job", evidence.assets, holds);
    let runs = |holds: &dyn Fn(&RunEvent) -> bool| among("run", evidence.runs, holds);
    match feature {
        PipelineFeature::MetadataGroup => assets(&|job| job.has("group")),
        PipelineFeature::MetadataTasks => assets(&|job| job.has("tasks")),
        PipelineFeature::MetadataInputs => assets(&|job| job_has(job, "inputs")),
        PipelineFeature::MetadataOutputs => assets(&|job| job_has(job, "outputs")),
        PipelineFeature::MetadataSchedule => assets(&|job| job.has("schedule")),
        PipelineFeature::MetadataOwner => assets(&|job| job.has("owner")),
        PipelineFeature::MetadataTags => assets(&|job| job.has("properties") || job.has("tags")),
        PipelineFeature::RunTiming => runs(&|run| run.has("start_time") && run.has("end_time")),
        PipelineFeature::RunError => failed(evidence.runs),
        PipelineFeature::RunTaskRuns => runs(&|run| run.has("task_runs")),
        PipelineFeature::RunInputs => runs(&|run| run_has(run, "inputs")),
        PipelineFeature::RunOutputs => runs(&|run| run_has(run, "outputs")),
        PipelineFeature::RunGroup => runs(&|run| run.has("group")),
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
fn among<E>(
    noun: &str,
    events: Option<&[E]>,
    holds: &dyn Fn(&E) -> bool,
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
fn failed(runs: Option<&[RunEvent]>) -> (FeatureAnswer, String) {
    let Some(runs) = runs else {
        return (FeatureAnswer::Unknown, "no runs could be read".to_owned());
    };
    let failed: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| run.has("error") || run.status().is_some_and(RunStatus::needs_error))
        .collect();
    let with = failed.iter().filter(|run| run.has("error")).count();
    match (failed.len(), with) {
        (0, _) => (
            FeatureAnswer::Unknown,
            format!("none of {} runs failed", runs.len()),
        ),
        (total, 0) => (FeatureAnswer::No, format!("none of {total} failed runs")),
        (total, with) => (FeatureAnswer::Yes, format!("{with} of {total} failed runs")),
    }
}

/// Whether a job or a task of it has a field that says something.
fn job_has(job: &AssetEvent, field: &str) -> bool {
    job.has(field) || job.tasks().any(|task| task.has(field))
}

/// The same for a run and its task runs.
fn run_has(run: &RunEvent, field: &str) -> bool {
    run.has(field) || run.task_runs().any(|task| task.has(field))
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
            json!({"status": "failed", "error": {"message": "x"}}),
        ]
        .map(RunEvent::new);
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
        ]
        .map(AssetEvent::new);
        let outputs = among("job", Some(&jobs), &|job| job_has(job, "outputs"));
        assert_eq!(outputs, (FeatureAnswer::Yes, "1 of 2 jobs".to_owned()));
        let inputs = among("job", Some(&jobs), &|job| job_has(job, "inputs"));
        assert_eq!(inputs, (FeatureAnswer::No, "none of 2 jobs".to_owned()));
    }
}
