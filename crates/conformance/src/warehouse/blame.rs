//! Finds out which template is at fault when checks fall short.
//!
//! Checks share templates, so one broken building block makes many fall short. Three things tell them apart:
//! a template that a passing check used is cleared, unless a check that used no other fell short; what is left is
//! narrowed to the fewest templates that explain every shortfall; and where that leaves a choice, the check is asked
//! again with one template at a time spelled as a dialect pack spells it: the one that makes it pass is at fault. Only
//! that convicts a template which no check of the run judges.

mod prober;

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::Template;

use crate::warehouse::finding::Finding;
use crate::warehouse::outcome::{Doubt, Fault, Outcome, Proof};
use crate::warehouse::report::{Culprit, Mend};
use crate::warehouse::runner::{Options, Subject};
use crate::warehouse::session::Session;
use crate::warehouse::{Activity, CheckId, Event};
use bowline_query::Clock;
use prober::{Probed, Prober};

/// The most statements asked to find the template at fault; a connector with more faults has enough to mend.
const PROBES: usize = 400;

/// The findings with blame laid, and who is at fault.
pub(crate) struct Blame {
    pub(crate) findings: Vec<Finding>,
    pub(crate) culprits: Vec<Culprit>,
}

/// Lays the blame.
pub(crate) fn blame(
    findings: Vec<Finding>,
    subject: &Subject,
    options: &Options,
    clock: Clock,
    session: &mut Session,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Blame {
    let short = findings
        .iter()
        .filter(|finding| finding.outcome.is_shortfall())
        .count();
    if short > 0 {
        on_event(Event::Doing(Activity::Blaming { checks: short }));
    }
    let prober = Prober {
        subject,
        options,
        clock,
        session,
        left: PROBES,
    };
    let unanswered = unanswered(&findings);
    Court {
        cleared: cleared(&findings, &unanswered),
        judged: judged(&findings),
        suspects: BTreeMap::new(),
        unanswered,
        findings,
        culprits: Vec::new(),
        prober,
    }
    .judge()
}

/// The templates that the database has answered rightly with, that never fell short all by themselves, and whose own
/// checks all had an answer: what works for one input may be at fault for the one that was never asked.
fn cleared(
    findings: &[Finding],
    unanswered: &BTreeMap<&'static Template, Doubt>,
) -> BTreeSet<&'static Template> {
    let not_proven: BTreeSet<&'static Template> = findings
        .iter()
        .filter(|finding| finding.uses.len() == 1 && finding.outcome.is_shortfall())
        .flat_map(|finding| finding.uses.iter().copied())
        .collect();
    findings
        .iter()
        .filter(|finding| {
            finding.outcome == Outcome::Supported
                && !finding.steps.is_empty()
                && !finding.rests_on_failure
        })
        .flat_map(|finding| finding.uses.iter().copied())
        .filter(|template| !not_proven.contains(template) && !unanswered.contains_key(template))
        .collect()
}

/// The templates that a check of this run judges.
fn judged(findings: &[Finding]) -> BTreeSet<&'static Template> {
    let checks = findings.iter().map(|finding| &finding.check);
    checks.flat_map(|check| check.judges.clone()).collect()
}

/// The templates whose own checks fell short nowhere and had no answer somewhere, and why.
fn unanswered(findings: &[Finding]) -> BTreeMap<&'static Template, Doubt> {
    let mut unanswered = BTreeMap::new();
    for finding in findings {
        if let Some(doubt) = finding.outcome.unanswered() {
            let judged = finding.check.judges.iter();
            unanswered.extend(judged.map(|template| (*template, doubt.clone())));
        }
    }
    for finding in findings
        .iter()
        .filter(|finding| finding.outcome.is_shortfall())
    {
        for template in &finding.check.judges {
            unanswered.remove(template);
        }
    }
    unanswered
}

struct Court<'a> {
    findings: Vec<Finding>,
    cleared: BTreeSet<&'static Template>,
    judged: BTreeSet<&'static Template>,
    /// By position of a finding that is not explained yet: the templates that may be at fault for it.
    suspects: BTreeMap<usize, BTreeSet<&'static Template>>,
    /// The templates whose own checks fell short nowhere and had no answer somewhere, and why.
    unanswered: BTreeMap<&'static Template, Doubt>,
    culprits: Vec<Culprit>,
    prober: Prober<'a>,
}

