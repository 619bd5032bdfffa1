//! Check records: checks as data.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::{Capability, Metric, SuiteSection, Template};
use serde::Deserialize;

use crate::Tier;
use crate::warehouse::expect::{Expect, civil};
use crate::warehouse::question::{Question, in_fewer_letters};
use crate::warehouse::{Check, CheckId};
use bowline_query::{ComposeError, ExpressionError, Expressions, Literal, Rows};
use bowline_template::Value;
use bowline_warehouse::template::RenderError;

/// A check as its file states it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckRecord {
    /// The name after the section's.
    #[serde(default)]
    id: String,
    title: String,
    #[serde(default)]
    judges: Vec<String>,
    /// Instead of `id`, `judges` and `select`: the metrics whose number it is, which all are computed by one formula.
    #[serde(default)]
    metrics: Vec<String>,
    /// Instead of `judges`: the same check once for each of these, which `select` calls `judged`; all others stand
    /// `beside` it, where anything does.
    #[serde(default)]
    each: Vec<String>,
    /// The same check once for each of these: `$name` in any text stands for the case's text of that name, and `strict`
    /// is the case's own where it has one.
    #[serde(default)]
    cases: Vec<Case>,
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
    /// Other templates' way to the same answer, each in place of `select`. What not all of them can give is not asked of
    /// the judged one either: a dialect without zones or fractions of a second is no worse for it.
    #[serde(default)]
    beside: Vec<String>,
    /// With `beside`: what is enough in the strict tier where the connector has none of these.
    alone: Option<Expect>,
    /// The check, of the same section, whose being right is as good as this one's: what a caller does is open, and the
    /// two ask for one of the ways each.
    instead: Option<String>,
    /// With `instead`: what is worth a word when only the other is right.
    advice: Option<String>,
    /// Instead of a statement: a text that is only rendered.
    rendered: Option<String>,
    /// With `rendered`: a statement that an engine which cannot have what is expected does not understand.
    excused_by: Option<String>,
    /// What must come back.
    expect: Option<Expect>,
    /// What must come back in the strict tier, over the same statement.
    strict: Option<Expect>,
    /// The same in fewer letters, where it has some that not every database can hold.
    #[serde(skip)]
    pub(super) in_fewer_letters: Option<Box<CheckRecord>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RecordTier {
    #[default]
    Reference,
    Strict,
}

/// What one of several checks of a record has for itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Case {
    strict: Option<Expect>,
    #[serde(flatten)]
    texts: BTreeMap<String, String>,
}

impl Case {
    /// The text with what the case has for each `$name`; longer names first, for one may begin with another.
    fn fill(&self, text: &str) -> String {
        self.texts
            .iter()
            .rev()
            .fold(text.to_owned(), |text, (name, own)| {
                text.replace(&format!("${name}"), own)
            })
    }

    fn fill_all(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    fn fill_cell(&self, cell: &toml::Value) -> toml::Value {
        match cell {
            toml::Value::String(text) => toml::Value::String(self.fill(text)),
            toml::Value::Table(table) => table
                .iter()
                .map(|(key, cell)| (key.clone(), self.fill_cell(cell)))
                .collect::<toml::Table>()
                .into(),
            other => other.clone(),
        }
    }
}

impl CheckRecord {
    /// The record itself, or as its metrics are computed.
    pub(super) fn for_metrics(self) -> Self {
        let metrics = || self.metrics.iter().filter_map(|name| Metric::find(name));
        let Some(first) = metrics().next() else {
            return self;
        };
        let judges: BTreeSet<&str> = metrics()
            .flat_map(Metric::tested_templates)
            .map(Template::short_name)
            .collect();
        Self {
            id: first.name.to_owned(),
            judges: judges.into_iter().map(str::to_owned).collect(),
            select: Some(first.definition().aggregate().to_owned()),
            tier: RecordTier::Strict,
            ..self
        }
    }

