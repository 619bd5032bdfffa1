//! Vendors that fail while they are read, and readings that are interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{MethodsPipeline, Pipeline, RunQuery, SourceError, SourceErrorKind};
use bowline_simulator::planted::Planted;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::vendor::{Known, options, pipeline, vendor};
use crate::{told, with, wrong};

/// A vendor that fails from some reading on.
struct Failing {
    inner: MethodsPipeline<Planted<Known>>,
    left: AtomicI64,
    kind: SourceErrorKind,
}

impl Failing {
    fn next(&self) -> Result<(), SourceError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            Ok(())
        } else {
            Err(SourceError::new(self.kind, "`fetch_run_details`").because("gone"))
        }
    }
}

impl Pipeline for Failing {
    fn manifest(&self) -> &PipelineManifest {
        self.inner.manifest()
    }

    fn check(&self) -> Result<Json, SourceError> {
        self.next().map(|()| Json::Null)
    }

    fn assets(
        &self,
        now: Timestamp,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<bowline_pipeline::Summary, SourceError> {
        self.next()?;
        self.inner.assets(now, page_size, on_event)
    }

    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<bowline_pipeline::Summary, SourceError> {
        self.next()?;
        self.inner.runs(query, page_size, on_event)
    }

    fn cancel(&self) {}
}

fn failing(after: i64, kind: SourceErrorKind) -> Result<Report, SourceError> {
    let vendor = Arc::new(vendor());
    let pipeline = Failing {
        inner: pipeline(&vendor, None),
        left: AtomicI64::new(after),
        kind,
    };
    run(&pipeline, &options(&vendor), &|_| ())
}

#[test]
fn a_vendor_out_of_reach_is_no_finding() {
    for after in [0, 1] {
        let error = failing(after, SourceErrorKind::Unreachable).expect_err("nothing was read");
        assert_eq!(error.kind, SourceErrorKind::Unreachable);
    }
    let report = failing(0, SourceErrorKind::Refused).expect("a finding");
    assert_eq!(wrong(&report), ["etl_connection/connects"]);
    assert_eq!(
        with(&report, Verdict::Blocked).len(),
        report.checks.len() - 2
    );
}

#[test]
fn a_vendor_that_goes_away_leaves_the_rest_unknown() {
    for after in (2..20).step_by(3) {
        let report = failing(after, SourceErrorKind::Vendor).expect("something was read");
        assert_eq!(
            wrong(&report),
            Vec::<&str>::new(),
            "after {after}\n{}",
            told(&report)
        );
        assert!(report.open() > 0, "after {after}");
        assert!(!report.interrupted, "after {after}");
    }
}

#[test]
fn an_interruption_ends_the_run_soon() {
    for after in (0..24).step_by(3) {
        let report = failing(after, SourceErrorKind::Cancelled).expect("a report");
        assert!(report.interrupted, "after {after}");
        assert_eq!(wrong(&report), Vec::<&str>::new(), "after {after}");
    }
}
