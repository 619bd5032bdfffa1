//! One window, read and delivered.

use std::collections::BTreeSet;
use std::thread;

use bowline_contract::pipeline::RunEvent;
use bowline_pipeline::{Pipeline, RunQuery, SourceError, Summary};
use bowline_words::{counted, shares};
use jiff::Timestamp;

use crate::dead_letters::DeadLetters;
use crate::error::CollectError;
use crate::event::{Encoder, Event, Given, Kind};
use crate::ledger::{Entry, Ledger, Outcome};
use crate::queue::{Feed, Queue};
use crate::sink::Sink;

/// How many events are delivered together at most: as many as the push API takes.
const BATCH: usize = 100;
/// When so many events are all that a window has and each is refused, the fault is hardly theirs.
const FEW: usize = 10;
/// How many bytes of events are delivered together at most; a single larger one goes alone.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What to collect.
#[derive(Clone)]
pub struct Collection<'c> {
    /// What is read.
    pub pipeline: &'c dyn Pipeline,
    /// The runs that are read.
    pub runs: RunQuery,
    /// When metadata is read.
    pub now: Timestamp,
    /// What is collected.
    pub parts: Parts,
    /// The jobs that are collected alone; everything without them.
    pub jobs: Option<&'c BTreeSet<String>>,
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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// Jobs.
    pub assets: Tally,
    /// Runs.
    pub runs: Tally,
    /// What was found of what was asked for by name.
    pub found: Found,
}

/// The ids of what was asked for by name and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Runs, where runs were asked for by their ids.
    pub runs: BTreeSet<String>,
    /// Jobs, where some of them were asked for.
    pub jobs: BTreeSet<String>,
}

