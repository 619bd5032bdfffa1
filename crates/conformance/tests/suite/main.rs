//! The whole suite over SQLite, which is compiled in, and over a scripted database for faults.

mod announced;
mod blame;
mod catalogue;
mod refused;
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{
    About, Doubt, Event, Export, ExportError, Interrupt, Options, Outcome, Proof, Report, Subject,
    run,
};
use bowline_contract::{Capability, SourceManifest, SuiteSection, Template, TemplateKind};
use bowline_driver::{
    Canceller, Connection, Database, DriverKind, DriverSpec, FakeDatabase, FakeReply, Limits,
    ResultSet, SqlError, SqlErrorKind,
};
use bowline_report::Report as Written;
use bowline_template::CompiledTemplate;
use bowline_warehouse::FunctionalTarget;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{ConnectorTemplate, Origin, TemplateSet};

fn spelled(template: &'static Template, text: &str) -> ConnectorTemplate {
    ConnectorTemplate {
        template,
        text: text.to_owned(),
        origin: Origin::Composed,
        compiled: CompiledTemplate::compile(template.name, text)
            .unwrap_or_else(|error| panic!("{error}")),
    }
}

fn sqlite_templates() -> TemplateSet {
    let pack = Pack::find("sqlite").expect("there is a pack for SQLite");
    pack.templates()
}

/// A database file with a table, a view, and names that want care.
fn sqlite(folder: &Path) -> Arc<dyn Database> {
    let mut spec = DriverSpec::new(DriverKind::Sqlite);
    spec.options.insert(
        "path".to_owned(),
        folder.join("warehouse.sqlite").display().to_string(),
    );
    let database = bowline_driver::open(&spec).expect("SQLite opens");
    let mut connection = database.connect().expect("SQLite connects");
    for statement in [
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount REAL)",
        "INSERT INTO orders (amount) VALUES (1.5), (NULL)",
        "CREATE TABLE \"Odd \"\"name\"\".with dots 東京\" (\"Größe\" TEXT)",
        "CREATE VIEW large AS SELECT id FROM orders WHERE amount > 1",
    ] {
        connection
            .run(statement, &Limits::default())
            .expect("the statement runs");
    }
    database
}

fn target() -> FunctionalTarget {
    FunctionalTarget {
        database: None,
        schema: "main".to_owned(),
        table: "bowline_functional_check".to_owned(),
    }
}

fn options() -> Options {
    Options {
        patience: Duration::from_millis(300),
        ..Options::default()
    }
}

fn test(templates: TemplateSet, database: Arc<dyn Database>, options: &Options) -> Report {
    let subject = Subject {
        templates: Arc::new(templates),
        database,
        functional: Some(target()),
    };
    run(&subject, options, &Interrupt::default(), &|_| {}).expect("a connection opens")
}

fn outcome<'r>(report: &'r Report, id: &str) -> &'r Outcome {
    let check = report
        .checks
        .iter()
        .find(|check| check.check.id.as_str() == id);
    &check
        .unwrap_or_else(|| panic!("there is no check {id}"))
        .outcome
}

/// Runs statements on a database, one after the other.
fn prepare(database: &Arc<dyn Database>, statements: &[&str]) {
    let mut connection = database.connect().expect("SQLite connects");
    for statement in statements {
        connection
            .run(statement, &Limits::default())
            .expect("the statement runs");
    }
}

