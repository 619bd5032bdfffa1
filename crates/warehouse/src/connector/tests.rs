//! Loading and opening connectors that are as they should be, and placing mistakes inside templates.

use std::path::Path;
use std::time::Duration;

use bowline_connector::Credentials;
use bowline_connector::folder::{LoadError, ProblemKind};
use bowline_contract::Template;
use bowline_driver::{Limits, SqlErrorKind, Value};
use bowline_words::Diagnose;

use super::Connector;
use crate::dialect::Pack;
use crate::template::{Arguments, Origin};

const MANIFEST: &str = r#"{"connection_type": "custom-connector-0a1b2c3", "connection_name": "shop", "asset_class": "warehouse"}"#;
const CONNECTOR: &str = r#"
version = 1
[driver]
kind = "sqlite"
init = ["CREATE TABLE IF NOT EXISTS greeting AS SELECT '{{ word }}' AS word"]
[driver.options]
path = "{{ path }}"
[dialect]
extends = "sqlite"
[functional]
schema = "main"
table = "{{ word }}_check"
"#;

fn load(files: &[(&str, &str)]) -> Result<Connector, LoadError> {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("shop");
    let defaults = [("manifest.json", MANIFEST), ("connector.toml", CONNECTOR)];
    for (file, text) in defaults.iter().chain(files) {
        let path = dir.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Connector::load(&dir)
}

fn template(name: &str) -> &'static Template {
    Template::find(name).unwrap()
}

fn credentials(json: &str) -> Credentials {
    Credentials::parse(Path::new("credentials.json"), json).unwrap()
}

#[test]
fn its_own_templates_stand_over_the_packs() {
    let connector = load(&[
        (
            "templates.toml",
            "supports_limit_0 = false\nget_length = false\nis_null = ''\n\n[math_functions]\nrand_func = '''\n0.5'''\n",
        ),
        ("templates/all_fields_expression.sql.j2", "t.*\n"),
    ])
    .unwrap();
    let text = |name| {
        connector
            .templates
            .get(template(name))
            .map(|found| found.text.as_str())
    };
    assert_eq!(text("rand_func"), Some("0.5"));
    assert_eq!(text("all_fields_expression"), Some("t.*\n"));
    assert_eq!(text("supports_limit_0"), Some("false"));
    assert_eq!(text("get_length"), None);
    assert_eq!(text("is_null"), None);
    assert_eq!(text("get_stddev_function"), None);
    assert_eq!(text("get_distinct_func"), Some("DISTINCT {x}"));
    assert_eq!(
        connector.dropped,
        [template("get_length"), template("is_null")]
    );

    let origin = |name| &connector.templates.get(template(name)).unwrap().origin;
    assert_eq!(
        *origin("get_distinct_func"),
        Origin::Pack(Pack::find("ansi").unwrap().clone())
    );
    assert_eq!(
        *origin("get_tables_query"),
        Origin::Pack(Pack::find("sqlite").unwrap().clone())
    );
    assert!(
        matches!(origin("rand_func"), Origin::File { path, line: 7 } if path.ends_with("templates.toml"))
    );
}

#[test]
fn a_mistake_in_a_template_is_placed_in_its_file() {
    let error = load(&[
        (
            "templates.toml",
            "[math_functions]\nrand_func = '''\n1\n+ {{ 2 + }}'''\nget_absolute_value_function = \"\\\"{{ }}\"\n",
        ),
        ("templates/get_tables_query.sql.j2", "SELECT 1\n{% if %}\n{% endif %}\n"),
    ])
    .unwrap_err();
    let LoadError::Invalid { problems } = error else {
        panic!("{error}");
    };
    let places: Vec<(String, usize)> = problems
        .iter()
        .map(|problem| {
            assert_eq!(problem.kind, ProblemKind::Template);
            let file = problem
                .path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            (file, problem.place.as_ref().unwrap().line)
        })
        .collect();
    assert_eq!(
        places,
        [
            ("templates.toml".to_owned(), 4),
            ("templates.toml".to_owned(), 5),
            ("get_tables_query.sql.j2".to_owned(), 2),
        ]
    );
}

#[test]
fn opening_fills_in_credentials_and_runs_the_first_statements() {
    let connector = load(&[]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let json = serde_json::json!({ "connect_args": { "path": file.path(), "word": "ahoy" } });
    let credentials = credentials(&json.to_string());
    let target = connector.functional_target(&credentials).unwrap().unwrap();
    assert_eq!(
        (
            target.database,
            target.schema.as_str(),
            target.table.as_str()
        ),
        (None, "main", "ahoy_check")
    );
    let database = connector.open(&credentials, &Limits::default()).unwrap();
    let mut connection = database.connect().unwrap();
    let result = connection
        .run("SELECT word FROM greeting", &Limits::default())
        .unwrap();
    assert_eq!(result.scalar(), Some(&Value::Text("ahoy".into())));
}

#[test]
fn a_missing_credential_is_named_with_its_option() {
    let connector = load(&[]).unwrap();
    let Err(error) = connector.open(
        &credentials(r#"{"connect_args": {"word": "x"}}"#),
        &Limits::default(),
    ) else {
        panic!("it opened");
    };
    assert_eq!(
        error.diagnose().to_string(),
        "cannot work out driver option `path` of connector `shop`: missing credential `path`\n\
         hint: add `path` to `connect_args` in credentials.json"
    );
}

#[test]
fn a_first_statement_that_takes_longer_than_others_may_is_stopped() {
    let connector = load(&[(
        "connector.toml",
        "version = 1\n[driver]\nkind = \"sqlite\"\ninit = [\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n\"]\n[driver.options]\npath = \":memory:\"\n",
    )])
    .unwrap();
    let limits = Limits {
        timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let database = connector
        .open(&credentials(r#"{"connect_args": {}}"#), &limits)
        .unwrap();
    let Err(error) = database.connect() else {
        panic!("it connected");
    };
    assert_eq!(error.kind, SqlErrorKind::Timeout);
    assert_eq!(
        error.text(),
        "`init` statement 1 of connector.toml failed: statement was cancelled: it ran longer than 0.05 s\nhint: the connection came about: mend the statement, or leave it out"
    );
}

#[test]
fn a_first_statement_that_fails_says_which_it_is_and_hides_secrets() {
    let connector = load(&[(
        "connector.toml",
        "version = 1\n[driver]\nkind = \"sqlite\"\ninit = [\"SELECT 1\", \"{{ password }}\"]\n[driver.options]\npath = \":memory:\"\n",
    )])
    .unwrap();
    let credentials = credentials(r#"{"connect_args": {"password": "hunter2hunter2"}}"#);
    let database = connector.open(&credentials, &Limits::default()).unwrap();
    let Err(error) = database.connect() else {
        panic!("it connected");
    };
    let told = error.to_string();
    assert!(
        told.starts_with("`init` statement 2 of connector.toml failed: "),
        "{told}"
    );
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn without_a_dialect_there_are_only_its_own_templates() {
    let connector = load(&[
        (
            "connector.toml",
            "version = 1\n[driver]\nkind = \"sqlite\"\n",
        ),
        ("templates.toml", "get_count_all_expression = 'COUNT(1)'"),
    ])
    .unwrap();
    assert_eq!(connector.templates.iter().count(), 1);
    let rendered = connector
        .templates
        .render(template("get_count_all_expression"), &Arguments::default());
    assert_eq!(rendered, Ok("COUNT(1)".to_owned()));
}
