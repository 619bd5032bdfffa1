//! The arguments of a call, and how they are matched with the names of what is called.

use std::sync::Arc;

use super::fault::{Fault, FaultKind, Outcome, type_fault};
use super::number::as_small;
use super::value::Value;

/// What a call passes.
#[derive(Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

impl Arguments {
    /// Every argument, with a name or without.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        let named = self.named.iter().map(|(_, value)| value);
        self.positional.iter().chain(named)
    }
}

/// How a function takes its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature<'a> {
    /// What errors call the function.
    pub(crate) function: &'static str,
    /// Its parameters, in order.
    pub(crate) names: &'a [&'static str],
    /// How many of them must be given.
    pub(crate) required: usize,
    /// How many of them cannot be given by name.
    pub(crate) nameless: usize,
}

impl<'a> Signature<'a> {
    /// A function whose parameters are given by place only.
    pub(crate) const fn by_place(
        function: &'static str,
        names: &'a [&'static str],
        required: usize,
    ) -> Self {
        Self {
            function,
            names,
            required,
            nameless: names.len(),
        }
    }

    /// A function whose parameters may be given by name.
    pub(crate) const fn by_name(
        function: &'static str,
        names: &'a [&'static str],
        required: usize,
    ) -> Self {
        Self {
            function,
            names,
            required,
            nameless: 0,
        }
    }
}

/// Arguments in the order of a signature.
pub(crate) struct Bound {
    values: Vec<Option<Value>>,
}

impl Arguments {
    /// Matches the arguments with a signature.
    pub(crate) fn bind(self, signature: Signature<'_>) -> Outcome<Bound> {
        let Signature {
            function,
            names,
            required,
            nameless,
        } = signature;
        if self.positional.len() > names.len() {
            return type_fault(format!(
                "`{function}` takes {} arguments at most, not {}",
                names.len(),
                self.positional.len()
            ));
        }
        let mut values: Vec<Option<Value>> = self.positional.into_iter().map(Some).collect();
        values.resize_with(names.len(), || None);
        for (name, value) in self.named {
            let place = names
                .iter()
                .enumerate()
                .skip(nameless)
                .find(|(_, known)| **known == &*name)
                .map(|(place, _)| place);
            match place.map(|place| &mut values[place]) {
                None => {
                    return type_fault(format!("`{function}` takes no argument named `{name}`"));
                }
                Some(Some(_)) => {
                    return type_fault(format!("`{function}` is given `{name}` twice"));
                }
                Some(slot) => *slot = Some(value),
            }
        }
        match names
            .iter()
            .zip(&values)
            .take(required)
            .find(|(_, value)| value.is_none())
        {
            Some((name, _)) => type_fault(format!("`{function}` needs the argument `{name}`")),
            None => Ok(Bound { values }),
        }
    }

    /// Refuses any argument.
    pub(crate) fn none(self, function: &'static str) -> Outcome<()> {
        self.bind(Signature::by_place(function, &[], 0)).map(|_| ())
    }
}

impl Bound {
    pub(crate) fn into_values(self) -> Vec<Option<Value>> {
        self.values
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Value> {
        self.values.get(place).and_then(Option::as_ref)
    }

    /// A given argument that is not `None`.
    pub(crate) fn some(&self, place: usize) -> Option<&Value> {
        self.get(place)
            .filter(|value| !matches!(value, Value::None))
    }

    /// A required argument.
    pub(crate) fn required(&self, place: usize) -> &Value {
        self.get(place).unwrap_or(&Value::None)
    }

    pub(crate) fn is_true(&self, place: usize, default: bool) -> bool {
        self.get(place).map_or(default, Value::is_true)
    }

    /// A text.
    pub(crate) fn text(&self, place: usize) -> Outcome<&str> {
        let value = self.required(place);
        match value.as_str() {
            Some(text) => Ok(text),
            None => expected("a text", value),
        }
    }

    /// A whole number of the machine's size, or the default when it is not given.
    pub(crate) fn integer(&self, place: usize, default: i64) -> Outcome<i64> {
        match self.get(place) {
            None => Ok(default),
            Some(Value::Big(_)) => too_large(),
            Some(value) => integer(value),
        }
    }
}

/// A whole number as Python takes one for a count or place; numbers beyond the machine's are cut to its bounds.
pub(crate) fn integer(value: &Value) -> Outcome<i64> {
    match (as_small(value), value) {
        (Some(number), _) => Ok(number),
        (None, Value::Big(number)) => Ok(if number.sign() == num_bigint::Sign::Minus {
            i64::MIN
        } else {
            i64::MAX
        }),
        _ => expected("a whole number", value),
    }
}

/// The fault about a whole number that is too large for a size or count.
pub(crate) fn too_large<T>() -> Outcome<T> {
    Err(Fault::new(
        FaultKind::Overflow,
        "a whole number too large for a size or count",
    ))
}

/// The fault about a value of the wrong type.
pub(crate) fn expected<T>(what: &str, value: &Value) -> Outcome<T> {
    if let Value::Undefined(missing) = value {
        return type_fault(format!("expected {what}: {}", missing.message));
    }
    type_fault(format!("expected {what}, not a `{}`", value.type_name()))
}
