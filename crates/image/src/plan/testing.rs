//! The image that teams test in: the same base and extras, every connector's packages, and the suite.

use std::path::Path;

use bowline_oci::Platform;

use super::connector::{Mistakes, read_extra, read_requirements};
use super::make::{DEFAULT_VERSION, base_or_stock, in_order};
use super::{BaseImage, Candidate, Requirement};
use crate::dockerfile;
use crate::extra::DockerfileExtra;
use crate::plan::PlanError;

/// The files that make a container to test in, byte for byte the same for the same connectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestImage {
    /// What it is built on.
    pub base: BaseImage,
    /// The Dockerfile. It copies nothing, so its build context may be empty.
    pub dockerfile: String,
    /// The compose file with its one service, `test`.
    pub compose: String,
}

/// The files of a [`TestImage`], beside each other in one folder.
impl TestImage {
    /// The name of the Dockerfile.
    pub const DOCKERFILE: &str = "Dockerfile";
    /// The name of the compose file.
    pub const COMPOSE: &str = "compose.yaml";
    /// The argument of the Dockerfile that another name of the base may be given in.
    pub const BASE_ARGUMENT: &str = "BASE";
    /// The name of the image.
    pub const TAG: &str = "bowline-test";
    /// The label by which it is known when it has lost its name.
    pub const LABEL: &str = "bowline.test";
    /// Where a container finds the workspace.
    pub const WORKSPACE: &str = "/workspace";
    /// Where a container finds Bowline's program.
    pub const PROGRAM: &str = "/usr/local/bin/bowline";
}

/// What one connector needs to be tested.
pub(crate) struct Tested<'a> {
    pub(crate) connector: &'a Candidate,
    pub(crate) extra: Option<DockerfileExtra>,
    pub(crate) requirements: Vec<Requirement>,
}

/// Writes down the image to test these connectors in. `up` is the way from the folder of the files to the workspace's
/// root, such as `../..`.
///
/// # Errors
/// Everything that is wrong with the base, the requirements and the extras, at once.
pub fn test_image(
    workspace: &Path,
    connectors: &[Candidate],
    version: Option<&str>,
    base: Option<BaseImage>,
    platform: Option<&Platform>,
    up: &str,
) -> Result<TestImage, PlanError> {
    let mut problems = Vec::new();
    let base = base_or_stock(base, version.unwrap_or(DEFAULT_VERSION), &mut problems);
    let mut tested = Vec::new();
    for connector in in_order(connectors) {
        let mut mistakes = Mistakes::of(connector, workspace);
        tested.push(Tested {
            connector,
            extra: read_extra(&connector.dir, &mut mistakes),
            requirements: read_requirements(&connector.dir, &mut mistakes),
        });
        problems.extend(mistakes.problems);
    }
    if problems.is_empty() {
        Ok(TestImage {
            dockerfile: dockerfile::test(&base.shown(), &tested),
            compose: dockerfile::compose(up, platform),
            base,
        })
    } else {
        Err(PlanError { problems })
    }
}
