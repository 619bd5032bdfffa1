//! An aggregate of one column, and the metrics that come of its answer.

use bowline_driver::Value;

use crate::statement::{Parts, ROWS};

/// An aggregate of one column, which gives one or several metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Which of the columns.
    pub(crate) column: usize,
    /// What comes of it: the same aggregate and shares of it, or what stands in a list.
    pub(crate) parts: Vec<Parts>,
    /// The aggregate whose answer is a list with a value for each of them.
    pub(crate) list: Option<String>,
    /// About how many bytes it keeps of a row.
    pub(crate) kept: i128,
}

impl Unit {
    /// The aggregates that are asked for, each once. The number of rows is part of every statement.
    pub(crate) fn aggregates(&self) -> Vec<&str> {
        if let Some(list) = &self.list {
            return vec![list];
        }
        let mut all: Vec<&str> = Vec::new();
        for parts in &self.parts {
            for aggregate in std::iter::once(&parts.whole).chain(&parts.of) {
                if aggregate != ROWS && !all.contains(&aggregate.as_str()) {
                    all.push(aggregate);
                }
            }
        }
        all
    }

    /// Takes the answers to its aggregates: the values of its parts. None where there should be a list and is none.
    pub(crate) fn read(
        &self,
        values: &mut impl Iterator<Item = Value>,
        count: &Value,
    ) -> Option<Vec<Value>> {
        let asked = self.aggregates();
        let mut given: Vec<Value> = values.take(asked.len()).collect();
        given.resize(asked.len(), Value::Null);
        if self.list.is_some() {
            return match given.pop() {
                Some(Value::List(items)) if items.len() == self.parts.len() => Some(items),
                Some(Value::Null) => Some(vec![Value::Null; self.parts.len()]),
                _ => None,
            };
        }
        let answer = |aggregate: &String| {
            let place = asked.iter().position(|asked| asked == aggregate);
            place.map_or(count, |place| &given[place])
        };
        let parts = self.parts.iter().map(|parts| match &parts.of {
            None => answer(&parts.whole).clone(),
            Some(of) => share(answer(&parts.whole), answer(of)),
        });
        Some(parts.collect())
    }

    /// The same with an aggregate for each value of a list.
    pub(crate) fn apart(&self) -> Vec<Self> {
        let parts = self.parts.iter().map(|parts| Self {
            parts: vec![parts.clone()],
            list: None,
            ..*self
        });
        parts.collect()
    }
}

/// All aggregates of a statement.
pub(crate) fn aggregates(units: &[Unit]) -> Vec<String> {
    let all = units.iter().flat_map(Unit::aggregates);
    all.map(str::to_owned).collect()
}

/// The units of a family column by column.
pub(crate) fn by_column(units: &[Unit]) -> impl Iterator<Item = &[Unit]> {
    units.chunk_by(|one, other| one.column == other.column)
}

/// A share of two counts; NULL of none.
fn share(part: &Value, whole: &Value) -> Value {
    match (number(part), number(whole)) {
        (Some(part), Some(whole)) if whole != 0.0 => Value::Float(part / whole),
        _ => Value::Null,
    }
}

/// A number of any type.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => value.to_string().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(list: Option<&str>) -> Unit {
        let parts = |of: Option<&str>| Parts {
            whole: "COUNT(DISTINCT c)".to_owned(),
            of: of.map(str::to_owned),
        };
        Unit {
            column: 0,
            parts: vec![parts(None), parts(Some(ROWS)), parts(Some("COUNT(c)"))],
            list: list.map(str::to_owned),
            kept: 1,
        }
    }

    fn read(unit: &Unit, given: Vec<Value>) -> Option<Vec<Value>> {
        unit.read(&mut given.into_iter(), &8_i64.into())
    }

    #[test]
    fn what_metrics_share_is_asked_once() {
        let unit = unit(None);
        assert_eq!(unit.aggregates(), ["COUNT(DISTINCT c)", "COUNT(c)"]);
        let found = read(&unit, vec![2_i64.into(), 4_i64.into()]).unwrap();
        assert_eq!(found, [2_i64.into(), Value::Float(0.25), Value::Float(0.5)]);
    }

    #[test]
    fn a_list_has_a_value_for_each_metric_or_is_none() {
        let unit = unit(Some("ALL(c)"));
        assert_eq!(unit.aggregates(), ["ALL(c)"]);
        let three: Vec<Value> = vec![1_i64.into(), Value::Null, 3_i64.into()];
        assert_eq!(read(&unit, vec![Value::List(three.clone())]), Some(three));
        assert_eq!(read(&unit, vec![Value::Null]), Some(vec![Value::Null; 3]));
        assert_eq!(read(&unit, vec![Value::List(vec![])]), None);
        assert_eq!(read(&unit, vec!["{1,2,3}".into()]), None);
        let apart = unit.apart();
        assert_eq!(apart.len(), 3);
        assert!(apart.iter().all(|unit| unit.list.is_none()));
    }
}
