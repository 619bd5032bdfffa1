//! Connectors that give otherwise once they were started anew.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bowline_conformance::pipeline::{Report, run};
use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_pipeline::{
    FetchMethods, MethodsPipeline, PageQuery, RunQuery, SourceError, SourceErrorKind, VendorAnswers,
};
use bowline_simulator::planted::Planted;
use serde_json::json;

use crate::vendor::{Known, manifest, options, planted, vendor};
use crate::{told, wrong};

/// What a process does to the runs that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    None,
    /// Each sorts them in an order of its own.
    OwnOrder,
    /// Each keeps the list that it read first.
    KeptList,
    /// Where the vendor does not know its key, it gives nothing for these.
    Silent {
        jobs: bool,
        runs: bool,
    },
    /// It gives nothing for all, and logs in first, which is refused.
    LogsIn,
    /// It gives nothing for lists, and finds runs by their ids whatever its key is.
    Open,
    /// It gives nothing, since the vendor says that there is nothing.
    Filtered,
}

struct Process {
    inner: Planted<Known>,
    habit: Habit,
    starts: AtomicUsize,
    has_false_keys: AtomicBool,
    kept: Mutex<Option<Vec<RunEvent>>>,
}

impl FetchMethods for Process {
    fn setup_connection(&self) -> Result<(), SourceError> {
        if self.has_false_keys.load(Ordering::SeqCst) && self.habit == Habit::LogsIn {
            return Err(refusal());
        }
        self.inner.setup_connection()
    }

    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
        if self.has_false_keys.load(Ordering::SeqCst) {
            let is_silent = self.habit.is_silent(|jobs, _| jobs);
            return is_silent.then(Vec::new).ok_or_else(refusal);
        }
        self.inner.fetch_metadata(page)
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError> {
        if self.has_false_keys.load(Ordering::SeqCst) {
            let is_silent = self.habit.is_silent(|_, runs| runs);
            let is_found = self.habit == Habit::Open && matches!(query, Some(RunQuery::Ids(_)));
            if is_found {
                return self.inner.fetch_run_details(query, page);
            }
            return is_silent.then(Vec::new).ok_or_else(refusal);
        }
        let Some(RunQuery::Window(window)) = query else {
            return self.inner.fetch_run_details(query, page);
        };
        let all = PageQuery {
            limit: 1000,
            offset: 0,
        };
        let mut runs = self.inner.fetch_run_details(query, all)?;
        if self.habit == Habit::KeptList {
            let mut kept = self.kept.lock().expect("no panic");
            runs = kept.get_or_insert(runs).clone();
            runs.retain(|run| run.event_time().is_some_and(|at| window.contains(at)));
        }
        if self.habit == Habit::OwnOrder && !self.starts.load(Ordering::SeqCst).is_multiple_of(2) {
            runs.reverse();
        }
        Ok(runs
            .into_iter()
            .skip(page.offset)
            .take(page.limit)
            .collect())
    }

    fn begin_anew(&self) {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.has_false_keys.store(false, Ordering::SeqCst);
        *self.kept.lock().expect("no panic") = None;
    }

    fn begin_with_false_keys(&self) -> bool {
        self.has_false_keys.store(true, Ordering::SeqCst);
        true
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        let is_asked = self.has_false_keys.load(Ordering::SeqCst);
        let documents = vec![json!({"items": []})];
        (is_asked && self.habit == Habit::Filtered).then_some(VendorAnswers {
            documents,
            is_cut: false,
        })
    }

    fn cancel(&self) {}
}

impl Habit {
    fn is_silent(self, of: fn(bool, bool) -> bool) -> bool {
        match self {
            Self::Silent { jobs, runs } => of(jobs, runs),
            Self::LogsIn | Self::Open | Self::Filtered => true,
            _ => false,
        }
    }
}

fn refusal() -> SourceError {
    SourceError::new(SourceErrorKind::Connector, "401 Unauthorized")
}

const fn silent(jobs: bool, runs: bool) -> Habit {
    Habit::Silent { jobs, runs }
}

fn tested(habit: Habit) -> Report {
    let vendor = Arc::new(vendor());
    let process = Process {
        inner: planted(&vendor, None),
        habit,
        starts: AtomicUsize::new(0),
        has_false_keys: AtomicBool::new(false),
        kept: Mutex::new(None),
    };
    let pipeline = MethodsPipeline::new(manifest(), process);
    run(&pipeline, &options(&vendor), &|_| ()).expect("the vendor is there")
}

#[test]
fn what_a_process_keeps_or_sorts_by_itself_is_seen() {
    for (habit, found) in [
        (Habit::None, &[][..]),
        (Habit::OwnOrder, &["etl_run_details/pages"]),
        (Habit::KeptList, &["etl_run_details/again"]),
        (silent(true, false), &["etl_connection/connects"]),
        (silent(false, true), &["etl_connection/connects"]),
        (silent(false, false), &[]),
        (Habit::LogsIn, &[]),
        (Habit::Open, &[]),
        (Habit::Filtered, &[]),
    ] {
        let report = tested(habit);
        assert_eq!(wrong(&report), found, "{habit:?}\n{}", told(&report));
    }
}
