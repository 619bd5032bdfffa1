//! The SQL of metrics over a table.

use bowline_contract::{Formula, Metric};
use bowline_query::{ComposeError, Composer, ExpressionError, Expressions, Literal, Rows};
use bowline_template::{TemplateValue, Value};
use jiff::tz::TimeZone;

use crate::request::{Bucket, Request};

/// The number of rows of the table.
pub(crate) const ROWS: &str = "COUNT(*)";

/// A share of two aggregates, or one aggregate alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Parts {
    pub(crate) whole: String,
    pub(crate) of: Option<String>,
}

/// The aggregates that a metric of a column takes.
pub(crate) fn parts(
    expressions: &Expressions,
    metric: &Metric,
    column: &str,
    now: i64,
) -> Result<Parts, ExpressionError> {
    let values = [
        ("column", Value::from(column)),
        ("now_seconds", Value::from(now)),
    ];
    let definition = metric.definition();
    Ok(Parts {
        whole: expressions.render_with(definition.aggregate(), &Rows::default(), values)?,
        of: match definition.formula {
            Formula::Aggregate(_) => None,
            Formula::ShareOfRows(_) => Some(ROWS.to_owned()),
            Formula::ShareOfValues(_) => Some(format!("COUNT({column})")),
        },
    })
}

/// What is selected from, and how.
pub(crate) struct From {
    composer: Composer,
    table: String,
    /// With its keyword; empty where there is no condition.
    condition: String,
    sample: Option<i64>,
    bucket: Option<String>,
}

impl From {
    pub(crate) fn of(composer: Composer, request: &Request) -> Result<Self, ComposeError> {
        let mut conditions: Vec<String> = request
            .condition
            .iter()
            .map(|condition| format!("({condition})"))
            .collect();
        let mut from = Self {
            composer,
            table: request.table.clone(),
            condition: String::new(),
            sample: request
                .sample
                .map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
            bucket: None,
        };
        if let Some(buckets) = &request.buckets {
            let field = from.escaped(&buckets.column)?;
            if let Some(since) = buckets.since {
                let since = Literal::DateTime(since.to_zoned(TimeZone::UTC).datetime());
                conditions.push(format!("{field} >= {}", from.composer.literal(&since)?));
            }
            let template = match buckets.each {
                Bucket::Hour => "truncate_to_hour",
                Bucket::Day => "truncate_to_day",
            };
            let bucket = from
                .composer
                .render_with(template, vec![("field", TemplateValue::Text(field))])?;
            from.bucket = Some(bucket);
        }
        if !conditions.is_empty() {
            from.condition = format!(" WHERE {}", conditions.join(" AND "));
        }
        Ok(from)
    }

    /// A column's name as SQL takes it.
    pub(crate) fn escaped(&self, name: &str) -> Result<String, ComposeError> {
        escaped(&self.composer, name)
    }

    /// A value as SQL takes it.
    pub(crate) fn literal(&self, value: &Literal) -> Result<String, ComposeError> {
        self.composer.literal(value)
    }

    /// A list of these percentiles of a column in one aggregate, as the templates of percentiles and arrays would have it.
    /// Whether the database understands it that way is another thing.
    pub(crate) fn percentiles(
        &self,
        column: &str,
        shares: &[&str],
    ) -> Result<String, ComposeError> {
        let text = |text: &str| TemplateValue::Text(text.to_owned());
        let shares = shares.iter().map(|share| text(share)).collect();
        let shares = self
            .composer
            .render_with("array_expr", vec![("values", TemplateValue::List(shares))])?;
        self.composer.render_with(
            "get_approx_percentile_func",
            vec![
                ("expression", TemplateValue::Text(self.escaped(column)?)),
                ("percentile", TemplateValue::Text(shares)),
            ],
        )
    }

    /// Aggregates over the rows: the bucket first where there are any, the number of rows last.
    pub(crate) fn select(&self, aggregates: &[String]) -> Result<String, ComposeError> {
        let expressions: Vec<String> = self
            .bucket
            .iter()
            .chain(aggregates)
            .cloned()
            .chain([ROWS.to_owned()])
            .collect();
        let mut sql = match self.sample {
            Some(rows) => {
                let source = self.first(rows)?;
                self.composer.select_from(&expressions, source)?
            }
            None => {
                let table = self.table.clone();
                self.composer.select_from(&expressions, table)? + &self.condition
            }
        };
        if let Some(bucket) = &self.bucket {
            sql.push_str(&format!(" GROUP BY {bucket}"));
        }
        Ok(sql)
    }

    /// Aggregates over the first rows.
    pub(crate) fn first_rows(
        &self,
        aggregates: &[String],
        rows: i64,
    ) -> Result<String, ComposeError> {
        let rows = self.sample.unwrap_or(i64::MAX).min(rows);
        let source = self.first(rows)?;
        self.composer.select_from(aggregates, source)
    }

    /// Aggregates over no rows.
    pub(crate) fn no_rows(&self, aggregates: &[String]) -> Result<String, ComposeError> {
        let table = self.table.clone();
        Ok(self.composer.select_from(aggregates, table)? + " WHERE 1 = 0")
    }

    fn first(&self, rows: i64) -> Result<String, ComposeError> {
        let all = format!("SELECT * FROM {}{}", self.table, self.condition);
        let limited = self.composer.render_with(
            "add_row_limit",
            vec![
                ("query", TemplateValue::Text(all)),
                ("limit", TemplateValue::Integer(rows)),
            ],
        )?;
        Ok(format!("({limited}) first_rows"))
    }
}

/// A column's name as SQL takes it.
pub(crate) fn escaped(composer: &Composer, name: &str) -> Result<String, ComposeError> {
    composer.render_with(
        "escape_field_name",
        vec![("field_name", TemplateValue::Text(name.to_owned()))],
    )
}

/// The last two names of a table that SQL names: its schema's and its own, without their quotes.
pub(crate) fn names(table: &str) -> [Option<String>; 2] {
    const QUOTES: [(char, char); 3] = [('"', '"'), ('`', '`'), ('[', ']')];
    let mut names: Vec<String> = vec![String::new()];
    let mut letters = table.trim().chars().peekable();
    let mut closing = None;
    while let Some(letter) = letters.next() {
        let opens = QUOTES.iter().find(|(opening, _)| *opening == letter);
        match (closing, opens) {
            (Some(quote), _) if letter == quote => {
                if letters.next_if_eq(&quote).is_some() {
                    names
                        .last_mut()
                        .into_iter()
                        .for_each(|name| name.push(quote));
                } else {
                    closing = None;
                }
            }
            (None, Some((_, quote))) => closing = Some(*quote),
            (None, None) if letter == '.' => names.push(String::new()),
            _ => names
                .last_mut()
                .into_iter()
                .for_each(|name| name.push(letter)),
        }
    }
    let name = names.pop();
    [names.pop(), name]
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_table_is_known_by_its_schema_and_its_name() {
        for (table, schema, name) in [
            ("orders", None, "orders"),
            ("shop.orders", Some("shop"), "orders"),
            ("db.shop.\"Or\"\"d.ers\"", Some("shop"), "Or\"d.ers"),
            ("`my shop`.`orders`", Some("my shop"), "orders"),
            ("[my shop].[a.b]", Some("my shop"), "a.b"),
        ] {
            let wanted = [schema, Some(name)].map(|name| name.map(str::to_owned));
            assert_eq!(names(table), wanted, "{table}");
        }
    }
}
