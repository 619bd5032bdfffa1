//! Statements.

use std::sync::Arc;

use super::iterate::{Cursor, State, generator};
use super::looping::{self, Loop};
use super::machine::{Machine, load, namespace, not_a_namespace, put};
use super::object::{Activation, Context, MacroObject, Object, lock};
use crate::python::arguments::Arguments;
use crate::python::fault::{Fault, Outcome, check_text, runtime, type_fault};
use crate::python::form::write_text;
use crate::python::meter;
use crate::python::value::{Dict, Reason, Value};
use crate::syntax::ast::{Block, Expr, ExprKind, For, Macro, SetBlock, Stmt, Target};

impl Machine {
    /// Runs statements.
    pub(crate) fn statements(
        &mut self,
        body: &[Stmt],
        home: &Arc<Activation>,
        out: &mut String,
    ) -> Outcome<()> {
        for stmt in body {
            self.statement(stmt, home, out)?;
        }
        Ok(())
    }

    /// Runs statements and gives their text.
    fn captured(&mut self, body: &[Stmt], home: &Arc<Activation>) -> Outcome<String> {
        let mut text = String::new();
        self.statements(body, home, &mut text)?;
        meter::text(text.len())?;
        Ok(text)
    }

    fn write(&mut self, value: &Value, out: &mut String) -> Outcome<()> {
        let before = out.len();
        write_text(value, out)?;
        check_text(out.len())?;
        meter::text(out.len() - before)
    }

    /// Writes a value as the environment wants it printed.
    fn print(&mut self, value: Value, out: &mut String) -> Outcome<()> {
        if let Value::Undefined(absent) = &value
            && self.environment.refuses_absent()
            && absent.reason != Reason::Unchosen
        {
            return Err(absent.fault());
        }
        match self.environment.finalize {
            Some(finalize) => self.write(&finalize(crate::Value(value)).0, out),
            None => self.write(&value, out),
        }
    }

    /// Writes what a filter or call block gives; Jinja2 joins it with the text around it, so it must be a text.
    fn write_joined(&mut self, value: &Value, out: &mut String) -> Outcome<()> {
        if value.as_str().is_none() {
            return type_fault(format!(
                "a block that gives a `{}`, where only text can stand",
                value.type_name()
            ));
        }
        self.write(value, out)
    }

    fn statement(&mut self, stmt: &Stmt, home: &Arc<Activation>, out: &mut String) -> Outcome<()> {
        meter::spend(1)?;
        match stmt {
            Stmt::Text(text) => {
                check_text(out.len() + text.len())?;
                meter::text(text.len())?;
                out.push_str(text);
                Ok(())
            }
            Stmt::Print(expr) => {
                let value = self.eval(expr, home, None)?;
                self.print(value, out).map_err(|fault| fault.at(expr.at))
            }
            Stmt::For(node) => self.for_loop(node, home, out),
            Stmt::If {
                branches,
                otherwise,
            } => {
                for (test, body) in branches {
                    if self.condition(test, home)?.is_true() {
                        return self.statements(body, home, out);
                    }
                }
                self.statements(otherwise, home, out)
            }
            Stmt::With {
                assignments,
                body,
                frame,
            } => {
                self.enter(frame, home)?;
                for (target, value) in assignments {
                    let at = value.at;
                    let value = self.eval(value, home, None)?;
                    self.assign(target, value, home)
                        .map_err(|fault| fault.at(at))?;
                }
                self.statements(body, home, out)?;
                self.leave(frame, home);
                Ok(())
            }
            Stmt::Set {
                at,
                target,
                value,
                exports,
            } => {
                self.check_namespaces(target, home)
                    .map_err(|fault| fault.at(*at))?;
                let value = self.eval(value, home, None)?;
                self.assign(target, value, home)
                    .map_err(|fault| fault.at(*at))?;
                self.export(exports, home);
                Ok(())
            }
            Stmt::SetBlock(node) => self.set_block(node, home),
            Stmt::FilterBlock {
                filter,
                body,
                frame,
            } => {
                self.enter(frame, home)?;
                let text = self.captured(body, home)?;
                let value = self.eval(filter, home, Some(&text))?;
                self.write_joined(&value, out)
                    .map_err(|fault| fault.at(filter.at))?;
                self.leave(frame, home);
                Ok(())
            }
            Stmt::Macro {
                node,
                variable,
                exported,
            } => {
                let value = macro_value(node, home);
                if *exported {
                    lock(&home.context.vars).insert(variable.name.clone(), value.clone());
                }
                put(home, variable.place.slot, Some(value));
                Ok(())
            }
            Stmt::CallBlock { node, call } => {
                let caller = macro_value(node, home);
                let value = self.call_expression(call, home, Some(caller))?;
                self.write_joined(&value, out)
                    .map_err(|fault| fault.at(call.at))
            }
            Stmt::Block { at, block, visible } => {
                if block.required {
                    return runtime(format!("the required block `{}` is not filled", block.name))
                        .map_err(|fault: Fault| fault.at(*at));
                }
                let context = if block.scoped {
                    let values = visible.iter().filter_map(|variable| {
                        Some((variable.name.clone(), load(variable.place, home)?))
                    });
                    Arc::new(home.context.derived(values.collect::<Vec<_>>()))
                } else {
                    home.context.clone()
                };
                let text = self.block(context, block)?;
                check_text(out.len() + text.len())?;
                out.push_str(&text);
                Ok(())
            }
        }
    }

