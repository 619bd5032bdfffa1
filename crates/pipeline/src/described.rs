//! A connector that is described over HTTP, ready to be read.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bowline_connector::Credentials;
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent, Window};
use bowline_template::{Native, Scope, Value};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::description::{self, Description, Mapping};
use crate::error::{SourceError, SourceErrorKind};
use crate::explanation::{Explanation, OnExplanation};
use crate::expression::{credentials_value, to_json};
use crate::failed::Part;
use crate::http::graphql::{self, Errors};
use crate::http::{Answer, Client, Network, OnExchange, OnRetry, Rules, Transport};
use crate::pipeline::{Pipeline, RunQuery, Summary};
use crate::run_reading::RunReading;
use crate::source_reader::{Row, SourceReader, Sources};
use crate::vendor_answers::{Keeper, VendorAnswers};

/// The name under which expressions know the ids that are asked for.
pub(crate) const RUN_IDS: &str = "run_ids";
/// How far back assets may look at runs: for what a vendor only shows there.
const METADATA_LOOKBACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A vendor, ready to be read.
pub struct DescribedPipeline {
    pub(crate) manifest: PipelineManifest,
    pub(crate) description: Description,
    pub(crate) client: Client,
    /// What every expression sees.
    pub(crate) scope: Scope,
    cancel: Arc<AtomicBool>,
    pub(crate) on_explanation: Option<OnExplanation>,
    /// What the vendor answered, where somebody wants to know.
    answers: Option<Arc<Keeper>>,
}

impl DescribedPipeline {
    /// A source for these credentials; nothing is sent yet. Setting `cancel` stops a reading soon.
    ///
    /// # Errors
    /// When the base address cannot be made from the credentials.
    pub fn new(
        manifest: PipelineManifest,
        description: Description,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        Self::within(Path::new(""), manifest, description, credentials, cancel)
    }

    /// As [`DescribedPipeline::new`], with the connector's folder, which paths in it are taken from.
    pub(crate) fn within(
        dir: &Path,
        manifest: PipelineManifest,
        description: Description,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        let network = Network::new(&description.http, &credentials_scope(credentials), dir)?;
        Self::over(
            Arc::new(network),
            manifest,
            description,
            credentials,
            cancel,
        )
    }

    /// As [`DescribedPipeline::new`], with something in the network's place.
    ///
    /// # Errors
    /// As for [`DescribedPipeline::new`].
    pub fn over(
        transport: Arc<dyn Transport>,
        manifest: PipelineManifest,
        description: Description,
        credentials: &Credentials,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        let scope = credentials_scope(credentials);
        let client = Client::new(
            transport,
            &description,
            scope.clone(),
            credentials.redactor().clone(),
            Arc::clone(&cancel),
        )?;
        Ok(Self {
            manifest,
            description,
            client,
            scope,
            cancel,
            on_explanation: None,
            answers: None,
        })
    }

    /// The same, keeping what changes with each login in this file.
    #[must_use]
    pub fn keeping(mut self, path: std::path::PathBuf) -> Self {
        self.client.keeping(path);
        self
    }

    /// The same, with every exchange shown to this.
    #[must_use]
    pub fn watched(mut self, on_exchange: OnExchange) -> Self {
        self.client.watched(on_exchange);
        self
    }

    /// The same, keeping what the vendor answers, and with every exchange shown to this.
    #[must_use]
    pub fn keeping_answers(mut self, on_exchange: Option<OnExchange>) -> Self {
        let keeper = Arc::new(Keeper::default());
        self.client.watched(keeper.watching(on_exchange));
        self.answers = Some(keeper);
        self
    }

    /// The same, with every retry that takes seconds told to this.
    #[must_use]
    pub fn telling(mut self, on_retry: OnRetry) -> Self {
        self.client.telling(on_retry);
        self
    }

    /// The same, with every event explained to this, right before it is handed on.
    #[must_use]
    pub fn explained(mut self, on_explanation: OnExplanation) -> Self {
        self.on_explanation = Some(on_explanation);
        self
    }

    /// Makes an event, and explains it where somebody wants to know.
    pub(crate) fn explaining<T>(
        &self,
        reader: &SourceReader<'_>,
        mapping: &Mapping,
        row: &Row,
        make: impl FnOnce() -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let Some(on_explanation) = &self.on_explanation else {
            return make();
        };
        let (event, steps) = reader.watching(make);
        if event.is_ok() {
            on_explanation(Explanation::of(&self.client, mapping, row, steps));
        }
        event
    }

