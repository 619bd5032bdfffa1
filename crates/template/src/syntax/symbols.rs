//! Which names a scope refers to, and where each comes from.
//!
//! Jinja2 settles this when it compiles: a name that is set anywhere in a scope belongs to that scope, a name that is
//! only read is looked for further out, and what is found nowhere comes from the context when the scope is entered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::ast::{Place, Stmt};
use super::names;

/// A scope in the [`Table`].
pub(super) type ScopeId = usize;

/// A function in the [`Table`]: what has variables of its own while it runs.
pub(super) type FunctionId = usize;

/// A variable's name and how deep its scope stands; siblings at one depth share it.
pub(super) type Ident = (usize, Arc<str>);

/// Where a variable's first value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Parameter,
    Context(Arc<str>),
    Alias(Ident),
    Missing,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) level: usize,
    pub(super) parent: Option<ScopeId>,
    pub(super) function: FunctionId,
    refs: HashMap<Arc<str>, Ident>,
    pub(super) loads: BTreeMap<Ident, Origin>,
    stores: BTreeSet<Arc<str>>,
}

#[derive(Debug, Default)]
struct Function {
    parent: Option<FunctionId>,
    slots: HashMap<Ident, usize>,
}

/// All scopes and functions of a template.
#[derive(Debug, Default)]
pub(super) struct Table {
    scopes: Vec<Scope>,
    functions: Vec<Function>,
}

impl Table {
    pub(super) fn function(&mut self, parent: Option<FunctionId>) -> FunctionId {
        self.functions.push(Function {
            parent,
            slots: HashMap::new(),
        });
        self.functions.len() - 1
    }

    pub(super) fn slots(&self, function: FunctionId) -> usize {
        self.functions[function].slots.len()
    }

    pub(super) fn scope(&mut self, parent: Option<ScopeId>, function: FunctionId) -> ScopeId {
        let level = parent.map_or(0, |parent| self.scopes[parent].level + 1);
        self.scopes.push(Scope {
            level,
            parent,
            function,
            ..Scope::default()
        });
        self.scopes.len() - 1
    }

    pub(super) fn get(&self, scope: ScopeId) -> &Scope {
        &self.scopes[scope]
    }

