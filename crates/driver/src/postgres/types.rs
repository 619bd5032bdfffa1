//! What the types of columns are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use postgres_types::{Kind, Oid, Type};

/// The first number that no type of PostgreSQL's own has.
const FIRST_OF_USERS: Oid = 16_384;

/// How the values of a type are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// As a type that has a value of ours.
    Own(Type),
    /// As its text, which its binary form is.
    Text,
    /// As a list, whose elements say themselves what they are.
    List,
    /// Only the server knows how to write it.
    Foreign,
}

/// How the values of a built-in type are read; none where only the server knows what type it is.
pub(super) fn built_in(oid: Oid) -> Option<Form> {
    if oid >= FIRST_OF_USERS {
        return None;
    }
    let found = Type::from_oid(oid)?;
    Some(match found.kind() {
        _ if super::value::is_own(&found) => Form::Own(found),
        Kind::Array(element) => match built_in(element.oid()) {
            Some(Form::Own(_) | Form::Text) => Form::List,
            _ => return None,
        },
        _ => return None,
    })
}

/// What the server says of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeFacts {
    /// Its name.
    pub(super) name: String,
    /// How its values are read.
    pub(super) form: Form,
    /// The type of lists of it; none where there are no such lists.
    pub(super) list: Option<Oid>,
    /// Whether its values, or those of its elements, have no binary form.
    pub(super) is_text_only: bool,
}

/// What connections to one database have learnt about its types.
#[derive(Clone, Default)]
pub(super) struct TypesSeen(Arc<Mutex<HashMap<Oid, TypeFacts>>>);

impl TypesSeen {
    /// What is known of a type.
    pub(super) fn get(&self, oid: Oid) -> Option<TypeFacts> {
        self.lock().get(&oid).cloned()
    }

    /// Those of the types that are not known yet.
    pub(super) fn unknown(&self, oids: impl IntoIterator<Item = Oid>) -> Vec<Oid> {
        let known = self.lock();
        let mut unknown: Vec<Oid> = oids
            .into_iter()
            .filter(|oid| !known.contains_key(oid))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Takes in what the server says of types.
    pub(super) fn learn(&self, facts: impl IntoIterator<Item = (Oid, TypeFacts)>) {
        self.lock().extend(facts);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Oid, TypeFacts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The statement that asks what types are, with those that they are lists of.
pub(super) fn question(oids: &[Oid]) -> String {
    let numbers: Vec<String> = oids.iter().map(Oid::to_string).collect();
    let numbers = numbers.join(", ");
    format!(
        "SELECT t.oid, t.typname, \
         CASE WHEN t.typtype = 'e' THEN 'e' WHEN t.typname = 'anyarray' AND t.typtype = 'p' THEN 'l' \
         WHEN t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1 THEN 'l' ELSE 'f' END, \
         (WITH RECURSIVE below(oid) AS (SELECT t.typbasetype UNION ALL SELECT d.typbasetype FROM below \
         JOIN pg_catalog.pg_type d ON d.oid = below.oid WHERE d.typtype = 'd') SELECT below.oid FROM below \
         LEFT JOIN pg_catalog.pg_type d ON d.oid = below.oid WHERE d.typtype IS DISTINCT FROM 'd'), CASE WHEN t.typtype = 'p' THEN 0 ELSE t.typarray END, t.typsend = 0 OR COALESCE(e.typsend = 0, false) \
         FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' \
         WHERE t.oid IN ({numbers}) \
         OR t.oid IN (SELECT l.typelem FROM pg_catalog.pg_type l WHERE l.oid IN ({numbers}) AND l.typcategory = 'A')"
    )
}

/// One row of the answer.
pub(super) fn fact(row: &[crate::Value]) -> Option<(Oid, TypeFacts)> {
    use crate::Value::{Boolean, Integer, Text};
    let [
        Integer(oid),
        Text(name),
        Text(form),
        Integer(base),
        Integer(list),
        Boolean(is_text_only),
    ] = row
    else {
        return None;
    };
    let oid = Oid::try_from(*oid).ok()?;
    let form = match form.as_str() {
        "e" => Form::Text,
        "l" => Form::List,
        // Elements of a list are of the domain, where columns are of what it is over.
        _ => Oid::try_from(*base)
            .ok()
            .and_then(built_in)
            .unwrap_or(Form::Foreign),
    };
    let facts = TypeFacts {
        name: name.clone(),
        form,
        list: Oid::try_from(*list).ok().filter(|oid| *oid != 0),
        is_text_only: *is_text_only,
    };
    Some((oid, facts))
}
