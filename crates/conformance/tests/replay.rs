//! A run over recorded answers gives the same report, with no database: for every pack that runs here, where templates
//! are wrong, and where the run was interrupted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bowline_conformance::warehouse::{
    CheckReport, Doubt, Event, Interrupt, Options, Outcome, Report, Subject, run,
};
use bowline_connector::{Credentials, Workspace};
use bowline_contract::{ConnectorName, SuiteSection, Template};
use bowline_driver::{Database, Limits, Recording, RecordingDatabase, ReplayingDatabase};
use bowline_installer::{InstallState, catalogue};
use bowline_servers::{needed, shared};
use bowline_template::CompiledTemplate;
use bowline_warehouse::template::{ConnectorTemplate, Origin};
use bowline_warehouse::{Connector, Scaffold};
use serde_json::{Value as Json, json};

/// A few tables that every engine understands.
const SHOP: [&str; 5] = [
    "CREATE TABLE customers (id INTEGER, name VARCHAR(40))",
    "INSERT INTO customers VALUES (1, 'Ada'), (2, NULL)",
    "CREATE TABLE orders (id INTEGER, customer INTEGER)",
    "CREATE TABLE items (id INTEGER)",
    "CREATE VIEW named AS SELECT id FROM customers WHERE name IS NOT NULL",
];

fn options() -> Options {
    Options {
        patience: Duration::from_millis(300),
        ..Options::default()
    }
}

/// A connector as a pack scaffolds it, over a database with a small shop.
fn shop(root: &Path, pack: &str, connect_args: Json) -> Subject {
    let name = ConnectorName::parse(pack).unwrap();
    let scaffold = Scaffold::plan(name, Some(pack), None).unwrap();
    let made = scaffold.write(&Workspace::at(root)).unwrap();
    let connector: Connector = made.connector;
    let credentials = Credentials::of_connect_args(connect_args.as_object().unwrap().clone());
    let database = connector.open(&credentials, &Limits::default()).unwrap();
    let mut connection = database.connect().unwrap();
    for statement in SHOP {
        connection.run(statement, &Limits::default()).unwrap();
    }
    Subject {
        functional: connector.functional_target(&credentials).unwrap(),
        templates: Arc::new(connector.templates),
        database,
    }
}

fn sqlite(root: &Path) -> Subject {
    let path = root.join("shop.db");
    shop(root, "sqlite", json!({ "path": path }))
}

