//! What a reader does after a run.

use bowline_contract::{PipelineSection, SuiteSection};

use crate::warehouse::{Culprit, DatabaseErrorKind, Reason, TextOrigin};
use crate::{Conclusion, PipelineReport, Report, WarehouseReport};

/// What can be done about a log that has statements which the connector's database cannot take.
pub const UNREADABLE_LOG: &str = "the log has text of databases in other encodings: connect to a database in UTF-8, or let \
    the server forget theirs, as on PostgreSQL with `SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE \
    encoding <> (SELECT encoding FROM pg_database WHERE datname = current_database())`";

/// What comes after a run, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// What to mend.
    Mend(String),
    /// All is well: what comes then.
    Onward(String),
}

impl NextStep {
    /// The step in words.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Mend(words) | Self::Onward(words) => words,
        }
    }
}

impl Report {
    /// What to do next, where that is plain.
    #[must_use]
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Warehouse(report) => report.next_step(),
            Self::Pipeline(report) => report.next_step(),
        }
    }
}

impl PipelineReport {
    /// See [`Report::next_step`].
    #[must_use]
    pub fn next_step(&self) -> Option<NextStep> {
        let name = &self.connector;
        match self.shortfalls().next() {
            Some(check) => Some(NextStep::Mend(format!(
                "mend what {} tells, then run `bowline test {name} -m {}`",
                check.id, check.section
            ))),
            None if self.interrupted => None,
            None if self.sections.len() < PipelineSection::ALL.len() => Some(NextStep::Onward(
                format!("run `bowline test {name}`, which asks all at once"),
            )),
            None if self.conclusion() != Conclusion::Fine => Some(NextStep::Onward(format!(
                "run `bowline test {name}` again: `bowline build` takes nothing that is unknown"
            ))),
            None => Some(NextStep::Onward(
                "run `bowline build`, which puts what was proven into an agent image".to_owned(),
            )),
        }
    }
}

impl WarehouseReport {
    /// See [`Report::next_step`].
    #[must_use]
    pub fn next_step(&self) -> Option<NextStep> {
        let name = &self.connector;
        if let Some(culprit) = self.culprits.first().filter(|_| !self.is_dead()) {
            let section = self
                .check(&culprit.check)
                .map(|check| format!(" -m {}", check.section))
                .unwrap_or_default();
            let template = &culprit.template;
            let mend = match &culprit.place {
                Some(_) if culprit.needs.is_some() => format!(
                    "see to what {template} needs, or write `{template} = false` in {} to do without it",
                    culprit.home
                ),
                Some(TextOrigin::File(at)) => format!("mend {template} at {at}"),
                Some(TextOrigin::Pack(_)) if self.is_refused(culprit) => format!(
                    "spell {template} your own way in {}, or write `{template} = false` there to do without it",
                    culprit.home
                ),
                Some(TextOrigin::Pack(_)) => {
                    format!("spell {template} your own way in {}", culprit.home)
                }
                None if self.is_searched(template) => {
                    format!("spell {template} your own way in {}", culprit.home)
                }
                None => format!(
                    "spell {template} your own way in {}, or let `bowline fit {name}` look for what is missing",
                    culprit.home
                ),
            };
            return Some(NextStep::Mend(format!(
                "{mend}, then run `bowline test {name}{section}`"
            )));
        }
        if let Some(step) = self.way_out() {
            return Some(NextStep::Mend(step));
        }
        (self.conclusion() == Conclusion::Fine).then(|| {
            NextStep::Onward(match self.next_section() {
                Some(section) => format!("run `bowline test {name} -m {section}`"),
                None if self.sections.len() < SuiteSection::ALL.len() => {
                    format!("run `bowline test {name}`, which asks all at once")
                }
                None => format!("run `bowline export {name}`"),
            })
        })
    }

    /// Whether not even the simplest query is answered, so that no template is to blame for anything.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let first = self.shortfalls().next();
        first.is_some_and(|check| check.id == "connection/query")
    }

    /// The section to ask after those of this run: the next one in the suite's order.
    fn next_section(&self) -> Option<SuiteSection> {
        let asked = |section: &SuiteSection| {
            let mut sections = self.sections.iter();
            sections.any(|asked| asked == section.name())
        };
        let last = SuiteSection::ALL.iter().rposition(&asked)?;
        SuiteSection::ALL.get(last + 1).copied()
    }

    /// Whether the database refused the check that shows best what a culprit is about.
    #[must_use]
    pub fn is_refused(&self, culprit: &Culprit) -> bool {
        let check = self.check(&culprit.check);
        matches!(
            check.and_then(|check| check.reason.as_ref()),
            Some(Reason::Refused { .. })
        )
    }

    /// What to do about the first check that the database left open.
    fn way_out(&self) -> Option<String> {
        let is_code = self.home.ends_with(".py");
        if let Some(check) = self.shortfalls().next() {
            let mend = match check.id.as_str() {
                "connection/query" => "mend how the database is asked".to_owned(),
                "connection/percent_signs" => format!(
                    "let `execute_query` in {} give the driver the statement alone, without parameters",
                    self.home
                ),
                id if id.starts_with("connection/") && is_code => format!(
                    "let `create_cursor` in {} give the class `Cursor` that `bowline new NAME --lang python` writes: \
                     its rows and descriptions are JSON",
                    self.home
                ),
                _ => return None,
            };
            let name = &self.connector;
            return Some(format!(
                "{mend}, then run `bowline test {name} -m connection`"
            ));
        }
        self.checks.iter().find_map(|check| {
            let section = SuiteSection::from_name(&check.section);
            match check.reason.as_ref()? {
                Reason::NothingToSee { .. } if section == Some(SuiteSection::Metadata) => {
                    Some("see that the database has a table; metadata is judged by what is there".to_owned())
                }
                Reason::Database { error } => match error.kind {
                    DatabaseErrorKind::Permission if section == Some(SuiteSection::Functional) => {
                        let otherwise = if is_code {
                            format!(
                                "give another schema in `get_test_table_identifier` in {}, or let it give None",
                                self.home
                            )
                        } else {
                            "name another schema under `[functional]` in connector.toml, or take that section out"
                                .to_owned()
                        };
                        Some(format!(
                            "let the connector's database user create a table, or {otherwise}"
                        ))
                    }
                    DatabaseErrorKind::Timeout => {
                        Some("give statements more time with `bowline test --timeout`".to_owned())
                    }
                    // Left open for one reason alone.
                    DatabaseErrorKind::Data | DatabaseErrorKind::MissingObject => {
                        Some(UNREADABLE_LOG.to_owned())
                    }
                    DatabaseErrorKind::Permission => {
                        Some("let the connector's database user do what was not permitted".to_owned())
                    }
                    DatabaseErrorKind::Connection => {
                        Some("see that the database stays up, and run again".to_owned())
                    }
                    DatabaseErrorKind::Driver if is_code => {
                        Some(format!("mend {} where the lines above name it", self.home))
                    }
                    _ => None,
                },
                _ => None,
            }
        })
    }
}
