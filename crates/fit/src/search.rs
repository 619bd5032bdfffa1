//! The search: one template after another, a spelling accepted only when everything that judges it passes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bowline_conformance::warehouse::{Standing, Trial};
use bowline_contract::{SuiteSection, Template, TemplateSection};
use bowline_template::CompiledTemplate;
use bowline_warehouse::dialect::{ANY_ENGINE, Pack};
use bowline_warehouse::template::{ConnectorTemplate, Origin, TemplateSet};
use jiff::Timestamp;

use crate::bank::{Candidate, braces, candidates};
use crate::budget::Budget;
use crate::functions::Functions;
use crate::grammar::names;
use crate::outcome::{Event, Found, Kept, Miss, Missed, WrongRow};
use crate::profile::Profile;
use crate::refusal::{Grammar, with_casts};
use crate::rows::Asked;

/// How often what was not found is tried again, now that others are.
const ROUNDS: usize = 3;

/// How many texts that the engine's errors propose are tried for a template.
const PROPOSED: usize = 3;

/// The sections of templates in the order in which they are built on each other.
const ORDER: [TemplateSection; 15] = [
    TemplateSection::DialectCapabilityFlags,
    TemplateSection::StringAndLiteralHandling,
    TemplateSection::CoreQueryBuilding,
    TemplateSection::TypeCasting,
    TemplateSection::NullAndNanHandling,
    TemplateSection::ComparisonOperators,
    TemplateSection::DateTimeFunctions,
    TemplateSection::AggregationFunctions,
    TemplateSection::StringFunctions,
    TemplateSection::ArrayAndTimestampValidation,
    TemplateSection::MathFunctions,
    TemplateSection::RcaAndAdvancedFunctions,
    TemplateSection::FieldOperations,
    TemplateSection::CustomSqlMonitor,
    TemplateSection::Metadata,
];

/// A search for the templates that are judged by single statements.
pub(crate) struct Search<'a> {
    pub(crate) trial: &'a mut Trial,
    pub(crate) profile: &'a Profile,
    pub(crate) budget: &'a Budget,
    /// Packs whose spellings are not in the bank.
    pub(crate) without: &'a [String],
    /// What the connector has, and what is taken for granted until it is its turn.
    pub(crate) set: TemplateSet,
    pub(crate) found: BTreeMap<&'static Template, Found>,
    pub(crate) excused: BTreeMap<&'static Template, usize>,
    pub(crate) kept: BTreeMap<&'static Template, Kept>,
    pub(crate) missed: BTreeMap<&'static Template, Missed>,
    /// How often a pack's spellings were right: those of the same pack come first then.
    wins: BTreeMap<&'static str, usize>,
    functions: Functions,
    grammar: Grammar,
    asked: Asked,
}

/// What came of one spelling.
enum Fate {
    Right {
        checks: usize,
        rows: usize,
        excused: usize,
    },
    Lacking(Vec<&'static Template>),
    Wrong(Miss),
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        trial: &'a mut Trial,
        profile: &'a Profile,
        budget: &'a Budget,
        without: &'a [String],
        set: TemplateSet,
        functions: Functions,
    ) -> Self {
        Self {
            trial,
            profile,
            budget,
            without,
            set,
            found: BTreeMap::new(),
            excused: BTreeMap::new(),
            kept: BTreeMap::new(),
            missed: BTreeMap::new(),
            wins: BTreeMap::new(),
            functions,
            grammar: Grammar::default(),
            asked: Asked::at(Timestamp::now()),
        }
    }

