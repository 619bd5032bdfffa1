//! SQLite, from nothing but a connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Interrupt, Report, Subject};
use bowline_conformance::warehouse::{Options as SuiteOptions, run};
use bowline_driver::{Disturbance, DisturbedDatabase, DriverKind, DriverSpec, open};
use bowline_fit::{Kept, Options, Stopped, fit};
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::TemplateSet;

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
