//! The list of checks, alike for both kinds of report.

use maud::{Markup, html};

use crate::{Milliseconds, Tier, Verdict};

/// A check as the page shows it.
pub(super) struct Check<'a> {
    pub(super) id: &'a str,
    pub(super) section: &'a str,
    pub(super) title: &'a str,
    pub(super) tier: Tier,
    pub(super) verdict: Verdict,
    /// How long its statements took, where that is known.
    pub(super) elapsed: Option<Milliseconds>,
    /// Whether the reader should see it open.
    pub(super) is_open: bool,
    /// What shows when it is opened.
    pub(super) inside: Markup,
}

/// The checks by section, with the search above them.
pub(super) fn list(sections: &[String], checks: &[Check<'_>]) -> Markup {
    html! {
        section #checks {
            h2 { "Checks" }
            div .tools {
                input #search type="search" placeholder="Search checks (press /)" aria-label="Search checks";
                button #unfold type="button" aria-pressed="false" { "Open all" }
                output #shown aria-live="polite" {}
            }
            @for section in sections {
                @let of_section: Vec<&Check<'_>> = checks.iter().filter(|check| check.section == *section).collect();
                @if !of_section.is_empty() {
                    section .checks {
                        h3 { (section) }
                        @for check in of_section { (entry(check)) }
                    }
                }
            }
        }
    }
}

fn entry(check: &Check<'_>) -> Markup {
    html! {
        details .check .strict[check.tier == Tier::Strict] id={ "check-" (check.id) } data-verdict=(check.verdict.name()) open[check.is_open] {
            summary {
                b { (check.verdict.name()) } " " code { (check.id) } " " span { (super::with_code(check.title)) }
                @if let Some(elapsed) = check.elapsed { " " i { (super::time(elapsed)) } }
            }
            div .inside { (check.inside) }
        }
    }
}

/// A link that opens a check.
pub(super) fn link(id: &str) -> Markup {
    html! { a href={ "#check-" (id) } { code { (id) } } }
}

/// One line of text with its label, in as little markup as can be: there are two for every check.
pub(super) fn line(label: &str, text: &str) -> Markup {
    html! { p { (label) ": " code { (text) } } }
}

/// What was expected; what several statements must come to is said by what the check asks.
pub(super) fn expected(text: Option<&str>) -> Markup {
    match text {
        Some(text) => line("expected", text),
        None => html! { p { "expected: as the title says" } },
    }
}

/// Labelled text, for what was expected and what came; the bare line where that is all it takes.
pub(super) fn line_or_block(label: &str, text: &str) -> Markup {
    if text.contains('\n') {
        labelled(label, text)
    } else {
        line(label, text)
    }
}

/// Labelled text in a block of its own.
pub(super) fn labelled(label: &str, text: &str) -> Markup {
    html! { div .labelled { span { (super::with_code(label)) } pre { (text) } } }
}
