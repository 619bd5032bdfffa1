//! Reads a simulated vendor with the connector that fits it, and judges what comes.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use bowline_connector::Credentials;
use bowline_contract::pipeline::{
    PipelineManifest, RunEvent, RunStatus, Window, validate_assets, validate_runs,
};
use bowline_pipeline::{
    DescribedPipeline, Pipeline, RunQuery, SourceError, Transport, description,
};
use bowline_simulator::{
    Flaw, InProcess, Scenario, Span, Vendor, asset_flaws, credentials, manifest, run_flaws,
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

/// The description of a scenario, read as from a file.
pub(crate) fn described(text: &str) -> description::Description {
    match description::parse(Path::new("connector.toml"), text) {
        Ok(description::File::Described(description)) => *description,
        other => panic!("{other:?}\n{text}"),
    }
}

/// The credentials for a vendor at this address.
pub(crate) fn known_credentials(url: &str) -> Credentials {
    let text = credentials(url).to_string();
    Credentials::parse(Path::new("credentials.json"), &text).unwrap()
}

pub(crate) fn known_manifest() -> PipelineManifest {
    PipelineManifest::parse(&manifest().to_string()).unwrap()
}

/// The fitting connector over any transport.
pub(crate) fn source(
    text: &str,
    url: &str,
    transport: Option<Arc<dyn Transport>>,
) -> DescribedPipeline {
    let (manifest, description) = (known_manifest(), described(text));
    let credentials = known_credentials(url);
    let cancel = Arc::default();
    match transport {
        Some(transport) => {
            DescribedPipeline::over(transport, manifest, description, &credentials, cancel)
        }
        None => DescribedPipeline::new(manifest, description, &credentials, cancel),
    }
    .unwrap()
    .keeping_answers(None)
}

/// The transport as the library takes it.
pub(crate) fn shared(transport: &InProcess) -> Arc<dyn Transport> {
    Arc::new(transport.clone())
}

/// What does something with the vendor behind a transport or a server.
pub(crate) type Reach<'v> = dyn Fn(&mut dyn FnMut(&mut Vendor)) + 'v;

/// How many times what a list costs when it stands still it may cost when it moves.
const MOST_TIMES: u64 = 3;

/// A vendor, the source that reads it, and chance.
pub(crate) struct Subject<'v> {
    pub(crate) source: &'v dyn Pipeline,
    pub(crate) vendor: &'v Reach<'v>,
    pub(crate) rng: Rng,
}

/// What a subject came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) events: usize,
    /// Readings that say that something may be missing.
    pub(crate) doubts: usize,
}

