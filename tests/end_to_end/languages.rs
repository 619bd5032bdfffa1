//! New connectors with code of their own: what `bowline new --lang` writes loads, builds and runs as it is.

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::connector::{Engine, build_rust, checks_with, connect_args, write_credentials};
use crate::needs::{Need, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("languages/python_stubs", &[Need::Python], python_stubs),
        trial("languages/python_sqlite", &[Need::Python], python_sqlite),
        trial(
            "languages/python_postgres",
            &[Need::Postgres, Need::PythonPackages],
            python_postgres,
        ),
        trial("languages/rust", &[], rust),
        trial("languages/convert", &[Need::Python], convert),
    ]
}

fn python_stubs() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let new = sandbox
        .bowline_with_python(&["new", "shop", "--lang", "python"])
        .exits(exit_code::OK);
    assert!(
        new.stderr.contains("write connectors/shop/connector.py"),
        "{}",
        new.said()
    );
    assert_eq!(
        sandbox.files("connectors/shop"),
        [
            "Dockerfile.extra",
            "connector.py",
            "credentials.json",
            "manifest.json",
            "requirements.txt"
        ]
        .map(str::to_owned)
        .into()
    );
    assert!(sandbox.read(".gitignore").contains("credentials.json"));

    let test = sandbox
        .bowline_with_python(&["test", "shop"])
        .exits(exit_code::DRIVER);
    assert!(
        test.stderr.contains(
            "NotImplementedError: create_connection in connector.py does not reach a database yet"
        ),
        "{}",
        test.said()
    );

    // With a connection and nothing else, every template is not supported, and none of it is wrong.
    let code = sandbox.read("connectors/shop/connector.py").replace(
        "raise NotImplementedError(\"create_connection in connector.py does not reach a database yet\")",
        "import sqlite3\n\n        return sqlite3.connect(\":memory:\", isolation_level=None)",
    );
    sandbox.write("connectors/shop/connector.py", &code);
    let report = sandbox
        .bowline_with_python(&["test", "shop", "--format", "json"])
        .json();
    assert_eq!(checks_with(&report, "wrong"), Vec::<String>::new());
    assert!(checks_with(&report, "unsupported").len() > 60, "{report:#}");
    let mut supported = checks_with(&report, "supported");
    supported.retain(|check| !check.starts_with("connection/"));
    assert_eq!(
        supported,
        ["custom_monitors/select_one"],
        "it needs no template"
    );
    Ok(())
}

fn python_sqlite() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    let new = sandbox
        .bowline_with_python(&["new", "own", "--lang", "python", "--dialect", "sqlite"])
        .exits(exit_code::OK);
    // It is complete as it is.
    assert!(!new.stderr.contains("write connectors/"), "{}", new.said());
    let path = sandbox.work().join("shop.db");
    write_credentials(&sandbox, "own", &json!({ "path": path }));
    let ran = sandbox
        .bowline_with_python(&["test", "own", "-m", "connection", "--format", "json"])
        .exits(exit_code::OK);
    assert!(!checks_with(&ran.json(), "supported").is_empty());
    // What is supported depends on the SQLite that Python brings; what the templates say does not.
    sandbox.bowline_with_python(&["export", "own"]);
    let shared = same_templates(&sandbox, "sqlite", "own");
    assert!(shared > 60, "{shared}");
    Ok(())
}

fn python_postgres() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    sandbox
        .bowline(&["export", "postgres"])
        .exits(exit_code::OK);
    sandbox
        .bowline_with_python(&["new", "own", "--lang", "python", "--dialect", "postgres"])
        .exits(exit_code::OK);
    let database = sandbox.database().expect("a database");
    write_credentials(&sandbox, "own", &connect_args(database));
    sandbox
        .bowline_with_python(&["export", "own"])
        .exits(exit_code::OK);
    let folder = |name| sandbox.files(format!("output/{name}/templates"));
    assert_eq!(folder("own"), folder("postgres"));
    same_templates(&sandbox, "postgres", "own");
    Ok(())
}

/// Compares the templates that both connectors exported; how many there are.
fn same_templates(sandbox: &Sandbox, one: &str, other: &str) -> usize {
    let folder = |name| format!("output/{name}/templates");
    let there = sandbox.files(folder(other));
    let shared: Vec<String> = sandbox
        .files(folder(one))
        .into_iter()
        .filter(|file| there.contains(file))
        .collect();
    for file in &shared {
        let text = |name| sandbox.read(format!("{}/{file}", folder(name)));
        assert_eq!(text(one), text(other), "{file}");
    }
    shared.len()
}

