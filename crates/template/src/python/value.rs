//! Python's values, as far as templates can meet them.

use std::collections::HashMap;
use std::sync::Arc;

use num_bigint::BigInt;

use super::compare::{equal, hash};
use super::fault::{DEPTH_LIMIT, Outcome, check_list, out_of_fuel};
use super::meter;
use super::moment::Moment;
use crate::native::{Native, Shape};
use crate::render::object::Object;

/// A value of a template.
#[derive(Clone)]
pub(crate) enum Value {
    /// Jinja's `Undefined`.
    Undefined(Arc<Undefined>),
    /// `None`
    None,
    /// `bool`
    Bool(bool),
    /// An `int` of the machine's size; always this when it fits.
    Int(i64),
    /// An `int` that does not fit [`Value::Int`].
    Big(Arc<BigInt>),
    /// `float`
    Float(f64),
    /// `str`
    Str(Arc<str>),
    /// `Markup`: a `str` marked safe by `escape`, `safe` or `tojson`.
    Markup(Arc<str>),
    /// `list`
    List(Arc<Items>),
    /// `tuple`, plain or with names
    Tuple(Arc<Items>),
    /// `dict`
    Dict(Arc<Dict>),
    /// `dict.keys()` and its like
    View(View, Arc<Dict>),
    /// `range`
    Range(Range),
    /// `datetime` and its like
    Moment(Moment),
    /// A `list` or `dict` of the caller's own.
    Native(Arc<dyn Native>),
    /// Everything that has state or is called.
    Object(Arc<Object>),
}

/// Why a value is not there; it prints as nothing and fails when it is used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undefined {
    /// What an error about it says.
    pub(crate) message: String,
    pub(crate) reason: Reason,
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is none.
    Missing,
    /// The sandbox hides it.
    Hidden,
    /// An `if` without `else` chose nothing.
    Unchosen,
}

/// The items of a list or tuple.
pub(crate) struct Items {
    pub(crate) values: Vec<Value>,
    /// The names of a named tuple.
    pub(crate) names: Option<&'static TupleNames>,
    depth: u32,
    lazy: bool,
}

/// How a named tuple calls itself and its items.
pub(crate) struct TupleNames {
    /// How it prints; plain parentheses when `None`.
    pub(crate) title: Option<&'static str>,
    /// One name for each item.
    pub(crate) names: &'static [&'static str],
}

/// Which part of a `dict` a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Keys,
    Values,
    Items,
}

/// `range(start, stop, step)`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
}

impl Range {
    pub(crate) fn len(self) -> usize {
        let (start, stop, step) = (
            i128::from(self.start),
            i128::from(self.stop),
            i128::from(self.step),
        );
        let count = if step > 0 {
            (stop - start + step - 1).div_euclid(step)
        } else {
            (start - stop - step - 1).div_euclid(-step)
        };
        usize::try_from(count).unwrap_or(0)
    }

    /// The item at a position that is within the length.
    pub(crate) fn at(self, index: usize) -> i64 {
        self.start + self.step * i64::try_from(index).unwrap_or(0)
    }
}

/// An ordered `dict`; keys are found by Python's equality.
#[derive(Default)]
pub(crate) struct Dict {
    entries: Vec<(Value, Value)>,
    index: HashMap<u64, Vec<usize>>,
    depth: u32,
    lazy: bool,
}

impl Dict {
    /// Sets a key; an equal key keeps its place and its spelling.
    pub(crate) fn insert(&mut self, key: Value, value: Value) -> Outcome<()> {
        let hash = hash(&key)?;
        self.depth = deeper(self.depth, [&key, &value])?;
        self.lazy |= key.is_lazy() || value.is_lazy();
        match self.find(hash, &key)? {
            Some(place) => self.entries[place].1 = value,
            None => {
                check_list(self.entries.len() + 1)?;
                self.index.entry(hash).or_default().push(self.entries.len());
                self.entries.push((key, value));
            }
        }
        Ok(())
    }

    /// A mapping from outside, as deep as it may be; of keys that are alike the last one counts.
    pub(crate) fn outside(entries: impl IntoIterator<Item = (Value, Value)>) -> Dict {
        let mut dict = Dict::default();
        for (key, value) in entries {
            dict.depth = dict.depth.max(value.depth() + 1);
            dict.lazy |= value.is_lazy();
            let Ok(hash) = hash(&key) else { continue };
            match dict.find(hash, &key) {
                Ok(Some(place)) => dict.entries[place].1 = value,
                Ok(None) => {
                    dict.index.entry(hash).or_default().push(dict.entries.len());
                    dict.entries.push((key, value));
                }
                Err(_) => {}
            }
        }
        dict
    }

    fn find(&self, hash: u64, key: &Value) -> Outcome<Option<usize>> {
        for place in self.index.get(&hash).into_iter().flatten() {
            if equal(&self.entries[*place].0, key)? {
                return Ok(Some(*place));
            }
        }
        Ok(None)
    }

    /// The value of a key; an unhashable key is a fault.
    pub(crate) fn get(&self, key: &Value) -> Outcome<Option<&Value>> {
        let place = self.find(hash(key)?, key)?;
        Ok(place.map(|place| &self.entries[place].1))
    }

