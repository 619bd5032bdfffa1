//! A pipeline connector, ready to be read, whatever it is written in.

use std::num::NonZeroUsize;

use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent, Window};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::error::SourceError;
use crate::failed::FailedPart;
use crate::methods::FetchMethods;
use crate::status::Unmapped;
use crate::vendor_answers::VendorAnswers;

/// An orchestrator's jobs and runs, read to the end.
///
/// Readings may run in several threads; each event is handed on once, in the contract's shape and with the contract's
/// statuses.
pub trait Pipeline: Send + Sync {
    /// The connector's manifest.
    fn manifest(&self) -> &PipelineManifest;

    /// Logs in, or asks the vendor something small; gives its answer, null when there is nothing to ask.
    ///
    /// # Errors
    /// When the vendor cannot be reached or does not let us in.
    fn check(&self) -> Result<Json, SourceError>;

    /// What the vendor has to complain about itself.
    ///
    /// # Errors
    /// As for [`Pipeline::assets`].
    fn warnings(&self) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    /// Reads every job and hands on its asset. A record that an expression fails on stops nothing else: it is told in
    /// [`Summary::failed`], unless they all fail.
    ///
    /// `now` is when; what a vendor shows in runs only is looked for in the
    /// seven days before. Pages are no larger than `page_size`.
    ///
    /// # Errors
    /// The first failure; events handed on before it are whole.
    fn assets(
        &self,
        now: Timestamp,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<Summary, SourceError>;

    /// Reads runs and hands on their events, page by page. Pages are no larger than `page_size`.
    ///
    /// # Errors
    /// The first failure; events handed on before it are whole.
    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<Summary, SourceError>;

    /// Asks for pages of runs where the connector does not look: before the first one, and behind the last where the
    /// answer still names one. Gives what was asked in words, each with the runs of the window that were there. A right
    /// connector has them all already. Those with the contract's methods have no such pages.
    ///
    /// # Errors
    /// As for [`Pipeline::runs`].
    fn past_ends(&self, _window: Window) -> Result<Vec<(String, Vec<RunEvent>)>, SourceError> {
        Ok(Vec::new())
    }

    /// The contract's two methods as the connector's author wrote them; none when the connector is a description, whose
    /// pages are the vendor's.
    fn methods(&self) -> Option<&dyn FetchMethods> {
        None
    }

    /// What the vendor answered since this was asked last; nothing where the pipeline cannot tell, or was not opened so
    /// that it keeps answers.
    fn vendor_answers(&self) -> Option<VendorAnswers> {
        None
    }

    /// Stops every reading soon, and those to come.
    fn cancel(&self);
}

/// The runs to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunQuery {
    /// Those whose `event_time` is in it.
    Window(Window),
    /// Those with these ids, whenever they were.
    Ids(Vec<String>),
}

impl RunQuery {
    /// Whether a run is asked for; a time that cannot be read is left to validation.
    pub(crate) fn asks_for(&self, run: &RunEvent) -> bool {
        match self {
            Self::Window(window) => run.event_time().is_none_or(|at| window.contains(at)),
            Self::Ids(ids) => run
                .run_source_id()
                .is_some_and(|id| ids.iter().any(|asked| asked == id)),
        }
    }
}

/// What a reading came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Records that the vendor gave.
    pub records: usize,
    /// Events handed on.
    pub events: usize,
    /// Records left out by `when`.
    pub passed_over: usize,
    /// Runs left out because their time is outside the window, or they were not asked for.
    pub outside: usize,
    /// Events left out because they were handed on before.
    pub repeated: usize,
    /// Runs that were handed on and came again as they stood later, each as it came last.
    pub newer: Vec<RunEvent>,
    /// The vendor's words for statuses that no mapping has.
    pub unmapped: Unmapped,
    /// What failed while the rest went on: an event for each is missing, or lacks something.
    pub failed: Vec<FailedPart>,
    /// Oddities that are no errors.
    pub notes: Vec<String>,
    /// Why something may be missing, where a list could not be read to its end; among the notes, too.
    pub incomplete: Vec<String>,
    /// That runs were left out for a time which none can have, but which vendors write where there is none; among the
    /// notes, too.
    pub sentinels: Option<String>,
    /// Requests sent, retries included; calls, for connectors that send their own.
    pub requests: u64,
}
