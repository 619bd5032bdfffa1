//! From tokens to expressions.

use std::sync::Arc;

use super::ast::{Application, ArgumentList, Call, Conditional, Expr, ExprKind, Variable};
use super::lexer::TokenKind;
use super::parser::{HEIGHT_LIMIT, Parser};
use crate::python::fault::Outcome;
use crate::python::number::Arithmetic;
use crate::python::ops::Comparison;
use crate::python::value::Value;

/// How deep brackets may stand in one another.
const BRACKET_LIMIT: usize = 50;

fn children(kind: &ExprKind) -> Vec<&Expr> {
    match kind {
        ExprKind::Constant(_) | ExprKind::Name(_) => Vec::new(),
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => {
            items.iter().collect()
        }
        ExprKind::Dict(items) => items.iter().flat_map(|(key, value)| [key, value]).collect(),
        ExprKind::Not(value) | ExprKind::Signed { value, .. } | ExprKind::Attribute(value, _) => {
            vec![value]
        }
        ExprKind::Binary(_, a, b)
        | ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Item(a, b) => vec![a, b],
        ExprKind::Compare(first, rest) => std::iter::once(&**first)
            .chain(rest.iter().map(|(_, value)| value))
            .collect(),
        ExprKind::Conditional(condition) => [&condition.test, &condition.then]
            .into_iter()
            .chain(&condition.otherwise)
            .collect(),
        ExprKind::Slice(value, bounds) => std::iter::once(&**value)
            .chain(bounds.iter().flatten())
            .collect(),
        ExprKind::Filter(application) | ExprKind::Test(application) => application
            .target
            .iter()
            .chain(application.arguments.iter())
            .collect(),
        ExprKind::Call(call) => std::iter::once(&call.callee)
            .chain(call.arguments.iter())
            .collect(),
    }
}

impl Expr {
    /// The expressions right inside this one, in Jinja2's order.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        children(&self.kind)
    }
}

impl Parser {
    fn make(&self, at: usize, kind: ExprKind) -> Outcome<Expr> {
        let tallest = children(&kind).iter().map(|child| child.height).max();
        let height = tallest.unwrap_or(0) + 1;
        if height > HEIGHT_LIMIT {
            return self.refuse(format!(
                "an expression of more than {HEIGHT_LIMIT} operations on one another"
            ));
        }
        Ok(Expr { at, height, kind })
    }

    /// An expression, or several with commas between them.
    pub(super) fn tuple(&mut self, conditional: bool, parenthesized: bool) -> Outcome<Expr> {
        let at = self.at();
        let mut items = Vec::new();
        let mut tuple = false;
        loop {
            let ends = matches!(self.current(), TokenKind::VariableEnd | TokenKind::BlockEnd);
            if ends || self.is_sign(")") {
                break;
            }
            items.push(self.expression(conditional)?);
            if !self.skip_sign(",") {
                break;
            }
            tuple = true;
        }
        if !tuple {
            if let Some(only) = items.pop() {
                return Ok(only);
            }
            if !parenthesized {
                return self.fail(format!("expected an expression, found {}", self.found()));
            }
        }
        self.make(at, ExprKind::Tuple(items))
    }

    pub(super) fn expression(&mut self, conditional: bool) -> Outcome<Expr> {
        self.deeper(BRACKET_LIMIT, |parser| {
            if conditional {
                parser.conditional()
            } else {
                parser.or()
            }
        })
    }

