//! The report a person reads: what is at fault first, what to do next last.

use std::collections::{BTreeMap, BTreeSet};

use bowline_conformance::{
    CapabilityReport, CheckId, CheckReport, Culprit, Fault, MetricReport, Outcome, Proof, Report,
    Verdict,
};
use bowline_contract::{SuiteSection, Template};

use super::About;
use super::words::{self, Place, accusation, names, place, plural, reason, telling_step};
use crate::listing::Listing;
use crate::output::visible;
use crate::style::{BAD, CODE, GOOD, HINT, OPEN, QUIET, STRONG, paint};

/// The most culprits that are shown with their evidence.
const DETAILED: usize = 8;

/// What the reader does next when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The suite was run to see where the connector stands.
    Export,
    /// The connector is being exported already.
    Nothing,
}

/// Writes the report.
pub(crate) fn human(report: &Report, subject: About<'_>, next: Next) -> String {
    let mut page = Page {
        report,
        subject,
        listing: Listing::default(),
    };
    page.headline();
    page.culprits();
    page.stray_shortfalls();
    page.unknown();
    page.choices();
    page.sections();
    page.capabilities();
    page.metrics();
    page.left_behind();
    page.next(next);
    page.listing.finish()
}

struct Page<'a> {
    report: &'a Report,
    subject: About<'a>,
    listing: Listing,
}

