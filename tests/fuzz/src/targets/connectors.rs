//! What stands in the folders of connectors.

use std::fs;
use std::path::Path;

use bowline_connector::Credentials;
use bowline_contract::SourceManifest;
use bowline_contract::credentials;
use bowline_contract::pipeline::PipelineManifest;
use bowline_warehouse::Connector;
use serde_json::Value as Json;

use super::{text, told};
use crate::Target;
use crate::seeds::{bytes, files, files_in_cases};

const CONNECTOR: &str =
    "version = 1\n[driver]\nkind = \"sqlite\"\n[dialect]\nextends = \"sqlite\"\n";
const MANIFEST_TEXT: &str = r#"{"connection_type": "custom-connector-abc1234", "connection_name": "Shop", "asset_class": "warehouse"}"#;

/// Loads a connector's folder, in which one file is the input.
fn load(name: &str, input: &[u8]) -> String {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
    }
    FOLDER.with(|folder| {
        let folder = folder.path().join("shop");
        let written = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join("manifest.json"), MANIFEST_TEXT))
            .and_then(|()| fs::write(folder.join("connector.toml"), CONNECTOR))
            .and_then(|()| fs::write(folder.join(name), input));
        written.expect("the connector is written");
        told(Connector::load(&folder).map(|connector| format!("{connector:?}")))
    })
}

pub(super) static CONNECTOR_FILE: Target = Target {
    name: "connector-file",
    about: "connector.toml of warehouse connectors",
    run: |input| load("connector.toml", input),
    seeds: || {
        bytes(
            [
                files("dialects", "connector.toml"),
                files_in_cases("connector.toml"),
            ]
            .concat(),
        )
    },
    words: &[
        "version = 1",
        "\n[driver]\n",
        "kind = ",
        "\"adbc\"",
        "\"odbc\"",
        "\"process\"",
        "name = ",
        "command = [\"x\"]",
        "init = [\"SELECT 1\"]",
        "\n[driver.options]\n",
        "path = \"{{ path }}\"",
        "\n[dialect]\n",
        "extends = \"duckdb\"",
        "\n[functional]\n",
        "database = ",
        "schema = ",
        "table = ",
        "= ",
        "[",
        "]",
        "{",
        "}",
        "\"\"\"",
        "'''",
        "\"",
        "#",
        "\\u0000",
        "{{ ",
        " }}",
        " | stem",
        "inf",
        "1979-05-27",
        "[[x]]",
        "a.b = 1",
    ],
};

pub(super) static TEMPLATES_FILE: Target = Target {
    name: "templates-file",
    about: "templates.toml, with every template compiled",
    run: |input| load("templates.toml", input),
    seeds: || {
        bytes(
            [
                files("dialects", "templates.toml"),
                files_in_cases("templates.toml"),
            ]
            .concat(),
        )
    },
    words: &[
        "[ql_metrics]",
        "\n[aggregation_functions]\n",
        "get_avg_function = ",
        "get_avg_function_template",
        "true",
        "false",
        "= ",
        "\"\"\"\n",
        "'''",
        "\"",
        "{{ ",
        " }}",
        "{% if ",
        "{x}",
        "\\\n",
        "\r\n",
        "[[",
        "]]",
        "é",
        "\\U0001f980",
        "\\",
        "0",
        "[]",
        "{}",
    ],
};

