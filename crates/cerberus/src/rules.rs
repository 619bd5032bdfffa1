//! A field's rules in typed form, compiled once from the schema's JSON.

use std::fmt;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::errors::Crumb;
use super::meta::MetaCheck;
use super::pattern::{Pattern, PatternError};
use super::python;

/// The fields of a dict with their rules.
pub(crate) type Fields = IndexMap<Crumb, Rules>;

/// One field's rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// No rule at all was written.
    pub(crate) is_empty: bool,
    pub(crate) nullable: bool,
    pub(crate) required: Option<bool>,
    pub(crate) require_all: Option<bool>,
    pub(crate) allow_unknown: Option<Unknown>,
    pub(crate) purge_unknown: Option<bool>,
    pub(crate) default: Option<Value>,
    pub(crate) rename: Option<String>,
    /// What is evaluated after `nullable`, in Cerberus' order.
    pub(crate) queue: Vec<Rule>,
}

/// A rule that is evaluated against a value.
#[derive(Debug)]
pub(crate) enum Rule {
    ReadOnly(bool),
    Type(TypeRule),
    Empty(bool),
    Allowed(Value),
    Forbidden(Vec<Value>),
    Contains(Value),
    Dependencies(Value),
    Excludes(Vec<Value>),
    Items(Vec<Rules>),
    Keys(Box<Rules>),
    Values(Box<Rules>),
    Logic(Operator, Vec<Rules>),
    Min(Value),
    Max(Value),
    MinLength(Value),
    MaxLength(Value),
    Matches(Pattern),
    Schema(Box<SubSchema>),
    Meta(MetaCheck),
    /// What stands here was meant as something else than rules.
    Unusable,
}

/// The `type` rule: one of several types, and how Cerberus words them.
#[derive(Debug)]
pub(crate) struct TypeRule {
    pub(crate) types: Vec<Type>,
    pub(crate) shown: String,
}

/// The `schema` rule. Only the value tells which reading is meant: a dict's fields, or the rules
/// of a list's items. Some schemas are valid as both, and a wrong reading does not always fail.
#[derive(Debug)]
pub(crate) struct SubSchema {
    /// Read as a dict's fields; [`Rule::Unusable`] where that is no set of rules.
    pub(crate) fields: Fields,
    /// Names of those entries that cannot be a field's rules at all, being no dicts.
    pub(crate) no_fields: Vec<String>,
    /// Read as the rules of a list's items, when that is possible.
    pub(crate) items: Option<Rules>,
}

/// What may happen to keys the schema does not know.
#[derive(Debug)]
pub(crate) enum Unknown {
    Refuse,
    Allow,
    Rules(Box<Rules>),
}

/// The types Cerberus knows, and the two its check of schemas adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Boolean,
    Container,
    Dict,
    Float,
    Integer,
    List,
    Number,
    String,
    Hashable,
    /// `binary`, `date`, `datetime`, `set`, `callable`: no JSON value is one.
    NotInJson,
}

impl Type {
    /// The types a schema may name.
    pub(crate) const NAMES: [&str; 12] = [
        "binary",
        "boolean",
        "container",
        "date",
        "datetime",
        "dict",
        "float",
        "integer",
        "list",
        "number",
        "set",
        "string",
    ];

    fn find(name: &str, vocabulary: Vocabulary) -> Option<Self> {
        Some(match name {
            "boolean" => Self::Boolean,
            "container" => Self::Container,
            "dict" => Self::Dict,
            "float" => Self::Float,
            "integer" => Self::Integer,
            "list" => Self::List,
            "number" => Self::Number,
            "string" => Self::String,
            "binary" | "date" | "datetime" | "set" => Self::NotInJson,
            "callable" if vocabulary == Vocabulary::Meta => Self::NotInJson,
            "hashable" if vocabulary == Vocabulary::Meta => Self::Hashable,
            _ => return None,
        })
    }

    /// Whether the name is one of Cerberus' types.
    pub(crate) fn is_known(name: &str) -> bool {
        Self::find(name, Vocabulary::User).is_some()
    }

    /// Whether Python calls the value an instance. `bool` is an `int`, and `float` takes both.
    pub(crate) fn matches(self, value: &Value) -> bool {
        let is_integer =
            matches!(value, Value::Number(number) if python::integer(number).is_some());
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Container => value.is_array() || value.is_object(),
            Self::Dict => value.is_object(),
            Self::Float => value.is_number() || value.is_boolean(),
            Self::Integer => is_integer || value.is_boolean(),
            Self::List => value.is_array(),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
            Self::Hashable => python::is_hashable(value),
            Self::NotInJson => false,
        }
    }
}

/// The `*of` rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    All,
    Any,
    Neither,
    One,
}

