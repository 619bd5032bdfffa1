//! Connectors with the contract's two methods over the simulated vendor: a right one, and one for every mistake.

use std::sync::{Arc, Mutex};

use bowline_pipeline::{
    FetchMethods, HttpSource, Outgoing, Page, Pipeline, RunQuery, SourceError, SourceErrorKind,
    Transport,
};
use bowline_simulator::{ADDRESS, InProcess, SECRET};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

/// Writes the mistakes with what each is called.
macro_rules! mistakes {
    ($($Variant:ident = $words:literal,)+) => {
        /// What is wrong with a connector.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Mistake { $($Variant,)+ }

        impl Mistake {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$Variant),+];

            pub(crate) const fn words(self) -> &'static str {
                match self { $(Self::$Variant => $words),+ }
            }
        }
    };
}

mistakes! {
    IgnoresOffset = "ignores the offset",
    DropsLastPage = "drops the last page when it is short",
    ClosedEnd = "takes the end of the window as part of it",
    OpenStart = "takes the start of the window as no part of it",
    WindowFromNow = "counts the window back from now",
    RepeatsOnShift = "repeats runs when the list shifts between pages",
    LosesOnShift = "loses runs when the list shifts between pages",
    SwallowsRefusals = "gives what it has when the vendor answers 429",
    DropsRunning = "leaves out runs that have not ended",
    SharesIdOfRetries = "gives another attempt under the id of the first",
    RetriesOfAnother = "says that attempts follow a run of another job",
    ForgetsAttempts = "says of every attempt that it is the first",
    ClampUnnoticed = "does not notice that the vendor gives fewer than asked",
    OffsetIsPage = "takes the offset for the number of a page",
    IgnoresLimit = "gives all the rest, whatever the limit",
    FiltersAfterPaging = "cuts pages first and filters by the window then",
    OrderChanges = "sorts pages differently from call to call",
    ZoneDropped = "writes times without a zone",
    LocalAsUtc = "writes local times as if they were UTC",
    WholeHours = "cuts the window's bounds to whole hours",
    IdsNotStable = "makes up new ids with every reading",
    IdOfJob = "gives the job's id as the run's",
    IdsIgnored = "ignores the ids and gives the last hours",
    IdsGiveNothing = "gives nothing for ids",
    IdsWithinWindow = "gives only one run for ids",
    UnknownIdFails = "fails over an id that no run has",
    NothingAskedGivesAll = "gives everything when neither ids nor a window is given",
    StepsOfAnother = "gives the steps of another run",
    StatusUnmapped = "gives words that its manifest does not map",
    NoEnd = "leaves out when runs ended",
    NoError = "leaves out what went wrong",
    TimeOfQueueing = "files runs under when they were asked for",
    FiltersByStart = "filters by the start and files under the end",
    TimesSwapped = "mixes up start and end",
    TimesAsNumbers = "writes times as seconds since 1970",
    NamesMissing = "leaves out the names of jobs",
    JobsIgnoreOffset = "ignores the offset for jobs",
    JobsDropLast = "loses the last job",
    JobIdsNotStable = "makes up new ids for jobs with every reading",
}

/// What was read of the vendor, and at which generation of it.
type Kept = Option<(RunQuery, u64, Vec<Json>)>;

/// A connector with the contract's methods: it reads the vendor, and cuts pages from that.
pub(crate) struct Planted {
    mistake: Option<Mistake>,
    source: HttpSource,
    transport: InProcess,
    kept: Mutex<Kept>,
    calls: Mutex<u64>,
}

