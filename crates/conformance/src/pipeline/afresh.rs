//! Whether a connector that was started anew says the same of runs: no call leaves anything behind for the next.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{RunEvent, RunStatus, Window};
use bowline_pipeline::{PageQuery, RunQuery};
use bowline_words::{counted, listed};
use serde_json::{Map, Value as Json};

use super::check;
use super::outcome::Outcome;
use super::prints::{canonical, leave_out};
use super::reading::run_label;
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

/// How many runs that went wrong are asked for, and how many others.
const ASKED: usize = 2;
/// Fewer runs than this may have moved at the vendor.
const FEW: usize = 4;

/// Asks for runs by id, and then for each alone, twice, as the first thing that a connector is asked for. What was the same
/// all the time before and is the same in both tellings after, and another, was left behind by other runs.
pub(super) fn afresh(suite: &mut Suite<'_>, runs: &[RunEvent]) {
    let is_proven = [&check::BY_ID, &check::AGAIN]
        .into_iter()
        .all(|check| suite.verdict(check) == Some(Verdict::Supported));
    if !is_proven || suite.reader.pipeline.methods().is_none() {
        return;
    }
    let asked = chosen(runs);
    let ids: Vec<String> = asked.iter().map(|(id, _)| (*id).to_owned()).collect();
    // A vendor that cannot be asked just now shows nothing.
    let Ok(later) = suite.reader.by_id(&ids) else {
        return;
    };
    let mut lines = Vec::new();
    for (id, before) in asked {
        let Some(later) = find(&later.events, id) else {
            return;
        };
        let mut told = Vec::new();
        for _ in 0..2 {
            let Some(fields) = alone(suite, id) else {
                return;
            };
            told.push(fields);
            if differing(before, &later, &told).is_empty() {
                break;
            }
        }
        let fields = differing(before, &later, &told);
        if !fields.is_empty() {
            let label = run_label(before).unwrap_or_default();
            lines.push(format!(
                "{label} is another where it is the first that is asked for: {}",
                listed(fields)
            ));
        }
    }
    // One may be written anew by the vendor.
    if lines.len() < 2 {
        return;
    }
    let outcome = Outcome::wrong(
        "runs that say the same whatever was asked before",
        format!("{} that say something else", counted(lines.len(), "run")),
    )
    .with_evidence(lines)
    .with_hint("keep nothing of one run for the next: default arguments, fields of a class and caches outlive a call");
    suite.settle(&check::AGAIN, outcome, "");
}

/// Asks for the two halves of a closed stretch, each as the first thing that a connector is asked for. What one process
/// sorts otherwise than another loses runs between their pages, and what was never seen before was kept out by earlier
/// calls. Either is asked for twice.
pub(super) fn pages_afresh(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) {
    let in_the_way = [
        &check::LIMIT,
        &check::PAGES,
        &check::NEIGHBOURS,
        &check::AGAIN,
    ];
    let is_proven = in_the_way
        .into_iter()
        .all(|check| suite.verdict(check) == Some(Verdict::Supported));
    let is_settled =
        |run: &&RunEvent| run.has_ended() && run.event_time().is_some_and(|at| span.contains(at));
    let labels = |runs: &[RunEvent]| -> BTreeSet<String> {
        runs.iter()
            .filter(is_settled)
            .filter_map(run_label)
            .collect()
    };
    let known = labels(runs);
    if !is_proven || known.len() < FEW {
        return;
    }
    let mut odd = [BTreeSet::new(), BTreeSet::new()];
    for _ in 0..2 {
        let Some([first, second]) = halves(suite, span, known.len() / 2) else {
            return;
        };
        let (first, second) = (labels(&first), labels(&second));
        odd = [&first & &second, &(&first | &second) - &known];
        if odd.iter().all(|odd| odd.len() < FEW) {
            return;
        }
    }
    let [twice, new] = odd;
    let (check, expected, hint) = if twice.len() < FEW {
        (
            &check::AGAIN,
            "the same runs whatever was asked before",
            "keep no list from one call for the next: each asks the vendor",
        )
    } else {
        (
            &check::PAGES,
            "pages in an order that does not change between processes",
            "sort by time and id: Python gives what is in a set in another order in each process",
        )
    };
    let told = if twice.len() < FEW { new } else { twice };
    let outcome =
        Outcome::wrong(expected, counted(told.len(), "other run"))
            .with_evidence(told.into_iter().take(SHOWN).map(|label| {
                format!("{label} comes otherwise where the connector was started anew")
            }))
            .with_hint(hint);
    suite.settle(check, outcome, "");
}

