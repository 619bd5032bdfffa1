//! What is said about a collection.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bowline_collect::{Collected, Tally};
use bowline_contract::pipeline::Window;
use bowline_words::counted;

use crate::output::visible;
use crate::style::{BAD, GOOD, OPEN, QUIET, paint};

/// How many words of a vendor's are listed.
const MOST_LISTED: usize = 10;

/// What a window came to, in lines for people.
pub(super) fn report(
    collected: &Collected,
    window: Window,
    took: Duration,
    dead_letters: &Path,
) -> String {
    let requests: u64 = readings(collected).map(|reading| reading.requests).sum();
    let mut text = format!(
        "{} {window}: {} {}\n",
        match collected.dead() {
            0 => paint(GOOD, "✓"),
            _ => paint(BAD, "✗"),
        },
        progress(collected),
        paint(
            QUIET,
            format!(
                "({}, {:.1} s)",
                counted(requests, "request"),
                took.as_secs_f64()
            )
        ),
    );
    for (tally, what) in [(&collected.assets, "jobs"), (&collected.runs, "runs")] {
        tell(tally, what, &mut text);
    }
    if collected.dead() > 0 {
        let first = [&collected.assets, &collected.runs]
            .into_iter()
            .find_map(|tally| tally.first_problem.as_deref())
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {} {} in `{}`; the first: {}",
            paint(BAD, "✗"),
            counted(collected.dead(), "dead letter"),
            dead_letters.display(),
            visible(first),
        );
    }
    text
}

/// How much was delivered so far.
pub(super) fn progress(collected: &Collected) -> String {
    let parts: Vec<String> = [(&collected.assets, "job"), (&collected.runs, "run")]
        .into_iter()
        .filter(|(tally, _)| tally.reading.is_some() || tally.delivered > 0)
        .map(|(tally, what)| counted(tally.delivered, what))
        .collect();
    parts.join(" and ")
}

fn readings(collected: &Collected) -> impl Iterator<Item = &bowline_pipeline::Summary> {
    [&collected.assets, &collected.runs]
        .into_iter()
        .filter_map(|tally| tally.reading.as_ref())
}

/// Whatever is not as smooth as it could be with the events of a kind.
fn tell(tally: &Tally, what: &str, text: &mut String) {
    let Some(reading) = &tally.reading else {
        return;
    };
    match tally.why_nothing() {
        Some(why) => {
            let _ = writeln!(text, "  no {what}: {why}");
        }
        None => {
            let besides: Vec<String> = [
                (reading.outside, "outside the window"),
                (reading.passed_over, "left out by `when`"),
                (reading.repeated, "repeated"),
                (tally.before, "delivered before"),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
            if !besides.is_empty() {
                let _ = writeln!(text, "  {what} besides: {}", besides.join(", "));
            }
        }
    }
    if !reading.unmapped.is_empty() {
        let mut words: Vec<(&String, &usize)> = reading.unmapped.iter().collect();
        words.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), *word));
        let more = words.len().saturating_sub(MOST_LISTED);
        let mut listed: Vec<String> = words
            .into_iter()
            .take(MOST_LISTED)
            .map(|(word, count)| format!("`{}` ({count})", visible(word)))
            .collect();
        if more > 0 {
            listed.push(format!("{more} more"));
        }
        let _ = writeln!(
            text,
            "  {} statuses that manifest.json does not map, sent as `unknown`: {}",
            paint(OPEN, "!"),
            listed.join(", ")
        );
    }
    for note in &reading.notes {
        let _ = writeln!(text, "  {} {}", paint(OPEN, "!"), visible(note));
    }
}

#[cfg(test)]
mod tests {
    use bowline_pipeline::Summary;

    use super::*;

    #[test]
    fn everything_worth_knowing_is_told() {
        let collected = Collected {
            assets: Tally {
                reading: Some(Summary {
                    requests: 1,
                    ..Summary::default()
                }),
                ..Tally::default()
            },
            runs: Tally {
                reading: Some(Summary {
                    records: 9,
                    outside: 3,
                    requests: 4,
                    unmapped: [("odd".to_owned(), 1), ("weird".to_owned(), 2)].into(),
                    notes: vec!["a list changed".to_owned()],
                    ..Summary::default()
                }),
                delivered: 5,
                invalid: 1,
                first_problem: Some("`status`: required, but missing".to_owned()),
                ..Tally::default()
            },
        };
        let window = Window {
            start: "2026-11-22T10:00:00Z".parse().unwrap(),
            end: "2026-11-22T11:00:00Z".parse().unwrap(),
        };
        let text = report(
            &collected,
            window,
            Duration::from_millis(1240),
            Path::new("dead.jsonl"),
        );
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "✗ [2026-11-22T10:00:00Z, 2026-11-22T11:00:00Z): 0 jobs and 5 runs (5 requests, 1.2 s)\n  \
             no jobs: the vendor gave no records\n  \
             runs besides: 3 outside the window\n  \
             ! statuses that manifest.json does not map, sent as `unknown`: `weird` (2), `odd` (1)\n  \
             ! a list changed\n  \
             ✗ 1 dead letter in `dead.jsonl`; the first: `status`: required, but missing\n"
        );
    }
}
