//! SQLite, from nothing but a connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Interrupt, Report, Subject};
use bowline_conformance::warehouse::{Options as SuiteOptions, run};
use bowline_driver::{DriverKind, DriverSpec, open};
use bowline_fit::{Options, fit};
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
