//! The queue between the reader and who delivers: bounded in events and in bytes, and handed on in batches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::event::Event;

/// How many events wait at most.
const MOST_EVENTS: usize = 1_000;
/// How many bytes of events wait at most; a single larger event still passes.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How many events are handed on together: each time costs a lock, and may wake somebody up.
const BATCH: usize = 50;
/// How many bytes of events are handed on together.
const BATCH_BYTES: usize = 256 * 1024;

/// A queue for one reader and one that delivers.
#[derive(Default)]
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    /// Something came, or nothing more will.
    came: Condvar,
    /// There is room, or nobody takes any more.
    room: Condvar,
}

#[derive(Default)]
struct Inside {
    batches: VecDeque<Batch>,
    events: usize,
    bytes: usize,
    end: End,
    is_awaited: bool,
    is_stuck: bool,
}

#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    bytes: usize,
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

/// The reader's end of a queue. What it holds back goes on when it is dropped, whether the reader returned or panicked,
/// and then nothing more comes.
pub(crate) struct Feed<'q> {
    queue: &'q Queue,
    batch: Batch,
}

impl Feed<'_> {
    /// Puts an event in, and waits while there is no room; `false` when nobody takes any more.
    pub(crate) fn push(&mut self, event: Event) -> bool {
        self.batch.bytes += event.text.len();
        self.batch.events.push(event);
        if self.batch.events.len() < BATCH && self.batch.bytes < BATCH_BYTES {
            return true;
        }
        self.flush()
    }

    fn flush(&mut self) -> bool {
        match std::mem::take(&mut self.batch) {
            batch if batch.events.is_empty() => true,
            batch => self.queue.push(batch),
        }
    }
}

impl Drop for Feed<'_> {
    fn drop(&mut self) {
        let _taken = self.flush();
        self.queue.end(End::Finished);
    }
}

impl Queue {
    /// The reader's end.
    pub(crate) fn feed(&self) -> Feed<'_> {
        Feed {
            queue: self,
            batch: Batch::default(),
        }
    }

    fn push(&self, batch: Batch) -> bool {
        let mut inside = self.lock();
        while inside.end == End::Open
            && !inside.batches.is_empty()
            && (inside.events + batch.events.len() > MOST_EVENTS
                || inside.bytes + batch.bytes > MOST_BYTES)
        {
            inside.is_stuck = true;
            inside = wait(&self.room, inside);
        }
        if inside.end != End::Open {
            return false;
        }
        inside.events += batch.events.len();
        inside.bytes += batch.bytes;
        inside.batches.push_back(batch);
        if std::mem::take(&mut inside.is_awaited) {
            self.came.notify_one();
        }
        true
    }

    /// Takes events out, and waits until there are some; nothing when nothing more comes.
    pub(crate) fn pop(&self) -> Option<Vec<Event>> {
        let mut inside = self.lock();
        loop {
            if let Some(batch) = inside.batches.pop_front() {
                inside.events -= batch.events.len();
                inside.bytes -= batch.bytes;
                if std::mem::take(&mut inside.is_stuck) {
                    self.room.notify_one();
                }
                return Some(batch.events);
            }
            if inside.end != End::Open {
                return None;
            }
            inside.is_awaited = true;
            inside = wait(&self.came, inside);
        }
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
        self.came.notify_one();
        self.room.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'g>(changed: &Condvar, inside: MutexGuard<'g, Inside>) -> MutexGuard<'g, Inside> {
    changed.wait(inside).unwrap_or_else(PoisonError::into_inner)
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
            at: None,
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
                let mut feed = queue.feed();
                for length in 0..3 * MOST_EVENTS {
                    assert!(feed.push(event(length)));
                    let waiting = put.fetch_add(1, Ordering::SeqCst) + 1;
                    let waiting = waiting.saturating_sub(taken.load(Ordering::SeqCst));
                    // A batch may be in the reader's hands, and one have been taken out but not counted yet.
                    assert!(waiting <= MOST_EVENTS + 2 * BATCH, "{waiting}");
                }
            });
            let mut expected = 0;
            while let Some(events) = queue.pop() {
                taken.fetch_add(events.len(), Ordering::SeqCst);
                assert!(events.len() <= BATCH);
                for event in events {
                    assert_eq!(event.text.len(), expected);
                    expected += 1;
                }
            }
            assert_eq!(expected, 3 * MOST_EVENTS);
        });
        let inside = queue.lock();
        assert_eq!((inside.events, inside.bytes), (0, 0));
    }

    #[test]
    fn who_reads_waits_while_there_is_no_room() {
        for (bytes, count) in [(1, 3 * MOST_EVENTS), (MOST_BYTES / 4, 20)] {
            let queue = Queue::default();
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    let mut feed = queue.feed();
                    (0..count).all(|_| feed.push(event(bytes)))
                });
                let inside = loop {
                    let inside = queue.lock();
                    if inside.is_stuck || inside.end != End::Open {
                        break inside;
                    }
                    drop(inside);
                    std::thread::yield_now();
                };
                let waiting = (inside.is_stuck, inside.events, inside.bytes);
                drop(inside);
                queue.abandon();
                let (is_stuck, events, bytes) = waiting;
                assert!(is_stuck && events <= MOST_EVENTS && bytes <= MOST_BYTES);
            });
        }
    }

    #[test]
    fn a_large_event_passes_alone() {
        let queue = Queue::default();
        assert!(queue.feed().push(event(MOST_BYTES * 2)));
        assert_eq!(queue.pop().unwrap()[0].text.len(), MOST_BYTES * 2);
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn an_abandoned_queue_lets_the_reader_go() {
        let queue = Queue::default();
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let mut feed = queue.feed();
                (0..2 * MOST_EVENTS).all(|_| feed.push(event(1)))
            });
            assert!(queue.pop().is_some());
            queue.abandon();
            assert!(!reader.join().unwrap());
        });
    }
}
