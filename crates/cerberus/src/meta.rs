//! Cerberus' schema of schemas: which rules exist, and what each takes.
//!
//! A user's schema is validated with the same engine as a user's document, so that a broken
//! schema is reported in Cerberus' own words.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::errors::{Crumb, Errors, Message, ViolationKind};
use super::fault::{Fault, Stop};
use super::rules::{CompileError, Fields, Operator, Rules, Type, Vocabulary};
use super::scope::{Document, FieldSet, Run, Scope, UnknownRef};

/// What the rules take that are evaluated. `tuple` marks a choice of types that shows with round
/// brackets; functions can only be named by programs, so no name is allowed.
const EVALUATED: &str = r#"{
    "allof": {"type": "list", "logical": "allof"},
    "allow_unknown": {"oneof": [{"type": "boolean"}, {"type": ["dict", "string"], "check_with": "bulk_schema"}]},
    "allowed": {"type": "container"},
    "anyof": {"type": "list", "logical": "anyof"},
    "check_with": {"oneof": [
        {"type": "callable"},
        {"type": "list", "schema": {"oneof": [{"type": "callable"}, {"type": "string", "allowed": []}]}},
        {"type": "string", "allowed": []}
    ]},
    "contains": {"empty": false},
    "dependencies": {"type": {"tuple": ["dict", "hashable", "list"]}, "check_with": "dependencies"},
    "empty": {"type": "boolean"},
    "excludes": {"type": {"tuple": ["hashable", "list"]}, "schema": {"type": "hashable"}},
    "forbidden": {"type": "list"},
    "items": {"type": "list", "check_with": "items"},
    "keysrules": {"type": ["dict", "string"], "check_with": "bulk_schema", "forbidden": ["rename", "rename_handler"]},
    "max": {"nullable": false},
    "maxlength": {"type": "integer"},
    "meta": {},
    "min": {"nullable": false},
    "minlength": {"type": "integer"},
    "noneof": {"type": "list", "logical": "noneof"},
    "nullable": {"type": "boolean"},
    "oneof": {"type": "list", "logical": "oneof"},
    "readonly": {"type": "boolean"},
    "regex": {"type": "string"},
    "require_all": {"type": "boolean"},
    "required": {"type": "boolean"},
    "schema": {"type": ["dict", "string"], "anyof": [{"check_with": "schema"}, {"check_with": "bulk_schema"}]},
    "type": {"type": ["string", "list"], "check_with": "type"},
    "valuesrules": {"type": ["dict", "string"], "check_with": "bulk_schema", "forbidden": ["rename", "rename_handler"]}
}"#;

/// What the rules take that change the document; they may not stand in an `*of` rule.
const NORMALIZING: &str = r#"{
    "coerce": {"oneof": [
        {"type": "callable"},
        {"type": "list", "schema": {"oneof": [{"type": "callable"}, {"type": "string", "allowed": []}]}},
        {"type": "string", "allowed": []}
    ]},
    "default": {"nullable": true},
    "default_setter": {"oneof": [{"type": "callable"}, {"type": "string", "allowed": []}]},
    "purge_unknown": {"type": "boolean"},
    "rename": {"type": "hashable"},
    "rename_handler": {"oneof": [
        {"type": "callable"},
        {"type": "list", "schema": {"oneof": [{"type": "callable"}, {"type": "string", "allowed": []}]}},
        {"type": "string", "allowed": []}
    ]}
}"#;

/// How many nested documents a schema may make the check look at. Real schemas need dozens; one
/// made to be ambiguous at every level would need a number without end.
const MOST_SCOPES: usize = 100_000;

struct MetaSchema {
    /// Every rule with what it takes.
    all: Fields,
    /// The rules allowed in a definition of an `*of` rule.
    evaluated: Fields,
    /// The rules of one field's set of rules.
    definition: Rules,
}

static META: LazyLock<MetaSchema> = LazyLock::new(|| {
    build().unwrap_or_else(|error| unreachable!("the schema of schemas is constant: {error:?}"))
});