impl Court<'_> {
    fn judge(mut self) -> Blame {
        self.accept_failed_renderings();
        self.gather_suspects();
        while let Some((culprit, mend)) = self.next_culprit() {
            self.convict(culprit, mend);
        }
        self.doubt_failures();
        self.follow_blocks();
        self.note_missing_blocks();
        // A template that is not there comes first only where more waits for it than hangs on any that is at fault.
        let at_fault = self.culprits.iter().filter(|each| each.is_at_fault());
        let most = at_fault.map(Culprit::weight).max().unwrap_or_default();
        self.culprits.sort_by_key(|culprit| {
            let is_minor = !culprit.is_at_fault() && culprit.blocks.len() <= most;
            (is_minor, std::cmp::Reverse(culprit.blocks.len()))
        });
        Blame {
            findings: self.findings,
            culprits: self.culprits,
        }
    }

    /// A template that cannot be rendered is at fault whatever the database would say.
    fn accept_failed_renderings(&mut self) {
        let failed: BTreeSet<&'static Template> = self
            .findings
            .iter()
            .filter_map(|finding| match &finding.outcome {
                Outcome::Wrong(Fault::Render { template, .. }) => Some(*template),
                _ => None,
            })
            .collect();
        for template in failed {
            let checks = self.ids(|finding| {
                matches!(&finding.outcome, Outcome::Wrong(Fault::Render { template: found, .. }) if *found == template)
            });
            let blocks = self.ids(|finding| blocked_by(finding, template));
            self.add_culprit(template, checks, blocks, None);
        }
    }

    fn gather_suspects(&mut self) {
        let bad: BTreeSet<&'static Template> = self
            .findings
            .iter()
            .filter(|finding| finding.outcome.is_shortfall())
            .flat_map(|finding| finding.check.judges.iter().copied())
            .collect();
        let partly = self.partly_at_fault(&bad);
        for (position, finding) in self.findings.iter().enumerate() {
            let rendered = !matches!(finding.outcome, Outcome::Wrong(Fault::Render { .. }));
            if !finding.outcome.is_shortfall() || !rendered || finding.check.judges.is_empty() {
                continue;
            }
            let mut suspects: BTreeSet<_> = finding
                .uses
                .iter()
                .copied()
                .filter(|template| !self.cleared.contains(template) || partly.contains(template))
                .collect();
            if suspects.is_empty() {
                // Every template has worked somewhere: it is one that fails for this input only.
                suspects.extend(finding.check.judges.iter().copied());
                suspects.extend(finding.uses.intersection(&bad).copied());
            }
            self.suspects.insert(position, suspects);
        }
    }

    /// The templates that work for some input, and that a check of their own, in which nothing else is suspect, shows
    /// to fail for another.
    fn partly_at_fault(&self, bad: &BTreeSet<&'static Template>) -> BTreeSet<&'static Template> {
        let short = self
            .findings
            .iter()
            .filter(|finding| finding.outcome.is_shortfall());
        short
            .filter_map(|finding| match finding.check.judges.as_slice() {
                [template] => Some((*template, &finding.uses)),
                _ => None,
            })
            .filter(|(template, uses)| {
                let is_above_suspicion =
                    |used: &&Template| self.cleared.contains(used) && !bad.contains(used);
                let others = uses.iter().filter(|used| *used != template);
                self.cleared.contains(template) && others.clone().all(is_above_suspicion)
            })
            .map(|(template, _)| template)
            .collect()
    }

    /// The template that explains most of what is left.
    fn next_culprit(&mut self) -> Option<(&'static Template, Probed<Option<Mend>>)> {
        let mut explains: BTreeMap<&'static Template, usize> = BTreeMap::new();
        for template in self.suspects.values().flatten() {
            *explains.entry(template).or_default() += 1;
        }
        let most = explains.values().max().copied()?;
        let tied: Vec<&'static Template> = explains
            .into_iter()
            .filter(|(_, count)| *count == most)
            .map(|(template, _)| template)
            .collect();
        // The shortest evidence says most clearly what is wrong.
        let position = self
            .suspects
            .iter()
            .filter(|(_, suspects)| tied.iter().any(|template| suspects.contains(template)))
            .map(|(position, _)| *position)
            .min_by_key(|position| {
                let finding = &self.findings[*position];
                (
                    finding.uses.len(),
                    finding
                        .steps
                        .iter()
                        .map(|step| step.sql.len())
                        .sum::<usize>(),
                )
            })?;
        let finding = &self.findings[position];
        let mut candidates: Vec<&'static Template> = tied
            .into_iter()
            .filter(|template| self.suspects[&position].contains(template))
            .collect();
        // Of two that may be it, what its author wrote is less tried than what the pack of an engine has.
        candidates.sort_by_key(|template| {
            let is_judged = finding.check.judges.contains(template);
            (!is_judged, self.prober.is_proven_elsewhere(template))
        });
        let mut unanswered = None;
        for template in &candidates {
            match self.prober.mend(&finding.check, template) {
                Ok(None) => {}
                Ok(mend) => return Some((template, Ok(mend))),
                Err(doubt) => unanswered = Some(doubt),
            }
        }
        if let Some(doubt) = &unanswered
            && self.leave_open(doubt)
        {
            return self.next_culprit();
        }
        // That nothing clears a template says little where its own checks had no answer.
        let open = self.suspects[&position]
            .iter()
            .find_map(|template| self.unanswered.get(template));
        if let Some(doubt) = open {
            self.findings[position].outcome = Outcome::Unknown(doubt.clone());
            self.suspects.remove(&position);
            return self.next_culprit();
        }
        let mend = unanswered.map_or(Ok(None), Err);
        let is_judged = |template: &&&'static Template| self.judged.contains(*template);
        if let Some(template) = candidates.iter().find(is_judged) {
            return Some((template, mend));
        }
        // Alone it explains what falls short of several; otherwise each check's own template does.
        if let Some(template) = candidates
            .iter()
            .find(|template| self.explains_several(template))
        {
            return Some((template, mend));
        }
        for template in candidates {
            for position in self.suspects.keys().copied().collect::<Vec<_>>() {
                self.acquit(position, template);
            }
        }
        self.next_culprit()
    }

    /// Whether a template may be at fault for shortfalls of checks that judge different others.
    fn explains_several(&self, template: &'static Template) -> bool {
        let among = self
            .suspects
            .iter()
            .filter(|(_, among)| among.contains(&template));
        let judges =
            among.filter_map(|(position, _)| self.findings[*position].check.judges.first());
        let judges: BTreeSet<&str> = judges.map(|template| template.name).collect();
        judges.len() > 1
    }

    /// Where a probe had no answer, nobody can say who of several is at fault: what they might explain is open. Gives
    /// whether there was any.
    fn leave_open(&mut self, doubt: &Doubt) -> bool {
        let before = self.suspects.len();
        let findings = &mut self.findings;
        self.suspects.retain(|position, among| {
            let is_clear = among.len() == 1;
            if !is_clear {
                findings[*position].outcome = Outcome::Unknown(doubt.clone());
            }
            is_clear
        });
        self.suspects.len() < before
    }

    /// Explains every shortfall that the template may be at fault for.
    fn convict(&mut self, culprit: &'static Template, mend: Probed<Option<Mend>>) {
        let explained: Vec<usize> = self
            .suspects
            .iter()
            .filter(|(_, suspects)| suspects.contains(&culprit))
            .map(|(position, _)| *position)
            .collect();
        let (mut checks, mut blocks) = (Vec::new(), Vec::new());
        let works_elsewhere = self.cleared.contains(&culprit);
        for position in explained {
            let check = &self.findings[position].check;
            // What a template that works elsewhere has to do with it is tried, where there is something to try it with.
            if works_elsewhere && !check.judges.contains(&culprit) {
                let is_why = match &mend {
                    Ok(Some(mend)) => self.prober.passes_with(check, culprit, mend),
                    Ok(None) => Ok(false),
                    Err(doubt) => Err(doubt.clone()),
                };
                match is_why {
                    Ok(true) => {}
                    Ok(false) => {
                        self.acquit(position, culprit);
                        continue;
                    }
                    Err(doubt) => {
                        self.findings[position].outcome = Outcome::Unknown(doubt);
                        self.suspects.remove(&position);
                        continue;
                    }
                }
            }
            self.suspects.remove(&position);
            let finding = &mut self.findings[position];
            if finding.check.judges.contains(&culprit) {
                checks.push(finding.check.id.clone());
            } else {
                finding.outcome = Outcome::Blocked { by: vec![culprit] };
                blocks.push(finding.check.id.clone());
            }
        }
        if checks.is_empty() {
            // None of its own checks fell short, so the blocked one that shows it best speaks for it.
            checks.extend(blocks.first().cloned());
        }
        blocks.extend(
            self.ids(|finding| blocked_by(finding, culprit))
                .into_iter()
                .filter(|id| !blocks.contains(id))
                .collect::<Vec<_>>(),
        );
        self.add_culprit(culprit, checks, blocks, mend.ok().flatten());
    }

    /// Takes a template off the suspects of a finding; the judged ones are left when no one else is.
    fn acquit(&mut self, position: usize, template: &'static Template) {
        let judges = &self.findings[position].check.judges;
        if let Some(suspects) = self.suspects.get_mut(&position)
            && suspects.remove(template)
            && suspects.is_empty()
        {
            suspects.extend(judges.iter().copied());
        }
    }

    fn at_fault(&self) -> BTreeSet<&'static Template> {
        self.culprits
            .iter()
            .map(|culprit| culprit.template)
            .collect()
    }

    /// A statement that had to fail proves nothing when a template at fault stood in it.
    fn doubt_failures(&mut self) {
        let at_fault = self.at_fault();
        for finding in &mut self.findings {
            if finding.rests_on_failure && finding.outcome == Outcome::Supported {
                let judges = &finding.check.judges;
                let by: Vec<_> = finding
                    .uses
                    .intersection(&at_fault)
                    .copied()
                    .filter(|template| !judges.contains(template))
                    .collect();
                if !by.is_empty() {
                    finding.outcome = Outcome::Blocked { by };
                }
            }
        }
    }

    /// A check blocked by a template that is itself blocked names the one at the root.
    fn follow_blocks(&mut self) {
        let mut roots: BTreeMap<&'static Template, Vec<&'static Template>> = BTreeMap::new();
        for finding in &self.findings {
            if let Outcome::Blocked { by } = &finding.outcome {
                for template in &finding.check.judges {
                    roots.entry(template).or_insert_with(|| by.clone());
                }
            }
        }
        let at_fault = self.at_fault();
        for finding in &mut self.findings {
            if let Outcome::Blocked { by } = &mut finding.outcome {
                let root = |template: &&'static Template| {
                    let blocked = roots.get(template).filter(|_| !at_fault.contains(template));
                    blocked.cloned().unwrap_or_else(|| vec![*template])
                };
                let mut names: Vec<_> = by.iter().flat_map(root).collect();
                names.sort();
                names.dedup();
                *by = names;
            }
        }
        for culprit in &mut self.culprits {
            let blocked = self
                .findings
                .iter()
                .filter(|finding| blocked_by(finding, culprit.template));
            culprit.blocks = blocked.map(|finding| finding.check.id.clone()).collect();
        }
    }

    /// A template that is not implemented is no fault, but the report says what waits for it.
    fn note_missing_blocks(&mut self) {
        let missing: BTreeSet<&'static Template> = self
            .findings
            .iter()
            .filter_map(|finding| match &finding.outcome {
                Outcome::Unsupported(Proof::NotImplemented(templates)) => {
                    Some(templates.iter().copied())
                }
                _ => None,
            })
            .flatten()
            .collect();
        for template in missing {
            let blocks = self.ids(|finding| blocked_by(finding, template));
            let own = self.ids(|finding| finding.check.judges.contains(&template));
            if let (false, Some(check)) = (blocks.is_empty(), own.first()) {
                self.culprits.push(Culprit {
                    template,
                    check: check.clone(),
                    checks: Vec::new(),
                    blocks,
                    mend: None,
                });
            }
        }
    }

    fn add_culprit(
        &mut self,
        template: &'static Template,
        checks: Vec<CheckId>,
        blocks: Vec<CheckId>,
        mend: Option<Mend>,
    ) {
        // Its own check shows it best; the one with the least around it first.
        let size = |id: &&CheckId| {
            let finding = self
                .findings
                .iter()
                .find(|finding| finding.check.id == **id);
            finding.map_or(usize::MAX, |finding| finding.uses.len())
        };
        if let Some(check) = checks.iter().min_by_key(size).cloned() {
            self.culprits.push(Culprit {
                template,
                check,
                checks,
                blocks,
                mend,
            });
        }
    }

    fn ids(&self, which: impl Fn(&Finding) -> bool) -> Vec<CheckId> {
        self.findings
            .iter()
            .filter(|finding| which(finding))
            .map(|finding| finding.check.id.clone())
            .collect()
    }
}

fn blocked_by(finding: &Finding, template: &'static Template) -> bool {
    matches!(&finding.outcome, Outcome::Blocked { by } if by.contains(&template))
}
