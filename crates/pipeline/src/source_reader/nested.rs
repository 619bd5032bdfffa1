//! Records that know the record that they were asked for or found in.

use std::sync::Arc;

use bowline_template::{Failure, Kind, Native, Shape, Value};

pub(super) const PARENT: &str = "parent";

/// A record with its parent; a field of the record's own with that name comes first.
#[derive(Debug)]
struct Nested {
    record: Value,
    parent: Value,
}

/// The record as the parent of others: `parent.parent` is what it was asked for or found in itself.
pub(super) fn nested(record: &Value, parent: &Value) -> Value {
    if parent.is_nothing() || record.kind() != Kind::Mapping {
        return record.clone();
    }
    Value::native(Arc::new(Nested {
        record: record.clone(),
        parent: parent.clone(),
    }))
}

impl Native for Nested {
    fn shape(&self) -> Shape {
        Shape::Mapping
    }

    fn count(&self) -> usize {
        self.record.items().map_or(0, |keys| keys.len())
    }

    fn at(&self, place: usize) -> Option<Value> {
        self.record.items()?.into_iter().nth(place)
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let key = key.as_text()?;
        let own = self.record.get(key);
        own.or_else(|| (key == PARENT).then(|| self.parent.clone()))
    }

    fn missing(&self, key: &Value) -> Option<Failure> {
        self.record.missing(key)
    }
}
