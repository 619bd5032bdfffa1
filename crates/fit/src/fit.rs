//! A fit, from the first question to the whole suite.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_conformance::warehouse::{self as suite, Interrupt, Subject, Trial};
use bowline_conformance::{Tier, Verdict};
use bowline_contract::{SuiteSection, Template};
use bowline_driver::Limits;
use bowline_warehouse::template::{ConnectorTemplate, SuiteWords, TemplateSet};

use crate::budget::Budget;
use crate::catalogue;
use crate::error::FitError;
use crate::functions::Functions;
use crate::outcome::{Event, Fitted, Kept, Missed, Stopped};
use crate::pool::Pool;
use crate::profile::Profile;
use crate::search::Search;

/// How a fit works.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The templates to find; empty means all that the connector lacks.
    pub templates: Vec<&'static Template>,
    /// Whether templates that the user wrote may be replaced where they are wrong.
    pub replace: bool,
    /// Templates of the connector's files that the program wrote, and may replace where they are wrong.
    pub ours: Vec<&'static Template>,
    /// The most statements that are sent, those of whole runs of the suite left out.
    pub statements: Option<usize>,
    /// The longest that it searches.
    pub time: Option<Duration>,
    /// What one statement may use.
    pub limits: Limits,
    /// Packs whose spellings are left out of the bank: what a search comes to on an engine nobody knows.
    pub without: Vec<String>,
}

/// How long functional checks wait for a change to show up, while spellings are tried.
const PATIENCE: Duration = Duration::from_millis(40);

/// How long they wait when it is all proven.
const LAST_PATIENCE: Duration = Duration::from_millis(500);

/// Finds spellings for the templates that a connector lacks.
///
/// # Errors
/// When no connection can be had, or nothing that it gives can be used.
pub fn fit(
    subject: &Subject,
    options: &Options,
    interrupt: &Interrupt,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Fitted, FitError> {
    let started = Instant::now();
    let budget = Budget::new(options.statements, options.time, interrupt.clone());
    let subject = &Subject {
        database: Arc::new(Pool::over(Arc::clone(&subject.database))),
        ..subject.clone()
    };
    let database = Arc::clone(&subject.database);
    let mut trial = Trial::open(database, options.limits.clone(), interrupt.clone())
        .map_err(FitError::Connect)?;
    on_event(Event::Profiling);
    let own_words = subject.templates.suite().clone();
    let functions = Functions::ask(&mut trial, &budget);
    let profile = Profile::ask(&mut trial, &budget, &own_words, &functions);
    if profile.first("from").is_none() && !budget.is_spent(&trial) {
        let sql = "SELECT 1".to_owned();
        return Err(FitError::NoAnswer {
            source: trial.run(&sql).err(),
            sql,
        });
    }
    let words = own_words.clone().or(words(&profile));
    let own = TemplateSet::clone(&subject.templates).with_suite(words.clone());
    let wanted: Vec<&'static Template> = match options.templates.as_slice() {
        [] => Template::all().collect(),
        some => some.to_vec(),
    };
    let replaceable = |own: &ConnectorTemplate| {
        options.replace || options.ours.contains(&own.template) || own.place().is_none()
    };
    let mut search = Search::new(
        &mut trial,
        &profile,
        &budget,
        &options.without,
        own.clone(),
        functions,
    );
    search.run(&wanted, &own, &replaceable, on_event);
    let (mut found, mut kept, mut missed) = (search.found, search.kept, search.missed);
    let set = search.set;
    // What was only taken for granted is not the connector's.
    let mut templates = TemplateSet::default().with_suite(words.clone());
    for template in Template::all() {
        let is_sure = found.contains_key(template) || own.get(template).is_some();
        if let Some(spelled) = set.get(template).filter(|_| is_sure) {
            templates.insert(spelled.clone());
        }
    }
    let mut left_behind = Vec::new();
    if !budget.is_spent(&trial) {
        let subject = Subject {
            templates: Arc::new(templates.clone()),
            ..subject.clone()
        };
        let catalogue = catalogue::search(
            &subject,
            &suite::Options {
                jobs: NonZeroUsize::MIN,
                ..run_options(options)
            },
            (&budget, &trial, &profile),
            catalogue::Wanted {
                templates: &wanted,
                replaceable: &replaceable,
                without: &options.without,
            },
            on_event,
        );
        templates = catalogue.templates;
        // What passes by itself may be refuted where it leads to no table; where nothing could be seen, it stands.
        for (template, missing) in catalogue.missed {
            let is_refuted = missing.nearest.as_ref().is_some_and(catalogue::is_refuted);
            if found.contains_key(template) && !is_refuted {
                continue;
            }
            if found.remove(template).is_some() {
                templates = without(&templates, template, own.get(template));
            }
            missed.insert(template, missing);
        }
        found.extend(catalogue.found);
        kept.extend(catalogue.kept);
        left_behind = catalogue.left_behind;
    }
    let (mut report, mut unproven) = (None, None);
    if !interrupt.is_stopped() {
        on_event(Event::Proving);
        let last = suite::Options {
            patience: LAST_PATIENCE,
            ..run_options(options)
        };
        let mut prove = |templates: &TemplateSet| {
            let subject = Subject {
                templates: Arc::new(templates.clone()),
                ..subject.clone()
            };
            match suite::run(&subject, &last, interrupt, &|_| {}) {
                Ok(report) => {
                    left_behind.extend(report.left_behind.iter().cloned());
                    (Some(report), None)
                }
                Err(error) => (None, Some(error)),
            }
        };
        (report, unproven) = prove(&templates);
        // What the whole suite does not prove goes, and what stood on it is judged anew.
        while let Some(ran) = report.as_ref().filter(|ran| !ran.interrupted) {
            let fallen: Vec<_> = found
                .keys()
                .copied()
                .filter(|template| !catalogue::stands(ran, template) && !is_open(ran, template))
                .collect();
            if fallen.is_empty() {
                break;
            }
            for template in fallen {
                let nearest = found
                    .remove(template)
                    .and_then(|found| catalogue::miss(ran, template, found.text));
                missed.insert(
                    template,
                    Missed {
                        template,
                        tried: 1,
                        nearest,
                    },
                );
                templates = without(&templates, template, own.get(template));
            }
            (report, unproven) = prove(&templates);
        }
        // A section alone may pass what the whole suite finds wrong.
        if let Some(ran) = report.as_ref().filter(|ran| !ran.interrupted) {
            for (template, kept) in &mut kept {
                if *kept == Kept::Proven
                    && catalogue::verdict(ran, template) == Some(Verdict::Wrong)
                {
                    *kept = Kept::WrongAndOwn;
                }
            }
        }
    }
    left_behind.sort();
    left_behind.dedup();
    let stopped = if interrupt.is_stopped() {
        Some(Stopped::Interrupted)
    } else if trial.is_lost() {
        Some(Stopped::Lost)
    } else if trial.statements() >= budget.statements {
        Some(Stopped::Statements)
    } else if budget.is_spent(&trial) {
        Some(Stopped::Time)
    } else {
        None
    };
    let has_no_place = |template: &&&Template| {
        subject.functional.is_none() && template.judged_in == SuiteSection::Functional
    };
    Ok(Fitted {
        without_place: wanted.iter().filter(has_no_place).copied().collect(),
        product: subject.database.product(),
        templates,
        suite: new_words(&own_words, &words),
        found: found.into_values().collect(),
        kept: kept.into_iter().collect(),
        missed: missed
            .into_values()
            .filter(|missed| wanted.contains(&missed.template))
            .collect(),
        left_behind,
        report,
        unproven,
        statements: trial.statements(),
        elapsed: started.elapsed(),
        stopped,
    })
}

