//! The report a person reads: what is wrong first, what to do next last.

use std::collections::BTreeMap;

use bowline_conformance::pipeline::{Answer, CheckReport, Fault, Outcome, Report};
use bowline_conformance::{Conclusion, Verdict};
use bowline_words::counted;

use super::reason;
use crate::listing::Listing;
use crate::output::visible;
use crate::report::human::{NAMED, plain_counts, some, verdict_counts, verdict_line};
use crate::style::{BAD, GOOD, HINT, OPEN, QUIET, STRONG, paint};

/// Writes the report about the connector of this name.
pub(crate) fn human(report: &Report, name: &str) -> String {
    let mut page = Page {
        report,
        name,
        listing: Listing::default(),
    };
    page.headline();
    page.faults();
    page.grouped(Verdict::Blocked, "Blocked");
    page.grouped(Verdict::Unknown, "Could not be found out");
    page.warnings();
    page.sections();
    page.features();
    page.next();
    page.listing.finish()
}

struct Page<'a> {
    report: &'a Report,
    name: &'a str,
    listing: Listing,
}

impl Page<'_> {
    fn headline(&mut self) {
        let report = self.report;
        if report.has_shortfall() {
            return;
        }
        let line = verdict_line(self.name, report.interrupted, report.open(), || {
            self.tally()
        });
        self.listing.line(line);
    }

    fn faults(&mut self) {
        for found in &self.report.checks {
            if let Outcome::Wrong(fault) = &found.outcome {
                self.listing.gap();
                self.fault(found, fault);
            }
        }
    }

    fn fault(&mut self, found: &CheckReport, fault: &Fault) {
        self.listing.line(format!(
            "{} {} is wrong",
            paint(BAD, "✗"),
            paint(STRONG, found.check.id)
        ));
        self.listing.field("check", found.check.title);
        self.listing.block("expected", &fault.expected, GOOD);
        self.listing.block("got", &fault.got, BAD);
        for (position, line) in fault.evidence.iter().enumerate() {
            let label = if position == 0 { "such as" } else { "" };
            self.listing.field(label, line);
        }
        if let Some(hint) = &fault.hint {
            let first = format!("  {} ", paint(HINT, "hint:"));
            self.listing.prose(&first, "        ", hint);
        }
    }

    /// The checks with a verdict, by reason.
    fn grouped(&mut self, verdict: Verdict, heading: &str) {
        let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for found in &self.report.checks {
            if found.outcome.verdict() == verdict {
                let reason = reason(&found.outcome).unwrap_or_default();
                reasons.entry(reason).or_default().push(found.check.id);
            }
        }
        if reasons.is_empty() {
            return;
        }
        self.listing.heading(heading);
        for (reason, ids) in reasons {
            let mark = if verdict == Verdict::Blocked {
                paint(BAD, "-")
            } else {
                paint(OPEN, "?")
            };
            self.listing.line(format!("  {mark} {}", some(&ids, NAMED)));
            for line in reason.lines() {
                self.listing.prose("    ", "    ", line);
            }
        }
    }

    fn warnings(&mut self) {
        if self.report.warnings.is_empty() {
            return;
        }
        self.listing.heading("The vendor complains");
        for warning in self.report.warnings.iter().take(NAMED) {
            self.listing.prose("  - ", "    ", warning);
        }
        let more = self.report.warnings.len().saturating_sub(NAMED);
        if more > 0 {
            self.listing.line(format!("    and {more} more"));
        }
    }

    fn sections(&mut self) {
        self.listing.heading("Sections");
        for section in &self.report.sections {
            let counts = verdict_counts(|verdict| self.report.count(*section, verdict));
            self.listing
                .line(format!("  {:<18}{counts}", section.name()));
        }
    }

    fn features(&mut self) {
        self.listing.heading("Features");
        for found in &self.report.features {
            let mark = match found.answer {
                Answer::Yes => paint(GOOD, "✓"),
                Answer::No => paint(QUIET, "-"),
                Answer::Unknown => paint(OPEN, "?"),
            };
            self.listing.line(format!(
                "  {mark} {:<32}{:<9}{}",
                found.feature.name(),
                found.answer.name(),
                paint(QUIET, visible(&found.why))
            ));
        }
    }

    fn next(&mut self) {
        let report = self.report;
        let wrong = report
            .checks
            .iter()
            .find(|found| matches!(found.outcome, Outcome::Wrong(_)));
        if report.conclusion() != Conclusion::Fine {
            let tally = self.tally();
            self.listing.gap();
            self.listing.line(tally);
        } else {
            self.listing.gap();
        }
        let name = self.name;
        let step = match wrong {
            Some(found) => format!(
                "mend it, then run `bowline test {name} -m {}`",
                found.check.section.name()
            ),
            None if report.interrupted => return,
            None => format!(
                "run `bowline inspect {name}` and see that jobs and runs say what they should"
            ),
        };
        self.listing
            .line(format!("{} {step}", paint(HINT, "next:")));
    }

    fn total(&self, verdict: Verdict) -> usize {
        let found = self.report.checks.iter();
        found
            .filter(|found| found.outcome.verdict() == verdict)
            .count()
    }

    /// All counts in one line, with what was asked, how often the vendor was, and how long it took.
    fn tally(&self) -> String {
        let report = self.report;
        let requests: u64 = report.readings.iter().map(|reading| reading.requests).sum();
        format!(
            "{} of {}, {} with {}, {} tier, {:.2} s",
            plain_counts(|verdict| self.total(verdict)),
            counted(report.checks.len(), "check"),
            counted(report.readings.len(), "reading"),
            counted(usize::try_from(requests).unwrap_or(usize::MAX), "request"),
            report.tier.name(),
            report.elapsed.as_secs_f64()
        )
    }
}
