//! Databases that refuse, and that go away.

use super::*;

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
