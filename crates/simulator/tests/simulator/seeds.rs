//! Vendors by the thousand, each of another seed, read in process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_simulator::{Change, Scenario, World};

use crate::reading::in_process;

/// How many seeds are read when nobody says. Ten thousand take less than two minutes once the code is optimized, as
/// `cargo xtask test` does it.
const SEEDS: u64 = if cfg!(debug_assertions) { 200 } else { 10_000 };
/// How many failing seeds are told of.
const TOLD: usize = 5;

/// The number in a variable of the environment.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("`{variable}` is no number: `{text}`")),
    )
}

/// Does something for each seed on every core, and fails with those that failed.
pub(crate) fn each_seed(name: &str, seeds: u64, work: impl Fn(u64) -> Result<(), String> + Sync) {
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if let Err(reason) = work(seed) {
                        failures.lock().unwrap().push((seed, reason));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let count = failures.len();
    let told: Vec<String> = failures
        .into_iter()
        .take(TOLD)
        .map(|(seed, reason)| {
            format!(
                "{}\n  {reason}\n  replay: BOWLINE_SEED={seed} cargo test -p bowline-simulator --test simulator {name} -- --nocapture",
                Scenario::of_seed(seed)
            )
        })
        .collect();
    assert!(
        count == 0,
        "{count} of {seeds} seeds failed:\n{}",
        told.join("\n")
    );
}

#[test]
fn every_seed_is_read_correctly() {
    if let Some(seed) = number("BOWLINE_SEED") {
        let (result, log) = in_process(seed, true);
        let told = format!("{}\n{}", Scenario::of_seed(seed), log.join("\n"));
        match result {
            Ok(tally) => return show(&format!("{told}\n{tally:?}")),
            Err(reason) => panic!("{told}\n{reason}"),
        }
    }
    let seeds = number("BOWLINE_SEEDS").unwrap_or(SEEDS);
    let (events, requests, doubts) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    each_seed("every_seed_is_read_correctly", seeds, |seed| {
        let tally = in_process(seed, false).0?;
        events.fetch_add(tally.events as u64, Ordering::Relaxed);
        requests.fetch_add(tally.requests, Ordering::Relaxed);
        doubts.fetch_add(tally.doubts as u64, Ordering::Relaxed);
        Ok(())
    });
    let (events, doubts) = (events.into_inner(), doubts.into_inner());
    bowline_tally::add(bowline_tally::Kind::Vendors, seeds);
    show(&format!(
        "{seeds} seeds: {events} runs in {requests:?} requests, {doubts} readings in doubt"
    ));
    // A proof over nothing, or one that doubts everything, would prove nothing. Each seed is read some eight times, most of
    // them with changes meanwhile.
    assert!(seeds < 100 || events > seeds, "{events} runs");
    assert!(doubts * 10 < seeds.max(100), "{doubts} readings in doubt");
}

/// Seeds whose runs were once lost without a word.
#[test]
fn what_was_lost_once_is_read_or_told() {
    for seed in [643, 952, 1199, 1488, 2422] {
        let read = in_process(seed, false).0;
        read.unwrap_or_else(|reason| panic!("seed {seed}: {reason}"));
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 77, 4711] {
        assert_eq!(in_process(seed, true).1, in_process(seed, true).1);
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what a replayed seed did is for people"
)]
fn show(text: &str) {
    eprintln!("{text}");
}

#[test]
fn what_was_deleted_runs_no_more() {
    let mut world = World::new(&Scenario::calm(3, "2026-10-25T12:00:00Z".parse().unwrap()));
    while world.change(Change::DeleteJob).is_some() {}
    let living: Vec<usize> = (0..world.jobs.len())
        .filter(|job| world.jobs[*job].now().is_some())
        .collect();
    assert_eq!(living.len(), 1);
    let known = world.runs.len();
    for _ in 0..50 {
        world.change(Change::Insert);
        world.change(Change::Retry);
    }
    let begun = &world.runs[known..];
    assert!(begun.len() >= 50);
    for run in begun.iter().filter_map(|run| run.now()) {
        assert!(
            living.contains(&run.job),
            "{} is of a job that is gone",
            run.id
        );
    }
}
