//! `bowline credentials`: whether a connector's credentials fit its manifest.

use std::path::Path;

use bowline_contract::AssetClass;
use bowline_contract::credentials::{NearMiss, near_misses};
use bowline_contract::layout::{CONNECTOR_FILE, PYTHON_FILE};
use bowline_workbench::{Event, pipeline, warehouse};
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
        let (schema, credentials, home) = match found.class {
            AssetClass::Warehouse => {
                let connector = warehouse::load(&found, &tell)?;
                let credentials = warehouse::credentials(&connector, &tell)?;
                let home = match connector.home() {
                    home if home.extension().is_some_and(|ending| ending == "py") => home,
                    _ => found.dir.join(CONNECTOR_FILE),
                };
                (connector.manifest.credentials_schema, credentials, home)
            }
            AssetClass::Pipeline => {
                let connector = pipeline::load(&found, &tell)?;
                let credentials = pipeline::credentials(&connector, &tell)?;
                let files = [CONNECTOR_FILE, PYTHON_FILE].map(|name| found.dir.join(name));
                let home = files.into_iter().find(|file| file.is_file());
                let home = home.unwrap_or_else(|| found.dir.clone());
                (connector.manifest.credentials_schema, credentials, home)
            }
        };
        let count = credentials.connect_args().len();
        let text = bowline_contract::reading::read_text(&home).unwrap_or_default();
        let near = near_misses(schema.as_ref(), credentials.document());
        let advice = advice(credentials.connect_args(), &near, &text, &home);
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

/// What is odd about credentials that fit, beside names that nearly are the schema's: those that nothing uses, and those
/// that are used and empty. `text` is that of the file that uses them.
fn advice(
    connect_args: &Map<String, Value>,
    near: &[NearMiss],
    text: &str,
    home: &Path,
) -> Vec<String> {
    let file = home.file_name().unwrap_or_default().to_string_lossy();
    let mut advice = Vec::new();
    for (name, value) in connect_args {
        // That was told when they were read.
        if near.iter().any(|near| near.given == *name) {
            continue;
        }
        if !text.is_empty() && !names(text, name) {
            advice.push(format!("`{name}` is used nowhere in {file}"));
        } else if value.as_str() == Some("") {
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

/// Whether a text holds a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nothing_uses_is_told() {
        let connect_args = json!({
            "timeot": 3, "path": "x", "port": "", "host": "h", "key": "secret\n", "pem": "-----BEGIN\nx\n",
        });
        let near = [NearMiss {
            given: "timeot".to_owned(),
            meant: "timeout".to_owned(),
        }];
        let text = "path = \"{{ path }}\"\nuri = \"{{ port }} {{ hostname }} {{ key }} {{ pem }}\"";
        let told = advice(
            connect_args.as_object().unwrap(),
            &near,
            text,
            Path::new("shop/connector.toml"),
        );
        assert_eq!(
            told,
            [
                "`port` is empty, and connector.toml uses it",
                "`host` is used nowhere in connector.toml",
                "`key` begins or ends with white space",
            ]
        );
    }
}
