//! The whole suite over SQLite, which is compiled in, and over a scripted database for faults.

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
fn a_broken_template_is_named_first_whichever_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let templates = sqlite_templates();
    let mut missed = Vec::new();
    for broken in templates.iter().map(|each| each.template) {
        let mut broken_set = templates.clone();
        // Every variable is used, so that the fault is the database's to find.
        let variables: String = broken
            .variables
            .iter()
            .map(|variable| format!("{{{{ {} }}}}", variable.name))
            .collect();
        let placeholders: String = broken
            .placeholders
            .iter()
            .map(|name| format!("{{{name}}}"))
            .collect();
        broken_set.insert(spelled(
            broken,
            &format!("BROKEN ( {variables} {placeholders}"),
        ));
        let report = test(broken_set, Arc::clone(&database), &options());
        match report.culprits.first() {
            Some(culprit) if culprit.template == broken => {}
            other => missed.push((
                broken.short_name(),
                other.map(|culprit| culprit.template.short_name()),
            )),
        }
    }
    assert!(missed.is_empty(), "broken and named instead: {missed:?}");
}

#[test]
fn a_mend_is_offered_when_a_pack_has_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut templates = sqlite_templates();
    let length = Template::find("get_length").expect("a template");
    templates.insert(spelled(length, "LEN({x})"));
    let report = test(templates, sqlite(folder.path()), &options());
    let culprit = report.culprits.first().expect("a culprit");
    assert_eq!(culprit.template, length);
    let mend = culprit.mend.as_ref().expect("a mend");
    assert!(mend.text.to_lowercase().contains("length"), "{mend:?}");
    assert!(culprit.blocks.is_empty(), "{:?}", culprit.blocks);
}

#[test]
fn what_is_missing_blocks_what_needs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = sqlite_templates();
    let missing = Template::find("union_queries").expect("a template");
    let mut templates = TemplateSet::default();
    all.iter()
        .filter(|each| each.template != missing)
        .for_each(|each| templates.insert(each.clone()));
    let report = test(templates, sqlite(folder.path()), &options());
    assert!(!report.has_shortfall());
    assert_eq!(
        *outcome(&report, "ql_prerequisites/union"),
        Outcome::Unsupported(Proof::NotImplemented(vec![missing]))
    );
    assert_eq!(
        *outcome(&report, "ql_metrics/avg"),
        Outcome::Blocked { by: vec![missing] }
    );
    let culprit = report.culprits.first().expect("the report leads with it");
    assert_eq!(culprit.template, missing);
    assert!(culprit.blocks.len() > 20);
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

#[test]
fn an_interrupted_run_leaves_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let interrupt = Interrupt::default();
    let mut templates = sqlite_templates();
    // A table that never shows up keeps the functional checks waiting until they are interrupted.
    let tables = Template::find("get_tables_query").expect("a template");
    let text = templates.get(tables).expect("implemented").text.clone();
    templates.insert(spelled(
        tables,
        &format!("SELECT * FROM ({text}\n) WHERE table_name <> 'bowline_functional_check'"),
    ));
    let subject = Subject {
        templates: Arc::new(templates),
        database: Arc::clone(&database),
        functional: Some(target()),
    };
    let options = Options {
        sections: vec![SuiteSection::Functional],
        patience: Duration::from_secs(60),
        ..options()
    };
    let report = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&subject, &options, &interrupt, &|_| {}));
        let created = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'bowline_functional_check'";
        let mut watcher = database.connect().expect("SQLite connects");
        while watcher
            .run(created, &Limits::default())
            .ok()
            .and_then(|result| result.scalar().cloned())
            != Some(1i64.into())
        {
            assert!(
                !running.is_finished(),
                "the run ended before the table was there"
            );
        }
        interrupt.stop();
        running.join().expect("no panic").expect("a report")
    });
    assert!(report.interrupted);
    assert_eq!(report.left_behind, Vec::<String>::new());
    let mut connection = database.connect().expect("SQLite connects");
    let left = connection
        .run(
            "SELECT name FROM sqlite_master WHERE name LIKE 'bowline%'",
            &Limits::default(),
        )
        .expect("a result");
    assert!(left.rows.is_empty());
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

fn names_like_ours(database: &Arc<dyn Database>) -> usize {
    let mut connection = database.connect().expect("SQLite connects");
    let names = "SELECT name FROM sqlite_master WHERE name LIKE 'bowline%'";
    let names = connection.run(names, &Limits::default());
    names.expect("a result").rows.len()
}