/// Whether a check of a template had no answer in a run: whether it is proven is open.
fn is_open(report: &suite::Report, template: &Template) -> bool {
    let mut checks = report.checks.iter();
    checks
        .any(|check| check.check.judges.contains(&template) && check.outcome.unanswered().is_some())
}

fn run_options(options: &Options) -> suite::Options {
    suite::Options {
        tier: Tier::Strict,
        patience: PATIENCE,
        limits: options.limits.clone(),
        ..suite::Options::default()
    }
}

/// The same templates with the connector's own, or none, for one of them.
pub(crate) fn without(
    templates: &TemplateSet,
    template: &'static Template,
    own: Option<&ConnectorTemplate>,
) -> TemplateSet {
    let mut rest = TemplateSet::default().with_suite(templates.suite().clone());
    for other in templates.iter().filter(|other| other.template != template) {
        rest.insert(other.clone());
    }
    if let Some(own) = own {
        rest.insert(own.clone());
    }
    rest
}

/// The words for the suite's own statements that the engine's answers tell.
fn words(profile: &Profile) -> SuiteWords {
    let table = profile
        .first("from")
        .and_then(|from| from.strip_prefix(" FROM "));
    // Where a SELECT may stand alone, the cast to text tells the type.
    let text = profile.first("text").filter(|_| table.is_some());
    SuiteWords {
        one_row_table: table.map(str::to_owned),
        text_type: text.map(str::to_owned),
    }
}

/// The words that the connector did not have.
fn new_words(own: &SuiteWords, all: &SuiteWords) -> SuiteWords {
    SuiteWords {
        one_row_table: all
            .one_row_table
            .clone()
            .filter(|_| own.one_row_table.is_none()),
        text_type: all.text_type.clone().filter(|_| own.text_type.is_none()),
    }
}

/// Whether a template that the connector has stays as it is.
pub(crate) fn kept_as(verdict: Option<Verdict>, is_replaceable: bool) -> Option<Kept> {
    match verdict {
        Some(Verdict::Supported) => Some(Kept::Proven),
        _ if !is_replaceable => Some(Kept::WrongAndOwn),
        _ => None,
    }
}
