//! Excuses a template for what its connector's other templates cannot give either.
//!
//! Dialects differ in what they have: types for dates, zones, fractions of a second, years before 1970. Whether one has
//! them, the connector itself says best. So a check that could blame the innocent names other templates that lead to the
//! same answer; they are asked when it falls short, and where one of them falls short too, that is the dialect's way.
//! And where it is open what a caller passes, two checks ask for one way each, and either will do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline_contract::SuiteSection;
use bowline_query::{Clock, Composer, Expressions};

use crate::Tier;
use crate::warehouse::connection::PERCENT;
use crate::warehouse::finding::Finding;
use crate::warehouse::functional::{BYTES_GROW, ROWS_GROW, UPDATE_ADVANCES};
use crate::warehouse::judge::{judge, outcome, read_question};
use crate::warehouse::metadata::{BYTE_COUNT, LAST_UPDATE_TIME, ROW_COUNT};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};
use crate::warehouse::plan::{ask_alone, prepare};
use crate::warehouse::question::Question;
use crate::warehouse::record::CheckRecord;
use crate::warehouse::record_files::{record_of, records};
use crate::warehouse::runner::{Options, Subject};
use crate::warehouse::session::Session;
use crate::warehouse::{Check, CheckId};

/// Asks what stands beside the checks that fell short.
pub(crate) fn excuse(
    findings: &mut [Finding],
    subject: &Subject,
    options: &Options,
    clock: Clock,
    session: &mut Session,
) {
    let supported: BTreeSet<CheckId> = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Supported)
        .map(|finding| finding.check.id.clone())
        .collect();
    let doubts: BTreeMap<CheckId, Doubt> = findings
        .iter()
        .filter_map(|finding| {
            let doubt = finding.outcome.unanswered()?;
            Some((finding.check.id.clone(), doubt.clone()))
        })
        .collect();
    let mut expressions = None;
    let short = findings
        .iter_mut()
        .filter(|finding| finding.outcome.is_shortfall());
    for finding in short {
        let Some(record) = record_of(&finding.check) else {
            continue;
        };
        let mut open = None;
        if let Some((other, advice)) = record.instead(finding.check.section) {
            if supported.contains(&other) {
                finding.advice.push(advice.to_owned());
                pass(finding);
            }
            open = doubts.get(&other).cloned();
        }
        if !record.may_be_excused() {
            leave_open(finding, open);
            continue;
        }
        let expressions = expressions.get_or_insert_with(|| {
            Expressions::new(Composer::new(Arc::clone(&subject.templates)), clock)
        });
        let mut ask = |check: &Check, question: &Question| ask_and_judge(check, question, session);
        let (check, found) = (&finding.check, &finding.outcome);
        match beside(record, check, found, expressions, options.tier, &mut ask) {
            Beside::Alike => pass(finding),
            Beside::Otherwise => leave_open(finding, open),
            Beside::Unanswered(doubt) => leave_open(finding, Some(doubt)),
        }
    }
}

/// A check that fell short is open where nobody could say whether it is excused.
fn leave_open(finding: &mut Finding, doubt: Option<Doubt>) {
    if let Some(doubt) = doubt.filter(|_| finding.outcome.is_shortfall()) {
        finding.outcome = Outcome::Unknown(doubt);
    }
}

/// What the catalogue tells of no table that is there, and of the suite's own all the same: the tables that are there have
/// nothing to tell.
pub(crate) fn excuse_silent_tables(findings: &mut [Finding]) {
    for (silent, proof) in [
        (&ROW_COUNT, &ROWS_GROW),
        (&BYTE_COUNT, &BYTES_GROW),
        (&LAST_UPDATE_TIME, &UPDATE_ADVANCES),
    ] {
        let proof = proof.check(SuiteSection::Functional).id;
        let proven = findings.iter().find(|found| found.check.id == proof);
        let is_proven = proven.is_some_and(|found| found.outcome == Outcome::Supported);
        let doubt = proven.and_then(|found| found.outcome.unanswered().cloned());
        let silent = silent.check(SuiteSection::Metadata).id;
        let silent = findings.iter_mut().find(|found| {
            found.check.id == silent
                && matches!(found.outcome, Outcome::Unsupported(Proof::Absent(_)))
        });
        let Some(finding) = silent else { continue };
        if let Some(doubt) = doubt {
            finding.outcome = Outcome::Unknown(doubt);
        } else if is_proven && let Outcome::Unsupported(Proof::Absent(words)) = &finding.outcome {
            let advice = format!(
                "{words} but the suite's own, which `{proof}` proves it on: the others may be empty, or the account may not read them"
            );
            finding.advice.push(advice);
            pass(finding);
        }
    }
}

