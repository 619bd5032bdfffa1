//! The suite's report as it is written: plain text and numbers, which no type of the suite or of a driver is needed for.

use std::collections::BTreeSet;
use std::path::Path;

use bowline_contract::{AssetClass, Template, capabilities_of};
use bowline_driver::{ResultSet, SqlError, SqlErrorKind, Value};
use bowline_report::warehouse::{
    CapabilityResult, CatalogueResult, CheckResult, DatabaseError, DatabaseErrorKind, Lag,
    MetricResult, Reason, Rows, TemplateResult, TextOrigin, ToldNumber,
};
use bowline_report::{Summary, VERSION, WarehouseReport, warehouse};
use bowline_warehouse::template::{ConnectorTemplate, Origin, TemplateSet, older_names};
use bowline_words::listed;
use bowline_words::nearest::nearest;

use crate::warehouse::{
    Accuracy, CheckReport, Culprit, Doubt, Fault, Outcome, Proof, Report, Step, Told,
};

/// The most rows of a result that are written.
const ROWS: usize = 5;

/// Which connector a report is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The connector's name.
    pub connector: &'a str,
    /// Its templates, to say what stands where.
    pub templates: &'a TemplateSet,
    /// The directory that paths are shown relative to.
    pub base: &'a Path,
    /// The file in which templates of its own stand, or would.
    pub home: &'a Path,
    /// Templates, by short name, for which a fit found nothing, with all as it is.
    pub searched: &'a BTreeSet<String>,
}

impl Report {
    /// The report as it is written and read.
    #[must_use]
    pub fn written(&self, about: About<'_>) -> WarehouseReport {
        let culprits = self.culprits.iter();
        let templates = self.templates.iter().map(|found| TemplateResult {
            name: found.template.name.to_owned(),
            implemented: found.implemented,
            verdict: found.verdict,
            checks: texts(&found.checks),
            searched: about.searched.contains(found.template.short_name()),
        });
        let capabilities = self.capabilities.iter().map(|found| CapabilityResult {
            name: found.capability.name().to_owned(),
            verdict: found.verdict,
            because: texts(&found.because),
        });
        let metrics = self.metrics.iter().map(|found| MetricResult {
            name: found.metric.name.to_owned(),
            supported: found.supported,
            because: short_names(&found.because),
        });
        WarehouseReport {
            version: VERSION,
            bowline_version: env!("CARGO_PKG_VERSION").to_owned(),
            asset_class: AssetClass::Warehouse,
            connector: about.connector.to_owned(),
            product: self.product.clone(),
            tier: self.tier,
            began: Some(self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            sections: texts(&self.sections),
            interrupted: self.interrupted,
            left_behind: self.left_behind.clone(),
            catalogue: catalogue(&self.accuracy),
            connections: self.connections,
            elapsed_ms: self.elapsed.into(),
            summary: Summary::of(self.checks.iter().map(|check| check.outcome.verdict())),
            home: shown(about.home, about.base),
            extends: about.templates.pack().map(|pack| pack.name.clone()),
            culprits: culprits.map(|found| culprit(found, about)).collect(),
            checks: self
                .checks
                .iter()
                .map(|found| check(found, about))
                .collect(),
            templates: templates.collect(),
            capabilities: capabilities.collect(),
            metrics: metrics.collect(),
        }
    }
}

fn catalogue(measured: &Accuracy) -> Option<CatalogueResult> {
    let told = |told: &[Told]| -> Vec<ToldNumber> {
        let numbers = told.iter();
        numbers
            .map(|Told { there, told }| ToldNumber {
                there: *there,
                told: *told,
            })
            .collect()
    };
    (!measured.is_empty()).then(|| CatalogueResult {
        lag: Lag::of(&measured.lags),
        query_log_lag: Lag::of(&measured.log_lags),
        counted_anew: measured.counted_anew,
        row_counts: told(&measured.row_counts),
        byte_counts: told(&measured.byte_counts),
    })
}

fn culprit(found: &Culprit, about: About<'_>) -> warehouse::Culprit {
    let template = found.template;
    let own = about.templates.get(template);
    let needs = own.and_then(|own| needs_of(own, about));
    warehouse::Culprit {
        template: template.short_name().to_owned(),
        check: found.check.to_string(),
        checks: texts(&found.checks),
        blocks: texts(&found.blocks),
        place: own.and_then(|own| place(own, about.base)),
        home: home(template, about),
        text: own.map(|own| own.text.clone()),
        needs,
        hint: own.and_then(|own| mistaken_placeholder(own).or_else(|| mistaken_variable(own))),
        mend: found.mend.as_ref().map(|mend| warehouse::Mend {
            pack: mend.pack.clone(),
            text: mend.text.clone(),
        }),
    }
}

/// What a pack's spelling needs of the server.
fn needs_of(own: &ConnectorTemplate, about: About<'_>) -> Option<String> {
    match &own.origin {
        Origin::Pack(_) if own.template.short_name() == "create_test_table" => {
            let (place, leave) = if is_code(about.home) {
                let home = shown(about.home, about.base);
                let place = format!("`get_test_table_identifier` in {home}");
                (place, "let it give None")
            } else {
                let place = "`[functional]` in connector.toml".to_owned();
                (place, "take that section out")
            };
            Some(format!(
                "the schema that {place} names to be there, and the database's user to have the right to create tables \
                 in it: name another schema there, or {leave}; what is not functional is proven without it"
            ))
        }
        Origin::Pack(pack) => Some(pack.needs(own.template)?.to_owned()),
        Origin::Composed | Origin::File { .. } => None,
    }
}

/// What a check that found nothing, or was not permitted, would need of the server, as the packs know.
fn needs<'a>(found: &'a CheckReport, about: About<'a>) -> impl Iterator<Item = String> + 'a {
    let is_about = |template: &&'static Template| {
        let check = &found.check;
        let finds_nothing = match &found.outcome {
            Outcome::Unknown(Doubt::NothingToSee(_)) | Outcome::Unsupported(Proof::Absent(_)) => {
                true
            }
            Outcome::Unknown(Doubt::Answer(error)) => error.kind == SqlErrorKind::Permission,
            _ => false,
        };
        let mut carries = capabilities_of(template).iter();
        let carries = check.judges.is_empty() && carries.any(|each| check.carries.contains(each));
        finds_nothing && (check.judges.contains(template) || carries)
    };
    Template::all()
        .filter(is_about)
        .filter_map(move |template| {
            let needs = needs_of(about.templates.get(template)?, about)?;
            Some(format!("{} needs {needs}", template.short_name()))
        })
}

