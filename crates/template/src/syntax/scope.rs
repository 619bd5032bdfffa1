//! Gives every name its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_words::nearest::nearest;

use super::ast::{
    Application, Block, Expr, ExprKind, For, Frame, Load, Macro, SetBlock, Stmt, Target, Variable,
};
use super::symbols::{FunctionId, Origin, ScopeId, Table};
use super::{Formula, Program, names};
use crate::environment::Environment;
use crate::python::fault::{Fault, FaultKind, Outcome, unsupported};

/// Where code stands.
#[derive(Debug, Clone, Copy)]
struct Here {
    scope: ScopeId,
    function: FunctionId,
    /// Whether what is set here is seen by blocks and macros.
    top: bool,
    /// Whether it may never be reached, so that unknown filters are no error yet.
    soft: bool,
}

/// What is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// As in Jinja2, filters and tests that may never be reached need not be there, and Jinja's own functions are no
    /// names from outside.
    Template,
    /// All filters and tests must be there, and every name is one from outside.
    Expression,
}

struct Settler {
    environment: Arc<Environment>,
    whole: Whole,
    table: Table,
    undeclared: BTreeSet<Arc<str>>,
    blocks: Vec<Arc<Block>>,
}

/// Gives every name of a template its place.
pub(super) fn settle(
    source: String,
    mut body: Vec<Stmt>,
    environment: &Arc<Environment>,
) -> Outcome<Program> {
    let mut settler = Settler::new(environment, Whole::Template);
    let function = settler.table.function(None);
    let scope = settler.table.scope(None, function);
    let this = names::used(&body, &["self"])
        .contains("self")
        .then(|| settler.declare(scope, "self"));
    settler.table.analyze(scope, &body);
    let frame = settler.enter(scope);
    settler.statements(
        &mut body,
        Here {
            scope,
            function,
            top: true,
            soft: false,
        },
    )?;
    Ok(Program {
        source,
        body,
        frame,
        slots: settler.table.slots(function),
        this,
        blocks: settler.blocks.into(),
        undeclared: settler.undeclared,
        environment: environment.clone(),
    })
}

/// Gives every name of an expression its place.
pub(super) fn settle_expression(
    source: &str,
    mut expr: Expr,
    environment: &Arc<Environment>,
) -> Outcome<Formula> {
    let mut settler = Settler::new(environment, Whole::Expression);
    let function = settler.table.function(None);
    let scope = settler.table.scope(None, function);
    settler.table.load_all(scope, [&expr]);
    let frame = settler.enter(scope);
    let here = Here {
        scope,
        function,
        top: false,
        soft: false,
    };
    settler.expression(&mut expr, here)?;
    Ok(Formula {
        source: source.to_owned(),
        expr,
        frame,
        slots: settler.table.slots(function),
        undeclared: settler.undeclared,
        environment: environment.clone(),
        blocks: Arc::from([]),
    })
}

impl Settler {
    fn new(environment: &Arc<Environment>, whole: Whole) -> Self {
        Self {
            environment: environment.clone(),
            whole,
            table: Table::default(),
            undeclared: BTreeSet::new(),
            blocks: Vec::new(),
        }
    }

    fn known(
        &self,
        what: &str,
        name: &str,
        names: impl Iterator<Item = &'static str> + Clone,
        here: Here,
    ) -> Outcome<()> {
        let is_late = here.soft && self.whole == Whole::Template;
        if is_late || names.clone().any(|known| known == name) {
            return Ok(());
        }
        Err(unknown(what, name, names))
    }

    fn declare(&mut self, scope: ScopeId, name: &str) -> usize {
        let ident = self.table.parameter(scope, &Arc::from(name));
        let function = self.table.get(scope).function;
        self.table.slot(function, &ident)
    }

    /// What happens when a scope is entered.
    fn enter(&mut self, scope: ScopeId) -> Frame {
        let found = self.table.get(scope);
        let (function, parent, loads) = (found.function, found.parent, found.loads.clone());
        let mut frame = Frame::default();
        for (ident, origin) in loads {
            let slot = self.table.slot(function, &ident);
            frame.exit.push(slot);
            let load = match origin {
                Origin::Parameter => continue,
                Origin::Missing => Load::Missing,
                Origin::Context(name) => {
                    let is_own = self.environment.global(&name).is_some();
                    if self.whole == Whole::Expression || !is_own {
                        self.undeclared.insert(name.clone());
                    }
                    Load::Context(name)
                }
                Origin::Alias(outer) => {
                    let owner = parent
                        .and_then(|parent| self.table.find(parent, &outer.1))
                        .map_or(function, |(_, owner)| owner);
                    Load::Alias(self.table.place(function, &outer, owner))
                }
            };
            frame.entry.push((slot, load));
        }
        frame
    }

