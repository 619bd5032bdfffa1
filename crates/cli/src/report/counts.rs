//! What both reports for people count, and how they say it.

use anstyle::Style;
use bowline_report::{Summary, Verdict};
use bowline_words::counted;

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

fn colour(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Supported => GOOD,
        Verdict::Unsupported => STRONG,
        Verdict::Wrong | Verdict::Blocked => BAD,
        Verdict::Unknown => OPEN,
    }
}

/// How many checks have each verdict that any has, with its colour.
fn totals(summary: &Summary) -> impl Iterator<Item = (usize, Verdict, Style)> {
    Verdict::ALL
        .into_iter()
        .map(|verdict| (summary.count(verdict), verdict, colour(verdict)))
        .filter(|(count, ..)| *count > 0)
}

/// How many checks have each verdict, for the middle of a line.
pub(super) fn plain_counts(summary: &Summary) -> String {
    let counts: Vec<String> = totals(summary)
        .map(|(count, verdict, _)| format!("{count} {}", verdict.name()))
        .collect();
    counts.join(", ")
}

/// How many checks have each verdict, in colour.
pub(super) fn verdict_counts(summary: &Summary) -> String {
    let counts: Vec<String> = totals(summary)
        .map(|(count, verdict, style)| format!("{} {}", paint(style, count), verdict.name()))
        .collect();
    match counts.as_slice() {
        [] => paint(QUIET, "no checks").to_string(),
        counts => counts.join(", "),
    }
}

/// Lists what is not wrong and worth a word; what several checks say is said once.
pub(super) fn advice<'a>(listing: &mut Listing, advice: impl Iterator<Item = &'a String>) {
    let mut said: Vec<&String> = Vec::new();
    for words in advice {
        if !said.contains(&words) {
            said.push(words);
        }
    }
    if said.is_empty() {
        return;
    }
    listing.heading("Advice");
    for words in said {
        let first = format!("  {} ", paint(HINT, "!"));
        listing.prose(&first, "    ", words);
    }
}

/// The first few of many, and how many more there are.
pub(crate) fn some(items: &[impl std::fmt::Display], most: usize) -> String {
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
