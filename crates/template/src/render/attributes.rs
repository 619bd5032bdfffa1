//! `value.name` and `value[key]`.

use std::sync::Arc;

use super::machine::Machine;
use super::object::{Object, lock};
use crate::environment::Absent;
use crate::native::{Native, Shape};
use crate::python::attributes::{self, Attribute};
use crate::python::fault::{FaultKind, Outcome, runtime, unsupported};
use crate::python::form::repr;
use crate::python::slice;
use crate::python::value::Value;

const CYCLER_METHODS: [&str; 2] = ["next", "reset"];

/// The attributes between double underscores that Jinja's undefined values have.
const UNDEFINED_DUNDERS: &[&str] = &[
    "add",
    "aiter",
    "bool",
    "call",
    "class",
    "complex",
    "delattr",
    "dir",
    "div",
    "doc",
    "eq",
    "float",
    "floordiv",
    "format",
    "ge",
    "getattr",
    "getattribute",
    "getitem",
    "getstate",
    "gt",
    "hash",
    "init",
    "init_subclass",
    "int",
    "iter",
    "le",
    "len",
    "lt",
    "mod",
    "module",
    "mul",
    "ne",
    "neg",
    "new",
    "pos",
    "pow",
    "radd",
    "rdiv",
    "reduce",
    "reduce_ex",
    "repr",
    "rfloordiv",
    "rmod",
    "rmul",
    "rpow",
    "rsub",
    "rtruediv",
    "setattr",
    "sizeof",
    "slots",
    "str",
    "sub",
    "subclasshook",
    "truediv",
];

/// Whether what is looked up must be there, where the environment asks for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    Sure,
    Tentative,
}

impl Machine {
    /// An attribute as Python's `getattr` finds it, before Jinja looks for an item.
    fn attribute(&mut self, value: &Value, name: &str) -> Outcome<Attribute> {
        if let Value::Undefined(missing) = value {
            if self.environment.absent == Absent::Chained {
                return Ok(Attribute::Data(value.clone()));
            }
            if name.starts_with("_undefined_") || name.starts_with("_fail_with_") {
                return Ok(Attribute::Hidden);
            }
            if let Some(inner) = name
                .strip_prefix("__")
                .and_then(|name| name.strip_suffix("__"))
                && UNDEFINED_DUNDERS.contains(&inner)
            {
                return Ok(Attribute::Hidden);
            }
            return Err(missing.fault());
        }
        if let Value::Native(native) = value {
            let found = match native.shape() {
                Shape::Mapping => native.get(&crate::Value::from(name)),
                Shape::Sequence => None,
            };
            return Ok(found.map_or(Attribute::Missing, |found| Attribute::Data(found.0)));
        }
        let Value::Object(object) = value else {
            if let Value::Dict(dict) = value
                && name.starts_with("__")
                && dict.get_text(name).is_some()
            {
                return unsupported(format!("the key `{name}` read as an attribute"));
            }
            return attributes::attribute(value, name);
        };
        if name.starts_with("__") && name.ends_with("__") {
            return Ok(Attribute::Hidden);
        }
        let text = |text: &str| Value::text(text);
        let data = match &**object {
            Object::Loop(running) => return running.attribute(self, name),
            Object::Namespace(namespace) => namespace.get(name),
            Object::Cycler(cycler) => match name {
                "items" => Some(Value::tuple(cycler.items.clone())?),
                "pos" => Some(Value::size(*lock(&cycler.next))),
                "current" => cycler.items.get(*lock(&cycler.next)).cloned(),
                _ => {
                    return Ok(match CYCLER_METHODS.iter().find(|known| **known == name) {
                        Some(method) => Attribute::Method(method),
                        None => Attribute::Missing,
                    });
                }
            },
            Object::Joiner(joiner) => match name {
                "sep" => Some(joiner.separator.clone()),
                "used" => Some(Value::Bool(*lock(&joiner.used))),
                _ => None,
            },
            Object::Macro(found) => {
                let node = &found.node;
                match name {
                    "name" => Some(node.name.as_deref().map_or(Value::None, text)),
                    "arguments" => Some(Value::tuple(
                        node.parameters
                            .iter()
                            .map(|parameter| Value::Str(parameter.variable.name.clone()))
                            .collect(),
                    )?),
                    "catch_kwargs" => Some(Value::Bool(node.kwargs.is_some())),
                    "catch_varargs" => Some(Value::Bool(node.varargs.is_some())),
                    "caller" => Some(Value::Bool(node.uses_caller)),
                    "explicit_caller" => Some(Value::Bool(
                        node.parameters
                            .iter()
                            .any(|parameter| &*parameter.variable.name == "caller"),
                    )),
                    _ => None,
                }
            }
            Object::Block(_, block) => match name {
                "name" => Some(Value::Str(block.name.clone())),
                "super" => Some(Value::undefined(format!(
                    "there is no parent block called `{}`",
                    block.name
                ))),
                _ => None,
            },
            Object::This(_) => None,
            Object::Method { .. }
            | Object::Global(_)
            | Object::Function(_)
            | Object::Type(_)
            | Object::Generator(_) => {
                return unsupported(format!(
                    "the attribute `{name}` of a `{}`",
                    object.type_name()
                ));
            }
        };
        Ok(match data {
            Some(value) if name.starts_with('_') => {
                let _ = value;
                Attribute::Hidden
            }
            Some(value) => Attribute::Data(value),
            None => Attribute::Missing,
        })
    }