#[test]
fn a_table_that_no_run_made_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    prepare(
        &database,
        &[
            "CREATE TABLE bowline_functional_check (id INTEGER, name TEXT, made_at TEXT)",
            "INSERT INTO bowline_functional_check VALUES (1, 'mine', NULL)",
        ],
    );
    let report = test(sqlite_templates(), Arc::clone(&database), &options());
    let found = outcome(&report, "functional/clean_start");
    assert!(
        matches!(found, Outcome::Unknown(Doubt::NotReached(words)) if words.contains("no run of the suite made it")),
        "{found:?}"
    );
    assert!(!report.has_shortfall());
    let mut connection = database.connect().expect("SQLite connects");
    let rows = connection.run(
        "SELECT name FROM bowline_functional_check",
        &Limits::default(),
    );
    assert_eq!(rows.expect("it is there").scalar(), Some(&"mine".into()));
}

#[test]
fn what_a_killed_run_left_is_removed_and_told() {
    let mark = "CREATE TABLE Bowline_Mark_functional_check (id INTEGER, name TEXT, made_at TEXT)";
    let table =
        "CREATE TABLE bowline_functional_check (id INTEGER, name TEXT, made_at TEXT, more TEXT)";
    let view =
        "CREATE VIEW Bowline_View_functional_check AS SELECT * FROM Bowline_Mark_functional_check";
    // A run may be killed at any moment; the mark is made first and dropped last.
    for left in [&[mark][..], &[mark, table], &[mark, table, view]] {
        let folder = tempfile::tempdir().expect("a folder");
        let database = sqlite(folder.path());
        prepare(&database, left);
        let report = test(sqlite_templates(), Arc::clone(&database), &options());
        assert_eq!(
            *outcome(&report, "functional/clean_start"),
            Outcome::Supported
        );
        let advice = report.checks.iter().flat_map(|check| &check.advice);
        assert!(
            advice
                .into_iter()
                .any(|words| words.contains("an earlier run had left")),
            "{left:?}"
        );
        assert!(!report.has_shortfall(), "{left:?}");
        assert_eq!(names_like_ours(&database), 0, "{left:?}");
    }
}

#[test]
fn broken_objects_are_passed_over_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    prepare(
        &database,
        &[
            "CREATE TABLE gone (z INTEGER)",
            "CREATE VIEW \"Broken View!\" AS SELECT z FROM gone",
            "DROP TABLE gone",
        ],
    );
    // SQLite alters no table beside a broken view.
    let metadata = Options {
        sections: vec![SuiteSection::Metadata],
        ..options()
    };
    let report = test(sqlite_templates(), database, &metadata);
    assert!(!report.has_shortfall());
    assert!(!report.has_unknown());
    let told = report.checks.iter().flat_map(|check| &check.advice);
    assert!(told.into_iter().any(|words| words.contains("Broken View!")));
}

/// What a wrong spelling of a template costs: the templates named first and the capabilities lost.
fn costs(name: &'static str, text: &str) -> (Option<&'static str>, Vec<Capability>) {
    let folder = tempfile::tempdir().expect("a folder");
    let template = Template::find(name).expect("a template");
    let mut templates = sqlite_templates();
    let right = templates.get(template).expect("implemented").text.clone();
    templates.insert(spelled(template, &text.replace("RIGHT", &right)));
    let report = test(templates, sqlite(folder.path()), &options());
    let culprit = report
        .culprits
        .first()
        .map(|culprit| culprit.template.short_name());
    let lost = report
        .capabilities
        .iter()
        .filter(|each| each.verdict == Some(Verdict::Wrong));
    (culprit, lost.map(|each| each.capability).collect())
}

#[test]
fn a_false_size_takes_its_capability_with_it() {
    let columns = "database_name, schema_name, table_name, table_type, row_count";
    let rest = "NULL AS last_update_time, view_query FROM (RIGHT\n) ORDER BY 2, 3";
    for bytes in ["8192", "byte_count / 1024", "row_count"] {
        let (culprit, lost) = costs(
            "get_tables_query",
            &format!("SELECT {columns}, {bytes} AS byte_count, {rest}"),
        );
        assert_eq!(culprit, Some("get_tables_query"), "{bytes}");
        assert!(lost.contains(&Capability::VolumeBytes), "{bytes}: {lost:?}");
    }
}

