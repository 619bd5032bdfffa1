//! Runs the suite: work spread over connections, answers weighed, everything reported.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bowline_contract::{SuiteSection, Template};
use bowline_driver::{ConnectionCost, Database, Limits, SqlError};
use bowline_warehouse::FunctionalTarget;
use bowline_warehouse::template::TemplateSet;
use jiff::Timestamp;

use crate::Tier;
use crate::warehouse::accuracy::Accuracy;
use crate::warehouse::blame::{Blame, blame};
use crate::warehouse::chain::Chain;
use crate::warehouse::claim::{self, Claim, is_confidential};
use crate::warehouse::connection::connection;
use crate::warehouse::excuse::{excuse, excuse_percent_signs, excuse_silent_tables};
use crate::warehouse::finding::Finding;
use crate::warehouse::functional::{Functional, functional};
use crate::warehouse::metadata::metadata;
use crate::warehouse::plan::{self, Work};
use crate::warehouse::query_logs::query_logs;
use crate::warehouse::session::{Interrupt, Session};
use crate::warehouse::{Activity, Event, Report};
use crate::warehouse::{checks, derive};
use bowline_query::Clock;

/// What is put to the test.
#[derive(Clone)]
pub struct Subject {
    /// The connector's templates.
    pub templates: Arc<TemplateSet>,
    /// The database they are for.
    pub database: Arc<dyn Database>,
    /// Where functional checks may create their table.
    pub functional: Option<FunctionalTarget>,
}

/// How the suite runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sections to run.
    pub sections: Vec<SuiteSection>,
    /// How much is asked.
    pub tier: Tier,
    /// The most connections opened at a time.
    pub jobs: NonZeroUsize,
    /// What one statement may use.
    pub limits: Limits,
    /// How long functional checks wait for a change to show up.
    pub patience: Duration,
    /// The moment that statements mean by now: that of the run's start, unless a run is replayed.
    pub now: Option<Timestamp>,
    /// When [chained work](crate::warehouse::CHAINED_WORK) began, where that was at another moment.
    pub began: BTreeMap<String, Timestamp>,
    /// What is taken as it is claimed, where the answers are confidential: then nothing of theirs is asked.
    pub claims: Option<Claims>,
}

/// What is claimed of checks whose answers are confidential.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    /// The claims.
    pub claims: Vec<Claim>,
    /// The templates that are others than those which the claims are about.
    pub changed: Vec<&'static Template>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sections: SuiteSection::ALL.to_vec(),
            tier: Tier::default(),
            jobs: NonZeroUsize::new(8).unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            patience: Duration::from_secs(15),
            now: None,
            began: BTreeMap::new(),
            claims: None,
        }
    }
}

/// The connections that are opened before anything is known of how fast they are.
const FIRST_CONNECTIONS: usize = 2;

/// How long a connection takes to open to a server that is far away.
const FAR: Duration = Duration::from_millis(100);

/// About how long a process takes to start.
const PROCESS_START: Duration = Duration::from_millis(200);

