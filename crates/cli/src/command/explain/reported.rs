//! Pages about what a report names beside templates: metrics, capabilities and checks.

use std::fmt::Display;

use bowline_conformance::warehouse::{self, Check};
use bowline_contract::{Capability, Formula, Metric, Template};
use bowline_words::listed;

use crate::listing::Listing;
use crate::style::{QUIET, STRONG, paint};

/// The metrics and capabilities, which have such a page.
pub(super) fn names() -> Vec<String> {
    let metrics = Metric::all().iter().map(|metric| metric.name.to_owned());
    let capabilities = Capability::ALL.iter().map(|each| each.name().to_owned());
    metrics.chain(capabilities).collect()
}

/// The checks, which have one too.
pub(super) fn checks() -> Vec<String> {
    let checks = warehouse::checks();
    checks.iter().map(|check| check.id.to_string()).collect()
}

/// The page about a metric, a capability or a check of that name.
pub(super) fn page(name: &str) -> Option<String> {
    let checks = warehouse::checks();
    if let Some(metric) = Metric::find(name) {
        Some(metric_page(metric))
    } else if let Some(capability) = Capability::from_name(name) {
        Some(capability_page(capability, &checks))
    } else {
        let check = checks.iter().find(|check| check.id.as_str() == name)?;
        Some(check_page(check))
    }
}

pub(super) fn begin(name: &str, what: impl Display, about: &str) -> Listing {
    let mut page = Listing::default();
    page.line(format!("{}  {}", paint(STRONG, name), paint(QUIET, what)));
    page.gap();
    page.prose("  ", "  ", about);
    page
}

fn metric_page(metric: &Metric) -> String {
    let mut page = begin(metric.name, "a metric", metric.description);
    let definition = metric.definition();
    page.heading("How it is computed");
    let formula = definition.formula.written();
    let (over, unit) = (definition.over, definition.unit);
    page.terms([
        ("over", over.description()),
        ("in", unit.description()),
        ("formula", formula.as_str()),
        (
            "missing",
            match definition.formula {
                Formula::ShareOfRows(_) => "rows whose value is missing count among all rows",
                Formula::Aggregate(_) | Formula::ShareOfValues(_) => {
                    "rows whose value is missing do not count"
                }
            },
        ),
    ]);
    if let Some(neighbour) = metric.neighbour() {
        page.gap();
        page.prose("  ", "  ", &format!("See also `{}`.", neighbour.name));
    }
    page.gap();
    page.prose(
        "  ",
        "  ",
        "The contract gives the name and the templates; the formula is what `bowline profile` computes by them.",
    );
    page.heading("Templates it is computed with");
    let templates: Vec<&Template> = metric.tested_templates().collect();
    page.terms(
        templates
            .iter()
            .map(|template| (template.short_name(), template.description)),
    );
    page.gap();
    page.prose(
        "  ",
        "  ",
        "It is exported as supported when every check that judges these templates passes, and its own number over known rows \
         is right (`bowline test`, the check of its name in `ql_metrics`).",
    );
    page.finish()
}

fn capability_page(capability: Capability, checks: &[Check]) -> String {
    let mut page = begin(capability.name(), "a capability", capability.description());
    page.heading("Checks that carry it");
    page.terms(
        checks
            .iter()
            .filter(|check| check.carries.contains(&capability))
            .map(|check| (check.id.as_str(), check.title.as_str())),
    );
    page.finish()
}

fn check_page(check: &Check) -> String {
    let what = format!("a check of the tier {}", check.tier.name());
    let mut page = begin(check.id.as_str(), what, &check.title);
    page.heading("What hangs on it");
    page.field("section", check.section.name());
    if !check.judges.is_empty() {
        let judged = check.judges.iter().map(|template| template.short_name());
        page.field("judges", &listed(judged));
    }
    if !check.carries.is_empty() {
        page.field("carries", &listed(&check.carries));
    }
    page.gap();
    page.line(paint(
        QUIET,
        format!("  `bowline test -m {}` asks it", check.section.name()),
    ));
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_report_names_has_a_page() {
        for name in names() {
            let page = page(&name).unwrap_or_else(|| panic!("{name}"));
            assert!(page.contains(&name), "{page}");
        }
        assert_eq!(page("nothing"), None);
    }
}