#[test]
fn a_false_catalogue_names_its_template() {
    for (name, text) in [
        // Bits for bytes.
        (
            "get_tables_query",
            "SELECT database_name, schema_name, table_name, table_type, row_count, byte_count * 8 AS byte_count, \
             NULL AS last_update_time, view_query FROM (RIGHT\n) ORDER BY 2, 3",
        ),
        // A view without its condition.
        (
            "get_tables_query",
            "SELECT database_name, schema_name, table_name, table_type, row_count, byte_count, \
             NULL AS last_update_time, CASE WHEN instr(view_query, ' WHERE ') > 0 THEN \
             substr(view_query, 1, instr(view_query, ' WHERE ')) ELSE view_query END AS view_query \
             FROM (RIGHT\n) ORDER BY 2, 3",
        ),
        // Later pages that lack their first row.
        (
            "get_tables_query",
            "SELECT * FROM (RIGHT\n) LIMIT -1 OFFSET {{ 1 if offset else 0 }}",
        ),
        // Codes for types.
        (
            "get_columns_query",
            "SELECT full_table_id, column_name, substr(column_type, 1, 1) AS column_type FROM (RIGHT\n)",
        ),
    ] {
        let (culprit, lost) = costs(name, text);
        assert_eq!(culprit, Some(name), "{text}");
        assert!(!lost.is_empty(), "{text}");
    }
}

#[test]
fn what_changes_the_test_table_does_what_it_is_asked() {
    for (name, text) in [
        (
            "create_lineage_query",
            "SELECT '{{ schema }}.{{ table }}' AS named",
        ),
        (
            "add_column",
            "ALTER TABLE \"{{ schema }}\".\"{{ table }}\" ADD COLUMN \"{{ column_name }}\" INTEGER {{ '' if column_type }}",
        ),
    ] {
        let (culprit, _) = costs(name, text);
        assert_eq!(culprit, Some(name), "{text}");
    }
}

#[test]
fn a_last_update_at_the_beginning_of_the_epoch_is_none() {
    const ID: &str = "metadata/last_update_time";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let template = Template::known("get_tables_query");
    let right = sqlite_templates();
    let right = right.get(template).expect("implemented");
    for (time, is_told) in [
        ("1970-01-01 00:00:00", false),
        ("1970-01-01 00:00:01", true),
    ] {
        let mut templates = sqlite_templates();
        let text = right.text.replace(
            "NULL AS last_update_time",
            &format!("'{time}' AS last_update_time"),
        );
        templates.insert(spelled(template, &text));
        let report = test(templates, Arc::clone(&database), &options());
        let is_supported = *outcome(&report, ID) == Outcome::Supported;
        assert_eq!(is_supported, is_told, "{time}: {:?}", outcome(&report, ID));
        // What moves when the table changes is asked of a time only.
        assert_eq!(report.has_shortfall(), is_told, "{time}");
    }
}

/// SQLite as engines are that refuse a result which has a name twice.
struct WithoutRepeatedNames(Arc<dyn Database>);

struct RefusesRepeatedNames(Box<dyn Connection>);

impl Database for WithoutRepeatedNames {
    fn product(&self) -> String {
        self.0.product()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let connection = self.0.connect()?;
        Ok(Box::new(RefusesRepeatedNames(connection)))
    }
}

impl Connection for RefusesRepeatedNames {
    fn canceller(&self) -> Arc<dyn Canceller> {
        self.0.canceller()
    }

    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let result = self.0.run(sql, limits)?;
        let mut names = result.columns.iter().map(|column| &column.name);
        let mut seen = BTreeSet::new();
        if names.all(|name| seen.insert(name.clone())) {
            Ok(result)
        } else {
            let kind = SqlErrorKind::Other;
            Err(SqlError::new(kind, "a column's name stands twice"))
        }
    }
}

#[test]
fn a_column_that_is_selected_twice_is_no_ones_fault_where_the_engine_refuses_it() {
    const ID: &str = "ql_prerequisites/select_repeated";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let options = Options {
        sections: vec![SuiteSection::QlPrerequisites],
        ..options()
    };
    let refuses = Arc::new(WithoutRepeatedNames(Arc::clone(&database)));
    let report = test(sqlite_templates(), refuses, &options);
    assert_eq!(*outcome(&report, ID), Outcome::Supported);

    let judged = Template::known("add_select_clause");
    let mut templates = sqlite_templates();
    let right = templates.get(judged).expect("implemented").text.clone();
    let text = right.replace("select_expressions", "(select_expressions | unique | list)");
    assert_ne!(text, right);
    templates.insert(spelled(judged, &text));
    let report = test(templates, database, &options);
    assert!(outcome(&report, ID).is_shortfall());
}

#[test]
fn what_the_user_may_not_do_is_unknown_and_not_exported() {
    let refused = FakeDatabase::new().answers_with(|_| {
        Some(FakeReply::Error(SqlError::new(
            SqlErrorKind::Permission,
            "permission denied",
        )))
    });
    let report = test(sqlite_templates(), Arc::new(refused), &options());
    assert!(!report.has_shortfall());
    assert!(report.has_unknown());
    assert!(report.culprits.is_empty());
    assert!(
        report
            .capabilities
            .iter()
            .all(|each| each.verdict != Some(Verdict::Supported))
    );
    let exported = report.templates.iter().filter(|each| {
        each.verdict == Some(Verdict::Supported) && each.template.kind != TemplateKind::Flag
    });
    // Templates that are judged by their text alone need no database.
    assert!(exported.map(|each| each.template.short_name()).all(|name| {
        matches!(
            name,
            "get_table_identifier" | "literal_regex" | "convert_to_utc" | "to_timezone"
        )
    }));
}