/// Runs the suite and reports everything it found out.
///
/// Events arrive from several threads, one at a time for each. Nothing is printed.
///
/// # Errors
/// The error of the first connection when none could be opened at all.
pub fn run(
    subject: &Subject,
    options: &Options,
    interrupt: &Interrupt,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Report, SqlError> {
    let started = Instant::now();
    let began = options.now.unwrap_or_else(Timestamp::now);
    let clock = Clock::at(began);
    let (work_in, work_out) = channel();
    let crew = Crew {
        subject,
        options,
        began,
        interrupt,
        on_event,
        queue: Mutex::new(work_out),
    };
    let mut progress = Progress::default();
    let mut sessions = thread::scope(|scope| {
        let (done_in, done_out) = channel();
        let crew = &crew;
        let start = |done: Sender<Done>| scope.spawn(move || crew.work(&done));
        let cost = subject.database.cost();
        let first = match cost {
            ConnectionCost::Login => FIRST_CONNECTIONS.min(options.jobs.get()),
            ConnectionCost::Process => 1,
        };
        let mut workers: Vec<_> = (0..first).map(|_| start(done_in.clone())).collect();

        let mut chains = plan::chains(&options.sections);
        if let Some(Claims { claims, changed }) = &options.claims {
            chains.retain(|work| !is_confidential(work.name()));
            let claimed = claim::findings(claims, changed, &options.sections, options.tier);
            progress.findings.extend(claimed);
        }
        let mut pending = chains.len();
        // What a question takes tells how many processes are worth their start; chains tell it when they are over.
        let (before, behind) = match cost {
            ConnectionCost::Login => (chains, Vec::new()),
            ConnectionCost::Process => (Vec::new(), chains),
        };
        before.into_iter().for_each(|work| give(&work_in, work));
        let plan = plan::questions(&subject.templates, &options.sections, options.tier, clock);
        pending += plan.work.len();
        on_event(Event::Started {
            checks: plan.checks + checks::in_chains(&options.sections, options.tier),
        });
        crew.tell_finished(&plan.settled);
        let mut questions = plan.work.into_iter();
        let first = questions.by_ref().take(1);
        first.chain(behind).for_each(|work| give(&work_in, work));
        questions.for_each(|work| give(&work_in, work));
        drop(work_in);
        progress.findings.extend(plan.settled);

        let mut open = workers.len();
        while open > 0 {
            match done_out.recv() {
                Ok(Done::Connected(elapsed)) => {
                    progress.connected(elapsed);
                    // So far away, waiting to learn what a statement costs costs more than a connection too many.
                    if elapsed >= FAR && cost == ConnectionCost::Login {
                        let more = options
                            .jobs
                            .get()
                            .min(pending)
                            .saturating_sub(workers.len());
                        workers.extend((0..more).map(|_| start(done_in.clone())));
                        open += more;
                    }
                }
                Ok(Done::Asked(elapsed)) => progress.asked(elapsed),
                Ok(Done::Work(Functional {
                    findings,
                    left_behind,
                    accuracy,
                })) => {
                    progress.findings.extend(findings);
                    progress.left_behind.extend(left_behind);
                    if !accuracy.is_empty() {
                        progress.accuracy = accuracy;
                    }
                    pending -= 1;
                    while workers.len() < progress.most_connections(options.jobs, cost)
                        && progress.is_worth_a_connection(pending, open, cost)
                    {
                        workers.push(start(done_in.clone()));
                        open += 1;
                    }
                }
                Ok(Done::Failed(error)) => {
                    progress.errors.push(error);
                    open -= 1;
                }
                Ok(Done::Finished) | Err(_) => open -= 1,
            }
        }
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok().flatten())
            .collect::<Vec<_>>()
    });
    let Some(mut session) = sessions.pop() else {
        let unreachable = || {
            SqlError::new(
                bowline_driver::SqlErrorKind::Other,
                "no connection was opened",
            )
        };
        return Err(progress
            .errors
            .into_iter()
            .next()
            .unwrap_or_else(unreachable));
    };
    // Answers arrive in the order of the work; blame and report have that of the sections.
    progress
        .findings
        .sort_by(|a, b| (a.check.section, &a.check.id).cmp(&(b.check.section, &b.check.id)));
    excuse_silent_tables(&mut progress.findings);
    excuse_percent_signs(&mut progress.findings);
    session.turn_to("blame");
    excuse(
        &mut progress.findings,
        subject,
        options,
        clock,
        &mut session,
    );
    let Blame { findings, culprits } = blame(
        progress.findings,
        subject,
        options,
        clock,
        &mut session,
        on_event,
    );
    Ok(derive::report(derive::Ran {
        product: subject.database.product(),
        templates: &subject.templates,
        tier: options.tier,
        sections: &options.sections,
        findings,
        culprits,
        connections: sessions.len() + 1,
        elapsed: started.elapsed(),
        now: began,
        interrupted: sessions
            .iter()
            .chain([&session])
            .any(Session::was_interrupted),
        left_behind: progress.left_behind,
        accuracy: progress.accuracy,
    }))
}

/// What a worker tells.
enum Done {
    Connected(Duration),
    Failed(SqlError),
    /// How long a piece of questions took; its findings follow.
    Asked(Duration),
    Work(Functional),
    Finished,
}

/// The receiving end lives as long as the crew, so that giving cannot fail before the run ends.
fn give(work: &Sender<Work>, piece: Work) {
    work.send(piece).expect("the crew holds the queue");
}

#[derive(Default)]
struct Progress {
    findings: Vec<Finding>,
    left_behind: Vec<String>,
    accuracy: Accuracy,
    errors: Vec<SqlError>,
    connecting: Duration,
    connections: u32,
    asking: Duration,
    asked: u32,
}

impl Progress {
    fn connected(&mut self, elapsed: Duration) {
        self.connecting += elapsed;
        self.connections += 1;
    }

    fn asked(&mut self, elapsed: Duration) {
        self.asking += elapsed;
        self.asked += 1;
    }

    /// How many connections may pay. What waits for a server gains by each; what does not shares this machine's
    /// processors with the processes that further ones take.
    fn most_connections(&self, jobs: NonZeroUsize, cost: ConnectionCost) -> usize {
        let is_near = self
            .asking
            .checked_div(self.asked)
            .is_none_or(|piece| piece < FAR / 2);
        match cost {
            ConnectionCost::Process if is_near => {
                let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
                jobs.min(processors).get()
            }
            ConnectionCost::Process | ConnectionCost::Login => jobs.get(),
        }
    }

