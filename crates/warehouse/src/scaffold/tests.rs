//! Every dialect scaffolded, read back and judged; nothing overwritten, nothing left behind.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bowline_connector::{Credentials, ScaffoldError, Workspace};
use bowline_contract::{ConnectorName, Template, credentials};
use bowline_words::Diagnose;
use serde_json::Value;

use super::{AskedDriver, Scaffold};
use crate::dialect::Pack;

fn name(text: &str) -> ConnectorName {
    ConnectorName::parse(text).unwrap()
}

fn files(dir: &Path) -> BTreeSet<String> {
    std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default()
}

#[test]
fn every_dialect_with_a_driver_comes_out_complete() {
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(root.path());
    for pack in Pack::engines().filter(|pack| !pack.needs_python()) {
        let plan = Scaffold::plan(name(&pack.name), Some(Arc::clone(pack)), None).unwrap();
        let made = plan.write(&workspace).unwrap();
        let dir = &made.connector.dir;
        assert_eq!(
            files(dir),
            [
                "connector.toml",
                "credentials.json",
                "manifest.json",
                "templates.toml"
            ]
            .map(str::to_owned)
            .into()
        );
        assert!(made.files.iter().all(|file| file.is_file()));

        let spelled = Template::all().filter(|template| pack.spelling(template).is_some());
        assert!(
            made.connector
                .templates
                .iter()
                .map(|found| found.template.name)
                .eq({
                    let mut names: Vec<_> = spelled.map(|template| template.name).collect();
                    names.sort_unstable();
                    names
                })
        );

        let credentials = Credentials::read(&dir.join("credentials.json")).unwrap();
        let schema = made
            .connector
            .manifest
            .credentials_schema
            .clone()
            .map(Value::Object);
        credentials::check(schema.as_ref(), credentials.document()).unwrap();
        let target = made
            .connector
            .functional_target(&credentials)
            .unwrap()
            .unwrap();
        assert_eq!(target.table, "bowline_functional_check");
    }
}

