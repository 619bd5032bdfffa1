//! Runs of long ago: whether a wide window has them, and whether they come by their ids, whatever was read before.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{RunEvent, Window};
use bowline_words::counted;
use jiff::SignedDuration;

use super::check;
use super::outcome::Outcome;
use super::reading::{Reading, run_label};
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

/// How far back somebody may look who looks at the last day only, and a little more.
const DAY_AND_MORE: SignedDuration = SignedDuration::from_hours(26);
/// How often a window twice as wide as a first look, or as a day, may hold what the first look did.
const MOST_TIMES: i64 = 6;
/// The part of such a window that is read by itself: dividing it by this.
const PART: i32 = 8;

/// Reads the beginning of a wider window than the first look's, by itself and within it, and asks for one of its runs by
/// id. Where the first look went back as far as there is to look, it has shown this already.
pub(super) fn older(suite: &mut Suite<'_>, look: Window) {
    let length = look.end.duration_since(look.start);
    let reach = (length * 2).max(DAY_AND_MORE);
    let start = look.end.saturating_sub(reach).unwrap_or(look.start);
    let wide = Window {
        start: start.max(suite.window.start),
        end: look.end,
    };
    if wide.start >= look.start || reach.as_secs() > length.as_secs().saturating_mul(MOST_TIMES) {
        return;
    }
    let part = Window {
        start: wide.start,
        end: wide.start
            + (look.start.duration_since(wide.start) / PART).max(SignedDuration::from_secs(1)),
    };
    let ended = |suite: &mut Suite<'_>, span: Window| -> Option<Vec<RunEvent>> {
        let reading = suite.reader.runs(span, PAGE).ok();
        let runs = reading
            .filter(Reading::is_whole)?
            .events
            .into_iter()
            .filter(|run| run.has_ended() && run.event_time().is_some_and(|at| part.contains(at)));
        Some(runs.collect())
    };
    let (Some(before), Some(within), Some(after)) =
        (ended(suite, part), ended(suite, wide), ended(suite, part))
    else {
        return;
    };
    let labels =
        |runs: &[RunEvent]| -> BTreeSet<String> { runs.iter().filter_map(run_label).collect() };
    let lasting = &labels(&before) & &labels(&after);
    let lost = &lasting - &labels(&within);
    if !lost.is_empty() && suite.verdict(&check::NEIGHBOURS) == Some(Verdict::Supported) {
        let outcome =
            Outcome::wrong(
                "every run of a window in a wider one",
                format!("{} lost", counted(lost.len(), "run")),
            )
            .with_evidence(lost.into_iter().take(SHOWN).map(|label| {
                format!("{label} is among runs of {part}, and not among those of {wide}")
            }))
            .with_hint("read the whole window, in as many requests as it takes");
        suite.settle(&check::NEIGHBOURS, outcome, "");
    }
    let mut lasting_runs = before
        .iter()
        .filter(|run| run_label(run).is_some_and(|label| lasting.contains(&label)));
    let Some(id) = lasting_runs.find_map(RunEvent::run_source_id) else {
        return;
    };
    if suite.verdict(&check::BY_ID) != Some(Verdict::Supported) {
        return;
    }
    // A vendor that cannot be asked just now shows nothing.
    if let Ok(reading) = suite.reader.by_id(&[id.to_owned()])
        && reading.events.is_empty()
        && reading.is_whole()
    {
        let outcome = Outcome::wrong("runs of long ago, too", "no run")
            .with_evidence([format!(
                "run `{id}` is among those of {part}, and does not come by its id"
            )])
            .with_hint("ask the vendor for the run by its id, and not for those of the last time");
        suite.settle(&check::BY_ID, outcome, "");
    }
}

/// Asks for a run by its id after another window than its own was read, and after its own.
pub(super) fn remembered(suite: &mut Suite<'_>, look: Window, runs: &[RunEvent]) {
    let ended = runs.iter().filter(|run| run.has_ended());
    let Some((at, id)) = ended
        .filter_map(|run| Some((run.event_time()?, run.run_source_id()?)))
        .max()
    else {
        return;
    };
    let away = Window {
        start: look.start,
        end: look.start + at.duration_since(look.start) / PART,
    };
    if away.start >= away.end || suite.verdict(&check::BY_ID) != Some(Verdict::Supported) {
        return;
    }
    let ids = [id.to_owned()];
    let comes_after = |suite: &mut Suite<'_>, span: Window| {
        suite.reader.runs(span, PAGE).ok()?;
        let reading = suite.reader.by_id(&ids).ok().filter(Reading::is_whole)?;
        Some(!reading.events.is_empty())
    };
    if comes_after(suite, away) == Some(false) && comes_after(suite, look) == Some(true) {
        let outcome = Outcome::wrong("runs by their ids, whatever was read before", "no run")
            .with_evidence([format!(
                "run `{id}` comes by its id only when its window was read last"
            )])
            .with_hint("ask the vendor for the run by its id: a webhook may come before any window is read");
        suite.settle(&check::BY_ID, outcome, "");
    }
}
