//! The truth: jobs and runs, how they change, and everything that they ever were.

use std::collections::HashMap;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::scenario::{Attempts, Clock, Scenario};

/// A job of the simulated orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it runs, as cron; by hand when not said.
    pub cron: Option<String>,
    /// Whether its schedule is switched off.
    pub paused: bool,
    /// The address of who answers for it.
    pub owner: Option<String>,
    /// How many steps its runs have.
    pub steps: u8,
}

/// A run as it stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its identifier.
    pub id: String,
    /// The number of its job.
    pub job: usize,
    /// How it stands.
    pub state: RunState,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// The run it is another attempt of, where attempts are runs of their own.
    pub retry_of: Option<String>,
    /// Whether a person started it.
    pub by_hand: bool,
    /// When it was asked for.
    pub queued: Timestamp,
    /// When its work began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When anything about it changed last.
    pub updated: Timestamp,
    /// Its place where the vendor lists runs by importance.
    pub rank: u32,
    /// What went wrong.
    pub error: Option<String>,
}

impl Run {
    /// The moment that a correct connector files it under: its end, or its start, or when it was asked for.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.ended.or(self.started).unwrap_or(self.queued)
    }
}

/// How a run stands, in the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It waits.
    Queued,
    /// It works.
    Running,
    /// It ended well.
    Succeeded,
    /// It went wrong.
    Failed,
    /// Someone stopped it.
    Cancelled,
    /// It ran past its limit.
    TimedOut,
    /// A word that the vendor's documentation does not have.
    Hibernating,
}

impl RunState {
    /// The vendor's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
            Self::Hibernating => "HIBERNATING",
        }
    }

    /// The contract's word; `unknown` for the one that nobody documented.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "in_progress",
            Self::Succeeded => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Hibernating => "unknown",
        }
    }
}

/// What can happen between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A run is asked for.
    Insert,
    /// A run that waits begins.
    Start,
    /// A run that works ends.
    Finish,
    /// A run that went wrong is tried again.
    Retry,
    /// A run that has not ended is stopped.
    Cancel,
    /// A run is deleted.
    Delete,
    /// A run gets another place in the list of runs by importance.
    Reorder,
    /// A job is deleted, with all that is known of its schedule; its runs stay.
    DeleteJob,
    /// A job is made.
    InsertJob,
}

/// Something with a past.
#[derive(Debug, Clone)]
pub struct Tracked<T> {
    /// What it was from when on, the oldest first; nothing while it did not exist.
    versions: Vec<(Timestamp, Option<T>)>,
}

impl<T> Tracked<T> {
    fn new(since: Timestamp, value: T) -> Self {
        Self {
            versions: vec![(since, Some(value))],
        }
    }

    /// What it is now.
    #[must_use]
    pub fn now(&self) -> Option<&T> {
        self.versions.last()?.1.as_ref()
    }

    fn set(&mut self, since: Timestamp, value: Option<T>) {
        self.versions.push((since, value));
    }

    /// Everything that it was from one moment to another, both included; nothing for a time when it did not exist.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Option<&T>> {
        let next = self.versions.iter().skip(1).map(|(since, _)| Some(*since));
        let before_first = self.versions[0].0 > from;
        let ends = next.chain([None]);
        let seen = self
            .versions
            .iter()
            .zip(ends)
            .filter(move |((since, _), end)| *since <= to && end.is_none_or(|end| end > from))
            .map(|((_, value), _)| value.as_ref());
        before_first.then_some(None).into_iter().chain(seen)
    }

    /// What it was all the time from one moment to another; nothing when it changed or did not exist.
    #[must_use]
    pub fn all_the_time(&self, from: Timestamp, to: Timestamp) -> Option<&T> {
        let mut seen = self.between(from, to);
        let first = seen.next().flatten();
        if seen.next().is_some() { None } else { first }
    }
}

