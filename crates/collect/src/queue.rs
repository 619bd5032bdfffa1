//! The queue between the reader and who delivers: bounded in events and in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::event::Event;

/// How many events wait at most.
const MOST_EVENTS: usize = 1_000;
/// How many bytes of events wait at most; a single larger event still passes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A queue for one reader and one that delivers.
#[derive(Default)]
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    events: VecDeque<Event>,
    bytes: usize,
    end: End,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    #[default]
    Open,
    /// Nothing more comes.
    Finished,
    /// Nobody takes any more.
    Abandoned,
}

/// Ends the queue when the reader is done, whether it returned or panicked.
pub(crate) struct Finish<'q>(&'q Queue);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.end(End::Finished);
    }
}

impl Queue {
    /// Puts an event in, and waits while there is no room; `false` when nobody takes any more.
    pub(crate) fn push(&self, event: Event) -> bool {
        let mut inside = self.lock();
        while inside.end == End::Open
            && !inside.events.is_empty()
            && (inside.events.len() >= MOST_EVENTS || inside.bytes >= MOST_BYTES)
        {
            inside = self.wait(inside);
        }
        if inside.end != End::Open {
            return false;
        }
        inside.bytes += event.text.len();
        inside.events.push_back(event);
        self.changed.notify_all();
        true
    }

    /// Takes an event out, and waits until there is one; nothing when nothing more comes.
    pub(crate) fn pop(&self) -> Option<Event> {
        let mut inside = self.lock();
        loop {
            if let Some(event) = inside.events.pop_front() {
                inside.bytes -= event.text.len();
                self.changed.notify_all();
                return Some(event);
            }
            if inside.end != End::Open {
                return None;
            }
            inside = self.wait(inside);
        }
    }

    /// What ends the queue when it is dropped.
    pub(crate) fn finish(&self) -> Finish<'_> {
        Finish(self)
    }

    /// Says that nobody takes any more.
    pub(crate) fn abandon(&self) {
        self.end(End::Abandoned);
    }

    fn end(&self, end: End) {
        let mut inside = self.lock();
        if inside.end == End::Open {
            inside.end = end;
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, inside: MutexGuard<'g, Inside>) -> MutexGuard<'g, Inside> {
        self.changed
            .wait(inside)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use uuid::Uuid;

    use super::*;
    use crate::event::Kind;

    fn event(bytes: usize) -> Event {
        Event {
            kind: Kind::Run,
            key: Uuid::nil(),
            text: "x".repeat(bytes),
            problems: Vec::new(),
        }
    }

    #[test]
    fn everything_comes_out_in_order_and_never_too_much_waits() {
        let queue = Queue::default();
        let (put, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let _finish = queue.finish();
                for length in 0..3 * MOST_EVENTS {
                    assert!(queue.push(event(length)));
                    let waiting = put.fetch_add(1, Ordering::SeqCst) + 1;
                    let waiting = waiting.saturating_sub(taken.load(Ordering::SeqCst));
                    // One may have been taken out but not counted yet.
                    assert!(waiting <= MOST_EVENTS + 1, "{waiting}");
                }
            });
            let mut expected = 0;
            while let Some(event) = queue.pop() {
                taken.fetch_add(1, Ordering::SeqCst);
                assert_eq!(event.text.len(), expected);
                expected += 1;
            }
            assert_eq!(expected, 3 * MOST_EVENTS);
        });
    }

    #[test]
    fn a_large_event_passes_alone() {
        let queue = Queue::default();
        assert!(queue.push(event(MOST_BYTES * 2)));
        assert_eq!(queue.pop().unwrap().text.len(), MOST_BYTES * 2);
    }

    #[test]
    fn an_abandoned_queue_lets_the_reader_go() {
        let queue = Queue::default();
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| (0..2 * MOST_EVENTS).all(|_| queue.push(event(1))));
            assert!(queue.pop().is_some());
            queue.abandon();
            assert!(!reader.join().unwrap());
        });
    }
}
