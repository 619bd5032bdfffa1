//! What a check asked and what came back: everything that judging it may look at, besides the check itself.

use std::sync::Arc;
use std::time::Duration;

use bowline_contract::Template;
use bowline_driver::{Answer, ResultSet, SqlError, SqlErrorKind};
use bowline_query::{Clock, ComposeError, Composer};
use bowline_template::TemplateValue;
use jiff::Timestamp;

use crate::warehouse::accuracy::Moments;
use crate::warehouse::ahead::{Ahead, Renders};
use crate::warehouse::judge::Judged;
use crate::warehouse::outcome::{Doubt, Outcome, Step};
use crate::warehouse::session::Session;

/// The statements of one check with their answers, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Answers {
    pub(crate) steps: Vec<Step>,
    /// Why no further statement was asked, where that was not the check's own doing.
    pub(crate) halt: Option<Halt>,
    /// How many steps came before the latest round.
    before: usize,
}

/// Why the statements of a check end early.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Halt {
    /// The next one could not be written.
    Unwritten(ComposeError),
    /// The last one failed, or the connection was lost before.
    Failed(SqlError),
    /// A replay has no answer to the next one: nothing was asked.
    Unasked(SqlError),
}

impl Halt {
    /// For a statement that never came to an answer of its own.
    fn without_answer(error: SqlError) -> Self {
        if error.kind.is_no_answer() {
            Self::Failed(error)
        } else {
            Self::Unasked(error)
        }
    }
}

impl Answers {
    /// One statement with its answer.
    pub(crate) fn of(step: Step) -> Self {
        Self {
            steps: vec![step],
            ..Self::default()
        }
    }

    /// No answer at all, and why.
    pub(crate) fn none(error: SqlError) -> Self {
        Self {
            halt: Some(Halt::without_answer(error)),
            ..Self::default()
        }
    }

    /// What was asked in the latest round; everything, where there are no rounds.
    pub(crate) fn round(&self) -> &[Step] {
        &self.steps[self.before..]
    }

    /// The results of the latest round; errors are passed over.
    pub(crate) fn results(&self) -> impl Iterator<Item = &ResultSet> {
        let results = self.round().iter();
        results.filter_map(|step| step.answer.result.as_deref().ok())
    }

    /// Reads the latest round's last result.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ResultSet) -> Judged<T>) -> Judged<T> {
        match self.results().last() {
            Some(result) => read(result),
            None => Err(Outcome::Unknown(Doubt::NotReached(
                "nothing was asked".to_owned(),
            ))),
        }
    }
}

/// The templates that change what the catalogue tells.
const CHANGES: [&str; 5] = [
    "create_test_table",
    "insert_rows",
    "add_column",
    "drop_column",
    "drop_test_table",
];

/// The templates that read the catalogue. A table that somebody drops while it is read makes some engines refuse the
/// statement, which is nobody's fault: it is asked once more.
const CATALOGUE: [&str; 4] = [
    "get_databases_query",
    "get_schemas_query",
    "get_tables_query",
    "get_columns_query",
];

