//! What expressions find around them: the filters, tests and names of a caller, and what becomes of what is not there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::evaluated::Value;
use crate::python::arguments::{Arguments, Signature};
use crate::python::fault::{Cause, Fault, FaultKind, Origin, Outcome, type_fault};
use crate::python::value::Value as Inner;
use crate::render::machine::Machine;
use crate::render::{filters, globals, predicates};
use crate::syntax::{CONTRACT, PLAIN, Whitespace};

/// What becomes of a name, attribute or item that is not there.
///
/// `default`, `is defined` and `is undefined` may always be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Jinja's own rule: it prints as nothing, counts as false, and fails when more is asked of it.
    Blank,
    /// The same, but what is asked of it is not there either, and null holds nothing. A field of a text, a number or a
    /// list that holds something is refused.
    Chained,
    /// It fails, except in a condition, where it counts as false.
    Falsy,
    /// It fails.
    Refused,
}

/// How a [`Function`] takes its arguments.
#[derive(Debug, Clone)]
pub enum Parameters {
    /// By place or by name.
    Listed {
        /// Their names, in order.
        names: Cow<'static, [&'static str]>,
        /// How many of them must be given.
        required: usize,
    },
    /// Any number, by place.
    Rest,
}

impl Parameters {
    /// No arguments at all.
    pub const NONE: Self = Self::listed(&[], 0);

    /// By place or by name, of which the first `required` must be given.
    #[must_use]
    pub const fn listed(names: &'static [&'static str], required: usize) -> Self {
        Self::Listed {
            names: Cow::Borrowed(names),
            required,
        }
    }
}

/// Why a [`Function`] gives no value.
#[derive(Debug, Clone)]
pub struct Failure(pub(crate) Fault);

impl Failure {
    /// A failure that says this, in one line.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(Fault::new(FaultKind::Runtime, message))
    }

    /// Adds the one action that may help.
    #[must_use]
    pub fn with_hint(self, hint: Option<String>) -> Self {
        Self(self.0.with_hint(hint))
    }

    /// Adds the error behind it, which [`TemplateError::cause`](crate::TemplateError::cause) gives back.
    #[must_use]
    pub fn caused_by(mut self, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.origin = Some(Box::new(Origin::Function(Cause(Arc::new(error)))));
        self
    }
}

type Apply = dyn Fn(&mut Call<'_>) -> Result<Value, Failure> + Send + Sync;

/// A filter, test or function that is written in Rust. A test holds where its value is true.
#[derive(Clone)]
pub struct Function(Arc<Definition>);

struct Definition {
    name: &'static str,
    parameters: Parameters,
    apply: Box<Apply>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Function({})", self.0.name)
    }
}

impl Function {
    /// A function; `name` is what it is called by, and what errors call it.
    #[must_use]
    pub fn new(
        name: &'static str,
        parameters: Parameters,
        apply: impl Fn(&mut Call<'_>) -> Result<Value, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Definition {
            name,
            parameters,
            apply: Box::new(apply),
        }))
    }

    pub(crate) fn name(&self) -> &'static str {
        self.0.name
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }

    /// Calls it.
    pub(crate) fn call(
        &self,
        machine: &mut Machine,
        value: Inner,
        arguments: Arguments,
    ) -> Outcome<Inner> {
        let Definition {
            name,
            parameters,
            apply,
        } = &*self.0;
        let mut given = match parameters {
            Parameters::Listed { names, required } => {
                let signature = Signature {
                    function: name,
                    names,
                    required: *required,
                    nameless: 0,
                };
                arguments.bind(signature)?.into_values()
            }
            Parameters::Rest => {
                if let Some((unknown, _)) = arguments.named.first() {
                    return type_fault(format!("`{name}` takes no argument named `{unknown}`"));
                }
                arguments.positional.into_iter().map(Some).collect()
            }
        };
        for slot in given.iter_mut().flatten() {
            let value = std::mem::replace(slot, Inner::None);
            *slot = machine.settled(value)?;
        }
        let mut call = Call {
            value: Value(machine.settled(value)?),
            arguments: given
                .into_iter()
                .map(|argument| argument.map(Value))
                .collect(),
            machine,
        };
        let result = apply(&mut call).map_err(|failure| failure.0)?;
        machine.pay(result.0)
    }
}

/// A call of a [`Function`].
pub struct Call<'m> {
    machine: &'m mut Machine,
    value: Value,
    arguments: Vec<Option<Value>>,
}