/// Asks with keys that the vendor does not know: what it refuses is an error, and not nothing.
pub(super) fn refused(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) {
    let is_proven = suite.verdict(&check::CONNECTS) == Some(Verdict::Supported);
    let id = runs.iter().find_map(|run| run.run_source_id());
    let (Some(methods), Some(id), true) = (suite.reader.pipeline.methods(), id, is_proven) else {
        return;
    };
    if !methods.begin_with_false_keys() {
        return;
    }
    // One that is refused when it logs in does not try again: too many times lock an account.
    if methods.setup_connection().is_err() {
        methods.begin_anew();
        return;
    }
    let page = PageQuery {
        limit: PAGE.get(),
        offset: 0,
    };
    let runs_of = |query| {
        let runs = methods.fetch_run_details(Some(&query), page);
        runs.map(|runs| runs.len())
    };
    let jobs = methods.fetch_metadata(page).map(|jobs| jobs.len());
    let of_window = runs_of(RunQuery::Window(span));
    let by_id = runs_of(RunQuery::Ids(vec![id.to_owned()]));
    let answers = methods.vendor_answers().unwrap_or_default();
    methods.begin_anew();
    // A vendor that lets everybody in refuses nothing, nor does one that says itself that there is nothing. That no run
    // is found by an id is what many connectors say of a vendor's refusal.
    let is_open = [&jobs, &of_window, &by_id]
        .into_iter()
        .any(|given| matches!(given, Ok(1..)));
    let asked = [
        ("fetch_metadata", jobs),
        ("fetch_run_details with a window", of_window),
    ];
    let silent = asked
        .into_iter()
        .filter(|(_, given)| matches!(given, Ok(0)));
    let lines: Vec<String> = silent
        .map(|(method, _)| format!("{method} gives nothing"))
        .collect();
    if lines.is_empty() || is_open || answers.documents.iter().any(holds_nothing) {
        return;
    }
    let got = counted(lines.len(), "empty list");
    let outcome = Outcome::wrong("an error where the vendor does not know the key", got)
        .with_evidence(lines)
        .with_hint("raise what the vendor refuses: an empty list says that there is nothing");
    suite.settle(&check::CONNECTS, outcome, "");
}

/// Whether an answer says that there is nothing somewhere.
fn holds_nothing(answer: &Json) -> bool {
    match answer {
        Json::Null => true,
        Json::Array(items) => items.is_empty() || items.iter().any(holds_nothing),
        Json::Object(fields) => fields.is_empty() || fields.values().any(holds_nothing),
        _ => false,
    }
}

/// The runs of a window up to some place and from there on, each from a connector that was started anew.
fn halves(suite: &mut Suite<'_>, span: Window, place: usize) -> Option<[Vec<RunEvent>; 2]> {
    let methods = suite.reader.pipeline.methods()?;
    let query = RunQuery::Window(span);
    let mut half = |offset, limit| {
        methods.begin_anew();
        let what = format!("runs of {span} from the {offset}th on, as the first");
        let page = PageQuery { limit, offset };
        let read = suite.reader.page(what, methods, Some(&query), page);
        Some(read.ok()?.events)
    };
    Some([half(0, place)?, half(place, PAGE.get())?])
}

/// What a connector that was started anew says of a run.
fn alone(suite: &mut Suite<'_>, id: &str) -> Option<Map<String, Json>> {
    suite.reader.pipeline.methods()?.begin_anew();
    let reading = suite.reader.by_id(&[id.to_owned()]).ok()?;
    find(&reading.events, id)
}

