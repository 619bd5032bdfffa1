//! Check records: checks as data, read from `checks/*.toml`.

use std::sync::LazyLock;

use bowline_contract::{Capability, SuiteSection, Template};
use serde::Deserialize;

use crate::Tier;
use crate::warehouse::expect::{Expect, civil};
use crate::warehouse::{Check, CheckId};
use bowline_query::{ExpressionError, Expressions};
use bowline_query::{Literal, Rows};

/// A check as its file states it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckRecord {
    /// The name after the section's.
    id: String,
    title: String,
    judges: Vec<String>,
    #[serde(default)]
    tier: RecordTier,
    /// The rows of the data source.
    rows: Option<Vec<toml::Table>>,
    /// Instead of rows: the whole numbers from the first to the second in a column `val`.
    range: Option<[i64; 2]>,
    /// With `range`: the numbers are taken modulo this.
    modulo: Option<i64>,
    /// Instead of rows: these values in a column `val`.
    values: Option<Vec<toml::Value>>,
    /// What is selected over the rows; without rows, a SELECT without FROM.
    select: Option<String>,
    /// A condition, appended after WHERE.
    #[serde(rename = "where")]
    condition: Option<String>,
    /// Appended as it is.
    tail: Option<String>,
    /// Instead of `select`: the whole statement.
    statement: Option<String>,
    /// Instead of a statement: a text that is only rendered.
    rendered: Option<String>,
    /// What must come back.
    expect: Option<Expect>,
    /// What must come back in the strict tier, over the same statement.
    strict: Option<Expect>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RecordTier {
    #[default]
    Reference,
    Strict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    check: Vec<CheckRecord>,
}

/// What a record asks of the database, rendered with a connector's templates.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// A statement and what must come back.
    Statement { sql: String, expect: Expect },
    /// A statement that must succeed, or must fail, by what a flag says.
    Success {
        sql: String,
        must_succeed: bool,
        value: bool,
    },
    /// A text that is judged without the database.
    Rendered { text: String, expect: Expect },
}

impl Question {
    /// The statement; a text that is only rendered has none.
    pub(crate) fn sql(&self) -> Option<&str> {
        match self {
            Self::Statement { sql, .. } | Self::Success { sql, .. } => Some(sql),
            Self::Rendered { .. } => None,
        }
    }
}

