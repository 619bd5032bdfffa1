//! What the suite announces is what it asks next: else announcing it costs statements, and spares no round trip.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::*;

/// SQLite as if it took eight statements in one round trip.
struct InRoundTrips {
    database: Arc<dyn Database>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Statements that were sent with one before them, and then asked.
    spared: usize,
    /// Those that were sent, and not asked.
    unasked: Vec<String>,
}

struct Sending {
    connection: Box<dyn Connection>,
    announced: VecDeque<String>,
    ahead: VecDeque<String>,
    seen: Arc<Mutex<Seen>>,
}

impl Database for InRoundTrips {
    fn product(&self) -> String {
        self.database.product()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        Ok(Box::new(Sending {
            connection: self.database.connect()?,
            announced: VecDeque::new(),
            ahead: VecDeque::new(),
            seen: Arc::clone(&self.seen),
        }))
    }
}

impl Connection for Sending {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ahead.front().is_some_and(|next| next == sql) {
            self.ahead.pop_front();
            seen.spared += 1;
        } else {
            seen.unasked.extend(self.ahead.drain(..));
            if self.announced.pop_front().is_some_and(|first| first == sql) {
                self.ahead = std::mem::take(&mut self.announced);
            }
            self.announced.clear();
        }
        drop(seen);
        self.connection.run(sql, limits)
    }

    fn at_once(&self) -> usize {
        8
    }

    fn announce(&mut self, statements: &[String]) {
        self.announced = statements.iter().cloned().collect();
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.connection.canceller()
    }
}

/// What a run over the templates came to, and what was sent meanwhile.
fn tested(templates: TemplateSet) -> (Report, Arc<Mutex<Seen>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let seen = Arc::default();
    let database = InRoundTrips {
        database: sqlite(folder.path()),
        seen: Arc::clone(&seen),
    };
    let options = Options {
        sections: vec![SuiteSection::Metadata, SuiteSection::Functional],
        ..options()
    };
    (test(templates, Arc::new(database), &options), seen)
}

#[test]
fn what_goes_otherwise_than_announced_leaves_nothing_behind() {
    for name in [
        "create_lineage_query",
        "drop_test_table",
        "insert_rows",
        "build_cte",
        "get_tables_query",
    ] {
        let mut templates = sqlite_templates();
        let template = Template::find(name).expect("a template");
        templates.insert(spelled(template, "SELECT 1 FROM bowline_nowhere"));
        let (report, _) = tested(templates);
        // The long statement is written another way then.
        assert!(report.has_shortfall() || name == "build_cte", "{name}");
        let others = report.left_behind.iter();
        // Without a statement that drops tables, these stay, and are told.
        let others = others.filter(|sql| !sql.starts_with("-- drop what this made"));
        let others = others.filter(|sql| *sql != "SELECT 1 FROM bowline_nowhere");
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
}

#[test]
fn what_is_announced_is_asked() {
    let (report, seen) = tested(sqlite_templates());
    assert!(!report.has_shortfall());
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(seen.unasked, Vec::<String>::new());
    assert!(seen.spared >= 20, "{}", seen.spared);
}
