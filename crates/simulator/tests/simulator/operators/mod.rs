//! Wrong connectors made by operators: every field of the contract, every list and every argument, in every way that one
//! can be wrong. What the suite catches of them stands in the documents.

mod operator;
mod records;
mod vendor;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Options, Report, run};
use bowline_contract::pipeline::PipelineManifest;
use bowline_pipeline::{MethodsPipeline, SourceError};
use bowline_simulator::manifest;
use jiff::SignedDuration;
use serde_json::Value as Json;

use self::operator::{Operator, Site};
use self::records::{Records, Shape, now};
use self::vendor::{Asking, Events, Read};
use crate::mutants::{told, unclaimed, wrong};

/// Which of several events are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    First,
    Last,
    EveryOther,
    /// Those of which a field says this.
    With(&'static str, &'static str),
    /// Those that have a field.
    Having(&'static str),
    /// Those that do not.
    Lacking(&'static str),
}

/// What is wrong with a connector.
#[derive(Debug, Clone)]
enum Mutant {
    Field(bool, Site, Operator),
    Loses(bool, Lost),
    Twice(bool),
    Asks(Asking),
}

impl Mutant {
    fn all() -> Vec<Self> {
        let of = |is_of_runs: bool, sites: Vec<Site>| {
            sites.into_iter().flat_map(move |site| {
                let operators = site.operators().into_iter();
                operators.map(move |operator| Self::Field(is_of_runs, site.clone(), operator))
            })
        };
        let hours = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)];
        let moved = hours.map(|(start, end)| Asking::Moved { start, end });
        let asking = [
            Asking::EndIgnored,
            Asking::StartIgnored,
            Asking::FirstId,
            Asking::LastIdLost,
            Asking::KeepsRuns,
            Asking::KeepsWindow,
        ];
        let of_runs = [
            Lost::With("status", "FAILED"),
            Lost::With("status", "RUNNING"),
            Lost::With("status", "QUEUED"),
            Lost::With("status", "CANCELLED"),
            Lost::With("status", "TIMED_OUT"),
            Lost::With("job_source_id", "jb-7000"),
            Lost::With("job_source_id", "jb-7026"),
            Lost::With("trigger", "MANUAL"),
            Lost::With("trigger", "UPSTREAM"),
            Lost::Having("parent_attempt_run_source_id"),
            Lost::Having("backfill_id"),
            Lost::Having("error"),
        ];
        let of_jobs = [
            Lost::With("folder", "/Finance/orders"),
            Lost::Having("triggered_job_source_ids"),
            Lost::Lacking("schedule"),
        ];
        let of_both = [Lost::First, Lost::Last, Lost::EveryOther];
        of(false, Site::of_jobs())
            .chain(of(true, Site::of_runs()))
            .chain(of_both.map(|lost| Self::Loses(false, lost)))
            .chain(of_both.map(|lost| Self::Loses(true, lost)))
            .chain(of_jobs.map(|lost| Self::Loses(false, lost)))
            .chain(of_runs.map(|lost| Self::Loses(true, lost)))
            .chain([Self::Twice(false), Self::Twice(true)])
            .chain(moved.map(Self::Asks))
            .chain(asking.map(Self::Asks))
            .collect()
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Field(_, _, operator) => operator.kind(),
            Self::Loses(..) => "loses jobs or runs",
            Self::Twice(_) => "gives jobs or runs twice",
            Self::Asks(_) => "asks for something else",
        }
    }

    fn apply(&self, events: &mut Events) {
        match self {
            Self::Field(is_of_runs, site, operator) => {
                let all = events.list(*is_of_runs);
                let mut all: Vec<&mut Json> =
                    all.iter_mut().map(|given| &mut given.event).collect();
                site.apply(*operator, &mut all);
            }
            Self::Loses(is_of_runs, lost) => {
                let all = events.list(*is_of_runs);
                let count = all.len();
                let mut place = 0_usize;
                all.retain(|given| {
                    place += 1;
                    let event = &given.event;
                    !match lost {
                        Lost::First => place == 1,
                        Lost::Last => place == count,
                        Lost::EveryOther => place.is_multiple_of(2),
                        Lost::With(field, value) => event[*field] == *value,
                        Lost::Having(field) => !event[*field].is_null(),
                        Lost::Lacking(field) => event[*field].is_null(),
                    }
                });
            }
            Self::Twice(is_of_runs) => {
                let all = events.list(*is_of_runs);
                all.extend(all.clone());
            }
            Self::Asks(_) => {}
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = |is_of_runs: &bool| if *is_of_runs { "run" } else { "job" };
        match self {
            Self::Field(of_runs, site, operator) => {
                write!(f, "{} {site}: {operator:?}", noun(of_runs))
            }
            Self::Loses(of_runs, lost) => write!(f, "{}: loses {lost:?}", noun(of_runs)),
            Self::Twice(of_runs) => write!(f, "{}: twice", noun(of_runs)),
            Self::Asks(asking) => write!(f, "asks {asking:?}"),
        }
    }
}

