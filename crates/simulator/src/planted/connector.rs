//! A connector with the contract's two methods that is right but for a mistake.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bowline_contract::pipeline::{AssetEvent, RunEvent, Window};
use bowline_pipeline::{FetchMethods, PageQuery, RunQuery, SourceError, SourceErrorKind};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::runs::Spoiling;
use super::{Mistake, jobs};

/// What a vendor has, given whole and as a right connector gives it.
pub trait Truth: Send + Sync {
    /// What the vendor's clock shows.
    fn now(&self) -> Timestamp;

    /// A number that changes when anything at the vendor's does.
    fn generation(&self) -> u64;

    /// One request, so that time goes by at the vendor's.
    fn pass(&self);

    /// Every job.
    ///
    /// # Errors
    /// When the vendor cannot be read.
    fn assets(&self) -> Result<Vec<AssetEvent>, SourceError>;

    /// Every run of a query, with the vendor's words for statuses.
    ///
    /// # Errors
    /// When the vendor cannot be read.
    fn runs(&self, query: &RunQuery) -> Result<Vec<RunEvent>, SourceError>;

    /// Stops a reading soon, and those to come.
    fn cancel(&self) {}
}

/// Just less than a second.
const ALMOST_A_SECOND: SignedDuration = SignedDuration::from_micros(999_999);

/// How many runs a page of the vendor's has.
const PAGE: usize = 10;

/// What a connector keeps between calls that should not.
#[derive(Default)]
struct Memory {
    /// The ids of runs that were given.
    given: HashSet<String>,
    /// What the pages of an answer are cut from.
    answer: Vec<RunEvent>,
    by_start: HashMap<Timestamp, Vec<RunEvent>>,
    /// Where a page ended.
    place: usize,
    /// Every run of every answer.
    answers: Vec<RunEvent>,
    /// What was given for the first ids.
    asked: Option<Vec<RunEvent>>,
}

/// What was read of the vendor, and at which generation of it.
type Kept = Option<(RunQuery, u64, Vec<RunEvent>)>;

/// A connector with the contract's methods: it reads the vendor, and cuts pages from that.
pub struct Planted<T> {
    mistake: Option<Mistake>,
    truth: T,
    kept: Mutex<Kept>,
    /// The first window that was asked for.
    first: Mutex<Option<Window>>,
    /// What a connector with state of its own keeps between calls.
    memory: Mutex<Memory>,
    calls: Mutex<u64>,
}

