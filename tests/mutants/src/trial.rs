//! A mutant on trial: whether the suite finds it, and whether there is anything to find.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_conformance::warehouse::{
    Fault, Interrupt, Options, Outcome, Proof, Report, Respelled, Respelling, Subject, run,
};
use bowline_conformance::{Tier, Verdict};
use bowline_contract::{SuiteSection, Template, TemplateSection};
use bowline_driver::{Connection, Limits};
use bowline_query::{Clock, Composer, Expressions};
use bowline_template::CompiledTemplate;
use bowline_warehouse::template::{ConnectorTemplate, Origin, TemplateSet};
use jiff::Timestamp;

use crate::Failure;
use crate::facts::Facts;
use crate::operators::Mutant;
use crate::stress::{Answer, same};

/// What came of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// A check has a wrong answer.
    Caught,
    /// It does not render, or the database refuses it: nobody would keep it.
    Refused,
    /// It answers as the right one does, over more rows than the suite has.
    Equivalent,
    /// The suite is content with it.
    Survived,
}

/// How long answers of the right spelling are good for: windows of time move on.
const FRESH: Duration = Duration::from_secs(120);

/// A place where mutants of one connector are tried.
pub(crate) struct Court {
    subject: Subject,
    options: Options,
    respelling: Respelling,
    connection: Box<dyn Connection>,
    right: BTreeMap<&'static str, Right>,
    whole: Option<Report>,
}

/// What the right spelling of a template answers.
struct Right {
    asked: Instant,
    now: Timestamp,
    answers: Vec<(String, Answer)>,
}

impl Court {
    pub(crate) fn open(subject: Subject) -> Result<Self, Failure> {
        let options = Options {
            tier: Tier::Strict,
            patience: Duration::from_millis(300),
            limits: Limits {
                timeout: Duration::from_secs(5),
                ..Limits::default()
            },
            sections: vec![SuiteSection::Metadata, SuiteSection::Functional],
            ..Options::default()
        };
        let opened = Respelling::open(&subject, &options);
        let respelling = opened.map_err(|error| error.to_string())?;
        let connection = subject.database.connect();
        Ok(Self {
            connection: connection.map_err(|error| error.to_string())?,
            subject,
            options,
            respelling,
            right: BTreeMap::new(),
            whole: None,
        })
    }

