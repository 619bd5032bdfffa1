//! Values with expressions in them: `"{{ ... }}"` alone keeps its type, within text it becomes part of the text.

use bowline_template::Scope;
use serde_json::Value as Json;

use super::{Expression, ExpressionProblem, to_json};

/// A value of a request.
#[derive(Debug, Clone)]
pub enum Template {
    /// A value without expressions.
    Constant(Json),
    /// One expression; its value keeps its type.
    Typed(Expression),
    /// Text with expressions in it.
    Text(Vec<Part>),
    /// A list; entries that come out null are left out.
    List(Vec<Template>),
    /// A table; members that come out null are left out.
    Table(Vec<(String, Template)>),
}

/// A piece of text.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// An expression whose value becomes text.
    Expression(Expression),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Expression(expression) => write!(f, "{{{{ {} }}}}", expression.text()),
        }
    }
}

impl Template {
    /// Compiles a text; `line` is where it stands in its file, from 1.
    ///
    /// # Errors
    /// When an expression in it is not valid, or not closed.
    pub fn compile(text: &str, line: usize) -> Result<Self, ExpressionProblem> {
        if text.contains("{%") {
            return Err(ExpressionProblem {
                message: "`{%` has no meaning here".to_owned(),
                hint: Some("use `{{ ... if ... else ... }}`".to_owned()),
            });
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            if open > 0 {
                parts.push(Part::Literal(rest[..open].to_owned()));
            }
            let (expression, length) = expression_at(&rest[open..], line)?;
            parts.push(Part::Expression(expression));
            rest = &rest[open + length..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(match parts.as_slice() {
            [] | [Part::Literal(_)] => Self::Constant(Json::from(text)),
            [Part::Expression(only)] => Self::Typed(only.clone()),
            _ => Self::Text(parts),
        })
    }

    /// The text that it begins with, where that is no expression's.
    pub(crate) fn beginning(&self) -> Option<&str> {
        match self {
            Self::Constant(Json::String(text)) => Some(text),
            Self::Text(parts) => match parts.first() {
                Some(Part::Literal(text)) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it begins with that is its own text's or the credentials', and no record's; all of it where no record has a
    /// part in it.
    pub(crate) fn own_beginning(&self) -> Self {
        let is_ours = |expression: &Expression| {
            let names = expression.names();
            !names.is_empty() && names.iter().all(|name| name == "credentials")
        };
        match self {
            Self::Typed(expression) if !is_ours(expression) => Self::Text(Vec::new()),
            Self::Text(parts) => {
                let own = parts.iter().take_while(|part| match part {
                    Part::Literal(_) => true,
                    Part::Expression(expression) => is_ours(expression),
                });
                Self::Text(own.cloned().collect())
            }
            whole => whole.clone(),
        }
    }

    /// How the host of an address ends whatever the expressions before give, in small letters: `.example.com`.
    pub(crate) fn domain(&self) -> Option<String> {
        let Self::Text(parts) = self else { return None };
        let mut has_scheme = false;
        parts.iter().find_map(|part| {
            let Part::Literal(text) = part else {
                has_scheme = true;
                return None;
            };
            let host = match text.split_once("://") {
                Some((_, host)) => host,
                None if has_scheme => text,
                None => return None,
            };
            has_scheme = true;
            let end = host.find(['/', '?', '#', ':']);
            let is_last = end.is_some() || std::ptr::eq(part, parts.last()?);
            let domain = host[..end.unwrap_or(host.len())].to_lowercase();
            let is_of_two = domain.split_once('.')?.1.contains('.');
            (is_last && is_of_two).then_some(domain)
        })
    }

    /// Every expression in it.
    pub(crate) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Typed(expression) => vec![expression],
            Self::Text(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Literal(_) => None,
                    Part::Expression(expression) => Some(expression),
                })
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Table(members) => members
                .iter()
                .flat_map(|(_, member)| member.expressions())
                .collect(),
        }
    }

    /// Its value; `Err` names the expression that has none.
    pub(crate) fn evaluate<'t>(
        &'t self,
        scope: &Scope,
    ) -> Result<Json, (&'t Expression, ExpressionProblem)> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Typed(expression) => match expression.evaluate(scope) {
                Ok(value) => Ok(to_json(&value)),
                Err(problem) => Err((expression, problem.within(expression, scope))),
            },
            Self::Text(_) => self.text(scope).map(Json::from),
            Self::List(items) => {
                let mut list = Vec::new();
                for item in items {
                    let value = item.evaluate(scope)?;
                    if !value.is_null() {
                        list.push(value);
                    }
                }
                Ok(Json::from(list))
            }
            Self::Table(members) => {
                let mut table = serde_json::Map::new();
                for (key, member) in members {
                    let value = member.evaluate(scope)?;
                    if !value.is_null() {
                        table.insert(key.clone(), value);
                    }
                }
                Ok(Json::Object(table))
            }
        }
    }

    /// Its value as an address. What expressions give behind a slash or question mark of the template's own is
    /// percent-encoded: before that it may be the host, or the whole beginning of the address.
    pub(crate) fn address<'t>(
        &'t self,
        scope: &Scope,
    ) -> Result<String, (&'t Expression, ExpressionProblem)> {
        self.written(scope, |place, value| {
            if place.is_behind_host {
                place.part_of_path(&value)
            } else {
                Ok(value)
            }
        })
    }

    /// Its value as a path below an address. What expressions give is percent-encoded, and none of them leads elsewhere:
    /// where a whole part of the path is theirs, it must not be empty, and no step up.
    pub(crate) fn path<'t>(
        &'t self,
        scope: &Scope,
    ) -> Result<String, (&'t Expression, ExpressionProblem)> {
        self.written(scope, |place, value| place.part_of_path(&value))
    }

    /// Its value as text.
    pub(crate) fn text<'t>(
        &'t self,
        scope: &Scope,
    ) -> Result<String, (&'t Expression, ExpressionProblem)> {
        self.written(scope, |_, value| Ok(value))
    }

    /// Its value as text, in which what an expression gives is written as `write` says.
    fn written<'t>(
        &'t self,
        scope: &Scope,
        write: impl Fn(&Place<'_>, String) -> Result<String, ExpressionProblem>,
    ) -> Result<String, (&'t Expression, ExpressionProblem)> {
        let of = |expression: &'t Expression, place: &Place<'_>| match expression.evaluate(scope) {
            Ok(value) if value.is_nothing() => Err((
                expression,
                ExpressionProblem {
                    message: "the value is null, where a text needs one".to_owned(),
                    hint: None,
                }
                .within(expression, scope),
            )),
            Ok(value) => {
                write(place, text_of(&to_json(&value))).map_err(|problem| (expression, problem))
            }
            Err(problem) => Err((expression, problem.within(expression, scope))),
        };
        match self {
            Self::Constant(value) => Ok(text_of(value)),
            Self::Typed(expression) => of(expression, &Place::default()),
            Self::Text(parts) => {
                let mut text = String::new();
                let mut is_behind_host = false;
                for (number, part) in parts.iter().enumerate() {
                    match part {
                        Part::Literal(literal) => {
                            text.push_str(literal);
                            let rest = literal
                                .split_once("://")
                                .map_or(&**literal, |(_, rest)| rest);
                            is_behind_host |= rest.contains(['/', '?']);
                        }
                        Part::Expression(expression) => {
                            let place = Place {
                                before: &text,
                                next: parts.get(number + 1),
                                is_behind_host,
                            };
                            let value = of(expression, &place)?;
                            text.push_str(&value);
                        }
                    }
                }
                Ok(text)
            }
            Self::List(_) | Self::Table(_) => self.evaluate(scope).map(|value| value.to_string()),
        }
    }
}

