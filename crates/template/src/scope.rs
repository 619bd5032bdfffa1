//! The names that are passed to an expression or template.

use std::sync::Arc;

use crate::evaluated::Value;

/// Names and their values. It is cheap to clone, and to extend without changing what it was made of.
#[derive(Debug, Clone, Default)]
pub struct Scope(Option<Arc<Layer>>);

#[derive(Debug)]
struct Layer {
    names: Vec<(Arc<str>, Value)>,
    around: Scope,
}

impl Scope {
    /// A scope with these names.
    pub fn new<N: Into<Arc<str>>>(names: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::default().with(names)
    }

    /// The same names and some more; the new ones win.
    #[must_use]
    pub fn with<N: Into<Arc<str>>>(&self, more: impl IntoIterator<Item = (N, Value)>) -> Self {
        let names = more.into_iter().map(|(name, value)| (name.into(), value));
        Self(Some(Arc::new(Layer {
            names: names.collect(),
            around: self.clone(),
        })))
    }

    /// The value of a name, if it has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut scope = self;
        while let Some(layer) = &scope.0 {
            // Of two that are alike the later one counts.
            let found = layer.names.iter().rev().find(|(known, _)| **known == *name);
            if let Some((_, value)) = found {
                return Some(value);
            }
            scope = &layer.around;
        }
        None
    }

    /// Every name in it; those that are hidden by others too.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let mut scope = self;
        std::iter::from_fn(move || {
            let layer = scope.0.as_deref()?;
            scope = &layer.around;
            Some(layer.names.iter().map(|(name, _)| &**name))
        })
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_hide_old_ones_and_leave_them_as_they_are() {
        let outer = Scope::new([("a", Value::from(1_i64)), ("b", Value::from(2_i64))]);
        let inner = outer.with([("a", Value::from(3_i64))]);
        assert_eq!(inner.get("a"), Some(&Value::from(3_i64)));
        assert_eq!(inner.get("b"), Some(&Value::from(2_i64)));
        assert_eq!(inner.get("c"), None);
        assert_eq!(outer.get("a"), Some(&Value::from(1_i64)));
        assert_eq!(inner.names().collect::<Vec<_>>(), ["a", "a", "b"]);
    }
}
