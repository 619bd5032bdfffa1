//! `bowline credentials`: whether a connector's credentials fit its manifest.

use bowline_contract::AssetClass;
use bowline_contract::credentials::{NearMiss, near_misses};
use bowline_contract::layout::{CONNECTOR_FILE, PYTHON_FILE};
use bowline_workbench::{CredentialUses, Event, Use, pipeline, warehouse};
use clap::Subcommand;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::named::NamedConnector;
use crate::style::{GOOD, HINT, paint};

/// Check a connector's credentials.
#[derive(Debug, clap::Args)]
pub(crate) struct CredentialsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check credentials.json against the `credentials_schema` of the manifest; nothing is contacted
    Check {
        #[command(flatten)]
        connector: NamedConnector,
    },
}

impl CredentialsArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let Action::Check { connector } = &self.action;
        let found = context.locate(connector.name(), None)?;
        let tell = |event: Event<'_>| context.tell(event);
        let (schema, credentials) = match found.class {
            AssetClass::Warehouse => {
                let connector = warehouse::load(&found, &tell)?;
                let credentials = warehouse::credentials(&connector, &tell)?;
                (connector.manifest.credentials_schema, credentials)
            }
            AssetClass::Pipeline => {
                let connector = pipeline::load(&found, &tell)?;
                let credentials = pipeline::credentials(&connector, &tell)?;
                (connector.manifest.credentials_schema, credentials)
            }
        };
        let files = [CONNECTOR_FILE, PYTHON_FILE];
        let file = files
            .into_iter()
            .find(|name| found.dir.join(name).is_file());
        let uses = CredentialUses::of(&found.dir);
        let count = credentials.connect_args().len();
        let near = near_misses(schema.as_ref(), credentials.document());
        let advice = advice(
            credentials.connect_args(),
            &near,
            &uses,
            file.unwrap_or_default(),
        );
        let schema = match schema {
            Some(schema) if !schema.is_empty() => "they fit the manifest's schema",
            _ => "the manifest has no schema to check them against",
        };
        context.printer.text(&format!(
            "{} credentials of {}: {count} in `connect_args`; {schema}\n",
            paint(GOOD, "✓"),
            found.name
        ))?;
        for words in advice {
            context
                .printer
                .text(&format!("{} {words}\n", paint(HINT, "!")))?;
        }
        Ok(Ended::Fine)
    }
}

/// What is odd about the values of credentials that fit, which is not told when they are read; `file` uses them.
fn advice(
    connect_args: &Map<String, Value>,
    near: &[NearMiss],
    uses: &CredentialUses,
    file: &str,
) -> Vec<String> {
    let mut advice = Vec::new();
    for (name, value) in connect_args {
        let used = uses.of_credential(name);
        if used == Use::Nowhere || near.iter().any(|near| near.given == *name) {
            continue;
        }
        if used == Use::Named && value.as_str() == Some("") {
            advice.push(format!("`{name}` is empty, and {file} uses it"));
        } else if value.as_str().is_some_and(is_padded) {
            advice.push(format!("`{name}` begins or ends with white space"));
        }
    }
    advice
}

/// Whether a text has white space around it, as one that was pasted may; keys and certificates end with a line end.
fn is_padded(text: &str) -> bool {
    text.trim() != text && !text.trim().contains('\n')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn odd_values_are_told_once() {
        let connect_args = json!({
            "timeot": 3, "path": "x", "port": "", "host": "h", "key": "secret\n", "pem": "-----BEGIN\nx\n",
        });
        let near = [NearMiss {
            given: "timeot".to_owned(),
            meant: "timeout".to_owned(),
        }];
        let folder = tempfile::tempdir().unwrap();
        let text = "[driver.options]\npath = \"{{ path }}\"\nuri = \"{{ port }} {{ hostname }} {{ key }} {{ pem }}\"";
        std::fs::write(folder.path().join(CONNECTOR_FILE), text).unwrap();
        let told = advice(
            connect_args.as_object().unwrap(),
            &near,
            &CredentialUses::of(folder.path()),
            CONNECTOR_FILE,
        );
        assert_eq!(
            told,
            [
                "`port` is empty, and connector.toml uses it",
                "`key` begins or ends with white space",
            ]
        );
    }
}