fn shown(path: &Path, base: &Path) -> String {
    path.strip_prefix(base)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn is_code(home: &Path) -> bool {
    home.extension().is_some_and(|ending| ending == "py")
}

/// Where a spelling of the connector's own belongs: with those of its class, where the file has classes.
fn home(template: &Template, about: About<'_>) -> String {
    let file = shown(about.home, about.base);
    let class = template.section.class_name();
    let lines = about.templates.iter().filter_map(|own| match &own.origin {
        Origin::File { path, line } if path == about.home => Some((own.template, *line)),
        _ => None,
    });
    let of_class = lines.filter(|(other, _)| other.section.class_name() == class);
    match of_class.map(|(_, line)| line).min() {
        Some(line) if is_code(about.home) => format!("{file}:{line}, in class {class}"),
        None if is_code(about.home) => format!("{file}, in a class {class}"),
        _ => file,
    }
}

fn place(own: &ConnectorTemplate, base: &Path) -> Option<TextOrigin> {
    match (own.place(), &own.origin) {
        (Some((path, line)), _) => {
            let place = format!("{}:{line}", shown(path, base));
            Some(TextOrigin::File(place))
        }
        (None, Origin::Pack(pack)) => Some(TextOrigin::Pack(pack.name.clone())),
        (None, _) => None,
    }
}

/// What to do about a placeholder that is written as a variable: undefined variables are empty text in Jinja, so that
/// nothing else tells.
fn mistaken_placeholder(own: &ConnectorTemplate) -> Option<String> {
    let Template {
        placeholders,
        variables,
        ..
    } = own.template;
    let name = placeholders.iter().find(|placeholder| {
        let is_variable = variables
            .iter()
            .any(|variable| variable.name == **placeholder);
        !is_variable && own.compiled.references(placeholder)
    })?;
    Some(format!(
        "write `{{{name}}}`, which is a placeholder; `{{{{ {name} }}}}` is a variable that is not there"
    ))
}

/// What to do about a variable that nobody passes, which is empty text in Jinja: as a rule a name that is misspelt.
fn mistaken_variable(own: &ConnectorTemplate) -> Option<String> {
    let variables = own.template.variables;
    let known = |name: &str| {
        let mut names = variables.iter().map(|variable| variable.name);
        names.any(|variable| variable == name || older_names(variable) == Some(name))
    };
    let name = own.compiled.variables().find(|name| !known(name))?;
    let names = || variables.iter().map(|variable| variable.name);
    Some(match nearest(name, names()) {
        Some(near) => format!("it is given no `{name}`: did you mean `{near}`?"),
        None if variables.is_empty() => format!("it is given no `{name}`, nor any other variable"),
        None => format!("it is given no `{name}`, only {}", listed(names())),
    })
}

fn check(found: &CheckReport, about: About<'_>) -> CheckResult {
    let check = &found.check;
    let advice = found.advice.iter().cloned().chain(needs(found, about));
    CheckResult {
        id: check.id.to_string(),
        section: check.section.name().to_owned(),
        title: check.title.clone(),
        tier: check.tier,
        verdict: found.outcome.verdict(),
        reason: reason(&found.outcome),
        expected: found.expected.clone(),
        judges: short_names(&check.judges),
        uses: short_names(&found.uses),
        carries: texts(&check.carries),
        steps: found.steps.iter().map(step).collect(),
        advice: advice.collect(),
    }
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Unsupported(Proof::NotImplemented(templates)) => Reason::NotImplemented {
            templates: short_names(templates),
        },
        Outcome::Unsupported(Proof::Refused(error)) => Reason::Refused {
            error: database_error(error),
        },
        Outcome::Unsupported(Proof::Absent(what)) => Reason::Absent { what: what.clone() },
        Outcome::Wrong(Fault::Answer { expected, got }) => Reason::Answer {
            expected: expected.clone(),
            got: got.clone(),
        },
        Outcome::Wrong(Fault::Render { template, message }) => Reason::Render {
            template: template.short_name().to_owned(),
            message: message.clone(),
        },
        Outcome::Unknown(Doubt::Answer(error)) => Reason::Database {
            error: database_error(error),
        },
        // Checks of a warehouse say none of the last two.
        Outcome::Unknown(
            Doubt::NothingToSee(what) | Doubt::NoOccasion(what) | Doubt::Changed(what),
        ) => Reason::NothingToSee { what: what.clone() },
        Outcome::Unknown(Doubt::NotReached(what) | Doubt::Unasked(what)) => {
            Reason::NotReached { what: what.clone() }
        }
        Outcome::Unknown(Doubt::Interrupted) => Reason::Interrupted,
        Outcome::Blocked { by } => Reason::Blocked {
            by: short_names(by),
        },
    })
}

