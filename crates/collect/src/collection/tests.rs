use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent, Window};
use bowline_durable::RealDisk;
use bowline_pipeline::SourceErrorKind;
use serde_json::{Value as Json, json};

use super::*;
use crate::error::{PushError, PushErrorKind};
use crate::event::Format;
use crate::sink::Refused;
use crate::state::State;

const MANIFEST: &str = r#"{
    "connection_type": "custom-etl-connector-abc1234",
    "connection_name": "Test",
    "asset_class": "etl",
    "run_status_mapping": {"done": "success"}
}"#;

/// A pipeline of so many jobs and runs.
pub(super) struct Fake {
    manifest: PipelineManifest,
    assets: Vec<Json>,
    pub(super) runs: Vec<Json>,
    /// Runs that came again as they stood later.
    newer: Vec<Json>,
    /// Why something may be missing.
    incomplete: Vec<String>,
    /// After so many events the vendor fails.
    pub(super) breaks_off: Option<usize>,
    handed_on: AtomicUsize,
    cancelled: AtomicBool,
}

impl Fake {
    pub(super) fn new(assets: usize, runs: usize) -> Self {
        let id = |index: usize| format!("job-{index}");
        Self {
            manifest: PipelineManifest::parse(MANIFEST).unwrap(),
            assets: (0..assets)
                .map(|index| json!({"job_source_id": id(index), "name": "A job"}))
                .collect(),
            runs: (0..runs).map(run).collect(),
            newer: Vec::new(),
            incomplete: Vec::new(),
            breaks_off: None,
            handed_on: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
        }
    }

    fn hand_on<E: From<Json>>(
        &self,
        events: &[Json],
        on_event: &mut dyn FnMut(E),
    ) -> Result<Summary, SourceError> {
        for (index, event) in events.iter().enumerate() {
            if self.breaks_off == Some(index) {
                return Err(SourceError::new(SourceErrorKind::Vendor, "the reading"));
            }
            if self.cancelled.load(Ordering::SeqCst) {
                let kind = SourceErrorKind::Cancelled;
                return Err(SourceError::new(kind, "the reading"));
            }
            self.handed_on.fetch_add(1, Ordering::SeqCst);
            on_event(event.clone().into());
        }
        Ok(Summary {
            records: events.len(),
            events: events.len(),
            ..Summary::default()
        })
    }
}

fn run(index: usize) -> Json {
    json!({
        "job_source_id": "job", "run_source_id": format!("run-{index}"), "status": "success",
        "event_time": "2026-11-22T10:00:00Z", "end_time": "2026-11-22T10:00:00Z",
    })
}

impl Pipeline for Fake {
    fn manifest(&self) -> &PipelineManifest {
        &self.manifest
    }

    fn check(&self) -> Result<Json, SourceError> {
        Ok(Json::Null)
    }

