//! What a pipeline connector may tell beyond what it must.

use crate::PipelineSection;
use crate::words::words;

words! {
    /// The optional features of a pipeline connector.
    pub enum PipelineFeature {
        MetadataGroup = "metadata_group", "Jobs stand in groups.";
        MetadataTasks = "metadata_tasks", "Jobs have tasks.";
        MetadataInputs = "metadata_inputs", "Jobs, or their tasks, say what they read.";
        MetadataOutputs = "metadata_outputs", "Jobs, or their tasks, say what they write.";
        MetadataSchedule = "metadata_schedule", "Jobs say what decides when they run.";
        MetadataOwner = "metadata_owner", "Jobs have owners.";
        MetadataTags = "metadata_tags", "Jobs have tags or properties.";
        RunTiming = "run_timing", "Runs say when they started and ended.";
        RunError = "run_error", "Failed runs say what went wrong.";
        RunTaskRuns = "run_task_runs", "Runs have runs of their tasks.";
        RunInputs = "run_inputs", "Runs, or their task runs, say what they read.";
        RunOutputs = "run_outputs", "Runs, or their task runs, say what they wrote.";
        RunGroup = "run_group", "Runs say which group their job stands in.";
        RunWebhookMode = "run_webhook_mode", "Runs can be asked for by id.";
        ManifestRunStatusMapping = "manifest_run_status_mapping", "The manifest maps the statuses of runs.";
        ManifestTaskStatusMapping = "manifest_task_status_mapping", "The manifest maps the statuses of task runs apart.";
        ManifestCredentialsSchema = "manifest_credentials_schema", "The manifest says what the credentials look like.";
    }
}

impl PipelineFeature {
    /// The section of the suite that looks at it.
    #[must_use]
    pub const fn section(self) -> PipelineSection {
        match self {
            Self::MetadataGroup
            | Self::MetadataTasks
            | Self::MetadataInputs
            | Self::MetadataOutputs
            | Self::MetadataSchedule
            | Self::MetadataOwner
            | Self::MetadataTags => PipelineSection::Metadata,
            Self::RunTiming
            | Self::RunError
            | Self::RunTaskRuns
            | Self::RunInputs
            | Self::RunOutputs
            | Self::RunGroup
            | Self::RunWebhookMode => PipelineSection::RunDetails,
            Self::ManifestRunStatusMapping
            | Self::ManifestTaskStatusMapping
            | Self::ManifestCredentialsSchema => PipelineSection::Connection,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_named_for_what_they_are_seen_in() {
        assert_eq!(PipelineFeature::ALL.len(), 17);
        for feature in PipelineFeature::ALL {
            let prefix = match feature.section() {
                PipelineSection::Connection => "manifest_",
                PipelineSection::Metadata => "metadata_",
                PipelineSection::RunDetails => "run_",
            };
            assert!(feature.name().starts_with(prefix), "{feature}");
        }
    }
}
