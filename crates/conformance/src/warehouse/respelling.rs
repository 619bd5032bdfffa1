//! Checks asked again with another spelling of one template: what tells how much the suite sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_contract::Template;
use bowline_driver::SqlError;
use bowline_query::{Clock, Composer, Expressions};
use bowline_warehouse::template::{ConnectorTemplate, TemplateSet};
use jiff::Timestamp;

use crate::Tier;
use crate::warehouse::excuse::{ask_and_judge, is_excused};
use crate::warehouse::outcome::Outcome;
use crate::warehouse::plan::{Prepared, prepare};
use crate::warehouse::question::Question;
use crate::warehouse::record::CheckRecord;
use crate::warehouse::record_files::records;
use crate::warehouse::session::Session;
use crate::warehouse::{Check, Interrupt, Options, Subject};

/// The checks of a right connector, on a connection of their own.
///
/// Only checks that are one statement are asked here; those of metadata, query logs and the functional section belong to
/// whole runs.
pub struct Respelling {
    templates: Arc<TemplateSet>,
    tier: Tier,
    session: Session,
    checks: Vec<Written>,
}

/// A check, and the templates it is written with.
struct Written {
    record: &'static CheckRecord,
    check: Check,
    uses: BTreeSet<&'static Template>,
}

/// What the checks say of another spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum Respelled {
    /// No check reads otherwise.
    Unchanged,
    /// Checks read otherwise, and all pass.
    Passed,
    /// A check falls short that passes with the right spelling.
    Short {
        /// The check.
        check: Box<Check>,
        /// What it found.
        outcome: Outcome,
    },
}

impl Respelling {
    /// Opens a connection.
    ///
    /// # Errors
    /// The database's, when no connection can be had.
    pub fn open(subject: &Subject, options: &Options) -> Result<Self, SqlError> {
        let session = Session::open(
            Arc::clone(&subject.database),
            options.limits.clone(),
            Interrupt::default(),
        )?;
        let tier = options.tier;
        let expressions = expressions(&subject.templates, Timestamp::now());
        let checks = records()
            .iter()
            .filter(|(_, record)| record.tier() <= tier)
            .filter_map(|(section, record)| {
                let check = record.check(*section);
                let written = prepare(record, check.clone(), &expressions, tier).ok()?;
                Some(Written {
                    record,
                    check,
                    uses: written.finding.uses,
                })
            });
        Ok(Self {
            templates: Arc::clone(&subject.templates),
            tier,
            session,
            checks: checks.collect(),
        })
    }

    /// The checks that the connector as it is falls short of: a right one of none.
    #[must_use]
    pub fn shortfalls(&mut self) -> Vec<(Check, Outcome)> {
        let right = expressions(&self.templates, Timestamp::now());
        let mut short = Vec::new();
        for Written { record, check, .. } in &self.checks {
            let outcome = match prepare(record, check.clone(), &right, self.tier) {
                Ok(written) => found(&written, &mut self.session),
                Err(finding) => finding.outcome,
            };
            if outcome.is_shortfall()
                && is_at_fault(
                    record,
                    check,
                    &outcome,
                    &right,
                    self.tier,
                    &mut self.session,
                )
            {
                short.push((check.clone(), outcome));
            }
        }
        short
    }

    /// Asks the checks that a spelling takes part in until one falls short: those that judge its template first.
    pub fn ask(&mut self, spelled: ConnectorTemplate) -> Respelled {
        let template = spelled.template;
        let now = Timestamp::now();
        let right = expressions(&self.templates, now);
        let mut templates = TemplateSet::clone(&self.templates);
        templates.insert(spelled);
        let wrong = expressions(&Arc::new(templates), now);
        let mut concerned: Vec<&Written> = self
            .checks
            .iter()
            .filter(|written| written.uses.contains(template))
            .collect();
        concerned.sort_by_key(|written| {
            let judges = written.check.judges.contains(&template);
            (!judges, written.uses.len())
        });
        let mut said = Respelled::Unchanged;
        for Written { record, check, .. } in concerned {
            let Ok(expected) = prepare(record, check.clone(), &right, self.tier) else {
                continue;
            };
            let found = match prepare(record, check.clone(), &wrong, self.tier) {
                Ok(written) if reads_alike(&written.question, &expected.question) => continue,
                Ok(written) => found(&written, &mut self.session),
                Err(finding) => finding.outcome,
            };
            let falls_short = found.is_shortfall() || matches!(found, Outcome::Blocked { .. });
            if falls_short
                && self::found(&expected, &mut self.session) == Outcome::Supported
                && is_at_fault(record, check, &found, &wrong, self.tier, &mut self.session)
            {
                return Respelled::Short {
                    check: Box::new(check.clone()),
                    outcome: found,
                };
            }
            said = Respelled::Passed;
        }
        said
    }
}

fn expressions(templates: &Arc<TemplateSet>, now: Timestamp) -> Expressions {
    Expressions::new(Composer::new(Arc::clone(templates)), Clock::at(now))
}

fn found(prepared: &Prepared, session: &mut Session) -> Outcome {
    ask_and_judge(&prepared.finding.check, &prepared.question, session)
}

/// Whether nothing excuses what a check fell short with.
fn is_at_fault(
    record: &CheckRecord,
    check: &Check,
    found: &Outcome,
    expressions: &Expressions,
    tier: Tier,
    session: &mut Session,
) -> bool {
    let mut ask = |check: &Check, question: &Question| ask_and_judge(check, question, session);
    !is_excused(record, check, found, expressions, tier, &mut ask)
}

/// Whether two spellings ask the same.
fn reads_alike(ours: &Question, theirs: &Question) -> bool {
    match (ours, theirs) {
        (Question::Rendered { text: ours, .. }, Question::Rendered { text: theirs, .. }) => {
            ours == theirs
        }
        (
            Question::Success {
                must_succeed: ours, ..
            },
            Question::Success {
                must_succeed: theirs,
                ..
            },
        ) if ours != theirs => false,
        _ => ours.sql() == theirs.sql(),
    }
}
