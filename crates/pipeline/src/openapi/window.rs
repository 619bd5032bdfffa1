//! Parameters that bound a list of runs in time.

use super::document::Document;
use super::endpoint::{ListEndpoint, Parameter, folded};

/// What a lower bound is called, and the upper bound that goes with it: beginnings, ends or whole names.
const BOUNDS: [(&str, &str); 12] = [
    ("after", "before"),
    ("since", "until"),
    ("gte", "lt"),
    ("gte", "lte"),
    ("gt", "lt"),
    ("ge", "le"),
    ("from", "to"),
    ("min", "max"),
    ("start", "end"),
    ("begin", "end"),
    ("newer", "older"),
    ("lower", "upper"),
];
/// What says that a time is about when a run ended or changed, which is what a window is about.
const ABOUT_THE_END: [&str; 6] = ["end", "finish", "complet", "updat", "modif", "stop"];
/// By how many seconds a run may begin before the window that it ends in, where a list knows only when runs began.
const LONGEST_RUN: i64 = 2 * 86_400;
/// What says that a parameter is a time.
const TIMES: [&str; 8] = [
    "time", "date", "since", "until", "after", "before", "_at", "At",
];

/// The parameters that bound a window, and what to send for them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProposedWindow {
    pub(super) start: Option<(String, String)>,
    pub(super) end: Option<(String, String)>,
}

impl ProposedWindow {
    /// The pair of bounds that fits best; nothing without a lower bound.
    pub(super) fn of(document: &Document, list: &ListEndpoint<'_>) -> Self {
        let times: Vec<&Parameter<'_>> = list
            .parameters
            .iter()
            .filter(|parameter| is_time(document, parameter))
            .collect();
        let mut best: Option<(usize, &Parameter<'_>, Option<&Parameter<'_>>, bool)> = None;
        for (rank, (lower, upper)) in BOUNDS.iter().enumerate() {
            for start in &times {
                let Some(stem) = without(&start.name, lower) else {
                    continue;
                };
                let end = times
                    .iter()
                    .find(|end| without(&end.name, upper).as_deref() == Some(stem.as_str()));
                let about_end = ABOUT_THE_END.iter().any(|word| stem.contains(word));
                let rank =
                    rank + if end.is_some() { 0 } else { 50 } + if about_end { 0 } else { 20 };
                if best.is_none_or(|(known, ..)| rank < known) {
                    best = Some((rank, start, end.copied(), about_end));
                }
            }
        }
        let value = |parameter: &Parameter<'_>, bound: &str, earlier: i64| {
            let number = matches!(document.kind(parameter.schema), "integer" | "number");
            let millis = parameter.description.to_lowercase().contains("milli");
            let text = match (number, millis, earlier) {
                (false, _, 0) => format!("window.{bound}"),
                (false, _, _) => format!("((window.{bound} | epoch) - {earlier}) | time"),
                (true, false, 0) => format!("window.{bound} | epoch"),
                (true, false, _) => format!("(window.{bound} | epoch) - {earlier}"),
                (true, true, 0) => format!("window.{bound} | epoch_ms"),
                (true, true, _) => format!("(window.{bound} | epoch_ms) - {}", earlier * 1000),
            };
            (parameter.name.to_string(), format!("{{{{ {text} }}}}"))
        };
        Self {
            start: best.map(|(_, start, _, about_end)| {
                value(start, "start", if about_end { 0 } else { LONGEST_RUN })
            }),
            end: best.and_then(|(_, _, end, _)| Some(value(end?, "end", 0))),
        }
    }
}

fn is_time(document: &Document, parameter: &Parameter<'_>) -> bool {
    let formatted = matches!(parameter.schema["format"].as_str(), Some("date-time"));
    let named = TIMES.iter().any(|word| parameter.name.contains(word));
    let kind = document.kind(parameter.schema);
    formatted
        || (named
            && matches!(kind, "string" | "integer" | "number")
            && parameter.schema.get("enum").is_none())
}

/// What is left of a name without a word at its beginning or its end; the word alone leaves nothing.
fn without(name: &str, word: &str) -> Option<String> {
    let name = folded(name);
    let stem = name
        .strip_suffix(word)
        .or_else(|| name.strip_prefix(word))?;
    Some(stem.to_owned())
}
