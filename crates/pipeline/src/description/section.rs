//! A table of the file while it is read: each key that is asked for is known, the rest is reported at the end.

use std::ops::Range;
use std::time::Duration;

use bowline_connector::folder::{Document, ProblemKind};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::seconds;
use crate::expression::{Expression, ExpressionProblem, Template};

/// One table, and the document that its mistakes are noted in.
pub(super) struct Section<'s, 'd, 't> {
    document: &'s mut Document<'d>,
    table: &'s DeTable<'t>,
    /// How errors call the table: `http.auth`; empty for the file itself.
    name: String,
    span: Range<usize>,
    known: Vec<String>,
    complete: bool,
}

impl<'s, 'd, 't> Section<'s, 'd, 't> {
    pub(super) fn new(
        document: &'s mut Document<'d>,
        table: &'s DeTable<'t>,
        name: String,
        span: Range<usize>,
    ) -> Self {
        Self {
            document,
            table,
            name,
            span,
            known: Vec::new(),
            complete: true,
        }
    }

    /// Leaves keys that were not asked for alone: what they mean hangs on something that is wrong itself.
    pub(super) fn forget_unknown(&mut self) {
        self.complete = false;
    }

    /// Reports every key that nothing asked for.
    pub(super) fn finish(self) {
        #[cfg(test)]
        super::schema::tests::note(&self.name, &self.known);
        if !self.complete {
            return;
        }
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.known.iter().any(|known| known == name) {
                continue;
            }
            let message = if self.name.is_empty() {
                format!("unknown key `{name}`")
            } else {
                format!("unknown key `{name}` in `[{}]`", self.name)
            };
            let candidates = self.known.iter().map(String::as_str);
            let hint = bowline_words::nearest::hint(name, candidates);
            self.document
                .report(ProblemKind::UnknownKey, key.span(), message, Some(hint));
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let keys = self.table.keys();
        keys.map(|key| key.get_ref().as_ref().to_owned()).collect()
    }

