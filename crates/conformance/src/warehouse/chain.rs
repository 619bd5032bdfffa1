//! Checks that are code: each is a record like the others, but its statements follow from earlier answers.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use bowline_contract::{Capability, SuiteSection, Template};
use bowline_driver::ResultSet;
use bowline_query::{Clock, Composer};
use bowline_template::TemplateValue;
use bowline_warehouse::template::TemplateSet;
use jiff::Timestamp;

use crate::Tier;
use crate::warehouse::accuracy::{Accuracy, Moments};
use crate::warehouse::ahead::{Ahead, Renders};
use crate::warehouse::answers::{Answers, Asking, Halt, came};
use crate::warehouse::finding::Finding;
use crate::warehouse::judge::{Judged, judge, wrong};
use crate::warehouse::outcome::{Doubt, Outcome, Proof, Step};
use crate::warehouse::session::Session;
use crate::warehouse::{Check, CheckId};

/// What a check that is code says of itself.
pub(crate) struct Spec {
    /// The name after the section's.
    pub(crate) id: &'static str,
    title: &'static str,
    judges: &'static [&'static str],
    carries: &'static [Capability],
    tier: Tier,
}

impl Spec {
    /// A check that the contract's suite asks.
    pub(crate) const fn new(
        id: &'static str,
        title: &'static str,
        judges: &'static [&'static str],
        carries: &'static [Capability],
    ) -> Self {
        Self {
            id,
            title,
            judges,
            carries,
            tier: Tier::Reference,
        }
    }

    /// The same, asked in the strict tier only.
    pub(crate) const fn strict(self) -> Self {
        Self {
            tier: Tier::Strict,
            ..self
        }
    }

    /// Whether a tier asks it.
    pub(crate) fn is_asked(&self, tier: Tier) -> bool {
        self.tier <= tier
    }

    pub(crate) const fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn check(&self, section: SuiteSection) -> Check {
        Check {
            metrics: Vec::new(),
            id: CheckId::new(format!("{}/{}", section.name(), self.id)),
            section,
            title: self.title.to_owned(),
            judges: self
                .judges
                .iter()
                .map(|name| Template::known(name))
                .collect(),
            carries: self.carries.to_vec(),
            tier: self.tier,
        }
    }
}

/// A row of checks that follow from each other, on one connection.
pub(crate) struct Chain<'a> {
    section: SuiteSection,
    composer: Composer,
    pub(crate) session: &'a mut Session,
    moments: Moments,
    findings: Vec<Finding>,
    /// What was measured beside the checks.
    pub(crate) accuracy: Accuracy,
}