    fn check_namespaces(&mut self, target: &Target, home: &Arc<Activation>) -> Outcome<()> {
        match target {
            Target::Name(_) => Ok(()),
            Target::Attribute(variable, _) => match &*namespace(variable, home)? {
                Object::Namespace(_) => Ok(()),
                _ => not_a_namespace(),
            },
            Target::Tuple(targets) => targets
                .iter()
                .try_for_each(|target| self.check_namespaces(target, home)),
        }
    }

    fn set_block(&mut self, node: &SetBlock, home: &Arc<Activation>) -> Outcome<()> {
        self.enter(&node.frame, home)?;
        let text = self.captured(&node.body, home)?;
        let value = match &node.filter {
            Some(filter) => self.eval(filter, home, Some(&text))?,
            None => Value::text(text),
        };
        self.assign(&node.target, value, home)
            .map_err(|fault| fault.at(node.at))?;
        self.export(&node.exports, home);
        self.leave(&node.frame, home);
        Ok(())
    }

    fn for_loop(
        &mut self,
        node: &Arc<For>,
        home: &Arc<Activation>,
        out: &mut String,
    ) -> Outcome<()> {
        let source = self.eval(&node.iter, home, None)?;
        if node.recursive {
            let text = self.recursive_loop(node, home, source, 0)?;
            check_text(out.len() + text.len())?;
            out.push_str(&text);
            return Ok(());
        }
        self.walk(node, home, home, source, 0, out)
    }

    /// Enters a recursive loop; `around` is the function it stands in.
    pub(crate) fn recursive_loop(
        &mut self,
        node: &Arc<For>,
        around: &Arc<Activation>,
        source: Value,
        depth: i64,
    ) -> Outcome<String> {
        self.nested(|machine| {
            let home = machine.activation(node.slots, Some(around.clone()), around.context.clone());
            let mut text = String::new();
            machine.walk(node, around, &home, source, depth, &mut text)?;
            meter::text(text.len())?;
            Ok(text)
        })
    }

    fn walk(
        &mut self,
        node: &Arc<For>,
        around: &Arc<Activation>,
        home: &Arc<Activation>,
        source: Value,
        depth: i64,
        out: &mut String,
    ) -> Outcome<()> {
        let source = match &node.test {
            Some(test) => {
                let own = self.activation(test.slots, Some(around.clone()), around.context.clone());
                let state = State::Loop(None, source.clone(), node.clone(), own);
                generator("generator", &[&source], state)?
            }
            None => source,
        };
        let mut cursor = self
            .iterate(&source)
            .map_err(|fault| fault.at(node.iter.at))?;
        let this = node.this.map(|slot| {
            let cursor = std::mem::replace(&mut cursor, Cursor::Items(Vec::new()));
            let recursion = node.recursive.then(|| (node.clone(), around.clone()));
            let object = Arc::new(Object::Loop(Loop::new(
                source.clone(),
                cursor,
                depth,
                recursion,
            )));
            (slot, object)
        });
        let mut empty = true;
        loop {
            let item = match this.as_ref().and_then(|(_, object)| looping::of(object)) {
                Some(running) => running.next(self),
                None => self.advance(&mut cursor),
            };
            let Some(item) = item.map_err(|fault| fault.at(node.iter.at))? else {
                break;
            };
            empty = false;
            self.assign(&node.target, item, home)
                .map_err(|fault| fault.at(node.at))?;
            if let Some((slot, object)) = &this {
                put(home, *slot, Some(Value::Object(object.clone())));
            }
            self.enter(&node.frame, home)?;
            self.statements(&node.body, home, out)?;
        }
        self.leave(&node.frame, home);
        if empty && !node.otherwise.is_empty() {
            self.enter(&node.otherwise_frame, home)?;
            self.statements(&node.otherwise, home, out)?;
            self.leave(&node.otherwise_frame, home);
        }
        Ok(())
    }

