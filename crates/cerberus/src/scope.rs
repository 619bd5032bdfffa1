//! Validation of one (nested) document: which rules run for which key, and what is missing.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::errors::{Crumb, Message, Violation, ViolationKind, require_all_path};
use super::fault::{Fault, Stop};
use super::rules::{Fields, Rule, Rules, SubSchema, Unknown};

/// A document or a list, by key or place.
pub(crate) type Document<'a> = IndexMap<Crumb, &'a Value>;

/// Why a key under a misread schema has no verdict.
pub(crate) const UNUSABLE: &str = "the rules of list items cannot be read as the rules of a field";

/// The rules for the keys of a document.
pub(crate) enum FieldSet<'a> {
    /// Those a schema declares.
    Declared(&'a Fields),
    /// Those put together for this document, such as one set of rules for every item.
    Built(IndexMap<Crumb, &'a Rules>),
    /// A schema that cannot be read as fields: a list's rules met a dict.
    NotFields(&'a SubSchema),
}

impl<'a> FieldSet<'a> {
    pub(crate) fn get(&self, field: &Crumb) -> Option<&'a Rules> {
        match self {
            Self::Declared(fields) => fields.get(field),
            Self::Built(fields) => fields.get(field).copied(),
            Self::NotFields(_) => None,
        }
    }

    pub(crate) fn entries(&self) -> Vec<(&Crumb, &'a Rules)> {
        match self {
            Self::Declared(fields) => fields.iter().collect(),
            Self::Built(fields) => fields
                .iter()
                .map(|(field, rules)| (field, *rules))
                .collect(),
            Self::NotFields(_) => Vec::new(),
        }
    }

    /// The same rules for every key of the document.
    pub(crate) fn each<'k>(keys: impl Iterator<Item = &'k Crumb>, rules: &'a Rules) -> Self {
        Self::Built(keys.map(|key| (key.clone(), rules)).collect())
    }
}

/// What happens to unknown keys.
#[derive(Clone, Copy)]
pub(crate) enum UnknownRef<'a> {
    Refuse,
    Allow,
    Rules(&'a Rules),
}

impl Unknown {
    pub(crate) fn as_ref(&self) -> UnknownRef<'_> {
        match self {
            Self::Refuse => UnknownRef::Refuse,
            Self::Allow => UnknownRef::Allow,
            Self::Rules(rules) => UnknownRef::Rules(rules),
        }
    }
}

/// What all scopes of one validation share.
pub(crate) struct Run<'a> {
    pub(crate) root_document: &'a Document<'a>,
    pub(crate) root_unknown: UnknownRef<'a>,
    unknown_key: &'static str,
    rules_sets: RefCell<HashSet<String>>,
    schemas: RefCell<HashSet<String>>,
    scopes_left: Cell<usize>,
}

impl<'a> Run<'a> {
    pub(crate) fn over_document(root: &'a Document<'a>, unknown: UnknownRef<'a>) -> Self {
        Self {
            root_document: root,
            root_unknown: unknown,
            unknown_key: "unknown field",
            rules_sets: RefCell::default(),
            schemas: RefCell::default(),
            scopes_left: Cell::new(usize::MAX),
        }
    }

    pub(crate) fn over_schema(
        root: &'a Document<'a>,
        unknown: UnknownRef<'a>,
        most_scopes: usize,
    ) -> Self {
        Self {
            unknown_key: "unknown rule",
            scopes_left: Cell::new(most_scopes),
            ..Self::over_document(root, unknown)
        }
    }

    /// A missing set of rules is reported the first time it is named.
    pub(crate) fn is_new_rules_set(&self, name: &str) -> bool {
        self.rules_sets.borrow_mut().insert(name.to_owned())
    }

    /// A missing schema is reported the first time it is named.
    pub(crate) fn is_new_schema(&self, name: &str) -> bool {
        self.schemas.borrow_mut().insert(name.to_owned())
    }
}

/// One document under validation, with what was found so far.
pub(crate) struct Scope<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) document: &'a Document<'a>,
    pub(crate) fields: FieldSet<'a>,
    pub(crate) unknown: UnknownRef<'a>,
    pub(crate) require_all: bool,
    /// What a definition of an `*of` rule says of unknown keys when its rules say nothing.
    pub(crate) definition_unknown: Option<UnknownRef<'a>>,
    pub(crate) document_path: Vec<Crumb>,
    pub(crate) schema_path: Vec<Crumb>,
    pub(crate) violations: Vec<Violation>,
    is_root: bool,
    /// Fields that need not be there as long as one of them is, for `excludes`.
    pub(crate) unrequired: Vec<Crumb>,
}

