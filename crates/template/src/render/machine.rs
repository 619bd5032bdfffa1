//! What runs a template: its variables, and the bounds of what it may do.

use std::sync::{Arc, Mutex, Weak};

use super::object::{Activation, Context, Object, lock};
use crate::environment::Environment;
use crate::python::fault::{Fault, FaultKind, Outcome, out_of_fuel, value_fault};
use crate::python::meter;
use crate::python::value::Value;
use crate::scope::Scope;
use crate::syntax::ast::{Expr, Frame, Load, Place, Target, Variable};
use crate::syntax::{Formula, Program};

/// How deep macros, blocks and recursive loops may call one another.
const CALL_LIMIT: usize = 150;

/// After how many calls inside one another the rest runs on a fresh stack.
const CALLS_PER_STACK: usize = 16;

/// The size of a fresh stack, in bytes.
const STACK: usize = 16 << 20;

/// What runs a template, once.
pub(crate) struct Machine {
    pub(crate) environment: Arc<Environment>,
    calls: usize,
    /// What may stand in a cycle; it is emptied at the end.
    namespaces: Vec<Weak<Object>>,
    activations: Vec<Weak<Activation>>,
}

/// Runs a template with these values.
pub(crate) fn run(program: &Program, given: Scope) -> Outcome<String> {
    let context = Arc::new(Context {
        vars: Mutex::default(),
        given,
        environment: program.environment.clone(),
        blocks: program.blocks.clone(),
    });
    let _metered = meter::start();
    let mut machine = Machine::new(&program.environment);
    let home = machine.activation(program.slots, None, context.clone());
    if let Some(slot) = program.this {
        put(
            &home,
            slot,
            Some(Value::object(Object::This(context.clone()))),
        );
    }
    let mut out = String::new();
    let result = machine
        .enter(&program.frame, &home)
        .and_then(|()| machine.statements(&program.body, &home, &mut out));
    machine.let_go();
    lock(&context.vars).clear();
    result.map(|()| out)
}

/// The value of an expression on its own.
pub(crate) fn evaluate(formula: &Formula, given: &Scope) -> Outcome<Value> {
    let context = Arc::new(Context {
        vars: Mutex::default(),
        given: given.clone(),
        environment: formula.environment.clone(),
        blocks: formula.blocks.clone(),
    });
    let _metered = meter::start();
    let mut machine = Machine::new(&formula.environment);
    let home = machine.activation(formula.slots, None, context);
    let result = machine
        .enter(&formula.frame, &home)
        .and_then(|()| machine.eval(&formula.expr, &home, None))
        .and_then(|value| machine.settled(value));
    machine.let_go();
    result
}

/// The value of an expression that refers to nothing.
pub(crate) fn constant(expr: &Expr, environment: &Arc<Environment>) -> Outcome<Value> {
    let context = Arc::new(Context {
        vars: Mutex::default(),
        given: Scope::default(),
        environment: environment.clone(),
        blocks: Arc::from([]),
    });
    let _metered = meter::start();
    let mut machine = Machine::new(environment);
    let home = machine.activation(0, None, context);
    machine.eval(expr, &home, None)
}

/// The value of a variable.
pub(crate) fn load(place: Place, home: &Arc<Activation>) -> Option<Value> {
    let mut at = home;
    for _ in 0..place.hops {
        at = at.parent.as_ref()?;
    }
    lock(&at.slots).get(place.slot).cloned().flatten()
}

pub(super) fn put(home: &Arc<Activation>, slot: usize, value: Option<Value>) {
    if let Some(variable) = lock(&home.slots).get_mut(slot) {
        *variable = value;
    }
}

impl Machine {
    fn new(environment: &Arc<Environment>) -> Self {
        Self {
            environment: environment.clone(),
            calls: 0,
            namespaces: Vec::new(),
            activations: Vec::new(),
        }
    }

    /// Pays for a value that has been made.
    pub(crate) fn pay(&self, value: Value) -> Outcome<Value> {
        match &value {
            Value::Str(text) | Value::Markup(text) => meter::text(text.len()),
            Value::List(items) | Value::Tuple(items) => {
                meter::spend((items.values.len() / 2) as u64)
            }
            Value::Dict(dict) => meter::spend(dict.len() as u64),
            _ => Ok(()),
        }?;
        Ok(value)
    }

