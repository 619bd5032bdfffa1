//! The rules that look inside a value, and the `*of` rules that look at it again.

use indexmap::IndexMap;
use serde_json::Value;

use super::errors::{Crumb, Violation, ViolationKind};
use super::fault::Stop;
use super::python;
use super::rules::{Operator, Rules, SubSchema};
use super::scope::{Document, FieldSet, Scope, UnknownRef};

impl<'a> Scope<'a> {
    pub(crate) fn schema(
        &mut self,
        schema: &'a SubSchema,
        rules: &'a Rules,
        field: &Crumb,
        value: &'a Value,
    ) -> Result<(), Stop> {
        match value {
            Value::Array(items) => self.sequence(schema, field, items),
            Value::Object(_) => {
                let document = object_document(value);
                let mut child = self.child(
                    &document,
                    schema.as_fields(),
                    std::slice::from_ref(field),
                    &[field.clone(), "schema".into()],
                );
                child.unknown = self.unknown_inside(rules);
                child.require_all = rules.require_all.unwrap_or(self.require_all);
                match child.validate() {
                    Ok(()) => {
                        let violations = child.violations;
                        self.group(field, "schema", violations);
                        Ok(())
                    }
                    Err(stop) => {
                        if matches!(stop, Stop::NotFields) {
                            self.fail(field, "schema", "must be of dict type");
                        }
                        Err(stop)
                    }
                }
            }
            _ => Ok(()),
        }
    }

    fn sequence(
        &mut self,
        schema: &'a SubSchema,
        field: &Crumb,
        items: &'a [Value],
    ) -> Result<(), Stop> {
        if items.is_empty() {
            return Ok(());
        }
        let Some(rules) = &schema.items else {
            let reason = "the fields of a dict cannot be read as the rules of list items";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        };
        let document = list_document(items);
        let fields = FieldSet::each(document.keys(), rules);
        self.members(&document, fields, field, "schema", &[2])
    }

    pub(crate) fn items(
        &mut self,
        items: &'a [Rules],
        field: &Crumb,
        value: &Value,
    ) -> Result<(), Stop> {
        // Texts and dicts have items too: their characters and keys.
        let Some(members) = python::iterate(value) else {
            let reason = "`items` needs a value with a length";
            return Err(self.fault_at(std::slice::from_ref(field), reason));
        };
        if items.len() != members.len() {
            let (expected, found) = (items.len(), members.len());
            let text = format!("length of list should be {expected}, it is {found}");
            self.fail(field, "items", text);
            return Ok(());
        }
        let document = list_document(&members);
        let fields: IndexMap<_, _> = items
            .iter()
            .enumerate()
            .map(|(index, rules)| (Crumb::Index(index), rules))
            .collect();
        self.members(&document, FieldSet::Built(fields), field, "items", &[])
    }

    pub(crate) fn keys(
        &mut self,
        rules: &'a Rules,
        field: &Crumb,
        value: &Value,
    ) -> Result<(), Stop> {
        let Value::Object(map) = value else {
            return Ok(());
        };
        let names: Vec<Value> = map.keys().cloned().map(Value::String).collect();
        let document: Document<'_> = map.keys().cloned().map(Crumb::Name).zip(&names).collect();
        let fields = FieldSet::each(document.keys(), rules);
        self.members(&document, fields, field, "keysrules", &[4, 2])
    }

    pub(crate) fn values(
        &mut self,
        rules: &'a Rules,
        field: &Crumb,
        value: &'a Value,
    ) -> Result<(), Stop> {
        if !value.is_object() {
            return Ok(());
        }
        let document = object_document(value);
        let fields = FieldSet::each(document.keys(), rules);
        self.members(&document, fields, field, "valuesrules", &[2])
    }

    fn members<'b>(
        &mut self,
        document: &'b Document<'b>,
        fields: FieldSet<'b>,
        field: &Crumb,
        rule: &str,
        dropped_steps: &[usize],
    ) -> Result<(), Stop>
    where
        'a: 'b,
    {
        let mut child = self.child(
            document,
            fields,
            std::slice::from_ref(field),
            &[field.clone(), rule.into()],
        );
        child.validate()?;
        let mut violations = child.violations;
        Violation::drop_schema_steps(&mut violations, self.schema_path.len(), dropped_steps);
        self.group(field, rule, violations);
        Ok(())
    }

    fn group(&mut self, field: &Crumb, rule: &str, violations: Vec<Violation>) {
        if !violations.is_empty() {
            let kind = ViolationKind::Group(violations);
            self.add(field.clone(), Some(rule), kind);
        }
    }

    /// Each definition sees the whole document again, with rules for this one field.
    pub(crate) fn logic(
        &mut self,
        operator: Operator,
        definitions: &'a [Rules],
        rules: &'a Rules,
        field: &Crumb,
    ) -> Result<(), Stop> {
        let inherited_unknown = self.unknown_inside(rules);
        let mut valid = 0;
        let mut violations = Vec::new();
        for (index, definition) in definitions.iter().enumerate() {
            let fields = FieldSet::each(std::iter::once(field), definition);
            let steps = [field.clone(), operator.name().into(), Crumb::Index(index)];
            let mut child = self.child(self.document, fields, &[], &steps);
            child.unknown = UnknownRef::Allow;
            child.definition_unknown = Some(inherited_unknown);
            child.validate()?;
            let mut found = child.violations;
            if found.is_empty() {
                valid += 1;
            }
            Violation::drop_schema_steps(&mut found, self.schema_path.len(), &[3]);
            violations.extend(found);
        }
        if !operator.holds(valid, definitions.len()) {
            let kind = ViolationKind::Logic(operator, violations);
            self.add(field.clone(), Some(operator.name()), kind);
        }
        Ok(())
    }
}

fn object_document(value: &Value) -> Document<'_> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (Crumb::Name(name.clone()), value))
        .collect()
}

fn list_document(items: &[Value]) -> Document<'_> {
    items
        .iter()
        .enumerate()
        .map(|(index, value)| (Crumb::Index(index), value))
        .collect()
}
