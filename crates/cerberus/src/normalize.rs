//! What Cerberus changes in a document before it validates: renamed and purged keys, defaults.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::errors::{Crumb, Violation, ViolationKind};
use super::fault::{Fault, Stop};
use super::rules::{Rule, Rules, SubSchema, Unknown};
use super::scope::{FieldSet, Misreading, UnknownRef};

/// A document under change; a list is one whose keys are places.
type Draft = IndexMap<Crumb, Value>;

/// One (nested) document's normalization.
struct Normalizer<'a> {
    fields: FieldSet<'a>,
    unknown: UnknownRef<'a>,
    purges_unknown: bool,
    document_path: Vec<Crumb>,
    schema_path: Vec<Crumb>,
    violations: Vec<Violation>,
}

/// Normalizes a document; the violations are of `readonly` only.
pub(crate) fn normalize(
    document: &Map<String, Value>,
    fields: FieldSet<'_>,
    unknown: UnknownRef<'_>,
    purges_unknown: bool,
) -> Result<(Map<String, Value>, Vec<Violation>), Stop> {
    let mut normalizer = Normalizer {
        fields,
        unknown,
        purges_unknown,
        document_path: Vec::new(),
        schema_path: Vec::new(),
        violations: Vec::new(),
    };
    let draft = normalizer.run(object_draft(document))?;
    Ok((into_object(draft), normalizer.violations))
}

impl<'a> Normalizer<'a> {
    fn run(&mut self, mut draft: Draft) -> Result<Draft, Stop> {
        if let FieldSet::NotFields(schema) = self.fields {
            let path = &self.document_path;
            return Err(schema.misread(draft.keys(), path, Misreading::Normalizing));
        }
        self.rename(&mut draft);
        if self.purges_unknown && !self.unknown.is_lenient() {
            draft.retain(|field, _| self.fields.get(field).is_some());
        }
        self.note_read_only(&draft);
        self.set_defaults(&mut draft);
        self.containers(&mut draft)?;
        Ok(draft)
    }

    fn rename(&self, draft: &mut Draft) {
        for field in draft.keys().cloned().collect::<Vec<_>>() {
            let Some(name) = self
                .fields
                .get(&field)
                .and_then(|rules| rules.rename.as_deref())
            else {
                continue;
            };
            // Set first, then deleted: a field renamed to its own name vanishes, as in Cerberus.
            if let Some(value) = draft.get(&field).cloned() {
                draft.insert(name.into(), value);
                draft.shift_remove(&field);
            }
        }
    }

    fn note_read_only(&mut self, draft: &Draft) {
        let noted: Vec<Crumb> = self
            .fields
            .entries()
            .into_iter()
            .filter(|(field, rules)| rules.is_read_only() && draft.contains_key(*field))
            .map(|(field, _)| field.clone())
            .collect();
        for field in noted {
            let violation = Violation {
                document_path: [&self.document_path[..], std::slice::from_ref(&field)].concat(),
                schema_path: [&self.schema_path[..], &[field.clone(), "readonly".into()]].concat(),
                kind: ViolationKind::ReadOnly,
            };
            self.extend(vec![violation]);
        }
    }

    fn set_defaults(&self, draft: &mut Draft) {
        let lacking: Vec<(Crumb, Value)> = self
            .fields
            .entries()
            .into_iter()
            .filter(|(field, rules)| match draft.get(*field) {
                None => true,
                Some(value) => value.is_null() && !rules.nullable,
            })
            .filter_map(|(field, rules)| Some((field.clone(), rules.default.clone()?)))
            .collect();
        draft.extend(lacking);
    }

