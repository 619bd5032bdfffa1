//! What a run does: which checks, in which pieces of work.

use std::collections::HashMap;
use std::sync::Arc;

use bowline_contract::SuiteSection;
use bowline_driver::{Answer, Column, Recording, ResultSet, StandingAnswers, Value};
use bowline_query::{Clock, Composer, Expressions};
use bowline_warehouse::template::TemplateSet;

use crate::Tier;
use crate::warehouse::Check;
use crate::warehouse::answers::Answers;
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{judge, outcome, read_question, unrendered};
use crate::warehouse::letters;
use crate::warehouse::outcome::{Outcome, Proof, Step};
use crate::warehouse::question::Question;
use crate::warehouse::record::CheckRecord;
use crate::warehouse::record_files::records;
use crate::warehouse::session::Session;

/// How many scalar questions share one statement. Few are slower than many: DuckDB tries all orders of eight to eleven
/// subqueries, ten times as long for each, and none of more.
const SHARED: usize = 16;

/// A check whose statement is written and waits to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// Everything but the answer.
    pub(crate) finding: Finding,
    pub(crate) question: Question,
    /// What a statement that asks it with others needs behind its expressions.
    pub(crate) from_one_row: Arc<str>,
}

/// A piece of work for one connection.
pub(crate) enum Work {
    Connection,
    Metadata,
    QueryLogs,
    Functional,
    /// Checks that are asked together as far as they can be.
    Questions(Vec<Prepared>),
}

impl Work {
    /// What tells it from the other work of a run; the first check of those that are asked together.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Connection => CONNECTION_WORK,
            Self::Metadata => METADATA_WORK,
            Self::QueryLogs => QUERY_LOGS_WORK,
            Self::Functional => FUNCTIONAL_WORK,
            Self::Questions(prepared) => prepared
                .first()
                .map_or("", |first| first.finding.check.id.as_str()),
        }
    }
}

/// What the statements are recorded under that look at the connection.
const CONNECTION_WORK: &str = "connection";
/// What the statements are recorded under that read the catalogue.
pub const METADATA_WORK: &str = "metadata";
/// What the statements are recorded under that read the query logs of the last hour.
pub const QUERY_LOGS_WORK: &str = "query logs";
/// What the statements are recorded under that make a table and watch it.
pub const FUNCTIONAL_WORK: &str = "functional";
/// The pieces of work in which a statement follows from the answers before it, or rests on what the ones before it
/// made: they are asked whole or not at all. Every other statement stands for itself.
pub const CHAINED_WORK: [&str; 4] = [
    CONNECTION_WORK,
    METADATA_WORK,
    QUERY_LOGS_WORK,
    FUNCTIONAL_WORK,
];

/// The checks of the wanted sections: pieces of work, and those that ended before the database was asked.
pub(crate) struct Plan {
    pub(crate) work: Vec<Work>,
    pub(crate) settled: Vec<Finding>,
    pub(crate) checks: usize,
}

/// The chains of the wanted sections; the longest first, since records fill the gaps.
pub(crate) fn chains(sections: &[SuiteSection]) -> Vec<Work> {
    let mut work = Vec::new();
    for section in [
        SuiteSection::Functional,
        SuiteSection::Metadata,
        SuiteSection::Connection,
    ] {
        if sections.contains(&section) {
            work.extend(match section {
                SuiteSection::Functional => vec![Work::Functional],
                SuiteSection::Metadata => vec![Work::Metadata, Work::QueryLogs],
                _ => vec![Work::Connection],
            });
        }
    }
    work
}

/// Writes the statements of all records of the wanted sections.
pub(crate) fn questions(
    templates: &Arc<TemplateSet>,
    sections: &[SuiteSection],
    tier: Tier,
    clock: Clock,
) -> Plan {
    let expressions = Expressions::new(Composer::new(Arc::clone(templates)), clock);
    let mut plan = Plan {
        work: Vec::new(),
        settled: Vec::new(),
        checks: 0,
    };
    let (mut shared, mut alone) = (Vec::new(), Vec::new());
    for (section, record) in records() {
        if !sections.contains(section) || record.tier() > tier {
            continue;
        }
        plan.checks += 1;
        let check = record.check(*section);
        match prepare(record, check, &expressions, tier) {
            Ok(prepared) if is_scalar(&prepared.question) => shared.push(prepared),
            Ok(prepared) => alone.push(prepared),
            Err(finding) => plan.settled.push(*finding),
        }
    }
    for pieces in by_statement(shared).chunks_mut(SHARED) {
        let piece = pieces.iter_mut().flat_map(std::mem::take).collect();
        plan.work.push(Work::Questions(piece));
    }
    plan.work
        .extend(by_statement(alone).into_iter().map(Work::Questions));
    plan
}