/// Jobs and runs with their past, and the vendor's clock.
#[derive(Debug)]
pub struct World {
    /// What the vendor's clock shows.
    pub clock: Timestamp,
    /// Grows with every change.
    pub generation: u64,
    /// Every job there ever was.
    pub jobs: Vec<Tracked<Job>>,
    /// Every run there ever was.
    pub runs: Vec<Tracked<Run>>,
    by_id: HashMap<String, usize>,
    /// The runs that have not ended.
    open: Vec<usize>,
    rng: Rng,
    times: Clock,
    attempts: Attempts,
    odd: bool,
    long_errors: usize,
}

impl World {
    /// The world of a scenario as it stands when its clock begins.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut world = Self {
            clock: scenario.times.cut(scenario.start),
            generation: 0,
            jobs: Vec::new(),
            runs: Vec::new(),
            by_id: HashMap::new(),
            open: Vec::new(),
            rng: Rng::with_seed(scenario.seed ^ 0x0077_6f72_6c64),
            times: scenario.times,
            attempts: scenario.attempts,
            odd: scenario.odd,
            long_errors: scenario.error_length,
        };
        for _ in 0..scenario.jobs.max(1) {
            world.insert_job();
        }
        world.history(scenario);
        world
    }

    /// The runs of the hours before the clock's beginning, the oldest first.
    fn history(&mut self, scenario: &Scenario) {
        let now = self.clock;
        let span = scenario.hours.max(1) * 3600 * 1_000_000;
        let count = u64::try_from(scenario.runs).unwrap_or(u64::MAX).max(1);
        for index in 0..scenario.runs {
            let index = u64::try_from(index).unwrap_or_default();
            let share = span / count;
            let back = span - index * share - self.rng.u64(0..share.max(1));
            let queued = self.times.cut(before(now, back));
            let number = self.insert_run(queued);
            let ago = micros_between(queued, now);
            let started = self
                .times
                .cut(after(queued, self.rng.u64(0..ago.max(1)) / 8));
            // The last tenth may be under way still, and a few old ones hang.
            let is_open = index * 10 >= count * 9 || self.rng.u8(0..40) == 0;
            let Some(mut run) = self.runs[number].now().cloned() else {
                continue;
            };
            if is_open && self.rng.u8(0..3) > 0 {
                if self.rng.bool() {
                    run.started = Some(started);
                    run.state = RunState::Running;
                    run.updated = started;
                }
            } else {
                let left = micros_between(started, now);
                let most = left.min(6 * 3600 * 1_000_000);
                let ended = after(started, self.rng.u64(0..most.max(1)));
                run.started = Some(started);
                self.end(&mut run, self.times.cut(ended));
                // The vendor fills in numbers later; what counts happened before.
                if self.rng.u8(0..4) == 0 {
                    let later = micros_between(ended, now) / 2;
                    run.updated = self.times.cut(after(ended, self.rng.u64(0..later.max(1))));
                }
            }
            if scenario.unmapped && self.rng.u8(0..12) == 0 && run.ended.is_none() {
                run.state = RunState::Hibernating;
            }
            self.runs[number].versions[0].1 = Some(run);
        }
        self.attempts_of_the_past();
        let runs = &self.runs;
        self.open
            .retain(|number| runs[*number].now().is_some_and(|run| run.ended.is_none()));
    }

    /// Half of the runs that went wrong were tried again.
    fn attempts_of_the_past(&mut self) {
        for number in 0..self.runs.len() {
            let failed = self.runs[number].now().cloned();
            let failed = failed.filter(|run| run.state == RunState::Failed);
            let (Some(failed), true) = (failed, self.rng.bool()) else {
                continue;
            };
            let Some(ended) = failed.ended else { continue };
            match self.attempts {
                Attempts::SameRun => {
                    let run = Run {
                        attempt: 2,
                        ..failed
                    };
                    self.runs[number].versions[0].1 = Some(run);
                }
                Attempts::NewRun => {
                    let queued = self.times.cut(after(ended, 60_000_000));
                    let started = self.times.cut(after(queued, 5_000_000));
                    let ended = self.times.cut(after(started, 90_000_000));
                    if ended >= self.clock {
                        continue;
                    }
                    let again = self.insert_run(queued);
                    let Some(mut run) = self.runs[again].now().cloned() else {
                        continue;
                    };
                    run.job = failed.job;
                    run.attempt = 2;
                    run.retry_of = Some(failed.id);
                    run.started = Some(started);
                    run.ended = Some(ended);
                    run.updated = ended;
                    run.state = RunState::Succeeded;
                    self.runs[again].versions[0].1 = Some(run);
                }
            }
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, micros: u64) {
        self.clock = self.times.cut(after(self.clock, micros));
    }

    /// The number of a run in [`World::runs`], by its identifier.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// A run by its identifier, as it stands.
    #[must_use]
    pub fn run(&self, id: &str) -> Option<&Run> {
        self.runs[self.number(id)?].now()
    }

    /// The identifier of a job, whether it still exists or not.
    #[must_use]
    pub fn job_id(&self, number: usize) -> &str {
        let known = self.jobs.get(number).into_iter();
        let mut versions = known.flat_map(|job| job.versions.iter().rev());
        versions
            .find_map(|(_, job)| job.as_ref())
            .map_or("", |job| job.id.as_str())
    }

    /// Makes something happen now, if there is something that it can happen to; gives what, for people.
    pub fn change(&mut self, change: Change) -> Option<String> {
        let now = self.clock;
        let told = match change {
            Change::Insert => {
                let number = self.insert_run(now);
                format!("{} is asked for", self.runs[number].now()?.id)
            }
            Change::Start => self.revise(RunState::Queued, |_, run, now| {
                run.state = RunState::Running;
                run.started = Some(now);
            })?,
            Change::Finish => {
                self.revise(RunState::Running, |world, run, now| world.end(run, now))?
            }
            Change::Cancel => {
                let from = if self.rng.bool() {
                    RunState::Queued
                } else {
                    RunState::Running
                };
                self.revise(from, |_, run, now| {
                    run.state = RunState::Cancelled;
                    run.ended = Some(now);
                })?
            }
            Change::Retry => self.retry()?,
            Change::Delete => {
                let number = self.any(|_| true)?;
                let id = self.runs[number].now()?.id.clone();
                self.runs[number].set(now, None);
                self.open.retain(|open| *open != number);
                format!("{id} is deleted")
            }
            Change::Reorder => {
                let number = self.any(|_| true)?;
                let mut run = self.runs[number].now()?.clone();
                run.rank = self.rng.u32(..);
                let told = format!("{} gets another rank", run.id);
                self.runs[number].set(now, Some(run));
                told
            }
            Change::InsertJob => {
                let number = self.insert_job();
                format!("job {} is made", self.job_id(number))
            }
            Change::DeleteJob => {
                let living =
                    (0..self.jobs.len()).filter(|number| self.jobs[*number].now().is_some());
                let living: Vec<usize> = living.collect();
                if living.len() < 2 {
                    return None;
                }
                let number = living[self.rng.usize(0..living.len())];
                self.jobs[number].set(now, None);
                format!("job {} is deleted", self.job_id(number))
            }
        };
        self.generation += 1;
        Some(told)
    }

    fn revise(
        &mut self,
        from: RunState,
        revise: impl FnOnce(&mut Self, &mut Run, Timestamp),
    ) -> Option<String> {
        let open = self.open.iter().copied();
        let fitting: Vec<usize> = open
            .filter(|number| {
                self.runs[*number]
                    .now()
                    .is_some_and(|run| run.state == from)
            })
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let number = fitting[self.rng.usize(0..fitting.len())];
        let mut run = self.runs[number].now()?.clone();
        let now = self.clock;
        revise(self, &mut run, now);
        run.updated = now;
        if run.ended.is_some() {
            self.open.retain(|open| *open != number);
        }
        let told = format!("{} is {} now", run.id, run.state.word());
        self.runs[number].set(now, Some(run));
        Some(told)
    }

    fn retry(&mut self) -> Option<String> {
        let number = self.any(|run| run.state == RunState::Failed)?;
        let now = self.clock;
        let old = self.runs[number].now()?.clone();
        self.jobs[old.job].now()?;
        match self.attempts {
            Attempts::SameRun => {
                let run = Run {
                    state: RunState::Running,
                    attempt: old.attempt + 1,
                    started: Some(now),
                    ended: None,
                    updated: now,
                    error: None,
                    ..old
                };
                let told = format!("{} is tried again", run.id);
                self.runs[number].set(now, Some(run));
                self.open.push(number);
                Some(told)
            }
            Attempts::NewRun => {
                let again = self.insert_run(now);
                let mut run = self.runs[again].now()?.clone();
                run.job = old.job;
                run.attempt = old.attempt + 1;
                run.retry_of = Some(old.id);
                let told = format!("{} is another attempt", run.id);
                self.runs[again].versions[0].1 = Some(run);
                Some(told)
            }
        }
    }

    /// A run that fits, taken at random; a few tries are enough, as nothing depends on finding one.
    fn any(&mut self, fits: impl Fn(&Run) -> bool) -> Option<usize> {
        if self.runs.is_empty() {
            return None;
        }
        (0..20)
            .map(|_| self.rng.usize(0..self.runs.len()))
            .find(|number| self.runs[*number].now().is_some_and(&fits))
    }

    fn end(&mut self, run: &mut Run, at: Timestamp) {
        run.state = match self.rng.u8(0..10) {
            0..6 => RunState::Succeeded,
            6..8 => RunState::Failed,
            8 => RunState::TimedOut,
            _ => RunState::Cancelled,
        };
        run.ended = Some(at);
        run.updated = at;
        if run.state == RunState::Failed {
            let text = if self.odd {
                "🔥 «Süd»: column \"amount\" is missing"
            } else {
                "column `amount` is missing"
            };
            run.error = Some(text.repeat(self.long_errors.div_ceil(text.len()).max(1)));
        }
    }

    fn insert_run(&mut self, queued: Timestamp) -> usize {
        let number = self.runs.len();
        // What an identifier may hold is the vendor's choice.
        let id = if self.odd {
            ["manual__{}+00:00/ä b?", "run-{}#%41", "run {} 🚀", "\"{}\""][number % 4]
                .replace("{}", &format!("{number:05}"))
        } else {
            format!("run-{number:05}")
        };
        let mut job = self.rng.usize(0..self.jobs.len());
        // What was deleted runs no more; one job is always left.
        while self.jobs[job].now().is_none() {
            job = (job + 1) % self.jobs.len();
        }
        let run = Run {
            id: id.clone(),
            job,
            state: RunState::Queued,
            attempt: 1,
            retry_of: None,
            by_hand: self.rng.u8(0..5) == 0,
            queued,
            started: None,
            ended: None,
            updated: queued,
            rank: self.rng.u32(..),
            error: None,
        };
        self.by_id.insert(id, number);
        self.open.push(number);
        self.runs.push(Tracked::new(queued, run));
        number
    }

    fn insert_job(&mut self) -> usize {
        let number = self.jobs.len();
        let name = if self.odd {
            format!("Nächtlicher Lauf 🌙 {number} \"quoted\" {{{{ x }}}}")
        } else {
            format!("job {number}")
        };
        let job = Job {
            id: format!("job-{number}"),
            name,
            cron: (number % 3 != 2).then(|| format!("{} {} * * *", number % 60, number % 24)),
            paused: number % 5 == 4,
            owner: number
                .is_multiple_of(2)
                .then(|| format!("owner{number}@example.com")),
            steps: u8::try_from(number % 3).unwrap_or_default() + 1,
        };
        // What was there when the clock began was there before.
        let since = if self.runs.is_empty() {
            Timestamp::MIN
        } else {
            self.clock
        };
        self.jobs.push(Tracked::new(since, job));
        number
    }
}

/// The moment so many microseconds later.
fn after(at: Timestamp, micros: u64) -> Timestamp {
    let span = SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
    at.saturating_add(span).unwrap_or(at)
}

fn before(at: Timestamp, micros: u64) -> Timestamp {
    let span = SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
    at.saturating_sub(span).unwrap_or(at)
}

fn micros_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_microsecond() - from.as_microsecond()).unwrap_or_default()
}