const FILES: [(SuiteSection, &str, &str); 9] = [
    (
        SuiteSection::CustomMonitors,
        "custom_monitors.toml",
        include_str!("../../checks/custom_monitors.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "building_blocks.toml",
        include_str!("../../checks/building_blocks.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "flags.toml",
        include_str!("../../checks/flags.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "casts.toml",
        include_str!("../../checks/casts.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "comparisons.toml",
        include_str!("../../checks/comparisons.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "dates.toml",
        include_str!("../../checks/dates.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "aggregates.toml",
        include_str!("../../checks/aggregates.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "texts.toml",
        include_str!("../../checks/texts.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "shapes.toml",
        include_str!("../../checks/shapes.toml"),
    ),
];

/// Every record of the suite, in its order.
pub(crate) fn records() -> &'static [(SuiteSection, CheckRecord)] {
    static RECORDS: LazyLock<Vec<(SuiteSection, CheckRecord)>> = LazyLock::new(|| {
        FILES
            .iter()
            .flat_map(|(section, name, text)| {
                let file: RecordFile =
                    toml::from_str(text).unwrap_or_else(|error| panic!("checks/{name}: {error}"));
                file.check.into_iter().map(|record| (*section, record))
            })
            .collect()
    });
    &RECORDS
}

impl CheckRecord {
    /// The tier from which on it is asked.
    pub(crate) fn tier(&self) -> Tier {
        match self.tier {
            RecordTier::Reference => Tier::Reference,
            RecordTier::Strict => Tier::Strict,
        }
    }

    pub(crate) fn check(&self, section: SuiteSection) -> Check {
        let judges = self
            .judges
            .iter()
            .filter_map(|name| Template::find(name))
            .collect();
        Check {
            id: CheckId::new(format!("{}/{}", section.name(), self.id)),
            section,
            title: self.title.clone(),
            judges,
            carries: Capability::ALL
                .iter()
                .copied()
                .filter(|each| each.suite_section() == section)
                .collect(),
            tier: self.tier(),
        }
    }

    /// Renders the record with a connector's templates.
    pub(crate) fn ask(
        &self,
        expressions: &Expressions,
        tier: Tier,
    ) -> Result<Question, ExpressionError> {
        let rows = self.rows(expressions)?;
        let reference = self.expect.clone().unwrap_or_default();
        let expect = match (tier, &self.strict) {
            (Tier::Strict, Some(strict)) => strict.clone(),
            _ => reference,
        };
        let render = |text: &String| expressions.render(text, &rows);
        if let Some(text) = &self.rendered {
            return Ok(Question::Rendered {
                text: render(text)?,
                expect,
            });
        }
        let sql = match (&self.statement, &self.select) {
            (Some(statement), _) => render(statement)?,
            (None, Some(select)) => {
                let select = [render(select)?];
                let composer = expressions.composer();
                let mut sql = if rows.values.is_empty() {
                    composer.bare(&select)?
                } else {
                    composer.over_rows(&rows, &select)?
                };
                if let Some(condition) = &self.condition {
                    sql = format!("{sql} WHERE {}", render(condition)?);
                }
                if let Some(tail) = &self.tail {
                    sql = format!("{sql} {}", render(tail)?);
                }
                sql
            }
            (None, None) => return Err(ExpressionError::Expression("nothing to ask".to_owned())),
        };
        let flag = |name: &String| {
            let template = Template::find(name)
                .ok_or_else(|| ExpressionError::Expression(format!("`{name}` is no template")))?;
            Ok::<_, ExpressionError>(expressions.composer().flag(template.name)?)
        };
        match (&expect.succeeds_when, &expect.fails_when) {
            (None, None) => Ok(Question::Statement { sql, expect }),
            (Some(text), _) => Ok(Question::Success {
                sql,
                must_succeed: flag(text)?,
                value: expect.something == Some(true),
            }),
            (None, Some(text)) => Ok(Question::Success {
                sql,
                must_succeed: !flag(text)?,
                value: expect.something == Some(true),
            }),
        }
    }

    fn rows(&self, expressions: &Expressions) -> Result<Rows, ExpressionError> {
        if let Some([first, last]) = self.range {
            let number = |number: i64| {
                Literal::Number(
                    self.modulo
                        .map_or(number, |modulo| number % modulo)
                        .to_string(),
                )
            };
            return Ok(Rows {
                columns: vec!["val".to_owned()],
                values: (first..=last).map(|value| vec![number(value)]).collect(),
            });
        }
        if let Some(values) = &self.values {
            let cells = values
                .iter()
                .map(|value| Ok(vec![literal(value, expressions)?]));
            return Ok(Rows {
                columns: vec!["val".to_owned()],
                values: cells.collect::<Result<_, ExpressionError>>()?,
            });
        }
        let Some(rows) = self.rows.as_deref() else {
            return Ok(Rows::default());
        };
        let columns: Vec<String> = rows
            .first()
            .map(|row| row.keys().cloned().collect())
            .unwrap_or_default();
        let values = rows
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|column| literal(&row[column], expressions))
                    .collect()
            })
            .collect::<Result<_, _>>()?;
        Ok(Rows { columns, values })
    }
}

/// Reads a cell: plain TOML values, or a table `{ null = true }`, `{ moment = "now" }`, `{ sql = "…" }`.
fn literal(value: &toml::Value, expressions: &Expressions) -> Result<Literal, ExpressionError> {
    let unreadable = || ExpressionError::Expression(format!("`{value}` is not a cell"));
    Ok(match value {
        toml::Value::String(text) => Literal::Text(text.clone()),
        toml::Value::Integer(number) => Literal::Number(number.to_string()),
        toml::Value::Float(number) => Literal::Number(number.to_string()),
        toml::Value::Boolean(flag) => Literal::Boolean(*flag),
        toml::Value::Datetime(at) if at.time.is_none() => {
            Literal::Date(civil(at).ok_or_else(unreadable)?.date())
        }
        toml::Value::Datetime(at) => Literal::DateTime(civil(at).ok_or_else(unreadable)?),
        toml::Value::Table(table) => {
            let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
            if table.contains_key("null") {
                Literal::Null
            } else if let Some(name) = text("moment") {
                Literal::DateTime(expressions.clock().moment(name).ok_or_else(unreadable)?)
            } else if let Some(sql) = text("sql") {
                Literal::Sql(expressions.render(sql, &Rows::default())?)
            } else {
                return Err(unreadable());
            }
        }
        toml::Value::Array(_) => return Err(unreadable()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_record_names_templates_of_the_contract_and_asks_something() {
        let mut ids = BTreeSet::new();
        for (section, record) in records() {
            let check = record.check(*section);
            assert!(ids.insert(check.id.clone()), "{} stands twice", check.id);
            assert_eq!(
                check.judges.len(),
                record.judges.len(),
                "{} judges an unknown template",
                check.id
            );
            let asks = [&record.select, &record.statement, &record.rendered];
            assert_eq!(
                asks.iter().filter(|text| text.is_some()).count(),
                1,
                "{}",
                check.id
            );
            let sources = [
                record.rows.is_some(),
                record.range.is_some(),
                record.values.is_some(),
            ];
            assert!(
                sources.iter().filter(|set| **set).count() <= 1,
                "{}",
                check.id
            );
            assert!(
                record.expect.is_some() || record.strict.is_some(),
                "{} expects nothing",
                check.id
            );
            if record.expect.is_none() {
                assert_eq!(record.tier(), Tier::Strict, "{}", check.id);
            }
        }
    }
}