    /// The variable a name stands for, and the function that has it.
    pub(super) fn find(&self, scope: ScopeId, name: &str) -> Option<(Ident, FunctionId)> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = &self.scopes[id];
            if let Some(ident) = scope.refs.get(name) {
                return Some((ident.clone(), scope.function));
            }
            at = scope.parent;
        }
        None
    }

    fn find_outside(&self, scope: ScopeId, name: &str) -> Option<(Ident, FunctionId)> {
        self.find(self.scopes[scope].parent?, name)
    }

    pub(super) fn slot(&mut self, function: FunctionId, ident: &Ident) -> usize {
        let slots = &mut self.functions[function].slots;
        let next = slots.len();
        *slots.entry(ident.clone()).or_insert(next)
    }

    /// Where code of one function finds a variable of another around it.
    pub(super) fn place(&mut self, from: FunctionId, ident: &Ident, owner: FunctionId) -> Place {
        let mut hops = 0;
        let mut at = from;
        while at != owner {
            match self.functions[at].parent {
                Some(parent) => at = parent,
                None => break,
            }
            hops += 1;
        }
        Place {
            hops,
            slot: self.slot(owner, ident),
        }
    }

    fn define(&mut self, scope: ScopeId, name: &Arc<str>, origin: Origin) -> Ident {
        let scope = &mut self.scopes[scope];
        let ident = (scope.level, name.clone());
        scope.refs.insert(name.clone(), ident.clone());
        scope.loads.insert(ident.clone(), origin);
        ident
    }

    pub(super) fn parameter(&mut self, scope: ScopeId, name: &Arc<str>) -> Ident {
        self.scopes[scope].stores.insert(name.clone());
        self.define(scope, name, Origin::Parameter)
    }

    fn store(&mut self, scope: ScopeId, name: &Arc<str>) {
        self.scopes[scope].stores.insert(name.clone());
        if self.scopes[scope].refs.contains_key(name) {
            return;
        }
        let origin = match self.find_outside(scope, name) {
            Some((outer, _)) => Origin::Alias(outer),
            None => Origin::Missing,
        };
        self.define(scope, name, origin);
    }

    pub(super) fn load(&mut self, scope: ScopeId, name: &Arc<str>) {
        if self.find(scope, name).is_none() {
            self.define(scope, name, Origin::Context(name.clone()));
        }
    }

    /// Every name stored in this scope or one around it, with its variable.
    pub(super) fn visible(&self, scope: ScopeId) -> Vec<(Arc<str>, Ident, FunctionId)> {
        let mut found: BTreeMap<Arc<str>, (Ident, FunctionId)> = BTreeMap::new();
        let mut at = Some(scope);
        while let Some(id) = at {
            for name in &self.scopes[id].stores {
                if let Some(variable) = self.find(scope, name) {
                    found.entry(name.clone()).or_insert(variable);
                }
            }
            at = self.scopes[id].parent;
        }
        found
            .into_iter()
            .map(|(name, (ident, function))| (name, ident, function))
            .collect()
    }

    /// Takes note of the names in statements.
    pub(super) fn analyze(&mut self, scope: ScopeId, body: &[Stmt]) {
        for stmt in body {
            self.analyze_statement(scope, stmt);
        }
    }

    pub(super) fn load_all<'e>(
        &mut self,
        scope: ScopeId,
        exprs: impl IntoIterator<Item = &'e super::ast::Expr>,
    ) {
        for expr in exprs {
            for name in names::loaded(expr) {
                self.load(scope, &name);
            }
        }
    }

    fn store_target(&mut self, scope: ScopeId, target: &super::ast::Target) {
        use super::ast::Target;
        match target {
            Target::Name(variable) => self.store(scope, &variable.name),
            Target::Attribute(variable, _) => self.load(scope, &variable.name),
            Target::Tuple(targets) => {
                for target in targets {
                    self.store_target(scope, target);
                }
            }
        }
    }

    fn analyze_statement(&mut self, scope: ScopeId, stmt: &Stmt) {
        match stmt {
            Stmt::Text(_) | Stmt::Block { .. } => {}
            Stmt::Print(expr) => self.load_all(scope, [expr]),
            Stmt::For(node) => self.load_all(scope, [&node.iter]),
            Stmt::If {
                branches,
                otherwise,
            } => self.analyze_if(scope, branches, otherwise),
            Stmt::With { assignments, .. } => {
                self.load_all(scope, assignments.iter().map(|(_, value)| value));
            }
            Stmt::Set { target, value, .. } => {
                self.load_all(scope, [value]);
                self.store_target(scope, target);
            }
            Stmt::SetBlock(node) => self.store_target(scope, &node.target),
            Stmt::FilterBlock { filter, .. } => self.load_all(scope, [filter]),
            Stmt::Macro { variable, .. } => self.store(scope, &variable.name),
            Stmt::CallBlock { call, .. } => self.load_all(scope, [call]),
        }
    }

    fn branch(&mut self, scope: ScopeId) -> ScopeId {
        self.scopes.push(self.scopes[scope].clone());
        self.scopes.len() - 1
    }

    fn analyze_if(
        &mut self,
        scope: ScopeId,
        branches: &[(super::ast::Expr, Vec<Stmt>)],
        otherwise: &[Stmt],
    ) {
        let Some(((test, body), rest)) = branches.split_first() else {
            return;
        };
        self.load_all(scope, [test]);
        let first = self.branch(scope);
        self.analyze(first, body);
        let others = self.branch(scope);
        for (test, body) in rest {
            self.load_all(others, [test]);
            let inner = self.branch(others);
            self.analyze(inner, body);
            self.merge(others, &[inner]);
        }
        let last = self.branch(scope);
        self.analyze(last, otherwise);
        self.merge(scope, &[first, others, last]);
    }

    /// Takes over what branches found; a name that only some of them set starts as what is around them.
    fn merge(&mut self, scope: ScopeId, branches: &[ScopeId]) {
        let mut stored = BTreeSet::new();
        for branch in branches {
            let branch = self.scopes[*branch].clone();
            stored.extend(
                branch
                    .stores
                    .difference(&self.scopes[scope].stores)
                    .cloned(),
            );
            let scope = &mut self.scopes[scope];
            scope.refs.extend(branch.refs);
            scope.loads.extend(branch.loads);
        }
        for branch in branches {
            let stores = self.scopes[*branch].stores.clone();
            self.scopes[scope].stores.extend(stores);
        }
        for name in stored {
            let Some((target, _)) = self.find(scope, &name) else {
                continue;
            };
            let origin = match self.find_outside(scope, &name) {
                Some((outer, _)) => Origin::Alias(outer),
                None => Origin::Context(name),
            };
            self.scopes[scope].loads.insert(target, origin);
        }
    }
}