/// Checks that ask the same side by side, in the order of the first of each.
fn by_statement(prepared: Vec<Prepared>) -> Vec<Vec<Prepared>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Prepared>> = Vec::new();
    for each in prepared {
        let next = groups.len();
        let place = match each.question.sql() {
            Some(sql) => *places.entry(sql.to_owned()).or_insert(next),
            None => next,
        };
        match groups.get_mut(place) {
            Some(group) => group.push(each),
            None => groups.push(vec![each]),
        }
    }
    groups
}

/// Writes one record's statement; a check that cannot be written is settled.
pub(crate) fn prepare(
    record: &CheckRecord,
    check: Check,
    expressions: &Expressions,
    tier: Tier,
) -> Result<Prepared, Box<Finding>> {
    let missing: Vec<_> = check
        .judges
        .iter()
        .copied()
        .filter(|template| expressions.composer().templates().get(template).is_none())
        .collect();
    if !missing.is_empty() {
        let outcome = Outcome::Unsupported(Proof::NotImplemented(missing));
        return Err(Box::new(Finding::new(
            check,
            outcome,
            expressions.composer().take_used(),
            Vec::new(),
        )));
    }
    let asked = record.ask(expressions, tier);
    let recorded = expressions.composer().take_used();
    match asked {
        Ok(question) => Ok(Prepared {
            finding: Finding::new(check, Outcome::Supported, recorded, Vec::new()),
            question,
            from_one_row: expressions
                .composer()
                .one_row_clause()
                .unwrap_or_default()
                .into(),
        }),
        Err(error) => {
            let outcome = unrendered(&error, &check.judges);
            Err(Box::new(Finding::new(check, outcome, recorded, Vec::new())))
        }
    }
}

/// Whether the answer is one value that keeps its meaning inside a larger statement.
fn is_scalar(question: &Question) -> bool {
    matches!(question, Question::Statement { expect, .. } if expect.is_about_one_value())
}

/// Asks checks together where that settles them, and one by one where it does not, so that blame is exact. Checks that
/// ask the same share the answer.
pub(crate) fn ask(prepared: Vec<Prepared>, session: &mut Session) -> Vec<Finding> {
    let together = ask_together(&prepared, session);
    let mut alone: HashMap<String, Answers> = HashMap::new();
    let settle = |each: Prepared| {
        let Prepared {
            mut finding,
            question,
            ..
        } = each;
        let judged = |answers: &Answers| {
            outcome(judge(&finding.check, answers, |answers| {
                read_question(&question, answers)
            }))
        };
        let sql = question.sql().unwrap_or_default();
        let answers = match together.get(sql).cloned().map(Answers::of) {
            Some(answers) if judged(&answers) == Outcome::Supported => answers,
            _ => alone
                .entry(sql.to_owned())
                .or_insert_with(|| ask_alone(&question, session))
                .clone(),
        };
        finding.outcome = judged(&answers);
        let failed = |step: &Step| step.answer.result.is_err();
        finding.rests_on_failure =
            finding.outcome == Outcome::Supported && answers.steps.iter().any(failed);
        if question.asked(&answers).sql() != question.sql() {
            finding.advice.push(letters::ADVICE.to_owned());
        }
        finding.expected = Some(question.asked(&answers).expected());
        finding.steps = answers.steps;
        finding
    };
    prepared.into_iter().map(settle).collect()
}

/// Asks one question; where it falls short because the database cannot hold its letters, in fewer.
pub(crate) fn ask_alone(question: &Question, session: &mut Session) -> Answers {
    let Some(sql) = question.sql() else {
        return Answers::default();
    };
    let answers = ask_statement(sql, session);
    let fewer = question.in_fewer_letters();
    let Some(fewer) = fewer.filter(|_| read_question(question, &answers).is_err()) else {
        return answers;
    };
    match letters::are_lacking(&answers, &fewer.takes_bytes, session) {
        Ok(true) => ask_alone(&fewer.question, session),
        Ok(false) => answers,
        Err(error) => Answers::none(error),
    }
}

/// Asks one statement.
pub(crate) fn ask_statement(sql: &str, session: &mut Session) -> Answers {
    match session.ask(sql) {
        Ok(answer) => Answers::of(Step {
            label: None,
            sql: sql.to_owned(),
            answer,
            shared_with: 0,
        }),
        Err(error) => Answers::none(error),
    }
}

/// The first statement of a piece of work.
pub(crate) fn first_statement(prepared: &[Prepared]) -> Option<String> {
    let alone = || Some(prepared.first()?.question.sql()?.to_owned());
    shared(prepared, &scalars(prepared)).or_else(alone)
}

