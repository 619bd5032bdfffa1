//! Agent images: what goes into one, and the builders that make it with an engine and without.
//!
//! [`plan()`](plan::plan) looks at connectors and says in an [`ImagePlan`] everything that an image will hold; a
//! builder reads nothing else. [`native::build`] makes an image without an engine, [`engine::build`] with Docker,
//! Podman or Buildah.
//!
//! ```
//! use bowline_contract::ConnectorName;
//! use bowline_contract::manifest::AssetClass;
//! use bowline_image::plan::{Candidate, ModeChoice, PlanRequest, plan};
//! use bowline_image::shim::BowlineRuntime;
//! use bowline_oci::Cancel;
//!
//! // A workspace with one pipeline connector in Python.
//! let workspace = tempfile::tempdir()?;
//! let dir = workspace.path().join("etl_connectors/jobs");
//! std::fs::create_dir_all(&dir)?;
//! std::fs::write(dir.join("connector.py"), "class Connector: ...\n")?;
//! std::fs::write(
//!     dir.join("manifest.json"),
//!     r#"{
//!         "asset_class": "etl",
//!         "connection_type": "custom-etl-connector-0a1b2c3",
//!         "connection_name": "Jobs",
//!         "run_status_mapping": {"DONE": "success"}
//!     }"#,
//! )?;
//!
//! let planned = plan(&PlanRequest {
//!     workspace: workspace.path(),
//!     connectors: &[Candidate {
//!         name: ConnectorName::parse("jobs")?,
//!         class: AssetClass::Pipeline,
//!         packs: Vec::new(),
//!         export: workspace.path().join("output/jobs"),
//!         dir: dir.clone(),
//!     }],
//!     mode: ModeChoice::Auto,
//!     version: Some("1.2.3"),
//!     base: None,
//!     platforms: &[],
//!     tag: None,
//!     // Nothing has proven it.
//!     unproven: &[dir.clone()],
//!     secrets: &[],
//!     runtime: &BowlineRuntime {
//!         workspace: workspace.path().to_path_buf(),
//!         binary: None,
//!         drivers: workspace.path().join("drivers"),
//!         cancel: &Cancel::default(),
//!         on_event: &|_| {},
//!     },
//! })?;
//! assert_eq!(planned.plan.tag, "custom-agent:1.2.3-generic");
//! let paths: Vec<&str> =
//!     planned.plan.connectors[0].files.iter().map(|file| file.path.as_str()).collect();
//! assert_eq!(
//!     paths,
//!     [
//!         "/opt/custom-etl-connectors/jobs/connector.py",
//!         "/opt/custom-etl-connectors/jobs/manifest.json"
//!     ]
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dockerfile;
pub mod engine;
mod error;
mod event;
pub mod extra;
pub mod inspect;
pub mod native;
pub mod plan;
mod platform;
pub mod python;
mod sbom;
pub mod shim;
mod work;

pub use error::{ImageError, ImageErrorKind, from_oci};
pub use event::BuildEvent;
pub use extra::DockerfileExtra;
pub use plan::{BaseImage, ImagePlan, Mode, PlannedConnector, PlannedFile, Requirement};
pub use platform::{PlatformError, agent_platform};
