//! Runs the suite: the sections one after the other, every answer kept, everything reported.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_contract::pipeline::{AssetEvent, RunEvent, Window};
use bowline_contract::{PipelineSection, credentials};
use bowline_pipeline::{Pipeline, SourceError, SourceErrorKind, Unmapped};
use bowline_report::pipeline::FeatureAnswer;
use bowline_words::{Diagnose, counted};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::assets;
use super::check::{self, AskedOf, CHECKS, Check};
use super::cuts::whole_second;
use super::features::{Evidence, features};
use super::jobs::jobs;
use super::outcome::{Doubt, Outcome, failure, is_vendors};
use super::reading::Reader;
use super::report::{CheckReport, Report};
use super::runs;
use super::witness::Testimony;
use super::words::{contradictions, odd_words};
use crate::{Tier, Verdict};

/// How many events a page is asked for; the contract's own default.
pub(super) const PAGE: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// How the suite runs.
#[derive(Clone)]
pub struct Options {
    /// The sections to run.
    pub sections: Vec<PipelineSection>,
    /// How much is asked.
    pub tier: Tier,
    /// How far back runs are looked for.
    pub lookback: SignedDuration,
    /// What time it is.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sections: PipelineSection::ALL.to_vec(),
            tier: Tier::default(),
            lookback: SignedDuration::from_hours(7 * 24),
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// Something that happened.
pub type Event<'a> = crate::Event<'a, Check, Activity<'a>>;

/// What the suite does beside answering checks.
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// A reading of the vendor begins.
    Reading {
        /// What is read, in words.
        what: &'a str,
    },
    /// The reading under way has come this far.
    Read {
        /// How many events it has given.
        events: usize,
    },
}

/// Runs the suite over a pipeline and reports everything it found out. Nothing is printed, and nothing is changed at the
/// vendor's. [`Pipeline::cancel`] ends it soon.
///
/// # Errors
/// When the vendor cannot be reached or does not let us in, so that nothing at all could be read.
pub fn run(
    pipeline: &dyn Pipeline,
    options: &Options,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Report, SourceError> {
    let started = Instant::now();
    let now = whole_second((options.clock)());
    let window = Window {
        start: whole_second(now.saturating_sub(options.lookback).unwrap_or(now)),
        end: now,
    };
    let mut suite = Suite {
        reader: Reader::new(pipeline, on_event),
        options,
        window,
        answers: BTreeMap::new(),
        elapsed: BTreeMap::new(),
        answered: started,
        advice: BTreeMap::new(),
        on_event,
    };
    on_event(Event::Started {
        checks: suite.most(),
    });
    let mut seen = Found::default();
    if suite.connection()? {
        suite.sections(&mut seen)?;
    }
    Ok(suite.finish(seen, started))
}

/// What was read, for what is said about all of it.
#[derive(Default)]
struct Found {
    assets: Option<Vec<AssetEvent>>,
    runs: Option<Vec<RunEvent>>,
    unmapped: Unmapped,
    warnings: Vec<String>,
}

/// A run of the suite under way.
pub(super) struct Suite<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) options: &'a Options,
    /// The window that runs are looked for in; its end is when the suite began.
    pub(super) window: Window,
    answers: BTreeMap<&'static str, (Outcome, String)>,
    /// How long each answer took from the one before.
    elapsed: BTreeMap<&'static str, Duration>,
    /// When there was an answer last.
    answered: Instant,
    advice: BTreeMap<&'static str, Vec<String>>,
    on_event: &'a dyn Fn(Event<'_>),
}