/// Of a hundred mutants, how many may be missed, and how many must be called wrong and not only advised of.
const MISSED_AT_MOST: usize = 45;
const WRONG_AT_LEAST: usize = 35;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Caught,
    Advised,
    Missed,
}

fn prove(
    records: &Records,
    shape: Shape,
    events: Events,
    asking: Asking,
) -> Result<Report, SourceError> {
    let vendor = Read::new(records.clone(), shape, events, asking);
    let manifest = PipelineManifest::parse(&manifest().to_string()).unwrap();
    let pipeline = MethodsPipeline::new(manifest, vendor);
    let options = Options {
        lookback: SignedDuration::from_hours(72),
        clock: Arc::new(now),
        ..Options::default()
    };
    run(&pipeline, &options, &|_| ())
}

/// The same, whatever the order of lists in it.
fn canonical(json: &Json) -> String {
    match json {
        Json::Array(items) => {
            let mut items: Vec<String> = items.iter().map(canonical).collect();
            items.sort();
            items.join(",")
        }
        Json::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields
                .iter()
                .map(|(name, value)| (name, canonical(value)))
                .collect();
            format!("{fields:?}")
        }
        other => other.to_string(),
    }
}

fn said(events: &Events) -> Vec<String> {
    let all = events.jobs.iter().chain(&events.runs);
    all.map(|given| canonical(&given.event)).collect()
}

#[test]
fn the_right_connector_is_not_blamed() {
    let records = Records::new();
    for shape in [Shape::Whole, Shape::Apart] {
        let report = prove(&records, shape, records.right(), Asking::Right).unwrap();
        let short: Vec<_> = report
            .checks
            .iter()
            .filter(|check| check.outcome.verdict() != Verdict::Supported)
            .collect();
        assert!(short.is_empty(), "{shape:?}: {}", told(&short));
    }
}

/// A mutant that was tried.
struct Proven {
    name: String,
    kind: &'static str,
    fate: Fate,
    /// What was told of it.
    by: String,
}

