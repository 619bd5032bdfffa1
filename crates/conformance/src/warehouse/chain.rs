//! Checks that are code: each is a record like the others, but its statements follow from earlier answers.

use std::sync::Arc;

use bowline_connector::template::{Arguments, TemplateSet};
use bowline_contract::{Capability, SuiteSection, Template};
use bowline_driver::ResultSet;
use bowline_template::TemplateValue;

use crate::warehouse::finding::{Finding, refusal, unwritten};
use crate::warehouse::outcome::{Doubt, Outcome, Proof};
use crate::warehouse::session::Session;
use crate::{CheckId, CheckInfo, Tier};
use bowline_query::Composer;

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

    pub(crate) fn info(&self, section: SuiteSection) -> CheckInfo {
        CheckInfo {
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
    findings: Vec<Finding>,
}

/// A step's result; the error side is the check's outcome.
pub(crate) type Asked<T> = Result<T, Outcome>;

impl<'a> Chain<'a> {
    pub(crate) fn new(
        section: SuiteSection,
        templates: Arc<TemplateSet>,
        session: &'a mut Session,
    ) -> Self {
        Self {
            section,
            composer: Composer::new(templates),
            session,
            findings: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether the connector has a template.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.composer
            .templates()
            .get(Template::known(name))
            .is_some()
    }

    /// Runs one check; what its body gives is handed on when the check is supported.
    pub(crate) fn check<T>(
        &mut self,
        spec: &Spec,
        body: impl FnOnce(&mut Self, &CheckInfo) -> Asked<T>,
    ) -> Option<T> {
        let info = spec.info(self.section);
        let missing: Vec<&'static Template> = info
            .judges
            .iter()
            .copied()
            .filter(|template| self.composer.templates().get(template).is_none())
            .collect();
        let (value, outcome) = if self.session.interrupt().is_stopped() {
            (None, Outcome::Unknown(Doubt::Interrupted))
        } else if missing.is_empty() {
            match body(self, &info) {
                Ok(value) => (Some(value), Outcome::Supported),
                Err(outcome) => (None, outcome),
            }
        } else {
            (None, Outcome::Unsupported(Proof::NotImplemented(missing)))
        };
        let finding = Finding::new(
            info,
            outcome,
            self.composer.take_used(),
            self.session.take_steps(),
        );
        self.findings.push(finding);
        value
    }

    /// Notes a check that cannot be asked because an earlier one of the chain did not succeed.
    pub(crate) fn not_reached(&mut self, spec: &Spec, after: &Spec) {
        let earlier = after.info(self.section);
        let outcome = match self
            .findings
            .iter()
            .find(|finding| finding.info.id == earlier.id)
        {
            Some(Finding {
                outcome: Outcome::Blocked { by },
                ..
            }) => Outcome::Blocked { by: by.clone() },
            Some(finding) if finding.outcome.is_shortfall() && !earlier.judges.is_empty() => {
                Outcome::Blocked { by: earlier.judges }
            }
            Some(Finding {
                outcome: Outcome::Unsupported(_),
                ..
            }) => Outcome::Unsupported(Proof::Absent(format!("`{}` is not supported", earlier.id))),
            _ => Outcome::Unknown(Doubt::NotReached(format!(
                "`{}` did not succeed",
                earlier.id
            ))),
        };
        self.check::<()>(spec, |_, _| Err(outcome));
    }

    /// Renders a template; a failure is the check's outcome.
    pub(crate) fn render(
        &self,
        info: &CheckInfo,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Asked<String> {
        self.composer
            .render(
                Template::known(name),
                Arguments {
                    variables,
                    placeholders: Vec::new(),
                },
            )
            .map_err(|error| unwritten(&error, &info.judges))
    }

    /// Renders a template and runs it.
    pub(crate) fn query(
        &mut self,
        info: &CheckInfo,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Asked<ResultSet> {
        let sql = self.render(info, name, variables)?;
        self.session
            .run(Some(Template::known(name).short_name()), &sql)
            .map_err(refusal)
    }
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
