//! A connector with the contract's two methods that is right but for a mistake.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bowline_contract::pipeline::{AssetEvent, GivenTask, RunEvent, Window};
use bowline_pipeline::{FetchMethods, PageQuery, RunQuery, SourceError, SourceErrorKind};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::Mistake;

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

/// What was read of the vendor, and at which generation of it.
type Kept = Option<(RunQuery, u64, Vec<RunEvent>)>;

/// A connector with the contract's methods: it reads the vendor, and cuts pages from that.
pub struct Planted<T> {
    mistake: Option<Mistake>,
    truth: T,
    kept: Mutex<Kept>,
    calls: Mutex<u64>,
}

impl<T: Truth> Planted<T> {
    /// A connector with a mistake, or a right one.
    pub fn new(mistake: Option<Mistake>, truth: T) -> Self {
        Self {
            mistake,
            truth,
            kept: Mutex::default(),
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
        let (from, to) = match self.mistake {
            Some(Mistake::ClosedEnd) => (start, end + SignedDuration::from_micros(1)),
            Some(Mistake::OpenStart) => (start + SignedDuration::from_micros(1), end),
            Some(Mistake::WindowFromNow) => {
                let now = self.truth.now();
                (now - end.duration_since(start), now)
            }
            Some(Mistake::WholeHours) => (hour(start).unwrap_or(start), hour(end).unwrap_or(end)),
            Some(Mistake::FiltersByStart | Mistake::TimeOfQueueing) => (
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
            Some(Mistake::TimeOfQueueing) => {
                runs.retain(|run| run.queued_at().is_some_and(within));
            }
            Some(Mistake::DropsRunning) => runs.retain(|run| run.has("end_time")),
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
            Some(Mistake::IdsWithinWindow) => {
                let mut runs = self.read(query, offset)?;
                runs.truncate(1);
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
            Some(Mistake::RepeatsOnShift) => (offset.saturating_sub(1), limit),
            Some(Mistake::LosesOnShift) => (offset + usize::from(offset > 0), limit),
            Some(Mistake::ClampUnnoticed) => (offset / limit * limit.min(20), limit.min(20)),
            Some(Mistake::OffsetIsPage) => (offset * limit, limit),
            Some(Mistake::IgnoresLimit) => (offset, usize::MAX),
            Some(Mistake::OneTooMany) => (offset, limit + 1),
            Some(Mistake::GivesFirstPageOnly) if offset > 0 => (offset, 0),
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

    /// A run with the mistakes that are about what it says.
    fn spoil(&self, run: &mut RunEvent, all: &[RunEvent], calls: u64) {
        let Some(mistake) = self.mistake else {
            return;
        };
        let before = run.clone();
        let is_retry = before.parent_attempt_run_source_id().is_some();
        match mistake {
            Mistake::SharesIdOfRetries if is_retry => {
                copy(
                    run,
                    "run_source_id",
                    &before,
                    "parent_attempt_run_source_id",
                );
            }
            Mistake::RetriesOfAnother if is_retry => {
                let other = all
                    .iter()
                    .find(|other| other.job_source_id() != before.job_source_id());
                if let Some(other) = other {
                    copy(run, "parent_attempt_run_source_id", other, "run_source_id");
                }
            }
            Mistake::RetriesOfItself if is_retry => {
                copy(
                    run,
                    "parent_attempt_run_source_id",
                    &before,
                    "run_source_id",
                );
            }
            Mistake::ForgetsAttempts => set(run, "attempt_number", 1),
            Mistake::ZoneDropped => {
                let bare = text(&before, "event_time").trim_end_matches('Z');
                set(run, "event_time", bare);
            }
            Mistake::LocalAsUtc => shift(run, SignedDuration::from_hours(2)),
            Mistake::IdsNotStable => {
                let id = text(&before, "run_source_id");
                set(run, "run_source_id", format!("{id}-{calls}"));
            }
            Mistake::IdOfJob => copy(run, "run_source_id", &before, "job_source_id"),
            Mistake::IdsShared => {
                let second = before.event_time().map_or(0, Timestamp::as_second);
                set(run, "run_source_id", (second % 5).to_string());
            }
            Mistake::StepsOfAnother => {
                let own = before.run_source_id();
                let at = all.iter().position(|other| other.run_source_id() == own);
                let other = at.and_then(|at| all.get((at + 1) % all.len()));
                if let Some(other) = other.filter(|other| other.has("task_runs")) {
                    copy(run, "task_runs", other, "task_runs");
                }
            }
            Mistake::StatusUnmapped if before.has("end_time") && !before.has("error") => {
                set(run, "status", "WELL_DONE");
            }
            Mistake::NoEnd => remove(run, "end_time"),
            Mistake::NoError => remove(run, "error"),
            Mistake::TimeOfQueueing => copy(run, "event_time", &before, "queued_at"),
            Mistake::TimeOfStart if before.has("start_time") => {
                copy(run, "event_time", &before, "start_time")
            }
            Mistake::TimesSwapped if before.has("end_time") => {
                copy(run, "start_time", &before, "end_time");
                copy(run, "end_time", &before, "start_time");
            }
            Mistake::TimesAsNumbers => {
                let second = before.event_time().map_or(0, Timestamp::as_second);
                set(run, "event_time", second.to_string());
            }
            _ => {}
        }
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
        for asset in &mut assets {
            let Some(fields) = asset.fields_mut() else {
                continue;
            };
            match self.mistake {
                Some(Mistake::NamesMissing) => {
                    fields.shift_remove("name");
                }
                Some(Mistake::JobIdsNotStable) => {
                    let id = fields["job_source_id"].as_str().unwrap_or_default();
                    let id = format!("{id}-{calls}");
                    fields.insert("job_source_id".to_owned(), id.into());
                }
                Some(Mistake::TasksLeadNowhere) => {
                    let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                    for task in tasks.into_iter().flatten().map(GivenTask::of_mut) {
                        if let Some(task) = task.fields_mut() {
                            let before = json!(["nobody's task"]);
                            task.insert("upstream_task_source_ids".to_owned(), before);
                        }
                    }
                }
                _ => {}
            }
        }
        let offset = if self.has(Mistake::JobsIgnoreOffset) {
            0
        } else {
            page.offset
        };
        Ok(assets.into_iter().skip(offset).take(page.limit).collect())
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
        let mut events = self.cut(all.clone(), page, calls);
        if self.has(Mistake::FiltersAfterPaging)
            && let RunQuery::Window(window) = query
        {
            events.retain(|run| run.event_time().is_some_and(|at| window.contains(at)));
        }
        for run in &mut events {
            self.spoil(run, &all, calls);
        }
        Ok(events)
    }

    fn cancel(&self) {
        self.truth.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(kind: SourceErrorKind, cause: &str) -> SourceError {
    SourceError::new(kind, "`fetch_run_details`").because(cause)
}

fn set(run: &mut RunEvent, field: &str, value: impl Into<Json>) {
    if let Some(run) = run.fields_mut() {
        run.insert(field.to_owned(), value.into());
    }
}

fn copy(run: &mut RunEvent, field: &str, other: &RunEvent, of: &str) {
    set(run, field, other.json()[of].clone());
}

fn remove(run: &mut RunEvent, field: &str) {
    if let Some(run) = run.fields_mut() {
        run.shift_remove(field);
    }
}

fn shift(run: &mut RunEvent, by: SignedDuration) {
    for (field, at) in [
        ("event_time", run.event_time()),
        ("start_time", run.start_time()),
        ("end_time", run.end_time()),
        ("queued_at", run.queued_at()),
    ] {
        if let Some(at) = at {
            set(run, field, (at + by).to_string());
        }
    }
}

fn text<'r>(run: &'r RunEvent, field: &str) -> &'r str {
    run.json()[field].as_str().unwrap_or_default()
}
