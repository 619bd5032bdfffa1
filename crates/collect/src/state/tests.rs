use uuid::Uuid;

use super::*;
use crate::event::{Event, Kind};
use crate::ledger::Outcome;

const WHAT: &str = "`shop` to nowhere";

fn window(start: &str, end: &str) -> Window {
    Window {
        start: format!("2026-11-22T{start}:00Z").parse().unwrap(),
        end: format!("2026-11-22T{end}:00Z").parse().unwrap(),
    }
}

fn open(dir: &Path) -> State {
    State::open(dir, &[WHAT]).unwrap()
}

fn run(number: u128) -> Event {
    Event {
        kind: Kind::Run,
        key: Uuid::from_u128(number),
        at: Some("2026-11-22T10:55:00Z".parse().unwrap()),
        text: String::new(),
        problems: Vec::new(),
    }
}

fn add(ledger: &mut Ledger, number: u128) {
    let entry = ledger.entry(&run(number), Outcome::Delivered);
    ledger.add(&[entry], None).unwrap();
}

fn clocks() -> ClockReading {
    crate::clocks::Clocks::start().reading()
}

#[test]
fn a_window_stays_open_until_it_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let first = window("10:00", "11:00");
    let mut state = open(dir.path());
    assert_eq!((state.open_window(), state.collected_until()), (None, None));
    let mut ledger = state.begin(first).unwrap();
    add(&mut ledger, 1);
    drop((state, ledger));

    let mut state = open(dir.path());
    assert_eq!(state.open_window(), Some(first));
    assert!(matches!(
        state.begin(window("11:00", "12:00")),
        Err(StateError::Unfinished(open)) if open == first
    ));
    let ledger = state.begin(first).unwrap();
    assert!(ledger.knows(&run(1)) && !ledger.knows(&run(2)));
    let mut entries = Vec::new();
    state.entries(&mut |entry| entries.push(entry)).unwrap();
    assert_eq!(entries, [ledger.entry(&run(1), Outcome::Delivered)]);
    // Only until ten to eleven it is over for sure: the next window overlaps, and knows what was delivered.
    let over = "2026-11-22T10:50:00Z".parse().unwrap();
    state.finish(ledger, over, &clocks()).unwrap();
    drop(state);

    let mut state = open(dir.path());
    assert_eq!(
        (state.open_window(), state.collected_until()),
        (None, Some(over))
    );
    assert!(
        state
            .begin(window("10:50", "12:00"))
            .unwrap()
            .knows(&run(1))
    );
}

#[test]
fn a_state_in_memory_does_the_same() {
    let mut state = State::in_memory();
    let first = window("10:00", "11:00");
    let mut ledger = state.begin(first).unwrap();
    add(&mut ledger, 1);
    state.leave(ledger);
    let ledger = state.begin(first).unwrap();
    assert!(ledger.knows(&run(1)));
    let over = "2026-11-22T10:50:00Z".parse().unwrap();
    state.finish(ledger, over, &clocks()).unwrap();
    assert!(
        state
            .begin(window("10:50", "12:00"))
            .unwrap()
            .knows(&run(1))
    );
}

#[test]
fn a_window_that_cannot_be_read_stands_aside_as_it_was() {
    let mut state = State::in_memory();
    let mut fails = |window: Window, over: &str, reason: &str| {
        let ledger = state.begin(window).unwrap();
        let over = format!("2026-11-22T{over}:00Z").parse().unwrap();
        let aside = state.set_aside(ledger, over, &clocks(), reason);
        let aside = aside.unwrap().unwrap();
        assert_eq!((state.open_window(), aside.reason()), (None, reason));
        (aside.window(), aside.tries(), state.collected_until())
    };
    // What of it is not over belongs to the next window.
    let aside = window("10:00", "10:50");
    let over = Some(aside.end);
    assert_eq!(
        fails(window("10:00", "11:00"), "10:50", "no"),
        (aside, 1, over)
    );
    assert_eq!(fails(aside, "12:00", "still no"), (aside, 2, over));
    let an_hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    assert!(state.take_back(an_hour_ago).unwrap().is_some());
    let ledger = state.begin(aside).unwrap();
    let over = "2026-11-22T10:20:00Z".parse().unwrap();
    let again = state.set_aside(ledger, over, &clocks(), "no").unwrap();
    let again = again.unwrap();
    assert_eq!((again.window(), again.tries()), (aside, 3));
    assert_eq!(state.failed_windows(), [again]);
}

#[test]
fn a_window_set_aside_is_forgotten_once_all_of_it_was_read() {
    let mut state = State::in_memory();
    let ledger = state.begin(window("10:00", "11:00")).unwrap();
    let noon = window("10:00", "12:00").end;
    let aside = state.set_aside(ledger, noon, &clocks(), "no").unwrap();
    let aside = aside.unwrap();
    for (over, left) in [("10:30", vec![aside]), ("12:00", Vec::new())] {
        let ledger = state.begin(window("10:00", "12:00")).unwrap();
        let over = format!("2026-11-22T{over}:00Z").parse().unwrap();
        state.finish(ledger, over, &clocks()).unwrap();
        assert_eq!(state.failed_windows(), left);
    }
}

#[test]
fn two_collections_never_share_a_state() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(dir.path());
    assert!(matches!(
        State::open(dir.path(), &[WHAT]),
        Err(StateError::Locked(_))
    ));
    drop(state);
    assert!(State::reopen(dir.path()).unwrap().is_none());
    open(dir.path()).begin(window("10:00", "11:00")).unwrap();
    let again = State::reopen(dir.path()).unwrap();
    assert_eq!(again.unwrap().collection(), WHAT);
    assert!(matches!(
        State::open(dir.path(), &["`shop` to somewhere"]),
        Err(StateError::Foreign { .. })
    ));
}

#[test]
fn a_checkpoint_that_is_broken_or_gone_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = open(dir.path());
    let mut ledger = state.begin(window("10:00", "11:00")).unwrap();
    add(&mut ledger, 1);
    drop((state, ledger));
    let path = dir.path().join(CHECKPOINT);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let opened = State::open(dir.path(), &[WHAT]);
    assert!(
        matches!(opened, Err(StateError::Invalid { .. })),
        "{opened:?}"
    );
    std::fs::remove_file(&path).unwrap();
    let opened = State::open(dir.path(), &[WHAT]);
    assert!(
        matches!(opened, Err(StateError::NoCheckpoint { entries: 1, .. })),
        "{opened:?}"
    );
}

#[test]
fn what_is_collected_beside_windows_leaves_a_whole_state() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(dir.path());
    add(
        &mut state.ledger_beside(window("10:00", "11:00")).unwrap(),
        1,
    );
    drop(state);
    let mut state = open(dir.path());
    assert_eq!(state.collected_until(), None);
    assert!(
        state
            .begin(window("10:00", "11:00"))
            .unwrap()
            .knows(&run(1))
    );
}

#[cfg(unix)]
#[test]
fn files_are_for_us_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).begin(window("10:00", "11:00")).unwrap();
    for name in [CHECKPOINT, DELIVERED] {
        let mode = dir
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