    /// The record itself, or one for each of its cases.
    pub(super) fn for_each_case(self) -> Vec<Self> {
        if self.cases.is_empty() {
            return vec![self];
        }
        let one = |case: &Case| {
            let fill = |text: &Option<String>| text.as_deref().map(|text| case.fill(text));
            let cells =
                |cells: &Vec<toml::Value>| cells.iter().map(|cell| case.fill_cell(cell)).collect();
            let row = |row: &toml::Table| -> toml::Table {
                let cells = row.iter();
                cells
                    .map(|(name, cell)| (name.clone(), case.fill_cell(cell)))
                    .collect()
            };
            Self {
                id: case.fill(&self.id),
                title: case.fill(&self.title),
                judges: case.fill_all(&self.judges),
                rows: self
                    .rows
                    .as_ref()
                    .map(|rows| rows.iter().map(row).collect()),
                values: self.values.as_ref().map(cells),
                select: fill(&self.select),
                condition: fill(&self.condition),
                statement: fill(&self.statement),
                beside: case.fill_all(&self.beside),
                instead: fill(&self.instead),
                advice: fill(&self.advice),
                strict: case.strict.clone().or_else(|| self.strict.clone()),
                cases: Vec::new(),
                ..self.clone()
            }
        };
        self.cases.iter().map(one).collect()
    }

    /// The record itself, or one for each template that it is for.
    pub(super) fn for_each(self) -> Vec<Self> {
        if self.each.is_empty() {
            return vec![self];
        }
        let calling = |select: &str, name: &str| select.replace("judged(", &format!("{name}("));
        let select = self.select.clone().unwrap_or_default();
        let one = |name: &String| {
            let others = self.each.iter().filter(|other| *other != name);
            let mut beside = self.beside.clone();
            if !beside.is_empty() {
                beside.extend(others.map(|other| calling(&select, other)));
            }
            Self {
                id: format!("{name}_{}", self.id),
                judges: vec![name.clone()],
                each: Vec::new(),
                select: Some(calling(&select, name)),
                condition: self.condition.as_deref().map(|text| calling(text, name)),
                beside,
                ..self.clone()
            }
        };
        self.each.iter().map(one).collect()
    }

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
                .filter(|each| self.metrics.is_empty() && each.suite_section() == section)
                .collect(),
            metrics: self
                .metrics
                .iter()
                .filter_map(|name| Metric::find(name))
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
        let expect = match &self.alone {
            Some(alone) if tier == Tier::Strict && self.beside(expressions, tier)?.is_empty() => {
                alone.clone()
            }
            _ => self.expected(tier),
        };
        let render = |text: &str| expressions.render(text, &rows);
        if let Some(text) = &self.rendered {
            let text = render(text)?;
            let falls_short = expect.judge_text(&text).is_err();
            return Ok(Question::Rendered {
                text,
                expect,
                excused_by: self.excused_by.clone().filter(|_| falls_short),
            });
        }
        let sql = match (&self.statement, &self.select) {
            (Some(statement), _) => render(statement)?,
            (None, Some(select)) => self.selecting(select, &rows, expressions)?,
            (None, None) => return Err(ExpressionError::Expression("nothing to ask".to_owned())),
        };
        let flag = |name: &String| {
            let template = Template::find(name)
                .ok_or_else(|| ExpressionError::Expression(format!("`{name}` is no template")))?;
            Ok::<_, ExpressionError>(expressions.composer().flag(template.name)?)
        };
        match (&expect.succeeds_when, &expect.fails_when) {
            (None, None) => Ok(Question::Statement {
                sql,
                expect,
                in_fewer_letters: match &self.in_fewer_letters {
                    Some(fewer) => Some(in_fewer_letters(
                        fewer.ask(expressions, tier)?,
                        expressions,
                    )?),
                    None => None,
                },
            }),
            (Some(text), _) => Ok(Question::Success {
                sql,
                must_succeed: flag(text)?,
                yields: expect.yields(),
            }),
            (None, Some(text)) => Ok(Question::Success {
                sql,
                must_succeed: !flag(text)?,
                yields: expect.yields(),
            }),
        }
    }

