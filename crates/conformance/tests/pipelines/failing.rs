//! Vendors that fail while they are read, and readings that are interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{
    FailedPart, MethodsPipeline, Part, Pipeline, RunQuery, SourceError, SourceErrorKind, Summary,
};
use bowline_simulator::planted::Planted;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::vendor::{Known, options, pipeline, vendor};
use crate::{told, with, wrong};

/// How long a vendor fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// At one reading.
    Once,
    /// From then on.
    On,
}

/// A vendor that fails at some reading.
struct Failing {
    inner: MethodsPipeline<Planted<Known>>,
    left: AtomicI64,
    kind: SourceErrorKind,
    lasts: Lasts,
}

impl Failing {
    fn next(&self) -> Result<(), SourceError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 || (left < 0 && self.lasts == Lasts::Once) {
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

fn failing(after: i64, kind: SourceErrorKind, lasts: Lasts) -> Result<Report, SourceError> {
    let vendor = Arc::new(vendor());
    let pipeline = Failing {
        inner: pipeline(&vendor, None),
        left: AtomicI64::new(after),
        kind,
        lasts,
    };
    run(&pipeline, &options(&vendor), &|_| ())
}

#[test]
fn a_vendor_out_of_reach_is_no_finding() {
    for after in [0, 1] {
        let error =
            failing(after, SourceErrorKind::Unreachable, Lasts::On).expect_err("nothing was read");
        assert_eq!(error.kind, SourceErrorKind::Unreachable);
    }
    let report = failing(0, SourceErrorKind::Refused, Lasts::On).expect("a finding");
    assert_eq!(wrong(&report), ["etl_connection/connects"]);
    assert_eq!(
        with(&report, Verdict::Blocked).len(),
        report.checks.len() - 2
    );
}

#[test]
fn a_vendor_that_goes_away_leaves_the_rest_unknown() {
    for kind in [SourceErrorKind::Vendor, SourceErrorKind::Unreachable] {
        for (lasts, after) in [Lasts::On, Lasts::Once]
            .into_iter()
            .flat_map(|lasts| (2..24).step_by(2).map(move |after| (lasts, after)))
        {
            let report = failing(after, kind, lasts).expect("something was read");
            for verdict in [Verdict::Wrong, Verdict::Unsupported, Verdict::Blocked] {
                assert_eq!(
                    with(&report, verdict),
                    Vec::<&str>::new(),
                    "{kind:?} {lasts:?} after {after}\n{}",
                    told(&report)
                );
            }
            assert!(lasts == Lasts::Once || report.open() > 0, "after {after}");
            assert!(!report.interrupted, "after {after}");
        }
    }
}

#[test]
fn an_interruption_ends_the_run_soon() {
    for after in (0..24).step_by(3) {
        let report = failing(after, SourceErrorKind::Cancelled, Lasts::On).expect("a report");
        assert!(report.interrupted, "after {after}");
        assert_eq!(wrong(&report), Vec::<&str>::new(), "after {after}");
    }
}

/// A vendor of which readings of runs tell more than their events.
struct Telling {
    inner: MethodsPipeline<Planted<Known>>,
    tell: fn(&mut Summary),
}

impl Pipeline for Telling {
    fn manifest(&self) -> &PipelineManifest {
        self.inner.manifest()
    }

    fn check(&self) -> Result<Json, SourceError> {
        self.inner.check()
    }

    fn assets(
        &self,
        now: Timestamp,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<Summary, SourceError> {
        self.inner.assets(now, page_size, on_event)
    }

    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<Summary, SourceError> {
        let mut summary = self.inner.runs(query, page_size, on_event)?;
        (self.tell)(&mut summary);
        Ok(summary)
    }

    fn cancel(&self) {}
}

fn telling(tell: fn(&mut Summary)) -> Report {
    let vendor = Arc::new(vendor());
    let pipeline = Telling {
        inner: pipeline(&vendor, None),
        tell,
    };
    run(&pipeline, &options(&vendor), &|_| ()).expect("a report")
}

#[test]
fn what_came_is_judged_where_the_description_leaves_a_list_out() {
    let report = telling(|summary| {
        let error = SourceError::new(SourceErrorKind::Refused, "`GET /jobs/7/runs`");
        summary.failed.push(FailedPart {
            part: Part::List,
            record: Json::Null,
            run_source_id: None,
            error: error.because("status 404"),
        });
    });
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
    for judged in ["runs", "valid", "statuses", "times", "by_id"] {
        let id = format!("etl_run_details/{judged}");
        assert!(
            with(&report, Verdict::Supported).contains(&&*id),
            "{}",
            told(&report)
        );
    }
    let pages = &report
        .check("etl_run_details/pages")
        .expect("it was asked")
        .outcome;
    let why = format!("{pages:?}");
    assert!(
        pages.verdict() == Verdict::Unknown
            && why.contains("a list was left out")
            && why.contains("`GET /jobs/7/runs`: status 404"),
        "{why}"
    );
    let report = telling(|summary| {
        summary.failed.push(FailedPart {
            part: Part::Run,
            record: Json::Null,
            run_source_id: None,
            error: SourceError::new(SourceErrorKind::Expression, "`record.ended`"),
        });
    });
    assert_eq!(wrong(&report)[0], "etl_run_details/runs");
}

#[test]
fn runs_with_a_time_that_stands_for_none_are_wrong() {
    let report = telling(|summary| {
        summary.sentinels = Some("2 runs left out".to_owned());
    });
    assert_eq!(
        wrong(&report),
        ["etl_run_details/times"],
        "{}",
        told(&report)
    );
}
