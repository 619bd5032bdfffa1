//! One window, read and delivered.

use std::thread;

use bowline_contract::pipeline::Window;
use bowline_pipeline::{Pipeline, RunQuery, SourceError, Summary};
use jiff::Timestamp;

use crate::dead_letters::DeadLetters;
use crate::error::CollectError;
use crate::event::{Encoder, Event, Given, Kind};
use crate::queue::Queue;
use crate::sink::Sink;
use crate::state::Ledger;

/// How many events are delivered together at most: as many as the push API takes.
const BATCH: usize = 100;
/// When so many events are all that a window has and each is refused, the fault is hardly theirs.
const FEW: usize = 10;
/// How many bytes of events are delivered together at most; a single larger one goes alone.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What to collect.
#[derive(Clone, Copy)]
pub struct Collection<'c> {
    /// What is read.
    pub pipeline: &'c dyn Pipeline,
    /// The window of runs.
    pub window: Window,
    /// When metadata is read.
    pub now: Timestamp,
    /// What is collected.
    pub parts: Parts,
    /// How events are written.
    pub encoder: &'c Encoder,
}

/// What is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Metadata, then runs.
    All,
    /// Metadata only.
    Metadata,
    /// Runs only.
    Runs,
}

/// What a window came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Jobs.
    pub assets: Tally,
    /// Runs.
    pub runs: Tally,
}

/// What the events of a kind came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What the reading came to; nothing when they were not asked for, or not read to the end.
    pub reading: Option<Summary>,
    /// Events delivered.
    pub delivered: usize,
    /// Events left out because an earlier try at this window delivered them.
    pub before: usize,
    /// Events that are not valid by the contract: dead letters.
    pub invalid: usize,
    /// Events that the platform refused: dead letters.
    pub refused: usize,
    /// What is wrong with the first dead letter.
    pub first_problem: Option<String>,
}

impl Tally {
    /// Events that could not be delivered.
    #[must_use]
    pub fn dead(&self) -> usize {
        self.invalid + self.refused
    }

    /// Why nothing was delivered; nothing when something was.
    #[must_use]
    pub fn why_nothing(&self) -> Option<String> {
        let reading = self.reading.as_ref().filter(|_| self.delivered == 0)?;
        if reading.records == 0 && self.before == 0 && self.dead() == 0 {
            return Some("the vendor gave no records".to_owned());
        }
        let reasons: Vec<String> = [
            (reading.outside, "outside the window"),
            (reading.passed_over, "left out by `when`"),
            (reading.repeated, "repeated"),
            (self.before, "delivered before"),
            (self.invalid, "not valid"),
            (self.refused, "refused by the platform"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{count} {reason}"))
        .collect();
        Some(format!(
            "of {} records {}",
            reading.records,
            reasons.join(", ")
        ))
    }
}

impl Collected {
    fn of(&mut self, kind: Kind) -> &mut Tally {
        match kind {
            Kind::Asset => &mut self.assets,
            Kind::Run => &mut self.runs,
        }
    }

    /// Events that could not be delivered.
    #[must_use]
    pub fn dead(&self) -> usize {
        self.assets.dead() + self.runs.dead()
    }
}

impl Collection<'_> {
    /// Reads, checks and delivers; `on_progress` hears after each batch what it came to so far.
    ///
    /// When reading fails, what was read before is delivered all the same. When delivering fails, reading is cancelled,
    /// and the pipeline is of no more use.
    ///
    /// # Errors
    /// The first failure.
    pub fn run(
        &self,
        sink: &mut dyn Sink,
        ledger: &mut Ledger,
        dead_letters: &mut DeadLetters,
        on_progress: &mut dyn FnMut(&Collected),
    ) -> Result<Collected, CollectError> {
        let queue = Queue::default();
        let mut delivery = Delivery {
            sink,
            ledger,
            dead_letters,
            on_progress,
            batch: Vec::new(),
            done: Vec::new(),
            suspects: Vec::new(),
            collected: Collected::default(),
        };
        let read = thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let _finish = queue.finish();
                self.read(&queue)
            });
            if let Err(error) = delivery.all(&queue) {
                queue.abandon();
                self.pipeline.cancel();
                return Err(error);
            }
            match reader.join() {
                Ok(read) => read.map_err(CollectError::Source),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let (assets, runs) = read?;
        let mut collected = delivery.collected;
        collected.assets.reading = assets;
        collected.runs.reading = runs;
        Ok(collected)
    }