/// What became of mutants, each with its number, but for those that give what the right connector gives.
fn fates(chosen: &(dyn Fn(usize) -> bool + Sync)) -> Vec<Proven> {
    let records = Records::new();
    let right = records.right();
    let is_right = said(&right);
    let all = Mutant::all();
    let shapes = [Shape::Whole, Shape::Apart];
    let known = shapes.map(|shape| {
        let report = prove(&records, shape, right.clone(), Asking::Right).unwrap();
        (advice(&report), unclaimed(&report))
    });
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = all.get(number / 2) else {
                        return;
                    };
                    if !chosen(number) {
                        continue;
                    }
                    let shape = shapes[number % 2];
                    let mut events = right.clone();
                    mutant.apply(&mut events);
                    let asking = match mutant {
                        Mutant::Asks(asking) => *asking,
                        _ => Asking::Right,
                    };
                    if asking == Asking::Right && said(&events) == is_right {
                        continue;
                    }
                    let (advice_before, unclaimed_before) = &known[number % 2];
                    let (fate, by) = match prove(&records, shape, events, asking) {
                        Err(error) => (Fate::Caught, error.to_string()),
                        Ok(report) => {
                            let caught = wrong(&report);
                            let mut more = advice(&report);
                            more.retain(|one| !advice_before.contains(one));
                            let mut lost = unclaimed(&report);
                            lost.retain(|one| !unclaimed_before.contains(one));
                            if !caught.is_empty() {
                                (Fate::Caught, told(&caught))
                            } else if !more.is_empty() || !lost.is_empty() {
                                (Fate::Advised, format!("{more:?} {lost:?}"))
                            } else {
                                (Fate::Missed, String::new())
                            }
                        }
                    };
                    let proven = Proven {
                        name: format!("{shape:?} {mutant}"),
                        kind: mutant.kind(),
                        fate,
                        by,
                    };
                    found.lock().unwrap().push((number, proven));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, one)| one).collect()
}

fn advice(report: &Report) -> Vec<String> {
    let all = report.checks.iter().flat_map(|check| {
        check
            .advice
            .iter()
            .map(|advice| format!("{}: {advice}", check.check.id))
    });
    all.collect()
}

/// The table of the documents, by what is wrong.
fn table(fates: &[Proven]) -> String {
    let mut rows: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for one in fates {
        let counted = [true, one.fate == Fate::Caught, one.fate == Fate::Advised];
        for kind in [one.kind, "all"] {
            let row = rows.entry(kind).or_default();
            for (count, counts) in row.iter_mut().zip(counted) {
                *count += usize::from(counts);
            }
        }
    }
    let rows = rows.into_iter().map(|(kind, [all, caught, advised])| {
        format!("| {kind} | {all} | {caught} | {advised} |\n")
    });
    let rows: String = rows.collect();
    format!("{HEAD}|---|---|---|---|\n{rows}")
}

const HEAD: &str = "| a connector that ... | tried | called wrong | advised |\n";

/// A sample, with a floor below which nothing may fall. `BOWLINE_UPDATE_CASES=1` tries one in eight and writes down what
/// becomes of them; `BOWLINE_FATES=FILE` tells of each.
#[test]
fn wrong_connectors_by_operators_are_caught() {
    const PAGE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/pipeline-mutants.md"
    );
    let is_update = std::env::var_os("BOWLINE_UPDATE_CASES").is_some();
    let share: usize = if is_update { 8 } else { 40 };
    let fates = fates(&|number| (number / 2 * 7 + number).is_multiple_of(share));
    if let Ok(path) = std::env::var("BOWLINE_FATES") {
        let lines = fates.iter().map(|one| {
            let by = one.by.replace('\n', " || ");
            format!("{:?}\t{}\t{}\t{by}\n", one.fate, one.kind, one.name)
        });
        std::fs::write(path, lines.collect::<String>()).unwrap();
    }
    if is_update {
        let page = std::fs::read_to_string(PAGE).unwrap();
        let start = page.find(HEAD).unwrap();
        let end = page[start..]
            .find("\n\n")
            .map_or(page.len(), |end| start + end + 1);
        let page = format!("{}{}{}", &page[..start], table(&fates), &page[end..]);
        std::fs::write(PAGE, page).unwrap();
    }
    let missed: Vec<&str> = fates
        .iter()
        .filter(|one| one.fate == Fate::Missed)
        .map(|one| one.name.as_str())
        .collect();
    assert!(
        100 * missed.len() <= MISSED_AT_MOST * fates.len(),
        "{} of {} missed: {missed:#?}",
        missed.len(),
        fates.len()
    );
    let wrong = fates.iter().filter(|one| one.fate == Fate::Caught).count();
    let all = fates.len();
    assert!(
        100 * wrong >= WRONG_AT_LEAST * all,
        "{wrong} of {all} called wrong"
    );
}
