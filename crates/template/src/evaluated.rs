//! What expressions are given and what they give, as callers see it.

use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::environment::{Failure, Function};
use crate::native::{Native, Shape};
use crate::python::compare::equal;
use crate::python::form::to_text;
use crate::python::moment::Moment;
use crate::python::slice;
use crate::python::value::{Dict, Value as Inner, View};
use crate::render::object::Object;

/// A value of an expression; it behaves there like the Python value of its [`Kind`]. Cloning it copies no content.
#[derive(Clone)]
pub struct Value(pub(crate) Inner);

/// What a [`Value`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'v> {
    /// Something that is not there.
    Undefined,
    /// `None`
    None,
    /// `bool`
    Boolean(bool),
    /// `int`; what needs more than 128 bits is a [`Kind::Float`]
    Integer(i128),
    /// `float`
    Float(f64),
    /// `str`
    Text(&'v str),
    /// `date`
    Date(Date),
    /// `datetime`, as its clock shows it
    DateTime(DateTime),
    /// `list` and what else has items
    Sequence,
    /// `dict`
    Mapping,
    /// Anything else, by Python's name for its type.
    Other(&'static str),
}

impl Value {
    /// `None`
    pub const NONE: Self = Self(Inner::None);

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Self {
        Self(Inner::outside_list(
            items.into_iter().map(|item| item.0).collect(),
        ))
    }

    /// A mapping with these keys, in order; of keys that are alike the last one counts.
    pub fn mapping<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (Inner::Str(key.into()), value.0));
        Self(Inner::dict(Dict::outside(entries)))
    }

    /// A list or mapping of the caller's own.
    #[must_use]
    pub fn native(native: Arc<dyn Native>) -> Self {
        Self(Inner::Native(native))
    }

    /// A function that can be called.
    #[must_use]
    pub fn function(function: Function) -> Self {
        Self(Inner::object(Object::Function(function)))
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind<'_> {
        match &self.0 {
            Inner::Undefined(_) => Kind::Undefined,
            Inner::None => Kind::None,
            Inner::Bool(truth) => Kind::Boolean(*truth),
            Inner::Int(number) => Kind::Integer(i128::from(*number)),
            Inner::Big(number) => match i128::try_from(&**number) {
                Ok(number) => Kind::Integer(number),
                Err(_) => Kind::Float(number.to_f64().unwrap_or(f64::INFINITY)),
            },
            Inner::Float(number) => Kind::Float(*number),
            Inner::Str(text) | Inner::Markup(text) => Kind::Text(text),
            Inner::Moment(Moment::Date(date)) => Kind::Date(*date),
            Inner::Moment(Moment::DateTime(stamp)) => Kind::DateTime(stamp.civil),
            Inner::Dict(_) => Kind::Mapping,
            Inner::List(_) | Inner::Tuple(_) | Inner::View(..) | Inner::Range(_) => Kind::Sequence,
            Inner::Native(native) => match native.shape() {
                Shape::Sequence => Kind::Sequence,
                Shape::Mapping => Kind::Mapping,
            },
            Inner::Moment(_) | Inner::Object(_) => Kind::Other(self.0.type_name()),
        }
    }

    /// Python's name for its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    /// Whether it is null, or not there.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self.0, Inner::None | Inner::Undefined(_))
    }

    /// Whether it is something that is not there.
    #[must_use]
    pub fn is_undefined(&self) -> bool {
        self.0.is_undefined()
    }

    /// Whether it counts as true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.0.is_true()
    }

    /// Its text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// It as a number, if it is one; a whole number beyond 53 bits may lose its last digits.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "it is what is asked for")]
    pub fn as_number(&self) -> Option<f64> {
        match self.kind() {
            Kind::Integer(number) => Some(number as f64),
            Kind::Float(number) => Some(number),
            _ => None,
        }
    }

    /// Its items, for a mapping its keys; none for what is null or not there.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Value>> {
        Some(match &self.0 {
            Inner::None | Inner::Undefined(_) => Vec::new(),
            Inner::List(items) | Inner::Tuple(items) => {
                items.values.iter().cloned().map(Value).collect()
            }
            Inner::Dict(dict) | Inner::View(View::Keys, dict) => {
                dict.iter().map(|(key, _)| Value(key.clone())).collect()
            }
            Inner::View(View::Values, dict) => {
                dict.iter().map(|(_, value)| Value(value.clone())).collect()
            }
            Inner::View(View::Items, dict) => dict
                .iter()
                .map(|(key, value)| Self::list(vec![Value(key.clone()), Value(value.clone())]))
                .collect(),
            Inner::Range(range) => (0..range.len())
                .map(|place| Value(Inner::Int(range.at(place))))
                .collect(),
            Inner::Native(native) => (0..native.count())
                .filter_map(|place| native.at(place))
                .collect(),
            _ => return None,
        })
    }

    /// The keys of a mapping with their values.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<(Value, Value)>> {
        match &self.0 {
            Inner::Dict(dict) => Some(
                dict.iter()
                    .map(|(key, value)| (Value(key.clone()), Value(value.clone())))
                    .collect(),
            ),
            Inner::Native(native) if native.shape() == Shape::Mapping => Some(
                (0..native.count())
                    .filter_map(|place| {
                        let key = native.at(place)?;
                        let value = native.get(&key)?;
                        Some((key, value))
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The value of a key of a mapping, if it has that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        match &self.0 {
            Inner::Dict(dict) => dict.get_text(key).cloned().map(Value),
            Inner::Native(native) if native.shape() == Shape::Mapping => {
                native.get(&Value::from(key))
            }
            _ => None,
        }
    }

    /// Why it is wrong to ask a [`Native`] for a key that it does not have.
    #[must_use]
    pub fn missing(&self, key: &Value) -> Option<Failure> {
        match &self.0 {
            Inner::Native(native) => native.missing(key),
            _ => None,
        }
    }

    /// The item at a place of a sequence.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<Value> {
        match &self.0 {
            Inner::Native(native) => native.at(place),
            value => slice::item(value, &Inner::size(place)).ok().map(Value),
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::NONE
    }
}

/// Python's equality; what cannot be compared is not equal.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0).unwrap_or(false)
    }
}

/// As a template prints it; what cannot be printed shows its type.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match to_text(&self.0) {
            Ok(text) => f.write_str(&text),
            Err(_) => write!(f, "<{}>", self.type_name()),
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Inner::Undefined(_) => f.write_str("Undefined"),
            Inner::Str(text) => write!(f, "{text:?}"),
            _ => write!(f, "{self}"),
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self(Inner::Bool(truth))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self(Inner::Int(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self(Inner::integer(BigInt::from(number)))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self(Inner::integer(BigInt::from(number)))
    }
}

impl From<BigInt> for Value {
    fn from(number: BigInt) -> Self {
        Self(Inner::integer(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self(Inner::Float(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Inner::text(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self(Inner::Str(text.into()))
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self(Inner::Str(text))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}
