//! Sources as expressions see them: a list, or records found by a key.

use std::collections::BTreeMap;

use bowline_template::{Native, Scope, Shape, Value};

use super::{Row, SourceReader};
use crate::description::{Index, Source};
use crate::error::SourceError;
use crate::expression::to_json;
use crate::failed::Part;

/// A source that has been read.
#[derive(Debug)]
pub(crate) struct LoadedSource {
    /// Its records, in the order in which they came.
    pub(crate) rows: Vec<Row>,
    index: Option<Found>,
}

/// What is found by key, written as JSON so that keys of several parts work.
#[derive(Debug)]
struct Found {
    /// Sorted by key.
    entries: Vec<(String, Value)>,
    /// What an unknown key finds: a record that another one points to may be gone, and that is no field that is missing.
    nothing: Value,
}

impl Native for LoadedSource {
    fn shape(&self) -> Shape {
        match self.index {
            Some(_) => Shape::Mapping,
            None => Shape::Sequence,
        }
    }

    fn count(&self) -> usize {
        match &self.index {
            Some(found) => found.entries.len(),
            None => self.rows.len(),
        }
    }

    fn at(&self, place: usize) -> Option<Value> {
        match &self.index {
            Some(found) => {
                let (key, _) = found.entries.get(place)?;
                Some(Value::from(key.as_str()))
            }
            None => self.rows.get(place).map(|row| row.record.clone()),
        }
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let Found { entries, nothing } = self.index.as_ref()?;
        let find = |key: String| {
            let place = entries.binary_search_by(|(known, _)| known.cmp(&key));
            place.ok().map(|place| entries[place].1.clone())
        };
        let found = find(exact(key)).or_else(|| find(otherwise(key)?));
        Some(found.unwrap_or_else(|| nothing.clone()))
    }
}

/// A key as text that tells it from every other: the number 1 is not the text `1`.
pub(super) fn exact(key: &Value) -> String {
    to_json(key).to_string()
}

/// The key as another list of the vendor's may write it: identifiers come as numbers here and as texts there.
fn otherwise(key: &Value) -> Option<String> {
    match to_json(key) {
        serde_json::Value::String(text) => text.parse::<f64>().is_ok().then_some(text),
        serde_json::Value::Number(number) => {
            Some(serde_json::Value::from(number.to_string()).to_string())
        }
        _ => None,
    }
}

impl LoadedSource {
    /// Rows without an index.
    pub(crate) fn list(rows: Vec<Row>) -> Self {
        Self { rows, index: None }
    }
}

impl SourceReader<'_> {
    /// Makes the index of a source; of records with the same key the first counts.
    pub(super) fn indexed(
        &self,
        source: &Source,
        scope: &Scope,
        rows: Vec<Row>,
    ) -> Result<LoadedSource, SourceError> {
        let Some(index) = &source.index else {
            return Ok(LoadedSource::list(rows));
        };
        let mut one = BTreeMap::new();
        let mut many: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in &rows {
            let scope = row.scope(scope);
            let key = self.evaluate(index.expression(), &scope, &row.record);
            let Some(key) = self.one_of_many(index, Part::Record, &row.record, key)? else {
                continue;
            };
            match index {
                Index::One(_) => {
                    one.entry(exact(&key)).or_insert_with(|| row.record.clone());
                }
                Index::Many(_) => many
                    .entry(exact(&key))
                    .or_default()
                    .push(row.record.clone()),
                Index::ManyKeys(_) => {
                    for key in key.items().into_iter().flatten() {
                        let records = many.entry(exact(&key)).or_default();
                        records.push(row.record.clone());
                    }
                }
            }
        }
        let found = match index {
            Index::One(_) => Found {
                entries: one.into_iter().collect(),
                nothing: Value::NONE,
            },
            Index::Many(_) | Index::ManyKeys(_) => Found {
                entries: many
                    .into_iter()
                    .map(|(key, records)| (key, Value::list(records)))
                    .collect(),
                nothing: Value::list(Vec::new()),
            },
        };
        Ok(LoadedSource {
            rows,
            index: Some(found),
        })
    }
}
