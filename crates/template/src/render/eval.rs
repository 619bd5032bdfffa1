//! Expressions.

use std::sync::Arc;

use bowline_contract::nearest::nearest;

use super::globals;
use super::machine::{Machine, load};
use super::object::{Activation, Object};
use crate::python::arguments::Arguments;
use crate::python::compare::same_item;
use crate::python::fault::{Outcome, type_fault};
use crate::python::form::write_text;
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
        self.spend(1)?;
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
            ExprKind::Name(variable) => Ok(load(variable.place, home)
                .unwrap_or_else(|| Value::undefined(format!("`{}` is undefined", variable.name)))),
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
            ExprKind::Not(value) => Ok(Value::Bool(!self.eval(value, home, None)?.is_true())),
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
                let a = self.eval(a, home, None)?;
                if a.is_true() {
                    self.eval(b, home, None)
                } else {
                    Ok(a)
                }
            }
            ExprKind::Or(a, b) => {
                let a = self.eval(a, home, None)?;
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
                if self.eval(&node.test, home, None)?.is_true() {
                    return self.eval(&node.then, home, None);
                }
                match &node.otherwise {
                    Some(otherwise) => self.eval(otherwise, home, None),
                    None => Ok(Value::undefined(
                        "the inline `if` is false and has no `else`",
                    )),
                }
            }
            ExprKind::Attribute(value, name) => {
                let value = self.eval(value, home, None)?;
                self.get_attribute(&value, name)
            }
            ExprKind::Item(value, key) => {
                let value = self.eval(value, home, None)?;
                let key = self.eval(key, home, None)?;
                self.get_item(&value, &key)
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
                    (Some(target), _) => self.eval(target, home, block)?,
                    (None, Some(text)) => Value::text(text),
                    (None, None) => return type_fault("a filter without a value"),
                };
                let arguments = self.application(node, home)?;
                self.filter(&node.name, value, arguments)
            }
            ExprKind::Test(node) => {
                let value = match &node.target {
                    Some(target) => self.eval(target, home, None)?,
                    None => return type_fault("a test without a value"),
                };
                let arguments = self.application(node, home)?;
                self.test(&node.name, &value, arguments).map(Value::Bool)
            }
            ExprKind::Call(node) => {
                let callee = self.eval(&node.callee, home, None)?;
                let arguments = self.arguments(&node.arguments, home)?;
                self.call(&callee, arguments)
                    .map_err(|fault| match (&callee, &node.callee.kind) {
                        (Value::Undefined(_), ExprKind::Name(variable)) => {
                            let near = nearest(&variable.name, globals::NAMES);
                            fault.with_hint(near.map(|near| format!("did you mean `{near}`?")))
                        }
                        _ => fault,
                    })
            }
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
            let Value::Dict(more) = self.eval(double_star, home, None)? else {
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
