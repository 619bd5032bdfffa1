//! A connector folder in memory: load, validate, scaffold, render.

mod connector;
mod credentials;
pub mod dialect;
pub mod folder;
pub mod template;
mod workspace;

pub use connector::{Connector, Driver, FunctionalTarget, OpenError};
pub use credentials::{Credentials, CredentialsError, ExpressionError};
pub use folder::{LoadError, Problem};
pub use workspace::{NameSource, Workspace, WorkspaceError};