/// Asks the statements of one check, and keeps the answers.
pub(crate) struct Asking<'a> {
    composer: &'a Composer,
    session: &'a mut Session,
    moments: &'a mut Moments,
    elapsed: Duration,
    answers: Answers,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(
        composer: &'a Composer,
        session: &'a mut Session,
        moments: &'a mut Moments,
    ) -> Self {
        Self {
            composer,
            session,
            moments,
            elapsed: Duration::ZERO,
            answers: Answers::default(),
        }
    }

    /// The answers so far.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    pub(crate) fn finish<T>(self, asked: Result<T, Halt>) -> Answers {
        Answers {
            halt: asked.err(),
            ..self.answers
        }
    }

    /// Now, as the answers tell it: a replay tells the same.
    pub(crate) fn clock(&self) -> Clock {
        Clock::at(self.moments.latest)
    }

    /// The same, to the fraction of a second.
    pub(crate) fn now(&self) -> Timestamp {
        self.moments.latest
    }

    /// Says what is asked next.
    pub(crate) fn announce(&mut self, write: impl FnOnce(&mut Ahead)) {
        Ahead::announce(self.composer, self.session, write);
    }

    /// Renders a template and runs it.
    pub(crate) fn query(
        &mut self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<Arc<ResultSet>, Halt> {
        let sql = self.render(name, variables)?;
        let label = Some(Template::known(name).short_name());
        let mut answer = self.run(label, &sql);
        if CATALOGUE.contains(&name)
            && let Err(Halt::Failed(error)) = &answer
            && !error.kind.is_no_answer()
            && error.kind != SqlErrorKind::Syntax
        {
            self.forget();
            answer = self.run(label, &sql);
        }
        if CHANGES.contains(&name) {
            self.moments.changed = self.moments.latest;
            self.moments.counted_anew = false;
        }
        answer
    }

    /// Notes that the database was told to count its rows anew.
    pub(crate) fn counted_anew(&mut self) {
        self.moments.counted_anew = true;
    }

    /// The same, where that something is not there is an answer too.
    pub(crate) fn query_what_may_be_missing(
        &mut self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<Option<Arc<ResultSet>>, Halt> {
        match self.query(name, variables) {
            Err(Halt::Failed(error)) if error.kind == SqlErrorKind::MissingObject => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Runs a statement.
    pub(crate) fn run(
        &mut self,
        label: Option<&'static str>,
        sql: &str,
    ) -> Result<Arc<ResultSet>, Halt> {
        let answer = self.session.ask(sql).map_err(Halt::without_answer)?;
        self.moments.latest = came(&answer);
        self.elapsed += answer.elapsed;
        let result = answer.result.clone();
        self.answers.steps.push(Step {
            label,
            sql: sql.to_owned(),
            answer,
            shared_with: 0,
        });
        result.map_err(Halt::Failed)
    }

    /// Runs a statement that the database may refuse: then nothing is kept of it, and its error is the answer.
    pub(crate) fn try_run(
        &mut self,
        label: Option<&'static str>,
        sql: &str,
    ) -> Result<Result<Arc<ResultSet>, SqlError>, Halt> {
        match self.run(label, sql) {
            Err(Halt::Failed(error)) if !error.kind.is_no_answer() => {
                self.forget();
                Ok(Err(error))
            }
            answer => answer.map(Ok),
        }
    }

    /// Renders a template and runs it, told apart from the same statement on another connection: a replay goes by the
    /// text.
    pub(crate) fn query_apart(
        &mut self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<Arc<ResultSet>, Halt> {
        let sql = apart(&self.render(name, variables)?);
        self.run(Some(Template::known(name).short_name()), &sql)
    }

    /// Renders a template and runs it, where the database may refuse: then nothing is kept of it.
    pub(crate) fn try_query(
        &mut self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<Result<Arc<ResultSet>, SqlError>, Halt> {
        let sql = self.render(name, variables)?;
        self.try_run(Some(Template::known(name).short_name()), &sql)
    }

    /// Takes what another check asked as evidence.
    pub(crate) fn recall(&mut self, steps: Vec<Step>) {
        self.answers.steps.extend(steps);
    }

    /// Forgets the last answer: the statement is asked again, and what comes then is the evidence.
    pub(crate) fn forget(&mut self) {
        self.answers.steps.pop();
    }

    /// Begins a round: what was asked in the one before makes way for what is asked again.
    pub(crate) fn begin_round(&mut self) {
        self.answers.steps.truncate(self.answers.before);
    }

    /// Keeps what was asked so far as evidence, whatever is asked again.
    pub(crate) fn keep(&mut self) {
        self.answers.before = self.answers.steps.len();
    }

    /// How long all answers took.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Lets time pass.
    pub(crate) fn pause(&mut self, pause: Duration) {
        self.session.pause(pause);
    }
}

impl Renders for Asking<'_> {
    fn composer(&self) -> &Composer {
        self.composer
    }
}

/// The same statement in another text.
pub(crate) fn apart(sql: &str) -> String {
    format!("{sql}\n")
}

/// When an answer came.
pub(crate) fn came(answer: &Answer) -> Timestamp {
    let came = answer.asked.checked_add(answer.elapsed);
    came.unwrap_or(answer.asked)
}
