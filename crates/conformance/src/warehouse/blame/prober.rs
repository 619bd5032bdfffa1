//! Asks a check again with another spelling of one template: the pack's, where that may be what is at fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_contract::Template;
use bowline_query::{Clock, Composer, Expressions};
use bowline_warehouse::dialect::{ANY_ENGINE, Pack};
use bowline_warehouse::template::{Origin, TemplateSet};

use crate::warehouse::Check;
use crate::warehouse::excuse::ask_and_judge;
use crate::warehouse::outcome::{Doubt, Outcome};
use crate::warehouse::plan::{Prepared, prepare};
use crate::warehouse::record::CheckRecord;
use crate::warehouse::record_files::record_of;
use crate::warehouse::report::Mend;
use crate::warehouse::runner::{Options, Subject};
use crate::warehouse::session::Session;

/// Asks checks again with one template spelled another way.
pub(super) struct Prober<'a> {
    pub(super) subject: &'a Subject,
    pub(super) options: &'a Options,
    pub(super) clock: Clock,
    pub(super) session: &'a mut Session,
    /// How many statements may still be asked.
    pub(super) left: usize,
}

/// The pack that a connector starts from, and those that the program brings.
fn packs(templates: &TemplateSet) -> impl Iterator<Item = &Arc<Pack>> {
    templates.pack().into_iter().chain(Pack::all())
}

/// What asking again told; a doubt where there was no answer.
pub(super) type Probed<T> = Result<T, Doubt>;

impl Prober<'_> {
    /// A spelling of the template with which the check passes.
    pub(super) fn mend(
        &mut self,
        check: &Check,
        template: &'static Template,
    ) -> Probed<Option<Mend>> {
        let own = self.subject.templates.get(template);
        let (Some(record), Some(own)) = (record_of(check), own) else {
            return Ok(None);
        };
        let mut unanswered = None;
        let mut tried = BTreeSet::from([own.text.clone()]);
        // What it starts from is nearer than what other engines say.
        for pack in packs(&self.subject.templates) {
            let Some(other) = pack
                .template(template)
                .filter(|other| tried.insert(other.text.clone()))
            else {
                continue;
            };
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let mut templates = TemplateSet::clone(&self.subject.templates);
            let text = other.text.clone();
            templates.insert(other);
            match self.passes(record, check, templates) {
                Ok(true) => {
                    let pack = pack.name.clone();
                    return Ok(Some(Mend { pack, text }));
                }
                Ok(false) => {}
                Err(doubt) => unanswered = Some(doubt),
            }
        }
        unanswered.map_or(Ok(None), Err)
    }

    /// Whether the connector has the template from the pack of an engine.
    pub(super) fn is_proven_elsewhere(&self, template: &'static Template) -> bool {
        let own = self.subject.templates.get(template);
        own.is_some_and(|own| matches!(&own.origin, Origin::Pack(pack) if pack.name != ANY_ENGINE))
    }

    /// Whether a check passes with a template spelled as a mend says.
    pub(super) fn passes_with(
        &mut self,
        check: &Check,
        template: &'static Template,
        mend: &Mend,
    ) -> Probed<bool> {
        let mut packs = packs(&self.subject.templates);
        let other = packs.find(|pack| pack.name == mend.pack);
        let other = other.and_then(|pack| pack.template(template));
        let (Some(record), Some(other)) = (record_of(check), other) else {
            return Ok(false);
        };
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let mut templates = TemplateSet::clone(&self.subject.templates);
        templates.insert(other);
        self.passes(record, check, templates)
    }

    fn passes(
        &mut self,
        record: &CheckRecord,
        check: &Check,
        templates: TemplateSet,
    ) -> Probed<bool> {
        let expressions = Expressions::new(Composer::new(Arc::new(templates)), self.clock);
        let Ok(Prepared { question, .. }) =
            prepare(record, check.clone(), &expressions, self.options.tier)
        else {
            return Ok(false);
        };
        // What the database refuses may pass, but then no spelling is found.
        let outcome = ask_and_judge(check, &question.answered(), self.session);
        match outcome.unanswered() {
            Some(doubt) => Err(doubt.clone()),
            None => Ok(outcome == Outcome::Supported),
        }
    }
}
