//! From tokens to statements.

use std::sync::Arc;

use bowline_words::nearest::nearest;

use super::ast::{
    Block, Expr, ExprKind, For, Frame, LoopTest, Macro, Parameter, SetBlock, Stmt, Target, Variable,
};
use super::lexer::TokenKind;
use super::parser::Parser;
use crate::python::fault::{Fault, FaultKind, Outcome};

/// How deep statements may stand in one another.
const DEPTH_LIMIT: usize = 40;

/// The tags of the contract's environment.
const TAGS: [&str; 14] = [
    "autoescape",
    "block",
    "call",
    "extends",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "include",
    "macro",
    "print",
    "set",
    "with",
];

/// Tags that Jinja2 has in extensions, which are off.
const EXTENSION_TAGS: [&str; 6] = ["break", "continue", "debug", "do", "pluralize", "trans"];

impl Parser {
    /// Statements up to the end of the template or a tag that ends them.
    pub(super) fn statements(&mut self) -> Outcome<Vec<Stmt>> {
        let mut body = Vec::new();
        loop {
            match self.current().clone() {
                TokenKind::Data(text) => {
                    self.next += 1;
                    body.push(Stmt::Text(Arc::from(text)));
                }
                TokenKind::VariableBegin => {
                    self.next += 1;
                    body.push(Stmt::Print(self.tuple(true, false)?));
                    match self.current() {
                        TokenKind::VariableEnd => self.next += 1,
                        _ => {
                            return self.fail(format!("expected `}}}}`, found {}", self.found()));
                        }
                    }
                }
                TokenKind::BlockBegin => {
                    self.next += 1;
                    if self.at_end_tag() {
                        return Ok(body);
                    }
                    let limit = DEPTH_LIMIT + 64;
                    self.deeper(limit, |parser| parser.statement(&mut body))?;
                    self.expect_block_end()?;
                }
                TokenKind::End => {
                    if let Some((tag, at, ends)) = self.ends.last() {
                        return Err(Fault::new(
                            FaultKind::Runtime,
                            format!("`{tag}` without its `{}`", ends.last().unwrap_or(tag)),
                        )
                        .at(*at));
                    }
                    return Ok(body);
                }
                _ => return self.unexpected(),
            }
        }
    }

    fn at_end_tag(&self) -> bool {
        self.ends
            .last()
            .is_some_and(|(_, _, ends)| ends.iter().any(|end| self.is_name(end)))
    }