#[test]
fn every_commented_template_can_be_taken_in() {
    let root = tempfile::tempdir().unwrap();
    for pack in Pack::engines().filter(|pack| !pack.needs_python()) {
        let plan = Scaffold::plan(name(&pack.name), Some(Arc::clone(pack)), None).unwrap();
        let made = plan.write(&Workspace::at(root.path())).unwrap();
        let path = made.connector.dir.join("templates.toml");
        let commented = std::fs::read_to_string(&path).unwrap();
        let taken_in: String = commented
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(entry) if entry.contains(" = ") => format!("{entry}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        std::fs::write(&path, taken_in).unwrap();
        let loaded = crate::Connector::load(&made.connector.dir).unwrap();
        for template in Template::all() {
            let before = made
                .connector
                .templates
                .get(template)
                .map(|found| &found.text);
            assert_eq!(
                loaded.templates.get(template).map(|found| &found.text),
                before
            );
        }
    }
}

fn pack(name: &str) -> Option<Arc<Pack>> {
    Pack::find(name).cloned()
}

fn asked(driver: &str) -> AskedDriver {
    let Ok(asked) = driver.parse();
    asked
}

#[test]
fn a_driver_brings_its_dialect_and_any_other_starts_from_the_base() {
    let dialect_of = |dialect: Option<&str>, driver: Option<&str>| {
        Scaffold::plan(
            name("x"),
            dialect.and_then(pack),
            driver.map(asked).as_ref(),
        )
        .unwrap()
        .dialect
        .unwrap()
        .name
        .clone()
    };
    assert_eq!(dialect_of(None, Some("duckdb")), "duckdb");
    assert_eq!(dialect_of(None, Some("postgres")), "postgres");
    assert_eq!(dialect_of(None, Some("postgresql")), "postgres");
    assert_eq!(dialect_of(None, Some("sqlite")), "sqlite");
    assert_eq!(dialect_of(None, Some("snowflake")), "ansi");
    assert_eq!(dialect_of(Some("postgres"), Some("flightsql")), "postgres");
    assert_eq!(dialect_of(Some("ansi"), Some("sqlite")), "ansi");
}

#[test]
fn postgresql_is_reached_as_it_is_asked_for_with_all_that_its_pack_says() {
    use bowline_driver::DriverKind;
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(root.path());
    let planned = |as_named: &str, driver: Option<&str>| {
        let driver = driver.map(asked);
        Scaffold::plan(name(as_named), pack("postgres"), driver.as_ref())
            .unwrap()
            .write(&workspace)
            .unwrap()
            .connector
            .driver
    };
    let own = planned("a", None);
    let compiled_in = planned("b", Some("postgres"));
    let through_adbc = planned("c", Some("postgresql"));
    assert_eq!(own.kind, DriverKind::Postgres);
    assert_eq!(compiled_in.kind, DriverKind::Postgres);
    assert!(matches!(through_adbc.kind, DriverKind::Adbc { .. }));
    for driver in [&compiled_in, &through_adbc] {
        let texts = |driver: &crate::Driver| {
            let options = driver.options.values().chain(&driver.init);
            let texts = options.map(|text| text.get_ref().clone());
            texts.collect::<Vec<_>>()
        };
        assert_eq!(texts(driver), texts(&own));
        assert!(!driver.init.is_empty());
    }
}

#[test]
fn any_driver_runs_what_the_dialect_takes_for_granted() {
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(root.path());
    for (dialect, driver) in [
        ("postgres", "odbc"),
        ("postgres", "flightsql"),
        ("mariadb", "odbc:shop"),
        ("mariadb", "lib/mariadb.so"),
        ("duckdb", "odbc"),
    ] {
        let write = |as_named: String, driver: Option<AskedDriver>| {
            let plan = Scaffold::plan(name(&as_named), pack(dialect), driver.as_ref());
            plan.unwrap().write(&workspace).unwrap().connector
        };
        let kind = driver.split(['/', ':']).next().unwrap();
        let own = write(format!("{dialect}_for_{kind}"), None);
        let made = write(format!("{dialect}_{kind}"), Some(asked(driver)));
        let init = |connector: &crate::Connector| {
            let init = connector.driver.init.iter();
            init.map(|text| text.get_ref().clone()).collect::<Vec<_>>()
        };
        assert!(!init(&own).is_empty());
        assert_eq!(init(&made), init(&own), "{dialect} by {driver}");
        // Of a data source it is known what the credentials are called.
        let credentials = made.dir.join("credentials.json");
        let text = std::fs::read_to_string(&credentials).unwrap();
        std::fs::write(&credentials, text.replace("\"\"", "\"shop\"")).unwrap();
        let target = made.functional_target(&Credentials::read(&credentials).unwrap());
        let table = target.unwrap().map(|target| target.table);
        let expected = driver
            .starts_with("odbc")
            .then_some("bowline_functional_check");
        assert_eq!(table.as_deref(), expected, "{dialect} by {driver}");
    }
}

#[test]
fn a_driver_of_another_dialect_keeps_the_dialect_asked_for() {
    let root = tempfile::tempdir().unwrap();
    for (dialect, driver) in [
        ("ansi", "sqlite"),
        ("postgres", "flightsql"),
        ("ansi", "a \"b\""),
        ("ansi", "../../drivers/lib \"x\".so"),
        ("ansi", "odbc:a \"b\""),
        ("ansi", "odbc"),
    ] {
        let connector_name = name(&format!("{dialect}_{}", driver.len()));
        let made = Scaffold::plan(connector_name, pack(dialect), Some(&asked(driver)))
            .unwrap()
            .write(&Workspace::at(root.path()))
            .unwrap();
        assert_eq!(made.connector.dialect.unwrap().name, dialect);
    }
}

#[test]
fn what_is_not_said_is_asked_for() {
    let told = |dialect: Option<&str>, driver: Option<&str>| {
        Scaffold::plan(
            name("x"),
            dialect.and_then(pack),
            driver.map(asked).as_ref(),
        )
        .unwrap_err()
        .diagnose()
        .to_string()
    };
    assert!(told(Some("ansi"), None).starts_with("which driver?"));
    assert!(
        told(None, None).contains(
            "hint: add `--dialect`: duckdb, firebird, mariadb, postgres, sqlite; or `ansi`"
        )
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_behind() {
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(root.path());
    let taken = workspace.connectors_dir().join("My-Shop");
    std::fs::create_dir_all(&taken).unwrap();
    std::fs::write(workspace.connectors_dir().join("till"), "a file").unwrap();
    for asked in ["my shop", "till"] {
        let error = Scaffold::plan(name(asked), pack("sqlite"), None)
            .unwrap()
            .write(&workspace)
            .unwrap_err();
        assert!(matches!(error, ScaffoldError::Exists { .. }), "{error}");
    }
    assert_eq!(
        files(&workspace.connectors_dir()),
        ["My-Shop", "till"].map(str::to_owned).into()
    );
    assert!(files(&taken).is_empty());
}

#[test]
fn connection_types_differ() {
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(root.path());
    let types: BTreeSet<String> = (0..20)
        .map(|number| {
            let plan = Scaffold::plan(name(&format!("c{number}")), pack("sqlite"), None).unwrap();
            plan.write(&workspace)
                .unwrap()
                .connector
                .manifest
                .connection_type
                .to_string()
        })
        .collect();
    assert_eq!(types.len(), 20);
}

#[cfg(unix)]
#[test]
fn credentials_are_their_owners_alone_and_ignored_by_git() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let plan = Scaffold::plan(name("shop"), pack("duckdb"), None).unwrap();
    let made = plan.write(&Workspace::at(root.path())).unwrap();
    let mode = |file: &str| {
        let path = made.connector.dir.join(file);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o077
    };
    assert_eq!(mode("credentials.json"), 0);
    let ignored = std::fs::read_to_string(root.path().join(".gitignore")).unwrap();
    assert!(
        ignored.lines().any(|line| line == "credentials.json"),
        "{ignored}"
    );
    assert_eq!(made.ignore_file, Some(root.path().join(".gitignore")));
}

#[test]
fn a_connector_in_rust_loads_before_its_program_is_built() {
    let root = tempfile::tempdir().unwrap();
    let made = Scaffold::in_rust(name("shop"), pack("sqlite"))
        .write(&Workspace::at(root.path()))
        .unwrap();
    assert_eq!(made.connector.dialect.unwrap().name, "sqlite");
    assert!(made.files.iter().any(|file| file.ends_with("src/main.rs")));
    assert!(made.files.iter().all(|file| file.exists()));
}
