//! The search for templates that whole runs judge: those of the catalogue, of the query log, and what functional checks
//! change.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{
    Options, Outcome, Proof, Report, Short, Subject, Trial, named_beside, run, undo,
};
use bowline_contract::{SuiteSection, Template};
use bowline_driver::Connection;
use bowline_template::TemplateValue;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{Arguments, ConnectorTemplate, Origin, TemplateSet};

use crate::bank::{braces, candidates};
use crate::budget::Budget;
use crate::fit::{kept_as, without};
use crate::outcome::{Event, Found, Kept, Miss, Missed};
use crate::profile::Profile;
use crate::search::spelled;

/// What tables are found through, each standing on those before it and all on databases and schemas.
const LISTING: [&str; 2] = ["get_tables_query", "get_columns_query"];

/// What functional checks change beside making and dropping a table.
const CHANGING: [&str; 4] = [
    "insert_rows",
    "add_column",
    "drop_column",
    "create_lineage_query",
];

/// The sections that judge the catalogue's templates.
const CATALOGUE: &[SuiteSection] = &[SuiteSection::Metadata];
/// Those that do where a table may be made: what lists the tables that are there may miss what becomes of a new one.
const WITH_CHANGES: &[SuiteSection] = &[SuiteSection::Metadata, SuiteSection::Functional];
/// Those that judge what functional checks change.
const CHANGES: &[SuiteSection] = &[SuiteSection::Functional];

/// How many texts of each of the bank's are tried: a whole run is dear.
const VARIANTS: usize = 3;

/// How many ways to make a table are tried in whole runs.
const PAIRS: usize = 6;

/// What was found.
pub(crate) struct Catalogue {
    pub(crate) templates: TemplateSet,
    pub(crate) found: BTreeMap<&'static Template, Found>,
    pub(crate) kept: BTreeMap<&'static Template, Kept>,
    pub(crate) missed: BTreeMap<&'static Template, Missed>,
    /// Statements that would remove what could not be removed.
    pub(crate) left_behind: Vec<String>,
}

/// What is wanted, and what of it may be replaced.
pub(crate) struct Wanted<'a> {
    pub(crate) templates: &'a [&'static Template],
    pub(crate) replaceable: &'a dyn Fn(&ConnectorTemplate) -> bool,
    pub(crate) without: &'a [String],
}

struct Search<'a> {
    subject: &'a Subject,
    options: &'a Options,
    budget: &'a Budget,
    trial: &'a Trial,
    profile: &'a Profile,
    wanted: Wanted<'a>,
    catalogue: Catalogue,
    /// Spellings that led nowhere, though nothing spoke against them.
    passed_over: Vec<String>,
}