fn step(found: &Step) -> warehouse::Step {
    warehouse::Step {
        label: found.label.map(str::to_owned),
        sql: found.sql.clone(),
        elapsed_ms: found.answer.elapsed.into(),
        shared_with: found.shared_with,
        result: found.answer.result.as_deref().ok().map(beginning),
        error: found.answer.result.as_ref().err().map(database_error),
    }
}

fn beginning(result: &ResultSet) -> Rows {
    let rows = result.rows.iter().take(ROWS);
    Rows {
        columns: result
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        rows: rows
            .map(|row| row.iter().map(Value::to_json).collect())
            .collect(),
        total_rows: result.rows.len(),
    }
}

fn database_error(error: &SqlError) -> DatabaseError {
    DatabaseError {
        kind: kind(error.kind),
        sqlstate: error.sqlstate.clone(),
        message: error.text(),
        hint: error.hint.clone(),
    }
}

fn kind(kind: SqlErrorKind) -> DatabaseErrorKind {
    match kind {
        SqlErrorKind::Syntax => DatabaseErrorKind::Syntax,
        SqlErrorKind::MissingObject => DatabaseErrorKind::MissingObject,
        SqlErrorKind::Permission => DatabaseErrorKind::Permission,
        SqlErrorKind::Data => DatabaseErrorKind::Data,
        SqlErrorKind::Timeout => DatabaseErrorKind::Timeout,
        SqlErrorKind::Busy => DatabaseErrorKind::Busy,
        SqlErrorKind::Cancelled => DatabaseErrorKind::Cancelled,
        SqlErrorKind::Connection => DatabaseErrorKind::Connection,
        SqlErrorKind::TooLarge => DatabaseErrorKind::TooLarge,
        SqlErrorKind::UnsupportedType => DatabaseErrorKind::UnsupportedType,
        SqlErrorKind::Driver => DatabaseErrorKind::Driver,
        SqlErrorKind::Other => DatabaseErrorKind::Other,
    }
}

fn texts(things: &[impl ToString]) -> Vec<String> {
    things.iter().map(ToString::to_string).collect()
}