    /// The statements of a tag, up to one of the tags that end them; gives that tag too.
    fn body(
        &mut self,
        tag: &'static str,
        at: usize,
        ends: &'static [&'static str],
    ) -> Outcome<(Vec<Stmt>, Arc<str>)> {
        self.skip_sign(":");
        self.expect_block_end()?;
        self.ends.push((tag, at, ends));
        let body = self.statements();
        self.ends.pop();
        let body = body?;
        let end = self.expect_name()?;
        Ok((body, end))
    }

    fn statement(&mut self, body: &mut Vec<Stmt>) -> Outcome<()> {
        let at = self.at();
        let TokenKind::Name(tag) = self.current().clone() else {
            return self.fail("expected the name of a tag");
        };
        match tag.as_str() {
            "for" => body.push(self.for_loop()?),
            "if" => body.push(self.if_statement()?),
            "set" => body.push(self.set()?),
            "with" => body.push(self.with()?),
            "macro" => body.push(self.macro_definition()?),
            "call" => body.push(self.call_block()?),
            "filter" => {
                self.next += 1;
                let filter = self.block_filter()?;
                let (inside, _) = self.body("filter", at, &["endfilter"])?;
                body.push(Stmt::FilterBlock {
                    filter,
                    body: inside,
                    frame: Frame::default(),
                });
            }
            "block" => body.push(self.block()?),
            "print" => {
                self.next += 1;
                let mut first = true;
                while !matches!(self.current(), TokenKind::BlockEnd) {
                    if !first {
                        self.expect_sign(",")?;
                    }
                    first = false;
                    body.push(Stmt::Print(self.expression(true)?));
                }
            }
            "autoescape" => return self.refuse("the tag `autoescape`: text is never escaped here"),
            "extends" | "include" | "import" | "from" => {
                return self.refuse(format!(
                    "the tag `{tag}`: a template stands alone, there is nothing to load others from"
                ));
            }
            _ => return self.unknown_tag(&tag),
        }
        Ok(())
    }

    fn unknown_tag<T>(&self, tag: &str) -> Outcome<T> {
        let mut message = format!("unknown tag `{tag}`");
        let mut hint = None;
        if let Some((open, _, ends)) = self.ends.last() {
            if tag == "else" || tag == "elif" || tag.starts_with("end") {
                message = format!("unexpected `{tag}`: `{open}` is still open");
                hint = Some(format!(
                    "close it with `{}` first",
                    ends.last().unwrap_or(open)
                ));
            }
        } else if let Some(open) = tag.strip_prefix("end").filter(|open| TAGS.contains(open)) {
            message = format!("`{tag}` without `{open}`");
        }
        if EXTENSION_TAGS.contains(&tag) {
            hint = Some("Jinja's extensions are off".to_owned());
        }
        let hint = hint.or_else(|| {
            nearest(tag, TAGS.iter().copied()).map(|near| format!("did you mean `{near}`?"))
        });
        Err(Fault::new(FaultKind::Runtime, message)
            .at(self.at())
            .with_hint(hint))
    }

    fn for_loop(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let target = self.target(false)?;
        self.expect_word("in")?;
        let iter = self.tuple(false, false)?;
        let mut test = None;
        if self.skip_name("if") {
            test = Some(LoopTest {
                condition: self.expression(true)?,
                target: target.clone(),
                frame: Frame::default(),
                slots: 0,
            });
        }
        let recursive = self.skip_name("recursive");
        let (body, end) = self.body("for", at, &["else", "endfor"])?;
        let otherwise = if &*end == "else" {
            self.body("for", at, &["endfor"])?.0
        } else {
            Vec::new()
        };
        Ok(Stmt::For(Arc::new(For {
            at,
            target,
            iter,
            test,
            recursive,
            body,
            otherwise,
            frame: Frame::default(),
            otherwise_frame: Frame::default(),
            this: None,
            slots: 0,
        })))
    }

    fn if_statement(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let test = self.tuple(false, false)?;
            let (body, end) = self.body("if", at, &["elif", "else", "endif"])?;
            branches.push((test, body));
            match &*end {
                "elif" => continue,
                "else" => otherwise = self.body("if", at, &["endif"])?.0,
                _ => {}
            }
            break;
        }
        Ok(Stmt::If {
            branches,
            otherwise,
        })
    }

    fn set(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let target = self.target(true)?;
        if self.skip_sign("=") {
            return Ok(Stmt::Set {
                at,
                target,
                value: self.tuple(true, false)?,
                exports: Vec::new(),
            });
        }
        let filter = if self.is_sign("|") {
            self.next += 1;
            Some(self.block_filter()?)
        } else {
            None
        };
        let (body, _) = self.body("set", at, &["endset"])?;
        Ok(Stmt::SetBlock(Box::new(SetBlock {
            at,
            target,
            filter,
            body,
            frame: Frame::default(),
            exports: Vec::new(),
        })))
    }

    fn with(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let mut assignments = Vec::new();
        while !matches!(self.current(), TokenKind::BlockEnd) {
            if !assignments.is_empty() {
                self.expect_sign(",")?;
            }
            let target = self.target(false)?;
            self.expect_sign("=")?;
            assignments.push((target, self.expression(true)?));
        }
        let (body, _) = self.body("with", at, &["endwith"])?;
        Ok(Stmt::With {
            assignments,
            body,
            frame: Frame::default(),
        })
    }

    fn macro_definition(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let name = self.assignable_name()?;
        let parameters = self.signature()?;
        let (body, _) = self.body("macro", at, &["endmacro"])?;
        Ok(Stmt::Macro {
            node: Arc::new(function(at, Some(name.clone()), parameters, body)),
            variable: Variable::unsettled(name),
            exported: false,
        })
    }

    fn call_block(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let parameters = if self.is_sign("(") {
            self.signature()?
        } else {
            Vec::new()
        };
        let call = self.expression(true)?;
        match &call.kind {
            ExprKind::Call(call)
                if call
                    .arguments
                    .named
                    .iter()
                    .any(|(name, _)| &**name == "caller") =>
            {
                return self.fail("`caller` is given twice");
            }
            ExprKind::Call(_) => {}
            _ => return Err(Fault::new(FaultKind::Runtime, "expected a call").at(at)),
        }
        let (body, _) = self.body("call", at, &["endcall"])?;
        Ok(Stmt::CallBlock {
            node: Arc::new(function(at, None, parameters, body)),
            call,
        })
    }

    fn signature(&mut self) -> Outcome<Vec<Parameter>> {
        let mut parameters: Vec<Parameter> = Vec::new();
        self.expect_sign("(")?;
        while !self.is_sign(")") {
            if !parameters.is_empty() {
                self.expect_sign(",")?;
            }
            let name = self.assignable_name()?;
            if parameters.iter().any(|known| known.variable.name == name) {
                return self.fail(format!("the parameter `{name}` is there twice"));
            }
            let default = if self.skip_sign("=") {
                Some(self.expression(true)?)
            } else if parameters.iter().any(|known| known.default.is_some()) {
                return self.fail("a parameter without a default after one with a default");
            } else {
                None
            };
            parameters.push(Parameter {
                variable: Variable::unsettled(name),
                default,
            });
        }
        self.expect_sign(")")?;
        Ok(parameters)
    }

    fn block(&mut self) -> Outcome<Stmt> {
        let at = self.at();
        self.next += 1;
        let name = self.expect_name()?;
        let scoped = self.skip_name("scoped");
        let required = self.skip_name("required");
        if self.is_sign("-") {
            return self.fail("the name of a block must be a name, without `-`");
        }
        let (body, _) = self.body("block", at, &["endblock"])?;
        let blank = body
            .iter()
            .all(|stmt| matches!(stmt, Stmt::Text(text) if text.chars().all(crate::python::chars::is_space)));
        if required && !blank {
            return self.fail("a required block can only hold comments and blank text");
        }
        let closing = name.clone();
        self.skip_name(&closing);
        Ok(Stmt::Block {
            at,
            block: Arc::new(Block {
                at,
                name,
                scoped,
                required,
                body,
                frame: Frame::default(),
                slots: 0,
                this: None,
                parent: None,
            }),
            visible: Vec::new(),
        })
    }

    fn assignable_name(&mut self) -> Outcome<Arc<str>> {
        let name = self.expect_name()?;
        if matches!(
            &*name,
            "true" | "false" | "none" | "True" | "False" | "None"
        ) {
            return self.fail(format!("`{name}` cannot be assigned to"));
        }
        Ok(name)
    }

    /// What is assigned to; attributes only of namespaces, where `attributes` allows them.
    fn target(&mut self, attributes: bool) -> Outcome<Target> {
        let at = self.at();
        let mut targets = Vec::new();
        let mut tuple = false;
        loop {
            if tuple {
                let ends = matches!(self.current(), TokenKind::VariableEnd | TokenKind::BlockEnd);
                if ends || self.is_sign(")") {
                    break;
                }
            }
            targets.push(self.single_target(attributes)?);
            if !self.skip_sign(",") {
                break;
            }
            tuple = true;
        }
        match (tuple, targets.pop()) {
            (false, Some(only)) => Ok(only),
            (_, Some(last)) => {
                targets.push(last);
                Ok(Target::Tuple(targets))
            }
            (_, None) => Err(Fault::new(FaultKind::Runtime, "nothing to assign to").at(at)),
        }
    }

    fn single_target(&mut self, attributes: bool) -> Outcome<Target> {
        if attributes && matches!(self.current(), TokenKind::Name(_)) && self.follows_sign(".") {
            let name = self.assignable_name()?;
            self.next += 1;
            let attribute = self.expect_name()?;
            return Ok(Target::Attribute(Variable::unsettled(name), attribute));
        }
        let at = self.at();
        let primary = self.primary()?;
        assignable(primary)
            .ok_or_else(|| Fault::new(FaultKind::Runtime, "this cannot be assigned to").at(at))
    }
}

fn assignable(expr: Expr) -> Option<Target> {
    match expr.kind {
        ExprKind::Name(variable) => Some(Target::Name(variable)),
        ExprKind::Tuple(items) => items
            .into_iter()
            .map(assignable)
            .collect::<Option<Vec<_>>>()
            .map(Target::Tuple),
        _ => None,
    }
}

fn function(
    at: usize,
    name: Option<Arc<str>>,
    parameters: Vec<Parameter>,
    body: Vec<Stmt>,
) -> Macro {
    Macro {
        at,
        name,
        parameters,
        body,
        frame: Frame::default(),
        slots: 0,
        caller: None,
        uses_caller: false,
        kwargs: None,
        varargs: None,
    }
}