/// Searches with whole runs of the sections that judge a template.
pub(crate) fn search(
    subject: &Subject,
    options: &Options,
    (budget, trial, profile): (&Budget, &Trial, &Profile),
    wanted: Wanted<'_>,
    on_event: &dyn Fn(Event<'_>),
) -> Catalogue {
    let catalogue = Catalogue {
        templates: TemplateSet::clone(&subject.templates),
        found: BTreeMap::new(),
        kept: BTreeMap::new(),
        missed: BTreeMap::new(),
        left_behind: Vec::new(),
    };
    let mut search = Search {
        subject,
        options,
        budget,
        trial,
        profile,
        wanted,
        catalogue,
        passed_over: Vec::new(),
    };
    search.listing(on_event);
    if subject.functional.is_some() {
        search.changing(on_event);
    }
    search.catalogue
}

impl Search<'_> {
    fn listing(&mut self, on_event: &dyn Fn(Event<'_>)) {
        self.databases_and_schemas(on_event);
        // Whether an identifier leads to a table is only seen where tables are listed.
        let names = LISTING.iter().copied();
        let names = names.chain(["get_table_identifier", "get_query_logs_query"]);
        for name in names {
            self.search(Template::known(name), CATALOGUE, on_event);
        }
    }

    /// A database's name is right when schemas are found by it: an engine may have one name for what it is connected to,
    /// and know it by another in its catalogue. So where no schemas are found, the next spelling of databases has its turn.
    fn databases_and_schemas(&mut self, on_event: &dyn Fn(Event<'_>)) {
        let [databases, schemas] =
            ["get_databases_query", "get_schemas_query"].map(Template::known);
        self.search(databases, CATALOGUE, on_event);
        self.search(schemas, CATALOGUE, on_event);
        let mut first = None;
        while self.catalogue.missed.contains_key(schemas)
            && let Some(found) = self.catalogue.found.remove(databases)
        {
            self.catalogue.templates = without(&self.catalogue.templates, databases, None);
            self.passed_over.push(found.text.clone());
            first = first.or(Some(found));
            self.search(databases, CATALOGUE, on_event);
            if self.catalogue.found.contains_key(databases) {
                self.catalogue.missed.remove(schemas);
                self.search(schemas, CATALOGUE, on_event);
            }
        }
        let is_lost = !self.catalogue.found.contains_key(databases);
        if let Some(found) = first.filter(|_| is_lost) {
            self.catalogue.missed.remove(databases);
            self.keep(found, on_event);
        }
    }

    /// Takes a spelling for the connector's.
    fn keep(&mut self, found: Found, on_event: &dyn Fn(Event<'_>)) {
        if let Some(spelled) = spelled(found.template, &found.text, found.pack) {
            self.catalogue.templates.insert(spelled);
        }
        on_event(Event::Found(&found));
        self.catalogue.found.insert(found.template, found);
    }

    fn changing(&mut self, on_event: &dyn Fn(Event<'_>)) {
        self.making(on_event);
        for name in CHANGING {
            self.search(Template::known(name), CHANGES, on_event);
        }
        if self.listing_by_changes(on_event) {
            let missed = CHANGING.map(Template::known).into_iter();
            let missed: Vec<_> = missed
                .filter(|template| self.catalogue.missed.contains_key(template))
                .collect();
            for template in missed {
                self.catalogue.missed.remove(template);
                self.search(template, CHANGES, on_event);
            }
        }
    }

    /// Looks for other spellings in place of those that list what was there and are wrong about what was made and
    /// changed. Gives whether there were such.
    fn listing_by_changes(&mut self, on_event: &dyn Fn(Event<'_>)) -> bool {
        let makes = |name| {
            self.catalogue
                .templates
                .get(Template::known(name))
                .is_some()
        };
        if !makes("create_test_table") || !makes("drop_test_table") {
            return false;
        }
        let mut is_other = false;
        for template in LISTING.map(Template::known) {
            let Some(found) = self.catalogue.found.get(template).cloned() else {
                continue;
            };
            let Some(report) = self.run(&self.catalogue.templates.clone(), WITH_CHANGES) else {
                return is_other;
            };
            let short = miss(&report, template, found.text);
            if stands(&report, template) || !short.as_ref().is_some_and(is_refuted) {
                continue;
            }
            is_other = true;
            self.catalogue.found.remove(template);
            let own = self.subject.templates.get(template);
            self.catalogue.templates = without(&self.catalogue.templates, template, own);
            self.search(template, WITH_CHANGES, on_event);
        }
        is_other
    }

    /// How a table is made and dropped: the two are found together, since what cannot be dropped must not be made.
    fn making(&mut self, on_event: &dyn Fn(Event<'_>)) {
        let [create, drop] = ["create_test_table", "drop_test_table"].map(Template::known);
        let both = [create, drop];
        if !both
            .iter()
            .all(|template| self.wanted.templates.contains(template))
        {
            return;
        }
        on_event(Event::Trying {
            template: create,
            done: 0,
            of: 0,
        });
        let own = both.map(|template| self.catalogue.templates.get(template).cloned());
        if let [Some(_), Some(_)] = own {
            let report = self.run(&self.catalogue.templates.clone(), CHANGES);
            let kept = both.map(|template| {
                let verdict = report.as_ref().and_then(|report| verdict(report, template));
                kept_as(
                    verdict,
                    own.iter()
                        .flatten()
                        .all(|own| (self.wanted.replaceable)(own)),
                )
            });
            if let [Some(create_kept), Some(drop_kept)] = kept {
                self.catalogue
                    .kept
                    .extend([(create, create_kept), (drop, drop_kept)]);
                return;
            }
        }
        let pairs = self.pairs(create, drop);
        let tried = pairs.len();
        let mut best: Option<(usize, [Found; 2])> = None;
        for pair in pairs {
            let mut set = self.catalogue.templates.clone();
            for spelled in &pair {
                set.insert(spelled.clone());
            }
            let Some(report) = self.run(&set, CHANGES) else {
                continue;
            };
            let weight = supported(&report);
            let is_right = both
                .iter()
                .all(|template| verdict(&report, template) == Some(Verdict::Supported));
            if is_right && best.as_ref().is_none_or(|(most, _)| weight > *most) {
                let found = pair.map(|spelled| found_in(&report, &spelled));
                best = Some((weight, found));
            }
        }
        let Some((_, pair)) = best else {
            for template in both {
                let missed = Missed {
                    template,
                    tried,
                    nearest: None,
                };
                self.catalogue.missed.insert(template, missed);
            }
            return;
        };
        for found in pair {
            self.keep(found, on_event);
        }
    }

    /// Spellings that make a table, each with the first that drops it. Only what was made here is dropped here.
    fn pairs(
        &mut self,
        create: &'static Template,
        drop: &'static Template,
    ) -> Vec<[ConnectorTemplate; 2]> {
        let Some(mut connection) = self.subject.database.connect().ok() else {
            return Vec::new();
        };
        let all = |template| {
            let texts = self.texts(template).into_iter();
            let spelled = texts.filter_map(move |(text, pack)| spelled(template, &text, pack));
            spelled.collect::<Vec<_>>()
        };
        let drops = all(drop);
        let mut pairs = Vec::new();
        for create in all(create) {
            if pairs.len() == PAIRS || self.budget.is_spent(self.trial) {
                break;
            }
            let Some(sql) = self.rendered(&create) else {
                continue;
            };
            if connection.run(&sql, &self.options.limits).is_err() {
                continue;
            }
            let mut dropping = drops.iter().filter(|drop| {
                // What says nothing of a table that is not there may have dropped nothing.
                let is_gone = |connection: &mut dyn Connection| {
                    connection.run(&sql, &self.options.limits).is_ok()
                };
                self.rendered(drop).is_some_and(|drop| {
                    let dropped = connection.run(&drop, &self.options.limits).is_ok();
                    dropped
                        && is_gone(&mut *connection)
                        && connection.run(&drop, &self.options.limits).is_ok()
                })
            });
            match dropping.next() {
                Some(drop) => pairs.push([create, drop.clone()]),
                None => self.catalogue.left_behind.push(undo(&sql)),
            }
        }
        pairs
    }

    /// A statement about a table that the search makes.
    fn rendered(&self, spelled: &ConnectorTemplate) -> Option<String> {
        let target = self.subject.functional.as_ref()?;
        let mut set = TemplateSet::default();
        set.insert(spelled.clone());
        let text = |text: &str| TemplateValue::Text(text.to_owned());
        let mut variables = vec![
            ("schema", text(&target.schema)),
            // With capitals: a pair that disagrees on whether case counts drops nothing.
            ("table", text(&named_beside(&target.table, "Fit"))),
        ];
        variables.extend(
            target
                .database
                .as_deref()
                .map(|name| ("database", text(name))),
        );
        let arguments = Arguments {
            variables,
            placeholders: Vec::new(),
        };
        set.render(spelled.template, &arguments).ok()
    }

    fn search(
        &mut self,
        template: &'static Template,
        sections: &[SuiteSection],
        on_event: &dyn Fn(Event<'_>),
    ) {
        if !self.wanted.templates.contains(&template) || self.budget.is_spent(self.trial) {
            return;
        }
        on_event(Event::Trying {
            template,
            done: 0,
            of: 0,
        });
        let mut before = 0;
        if let Some(own) = self.catalogue.templates.get(template).cloned() {
            let report = self.run(&self.catalogue.templates.clone(), sections);
            let verdict = report.as_ref().and_then(|report| verdict(report, template));
            before = report.as_ref().map_or(0, supported);
            if let Some(kept) = kept_as(verdict, (self.wanted.replaceable)(&own)) {
                self.catalogue.kept.insert(template, kept);
                return;
            }
        }
        let mut connection = self.subject.database.connect().ok();
        let mut tried = 0;
        let mut best: Option<(usize, Found)> = None;
        let mut nearest = None;
        for (text, pack) in self.texts(template) {
            if self.budget.is_spent(self.trial) {
                break;
            }
            if self.passed_over.contains(&text) {
                continue;
            }
            let Some(spelled) = spelled(template, &text, pack) else {
                continue;
            };
            tried += 1;
            let mut set = self.catalogue.templates.clone();
            set.insert(spelled.clone());
            if !connection
                .as_deref_mut()
                .is_some_and(|connection| self.may_be_right(connection, &set, template))
            {
                continue;
            }
            let Some(report) = self.run(&set, sections) else {
                continue;
            };
            if stands(&report, template) && supported(&report) >= before {
                let found = found_in(&report, &spelled);
                let weight = supported(&report);
                let is_better = best.as_ref().is_none_or(|(most, _)| weight > *most);
                if is_better {
                    best = Some((weight, found));
                }
            } else if let Some(miss) = miss(&report, template, text)
                // What nothing spoke against is nearer than what something did.
                && (!is_refuted(&miss) || nearest.as_ref().is_none_or(is_refuted))
            {
                nearest = Some(miss);
            }
        }
        match best {
            Some((_, found)) => self.keep(found, on_event),
            None => {
                let missed = Missed {
                    template,
                    tried,
                    nearest,
                };
                self.catalogue.missed.insert(template, missed);
            }
        }
    }

    fn texts(&self, template: &'static Template) -> Vec<(String, Option<&'static str>)> {
        let all = candidates(template, self.wanted.without).into_iter();
        all.flat_map(|candidate| {
            let texts = match candidate.pack {
                Some(_) => vec![candidate.text],
                None => self.profile.texts(&candidate.text, braces(template)),
            };
            texts
                .into_iter()
                .take(VARIANTS)
                .map(move |text| (text, candidate.pack))
        })
        .collect()
    }

    fn run(&mut self, templates: &TemplateSet, sections: &[SuiteSection]) -> Option<Report> {
        let subject = Subject {
            templates: Arc::new(templates.clone()),
            ..self.subject.clone()
        };
        let options = Options {
            sections: sections.to_vec(),
            ..self.options.clone()
        };
        let report = run(&subject, &options, &self.budget.interrupt, &|_| {}).ok()?;
        let left_behind = report.left_behind.iter().cloned();
        self.catalogue.left_behind.extend(left_behind);
        Some(report)
    }

    /// Whether the engine makes sense of a spelling: what it refuses needs no whole run.
    fn may_be_right(
        &self,
        connection: &mut dyn Connection,
        set: &TemplateSet,
        template: &'static Template,
    ) -> bool {
        if !LISTING.contains(&template.short_name()) {
            return true;
        }
        let text = |text: &str| TemplateValue::Text(text.to_owned());
        let arguments = Arguments {
            variables: template
                .variables
                .iter()
                .filter_map(|variable| {
                    let value = match variable.name {
                        "database_name" => text("absent"),
                        "schemas" | "tables" => text("'absent'"),
                        "limit" => TemplateValue::Integer(10),
                        "offset" => TemplateValue::Integer(0),
                        _ => return None,
                    };
                    Some((variable.name, value))
                })
                .collect(),
            placeholders: Vec::new(),
        };
        set.render(template, &arguments)
            .is_ok_and(|sql| connection.run(&sql, &self.options.limits).is_ok())
    }
}

/// Whether a check fell short with a spelling, and did not end without an answer.
pub(crate) fn is_refuted(miss: &Miss) -> bool {
    let short = miss.short.as_ref();
    short.is_none_or(|short| short.outcome.is_shortfall())
}

pub(crate) fn verdict(report: &Report, template: &'static Template) -> Option<Verdict> {
    let found = report.templates.iter();
    let mut found = found.filter(|found| found.template == template);
    found.next().and_then(|found| found.verdict)
}

/// Whether nothing speaks against a template in a run, and something for it. Where another template is in the way of a
/// check, or is not there, that is the other's fault.
pub(crate) fn stands(report: &Report, template: &'static Template) -> bool {
    let found = report
        .templates
        .iter()
        .find(|found| found.template == template);
    let ids = found.map_or(&[][..], |found| &found.checks);
    let judging = || {
        let checks = report.checks.iter();
        checks.filter(|check| ids.contains(&check.check.id))
    };
    let is_others_fault = |outcome: &Outcome| match outcome {
        Outcome::Unsupported(Proof::NotImplemented(missing)) => !missing.contains(&template),
        outcome => !outcome.is_shortfall(),
    };
    match verdict(report, template) {
        Some(Verdict::Supported) => true,
        Some(Verdict::Blocked | Verdict::Unsupported) => {
            judging().all(|check| is_others_fault(&check.outcome))
                && judging().any(|check| check.outcome == Outcome::Supported)
        }
        _ => false,
    }
}

/// What a spelling fell short of in a run, or what had no answer; none when nothing stood against it.
pub(crate) fn miss(report: &Report, template: &'static Template, text: String) -> Option<Miss> {
    let checks = report.checks.iter();
    let judged: Vec<_> = checks
        .filter(|check| check.check.judges.contains(&template))
        .collect();
    let short = judged.iter().find(|check| check.outcome.is_shortfall());
    let open = || {
        let mut judged = judged.iter();
        judged.find(|check| matches!(check.outcome, Outcome::Unknown(_)))
    };
    let fell = short.or_else(open)?;
    let passed = judged.iter();
    Some(Miss {
        text,
        passed: passed
            .filter(|check| check.outcome == Outcome::Supported)
            .count(),
        short: Some(Box::new(Short {
            check: fell.check.clone(),
            outcome: fell.outcome.clone(),
            sql: fell.steps.last().map(|step| step.sql.clone()),
        })),
        rows: None,
    })
}

fn found_in(report: &Report, spelled: &ConnectorTemplate) -> Found {
    let checks = report.checks.iter();
    let judging = checks.filter(|check| check.check.judges.contains(&spelled.template));
    Found {
        template: spelled.template,
        text: spelled.text.clone(),
        pack: match &spelled.origin {
            Origin::Pack(pack) => Pack::find(&pack.name).map(|pack| pack.name.as_str()),
            Origin::Composed | Origin::File { .. } => None,
        },
        checks: judging.count(),
        rows: 0,
    }
}

fn supported(report: &Report) -> usize {
    let checks = report.checks.iter();
    checks
        .filter(|check| check.outcome.verdict() == Verdict::Supported)
        .count()
}
