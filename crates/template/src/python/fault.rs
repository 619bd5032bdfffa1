//! What can go wrong while Python's operations are carried out.

use std::sync::Arc;

/// A failure of an operation, before it is known which template it happened in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What kind of failure.
    pub(crate) kind: FaultKind,
    /// What is wrong, in one line.
    pub(crate) message: String,
    /// Where in the template's text, in bytes, once known.
    pub(crate) at: Option<usize>,
    /// One action that may help.
    pub(crate) hint: Option<String>,
    /// What it comes from, where a caller may want to know.
    pub(crate) origin: Option<Box<Origin>>,
}

/// What a failure comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A caller's function failed so.
    Function(Cause),
    /// This name is not there.
    Undefined(Arc<str>),
}

/// An error of a caller; two are equal when they are one.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) Arc<dyn std::error::Error + Send + Sync>);

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cause {}

/// The kinds of [`Fault`], named for Python's exceptions where code must tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// `TypeError`
    Type,
    /// `ValueError`
    Value,
    /// `IndexError` and `KeyError`
    Lookup,
    /// `OverflowError`
    Overflow,
    /// `ZeroDivisionError`
    ZeroDivision,
    /// Jinja's `UndefinedError` and other errors that filters do not catch
    Runtime,
    /// The sandbox refuses it.
    Security,
    /// More work or memory than a template may use.
    Fuel,
    /// Jinja2 has a meaning for it that is not honoured here.
    Unsupported,
}

/// What an operation gives.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            at: None,
            hint: None,
            origin: None,
        }
    }

    /// Says where it happened, unless that is known more closely already.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.at.get_or_insert(offset);
        self
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

pub(crate) fn type_fault<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::new(FaultKind::Type, message))
}

pub(crate) fn value_fault<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::new(FaultKind::Value, message))
}

pub(crate) fn runtime<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::new(FaultKind::Runtime, message))
}

pub(crate) fn unsupported<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::new(FaultKind::Unsupported, message))
}

pub(crate) fn out_of_fuel<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Fault::new(FaultKind::Fuel, message))
}

/// The longest text a template may build, in bytes.
pub(crate) const TEXT_LIMIT: usize = 10_000_000;

/// The longest list a template may build.
pub(crate) const LIST_LIMIT: usize = 1_000_000;

/// The most bits a whole number may have.
pub(crate) const INTEGER_LIMIT: u64 = 1_000_000;

/// How deep values may stand in one another.
pub(crate) const DEPTH_LIMIT: u32 = 100;

/// Refuses a text that would be too long, before it is built.
pub(crate) fn check_text(bytes: usize) -> Outcome<()> {
    if bytes > TEXT_LIMIT {
        return out_of_fuel(format!(
            "a text of {bytes} bytes: a template may build {TEXT_LIMIT} at most"
        ));
    }
    Ok(())
}

/// Refuses a list that would be too long, before it is built.
pub(crate) fn check_list(items: usize) -> Outcome<()> {
    if items > LIST_LIMIT {
        return out_of_fuel(format!(
            "a list of {items} items: a template may build {LIST_LIMIT} at most"
        ));
    }
    Ok(())
}
