//! Pipeline connectors: what an orchestrator's jobs and runs look like to the platform, and what is checked about them.

mod event;
mod event_time;
mod feature;
mod manifest;
mod model;
mod oddity;
pub mod query_tag;
mod record;
mod reference;
mod status_mapping;
mod validation;
mod vocabulary;
mod window;

pub use event::{
    AssetEvent, GivenAssetRef, GivenOwner, GivenProperty, GivenRunError, GivenTask, RunEvent,
};
pub use event_time::{EventTime, EventTimeError};
pub use feature::PipelineFeature;
pub use manifest::{PipelineManifest, Terminology, icon_fault};
pub use model::{Asset, AssetRef, Group, Owner, Property, Run, RunError, Schedule, Task};
pub use oddity::{odd_assets, odd_runs};
pub use record::{Field, Presence, Shape};
pub use reference::{MANIFEST_KEYS, RECORDS, events_markdown, shape_words};
pub use status_mapping::{MappingProblem, StatusMapping};
pub use validation::{EventError, EventProblem, MAX_EVENT_ERRORS, validate_assets, validate_runs};
pub use vocabulary::{AssetRole, AssetType, RunStatus, RunTrigger, ScheduleKind};
pub use window::Window;
