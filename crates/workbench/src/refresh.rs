//! Evidence brought up to date: the database is asked only what the evidence of the last whole run lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline_conformance::warehouse::{CHAINED_WORK, FUNCTIONAL_WORK, METADATA_WORK, Options};
use bowline_contract::SuiteSection;
use bowline_driver::{Answer, AnswersFrom, Database, RefreshingDatabase};
use bowline_evidence::{Evidence, digest};
use bowline_warehouse::{Connector, FunctionalTarget};
use jiff::Timestamp;

use crate::interruptible::Interruptible;
use crate::table_lock::TableLock;
use crate::warehouse::{Recorded, connect, credentials, functional_target, open, prove, prove_on};
use crate::{Event, Run, WorkbenchError, evidence};

/// A run that rests on the evidence of another as far as that goes.
#[derive(Debug)]
pub struct Refreshed {
    /// What it found out, and what that rests on now.
    pub recorded: Recorded,
    /// What the database was asked for it.
    pub asked: Asked,
}

/// What a database was asked to bring evidence up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Only what was lacking: so many statements.
    Lacking(usize),
    /// Everything, and why: the evidence cannot stand beside answers of now.
    Everything(String),
}

/// Runs the whole suite as [`prove`] does, and takes each answer from the evidence of the last whole run where that has it.
/// The tier is the evidence's.
///
/// A statement that stands for itself is asked when its text is another, or when nobody answered it then. Work in which
/// statements hang together is asked whole, as soon as one of its statements is, or where the table of functional checks
/// is another. Where another server, or the same one
/// reached otherwise, gave the answers, everything is asked.
///
/// # Errors
/// As [`prove`] and [`evidence::read`].
pub fn refresh(
    connector: &Connector,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Refreshed, WorkbenchError> {
    let evidence = match evidence::read_own(connector)? {
        Some(own) => own,
        None => evidence::read(connector)?,
    };
    let mut options = Options {
        sections: SuiteSection::ALL.to_vec(),
        tier: evidence.tier,
        ..options.clone()
    };
    let login = credentials(connector, on_event)?;
    let live = open(connector, &login, &options.limits, on_event)?;
    on_event(Event::Connecting {
        connector: &connector.name,
    });
    // What a server is tells itself on the first connection.
    drop(connect(
        connector,
        &Interruptible::new(Arc::clone(&live), run),
    )?);
    let asked_of = connector.way(&login).as_deref().map(digest);
    if let Some(why) = why_everything(&evidence, asked_of.as_deref(), &live.product()) {
        return Ok(Refreshed {
            recorded: prove(connector, &options, run, on_event)?,
            asked: Asked::Everything(why),
        });
    }
    let now = Timestamp::now();
    let judged = evidence::judge_again(connector, evidence.clone())?;
    let lacking = lacking(&evidence, &judged.not_recorded);
    let is_alone = |(work, _): &&(Arc<str>, String)| !CHAINED_WORK.contains(&work.as_ref());
    let later = Evidence {
        now,
        ..evidence.clone()
    };
    let later = evidence::judge_again(connector, later)?.not_recorded;
    // Statements that name no moment are asked beside the old ones; one that does means now, and then all mean it.
    let names_no_moment = lacking
        .iter()
        .filter(is_alone)
        .all(|each| later.contains(each));
    options.now = Some(if names_no_moment { evidence.now } else { now });
    let functional = functional_target(connector, &login)?;
    // Evidence holds it masked.
    let masked = |text: &String| login.redactor().redact(text);
    let target = functional.as_ref().map(|target| FunctionalTarget {
        database: target.database.as_ref().map(masked),
        schema: masked(&target.schema),
        table: masked(&target.table),
    });
    let is_elsewhere = target != evidence.functional;
    let mut together = BTreeMap::new();
    for work in CHAINED_WORK {
        let is_asked = is_elsewhere && [FUNCTIONAL_WORK, METADATA_WORK].contains(&work)
            || lacking.iter().any(|(by, _)| by.as_ref() == work);
        let (from, began) = if is_asked {
            (AnswersFrom::Database, now)
        } else {
            let began = evidence.began.get(work).copied();
            (AnswersFrom::Recording, began.unwrap_or(evidence.now))
        };
        together.insert(work.to_owned(), from);
        if options.now != Some(began) {
            options.began.insert(work.to_owned(), began);
        }
    }
    let changes =
        functional.is_some() && together.get(FUNCTIONAL_WORK) == Some(&AnswersFrom::Database);
    let _lock = changes
        .then(|| TableLock::take(connector, &login, run, on_event))
        .transpose()?;
    let refreshing = Arc::new(RefreshingDatabase::new(live, evidence.recording, together));
    let database = Arc::clone(&refreshing) as Arc<dyn Database>;
    let recorded = prove_on(database, connector, &login, &options, run, on_event)?;
    Ok(Refreshed {
        recorded,
        asked: Asked::Lacking(refreshing.asked()),
    })
}

/// Why answers of now cannot stand beside those of the evidence; none where they can.
fn why_everything(evidence: &Evidence, asked_of: Option<&str>, product: &str) -> Option<String> {
    let then = &evidence.recording.product;
    match (asked_of, &evidence.asked_of) {
        (None, _) => Some("the connector's own code reaches the database".to_owned()),
        (Some(_), None) => Some("the evidence does not tell which database was asked".to_owned()),
        (Some(now), Some(then)) if now != then => {
            Some("another database was asked then, or reached otherwise".to_owned())
        }
        _ if then != product => Some(format!("the server was `{then}` then, and is `{product}`")),
        _ => None,
    }
}

/// What must be asked: what the evidence does not hold, and what nobody answered then.
fn lacking(
    evidence: &Evidence,
    not_recorded: &BTreeSet<(Arc<str>, String)>,
) -> BTreeSet<(Arc<str>, String)> {
    let statements = evidence.recording.statements.iter();
    statements
        .filter(|statement| !statement.answer.as_ref().is_some_and(Answer::is_one))
        .map(|statement| (Arc::clone(&statement.work), statement.sql.clone()))
        .chain(not_recorded.iter().cloned())
        .collect()
}
