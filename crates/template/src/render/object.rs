//! Values with state, and values that are called.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::globals::Global;
use super::iterate::Generator;
use super::looping::Loop;
use crate::environment::{Environment, Function};
use crate::python::fault::Outcome;
use crate::python::value::{Value, deeper};
use crate::scope::Scope;
use crate::syntax::ast::{Block, Macro};

/// A value that is not plain data.
pub(crate) enum Object {
    Macro(MacroObject),
    /// A method of a value, not called yet.
    Method {
        receiver: Value,
        name: &'static str,
    },
    Global(Global),
    /// A function of the caller.
    Function(Function),
    /// A class of Jinja or Python, by the name it prints.
    Type(&'static str),
    Loop(Loop),
    Namespace(Namespace),
    Cycler(Cycler),
    Joiner(Joiner),
    Generator(Generator),
    /// `self`
    This(Arc<Context>),
    /// `self.name`, not called yet.
    Block(Arc<Context>, Arc<Block>),
}

/// A macro and where it was defined.
pub(crate) struct MacroObject {
    pub(crate) node: Arc<Macro>,
    pub(crate) home: Arc<Activation>,
}

/// The variables of a function that runs.
pub(crate) struct Activation {
    pub(crate) slots: Mutex<Vec<Option<Value>>>,
    pub(crate) parent: Option<Arc<Activation>>,
    pub(crate) context: Arc<Context>,
}

/// What templates find by name.
pub(crate) struct Context {
    /// What the template has set at its top.
    pub(crate) vars: Mutex<HashMap<Arc<str>, Value>>,
    /// What was passed.
    pub(crate) given: Scope,
    pub(crate) environment: Arc<Environment>,
    pub(crate) blocks: Arc<[Arc<Block>]>,
}

/// Locks a value that only one thread at a time works on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    pub(crate) fn resolve(&self, name: &str) -> Option<Value> {
        let set = lock(&self.vars).get(name).cloned();
        set.or_else(|| self.given.get(name).map(|value| value.0.clone()))
            .or_else(|| self.environment.global(name).cloned())
    }

    /// A context that also has these values.
    pub(crate) fn derived(&self, values: impl IntoIterator<Item = (Arc<str>, Value)>) -> Context {
        let set = lock(&self.vars).clone();
        let outside = |(name, value)| (name, crate::Value(value));
        Context {
            vars: Mutex::default(),
            given: self
                .given
                .with(set.into_iter().map(outside))
                .with(values.into_iter().map(outside)),
            environment: self.environment.clone(),
            blocks: self.blocks.clone(),
        }
    }
}

/// `namespace()`
#[derive(Default)]
pub(crate) struct Namespace {
    state: Mutex<Attributes>,
}

#[derive(Default)]
struct Attributes {
    entries: Vec<(Arc<str>, Value)>,
    /// How deep the deepest value has ever been.
    depth: u32,
}

impl Namespace {
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        lock(&self.state)
            .entries
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| value.clone())
    }

    pub(crate) fn set(&self, name: Arc<str>, value: Value) -> Outcome<()> {
        let depth = deeper(0, [&value])?;
        let mut state = lock(&self.state);
        state.depth = state.depth.max(depth);
        match state.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => state.entries.push((name, value)),
        }
        Ok(())
    }

    /// The attributes, as text values with their values.
    pub(crate) fn entries(&self) -> Vec<(Value, Value)> {
        lock(&self.state)
            .entries
            .iter()
            .map(|(name, value)| (Value::Str(name.clone()), value.clone()))
            .collect()
    }

    /// Whether a value inside is nested as deep as the namespace, as one that holds the namespace itself is.
    pub(crate) fn is_cyclic(&self, value: &Value) -> bool {
        value.depth() >= lock(&self.state).depth
    }

    /// Lets go of all values, so that cycles end.
    pub(crate) fn clear(&self) {
        lock(&self.state).entries.clear();
    }
}

/// `cycler(...)`
pub(crate) struct Cycler {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Mutex<usize>,
}

/// `joiner(...)`
pub(crate) struct Joiner {
    pub(crate) separator: Value,
    pub(crate) used: Mutex<bool>,
}

impl Object {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Object::Macro(_) => "Macro",
            Object::Method { .. } => "method",
            Object::Global(_) | Object::Function(_) => "function",
            Object::Type(_) => "type",
            Object::Loop(_) => "LoopContext",
            Object::Namespace(_) => "Namespace",
            Object::Cycler(_) => "Cycler",
            Object::Joiner(_) => "Joiner",
            Object::Generator(generator) => generator.type_name,
            Object::This(_) => "TemplateReference",
            Object::Block(..) => "BlockReference",
        }
    }

    /// Every object is true; a loop runs, so it has a length.
    pub(crate) fn is_true(&self) -> bool {
        true
    }

    pub(crate) fn depth(&self) -> u32 {
        match self {
            Object::Method { receiver, .. } => receiver.depth() + 1,
            Object::Namespace(namespace) => lock(&namespace.state).depth,
            Object::Generator(generator) => generator.depth,
            Object::Cycler(cycler) => cycler.items.iter().map(Value::depth).max().unwrap_or(0) + 1,
            Object::Joiner(joiner) => joiner.separator.depth() + 1,
            _ => 0,
        }
    }

    /// Whether two objects are one.
    pub(crate) fn equal(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        match (&**self, &**other) {
            (Object::Global(a), Object::Global(b)) => a == b,
            (Object::Function(a), Object::Function(b)) => a.is(b),
            (Object::Type(a), Object::Type(b)) => a == b,
            _ => Arc::ptr_eq(self, other),
        }
    }

    /// A number for the object's identity.
    pub(crate) fn hash(self: &Arc<Self>) -> Option<usize> {
        Some(match &**self {
            Object::Global(global) => *global as usize,
            Object::Function(function) => function.address(),
            Object::Type(name) => name.len(),
            _ => Arc::as_ptr(self) as usize,
        })
    }

    pub(crate) fn is_callable(&self) -> bool {
        matches!(
            self,
            Object::Macro(_)
                | Object::Method { .. }
                | Object::Global(_)
                | Object::Function(_)
                | Object::Type(_)
                | Object::Loop(_)
                | Object::Joiner(_)
                | Object::Block(..)
        )
    }
}
