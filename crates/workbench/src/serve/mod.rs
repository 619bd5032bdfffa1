//! Connectors that need no code, behind the connector's side of the process protocol.

mod pipeline;
mod warehouse;

use std::path::Path;
use std::process::ExitCode;

use bowline_contract::layout::MANIFEST_FILE;
use bowline_contract::{AssetClass, ConnectorName};
use bowline_pipeline::PipelineConnector;
use bowline_sdk::Error;
use bowline_warehouse::Connector;
use bowline_words::Diagnose;
use serde_json::Value;

use crate::WorkbenchError;

/// Speaks the process protocol for the connector in a folder, on the process's standard input and output, until that
/// input ends. Credentials come with the protocol. Without a name the connector has that of its folder.
///
/// # Errors
/// When the connector cannot be loaded, or the conversation does not come to its end.
pub fn serve(dir: &Path, name: Option<ConnectorName>) -> Result<(), WorkbenchError> {
    let code = if is_pipeline(dir) {
        let mut connector = PipelineConnector::load(dir)?;
        connector.name = name.unwrap_or(connector.name);
        pipeline::serve(connector)
    } else {
        let mut connector = Connector::load(dir)?;
        connector.name = name.unwrap_or(connector.name);
        warehouse::serve(connector)
    };
    if code == ExitCode::SUCCESS {
        Ok(())
    } else {
        Err(WorkbenchError::Served)
    }
}

/// Whether the manifest says that it connects to an orchestrator; a broken manifest is told by whoever loads it.
fn is_pipeline(dir: &Path) -> bool {
    let text = std::fs::read_to_string(dir.join(MANIFEST_FILE)).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    manifest["asset_class"] == AssetClass::Pipeline.name()
}

/// The same error for the other side, with the hint of what is behind it.
fn hinted(told: Error, error: &impl Diagnose) -> Error {
    match error.diagnose().hints.pop() {
        Some(hint) => told.with_hint(hint),
        None => told,
    }
}