/// What falls short with a percent sign in a statement, where these do not reach the database: no template is to blame.
pub(crate) fn excuse_percent_signs(findings: &mut [Finding]) {
    let asked = PERCENT.check(SuiteSection::Connection).id;
    let fell_short =
        |finding: &Finding| finding.check.id == asked && finding.outcome.is_shortfall();
    if !findings.iter().any(fell_short) {
        return;
    }
    let words = format!("`{asked}` fell short, and a percent sign stands in what was asked");
    for finding in findings {
        let mut steps = finding.steps.iter();
        if finding.check.id != asked && steps.any(|step| step.sql.contains('%')) {
            leave_open(finding, Some(Doubt::NotReached(words.clone())));
        }
    }
}

/// Asks what a check asks, and judges the answer by it.
pub(crate) type Ask<'a> = dyn FnMut(&Check, &Question) -> Outcome + 'a;

/// Asks over a session.
pub(crate) fn ask_and_judge(check: &Check, question: &Question, session: &mut Session) -> Outcome {
    let answers = ask_alone(question, session);
    outcome(judge(check, &answers, |answers| {
        read_question(question, answers)
    }))
}

/// Whether a check that falls short with `found` is excused, where no whole run has asked the others yet.
pub(crate) fn is_excused(
    record: &CheckRecord,
    check: &Check,
    found: &Outcome,
    expressions: &Expressions,
    tier: Tier,
    ask: &mut Ask<'_>,
) -> bool {
    passes_instead(record, check, expressions, tier, ask)
        || matches!(
            beside(record, check, found, expressions, tier, ask),
            Beside::Alike
        )
}

/// Whether the check that will do as well passes.
fn passes_instead(
    record: &CheckRecord,
    check: &Check,
    expressions: &Expressions,
    tier: Tier,
    ask: &mut Ask<'_>,
) -> bool {
    let Some((other, _)) = record.instead(check.section) else {
        return false;
    };
    let checks = records().iter();
    let mut checks = checks.map(|(section, record)| (record, record.check(*section)));
    let Some((record, check)) = checks.find(|(_, check)| check.id == other) else {
        return false;
    };
    prepare(record, check.clone(), expressions, tier)
        .is_ok_and(|written| ask(&check, &written.question) == Outcome::Supported)
}

/// What the other ways to the same answer say of a check that falls short.
enum Beside {
    /// One of them falls short too: that is the dialect's way.
    Alike,
    /// None of them does.
    Otherwise,
    /// None of them does, and one had no answer.
    Unanswered(Doubt),
}

/// Asks what stands beside a check. Words that the engine does not know are excused by nothing.
fn beside(
    record: &CheckRecord,
    check: &Check,
    found: &Outcome,
    expressions: &Expressions,
    tier: Tier,
    ask: &mut Ask<'_>,
) -> Beside {
    let mut said = Beside::Otherwise;
    if found.is_not_understood() {
        return said;
    }
    for question in record.beside(expressions, tier).unwrap_or_default() {
        let outcome = ask(check, &question);
        if outcome.is_shortfall() {
            return Beside::Alike;
        }
        if let Some(doubt) = outcome.unanswered() {
            said = Beside::Unanswered(doubt.clone());
        }
    }
    said
}

fn pass(finding: &mut Finding) {
    finding.outcome = Outcome::Supported;
    // What was asked was not answered: that clears no template.
    finding.rests_on_failure = true;
}
