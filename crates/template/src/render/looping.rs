//! The variable `loop`.

use std::sync::{Arc, Mutex};

use super::iterate::Cursor;
use super::machine::Machine;
use super::object::{Activation, Object, lock};
use crate::python::arguments::Arguments;
use crate::python::attributes::Attribute;
use crate::python::compare::same_item;
use crate::python::fault::{Outcome, type_fault};
use crate::python::ops::length;
use crate::python::value::Value;
use crate::syntax::ast::For;

/// A loop that runs.
pub(crate) struct Loop {
    source: Value,
    state: Mutex<LoopState>,
    /// How many loops it stands in.
    pub(crate) depth: i64,
    /// The loop to enter again, when it is recursive.
    pub(crate) recursion: Option<(Arc<For>, Arc<Activation>)>,
}

struct LoopState {
    cursor: Cursor,
    length: Option<i64>,
    index: i64,
    /// The item after the current one, when it has been looked at already.
    after: Option<Value>,
    current: Option<Value>,
    before: Option<Value>,
    changed: Option<Vec<Value>>,
}

const METHODS: [&str; 2] = ["changed", "cycle"];

impl Loop {
    pub(crate) fn new(
        source: Value,
        cursor: Cursor,
        depth: i64,
        recursion: Option<(Arc<For>, Arc<Activation>)>,
    ) -> Self {
        Self {
            source,
            state: Mutex::new(LoopState {
                cursor,
                length: None,
                index: -1,
                after: None,
                current: None,
                before: None,
                changed: None,
            }),
            depth,
            recursion,
        }
    }

    /// Goes on to the next item.
    pub(crate) fn next(&self, machine: &mut Machine) -> Outcome<Option<Value>> {
        let ready = lock(&self.state).after.take();
        let next = match ready {
            Some(item) => Some(item),
            None => self.pull(machine)?,
        };
        let mut state = lock(&self.state);
        if let Some(item) = &next {
            state.index += 1;
            state.before = state.current.replace(item.clone());
        }
        Ok(next)
    }

    /// The next item of the source; the lock is not held while the source works.
    fn pull(&self, machine: &mut Machine) -> Outcome<Option<Value>> {
        let mut cursor = {
            let mut state = lock(&self.state);
            std::mem::replace(&mut state.cursor, Cursor::Items(Vec::new()))
        };
        let item = machine.advance(&mut cursor);
        lock(&self.state).cursor = cursor;
        item
    }

    fn peek(&self, machine: &mut Machine) -> Outcome<Option<Value>> {
        if let Some(after) = &lock(&self.state).after {
            return Ok(Some(after.clone()));
        }
        let next = self.pull(machine)?;
        lock(&self.state).after.clone_from(&next);
        Ok(next)
    }

    pub(crate) fn length(&self, machine: &mut Machine) -> Outcome<i64> {
        if let Some(length) = lock(&self.state).length {
            return Ok(length);
        }
        let count = match length(&self.source) {
            Ok(count) => i64::try_from(count).unwrap_or(i64::MAX),
            Err(_) => {
                let mut cursor = {
                    let mut state = lock(&self.state);
                    std::mem::replace(&mut state.cursor, Cursor::Items(Vec::new()))
                };
                let mut rest = machine.drain(&mut cursor)?;
                rest.reverse();
                let mut state = lock(&self.state);
                let left = i64::try_from(rest.len()).unwrap_or(i64::MAX);
                state.cursor = Cursor::Items(rest);
                left + state.index + 1 + i64::from(state.after.is_some())
            }
        };
        lock(&self.state).length = Some(count);
        Ok(count)
    }

    /// An attribute of `loop`.
    pub(crate) fn attribute(&self, machine: &mut Machine, name: &str) -> Outcome<Attribute> {
        let index = lock(&self.state).index;
        let undefined = |what: &str| Value::undefined(format!("there is no {what} item"));
        let value = match name {
            "index0" => Value::Int(index),
            "index" => Value::Int(index + 1),
            "revindex0" => Value::Int(self.length(machine)? - index - 1),
            "revindex" => Value::Int(self.length(machine)? - index),
            "length" => Value::Int(self.length(machine)?),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(self.peek(machine)?.is_none()),
            "depth0" => Value::Int(self.depth),
            "depth" => Value::Int(self.depth + 1),
            "previtem" => {
                let before = lock(&self.state).before.clone();
                before
                    .filter(|_| index > 0)
                    .unwrap_or_else(|| undefined("previous"))
            }
            "nextitem" => self.peek(machine)?.unwrap_or_else(|| undefined("next")),
            _ => {
                return Ok(match METHODS.iter().find(|known| **known == name) {
                    Some(method) => Attribute::Method(method),
                    None => Attribute::Missing,
                });
            }
        };
        Ok(Attribute::Data(value))
    }

    /// Calls `loop.cycle` or `loop.changed`.
    pub(crate) fn call(&self, method: &str, arguments: Arguments) -> Outcome<Value> {
        if !arguments.named.is_empty() {
            return type_fault(format!("`loop.{method}` takes no named arguments"));
        }
        let given = arguments.positional;
        let mut state = lock(&self.state);
        if method == "cycle" {
            let Ok(count) = i64::try_from(given.len()) else {
                return type_fault("too many items to cycle through");
            };
            if count == 0 {
                return type_fault("no items to cycle through");
            }
            let place = usize::try_from(state.index.rem_euclid(count)).unwrap_or(0);
            return Ok(given[place].clone());
        }
        let mut same = state
            .changed
            .as_ref()
            .is_some_and(|last| last.len() == given.len());
        if same && let Some(last) = &state.changed {
            for (old, new) in last.iter().zip(&given) {
                same = same && same_item(old, new)?;
            }
        }
        if !same {
            state.changed = Some(given);
        }
        Ok(Value::Bool(!same))
    }
}

/// The loop of an object.
pub(crate) fn of(object: &Object) -> Option<&Loop> {
    match object {
        Object::Loop(found) => Some(found),
        _ => None,
    }
}