/// Where in a text an expression stands.
#[derive(Default)]
struct Place<'a> {
    /// What is written before it.
    before: &'a str,
    /// What stands behind it.
    next: Option<&'a Part>,
    /// Whether the template's own words before it go past the host of an address.
    is_behind_host: bool,
}

impl Place<'_> {
    /// A value as a part of a path. An empty part would ask for the list that a record is in, and `..` for another one.
    fn part_of_path(&self, value: &str) -> Result<String, ExpressionProblem> {
        let begins = self.before.is_empty() || self.before.ends_with('/');
        let ends = match self.next {
            None => true,
            Some(Part::Literal(next)) => next.starts_with(['/', '?']),
            Some(Part::Expression(_)) => false,
        };
        let is_all = self.before.is_empty() && self.next.is_none();
        let is_in_query = self.before.contains('?');
        if begins && ends && !is_all && !is_in_query && matches!(value, "" | "." | "..") {
            let found = match value {
                "" => "empty".to_owned(),
                step => format!("`{step}`"),
            };
            return Err(ExpressionProblem {
                message: format!("the value is {found}, where the path needs a part of its own"),
                hint: None,
            });
        }
        Ok(bowline_words::percent_encode(value))
    }
}

/// A value as it stands in an address or header.
pub(crate) fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The expression whose `{{` the text begins with, and how long it is with its braces.
///
/// The first `}}` is not always the end: a table may close with one. The shortest text that is an expression counts.
fn expression_at(text: &str, line: usize) -> Result<(Expression, usize), ExpressionProblem> {
    let mut first_problem = None;
    let mut from = 2;
    while let Some(close) = text[from..].find("}}") {
        let end = from + close;
        match Expression::compile(text[2..end].trim(), line) {
            Ok(expression) => return Ok((expression, end + 2)),
            Err(problem) => first_problem = first_problem.or(Some(problem)),
        }
        from = end + 1;
    }
    Err(first_problem.unwrap_or_else(|| ExpressionProblem {
        message: "`{{` without `}}`".to_owned(),
        hint: None,
    }))
}
