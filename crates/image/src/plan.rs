//! What an image will hold: everything a builder needs, found out and checked before it starts.

mod base;
mod connector;
mod exported;
mod files;
mod image_plan;
mod make;
mod problem;
mod proof;
mod request;
mod requirements;
mod secrets;
mod testing;
#[cfg(test)]
mod tests;

pub use base::BaseImage;
pub(crate) use files::{Ignored, is_secret, mode_of};
pub(crate) use image_plan::BASE_DIGEST_LABEL;
pub use image_plan::{
    AGENT_USER, CONNECTORS_LABEL, ENABLING_VARIABLE, ImagePlan, Mode, PIPELINE_ROOT, Planned,
    PlannedConnector, PlannedFile, Question, Requirement, STOCK_AGENT, WAREHOUSE_ROOT,
};
pub use make::plan;
pub use problem::{PlanError, PlanProblem, PlanProblemKind};
pub use proof::{Proof, ProofOutcome};
pub use request::{Candidate, ModeChoice, PlanRequest, Runtime, RuntimeFiles, choose};
pub(crate) use testing::Tested;
pub use testing::{TestImage, test_image};