fn build() -> Result<MetaSchema, CompileError> {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let evaluated = read(EVALUATED);
    let mut all = evaluated.clone();
    all.extend(read(NORMALIZING));
    let definition = serde_json::json!({"allow_unknown": false, "schema": all, "type": "dict"});
    Ok(MetaSchema {
        evaluated: Vocabulary::Meta.fields(&evaluated)?,
        definition: Vocabulary::Meta.rules(&definition)?,
        all: Vocabulary::Meta.fields(&all)?,
    })
}

/// The names of all rules.
pub(crate) fn rule_names() -> impl Iterator<Item = &'static str> {
    META.all.keys().filter_map(|crumb| match crumb {
        Crumb::Name(name) => Some(name.as_str()),
        Crumb::Index(_) | Crumb::Path(_) => None,
    })
}

/// Validates an expanded schema; the errors are those of Cerberus' `SchemaError`.
pub(crate) fn check(schema: &Map<String, Value>) -> Result<Errors, Fault> {
    for (field, rules) in schema {
        if !rules.is_object() && !rules.is_string() {
            return Err(Fault::new(
                vec![field.as_str().into()],
                "a field's rules must be a dict",
            ));
        }
    }
    let document = object_document(schema);
    let nothing = Fields::new();
    let run = Run::over_schema(&document, UnknownRef::Rules(&META.definition), MOST_SCOPES);
    let mut scope = Scope::root(
        &run,
        &document,
        FieldSet::Declared(&nothing),
        run.root_unknown,
    );
    match scope.validate() {
        Ok(()) => Ok(Errors::new(&scope.violations)),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::NotFields) => Err(Fault::new(Vec::new(), "the schema is no dict of fields")),
    }
}

fn object_document(map: &Map<String, Value>) -> Document<'_> {
    map.iter()
        .map(|(name, value)| (Crumb::Name(name.clone()), value))
        .collect()
}

/// A check that only the schema of schemas uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetaCheck {
    /// The value is a set of rules.
    RulesSet,
    /// The value is a dict of fields with rules.
    Schema,
    /// The value names fields.
    Dependencies,
    /// The value is a list of sets of rules.
    Items,
    /// The value names types.
    Type,
    /// The value is a list of definitions for an `*of` rule.
    Definitions(Operator),
}

impl MetaCheck {
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "bulk_schema" => Self::RulesSet,
            "schema" => Self::Schema,
            "dependencies" => Self::Dependencies,
            "items" => Self::Items,
            "type" => Self::Type,
            _ => Self::Definitions(Operator::find(name)?),
        })
    }

    pub(crate) fn run(
        self,
        scope: &mut Scope<'_>,
        field: &Crumb,
        value: &Value,
    ) -> Result<(), Stop> {
        match self {
            Self::RulesSet => rules_set(scope, std::slice::from_ref(field), value),
            Self::Schema => schema(scope, field, value),
            Self::Dependencies => dependencies(scope, field, value),
            Self::Items => items(scope, field, value),
            Self::Type => type_names(scope, field, value),
            Self::Definitions(operator) => definitions(scope, operator, field, value),
        }
    }
}

fn complain(scope: &mut Scope<'_>, field: Crumb, text: String) {
    scope.add(field, None, ViolationKind::Leaf(Message::plain(text)));
}

/// `crumbs` is where the rules stand: a rule, or a rule and a place in its list.
fn rules_set(scope: &mut Scope<'_>, crumbs: &[Crumb], value: &Value) -> Result<(), Stop> {
    if let Value::String(name) = value {
        if scope.run.is_new_rules_set(name) {
            let field = match crumbs {
                [only] => only.clone(),
                several => Crumb::Path(several.to_vec()),
            };
            complain(
                scope,
                field,
                format!("Rules set definition {name} not found."),
            );
        }
        return Ok(());
    }
    rule_document(scope, crumbs, value, &META.all)
}

fn definitions(
    scope: &mut Scope<'_>,
    operator: Operator,
    field: &Crumb,
    value: &Value,
) -> Result<(), Stop> {
    let definitions = match value {
        Value::Array(definitions) => definitions,
        _ => {
            let message = Message::plain("must be of list type");
            scope.add(field.clone(), Some("type"), ViolationKind::Leaf(message));
            return Ok(());
        }
    };
    for definition in definitions {
        rule_document(
            scope,
            &[operator.name().into()],
            definition,
            &META.evaluated,
        )?;
    }
    Ok(())
}

