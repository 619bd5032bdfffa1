//! The headers of an answer in expressions: found whatever their case, and a missing one is an error as a missing field is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline_template::{Failure, Native, Shape, Value};

/// The headers of an answer, by their names in small letters.
#[derive(Debug)]
struct Headers {
    fields: Vec<(String, Value)>,
    /// What earlier answers to the same question had: one that comes no more says something by that.
    earlier: BTreeSet<String>,
}

/// An answer's headers as expressions see them. Those in `earlier` may be missing.
pub(crate) fn headers_value(
    headers: BTreeMap<String, String>,
    earlier: &BTreeSet<String>,
) -> Value {
    let fields = headers.into_iter();
    Value::native(Arc::new(Headers {
        fields: fields
            .map(|(name, value)| (name, Value::from(value)))
            .collect(),
        earlier: earlier.clone(),
    }))
}

impl Native for Headers {
    fn shape(&self) -> Shape {
        Shape::Mapping
    }

    fn count(&self) -> usize {
        self.fields.len()
    }

    fn at(&self, place: usize) -> Option<Value> {
        let (name, _) = self.fields.get(place)?;
        Some(Value::from(name.as_str()))
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let key = key.as_text()?;
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value.clone())
    }

    fn missing(&self, key: &Value) -> Option<Failure> {
        let key = key.as_text()?.to_ascii_lowercase();
        if self.earlier.contains(&key) {
            return None;
        }
        let names = || self.fields.iter().map(|(name, _)| name.as_str());
        let hint = match bowline_words::nearest(&key, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "it has {}; write `| default(none)` behind a header that may be missing",
                bowline_words::listed(names())
            ),
        };
        let failure = Failure::new(format!("the answer has no header `{key}`"));
        Some(failure.with_hint(Some(hint)))
    }
}