    /// The sources of runs, in the order in which they are read.
    ///
    /// Runs that have not ended come first: one that ends meanwhile is then in the other list too and known already,
    /// where the other order would miss it in both.
    fn run_sources(&self, query: &RunQuery) -> Vec<String> {
        let runs = &self.description.runs;
        match (query, &runs.by_id) {
            (RunQuery::Ids(_), Some(by_id)) => vec![by_id.clone()],
            _ => {
                let mut names = runs.also.clone();
                names.push(runs.mapping.from.clone());
                names
            }
        }
    }

    /// The sources that a mapping's expressions name, and the one it is made from.
    pub(crate) fn sources_of(&self, mapping: &Mapping) -> BTreeSet<String> {
        let mut names = names_of(mapping);
        names.insert(mapping.from.clone());
        names.retain(|name| self.description.sources.contains_key(name));
        names
    }

    /// Reads a source and those that it needs, unless they are there.
    pub(crate) fn load(
        &self,
        reader: &SourceReader<'_>,
        name: &str,
        scope: &Scope,
        sources: &mut Sources,
        given: &BTreeSet<String>,
    ) -> Result<(), SourceError> {
        if sources.contains_key(name) || given.contains(name) {
            return Ok(());
        }
        let Some(source) = self.description.sources.get(name) else {
            return Ok(());
        };
        for other in description::source_names(source) {
            if other != name {
                self.load(reader, &other, scope, sources, given)?;
            }
        }
        let scope = with_sources(scope, sources);
        let drivers = source
            .origin
            .source()
            .map_or(&[][..], |other| rows_of(sources, other));
        let loaded = reader.load(source, &scope, drivers)?;
        sources.insert(name.to_owned(), Arc::new(loaded));
        Ok(())
    }
}

impl Pipeline for DescribedPipeline {
    fn manifest(&self) -> &PipelineManifest {
        &self.manifest
    }

    fn cancel(&self) {
        self.cancel
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        self.answers.as_ref().map(|keeper| keeper.take())
    }

    fn check(&self) -> Result<Json, SourceError> {
        let Some(request) = &self.description.check else {
            return Ok(Json::Null);
        };
        let is_graphql = request.graphql.is_some();
        let request = self.client.prepare(request, &self.scope)?;
        let rules = Rules::Records {
            missing: &[],
            reject: &[],
            records: None,
        };
        let answer = match self.client.send(&request, &rules)? {
            Answer::Found(answer) => answer.body,
            Answer::Missing(_) => Value::NONE,
        };
        if is_graphql && let Errors::Whole(reason) = graphql::errors(&answer) {
            return Err(self
                .client
                .error(SourceErrorKind::Refused, &request)
                .because(self.client.masked(&reason)));
        }
        Ok(to_json(&answer))
    }

    fn warnings(&self) -> Result<Vec<String>, SourceError> {
        let reader = SourceReader::new(&self.client, None);
        let mut sources = Sources::new();
        let mut texts = Vec::new();
        for warning in &self.description.warnings {
            self.load(
                &reader,
                &warning.from,
                &self.scope,
                &mut sources,
                &BTreeSet::new(),
            )?;
            let scope = with_sources(&self.scope, &sources);
            for row in rows_of(&sources, &warning.from) {
                let scope = row.scope(&scope);
                if reader.holds(warning.when.as_ref(), &scope, &row.record)? {
                    let text = reader.evaluate(&warning.message, &scope, &row.record)?;
                    texts.push(self.client.masked(&text.to_string()));
                }
            }
        }
        let mut summary = Summary::default();
        reader.finish(&mut summary)?;
        match summary.failed.into_iter().next() {
            Some(failed) => Err(failed.error),
            None => Ok(texts),
        }
    }