pub(super) static MANIFEST: Target = Target {
    name: "manifest",
    about: "manifest.json of warehouse and pipeline connectors",
    run: |input| {
        let text = text(input);
        let warehouse = told(SourceManifest::parse(&text).map(|manifest| {
            let schema = manifest.credentials_schema.clone().map(Json::Object);
            let schema = credentials::parse_schema(schema.as_ref());
            format!("{}{}", manifest.to_json_string(), schema.is_ok())
        }));
        let pipeline =
            told(PipelineManifest::parse(&text).map(|manifest| manifest.to_json_string()));
        warehouse + &pipeline
    },
    seeds: || {
        let cases = files_in_cases("manifest.json");
        let simulated = bowline_simulator::manifest().to_string();
        bytes(
            [
                files("examples", "manifest.json"),
                cases,
                vec![simulated, MANIFEST_TEXT.to_owned()],
            ]
            .concat(),
        )
    },
    words: &[
        "\"connection_type\": ",
        "\"connection_name\": ",
        "\"asset_class\": ",
        "\"warehouse\"",
        "\"etl\"",
        "\"credentials_schema\": ",
        "\"terminology\": ",
        "\"run_status_mapping\": ",
        "\"task_run_status_mapping\": ",
        "\"success\"",
        "\"custom-connector-0000000\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\u0000",
        "\\ud800",
        "null",
        "true",
        "1e400",
        "-0",
    ],
};

pub(super) static CREDENTIALS: Target = Target {
    name: "credentials",
    about: "credentials.json, and schemas of credentials with documents: `[schema, credentials]`",
    run: |input| {
        let text = text(input);
        let read = Credentials::parse(Path::new("credentials.json"), &text);
        let mut words = told(read.map(|credentials| credentials.redactor().redact(&text)));
        if let Ok(Json::Array(pair)) = serde_json::from_str(&text)
            && let [schema, document] = pair.as_slice()
        {
            let checked = credentials::check(Some(schema), document);
            words.push_str(&told(checked.map(|()| String::new())));
        }
        words
    },
    seeds: || {
        let schemas = files("dialects", "credentials_schema.json");
        let documents = files("dialects", "credentials.json");
        let pairs = schemas.iter().flat_map(|schema| {
            documents
                .iter()
                .map(move |document| format!("[{schema}, {document}]"))
        });
        let rules = r#"[{"a": {"type": ["string", "list"], "regex": "^(?P<x>[a-z\\d]+)(?!b)\\Z", "minlength": 1, "nullable": true},
            "b": {"type": "list", "schema": {"type": "dict", "schema": {"c": {"allowed": [1, 2.5], "dependencies": ["^a"]}}}},
            "d": {"anyof": [{"type": "integer", "min": 1, "max": 5}, {"check_with": "x"}], "excludes": "a", "rename": "e"},
            "f": {"keysrules": {"regex": "x+"}, "valuesrules": {"coerce": "int"}, "default": {}, "purge_unknown": true}},
            {"a": "abc1", "b": [{"c": 1}], "d": 7, "f": {"x": "1"}}]"#;
        bytes(
            pairs
                .chain(documents.iter().cloned())
                .chain([rules.to_owned()]),
        )
    },
    words: &[
        "\"type\": ",
        "\"dict\"",
        "\"list\"",
        "\"string\"",
        "\"integer\"",
        "\"required\": true",
        "\"schema\": {",
        "\"regex\": \"",
        "\"allowed\": [",
        "\"forbidden\": ",
        "\"contains\": ",
        "\"dependencies\": ",
        "\"excludes\": ",
        "\"items\": [",
        "\"keysrules\": {",
        "\"valuesrules\": {",
        "\"minlength\": ",
        "\"max\": ",
        "\"nullable\": ",
        "\"coerce\": ",
        "\"default\": ",
        "\"rename\": ",
        "\"anyof\": [",
        "\"noneof_type\": ",
        "\"allow_unknown\": ",
        "\"purge_unknown\": ",
        "\"empty\": ",
        "\"meta\": ",
        "\"readonly\": ",
        "\"connect_args\": ",
        "\"password\": ",
        "(?P<n>",
        "(?=",
        "(?<!",
        "[^",
        "\\\\d",
        "\\\\Z",
        "{2,}",
        "*",
        "+?",
        "|",
        "\\\\1",
        "(?i)",
        "{",
        "}",
        "[",
        "]",
        ",",
        "null",
        "true",
        "1e400",
    ],
};