impl Call<'_> {
    /// What a filter or test is applied to; undefined for a function that is called.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The argument at a place, if it is given.
    #[must_use]
    pub fn argument(&self, place: usize) -> Option<&Value> {
        self.arguments.get(place).and_then(Option::as_ref)
    }

    /// The text at a place.
    ///
    /// # Errors
    /// When it is no text.
    pub fn text(&self, place: usize) -> Result<&str, Failure> {
        match self.argument(place) {
            Some(value) => value.as_text().ok_or_else(|| {
                Failure::new(format!("expected a text, not a `{}`", value.type_name()))
            }),
            None => Err(Failure::new("expected a text")),
        }
    }

    /// All arguments that are given, in order.
    pub fn arguments(&self) -> impl Iterator<Item = &Value> {
        self.arguments.iter().flatten()
    }

    /// The items of a value, by Python's rules; they count as work.
    ///
    /// # Errors
    /// When it has none, or when that is too much work.
    pub fn items(&mut self, value: &Value) -> Result<Vec<Value>, Failure> {
        let items = self.machine.collect(&value.0).map_err(Failure)?;
        Ok(items.into_iter().map(Value).collect())
    }
}

/// What expressions find around them. It is made once and shared.
#[derive(Debug)]
pub struct Environment {
    pub(crate) absent: Absent,
    pub(crate) whitespace: Whitespace,
    pub(crate) finalize: Option<fn(Value) -> Value>,
    filters: BTreeMap<&'static str, Function>,
    tests: BTreeMap<&'static str, Function>,
    globals: BTreeMap<&'static str, Value>,
}

static OF_THE_CONTRACT: LazyLock<Arc<Environment>> = LazyLock::new(|| {
    Arc::new(Environment {
        whitespace: CONTRACT,
        ..Environment::new(Absent::Blank)
    })
});

impl Environment {
    /// Jinja's own filters, tests and functions, with blank text left as it is.
    #[must_use]
    pub fn new(absent: Absent) -> Self {
        Self {
            absent,
            whitespace: PLAIN,
            finalize: None,
            filters: BTreeMap::new(),
            tests: BTreeMap::new(),
            globals: globals::all()
                .map(|(name, value)| (name, Value(value)))
                .collect(),
        }
    }

    /// The environment that the contract gives templates.
    #[must_use]
    pub fn of_the_contract() -> &'static Arc<Self> {
        &OF_THE_CONTRACT
    }

    /// Adds filters; one that Jinja has too takes its place.
    #[must_use]
    pub fn with_filters(mut self, filters: impl IntoIterator<Item = Function>) -> Self {
        let filters = filters.into_iter().map(|filter| (filter.name(), filter));
        self.filters.extend(filters);
        self
    }

    /// Adds tests; one that Jinja has too takes its place.
    #[must_use]
    pub fn with_tests(mut self, tests: impl IntoIterator<Item = Function>) -> Self {
        self.tests
            .extend(tests.into_iter().map(|test| (test.name(), test)));
        self
    }

    /// Adds functions that are called by name.
    #[must_use]
    pub fn with_functions(mut self, functions: impl IntoIterator<Item = Function>) -> Self {
        let functions = functions
            .into_iter()
            .map(|function| (function.name(), Value::function(function)));
        self.globals.extend(functions);
        self
    }

    /// Adds values that have names.
    #[must_use]
    pub fn with_values(mut self, values: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        self.globals.extend(values);
        self
    }

    /// Puts every value that a template prints through this first.
    #[must_use]
    pub fn with_finalize(mut self, finalize: fn(Value) -> Value) -> Self {
        self.finalize = Some(finalize);
        self
    }

    /// Whether what is not there is an error as soon as it is asked for.
    pub(crate) fn refuses_absent(&self) -> bool {
        matches!(self.absent, Absent::Falsy | Absent::Refused)
    }

    pub(crate) fn filter(&self, name: &str) -> Option<&Function> {
        self.filters.get(name)
    }

    pub(crate) fn test(&self, name: &str) -> Option<&Function> {
        self.tests.get(name)
    }

    pub(crate) fn global(&self, name: &str) -> Option<&Inner> {
        self.globals.get(name).map(|value| &value.0)
    }

    pub(crate) fn filter_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        let own = self.filters.keys().copied();
        filters::NAMES.iter().copied().chain(own)
    }

    pub(crate) fn test_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        let own = self.tests.keys().copied();
        predicates::NAMES.iter().copied().chain(own)
    }

    pub(crate) fn global_names(&self) -> impl Iterator<Item = &'static str> {
        self.globals.keys().copied()
    }
}