    /// Searches for all of these; `own` are the connector's, of which `replaceable` may be replaced.
    pub(crate) fn run(
        &mut self,
        wanted: &[&'static Template],
        own: &TemplateSet,
        replaceable: &dyn Fn(&ConnectorTemplate) -> bool,
        on_event: &dyn Fn(Event<'_>),
    ) {
        let mut left: Vec<&'static Template> = in_order()
            .filter(|template| wanted.contains(template))
            .collect();
        let of = left.len();
        self.take_for_granted();
        for round in 0..ROUNDS {
            let mut again = Vec::new();
            let before = self.found.len();
            for (place, template) in left.iter().enumerate() {
                if self.budget.is_spent(self.trial) {
                    again.extend_from_slice(&left[place..]);
                    break;
                }
                on_event(Event::Trying {
                    template,
                    done: of - left.len() + place,
                    of,
                });
                if let Some(own) = own.get(template).filter(|_| round == 0)
                    && self.keeps(own, replaceable)
                {
                    continue;
                }
                self.search(template, on_event);
                let is_sure = self.excused.get(template) == Some(&0);
                if !is_sure && !self.kept.contains_key(template) {
                    again.push(*template);
                }
            }
            left = again;
            self.settle(on_event);
            self.suppose(&left);
            let grew = self.found.len() > before;
            if left.is_empty() || (round > 0 && !grew) || self.budget.is_spent(self.trial) {
                break;
            }
        }
        for template in Template::all() {
            let is_there = self.found.contains_key(template) || self.kept.contains_key(template);
            if is_there {
                self.missed.remove(template);
            }
        }
    }

    /// Judges again what was found, now that more stands beside it: what fell is searched anew.
    fn settle(&mut self, on_event: &dyn Fn(Event<'_>)) {
        for template in in_order() {
            if self.budget.is_spent(self.trial) || !self.found.contains_key(template) {
                continue;
            }
            let Some(own) = self.set.get(template).cloned() else {
                continue;
            };
            if !matches!(self.fate(own), Fate::Right { .. }) {
                self.found.remove(template);
                self.search(template, on_event);
            }
        }
    }

    /// Puts what came nearest where nothing was found: a check may excuse one template for what no other can either.
    fn suppose(&mut self, left: &[&'static Template]) {
        for template in left {
            let near = self
                .missed
                .get(template)
                .and_then(|missed| missed.nearest.as_ref());
            let near = near.filter(|near| near.passed > 0);
            let near = near.and_then(|near| spelled(template, &near.text, None));
            if let Some(near) = near.filter(|_| self.set.get(template).is_none()) {
                self.set.insert(near);
            }
        }
    }

    /// Puts spellings where the connector has none: checks are written with them. What the profile has words for is spelled
    /// with these, the rest as on any engine; what the profile found not to be there is not taken for granted.
    fn take_for_granted(&mut self) {
        for template in in_order() {
            if self.set.get(template).is_some() || self.is_absent(template) {
                continue;
            }
            let all = candidates(template, self.without);
            let Some(plain) = all.first().filter(|first| first.pack == Some(ANY_ENGINE)) else {
                continue;
            };
            let own = all.iter().filter(|candidate| candidate.pack.is_none());
            let profiled = own
                .filter(|candidate| !names(&candidate.text).is_empty())
                .flat_map(|candidate| self.profile.texts(&candidate.text, braces(template)))
                .next();
            let granted = match profiled {
                Some(text) => spelled(template, &text, None),
                None => spelled(template, &plain.text, plain.pack),
            };
            if let Some(granted) = granted {
                self.set.insert(granted);
            }
        }
    }

    /// Whether the profile found that the engine has nothing of this kind: checks that take it besides judge the others
    /// without.
    fn is_absent(&self, template: &Template) -> bool {
        template.short_name() == "build_cte" && self.profile.first("with").is_none()
    }

    /// Whether the connector's own spelling stays.
    fn keeps(
        &mut self,
        own: &ConnectorTemplate,
        replaceable: &dyn Fn(&ConnectorTemplate) -> bool,
    ) -> bool {
        let template = own.template;
        let kept = match self.fate(own.clone()) {
            Fate::Right { .. } => Some(Kept::Proven),
            Fate::Lacking(_) => None,
            // What had no answer is not known to be wrong.
            Fate::Wrong(miss) if miss.is_unanswered() => return true,
            Fate::Wrong(_) if !replaceable(own) => Some(Kept::WrongAndOwn),
            Fate::Wrong(_) => None,
        };
        if let Some(kept) = kept {
            self.kept.insert(template, kept);
        }
        kept.is_some()
    }

    fn search(&mut self, template: &'static Template, on_event: &dyn Fn(Event<'_>)) {
        let mut tried = 0;
        let mut nearest: Option<Miss> = None;
        let mut best: Option<(usize, Found)> = None;
        let mut texts = VecDeque::from(self.texts(template));
        let mut proposed: BTreeSet<String> = BTreeSet::new();
        let mut cast: BTreeSet<String> = BTreeSet::new();
        while let Some((text, pack)) = texts.pop_front() {
            if self.budget.is_spent(self.trial) {
                break;
            }
            if self.functions.is_absent(&text) || !self.grammar.reads(&text) {
                continue;
            }
            let Some(spelled) = spelled(template, &text, pack) else {
                continue;
            };
            tried += 1;
            match self.fate(spelled) {
                Fate::Right {
                    checks,
                    rows,
                    excused,
                } => {
                    let found = Found {
                        template,
                        text,
                        pack,
                        checks,
                        rows,
                    };
                    if best.as_ref().is_none_or(|(least, _)| excused < *least) {
                        best = Some((excused, found));
                    }
                    if excused == 0 {
                        break;
                    }
                }
                Fate::Lacking(others) => {
                    if let Some(found) = self.with_others(template, &text, pack, &others) {
                        best = Some((0, found));
                        break;
                    }
                }
                Fate::Wrong(miss) => {
                    let others = self.functions.learn(&miss);
                    let mut casts = Vec::new();
                    if let Some(message) = miss.refusal() {
                        self.grammar.learn(&miss.text, Some(message));
                        casts = with_casts(template, &miss.text, message, self.profile);
                        casts.retain(|text| !self.functions.is_absent(text));
                    }
                    for (texts_told, known) in [(others, &mut proposed), (casts, &mut cast)] {
                        for text in texts_told {
                            if known.len() < PROPOSED && known.insert(text.clone()) {
                                texts.push_back((text, None));
                            }
                        }
                    }
                    if nearest
                        .as_ref()
                        .is_none_or(|near| near.passed < miss.passed)
                    {
                        nearest = Some(miss);
                    }
                }
            }
        }
        match best {
            Some((excused, found)) => self.accept(found, excused, on_event),
            // What an earlier round came nearest to still tells more than nothing.
            None if nearest.is_none() && self.missed.contains_key(template) => {}
            None => {
                let missed = Missed {
                    template,
                    tried,
                    nearest,
                };
                self.missed.insert(template, missed);
            }
        }
    }

    fn accept(&mut self, found: Found, excused: usize, on_event: &dyn Fn(Event<'_>)) {
        let template = found.template;
        self.grammar.learn(&found.text, None);
        if let Some(spelled) = spelled(template, &found.text, found.pack) {
            self.set.insert(spelled);
        }
        if let Some(pack) = found.pack {
            *self.wins.entry(pack).or_default() += 1;
        }
        if self.found.get(template) != Some(&found) {
            on_event(Event::Found(&found));
        }
        self.excused.insert(template, excused);
        self.missed.remove(template);
        self.found.insert(template, found);
    }

    /// A spelling that can only be judged with another template that is not there yet: both are found, or none.
    fn with_others(
        &mut self,
        template: &'static Template,
        text: &str,
        pack: Option<&'static str>,
        others: &[&'static Template],
    ) -> Option<Found> {
        let [other] = others else {
            return None;
        };
        let without = self.set.clone();
        self.set.insert(spelled(template, text, pack)?);
        let mut right = None;
        for (text, pack) in self.texts(other) {
            if self.budget.is_spent(self.trial) {
                break;
            }
            let Some(spelled) = spelled(other, &text, pack) else {
                continue;
            };
            if let Fate::Right { checks, rows, .. } = self.fate(spelled.clone()) {
                self.set.insert(spelled);
                let found = Found {
                    template: other,
                    text,
                    pack,
                    checks,
                    rows,
                };
                right = Some(found);
                break;
            }
        }
        let own = match right {
            Some(_) => spelled(template, text, pack).map(|own| self.fate(own)),
            None => None,
        };
        match (right, own) {
            (Some(other), Some(Fate::Right { checks, rows, .. })) => {
                self.excused.insert(other.template, 0);
                self.missed.remove(other.template);
                self.found.insert(other.template, other);
                Some(Found {
                    template,
                    text: text.to_owned(),
                    pack,
                    checks,
                    rows,
                })
            }
            _ => {
                self.set = without;
                None
            }
        }
    }

    /// The texts that may be right, those of packs that were right before first and those with functions that the engine does
    /// not list last.
    fn texts(&self, template: &'static Template) -> Vec<(String, Option<&'static str>)> {
        let mut all: Vec<Candidate> = candidates(template, self.without);
        all.sort_by_key(|candidate| {
            let wins = candidate.pack.filter(|pack| *pack != ANY_ENGINE);
            let wins = wins.and_then(|pack| self.wins.get(pack));
            std::cmp::Reverse(wins.copied().unwrap_or(0))
        });
        let mut texts: Vec<(String, Option<&'static str>)> = Vec::new();
        for candidate in all {
            let spelled = match candidate.pack {
                Some(_) => vec![candidate.text],
                None => self.profile.texts(&candidate.text, braces(template)),
            };
            for text in spelled {
                if texts.iter().all(|(known, _)| *known != text) {
                    texts.push((text, candidate.pack));
                }
            }
        }
        texts.sort_by_key(|(text, _)| self.functions.is_doubtful(text));
        texts
    }

    fn fate(&mut self, spelled: ConnectorTemplate) -> Fate {
        let template = spelled.template;
        let text = spelled.text.clone();
        let mut set = self.set.clone();
        set.insert(spelled);
        let set = Arc::new(set);
        let Standing {
            passed,
            excused,
            mut lacking,
            short,
        } = self.trial.judge(&set, template);
        lacking.retain(|other| *other == template || !self.is_absent(other));
        if let Some(short) = short {
            return Fate::Wrong(Miss {
                text,
                passed: passed.len(),
                short: Some(Box::new(short)),
                rows: None,
            });
        }
        if passed.is_empty() || !lacking.is_empty() {
            return Fate::Lacking(lacking.into_iter().collect());
        }
        match self.asked.wrong(self.trial, &set, template) {
            Ok(rows) => Fate::Right {
                checks: passed.len(),
                rows,
                excused: excused.len(),
            },
            Err(wrong) => Fate::Wrong(missed_rows(text, passed.len(), *wrong)),
        }
    }
}

fn missed_rows(text: String, passed: usize, wrong: WrongRow) -> Miss {
    Miss {
        text,
        passed,
        short: None,
        rows: Some(wrong),
    }
}

/// The templates that single statements judge, those that others are built from first.
pub(crate) fn in_order() -> impl Iterator<Item = &'static Template> {
    let sections = ORDER
        .iter()
        .flat_map(|section| Template::all().filter(move |template| template.section == *section));
    sections.filter(|template| {
        !matches!(
            template.judged_in,
            SuiteSection::Metadata | SuiteSection::Functional | SuiteSection::Connection
        )
    })
}

/// A text as a connector's template; none where it does not compile.
pub(crate) fn spelled(
    template: &'static Template,
    text: &str,
    pack: Option<&str>,
) -> Option<ConnectorTemplate> {
    Some(ConnectorTemplate {
        template,
        compiled: CompiledTemplate::compile(template.short_name(), text).ok()?,
        text: text.to_owned(),
        origin: pack
            .and_then(Pack::find)
            .map_or(Origin::Composed, |pack| Origin::Pack(Arc::clone(pack))),
    })
}
