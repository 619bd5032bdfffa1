//! What reads tokens one after the other.

use std::sync::Arc;

use super::ast::{Expr, Stmt};
use super::lexer::{Token, TokenKind};
use crate::python::fault::{Fault, FaultKind, Outcome};

/// How tall an expression may be.
pub(super) const HEIGHT_LIMIT: usize = 150;

pub(super) struct Parser {
    tokens: Vec<Token>,
    /// What the tokens are all of.
    whole: &'static str,
    pub(super) next: usize,
    depth: usize,
    /// The tags that would end the statements being read, innermost last.
    pub(super) ends: Vec<(&'static str, usize, &'static [&'static str])>,
}

/// Parses a whole template.
pub(super) fn parse(tokens: Vec<Token>) -> Outcome<Vec<Stmt>> {
    Parser::new(tokens, "template").statements()
}

/// Parses an expression on its own.
pub(super) fn parse_expression(tokens: Vec<Token>) -> Outcome<Expr> {
    let mut parser = Parser::new(tokens, "expression");
    let expr = parser.expression(true)?;
    match parser.current() {
        TokenKind::End => Ok(expr),
        _ => parser.unexpected(),
    }
}

impl Parser {
    fn new(tokens: Vec<Token>, whole: &'static str) -> Self {
        Self {
            tokens,
            whole,
            next: 0,
            depth: 0,
            ends: Vec::new(),
        }
    }

    pub(super) fn current(&self) -> &TokenKind {
        &self.tokens[self.next.min(self.tokens.len() - 1)].kind
    }

    pub(super) fn at(&self) -> usize {
        self.tokens[self.next.min(self.tokens.len() - 1)].at
    }

    fn following(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next + 1).map(|token| &token.kind)
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.next += count;
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.current(), TokenKind::Sign(found) if *found == sign)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.current(), TokenKind::Name(found) if found == name)
    }

    pub(super) fn follows_name(&self, name: &str) -> bool {
        matches!(self.following(), Some(TokenKind::Name(found)) if found == name)
    }

    pub(super) fn follows_sign(&self, sign: &str) -> bool {
        matches!(self.following(), Some(TokenKind::Sign(found)) if *found == sign)
    }

    pub(super) fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    pub(super) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.next += usize::from(found);
        found
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Outcome<T> {
        Err(Fault::new(FaultKind::Runtime, message).at(self.at()))
    }

    pub(super) fn unexpected<T>(&self) -> Outcome<T> {
        match self.current() {
            TokenKind::End => self.fail(format!("the {} ends too early", self.whole)),
            _ => self.fail(format!("unexpected {}", self.found())),
        }
    }

    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Outcome<T> {
        Err(Fault::new(FaultKind::Unsupported, message).at(self.at()))
    }

    /// What the next token is, in words.
    pub(super) fn found(&self) -> String {
        match self.current() {
            TokenKind::Data(_) => "text".to_owned(),
            TokenKind::VariableBegin => "`{{`".to_owned(),
            TokenKind::VariableEnd => "`}}`".to_owned(),
            TokenKind::BlockBegin => "`{%`".to_owned(),
            TokenKind::BlockEnd => "`%}`".to_owned(),
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Text(_) => "a string".to_owned(),
            TokenKind::Integer(_) | TokenKind::Float(_) => "a number".to_owned(),
            TokenKind::Sign(sign) => format!("`{sign}`"),
            TokenKind::End => format!("the end of the {}", self.whole),
        }
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Outcome<()> {
        if self.skip_sign(sign) {
            return Ok(());
        }
        self.fail(format!("expected `{sign}`, found {}", self.found()))
    }

    pub(super) fn expect_word(&mut self, name: &str) -> Outcome<()> {
        if self.skip_name(name) {
            return Ok(());
        }
        self.fail(format!("expected `{name}`, found {}", self.found()))
    }

    pub(super) fn expect_name(&mut self) -> Outcome<Arc<str>> {
        match self.current() {
            TokenKind::Name(name) => {
                let name = Arc::from(name.as_str());
                self.next += 1;
                Ok(name)
            }
            _ => self.fail(format!("expected a name, found {}", self.found())),
        }
    }

    pub(super) fn expect_block_end(&mut self) -> Outcome<()> {
        match self.current() {
            TokenKind::BlockEnd => {
                self.next += 1;
                Ok(())
            }
            _ => self.fail(format!("expected `%}}`, found {}", self.found())),
        }
    }

    /// Counts how deep the parser is while it reads something.
    pub(super) fn deeper<T>(
        &mut self,
        limit: usize,
        read: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.depth += 1;
        let result = if self.depth > limit {
            self.refuse(format!("nesting deeper than {limit}"))
        } else {
            read(self)
        };
        self.depth -= 1;
        result
    }
}