/// Runs the suite; gives the report with what the database was asked.
fn recorded(
    subject: &Subject,
    options: &Options,
    interrupt: &Interrupt,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> (Report, Recording) {
    let database = Arc::new(RecordingDatabase::new(Arc::clone(&subject.database)));
    let live = Subject {
        database: Arc::clone(&database) as Arc<dyn Database>,
        ..subject.clone()
    };
    let report = run(&live, options, interrupt, on_event).unwrap();
    (report, database.recording())
}

/// Runs the suite over recorded answers and expects the same report, whatever does not hang on the moment.
#[track_caller]
fn assert_replays(subject: &Subject, options: &Options, report: &Report, recording: Recording) {
    let subject = Subject {
        database: Arc::new(ReplayingDatabase::new(recording)),
        ..subject.clone()
    };
    let options = Options {
        now: Some(report.now),
        ..options.clone()
    };
    let again = run(&subject, &options, &Interrupt::default(), &|_| {}).unwrap();
    for (then, now) in report.checks.iter().zip(&again.checks) {
        assert_eq!(text(then), text(now));
    }
    assert_eq!(text(&timeless(report)), text(&timeless(&again)));
}

/// A report without how long the run took and how many connections were opened for it, which hangs on that.
fn timeless(report: &Report) -> Report {
    Report {
        elapsed: Duration::ZERO,
        connections: 0,
        ..report.clone()
    }
}

/// As text, in which NaN equals NaN.
fn text(thing: &impl std::fmt::Debug) -> String {
    format!("{thing:#?}")
}

#[track_caller]
fn assert_runs_again(subject: &Subject) {
    let (report, recording) = recorded(subject, &options(), &Interrupt::default(), &|_| {});
    assert!(report.checks.iter().any(|check| !check.steps.is_empty()));
    assert_replays(subject, &options(), &report, recording);
}

#[test]
fn sqlite_again() {
    let root = tempfile::tempdir().unwrap();
    assert_runs_again(&sqlite(root.path()));
}

#[test]
fn duckdb_again() {
    let root = tempfile::tempdir().unwrap();
    let installed = installed("duckdb");
    if needed(installed).is_some() {
        let path = root.path().join("shop.db");
        assert_runs_again(&shop(root.path(), "duckdb", json!({ "path": path })));
    }
}

#[test]
fn postgres_again() {
    let root = tempfile::tempdir().unwrap();
    let cluster = installed("postgresql").and_then(|()| shared::postgres());
    let Some(cluster) = needed(cluster) else {
        return;
    };
    cluster
        .create_database("replay", "replayer", "secret")
        .unwrap();
    let args = json!({
        "host": cluster.host(), "port": cluster.port(),
        "database": "replay", "user": "replayer", "password": "secret",
    });
    assert_runs_again(&shop(root.path(), "postgres", args));
}

#[test]
fn mariadb_again() {
    let root = tempfile::tempdir().unwrap();
    let port = shared::mariadb(|server| {
        server
            .create_database("replay", "replayer", "secret")
            .unwrap();
        server.port()
    });
    let Some(port) = needed(port) else { return };
    let args = json!({
        "host": "127.0.0.1", "port": port,
        "database": "replay", "user": "replayer", "password": "secret",
    });
    assert_runs_again(&shop(root.path(), "mariadb", args));
}

/// Whether an ADBC driver is installed.
fn installed(driver: &str) -> Result<(), String> {
    let folder = bowline_installer::driver_folder().ok_or("there is no folder of drivers")?;
    let entry = catalogue::find(driver).ok_or("the catalogue does not know the driver")?;
    if bowline_installer::install_state(entry, &folder) == InstallState::Missing {
        return Err(format!("the ADBC driver `{driver}` is not installed"));
    }
    Ok(())
}

/// Another text for one template of a connector.
fn spelled(subject: &Subject, name: &'static str, text: &str) -> Subject {
    let template = Template::known(name);
    let mut templates = (*subject.templates).clone();
    templates.insert(ConnectorTemplate {
        template,
        text: text.to_owned(),
        origin: Origin::Pack("sqlite".to_owned()),
        compiled: CompiledTemplate::compile(name, text).unwrap(),
    });
    Subject {
        templates: Arc::new(templates),
        ..subject.clone()
    }
}

#[test]
fn blame_is_laid_again_by_the_same_probes() {
    let root = tempfile::tempdir().unwrap();
    let subject = sqlite(root.path());
    for (name, text) in [
        ("get_length", "LEN({x})"),
        ("get_avg_function", "(AVG({x}) + 1)"),
        (
            "union_queries",
            "{{ queries | join(' UNION ') }}{{ distinct | string | replace('False', '') }}",
        ),
        (
            "get_tables_query",
            "SELECT 1 {{ database_name }}{{ schemas }}{{ offset }}{{ limit }}{{ table_names }}",
        ),
    ] {
        let subject = spelled(&subject, name, text);
        let (report, recording) = recorded(&subject, &options(), &Interrupt::default(), &|_| {});
        let culprit = report.culprits.first().map(|culprit| culprit.template);
        assert_eq!(culprit, Some(Template::known(name)));
        assert_replays(&subject, &options(), &report, recording);
    }
}

fn is_interrupted(check: &CheckReport) -> bool {
    check.outcome == Outcome::Unknown(Doubt::Interrupted)
}

#[test]
fn an_interrupted_run_is_interrupted_again() {
    let root = tempfile::tempdir().unwrap();
    let subject = sqlite(root.path());
    let options = options();
    let interrupt = Interrupt::default();
    let finished = AtomicUsize::new(0);
    let (report, recording) = recorded(&subject, &options, &interrupt, &|event| {
        if matches!(event, Event::Finished { .. }) && finished.fetch_add(1, Ordering::SeqCst) == 40
        {
            interrupt.stop();
        }
    });
    assert!(report.interrupted);
    assert!(report.checks.iter().any(is_interrupted));
    assert!(!report.checks.iter().all(is_interrupted));
    assert_replays(&subject, &options, &report, recording);
}

#[test]
fn waiting_that_was_interrupted_cleans_up_again() {
    let root = tempfile::tempdir().unwrap();
    let subject = sqlite(root.path());
    // A table that never shows up keeps the functional checks waiting.
    let text = &subject
        .templates
        .get(Template::known("get_tables_query"))
        .unwrap()
        .text;
    let hiding = format!("SELECT * FROM ({text}\n) WHERE table_name <> 'bowline_functional_check'");
    let subject = spelled(&subject, "get_tables_query", &hiding);
    let options = Options {
        sections: vec![SuiteSection::Functional],
        patience: Duration::from_secs(60),
        ..options()
    };
    let database = RecordingDatabase::new(Arc::clone(&subject.database));
    let database = Arc::new(database);
    let live = Subject {
        database: Arc::clone(&database) as Arc<dyn Database>,
        ..subject.clone()
    };
    let interrupt = Interrupt::default();
    let report = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&live, &options, &interrupt, &|_| {}));
        while database.recording().statements.len() < 24 {
            assert!(!running.is_finished(), "nothing was waited for");
        }
        interrupt.stop();
        running.join().unwrap().unwrap()
    });
    assert!(report.interrupted);
    assert_eq!(report.left_behind, Vec::<String>::new());
    assert_replays(&subject, &options, &report, database.recording());
}

#[test]
fn waiting_in_vain_takes_as_many_looks_again() {
    let root = tempfile::tempdir().unwrap();
    let subject = sqlite(root.path());
    let text = &subject
        .templates
        .get(Template::known("get_columns_query"))
        .unwrap()
        .text;
    let hiding = format!("SELECT * FROM ({text}\n) WHERE column_name <> 'Bowline_Added'");
    let subject = spelled(&subject, "get_columns_query", &hiding);
    let (report, recording) = recorded(&subject, &options(), &Interrupt::default(), &|_| {});
    let added = report
        .checks
        .iter()
        .find(|check| check.check.id.as_str() == "functional/added_column_listed");
    assert!(added.is_some_and(|check| check.outcome.is_shortfall()));
    assert_replays(&subject, &options(), &report, recording);
}