    fn assets(
        &self,
        _now: Timestamp,
        _page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<Summary, SourceError> {
        self.hand_on(&self.assets, on_event)
    }

    fn runs(
        &self,
        _query: &RunQuery,
        _page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<Summary, SourceError> {
        let newer = self.newer.iter().cloned().map(RunEvent::new).collect();
        let summary = self.hand_on(&self.runs, on_event)?;
        Ok(Summary {
            newer,
            incomplete: self.incomplete.clone(),
            ..summary
        })
    }

    fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }
}

/// A sink that keeps what it is given.
#[derive(Default)]
struct Kept {
    batches: Vec<(Kind, usize)>,
    events: Vec<Event>,
    /// Events whose text holds this are refused.
    refuses: Option<&'static str>,
    /// How many batches it takes before it fails.
    fails_after: Option<usize>,
    on_deliver: Option<Box<dyn Fn(usize)>>,
}

impl Sink for Kept {
    fn deliver(&mut self, kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError> {
        if self.fails_after == Some(self.batches.len()) {
            return Err(CollectError::Push(PushError::new(
                PushErrorKind::Failing,
                "it",
            )));
        }
        if let Some(on_deliver) = &self.on_deliver {
            on_deliver(self.events.len());
        }
        self.batches.push((kind, events.len()));
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if self.refuses.is_some_and(|word| event.text.contains(word)) {
                let reason = "no".to_owned();
                refused.push(Refused { index, reason });
            } else {
                self.events.push(event.clone());
            }
        }
        Ok(refused)
    }
}

struct Setup {
    dir: tempfile::TempDir,
    window: Window,
}

impl Setup {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            window: Window {
                start: "2026-11-22T10:00:00Z".parse().unwrap(),
                end: "2026-11-22T11:00:00Z".parse().unwrap(),
            },
        }
    }

    fn collect(&self, fake: &Fake, sink: &mut Kept) -> Result<Collected, CollectError> {
        let mut state = State::open(self.dir.path(), &["a test"]).unwrap();
        let mut ledger = state.begin(self.window).unwrap();
        let path = self.dir.path().join("dead.jsonl");
        let mut dead = DeadLetters::new(Arc::new(RealDisk), &path, Some(self.window));
        let collection = Collection {
            pipeline: fake,
            runs: RunQuery::Window(self.window),
            jobs: None,
            now: self.window.end,
            parts: Parts::All,
            encoder: &Encoder::new("custom-etl-connector-abc1234", Format::Lines),
        };
        collection.run(sink, &mut ledger, &mut dead, &mut |_| ())
    }

    fn dead(&self) -> Vec<Json> {
        let text = std::fs::read_to_string(self.dir.path().join("dead.jsonl")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[test]
fn everything_is_delivered_in_batches_of_one_kind() {
    let mut sink = Kept::default();
    let collected = Setup::new()
        .collect(&Fake::new(30, 250), &mut sink)
        .unwrap();
    assert_eq!(
        sink.batches,
        [
            (Kind::Asset, 30),
            (Kind::Run, 100),
            (Kind::Run, 100),
            (Kind::Run, 50)
        ]
    );
    assert_eq!(
        (collected.assets.delivered, collected.runs.delivered),
        (30, 250)
    );
    assert_eq!(collected.runs.reading.unwrap().events, 250);
}

#[test]
fn a_run_that_stood_otherwise_later_is_delivered_as_it_stood_last() {
    let mut fake = Fake::new(0, 2);
    fake.newer = vec![run(0)];
    fake.newer[0]["event_time"] = json!("2026-11-22T10:30:00Z");
    let (setup, mut sink) = (Setup::new(), Kept::default());
    let collected = setup.collect(&fake, &mut sink).unwrap();
    assert_eq!(collected.runs.delivered, 3);
    let last = sink.events.last().unwrap();
    assert!(last.text.contains("run-0") && last.text.contains("10:30:00"));
    // And once only.
    assert_eq!(setup.collect(&fake, &mut sink).unwrap().runs.before, 3);
}

#[test]
fn large_events_make_small_batches() {
    let mut fake = Fake::new(0, 4);
    for run in &mut fake.runs {
        run["attributes"] = json!({"text": "x".repeat(BATCH_BYTES)});
    }
    let mut sink = Kept::default();
    Setup::new().collect(&fake, &mut sink).unwrap();
    assert_eq!(sink.batches, [(Kind::Run, 1); 4]);
}

#[test]
fn records_that_nothing_could_be_made_of_are_one_dead_letter_where_they_are_alike() {
    let mut fake = Fake::new(0, 4);
    for run in &mut fake.runs[1..] {
        *run = json!({"status": "success"});
    }
    let (setup, mut sink) = (Setup::new(), Kept::default());
    let collected = setup.collect(&fake, &mut sink).unwrap();
    assert_eq!((collected.runs.delivered, collected.dead()), (1, 1));
    assert_eq!(setup.dead().len(), 1);
}

#[test]
fn invalid_events_are_never_delivered_and_never_lost() {
    let mut fake = Fake::new(1, 3);
    fake.runs[1] = json!({"job_source_id": "job", "run_source_id": "bad", "status": "success"});
    let (setup, mut sink) = (Setup::new(), Kept::default());
    let collected = setup.collect(&fake, &mut sink).unwrap();
    assert_eq!((collected.runs.delivered, collected.runs.invalid), (2, 1));
    assert!(sink.events.iter().all(|event| !event.text.contains("bad")));
    let dead = setup.dead();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["event"], fake.runs[1]);
    assert_eq!(dead[0]["reasons"][0], "`event_time`: required, but missing");
    // The same window again: neither twice delivered nor twice a dead letter.
    let collected = setup.collect(&fake, &mut sink).unwrap();
    assert_eq!(collected.runs.before, 3);
    assert_eq!(
        collected.runs.why_nothing().unwrap(),
        "the vendor gave 3 records, all delivered before"
    );
    assert_eq!((sink.events.len(), setup.dead().len()), (3, 1));
}

#[test]
fn refused_events_are_kept_with_the_reason() {
    let (setup, mut sink) = (Setup::new(), Kept::default());
    sink.refuses = Some("run-7\"");
    let collected = setup.collect(&Fake::new(0, 120), &mut sink).unwrap();
    assert_eq!((collected.runs.delivered, collected.runs.refused), (119, 1));
    assert_eq!(collected.runs.first_problem.as_deref(), Some("no"));
    assert_eq!(setup.dead()[0]["event"]["event"]["run_source_id"], "run-7");
}

#[test]
fn a_platform_that_takes_nothing_makes_no_dead_letters() {
    let (setup, mut sink) = (Setup::new(), Kept::default());
    sink.refuses = Some("job");
    let stopped = setup.collect(&Fake::new(0, 120), &mut sink);
    assert!(matches!(
        stopped,
        Err(CollectError::NothingTaken { count: 100, .. })
    ));
    assert!(setup.dead().is_empty());
    let stopped = Setup::new().collect(&Fake::new(2, 8), &mut sink);
    assert!(matches!(
        stopped,
        Err(CollectError::NothingTaken { count: 10, .. })
    ));
    // A few bad ones among nothing else are what they are.
    let collected = setup.collect(&Fake::new(0, 3), &mut sink).unwrap();
    assert_eq!((collected.runs.refused, setup.dead().len()), (3, 3));
}

#[test]
fn after_a_failure_the_rest_follows() {
    let (setup, fake, mut sink) = (Setup::new(), Fake::new(10, 500), Kept::default());
    sink.fails_after = Some(3);
    let stopped = setup.collect(&fake, &mut sink);
    assert!(matches!(stopped, Err(CollectError::Push(_))));
    assert!(fake.cancelled.load(Ordering::SeqCst));
    assert_eq!(sink.events.len(), 210);
    sink.fails_after = None;
    let collected = setup.collect(&Fake::new(10, 500), &mut sink).unwrap();
    assert_eq!((collected.assets.before, collected.runs.before), (10, 200));
    let ids: std::collections::BTreeSet<_> = sink.events.iter().map(|event| event.key).collect();
    assert_eq!((ids.len(), sink.events.len()), (510, 510));
}

#[test]
fn a_slow_far_end_slows_the_reading_down() {
    let fake = std::sync::Arc::new(Fake::new(0, 20_000));
    let mut sink = Kept::default();
    let seen = std::sync::Arc::clone(&fake);
    sink.on_deliver = Some(Box::new(move |delivered| {
        let ahead = seen.handed_on.load(Ordering::SeqCst) - delivered;
        // The queue, the batch at hand, and those that the reader and who delivers hold.
        assert!(ahead <= 1_000 + 3 * BATCH + 2, "{ahead} events ahead");
    }));
    Setup::new().collect(&fake, &mut sink).unwrap();
    assert_eq!(sink.events.len(), 20_000);
}

#[test]
fn a_list_that_was_not_read_to_its_end_is_told_and_all_that_came_is_delivered() {
    let mut fake = Fake::new(1, 2);
    fake.incomplete = vec!["a list changed so much that some of it may be missing".to_owned()];
    let mut sink = Kept::default();
    let collected = Setup::new().collect(&fake, &mut sink).unwrap();
    assert!(collected.runs.incomplete().is_some());
    assert_eq!(sink.events.len(), 3);
}

#[test]
fn nothing_has_a_reason() {
    let reading = |summary| Tally {
        reading: Some(summary),
        ..Tally::default()
    };
    assert_eq!(
        reading(Summary::default()).why_nothing().unwrap(),
        "the vendor gave no records"
    );
    let left_out = Summary {
        records: 7,
        outside: 4,
        passed_over: 3,
        ..Summary::default()
    };
    assert_eq!(
        reading(left_out).why_nothing().unwrap(),
        "the vendor gave 7 records: 4 outside the window, 3 left out by `when`"
    );
    assert_eq!(Tally::default().why_nothing(), None);
}

#[test]
fn what_two_readings_came_to_is_added_up() {
    // Every count is another one, so that none can be taken for its neighbour.
    let came_to = |factor: usize, problem: Option<&str>| {
        let count = |number: usize| number * factor;
        let reading = Summary {
            records: count(3),
            events: count(5),
            passed_over: count(7),
            outside: count(11),
            repeated: count(13),
            requests: count(17).try_into().unwrap(),
            unmapped: [("odd".to_owned(), count(19))].into(),
            notes: vec![format!("note {factor}")],
            incomplete: vec![format!("list {factor}")],
            ..Summary::default()
        };
        Collected {
            runs: Tally {
                reading: Some(reading),
                delivered: count(23),
                before: count(29),
                invalid: count(31),
                refused: count(37),
                first_problem: problem.map(str::to_owned),
            },
            found: Found {
                runs: [format!("run {factor}")].into(),
                ..Found::default()
            },
            ..Collected::default()
        }
    };
    let mut both = came_to(1, None);
    both.add_runs(came_to(2, Some("broken")));
    let mut expected = came_to(3, Some("broken"));
    let reading = expected.runs.reading.as_mut().unwrap();
    reading.notes = vec!["note 1".to_owned(), "note 2".to_owned()];
    reading.incomplete = vec!["list 1".to_owned(), "list 2".to_owned()];
    expected.found.runs = ["run 1".to_owned(), "run 2".to_owned()].into();
    assert_eq!(both, expected);
    assert_eq!(both.dead(), 3 * (31 + 37));
    let mut first = Collected::default();
    first.add_runs(came_to(1, None));
    assert_eq!(first, came_to(1, None));
}