    fn variable(&mut self, variable: &mut Variable, here: Here) -> Outcome<()> {
        match self.table.find(here.scope, &variable.name) {
            Some((ident, owner)) => {
                variable.place = self.table.place(here.function, &ident, owner);
                Ok(())
            }
            None => unsupported(format!(
                "`{}` in the filter of a set block, where nothing around the block refers to it: Jinja2 cannot compile it",
                variable.name
            )),
        }
    }

    fn target(&mut self, target: &mut Target, here: Here) -> Outcome<()> {
        match target {
            Target::Name(variable) | Target::Attribute(variable, _) => {
                self.variable(variable, here)
            }
            Target::Tuple(targets) => targets
                .iter_mut()
                .try_for_each(|target| self.target(target, here)),
        }
    }

    fn expression(&mut self, expr: &mut Expr, here: Here) -> Outcome<()> {
        let at = expr.at;
        match &mut expr.kind {
            ExprKind::Constant(_) => Ok(()),
            ExprKind::Name(variable) => self.variable(variable, here),
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => {
                self.expressions(items, here)
            }
            ExprKind::Dict(items) => items.iter_mut().try_for_each(|(key, value)| {
                self.expression(key, here)?;
                self.expression(value, here)
            }),
            ExprKind::Not(value)
            | ExprKind::Signed { value, .. }
            | ExprKind::Attribute(value, _) => self.expression(value, here),
            ExprKind::Binary(_, a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Item(a, b) => {
                self.expression(a, here)?;
                self.expression(b, here)
            }
            ExprKind::Compare(first, rest) => {
                self.expression(first, here)?;
                self.expressions(rest.iter_mut().map(|(_, value)| value), here)
            }
            ExprKind::Conditional(condition) => {
                let here = Here { soft: true, ..here };
                self.expression(&mut condition.test, here)?;
                self.expression(&mut condition.then, here)?;
                self.expressions(&mut condition.otherwise, here)
            }
            ExprKind::Slice(value, bounds) => {
                self.expression(value, here)?;
                self.expressions(bounds.iter_mut().flatten(), here)
            }
            ExprKind::Filter(node) => {
                self.known("filter", &node.name, self.environment.filter_names(), here)
                    .map_err(|fault| fault.at(at))?;
                self.application(node, here)
            }
            ExprKind::Test(node) => {
                self.known("test", &node.name, self.environment.test_names(), here)
                    .map_err(|fault| fault.at(at))?;
                self.application(node, here)
            }
            ExprKind::Call(call) => {
                self.expression(&mut call.callee, here)?;
                self.expressions(call.arguments.iter_mut(), here)
            }
        }
        .map_err(|fault| fault.at(at))
    }

    fn application(&mut self, node: &mut Application, here: Here) -> Outcome<()> {
        self.expressions(&mut node.target, here)?;
        self.expressions(node.arguments.iter_mut(), here)
    }

    fn expressions<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e mut Expr>,
        here: Here,
    ) -> Outcome<()> {
        exprs
            .into_iter()
            .try_for_each(|expr| self.expression(expr, here))
    }

    fn statements(&mut self, body: &mut [Stmt], here: Here) -> Outcome<()> {
        body.iter_mut()
            .try_for_each(|stmt| self.statement(stmt, here))
    }

    /// A scope in the same function.
    fn inside(&mut self, here: Here) -> Here {
        Here {
            scope: self.table.scope(Some(here.scope), here.function),
            function: here.function,
            top: false,
            soft: false,
        }
    }

    /// A scope in a function of its own.
    fn inside_function(&mut self, here: Here) -> Here {
        let function = self.table.function(Some(here.function));
        Here {
            scope: self.table.scope(Some(here.scope), function),
            function,
            top: false,
            soft: false,
        }
    }

    fn exports(&mut self, target: &Target, here: Here) -> Outcome<Vec<Variable>> {
        if !here.top {
            return Ok(Vec::new());
        }
        let mut exports = Vec::new();
        for name in target.names() {
            let mut variable = Variable::unsettled(name.clone());
            self.variable(&mut variable, here)?;
            exports.push(variable);
        }
        Ok(exports)
    }

