//! The report a person reads: what is at fault first, what to do next last.

mod evidence;
mod statements;
mod summary;

use std::time::Duration;

use bowline_contract::SuiteSection;
use bowline_report::warehouse::{Culprit, DatabaseErrorKind, Reason, TextOrigin};
use bowline_report::{Conclusion, WarehouseReport};
use bowline_words::counted;
use bowline_workbench::UNREADABLE_LOG;

use super::counts::{plain_counts, verdict_line};
use crate::listing::Listing;
use crate::output::Verbosity;
use crate::style::{BAD, HINT, OPEN, STRONG, paint};

/// What the reader does next when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The suite was run to see where the connector stands: what comes after that.
    Usual,
    /// The connector is being exported already.
    Nothing,
}

/// Writes the report.
pub(super) fn human(report: &WarehouseReport, next: Next, verbosity: Verbosity) -> String {
    let mut human = HumanReport {
        report,
        verbosity,
        shown: Vec::new(),
        listing: Listing::default(),
    };
    human.headline();
    human.culprits();
    human.stray_shortfalls();
    human.unknown();
    human.not_supported();
    human.advice();
    human.sections();
    human.capabilities();
    human.catalogue();
    human.metrics();
    human.statements();
    human.left_behind();
    human.next(next);
    human.listing.finish()
}

/// A report on its way to the terminal.
struct HumanReport<'a> {
    report: &'a WarehouseReport,
    verbosity: Verbosity,
    /// The checks whose statements stand here already.
    shown: Vec<&'a str>,
    listing: Listing,
}

