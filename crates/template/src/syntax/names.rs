//! Which names stand in a part of the tree.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ast::{Expr, ExprKind, Stmt, Target};

/// The names an expression reads, in order.
pub(super) fn loaded(expr: &Expr) -> Vec<Arc<str>> {
    let mut found = Vec::new();
    collect(expr, &mut found);
    found
}

fn collect(expr: &Expr, found: &mut Vec<Arc<str>>) {
    if let ExprKind::Name(variable) = &expr.kind {
        found.push(variable.name.clone());
    }
    for child in expr.children() {
        collect(child, found);
    }
}

/// Whether any statement assigns to this name.
pub(super) fn stores(body: &[Stmt], name: &str) -> bool {
    let target = |target: &Target| target.names().iter().any(|stored| &***stored == name);
    body.iter().any(|stmt| match stmt {
        Stmt::For(node) => {
            target(&node.target) || stores(&node.body, name) || stores(&node.otherwise, name)
        }
        Stmt::If {
            branches,
            otherwise,
        } => branches.iter().any(|(_, body)| stores(body, name)) || stores(otherwise, name),
        Stmt::Set { target: set, .. } => target(set),
        Stmt::SetBlock(node) => target(&node.target) || stores(&node.body, name),
        Stmt::With { body, .. } | Stmt::FilterBlock { body, .. } => stores(body, name),
        Stmt::Macro { node, .. } | Stmt::CallBlock { node, .. } => stores(&node.body, name),
        Stmt::Block { block, .. } => stores(&block.body, name),
        Stmt::Text(_) | Stmt::Print(_) => false,
    })
}

/// Which of some special names are read in statements before they are assigned there.
pub(super) fn used(body: &[Stmt], names: &[&'static str]) -> BTreeSet<&'static str> {
    let mut search = Search {
        wanted: names.iter().copied().collect(),
        found: BTreeSet::new(),
    };
    search.statements(body);
    search.found
}

struct Search {
    wanted: BTreeSet<&'static str>,
    found: BTreeSet<&'static str>,
}

impl Search {
    fn read(&mut self, expr: &Expr) {
        for name in loaded(expr) {
            if let Some(wanted) = self.wanted.get(&*name) {
                self.found.insert(wanted);
            }
        }
    }

    fn write(&mut self, name: &str) {
        self.wanted.remove(name);
    }

    fn assign(&mut self, target: &Target) {
        for name in target.names() {
            self.write(name);
        }
    }

    fn statements(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.statement(stmt);
        }
    }

    /// Visits in the order of the fields of Jinja2's nodes, since an assignment only counts for what follows it.
    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Text(_) | Stmt::Block { .. } => {}
            Stmt::Print(expr) => self.read(expr),
            Stmt::For(node) => {
                self.assign(&node.target);
                self.read(&node.iter);
                self.statements(&node.body);
                self.statements(&node.otherwise);
                if let Some(test) = &node.test {
                    self.read(&test.condition);
                }
            }
            Stmt::If {
                branches,
                otherwise,
            } => {
                for (test, body) in branches {
                    self.read(test);
                    self.statements(body);
                }
                self.statements(otherwise);
            }
            Stmt::With {
                assignments, body, ..
            } => {
                for (target, _) in assignments {
                    self.assign(target);
                }
                for (_, value) in assignments {
                    self.read(value);
                }
                self.statements(body);
            }
            Stmt::Set { target, value, .. } => {
                self.assign(target);
                self.read(value);
            }
            Stmt::SetBlock(node) => {
                self.assign(&node.target);
                if let Some(filter) = &node.filter {
                    self.read(filter);
                }
                self.statements(&node.body);
            }
            Stmt::FilterBlock { filter, body, .. } => {
                self.statements(body);
                self.read(filter);
            }
            Stmt::Macro { node, .. } => self.function(node),
            Stmt::CallBlock { node, call } => {
                self.read(call);
                self.function(node);
            }
        }
    }

    fn function(&mut self, node: &super::ast::Macro) {
        for parameter in &node.parameters {
            self.write(&parameter.variable.name);
        }
        for default in node
            .parameters
            .iter()
            .filter_map(|parameter| parameter.default.as_ref())
        {
            self.read(default);
        }
        self.statements(&node.body);
    }
}
