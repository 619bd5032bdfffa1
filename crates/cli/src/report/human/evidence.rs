//! The first half of the report: what fell short, and the evidence.

use std::collections::BTreeSet;

use bowline_conformance::{CheckId, CheckReport, Culprit, Fault, Outcome, Proof, Step};

use bowline_connector::dialect::Pack;
use bowline_words::counted;

use super::{NAMED, Page, some};
use crate::report::words::{Place, names, place, reason, telling_step};
use crate::style::{BAD, CODE, GOOD, HINT, QUIET, STRONG, paint};

/// The most culprits that are shown with their evidence.
const DETAILED: usize = 3;

impl Page<'_> {
    /// The templates at fault; the headline has named the first already.
    pub(super) fn culprits(&mut self) {
        let report = self.report;
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
        self.evidence(check);
        self.spelling(culprit);
        let others: Vec<&CheckId> = culprit
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
            let blocks: Vec<&CheckId> = culprit.blocks.iter().collect();
            self.listing.field("blocks", &some(&blocks, NAMED));
        }
        if let Some(mend) = &culprit.mend {
            self.listing.gap();
            self.listing.line(format!(
                "  {} the spelling of the pack `{}` passes here:",
                paint(HINT, "hint:"),
                mend.pack
            ));
            self.listing.block("", &mend.text, GOOD);
        }
    }

    /// The statement, what was expected, what came back.
    fn evidence(&mut self, check: &CheckReport) {
        self.listing.gap();
        self.listing
            .field("check", &format!("{}: {}", check.info.id, check.info.title));
        let step = telling_step(check);
        if let Some(step) = step {
            self.listing.block("sql", &step.sql, CODE);
            if let Some(label) = step.label {
                self.listing.field("to", label);
            }
        }
        match &check.outcome {
            Outcome::Wrong(Fault::Answer { expected, got }) => {
                self.listing.block("expected", expected, GOOD);
                self.listing.block("got", got, BAD);
                if let Some(error) = unsaid_error(step, got) {
                    self.listing.block("error", &error, BAD);
                }
            }
            Outcome::Wrong(Fault::Render { message, .. }) => {
                self.listing.block("error", message, BAD);
            }
            Outcome::Unsupported(Proof::Refused(error)) => {
                self.listing.block("error", &error.to_string(), BAD);
            }
            other => {
                if let Some(reason) = reason(other) {
                    self.listing.block("because", &reason, BAD);
                }
            }
        }
    }

    /// Where the text stands, and what it is.
    fn spelling(&mut self, culprit: &Culprit) {
        let template = culprit.template;
        match place(self.about.templates, template, self.about.base) {
            Some(Place::File(at)) => self.listing.block("stands at", &at, STRONG),
            Some(Place::Pack(pack)) => {
                self.listing
                    .field("stands in", &format!("the dialect pack `{pack}`"));
                if let Some(needs) = Pack::find(&pack).and_then(|pack| pack.needs(template)) {
                    self.listing.field("needs", needs);
                }
            }
            None => return,
        }
        if let Some(found) = self.about.templates.get(template) {
            self.listing.block("text", &found.text, CODE);
            // Undefined variables are empty text in Jinja, so that nothing else tells.
            let mistaken = template.placeholders.iter().find(|placeholder| {
                let is_variable = template
                    .variables
                    .iter()
                    .any(|variable| variable.name == **placeholder);
                !is_variable && found.compiled.references(placeholder)
            });
            if let Some(name) = mistaken {
                self.listing.gap();
                self.listing.prose(
                    &format!("  {} ", paint(HINT, "hint:")),
                    "        ",
                    &format!("write `{{{name}}}`, which is a placeholder; `{{{{ {name} }}}}` is a variable that is not there"),
                );
            }
        }
    }

    /// Shortfalls that no single template is to blame for.
    pub(super) fn stray_shortfalls(&mut self) {
        let report = self.report;
        let blamed: BTreeSet<&CheckId> = report
            .culprits
            .iter()
            .flat_map(|culprit| &culprit.checks)
            .collect();
        let strays = report
            .checks
            .iter()
            .filter(|check| check.outcome.is_shortfall() && !blamed.contains(&check.info.id));
        for (position, check) in strays.enumerate() {
            if position > 0 || !report.culprits.is_empty() {
                self.listing.gap();
                self.listing.line(format!(
                    "{} {} fell short",
                    paint(BAD, "✗"),
                    paint(STRONG, &check.info.id)
                ));
            }
            self.evidence(check);
            if !check.uses.is_empty() {
                self.listing.field("made of", &names(&check.uses));
            }
        }
    }
}

/// The error of a statement, unless the answer in words has said it already.
fn unsaid_error(step: Option<&Step>, got: &str) -> Option<String> {
    let error = step?.answer.result.as_ref().err()?.to_string();
    (!got.contains(&error)).then_some(error)
}