    /// Makes sure that the right connector falls short of no check.
    pub(crate) fn is_right(&mut self) -> Result<(), Failure> {
        let short = self.respelling.shortfalls().into_iter();
        let told: Vec<String> = short
            .map(|(check, outcome)| format!("  {}: {outcome:?}", check.id))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the right connector falls short\n{}",
            told.join("\n")
        ))
    }

    /// Tries a mutant; says what caught it.
    pub(crate) fn try_one(&mut self, mutant: &Mutant) -> (Fate, String) {
        let template = mutant.template;
        let Ok(compiled) = CompiledTemplate::compile(template.short_name(), &mutant.text) else {
            return (Fate::Refused, "it is no template".to_owned());
        };
        let spelled = ConnectorTemplate {
            template,
            text: mutant.text.clone(),
            origin: Origin::Composed,
            compiled,
        };
        if matches!(
            template.judged_in,
            SuiteSection::Metadata | SuiteSection::Functional
        ) {
            return self.try_whole(spelled);
        }
        match self.respelling.ask(spelled.clone()) {
            Respelled::Short { check, outcome } => {
                let fate = match outcome {
                    Outcome::Wrong(Fault::Answer { .. }) => Fate::Caught,
                    _ => Fate::Refused,
                };
                (fate, check.id.to_string())
            }
            Respelled::Unchanged | Respelled::Passed => self.beside_the_right_one(spelled),
        }
    }

    /// What to think of a spelling that no check minds: it survived with a statement to which it answers otherwise than
    /// the right one, or it is refused where that one is not, or it is the same.
    fn beside_the_right_one(&mut self, spelled: ConnectorTemplate) -> (Fate, String) {
        let template = spelled.template;
        let name = template.short_name();
        let is_fresh = |right: &Right| right.asked.elapsed() < FRESH;
        if !self.right.get(name).is_some_and(is_fresh) {
            let now = Timestamp::now();
            let questions = questions(&self.subject.templates, template, now);
            let answers = questions.into_iter().map(|sql| {
                let answer = ask(&mut *self.connection, &sql);
                (sql, answer)
            });
            let right = Right {
                asked: Instant::now(),
                now,
                answers: answers.collect(),
            };
            self.right.insert(name, right);
        }
        let right = &self.right[name];
        if right.answers.is_empty() {
            return (Fate::Survived, "nothing is asked of it".to_owned());
        }
        let mut templates = TemplateSet::clone(&self.subject.templates);
        templates.insert(spelled);
        let questions = questions(&Arc::new(templates), template, right.now);
        let mut fate = Fate::Equivalent;
        for (ours, (sql, theirs)) in questions.iter().zip(&right.answers) {
            if ours == sql {
                continue;
            }
            let answer = ask(&mut *self.connection, ours);
            if same(&answer, theirs) {
                continue;
            }
            if answer.is_ok() {
                return (Fate::Survived, ours.clone());
            }
            fate = Fate::Refused;
        }
        (fate, String::new())
    }

    /// Runs the sections that a template of catalogues and logs is judged in.
    fn try_whole(&mut self, spelled: ConnectorTemplate) -> (Fate, String) {
        let run_with =
            |subject: &Subject| run(subject, &self.options, &Interrupt::default(), &|_| {});
        if self.whole.is_none() {
            self.whole = run_with(&self.subject).ok();
        }
        let template = spelled.template;
        let now = Timestamp::now();
        let right = questions(&self.subject.templates, template, now);
        let mut templates = TemplateSet::clone(&self.subject.templates);
        templates.insert(spelled);
        if !right.is_empty() && questions(&Arc::new(templates.clone()), template, now) == right {
            return (Fate::Equivalent, String::new());
        }
        let subject = Subject {
            templates: Arc::new(templates),
            ..self.subject.clone()
        };
        let (Some(right), Ok(wrong)) = (&self.whole, run_with(&subject)) else {
            return (Fate::Refused, "no run".to_owned());
        };
        let lost = lost(right, &wrong, template);
        let refused = |outcome: &Outcome| {
            matches!(
                outcome,
                Outcome::Unsupported(Proof::Refused(_)) | Outcome::Wrong(Fault::Render { .. })
            )
        };
        let is_refused = wrong
            .checks
            .iter()
            .any(|check| check.check.judges.contains(&template) && refused(&check.outcome));
        match lost {
            Some(what) if is_refused => (Fate::Refused, what),
            Some(what) => (Fate::Caught, what),
            // A log is another each time that it is asked for.
            None if template.judged_in == SuiteSection::Functional
                || template.section == TemplateSection::QueryLogs =>
            {
                (Fate::Survived, "a whole run".to_owned())
            }
            None => match self.differs_in_catalogue(&wrong) {
                Some(sql) => (Fate::Survived, sql),
                None => (Fate::Equivalent, String::new()),
            },
        }
    }

    /// The first statement of a run that asks otherwise than the right connector's and is answered otherwise. What
    /// changes the database, or is answered otherwise each time, is not asked again.
    fn differs_in_catalogue(&mut self, wrong: &Report) -> Option<String> {
        let right = self.whole.as_ref()?;
        let statements = |report: &Report| -> Vec<String> {
            let is_of_logs = |judged: &&Template| judged.section == TemplateSection::QueryLogs;
            let checks = report.checks.iter().filter(|found| {
                let of_logs = found.check.judges.iter().any(is_of_logs);
                found.check.section == SuiteSection::Metadata && !of_logs
            });
            let steps = checks.flat_map(|found| &found.steps);
            steps.map(|step| step.sql.clone()).collect()
        };
        let (ours, theirs) = (statements(wrong), statements(right));
        if ours.len() != theirs.len() {
            return Some("another number of statements".to_owned());
        }
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            let connection = &mut *self.connection;
            if ours != theirs && !same(&ask(connection, &ours), &ask(connection, &theirs)) {
                return Some(ours);
            }
        }
        None
    }
}

/// What a wrong spelling lost its connector: the template's own verdict, a check that was not wrong before, or a capability.
fn lost(right: &Report, wrong: &Report, template: &'static Template) -> Option<String> {
    let verdict = |report: &Report| {
        let found = report.templates.iter();
        let mut found = found.filter(|found| found.template == template);
        found.next().and_then(|found| found.verdict)
    };
    if verdict(right) == Some(Verdict::Supported) && verdict(wrong) != Some(Verdict::Supported) {
        return Some(template.short_name().to_owned());
    }
    let is_wrong = |outcome: &Outcome| matches!(outcome, Outcome::Wrong(Fault::Answer { .. }));
    let checks = wrong.checks.iter();
    let mut wrongly = checks.filter(|found| is_wrong(&found.outcome));
    if let Some(found) = wrongly.find(|found| {
        let mut same = right.checks.iter();
        !same.any(|other| other.check.id == found.check.id && is_wrong(&other.outcome))
    }) {
        return Some(found.check.id.to_string());
    }
    right
        .capabilities
        .iter()
        .zip(&wrong.capabilities)
        .find(|(right, wrong)| {
            right.verdict == Some(Verdict::Supported) && wrong.verdict != Some(Verdict::Supported)
        })
        .map(|(right, _)| right.capability.name().to_owned())
}

/// What is asked of a template, with these templates; what does not render asks nothing.
fn questions(templates: &Arc<TemplateSet>, template: &Template, now: Timestamp) -> Vec<String> {
    let facts = Facts::of(template);
    let expressions = Expressions::new(Composer::new(Arc::clone(templates)), Clock::at(now));
    let rows = facts.over.rows(now);
    let texts = facts.questions();
    texts
        .map(|text| {
            let rendered = expressions.render(&text, &rows);
            rendered.unwrap_or_else(|error| format!("does not render: {error}"))
        })
        .collect()
}

fn ask(connection: &mut dyn Connection, sql: &str) -> Answer {
    let limits = Limits {
        timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    connection.run(sql, &limits)
}
