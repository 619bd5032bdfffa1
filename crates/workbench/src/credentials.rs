//! The credentials of a connector, of either class.

use std::path::Path;

use bowline_connector::Credentials;
use bowline_contract::credentials;
use bowline_contract::layout::MANIFEST_FILE;
use serde_json::{Map, Value};

use crate::{Event, WorkbenchError};

/// Reads credentials in a connector's folder, tells what is secret, and checks them against a schema.
pub(crate) fn read(
    dir: &Path,
    file: &str,
    schema: Option<&Map<String, Value>>,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Credentials, WorkbenchError> {
    let path = dir.join(file);
    let keys = || -> Vec<String> {
        let fields = schema.and_then(|schema| schema.get("connect_args")?["schema"].as_object());
        fields.into_iter().flat_map(Map::keys).cloned().collect()
    };
    let credentials = Credentials::read(&path).map_err(|source| WorkbenchError::Credentials {
        source,
        keys: keys(),
    })?;
    on_event(Event::Secrets(credentials.redactor()));
    if !credentials.redactor().is_empty() && is_open_to_others(&path) {
        on_event(Event::OpenCredentials { path: &path });
    }
    let near = credentials::near_misses(schema, credentials.document());
    let rules = schema.cloned().map(Value::Object);
    credentials::check(rules.as_ref(), credentials.document()).map_err(|source| {
        use credentials::CredentialsError::{Schema, SchemaWithoutWrapper};
        let schema_is_wrong = matches!(source, Schema(_) | SchemaWithoutWrapper { .. });
        WorkbenchError::CredentialsCheck {
            path: if schema_is_wrong {
                dir.join(MANIFEST_FILE)
            } else {
                path
            },
            source: Box::new(source),
            keys: keys(),
        }
    })?;
    for near in &near {
        on_event(Event::OddCredential(near));
    }
    Ok(credentials)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

/// Elsewhere who may read a file is not told by its mode.
#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}
