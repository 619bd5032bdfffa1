//! A connector that is read to the end, given by limit and offset.
//!
//! The contract's two methods ask page by page, and what a vendor shows shifts between two pages. So a reading is done
//! once, from the first page that is asked for, and every page is cut from it: no event comes twice, none is left out.
//! What was read waits in a temporary file without a name, so that it takes no more memory than a page.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::{Diagnose, Diagnostic};
use jiff::Timestamp;
use serde_json::Value as Json;
use tempfile::SpooledTempFile;

use crate::error::SourceError;
use crate::failed::FailedPart;
use crate::methods::PageQuery;
use crate::pipeline::{Pipeline, RunQuery};
use crate::status::unmap_run;

/// How many readings are kept at most, for callers that ask in turns.
const MOST_READINGS: usize = 4;

/// How many bytes of a reading stay in memory before they go to a file.
const IN_MEMORY: usize = 1024 * 1024;

/// Opens the connector for one reading; setting the flag stops it.
type Open = dyn Fn(Arc<AtomicBool>) -> Result<Arc<dyn Pipeline>, SourceError> + Send;

/// Hears of what a reading left out because it failed: the contract's methods have no word for it.
type OnFailed = dyn Fn(&FailedPart) + Send + Sync;

/// Pages by limit and offset of what a connector reads. Statuses are the vendor's own, as the contract's methods give
/// them: whoever asks has the mapping.
///
/// Offset 0 begins a new reading; other offsets go on with the latest of the same subject. Dropping it stops every
/// reading.
pub struct PageServer {
    open: Box<Open>,
    on_failed: Arc<OnFailed>,
    /// The latest last.
    readings: Vec<Reading>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageServerError {
    /// The vendor could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was read could not be kept.
    #[error("cannot keep what was read: {0}")]
    Kept(String),
}

impl Diagnose for PageServerError {
    fn diagnose(&self) -> Diagnostic {
        match self {
            Self::Source(error) => error.diagnose(),
            Self::Kept(_) => {
                Diagnostic::of(self).hint("make room where temporary files are kept".to_owned())
            }
        }
    }
}

impl PageServer {
    /// Pages of the connector that `open` gives; it is opened for each reading anew. `on_failed` hears of what a reading
    /// left out because it failed.
    #[must_use]
    pub fn new(
        open: impl Fn(Arc<AtomicBool>) -> Result<Arc<dyn Pipeline>, SourceError> + Send + 'static,
        on_failed: impl Fn(&FailedPart) + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            on_failed: Arc::new(on_failed),
            readings: Vec::new(),
        }
    }

    /// One page of assets; waits until it is read. A page shorter than its limit is the last.
    ///
    /// # Errors
    /// [`PageServerError`], also when the reading fails behind the page's first event.
    pub fn assets(&mut self, page: PageQuery) -> Result<Vec<AssetEvent>, PageServerError> {
        let assets = self.page(Subject::Assets, page)?;
        Ok(assets.into_iter().map(AssetEvent::new).collect())
    }

