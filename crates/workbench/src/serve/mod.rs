//! Connectors that need no code, behind the connector's side of the process protocol.

mod pipeline;
mod warehouse;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bowline_contract::layout::MANIFEST_FILE;
use bowline_contract::{AssetClass, ConnectorName};
use bowline_pipeline::{FailedPart, PipelineConnector};
use bowline_sdk::Error;
use bowline_warehouse::Connector;
use bowline_words::Diagnose;
use serde_json::Value;

use crate::WorkbenchError;

/// What is served of a warehouse connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedPart {
    /// Its database, and its templates to who asks.
    All,
    /// Its database alone.
    Connection,
}

/// Speaks the process protocol for the connector in a folder, on the process's standard input and output, until that
/// input ends. Credentials come with the protocol. Without a name the connector has that of its folder. `on_failed` hears
/// of what a pipeline's reading left out because it failed, for which the protocol has no word.
///
/// # Errors
/// When the connector cannot be loaded, or the conversation does not come to its end.
pub fn serve(
    dir: &Path,
    name: Option<ConnectorName>,
    served: ServedPart,
    on_failed: impl Fn(&FailedPart) + Send + Sync + 'static,
) -> Result<(), WorkbenchError> {
    let code = if is_pipeline(dir) {
        let mut connector = PipelineConnector::load(dir)?;
        connector.name = name.unwrap_or(connector.name);
        pipeline::serve(connector, Arc::new(on_failed))
    } else {
        let mut connector = match served {
            ServedPart::All => Connector::load(dir)?,
            ServedPart::Connection => Connector::load_connection(dir)?,
        };
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
    let text = bowline_contract::reading::read_text(&dir.join(MANIFEST_FILE)).unwrap_or_default();
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
