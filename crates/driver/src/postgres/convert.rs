//! Values of types that only the server knows: what the types are, and their values as it writes them.

use std::collections::{BTreeMap, VecDeque};

use postgres_types::Oid;

use super::statement::{Asked, Connected, Raw};
use super::types::{Form, built_in, fact, question};
use super::value::{self, Read};
use crate::{Limits, ResultSet, SqlError, SqlErrorKind, Value};

const TEXT: i16 = 0;
const BINARY: i16 = 1;
/// How deep lists may stand within each other.
const DEEPEST: usize = 8;

impl Connected {
    /// Learns what types are, where it is not known yet.
    pub(super) fn look_up(&mut self, oids: Vec<Oid>) -> Result<(), SqlError> {
        let unknown = self.types.unknown(oids);
        if unknown.is_empty() {
            return Ok(());
        }
        let asked = Asked {
            sql: &question(&unknown),
            value: None,
            formats: vec![BINARY],
        };
        let answer = self
            .ask(&asked, &Limits::default())
            .map_err(super::statement::Unrun::error)?;
        self.types
            .learn(answer.result.rows.iter().filter_map(|row| fact(row)));
        Ok(())
    }

    /// Reads the columns that are still bytes.
    pub(super) fn complete(&mut self, raw: Raw) -> Result<ResultSet, SqlError> {
        let Raw {
            mut result,
            columns,
            ..
        } = raw;
        let unread: Vec<(usize, Oid)> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.is_unread())
            .map(|(place, column)| (place, column.oid))
            .collect();
        let nameless = columns
            .iter()
            .zip(&result.columns)
            .filter(|(_, column)| column.type_name.is_empty())
            .map(|(column, _)| column.oid);
        self.look_up(unread.iter().map(|(_, oid)| *oid).chain(nameless).collect())?;
        for (column, named) in columns.iter().zip(&mut result.columns) {
            if let Some(facts) = self.types.get(column.oid) {
                named.type_name = facts.name;
            }
        }
        if unread.is_empty() {
            return Ok(result);
        }
        let lists: Vec<usize> = unread
            .iter()
            .filter(|(_, oid)| {
                let facts = self.types.get(*oid);
                facts.is_some_and(|facts| facts.form == Form::List)
            })
            .map(|(place, _)| *place)
            .collect();
        self.look_up(elements(&result, &lists))?;
        for (place, oid) in unread {
            self.complete_column(&mut result, place, oid)?;
        }
        Ok(result)
    }

    fn complete_column(
        &mut self,
        result: &mut ResultSet,
        place: usize,
        oid: Oid,
    ) -> Result<(), SqlError> {
        let column = result.columns[place].clone();
        let unread = |this: &Self, read: &Read, row: usize| {
            this.unread(read, &column.name, &column.type_name, row + 1)
        };
        let mut foreign: BTreeMap<Oid, Vec<Vec<u8>>> = BTreeMap::new();
        for (row, values) in result.rows.iter().enumerate() {
            if let Value::Bytes(bytes) = &values[place] {
                let read = self.shape(oid, bytes, &mut |leaf, bytes| {
                    foreign.entry(leaf).or_default().push(bytes.to_vec());
                    Read::Value(Value::Null)
                });
                if !matches!(read, Read::Value(_)) {
                    return Err(unread(self, &read, row));
                }
            }
        }
        let mut written = BTreeMap::new();
        for (leaf, values) in foreign {
            let texts = self
                .written(leaf, &values)
                .map_err(|error| match error.kind {
                    SqlErrorKind::Connection
                    | SqlErrorKind::Timeout
                    | SqlErrorKind::Cancelled
                    | SqlErrorKind::TooLarge => error,
                    _ => SqlError::new(
                        SqlErrorKind::UnsupportedType,
                        format!(
                            "type is not supported: column `{}` is of type `{}`",
                            column.name, column.type_name
                        ),
                    )
                    .hint("cast it to text".to_owned()),
                })?;
            written.insert(leaf, texts);
        }
        for (row, values) in result.rows.iter_mut().enumerate() {
            if let Value::Bytes(bytes) = &values[place] {
                let read = self.shape(oid, bytes, &mut |leaf, _| {
                    let text = written.get_mut(&leaf).and_then(VecDeque::pop_front);
                    text.into()
                });
                match read {
                    Read::Value(value) => values[place] = value,
                    other => return Err(unread(self, &other, row)),
                }
            }
        }
        Ok(())
    }

    /// Reads a value down to what only the server can write, which `leaf` reads.
    fn shape(&self, oid: Oid, bytes: &[u8], leaf: &mut dyn FnMut(Oid, &[u8]) -> Read) -> Read {
        self.shape_within(oid, bytes, leaf, 0)
    }

    /// As [`Self::shape`], of what stands within so many lists: a list's elements can be lists by way of a domain.
    fn shape_within(
        &self,
        oid: Oid,
        bytes: &[u8],
        leaf: &mut dyn FnMut(Oid, &[u8]) -> Read,
        depth: usize,
    ) -> Read {
        if depth > DEEPEST {
            return Read::Broken;
        }
        let form = built_in(oid).or_else(|| self.types.get(oid).map(|facts| facts.form));
        match form {
            Some(Form::Own(found)) => value::read(&found, bytes, self.is_utf8()),
            Some(Form::Text) => value::text(bytes, self.is_utf8()),
            Some(Form::List) => {
                let Some(list) = value::list(bytes) else {
                    return Read::Broken;
                };
                let mut values = Vec::with_capacity(list.elements.len());
                for element in &list.elements {
                    match element
                        .map(|bytes| self.shape_within(list.element, bytes, leaf, depth + 1))
                    {
                        None => values.push(Value::Null),
                        Some(Read::Value(value)) => values.push(value),
                        Some(other) => return other,
                    }
                }
                Read::Value(value::fold(values, &list.lengths))
            }
            Some(Form::Foreign) | None => leaf(oid, bytes),
        }
    }

    /// Has the server write values of one type, in one round trip.
    fn written(&mut self, oid: Oid, values: &[Vec<u8>]) -> Result<VecDeque<Value>, SqlError> {
        let unknown = || SqlError::new(SqlErrorKind::UnsupportedType, "type is not supported");
        let list = self.types.get(oid).and_then(|facts| facts.list);
        let list = list.ok_or_else(unknown)?;
        let bytes = list_of(oid, values).ok_or_else(unknown)?;
        let asked = Asked {
            sql: "SELECT pg_catalog.unnest($1)",
            value: Some((list, &bytes)),
            formats: vec![TEXT],
        };
        let limits = Limits {
            max_rows: usize::MAX,
            max_bytes: usize::MAX,
            ..Limits::default()
        };
        let answer = self
            .ask(&asked, &limits)
            .map_err(super::statement::Unrun::error)?;
        let texts: VecDeque<Value> = answer.result.rows.into_iter().flatten().collect();
        if texts.len() == values.len() {
            Ok(texts)
        } else {
            Err(unknown())
        }
    }
}

/// The types of elements of lists, which the lists themselves say.
fn elements(result: &ResultSet, lists: &[usize]) -> Vec<Oid> {
    let mut found = Vec::new();
    for row in &result.rows {
        for place in lists {
            if let Value::Bytes(bytes) = &row[*place]
                && let Some(list) = value::list(bytes)
                && !found.contains(&list.element)
            {
                found.push(list.element);
            }
        }
    }
    found
}

/// A list of one dimension, as it is sent.
fn list_of(element: Oid, values: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in [1, 0, element, u32::try_from(values.len()).ok()?, 1] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    for value in values {
        bytes.extend_from_slice(&i32::try_from(value.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(value);
    }
    Some(bytes)
}