    /// One page of runs; waits until it is read. A page shorter than its limit is the last.
    ///
    /// # Errors
    /// As [`PageServer::assets`].
    pub fn runs(
        &mut self,
        query: &RunQuery,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, PageServerError> {
        let runs = self.page(Subject::Runs(query.clone()), page)?;
        Ok(runs.into_iter().map(RunEvent::new).collect())
    }

    fn page(&mut self, subject: Subject, page: PageQuery) -> Result<Vec<Json>, PageServerError> {
        let found = self
            .readings
            .iter()
            .rposition(|reading| reading.subject == subject);
        let at = match found {
            Some(at) if page.offset > 0 => at,
            _ => {
                if let Some(at) = found {
                    self.readings.remove(at);
                }
                self.begin(subject)?
            }
        };
        let reading = &mut self.readings[at];
        let events = reading.store.page(page);
        match &events {
            Ok(events) => reading.is_done |= events.len() < page.limit,
            // What failed is read anew when it is asked for again.
            Err(_) => drop(self.readings.remove(at)),
        }
        events
    }

    /// Begins a reading and says where it is. Readings whose last page was given make room first.
    fn begin(&mut self, subject: Subject) -> Result<usize, PageServerError> {
        self.readings.retain(|reading| !reading.is_done);
        if self.readings.len() == MOST_READINGS {
            self.readings.remove(0);
        }
        let cancel = Arc::new(AtomicBool::new(false));
        let pipeline = (self.open)(Arc::clone(&cancel))?;
        let store = Arc::new(Store::default());
        let (asked, kept) = (subject.clone(), Arc::clone(&store));
        let on_failed = Arc::clone(&self.on_failed);
        std::thread::Builder::new()
            .name("bowline-reading".to_owned())
            .spawn(move || read(pipeline.as_ref(), &asked, &kept, &*on_failed))
            .map_err(|error| PageServerError::Kept(error.to_string()))?;
        self.readings.push(Reading {
            subject,
            store,
            cancel,
            is_done: false,
        });
        Ok(self.readings.len() - 1)
    }
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Assets,
    Runs(RunQuery),
}

/// One reading, done or going on in its thread. Dropping it stops it.
struct Reading {
    subject: Subject,
    store: Arc<Store>,
    cancel: Arc<AtomicBool>,
    /// Whether its last page was given.
    is_done: bool,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

/// What a reading gave so far.
#[derive(Default)]
struct Store {
    state: Mutex<Stored>,
    grown: Condvar,
}

struct Stored {
    /// The events, a line of JSON each.
    file: SpooledTempFile,
    /// Where each event ends in the file.
    ends: Vec<u64>,
    /// How the reading ended, once it has.
    outcome: Option<Result<(), PageServerError>>,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            file: tempfile::spooled_tempfile(IN_MEMORY),
            ends: Vec::new(),
            outcome: None,
        }
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an event; the first one that cannot be kept ends the reading, whose later ones are passed over.
    fn push(&self, event: &Json) {
        let mut state = self.lock();
        if state.outcome.is_some() {
            return;
        }
        if let Err(error) = state.push(event) {
            state.outcome = Some(Err(PageServerError::Kept(error.to_string())));
        }
        self.grown.notify_all();
    }

    fn finish(&self, outcome: Result<(), PageServerError>) {
        let mut state = self.lock();
        state.outcome.get_or_insert(outcome);
        self.grown.notify_all();
    }

    /// Waits until the page is full or the reading is over.
    fn page(&self, page: PageQuery) -> Result<Vec<Json>, PageServerError> {
        let wanted = page.offset.saturating_add(page.limit);
        let mut state = self.lock();
        while state.ends.len() < wanted && state.outcome.is_none() {
            state = self
                .grown
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.ends.len() < wanted
            && let Some(Err(error)) = &state.outcome
        {
            return Err(error.clone());
        }
        state
            .slice(page.offset, wanted)
            .map_err(|error| PageServerError::Kept(error.to_string()))
    }
}

impl Stored {
    fn push(&mut self, event: &Json) -> io::Result<()> {
        let line = serde_json::to_vec(event)?;
        let start = self.ends.last().copied().unwrap_or(0);
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(&line)?;
        self.ends.push(start + line.len() as u64);
        Ok(())
    }

