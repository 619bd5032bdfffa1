//! What each rule asks of a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::errors::{Crumb, Message, Violation, ViolationKind};
use super::fault::Stop;
use super::python;
use super::rules::{Rule, Rules, TypeRule};
use super::scope::{Next, Scope, UNUSABLE};

impl<'a> Scope<'a> {
    /// Evaluates one rule of a field.
    pub(crate) fn check(
        &mut self,
        rule: &'a Rule,
        rules: &'a Rules,
        field: &Crumb,
        value: &'a Value,
    ) -> Result<Next, Stop> {
        match rule {
            Rule::ReadOnly(readonly) => return Ok(self.read_only(*readonly, field)),
            Rule::Type(types) => return Ok(self.type_of(types, field, value)),
            Rule::Dependencies(wanted) => return self.dependencies(wanted, field),
            Rule::Empty(allowed) => {
                if !allowed && python::length(value) == Some(0) {
                    self.fail(field, "empty", "empty values not allowed");
                }
            }
            Rule::Allowed(allowed) => self.allowed(allowed, field, value)?,
            Rule::Forbidden(forbidden) => self.forbidden(forbidden, field, value)?,
            Rule::Contains(expected) => self.contains(expected, field, value)?,
            Rule::Excludes(excluded) => self.excludes(excluded, rules, field),
            Rule::Min(least) => {
                if python::compare(value, least) == Some(Ordering::Less) {
                    self.fail(
                        field,
                        "min",
                        format!("min value is {}", python::text(least)),
                    );
                }
            }
            Rule::Max(most) => {
                if python::compare(value, most) == Some(Ordering::Greater) {
                    self.fail(field, "max", format!("max value is {}", python::text(most)));
                }
            }
            Rule::MinLength(least) => {
                if compare_length(value, least) == Some(Ordering::Less) {
                    let text = format!("min length is {}", python::text(least));
                    self.fail(field, "minlength", text);
                }
            }
            Rule::MaxLength(most) => {
                if compare_length(value, most) == Some(Ordering::Greater) {
                    let text = format!("max length is {}", python::text(most));
                    self.fail(field, "maxlength", text);
                }
            }
            Rule::Matches(pattern) => {
                if let Value::String(text) = value {
                    match pattern.matches(text) {
                        Some(true) => {}
                        Some(false) => {
                            let source = pattern.source();
                            let text = format!("value does not match regex '{source}'");
                            self.fail(field, "regex", text);
                        }
                        None => {
                            let reason = "the search for the regex was given up for its cost";
                            return Err(self.fault_at(std::slice::from_ref(field), reason));
                        }
                    }
                }
            }
            Rule::Items(items) => self.items(items, field, value)?,
            Rule::Keys(rules) => self.keys(rules, field, value)?,
            Rule::Values(rules) => self.values(rules, field, value)?,
            Rule::Schema(schema) => self.schema(schema, rules, field, value)?,
            Rule::Logic(operator, definitions) => {
                self.logic(*operator, definitions, rules, field)?;
            }
            Rule::Meta(check) => check.run(self, field, value)?,
            Rule::Unusable => return Err(self.fault_at(std::slice::from_ref(field), UNUSABLE)),
        }
        Ok(Next::Continue)
    }

    /// The violation itself is noted while the document is normalized.
    fn read_only(&self, readonly: bool, field: &Crumb) -> Next {
        let was_noted = |violation: &Violation| {
            matches!(violation.kind, ViolationKind::ReadOnly)
                && violation.document_path.split_last()
                    == Some((field, self.document_path.as_slice()))
        };
        if readonly && self.violations.iter().any(was_noted) {
            Next::Stop
        } else {
            Next::Continue
        }
    }

    fn type_of(&mut self, rule: &TypeRule, field: &Crumb, value: &Value) -> Next {
        if rule.types.iter().any(|kind| kind.matches(value)) {
            return Next::Continue;
        }
        self.fail(field, "type", format!("must be of {} type", rule.shown));
        Next::Stop
    }

    fn allowed(&mut self, allowed: &Value, field: &Crumb, value: &Value) -> Result<(), Stop> {
        let choices = python::iterate(allowed).unwrap_or_default();
        // A dict of allowed values looks its keys up, which only what is hashable can be.
        let must_hash = allowed.is_object();
        let is_allowed = |value: &Value| {
            if must_hash && !python::is_hashable(value) {
                return Err(self.fault_at(
                    std::slice::from_ref(field),
                    "a list or dict cannot be looked up in the keys of `allowed`",
                ));
            }
            Ok(python::contains(&choices, value))
        };
        match python::iterate(value).filter(|_| !value.is_string()) {
            Some(members) => {
                let mut refused = Vec::new();
                for member in members {
                    if !is_allowed(&member)? {
                        refused.push(member);
                    }
                }
                if !refused.is_empty() {
                    let shown = python::tuple_repr(&refused);
                    let message = Message::showing_value("unallowed values", &shown);
                    self.fail_with(field, "allowed", message);
                }
            }
            None => {
                if !is_allowed(value)? {
                    let shown = python::text(value);
                    let message = Message::showing_value("unallowed value", &shown);
                    self.fail_with(field, "allowed", message);
                }
            }
        }
        Ok(())
    }

