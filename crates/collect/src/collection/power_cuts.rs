//! A collection whose power is cut, or that is killed, at any operation of its disk, again and again.
//!
//! Each seed is a run of its own: `BOWLINE_SEEDS=10000` tries so many, `BOWLINE_SEED=42` that one alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bowline_contract::pipeline::Window;
use bowline_durable::{Disk, SimulatedDisk};
use bowline_pipeline::SourceErrorKind;
use bowline_tally::Kind;
use serde_json::{Value as Json, json};

use super::tests::Fake;
use super::*;
use crate::clocks::Clocks;
use crate::dead_letters::DeadLetter;
use crate::event::Format;
use crate::failed_windows::FailedWindow;
use crate::given_up::{discard, give_up_window, settle_retried};
use crate::sink::LineFile;
use crate::state::State;

const SEEDS: u64 = 600;
/// Each of these collects several times.
const FAILING_SEEDS: u64 = 150;
/// Seeds that found a fault once: a line made of pieces of two others, and letters that were torn when they were retried.
const FOUND_FAULTS: [u64; 2] = [5102, 387];
const RUNS: usize = 230;
const OUTPUT: &str = "/out/events.jsonl";
const DEAD: &str = "/state/dead.jsonl";
/// What a letter stands for that is a whole window.
const WINDOW: &str = "a window";

fn window() -> Window {
    Window {
        start: "2026-11-22T10:00:00Z".parse().unwrap(),
        end: "2026-11-22T11:00:00Z".parse().unwrap(),
    }
}

/// A vendor with a run in ten that is not valid.
fn vendor() -> Fake {
    let mut fake = Fake::new(0, RUNS);
    for run in fake.runs.iter_mut().step_by(10) {
        run["status"] = json!("nonsense");
    }
    fake
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A collection that was begun, as far as its disk lets it.
struct Begun {
    disk: Arc<dyn Disk>,
    state: State,
    file: LineFile,
}

impl Begun {
    fn on(disk: &SimulatedDisk) -> Result<Self, String> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let state = State::on(Arc::clone(&disk), Path::new("/state"), &["a test"]).map_err(told)?;
        let output = Path::new(OUTPUT);
        let file = match state.output_bytes().map_err(told)? {
            Some(bytes) => LineFile::open_again(&disk, output, bytes),
            None => LineFile::open(&disk, output),
        }
        .map_err(told)?;
        Ok(Self { disk, state, file })
    }

    fn letters(&self, window: Option<Window>) -> DeadLetters {
        DeadLetters::new(Arc::clone(&self.disk), Path::new(DEAD), window)
    }

    /// Reads and delivers; `false` when the vendor failed.
    fn read(&mut self, fake: &Fake, window: Window, ledger: &mut Ledger) -> Result<bool, String> {
        ledger.add(&[], self.file.bytes()).map_err(told)?;
        let mut dead = self.letters(Some(window));
        let collection = Collection {
            pipeline: fake,
            runs: RunQuery::Window(window),
            jobs: None,
            now: window.end,
            parts: Parts::Runs,
            encoder: &Encoder::new("custom-etl-connector-abc1234", Format::Lines),
        };
        match collection.run(&mut self.file, ledger, &mut dead, &mut |_| ()) {
            Ok(_) => Ok(true),
            Err(CollectError::Source(error)) if error.kind == SourceErrorKind::Vendor => Ok(false),
            Err(error) => Err(told(error)),
        }
    }
}

/// Collects the window that is open, was kept aside, or is new; `false` when nothing is left to be collected.
fn collect_from(disk: &SimulatedDisk, fake: &Fake) -> Result<bool, String> {
    let mut begun = Begun::on(disk)?;
    let state = &begun.state;
    let kept_aside = state.failed_windows().first().map(FailedWindow::window);
    let next = match state.open_window().or(kept_aside) {
        Some(window) => window,
        None if state.collected_until().is_some() => return Ok(false),
        None => window(),
    };
    let mut ledger = begun.state.begin(next).map_err(told)?;
    let clocks = Clocks::start().reading();
    if begun.read(fake, next, &mut ledger)? {
        begun
            .state
            .finish(ledger, next.end, &clocks)
            .map_err(told)?;
        return Ok(true);
    }
    let aside = begun.state.set_aside(ledger, next.end, &clocks, "no");
    if let Some(failed) = aside.map_err(told)?.filter(FailedWindow::is_hopeless) {
        let mut letters = begun.letters(None);
        give_up_window(&mut begun.state, &mut letters, &failed).map_err(told)?;
    }
    Ok(true)
}

/// Collects until everything is done, or something fails.
fn collect(disk: &SimulatedDisk) -> Result<(), String> {
    // One that was cancelled is of no more use.
    while collect_from(disk, &vendor())? {}
    Ok(())
}

/// Reads the windows again that are dead letters.
fn retry(disk: &SimulatedDisk) -> Result<(), String> {
    let mut begun = Begun::on(disk)?;
    let mut letters = begun.letters(None);
    let before = letters.letters().map_err(told)?;
    let windows: BTreeSet<(Timestamp, Timestamp)> = before
        .iter()
        .filter_map(DeadLetter::whole_window)
        .map(|window| (window.start, window.end))
        .collect();
    let mut read = Vec::new();
    for (start, end) in windows {
        let window = Window { start, end };
        let mut ledger = begun.state.ledger_beside(window).map_err(told)?;
        assert!(begun.read(&vendor(), window, &mut ledger)?);
        read.push(window);
    }
    let is_over = |letter: &DeadLetter| letter.whole_window().is_some();
    let state = &mut begun.state;
    settle_retried(state, &mut letters, before.len(), is_over, &read, 0).map_err(told)?;
    Ok(())
}