impl<T: Truth> Planted<T> {
    /// A connector with a mistake, or a right one.
    pub fn new(mistake: Option<Mistake>, truth: T) -> Self {
        Self {
            mistake,
            truth,
            kept: Mutex::default(),
            first: Mutex::default(),
            memory: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// One more call; gives how many there were.
    fn call(&self) -> u64 {
        self.truth.pass();
        let mut calls = lock(&self.calls);
        *calls += 1;
        *calls
    }

    /// The runs that the vendor has for a query, in an order that does not change. Pages behind the first are cut from
    /// what was read for it.
    fn read(&self, query: &RunQuery, offset: usize) -> Result<Vec<RunEvent>, SourceError> {
        let generation = self.truth.generation();
        let mut kept = lock(&self.kept);
        if let Some((known, at, events)) = &*kept
            && known == query
            && (offset > 0 || *at == generation)
        {
            return Ok(events.clone());
        }
        let mut events = self.truth.runs(query)?;
        events.sort_by_key(|run| (run.event_time(), run.run_source_id().map(str::to_owned)));
        *kept = Some((query.clone(), generation, events.clone()));
        Ok(events)
    }

    /// The runs of a query, with the mistakes that are about which runs those are.
    fn asked(&self, query: &RunQuery, offset: usize) -> Result<Vec<RunEvent>, SourceError> {
        let RunQuery::Window(window) = query else {
            return self.asked_by_id(query, offset);
        };
        let Window { start, end } = *window;
        let hour = |at: Timestamp| Timestamp::from_second(at.as_second().div_euclid(3600) * 3600);
        let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let day = |at: Timestamp| {
            let day = at.as_second().div_euclid(86_400) * 86_400;
            Timestamp::from_second(day).unwrap_or(at)
        };
        let minute = |at: Timestamp, seconds: i64| {
            Timestamp::from_second((at.as_second() + seconds).div_euclid(60) * 60).unwrap_or(at)
        };
        let (from, to) = match self.mistake {
            Some(Mistake::WindowInMinutes) => (minute(start, 0), minute(end, 60)),
            Some(Mistake::WindowPadded) => {
                let more = SignedDuration::from_mins(5);
                (start - more, end + more)
            }
            Some(Mistake::RunningInEveryWindow) => {
                (start - SignedDuration::from_hours(200), self.truth.now())
            }
            Some(Mistake::ClosedEnd) => (start, end + SignedDuration::from_micros(1)),
            Some(Mistake::OpenStart) => (start + SignedDuration::from_micros(1), end),
            Some(Mistake::WindowFromNow) => {
                let now = self.truth.now();
                (now - end.duration_since(start), now)
            }
            Some(Mistake::WholeDays) => (day(start), day(end)),
            Some(Mistake::EndIgnored) => (start, self.truth.now()),
            Some(Mistake::StartIgnored) => (end - SignedDuration::from_hours(200), end),
            Some(Mistake::EndInWholeSeconds) => (start, second(end)),
            Some(Mistake::DayAtMost) => (start.max(end - SignedDuration::from_hours(24)), end),
            Some(Mistake::StartInWholeSeconds) => (second(start + ALMOST_A_SECOND), end),
            Some(Mistake::AsksInLocalTime) => (start + SignedDuration::from_hours(2), end),
            Some(Mistake::FirstWindowForever) => {
                let first = *lock(&self.first).get_or_insert(*window);
                (first.start, first.end)
            }
            Some(Mistake::WholeHours) => (hour(start).unwrap_or(start), hour(end).unwrap_or(end)),
            Some(
                Mistake::FiltersByStart | Mistake::FiltersByQueueing | Mistake::TimeOfQueueing,
            ) => (
                start - SignedDuration::from_hours(12),
                end + SignedDuration::from_hours(12),
            ),
            Some(Mistake::FiltersAfterPaging) => (start - SignedDuration::from_hours(200), end),
            _ => (start, end),
        };
        let widened = Window {
            start: from,
            end: to,
        };
        let mut runs = self.read(&RunQuery::Window(widened), offset)?;
        let within = |at: Timestamp| window.contains(at);
        match self.mistake {
            Some(Mistake::FiltersByStart) => {
                runs.retain(|run| run.start_time().is_none_or(within));
            }
            Some(Mistake::TimeOfQueueing | Mistake::FiltersByQueueing) => {
                runs.retain(|run| run.queued_at().is_some_and(within));
            }
            Some(Mistake::RunningInEveryWindow) => {
                runs.retain(|run| !run.has("end_time") || run.event_time().is_some_and(within));
            }
            Some(Mistake::OnePerJobAndStatus) => {
                let mut seen = HashSet::new();
                runs.retain(|run| {
                    let status = run.json()["status"].to_string();
                    seen.insert((run.job_source_id().map(str::to_owned), status))
                });
            }
            Some(Mistake::ResultsAddUp) => {
                let mut memory = lock(&self.memory);
                if offset == 0 {
                    memory.answers.extend(runs);
                }
                runs = memory.answers.clone();
            }
            Some(Mistake::AttemptsWithFirst) => {
                let ids: HashSet<String> = runs.iter().filter_map(id_of).collect();
                runs.retain(|run| {
                    let before = run.parent_attempt_run_source_id();
                    before.is_none_or(|before| ids.contains(before))
                });
            }
            Some(Mistake::DropsRunning) => runs.retain(|run| run.has("end_time")),
            Some(Mistake::DropsFailed) => runs.retain(|run| !run.has("error")),
            Some(Mistake::BothInside) => {
                runs.retain(|run| run.start_time().is_none_or(within));
            }
            Some(Mistake::StopsAtRunning) => {
                let under_way = |run: &RunEvent| run.has("start_time") && !run.has("end_time");
                let first = runs.iter().position(under_way);
                runs.truncate(first.unwrap_or(runs.len()));
            }
            Some(Mistake::LatestPerJob) => {
                let last: HashMap<Option<String>, Option<String>> = runs
                    .iter()
                    .map(|run| (run.job_source_id().map(str::to_owned), id_of(run)))
                    .collect();
                runs.retain(|run| last[&run.job_source_id().map(str::to_owned)] == id_of(run));
            }
            Some(Mistake::FiftyAtMost) => runs.truncate(50),
            Some(Mistake::DropsFullPage)
                if runs.len() > PAGE && runs.len().is_multiple_of(PAGE) =>
            {
                runs.truncate(runs.len() - PAGE);
            }
            Some(Mistake::ShortLookback) => {
                let since = start - SignedDuration::from_mins(10);
                runs.retain(|run| run.start_time().is_none_or(|at| at >= since));
            }
            Some(Mistake::RunningTwice) => {
                let open = runs.iter().filter(|run| !run.has("end_time"));
                let open: Vec<RunEvent> = open.cloned().collect();
                runs.extend(open);
            }
            Some(Mistake::PiecesApart | Mistake::PiecesOverlap) => {
                let seconds = |run: &RunEvent| {
                    run.event_time()
                        .map(|at| at.duration_since(start).as_secs())
                };
                let is_in = |run: &RunEvent, length: i64, part: std::ops::Range<i64>| {
                    seconds(run).is_some_and(|at| part.contains(&at.rem_euclid(length)))
                };
                if self.has(Mistake::PiecesApart) {
                    runs.retain(|run| is_in(run, 6 * 3600, 0..6 * 3600 - 300));
                } else {
                    let is_again =
                        |run: &&RunEvent| seconds(run) > Some(300) && is_in(run, 3600, 0..300);
                    let again: Vec<RunEvent> = runs.iter().filter(is_again).cloned().collect();
                    runs.extend(again);
                }
            }
            Some(Mistake::IdsOfLastWindow) => lock(&self.memory).answer.clone_from(&runs),
            Some(Mistake::ShortWindowsEmpty)
                if end.duration_since(start) < SignedDuration::from_hours(1) =>
            {
                runs.clear();
            }
            Some(Mistake::LosesNewest) => drop(runs.pop()),
            Some(Mistake::LosesOldest) if !runs.is_empty() => drop(runs.remove(0)),
            Some(Mistake::DropsEarlierAttempts) => {
                let followed: HashSet<String> = runs
                    .iter()
                    .filter_map(RunEvent::parent_attempt_run_source_id)
                    .map(str::to_owned)
                    .collect();
                runs.retain(|run| id_of(run).is_none_or(|id| !followed.contains(&id)));
            }
            Some(Mistake::OnePerJobAndHour) => {
                let mut seen = HashSet::new();
                runs.retain(|run| {
                    let hour = run.start_time().map(|at| at.as_second() / 3600);
                    seen.insert((run.job_source_id().map(str::to_owned), hour))
                });
            }
            Some(Mistake::GivesOnce) => {
                let mut memory = lock(&self.memory);
                if offset == 0 {
                    runs.retain(|run| id_of(run).is_none_or(|id| memory.given.insert(id)));
                    memory.answer = runs;
                }
                runs = memory.answer.clone();
            }
            Some(Mistake::CachedByStart) => {
                let mut memory = lock(&self.memory);
                runs = memory.by_start.entry(start).or_insert(runs).clone();
            }
            Some(Mistake::OnePerHour) => {
                runs.dedup_by_key(|run| run.event_time().map(|at| at.as_second() / 3600));
            }
            _ => {}
        }
        Ok(runs)
    }

    /// The runs of the last day.
    fn lately(&self) -> RunQuery {
        let end = self.truth.now();
        let start = end - SignedDuration::from_hours(24);
        RunQuery::Window(Window { start, end })
    }

    fn asked_by_id(&self, query: &RunQuery, offset: usize) -> Result<Vec<RunEvent>, SourceError> {
        match self.mistake {
            Some(Mistake::IdsIgnored) => self.read(&self.lately(), offset),
            Some(Mistake::IdsGiveNothing) => Ok(Vec::new()),
            Some(Mistake::IdsOfLastWindow) => {
                let known: HashSet<Option<String>> =
                    lock(&self.memory).answer.iter().map(id_of).collect();
                let mut runs = self.read(query, offset)?;
                runs.retain(|run| known.contains(&id_of(run)));
                Ok(runs)
            }
            Some(Mistake::IdsOfLastPiece) => match query {
                RunQuery::Ids(ids) => {
                    let last = ids.chunks(20).next_back().unwrap_or_default();
                    self.read(&RunQuery::Ids(last.to_vec()), offset)
                }
                RunQuery::Window(_) => self.read(query, offset),
            },
            Some(Mistake::FirstIdsForever) => {
                let runs = self.read(query, offset)?;
                Ok(lock(&self.memory).asked.get_or_insert(runs).clone())
            }
            Some(Mistake::IdsDropRunning) => {
                let mut runs = self.read(query, offset)?;
                runs.retain(|run| run.has("end_time"));
                Ok(runs)
            }
            Some(Mistake::IdsByPrefix) => {
                let RunQuery::Ids(ids) = query else {
                    return self.read(query, offset);
                };
                let mut runs = self.truth.runs(&self.lately())?;
                runs.retain(|run| {
                    let id = run.run_source_id().unwrap_or_default();
                    ids.iter().any(|asked| id.starts_with(asked.as_str()))
                });
                Ok(runs)
            }
            Some(Mistake::UnknownIdMadeUp) => {
                let mut runs = self.read(query, offset)?;
                let RunQuery::Ids(ids) = query else {
                    return Ok(runs);
                };
                let known: HashSet<Option<String>> = runs.iter().map(id_of).collect();
                for id in ids
                    .iter()
                    .filter(|id| !known.contains(&Some((*id).to_string())))
                {
                    runs.push(RunEvent::from(json!({
                        "job_source_id": "unknown",
                        "run_source_id": id.as_str(),
                        "status": "QUEUED",
                        "event_time": self.truth.now().to_string(),
                    })));
                }
                Ok(runs)
            }
            Some(Mistake::IdsLatestAttempt) => {
                let mut runs = self.read(query, offset)?;
                let lately = self.truth.runs(&self.lately())?;
                for run in &mut runs {
                    let id = id_of(run);
                    let follows = |other: &&RunEvent| {
                        other.parent_attempt_run_source_id() == id.as_deref() && id.is_some()
                    };
                    if let Some(next) = lately.iter().find(follows) {
                        *run = next.clone();
                    }
                }
                Ok(runs)
            }
            Some(Mistake::IdsOfLastDay) => {
                let day = self.truth.now() - SignedDuration::from_hours(24);
                let mut runs = self.read(query, offset)?;
                runs.retain(|run| run.event_time().is_some_and(|at| at >= day));
                Ok(runs)
            }
            Some(Mistake::IdsByPlace) => {
                let mut runs = self.read(query, offset)?;
                if let RunQuery::Ids(ids) = query {
                    for (run, id) in runs.iter_mut().zip(ids) {
                        if let Some(run) = run.fields_mut() {
                            run.insert("run_source_id".to_owned(), id.as_str().into());
                        }
                    }
                }
                Ok(runs)
            }
            Some(Mistake::IdsTwice) => {
                let runs = self.read(query, offset)?;
                Ok(runs.iter().chain(&runs).cloned().collect())
            }
            Some(Mistake::IdsWithRelatives) => {
                let mut runs = self.read(query, offset)?;
                let others = self.truth.runs(&self.lately())?;
                let is_relative = |other: &RunEvent| {
                    let same = |run: &RunEvent| run.job_source_id() == other.job_source_id();
                    runs.iter().any(same) && !runs.iter().any(|run| id_of(run) == id_of(other))
                };
                let relatives: Vec<RunEvent> = others.into_iter().filter(is_relative).collect();
                runs.extend(relatives);
                Ok(runs)
            }
            Some(Mistake::IdsWithinWindow | Mistake::TenIdsAtMost) => {
                let mut runs = self.read(query, offset)?;
                runs.truncate(if self.has(Mistake::TenIdsAtMost) {
                    10
                } else {
                    1
                });
                Ok(runs)
            }
            Some(Mistake::UnknownIdSpoilsAll) => {
                let mut runs = self.read(query, offset)?;
                if matches!(query, RunQuery::Ids(ids) if runs.len() < ids.len()) {
                    runs.clear();
                }
                Ok(runs)
            }
            Some(Mistake::UnknownIdFails) => {
                let runs = self.read(query, offset)?;
                let RunQuery::Ids(ids) = query else {
                    return Ok(runs);
                };
                if runs.len() < ids.len() {
                    return Err(failed(
                        SourceErrorKind::Connector,
                        "KeyError: run not found",
                    ));
                }
                Ok(runs)
            }
            _ => self.read(query, offset),
        }
    }

    /// A page of a list, with the mistakes that are about pages.
    fn cut(&self, mut events: Vec<RunEvent>, page: PageQuery, calls: u64) -> Vec<RunEvent> {
        let PageQuery { limit, offset } = page;
        let (from, count) = match self.mistake {
            Some(Mistake::IgnoresOffset) => (0, limit),
            Some(Mistake::LimitIsEnd) => (offset, limit.saturating_sub(offset)),
            Some(Mistake::RoundsOffsetDown) => (offset / 25 * 25, limit),
            Some(Mistake::RepeatsOnShift) => (offset.saturating_sub(1), limit),
            Some(Mistake::LosesOnShift) => (offset + usize::from(offset > 0), limit),
            Some(Mistake::ClampUnnoticed) => (offset / limit * limit.min(20), limit.min(20)),
            Some(Mistake::OffsetIsPage) => (offset * limit, limit),
            Some(Mistake::OffsetTwice) => (offset * 2, limit),
            Some(Mistake::IgnoresLimit) => (offset, usize::MAX),
            Some(Mistake::OneTooMany) => (offset, limit + 1),
            Some(Mistake::GivesFirstPageOnly) if offset > 0 => (offset, 0),
            Some(Mistake::KeepsItsPlace) => {
                let mut memory = lock(&self.memory);
                if offset == 0 {
                    memory.place = 0;
                }
                let from = memory.place;
                memory.place += limit;
                (from, limit)
            }
            _ => (offset, limit),
        };
        if self.has(Mistake::OrderChanges) && calls.is_multiple_of(2) {
            events.reverse();
        }
        let mut cut: Vec<RunEvent> = events.into_iter().skip(from).take(count).collect();
        let drops = match self.mistake {
            Some(Mistake::DropsLastPage) => offset > 0,
            Some(Mistake::DropsShortPages) => true,
            _ => false,
        };
        if drops && cut.len() < limit {
            cut.clear();
        }
        if self.has(Mistake::SwallowsRefusals) && calls.is_multiple_of(5) {
            cut.truncate(cut.len() / 2);
        }
        cut
    }
}

impl<T: Truth> FetchMethods for Planted<T> {
    fn setup_connection(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
        let calls = self.call();
        let mut assets = self.truth.assets()?;
        if self.has(Mistake::JobsDropLast) && page.limit < assets.len() {
            assets.pop();
        }
        jobs::spoil(self.mistake, &mut assets, calls);
        let PageQuery { limit, offset } = page;
        let (from, count) = match self.mistake {
            Some(Mistake::JobsIgnoreOffset) => (0, limit),
            Some(Mistake::JobsRepeatOnShift) => (offset.saturating_sub(1), limit),
            Some(Mistake::JobsOffsetIsPage) => (offset * limit, limit),
            Some(Mistake::JobsIgnoreLimit) => (offset, usize::MAX),
            Some(Mistake::JobsFirstPageOnly) if offset > 0 => (offset, 0),
            _ => (offset, limit),
        };
        let mut page: Vec<AssetEvent> = assets.iter().skip(from).take(count).cloned().collect();
        jobs::join(self.mistake, &mut page, &assets);
        Ok(page)
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError> {
        let calls = self.call();
        let lately = self.lately();
        let query = match query {
            Some(query) => query,
            None if self.has(Mistake::NothingAskedGivesAll) => &lately,
            None => {
                return Err(failed(
                    SourceErrorKind::Connector,
                    "ValueError: neither run_ids nor a window was given",
                ));
            }
        };
        let all = self.asked(query, page.offset)?;
        let by_id = matches!(query, RunQuery::Ids(_));
        let mut events = self.cut(all.clone(), page, calls);
        if self.has(Mistake::FiltersAfterPaging)
            && let RunQuery::Window(window) = query
        {
            events.retain(|run| run.event_time().is_some_and(|at| window.contains(at)));
        }
        let spoiling = Spoiling {
            mistake: self.mistake,
            by_id,
            now: self.truth.now(),
            end: match query {
                RunQuery::Window(window) => window.end,
                RunQuery::Ids(_) => self.truth.now(),
            },
            calls,
        };
        spoiling.spoil(&mut events, &all);
        Ok(events)
    }

    fn cancel(&self) {
        self.truth.cancel();
    }
}

fn id_of(run: &RunEvent) -> Option<String> {
    run.run_source_id().map(str::to_owned)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(kind: SourceErrorKind, cause: &str) -> SourceError {
    SourceError::new(kind, "`fetch_run_details`").because(cause)
}