impl Operator {
    pub(crate) const ALL: [Self; 4] = [Self::All, Self::Any, Self::Neither, Self::One];

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "allof",
            Self::Any => "anyof",
            Self::Neither => "noneof",
            Self::One => "oneof",
        }
    }

    pub(crate) fn complaint(self) -> &'static str {
        match self {
            Self::All => "one or more definitions don't validate",
            Self::Any => "no definitions validate",
            Self::Neither => "one or more definitions validate",
            Self::One => "none or more than one rule validate",
        }
    }

    /// Whether the rule holds when `valid` of `total` definitions do.
    pub(crate) fn holds(self, valid: usize, total: usize) -> bool {
        match self {
            Self::All => valid == total,
            Self::Any => valid > 0,
            Self::Neither => valid == 0,
            Self::One => valid == 1,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which rules and types may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    /// Those of a connector's schema.
    User,
    /// Those of the schema of schemas, which has checks and types of its own.
    Meta,
}

/// Why JSON does not compile to rules.
#[derive(Debug)]
pub(crate) enum CompileError {
    /// It is not a set of rules at all; another reading may fit.
    NotRules,
    /// It is, but a rule cannot be honoured here.
    Refused {
        place: Vec<String>,
        rule: &'static str,
        reason: String,
    },
}

impl CompileError {
    fn inside(self, step: &str) -> Self {
        match self {
            Self::NotRules => Self::NotRules,
            Self::Refused {
                mut place,
                rule,
                reason,
            } => {
                place.insert(0, step.to_owned());
                Self::Refused {
                    place,
                    rule,
                    reason,
                }
            }
        }
    }
}

impl Vocabulary {
    /// Compiles the fields of a dict.
    pub(crate) fn fields(self, schema: &Map<String, Value>) -> Result<Fields, CompileError> {
        let mut fields = Fields::with_capacity(schema.len());
        for (name, rules) in schema {
            let rules = self.rules(rules).map_err(|error| error.inside(name))?;
            fields.insert(Crumb::Name(name.clone()), rules);
        }
        Ok(fields)
    }

    /// Compiles one set of rules.
    pub(crate) fn rules(self, rules: &Value) -> Result<Rules, CompileError> {
        let definition = rules.as_object().ok_or(CompileError::NotRules)?;
        let mut rules = Rules {
            is_empty: definition.is_empty(),
            ..Rules::default()
        };
        for (name, constraint) in definition {
            self.add(&mut rules, name, constraint, definition)?;
        }
        // The sort is stable: all others keep the order they were written in.
        rules.queue.sort_by_key(|rule| match rule {
            Rule::ReadOnly(_) => 0,
            Rule::Type(_) => 1,
            Rule::Empty(_) => 2,
            _ => 3,
        });
        Ok(rules)
    }

    fn add(
        self,
        rules: &mut Rules,
        name: &str,
        constraint: &Value,
        definition: &Map<String, Value>,
    ) -> Result<(), CompileError> {
        let nested = |value: &Value| self.rules(value).map_err(|error| error.inside(name));
        let rule = match name {
            "nullable" => {
                rules.nullable = flag(constraint)?;
                return Ok(());
            }
            "required" => {
                rules.required = Some(flag(constraint)?);
                return Ok(());
            }
            "require_all" => {
                rules.require_all = Some(flag(constraint)?);
                return Ok(());
            }
            "purge_unknown" => {
                rules.purge_unknown = Some(flag(constraint)?);
                return Ok(());
            }
            "allow_unknown" => {
                rules.allow_unknown = Some(match constraint {
                    Value::Bool(true) => Unknown::Allow,
                    Value::Bool(false) => Unknown::Refuse,
                    other => Unknown::Rules(Box::new(nested(other)?)),
                });
                return Ok(());
            }
            "default" => {
                rules.default = Some(constraint.clone());
                return Ok(());
            }
            "rename" => {
                rules.rename = Some(rename(constraint)?);
                return Ok(());
            }
            "meta" => return Ok(()),
            // An empty chain of functions does nothing, and names of functions never pass the
            // check of schemas.
            "coerce" | "rename_handler" if constraint.is_array() => return Ok(()),
            "check_with" if constraint.is_array() => return Ok(()),
            "check_with" | "logical" if self == Self::Meta => {
                let check = constraint.as_str().and_then(MetaCheck::find);
                Rule::Meta(check.ok_or(CompileError::NotRules)?)
            }
            "readonly" => Rule::ReadOnly(flag(constraint)?),
            "type" => match self.type_rule(constraint)? {
                Some(rule) => Rule::Type(rule),
                None => return Ok(()),
            },
            "empty" => Rule::Empty(flag(constraint)?),
            "allowed" if constraint.is_array() || constraint.is_object() => {
                Rule::Allowed(constraint.clone())
            }
            "forbidden" => Rule::Forbidden(list(constraint)?.clone()),
            "contains" if !constraint.is_null() => Rule::Contains(constraint.clone()),
            "dependencies" if !constraint.is_null() => Rule::Dependencies(constraint.clone()),
            "excludes" => Rule::Excludes(excludes(constraint)?),
            "items" => {
                let definitions = list(constraint)?;
                Rule::Items(definitions.iter().map(nested).collect::<Result<_, _>>()?)
            }
            "keysrules" => Rule::Keys(Box::new(nested(constraint)?)),
            "valuesrules" => Rule::Values(Box::new(nested(constraint)?)),
            "min" if !constraint.is_null() => Rule::Min(constraint.clone()),
            "max" if !constraint.is_null() => Rule::Max(constraint.clone()),
            "minlength" if Type::Integer.matches(constraint) => Rule::MinLength(constraint.clone()),
            "maxlength" if Type::Integer.matches(constraint) => Rule::MaxLength(constraint.clone()),
            "regex" => Rule::Matches(pattern(constraint)?),
            "schema" => {
                let schema = self.sub_schema(constraint);
                Rule::Schema(Box::new(schema.map_err(|error| error.inside(name))?))
            }
            _ => match Operator::find(name) {
                Some(operator) => Rule::Logic(
                    operator,
                    list(constraint)?
                        .iter()
                        .map(|inner| self.alternative(inner, definition))
                        .collect::<Result<_, _>>()
                        .map_err(|error| error.inside(name))?,
                ),
                None => return Err(CompileError::NotRules),
            },
        };
        rules.queue.push(rule);
        Ok(())
    }

    /// A definition of an `*of` rule takes over the type of the field it stands in.
    fn alternative(self, inner: &Value, outer: &Map<String, Value>) -> Result<Rules, CompileError> {
        match (inner.as_object(), outer.get("type")) {
            (Some(definition), Some(inherited)) if !definition.contains_key("type") => {
                let mut definition = definition.clone();
                definition.insert("type".to_owned(), inherited.clone());
                self.rules(&Value::Object(definition))
            }
            _ => self.rules(inner),
        }
    }

    fn sub_schema(self, constraint: &Value) -> Result<SubSchema, CompileError> {
        let definition = constraint.as_object().ok_or(CompileError::NotRules)?;
        let mut schema = SubSchema {
            fields: Fields::new(),
            no_fields: Vec::new(),
            items: reading(self.rules(constraint))?,
        };
        for (name, entry) in definition {
            if !entry.is_object() {
                schema.no_fields.push(name.clone());
                continue;
            }
            let rules = reading(self.rules(entry).map_err(|error| error.inside(name)))?;
            schema.fields.insert(
                Crumb::Name(name.clone()),
                match rules {
                    Some(rules) => rules,
                    None if schema.items.is_none() => return Err(CompileError::NotRules),
                    None => Rules {
                        queue: vec![Rule::Unusable],
                        ..Rules::default()
                    },
                },
            );
        }
        if schema.items.is_none() && !schema.no_fields.is_empty() {
            return Err(CompileError::NotRules);
        }
        Ok(schema)
    }

    /// `None` for an empty choice of types, which Cerberus takes as no rule.
    fn type_rule(self, constraint: &Value) -> Result<Option<TypeRule>, CompileError> {
        // Tuples show with round brackets, and only the schema of schemas has them.
        let (names, shown) = match constraint.get("tuple").and_then(Value::as_array) {
            Some(names) if self == Self::Meta => (names.clone(), python::tuple_repr(names)),
            _ => match constraint {
                Value::Array(names) => (names.clone(), python::repr(constraint)),
                Value::String(name) => (vec![constraint.clone()], name.clone()),
                _ => return Err(CompileError::NotRules),
            },
        };
        if names.is_empty() {
            return Ok(None);
        }
        let types = names
            .iter()
            .map(|name| Type::find(name.as_str()?, self))
            .collect::<Option<_>>()
            .ok_or(CompileError::NotRules)?;
        Ok(Some(TypeRule { types, shown }))
    }
}

fn reading<T>(outcome: Result<T, CompileError>) -> Result<Option<T>, CompileError> {
    match outcome {
        Ok(compiled) => Ok(Some(compiled)),
        Err(CompileError::NotRules) => Ok(None),
        Err(refused) => Err(refused),
    }
}

fn flag(constraint: &Value) -> Result<bool, CompileError> {
    constraint.as_bool().ok_or(CompileError::NotRules)
}

fn list(constraint: &Value) -> Result<&Vec<Value>, CompileError> {
    constraint.as_array().ok_or(CompileError::NotRules)
}

fn excludes(constraint: &Value) -> Result<Vec<Value>, CompileError> {
    match constraint {
        Value::Array(names) if names.iter().all(python::is_hashable) => Ok(names.clone()),
        single if python::is_hashable(single) && !single.is_null() => Ok(vec![single.clone()]),
        _ => Err(CompileError::NotRules),
    }
}

fn rename(constraint: &Value) -> Result<String, CompileError> {
    match constraint {
        Value::String(name) => Ok(name.clone()),
        Value::Bool(_) | Value::Number(_) => Err(CompileError::Refused {
            place: Vec::new(),
            rule: "rename",
            reason: format!("a key of a JSON document is text, `{constraint}` is not"),
        }),
        _ => Err(CompileError::NotRules),
    }
}

fn pattern(constraint: &Value) -> Result<Pattern, CompileError> {
    let text = constraint.as_str().ok_or(CompileError::NotRules)?;
    Pattern::new(text).map_err(|PatternError(reason)| CompileError::Refused {
        place: Vec::new(),
        rule: "regex",
        reason,
    })
}