    /// The check that is as good as this one, and what is to be said when only that one is right.
    pub(crate) fn instead(&self, section: SuiteSection) -> Option<(CheckId, &str)> {
        let id = CheckId::new(format!("{}/{}", section.name(), self.instead.as_ref()?));
        Some((id, self.advice.as_deref().unwrap_or(&self.title)))
    }

    /// Whether other templates are asked the same when it falls short.
    pub(crate) fn may_be_excused(&self) -> bool {
        !self.beside.is_empty()
    }

    /// What the other templates are asked; nothing for one that the connector lacks.
    pub(crate) fn beside(
        &self,
        expressions: &Expressions,
        tier: Tier,
    ) -> Result<Vec<Question>, ExpressionError> {
        let rows = self.rows(expressions)?;
        let mut questions = Vec::new();
        let mut fewer = match &self.in_fewer_letters {
            Some(fewer) => fewer.beside(expressions, tier)?,
            None => Vec::new(),
        }
        .into_iter();
        for select in &self.beside {
            match self.selecting(select, &rows, expressions) {
                Ok(sql) => questions.push(Question::Statement {
                    sql,
                    expect: self.expected(tier),
                    in_fewer_letters: fewer
                        .next()
                        .map(|fewer| in_fewer_letters(fewer, expressions))
                        .transpose()?,
                }),
                Err(ExpressionError::Compose(ComposeError::Render(
                    RenderError::NotImplemented(_),
                ))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(questions)
    }

    /// What must come back in this tier.
    fn expected(&self, tier: Tier) -> Expect {
        let strict = self.strict.as_ref().filter(|_| tier == Tier::Strict);
        strict.or(self.expect.as_ref()).cloned().unwrap_or_default()
    }

    /// A SELECT of this over the record's rows, on its condition.
    fn selecting(
        &self,
        select: &str,
        rows: &Rows,
        expressions: &Expressions,
    ) -> Result<String, ExpressionError> {
        let render = |text: &str| {
            let now = expressions.clock().seconds();
            let values = [("column", Value::from("val")), ("now_seconds", now.into())];
            expressions.render_with(text, rows, values)
        };
        let select = [render(select)?];
        let composer = expressions.composer();
        let mut sql = if rows.values.is_empty() {
            composer.bare(&select)?
        } else {
            composer.over_rows(rows, &select)?
        };
        if let Some(condition) = &self.condition {
            sql = format!("{sql} WHERE {}", render(condition)?);
        }
        if let Some(tail) = &self.tail {
            sql = format!("{sql} {}", render(tail)?);
        }
        Ok(sql)
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
    use super::*;
    use crate::warehouse::record_files::records;

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

    #[test]
    fn every_metric_is_proven_by_the_formula_it_has() {
        for metric in Metric::all() {
            let mut proving = records()
                .iter()
                .filter(|(_, record)| record.metrics.iter().any(|name| name == metric.name));
            let (_, record) = proving.next().unwrap_or_else(|| panic!("{}", metric.name));
            assert_eq!(proving.count(), 0, "{} stands twice", metric.name);
            assert_eq!(
                record.select.as_deref(),
                Some(metric.definition().aggregate()),
                "{} is computed otherwise",
                metric.name
            );
        }
        let named: usize = records()
            .iter()
            .map(|(_, record)| record.metrics.len())
            .sum();
        assert_eq!(named, Metric::all().len());
    }

    #[test]
    fn what_is_as_good_is_as_good_the_other_way_round() {
        let of = |id: &CheckId| {
            let mut all = records().iter();
            let (section, record) =
                all.find(|(section, record)| record.check(*section).id == *id)?;
            Some(record.instead(*section)?.0)
        };
        let mut pairs = 0;
        for (section, record) in records() {
            if let Some((other, advice)) = record.instead(*section) {
                assert_eq!(of(&other), Some(record.check(*section).id));
                assert!(!advice.contains('$'), "{advice}");
                pairs += 1;
            }
        }
        assert!(pairs > 0);
    }
}
