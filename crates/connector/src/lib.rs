//! What connectors of every kind have in common: the workspace they stand in, how their files are read and their
//! mistakes told, their credentials, the host for those in Python, and new folders for them.
//!
//! ```
//! use bowline_connector::Workspace;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let root = parent.path();
//! std::fs::create_dir_all(root.join("connectors/shop"))?;
//! std::fs::write(root.join("connectors/shop/connector.toml"), "version = 1\n")?;
//!
//! let workspace = Workspace::find(root)?;
//! let found = workspace.locate(Some("shop"), None)?;
//! assert!(found.dir.ends_with("connectors/shop"));
//! # Ok(())
//! # }
//! ```

mod command;
mod credentials;
pub mod folder;
mod manifest_schema;
mod python;
mod scaffold;
mod workspace;

pub use command::own_program;
pub use credentials::{Credentials, CredentialsError, ExpressionError, check_expression};
pub use folder::{LoadError, Problem, connector_name};
pub use manifest_schema::manifest_schema;
pub use python::{
    EnvironmentError, EnvironmentEvent, LOWEST_PYTHON, find_python,
    has_packages as python_has_packages, how_to_have_python, program as python_program,
    program_without_packages as python_program_without_packages, with_interpreter,
};
pub use scaffold::{
    KeptFolder, NewFile, NewFolder, ScaffoldError, new_connection_type, rust_project, schema_line,
};
pub use workspace::{Located, NameSource, Workspace, WorkspaceError, state_of};