    fn conditional(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut then = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let otherwise = if self.skip_name("else") {
                Some(self.deeper(BRACKET_LIMIT, Self::conditional)?)
            } else {
                None
            };
            let condition = Conditional {
                test,
                then,
                otherwise,
            };
            then = self.make(at, ExprKind::Conditional(Box::new(condition)))?;
        }
        Ok(then)
    }

    fn or(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut left = self.and()?;
        while self.skip_name("or") {
            let right = self.and()?;
            left = self.make(at, ExprKind::Or(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut left = self.not()?;
        while self.skip_name("and") {
            let right = self.not()?;
            left = self.make(at, ExprKind::And(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Outcome<Expr> {
        let at = self.at();
        if self.skip_name("not") {
            let value = self.deeper(BRACKET_LIMIT, Self::not)?;
            return self.make(at, ExprKind::Not(Box::new(value)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.current() {
                TokenKind::Sign("==") => Comparison::Equal,
                TokenKind::Sign("!=") => Comparison::NotEqual,
                TokenKind::Sign("<") => Comparison::Less,
                TokenKind::Sign("<=") => Comparison::LessOrEqual,
                TokenKind::Sign(">") => Comparison::Greater,
                TokenKind::Sign(">=") => Comparison::GreaterOrEqual,
                TokenKind::Name(name) if name == "in" => Comparison::In,
                TokenKind::Name(name) if name == "not" && self.follows_name("in") => {
                    self.skip(1);
                    Comparison::NotIn
                }
                _ => break,
            };
            self.skip(1);
            rest.push((op, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        self.make(at, ExprKind::Compare(Box::new(first), rest))
    }

    fn sum(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut left = self.concatenation()?;
        loop {
            let op = match self.current() {
                TokenKind::Sign("+") => Arithmetic::Add,
                TokenKind::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.skip(1);
            let right = self.concatenation()?;
            left = self.make(at, ExprKind::Binary(op, Box::new(left), Box::new(right)))?;
        }
    }

    fn concatenation(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let first = self.product()?;
        if !self.is_sign("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_sign("~") {
            parts.push(self.product()?);
        }
        self.make(at, ExprKind::Concat(parts))
    }

    fn product(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut left = self.power()?;
        loop {
            let op = match self.current() {
                TokenKind::Sign("*") => Arithmetic::Multiply,
                TokenKind::Sign("/") => Arithmetic::Divide,
                TokenKind::Sign("//") => Arithmetic::FloorDivide,
                TokenKind::Sign("%") => Arithmetic::Remainder,
                _ => return Ok(left),
            };
            self.skip(1);
            let right = self.power()?;
            left = self.make(at, ExprKind::Binary(op, Box::new(left), Box::new(right)))?;
        }
    }

    fn power(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let mut left = self.unary(true)?;
        while self.skip_sign("**") {
            let right = self.unary(true)?;
            let kind = ExprKind::Binary(Arithmetic::Power, Box::new(left), Box::new(right));
            left = self.make(at, kind)?;
        }
        Ok(left)
    }

    fn unary(&mut self, filters: bool) -> Outcome<Expr> {
        let at = self.at();
        let node = if self.is_sign("-") || self.is_sign("+") {
            let negative = self.is_sign("-");
            self.skip(1);
            let value = self.deeper(BRACKET_LIMIT, |parser| parser.unary(false))?;
            self.make(
                at,
                ExprKind::Signed {
                    negative,
                    value: Box::new(value),
                },
            )?
        } else {
            self.primary()?
        };
        let node = self.postfix(node)?;
        if filters {
            self.filters(node)
        } else {
            Ok(node)
        }
    }

    pub(super) fn primary(&mut self) -> Outcome<Expr> {
        let at = self.at();
        let token = self.current().clone();
        let kind = match token {
            TokenKind::Name(name) => {
                self.skip(1);
                match name.as_str() {
                    "true" | "True" => ExprKind::Constant(Value::Bool(true)),
                    "false" | "False" => ExprKind::Constant(Value::Bool(false)),
                    "none" | "None" => ExprKind::Constant(Value::None),
                    _ => ExprKind::Name(Variable::unsettled(Arc::from(name))),
                }
            }
            TokenKind::Text(mut text) => {
                self.skip(1);
                while let TokenKind::Text(more) = self.current() {
                    text.push_str(more);
                    self.skip(1);
                }
                ExprKind::Constant(Value::text(text))
            }
            TokenKind::Integer(number) => {
                self.skip(1);
                ExprKind::Constant(number)
            }
            TokenKind::Float(number) => {
                self.skip(1);
                ExprKind::Constant(Value::Float(number))
            }
            TokenKind::Sign("(") => {
                self.skip(1);
                let inside = self.tuple(true, true)?;
                self.expect_sign(")")?;
                return Ok(inside);
            }
            TokenKind::Sign("[") => self.list()?,
            TokenKind::Sign("{") => self.dict()?,
            _ => return self.unexpected(),
        };
        self.make(at, kind)
    }

    fn list(&mut self) -> Outcome<ExprKind> {
        self.skip(1);
        let mut items = Vec::new();
        while !self.is_sign("]") {
            if !items.is_empty() {
                self.expect_sign(",")?;
                if self.is_sign("]") {
                    break;
                }
            }
            items.push(self.expression(true)?);
        }
        self.expect_sign("]")?;
        Ok(ExprKind::List(items))
    }

    fn dict(&mut self) -> Outcome<ExprKind> {
        self.skip(1);
        let mut items = Vec::new();
        while !self.is_sign("}") {
            if !items.is_empty() {
                self.expect_sign(",")?;
                if self.is_sign("}") {
                    break;
                }
            }
            let key = self.expression(true)?;
            if matches!(key.kind, ExprKind::List(_) | ExprKind::Dict(_)) {
                return self.refuse("a list or dictionary as the key of a dictionary");
            }
            self.expect_sign(":")?;
            items.push((key, self.expression(true)?));
        }
        self.expect_sign("}")?;
        Ok(ExprKind::Dict(items))
    }

    fn postfix(&mut self, mut node: Expr) -> Outcome<Expr> {
        loop {
            node = if self.is_sign(".") || self.is_sign("[") {
                self.subscript(node)?
            } else if self.is_sign("(") {
                self.call(node)?
            } else {
                return Ok(node);
            };
        }
    }

    fn filters(&mut self, mut node: Expr) -> Outcome<Expr> {
        loop {
            node = if self.is_sign("|") {
                self.skip(1);
                self.filter(Some(node))?
            } else if self.is_name("is") {
                self.test(node)?
            } else if self.is_sign("(") {
                self.call(node)?
            } else {
                return Ok(node);
            };
        }
    }

    fn subscript(&mut self, node: Expr) -> Outcome<Expr> {
        if self.skip_sign(".") {
            let at = self.at();
            let kind = match self.current().clone() {
                TokenKind::Name(name) => ExprKind::Attribute(Box::new(node), Arc::from(name)),
                TokenKind::Integer(number) => {
                    let key = self.make(at, ExprKind::Constant(number))?;
                    ExprKind::Item(Box::new(node), Box::new(key))
                }
                _ => return self.fail("expected a name or number after `.`"),
            };
            self.skip(1);
            return self.make(at, kind);
        }
        let at = self.at();
        self.skip(1);
        let mut keys = Vec::new();
        while !self.is_sign("]") {
            if !keys.is_empty() {
                self.expect_sign(",")?;
            }
            keys.push(self.subscript_key()?);
        }
        self.expect_sign("]")?;
        if keys.len() == 1 {
            return match keys.pop() {
                Some(Key::Slice(bounds)) => self.make(at, ExprKind::Slice(Box::new(node), bounds)),
                Some(Key::Item(key)) => {
                    self.make(at, ExprKind::Item(Box::new(node), Box::new(key)))
                }
                None => self.fail("nothing between `[` and `]`"),
            };
        }
        let mut items = Vec::new();
        for key in keys {
            match key {
                Key::Item(key) => items.push(key),
                Key::Slice(_) => return self.fail("a slice among several subscripts"),
            }
        }
        let key = self.make(at, ExprKind::Tuple(items))?;
        self.make(at, ExprKind::Item(Box::new(node), Box::new(key)))
    }

    fn subscript_key(&mut self) -> Outcome<Key> {
        let mut bounds = [None, None, None];
        if !self.is_sign(":") {
            let first = self.expression(true)?;
            if !self.is_sign(":") {
                return Ok(Key::Item(first));
            }
            bounds[0] = Some(first);
        }
        self.skip(1);
        for bound in &mut bounds[1..] {
            if !(self.is_sign("]") || self.is_sign(",") || self.is_sign(":")) {
                *bound = Some(self.expression(true)?);
            }
            if !self.skip_sign(":") {
                break;
            }
        }
        Ok(Key::Slice(Box::new(bounds)))
    }

    fn call(&mut self, callee: Expr) -> Outcome<Expr> {
        let at = self.at();
        let arguments = self.arguments()?;
        self.make(at, ExprKind::Call(Box::new(Call { callee, arguments })))
    }

    fn arguments(&mut self) -> Outcome<ArgumentList> {
        let mut list = ArgumentList::default();
        self.expect_sign("(")?;
        let mut first = true;
        while !self.is_sign(")") {
            if !first {
                self.expect_sign(",")?;
                if self.is_sign(")") {
                    break;
                }
            }
            first = false;
            let named = matches!(self.current(), TokenKind::Name(_)) && self.follows_sign("=");
            let in_order = if self.is_sign("**") {
                list.double_star.is_none()
            } else if self.is_sign("*") {
                list.star.is_none() && list.double_star.is_none()
            } else if named {
                list.double_star.is_none()
            } else {
                list.star.is_none() && list.double_star.is_none() && list.named.is_empty()
            };
            if !in_order {
                return self.fail("arguments in the wrong order");
            }
            if self.skip_sign("*") {
                list.star = Some(self.expression(true)?);
            } else if self.skip_sign("**") {
                list.double_star = Some(self.expression(true)?);
            } else if named {
                let name = self.expect_name()?;
                if list.named.iter().any(|(known, _)| *known == name) {
                    return self.fail(format!("the argument `{name}` is given twice"));
                }
                self.skip(1);
                list.named.push((name, self.expression(true)?));
            } else {
                list.positional.push(self.expression(true)?);
            }
        }
        self.expect_sign(")")?;
        Ok(list)
    }

    fn dotted_name(&mut self) -> Outcome<Arc<str>> {
        let mut name = self.expect_name()?.to_string();
        while self.skip_sign(".") {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(Arc::from(name))
    }

    fn filter(&mut self, target: Option<Expr>) -> Outcome<Expr> {
        let at = self.at();
        let name = self.dotted_name()?;
        let arguments = if self.is_sign("(") {
            self.arguments()?
        } else {
            ArgumentList::default()
        };
        let application = Application {
            target,
            name,
            arguments,
        };
        self.make(at, ExprKind::Filter(Box::new(application)))
    }

    /// The filters of a block, after the first `|` or the tag's name.
    pub(super) fn block_filter(&mut self) -> Outcome<Expr> {
        let mut node = self.filter(None)?;
        while self.skip_sign("|") {
            node = self.filter(Some(node))?;
        }
        Ok(node)
    }

    fn test(&mut self, target: Expr) -> Outcome<Expr> {
        self.skip(1);
        let at = self.at();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let arguments = match self.current() {
            TokenKind::Sign("(") => self.arguments()?,
            TokenKind::Name(word) if matches!(word.as_str(), "else" | "or" | "and") => {
                ArgumentList::default()
            }
            TokenKind::Name(word) if word == "is" => {
                return self.fail("tests cannot be chained with `is`");
            }
            TokenKind::Name(_)
            | TokenKind::Text(_)
            | TokenKind::Integer(_)
            | TokenKind::Float(_)
            | TokenKind::Sign("[" | "{") => {
                let argument = self.primary()?;
                ArgumentList {
                    positional: vec![self.postfix(argument)?],
                    ..ArgumentList::default()
                }
            }
            _ => ArgumentList::default(),
        };
        let application = Application {
            target: Some(target),
            name,
            arguments,
        };
        let test = self.make(at, ExprKind::Test(Box::new(application)))?;
        if negated {
            return self.make(at, ExprKind::Not(Box::new(test)));
        }
        Ok(test)
    }
}

/// What stands between `[` and `]`.
enum Key {
    Item(Expr),
    Slice(Box<[Option<Expr>; 3]>),
}