impl Planted {
    pub(crate) fn new(mistake: Option<Mistake>, source: HttpSource, transport: InProcess) -> Self {
        Self {
            mistake,
            source,
            transport,
            kept: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// One request, so that time goes by at the vendor's.
    fn look(&self) {
        let _ = self.transport.exchange(&Outgoing {
            method: "GET".to_owned(),
            address: format!("{ADDRESS}/api/version"),
            headers: vec![("authorization".to_owned(), format!("Bearer {SECRET}"))],
            body: None,
        });
    }

    /// The runs that the vendor has for a query, in an order that does not change. Pages behind the first are cut from
    /// what was read for it.
    fn read(&self, query: &RunQuery, offset: usize) -> Result<Vec<Json>, SourceError> {
        let generation = self.transport.vendor().world.generation;
        let mut kept = self.kept.lock().unwrap();
        if let Some((known, at, events)) = &*kept
            && known == query
            && (offset > 0 || *at == generation)
        {
            return Ok(events.clone());
        }
        let mut events = Vec::new();
        self.source
            .runs(query, None, &mut |event| events.push(event))?;
        for event in &mut events {
            to_vendors_words(event);
        }
        events.sort_by_key(|run| (text(run, "event_time"), text(run, "run_source_id")));
        *kept = Some((query.clone(), generation, events.clone()));
        Ok(events)
    }

    /// The runs of a query, with the mistakes that are about which runs those are.
    fn asked(&self, query: &RunQuery, offset: usize) -> Result<Vec<Json>, SourceError> {
        let RunQuery::Window { start, end } = query else {
            return self.asked_by_id(query, offset);
        };
        let (start, end) = (*start, *end);
        let hour = |at: Timestamp| Timestamp::from_second(at.as_second().div_euclid(3600) * 3600);
        let (from, to) = match self.mistake {
            Some(Mistake::ClosedEnd) => (start, end + SignedDuration::from_micros(1)),
            Some(Mistake::OpenStart) => (start + SignedDuration::from_micros(1), end),
            Some(Mistake::WindowFromNow) => {
                let now = self.transport.now();
                (now - end.duration_since(start), now)
            }
            Some(Mistake::WholeHours) => (hour(start).unwrap(), hour(end).unwrap()),
            Some(Mistake::FiltersByStart | Mistake::TimeOfQueueing) => (
                start - SignedDuration::from_hours(12),
                end + SignedDuration::from_hours(12),
            ),
            Some(Mistake::FiltersAfterPaging) => (start - SignedDuration::from_hours(200), end),
            _ => (start, end),
        };
        let widened = RunQuery::Window {
            start: from,
            end: to,
        };
        let mut runs = self.read(&widened, offset)?;
        let within =
            |run: &Json, field: &str| moment(run, field).is_some_and(|at| start <= at && at < end);
        match self.mistake {
            Some(Mistake::FiltersByStart) => {
                runs.retain(|run| within(run, "start_time") || run.get("start_time").is_none());
            }
            Some(Mistake::TimeOfQueueing) => runs.retain(|run| within(run, "queued_at")),
            Some(Mistake::DropsRunning) => runs.retain(|run| run.get("end_time").is_some()),
            _ => {}
        }
        Ok(runs)
    }

    fn asked_by_id(&self, query: &RunQuery, offset: usize) -> Result<Vec<Json>, SourceError> {
        let end = self.transport.now();
        let start = end - SignedDuration::from_hours(24);
        match self.mistake {
            Some(Mistake::IdsIgnored) => self.read(&RunQuery::Window { start, end }, offset),
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
    fn cut(&self, mut events: Vec<Json>, page: Page, calls: u64) -> Vec<Json> {
        let Page { limit, offset } = page;
        let (from, count) = match self.mistake {
            Some(Mistake::IgnoresOffset) => (0, limit),
            Some(Mistake::RepeatsOnShift) => (offset.saturating_sub(1), limit),
            Some(Mistake::LosesOnShift) => (offset + usize::from(offset > 0), limit),
            Some(Mistake::ClampUnnoticed) => (offset / limit * limit.min(20), limit.min(20)),
            Some(Mistake::OffsetIsPage) => (offset * limit, limit),
            Some(Mistake::IgnoresLimit) => (offset, usize::MAX),
            _ => (offset, limit),
        };
        if self.has(Mistake::OrderChanges) && calls.is_multiple_of(2) {
            events.reverse();
        }
        let mut cut: Vec<Json> = events.into_iter().skip(from).take(count).collect();
        if self.has(Mistake::DropsLastPage) && offset > 0 && cut.len() < limit {
            cut.clear();
        }
        if self.has(Mistake::SwallowsRefusals) && calls.is_multiple_of(5) {
            cut.truncate(cut.len() / 2);
        }
        cut
    }

    /// A run with the mistakes that are about what it says.
    fn spoil(&self, run: &mut Json, all: &[Json], calls: u64) {
        let own = text(run, "run_source_id");
        match self.mistake {
            Some(Mistake::SharesIdOfRetries) => {
                if let Some(first) = run["parent_attempt_run_source_id"].as_str() {
                    run["run_source_id"] = first.into();
                }
            }
            Some(Mistake::RetriesOfAnother) => {
                let other = all.iter().find(|other| {
                    other["job_source_id"] != run["job_source_id"]
                        && other["run_source_id"] != run["run_source_id"]
                });
                if let Some(other) = other
                    && run.get("parent_attempt_run_source_id").is_some()
                {
                    run["parent_attempt_run_source_id"] = other["run_source_id"].clone();
                }
            }
            Some(Mistake::ForgetsAttempts) => run["attempt_number"] = 1.into(),
            Some(Mistake::ZoneDropped) => {
                let bare = text(run, "event_time").trim_end_matches('Z').to_owned();
                run["event_time"] = bare.into();
            }
            Some(Mistake::LocalAsUtc) => shift(run, SignedDuration::from_hours(2)),
            Some(Mistake::IdsNotStable) => run["run_source_id"] = format!("{own}-{calls}").into(),
            Some(Mistake::IdOfJob) => run["run_source_id"] = run["job_source_id"].clone(),
            Some(Mistake::StepsOfAnother) => {
                let at = all
                    .iter()
                    .position(|other| text(other, "run_source_id") == own);
                let other = at.and_then(|at| all.get((at + 1) % all.len()));
                if let Some(steps) = other.and_then(|other| other.get("task_runs")) {
                    run["task_runs"] = steps.clone();
                }
            }
            Some(Mistake::StatusUnmapped) if run["status"] == "SUCCEEDED" => {
                run["status"] = "WELL_DONE".into();
            }
            Some(Mistake::NoEnd) => remove(run, "end_time"),
            Some(Mistake::NoError) => remove(run, "error"),
            Some(Mistake::TimeOfQueueing) => run["event_time"] = run["queued_at"].clone(),
            Some(Mistake::TimesSwapped) if run.get("end_time").is_some() => {
                let start = run["start_time"].clone();
                run["start_time"] = run["end_time"].clone();
                run["end_time"] = start;
            }
            Some(Mistake::TimesAsNumbers) => {
                let at = moment(run, "event_time").unwrap();
                run["event_time"] = at.as_second().to_string().into();
            }
            _ => {}
        }
    }
}

impl FetchMethods for Planted {
    fn setup_connection(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn fetch_metadata(&self, page: Page) -> Result<Vec<Json>, SourceError> {
        self.look();
        let mut assets = Vec::new();
        let now = self.transport.now();
        self.source
            .assets(now, None, &mut |asset| assets.push(asset))?;
        let calls = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        if self.has(Mistake::JobsDropLast) && page.limit < assets.len() {
            assets.pop();
        }
        for asset in &mut assets {
            match self.mistake {
                Some(Mistake::NamesMissing) => remove(asset, "name"),
                Some(Mistake::JobIdsNotStable) => {
                    let id = text(asset, "job_source_id");
                    asset["job_source_id"] = format!("{id}-{calls}").into();
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
        page: Page,
    ) -> Result<Vec<Json>, SourceError> {
        self.look();
        let calls = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let end = self.transport.now();
        let lately = RunQuery::Window {
            start: end - SignedDuration::from_hours(24),
            end,
        };
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
            && let RunQuery::Window { start, end } = query
        {
            events.retain(|run| {
                moment(run, "event_time").is_some_and(|at| *start <= at && at < *end)
            });
        }
        for run in &mut events {
            self.spoil(run, &all, calls);
        }
        Ok(events)
    }

    fn cancel(&self) {
        self.source.cancel();
    }
}

fn failed(kind: SourceErrorKind, cause: &str) -> SourceError {
    SourceError::new(kind, "`fetch_run_details`").because(cause)
}

/// The contract's methods give the vendor's own statuses.
fn to_vendors_words(run: &mut Json) {
    if let Some(word) = run.get("raw_status").cloned() {
        run["status"] = word;
        remove(run, "raw_status");
    }
    for step in run["task_runs"].as_array_mut().into_iter().flatten() {
        to_vendors_words(step);
    }
    if run["task_runs"].is_null() {
        remove(run, "task_runs");
    }
}

fn remove(event: &mut Json, key: &str) {
    if let Some(event) = event.as_object_mut() {
        event.shift_remove(key);
    }
}

fn shift(run: &mut Json, by: SignedDuration) {
    for field in ["event_time", "start_time", "end_time", "queued_at"] {
        if let Some(at) = moment(run, field) {
            run[field] = json!((at + by).to_string());
        }
    }
}

fn text(event: &Json, key: &str) -> String {
    event[key].as_str().unwrap_or_default().to_owned()
}

fn moment(event: &Json, key: &str) -> Option<Timestamp> {
    event[key].as_str()?.parse().ok()
}

/// The transport as the library takes it.
pub(crate) fn shared(transport: &InProcess) -> Arc<dyn Transport> {
    Arc::new(transport.clone())
}