#[test]
fn a_database_that_dies_leaves_the_rest_unknown() {
    let dying = Arc::new(FakeDatabase::new().answers_with(|_| Some(FakeReply::Die)));
    let report = test(sqlite_templates(), dying.clone(), &options());
    // Not a login for each of hundreds of statements.
    assert!(dying.connections() <= 100, "{}", dying.connections());
    assert!(!report.has_shortfall());
    assert!(matches!(
        outcome(&report, "connection/query"),
        Outcome::Unknown(Doubt::Answer(error)) if error.kind == SqlErrorKind::Connection
    ));
}

#[test]
fn a_database_that_refuses_everyone_is_an_error() {
    let closed = FakeDatabase::new()
        .refuses_connections(SqlError::new(SqlErrorKind::Connection, "nobody home"));
    let subject = Subject {
        templates: Arc::new(sqlite_templates()),
        database: Arc::new(closed),
        functional: None,
    };
    let error =
        run(&subject, &options(), &Interrupt::default(), &|_| {}).expect_err("nothing to report");
    assert_eq!(error.message, "nobody home");
}

#[test]
fn what_a_dialect_lacks_is_no_ones_fault_and_what_one_template_drops_is_its_own() {
    const ID: &str = "ql_prerequisites/cast_string_to_timestamp_early";
    // Neither knows a moment before 1970.
    const CAST: &str = "MAX(DATETIME({{ expression }}), '1970-01-01 00:00:00')";
    const LITERAL: &str = "'{{ date_time_value.replace(year=1970) if date_time_value.year < 1970 else date_time_value }}'";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let options = Options {
        sections: vec![SuiteSection::QlPrerequisites],
        ..options()
    };
    let judged = Template::known("cast_string_to_timestamp");
    let mut templates = sqlite_templates();
    templates.insert(spelled(judged, CAST));
    let report = test(templates.clone(), Arc::clone(&database), &options);
    assert!(outcome(&report, ID).is_shortfall());
    assert_eq!(report.culprits[0].template, judged);

    let other = Template::known("literal_datetime");
    templates.insert(spelled(other, LITERAL));
    let report = test(templates, database, &options);
    assert_eq!(*outcome(&report, ID), Outcome::Supported);
}

#[test]
fn words_that_the_engine_does_not_know_are_excused_by_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        sections: vec![SuiteSection::QlPrerequisites],
        ..options()
    };
    let mut templates = sqlite_templates();
    let wrong = ["to_timezone", "convert_to_utc"].map(Template::known);
    for template in wrong {
        let text = "NO_SUCH_FUNCTION({{ field }}, '{{ timezone }}')";
        templates.insert(spelled(template, text));
    }
    let report = test(templates, sqlite(folder.path()), &options);
    for template in wrong {
        let found = report
            .templates
            .iter()
            .find(|found| found.template == template);
        let verdict = found.and_then(|found| found.verdict);
        assert_eq!(verdict, Some(Verdict::Unsupported), "{}", template.name);
        assert!(
            report
                .culprits
                .iter()
                .any(|culprit| culprit.template == template)
        );
    }
}

#[test]
fn a_median_of_single_precision_is_blamed_where_another_template_is_exact() {
    const ID: &str = "ql_metrics/percentile_large";
    // Rounds as single precision does beyond 2^24, or gives the number itself where all are alike.
    const ROUNDED: &str = "ROUND(MAX({{ expression }}) / 2.0) * 2 + 0 * {{ percentile }}";
    const EXACT: &str = "MAX({{ expression }})";
    let [judged, other] = ["get_approx_percentile_func", "get_approx_quantiles_func"]
        .map(|name| Template::find(name).expect("a template"));
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let options = Options {
        sections: vec![SuiteSection::QlMetrics],
        ..options()
    };
    let mut templates = TemplateSet::default();
    sqlite_templates()
        .iter()
        .filter(|each| each.template != other)
        .for_each(|each| templates.insert(each.clone()));
    templates.insert(spelled(judged, ROUNDED));
    let report = test(templates.clone(), Arc::clone(&database), &options);
    assert_eq!(*outcome(&report, ID), Outcome::Supported, "nothing beside");
    templates.insert(spelled(other, EXACT));
    let report = test(templates, database, &options);
    assert!(outcome(&report, ID).is_shortfall());
}
