//! The test table: stopped runs leave none, what is not ours is left alone, and it may be listed in another case.

use super::*;

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
            "SELECT name FROM sqlite_master WHERE name LIKE '%bowline%'",
            &Limits::default(),
        )
        .expect("a result");
    assert!(left.rows.is_empty());
}

fn names_like_ours(database: &Arc<dyn Database>) -> usize {
    let mut connection = database.connect().expect("SQLite connects");
    let names = "SELECT name FROM sqlite_master WHERE name LIKE '%bowline%'";
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
    let other_view = "CREATE VIEW \"Bowline_V ª_functional_check\" AS SELECT * FROM Bowline_Mark_functional_check";
    // A run may be killed at any moment; the mark is made first and dropped last.
    for left in [
        &[mark][..],
        &[mark, table],
        &[mark, table, view],
        &[mark, table, view, other_view],
        &[
            mark,
            table,
            "CREATE TABLE pgBowline_Key_functional_check (id INTEGER)",
        ],
    ] {
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

/// SQLite as if it folded names in quotes to small letters, and had the standard's own catalogue.
struct Folding(Arc<dyn Database>);

struct Folded(Box<dyn Connection>);

impl Database for Folding {
    fn product(&self) -> String {
        self.0.product()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        Ok(Box::new(Folded(self.0.connect()?)))
    }
}

impl Connection for Folded {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let mut within = None;
        let folded: String = sql
            .chars()
            .map(|sign| {
                match within {
                    None if matches!(sign, '"' | '\'') => within = Some(sign),
                    Some(quote) if quote == sign => within = None,
                    _ => {}
                }
                match within {
                    Some('"') => sign.to_ascii_lowercase(),
                    _ => sign,
                }
            })
            .collect();
        let catalogue = "(SELECT name AS table_name FROM sqlite_master)";
        let sql = folded.replace("information_schema.tables", catalogue);
        self.0.run(&sql, limits)
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.0.canceller()
    }
}

#[test]
fn names_are_looked_for_as_the_catalogue_has_them() {
    let options = Options {
        sections: vec![SuiteSection::Metadata, SuiteSection::Functional],
        ..options()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let database: Arc<dyn Database> = Arc::new(Folding(sqlite(folder.path())));
    let subject = Subject {
        templates: Arc::new(sqlite_templates()),
        database: Arc::clone(&database),
        functional: Some(FunctionalTarget {
            table: "Bowline_Folded".to_owned(),
            ..target()
        }),
    };
    let report = run(&subject, &options, &Interrupt::default(), &|_| {}).expect("a report");
    let short = report.checks.iter();
    let short = short.filter(|check| check.outcome.is_shortfall());
    let short: Vec<_> = short
        .map(|check| (&check.check.id, &check.outcome))
        .collect();
    assert!(short.is_empty(), "{short:?}");
    assert_eq!(
        *outcome(&report, "functional/added_column_listed"),
        Outcome::Supported
    );
    assert_eq!(names_like_ours(&database), 0);
}
