//! Sources as expressions see them: a list, or records found by a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::{Reader, Row};
use crate::description::{Index, Source};
use crate::error::SourceError;
use crate::expression::{Scope, to_json};

/// A source that has been read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its records, in the order in which they came.
    pub(crate) rows: Vec<Row>,
    index: Option<Found>,
}

/// Records by their key, which is written as JSON so that keys of several parts work.
#[derive(Debug)]
enum Found {
    One(BTreeMap<String, Value>),
    Many(BTreeMap<String, Vec<Value>>),
}

impl Object for Loaded {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.index {
            Some(_) => ObjectRepr::Map,
            None => ObjectRepr::Seq,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &self.index {
            None => self.rows.get(key.as_usize()?).map(|row| row.record.clone()),
            // A record that another one points to may be gone: that is null, and not a field that is missing.
            Some(Found::One(records)) => Some(
                records
                    .get(&written(key))
                    .cloned()
                    .unwrap_or_else(|| Value::from(())),
            ),
            Some(Found::Many(records)) => Some(Value::from(
                records.get(&written(key)).cloned().unwrap_or_default(),
            )),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.index {
            None => Enumerator::Seq(self.rows.len()),
            Some(Found::One(records)) => values(records.keys()),
            Some(Found::Many(records)) => values(records.keys()),
        }
    }
}

fn values<'k>(keys: impl Iterator<Item = &'k String>) -> Enumerator {
    Enumerator::Values(keys.map(|key| Value::from(key.as_str())).collect())
}

/// A key as text: numbers and texts that look alike are alike, as vendors write ids both ways.
pub(super) fn written(key: &Value) -> String {
    match to_json(key) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Loaded {
    /// Rows without an index.
    pub(crate) fn list(rows: Vec<Row>) -> Self {
        Self { rows, index: None }
    }
}

impl Reader<'_> {
    /// Makes the index of a source; of records with the same key the first counts.
    pub(super) fn indexed(
        &self,
        source: &Source,
        scope: &Scope,
        rows: Vec<Row>,
    ) -> Result<Loaded, SourceError> {
        let Some(index) = &source.index else {
            return Ok(Loaded::list(rows));
        };
        let mut one = BTreeMap::new();
        let mut many: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in &rows {
            let scope = scope.with([
                ("record", row.record.clone()),
                ("parent", row.parent.clone()),
            ]);
            let key = self.evaluate(index.expression(), &scope, &row.record)?;
            match index {
                Index::One(_) => {
                    one.entry(written(&key))
                        .or_insert_with(|| row.record.clone());
                }
                Index::Many(_) => many
                    .entry(written(&key))
                    .or_default()
                    .push(row.record.clone()),
                Index::ManyKeys(_) => {
                    for key in key.try_iter().into_iter().flatten() {
                        let records = many.entry(written(&key)).or_default();
                        records.push(row.record.clone());
                    }
                }
            }
        }
        let index = match index {
            Index::One(_) => Found::One(one),
            Index::Many(_) | Index::ManyKeys(_) => Found::Many(many),
        };
        Ok(Loaded {
            rows,
            index: Some(index),
        })
    }
}