    fn read(&self, queue: &Queue) -> Result<(Option<Summary>, Option<Summary>), SourceError> {
        let put = |given| {
            // When nobody takes events any more, the reading is being cancelled.
            let _taken = queue.push(self.encoder.event(given));
        };
        let assets = match self.parts {
            Parts::All | Parts::Metadata => Some(self.pipeline.assets(
                self.now,
                None,
                &mut |asset| put(Given::Asset(asset)),
            )?),
            Parts::Runs => None,
        };
        let runs = match self.parts {
            Parts::All | Parts::Runs => Some(self.pipeline.runs(
                &RunQuery::Window(self.window),
                None,
                &mut |run| put(Given::Run(run)),
            )?),
            Parts::Metadata => None,
        };
        Ok((assets, runs))
    }
}

/// Events on their way out.
struct Delivery<'d> {
    sink: &'d mut dyn Sink,
    ledger: &'d mut Ledger,
    dead_letters: &'d mut DeadLetters,
    on_progress: &'d mut dyn FnMut(&Collected),
    batch: Vec<Event>,
    /// Keys of dead letters that are not written down yet.
    done: Vec<uuid::Uuid>,
    /// Events that were refused while nothing has been taken yet, with the reason.
    suspects: Vec<(Event, String)>,
    collected: Collected,
}

impl Delivery<'_> {
    fn all(&mut self, queue: &Queue) -> Result<(), CollectError> {
        let mut bytes = 0;
        while let Some(event) = queue.pop() {
            if self.ledger.knows(&event.key) {
                self.collected.of(event.kind).before += 1;
                continue;
            }
            if !event.problems.is_empty() {
                let tally = self.collected.of(event.kind);
                tally.invalid += 1;
                tally
                    .first_problem
                    .get_or_insert_with(|| event.problems.join("; "));
                self.dead_letters.add(&event, &event.problems);
                self.done.push(event.key);
                if self.done.len() >= BATCH {
                    self.settle()?;
                }
                continue;
            }
            let other_kind = self
                .batch
                .last()
                .is_some_and(|last| last.kind != event.kind);
            if other_kind || self.batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.flush()?;
                bytes = 0;
            }
            bytes += event.text.len();
            self.batch.push(event);
        }
        self.flush()?;
        self.check_taken(FEW)?;
        self.reject_suspects()?;
        self.settle()
    }

    fn flush(&mut self) -> Result<(), CollectError> {
        let batch = std::mem::take(&mut self.batch);
        let Some(first) = batch.first() else {
            return Ok(());
        };
        let kind = first.kind;
        let mut refused = self.sink.deliver(kind, &batch)?.into_iter().peekable();
        let mut taken = Vec::new();
        for (index, event) in batch.into_iter().enumerate() {
            match refused.next_if(|refused| refused.index == index) {
                Some(refused) => self.suspects.push((event, refused.reason)),
                None => taken.push(event.key),
            }
        }
        self.collected.of(kind).delivered += taken.len();
        if taken.is_empty() && self.ledger.is_empty() {
            self.check_taken(BATCH)?;
        } else {
            self.ledger.add(taken.into_iter())?;
            self.reject_suspects()?;
        }
        (self.on_progress)(&self.collected);
        Ok(())
    }

    /// Stops where nothing was taken and this many events or more were refused: a wrong resource looks like this too, and
    /// must not turn everything into dead letters.
    fn check_taken(&self, most: usize) -> Result<(), CollectError> {
        match self.suspects.first() {
            Some((_, reason)) if self.suspects.len() >= most => Err(CollectError::NothingTaken {
                count: self.suspects.len(),
                reason: reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn reject_suspects(&mut self) -> Result<(), CollectError> {
        for (event, reason) in std::mem::take(&mut self.suspects) {
            let tally = self.collected.of(event.kind);
            tally.refused += 1;
            tally.first_problem.get_or_insert_with(|| reason.clone());
            self.done.push(event.key);
            self.dead_letters.add(&event, std::slice::from_ref(&reason));
        }
        if self.done.is_empty() {
            return Ok(());
        }
        self.settle()
    }

    /// Writes dead letters to the disk, and only then that they are done with.
    fn settle(&mut self) -> Result<(), CollectError> {
        self.dead_letters.settle()?;
        self.ledger.add(std::mem::take(&mut self.done).into_iter())
    }
}

#[cfg(test)]
mod tests;
