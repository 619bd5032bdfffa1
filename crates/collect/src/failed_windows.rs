//! Windows that could not be read: kept aside and asked for again, so often and no more.

use bowline_contract::pipeline::{EventTime, Window};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Bounds;

/// How often a window is asked for at most, the first time counted.
const MOST_TRIES: u32 = 5;
/// The wait before a window is asked for again; it doubles with each try.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// A window that could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedWindow {
    bounds: Bounds,
    tries: u32,
    next_try: EventTime,
    reason: String,
}

impl FailedWindow {
    fn new(window: Window, now: Timestamp, reason: &str) -> Self {
        let mut failed = Self {
            bounds: window.into(),
            tries: 0,
            next_try: now.into(),
            reason: String::new(),
        };
        failed.fail(now, reason);
        failed
    }

    fn fail(&mut self, now: Timestamp, reason: &str) {
        let wait = FIRST_WAIT * 2_i32.saturating_pow(self.tries);
        self.tries += 1;
        self.next_try = now.saturating_add(wait).unwrap_or(now).into();
        reason.clone_into(&mut self.reason);
    }

    /// From when until when.
    #[must_use]
    pub fn window(&self) -> Window {
        self.bounds.window()
    }

    /// How often it was asked for.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// Why it could not be read the last time.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it has waited long enough to be asked for again.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_try.timestamp() <= now
    }

    /// Whether it was asked for as often as it is.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.tries >= MOST_TRIES
    }
}

/// Every window that could not be read, in the order in which they failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FailedWindows(Vec<FailedWindow>);

impl FailedWindows {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn all(&self) -> &[FailedWindow] {
        &self.0
    }

    pub(crate) fn has(&self, window: Window) -> bool {
        self.0.iter().any(|failed| failed.window() == window)
    }

    /// Says that a window failed, once more or for the first time. While a vendor fails as a whole, the windows that
    /// adjoin become one.
    pub(crate) fn add(&mut self, window: Window, now: Timestamp, reason: &str) -> FailedWindow {
        if let Some(known) = self.0.iter_mut().find(|known| known.window() == window) {
            known.fail(now, reason);
            return known.clone();
        }
        let mut whole = window;
        self.0.retain(|known| {
            let other = known.window();
            let is_one = known.tries == 1 && other.start <= whole.end && whole.start <= other.end;
            if is_one {
                whole.start = whole.start.min(other.start);
                whole.end = whole.end.max(other.end);
            }
            !is_one
        });
        let failed = FailedWindow::new(whole, now, reason);
        self.0.push(failed.clone());
        failed
    }

    /// Forgets those that lie in a window of which everything was read.
    pub(crate) fn forget_within(&mut self, read: Window) {
        self.0.retain(|failed| {
            let window = failed.window();
            window.start < read.start || read.end < window.end
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn window(start: i64, end: i64) -> Window {
        Window {
            start: at(start),
            end: at(end),
        }
    }

    #[test]
    fn a_window_is_asked_for_so_often_with_longer_waits() {
        let mut windows = FailedWindows::default();
        let (mut now, mut waits) = (0, Vec::new());
        loop {
            let failed = windows.add(window(0, 10), at(now), "no");
            if failed.is_hopeless() {
                break;
            }
            let wait = (0..100).find(|wait| failed.is_due(at(now + wait))).unwrap();
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8]);
        assert_eq!(windows.all().len(), 1);
    }

    #[test]
    fn what_fails_on_and_on_is_one_window() {
        let mut windows = FailedWindows::default();
        windows.add(window(0, 10), at(10), "first");
        windows.add(window(20, 30), at(30), "apart");
        assert_eq!(windows.all().len(), 2);
        let whole = windows.add(window(10, 20), at(31), "last");
        assert_eq!((whole.window(), whole.tries()), (window(0, 30), 1));
        assert_eq!(whole.reason(), "last");
        assert_eq!(windows.all(), [whole]);
        // One that was asked for again by itself stays itself.
        windows.add(window(0, 30), at(40), "again");
        windows.add(window(30, 40), at(41), "next");
        assert_eq!(windows.all().len(), 2);
        windows.forget_within(window(0, 35));
        assert_eq!(windows.all()[0].window(), window(30, 40));
        assert_eq!(windows.all()[0].reason(), "next");
        windows.forget_within(window(30, 40));
        assert!(windows.is_empty());
    }
}
