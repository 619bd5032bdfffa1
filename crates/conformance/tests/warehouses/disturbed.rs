//! Statements that come to nothing at any moment of a run: no verdict but that of an undisturbed run, or unknown.
//!
//! A few moments of each engine; `BOWLINE_SEVERED` says how many.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Interrupt, Options, Outcome, Report, Subject, run};
use bowline_contract::SuiteSection;
use bowline_driver::{Disturbance, DisturbedDatabase, Limits};
use bowline_servers::Moments;

use crate::shop::{duckdb, mariadb, options, postgres, spelled, sqlite};

/// How many moments of each engine and disturbance are tried where nobody says.
const MOMENTS: usize = 3;

/// Runs the suite while something befalls it; gives the report, and how many statements were asked.
fn disturbed(
    subject: &Subject,
    options: &Options,
    disturbance: Disturbance,
    after: usize,
) -> (Report, usize) {
    let database = Arc::clone(&subject.database);
    let database = Arc::new(DisturbedDatabase::new(database, disturbance, after));
    let subject = Subject {
        database: Arc::clone(&database) as _,
        ..subject.clone()
    };
    let report = run(&subject, options, &Interrupt::default(), &|_| {}).unwrap();
    database.settle();
    (report, database.asked())
}

/// What each check came to.
fn verdicts(report: &Report) -> BTreeMap<String, (Verdict, &Outcome)> {
    let checks = report.checks.iter().map(|check| {
        let verdict = check.outcome.verdict();
        (check.check.id.to_string(), (verdict, &check.outcome))
    });
    checks.collect()
}

fn assert_honest(subject: &Subject) {
    let (undisturbed, asked) = disturbed(subject, &options(), Disturbance::LateOnce, usize::MAX);
    let expected = verdicts(&undisturbed);
    let many = std::env::var("BOWLINE_SEVERED").ok();
    let moments = many.and_then(|many| many.parse().ok()).unwrap_or(MOMENTS);
    let mut random = Moments::of(0x5eed);
    let mut blamed = Vec::new();
    for disturbance in Disturbance::ALL {
        for _ in 0..moments {
            let after = random.below(asked);
            let (report, _) = disturbed(subject, &options(), disturbance, after);
            let moment = format!("{disturbance:?} after {after} of {asked}");
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

/// What a server does once its client is gone is removed, or told.
#[test]
fn nothing_stays_that_nobody_is_told_of() {
    let functional = Options {
        sections: vec![SuiteSection::Functional],
        ..options()
    };
    let shop = sqlite();
    let (_, asked) = disturbed(
        &shop.subject,
        &functional,
        Disturbance::DoneLate,
        usize::MAX,
    );
    let mut untold = Vec::new();
    for after in 0..asked {
        let shop = sqlite();
        let (report, _) = disturbed(&shop.subject, &functional, Disturbance::DoneLate, after);
        let left = shop.left();
        if !left.is_empty() && report.left_behind.is_empty() {
            untold.push(format!("after {after} of {asked}: {left:?}"));
        }
    }
    assert!(untold.is_empty(), "{}", untold.join("\n"));
}

/// What a server did long after its client was gone makes way for the next run's.
#[test]
fn a_view_of_an_earlier_run_goes() {
    let shop = sqlite();
    let view = "CREATE VIEW \"Bowline_View_functional_check\" AS SELECT * FROM \"Bowline_Mark_functional_check\"";
    let mut connection = shop.subject.database.connect().unwrap();
    connection.run(view, &Limits::default()).unwrap();
    let (report, _) = disturbed(&shop.subject, &options(), Disturbance::DoneLate, usize::MAX);
    assert_eq!(shop.left(), [""; 0]);
    assert_eq!(report.left_behind, [""; 0]);
    let found = verdicts(&report);
    assert_eq!(found["functional/view_defined"].0, Verdict::Supported);
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
