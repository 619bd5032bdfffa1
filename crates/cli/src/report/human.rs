//! The report a person reads: what is at fault first, what to do next last.

mod evidence;
mod statements;
mod summary;

use std::time::Duration;

use bowline_report::warehouse::{Culprit, Reason};
use bowline_report::{Conclusion, NextStep, WarehouseReport};
use bowline_words::counted;

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
        let culprit = report.culprits.first().filter(|_| !report.is_dead());
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
        let step = match report.next_step() {
            None => return,
            Some(NextStep::Mend(step)) => step,
            Some(NextStep::Onward(_)) if next == Next::Nothing => return,
            Some(NextStep::Onward(step)) => {
                self.listing.gap();
                step
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

    /// Whether a pack's spelling is refused that needs what not every server has: then its text is beside the point.
    fn is_switched_off(&self, culprit: &Culprit) -> bool {
        let says_less = self.verbosity < Verbosity::Verbose;
        says_less && culprit.needs.is_some() && self.report.is_refused(culprit)
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
