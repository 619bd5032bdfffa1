//! The contract's two methods, which give pages by limit and offset; and a pipeline of them, which reads to the end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_protocol::Method;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::error::{SourceError, SourceErrorKind};
use crate::pipeline::{Pipeline, RunQuery, Summary};
use crate::stand::{Stand, changed};
use crate::status::map_run;
use crate::vendor_answers::VendorAnswers;

/// How many events a page is asked for when nobody says; the contract's own default.
const PAGE_SIZE: usize = 100;

/// How many pages are read at most; a connector that gives more never ends.
const MOST_PAGES: usize = 100_000;

/// How many pages in a row without anything new end a walk. One may come of a list that shifts while it is read.
const STALE_PAGES: usize = 2;

/// The contract's two methods, one page at a time and nothing done to what they give.
pub trait FetchMethods: Send + Sync {
    /// `setup_connection()`, if the connector has it; once it has logged in, nothing more is done.
    ///
    /// # Errors
    /// The connector's own.
    fn setup_connection(&self) -> Result<(), SourceError>;

    /// `fetch_metadata(limit, offset)`.
    ///
    /// # Errors
    /// The connector's own.
    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError>;

    /// `fetch_run_details(run_ids, window_start, window_end, limit, offset)`; neither ids nor a window without a
    /// query, which the contract forbids.
    ///
    /// # Errors
    /// The connector's own.
    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError>;

    /// Forgets what is kept between calls: the next one is made as the first of a process of its own, where there is one.
    fn begin_anew(&self) {}

    /// The same, and the next calls are made with keys that the vendor does not know, until [`Self::begin_anew`]; says
    /// whether there are keys. What the vendor answered before is forgotten.
    fn begin_with_false_keys(&self) -> bool {
        false
    }

    /// What the vendor answered since this was asked last; nothing where the methods cannot tell.
    fn vendor_answers(&self) -> Option<VendorAnswers> {
        None
    }

    /// Stops a call soon, and those to come.
    fn cancel(&self);
}

/// One page of the contract's methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// The most events wanted.
    pub limit: usize,
    /// How many events come before the page.
    pub offset: usize,
}

/// A connector that has the contract's two methods.
///
/// Pages are asked for until one is empty: a short page is not the last one unless the vendor says so, and the
/// contract's methods cannot say. A page that brings nothing new twice in a row is an error, since the connector
/// does not look at the offset.
pub struct MethodsPipeline<M> {
    manifest: PipelineManifest,
    methods: M,
}

impl<M: FetchMethods> MethodsPipeline<M> {
    /// A pipeline of these methods.
    #[must_use]
    pub fn new(manifest: PipelineManifest, methods: M) -> Self {
        Self { manifest, methods }
    }

    /// Hands on every event that was not seen before; `key` tells events apart, and those without one count as new. Gives
    /// those that came again as they stood later, too.
    fn walk<E>(
        &self,
        walk: &Walk<'_, E>,
        on_event: &mut dyn FnMut(E, &mut Summary),
    ) -> Result<(Summary, Vec<E>), SourceError> {
        let mut summary = Summary::default();
        let mut seen: HashMap<String, Option<Stand>> = HashMap::new();
        let mut newer: HashMap<String, E> = HashMap::new();
        let mut offset = 0;
        let mut stale = 0;
        for _ in 0..MOST_PAGES {
            summary.requests += 1;
            let limit = walk.limit;
            let events = (walk.fetch)(PageQuery { limit, offset })?;
            if events.is_empty() {
                return Ok((summary, newer.into_values().collect()));
            }
            offset += events.len();
            summary.records += events.len();
            let mut is_stale = true;
            for event in events {
                let stand = (walk.stand)(&event);
                match (walk.key)(&event).map(|key| seen.entry(key)) {
                    Some(Entry::Occupied(mut before)) => {
                        summary.repeated += 1;
                        let both = stand.zip(*before.get());
                        if both.is_some_and(|(now, before)| now.is_after(before)) {
                            before.insert(stand);
                            newer.insert(before.key().clone(), event);
                        }
                        continue;
                    }
                    Some(Entry::Vacant(place)) => {
                        place.insert(stand);
                    }
                    None => {}
                }
                is_stale = false;
                on_event(event, &mut summary);
            }
            if walk.most.is_some_and(|most| seen.len() >= most) {
                return Ok((summary, newer.into_values().collect()));
            }
            stale = if is_stale { stale + 1 } else { 0 };
            if stale == STALE_PAGES {
                return Err(SourceError::new(SourceErrorKind::Pages, walk.thing()).because(format!(
                    "{STALE_PAGES} pages in a row, up to offset {offset}, hold only what came before"
                )).hint(
                    "give the events after the first `offset` ones, and an empty list after the last".to_owned(),
                ));
            }
        }
        Err(SourceError::new(SourceErrorKind::Pages, walk.thing())
            .because(format!("{MOST_PAGES} pages were read")))
    }
}