    /// Another connection pays when the open ones would be busy for longer than it takes to open.
    fn is_worth_a_connection(&self, pending: usize, open: usize, cost: ConnectionCost) -> bool {
        let (Some(connecting), Some(piece)) = (
            self.connecting.checked_div(self.connections),
            self.asking.checked_div(self.asked),
        ) else {
            return false;
        };
        let connecting = match cost {
            ConnectionCost::Login => connecting,
            // The first may have been started before.
            ConnectionCost::Process => connecting.max(PROCESS_START),
        };
        let ahead = piece * u32::try_from(pending / open.max(1)).unwrap_or(u32::MAX);
        ahead > connecting * 2
    }
}

/// Everything the workers share.
struct Crew<'a> {
    subject: &'a Subject,
    options: &'a Options,
    began: Timestamp,
    interrupt: &'a Interrupt,
    on_event: &'a (dyn Fn(Event<'_>) + Sync),
    queue: Mutex<Receiver<Work>>,
}

impl Crew<'_> {
    /// Opens a connection and works until nothing is left; gives the connection back.
    fn work(&self, done: &Sender<Done>) -> Option<Session> {
        let tell = |message| {
            // The run outlives its workers; if it does not, nobody is left to be told.
            let _ = done.send(message);
        };
        let started = Instant::now();
        let opened = Session::open(
            Arc::clone(&self.subject.database),
            self.options.limits.clone(),
            self.interrupt.clone(),
        );
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => {
                tell(Done::Failed(error));
                return None;
            }
        };
        let elapsed = started.elapsed();
        let product = self.subject.database.product();
        (self.on_event)(Event::Doing(Activity::Connected {
            product: &product,
            elapsed,
        }));
        tell(Done::Connected(elapsed));
        // Near a server, an idle connection takes the next piece sooner.
        let at_once = if elapsed >= FAR { session.at_once() } else { 1 };
        loop {
            let taken = self.take(at_once);
            if taken.is_empty() {
                break;
            }
            let asked = taken.iter().filter_map(|work| match work {
                Work::Questions(prepared) if at_once > 1 => plan::first_statement(prepared),
                _ => None,
            });
            let asked: Vec<String> = asked.collect();
            for (place, work) in taken.into_iter().enumerate() {
                // Again, for one that falls short asks something else in between.
                if let Some(next) = asked.get(place..) {
                    session.announce(next);
                }
                let begun = Instant::now();
                let is_questions = matches!(work, Work::Questions(_));
                let done = self.perform(work, &mut session);
                if is_questions {
                    tell(Done::Asked(begun.elapsed()));
                }
                self.tell_finished(&done.findings);
                tell(Done::Work(done));
            }
        }
        tell(Done::Finished);
        Some(session)
    }

    /// The next work; pieces of questions, whose statements take one round trip, so many at once at most. Nothing when all is
    /// done.
    fn take(&self, at_once: usize) -> Vec<Work> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(first) = queue.recv() else {
            return Vec::new();
        };
        let mut taken = vec![first];
        while taken.len() < at_once
            && matches!(taken.last(), Some(Work::Questions(_)))
            && let Ok(next) = queue.try_recv()
        {
            taken.push(next);
        }
        taken
    }

    fn tell_finished(&self, findings: &[Finding]) {
        for finding in findings {
            (self.on_event)(Event::Finished {
                check: &finding.check,
                verdict: finding.outcome.verdict(),
            });
        }
    }

    fn perform(&self, work: Work, session: &mut Session) -> Functional {
        session.turn_to(work.name());
        let target = self.subject.functional.as_ref();
        let tier = self.options.tier;
        let began = self.options.began.get(work.name());
        let began = began.copied().unwrap_or(self.began);
        let chain = |section, session| {
            let templates = Arc::clone(&self.subject.templates);
            Chain::new(section, templates, session, began)
        };
        let findings = match work {
            Work::Connection => connection(chain(SuiteSection::Connection, session), tier),
            Work::Metadata => {
                let passing = target.map(|target| target.table.as_str());
                metadata(chain(SuiteSection::Metadata, session), tier, passing)
            }
            Work::QueryLogs => query_logs(chain(SuiteSection::Metadata, session), tier),
            Work::Questions(prepared) => plan::ask(prepared, session),
            Work::Functional => {
                let chain = chain(SuiteSection::Functional, session);
                let patience = self.options.patience;
                return functional(chain, target, tier, patience, self.on_event);
            }
        };
        Functional {
            findings,
            left_behind: Vec::new(),
            accuracy: Accuracy::default(),
        }
    }
}