fn find(runs: &[RunEvent], id: &str) -> Option<Map<String, Json>> {
    let run = runs.iter().find(|run| run.run_source_id() == Some(id))?;
    Some(lasting(run))
}

/// What a run says, in an order of its own, but for what a vendor may say otherwise in each answer.
fn lasting(run: &RunEvent) -> Map<String, Json> {
    let mut said = canonical(run.json());
    let passing = [
        "attributes",
        "properties",
        "run_url",
        "triggered_by_run_source_id",
    ];
    leave_out(&mut said, &passing);
    said.as_object().cloned().unwrap_or_default()
}

/// The fields that were the same in both tellings before, and are the same in those after, and others.
fn differing(
    before: &RunEvent,
    later: &Map<String, Json>,
    told: &[Map<String, Json>],
) -> BTreeSet<String> {
    let before = lasting(before);
    let Some(first) = told.first() else {
        return BTreeSet::new();
    };
    let names = before.keys().chain(first.keys());
    names
        .filter(|name| {
            let (name, now) = (name.as_str(), first.get(name.as_str()));
            before.get(name) == later.get(name)
                && before.get(name) != now
                && told.iter().all(|one| one.get(name) == now)
        })
        .cloned()
        .collect()
}

/// Runs that have ended, of different jobs, from the midst of their jobs' runs: those that went wrong, and others. The first
/// one of a reading is what others are taken for.
fn chosen(runs: &[RunEvent]) -> Vec<(&str, &RunEvent)> {
    let is_ill = |run: &RunEvent| run.status().is_some_and(RunStatus::needs_error);
    let mut jobs = BTreeSet::new();
    let mut asked = Vec::new();
    for ill in [true, false] {
        let of_kind: Vec<&RunEvent> = runs
            .iter()
            .filter(|run| run.has_ended() && is_ill(run) == ill)
            .collect();
        let (early, late) = of_kind.split_at(of_kind.len() / 2);
        let found = late.iter().chain(early.iter().rev()).filter_map(|run| {
            let id = run.run_source_id()?;
            jobs.insert(run.job_source_id()).then_some((id, *run))
        });
        asked.extend(found.take(ASKED));
    }
    asked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::run;

    #[test]
    fn what_stands_still_before_and_after_and_differs_was_left_behind() {
        let of = |owner: &str, url: &str| {
            let pairs = json!([{"key": "seen", "value": url}]);
            let mut tasks =
                [owner, "a"].map(|task| json!({"task_source_id": task, "outputs": ["x", "y"]}));
            if url == "c" {
                tasks.reverse();
                tasks
                    .iter_mut()
                    .for_each(|task| task["outputs"] = json!(["y", "x"]));
            }
            run(
                "r",
                1,
                json!({"task_runs": tasks, "run_url": url, "properties": pairs}),
            )
        };
        let told = |before: &str, later: &str, after: [&str; 2]| {
            let after = after.map(|owner| lasting(&of(owner, "c")));
            differing(&of(before, "a"), &lasting(&of(later, "b")), &after)
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(told("ada", "ada", ["bob", "bob"]), ["task_runs"]);
        assert_eq!(told("ada", "ada", ["ada", "ada"]), [""; 0]);
        assert_eq!(told("ada", "bob", ["bob", "bob"]), [""; 0], "it changed");
        assert_eq!(told("ada", "ada", ["bob", "cy"]), [""; 0], "always new");
    }

    #[test]
    fn an_empty_list_anywhere_in_an_answer_says_that_there_is_nothing() {
        for answer in [
            json!(null),
            json!([]),
            json!({}),
            json!({"page": 1, "runs": []}),
            json!([{"runs": [1]}, {"runs": null}]),
        ] {
            assert!(holds_nothing(&answer), "{answer}");
        }
        for answer in [
            json!("denied"),
            json!({"error": {"code": 0, "text": ""}}),
            json!([[1], [2]]),
        ] {
            assert!(!holds_nothing(&answer), "{answer}");
        }
    }
}
