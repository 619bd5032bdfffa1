//! A connector folder in memory: load, validate, scaffold, render.

mod connector;
mod credentials;
pub mod dialect;
pub mod folder;
mod python;
mod scaffold;
mod schemas;
pub mod template;
mod workspace;

pub use connector::{Connector, Driver, FunctionalTarget, OpenError, connector_name};
pub use credentials::{Credentials, CredentialsError, ExpressionError};
pub use folder::{LoadError, Problem};
pub use python::{EnvironmentError, EnvironmentEvent, program as python_program};
pub use scaffold::{
    Draft, KeptFolder, NewFile, NewFolder, Scaffold, ScaffoldError, Scaffolded,
    new_connection_type, pipeline_project,
};
pub use schemas::schemas;
pub use workspace::{Located, NameSource, Workspace, WorkspaceError};
