//! Jinja's syntax: from text to a tree whose names have their places.
//!
//! The rules are Jinja2's own, in its own words: the same tokens, the same precedence, and the same scopes, which
//! are settled here once and not looked up while rendering.

pub(crate) mod ast;
mod constants;
mod expressions;
mod lexer;
mod names;
mod parser;
pub(crate) mod scope;
mod statements;
mod strings;
mod symbols;

use std::collections::BTreeSet;
use std::sync::Arc;

use ast::{Frame, Stmt};

use crate::environment::Environment;
use crate::python::fault::Outcome;
use crate::python::meter;

/// How the text around tags is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whitespace {
    /// Whether the newline after a block tag goes.
    pub(crate) trim_blocks: bool,
    /// Whether blank text before a block tag on its line goes.
    pub(crate) lstrip_blocks: bool,
}

/// How it is treated when nobody asks for anything else.
pub(crate) const PLAIN: Whitespace = Whitespace {
    trim_blocks: false,
    lstrip_blocks: false,
};

/// The contract's environment.
pub(crate) const CONTRACT: Whitespace = Whitespace {
    trim_blocks: true,
    lstrip_blocks: true,
};

/// A template ready to run.
pub(crate) struct Program {
    /// The text with its newlines made uniform; places are bytes of it.
    pub(crate) source: String,
    pub(crate) body: Vec<Stmt>,
    /// What happens before the body.
    pub(crate) frame: Frame,
    /// How many variables the body's function has.
    pub(crate) slots: usize,
    /// The place of `self`, when the body uses it.
    pub(crate) this: Option<usize>,
    pub(crate) blocks: Arc<[Arc<ast::Block>]>,
    /// The names it takes from outside.
    pub(crate) undeclared: BTreeSet<Arc<str>>,
    pub(crate) environment: Arc<Environment>,
}

/// An expression ready to be evaluated.
pub(crate) struct Formula {
    /// Its text; places are bytes of it.
    pub(crate) source: String,
    pub(crate) expr: ast::Expr,
    /// What happens before it.
    pub(crate) frame: Frame,
    /// How many variables it has.
    pub(crate) slots: usize,
    /// The names it takes from outside.
    pub(crate) undeclared: BTreeSet<Arc<str>>,
    pub(crate) environment: Arc<Environment>,
    /// No blocks.
    pub(crate) blocks: Arc<[Arc<ast::Block>]>,
}

/// The text with every newline as `\n` and without the last one.
pub(crate) fn normalize(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// Parses a text that [`normalize`] has been through.
pub(crate) fn parse(source: String, environment: &Arc<Environment>) -> Outcome<Program> {
    let _metered = meter::start();
    let tokens = lexer::tokens(&source, environment.whitespace)?;
    let body = parser::parse(tokens)?;
    let program = scope::settle(source, body, environment)?;
    constants::check(&program.body, environment)?;
    Ok(program)
}

/// Parses an expression on its own.
pub(crate) fn parse_expression(source: &str, environment: &Arc<Environment>) -> Outcome<Formula> {
    let _metered = meter::start();
    let tokens = lexer::expression_tokens(source, environment.whitespace)?;
    let expr = parser::parse_expression(tokens)?;
    scope::settle_expression(source, expr, environment)
}