    fn statement(&mut self, stmt: &mut Stmt, here: Here) -> Outcome<()> {
        match stmt {
            Stmt::Text(_) => Ok(()),
            Stmt::Print(expr) => self.expression(expr, here),
            Stmt::For(node) => self.for_loop(only(node)?, here),
            Stmt::If {
                branches,
                otherwise,
            } => {
                let here = Here { soft: true, ..here };
                for (test, body) in branches {
                    self.expression(test, here)?;
                    self.statements(body, here)?;
                }
                self.statements(otherwise, here)
            }
            Stmt::With {
                assignments,
                body,
                frame,
            } => {
                let inner = self.inside(here);
                for (target, _) in &*assignments {
                    for name in target.names() {
                        self.table.parameter(inner.scope, name);
                    }
                }
                self.table.analyze(inner.scope, body);
                *frame = self.enter(inner.scope);
                for (target, value) in assignments {
                    self.target(target, inner)?;
                    self.expression(value, here)?;
                }
                self.statements(body, inner)
            }
            Stmt::Set {
                at,
                target,
                value,
                exports,
            } => {
                self.target(target, here).map_err(|fault| fault.at(*at))?;
                self.expression(value, here)?;
                *exports = self.exports(target, here)?;
                Ok(())
            }
            Stmt::SetBlock(node) => self.set_block(node, here),
            Stmt::FilterBlock {
                filter,
                body,
                frame,
            } => {
                let inner = self.inside(here);
                self.table.analyze(inner.scope, body);
                self.table.load_all(inner.scope, [&*filter]);
                *frame = self.enter(inner.scope);
                self.statements(body, inner)?;
                self.expression(filter, inner)
            }
            Stmt::Macro {
                node,
                variable,
                exported,
            } => {
                *exported = here.top;
                self.function(only(node)?, here)?;
                self.variable(variable, here)
            }
            Stmt::CallBlock { node, call } => {
                self.function(only(node)?, here)?;
                self.expression(call, here)
            }
            Stmt::Block { block, visible, .. } => self.block(block, visible, here),
        }
    }

    fn set_block(&mut self, node: &mut SetBlock, here: Here) -> Outcome<()> {
        let inner = self.inside(here);
        self.table.analyze(inner.scope, &node.body);
        node.frame = self.enter(inner.scope);
        self.statements(&mut node.body, inner)?;
        self.target(&mut node.target, here)
            .map_err(|fault| fault.at(node.at))?;
        self.expressions(&mut node.filter, inner)?;
        node.exports = self.exports(&node.target, here)?;
        Ok(())
    }

    fn for_loop(&mut self, node: &mut For, here: Here) -> Outcome<()> {
        let assigns_loop = names::stores(&node.body, "loop")
            || names::stores(&node.otherwise, "loop")
            || node.target.names().iter().any(|name| &***name == "loop");
        if assigns_loop {
            return Err(Fault::new(
                FaultKind::Runtime,
                "`loop` cannot be assigned to inside a loop",
            )
            .at(node.at));
        }
        if let Some(test) = &mut node.test {
            let inner = self.inside_function(here);
            for name in test.target.names() {
                self.table.parameter(inner.scope, name);
            }
            self.table.load_all(inner.scope, [&test.condition]);
            test.frame = self.enter(inner.scope);
            self.target(&mut test.target, inner)?;
            self.expression(&mut test.condition, inner)?;
            test.slots = self.table.slots(inner.function);
        }
        let body_here = if node.recursive {
            self.inside_function(here)
        } else {
            self.inside(here)
        };
        let extended = node.recursive
            || names::used(&node.body, &["loop"]).contains("loop")
            || holds_scoped_block(&node.body)
            || holds_scoped_block(&node.otherwise);
        node.this = extended.then(|| self.declare(body_here.scope, "loop"));
        for name in node.target.names() {
            self.table.parameter(body_here.scope, name);
        }
        self.table.analyze(body_here.scope, &node.body);
        node.frame = self.enter(body_here.scope);
        self.target(&mut node.target, body_here)?;
        self.expression(&mut node.iter, here)?;
        self.statements(&mut node.body, body_here)?;
        if !node.otherwise.is_empty() {
            let scope = self.table.scope(Some(here.scope), body_here.function);
            let other_here = Here { scope, ..body_here };
            self.table.analyze(scope, &node.otherwise);
            node.otherwise_frame = self.enter(scope);
            self.statements(&mut node.otherwise, other_here)?;
        }
        if node.recursive {
            node.slots = self.table.slots(body_here.function);
        }
        Ok(())
    }