impl Page<'_> {
    fn headline(&mut self) {
        let report = self.report;
        if let Some(culprit) = report.culprits.first() {
            self.accuse(culprit);
            return;
        }
        if let Some(check) = report
            .checks
            .iter()
            .find(|check| check.outcome.is_shortfall())
        {
            self.listing.line(format!(
                "{} {} fell short",
                paint(BAD, "✗"),
                paint(STRONG, &check.info.id)
            ));
            return;
        }
        let name = paint(STRONG, self.subject.name);
        let open = total(report, Verdict::Unknown);
        let line = if report.interrupted {
            format!("{} {name}: interrupted before the end", paint(OPEN, "?"))
        } else if words::unreachable(report) {
            format!("{} {name}: no connection to the database", paint(BAD, "✗"))
        } else if open > 0 {
            format!(
                "{} {name}: nothing is wrong, but {} could not be answered",
                paint(OPEN, "?"),
                plural(open, "check")
            )
        } else {
            format!("{} {name}: {}", paint(GOOD, "✓"), tally(report))
        };
        self.listing.line(line);
    }

    fn accuse(&mut self, culprit: &Culprit) {
        let stands_in_the_way = match culprit.blocks.len() {
            0 => String::new(),
            count => format!(", and blocks {}", plural(count, "check")),
        };
        self.listing.line(format!(
            "{} {} {}{stands_in_the_way}",
            paint(BAD, "✗"),
            paint(STRONG, culprit.template.short_name()),
            accusation(culprit, self.report),
        ));
    }

    fn culprits(&mut self) {
        for (position, culprit) in self.report.culprits.iter().enumerate() {
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
        let silent = self.report.culprits.len().saturating_sub(DETAILED);
        if silent > 0 {
            self.listing.line(paint(
                QUIET,
                format!("  the evidence against the last {silent} is in `--format json`"),
            ));
        }
    }

    fn evidence_against(&mut self, culprit: &Culprit) {
        let Some(check) = self.report.check(&culprit.check) else {
            return;
        };
        self.evidence(check);
        let others: Vec<&CheckId> = culprit
            .checks
            .iter()
            .filter(|id| **id != culprit.check)
            .collect();
        if !others.is_empty() {
            self.listing.prose(
                "  also      ",
                &format!(
                    "{} because of it: {}",
                    fell_short(others.len()),
                    some(&others, 4)
                ),
            );
        }
        if !culprit.blocks.is_empty() {
            let blocks: Vec<&CheckId> = culprit.blocks.iter().collect();
            self.listing.prose("  blocks    ", &some(&blocks, 4));
        }
        self.spelling(culprit);
    }

    /// The statement, what came back, what was expected.
    fn evidence(&mut self, check: &CheckReport) {
        self.listing.line("");
        self.listing.block(
            "check",
            &format!("{}: {}", check.info.id, check.info.title),
            anstyle::Style::new(),
        );
        let step = telling_step(check);
        if let Some(step) = step {
            let label = step.label.unwrap_or("sql");
            self.listing.block("sql", &step.sql, CODE);
            if label != "sql" {
                self.listing.block("for", label, QUIET);
            }
        }
        match &check.outcome {
            Outcome::Wrong(Fault::Answer { expected, got }) => {
                self.listing.block("expected", expected, GOOD);
                self.listing.block("got", got, BAD);
                if let Some(Err(error)) = step.map(|step| &step.answer) {
                    self.listing.block("error", &error.to_string(), BAD);
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

    /// Where the text stands, what it is, and another that passes.
    fn spelling(&mut self, culprit: &Culprit) {
        let template = culprit.template;
        let found = place(self.subject.templates, template, self.subject.base);
        let text = self
            .subject
            .templates
            .get(template)
            .map(|found| found.text.as_str());
        match &found {
            Some(Place::File(at)) => self.listing.block("stands at", at, STRONG),
            Some(Place::Pack(pack)) => {
                self.listing
                    .block("stands in", &format!("the dialect pack `{pack}`"), STRONG);
            }
            None => {}
        }
        if let Some(text) = text {
            self.listing.block("text", text, CODE);
        }
        if let Some(mend) = &culprit.mend {
            self.listing.line("");
            self.listing.line(format!(
                "  {} the spelling of the pack `{}` passes here:",
                paint(HINT, "hint:"),
                mend.pack
            ));
            self.listing.block("", &mend.text, GOOD);
        } else if matches!(found, Some(Place::Pack(_))) {
            self.listing.line("");
            self.listing.line(format!(
                "  {} give `{}` a text of your own in `templates.toml`; it takes the pack's place",
                paint(HINT, "hint:"),
                template.short_name()
            ));
        }
    }

    /// Shortfalls that no single template is to blame for.
    fn stray_shortfalls(&mut self) {
        let blamed: BTreeSet<&CheckId> = self
            .report
            .culprits
            .iter()
            .flat_map(|culprit| &culprit.checks)
            .collect();
        let strays = self
            .report
            .checks
            .iter()
            .filter(|check| check.outcome.is_shortfall() && !blamed.contains(&check.info.id));
        for (position, check) in strays.enumerate() {
            if position > 0 || !self.report.culprits.is_empty() {
                self.listing.gap();
                self.listing.line(format!(
                    "{} {} fell short",
                    paint(BAD, "✗"),
                    paint(STRONG, &check.info.id)
                ));
            }
            self.evidence(check);
            if !check.uses.is_empty() {
                self.listing.prose("  made of   ", &names(&check.uses));
            }
        }
    }

    fn unknown(&mut self) {
        let mut reasons: BTreeMap<String, Vec<&CheckId>> = BTreeMap::new();
        for check in &self.report.checks {
            if let (Verdict::Unknown, Some(reason)) =
                (check.outcome.verdict(), reason(&check.outcome))
            {
                reasons.entry(reason).or_default().push(&check.info.id);
            }
        }
        if reasons.is_empty() {
            return;
        }
        self.listing.heading("Could not be found out");
        for (reason, ids) in reasons {
            let first = format!("  {} ", paint(OPEN, "?"));
            self.listing.line(format!("{first}{}", some(&ids, 4)));
            self.listing.prose("    ", &reason);
        }
    }

    /// What the connector leaves out, or the database does not have, without anybody being at fault.
    fn choices(&mut self) {
        let report = self.report;
        let missing: BTreeSet<&'static Template> = report
            .checks
            .iter()
            .filter_map(|check| match &check.outcome {
                Outcome::Unsupported(Proof::NotImplemented(templates)) => Some(templates),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        let absent: Vec<(&CheckId, &String)> = report
            .checks
            .iter()
            .filter_map(|check| match &check.outcome {
                Outcome::Unsupported(Proof::Absent(what)) => Some((&check.info.id, what)),
                _ => None,
            })
            .collect();
        if missing.is_empty() && absent.is_empty() {
            return;
        }
        self.listing.heading("Not supported");
        if !missing.is_empty() {
            let first = format!(
                "  - {} not implemented: ",
                plural(missing.len(), "template")
            );
            self.listing
                .prose("  ", &format!("{}{}", first.trim_start(), names(&missing)));
        }
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        let by_culprit: BTreeSet<&CheckId> = report
            .culprits
            .iter()
            .flat_map(|culprit| &culprit.blocks)
            .collect();
        for check in &report.checks {
            if let Outcome::Blocked { by } = &check.outcome
                && !by_culprit.contains(&check.info.id)
            {
                *waiting.entry(names(by)).or_default() += 1;
            }
        }
        for (by, count) in waiting {
            self.listing.prose(
                "  ",
                &format!("- {} blocked by {by}", plural(count, "check")),
            );
        }
        for (id, what) in absent {
            self.listing.prose("  ", &format!("- {id}: {what}"));
        }
    }

    fn sections(&mut self) {
        const VERDICTS: [(Verdict, &str, anstyle::Style); 5] = [
            (Verdict::Supported, "supported", GOOD),
            (Verdict::Unsupported, "unsupported", STRONG),
            (Verdict::Wrong, "wrong", BAD),
            (Verdict::Unknown, "unknown", OPEN),
            (Verdict::Blocked, "blocked", QUIET),
        ];
        let report = self.report;
        self.listing.heading("Sections");
        for section in &report.sections {
            let counts: Vec<String> = VERDICTS
                .iter()
                .filter_map(|(verdict, word, style)| {
                    let count = report.count(*section, *verdict);
                    (count > 0).then(|| format!("{} {word}", paint(*style, count)))
                })
                .collect();
            let counts = if counts.is_empty() {
                paint(QUIET, "no checks").to_string()
            } else {
                counts.join(", ")
            };
            self.listing
                .line(format!("  {:<18}{counts}", section.name()));
        }
    }

    fn capabilities(&mut self) {
        let report = self.report;
        if report
            .capabilities
            .iter()
            .all(|capability| capability.verdict.is_none())
        {
            return;
        }
        self.listing.heading("Capabilities");
        for capability in &report.capabilities {
            let Some(verdict) = capability.verdict else {
                continue;
            };
            let why = self.why_not(capability);
            let line = format!("  {} {:<30}", mark(verdict), capability.capability.name());
            if why.is_empty() {
                self.listing.line(line);
            } else {
                self.listing.line(format!("{line}{}", paint(QUIET, why)));
            }
        }
    }

    fn why_not(&self, capability: &CapabilityReport) -> String {
        let mut templates = BTreeSet::new();
        let mut reasons = BTreeSet::new();
        for check in capability
            .because
            .iter()
            .filter_map(|id| self.report.check(id))
        {
            let culprits = self
                .report
                .culprits
                .iter()
                .filter(|culprit| culprit.checks.contains(&check.info.id))
                .map(|culprit| culprit.template.short_name());
            match &check.outcome {
                Outcome::Unsupported(Proof::NotImplemented(missing)) => {
                    templates.extend(missing.iter().map(|template| template.short_name()));
                }
                Outcome::Blocked { by } => {
                    templates.extend(by.iter().map(|template| template.short_name()));
                }
                outcome => {
                    let before = templates.len();
                    templates.extend(culprits);
                    if templates.len() == before
                        && let Some(reason) = reason(outcome)
                    {
                        reasons.insert(reason.lines().next().unwrap_or_default().to_owned());
                    }
                }
            }
        }
        let mut why: Vec<String> = Vec::new();
        if !templates.is_empty() {
            let templates: Vec<&str> = templates.into_iter().collect();
            why.push(format!("needs {}", some(&templates, 3)));
        }
        why.extend(reasons.into_iter().take(1));
        why.join("; ")
    }

    fn metrics(&mut self) {
        let report = self.report;
        let asked = report.sections.iter().any(|section| {
            matches!(
                section,
                SuiteSection::QlMetrics | SuiteSection::QlPrerequisites
            )
        });
        let held: Vec<&MetricReport> = report
            .metrics
            .iter()
            .filter(|metric| !metric.because.is_empty())
            .collect();
        if !asked {
            return;
        }
        let supported = report
            .metrics
            .iter()
            .filter(|metric| metric.supported)
            .count();
        let untested = report.metrics.len() - supported - held.len();
        let mark = if held.is_empty() {
            paint(GOOD, "✓")
        } else {
            paint(OPEN, "-")
        };
        self.listing.heading("Metrics");
        let untested = match untested {
            0 => String::new(),
            count => format!(", {count} not asked in this run"),
        };
        self.listing.line(format!(
            "  {mark} {supported} of {} supported{untested}",
            report.metrics.len()
        ));
        let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for metric in held {
            missing
                .entry(names(&metric.because))
                .or_default()
                .push(metric.metric.name);
        }
        for (templates, metrics) in missing {
            self.listing.prose(
                "    ",
                &format!("without {templates}: {}", metrics.join(", ")),
            );
        }
    }

    fn left_behind(&mut self) {
        if self.report.left_behind.is_empty() {
            return;
        }
        self.listing
            .heading("Left behind in the database; please run");
        for statement in &self.report.left_behind {
            self.listing
                .line(format!("  {}", paint(CODE, visible(statement))));
        }
    }

    fn next(&mut self, next: Next) {
        let report = self.report;
        self.listing.gap();
        if !report.culprits.is_empty() || report.has_shortfall() {
            self.listing.line(tally(report));
        }
        let name = self.subject.name;
        let step = if let Some(culprit) = report.culprits.first() {
            let section = report
                .check(&culprit.check)
                .map(|check| format!(" -m {}", check.info.section.name()))
                .unwrap_or_default();
            let at = match place(self.subject.templates, culprit.template, self.subject.base) {
                Some(Place::File(at)) => format!(" at {at}"),
                _ => String::new(),
            };
            format!(
                "mend {}{at}, then run `bowline test {name}{section}`",
                culprit.template.short_name()
            )
        } else if report.interrupted || report.has_shortfall() || report.has_unknown() {
            return;
        } else {
            match next {
                Next::Export => format!("run `bowline export {name}`"),
                Next::Nothing => return,
            }
        };
        self.listing
            .line(format!("{} {step}", paint(HINT, "next:")));
    }
}

fn fell_short(count: usize) -> String {
    format!("{} fell short", plural(count, "more check"))
}

/// The first few of many, and how many more there are.
fn some(items: &[impl std::fmt::Display], most: usize) -> String {
    let mut shown: Vec<String> = items.iter().take(most).map(ToString::to_string).collect();
    if items.len() > most {
        shown.push(format!("and {} more", items.len() - most));
    }
    shown.join(", ")
}

fn mark(verdict: Verdict) -> crate::style::Painted<&'static str> {
    match verdict {
        Verdict::Supported => paint(GOOD, "✓"),
        Verdict::Unsupported => paint(QUIET, "-"),
        Verdict::Wrong | Verdict::Blocked => paint(BAD, "✗"),
        Verdict::Unknown => paint(OPEN, "?"),
    }
}

fn total(report: &Report, verdict: Verdict) -> usize {
    report
        .checks
        .iter()
        .filter(|check| check.outcome.verdict() == verdict)
        .count()
}

/// All counts in one line, with what was asked and how long it took.
fn tally(report: &Report) -> String {
    let counts: Vec<String> = [
        Verdict::Supported,
        Verdict::Unsupported,
        Verdict::Wrong,
        Verdict::Unknown,
        Verdict::Blocked,
    ]
    .into_iter()
    .map(|verdict| (total(report, verdict), verdict.name()))
    .filter(|(count, _)| *count > 0)
    .map(|(count, name)| format!("{count} {name}"))
    .collect();
    let product = if report.product.is_empty() {
        String::new()
    } else {
        format!(" on {}", report.product)
    };
    format!(
        "{} of {}{product}, {} tier, {:.2} s",
        counts.join(", "),
        plural(report.checks.len(), "check"),
        report.tier.name(),
        report.elapsed.as_secs_f64()
    )
}