/// The statements of questions that are asked together.
fn scalars(prepared: &[Prepared]) -> Vec<&str> {
    let mut asked: Vec<&str> = prepared
        .iter()
        .filter(|each| is_scalar(&each.question))
        .filter_map(|each| each.question.sql())
        .collect();
    asked.dedup();
    asked
}

/// The one statement that asks several; none where there are not several.
fn shared(prepared: &[Prepared], asked: &[&str]) -> Option<String> {
    if asked.len() < 2 {
        return None;
    }
    let columns = asked
        .iter()
        .enumerate()
        .map(|(number, sql)| format!("{sql}{}", closing(number)));
    let from = prepared.first().map_or("", |each| &each.from_one_row);
    let columns: Vec<String> = columns.collect();
    Some(format!("{OPENING}{}{from}", columns.join(BETWEEN)))
}

/// One statement with a scalar subquery per question; gives each question's value, by its SQL, as if it had been asked
/// alone. Nothing where there is but one question, or where the statement fails.
fn ask_together(prepared: &[Prepared], session: &mut Session) -> HashMap<String, Step> {
    let asked = scalars(prepared);
    let Some(sql) = shared(prepared, &asked) else {
        return HashMap::new();
    };
    let Ok(answer) = session.ask(&sql) else {
        return HashMap::new();
    };
    let step = |(sql, answer): (&str, Answer)| {
        let step = Step {
            label: None,
            sql: sql.to_owned(),
            answer,
            shared_with: prepared.len() - 1,
        };
        (sql.to_owned(), step)
    };
    asked
        .into_iter()
        .zip(each_alone(&answer))
        .map(step)
        .collect()
}

/// How a statement begins that asks several questions.
const OPENING: &str = "SELECT (";
/// What stands between two of them, behind the closing of the first.
const BETWEEN: &str = ",\n(";

/// What stands behind a question.
fn closing(number: usize) -> String {
    format!("\n) AS c{number}")
}

/// The answer to a statement of several questions as one to each; none where it has not one row.
fn each_alone(answer: &Answer) -> Vec<Answer> {
    let Ok(result) = &answer.result else {
        return Vec::new();
    };
    let [row] = result.rows.as_slice() else {
        return Vec::new();
    };
    let alone = |(value, column): (&Value, &Column)| Answer {
        result: Ok(Arc::new(ResultSet {
            columns: vec![Column {
                name: String::new(),
                type_name: column.type_name.clone(),
            }],
            rows: vec![vec![value.clone()]],
            ..ResultSet::default()
        })),
        ..*answer
    };
    row.iter().zip(&result.columns).map(alone).collect()
}

/// The questions that a statement asks together; nothing where it is none of those.
fn questions_in(sql: &str) -> Vec<&str> {
    let Some(mut rest) = sql.strip_prefix(OPENING) else {
        return Vec::new();
    };
    let mut questions = Vec::new();
    while let Some((question, behind)) = rest.split_once(&closing(questions.len())) {
        questions.push(question);
        match behind.strip_prefix(BETWEEN) {
            Some(more) => rest = more,
            None => return questions,
        }
    }
    Vec::new()
}

/// What was answered to every statement that stands for itself, and to every question that shared one: what it was
/// asked alone counts more. Where templates changed since, questions share other statements.
#[must_use]
pub fn standing_answers(recording: &Recording) -> StandingAnswers {
    let statements = recording.statements.iter();
    let own = statements.filter(|own| !CHAINED_WORK.contains(&&*own.work));
    let own = own.filter_map(|own| Some((own.sql.as_str(), own.answer.as_ref()?)));
    let mut answers = HashMap::new();
    for (sql, answer) in own.clone() {
        let shared = questions_in(sql).into_iter().zip(each_alone(answer));
        answers.extend(shared.map(|(question, answer)| (question.to_owned(), answer)));
    }
    answers.extend(own.map(|(sql, answer)| (sql.to_owned(), answer.clone())));
    StandingAnswers {
        answers,
        chained: &CHAINED_WORK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::expect::Expect;

    #[test]
    fn a_shared_statement_is_told_apart_again() {
        let sql = "SELECT (SELECT ') AS c1'\n) AS c0,\n(SELECT 2\n) AS c1 FROM one";
        assert_eq!(questions_in(sql), ["SELECT ') AS c1'", "SELECT 2"]);
        assert!(questions_in("SELECT (1) AS c0").is_empty());
        assert!(questions_in("SELECT (SELECT 1\n) AS c0,\n(SELECT 2").is_empty());
    }

    #[test]
    fn only_one_right_value_is_a_scalar() {
        let scalar =
            |toml: &str| toml::from_str::<Expect>(toml).map(|expect| expect.is_about_one_value());
        assert_eq!(scalar("number = 1.0"), Ok(true));
        assert_eq!(scalar("row_count = 1"), Ok(false));
        assert_eq!(scalar("null = true"), Ok(false));
    }
}