    fn function(&mut self, node: &mut Macro, here: Here) -> Outcome<()> {
        let inner = self.inside_function(here);
        for parameter in &node.parameters {
            self.table.parameter(inner.scope, &parameter.variable.name);
        }
        self.table.load_all(
            inner.scope,
            node.parameters
                .iter()
                .filter_map(|parameter| parameter.default.as_ref()),
        );
        self.table.analyze(inner.scope, &node.body);
        let used = names::used(&node.body, &["caller", "kwargs", "varargs"]);
        let named = |name: &str| {
            node.parameters
                .iter()
                .find(|parameter| &*parameter.variable.name == name)
        };
        node.uses_caller = used.contains("caller");
        match named("caller") {
            Some(parameter) if node.uses_caller && parameter.default.is_none() => {
                return Err(Fault::new(
                    FaultKind::Runtime,
                    "the parameter `caller` must have a default",
                )
                .at(node.at));
            }
            None if node.uses_caller => node.caller = Some(self.declare(inner.scope, "caller")),
            _ => {}
        }
        if used.contains("kwargs") && named("kwargs").is_none() {
            node.kwargs = Some(self.declare(inner.scope, "kwargs"));
        }
        if used.contains("varargs") && named("varargs").is_none() {
            node.varargs = Some(self.declare(inner.scope, "varargs"));
        }
        node.frame = self.enter(inner.scope);
        for parameter in &mut node.parameters {
            self.variable(&mut parameter.variable, inner)?;
            self.expressions(&mut parameter.default, inner)?;
        }
        self.statements(&mut node.body, inner)?;
        node.slots = self.table.slots(inner.function);
        Ok(())
    }

    fn block(
        &mut self,
        block: &mut Arc<Block>,
        visible: &mut Vec<Variable>,
        here: Here,
    ) -> Outcome<()> {
        if self.blocks.iter().any(|known| known.name == block.name) {
            return Err(Fault::new(
                FaultKind::Runtime,
                format!("the block `{}` is there twice", block.name),
            )
            .at(block.at));
        }
        if block.scoped {
            for (name, ident, owner) in self.table.visible(here.scope) {
                let place = self.table.place(here.function, &ident, owner);
                visible.push(Variable { name, place });
            }
        }
        let node = only(block)?;
        let function = self.table.function(None);
        let scope = self.table.scope(None, function);
        let used = names::used(&node.body, &["self", "super"]);
        node.this = used.contains("self").then(|| self.declare(scope, "self"));
        node.parent = used.contains("super").then(|| self.declare(scope, "super"));
        self.table.analyze(scope, &node.body);
        node.frame = self.enter(scope);
        let inner = Here {
            scope,
            function,
            top: false,
            soft: false,
        };
        self.statements(&mut node.body, inner)?;
        node.slots = self.table.slots(function);
        self.blocks.push(block.clone());
        Ok(())
    }
}

fn holds_scoped_block(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Block { block, .. } => block.scoped || holds_scoped_block(&block.body),
        Stmt::For(node) => holds_scoped_block(&node.body) || holds_scoped_block(&node.otherwise),
        Stmt::If {
            branches,
            otherwise,
        } => {
            branches.iter().any(|(_, body)| holds_scoped_block(body))
                || holds_scoped_block(otherwise)
        }
        Stmt::With { body, .. } | Stmt::FilterBlock { body, .. } => holds_scoped_block(body),
        Stmt::SetBlock(node) => holds_scoped_block(&node.body),
        Stmt::Macro { node, .. } | Stmt::CallBlock { node, .. } => holds_scoped_block(&node.body),
        Stmt::Text(_) | Stmt::Print(_) | Stmt::Set { .. } => false,
    })
}

/// The fault about a filter or test that does not exist.
pub(crate) fn unknown(what: &str, name: &str, names: impl Iterator<Item = &'static str>) -> Fault {
    let hint = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
    Fault::new(FaultKind::Runtime, format!("unknown {what} `{name}`")).with_hint(hint)
}

/// The node, which nothing else holds before the template is done.
fn only<T>(node: &mut Arc<T>) -> Outcome<&mut T> {
    match Arc::get_mut(node) {
        Some(node) => Ok(node),
        None => unsupported("a part of a template that is used twice"),
    }
}
