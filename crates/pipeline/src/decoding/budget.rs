//! How much memory an answer may take.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use bowline_template::Value;

use super::DecodeError;
use crate::expression::to_record;

/// What a text, list or record takes beside what is in it, in bytes: its place on the heap, and what counts it.
const HEAD: usize = 64;
/// What an item of a list takes: itself, and what is kept of it where it is a record: its key, its row, and its place
/// in the lists that are made of the records of a page.
const ITEM: usize = 4 * size_of::<Value>();
/// What a field of a record takes.
const FIELD: usize = size_of::<(Arc<str>, Value)>();
/// How many names of fields are kept to be used again.
const MOST_NAMES: usize = 1024;

/// The memory that is left for the values of an answer.
#[derive(Clone)]
pub(crate) struct Budget {
    left: Cell<usize>,
    names: HashSet<Arc<str>>,
}

impl Budget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            left: Cell::new(usize::try_from(bytes).unwrap_or(usize::MAX)),
            names: HashSet::new(),
        }
    }

    fn spend(&self, bytes: usize) -> Result<(), DecodeError> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(DecodeError::TooLarge),
        }
    }

    /// A text.
    pub(super) fn text(&self, text: &str) -> Result<Value, DecodeError> {
        self.spend(HEAD / 2 + text.len())?;
        Ok(Value::from(text))
    }

    /// Room for another item of a list.
    pub(super) fn item(&self) -> Result<(), DecodeError> {
        self.spend(ITEM)
    }

    /// A list of items that there was room for.
    pub(super) fn list(&self, items: Vec<Value>) -> Result<Value, DecodeError> {
        self.spend(HEAD)?;
        Ok(Value::list(items))
    }

    /// The name of a field, and room for its value. Records have the same names again and again.
    pub(super) fn name(&mut self, name: &str) -> Result<Arc<str>, DecodeError> {
        self.spend(FIELD)?;
        if let Some(known) = self.names.get(name) {
            return Ok(Arc::clone(known));
        }
        self.spend(HEAD / 2 + name.len())?;
        let name: Arc<str> = Arc::from(name);
        if self.names.len() < MOST_NAMES {
            self.names.insert(Arc::clone(&name));
        }
        Ok(name)
    }

    /// A record of fields that there was room for.
    pub(super) fn record(&self, fields: Vec<(Arc<str>, Value)>) -> Result<Value, DecodeError> {
        self.spend(HEAD)?;
        Ok(to_record(fields))
    }
}