fn discard_all(disk: &SimulatedDisk) -> Result<(), String> {
    let mut begun = Begun::on(disk)?;
    let mut letters = begun.letters(None);
    discard(Some(&mut begun.state), &mut letters).map_err(told)?;
    Ok(())
}

/// The ids in a file of lines, every one of which must be whole.
fn ids(disk: &SimulatedDisk, path: &str) -> Vec<String> {
    let bytes = disk.read(Path::new(path)).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap();
    let id = |line: &str| {
        let line: Json =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        line["event"]["run_source_id"]
            .as_str()
            .unwrap_or(WINDOW)
            .to_owned()
    };
    text.lines().map(id).collect()
}

/// What looks like chance in a seed.
fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    }
}

/// Does something whose power may be cut, or that may be killed, and gives the disk that is left.
fn hindered<T>(
    disk: &SimulatedDisk,
    next: &mut impl FnMut(usize) -> usize,
    operations: usize,
    what: impl FnOnce(&SimulatedDisk) -> Result<T, String>,
) -> (SimulatedDisk, Result<T, String>) {
    disk.cut_power_after(next(operations + 1));
    let outcome = what(disk);
    let left = match next(4) {
        0 => disk.after_kill(),
        _ => disk.after_power_cut(),
    };
    (left, outcome)
}

/// Cuts the power, or kills, once or several times, then lets the collection get through; gives how many events came
/// twice.
fn run(seed: u64, operations: usize) -> usize {
    let mut disk = SimulatedDisk::new(seed);
    let mut next = chance(seed);
    for _ in 0..=next(3) {
        let (left, outcome) = hindered(&disk, &mut next, operations, collect);
        disk = left;
        if outcome.is_ok() && !ids(&disk, OUTPUT).is_empty() {
            break;
        }
    }
    collect(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let (delivered, dead) = (ids(&disk, OUTPUT), ids(&disk, DEAD));
    let distinct: BTreeSet<&String> = delivered.iter().collect();
    assert_eq!(distinct.len(), RUNS - RUNS / 10, "seed {seed}: lost events");
    let letters: BTreeSet<&String> = dead.iter().collect();
    assert_eq!(letters.len(), RUNS / 10, "seed {seed}: lost dead letters");
    delivered.len() - distinct.len()
}

/// A vendor that fails for a while and power that is cut meanwhile: the window is delivered, kept aside or a dead letter
/// at any time, and what is done about dead letters may be cut too.
fn run_failing(seed: u64, operations: usize) {
    let mut disk = SimulatedDisk::new(seed);
    let mut next = chance(seed ^ 0x5eed);
    let failures = next(9);
    for _ in 0..failures {
        let mut fake = vendor();
        fake.breaks_off = Some(next(RUNS));
        let collect = |disk: &SimulatedDisk| collect_from(disk, &fake);
        disk = match next(3) {
            0 => {
                collect(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                disk.after_power_cut()
            }
            _ => hindered(&disk, &mut next, operations, collect).0,
        };
    }
    collect(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let dead = ids(&disk, DEAD);
    let is_given_up = dead.iter().any(|id| id == WINDOW);
    let given_up = |disk: &SimulatedDisk| Begun::on(disk).unwrap().state.given_up();
    if is_given_up {
        assert!(failures >= 5, "seed {seed}: given up after {failures}");
    }
    if is_given_up && next(3) == 0 {
        disk = hindered(&disk, &mut next, 8, discard_all).0;
        discard_all(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(
            ids(&disk, DEAD).is_empty() && given_up(&disk) == 0,
            "seed {seed}"
        );
        return;
    }
    for _ in 0..next(3) {
        disk = hindered(&disk, &mut next, operations, retry).0;
    }
    retry(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let delivered: BTreeSet<String> = ids(&disk, OUTPUT).into_iter().collect();
    assert_eq!(
        delivered.len(),
        RUNS - RUNS / 10,
        "seed {seed}: lost events"
    );
    let dead: BTreeSet<String> = ids(&disk, DEAD).into_iter().collect();
    assert_eq!(dead.len(), RUNS / 10, "seed {seed}: lost dead letters");
    assert!(!dead.contains(WINDOW), "seed {seed}");
}

/// Tries every seed, or the one that is asked for.
fn every_seed(kind: Kind, seeds: u64, mut run: impl FnMut(u64, usize)) -> u64 {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let unhindered = SimulatedDisk::new(0);
    collect(&unhindered).unwrap();
    let operations = unhindered.operations();
    assert!(operations > 20, "{operations}");
    let seeds: BTreeSet<u64> = match number("BOWLINE_SEED") {
        Some(seed) => BTreeSet::from([seed]),
        None => (0..number("BOWLINE_SEEDS").unwrap_or(seeds))
            .chain(FOUND_FAULTS)
            .collect(),
    };
    let count = seeds.len() as u64;
    seeds.into_iter().for_each(|seed| run(seed, operations));
    bowline_tally::add(kind, count);
    count
}

#[test]
fn nothing_is_lost_at_any_power_cut() {
    let mut twice = 0;
    let seeds = every_seed(Kind::PowerCuts, SEEDS, |seed, operations| {
        twice += run(seed, operations);
    });
    // At least once is promised; more often is for a batch that was on its way.
    let events = usize::try_from(seeds).unwrap() * RUNS;
    assert!(
        seeds == 1 || twice * 3 < events,
        "{twice} of {events} came twice"
    );
}

#[test]
fn a_window_that_fails_is_never_lost() {
    every_seed(Kind::PowerCutsWhileFailing, FAILING_SEEDS, run_failing);
}