    pub(crate) fn get_text(&self, key: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = &(Value, Value)> + ExactSizeIterator {
        self.entries.iter()
    }

    pub(crate) fn copy(&self) -> Outcome<Dict> {
        let mut copy = Dict::default();
        for (key, value) in &self.entries {
            copy.insert(key.clone(), value.clone())?;
        }
        Ok(copy)
    }
}

/// The depth of something that holds these values and what it held before.
pub(crate) fn deeper<'a>(so_far: u32, values: impl IntoIterator<Item = &'a Value>) -> Outcome<u32> {
    let deepest = values.into_iter().map(|value| value.depth() + 1).max();
    let depth = so_far.max(deepest.unwrap_or(0));
    if depth > DEPTH_LIMIT {
        return out_of_fuel(format!("values nested more than {DEPTH_LIMIT} deep"));
    }
    Ok(depth)
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Value {
        Value::Str(Arc::from(text.as_ref()))
    }

    pub(crate) fn list(values: Vec<Value>) -> Outcome<Value> {
        Ok(Value::List(Arc::new(items(values, None)?)))
    }

    pub(crate) fn tuple(values: Vec<Value>) -> Outcome<Value> {
        Ok(Value::Tuple(Arc::new(items(values, None)?)))
    }

    pub(crate) fn named_tuple(names: &'static TupleNames, values: Vec<Value>) -> Outcome<Value> {
        Ok(Value::Tuple(Arc::new(items(values, Some(names))?)))
    }

    /// A list from outside, as long and as deep as it may be.
    pub(crate) fn outside_list(values: Vec<Value>) -> Value {
        let depth = values
            .iter()
            .map(Value::depth)
            .max()
            .map_or(0, |depth| depth + 1);
        let lazy = values.iter().any(Value::is_lazy);
        Value::List(Arc::new(Items {
            values,
            names: None,
            depth,
            lazy,
        }))
    }

    /// A list or dict of the caller's own as one of Python's; `None` for all else.
    pub(crate) fn plain(&self) -> Option<Value> {
        let Value::Native(native) = self else {
            return None;
        };
        meter::owe(native.count());
        let items = (0..native.count()).filter_map(|place| native.at(place));
        Some(match native.shape() {
            Shape::Sequence => Value::outside_list(items.map(|item| item.0).collect()),
            Shape::Mapping => {
                let entries = items.filter_map(|key| {
                    let value = native.get(&key)?;
                    Some((key.0, value.0))
                });
                Value::dict(Dict::outside(entries))
            }
        })
    }

    pub(crate) fn dict(dict: Dict) -> Value {
        Value::Dict(Arc::new(dict))
    }

    pub(crate) fn object(object: Object) -> Value {
        Value::Object(Arc::new(object))
    }

    /// A whole number, in its one form.
    pub(crate) fn integer(number: BigInt) -> Value {
        match i64::try_from(&number) {
            Ok(small) => Value::Int(small),
            Err(_) => Value::Big(Arc::new(number)),
        }
    }

    pub(crate) fn size(size: usize) -> Value {
        Value::Int(i64::try_from(size).unwrap_or(i64::MAX))
    }

    pub(crate) fn undefined(message: impl Into<String>) -> Value {
        Value::Undefined(Arc::new(Undefined {
            message: message.into(),
            reason: Reason::Missing,
        }))
    }

    /// What an `if` without `else` gives when it does not hold.
    pub(crate) fn unchosen() -> Value {
        Value::Undefined(Arc::new(Undefined {
            message: "the inline `if` is false and has no `else`".to_owned(),
            reason: Reason::Unchosen,
        }))
    }

    /// What stands for an attribute the sandbox hides.
    pub(crate) fn hidden(&self, attribute: &str) -> Value {
        Value::Undefined(Arc::new(Undefined {
            message: format!(
                "access to the attribute `{attribute}` of `{}` is not allowed",
                self.type_name()
            ),
            reason: Reason::Hidden,
        }))
    }

    /// The text of `str` and `Markup`.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) | Value::Markup(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// Whether it, or something in it, may give its items only when they are asked for.
    pub(crate) fn is_lazy(&self) -> bool {
        match self {
            Value::List(items) | Value::Tuple(items) => items.lazy,
            Value::Dict(dict) | Value::View(_, dict) => dict.lazy,
            Value::Object(_) => true,
            _ => false,
        }
    }

    pub(crate) fn depth(&self) -> u32 {
        match self {
            Value::List(items) | Value::Tuple(items) => items.depth,
            Value::Dict(dict) | Value::View(_, dict) => dict.depth,
            Value::Object(object) => object.depth(),
            _ => 0,
        }
    }

    /// Python's name for the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Big(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Markup(_) => "Markup",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::View(View::Keys, _) => "dict_keys",
            Value::View(View::Values, _) => "dict_values",
            Value::View(View::Items, _) => "dict_items",
            Value::Range(_) => "range",
            Value::Moment(moment) => moment.type_name(),
            Value::Native(native) => match native.shape() {
                Shape::Sequence => "list",
                Shape::Mapping => "dict",
            },
            Value::Object(object) => object.type_name(),
        }
    }

    /// Python's truth of a value.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(truth) => *truth,
            Value::Int(number) => *number != 0,
            Value::Big(_) => true,
            Value::Float(number) => *number != 0.0,
            Value::Str(text) | Value::Markup(text) => !text.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.values.is_empty(),
            Value::Dict(dict) | Value::View(_, dict) => dict.len() > 0,
            Value::Range(range) => range.len() > 0,
            Value::Moment(moment) => moment.is_true(),
            Value::Native(native) => native.count() > 0,
            Value::Object(object) => object.is_true(),
        }
    }
}

fn items(values: Vec<Value>, names: Option<&'static TupleNames>) -> Outcome<Items> {
    check_list(values.len())?;
    let depth = deeper(0, &values)?;
    let lazy = values.iter().any(Value::is_lazy);
    Ok(Items {
        values,
        names,
        depth,
        lazy,
    })
}