fn rule_document(
    scope: &mut Scope<'_>,
    crumbs: &[Crumb],
    value: &Value,
    rules: &Fields,
) -> Result<(), Stop> {
    let Value::Object(map) = value else {
        return Err(scope.fault_at(crumbs, "a set of rules must be a dict"));
    };
    let document = object_document(map);
    let mut child = scope.child(&document, FieldSet::Declared(rules), crumbs, &[]);
    child.unknown = UnknownRef::Refuse;
    child.validate()?;
    let violations = child.violations;
    scope.extend(violations);
    Ok(())
}

fn schema(scope: &mut Scope<'_>, field: &Crumb, value: &Value) -> Result<(), Stop> {
    let map = match value {
        Value::String(name) => {
            if scope.run.is_new_schema(name) {
                let path =
                    Crumb::Path([&scope.document_path[..], std::slice::from_ref(field)].concat());
                complain(scope, path, format!("Schema definition {name} not found."));
            }
            return Ok(());
        }
        Value::Object(map) => map,
        _ => return Err(scope.fault_at(std::slice::from_ref(field), "a schema must be a dict")),
    };
    // A text refers to a registered set of rules; nothing is registered here.
    let resolved: Map<String, Value> = map
        .iter()
        .map(|(name, rules)| {
            let rules = if rules.is_string() {
                Value::Null
            } else {
                rules.clone()
            };
            (name.clone(), rules)
        })
        .collect();
    let document = object_document(&resolved);
    let nothing = Fields::new();
    let mut child = scope.child(
        &document,
        FieldSet::Declared(&nothing),
        std::slice::from_ref(field),
        &[],
    );
    child.unknown = child.run.root_unknown;
    child.validate()?;
    let violations = child.violations;
    scope.extend(violations);
    Ok(())
}

fn items(scope: &mut Scope<'_>, field: &Crumb, value: &Value) -> Result<(), Stop> {
    let Value::Array(definitions) = value else {
        return Err(scope.fault_at(std::slice::from_ref(field), "`items` must be a list"));
    };
    for (index, definition) in definitions.iter().enumerate() {
        rules_set(scope, &[field.clone(), Crumb::Index(index)], definition)?;
    }
    Ok(())
}

fn dependencies(scope: &mut Scope<'_>, field: &Crumb, value: &Value) -> Result<(), Stop> {
    match value {
        Value::Object(map) => {
            // Meant for the dict's values, Cerberus asks this of a key with the rule's name.
            let list = Vocabulary::Meta.rules(&serde_json::json!({"type": "list"}));
            let Ok(list) = list else { return Ok(()) };
            let document = object_document(map);
            let fields = IndexMap::from_iter([("valuesrules".into(), &list)]);
            let mut child = scope.child(
                &document,
                FieldSet::Built(fields),
                std::slice::from_ref(field),
                &[],
            );
            child.unknown = UnknownRef::Allow;
            child.validate()?;
            let violations = child.violations;
            scope.extend(violations);
        }
        Value::Array(names) if !names.iter().all(super::python::is_hashable) => {
            let path =
                Crumb::Path([&scope.document_path[..], std::slice::from_ref(field)].concat());
            complain(
                scope,
                path,
                "All dependencies must be a hashable type.".to_owned(),
            );
        }
        _ => {}
    }
    Ok(())
}

fn type_names(scope: &mut Scope<'_>, field: &Crumb, value: &Value) -> Result<(), Stop> {
    let names = match value {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or_else(|| scope.fault_at(std::slice::from_ref(field), "a type must be a text"))?,
        _ => return Err(scope.fault_at(std::slice::from_ref(field), "a type must be a text")),
    };
    let mut unsupported: Vec<&str> = Vec::new();
    for name in names {
        if !Type::is_known(name) && !unsupported.contains(&name) {
            unsupported.push(name);
        }
    }
    if !unsupported.is_empty() {
        let text = format!("Unsupported types: {}", unsupported.join(", "));
        complain(scope, field.clone(), text);
    }
    Ok(())
}