impl HumanReport<'_> {
    fn headline(&mut self) {
        let report = self.report;
        let first = report.shortfalls().next();
        let culprit = report.culprits.first().filter(|_| !self.is_dead());
        if let Some(culprit) = culprit {
            self.accuse(culprit);
            return;
        }
        if let Some(check) = first {
            self.listing.line(format!(
                "{} {} fell short",
                paint(BAD, "✗"),
                paint(STRONG, &check.id)
            ));
            return;
        }
        let open = report.summary.unknown;
        let line = verdict_line(&report.connector, report.interrupted, open, || self.tally());
        self.listing.line(line);
    }

    /// Whether not even the simplest query is answered, so that no template is to blame for anything.
    fn is_dead(&self) -> bool {
        let first = self.report.shortfalls().next();
        first.is_some_and(|check| check.id == "connection/query")
    }

    /// The line that names a template at fault.
    fn accuse(&mut self, culprit: &Culprit) {
        let in_the_way = match culprit.blocks.len() {
            0 => String::new(),
            count => format!(", and blocks {}", counted(count, "check")),
        };
        // A template that is only missing is a choice, also where others wait for it.
        let mark = if culprit.checks.is_empty() {
            paint(OPEN, "-")
        } else {
            paint(BAD, "✗")
        };
        self.listing.line(format!(
            "{} {} {}{in_the_way}",
            mark,
            paint(STRONG, &culprit.template),
            self.accusation(culprit),
        ));
    }

    fn next(&mut self, next: Next) {
        let report = self.report;
        // The headline has told it where there is nothing else to tell.
        if report.conclusion() != Conclusion::Fine || !report.culprits.is_empty() {
            let tally = self.tally();
            self.listing.gap();
            self.listing.line(tally);
        }
        let name = &report.connector;
        let culprit = report.culprits.first().filter(|_| !self.is_dead());
        let step = if let Some(culprit) = culprit {
            let section = report
                .check(&culprit.check)
                .map(|check| format!(" -m {}", check.section))
                .unwrap_or_default();
            let template = &culprit.template;
            let mend = match &culprit.place {
                Some(TextOrigin::File(at)) => format!("mend {template} at {at}"),
                Some(TextOrigin::Pack(_)) if culprit.needs.is_some() => format!(
                    "see to what {template} needs, or write `{template} = false` in {} to do without it",
                    culprit.home
                ),
                Some(TextOrigin::Pack(_)) if self.is_refused(culprit) => format!(
                    "spell {template} your own way in {}, or write `{template} = false` there to do without it",
                    culprit.home
                ),
                Some(TextOrigin::Pack(_)) => {
                    format!("spell {template} your own way in {}", culprit.home)
                }
                None => format!(
                    "spell {template} your own way in {}, or let `bowline fit {name}` look for what is missing",
                    culprit.home
                ),
            };
            format!("{mend}, then run `bowline test {name}{section}`")
        } else if let Some(step) = self.way_out() {
            step
        } else if report.conclusion() != Conclusion::Fine {
            return;
        } else {
            match next {
                Next::Usual => {
                    self.listing.gap();
                    match self.next_section() {
                        Some(section) => format!("run `bowline test {name} -m {section}`"),
                        None if report.sections.len() < SuiteSection::ALL.len() => {
                            format!("run `bowline test {name}`, which asks all at once")
                        }
                        None => format!("run `bowline export {name}`"),
                    }
                }
                Next::Nothing => return,
            }
        };
        self.listing
            .prose(&format!("{} ", paint(HINT, "next:")), "      ", &step);
    }

    /// The section to ask after those of this run: the next one in the suite's order.
    fn next_section(&self) -> Option<SuiteSection> {
        let asked = |section: &SuiteSection| {
            let mut sections = self.report.sections.iter();
            sections.any(|asked| asked == section.name())
        };
        let last = SuiteSection::ALL.iter().rposition(&asked)?;
        SuiteSection::ALL.get(last + 1).copied()
    }

    /// What is the matter with a culprit: the end of a sentence that begins with the template's name.
    fn accusation(&self, culprit: &Culprit) -> &'static str {
        let Some(check) = self.report.check(&culprit.check) else {
            return "is wrong";
        };
        match &check.reason {
            Some(Reason::Render { template, .. }) if *template == culprit.template => {
                "cannot be rendered"
            }
            Some(Reason::Refused { .. }) => "is refused by the database",
            Some(Reason::NotImplemented { .. }) => "is not implemented",
            _ if check.is_open() => "could not be judged",
            _ => "is wrong",
        }
    }

    /// Whether the database refused the check that shows best what a culprit is about.
    fn is_refused(&self, culprit: &Culprit) -> bool {
        let check = self.report.check(&culprit.check);
        matches!(
            check.and_then(|check| check.reason.as_ref()),
            Some(Reason::Refused { .. })
        )
    }

    /// Whether a pack's spelling is refused that needs what not every server has: then its text is beside the point.
    fn is_switched_off(&self, culprit: &Culprit) -> bool {
        let is_packs = matches!(culprit.place, Some(TextOrigin::Pack(_)));
        let says_less = self.verbosity < Verbosity::Verbose;
        says_less && is_packs && culprit.needs.is_some() && self.is_refused(culprit)
    }

    /// What to do about the first check that the database left open.
    fn way_out(&self) -> Option<String> {
        let report = self.report;
        let is_code = report.home.ends_with(".py");
        if let Some(check) = report.shortfalls().next() {
            let mend = match check.id.as_str() {
                "connection/query" => "mend how the database is asked".to_owned(),
                id if id.starts_with("connection/") && is_code => format!(
                    "let `create_cursor` in {} give the class `Cursor` that `bowline new NAME --lang python` writes: \
                     its rows and descriptions are JSON",
                    report.home
                ),
                _ => return None,
            };
            let name = &report.connector;
            return Some(format!(
                "{mend}, then run `bowline test {name} -m connection`"
            ));
        }
        report.checks.iter().find_map(|check| {
            let section = SuiteSection::from_name(&check.section);
            match check.reason.as_ref()? {
                Reason::NothingToSee { .. } if section == Some(SuiteSection::Metadata) => {
                    Some("see that the database has a table; metadata is judged by what is there".to_owned())
                }
                Reason::Database { error } => match error.kind {
                    DatabaseErrorKind::Permission if section == Some(SuiteSection::Functional) => {
                        let otherwise = if is_code {
                            format!(
                                "give another schema in `get_test_table_identifier` in {}, or let it give None",
                                report.home
                            )
                        } else {
                            "name another schema under `[functional]` in connector.toml, or take that section out"
                                .to_owned()
                        };
                        Some(format!(
                            "let the connector's database user create a table, or {otherwise}"
                        ))
                    }
                    DatabaseErrorKind::Timeout => {
                        Some("give statements more time with `bowline test --timeout`".to_owned())
                    }
                    // Left open for one reason alone.
                    DatabaseErrorKind::Data | DatabaseErrorKind::MissingObject => {
                        Some(UNREADABLE_LOG.to_owned())
                    }
                    DatabaseErrorKind::Permission => {
                        Some("let the connector's database user do what was not permitted".to_owned())
                    }
                    DatabaseErrorKind::Connection => {
                        Some("see that the database stays up, and run again".to_owned())
                    }
                    DatabaseErrorKind::Driver if is_code => {
                        Some(format!("mend {} where the lines above name it", report.home))
                    }
                    _ => None,
                },
                _ => None,
            }
        })
    }

    /// All counts in one line, with what was asked and how long it took.
    fn tally(&self) -> String {
        let report = self.report;
        let product = if report.product.is_empty() {
            String::new()
        } else {
            format!(" on {}", report.product)
        };
        format!(
            "{} of {}{product}, {} tier, {:.2} s",
            plain_counts(&report.summary),
            counted(report.checks.len(), "check"),
            report.tier.name(),
            Duration::from(report.elapsed_ms).as_secs_f64()
        )
    }
}