    /// What an attribute gives; `None` when it is not there.
    pub(crate) fn found_attribute(&mut self, value: &Value, name: &str) -> Outcome<Option<Value>> {
        Ok(match self.attribute(value, name)? {
            Attribute::Data(found) => Some(found),
            Attribute::Method(name) => Some(Value::object(Object::Method {
                receiver: value.clone(),
                name,
            })),
            Attribute::Hidden => Some(value.hidden(name)),
            Attribute::Refused => {
                return unsupported(format!("`{name}` of `{}`", value.type_name()));
            }
            Attribute::Missing => None,
        })
    }

    /// `value[key]` without looking for an attribute; `None` when there is no such item.
    fn found_item(&mut self, value: &Value, key: &Value) -> Outcome<Option<Value>> {
        if let Value::Object(object) = value
            && let Object::This(context) = &**object
        {
            return Ok(context
                .blocks
                .iter()
                .find(|block| Some(&*block.name) == key.as_str())
                .map(|block| Value::object(Object::Block(context.clone(), block.clone()))));
        }
        if value.is_undefined() && self.environment.absent == Absent::Chained {
            return Ok(Some(value.clone()));
        }
        match slice::item(value, key) {
            Ok(found) => Ok(Some(found)),
            Err(fault) if matches!(fault.kind, FaultKind::Lookup | FaultKind::Type) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Jinja's `value.name`.
    pub(crate) fn get_attribute(
        &mut self,
        value: &Value,
        name: &Arc<str>,
        lookup: Lookup,
    ) -> Outcome<Value> {
        if let Value::Native(native) = value {
            let key = Value::Str(name.clone());
            return match self.found_item(value, &key)? {
                Some(found) => Ok(found),
                None => self.absent(native, key, lookup),
            };
        }
        if let Some(found) = self.found_attribute(value, name)? {
            return Ok(found);
        }
        if let Some(found) = self.found_item(value, &Value::Str(name.clone()))? {
            return Ok(found);
        }
        self.no_field(value, name, lookup)
    }

    /// What stands for a field of a value that has none of that name. Where null is walked through, only null is: a text,
    /// a number or a list is no record of which nothing is known.
    fn no_field(&self, value: &Value, name: &str, lookup: Lookup) -> Outcome<Value> {
        let message = format!("a `{}` has no attribute `{name}`", value.type_name());
        let is_something = match value {
            Value::Str(_)
            | Value::Markup(_)
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Big(_)
            | Value::Float(_) => true,
            // Some write an empty record as an empty list.
            Value::List(items) => !items.values.is_empty(),
            _ => false,
        };
        if is_something && lookup == Lookup::Sure && self.environment.absent == Absent::Chained {
            return runtime(message);
        }
        self.nothing(message, lookup)
    }

    /// What stands for something that a value does not have.
    fn nothing(&self, message: String, lookup: Lookup) -> Outcome<Value> {
        if lookup == Lookup::Sure && self.environment.refuses_absent() {
            return runtime(message);
        }
        Ok(Value::undefined(message))
    }

    /// What stands for a key that a list or mapping of the caller's own does not have.
    fn absent(&self, native: &Arc<dyn Native>, key: Value, lookup: Lookup) -> Outcome<Value> {
        let key = crate::Value(key);
        if lookup == Lookup::Sure
            && let Some(failure) = native.missing(&key)
        {
            return Err(failure.0);
        }
        self.nothing(format!("there is no item `{key}`"), lookup)
    }

    /// Jinja's `value[key]`.
    pub(crate) fn get_item(
        &mut self,
        value: &Value,
        key: &Value,
        lookup: Lookup,
    ) -> Outcome<Value> {
        if let Some(found) = self.found_item(value, key)? {
            return Ok(found);
        }
        if let Value::Native(native) = value {
            return self.absent(native, key.clone(), lookup);
        }
        if let Some(name) = key.as_str() {
            return match self.found_attribute(value, name)? {
                Some(found) => Ok(found),
                None => self.no_field(value, name, lookup),
            };
        }
        let key = repr(key).unwrap_or_else(|_| key.type_name().to_owned());
        let message = format!("a `{}` has no item `{key}`", value.type_name());
        self.nothing(message, lookup)
    }
}