    fn containers(&mut self, draft: &mut Draft) -> Result<(), Stop> {
        for (field, value) in draft.iter_mut() {
            let rules = self.fields.get(field);
            match value {
                Value::Object(map) => {
                    if let Some(key_rules) = rules.and_then(Rules::keys) {
                        self.keys(field, map, key_rules)?;
                    }
                    if let Some(value_rules) = rules.and_then(Rules::values) {
                        let fields = FieldSet::each(object_draft(map).keys(), value_rules);
                        let draft = object_draft(map);
                        let draft = self.inner(field, "valuesrules", fields, draft, &[2])?;
                        *map = into_object(draft);
                    }
                    self.object(field, map, rules)?;
                }
                Value::Array(items) => {
                    let draft = list_draft(items);
                    let (rule, fields, steps): (_, _, &[usize]) = match rules
                        .map(|rules| (rules.schema(), rules.items()))
                    {
                        Some((Some(schema), _)) => match &schema.items {
                            Some(rules) => ("schema", FieldSet::each(draft.keys(), rules), &[2]),
                            None => continue,
                        },
                        Some((None, Some(rules))) if rules.len() == items.len() => {
                            let fields = draft.keys().cloned().zip(rules).collect();
                            ("items", FieldSet::Built(fields), &[2])
                        }
                        _ => continue,
                    };
                    let draft = self.inner(field, rule, fields, draft, steps)?;
                    *items = draft.into_values().collect();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        field: &Crumb,
        map: &mut Map<String, Value>,
        rules: Option<&'a Rules>,
    ) -> Result<(), Stop> {
        let unknown_rules = match self.unknown {
            UnknownRef::Rules(rules) => Some(rules),
            UnknownRef::Refuse | UnknownRef::Allow => None,
        };
        if !rules.is_some_and(Rules::shapes_dicts) && unknown_rules.is_none() {
            return Ok(());
        }
        let Some(rules) = rules.filter(|rules| !rules.is_empty).or(unknown_rules) else {
            return Ok(());
        };
        let fields = rules
            .schema()
            .map_or_else(|| FieldSet::Built(IndexMap::new()), SubSchema::as_fields);
        let mut child = self.child(field, "schema", fields);
        if let Some(unknown) = rules.allow_unknown.as_ref().map(Unknown::as_ref) {
            child.unknown = unknown;
        }
        child.purges_unknown = rules.purge_unknown.unwrap_or(self.purges_unknown);
        match child.run(object_draft(map)) {
            Ok(draft) => {
                let violations = child.violations;
                *map = into_object(draft);
                self.extend(violations);
                Ok(())
            }
            Err(Stop::NotFields) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn keys(
        &mut self,
        field: &Crumb,
        map: &mut Map<String, Value>,
        rules: &'a Rules,
    ) -> Result<(), Stop> {
        let draft: Draft = map
            .keys()
            .map(|key| (Crumb::Name(key.clone()), Value::String(key.clone())))
            .collect();
        let fields = FieldSet::each(draft.keys(), rules);
        let renamed = self.inner(field, "keysrules", fields, draft, &[4, 2])?;
        for (key, original) in into_object(renamed) {
            let Value::String(original) = original else {
                continue;
            };
            if key == original {
                continue;
            }
            match map.get(&key).cloned() {
                Some(value) => map.insert(original, value),
                None => {
                    let path = [
                        &self.document_path[..],
                        &[field.clone(), key.as_str().into()],
                    ];
                    let reason = "`rename` cannot be used on the keys of a dict";
                    return Err(Fault::new(path.concat(), reason).into());
                }
            };
        }
        Ok(())
    }

    fn inner(
        &mut self,
        field: &Crumb,
        rule: &str,
        fields: FieldSet<'_>,
        draft: Draft,
        dropped_steps: &[usize],
    ) -> Result<Draft, Stop> {
        let mut child = self.child(field, rule, fields);
        let draft = child.run(draft)?;
        let mut violations = child.violations;
        Violation::drop_schema_steps(&mut violations, self.schema_path.len(), dropped_steps);
        self.extend(violations);
        Ok(draft)
    }

    fn child<'b>(&self, field: &Crumb, rule: &str, fields: FieldSet<'b>) -> Normalizer<'b>
    where
        'a: 'b,
    {
        Normalizer {
            fields,
            unknown: self.unknown,
            purges_unknown: self.purges_unknown,
            document_path: [&self.document_path[..], std::slice::from_ref(field)].concat(),
            schema_path: [&self.schema_path[..], &[field.clone(), rule.into()]].concat(),
            violations: Vec::new(),
        }
    }

    fn extend(&mut self, violations: Vec<Violation>) {
        if !violations.is_empty() {
            self.violations.extend(violations);
            Violation::sort(&mut self.violations);
        }
    }
}

impl UnknownRef<'_> {
    /// Whether Python takes the setting as true; an empty set of rules is not.
    fn is_lenient(self) -> bool {
        match self {
            Self::Refuse => false,
            Self::Allow => true,
            Self::Rules(rules) => !rules.is_empty,
        }
    }
}

impl Rules {
    fn is_read_only(&self) -> bool {
        self.queue
            .iter()
            .any(|rule| matches!(rule, Rule::ReadOnly(true)))
    }

    fn shapes_dicts(&self) -> bool {
        self.allow_unknown.is_some() || self.purge_unknown.is_some() || self.schema().is_some()
    }

    fn schema(&self) -> Option<&SubSchema> {
        self.queue.iter().find_map(|rule| match rule {
            Rule::Schema(schema) => Some(schema.as_ref()),
            _ => None,
        })
    }

    fn items(&self) -> Option<&[Self]> {
        self.queue.iter().find_map(|rule| match rule {
            Rule::Items(items) => Some(items.as_slice()),
            _ => None,
        })
    }

    fn keys(&self) -> Option<&Self> {
        self.queue.iter().find_map(|rule| match rule {
            Rule::Keys(rules) => Some(rules.as_ref()),
            _ => None,
        })
    }

    fn values(&self) -> Option<&Self> {
        self.queue.iter().find_map(|rule| match rule {
            Rule::Values(rules) => Some(rules.as_ref()),
            _ => None,
        })
    }
}

fn object_draft(map: &Map<String, Value>) -> Draft {
    map.iter()
        .map(|(name, value)| (Crumb::Name(name.clone()), value.clone()))
        .collect()
}

fn list_draft(items: &[Value]) -> Draft {
    items
        .iter()
        .enumerate()
        .map(|(index, value)| (Crumb::Index(index), value.clone()))
        .collect()
}

fn into_object(draft: Draft) -> Map<String, Value> {
    draft
        .into_iter()
        .map(|(field, value)| (field.to_string(), value))
        .collect()
}
