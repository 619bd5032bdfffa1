//! The second half of the report: what is open, what is left out, and the tables.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::{SuiteSection, Template};
use bowline_report::Verdict;
use bowline_report::warehouse::{CapabilityResult, CheckResult, MetricResult, Reason};
use bowline_warehouse::dialect::Pack;
use bowline_words::{counted, visible};

use super::HumanReport;
use crate::output::Verbosity;
use crate::report::counts::{NAMED, advice, some, verdict_counts};
use crate::style::{BAD, CODE, GOOD, HINT, OPEN, Painted, QUIET, paint};

/// The most lines that say which metrics are missing.
const MISSING: usize = 6;
/// The most characters of a reason beside a capability.
const REASON: usize = 60;

impl HumanReport<'_> {
    /// What could not be found out, by reason.
    pub(super) fn unknown(&mut self) {
        // What only follows from another comes after it.
        let mut reasons: BTreeMap<(bool, String), Vec<&CheckResult>> = BTreeMap::new();
        for check in &self.report.checks {
            if check.is_open() {
                let reason = check.reason.as_ref().map(ToString::to_string);
                let reason = first_line(reason.as_deref().unwrap_or_default());
                let follows = matches!(check.reason, Some(Reason::NotReached { .. }));
                reasons.entry((follows, reason)).or_default().push(check);
            }
        }
        if reasons.is_empty() {
            return;
        }
        self.listing.heading("Could not be found out");
        for ((_, reason), checks) in reasons {
            let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
            let first = format!("  {} ", paint(OPEN, "?"));
            self.listing.prose(&first, "    ", &some(&ids, NAMED));
            self.listing.prose("    ", "    ", &reason);
            let reasons = checks.iter().filter_map(|check| check.reason.as_ref());
            let hints = reasons.filter_map(Reason::hint);
            let advice = checks.iter().flat_map(|check| &check.advice);
            let advice: BTreeSet<&str> = advice.map(String::as_str).chain(hints).collect();
            for words in advice {
                let first = format!("    {} ", paint(HINT, "hint:"));
                self.listing.prose(&first, "          ", words);
            }
            self.behind(&ids);
        }
        if self.verbosity < Verbosity::Verbose {
            let words = "with `-v` the statements and rows behind this stand here";
            self.listing.line(paint(QUIET, format!("  {words}")));
        }
    }

    /// What is not wrong and worth a word.
    pub(super) fn advice(&mut self) {
        let checks = self.report.checks.iter();
        let checks = checks.filter(|check| !check.is_open());
        advice(&mut self.listing, checks.flat_map(|check| &check.advice));
    }

    /// What `bowline fit` can do about templates that are missing.
    fn remedy(&self, missing: &[&str]) -> String {
        let connector = &self.report.connector;
        let is_searched = |name: &&&str| self.report.is_searched(name);
        let (searched, others): (Vec<_>, Vec<_>) = missing.iter().partition(is_searched);
        let is_known =
            |name: &&&str| Template::find(name).is_some_and(bowline_fit::knows_spellings);
        let known = others.into_iter().filter(is_known).count();
        let mut remedy = String::new();
        if known > 0 {
            remedy =
                format!("; `bowline fit {connector}` knows spellings to try for {known} of them");
        }
        if !searched.is_empty() {
            let count = searched.len();
            remedy += &format!("; a fit found none that is right for {count} of them");
        }
        remedy
    }

    /// What the connector leaves out or the database does not have, without anybody being at fault.
    pub(super) fn not_supported(&mut self) {
        let report = self.report;
        let blamed: BTreeSet<&String> = report
            .culprits
            .iter()
            .flat_map(|culprit| &culprit.blocks)
            .collect();
        let mut missing: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        let mut absent = Vec::new();
        for check in &report.checks {
            match &check.reason {
                Some(Reason::NotImplemented { templates }) => {
                    missing.extend(templates.iter().map(String::as_str));
                }
                Some(Reason::Absent { what }) => absent.push(format!("{}: {what}", check.id)),
                Some(Reason::Blocked { by }) if !blamed.contains(&check.id) => {
                    *waiting.entry(by.join(", ")).or_default() += 1;
                }
                _ => {}
            }
        }
        let mut lines = Vec::new();
        if !missing.is_empty() {
            let count = counted(missing.len(), "template");
            let missing: Vec<&str> = missing.into_iter().collect();
            let is_engines = |pack: &str| Pack::find(pack).is_none_or(|pack| pack.base().is_some());
            // What an engine's pack leaves out nobody has found a spelling for.
            let remedy = if self.report.extends.as_deref().is_some_and(is_engines) {
                String::new()
            } else {
                self.remedy(&missing)
            };
            lines.push(format!(
                "{count} not implemented: {}{remedy}",
                missing.join(", ")
            ));
        }
        lines.extend(
            waiting
                .into_iter()
                .map(|(by, count)| format!("{} blocked by {by}", counted(count, "check"))),
        );
        lines.extend(absent);
        if lines.is_empty() {
            return;
        }
        self.listing.heading("Not supported");
        for line in lines {
            self.listing.prose("  - ", "    ", &line);
        }
    }

    /// A line for each section with the count of every verdict.
    pub(super) fn sections(&mut self) {
        let report = self.report;
        self.listing.heading("Sections");
        for section in &report.sections {
            let counts = verdict_counts(&report.section_summary(section));
            self.listing.line(format!("  {section:<18}{counts}"));
        }
    }

    /// A line for each capability that this run could speak about.
    pub(super) fn capabilities(&mut self) {
        let spoken: Vec<(&CapabilityResult, Verdict)> = self
            .report
            .capabilities
            .iter()
            .filter_map(|capability| Some((capability, capability.verdict?)))
            .collect();
        if spoken.is_empty() {
            return;
        }
        self.listing.heading("Capabilities");
        for (capability, verdict) in spoken {
            let why = self.why_not(capability);
            let name = &capability.name;
            self.listing.line(match why.as_str() {
                "" => format!("  {} {name}", mark(verdict)),
                why => format!("  {} {name:<30}{}", mark(verdict), paint(QUIET, why)),
            });
        }
        let all = self.report.capabilities.iter();
        let silent = all.filter(|capability| capability.verdict.is_none());
        let silent: Vec<&str> = silent.map(|capability| capability.name.as_str()).collect();
        if !silent.is_empty() {
            let line = format!("not asked about in this run: {}", silent.join(", "));
            self.listing.prose("  ", "    ", &line);
        }
    }

    /// The templates that keep a capability back, else the reason in words.
    fn why_not(&self, capability: &CapabilityResult) -> String {
        let mut templates: BTreeSet<&str> = BTreeSet::new();
        let mut words = None;
        for check in capability
            .because
            .iter()
            .filter_map(|id| self.report.check(id))
        {
            match &check.reason {
                Some(
                    Reason::NotImplemented { templates: needed } | Reason::Blocked { by: needed },
                ) => templates.extend(needed.iter().map(String::as_str)),
                reason => {
                    let culprits = self.report.culprits.iter();
                    templates.extend(
                        culprits
                            .filter(|culprit| culprit.checks.contains(&check.id))
                            .map(|culprit| culprit.template.as_str()),
                    );
                    words = words.or_else(|| reason.as_ref().map(ToString::to_string));
                }
            }
        }
        if templates.is_empty() {
            return cut(&first_line(words.as_deref().unwrap_or_default()));
        }
        let templates: Vec<&str> = templates.into_iter().collect();
        format!("needs {}", some(&templates, 2))
    }

    /// How far the catalogue is from the truth, and how long behind it.
    pub(super) fn catalogue(&mut self) {
        let Some(measured) = &self.report.catalogue else {
            return;
        };
        self.listing.heading("Catalogue");
        for line in measured.lines() {
            self.listing.prose("  ", "    ", &line);
        }
    }

    /// How many metrics are supported, and what the others need.
    pub(super) fn metrics(&mut self) {
        let report = self.report;
        let asked = report.sections.iter().any(|section| {
            matches!(
                SuiteSection::from_name(section),
                Some(SuiteSection::QlMetrics | SuiteSection::QlPrerequisites)
            )
        });
        if !asked {
            return;
        }
        let held: Vec<&MetricResult> = report
            .metrics
            .iter()
            .filter(|metric| !metric.because.is_empty())
            .collect();
        let supported = report
            .metrics
            .iter()
            .filter(|metric| metric.supported)
            .count();
        self.listing.heading("Metrics");
        let mark = match held.as_slice() {
            [] => paint(GOOD, "✓"),
            _ => paint(QUIET, "-"),
        };
        let metrics = report.metrics.iter();
        let untested = metrics.filter(|metric| !metric.is_asked());
        let untested = match untested.count() {
            0 => String::new(),
            count => format!(", {count} not asked about in this run"),
        };
        self.listing.line(format!(
            "  {mark} {supported} of {} supported{untested}",
            report.metrics.len()
        ));
        if let Some(why) = report.idle_metrics() {
            self.listing
                .prose(&format!("  {} ", paint(OPEN, "!")), "    ", why);
        }
        let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for metric in held {
            missing
                .entry(some(&metric.because, 2))
                .or_default()
                .push(&metric.name);
        }
        let mut missing: Vec<(String, Vec<&str>)> = missing.into_iter().collect();
        missing.sort_by_key(|(_, metrics)| std::cmp::Reverse(metrics.len()));
        for (needed, metrics) in missing.iter().take(MISSING) {
            let line = format!("without {needed}: {}", some(metrics, NAMED));
            self.listing.prose("    ", "      ", &line);
        }
        if missing.len() > MISSING {
            let rest: usize = missing[MISSING..]
                .iter()
                .map(|(_, metrics)| metrics.len())
                .sum();
            self.listing.line(format!(
                "    and {} for other reasons",
                counted(rest, "more metric")
            ));
        }
    }

    /// What could not be removed again.
    pub(super) fn left_behind(&mut self) {
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
}

fn mark(verdict: Verdict) -> Painted<&'static str> {
    match verdict {
        Verdict::Supported => paint(GOOD, "✓"),
        Verdict::Unsupported => paint(QUIET, "-"),
        Verdict::Wrong | Verdict::Blocked => paint(BAD, "✗"),
        Verdict::Unknown => paint(OPEN, "?"),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= REASON {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(REASON - 1).collect();
    short.push('…');
    short
}