    fn slice(&mut self, from: usize, to: usize) -> io::Result<Vec<Json>> {
        let to = to.min(self.ends.len());
        let from = from.min(to);
        let mut start = match from {
            0 => 0,
            _ => self.ends[from - 1],
        };
        self.file.seek(SeekFrom::Start(start))?;
        let mut events = Vec::with_capacity(to - from);
        for end in &self.ends[from..to] {
            let mut line = Vec::new();
            (&mut self.file).take(end - start).read_to_end(&mut line)?;
            events.push(serde_json::from_slice(&line)?);
            start = *end;
        }
        Ok(events)
    }
}

/// The reading's thread.
fn read(pipeline: &dyn Pipeline, subject: &Subject, store: &Store, on_failed: &OnFailed) {
    // A reading that panics must not leave those waiting who ask for its pages.
    let unfinished = Unfinished(store);
    let manifest = pipeline.manifest();
    let summary = match subject {
        Subject::Assets => pipeline.assets(Timestamp::now(), None, &mut |asset| {
            store.push(asset.json());
        }),
        Subject::Runs(query) => pipeline.runs(query, None, &mut |mut run| {
            unmap_run(manifest, &mut run);
            store.push(run.json());
        }),
    };
    if let Ok(summary) = &summary {
        summary.failed.iter().for_each(on_failed);
    }
    store.finish(summary.map(|_| ()).map_err(PageServerError::Source));
    drop(unfinished);
}

struct Unfinished<'s>(&'s Store);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let words = "the reading stopped by a fault of the program";
        self.0.finish(Err(PageServerError::Kept(words.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use bowline_contract::pipeline::PipelineManifest;
    use serde_json::json;

    use super::*;
    use crate::error::SourceErrorKind;
    use crate::failed::Part;
    use crate::pipeline::Summary;

    /// A vendor that gives as many runs as it is told to by `more`, and every reading of it another first run.
    struct Vendor {
        manifest: PipelineManifest,
        count: usize,
        reading: usize,
        fails: bool,
        more: Option<Mutex<Receiver<()>>>,
        cancel: Arc<AtomicBool>,
    }

    impl Pipeline for Vendor {
        fn manifest(&self) -> &PipelineManifest {
            &self.manifest
        }

        fn check(&self) -> Result<Json, SourceError> {
            Ok(Json::Null)
        }

        fn assets(
            &self,
            _: Timestamp,
            _: Option<NonZeroUsize>,
            on_event: &mut dyn FnMut(AssetEvent),
        ) -> Result<Summary, SourceError> {
            for number in 0..self.count {
                if let Some(more) = &self.more
                    && more.lock().unwrap().recv().is_err()
                {
                    break;
                }
                let id = format!("{}-{number}", self.reading);
                on_event(AssetEvent::new(json!({"job_source_id": id})));
            }
            if self.fails {
                return Err(SourceError::new(SourceErrorKind::Vendor, "`jobs`"));
            }
            Ok(Summary::default())
        }

        fn runs(
            &self,
            _: &RunQuery,
            _: Option<NonZeroUsize>,
            on_event: &mut dyn FnMut(RunEvent),
        ) -> Result<Summary, SourceError> {
            for run in [
                json!({"run_source_id": "a", "status": "failed", "raw_status": "FAILED/Crashed",
                    "task_runs": [{"status": "unknown", "raw_status": "odd/word"}]}),
                json!({"run_source_id": "b", "status": "success", "raw_status": "done"}),
            ] {
                on_event(RunEvent::new(run));
            }
            let error = SourceError::new(SourceErrorKind::Expression, "`record.ended`");
            Ok(Summary {
                failed: vec![FailedPart {
                    part: Part::Run,
                    record: json!({"id": "c"}),
                    run_source_id: None,
                    error,
                }],
                ..Summary::default()
            })
        }

        fn cancel(&self) {
            self.cancel.store(true, Ordering::Relaxed);
        }
    }

    fn manifest() -> PipelineManifest {
        PipelineManifest::parse(
            r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": "v",
                "asset_class": "etl", "run_status_mapping": {"Done": "success", "FAILED": "failed"}}"#,
        )
        .unwrap()
    }

    /// PageServer of a vendor with so many assets.
    fn slices(count: usize, fails: bool) -> PageServer {
        let readings = AtomicUsize::new(0);
        let open = move |cancel| -> Result<Arc<dyn Pipeline>, SourceError> {
            Ok(Arc::new(Vendor {
                manifest: manifest(),
                count,
                reading: readings.fetch_add(1, Ordering::Relaxed),
                fails,
                more: None,
                cancel,
            }))
        };
        PageServer::new(open, |_| ())
    }

    fn page(limit: usize, offset: usize) -> PageQuery {
        PageQuery { limit, offset }
    }

    fn ids(events: Result<Vec<AssetEvent>, PageServerError>) -> Vec<String> {
        let events = events.unwrap_or_else(|error| panic!("{error}"));
        let id = |event: &AssetEvent| event.job_source_id().unwrap().to_owned();
        events.iter().map(id).collect()
    }

    #[test]
    fn pages_are_cut_from_one_reading() {
        let mut slices = slices(5, false);
        assert_eq!(ids(slices.assets(page(2, 0))), ["0-0", "0-1"]);
        assert_eq!(ids(slices.assets(page(2, 2))), ["0-2", "0-3"]);
        // Asked again, the page is the same.
        assert_eq!(ids(slices.assets(page(2, 2))), ["0-2", "0-3"]);
        assert_eq!(ids(slices.assets(page(2, 4))), ["0-4"]);
        assert_eq!(ids(slices.assets(page(2, 6))), [""; 0]);
        assert_eq!(ids(slices.assets(page(usize::MAX, 1))).len(), 4);
    }

    #[test]
    fn the_first_page_begins_anew() {
        let mut slices = slices(2, false);
        assert_eq!(ids(slices.assets(page(1, 0))), ["0-0"]);
        assert_eq!(ids(slices.assets(page(1, 0))), ["1-0"]);
        assert_eq!(ids(slices.assets(page(1, 1))), ["1-1"]);
    }

    #[test]
    fn an_offset_that_nobody_read_up_to_is_read_up_to() {
        assert_eq!(ids(slices(3, false).assets(page(9, 2))), ["0-2"]);
    }

    #[test]
    fn readings_of_other_subjects_go_on() {
        let mut slices = slices(3, false);
        assert_eq!(ids(slices.assets(page(1, 0))), ["0-0"]);
        for number in 0..MOST_READINGS + 1 {
            let query = RunQuery::Ids(vec![number.to_string()]);
            assert_eq!(slices.runs(&query, page(9, 0)).unwrap().len(), 2);
        }
        assert_eq!(ids(slices.assets(page(1, 1))), ["0-1"]);
        assert!(slices.readings.len() <= MOST_READINGS);
    }

    #[test]
    fn a_page_waits_for_its_events_and_no_longer() {
        let (more, told): (Sender<()>, Receiver<()>) = channel();
        let told = Mutex::new(Some(told));
        let open = move |cancel| -> Result<Arc<dyn Pipeline>, SourceError> {
            Ok(Arc::new(Vendor {
                manifest: manifest(),
                count: 4,
                reading: 0,
                fails: false,
                more: told.lock().unwrap().take().map(Mutex::new),
                cancel,
            }))
        };
        let mut slices = PageServer::new(open, |_| ());
        more.send(()).unwrap();
        more.send(()).unwrap();
        // The vendor still owes two: the page is there all the same.
        assert_eq!(ids(slices.assets(page(2, 0))), ["0-0", "0-1"]);
        let cancel = Arc::clone(&slices.readings[0].cancel);
        drop(slices);
        assert!(cancel.load(Ordering::Relaxed), "nobody wants the rest");
    }

    #[test]
    fn a_reading_that_fails_gives_the_pages_before_and_is_begun_anew() {
        let mut slices = slices(3, true);
        assert_eq!(ids(slices.assets(page(2, 0))), ["0-0", "0-1"]);
        let error = slices.assets(page(2, 2)).unwrap_err();
        assert_eq!(error.to_string(), "the vendor failed: `jobs`");
        assert_eq!(ids(slices.assets(page(1, 2))), ["1-2"]);
    }

    #[test]
    fn what_a_reading_left_out_is_told() {
        let (told, heard) = channel();
        let open = |cancel| -> Result<Arc<dyn Pipeline>, SourceError> {
            Ok(Arc::new(Vendor {
                manifest: manifest(),
                count: 0,
                reading: 0,
                fails: false,
                more: None,
                cancel,
            }))
        };
        let told = Mutex::new(told);
        let mut slices = PageServer::new(open, move |failed| {
            told.lock().unwrap().send(failed.record.clone()).unwrap();
        });
        slices.runs(&RunQuery::Ids(Vec::new()), page(9, 0)).unwrap();
        assert_eq!(heard.try_recv().unwrap(), json!({"id": "c"}));
    }

    #[test]
    fn more_than_fits_into_memory_comes_back_whole() {
        let mut state = Stored::default();
        let text = |number: usize| format!("{number}{}", "x".repeat(IN_MEMORY / 10));
        for number in 0..30 {
            state.push(&Json::from(text(number))).unwrap();
        }
        assert!(state.file.is_rolled());
        assert_eq!(state.slice(29, 40).unwrap(), [text(29)]);
        assert_eq!(state.slice(3, 5).unwrap(), [text(3), text(4)]);
    }

    #[test]
    fn statuses_are_the_vendors_words_that_the_mapping_has() {
        let events = slices(0, false)
            .runs(&RunQuery::Ids(Vec::new()), page(9, 0))
            .unwrap();
        assert_eq!(
            events,
            [
                json!({"run_source_id": "a", "status": "FAILED", "task_runs": [{"status": "odd/word"}]}),
                json!({"run_source_id": "b", "status": "done"}),
            ]
            .map(RunEvent::new)
        );
    }
}
