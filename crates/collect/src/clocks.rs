//! The vendor's clock and ours.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// How far apart clocks may be without a word about it.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(10);
/// By how much our clock may be off the time that passed: it is set right in small steps all the time.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// Compares the vendor's clock with ours while a window is read.
#[derive(Debug)]
pub struct Clocks {
    began: Instant,
    began_at: Timestamp,
    /// How far the vendor's clock is ahead of ours.
    ahead: Mutex<Option<SignedDuration>>,
}

/// What the clocks showed while a window was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// When the reading began by the earlier of the clocks: no event that the vendor had shown by then is later.
    pub earliest: Timestamp,
    /// When the reading began by our clock.
    pub ours: Timestamp,
    /// How far the vendor's clock was ahead of ours, negative when it was behind; nothing where no answer said what it
    /// showed.
    pub ahead: Option<SignedDuration>,
    /// By how much our clock was set while the window was read.
    pub stepped: SignedDuration,
}

impl Clocks {
    /// Compares from now on.
    #[must_use]
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            began_at: Timestamp::now(),
            ahead: Mutex::new(None),
        }
    }

    /// Takes note of what the vendor's clock showed, in whole seconds, when it made an answer that has just come in and
    /// took so long.
    pub fn note(&self, shown: Timestamp, took: Duration) {
        self.note_at(Timestamp::now(), shown, took);
    }

    fn note_at(&self, received: Timestamp, shown: Timestamp, took: Duration) {
        let sent = received - took;
        let second = SignedDuration::from_secs(1);
        let ahead = if shown > received {
            shown.duration_since(received)
        } else if shown + second < sent {
            (shown + second).duration_since(sent)
        } else {
            SignedDuration::ZERO
        };
        let mut known = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer from a cache is older than its request: the freshest one tells.
        if known.is_none_or(|known| ahead.abs() < known.abs()) {
            *known = Some(ahead);
        }
    }

    /// What the clocks showed until now.
    #[must_use]
    pub fn reading(&self) -> ClockReading {
        self.reading_after(Timestamp::now(), self.began.elapsed())
    }

    fn reading_after(&self, now: Timestamp, passed: Duration) -> ClockReading {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let by_the_end = now - passed;
        let stepped = by_the_end.duration_since(self.began_at);
        let ours = self.began_at.min(by_the_end);
        let behind = ahead.unwrap_or_default().min(SignedDuration::ZERO);
        ClockReading {
            earliest: ours + behind,
            ours: self.began_at,
            ahead,
            stepped: if stepped.abs() > STEP {
                stepped
            } else {
                SignedDuration::ZERO
            },
        }
    }
}

impl ClockReading {
    /// Whether the vendor's clock and ours agree; they do as far as anybody knows when the vendor's was not seen.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.ahead.unwrap_or_default().abs() <= AGREEMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks() -> Clocks {
        Clocks {
            began_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            ..Clocks::start()
        }
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    /// A reading of a minute, with an answer after half of it that took two seconds.
    fn reading(vendor_ahead: i64, stepped: i64) -> ClockReading {
        let clocks = clocks();
        let half = clocks.began_at + seconds(30);
        clocks.note_at(half, half + seconds(vendor_ahead), Duration::from_secs(2));
        let end = clocks.began_at + seconds(60 + stepped);
        clocks.reading_after(end, Duration::from_secs(60))
    }

    #[test]
    fn the_earlier_clock_counts() {
        let began = clocks().began_at;
        for (ahead, earliest, agree) in [
            (0, 0, true),
            (-2, 0, true),
            (9, 0, true),
            (7200, 0, false),
            (-7203, -7200, false),
        ] {
            let reading = reading(ahead, 0);
            assert_eq!(reading.earliest, began + seconds(earliest), "{ahead}");
            assert_eq!(reading.agree(), agree, "{ahead}");
        }
        let unseen = clocks().reading_after(began + seconds(60), Duration::from_secs(60));
        assert_eq!((unseen.earliest, unseen.ahead), (began, None));
    }

    #[test]
    fn an_old_answer_from_a_cache_is_no_wrong_clock() {
        let clocks = clocks();
        let now = clocks.began_at + seconds(1);
        for shown in [now - seconds(9000), now, now - seconds(4000)] {
            clocks.note_at(now, shown, Duration::from_secs(1));
        }
        let reading = clocks.reading_after(now, Duration::from_secs(1));
        assert_eq!(reading.ahead, Some(SignedDuration::ZERO));
    }

    #[test]
    fn a_step_of_our_clock_is_seen_and_the_earlier_time_counts() {
        let began = clocks().began_at;
        let back = reading(0, -7200);
        assert_eq!(
            (back.stepped, back.earliest),
            (seconds(-7200), began - seconds(7200))
        );
        let forth = reading(0, 7200);
        assert_eq!((forth.stepped, forth.earliest), (seconds(7200), began));
        assert_eq!(reading(0, 1).stepped, SignedDuration::ZERO);
    }
}