    /// An object that may come to hold itself.
    pub(crate) fn keep(&mut self, object: Object) -> Value {
        let object = Arc::new(object);
        self.namespaces.push(Arc::downgrade(&object));
        Value::Object(object)
    }

    pub(super) fn activation(
        &mut self,
        slots: usize,
        parent: Option<Arc<Activation>>,
        context: Arc<Context>,
    ) -> Arc<Activation> {
        let activation = Arc::new(Activation {
            slots: Mutex::new(vec![None; slots]),
            parent,
            context,
        });
        self.activations.push(Arc::downgrade(&activation));
        activation
    }

    fn let_go(&mut self) {
        for object in self
            .namespaces
            .drain(..)
            .filter_map(|object| object.upgrade())
        {
            if let Object::Namespace(namespace) = &*object {
                namespace.clear();
            }
        }
        for activation in self
            .activations
            .drain(..)
            .filter_map(|found| found.upgrade())
        {
            lock(&activation.slots).clear();
        }
    }

    /// Runs something that may call itself.
    pub(crate) fn nested<T: Send>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Outcome<T> + Send,
    ) -> Outcome<T> {
        if self.calls >= CALL_LIMIT {
            return out_of_fuel(format!(
                "macros or loops that call one another more than {CALL_LIMIT} deep"
            ));
        }
        self.calls += 1;
        let result = if self.calls % CALLS_PER_STACK == CALLS_PER_STACK / 4 {
            let reading = meter::reading();
            std::thread::scope(|scope| {
                let machine = &mut *self;
                let thread =
                    std::thread::Builder::new()
                        .stack_size(STACK)
                        .spawn_scoped(scope, move || {
                            meter::resume(reading);
                            (work(machine), meter::reading())
                        });
                match thread.map(std::thread::ScopedJoinHandle::join) {
                    Ok(Ok((result, reading))) => {
                        meter::resume(reading);
                        result
                    }
                    Ok(Err(panic)) => std::panic::resume_unwind(panic),
                    Err(_) => out_of_fuel("no memory for calls this deep"),
                }
            })
        } else {
            work(self)
        };
        self.calls -= 1;
        result
    }

    /// Gives the variables of a scope their first values.
    pub(crate) fn enter(&mut self, frame: &Frame, home: &Arc<Activation>) -> Outcome<()> {
        for (slot, origin) in &frame.entry {
            let value = match origin {
                Load::Context(name) => home.context.resolve(name),
                Load::Alias(place) => load(*place, home),
                Load::Missing => None,
            };
            put(home, *slot, value);
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, frame: &Frame, home: &Arc<Activation>) {
        for slot in &frame.exit {
            put(home, *slot, None);
        }
    }

    /// Assigns a value.
    pub(crate) fn assign(
        &mut self,
        target: &Target,
        value: Value,
        home: &Arc<Activation>,
    ) -> Outcome<()> {
        match target {
            Target::Name(variable) => {
                put(home, variable.place.slot, Some(value));
                Ok(())
            }
            Target::Attribute(variable, name) => {
                let object = namespace(variable, home)?;
                match &*object {
                    Object::Namespace(namespace) => namespace.set(name.clone(), value),
                    _ => not_a_namespace(),
                }
            }
            Target::Tuple(targets) => {
                let mut cursor = self.iterate(&value)?;
                let mut items = Vec::new();
                while items.len() <= targets.len() {
                    match self.advance(&mut cursor)? {
                        Some(item) => items.push(item),
                        None => break,
                    }
                }
                if items.len() != targets.len() {
                    let amount = if items.len() > targets.len() {
                        "too many"
                    } else {
                        "not enough"
                    };
                    return value_fault(format!(
                        "{amount} values to unpack, {} expected",
                        targets.len()
                    ));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, home)?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn export(&mut self, exports: &[Variable], home: &Arc<Activation>) {
        for variable in exports {
            if let Some(value) = load(variable.place, home) {
                lock(&home.context.vars).insert(variable.name.clone(), value);
            }
        }
    }
}

pub(super) fn namespace(variable: &Variable, home: &Arc<Activation>) -> Outcome<Arc<Object>> {
    match load(variable.place, home) {
        Some(Value::Object(object)) => Ok(object),
        _ => not_a_namespace(),
    }
}

pub(super) fn not_a_namespace<T>() -> Outcome<T> {
    Err(Fault::new(
        FaultKind::Runtime,
        "an attribute can only be set on a namespace",
    ))
}