    fn get(&mut self, key: &str) -> Option<&'s Spanned<DeValue<'t>>> {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
        self.table.get(key)
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    pub(super) fn report_at(
        &mut self,
        key: &str,
        kind: ProblemKind,
        message: String,
        hint: Option<String>,
    ) {
        let span = self
            .table
            .get(key)
            .map_or_else(|| self.span.clone(), Spanned::span);
        self.document.report(kind, span, message, hint);
    }

    pub(super) fn missing(&mut self, key: &str) {
        let message = if self.name.is_empty() {
            format!("missing key `{key}`")
        } else {
            format!("missing key `{key}` in `[{}]`", self.name)
        };
        let span = self.span.start..self.span.start;
        self.document
            .report(ProblemKind::MissingKey, span, message, None);
    }

    fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'t>>, expected: &str) {
        let message = format!(
            "wrong type for `{key}`: expected {expected}, found {}",
            value.get_ref().type_str()
        );
        self.document
            .report(ProblemKind::InvalidValue, value.span(), message, None);
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.as_ref().to_owned()),
            _ => {
                self.wrong_type(key, value, "text");
                None
            }
        }
    }

    pub(super) fn required_text(&mut self, key: &str) -> Option<String> {
        if !self.has(key) {
            self.get(key);
            self.missing(key);
        }
        self.text(key)
    }

    /// One of a few words.
    pub(super) fn choice<const N: usize>(
        &mut self,
        key: &str,
        words: [&'static str; N],
    ) -> Option<&'static str> {
        let text = self.text(key)?;
        let known = words.into_iter().find(|word| *word == text);
        if known.is_none() {
            self.report_at(
                key,
                ProblemKind::InvalidValue,
                format!("unknown {key} `{text}`"),
                Some(bowline_words::nearest::hint(&text, words)),
            );
        }
        known
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let list = value.get_ref().as_array().map(|items| {
            items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        match list.flatten() {
            Some(texts) => texts,
            None => {
                self.wrong_type(key, value, "a list of texts");
                Vec::new()
            }
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.get(key) else {
            return false;
        };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "`true` or `false`");
        }
        flag.unwrap_or(false)
    }

    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        let value = self.get(key)?;
        let number = match to_json(value.get_ref()) {
            Some(Json::Number(number)) => number.as_f64().filter(|number| *number > 0.0),
            _ => None,
        };
        if number.is_none() {
            self.wrong_type(key, value, "a number above 0");
        }
        number
    }

    pub(super) fn seconds(&mut self, key: &str) -> Option<Duration> {
        self.number(key).and_then(seconds)
    }

    pub(super) fn count(&mut self, key: &str, least: i64) -> Option<usize> {
        let value = self.get(key)?;
        let count = to_json(value.get_ref())
            .and_then(|number| number.as_i64())
            .filter(|count| *count >= least)
            .and_then(|count| usize::try_from(count).ok());
        if count.is_none() {
            self.wrong_type(key, value, &format!("a whole number from {least}"));
        }
        count
    }

    pub(super) fn counts(&mut self, key: &str) -> Vec<u16> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let list = to_json(value.get_ref()).and_then(|list| {
            list.as_array()?
                .iter()
                .map(|item| item.as_u64().and_then(|code| u16::try_from(code).ok()))
                .collect::<Option<Vec<_>>>()
        });
        if list.is_none() {
            self.wrong_type(key, value, "a list of status codes");
        }
        list.unwrap_or_default()
    }

    pub(super) fn expression(&mut self, key: &str) -> Option<Expression> {
        let text = self.text(key)?;
        let value = self.table.get(key)?;
        let line = line_of(self.document.text(), value.span().start);
        match Expression::compile(&text, line) {
            Ok(expression) => Some(expression),
            Err(mut problem) => {
                if let Some(rest) = text.trim().strip_prefix("{{") {
                    let inner = rest
                        .strip_suffix("}}")
                        .filter(|inner| !inner.contains("{{"));
                    problem.hint = Some(match inner.map(str::trim) {
                        Some(inner) => {
                            format!("it is an expression without `{{{{ }}}}`: write `{inner}`")
                        }
                        None => "it is an expression without `{{ }}`; parts are joined by `~`"
                            .to_owned(),
                    });
                }
                self.bad_expression(key, value.span(), problem);
                None
            }
        }
    }

    pub(super) fn required_expression(&mut self, key: &str) -> Option<Expression> {
        if !self.has(key) {
            self.get(key);
            self.missing(key);
        }
        self.expression(key)
    }

    pub(super) fn template(&mut self, key: &str) -> Option<Template> {
        let value = self.get(key)?;
        self.template_of(key, value)
    }

    pub(super) fn required_template(&mut self, key: &str) -> Option<Template> {
        if !self.has(key) {
            self.get(key);
            self.missing(key);
        }
        self.template(key)
    }

    /// A table whose every value is a template.
    pub(super) fn templates(&mut self, key: &str) -> Vec<(String, Template)> {
        match self.template(key) {
            None => Vec::new(),
            Some(Template::Table(members)) => members,
            Some(_) => {
                self.report_at(
                    key,
                    ProblemKind::InvalidValue,
                    format!("wrong type for `{key}`: expected a table"),
                    None,
                );
                Vec::new()
            }
        }
    }

    fn template_of(&mut self, key: &str, value: &Spanned<DeValue<'t>>) -> Option<Template> {
        match value.get_ref() {
            DeValue::String(text) => {
                let line = line_of(self.document.text(), value.span().start);
                match Template::compile(text, line) {
                    Ok(template) => Some(template),
                    Err(problem) => {
                        self.bad_expression(key, value.span(), problem);
                        None
                    }
                }
            }
            DeValue::Array(items) => {
                let items = items.iter();
                let list: Vec<Option<Template>> =
                    items.map(|item| self.template_of(key, item)).collect();
                list.into_iter().collect::<Option<_>>().map(Template::List)
            }
            DeValue::Table(members) => {
                let mut table = Vec::new();
                for (name, member) in members {
                    let name = name.get_ref().as_ref();
                    table.push((name.to_owned(), self.template_of(name, member)?));
                }
                Some(Template::Table(table))
            }
            other => match to_json(other) {
                Some(constant) => Some(Template::Constant(constant)),
                None => {
                    self.wrong_type(key, value, "a value that JSON has too");
                    None
                }
            },
        }
    }

    fn bad_expression(&mut self, key: &str, span: Range<usize>, problem: ExpressionProblem) {
        let message = format!("invalid expression for `{key}`: {}", problem.message);
        self.document
            .report(ProblemKind::InvalidValue, span, message, problem.hint);
    }

    /// Reads an inner table, if it is there.
    pub(super) fn table<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'_, 'd, 't>) -> T,
    ) -> Option<T> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        Some(self.inner(self.path(key), table, value.span(), read))
    }

    /// Reads every table of a list of tables.
    pub(super) fn tables<T>(
        &mut self,
        key: &str,
        read: impl Fn(&mut Section<'_, 'd, 't>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables");
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => {
                    list.extend(self.inner(self.path(key), table, item.span(), &read));
                }
                None => self.wrong_type(key, item, "a table"),
            }
        }
        list
    }

    fn inner<T>(
        &mut self,
        name: String,
        table: &DeTable<'t>,
        span: Range<usize>,
        read: impl FnOnce(&mut Section<'_, 'd, 't>) -> T,
    ) -> T {
        let mut section = Section::new(self.document, table, name, span);
        let read = read(&mut section);
        section.finish();
        read
    }

    /// What kind of value stands at a key.
    pub(super) fn form(&self, key: &str) -> Form {
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(_)) => Form::List,
            Some(DeValue::Table(_)) => Form::Table,
            _ => Form::Text,
        }
    }
}

/// The forms of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Table,
    List,
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

fn to_json(value: &DeValue<'_>) -> Option<Json> {
    match value {
        DeValue::String(text) => Some(Json::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Json::from(*flag)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Json::from),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok().map(Json::from),
        DeValue::Array(items) => items
            .iter()
            .map(|item| to_json(item.get_ref()))
            .collect::<Option<Vec<_>>>()
            .map(Json::from),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
