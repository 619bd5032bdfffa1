//! Connectors that are programs of their own.

use std::path::Path;

use bowline_contract::ConnectorName;
use bowline_process::Program;

use crate::Workspace;

/// How the program is started that the `command` of a connector's `connector.toml` names: in the workspace's folder, as
/// connectors in Python are, so that relative paths of its credentials mean the same.
#[must_use]
pub fn own_program(name: &ConnectorName, command: &[String], dir: &Path) -> Program {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let workspace = Workspace::find(&dir).unwrap_or_else(|_| Workspace::at(&dir));
    Program::of_command(name.as_str(), command, workspace.root(), &dir)
}
