//! The first half of the report: what fell short, and the evidence.

use std::collections::BTreeSet;

use bowline_report::warehouse::{CheckResult, Culprit, Reason, Step, TextOrigin};
use bowline_words::counted;

use super::HumanReport;
use crate::report::counts::{NAMED, some};
use crate::style::{BAD, CODE, GOOD, HINT, QUIET, STRONG, paint};

/// The most culprits that are shown with their evidence.
const DETAILED: usize = 3;

impl HumanReport<'_> {
    /// The templates at fault; the headline has named the first already.
    pub(super) fn culprits(&mut self) {
        let report = self.report;
        if report.is_dead() {
            return;
        }
        for (position, culprit) in report.culprits.iter().enumerate() {
            if position > 0 {
                if position <= DETAILED {
                    self.listing.gap();
                }
                self.accuse(culprit);
            }
            if position < DETAILED {
                self.evidence_against(culprit);
            }
        }
        if report.culprits.len() > DETAILED {
            self.listing.line(paint(
                QUIET,
                "  mend the first ones and run again; all the evidence is in `--format json`",
            ));
        }
    }

    fn evidence_against(&mut self, culprit: &Culprit) {
        let Some(check) = self.report.check(&culprit.check) else {
            return;
        };
        self.evidence(check, self.is_switched_off(culprit));
        self.spelling(culprit);
        let others: Vec<&String> = culprit
            .checks
            .iter()
            .filter(|id| **id != culprit.check)
            .collect();
        if !others.is_empty() {
            let others = format!(
                "{}: {}",
                counted(others.len(), "more check"),
                some(&others, NAMED)
            );
            self.listing.field("fails", &others);
        }
        if !culprit.blocks.is_empty() {
            self.listing.field("blocks", &some(&culprit.blocks, NAMED));
        }
        if let Some(mend) = &culprit.mend {
            self.listing.gap();
            let pack = &mend.pack;
            let words = match &culprit.place {
                Some(TextOrigin::File(at)) if self.report.extends.as_ref() == Some(pack) => {
                    format!(
                        "without what stands at {at} the pack `{pack}` spells it, and that passes here:"
                    )
                }
                _ => format!("the spelling of the pack `{pack}` passes here:"),
            };
            self.listing
                .prose(&format!("  {} ", paint(HINT, "hint:")), "        ", &words);
            self.listing.block("", &mend.text, GOOD);
        }
    }

    /// The statement unless it is known to be right, what was expected, what came back.
    fn evidence(&mut self, check: &CheckResult, is_right: bool) {
        self.listing.gap();
        self.listing
            .field("check", &format!("{}: {}", check.id, check.title));
        let step = check.telling_step();
        if let Some(step) = step.filter(|_| !is_right) {
            self.listing.block("sql", &step.sql, CODE);
            if let Some(label) = &step.label {
                self.listing.field("to", label);
            }
        }
        match &check.reason {
            Some(Reason::Answer { expected, got }) => {
                self.listing.block("expected", expected, GOOD);
                self.listing.block("got", got, BAD);
                if let Some(error) = unsaid_error(step, got) {
                    self.listing.block("error", &error, BAD);
                }
            }
            Some(Reason::Render { message, .. }) => self.listing.block("error", message, BAD),
            Some(Reason::Refused { error }) => {
                self.listing.block("error", &error.to_string(), BAD);
            }
            Some(other) => self.listing.block("because", &other.to_string(), BAD),
            None => {}
        }
    }

    /// Where the text stands, and what it is.
    fn spelling(&mut self, culprit: &Culprit) {
        match &culprit.place {
            Some(TextOrigin::File(at)) => self.listing.block("stands at", at, STRONG),
            Some(TextOrigin::Pack(pack)) => {
                self.listing
                    .field("stands in", &format!("the dialect pack `{pack}`"));
            }
            None => {}
        }
        if let Some(needs) = &culprit.needs {
            self.listing.field("needs", needs);
        }
        if self.is_switched_off(culprit) {
            let words = "with `-v` the statement and the template stand here";
            self.listing.line(paint(QUIET, format!("  {words}")));
        } else if let Some(text) = &culprit.text {
            self.listing.block("text", text, CODE);
        }
        if let Some(hint) = &culprit.hint {
            self.listing.gap();
            self.listing
                .prose(&format!("  {} ", paint(HINT, "hint:")), "        ", hint);
        }
    }

    /// Shortfalls that no single template is to blame for.
    pub(super) fn stray_shortfalls(&mut self) {
        let report = self.report;
        let is_dead = report.is_dead();
        let blamed: BTreeSet<&String> = report
            .culprits
            .iter()
            .flat_map(|culprit| &culprit.checks)
            .collect();
        let strays = report
            .shortfalls()
            .filter(|check| !blamed.contains(&check.id));
        // What follows from a connection that answers nothing is no news.
        let strays = strays.take(if is_dead { 1 } else { usize::MAX });
        for (position, check) in strays.enumerate() {
            if position > 0 || !(is_dead || report.culprits.is_empty()) {
                self.listing.gap();
                self.listing.line(format!(
                    "{} {} fell short",
                    paint(BAD, "✗"),
                    paint(STRONG, &check.id)
                ));
            }
            self.evidence(check, false);
            if !check.uses.is_empty() {
                self.listing.field("made of", &check.uses.join(", "));
            }
        }
    }
}

/// The error of a statement, unless the answer in words has said it already.
fn unsaid_error(step: Option<&Step>, got: &str) -> Option<String> {
    let error = step?.error.as_ref()?.to_string();
    (!got.contains(&error)).then_some(error)
}
