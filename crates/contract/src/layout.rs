//! Names of files and folders in a workspace and in what leaves it.

use crate::template::Template;

/// The folder of a workspace that holds a folder per warehouse connector.
pub const CONNECTORS_DIR: &str = "connectors";
/// The folder of a workspace that holds a folder per pipeline connector.
pub const ETL_CONNECTORS_DIR: &str = "etl_connectors";
/// The folder of a workspace that holds a folder per dialect pack of its own.
pub const PACKS_DIR: &str = "packs";
/// The facts about a dialect pack, in its folder.
pub const PACK_FILE: &str = "pack.toml";
/// The folder of a workspace that exports are written to, a folder per connector; never committed.
pub const OUTPUT_DIR: &str = "output";
/// Holds what a connector's verdicts rest on, in its folder among the outputs.
pub const EVIDENCE_DIR: &str = "evidence";
/// Every statement of the last whole run with its answer.
pub const EVIDENCE_FILE: &str = "run.jsonl.gz";
/// What of it may be shown to everybody, as an image carries it.
pub const PUBLIC_EVIDENCE_FILE: &str = "public.jsonl.gz";
/// The ending of the same in the workspace's own folder of evidence, a file per connector, which may be committed.
pub const EVIDENCE_ENDING: &str = ".jsonl.gz";
/// What a pipeline connector was when it was proven, in the folder of its name among the outputs, which a warehouse
/// connector of that name has its export in.
pub const PIPELINE_PROOF_FILE: &str = "pipeline-proof.json";

/// What a connector is to the platform: its type, name and credentials' schema.
pub const MANIFEST_FILE: &str = "manifest.json";
/// How to log in; never committed, never in an image.
pub const CREDENTIALS_FILE: &str = "credentials.json";
/// In a dialect pack: the `credentials_schema` that the manifest of a new connector has.
pub const CREDENTIALS_SCHEMA_FILE: &str = "credentials_schema.json";
/// How to log in to further servers, each by a name; as secret as the file above.
pub const NAMED_CREDENTIALS_FILES: &str = "credentials.*.json";
/// The driver and dialect of a declarative connector.
pub const CONNECTOR_FILE: &str = "connector.toml";
/// The code of a Python connector.
pub const PYTHON_FILE: &str = "connector.py";
/// The templates of a declarative connector that differ from its dialect pack.
pub const TEMPLATES_FILE: &str = "templates.toml";
/// The folder of long templates, a file each; in an export, the folder of all of them.
pub const TEMPLATES_DIR: &str = "templates";
/// The ending of a template's file in a connector's folder.
pub const TEMPLATE_SOURCE_ENDING: &str = ".sql.j2";
/// The ending of a template's file in an export.
pub const TEMPLATE_EXPORT_ENDING: &str = ".j2";
/// The folder of a connector's own checks.
pub const CHECKS_DIR: &str = "checks";
/// The packages a Python connector needs.
pub const REQUIREMENTS_FILE: &str = "requirements.txt";
/// Instructions that an image runs before the connector's files are added.
pub const DOCKERFILE_EXTRA: &str = "Dockerfile.extra";
/// The file that keeps credentials and exports out of version control.
pub const IGNORE_FILE: &str = ".gitignore";

/// The environment variable that names the connector to work on.
pub const CONNECTOR_VARIABLE: &str = "CONNECTOR";

/// The environment variable that says how many hours back the suite looks for runs.
pub const ETL_TEST_WINDOW_VARIABLE: &str = "ETL_TEST_WINDOW_HOURS";

/// The file with the credentials of this name, such as `credentials.pg13.json`.
#[must_use]
pub fn named_credentials_file(name: &str) -> String {
    NAMED_CREDENTIALS_FILES.replace('*', name)
}

/// Whether a file of this name holds credentials.
#[must_use]
pub fn is_credentials_file(name: &str) -> bool {
    let named = NAMED_CREDENTIALS_FILES.split_once('*');
    name == CREDENTIALS_FILE
        || named.is_some_and(|(before, after)| {
            let middle = name.strip_prefix(before);
            middle.is_some_and(|rest| rest.len() > after.len() && rest.ends_with(after))
        })
}

/// The name of a template's file in an export, such as `get_avg_function_template.j2`.
#[must_use]
pub fn exported_template_file(template: &Template) -> String {
    format!("{}{TEMPLATE_EXPORT_ENDING}", template.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_credentials_are_known_by_their_names() {
        for name in [CREDENTIALS_FILE, &named_credentials_file("pg13")] {
            assert!(is_credentials_file(name), "{name}");
        }
        for name in [
            "credentials..json",
            "credentials.pg13.json.bak",
            "credentials_schema.json",
            "my-credentials.pg13.json",
        ] {
            assert!(!is_credentials_file(name), "{name}");
        }
    }
}
