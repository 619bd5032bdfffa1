//! A run over recorded answers gives the same report, with no database: for every pack that runs here, where templates
//! are wrong, and where the run was interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bowline_conformance::warehouse::{
    CheckReport, Doubt, Event, Interrupt, Options, Outcome, Report, Subject, run,
};
use bowline_contract::{SuiteSection, Template};
use bowline_driver::{Database, Recording, RecordingDatabase, ReplayingDatabase};

use crate::shop::{duckdb, mariadb, options, postgres, spelled, sqlite};

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
    assert_runs_again(&sqlite().subject);
}

#[test]
fn duckdb_again() {
    duckdb()
        .iter()
        .for_each(|shop| assert_runs_again(&shop.subject));
}

#[test]
fn postgres_again() {
    postgres("again")
        .iter()
        .for_each(|shop| assert_runs_again(&shop.subject));
}

#[test]
fn mariadb_again() {
    mariadb("again")
        .iter()
        .for_each(|shop| assert_runs_again(&shop.subject));
}

#[test]
fn blame_is_laid_again_by_the_same_probes() {
    let shop = sqlite();
    let subject = &shop.subject;
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
        let subject = spelled(subject, name, text);
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
    let shop = sqlite();
    let subject = &shop.subject;
    let options = options();
    let interrupt = Interrupt::default();
    let finished = AtomicUsize::new(0);
    let (report, recording) = recorded(subject, &options, &interrupt, &|event| {
        if matches!(event, Event::Finished { .. }) && finished.fetch_add(1, Ordering::SeqCst) == 40
        {
            interrupt.stop();
        }
    });
    assert!(report.interrupted);
    assert!(report.checks.iter().any(is_interrupted));
    assert!(!report.checks.iter().all(is_interrupted));
    assert_replays(subject, &options, &report, recording);
}

#[test]
fn waiting_that_was_interrupted_cleans_up_again() {
    let shop = sqlite();
    let subject = &shop.subject;
    // A table that never shows up keeps the functional checks waiting.
    let text = &subject
        .templates
        .get(Template::known("get_tables_query"))
        .unwrap()
        .text;
    let hiding = format!("SELECT * FROM ({text}\n) WHERE table_name <> 'bowline_functional_check'");
    let subject = spelled(subject, "get_tables_query", &hiding);
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
    let shop = sqlite();
    let subject = &shop.subject;
    let text = &subject
        .templates
        .get(Template::known("get_columns_query"))
        .unwrap()
        .text;
    let hiding = format!("SELECT * FROM ({text}\n) WHERE column_name <> 'Bowline_Added'");
    let subject = spelled(subject, "get_columns_query", &hiding);
    let (report, recording) = recorded(&subject, &options(), &Interrupt::default(), &|_| {});
    let added = report
        .checks
        .iter()
        .find(|check| check.check.id.as_str() == "functional/added_column_listed");
    assert!(added.is_some_and(|check| check.outcome.is_shortfall()));
    assert_replays(&subject, &options(), &report, recording);
}
