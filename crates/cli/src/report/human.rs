//! The report a person reads: what is at fault first, what to do next last.

mod evidence;
mod summary;

use anstyle::Style;
use bowline_conformance::{Conclusion, Culprit, Doubt, Outcome, Report, Verdict};
use bowline_contract::SuiteSection;
use bowline_driver::SqlErrorKind;
use bowline_words::counted;

use super::About;
use super::words::{Place, accusation, is_refused, place};
use crate::listing::Listing;
use crate::style::{BAD, GOOD, HINT, OPEN, QUIET, STRONG, paint};

/// The first line of a report in which nothing is wrong; `open` checks could not be answered.
pub(super) fn verdict_line(
    name: &str,
    interrupted: bool,
    open: usize,
    tally: impl FnOnce() -> String,
) -> String {
    let name = paint(STRONG, name);
    if interrupted {
        format!("{} {name}: interrupted before the end", paint(OPEN, "?"))
    } else if open > 0 {
        format!(
            "{} {name}: nothing is wrong, but {} could not be answered",
            paint(OPEN, "?"),
            counted(open, "check")
        )
    } else {
        format!("{} {name}: {}", paint(GOOD, "✓"), tally())
    }
}

/// The most names that a list shows before it says how many more there are.
pub(super) const NAMED: usize = 4;
/// The verdicts in the order in which they are counted, each with its colour.
const VERDICTS: [(Verdict, Style); 5] = [
    (Verdict::Supported, GOOD),
    (Verdict::Unsupported, STRONG),
    (Verdict::Wrong, BAD),
    (Verdict::Unknown, OPEN),
    (Verdict::Blocked, BAD),
];

/// What the reader does next when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The suite was run to see where the connector stands.
    Export,
    /// The connector is being exported already.
    Nothing,
}

/// Writes the report.
pub(crate) fn human(report: &Report, about: About<'_>, next: Next) -> String {
    let mut page = Page {
        report,
        about,
        listing: Listing::default(),
    };
    page.headline();
    page.culprits();
    page.stray_shortfalls();
    page.unknown();
    page.not_supported();
    page.sections();
    page.capabilities();
    page.metrics();
    page.left_behind();
    page.next(next);
    page.listing.finish()
}

/// A report on its way to the terminal.
struct Page<'a> {
    report: &'a Report,
    about: About<'a>,
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
        let open = self.total(Verdict::Unknown);
        let line = verdict_line(self.about.name, report.interrupted, open, || self.tally());
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
            paint(STRONG, culprit.template.short_name()),
            accusation(culprit, self.report),
        ));
    }

    fn next(&mut self, next: Next) {
        let report = self.report;
        if report.conclusion() != Conclusion::Fine {
            let tally = self.tally();
            self.listing.gap();
            self.listing.line(tally);
        }
        let name = self.about.name;
        let step = if let Some(culprit) = report.culprits.first() {
            let section = report
                .check(&culprit.check)
                .map(|check| format!(" -m {}", check.info.section.name()))
                .unwrap_or_default();
            let template = culprit.template.short_name();
            let mend = match place(self.about.templates, culprit.template, self.about.base) {
                Some(Place::File(at)) => format!("mend {template} at {at}"),
                Some(Place::Pack(_)) if is_refused(culprit, report) => format!(
                    "spell {template} your own way in the connector's templates.toml, or write `{template} = false` \
                     there to do without it"
                ),
                Some(Place::Pack(_)) | None => {
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
                Next::Export => {
                    self.listing.gap();
                    format!("run `bowline export {name}`")
                }
                Next::Nothing => return,
            }
        };
        self.listing
            .prose(&format!("{} ", paint(HINT, "next:")), "      ", &step);
    }

    /// What to do about the first check that the database left open.
    fn way_out(&self) -> Option<&'static str> {
        self.report
            .checks
            .iter()
            .find_map(|check| match &check.outcome {
                Outcome::Unknown(Doubt::NothingToSee(_))
                    if check.info.section == SuiteSection::Metadata =>
                {
                    Some("see that the database has a table; metadata is judged by what is there")
                }
                Outcome::Unknown(Doubt::Database(error)) => match error.kind {
                    SqlErrorKind::Permission if check.info.section == SuiteSection::Functional => {
                        Some(
                            "let the connector's database user create a table, or name another schema under \
                             `[functional]` in connector.toml, or take that section out",
                        )
                    }
                    SqlErrorKind::Timeout => Some("give statements more time with `--timeout`"),
                    SqlErrorKind::Permission => {
                        Some("let the connector's database user do what was not permitted")
                    }
                    SqlErrorKind::Connection => {
                        Some("see that the database stays up, and run again")
                    }
                    _ => None,
                },
                _ => None,
            })
    }

    /// How many checks have this verdict.
    fn total(&self, verdict: Verdict) -> usize {
        self.report
            .checks
            .iter()
            .filter(|check| check.outcome.verdict() == verdict)
            .count()
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
            plain_counts(|verdict| self.total(verdict)),
            counted(report.checks.len(), "check"),
            report.tier.name(),
            report.elapsed.as_secs_f64()
        )
    }
}

/// How many checks have each verdict that any has, with its colour.
fn totals(count: impl Fn(Verdict) -> usize) -> impl Iterator<Item = (usize, Verdict, Style)> {
    VERDICTS
        .into_iter()
        .map(move |(verdict, style)| (count(verdict), verdict, style))
        .filter(|(count, ..)| *count > 0)
}

/// How many checks have each verdict, for the middle of a line.
pub(super) fn plain_counts(count: impl Fn(Verdict) -> usize) -> String {
    let counts: Vec<String> = totals(count)
        .map(|(count, verdict, _)| format!("{count} {}", verdict.name()))
        .collect();
    counts.join(", ")
}

/// How many checks have each verdict, in colour.
pub(super) fn verdict_counts(count: impl Fn(Verdict) -> usize) -> String {
    let counts: Vec<String> = totals(count)
        .map(|(count, verdict, style)| format!("{} {}", paint(style, count), verdict.name()))
        .collect();
    match counts.as_slice() {
        [] => paint(QUIET, "no checks").to_string(),
        counts => counts.join(", "),
    }
}

/// The first few of many, and how many more there are.
pub(super) fn some(items: &[impl std::fmt::Display], most: usize) -> String {
    let mut shown: Vec<String> = items.iter().take(most).map(ToString::to_string).collect();
    if items.len() > most {
        shown.push(format!("and {} more", items.len() - most));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_say_how_much_is_missing() {
        assert_eq!(some(&["a", "b"], 2), "a, b");
        assert_eq!(some(&["a", "b", "c"], 1), "a, and 2 more");
    }
}