impl Suite<'_> {
    /// Whether a check is of the sections and the tier of this run.
    fn is_of_run(&self, check: &Check) -> bool {
        self.options.sections.contains(&check.section) && check.tier <= self.options.tier
    }

    /// How many checks this run may ask, before it is known what the vendor answers.
    fn most(&self) -> usize {
        let may_ask = |check: &&&Check| {
            self.is_of_run(check) && (self.asks(check) || check.asked_of == AskedOf::Telling)
        };
        CHECKS.iter().filter(may_ask).count()
    }

    /// Whether a check is part of this run.
    pub(super) fn asks(&self, check: &Check) -> bool {
        self.is_of_run(check)
            && match check.asked_of {
                AskedOf::Every => true,
                AskedOf::Methods => self.reader.pipeline.methods().is_some(),
                AskedOf::Telling => self.reader.witness.has_heard(),
            }
    }

    fn plan(&self) -> impl Iterator<Item = &'static Check> {
        CHECKS.iter().copied().filter(|check| self.asks(check))
    }

    /// Whether proofs beyond the contract's suite are asked for.
    pub(super) fn is_strict(&self) -> bool {
        self.options.tier == Tier::Strict
    }

    /// Answers a check. `basis` says what the answer rests on.
    pub(super) fn settle(
        &mut self,
        check: &'static Check,
        outcome: Outcome,
        basis: impl Into<String>,
    ) {
        if !self.asks(check) {
            return;
        }
        (self.on_event)(Event::Finished {
            check,
            verdict: outcome.verdict(),
        });
        let now = Instant::now();
        *self.elapsed.entry(check.id).or_default() += now - self.answered;
        self.answered = now;
        self.answers.insert(check.id, (outcome, basis.into()));
    }

    /// Answers a check whose reading failed.
    ///
    /// # Errors
    /// The error itself when it is the vendor's and nothing was read before: then there is nothing to report.
    pub(super) fn failed(
        &mut self,
        check: &'static Check,
        error: SourceError,
    ) -> Result<(), SourceError> {
        let read_before = self.reader.reports.iter().any(|one| one.error.is_none());
        if !read_before && is_out_of_reach(error.kind) {
            return Err(error);
        }
        self.settle(check, failure(&error), "");
        Ok(())
    }

    /// Adds to a check what would be better, though nothing is wrong.
    pub(super) fn advise(&mut self, check: &Check, words: String) {
        self.advice.entry(check.id).or_default().push(words);
    }

    pub(super) fn verdict(&self, check: &Check) -> Option<Verdict> {
        self.answers
            .get(check.id)
            .map(|(outcome, _)| outcome.verdict())
    }

    fn is_interrupted(&self) -> bool {
        let stopped = Outcome::Unknown(Doubt::Interrupted);
        self.answers
            .values()
            .any(|(outcome, _)| *outcome == stopped)
    }

    /// The section `etl_connection`; says whether there is a connection.
    fn connection(&mut self) -> Result<bool, SourceError> {
        self.settle(&check::MANIFEST, manifest(self.reader.pipeline), "");
        for odd in odd_words(self.reader.pipeline.manifest()) {
            let advice = format!("{odd}: see that the vendor means it so");
            self.advise(&check::MANIFEST, advice);
        }
        match self.reader.pipeline.check() {
            Ok(answer) => {
                let basis = match answer {
                    Json::Null => "",
                    _ => "the vendor answered the connector's `check`",
                };
                self.settle(&check::CONNECTS, Outcome::Supported, basis);
                Ok(true)
            }
            Err(error) if is_out_of_reach(error.kind) => Err(error),
            Err(error) => {
                self.settle(&check::CONNECTS, failure(&error), "");
                let rest: Vec<&'static Check> = self.plan().collect();
                if error.kind != SourceErrorKind::Cancelled {
                    for check in rest {
                        if !self.answers.contains_key(check.id) {
                            let by = &check::CONNECTS;
                            self.settle(check, Outcome::Blocked { by }, "");
                        }
                    }
                }
                Ok(false)
            }
        }
    }

    fn sections(&mut self, found: &mut Found) -> Result<(), SourceError> {
        // What the vendor says about itself is a courtesy: a failure to read it is no finding.
        found.warnings = self.reader.pipeline.warnings().unwrap_or_default();
        if self.options.sections.contains(&PipelineSection::Metadata) {
            found.assets = assets::metadata(self)?;
            if let Some(assets) = &found.assets
                && self.asks(&check::ASSETS_VENDOR)
            {
                let testimony = self.reader.witness.of_jobs(assets);
                self.settle_by_vendor(&check::ASSETS_VENDOR, testimony);
            }
        }
        if self.options.sections.contains(&PipelineSection::RunDetails)
            && !self.is_interrupted()
            && let Some(look) = runs::run_details(self)?
        {
            match &found.assets {
                Some(assets) => jobs(self, assets, &look.runs, look.span),
                None => {
                    let why = "the metadata was not read".to_owned();
                    self.settle(&check::JOBS, Outcome::Unknown(Doubt::NoOccasion(why)), "");
                }
            }
            if self.asks(&check::RUNS_VENDOR) {
                let manifest = self.reader.pipeline.manifest();
                let testimony = self.reader.witness.of_runs(&look.runs, look.span, manifest);
                self.settle_by_vendor(&check::RUNS_VENDOR, testimony);
            }
            found.unmapped = look.unmapped;
            found.runs = Some(look.runs);
        }
        let runs = found.runs.as_ref().map_or(0, Vec::len);
        if found.assets.as_ref().is_some_and(Vec::is_empty) && runs > 0 {
            let got = format!("no job, and {runs} runs of jobs");
            let wrong = Outcome::wrong("the jobs that runs are of", got);
            self.settle(&check::ASSETS, wrong, "");
        }
        Ok(())
    }

    fn settle_by_vendor(&mut self, check: &'static Check, testimony: Testimony) {
        self.settle(check, testimony.outcome, testimony.basis);
        for advice in testimony.advice {
            self.advise(check, advice);
        }
    }

    fn finish(mut self, found: Found, started: Instant) -> Report {
        let interrupted = self.is_interrupted();
        // What the vendor answered may have come too late for a section that was read before.
        let is_heard = |check: &&Check| {
            check.asked_of != AskedOf::Telling || self.answers.contains_key(check.id)
        };
        let plan: Vec<&'static Check> = self.plan().filter(is_heard).collect();
        let checks = plan
            .into_iter()
            .map(|check| {
                let (outcome, basis) = self.answers.remove(check.id).unwrap_or_else(|| {
                    let doubt = if interrupted {
                        Doubt::Interrupted
                    } else {
                        Doubt::NotReached("nothing was read that it could look at".to_owned())
                    };
                    (Outcome::Unknown(doubt), String::new())
                });
                CheckReport {
                    check,
                    outcome,
                    basis,
                    advice: self.advice.remove(check.id).unwrap_or_default(),
                    elapsed: self.elapsed.get(check.id).copied(),
                }
            })
            .collect::<Vec<_>>();
        let by_id = checks
            .iter()
            .find(|report| report.check.id == check::BY_ID.id)
            .map_or((FeatureAnswer::Unknown, String::new()), by_id_answer);
        let evidence = Evidence {
            manifest: self.reader.pipeline.manifest(),
            assets: found.assets.as_deref(),
            runs: found.runs.as_deref(),
            by_id,
        };
        Report {
            tier: self.options.tier,
            sections: self.options.sections.clone(),
            window: (self.window.start, self.window.end),
            features: features(&self.options.sections, &evidence),
            checks,
            unmapped: found.unmapped,
            warnings: found.warnings,
            readings: self.reader.reports,
            elapsed: started.elapsed(),
            interrupted,
        }
    }
}

