//! The report a person reads: what is at fault first, what to do next last.

mod evidence;
mod summary;

use std::time::Duration;

use bowline_contract::SuiteSection;
use bowline_report::warehouse::{Culprit, DatabaseErrorKind, Reason, TextOrigin};
use bowline_report::{Conclusion, WarehouseReport};
use bowline_words::counted;

use super::counts::{plain_counts, verdict_line};
use crate::listing::Listing;
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
pub(super) fn human(report: &WarehouseReport, next: Next) -> String {
    let mut human = HumanReport {
        report,
        listing: Listing::default(),
    };
    human.headline();
    human.culprits();
    human.stray_shortfalls();
    human.unknown();
    human.not_supported();
    human.sections();
    human.capabilities();
    human.metrics();
    human.left_behind();
    human.next(next);
    human.listing.finish()
}

/// A report on its way to the terminal.
struct HumanReport<'a> {
    report: &'a WarehouseReport,
    listing: Listing,
}

impl HumanReport<'_> {
    fn headline(&mut self) {
        let report = self.report;
        if let Some(culprit) = report.culprits.first() {
            self.accuse(culprit);
            return;
        }
        if let Some(check) = report.shortfalls().next() {
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
        if report.conclusion() != Conclusion::Fine {
            let tally = self.tally();
            self.listing.gap();
            self.listing.line(tally);
        }
        let name = &report.connector;
        let step = if let Some(culprit) = report.culprits.first() {
            let section = report
                .check(&culprit.check)
                .map(|check| format!(" -m {}", check.section))
                .unwrap_or_default();
            let template = &culprit.template;
            let mend = match &culprit.place {
                Some(TextOrigin::File(at)) => format!("mend {template} at {at}"),
                Some(TextOrigin::Pack(_)) if self.is_refused(culprit) => format!(
                    "spell {template} your own way in the connector's templates.toml, or write `{template} = false` \
                     there to do without it"
                ),
                Some(TextOrigin::Pack(_)) | None => {
                    format!("spell {template} your own way in the connector's templates.toml")
                }
            };
            format!("{mend}, then run `bowline test {name}{section}`")
        } else if let Some(step) = self.way_out() {
            step.to_owned()
        } else if report.conclusion() != Conclusion::Fine {
            return;
        } else {
            match next {
                Next::Usual => {
                    self.listing.gap();
                    format!("run `bowline export {name}`")
                }
                Next::Nothing => return,
            }
        };
        self.listing
            .prose(&format!("{} ", paint(HINT, "next:")), "      ", &step);
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

    /// What to do about the first check that the database left open.
    fn way_out(&self) -> Option<&'static str> {
        self.report.checks.iter().find_map(|check| {
            let section = SuiteSection::from_name(&check.section);
            match check.reason.as_ref()? {
                Reason::NothingToSee { .. } if section == Some(SuiteSection::Metadata) => {
                    Some("see that the database has a table; metadata is judged by what is there")
                }
                Reason::Database { error } => match error.kind {
                    DatabaseErrorKind::Permission if section == Some(SuiteSection::Functional) => {
                        Some(
                            "let the connector's database user create a table, or name another schema under \
                             `[functional]` in connector.toml, or take that section out",
                        )
                    }
                    DatabaseErrorKind::Timeout => Some("give statements more time with `--timeout`"),
                    DatabaseErrorKind::Permission => {
                        Some("let the connector's database user do what was not permitted")
                    }
                    DatabaseErrorKind::Connection => {
                        Some("see that the database stays up, and run again")
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