    /// The text of a block.
    pub(crate) fn block(&mut self, context: Arc<Context>, block: &Arc<Block>) -> Outcome<String> {
        self.nested(|machine| {
            let home = machine.activation(block.slots, None, context.clone());
            if let Some(slot) = block.this {
                put(&home, slot, Some(Value::object(Object::This(context))));
            }
            if let Some(slot) = block.parent {
                let missing =
                    Value::undefined(format!("there is no parent block called `{}`", block.name));
                put(&home, slot, Some(missing));
            }
            machine.enter(&block.frame, &home)?;
            machine.captured(&block.body, &home)
        })
    }

    /// Calls a macro.
    pub(crate) fn call_macro(
        &mut self,
        found: &MacroObject,
        arguments: Arguments,
    ) -> Outcome<Value> {
        let node = &found.node;
        self.nested(|machine| {
            let home = machine.activation(
                node.slots,
                Some(found.home.clone()),
                found.home.context.clone(),
            );
            bind(node, &home, arguments)?;
            machine.enter(&node.frame, &home)?;
            for parameter in &node.parameters {
                if load(parameter.variable.place, &home).is_some() {
                    continue;
                }
                let name = &parameter.variable.name;
                let value = match &parameter.default {
                    Some(default) => machine.eval(default, &home, None)?,
                    None => Value::undefined(format!("the parameter `{name}` is not given")),
                };
                put(&home, parameter.variable.place.slot, Some(value));
            }
            machine.captured(&node.body, &home).map(Value::text)
        })
    }

    /// Evaluates a call, with the body of a call block as its `caller`.
    fn call_expression(
        &mut self,
        call: &Expr,
        home: &Arc<Activation>,
        caller: Option<Value>,
    ) -> Outcome<Value> {
        let ExprKind::Call(node) = &call.kind else {
            return runtime("a call block without a call");
        };
        let callee = self.eval(&node.callee, home, None)?;
        let mut arguments = self.arguments(&node.arguments, home)?;
        arguments
            .named
            .extend(caller.map(|caller| (Arc::from("caller"), caller)));
        self.call(&callee, arguments)
            .map_err(|fault| fault.at(call.at))
    }
}

fn macro_value(node: &Arc<Macro>, home: &Arc<Activation>) -> Value {
    Value::object(Object::Macro(MacroObject {
        node: node.clone(),
        home: home.clone(),
    }))
}

/// Puts the arguments of a macro in their places; parameters that are not given stay missing.
fn bind(node: &Macro, home: &Arc<Activation>, arguments: Arguments) -> Outcome<()> {
    let name = node.name.as_deref().unwrap_or("caller");
    let Arguments {
        mut positional,
        mut named,
    } = arguments;
    let surplus = positional.split_off(positional.len().min(node.parameters.len()));
    let given = positional.len();
    let mut take = |wanted: &str| {
        named
            .iter()
            .position(|(known, _)| &**known == wanted)
            .map(|place| named.remove(place).1)
    };
    for (parameter, value) in node.parameters.iter().zip(positional) {
        put(home, parameter.variable.place.slot, Some(value));
    }
    for parameter in &node.parameters[given..] {
        let value = take(&parameter.variable.name);
        put(home, parameter.variable.place.slot, value);
    }
    if let Some(slot) = node.caller {
        let caller = match take("caller") {
            Some(caller) if !matches!(caller, Value::None) => caller,
            _ => Value::undefined("no caller is defined"),
        };
        put(home, slot, Some(caller));
    }
    match (node.kwargs, named.first()) {
        (Some(slot), _) => {
            let mut dict = Dict::default();
            for (name, value) in named {
                dict.insert(Value::Str(name), value)?;
            }
            put(home, slot, Some(Value::dict(dict)));
        }
        (None, Some((unknown, _))) => {
            return type_fault(format!(
                "the macro `{name}` takes no argument named `{unknown}`"
            ));
        }
        _ => {}
    }
    match node.varargs {
        Some(slot) => put(home, slot, Some(Value::tuple(surplus)?)),
        None if !surplus.is_empty() => {
            return type_fault(format!(
                "the macro `{name}` takes {} arguments at most",
                node.parameters.len()
            ));
        }
        None => {}
    }
    Ok(())
}
