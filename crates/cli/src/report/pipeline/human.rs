//! The report a person reads: what is wrong first, what to do next last.

use std::collections::BTreeMap;
use std::time::Duration;

use bowline_contract::pipeline::PipelineFeature;
use bowline_report::pipeline::{CheckResult, FeatureAnswer, FeatureResult, Reason};
use bowline_report::{Conclusion, PipelineReport, Verdict};
use bowline_words::{counted, visible};

use crate::listing::Listing;
use crate::report::Next;
use crate::report::counts::{NAMED, advice, plain_counts, some, verdict_counts, verdict_line};
use crate::style::{BAD, GOOD, HINT, OPEN, QUIET, STRONG, paint};

/// Writes the report.
pub(in crate::report) fn human(report: &PipelineReport, next: Next) -> String {
    let mut human = HumanReport {
        report,
        listing: Listing::default(),
    };
    human.headline();
    human.faults();
    human.grouped(Verdict::Blocked, "Blocked");
    human.grouped(Verdict::Unknown, "Could not be found out");
    human.warnings();
    human.advice();
    human.sections();
    human.features();
    human.next(next);
    human.listing.finish()
}

struct HumanReport<'a> {
    report: &'a PipelineReport,
    listing: Listing,
}

impl HumanReport<'_> {
    fn headline(&mut self) {
        let report = self.report;
        if report.shortfalls().next().is_some() {
            return;
        }
        let line = verdict_line(&report.connector, report.interrupted, report.open(), || {
            self.tally()
        });
        self.listing.line(line);
    }

    fn faults(&mut self) {
        for check in self.report.shortfalls() {
            self.listing.gap();
            self.fault(check);
        }
    }

    fn fault(&mut self, check: &CheckResult) {
        self.listing.line(format!(
            "{} {} is wrong",
            paint(BAD, "✗"),
            paint(STRONG, &check.id)
        ));
        self.listing.field("check", &check.title);
        let Some(Reason::Answer {
            expected,
            got,
            evidence,
            hint,
        }) = &check.reason
        else {
            return;
        };
        self.listing.block("expected", expected, GOOD);
        self.listing.block("got", got, BAD);
        for (position, line) in evidence.iter().enumerate() {
            let label = if position == 0 { "such as" } else { "" };
            self.listing.field(label, line);
        }
        if let Some(hint) = hint {
            let first = format!("  {} ", paint(HINT, "hint:"));
            self.listing.prose(&first, "        ", hint);
        }
    }

    /// The checks with a verdict, by reason.
    fn grouped(&mut self, verdict: Verdict, heading: &str) {
        let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for check in &self.report.checks {
            if check.verdict == verdict {
                let reason = check.reason.as_ref().map(ToString::to_string);
                let ids = reasons.entry(reason.unwrap_or_default()).or_default();
                ids.push(&check.id);
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

    fn advice(&mut self) {
        let checks = self.report.checks.iter();
        advice(&mut self.listing, checks.flat_map(|check| &check.advice));
    }

    fn sections(&mut self) {
        self.listing.heading("Sections");
        for section in &self.report.sections {
            let counts = verdict_counts(&self.report.section_summary(section));
            self.listing.line(format!("  {section:<18}{counts}"));
        }
    }

    fn features(&mut self) {
        let is_asked = |found: &&FeatureResult| {
            let feature = PipelineFeature::from_name(&found.name);
            feature.is_none_or(|feature| {
                let section = feature.section().name();
                self.report.sections.iter().any(|asked| asked == section)
            })
        };
        let asked: Vec<&FeatureResult> = self.report.features.iter().filter(is_asked).collect();
        if asked.is_empty() {
            return;
        }
        let seen = asked
            .iter()
            .filter(|found| found.answer == FeatureAnswer::Yes);
        let seen = seen.count();
        self.listing.heading("Features");
        self.listing.line(format!(
            "  {seen} of {}",
            counted(asked.len(), "optional feature")
        ));
        for found in asked {
            let mark = match found.answer {
                FeatureAnswer::Yes => paint(GOOD, "✓"),
                FeatureAnswer::No => paint(QUIET, "-"),
                FeatureAnswer::Unknown => paint(OPEN, "?"),
            };
            self.listing.line(format!(
                "  {mark} {:<32}{:<9}{}",
                found.name,
                found.answer.name(),
                paint(QUIET, visible(&found.why))
            ));
        }
    }

    fn next(&mut self, next: Next) {
        let report = self.report;
        if report.conclusion() != Conclusion::Fine {
            let tally = self.tally();
            self.listing.gap();
            self.listing.line(tally);
        } else {
            self.listing.gap();
        }
        let name = &report.connector;
        let step = match report.shortfalls().next() {
            Some(check) => format!(
                "mend it, then run `bowline test {name} -m {}`",
                check.section
            ),
            None if report.interrupted || next == Next::Nothing => return,
            None => {
                "run `bowline build`, which puts what was proven into an agent image".to_owned()
            }
        };
        self.listing
            .line(format!("{} {step}", paint(HINT, "next:")));
    }

    /// All counts in one line, with what was asked, how often the vendor was, and how long it took.
    fn tally(&self) -> String {
        let report = self.report;
        let requests: u64 = report.readings.iter().map(|reading| reading.requests).sum();
        format!(
            "{} of {}, {} with {}, {} tier, {:.2} s",
            plain_counts(&report.summary),
            counted(report.checks.len(), "check"),
            counted(report.readings.len(), "reading"),
            counted(usize::try_from(requests).unwrap_or(usize::MAX), "request"),
            report.tier.name(),
            Duration::from(report.elapsed_ms).as_secs_f64()
        )
    }
}
