//! The tree of a template.

use std::sync::Arc;

use crate::python::number::Arithmetic;
use crate::python::ops::Comparison;
use crate::python::value::Value;

/// Where a variable is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many functions up.
    pub(crate) hops: usize,
    /// Which variable of that function.
    pub(crate) slot: usize,
}

/// A name and where it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: Arc<str>,
    pub(crate) place: Place,
}

impl Variable {
    /// A name whose place is not settled yet.
    pub(crate) fn unsettled(name: Arc<str>) -> Self {
        Self {
            name,
            place: Place { hops: 0, slot: 0 },
        }
    }
}

/// An expression.
pub(crate) struct Expr {
    /// Where it stands, in bytes.
    pub(crate) at: usize,
    /// How many expressions stand in one another at most.
    pub(crate) height: usize,
    pub(crate) kind: ExprKind,
}

pub(crate) enum ExprKind {
    Constant(Value),
    Name(Variable),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Signed { negative: bool, value: Box<Expr> },
    Binary(Arithmetic, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Concat(Vec<Expr>),
    Conditional(Box<Conditional>),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Filter(Box<Application>),
    Test(Box<Application>),
    Call(Box<Call>),
}

/// `then if test else otherwise`
pub(crate) struct Conditional {
    pub(crate) test: Expr,
    pub(crate) then: Expr,
    pub(crate) otherwise: Option<Expr>,
}

/// A filter or test on a value.
pub(crate) struct Application {
    /// `None` stands for the text of the block around it.
    pub(crate) target: Option<Expr>,
    pub(crate) name: Arc<str>,
    pub(crate) arguments: ArgumentList,
}

pub(crate) struct Call {
    pub(crate) callee: Expr,
    pub(crate) arguments: ArgumentList,
}

/// The arguments of a call as written.
#[derive(Default)]
pub(crate) struct ArgumentList {
    pub(crate) positional: Vec<Expr>,
    pub(crate) named: Vec<(Arc<str>, Expr)>,
    /// `*values`
    pub(crate) star: Option<Expr>,
    /// `**values`
    pub(crate) double_star: Option<Expr>,
}

impl ArgumentList {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Expr> {
        self.positional
            .iter()
            .chain(self.named.iter().map(|(_, value)| value))
            .chain(&self.star)
            .chain(&self.double_star)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.positional
            .iter_mut()
            .chain(self.named.iter_mut().map(|(_, value)| value))
            .chain(&mut self.star)
            .chain(&mut self.double_star)
    }
}

/// What is assigned to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Name(Variable),
    /// An attribute of a namespace.
    Attribute(Variable, Arc<str>),
    Tuple(Vec<Target>),
}

impl Target {
    /// The names it assigns, in order.
    pub(crate) fn names(&self) -> Vec<&Arc<str>> {
        match self {
            Target::Name(variable) => vec![&variable.name],
            Target::Attribute(..) => Vec::new(),
            Target::Tuple(targets) => targets.iter().flat_map(Target::names).collect(),
        }
    }
}

/// What happens to variables when a scope is entered and left.
#[derive(Debug, Default, Clone)]
pub(crate) struct Frame {
    pub(crate) entry: Vec<(usize, Load)>,
    /// The variables that are gone afterwards.
    pub(crate) exit: Vec<usize>,
}

/// What a variable holds when its scope is entered.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// What the context has under the name.
    Context(Arc<str>),
    /// What a variable further out holds.
    Alias(Place),
    Missing,
}

pub(crate) enum Stmt {
    Text(Arc<str>),
    Print(Expr),
    For(Arc<For>),
    If {
        branches: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    With {
        assignments: Vec<(Target, Expr)>,
        body: Vec<Stmt>,
        frame: Frame,
    },
    Set {
        at: usize,
        target: Target,
        value: Expr,
        exports: Vec<Variable>,
    },
    SetBlock(Box<SetBlock>),
    FilterBlock {
        filter: Expr,
        body: Vec<Stmt>,
        frame: Frame,
    },
    Macro {
        node: Arc<Macro>,
        variable: Variable,
        exported: bool,
    },
    CallBlock {
        node: Arc<Macro>,
        call: Expr,
    },
    Block {
        at: usize,
        block: Arc<Block>,
        /// What a scoped block sees beside the context.
        visible: Vec<Variable>,
    },
}

pub(crate) struct SetBlock {
    pub(crate) at: usize,
    pub(crate) target: Target,
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) frame: Frame,
    pub(crate) exports: Vec<Variable>,
}

pub(crate) struct For {
    pub(crate) at: usize,
    pub(crate) target: Target,
    pub(crate) iter: Expr,
    pub(crate) test: Option<LoopTest>,
    pub(crate) recursive: bool,
    pub(crate) body: Vec<Stmt>,
    pub(crate) otherwise: Vec<Stmt>,
    pub(crate) frame: Frame,
    pub(crate) otherwise_frame: Frame,
    /// The slot of `loop`, when the body uses it.
    pub(crate) this: Option<usize>,
    /// How many variables the function of a recursive loop has.
    pub(crate) slots: usize,
}

/// The `if` of a loop; it is a function of its own.
pub(crate) struct LoopTest {
    pub(crate) condition: Expr,
    pub(crate) target: Target,
    pub(crate) frame: Frame,
    pub(crate) slots: usize,
}

/// A macro, or the body of a call block.
pub(crate) struct Macro {
    pub(crate) at: usize,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) frame: Frame,
    pub(crate) slots: usize,
    /// The slot of `caller`, when it is used and no parameter.
    pub(crate) caller: Option<usize>,
    /// Whether `caller` is used at all.
    pub(crate) uses_caller: bool,
    pub(crate) kwargs: Option<usize>,
    pub(crate) varargs: Option<usize>,
}

pub(crate) struct Parameter {
    pub(crate) variable: Variable,
    pub(crate) default: Option<Expr>,
}

pub(crate) struct Block {
    pub(crate) at: usize,
    pub(crate) name: Arc<str>,
    pub(crate) scoped: bool,
    pub(crate) required: bool,
    pub(crate) body: Vec<Stmt>,
    pub(crate) frame: Frame,
    pub(crate) slots: usize,
    pub(crate) this: Option<usize>,
    /// The slot of `super`, when it is used.
    pub(crate) parent: Option<usize>,
}