    fn assets(
        &self,
        now: Timestamp,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(AssetEvent),
    ) -> Result<Summary, SourceError> {
        let reader = SourceReader::new(&self.client, page_size);
        let mapping = &self.description.assets;
        let before = self.client.requests();
        let lookback = Window {
            start: now - METADATA_LOOKBACK,
            end: now,
        };
        let scope = window_scope(&self.scope, lookback);
        let mut sources = Sources::new();
        for name in self.sources_of(mapping) {
            self.load(&reader, &name, &scope, &mut sources, &BTreeSet::new())?;
        }
        let scope = with_sources(&scope, &sources);
        let mut summary = Summary::default();
        let (mut ids, mut shared) = (BTreeSet::new(), Vec::new());
        for row in rows_of(&sources, &mapping.from) {
            summary.records += 1;
            let row_scope = row.scope(&scope);
            let counts = reader.holds(mapping.when.as_ref(), &row_scope, &row.record);
            let make = || reader.asset(mapping, &scope, row);
            let make = || self.explaining(&reader, mapping, row, make);
            let asset = counts.and_then(|counts| counts.then(make).transpose());
            match reader.one_of_many(mapping, Part::Job, &row.record, asset)? {
                Some(Some(asset)) => {
                    if let Some(id) = asset.job_source_id()
                        && !ids.insert(id.to_owned())
                    {
                        shared.push(id.to_owned());
                    }
                    on_event(asset);
                    summary.events += 1;
                }
                Some(None) => summary.passed_over += 1,
                None => {}
            }
        }
        summary.requests = self.client.requests() - before;
        reader.finish(&mut summary)?;
        if let Some(id) = shared.first() {
            summary.notes.push(format!(
                "{} came with the id of another one, such as `{}`: the platform keeps one of them",
                counted(shared.len(), "job"),
                self.client.shown(id)
            ));
        }
        Ok(summary)
    }

    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<NonZeroUsize>,
        on_event: &mut dyn FnMut(RunEvent),
    ) -> Result<Summary, SourceError> {
        let mut reading = RunReading::new(self, query, page_size, on_event);
        for name in self.run_sources(query) {
            reading.read(&name)?;
        }
        reading.finish()
    }

    fn past_ends(&self, window: Window) -> Result<Vec<(String, Vec<RunEvent>)>, SourceError> {
        let query = RunQuery::Window(window);
        let scope = window_scope(&self.scope, window);
        let mut pages = Vec::new();
        for name in self.run_sources(&query) {
            let source = &self.description.sources[&name];
            if source.origin.drivers().is_some() {
                continue;
            }
            let reader = SourceReader::new(&self.client, None);
            for page in reader.past_ends(source, &scope)? {
                let mut runs = Vec::new();
                let mut on_run = |run| runs.push(run);
                let mut reading = RunReading::new(self, &query, None, &mut on_run);
                match reading.rows(page.rows).and_then(|()| reading.finish()) {
                    Err(error) if error.kind == SourceErrorKind::Cancelled => return Err(error),
                    // What cannot be read as runs is no page of them.
                    Err(_) | Ok(_) => pages.push((page.what, runs)),
                }
            }
        }
        Ok(pages)
    }
}

/// What every expression sees.
fn credentials_scope(credentials: &Credentials) -> Scope {
    let args = credentials.connect_args().clone();
    Scope::new([
        ("credentials", credentials_value(args)),
        ("window", Value::NONE),
        (RUN_IDS, Value::NONE),
    ])
}

pub(crate) fn window_scope(scope: &Scope, window: Window) -> Scope {
    let window = Value::mapping([
        ("start", Value::from(window.start.to_string())),
        ("end", Value::from(window.end.to_string())),
    ]);
    scope.with([("window", window)])
}

pub(crate) fn with_sources(scope: &Scope, sources: &Sources) -> Scope {
    scope.with(
        sources
            .iter()
            .filter(|(name, _)| *name != RUN_IDS)
            .map(|(name, loaded)| {
                let loaded: Arc<dyn Native> = loaded.clone();
                (name.as_str(), Value::native(loaded))
            }),
    )
}

pub(crate) fn rows_of<'s>(sources: &'s Sources, name: &str) -> &'s [Row] {
    sources.get(name).map_or(&[], |loaded| &loaded.rows)
}

/// Every name that a mapping's expressions take from outside.
fn names_of(mapping: &Mapping) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for expression in mapping
        .when
        .iter()
        .chain(mapping.lets.iter().map(|(_, let_)| let_))
    {
        names.extend(expression.names());
    }
    mapping
        .fields
        .visit(&[], &mut |expression, _| names.extend(expression.names()));
    names
}