fn rust() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--lang", "rust", "--dialect", "sqlite"])
        .exits(exit_code::OK);
    let project = sandbox.work().join("connectors/shop");
    let program = build_rust(&project)?;
    let checked = sandbox
        .bowline(&["protocol", "check", "--", &program.to_string_lossy()])
        .exits(exit_code::OK);
    assert!(
        checked.stdout.contains("13 passed, 0 failed"),
        "{}",
        checked.said()
    );
    let test = sandbox.bowline(&["test", "shop"]).exits(exit_code::DRIVER);
    assert!(
        test.stderr
            .contains("`connect` in src/main.rs does not reach a database yet"),
        "{}",
        test.said()
    );
    Ok(())
}

/// A connector over SQLite that has a few templates; one of them stands on a function of Python's.
const OWN_FUNCTION: &str = r#"
import sqlite3


class BaseConnector:
    def create_connection(self):
        connection = sqlite3.connect(self.credentials["file"], isolation_level=None)
        connection.create_function("kept", 1, lambda value: value)
        return connection

    def create_cursor(self):
        return self.connection.cursor()

    def execute_query(self, query):
        self.cursor.execute(query)

    def fetch_all_results(self):
        return self.cursor.fetchall()

    def close_connection(self):
        self.connection.close()


class MetadataQueryTemplates:
    def get_databases_query_template(self):
        return "SELECT kept(name) AS name FROM pragma_database_list"


class QueryLanguageTemplates:
    def build_cte_template(self):
        return "WITH {{ alias }} AS ({{ cte }})"

    def add_select_clause_template(self):
        return "{% if cte %}{{ cte }} {% endif %}SELECT {{ select_expressions | join(', ') or '*' }}"

    def add_from_clause_template(self):
        return "{{ select_clause }} FROM {{ from_expression }}"

    def union_queries_template(self):
        return "{{ queries | join(' UNION ALL ') }}"

    def alias_field_template(self):
        return "{{ field }} AS {{ alias }}"

    def string_literal_template(self):
        return "'{{ string }}'"

    def literal_value_template(self):
        return "{{ value }}"

    def get_length_template(self):
        return "LENGTH({x})"
"#;

fn convert() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", "old", "--lang", "python"])
        .exits(exit_code::OK);
    write_credentials(&sandbox, "old", &json!({ "file": "shop.db" }));
    sandbox.write("connectors/old/connector.py", OWN_FUNCTION);
    let converted = |extra: &[&str]| {
        sandbox.bowline_with_python(&[&["convert", "old", "--dialect", "sqlite"], extra].concat())
    };
    let renamed = ["--credential", "path=file"];

    let unfit = converted(&[]).exits(exit_code::USAGE);
    assert!(
        unfit.stderr.contains("--credential NEW=OLD"),
        "{}",
        unfit.said()
    );

    let differs = converted(&renamed).exits(exit_code::FELL_SHORT);
    assert!(
        differs.stdout.contains(" in Python, "),
        "{}",
        differs.said()
    );
    assert!(
        differs.stderr.contains("nothing is kept"),
        "{}",
        differs.said()
    );
    let folders = std::fs::read_dir(sandbox.work().join("connectors"))?.count();
    assert_eq!(folders, 1, "nothing half-done is left");

    sandbox.write(
        "connectors/old/connector.py",
        &OWN_FUNCTION.replace("kept(name)", "name"),
    );
    let same = converted(&renamed).exits(exit_code::OK);
    assert!(
        same.stdout.contains("the same verdicts on "),
        "{}",
        same.said()
    );
    let templates = sandbox.read("connectors/old_declarative/templates.toml");
    assert!(
        templates.contains("get_avg_function = false"),
        "{templates}"
    );
    assert!(
        !templates.contains("get_length"),
        "the pack's own: {templates}"
    );
    let credentials = sandbox.read("connectors/old_declarative/credentials.json");
    assert!(
        credentials.contains("\"path\": \"shop.db\""),
        "{credentials}"
    );

    let again = converted(&renamed).exits(exit_code::USAGE);
    assert!(again.stderr.contains("exists already"), "{}", again.said());
    Ok(())
}
