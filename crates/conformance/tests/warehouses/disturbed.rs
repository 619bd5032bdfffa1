//! Statements that come to nothing at any moment of a run: no verdict but that of an undisturbed run, or unknown.
//!
//! A few moments of each engine; `BOWLINE_SEVERED` says how many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Interrupt, Outcome, Report, Subject, run};
use bowline_driver::{
    Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError, SqlErrorKind,
};

use crate::shop::{duckdb, mariadb, options, postgres, spelled, sqlite};

/// How many moments of each engine and fault are tried where nobody says.
const MOMENTS: usize = 3;

/// What befalls a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// One statement has no answer in time.
    LateOnce,
    /// No statement from then on has an answer in time, and nobody takes a connection.
    LateFromThen,
    /// One statement loses its connection.
    LostOnce,
    /// All lose their connections from then on, and nobody takes one.
    LostFromThen,
    /// The server stops one statement, on another's behalf.
    StoppedOnce,
}

impl Fault {
    const ALL: [Self; 5] = [
        Self::LateOnce,
        Self::LateFromThen,
        Self::LostOnce,
        Self::LostFromThen,
        Self::StoppedOnce,
    ];

    fn error(self) -> SqlError {
        let kind = match self {
            Self::LateOnce | Self::LateFromThen => SqlErrorKind::Timeout,
            Self::LostOnce | Self::LostFromThen => SqlErrorKind::Connection,
            Self::StoppedOnce => SqlErrorKind::Cancelled,
        };
        SqlError::new(kind, "disturbed")
    }

    fn lasts(self) -> bool {
        matches!(self, Self::LateFromThen | Self::LostFromThen)
    }
}

/// A database whose statements come to nothing from a moment on.
struct Disturbed {
    database: Arc<dyn Database>,
    fault: Fault,
    after: usize,
    asked: Arc<AtomicUsize>,
}

impl Database for Disturbed {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        if self.fault.lasts() && self.asked.load(Ordering::SeqCst) > self.after {
            return Err(self.fault.error());
        }
        Ok(Box::new(DisturbedConnection {
            connection: self.database.connect()?,
            fault: self.fault,
            after: self.after,
            asked: Arc::clone(&self.asked),
        }))
    }
}

struct DisturbedConnection {
    connection: Box<dyn Connection>,
    fault: Fault,
    after: usize,
    asked: Arc<AtomicUsize>,
}

impl Connection for DisturbedConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        if before == self.after || (before > self.after && self.fault.lasts()) {
            return Err(self.fault.error());
        }
        self.connection.run(sql, limits)
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.connection.canceller()
    }
}

/// Runs the suite while something befalls it; gives the report, and how many statements were asked.
fn disturbed(subject: &Subject, fault: Fault, after: usize) -> (Report, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let database = Disturbed {
        database: Arc::clone(&subject.database),
        fault,
        after,
        asked: Arc::clone(&asked),
    };
    let subject = Subject {
        database: Arc::new(database),
        ..subject.clone()
    };
    let report = run(&subject, &options(), &Interrupt::default(), &|_| {}).unwrap();
    (report, asked.load(Ordering::SeqCst))
}

/// What each check came to.
fn verdicts(report: &Report) -> BTreeMap<String, (Verdict, &Outcome)> {
    let checks = report.checks.iter().map(|check| {
        let verdict = check.outcome.verdict();
        (check.check.id.to_string(), (verdict, &check.outcome))
    });
    checks.collect()
}

/// Numbers that follow from a seed, each below another.
struct Moments(u64);

impl Moments {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most.max(1)
    }
}

fn assert_honest(subject: &Subject) {
    let (undisturbed, asked) = disturbed(subject, Fault::LateOnce, usize::MAX);
    let expected = verdicts(&undisturbed);
    let many = std::env::var("BOWLINE_SEVERED").ok();
    let moments = many.and_then(|many| many.parse().ok()).unwrap_or(MOMENTS);
    let mut random = Moments(0x5eed);
    let mut blamed = Vec::new();
    for fault in Fault::ALL {
        for _ in 0..moments {
            let after = random.below(asked);
            let (report, _) = disturbed(subject, fault, after);
            let moment = format!("{fault:?} after {after} of {asked}");
            for (check, (verdict, outcome)) in verdicts(&report) {
                let expected = expected.get(&check).map(|(verdict, _)| *verdict);
                let is_honest = verdict == Verdict::Unknown
                    || expected == Some(verdict)
                    || expected == Some(Verdict::Unknown)
                    // What is only asked where an earlier check succeeds is not in every report.
                    || (expected.is_none() && verdict == Verdict::Unsupported);
                if !is_honest {
                    blamed.push(format!(
                        "{moment}: `{check}` is {outcome:?}, else {expected:?}"
                    ));
                }
            }
            for culprit in &report.culprits {
                let name = culprit.template.name;
                if !undisturbed
                    .culprits
                    .iter()
                    .any(|known| known.template.name == name)
                {
                    blamed.push(format!("{moment}: `{name}` is blamed"));
                }
            }
        }
    }
    assert!(
        blamed.is_empty(),
        "{} times:\n{}",
        blamed.len(),
        blamed.join("\n")
    );
}

#[test]
fn sqlite_disturbed() {
    assert_honest(&sqlite().subject);
}

#[test]
fn nobody_else_is_blamed() {
    let shop = sqlite();
    for (name, text) in [
        ("get_length", "LEN({x})"),
        ("get_avg_function", "(AVG({x}) + 1)"),
        (
            "union_queries",
            "{{ queries | join(' UNION ') }}{{ distinct | string | replace('False', '') }}",
        ),
    ] {
        assert_honest(&spelled(&shop.subject, name, text));
    }
}

#[test]
fn duckdb_disturbed() {
    duckdb()
        .iter()
        .for_each(|shop| assert_honest(&shop.subject));
}

#[test]
fn postgres_disturbed() {
    postgres("disturbed")
        .iter()
        .for_each(|shop| assert_honest(&shop.subject));
}

#[test]
fn mariadb_disturbed() {
    mariadb("disturbed")
        .iter()
        .for_each(|shop| assert_honest(&shop.subject));
}
