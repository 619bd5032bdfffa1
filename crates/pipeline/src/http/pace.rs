//! How fast a vendor is asked: one budget for all threads.
//!
//! A vendor that refuses a request means all of them. After a refusal nobody asks until the vendor's word, or else a
//! wait that doubles, is over; then requests come back fewer at once, and spread as far as the vendor was seen to let
//! them through. Each answer brings them a little closer together again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// The wait after the first refusal without a word about it; it doubles with each until one gets through.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How many of the last answers tell how fast the vendor lets requests through.
const REMEMBERED: usize = 32;
/// Over how long they are counted.
const LOOKED_BACK: Duration = Duration::from_secs(10);
/// Over how long they are counted at least: a vendor may let many through at once before it counts.
const LEAST_LOOKED_BACK: Duration = Duration::from_secs(1);
/// The most that requests are spread.
const WIDEST: Duration = Duration::from_secs(10);
/// How much further apart requests come after a refusal than the vendor was seen to allow.
const WIDER: f64 = 1.25;
/// How much closer together each answer brings them.
const CLOSER: f64 = 0.97;
/// Closer than this they are not spread at all.
const CLOSEST: Duration = Duration::from_millis(2);

/// When the next request may begin, whichever thread it comes from.
pub(super) struct Pace {
    most: usize,
    per_second: Option<f64>,
    state: Mutex<State>,
}

/// Before whom a request goes when fewer may be under way than there are: the least first, and first come within it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(u64);

impl Turn {
    /// The turn after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[derive(Debug)]
struct State {
    under_way: usize,
    /// Who waits, in the order of their turns and arrivals.
    waiting: BTreeMap<(Turn, u64), Thread>,
    /// How many have ever waited.
    waited: u64,
    /// How many may be under way: what a refusal halves, and answers bring back.
    allowed: f64,
    /// When the last request began.
    began: Option<Duration>,
    /// How far apart requests begin because of refusals.
    spread: Duration,
    /// Until when nobody begins.
    held: Duration,
    /// When a request was refused last. What began before it does not tell anything new.
    refused: Option<Duration>,
    /// How many refusals there were since a request got through.
    in_row: u32,
    /// When the last answers came.
    answers: VecDeque<Duration>,
    /// How many requests got through.
    through: u64,
}

/// The right to have a request under way.
pub(super) struct Slot<'p>(&'p Pace);