fn by_id_answer(report: &CheckReport) -> (FeatureAnswer, String) {
    match &report.outcome {
        Outcome::Supported => (FeatureAnswer::Yes, report.basis.clone()),
        Outcome::Wrong(fault) => (FeatureAnswer::No, fault.got.clone()),
        _ => (FeatureAnswer::Unknown, "it could not be asked".to_owned()),
    }
}

/// Whether an error means that the vendor is not there for us at all.
fn is_out_of_reach(kind: SourceErrorKind) -> bool {
    is_vendors(kind) && !matches!(kind, SourceErrorKind::TooLarge | SourceErrorKind::Cancelled)
}

/// What loading has not judged yet: the mappings are valid, or there would be no connector.
fn manifest(pipeline: &dyn Pipeline) -> Outcome {
    let schema = pipeline.manifest().credentials_schema.clone();
    match credentials::parse_schema(schema.map(Json::Object).as_ref()) {
        Ok(_) => {
            let lines = contradictions(pipeline.manifest());
            if lines.is_empty() {
                return Outcome::Supported;
            }
            let got = format!("{} mapped to another", counted(lines.len(), "word"));
            Outcome::wrong("status words mapped to what they say", got)
                .with_evidence(lines)
                .with_hint("map each word in manifest.json to the status that it means")
        }
        Err(error) => Outcome::wrong(
            "a `credentials_schema` for what stands under `connect_args`",
            error.diagnose().what,
        )
        .with_hint("describe the keys of `connect_args` in credentials.json, under that key"),
    }
}