/// What a look at the database showed, where what is expected may take its time to show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen<T> {
    AsExpected(T),
    Otherwise { expected: String, got: String },
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl<'a> Chain<'a> {
    pub(crate) fn new(
        section: SuiteSection,
        templates: Arc<TemplateSet>,
        session: &'a mut Session,
        began: Timestamp,
    ) -> Self {
        Self {
            section,
            composer: Composer::new(templates),
            session,
            moments: Moments::at(began),
            findings: Vec::new(),
            accuracy: Accuracy::default(),
        }
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether the connector has a template.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        let template = Template::known(name);
        self.composer.templates().get(template).is_some()
    }

    /// The type of a column that holds texts on this engine.
    pub(crate) fn text_type(&self) -> String {
        self.composer.text_type()
    }

    /// Now, as the answers tell it.
    pub(crate) fn clock(&self) -> Clock {
        Clock::at(self.moments.latest)
    }

    /// Asks one check's statements, then judges the answers; what these give is handed on when it is supported.
    pub(crate) fn check<A, T>(
        &mut self,
        spec: &Spec,
        ask: impl FnOnce(&mut Asking<'_>) -> Result<A, Halt>,
        read: impl FnOnce(&Answers) -> Judged<T>,
    ) -> Option<T> {
        let check = spec.check(self.section);
        let missing: Vec<&'static Template> = check
            .judges
            .iter()
            .copied()
            .filter(|template| self.composer.templates().get(template).is_none())
            .collect();
        if !missing.is_empty() {
            let outcome = Outcome::Unsupported(Proof::NotImplemented(missing));
            self.note(check, outcome, Vec::new());
            return None;
        }
        let mut asking = Asking::new(&self.composer, self.session, &mut self.moments);
        let asked = ask(&mut asking);
        let answers = asking.finish(asked);
        let judged = judge(&check, &answers, read);
        let (value, outcome) = match judged {
            Ok(value) => (Some(value), Outcome::Supported),
            Err(outcome) => (None, outcome),
        };
        self.note(check, outcome, answers.steps);
        value
    }

    /// A check that is judged by what is known already.
    pub(crate) fn check_known(&mut self, spec: &Spec, judged: Judged<()>) {
        self.check(spec, |_| Ok(()), |_| judged);
    }

    /// Says what would be better, beside the verdict of a check that was asked.
    pub(crate) fn advise(&mut self, spec: &Spec, advice: impl Into<String>) {
        let id = spec.check(self.section).id;
        if let Some(finding) = self.findings.iter_mut().find(|found| found.check.id == id) {
            finding.advice.push(advice.into());
        }
    }

    /// A check that does something to the database, then looks again and again until it sees what is expected or the
    /// patience runs out. How long it has waited is told by the answers and the pauses between them, not by a clock.
    pub(crate) fn watch<T>(
        &mut self,
        spec: &Spec,
        patience: Duration,
        act: impl FnOnce(&mut Asking<'_>) -> Result<(), Halt>,
        look: impl FnMut(&mut Asking<'_>, usize) -> Result<(), Halt>,
        read: impl Fn(&Answers) -> Judged<Seen<T>>,
    ) -> Option<T> {
        let settle = |_: &mut Asking<'_>, _: &str, _: &str| Ok(None);
        self.watch_and_settle(spec, &Cell::new(patience), act, look, read, settle)
    }

    /// The same; a look may end the patience, and when it has run out, `settle` may ask why, and say what to make of it
    /// instead of wrong.
    pub(crate) fn watch_and_settle<T>(
        &mut self,
        spec: &Spec,
        patience: &Cell<Duration>,
        act: impl FnOnce(&mut Asking<'_>) -> Result<(), Halt>,
        mut look: impl FnMut(&mut Asking<'_>, usize) -> Result<(), Halt>,
        read: impl Fn(&Answers) -> Judged<Seen<T>>,
        settle: impl FnOnce(&mut Asking<'_>, &str, &str) -> Result<Option<Outcome>, Halt>,
    ) -> Option<T> {
        let settled = RefCell::new(None);
        let acted = Cell::new(self.moments.latest);
        let ask = |asking: &mut Asking<'_>| {
            act(asking)?;
            acted.set(asking.now());
            asking.keep();
            let begun = asking.elapsed();
            let (mut paused, mut pause) = (Duration::ZERO, FIRST_PAUSE);
            for round in 0.. {
                asking.begin_round();
                look(asking, round)?;
                let waited = asking.elapsed() - begun + paused;
                let Ok(Seen::Otherwise { expected, got }) = read(asking.answers()) else {
                    break;
                };
                let patience = patience.get();
                if waited >= patience {
                    settled.replace(settle(asking, &expected, &got)?);
                    break;
                }
                let rest = pause.min(patience - waited);
                asking.pause(rest);
                paused += rest;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Ok(())
        };
        let seen = self.check(spec, ask, |answers| {
            match (settled.take(), read(answers)?) {
                (Some(outcome), _) => Err(outcome),
                (None, Seen::AsExpected(value)) => Ok(value),
                (None, Seen::Otherwise { expected, got }) => Err(wrong(
                    format!("{expected}, within {} s", patience.get().as_secs()),
                    got,
                )),
            }
        });
        // What is told by an answer from before is no lag.
        if seen.is_some() && self.moments.latest > acted.get() {
            self.measure(spec, acted.get());
        }
        seen
    }

    /// Notes how long what a check waited for took to show: the catalogue after a change, the log after what was done.
    fn measure(&mut self, spec: &Spec, acted: Timestamp) {
        let is_about = |name: &str| spec.judges.contains(&name);
        if is_about("get_query_logs_query") {
            let moments = Moments {
                changed: acted,
                ..self.moments
            };
            self.accuracy.log_lags.push(moments.lag());
        } else if is_about("get_tables_query") || is_about("get_columns_query") {
            self.accuracy.lags.push(self.moments.lag());
            self.accuracy.counted_anew += usize::from(self.moments.counted_anew);
        }
    }

    /// Says what is asked next.
    pub(crate) fn announce(&mut self, write: impl FnOnce(&mut Ahead)) {
        Ahead::announce(&self.composer, self.session, write);
    }

    /// Asks something that no check is judged by; gives what was asked for, and from when to when the last statement
    /// ran.
    pub(crate) fn aside<T>(
        &mut self,
        ask: impl FnOnce(&mut Asking<'_>) -> Result<T, Halt>,
    ) -> Option<(T, [Timestamp; 2])> {
        let mut asking = Asking::new(&self.composer, self.session, &mut self.moments);
        let value = ask(&mut asking).ok()?;
        let answers = asking.finish(Ok(()));
        let answer = &answers.steps.last()?.answer;
        Some((value, [answer.asked, came(answer)]))
    }

    /// When the last change to a table was over.
    pub(crate) fn last_change(&self) -> Timestamp {
        self.moments.changed
    }

    /// When the first statement of a check was asked.
    pub(crate) fn first_asked(&self, spec: &Spec) -> Option<Timestamp> {
        let step = self.finding(spec)?.steps.first()?;
        Some(step.answer.asked)
    }

    /// Notes a check that cannot be asked because an earlier one of the chain did not succeed.
    pub(crate) fn not_reached(&mut self, spec: &Spec, after: &Spec) {
        let earlier = after.check(self.section);
        let outcome = match self.finding(after).map(|finding| &finding.outcome) {
            Some(Outcome::Blocked { by }) => Outcome::Blocked { by: by.clone() },
            Some(outcome) if outcome.is_shortfall() && !earlier.judges.is_empty() => {
                Outcome::Blocked { by: earlier.judges }
            }
            Some(Outcome::Unsupported(_)) => {
                Outcome::Unsupported(Proof::Absent(format!("`{}` is not supported", earlier.id)))
            }
            Some(Outcome::Unknown(Doubt::Interrupted)) => Outcome::Unknown(Doubt::Interrupted),
            _ => Outcome::Unknown(Doubt::NotReached(format!(
                "`{}` did not succeed",
                earlier.id
            ))),
        };
        self.check_known(spec, Err(outcome));
    }

    /// The statement with this label that a check ran.
    pub(crate) fn step(&self, spec: &Spec, label: &str) -> Option<&Step> {
        let mut steps = self.finding(spec)?.steps.iter();
        steps.find(|step| step.label == Some(label))
    }

    /// The last statement that a check ran, as evidence for another.
    pub(crate) fn last_step(&self, spec: &Spec) -> Vec<Step> {
        let steps = self.finding(spec).map(|finding| &finding.steps);
        steps
            .and_then(|steps| steps.last())
            .cloned()
            .into_iter()
            .collect()
    }

    /// The last result that a check gave.
    pub(crate) fn last_result(&self, spec: &Spec) -> Option<&ResultSet> {
        let step = self.finding(spec)?.steps.last()?;
        step.answer.result.as_deref().ok()
    }

    pub(crate) fn finding(&self, spec: &Spec) -> Option<&Finding> {
        let id = spec.check(self.section).id;
        self.findings.iter().find(|finding| finding.check.id == id)
    }

    fn note(&mut self, check: Check, outcome: Outcome, steps: Vec<Step>) {
        let uses = self.composer.take_used();
        self.findings
            .push(Finding::new(check, outcome, uses, steps));
    }
}

impl Renders for Chain<'_> {
    fn composer(&self) -> &Composer {
        &self.composer
    }
}

/// Which rows of a listing are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageRequest {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A text variable.
pub(crate) fn text(value: impl Into<String>) -> TemplateValue {
    TemplateValue::Text(value.into())
}

/// Names as the contract hands them to templates: quoted, quotes doubled, separated by commas.
pub(crate) fn quoted_list<'n>(names: impl IntoIterator<Item = &'n str>) -> TemplateValue {
    let quoted = names
        .into_iter()
        .map(|name| format!("'{}'", name.replace('\'', "''")));
    text(quoted.collect::<Vec<_>>().join(", "))
}