fn short_names(templates: &[&Template]) -> Vec<String> {
    let names = templates.iter().map(|template| template.short_name());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bowline_contract::{Capability, SuiteSection};
    use bowline_driver::Answer;
    use jiff::Timestamp;

    use super::*;
    use crate::warehouse::{Check, CheckId, Mend};
    use crate::{Conclusion, Tier};

    fn template(name: &str) -> &'static Template {
        Template::find(name).unwrap()
    }

    /// Every outcome, with every reason there is.
    fn outcomes() -> Vec<Outcome> {
        let avg = template("get_avg_function");
        let mut refused = SqlError::new(SqlErrorKind::Syntax, "near \"FROM\"");
        refused.sqlstate = Some("42601".to_owned());
        let mut outcomes = vec![
            Outcome::Supported,
            Outcome::Unsupported(Proof::NotImplemented(vec![avg])),
            Outcome::Unsupported(Proof::Refused(refused)),
            Outcome::Unsupported(Proof::Absent("no table has a row count".to_owned())),
            Outcome::Wrong(Fault::Answer {
                expected: "20".to_owned(),
                got: "東京\u{7}\n\"30\"".to_owned(),
            }),
            Outcome::Wrong(Fault::Render {
                template: avg,
                message: "line 1".to_owned(),
            }),
            Outcome::Unknown(Doubt::NothingToSee("no table".to_owned())),
            Outcome::Unknown(Doubt::NotReached("no schema".to_owned())),
            Outcome::Unknown(Doubt::Interrupted),
            Outcome::Blocked { by: vec![avg] },
        ];
        outcomes.extend(
            SqlErrorKind::ALL
                .map(|kind| Outcome::Unknown(Doubt::Answer(SqlError::new(kind, "no")))),
        );
        outcomes
    }

    fn checked(outcome: Outcome) -> CheckReport {
        let avg = template("get_avg_function");
        let values = [0.1, f64::NAN, 0.0, 0.0, 0.0, 0.0, 0.0];
        let result = ResultSet::with_rows(["avg"], values.map(|value| vec![value.into()]));
        let answers = [
            Ok(Arc::new(result)),
            Err(SqlError::new(SqlErrorKind::Timeout, "too long")),
        ];
        CheckReport {
            check: Check {
                metrics: Vec::new(),
                id: CheckId::new("ql_metrics/avg"),
                section: SuiteSection::QlMetrics,
                title: "averages".to_owned(),
                judges: vec![avg],
                carries: Capability::ALL.to_vec(),
                tier: Tier::Reference,
            },
            outcome,
            expected: Some("20".to_owned()),
            uses: vec![avg],
            steps: answers
                .map(|result| Step {
                    label: Some("average"),
                    sql: "SELECT AVG(x)".to_owned(),
                    answer: Answer {
                        result,
                        asked: Timestamp::UNIX_EPOCH,
                        elapsed: Duration::from_nanos(1_234_567),
                    },
                    shared_with: 3,
                })
                .to_vec(),
            advice: vec!["the system's schemas are listed".to_owned()],
        }
    }

    fn report(outcomes: Vec<Outcome>) -> Report {
        let avg = template("get_avg_function");
        Report {
            product: "SQLite".to_owned(),
            tier: Tier::Strict,
            sections: SuiteSection::ALL.to_vec(),
            checks: outcomes.into_iter().map(checked).collect(),
            culprits: vec![Culprit {
                template: avg,
                check: CheckId::new(Arc::from("ql_metrics/avg")),
                checks: vec![CheckId::new("ql_metrics/avg")],
                blocks: vec![],
                mend: Some(Mend {
                    pack: "sqlite".to_owned(),
                    text: "AVG({x})".to_owned(),
                }),
            }],
            templates: vec![],
            capabilities: vec![],
            metrics: vec![],
            connections: 4,
            now: Timestamp::UNIX_EPOCH,
            elapsed: Duration::from_millis(250),
            left_behind: vec!["DROP TABLE t".to_owned()],
            accuracy: Accuracy::default(),
            interrupted: false,
        }
    }

    fn written(report: &Report) -> WarehouseReport {
        report.written(About {
            searched: &BTreeSet::new(),
            connector: "shop",
            templates: &TemplateSet::default(),
            base: Path::new("."),
            home: Path::new("templates.toml"),
        })
    }

    #[test]
    fn every_outcome_reads_back_as_it_was_written() {
        let written = bowline_report::Report::Warehouse(written(&report(outcomes())));
        let text = written.to_json().unwrap();
        let read = bowline_report::Report::from_json(&text, "report.json").unwrap();
        assert_eq!(read, written);
        assert_eq!(read.to_json().unwrap(), text);
    }

    #[test]
    fn what_is_written_comes_to_the_same() {
        for outcome in outcomes() {
            let is_shortfall = outcome.is_shortfall();
            let report = report(vec![outcome]);
            let written = written(&report);
            assert_eq!(written.checks[0].is_shortfall(), is_shortfall);
            assert_eq!(written.conclusion(), report.conclusion());
        }
        let mut report = report(vec![]);
        report.interrupted = true;
        assert_eq!(written(&report).conclusion(), Conclusion::Interrupted);
    }

    #[test]
    fn kinds_of_errors_keep_their_names() {
        for one in SqlErrorKind::ALL {
            assert_eq!(serde_json::json!(kind(one)), one.name());
        }
    }

    #[test]
    fn errors_keep_their_words() {
        let mut error = SqlError::new(SqlErrorKind::Syntax, "near \"FROM\"");
        assert_eq!(database_error(&error).to_string(), error.to_string());
        error.sqlstate = Some("42601".to_owned());
        assert_eq!(database_error(&error).to_string(), error.to_string());
    }
}