/// Whether a field's remaining rules are evaluated.
#[derive(PartialEq, Eq)]
pub(crate) enum Next {
    Continue,
    Stop,
}

impl<'a> Scope<'a> {
    pub(crate) fn root(
        run: &'a Run<'a>,
        document: &'a Document<'a>,
        fields: FieldSet<'a>,
        unknown: UnknownRef<'a>,
    ) -> Self {
        Self {
            run,
            document,
            fields,
            unknown,
            require_all: false,
            definition_unknown: None,
            document_path: Vec::new(),
            schema_path: Vec::new(),
            violations: Vec::new(),
            is_root: true,
            unrequired: Vec::new(),
        }
    }

    /// A scope inside this one with the same settings.
    pub(crate) fn child<'b>(
        &self,
        document: &'b Document<'b>,
        fields: FieldSet<'b>,
        document_crumbs: &[Crumb],
        schema_crumbs: &[Crumb],
    ) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope {
            run: self.run,
            document,
            fields,
            unknown: self.unknown,
            require_all: self.require_all,
            definition_unknown: None,
            document_path: [&self.document_path[..], document_crumbs].concat(),
            schema_path: [&self.schema_path[..], schema_crumbs].concat(),
            violations: Vec::new(),
            is_root: false,
            unrequired: Vec::new(),
        }
    }

    /// Notes a violation; `rule` is `None` where Cerberus knows no rule for it.
    pub(crate) fn add(&mut self, field: Crumb, rule: Option<&str>, kind: ViolationKind) {
        let mut schema_path = self.schema_path.clone();
        if let Some(rule) = rule {
            schema_path.extend([field.clone(), rule.into()]);
        }
        self.push(field, schema_path, kind);
    }

    fn push(&mut self, field: Crumb, schema_path: Vec<Crumb>, kind: ViolationKind) {
        let mut document_path = self.document_path.clone();
        document_path.push(field);
        self.extend(vec![Violation {
            document_path,
            schema_path,
            kind,
        }]);
    }

    /// Takes over violations of a nested scope as they are.
    ///
    /// Without any, nothing is sorted: each sort may turn equals around.
    pub(crate) fn extend(&mut self, violations: Vec<Violation>) {
        if !violations.is_empty() {
            self.violations.extend(violations);
            Violation::sort(&mut self.violations);
        }
    }

    pub(crate) fn fail(&mut self, field: &Crumb, rule: &str, text: impl Into<String>) {
        self.fail_with(field, rule, Message::plain(text));
    }

    pub(crate) fn fail_with(&mut self, field: &Crumb, rule: &str, message: Message) {
        self.add(field.clone(), Some(rule), ViolationKind::Leaf(message));
    }

    pub(crate) fn fault_at(&self, crumbs: &[Crumb], reason: &str) -> Stop {
        Fault::new([&self.document_path[..], crumbs].concat(), reason).into()
    }

    /// What unknown keys inside the field's dict meet.
    pub(crate) fn unknown_inside(&self, rules: &'a Rules) -> UnknownRef<'a> {
        let own = rules.allow_unknown.as_ref().map(Unknown::as_ref);
        own.or(self.definition_unknown).unwrap_or(self.unknown)
    }

    /// Validates the document; what is wrong is in `violations` afterwards.
    pub(crate) fn validate(&mut self) -> Result<(), Stop> {
        let left = self.run.scopes_left.get();
        if left == 0 {
            return Err(self.fault_at(&[], "the schema is too large or too deeply nested"));
        }
        self.run.scopes_left.set(left - 1);
        if let FieldSet::NotFields(schema) = self.fields {
            let path = &self.document_path;
            return Err(schema.misread(self.document.keys(), path, Misreading::Validating));
        }
        let document = self.document;
        for (field, value) in document {
            match self.fields.get(field) {
                Some(rules) => self.validate_field(rules, field, value)?,
                None => self.validate_unknown(field, value)?,
            }
        }
        self.validate_presence();
        Ok(())
    }

    fn validate_field(
        &mut self,
        rules: &'a Rules,
        field: &Crumb,
        value: &'a Value,
    ) -> Result<(), Stop> {
        if value.is_null() && !rules.nullable {
            self.fail(field, "nullable", "null value not allowed");
        }
        let mut is_empty = false;
        for rule in &rules.queue {
            if (value.is_null() && rule.is_silent_on_null())
                || (is_empty && rule.is_silent_on_empty())
            {
                continue;
            }
            match self.check(rule, rules, field, value) {
                Ok(Next::Continue) => {}
                Ok(Next::Stop) | Err(Stop::NotFields) => break,
                Err(fault) => return Err(fault),
            }
            is_empty |= matches!(rule, Rule::Empty(_)) && super::python::length(value) == Some(0);
        }
        Ok(())
    }

    fn validate_unknown(&mut self, field: &Crumb, value: &'a Value) -> Result<(), Stop> {
        let rules = match self.unknown {
            UnknownRef::Allow => return Ok(()),
            UnknownRef::Rules(rules) if !rules.is_empty => rules,
            UnknownRef::Refuse | UnknownRef::Rules(_) => {
                let message = Message::plain(self.run.unknown_key);
                self.add(field.clone(), None, ViolationKind::Leaf(message));
                return Ok(());
            }
        };
        let step = if self.is_root {
            "__allow_unknown__"
        } else {
            "allow_unknown"
        };
        let document = Document::from_iter([(field.clone(), value)]);
        let fields = FieldSet::each(std::iter::once(field), rules);
        let mut child = self.child(&document, fields, &[], &[step.into()]);
        child.validate()?;
        let violations = child.violations;
        self.extend(violations);
        Ok(())
    }

    fn validate_presence(&mut self) {
        let missing: Vec<(Crumb, bool)> = self
            .fields
            .entries()
            .into_iter()
            .filter(|(field, rules)| {
                rules.required.unwrap_or(self.require_all)
                    && !self.unrequired.contains(field)
                    && !self.document.contains_key(*field)
            })
            .map(|(field, rules)| (field.clone(), rules.required.is_some()))
            .collect();
        for (field, is_written) in missing {
            self.fail_required(field, is_written);
        }
        let is_there = |field: &Crumb| {
            self.document
                .get(field)
                .is_some_and(|value| !value.is_null())
        };
        if self.unrequired.iter().any(is_there) {
            return;
        }
        for field in std::mem::take(&mut self.unrequired) {
            let is_written = self
                .fields
                .get(&field)
                .is_some_and(|rules| rules.required.is_some());
            self.fail_required(field, is_written);
        }
    }

    fn fail_required(&mut self, field: Crumb, is_written: bool) {
        let schema_path = if is_written {
            [&self.schema_path[..], &[field.clone(), "required".into()]].concat()
        } else {
            require_all_path()
        };
        let message = Message::plain("required field");
        self.push(field, schema_path, ViolationKind::Leaf(message));
    }
}