/// What the events of a kind came to.
#[derive(Debug, Clone, Default, PartialEq)]
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

    /// Why something may be missing though nothing failed: a list could not be read to its end.
    #[must_use]
    pub fn incomplete(&self) -> Option<&str> {
        let reading = self.reading.as_ref()?;
        reading.incomplete.first().map(String::as_str)
    }

    /// Why nothing was delivered; nothing when something was.
    #[must_use]
    pub fn why_nothing(&self) -> Option<String> {
        let reading = self.reading.as_ref().filter(|_| self.delivered == 0)?;
        if reading.records == 0 && self.before == 0 && self.dead() == 0 {
            return Some("the vendor gave no records".to_owned());
        }
        let parts = [
            (reading.outside, "outside the window"),
            (reading.passed_over, "left out by `when`"),
            (reading.repeated, "repeated"),
            (self.before, "delivered before"),
            (self.invalid, "not valid"),
            (self.refused, "refused by the platform"),
        ];
        Some(format!(
            "the vendor gave {}{}",
            counted(reading.records, "record"),
            shares(reading.records, &parts)
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

    /// Adds what another reading of runs came to.
    pub fn add_runs(&mut self, other: Self) {
        let (ours, theirs) = (&mut self.runs, other.runs);
        ours.delivered += theirs.delivered;
        ours.before += theirs.before;
        ours.invalid += theirs.invalid;
        ours.refused += theirs.refused;
        ours.first_problem = ours.first_problem.take().or(theirs.first_problem);
        match (&mut ours.reading, theirs.reading) {
            (Some(ours), Some(theirs)) => {
                ours.records += theirs.records;
                ours.events += theirs.events;
                ours.passed_over += theirs.passed_over;
                ours.outside += theirs.outside;
                ours.repeated += theirs.repeated;
                ours.requests += theirs.requests;
                for (word, count) in theirs.unmapped {
                    *ours.unmapped.entry(word).or_default() += count;
                }
                ours.notes.extend(theirs.notes);
                ours.incomplete.extend(theirs.incomplete);
            }
            (ours, theirs) => *ours = ours.take().or(theirs),
        }
        self.found.runs.extend(other.found.runs);
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
        dead_letters.mend()?;
        let queue = Queue::default();
        let mut delivery = Delivery {
            sink,
            ledger,
            dead_letters,
            on_progress,
            batch: Vec::new(),
            batch_bytes: 0,
            done: Vec::new(),
            suspects: Vec::new(),
            collected: Collected::default(),
        };
        let read = thread::scope(|threads| {
            let reader = threads.spawn(|| self.read(queue.feed()));
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
        let mut collected = delivery.collected;
        (
            collected.assets.reading,
            collected.runs.reading,
            collected.found,
        ) = read?;
        Ok(collected)
    }

    fn read(
        &self,
        mut feed: Feed<'_>,
    ) -> Result<(Option<Summary>, Option<Summary>, Found), SourceError> {
        let mut found = Found::default();
        let mut put = |given| {
            // When nobody takes events any more, the reading is being cancelled.
            for event in self.encoder.events(given) {
                let _taken = feed.push(event);
            }
        };
        let is_wanted = |job: Option<&str>| match self.jobs {
            Some(jobs) => job.is_some_and(|job| jobs.contains(job)),
            None => true,
        };
        let assets = match self.parts {
            Parts::All | Parts::Metadata => {
                Some(self.pipeline.assets(self.now, None, &mut |asset| {
                    if is_wanted(asset.job_source_id()) {
                        if self.jobs.is_some() {
                            found.jobs.extend(asset.job_source_id().map(str::to_owned));
                        }
                        put(Given::Asset(asset));
                    }
                }))
            }
            Parts::Runs => None,
        };
        // Jobs that cannot be read do not stop runs.
        let (assets, failed) = match assets {
            Some(Err(error)) if error.kind.fails_everything() => return Err(error),
            Some(Err(error)) => (None, Some(error)),
            Some(Ok(summary)) => (Some(summary), None),
            None => (None, None),
        };
        let is_by_id = matches!(self.runs, RunQuery::Ids(_));
        let runs = match self.parts {
            Parts::All | Parts::Runs => {
                let mut put_run = |run: RunEvent| {
                    if is_wanted(run.job_source_id()) {
                        if is_by_id {
                            found.runs.extend(run.run_source_id().map(str::to_owned));
                        }
                        put(Given::Run(run));
                    }
                };
                let mut summary = self.pipeline.runs(&self.runs, None, &mut put_run)?;
                // Whoever takes a run's events in order has it as it stood last.
                summary.newer.drain(..).for_each(put_run);
                Some(summary)
            }
            Parts::Metadata => None,
        };
        if let Some(error) = failed {
            return Err(error);
        }
        // What could not be made into an event is told at the end, when nothing else is put.
        for failed in assets
            .iter()
            .chain(&runs)
            .flat_map(|summary| &summary.failed)
        {
            let _taken = feed.push(self.encoder.failed(failed));
        }
        Ok((assets, runs, found))
    }
}

/// Events on their way out.
struct Delivery<'d> {
    sink: &'d mut dyn Sink,
    ledger: &'d mut Ledger,
    dead_letters: &'d mut DeadLetters,
    on_progress: &'d mut dyn FnMut(&Collected),
    batch: Vec<Event>,
    batch_bytes: usize,
    /// Dead letters that the ledger does not have yet.
    done: Vec<Entry>,
    /// Events that were refused while nothing has been taken yet, with the reason.
    suspects: Vec<(Event, String)>,
    collected: Collected,
}

impl Delivery<'_> {
    fn all(&mut self, queue: &Queue) -> Result<(), CollectError> {
        while let Some(events) = queue.pop() {
            for event in events {
                self.one(event)?;
            }
        }
        self.flush()?;
        self.check_taken(FEW)?;
        self.reject_suspects()?;
        self.settle()
    }

    fn one(&mut self, event: Event) -> Result<(), CollectError> {
        // Records of which nothing could be made are alike: they are one dead letter, whether it is written already or not.
        if self.ledger.knows(&event) || self.done.iter().any(|done| done.is_of(&event)) {
            self.collected.of(event.kind).before += 1;
            return Ok(());
        }
        if !event.problems.is_empty() {
            let tally = self.collected.of(event.kind);
            tally.invalid += 1;
            tally
                .first_problem
                .get_or_insert_with(|| event.problems.join("; "));
            self.give_up(&event, &event.problems);
            return match self.done.len() {
                BATCH.. => self.settle(),
                _ => Ok(()),
            };
        }
        let other_kind = self
            .batch
            .last()
            .is_some_and(|last| last.kind != event.kind);
        if other_kind || self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        self.batch_bytes += event.text.len();
        self.batch.push(event);
        Ok(())
    }

    fn give_up(&mut self, event: &Event, reasons: &[String]) {
        self.dead_letters.add(event, reasons);
        let entry = self.ledger.entry(event, Outcome::GivenUp);
        self.done.push(entry);
    }

    fn flush(&mut self) -> Result<(), CollectError> {
        self.batch_bytes = 0;
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
                None => taken.push(self.ledger.entry(&event, Outcome::Delivered)),
            }
        }
        self.collected.of(kind).delivered += taken.len();
        if taken.is_empty() && self.ledger.is_empty() {
            self.check_taken(BATCH)?;
        } else {
            self.ledger.add(&taken, self.sink.bytes())?;
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
            self.give_up(&event, &[reason]);
        }
        if self.done.is_empty() {
            return Ok(());
        }
        self.settle()
    }

    /// Writes dead letters to the disk, and only then that they are done with.
    fn settle(&mut self) -> Result<(), CollectError> {
        self.dead_letters.settle()?;
        self.ledger.add(&std::mem::take(&mut self.done), None)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod power_cuts;
