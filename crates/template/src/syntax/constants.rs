//! Constant expressions whose value Jinja2 cannot carry over into the code it generates.
//!
//! Jinja2 computes constant parts of expressions when it compiles. Most come out as if they were computed later; two
//! do not, and are refused: floats that are no numbers, which it writes as names, and slices of what has none, which
//! it takes for undefined.

use std::sync::Arc;

use super::ast::{Expr, ExprKind, Stmt};
use crate::environment::Environment;
use crate::python::fault::{FaultKind, Outcome, unsupported};
use crate::python::value::Value;
use crate::render::machine;

/// The filters that are never computed ahead.
const LATE_FILTERS: [&str; 6] = [
    "map",
    "random",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
];

/// Checks all expressions of some statements.
pub(super) fn check(body: &[Stmt], environment: &Arc<Environment>) -> Outcome<()> {
    body.iter()
        .try_for_each(|stmt| statement(stmt, environment))
}

fn statement(stmt: &Stmt, environment: &Arc<Environment>) -> Outcome<()> {
    let check = |body: &[Stmt]| check(body, environment);
    let expression = |expr: &Expr, printed: bool| expression(expr, printed, environment);
    match stmt {
        Stmt::Text(_) => Ok(()),
        Stmt::Print(expr) => expression(expr, true),
        Stmt::For(node) => {
            expression(&node.iter, false)?;
            if let Some(test) = &node.test {
                expression(&test.condition, false)?;
            }
            check(&node.body)?;
            check(&node.otherwise)
        }
        Stmt::If {
            branches,
            otherwise,
        } => {
            for (test, body) in branches {
                expression(test, false)?;
                check(body)?;
            }
            check(otherwise)
        }
        Stmt::With {
            assignments, body, ..
        } => {
            assignments
                .iter()
                .try_for_each(|(_, value)| expression(value, false))?;
            check(body)
        }
        Stmt::Set { value, .. } => expression(value, false),
        Stmt::SetBlock(node) => {
            node.filter
                .iter()
                .try_for_each(|filter| expression(filter, false))?;
            check(&node.body)
        }
        Stmt::FilterBlock { filter, body, .. } => {
            expression(filter, false)?;
            check(body)
        }
        Stmt::Macro { node, .. } | Stmt::CallBlock { node, .. } => {
            let defaults = node
                .parameters
                .iter()
                .filter_map(|parameter| parameter.default.as_ref());
            for default in defaults {
                expression(default, false)?;
            }
            if let Stmt::CallBlock { call, .. } = stmt {
                expression(call, false)?;
            }
            check(&node.body)
        }
        Stmt::Block { block, .. } => check(&block.body),
    }
}

fn expression(expr: &Expr, printed: bool, environment: &Arc<Environment>) -> Outcome<()> {
    if !is_constant(expr) {
        return expr
            .children()
            .into_iter()
            .try_for_each(|child| expression(child, false, environment));
    }
    if !computes(expr) {
        return Ok(());
    }
    match machine::constant(expr, environment) {
        Ok(value) if !printed && has_no_literal(&value) => {
            unsupported("a constant expression that gives an infinity or NaN")
        }
        Err(fault) if fault.kind == FaultKind::Type && slices(expr) => {
            unsupported("a slice of a constant that has no items")
        }
        _ => Ok(()),
    }
    .map_err(|fault| fault.at(expr.at))
}

fn is_constant(expr: &Expr) -> bool {
    let own = match &expr.kind {
        ExprKind::Name(_) | ExprKind::Call(_) => false,
        ExprKind::Filter(node) => node.target.is_some() && !LATE_FILTERS.contains(&&*node.name),
        _ => true,
    };
    own && expr.children().into_iter().all(is_constant)
}

fn computes(expr: &Expr) -> bool {
    let own = !matches!(
        expr.kind,
        ExprKind::Constant(_) | ExprKind::Tuple(_) | ExprKind::List(_) | ExprKind::Dict(_)
    );
    own || expr.children().into_iter().any(computes)
}

fn slices(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Slice(..)) || expr.children().into_iter().any(slices)
}

fn has_no_literal(value: &Value) -> bool {
    match value {
        Value::Float(number) => !number.is_finite(),
        Value::List(items) | Value::Tuple(items) => items.values.iter().any(has_no_literal),
        Value::Dict(dict) => dict
            .iter()
            .any(|(key, value)| has_no_literal(key) || has_no_literal(value)),
        _ => false,
    }
}
