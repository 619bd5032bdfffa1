//! SQLite, from nothing but a connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Interrupt, Report, Subject};
use bowline_conformance::warehouse::{Options as SuiteOptions, run};
use bowline_contract::Template;
use bowline_driver::{
    Canceller, Connection, Database, Disturbance, DisturbedDatabase, DriverKind, DriverSpec,
    Limits, ResultSet, SqlError, SqlErrorKind, open,
};
use bowline_fit::{Kept, Options, Stopped, fit};
use bowline_template::CompiledTemplate;
use bowline_warehouse::FunctionalTarget;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{ConnectorTemplate, Origin, TemplateSet};

fn subject(templates: TemplateSet) -> Subject {
    let mut sqlite = DriverSpec::new(DriverKind::Sqlite);
    sqlite
        .options
        .insert("path".to_owned(), ":memory:".to_owned());
    Subject {
        templates: Arc::new(templates),
        database: open(&sqlite).unwrap(),
        functional: None,
    }
}

fn proven(report: &Report) -> BTreeSet<&'static str> {
    let templates = report.templates.iter();
    templates
        .filter(|found| found.verdict == Some(Verdict::Supported))
        .map(|found| found.template.short_name())
        .collect()
}

#[test]
fn everything_that_the_pack_proves_is_found() {
    let options = Options::default();
    let bare = subject(TemplateSet::default());
    let fitted = fit(&bare, &options, &Interrupt::default(), &|_| {}).unwrap();
    let ours = proven(fitted.report.as_ref().unwrap());

    let pack = subject(Pack::find("sqlite").unwrap().templates());
    let options = SuiteOptions::default();
    let report = run(&pack, &options, &Interrupt::default(), &|_| {}).unwrap();
    let lost: Vec<_> = proven(&report).difference(&ours).copied().collect();
    assert_eq!(lost, [""; 0]);
}

#[test]
fn a_lost_connection_ends_a_fit_and_calls_nothing_wrong() {
    for disturbance in [Disturbance::LostFromThen, Disturbance::LateFromThen] {
        for after in [20, 60, 200] {
            let right = subject(Pack::find("sqlite").unwrap().templates());
            let database = DisturbedDatabase::new(right.database.clone(), disturbance, after);
            let right = Subject {
                database: Arc::new(database),
                ..right
            };
            let options = Options::default();
            let fitted = fit(&right, &options, &Interrupt::default(), &|_| {}).unwrap();
            assert_eq!(
                fitted.stopped,
                Some(Stopped::Lost),
                "{disturbance:?} {after}"
            );
            let wrong: Vec<_> = fitted
                .kept
                .iter()
                .filter(|(_, kept)| *kept == Kept::WrongAndOwn)
                .collect();
            assert!(wrong.is_empty(), "{disturbance:?} {after}: {wrong:?}");
        }
    }
}

/// SQLite as it would be if it had no WITH, as engines of another age.
struct WithoutWith(Arc<dyn Database>);

struct OlderConnection(Box<dyn Connection>);

impl Database for WithoutWith {
    fn product(&self) -> String {
        self.0.product()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        Ok(Box::new(OlderConnection(self.0.connect()?)))
    }
}

impl Connection for OlderConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        if sql.contains("WITH ") {
            let message = "near \"WITH\": syntax error";
            return Err(SqlError::new(SqlErrorKind::Syntax, message));
        }
        self.0.run(sql, limits)
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.0.canceller()
    }
}

#[test]
fn an_engine_without_with_is_judged_over_derived_tables() {
    let bare = subject(TemplateSet::default());
    let database = Arc::new(WithoutWith(Arc::clone(&bare.database)));
    let bare = Subject { database, ..bare };
    let options = Options::default();
    let fitted = fit(&bare, &options, &Interrupt::default(), &|_| {}).unwrap();
    let found: BTreeSet<&str> = fitted
        .found
        .iter()
        .map(|found| found.template.short_name())
        .collect();
    assert!(!found.contains("build_cte"));
    for name in [
        "add_select_clause",
        "get_avg_function",
        "get_distinct_func",
        "literal_datetime",
        "truncate_to_month",
        "union_queries",
    ] {
        assert!(found.contains(name), "{name}");
    }
    let report = fitted.report.unwrap();
    assert!(proven(&report).contains("get_avg_function"));
}

/// What ignores the schema is made, and what a run then makes under other names is dropped, or told of.
#[test]
fn nothing_stays_untold_where_the_schema_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut sqlite = DriverSpec::new(DriverKind::Sqlite);
    let path = folder.path().join("shop.db").display().to_string();
    sqlite.options.insert("path".to_owned(), path);
    let database = open(&sqlite).unwrap();
    let target = FunctionalTarget {
        database: None,
        schema: "absent".to_owned(),
        table: "bowline_functional_check".to_owned(),
    };
    let spelled = |name, text: &str| ConnectorTemplate {
        template: Template::known(name),
        compiled: CompiledTemplate::compile(name, text).unwrap(),
        text: text.to_owned(),
        origin: Origin::Composed,
    };
    let mut templates = Pack::find("sqlite").unwrap().templates();
    templates.insert(spelled(
        "create_test_table",
        "CREATE TABLE {% if database or schema %}{% endif %}\"made_{{ table }}\" (id INTEGER)",
    ));
    templates.insert(spelled(
        "drop_test_table",
        "DROP TABLE IF EXISTS {% if database or schema %}{% endif %}\"{{ table }}\"",
    ));
    let subject = Subject {
        templates: Arc::new(templates),
        database: Arc::clone(&database),
        functional: Some(target),
    };
    let options = Options {
        templates: vec![
            Template::known("drop_test_table"),
            Template::known("create_test_table"),
        ],
        replace: true,
        ..Options::default()
    };
    let fitted = fit(&subject, &options, &Interrupt::default(), &|_| {}).unwrap();
    let mut connection = database.connect().unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%bowline%'";
    let stays = connection.run(sql, &options.limits).unwrap();
    let told = fitted.left_behind.join("\n");
    assert!(!stays.rows.is_empty());
    for row in &stays.rows {
        let name = row[0].to_string();
        assert!(told.contains(&name), "{name} stays untold: {told}");
    }
}