impl Pace {
    pub(super) fn new(most: usize, per_second: Option<f64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody asks 2^52 at once")]
        let allowed = most as f64;
        Self {
            most,
            per_second,
            state: Mutex::new(State {
                under_way: 0,
                waiting: BTreeMap::new(),
                waited: 0,
                allowed,
                began: None,
                spread: Duration::ZERO,
                held: Duration::ZERO,
                refused: None,
                in_row: 0,
                answers: VecDeque::new(),
                through: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until fewer requests are under way than may be, and nobody goes before.
    pub(super) fn take(&self, turn: Turn) -> Slot<'_> {
        let mut state = self.state();
        let place = (turn, state.waited);
        state.waited += 1;
        state.waiting.insert(place, thread::current());
        while state.is_full() || state.waiting.keys().next() != Some(&place) {
            drop(state);
            // Gives back control for no reason at times, and at once when woken before.
            thread::park();
            state = self.state();
        }
        state.waiting.remove(&place);
        state.under_way += 1;
        state.wake();
        Slot(self)
    }

    /// Begins a request now.
    ///
    /// # Errors
    /// How long it has to wait before it asks again.
    pub(super) fn begin(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.state();
        let wanted = self.per_second.map_or(Duration::ZERO, |per_second| {
            Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
        });
        let apart = wanted.max(state.spread);
        let next = state
            .began
            .map_or(Duration::ZERO, |began| began.saturating_add(apart));
        let may = next.max(state.held);
        if may > now {
            return Err(may - now);
        }
        // Whoever woke late makes up for it, but not for more than one.
        let late = now - may;
        state.began = Some(if late < apart { may } else { now });
        Ok(())
    }

    /// A request got through.
    pub(super) fn answered(&self, now: Duration) {
        let mut state = self.state();
        state.through += 1;
        state.in_row = 0;
        state.answers.push_back(now);
        if state.answers.len() > REMEMBERED {
            state.answers.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "nobody asks 2^52 at once")]
        let most = self.most as f64;
        if state.allowed < most {
            state.allowed = (state.allowed + 1.0 / state.allowed).min(most);
            state.wake();
        }
        let closer = state.spread.mul_f64(CLOSER);
        state.spread = if closer < CLOSEST {
            Duration::ZERO
        } else {
            closer
        };
    }

    /// A request that began then was refused, with the vendor's word on how long to wait if there is one. Gives how
    /// long all of them wait, if they did not know yet.
    pub(super) fn refused(
        &self,
        began: Duration,
        now: Duration,
        asked: Option<Duration>,
        longest: Duration,
    ) -> Option<Duration> {
        let mut state = self.state();
        let is_news = state.refused.is_none_or(|refused| began > refused);
        if is_news {
            state.refused = Some(now);
            state.allowed = (state.allowed / 2.0).max(1.0);
            let wider = state.spread.mul_f64(WIDER).max(state.seen(now));
            state.spread = wider.min(WIDEST).min(longest);
        }
        let wait = match asked {
            Some(asked) => asked.min(longest),
            None if is_news => {
                let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(state.in_row));
                state.in_row += 1;
                doubled.min(longest)
            }
            None => state.held.saturating_sub(now),
        };
        let held = state.held.max(now.saturating_add(wait));
        let is_longer = held > state.held;
        state.held = held;
        (is_news || is_longer).then(|| held.saturating_sub(now))
    }

    /// Lets nobody begin for a while.
    pub(super) fn hold(&self, now: Duration, wait: Duration) {
        let mut state = self.state();
        state.held = state.held.max(now.saturating_add(wait));
    }

    /// How many requests got through.
    pub(super) fn through(&self) -> u64 {
        self.state().through
    }
}

impl State {
    /// Whether as many requests are under way as may be.
    fn is_full(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "nobody asks 2^52 at once")]
        let next = (self.under_way + 1) as f64;
        self.under_way > 0 && next > self.allowed
    }

    /// Wakes who goes next, if anybody may.
    fn wake(&self) {
        if let Some(next) = self.waiting.values().next()
            && !self.is_full()
        {
            next.unpark();
        }
    }

    /// How far apart the vendor was seen to let requests through lately, and some more.
    fn seen(&self, now: Duration) -> Duration {
        let since = now.saturating_sub(LOOKED_BACK);
        let mut lately = self
            .answers
            .iter()
            .filter(|answer| **answer >= since)
            .peekable();
        let Some(first) = lately.peek() else {
            return Duration::ZERO;
        };
        let span = now.saturating_sub(**first).max(LEAST_LOOKED_BACK);
        let count = u32::try_from(lately.count()).unwrap_or(u32::MAX);
        (span / count).mul_f64(WIDER)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn never_more_than_so_many_at_once() {
        let pace = Pace::new(3, None);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..200 {
                        let _slot = pace.take(Turn::default());
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!((1..=3).contains(&most.into_inner()));
    }

    #[test]
    fn earlier_turns_go_first_and_first_come_within_one() {
        let pace = Pace::new(1, None);
        let order = Mutex::new(Vec::new());
        let (first, after) = (Turn::default(), Turn::default().next());
        thread::scope(|threads| {
            let slot = pace.take(first);
            for (waiting, (turn, name)) in [
                (after, 'b'),
                (after.next(), 'd'),
                (first, 'a'),
                (after, 'c'),
            ]
            .into_iter()
            .enumerate()
            {
                let (pace, order) = (&pace, &order);
                threads.spawn(move || {
                    let _slot = pace.take(turn);
                    order.lock().unwrap().push(name);
                });
                while pace.state().waiting.len() == waiting {
                    thread::yield_now();
                }
            }
            drop(slot);
        });
        assert_eq!(order.into_inner().unwrap(), ['a', 'b', 'c', 'd']);
    }

    #[test]
    fn a_rate_is_kept_without_catching_up() {
        let pace = Pace::new(8, Some(4.0));
        assert_eq!(pace.begin(seconds(1.0)), Ok(()));
        assert_eq!(pace.begin(seconds(1.0)), Err(seconds(0.25)));
        assert_eq!(pace.begin(seconds(1.3)), Ok(()));
        // The wait is counted from when it should have begun.
        assert_eq!(pace.begin(seconds(1.3)), Err(seconds(0.2)));
        assert_eq!(pace.begin(seconds(9.0)), Ok(()));
        assert_eq!(pace.begin(seconds(9.0)), Err(seconds(0.25)));
    }

    #[test]
    fn a_refusal_holds_everybody_and_counts_once() {
        let pace = Pace::new(8, None);
        let now = seconds(10.0);
        let asked = Some(seconds(3.0));
        assert_eq!(pace.refused(seconds(9.0), now, asked, LONGEST), asked);
        // What began before it says nothing new, unless it asks for a longer wait.
        assert_eq!(pace.refused(seconds(9.5), now, None, LONGEST), None);
        let longer = Some(seconds(5.0));
        assert_eq!(pace.refused(seconds(9.5), now, longer, LONGEST), longer);
        assert_eq!(pace.begin(seconds(11.0)), Err(seconds(4.0)));
        assert!((pace.state().allowed - 4.0).abs() < 0.01);
        assert_eq!(
            pace.refused(seconds(16.0), seconds(16.0), Some(seconds(1e6)), LONGEST),
            Some(LONGEST)
        );
    }

    #[test]
    fn waits_double_until_one_gets_through() {
        let pace = Pace::new(8, None);
        let mut waits = Vec::new();
        for round in 1..=3_u32 {
            let now = seconds(f64::from(round) * 100.0);
            waits.push(pace.refused(now, now, None, LONGEST));
        }
        assert_eq!(waits, [0.5, 1.0, 2.0].map(|wait| Some(seconds(wait))));
        pace.answered(seconds(400.0));
        let now = seconds(401.0);
        assert_eq!(pace.refused(now, now, None, LONGEST), Some(seconds(0.5)));
    }

    #[test]
    fn requests_come_back_spread_and_close_up_while_it_goes_well() {
        let pace = Pace::new(8, None);
        for answer in 0..5_u32 {
            pace.answered(seconds(10.0 + f64::from(answer) / 100.0));
        }
        pace.refused(seconds(10.1), seconds(10.1), Some(seconds(1.0)), LONGEST);
        assert_eq!(pace.begin(seconds(11.1)), Ok(()));
        let wait = pace.begin(seconds(11.1)).unwrap_err();
        assert_eq!(wait, seconds(0.25), "five in a second, and some more");
        for answer in 0..4_u32 {
            pace.answered(seconds(11.2 + f64::from(answer) / 10.0));
        }
        let allowed = pace.state().allowed;
        assert!(
            (4.9..=5.0).contains(&allowed),
            "a round brings one more: {allowed}"
        );
        for answer in 0..400_u32 {
            pace.answered(seconds(12.0 + f64::from(answer)));
        }
        let state = pace.state();
        assert_eq!(state.spread, Duration::ZERO);
        assert!((state.allowed - 8.0).abs() < 0.01);
    }
}