impl Subject<'_> {
    fn ask<T>(&self, ask: impl Fn(&mut Vendor) -> T) -> T {
        let mut answer = None;
        (self.vendor)(&mut |vendor| answer = Some(ask(vendor)));
        answer.unwrap()
    }

    fn clock(&self) -> Timestamp {
        self.ask(|vendor| vendor.world.clock)
    }

    /// Everything that is read of a vendor; the first flaw as text.
    pub(crate) fn prove(&mut self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        self.source.check().map_err(failed("check"))?;
        self.assets(&mut tally)?;
        let window = self.window();
        let size = self.page_size();
        let before = self.still_pages(&window, size)?;
        let (_, moving) = self.runs_of(&window, "runs in the window", size, &mut tally)?;
        let asked = self.ids();
        self.runs(&asked, "runs by id", &mut tally)?;
        // Nothing changes from here on, so that two readings must be the same.
        self.ask(Vendor::calm_down);
        let (whole, after) = self.runs_of(&window, "runs once all is calm", size, &mut tally)?;
        let still = before.max(after);
        // In between it may have been longer than before and after, by a page of its own.
        if moving > MOST_TIMES * still + 1 {
            return Err(format!(
                "{moving} pages were asked for a list that takes {still} when it stands still"
            ));
        }
        let RunQuery::Window(Window { start, end }) = window else {
            return Ok(tally);
        };
        let middle = self.moment(start, end);
        let mut halves = Vec::new();
        for (start, end) in [(start, middle), (middle, end)] {
            let half = RunQuery::Window(Window { start, end });
            halves.extend(self.runs(&half, "runs in a half", &mut tally)?);
        }
        let sorted = |mut events: Vec<RunEvent>| {
            events.sort_by_key(|event| event.run_source_id().map(str::to_owned));
            events
        };
        if sorted(whole) != sorted(halves) {
            return Err(format!(
                "two windows that meet at {middle} are not the window"
            ));
        }
        Ok(tally)
    }

    /// A window before now; its bounds are often exactly the times of runs.
    fn window(&mut self) -> RunQuery {
        let (clock, hours) = self.ask(|vendor| (vendor.world.clock, vendor.scenario.hours));
        let hours = i64::try_from(hours).unwrap();
        let first = clock - SignedDuration::from_hours(hours + 1);
        let (one, other) = (self.moment(first, clock), self.moment(first, clock));
        RunQuery::Window(Window {
            start: one.min(other),
            end: one.max(other),
        })
    }

    fn moment(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let chance = self.rng.u8(0..8);
        let runs = self.ask(|vendor| vendor.world.runs.len());
        if chance < 5 && runs > 0 {
            let number = self.rng.usize(0..runs);
            let at = self.ask(|vendor| vendor.world.runs[number].now().map(|run| run.at()));
            if let Some(at) = at.filter(|at| (from..=to).contains(at)) {
                return at;
            }
        }
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        Timestamp::from_millisecond(self.rng.i64(from..=to)).unwrap()
    }

    fn ids(&mut self) -> RunQuery {
        let runs = self.ask(|vendor| vendor.world.runs.len());
        let mut ids = vec!["nobody/knows it".to_owned()];
        for _ in 0..self.rng.usize(0..5).min(runs) {
            let number = self.rng.usize(0..runs);
            let id = self.ask(|vendor| vendor.world.runs[number].now().map(|run| run.id.clone()));
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        RunQuery::Ids(ids)
    }

    fn page_size(&mut self) -> Option<NonZeroUsize> {
        let size = [0, 0, 1, 3, 100][self.rng.usize(0..5)];
        NonZeroUsize::new(size)
    }

    fn assets(&mut self, tally: &mut Tally) -> Result<(), String> {
        let from = self.clock();
        let mut events = Vec::new();
        let size = self.page_size();
        let summary = self
            .source
            .assets(from, size, &mut |event| events.push(event))
            .map_err(failed("assets"))?;
        let to = self.clock();
        if let Some(error) = validate_assets(&events).first() {
            return Err(format!("assets: {error}"));
        }
        let flaws = self.ask(|vendor| asset_flaws(&vendor.world, Span { from, to }, &events));
        judged("assets", flaws, &summary.notes, tally)
    }

    fn runs(
        &mut self,
        query: &RunQuery,
        what: &str,
        tally: &mut Tally,
    ) -> Result<Vec<RunEvent>, String> {
        let size = self.page_size();
        Ok(self.runs_of(query, what, size, tally)?.0)
    }

    /// How many pages of runs a reading takes while nothing changes; failures that pass go on.
    fn still_pages(&mut self, query: &RunQuery, size: Option<NonZeroUsize>) -> Result<u64, String> {
        let scenario = self.ask(|vendor| vendor.scenario.clone());
        (self.vendor)(&mut |vendor| {
            vendor.scenario.changes = 0;
            vendor.scenario.shuffled = false;
        });
        let before = self.ask(|vendor| vendor.pages());
        let read = self.source.runs(query, size, &mut |_| ());
        read.map_err(failed("runs that stand still"))?;
        (self.vendor)(&mut |vendor| vendor.scenario = scenario.clone());
        Ok(self.ask(|vendor| vendor.pages()) - before)
    }

    /// The runs, and how many pages of them were given.
    fn runs_of(
        &mut self,
        query: &RunQuery,
        what: &str,
        size: Option<NonZeroUsize>,
        tally: &mut Tally,
    ) -> Result<(Vec<RunEvent>, u64), String> {
        let from = self.clock();
        let pages = self.ask(|vendor| vendor.pages());
        let mut events = Vec::new();
        let summary = self
            .source
            .runs(query, size, &mut |event| events.push(event))
            .map_err(failed(what))?;
        let to = self.clock();
        if let Some(error) = validate_runs(&events).first() {
            return Err(format!("{what}: {error}"));
        }
        let is_unknown = |run: &&RunEvent| run.status() == Some(RunStatus::Unknown);
        let unknown = |run: &RunEvent| {
            usize::from(is_unknown(&run)) + run.task_runs().filter(is_unknown).count()
        };
        let unknown: usize = events.iter().map(unknown).sum();
        let counted: usize = summary.unmapped.values().sum();
        if (unknown, events.len()) != (counted, summary.events) {
            return Err(format!(
                "{what}: {unknown} statuses are unknown of {} runs, but the summary says {summary:?}",
                events.len()
            ));
        }
        tally.events += events.len();
        let flaws = self.ask(|vendor| run_flaws(vendor, Span { from, to }, query, &events));
        judged(&format!("{what} {query:?}"), flaws, &summary.notes, tally)?;
        if self.ask(|vendor| vendor.scenario.shuffled) {
            // An order that changes may leave every reading of it in doubt.
            tally.doubts = 0;
        }
        Ok((events, self.ask(|vendor| vendor.pages()) - pages))
    }
}

fn failed(what: &str) -> impl Fn(SourceError) -> String {
    move |error| format!("{what}: {error}")
}

/// A record may be missing where the reading itself says so.
fn judged(what: &str, flaws: Vec<Flaw>, notes: &[String], tally: &mut Tally) -> Result<(), String> {
    tally.doubts += usize::from(!notes.is_empty());
    let flaw = flaws
        .iter()
        .find(|flaw| notes.is_empty() || !matches!(flaw, Flaw::Missing(_)));
    match flaw {
        Some(flaw) => Err(format!("{what}: {flaw}")),
        None => Ok(()),
    }
}

/// Reads the vendor of a seed without a network. The log is what happened, for people.
pub(crate) fn in_process(seed: u64, log: bool) -> (Result<Tally, String>, Vec<String>) {
    let scenario = Scenario::of_seed(seed);
    let text = bowline_simulator::description(&scenario);
    // One after the other, so that the same seed always comes to the same.
    // As often as the vendor may fail in a row.
    let text = format!("{text}\n[http.limits]\nin_flight = 1\nretries = 9\n");
    let mut vendor = Vendor::new(scenario);
    if log {
        vendor.keep_log();
    }
    let transport = InProcess::new(vendor);
    let shared: Arc<dyn Transport> = Arc::new(transport.clone());
    let source = source(&text, bowline_simulator::ADDRESS, Some(shared));
    let mut subject = Subject {
        source: &source,
        vendor: &|work| work(&mut transport.vendor()),
        rng: Rng::with_seed(seed ^ 0x7375_626a),
    };
    let result = subject.prove();
    let vendor = transport.vendor();
    let result = result.map(|tally| Tally {
        requests: vendor.asked(),
        ..tally
    });
    (result, vendor.log().to_vec())
}
