//! One template at a time, asked of any set of templates: what a search for spellings stands on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use bowline_contract::Template;
use bowline_driver::{Database, Limits, ResultSet, SqlError};
use bowline_query::{Clock, Composer, Expressions, Literal};
use bowline_warehouse::template::TemplateSet;
use jiff::Timestamp;

use crate::Tier;
use crate::warehouse::answers::Answers;
use crate::warehouse::excuse::is_excused;
use crate::warehouse::judge::{judge, outcome, read_question};
use crate::warehouse::letters::{are_lacking, takes_bytes};
use crate::warehouse::outcome::{Outcome, Proof, Step};
use crate::warehouse::plan::{ask_alone, ask_statement, prepare};
use crate::warehouse::question::Question;
use crate::warehouse::record::CheckRecord;
use crate::warehouse::record_files::records;
use crate::warehouse::session::Session;
use crate::warehouse::{Check, CheckId, Interrupt};

/// The most answers that are kept, so that what many spellings have in common is asked once.
const KEPT: usize = 4096;

/// The checks that are one statement each, over one connection that is opened again when it is lost.
///
/// Checks of metadata, query logs and the functional section belong to whole runs.
pub struct Trial {
    session: Session,
    answers: HashMap<String, Answers>,
    statements: usize,
}

/// What the checks that judge a template say of its spelling.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The checks that pass.
    pub passed: Vec<CheckId>,
    /// The checks that fall short and are excused, because other templates of the same set cannot do it either.
    pub excused: Vec<CheckId>,
    /// Checks that could not be written, for want of these templates.
    pub lacking: BTreeSet<&'static Template>,
    /// The first check that falls short; those after it were not asked.
    pub short: Option<Short>,
}

/// A check that a spelling falls short of.
#[derive(Debug, Clone)]
pub struct Short {
    /// The check.
    pub check: Check,
    /// What it found.
    pub outcome: Outcome,
    /// What was asked, where it came to that.
    pub sql: Option<String>,
}

impl Standing {
    /// Whether all checks that judge the template were asked, at least one, and none falls short.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.short.is_none() && self.lacking.is_empty() && !self.passed.is_empty()
    }
}

impl Trial {
    /// Opens a connection.
    ///
    /// # Errors
    /// The database's, when no connection can be had.
    pub fn open(
        database: Arc<dyn Database>,
        limits: Limits,
        interrupt: Interrupt,
    ) -> Result<Self, SqlError> {
        Ok(Self {
            session: Session::open(database, limits, interrupt)?,
            answers: HashMap::new(),
            statements: 0,
        })
    }

    /// How many statements were sent.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.statements
    }

    /// Whether the connection ended for good, and no other could be had.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.session.is_lost()
    }

    /// Runs a statement of the caller's own.
    ///
    /// # Errors
    /// The database's, or that nobody can be asked any more.
    pub fn run(&mut self, sql: &str) -> Result<Arc<ResultSet>, SqlError> {
        self.statements += 1;
        self.session.ask(sql)?.result
    }

    /// Whether the database cannot hold some of these letters, or takes their bytes for letters.
    pub fn lacks_letters(&mut self, expressions: &Expressions, letters: &str) -> bool {
        let composer = expressions.composer();
        let literal = composer.literal(&Literal::Text(letters.to_owned()));
        let asked =
            literal.and_then(|literal| Ok([composer.bare(&[literal])?, takes_bytes(composer)?]));
        let (Ok([sql, takes_bytes]), false) = (asked, letters.is_empty()) else {
            return false;
        };
        self.statements += 1;
        let answers = ask_statement(&sql, &mut self.session);
        are_lacking(&answers, &takes_bytes, &mut self.session).unwrap_or(false)
    }

    /// Asks the checks of the strict tier that judge a template, with these templates, until one falls short.
    pub fn judge(&mut self, templates: &Arc<TemplateSet>, template: &'static Template) -> Standing {
        let clock = Clock::at(Timestamp::now());
        let expressions = Expressions::new(Composer::new(Arc::clone(templates)), clock);
        let mut standing = Standing::default();
        for (check, record) in judging(template) {
            let (found, sql) = self.found(record, check, &expressions);
            match found {
                Outcome::Supported => standing.passed.push(check.id.clone()),
                Outcome::Blocked { by } => standing.lacking.extend(by),
                Outcome::Unsupported(Proof::NotImplemented(missing)) => {
                    standing.lacking.extend(missing);
                }
                outcome => {
                    let tier = Tier::Strict;
                    let mut ask = |check: &Check, question: &Question| self.answer(check, question);
                    let is_excused = outcome.is_shortfall()
                        && is_excused(record, check, &outcome, &expressions, tier, &mut ask);
                    if is_excused {
                        standing.excused.push(check.id.clone());
                    } else {
                        standing.short = Some(Short {
                            check: check.clone(),
                            outcome,
                            sql,
                        });
                        break;
                    }
                }
            }
        }
        standing
    }

    fn found(
        &mut self,
        record: &CheckRecord,
        check: &Check,
        expressions: &Expressions,
    ) -> (Outcome, Option<String>) {
        match prepare(record, check.clone(), expressions, Tier::Strict) {
            Ok(prepared) => {
                let sql = prepared.question.sql().map(str::to_owned);
                (self.answer(check, &prepared.question), sql)
            }
            Err(finding) => (finding.outcome, None),
        }
    }

    fn answer(&mut self, check: &Check, question: &Question) -> Outcome {
        let sql = question.sql().unwrap_or_default();
        let answers = match self.answers.get(sql) {
            Some(answers) => answers.clone(),
            None => {
                self.statements += usize::from(!sql.is_empty());
                let answers = ask_alone(question, &mut self.session);
                let is_answered = |step: &Step| match &step.answer.result {
                    Ok(_) => true,
                    Err(error) => !error.kind.is_no_answer(),
                };
                if self.answers.len() < KEPT
                    && answers.halt.is_none()
                    && answers.steps.iter().all(is_answered)
                {
                    self.answers.insert(sql.to_owned(), answers.clone());
                }
                answers
            }
        };
        outcome(judge(check, &answers, |answers| {
            read_question(question, answers)
        }))
    }
}

/// The checks that judge a template, with their records.
fn judging(template: &Template) -> &'static [(Check, &'static CheckRecord)] {
    type Judging = HashMap<&'static str, Vec<(Check, &'static CheckRecord)>>;
    static JUDGING: LazyLock<Judging> = LazyLock::new(|| {
        let mut judging = Judging::new();
        for (section, record) in records() {
            let check = record.check(*section);
            // A metric takes templates together, of which some may not be there yet.
            if !check.metrics.is_empty() {
                continue;
            }
            for judged in &check.judges {
                let checks = judging.entry(judged.name).or_default();
                checks.push((check.clone(), record));
            }
        }
        judging
    });
    JUDGING.get(template.name).map_or(&[], Vec::as_slice)
}
