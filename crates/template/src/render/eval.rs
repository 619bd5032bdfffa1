//! Expressions.

use std::sync::Arc;

use bowline_words::nearest::nearest;

use super::attributes::Lookup;
use super::machine::{Machine, load};
use super::object::{Activation, Object};
use crate::environment::Absent;
use crate::python::arguments::Arguments;
use crate::python::attributes::{self, Attribute};
use crate::python::compare::same_item;
use crate::python::fault::{Fault, FaultKind, Origin, Outcome, type_fault};
use crate::python::form::write_text;
use crate::python::meter;
use crate::python::ops::{self, Comparison};
use crate::python::slice;
use crate::python::value::{Dict, Value};
use crate::syntax::ast::{Application, ArgumentList, Expr, ExprKind};

impl Machine {
    /// Evaluates an expression; `block` is the text that a block's filters start from.
    pub(crate) fn eval(
        &mut self,
        expr: &Expr,
        home: &Arc<Activation>,
        block: Option<&str>,
    ) -> Outcome<Value> {
        meter::spend(1)?;
        self.eval_kind(expr, home, block)
            .map_err(|fault| fault.at(expr.at))
    }

    fn eval_kind(
        &mut self,
        expr: &Expr,
        home: &Arc<Activation>,
        block: Option<&str>,
    ) -> Outcome<Value> {
        match &expr.kind {
            ExprKind::Constant(value) => Ok(value.clone()),
            ExprKind::Name(variable) => match load(variable.place, home) {
                Some(value) => Ok(value),
                None if self.environment.refuses_absent() => {
                    Err(self.undefined_name(&variable.name, home))
                }
                None => Ok(Value::undefined(format!(
                    "`{}` is undefined",
                    variable.name
                ))),
            },
            ExprKind::Tuple(items) => Value::tuple(self.eval_all(items, home)?),
            ExprKind::List(items) => Value::list(self.eval_all(items, home)?),
            ExprKind::Dict(items) => {
                let mut dict = Dict::default();
                for (key, value) in items {
                    let key = self.eval(key, home, None)?;
                    dict.insert(key, self.eval(value, home, None)?)?;
                }
                Ok(Value::dict(dict))
            }
            ExprKind::Not(value) => Ok(Value::Bool(!self.condition(value, home)?.is_true())),
            ExprKind::Signed { negative, value } => {
                ops::signed(&self.eval(value, home, None)?, *negative)
            }
            ExprKind::Binary(op, a, b) => {
                let a = self.eval(a, home, None)?;
                let b = self.eval(b, home, None)?;
                let value = ops::binary(*op, &a, &b)?;
                self.pay(value)
            }
            ExprKind::And(a, b) => {
                let a = self.condition(a, home)?;
                if a.is_true() {
                    self.eval(b, home, None)
                } else {
                    Ok(a)
                }
            }
            ExprKind::Or(a, b) => {
                let a = self.condition(a, home)?;
                if a.is_true() {
                    Ok(a)
                } else {
                    self.eval(b, home, None)
                }
            }
            ExprKind::Compare(first, rest) => {
                let mut left = self.eval(first, home, None)?;
                for (op, right) in rest {
                    let right = self.eval(right, home, None)?;
                    if !self.compare(*op, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            ExprKind::Concat(parts) => {
                let mut text = String::new();
                for part in parts {
                    let value = self.eval(part, home, None)?;
                    write_text(&value, &mut text)?;
                }
                self.pay(Value::text(text))
            }
            ExprKind::Conditional(node) => {
                if self.condition(&node.test, home)?.is_true() {
                    return self.eval(&node.then, home, None);
                }
                match &node.otherwise {
                    Some(otherwise) => self.eval(otherwise, home, None),
                    None => Ok(Value::unchosen()),
                }
            }
            ExprKind::Attribute(value, name) => {
                let value = self.eval(value, home, None)?;
                self.get_attribute(&value, name, Lookup::Sure)
            }
            ExprKind::Item(value, key) => {
                let value = self.eval(value, home, None)?;
                let key = self.eval(key, home, None)?;
                self.get_item(&value, &key, Lookup::Sure)
            }
            ExprKind::Slice(value, bounds) => {
                let value = self.eval(value, home, None)?;
                let mut given = [Value::None, Value::None, Value::None];
                for (slot, bound) in given.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        *slot = self.eval(bound, home, None)?;
                    }
                }
                let [start, stop, step] = &given;
                let value = slice::slice(&value, [start, stop, step])?;
                self.pay(value)
            }
            ExprKind::Filter(node) => {
                let value = match (&node.target, block) {
                    (Some(target), _) if matches!(&*node.name, "default" | "d") => {
                        self.eval_tentatively(target, home, block)?
                    }
                    (Some(target), _) => self.eval(target, home, block)?,
                    (None, Some(text)) => Value::text(text),
                    (None, None) => return type_fault("a filter without a value"),
                };
                let arguments = self.application(node, home)?;
                self.filter(&node.name, value, arguments)
            }
            ExprKind::Test(node) => {
                let value = match &node.target {
                    Some(target) if matches!(&*node.name, "defined" | "undefined") => {
                        self.eval_tentatively(target, home, None)?
                    }
                    Some(target) => self.eval(target, home, None)?,
                    None => return type_fault("a test without a value"),
                };
                let arguments = self.application(node, home)?;
                self.test(&node.name, &value, arguments).map(Value::Bool)
            }
            ExprKind::Call(node) => {
                let callee = self.callee(&node.callee, home)?;
                let arguments = self.arguments(&node.arguments, home)?;
                self.call(&callee, arguments)
                    .map_err(|fault| match (&callee, &node.callee.kind) {
                        (Value::Undefined(_), ExprKind::Name(variable)) => {
                            let near = nearest(&variable.name, self.environment.global_names());
                            fault.with_hint(near.map(|near| format!("did you mean `{near}`?")))
                        }
                        _ => fault,
                    })
            }
        }
    }

    /// Evaluates what may be missing: the name, attribute or item that is asked for may not be there.
    fn eval_tentatively(
        &mut self,
        expr: &Expr,
        home: &Arc<Activation>,
        block: Option<&str>,
    ) -> Outcome<Value> {
        meter::spend(1)?;
        match &expr.kind {
            ExprKind::Name(variable) => Ok(load(variable.place, home)
                .unwrap_or_else(|| Value::undefined(format!("`{}` is undefined", variable.name)))),
            ExprKind::Attribute(value, name) => {
                let value = self.eval_tentatively(value, home, None)?;
                self.get_attribute(&value, name, Lookup::Tentative)
            }
            ExprKind::Item(value, key) => {
                let value = self.eval_tentatively(value, home, None)?;
                let key = self.eval(key, home, None)?;
                self.get_item(&value, &key, Lookup::Tentative)
            }
            ExprKind::Conditional(node) => {
                if self.condition(&node.test, home)?.is_true() {
                    return self.eval_tentatively(&node.then, home, None);
                }
                match &node.otherwise {
                    Some(otherwise) => self.eval_tentatively(otherwise, home, None),
                    None => Ok(Value::unchosen()),
                }
            }
            _ => self.eval(expr, home, block),
        }
        .map_err(|fault| fault.at(expr.at))
    }

    /// Evaluates a condition, in which what is not there may count as false.
    pub(crate) fn condition(&mut self, expr: &Expr, home: &Arc<Activation>) -> Outcome<Value> {
        if self.environment.absent != Absent::Falsy {
            return self.eval(expr, home, None);
        }
        match &expr.kind {
            ExprKind::And(a, b) => {
                let a = self.condition(a, home)?;
                if a.is_true() {
                    self.condition(b, home)
                } else {
                    Ok(a)
                }
            }
            ExprKind::Or(a, b) => {
                let a = self.condition(a, home)?;
                if a.is_true() {
                    Ok(a)
                } else {
                    self.condition(b, home)
                }
            }
            ExprKind::Compare(first, rest) => match &rest[..] {
                [(op @ (Comparison::Equal | Comparison::NotEqual), second)] => {
                    let first = self.eval_tentatively(first, home, None)?;
                    let second = self.eval_tentatively(second, home, None)?;
                    self.compare(*op, &first, &second).map(Value::Bool)
                }
                _ => self.eval(expr, home, None),
            },
            _ => self.eval_tentatively(expr, home, None),
        }
        .map_err(|fault| fault.at(expr.at))
    }

    /// Evaluates what is called: the fields of a mapping of the caller's own come before the methods of its like.
    fn callee(&mut self, expr: &Expr, home: &Arc<Activation>) -> Outcome<Value> {
        let ExprKind::Attribute(value, name) = &expr.kind else {
            return self.eval(expr, home, None);
        };
        meter::spend(1)?;
        let value = self.eval(value, home, None)?;
        if let Value::Native(_) = &value
            && let Some(plain) = value.plain()
            && let Attribute::Method(name) = attributes::attribute(&plain, name)?
            && slice::item(&value, &Value::text(name)).is_err()
        {
            let receiver = plain;
            return Ok(Value::object(Object::Method { receiver, name }));
        }
        self.get_attribute(&value, name, Lookup::Sure)
            .map_err(|fault| fault.at(expr.at))
    }

    /// The fault about a name that is not there.
    fn undefined_name(&self, name: &Arc<str>, home: &Arc<Activation>) -> Fault {
        let mut known: Vec<&str> = home.context.given.names().collect();
        for name in self.environment.global_names() {
            known.push(name);
        }
        let near = nearest(name, known);
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        Fault {
            origin: Some(Box::new(Origin::Undefined(name.clone()))),
            ..Fault::new(FaultKind::Runtime, format!("`{name}` is undefined")).with_hint(hint)
        }
    }

    fn eval_all(&mut self, exprs: &[Expr], home: &Arc<Activation>) -> Outcome<Vec<Value>> {
        exprs
            .iter()
            .map(|expr| self.eval(expr, home, None))
            .collect()
    }

    fn application(&mut self, node: &Application, home: &Arc<Activation>) -> Outcome<Arguments> {
        self.arguments(&node.arguments, home)
    }

    /// Evaluates the arguments of a call.
    pub(crate) fn arguments(
        &mut self,
        list: &ArgumentList,
        home: &Arc<Activation>,
    ) -> Outcome<Arguments> {
        let mut positional = self.eval_all(&list.positional, home)?;
        if let Some(star) = &list.star {
            let more = self.eval(star, home, None)?;
            positional.extend(self.collect(&more)?);
        }
        let mut named = Vec::with_capacity(list.named.len());
        for (name, value) in &list.named {
            named.push((name.clone(), self.eval(value, home, None)?));
        }
        if let Some(double_star) = &list.double_star {
            let more = self.eval(double_star, home, None)?;
            let Value::Dict(more) = more.plain().unwrap_or(more) else {
                return type_fault("`**` takes a mapping");
            };
            for (key, value) in more.iter() {
                let (Value::Str(name) | Value::Markup(name)) = key else {
                    return type_fault("`**` takes a mapping whose keys are texts");
                };
                if named.iter().any(|(known, _)| known == name) {
                    return type_fault(format!("the argument `{name}` is given twice"));
                }
                named.push((name.clone(), value.clone()));
            }
        }
        Ok(Arguments { positional, named })
    }

    /// Compares two values; generators are walked when they are looked into.
    pub(crate) fn compare(&mut self, op: Comparison, a: &Value, b: &Value) -> Outcome<bool> {
        if let (Comparison::In | Comparison::NotIn, Value::Object(object)) = (op, b)
            && matches!(&**object, Object::Generator(_) | Object::Loop(_))
        {
            let mut cursor = self.iterate(b)?;
            let mut found = false;
            while let Some(item) = self.advance(&mut cursor)? {
                if same_item(&item, a)? {
                    found = true;
                    break;
                }
            }
            return Ok(found == (op == Comparison::In));
        }
        ops::compare(op, a, b)
    }
}
