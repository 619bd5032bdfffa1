//! What is said about a collection.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bowline_collect::{Collected, FailedWindow, Parts, Tally, Verification};
use bowline_contract::pipeline::Window;
use bowline_words::{counted, visible};
use jiff::{SignedDuration, Timestamp};

use crate::style::{BAD, GOOD, HINT, OPEN, QUIET, paint};

/// How many words of a vendor's are listed.
const MOST_LISTED: usize = 10;

/// Dead letters that nobody has retried or discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outstanding {
    /// How many there are.
    pub(super) all: usize,
    /// How many are in the file.
    pub(super) in_file: usize,
    /// How many became such just now.
    pub(super) fresh: usize,
}

/// What is said about dead letters; nothing when there are none.
pub(super) fn outstanding(outstanding: Outstanding, file: &Path) -> Option<String> {
    let Outstanding {
        all,
        in_file,
        fresh,
    } = outstanding;
    if all == 0 {
        return None;
    }
    let mut text = format!(
        "{} {} not delivered",
        paint(BAD, "✗"),
        counted(all, "dead letter")
    );
    if fresh < all {
        let _ = write!(text, ", {} from before", all - fresh);
    }
    let _ = write!(text, ", in `{}`", file.display());
    if in_file < all {
        let _ = write!(text, "; {} no longer there", all - in_file);
    }
    let _ = write!(
        text,
        "\n{} deliver them with `bowline collect retry`, or give them up with `bowline collect discard`",
        paint(HINT, "hint:")
    );
    Some(text)
}

/// Which windows could not be read and are asked for again; nothing when there are none.
pub(super) fn failed_windows(failed: &[FailedWindow]) -> Option<String> {
    if failed.is_empty() {
        return None;
    }
    let mut text = format!(
        "{} {} not collected, asked for again by the next collection",
        paint(BAD, "✗"),
        counted(failed.len(), "window"),
    );
    for failed in failed.iter().take(MOST_LISTED) {
        let _ = write!(
            text,
            "\n  {}, tried {}: {}",
            failed.window(),
            counted(failed.tries() as usize, "time"),
            visible(failed.reason().lines().next().unwrap_or_default())
        );
    }
    Some(text)
}

/// What a comparison came to, in lines for people.
pub(super) fn verification(found: &Verification, window: Window) -> String {
    let sign = if found.is_whole() {
        paint(GOOD, "✓")
    } else {
        paint(BAD, "✗")
    };
    let mut text = format!(
        "{sign} {window}: {} at the vendor, {} delivered\n",
        counted(found.shown, "run"),
        found.delivered
    );
    for (group, words) in [
        (&found.lost, "delivered and no longer in the output"),
        (&found.missed, "never collected"),
        (&found.given_up, "given up"),
    ] {
        if group.count > 0 {
            let ids: Vec<String> = group
                .examples
                .iter()
                .map(|id| format!("`{}`", visible(id)))
                .collect();
            let more = if group.count > ids.len() { ", …" } else { "" };
            let _ = writeln!(
                text,
                "  {} {} {words}: {}{more}",
                paint(BAD, "✗"),
                group.count,
                ids.join(", ")
            );
        }
    }
    if found.changed > 0 {
        let _ = writeln!(
            text,
            "  {} changed since they were delivered",
            found.changed
        );
    }
    text
}

/// What is collected, in words.
pub(super) const fn parts(parts: Parts) -> &'static str {
    match parts {
        Parts::All => "metadata and runs",
        Parts::Metadata => "metadata",
        Parts::Runs => "runs",
    }
}

/// That the vendor's clock is so far ahead of ours.
pub(super) fn clocks_apart(ahead: SignedDuration, until: Option<Timestamp>) -> String {
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    format!(
        "{} the vendor's clock is {:#} {side} ours{}",
        paint(OPEN, "!"),
        SignedDuration::from_secs(ahead.abs().as_secs()),
        read_again(until)
    )
}

/// That our clock was set by so much while a window was read.
pub(super) fn clock_set(stepped: SignedDuration, until: Option<Timestamp>) -> String {
    let way = if stepped.is_negative() {
        "back"
    } else {
        "forward"
    };
    format!(
        "{} our clock was set {way} by {:#} meanwhile{}",
        paint(OPEN, "!"),
        SignedDuration::from_secs(stepped.abs().as_secs()),
        read_again(until)
    )
}

fn read_again(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| {
        format!("; what is later than {until} is read again")
    })
}

/// What was collected, in lines for people.
pub(super) fn report(collected: &Collected, what: &str, took: Duration) -> String {
    let requests: u64 = readings(collected).map(|reading| reading.requests).sum();
    let mut text = format!(
        "{} {what}: {} {}\n",
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
            "  {} {}; the first: {}",
            paint(BAD, "✗"),
            counted(collected.dead(), "new dead letter"),
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
            .map(|(word, count)| format!("`{}` ({count})", visible(&word.replace('\n', "\\n"))))
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
            ..Collected::default()
        };
        let text = report(&collected, "the window", Duration::from_millis(1240));
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "✗ the window: 0 jobs and 5 runs (5 requests, 1.2 s)\n  \
             no jobs: the vendor gave no records\n  \
             runs besides: 3 outside the window\n  \
             ! statuses that manifest.json does not map, sent as `unknown`: `weird` (2), `odd` (1)\n  \
             ! a list changed\n  \
             ✗ 1 new dead letter; the first: `status`: required, but missing\n"
        );
    }

    #[test]
    fn dead_letters_from_before_are_told_too() {
        let told = |all, in_file, fresh| {
            let letters = Outstanding {
                all,
                in_file,
                fresh,
            };
            let text = outstanding(letters, Path::new("dead.jsonl"))?;
            let text = anstream::adapter::strip_str(&text).to_string();
            text.lines().next().map(str::to_owned)
        };
        assert_eq!(told(0, 0, 0), None);
        assert_eq!(
            told(2, 2, 2).unwrap(),
            "✗ 2 dead letters not delivered, in `dead.jsonl`"
        );
        assert_eq!(
            told(3, 1, 1).unwrap(),
            "✗ 3 dead letters not delivered, 2 from before, in `dead.jsonl`; 2 no longer there"
        );
    }
}
