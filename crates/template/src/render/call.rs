//! Calls.

use super::machine::Machine;
use super::object::{Object, lock};
use super::{format_method, globals};
use crate::python::arguments::{Arguments, Signature};
use crate::python::attributes;
use crate::python::fault::{Outcome, type_fault};
use crate::python::text;
use crate::python::value::Value;

impl Machine {
    /// `value(...)`
    pub(crate) fn call(&mut self, value: &Value, arguments: Arguments) -> Outcome<Value> {
        let result = match value {
            Value::Undefined(missing) => return Err(missing.fault()),
            Value::Object(object) => self.call_object(object, arguments)?,
            _ => return not_callable(value.type_name()),
        };
        self.pay(result)
    }

    fn call_object(&mut self, object: &Object, arguments: Arguments) -> Outcome<Value> {
        match object {
            Object::Macro(found) => self.call_macro(found, arguments),
            Object::Method { receiver, name } => self.call_method(receiver, name, arguments),
            Object::Global(global) => globals::call(*global, arguments),
            Object::Function(function) => {
                function.call(self, Value::undefined("there is no value"), arguments)
            }
            Object::Type(class) => globals::construct(self, class, arguments),
            Object::Loop(running) => {
                let bound = arguments.bind(Signature::by_name("loop", &["iterable"], 1))?;
                match &running.recursion {
                    Some((node, around)) => {
                        let source = bound.required(0).clone();
                        self.recursive_loop(node, around, source, running.depth + 1)
                            .map(Value::text)
                    }
                    None => type_fault("`loop` can only be called in a loop marked `recursive`"),
                }
            }
            Object::Joiner(joiner) => {
                arguments.none("joiner")?;
                let used = std::mem::replace(&mut *lock(&joiner.used), true);
                Ok(if used {
                    joiner.separator.clone()
                } else {
                    Value::text("")
                })
            }
            Object::Block(context, block) => {
                arguments.none("block")?;
                self.block(context.clone(), block).map(Value::text)
            }
            Object::Namespace(_) | Object::Cycler(_) | Object::Generator(_) | Object::This(_) => {
                not_callable(object.type_name())
            }
        }
    }

    fn call_method(
        &mut self,
        receiver: &Value,
        name: &'static str,
        arguments: Arguments,
    ) -> Outcome<Value> {
        match (receiver, name) {
            (Value::Str(format), "format" | "format_map") => {
                format_method::call(self, format, name, arguments)
            }
            (Value::Str(separator), "join") => {
                let bound = arguments.bind(Signature::by_place("join", &["iterable"], 1))?;
                let items = self.collect(bound.required(0))?;
                text::join(separator, &items).map(Value::text)
            }
            (Value::Object(object), _) => match &**object {
                Object::Loop(running) => running.call(name, arguments),
                Object::Cycler(cycler) => {
                    arguments.none(name)?;
                    let mut next = lock(&cycler.next);
                    let current = cycler.items.get(*next).cloned().unwrap_or(Value::None);
                    if name == "reset" {
                        *next = 0;
                        return Ok(Value::None);
                    }
                    *next = (*next + 1) % cycler.items.len().max(1);
                    Ok(current)
                }
                _ => not_callable(name),
            },
            _ => attributes::call(receiver, name, arguments),
        }
    }
}

fn not_callable<T>(what: &str) -> Outcome<T> {
    type_fault(format!("a `{what}` cannot be called"))
}