/// What is read page by page.
struct Walk<'w, E> {
    method: &'static str,
    limit: usize,
    /// How many events there can be, where that is known.
    most: Option<usize>,
    fetch: &'w dyn Fn(PageQuery) -> Result<Vec<E>, SourceError>,
    key: &'w dyn Fn(&E) -> Option<String>,
    /// How an event stands, where it may come again as it stood later.
    stand: fn(&E) -> Option<Stand>,
}

impl<E> Walk<'_, E> {
    fn thing(&self) -> String {
        format!("`{}`", self.method)
    }
}

impl<M: FetchMethods> Pipeline for MethodsPipeline<M> {
    fn manifest(&self) -> &PipelineManifest {
        &self.manifest
    }

    fn check(&self) -> Result<Json, SourceError> {
        self.methods.setup_connection().map(|()| Json::Null)
    }

    fn assets(
        &self,
        _now: Timestamp,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<Summary, SourceError> {
        self.walk(
            &Walk {
                method: Method::FetchMetadata.name(),
                limit: page_size.map_or(PAGE_SIZE, NonZeroUsize::get),
                most: None,
                fetch: &|page| self.methods.fetch_metadata(page),
                key: &|asset: &AssetEvent| asset.job_source_id().map(str::to_owned),
                stand: |_| None,
            },
            &mut |asset, summary| {
                summary.events += 1;
                on_event(asset);
            },
        )
        .map(|(summary, _)| summary)
    }

    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<Summary, SourceError> {
        let (mut summary, newer) = self.walk(
            &Walk {
                method: Method::FetchRunDetails.name(),
                limit: page_size.map_or(PAGE_SIZE, NonZeroUsize::get),
                // Methods that are asked for ids may give them all with the first page and again with the next.
                most: match query {
                    RunQuery::Window(_) => None,
                    RunQuery::Ids(ids) => Some(ids.len()),
                },
                fetch: &|page| self.methods.fetch_run_details(Some(query), page),
                key: &|run: &RunEvent| {
                    Some(format!(
                        "{}\n{}",
                        run.job_source_id()?,
                        run.run_source_id()?
                    ))
                },
                stand: |run| Some(Stand::of(run)),
            },
            &mut |mut run, summary| {
                if !query.asks_for(&run) {
                    summary.outside += 1;
                    return;
                }
                map_run(&self.manifest, &mut run, &mut summary.unmapped);
                summary.events += 1;
                on_event(run);
            },
        )?;
        for mut run in newer.into_iter().filter(|run| query.asks_for(run)) {
            map_run(&self.manifest, &mut run, &mut summary.unmapped);
            summary.newer.push(run);
        }
        summary.notes.extend(changed(&summary.newer));
        Ok(summary)
    }

    fn methods(&self) -> Option<&dyn FetchMethods> {
        Some(&self.methods)
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        self.methods.vendor_answers()
    }

    fn cancel(&self) {
        self.methods.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bowline_contract::pipeline::{RunStatus, Window};
    use serde_json::json;

    use super::*;

    const MANIFEST: &str = r#"{"connection_type": "custom-etl-connector-0000001", "connection_name": "Test",
        "asset_class": "etl", "run_status_mapping": {"OK": "success"}}"#;

    /// Gives the pages it was made of, one after the other, whatever is asked.
    struct Pages(Mutex<Vec<Vec<RunEvent>>>, Mutex<Vec<PageQuery>>);

    impl Pages {
        fn next(&self, page: PageQuery) -> Vec<RunEvent> {
            self.1.lock().unwrap().push(page);
            let mut pages = self.0.lock().unwrap();
            if pages.is_empty() {
                Vec::new()
            } else {
                pages.remove(0)
            }
        }
    }

    impl FetchMethods for Pages {
        fn setup_connection(&self) -> Result<(), SourceError> {
            Ok(())
        }

        fn fetch_metadata(&self, _page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
            Ok(Vec::new())
        }

        fn fetch_run_details(
            &self,
            _query: Option<&RunQuery>,
            page: PageQuery,
        ) -> Result<Vec<RunEvent>, SourceError> {
            Ok(self.next(page))
        }

        fn cancel(&self) {
            self.0.lock().unwrap().clear();
        }
    }

    fn pipeline(pages: impl IntoIterator<Item = Vec<RunEvent>>) -> MethodsPipeline<Pages> {
        let manifest = PipelineManifest::parse(MANIFEST).unwrap();
        let pages = pages.into_iter().collect();
        MethodsPipeline::new(manifest, Pages(Mutex::new(pages), Mutex::default()))
    }

    fn run(id: &str, status: &str, hour: u32) -> RunEvent {
        RunEvent::new(
            json!({"job_source_id": "j", "run_source_id": id, "status": status,
            "event_time": format!("2026-01-01T{hour:02}:00:00Z")}),
        )
    }

    #[test]
    fn who_cancels_a_pipeline_cancels_its_methods() {
        let pipeline = pipeline([vec![run("1", "OK", 1)]]);
        pipeline.cancel();
        let mut events = 0;
        pipeline
            .runs(&morning(), None, &mut |_| events += 1)
            .unwrap();
        assert_eq!(events, 0);
    }

    fn morning() -> RunQuery {
        RunQuery::Window(Window {
            start: "2026-01-01T00:00:00Z".parse().unwrap(),
            end: "2026-01-01T12:00:00Z".parse().unwrap(),
        })
    }

    fn read(
        pipeline: &MethodsPipeline<Pages>,
        query: &RunQuery,
    ) -> Result<(Vec<RunEvent>, Summary), SourceError> {
        let mut events = Vec::new();
        let size = NonZeroUsize::new(2);
        let summary = pipeline.runs(query, size, &mut |event| events.push(event))?;
        Ok((events, summary))
    }

    #[test]
    fn a_short_page_is_not_the_last_one() {
        let pipeline = pipeline([
            vec![run("a", "OK", 1), run("b", "OK", 2)],
            vec![run("c", "OK", 3)],
            vec![run("d", "OK", 4)],
        ]);
        let (events, summary) = read(&pipeline, &morning()).unwrap();
        assert_eq!(events.len(), 4);
        assert_eq!(summary.requests, 4);
        let asked: Vec<usize> = pipeline
            .methods
            .1
            .lock()
            .unwrap()
            .iter()
            .map(|page| page.offset)
            .collect();
        assert_eq!(asked, [0, 2, 3, 4]);
    }

    #[test]
    fn repeats_and_runs_outside_are_left_out_and_counted() {
        let pipeline = pipeline([
            vec![run("a", "OK", 1), run("late", "OK", 12)],
            vec![run("a", "OK", 1), run("b", "ODD", 2)],
        ]);
        let (events, summary) = read(&pipeline, &morning()).unwrap();
        let statuses: Vec<Option<RunStatus>> = events.iter().map(RunEvent::status).collect();
        let expected = [RunStatus::Success, RunStatus::Unknown];
        assert_eq!(statuses, expected.map(Some));
        assert_eq!((summary.repeated, summary.outside), (1, 1));
        assert_eq!(summary.unmapped.get("ODD"), Some(&1));
    }

    #[test]
    fn a_run_that_comes_again_as_it_stood_later_is_handed_on_as_such() {
        let statuses = |pages: [Vec<RunEvent>; 2]| {
            let (events, summary) = read(&pipeline(pages), &morning()).unwrap();
            let newer = summary
                .newer
                .iter()
                .map(RunEvent::status)
                .collect::<Vec<_>>();
            (events.len(), newer, summary.notes)
        };
        let (count, newer, notes) = statuses([
            vec![run("a", "ODD", 1), run("b", "OK", 2)],
            vec![run("a", "OK", 3), run("c", "OK", 4)],
        ]);
        assert_eq!((count, newer), (3, vec![Some(RunStatus::Success)]));
        assert_eq!(notes, ["1 run changed while the list was read"]);
        let (count, newer, _) = statuses([
            vec![run("a", "OK", 3), run("b", "OK", 2)],
            vec![run("a", "ODD", 1), run("c", "OK", 4)],
        ]);
        assert_eq!((count, newer), (3, vec![]), "it stood so before");
        let (_, newer, _) = statuses([vec![run("a", "ODD", 1)], vec![run("a", "OK", 12)]]);
        assert_eq!(newer, vec![], "later than the window");
    }

    #[test]
    fn a_connector_that_ignores_the_offset_is_an_error() {
        let page = vec![run("a", "OK", 1), run("b", "OK", 2)];
        let pipeline = pipeline(std::iter::repeat_n(page, 10));
        let error = read(&pipeline, &morning()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Pages);
        assert!(error.to_string().contains("fetch_run_details"), "{error}");
    }

    #[test]
    fn runs_asked_for_by_id_end_when_all_are_there() {
        let page = vec![run("a", "OK", 1), run("b", "OK", 13)];
        let pipeline = pipeline(std::iter::repeat_n(page, 10));
        let query = RunQuery::Ids(vec!["a".to_owned(), "b".to_owned()]);
        let (events, summary) = read(&pipeline, &query).unwrap();
        assert_eq!((events.len(), summary.requests), (2, 1));
    }

    #[test]
    fn events_without_an_id_are_left_to_validation() {
        let nameless = || RunEvent::new(json!({"status": "OK"}));
        let pipeline = pipeline([vec![nameless(), nameless()]]);
        let (events, summary) = read(&pipeline, &morning()).unwrap();
        assert_eq!((events.len(), summary.repeated), (2, 0));
    }
}
