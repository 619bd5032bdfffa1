//! Jinja's own functions.

use std::sync::{Arc, Mutex};

use super::machine::Machine;
use super::object::{Cycler, Joiner, Namespace, Object};
use crate::native::Shape;
use crate::python::arguments::{Arguments, Signature, expected};
use crate::python::fault::{
    Fault, FaultKind, Outcome, runtime, type_fault, unsupported, value_fault,
};
use crate::python::number::as_small;
use crate::python::value::{Dict, Range, Value};

/// A function that is there without being passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    Range,
    Lipsum,
}

/// The longest range the sandbox allows.
const RANGE_LIMIT: usize = 100_000;

const DICT: &str = "dict";
const CYCLER: &str = "jinja2.utils.Cycler";
const JOINER: &str = "jinja2.utils.Joiner";
const NAMESPACE: &str = "jinja2.utils.Namespace";

/// Jinja's own functions, by name.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Value)> {
    let functions = [
        ("range", Object::Global(Global::Range)),
        ("lipsum", Object::Global(Global::Lipsum)),
        ("dict", Object::Type(DICT)),
        ("cycler", Object::Type(CYCLER)),
        ("joiner", Object::Type(JOINER)),
        ("namespace", Object::Type(NAMESPACE)),
    ];
    functions
        .into_iter()
        .map(|(name, function)| (name, Value::object(function)))
}

/// Calls a function.
pub(crate) fn call(global: Global, arguments: Arguments) -> Outcome<Value> {
    match global {
        Global::Range => range(arguments),
        Global::Lipsum => unsupported("`lipsum`: its text is random"),
    }
}

fn range(arguments: Arguments) -> Outcome<Value> {
    let bound = arguments.bind(Signature::by_place("range", &["start", "stop", "step"], 1))?;
    let number = |place: usize, default: i64| match bound.get(place) {
        None => Ok(default),
        Some(value) => match (as_small(value), value) {
            (Some(number), _) => Ok(number),
            (None, Value::Big(_)) => unsupported("a `range` of numbers beyond 64 bits"),
            _ => expected("a whole number", value),
        },
    };
    let (start, stop) = match bound.get(1) {
        Some(_) => (number(0, 0)?, number(1, 0)?),
        None => (0, number(0, 0)?),
    };
    let step = number(2, 1)?;
    if step == 0 {
        return value_fault("a range of step zero");
    }
    let range = Range { start, stop, step };
    if range.len() > RANGE_LIMIT {
        return too_big();
    }
    Ok(Value::Range(range))
}

fn too_big<T>() -> Outcome<T> {
    Err(Fault::new(
        FaultKind::Overflow,
        format!("a range of more than {RANGE_LIMIT} numbers"),
    ))
}

/// Makes an object of a class.
pub(crate) fn construct(
    machine: &mut Machine,
    class: &'static str,
    arguments: Arguments,
) -> Outcome<Value> {
    match class {
        DICT => dict(machine, arguments).map(Value::dict),
        NAMESPACE => {
            let namespace = Namespace::default();
            for (name, value) in dict(machine, arguments)?.iter() {
                match name.as_str() {
                    Some(name) => namespace.set(Arc::from(name), value.clone())?,
                    None => return unsupported("a namespace with a name that is no text"),
                }
            }
            Ok(machine.keep(Object::Namespace(namespace)))
        }
        CYCLER => {
            if !arguments.named.is_empty() {
                return type_fault("`cycler` takes no named arguments");
            }
            if arguments.positional.is_empty() {
                return runtime("`cycler` needs at least one item");
            }
            Ok(Value::object(Object::Cycler(Cycler {
                items: arguments.positional,
                next: Mutex::new(0),
            })))
        }
        _ => {
            let bound = arguments.bind(Signature::by_name("joiner", &["sep"], 0))?;
            Ok(Value::object(Object::Joiner(Joiner {
                separator: bound.get(0).cloned().unwrap_or_else(|| Value::text(", ")),
                used: Mutex::new(false),
            })))
        }
    }
}

/// `dict(mapping or pairs, **named)`
fn dict(machine: &mut Machine, arguments: Arguments) -> Outcome<Dict> {
    if arguments.positional.len() > 1 {
        return type_fault("`dict` takes one argument at most");
    }
    let mut dict = match arguments.positional.first() {
        None => Dict::default(),
        Some(Value::Dict(given)) => given.copy()?,
        Some(Value::Undefined(missing)) => return Err(missing.fault()),
        Some(Value::Native(native)) if native.shape() == Shape::Mapping => {
            match arguments.positional[0].plain() {
                Some(Value::Dict(given)) => given.copy()?,
                _ => Dict::default(),
            }
        }
        Some(pairs) => {
            let mut dict = Dict::default();
            for pair in machine.collect(pairs)? {
                let mut pair = machine.collect(&pair)?;
                match (pair.pop(), pair.pop(), pair.is_empty()) {
                    (Some(value), Some(key), true) => dict.insert(key, value)?,
                    _ => return value_fault("`dict` takes pairs"),
                }
            }
            dict
        }
    };
    for (name, value) in arguments.named {
        dict.insert(Value::Str(name), value)?;
    }
    Ok(dict)
}