    fn forbidden(&mut self, forbidden: &[Value], field: &Crumb, value: &Value) -> Result<(), Stop> {
        let Value::Array(members) = value else {
            if python::contains(forbidden, value) {
                let message = Message::showing_value("unallowed value", &python::text(value));
                self.fail_with(field, "forbidden", message);
            }
            return Ok(());
        };
        let (Some(members), Some(forbidden)) =
            (python::distinct(members), python::distinct(forbidden))
        else {
            let reason = "a list or dict cannot be a member of the set `forbidden` builds";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        };
        let mut found = forbidden;
        found.retain(|member| python::contains(&members, member));
        if !found.is_empty() {
            let shown = python::repr(&Value::Array(found));
            let message = Message::showing_value("unallowed values", &shown);
            self.fail_with(field, "forbidden", message);
        }
        Ok(())
    }

    fn contains(&mut self, expected: &Value, field: &Crumb, value: &Value) -> Result<(), Stop> {
        let Some(members) = python::iterate(value) else {
            return Ok(());
        };
        let expected = match expected {
            Value::Array(_) | Value::Object(_) => python::iterate(expected).unwrap_or_default(),
            single => vec![single.clone()],
        };
        let (Some(mut missing), Some(members)) =
            (python::distinct(&expected), python::distinct(&members))
        else {
            let reason = "a list or dict cannot be a member of the set `contains` builds";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        };
        missing.retain(|member| !python::contains(&members, member));
        if !missing.is_empty() {
            let text = format!("missing members {}", python::set_repr(&missing));
            self.fail(field, "contains", text);
        }
        Ok(())
    }

    fn excludes(&mut self, excluded: &[Value], rules: &Rules, field: &Crumb) {
        let excluded_fields: Vec<Crumb> = excluded.iter().filter_map(as_key).collect();
        if rules.required.unwrap_or(self.require_all) {
            let known = excluded_fields
                .iter()
                .filter(|excluded| self.fields.get(excluded).is_some());
            for unrequired in std::iter::once(field).chain(known) {
                if !self.unrequired.contains(unrequired) {
                    self.unrequired.push(unrequired.clone());
                }
            }
        }
        if excluded_fields
            .iter()
            .any(|excluded| self.document.contains_key(excluded))
        {
            let names: Vec<_> = excluded
                .iter()
                .map(|name| format!("'{}'", python::text(name)))
                .collect();
            let kind = ViolationKind::Excluded(names.join(", "));
            self.add(field.clone(), Some("excludes"), kind);
        }
    }

    fn dependencies(&mut self, wanted: &Value, field: &Crumb) -> Result<Next, Stop> {
        match wanted {
            Value::Object(wanted_values) => {
                let mut all_met = true;
                for (name, values) in wanted_values {
                    let found = self.lookup(name, field)?.unwrap_or(&Value::Null);
                    all_met &= match values {
                        Value::Array(values) => python::contains(values, found),
                        single => python::equal(single, found),
                    };
                }
                if !all_met {
                    let text = format!("depends on these values: {}", python::repr(wanted));
                    self.fail(field, "dependencies", text);
                }
            }
            Value::Array(names) => {
                for name in names {
                    self.dependency(name, field)?;
                }
            }
            name => self.dependency(name, field)?,
        }
        // Cerberus looks in its tree of the document with a path of the schema, and leaves the
        // field's other rules out when it happens to find something.
        let path = [
            &self.schema_path[..],
            &[field.clone(), "dependencies".into()],
        ]
        .concat();
        if self
            .violations
            .iter()
            .any(|violation| violation.concerns(&path))
        {
            return Ok(Next::Stop);
        }
        Ok(Next::Continue)
    }

    fn dependency(&mut self, name: &Value, field: &Crumb) -> Result<(), Stop> {
        let Value::String(name) = name else {
            let reason = "a dependency must be the name of a field";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        };
        if self.lookup(name, field)?.is_none() {
            self.fail(field, "dependencies", format!("field '{name}' is required"));
        }
        Ok(())
    }

    /// Finds a field by a dotted path; `^` starts at the root, `^^` stands for a `^`.
    fn lookup(&self, path: &str, field: &Crumb) -> Result<Option<&'a Value>, Stop> {
        let (document, path) = match path.strip_prefix('^') {
            Some(rest) if rest.starts_with('^') => (self.document, rest),
            Some(rest) => (self.run.root_document, rest),
            None => (self.document, path),
        };
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let Some(mut found) = document.get(&Crumb::from(first)).copied() else {
            return Ok(None);
        };
        for part in parts {
            let is_inside = match found {
                Value::Object(map) => match map.get(part) {
                    Some(inner) => {
                        found = inner;
                        continue;
                    }
                    None => false,
                },
                // Python's `in` also works on texts and lists, where going further does not.
                Value::String(text) => text.contains(part),
                Value::Array(items) => items.iter().any(|item| item == part),
                Value::Null | Value::Bool(_) | Value::Number(_) => true,
            };
            if !is_inside {
                return Ok(None);
            }
            let reason = "the path of a dependency leads through a value that is no dict";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        }
        Ok(Some(found))
    }
}

fn compare_length(value: &Value, bound: &Value) -> Option<Ordering> {
    let length = Value::from(python::length(value)?);
    python::compare(&length, bound)
}

/// The key a value stands for; numbers are places in a list, and `True` is 1.
fn as_key(value: &Value) -> Option<Crumb> {
    match value {
        Value::String(name) => Some(Crumb::Name(name.clone())),
        Value::Bool(flag) => Some(Crumb::Index(usize::from(*flag))),
        Value::Number(number) => number
            .as_u64()
            .and_then(|index| usize::try_from(index).ok())
            .map(Crumb::Index),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