#[test]
fn sqlite_falls_short_nowhere_and_lacks_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = test(sqlite_templates(), sqlite(folder.path()), &options());
    let short: Vec<_> = report
        .checks
        .iter()
        .filter(|check| check.outcome.is_shortfall())
        .collect();
    assert!(
        short.is_empty(),
        "{:?}",
        short
            .iter()
            .map(|check| (&check.check.id, &check.outcome))
            .collect::<Vec<_>>()
    );
    assert!(!report.has_unknown());
    let supported: Vec<Capability> = report
        .capabilities
        .iter()
        .filter(|each| each.verdict == Some(Verdict::Supported))
        .map(|each| each.capability)
        .collect();
    assert_eq!(
        supported,
        [
            Capability::CustomSqlMonitor,
            Capability::Metadata,
            Capability::VolumeRows,
            Capability::VolumeBytes,
            Capability::Schema
        ]
    );
    let stddev = Template::find("get_stddev_function").expect("a template");
    let stddev = report
        .templates
        .iter()
        .find(|each| each.template == stddev)
        .expect("its report");
    assert!(!stddev.implemented);
    assert_eq!(stddev.verdict, Some(Verdict::Unsupported));
    assert_eq!(report.left_behind, Vec::<String>::new());
    let written = Written::Warehouse(report.written(About {
        searched: &std::collections::BTreeSet::new(),
        connector: "shop",
        templates: &sqlite_templates(),
        base: folder.path(),
        home: &folder.path().join("templates.toml"),
    }));
    let text = written.to_json().expect("a report is JSON");
    assert_eq!(Written::from_json(&text, "report.json"), Ok(written));
}

#[test]
fn an_export_is_the_same_to_the_byte_and_needs_every_section() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let templates = sqlite_templates();
    let source = SourceManifest::parse(
        r#"{"connection_type": "custom-connector-0a1b2c3", "connection_name": "shop", "asset_class": "warehouse"}"#,
    )
    .expect("a manifest");
    let export = |report: &Report| Export::new(report, &source, &templates, "1.2.3");
    let first =
        export(&test(templates.clone(), Arc::clone(&database), &options())).expect("an export");
    let second =
        export(&test(templates.clone(), Arc::clone(&database), &options())).expect("an export");
    assert_eq!(first, second);
    assert!(
        first
            .templates
            .iter()
            .all(|(name, _)| !name.starts_with("create_test_table"))
    );
    assert!(
        first
            .templates
            .iter()
            .any(|(name, _)| name == "get_avg_function_template.j2")
    );

    let output = folder.path().join("output").join("shop");
    first.write(&output).expect("it is written");
    std::fs::write(
        output.join("templates").join("stale.j2"),
        "left from before",
    )
    .expect("a file");
    second.write(&output).expect("it is written again");
    let written = std::fs::read_to_string(output.join("manifest.json")).expect("a manifest");
    assert_eq!(written, first.manifest.to_json_string());
    let files = std::fs::read_dir(output.join("templates"))
        .expect("templates")
        .count();
    assert_eq!(files, first.templates.len());

    let partial = Options {
        sections: vec![SuiteSection::QlMetrics],
        ..options()
    };
    let report = test(templates.clone(), database, &partial);
    assert!(matches!(export(&report), Err(ExportError::Partial { missing }) if missing.len() == 5));
}

#[test]
fn every_check_is_told_and_no_more_than_were_announced() {
    let folder = tempfile::tempdir().unwrap();
    let mut templates = sqlite_templates();
    // Settled before the database is asked.
    let broken = Template::find("get_avg_function").unwrap();
    templates.insert(spelled(broken, "AVG({nothing})"));
    let subject = Subject {
        templates: Arc::new(templates),
        database: sqlite(folder.path()),
        functional: Some(target()),
    };
    let (announced, told) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let report = run(
        &subject,
        &options(),
        &Interrupt::default(),
        &|event| match event {
            Event::Started { checks } => announced.store(checks, Ordering::SeqCst),
            Event::Finished { .. } => {
                told.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        },
    )
    .unwrap();
    let (announced, told) = (announced.into_inner(), told.into_inner());
    assert_eq!(told, report.checks.len());
    assert!(told <= announced, "{told} of {announced}");
}

#[test]
fn a_section_runs_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let only = Options {
        sections: vec![SuiteSection::CustomMonitors],
        ..options()
    };
    let report = test(sqlite_templates(), sqlite(folder.path()), &only);
    assert!(
        report
            .checks
            .iter()
            .all(|check| check.check.section == SuiteSection::CustomMonitors)
    );
    assert_eq!(
        report.count(SuiteSection::CustomMonitors, Verdict::Supported),
        report.checks.len()
    );
    let full = report
        .capabilities
        .iter()
        .find(|each| each.capability == Capability::Metadata);
    assert_eq!(full.and_then(|each| each.verdict), None);
}