/// Which phase takes the rules of a list's items for the fields of a dict.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misreading {
    Normalizing,
    Validating,
}

impl SubSchema {
    /// The schema read as the fields of a dict.
    pub(crate) fn as_fields(&self) -> FieldSet<'_> {
        if self.no_fields.is_empty() {
            FieldSet::Declared(&self.fields)
        } else {
            FieldSet::NotFields(self)
        }
    }

    /// Cerberus reports that a dict met the rules of list items, unless a key happens to be named
    /// like one of the rules; then it stops over what it takes for that key's rules.
    pub(crate) fn misread<'k>(
        &self,
        mut keys: impl Iterator<Item = &'k Crumb>,
        path: &[Crumb],
        phase: Misreading,
    ) -> Stop {
        let stops = |key: &Crumb| {
            let is_no_dict = matches!(key, Crumb::Name(name) if self.no_fields.contains(name));
            let is_unusable = self
                .fields
                .get(key)
                .is_some_and(|rules| matches!(rules.queue[..], [Rule::Unusable]));
            is_no_dict || (is_unusable && phase == Misreading::Validating)
        };
        match keys.find(|key| stops(key)) {
            Some(key) => Fault::new([path, std::slice::from_ref(key)].concat(), UNUSABLE).into(),
            None => Stop::NotFields,
        }
    }
}

impl Rule {
    fn is_silent_on_null(&self) -> bool {
        !matches!(
            self,
            Self::ReadOnly(_)
                | Self::Contains(_)
                | Self::Dependencies(_)
                | Self::Excludes(_)
                | Self::Meta(_)
                | Self::Unusable
        )
    }

    fn is_silent_on_empty(&self) -> bool {
        matches!(
            self,
            Self::Allowed(_)
                | Self::Forbidden(_)
                | Self::Items(_)
                | Self::MinLength(_)
                | Self::MaxLength(_)
                | Self::Matches(_)
        )
    }
}
