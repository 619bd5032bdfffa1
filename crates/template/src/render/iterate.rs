//! Iteration: over values, and by generators that work only when they are asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::attributes::Lookup;
use super::machine::Machine;
use super::object::{Activation, Object, lock};
use crate::environment::Absent;
use crate::python::arguments::Arguments;
use crate::python::compare::{equal, hash};
use crate::python::fault::{Outcome, runtime, type_fault, unsupported, value_fault};
use crate::python::meter;
use crate::python::number::as_small;
use crate::python::value::{Dict, Value, View, deeper};
use crate::syntax::ast::{For, LoopTest, Target};

/// A place in something that is iterated over.
pub(crate) enum Cursor {
    /// A value with its items at hand, and the next one.
    Value(Value, usize),
    /// Items made for the purpose, last first.
    Items(Vec<Value>),
    /// A generator.
    Generator(Arc<Object>),
}

/// An iterator of Python: it gives each item once.
pub(crate) struct Generator {
    /// Python's name for it.
    pub(crate) type_name: &'static str,
    pub(crate) depth: u32,
    state: Mutex<State>,
}

/// What a generator does next.
pub(crate) enum State {
    /// Over, or at work.
    Done,
    /// Gives ready items, last first.
    Ready(Vec<Value>),
    /// Has not looked at its source yet.
    Start(Value, Work),
    /// Walks its source.
    Running(Cursor, Work),
    /// Filters what a loop walks.
    Loop(Option<Cursor>, Value, Arc<For>, Arc<Activation>),
}

/// What a generator does with the items of its source.
pub(crate) enum Work {
    Map {
        arguments: Arguments,
        mapping: Option<Mapping>,
    },
    Select {
        arguments: Arguments,
        by_attribute: bool,
        keep: bool,
        selection: Option<Selection>,
    },
    Unique {
        key: Key,
        seen: HashMap<u64, Vec<Value>>,
    },
    Batch {
        size: Value,
        fill: Value,
    },
    Slice {
        count: Value,
        fill: Value,
    },
    Pairs,
}

/// What `map` makes of an item.
#[derive(Clone)]
pub(crate) enum Mapping {
    Attribute(Vec<Value>, Option<Value>),
    Filter(Arc<str>, Arguments),
}

/// What `select` asks of an item.
#[derive(Clone)]
pub(crate) struct Selection {
    path: Vec<Value>,
    test: Option<(Arc<str>, Arguments)>,
}

/// What items are compared by.
#[derive(Clone, Default)]
pub(crate) struct Key {
    pub(crate) path: Vec<Value>,
    pub(crate) ignore_case: bool,
}

/// A generator as a value.
pub(crate) fn generator(type_name: &'static str, held: &[&Value], state: State) -> Outcome<Value> {
    let depth = deeper(0, held.iter().copied())?;
    Ok(Value::object(Object::Generator(Generator {
        type_name,
        depth,
        state: Mutex::new(state),
    })))
}

impl Machine {
    /// `iter(value)`
    pub(crate) fn iterate(&mut self, value: &Value) -> Outcome<Cursor> {
        Ok(match value {
            Value::Undefined(_) => Cursor::Items(Vec::new()),
            Value::Str(text) | Value::Markup(text) => {
                let mut chars: Vec<Value> = text
                    .chars()
                    .map(|c| Value::text(c.encode_utf8(&mut [0; 4])))
                    .collect();
                meter::spend(chars.len() as u64 / 4)?;
                chars.reverse();
                Cursor::Items(chars)
            }
            Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::View(..)
            | Value::Range(_)
            | Value::Native(_) => Cursor::Value(value.clone(), 0),
            Value::None if self.environment.absent == Absent::Chained => Cursor::Items(Vec::new()),
            Value::Object(object) => match &**object {
                Object::Generator(_) => Cursor::Generator(object.clone()),
                Object::Loop(_) => return unsupported("iterating over `loop` itself"),
                Object::This(_) => return unsupported("iterating over `self`"),
                _ => return not_iterable(value),
            },
            _ => return not_iterable(value),
        })
    }

    /// The next item.
    pub(crate) fn advance(&mut self, cursor: &mut Cursor) -> Outcome<Option<Value>> {
        meter::spend(1)?;
        match cursor {
            Cursor::Items(items) => Ok(items.pop()),
            Cursor::Generator(object) => match &**object {
                Object::Generator(generator) => self.resume(generator),
                _ => Ok(None),
            },
            Cursor::Value(value, next) => {
                let at = *next;
                *next += 1;
                let pair = |dict: &Arc<Dict>| dict.iter().nth(at).cloned();
                Ok(match value {
                    Value::List(items) | Value::Tuple(items) => items.values.get(at).cloned(),
                    Value::Dict(dict) | Value::View(View::Keys, dict) => {
                        pair(dict).map(|(key, _)| key)
                    }
                    Value::View(View::Values, dict) => pair(dict).map(|(_, value)| value),
                    Value::View(View::Items, dict) => match pair(dict) {
                        Some((key, value)) => Some(Value::tuple(vec![key, value])?),
                        None => None,
                    },
                    Value::Native(native) => native.at(at).map(|item| item.0),
                    Value::Range(range) if at < range.len() => Some(Value::Int(range.at(at))),
                    _ => None,
                })
            }
        }
    }

    /// The value with nothing left in it that gives its items only when they are asked for.
    pub(crate) fn settled(&mut self, value: Value) -> Outcome<Value> {
        if !value.is_lazy() {
            return Ok(value);
        }
        let mut all = |values: Vec<Value>| -> Outcome<Vec<Value>> {
            values
                .into_iter()
                .map(|value| self.settled(value))
                .collect()
        };
        match &value {
            Value::List(items) => Value::list(all(items.values.clone())?),
            Value::Tuple(items) if items.names.is_none() => {
                Value::tuple(all(items.values.clone())?)
            }
            Value::Dict(dict) => {
                let mut settled = Dict::default();
                for (key, value) in dict.iter() {
                    settled.insert(key.clone(), self.settled(value.clone())?)?;
                }
                Ok(Value::dict(settled))
            }
            Value::Object(object) if matches!(&**object, Object::Generator(_)) => {
                let items = self.collect(&value)?;
                let items = items.into_iter().map(|item| self.settled(item));
                Value::list(items.collect::<Outcome<_>>()?)
            }
            _ => Ok(value),
        }
    }

    /// `list(value)`
    pub(crate) fn collect(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        let mut cursor = self.iterate(value)?;
        self.drain(&mut cursor)
    }

    pub(crate) fn drain(&mut self, cursor: &mut Cursor) -> Outcome<Vec<Value>> {
        let mut items = Vec::new();
        while let Some(item) = self.advance(cursor)? {
            crate::python::fault::check_list(items.len() + 1)?;
            items.push(item);
        }
        Ok(items)
    }

    /// `next(generator)`; a generator that fails is over.
    fn resume(&mut self, generator: &Generator) -> Outcome<Option<Value>> {
        let mut state = std::mem::replace(&mut *lock(&generator.state), State::Done);
        let result = self.step(&mut state);
        if let Ok(Some(_)) = result {
            *lock(&generator.state) = state;
        }
        result
    }

    fn step(&mut self, state: &mut State) -> Outcome<Option<Value>> {
        if let State::Start(..) = state
            && let State::Start(source, work) = std::mem::replace(state, State::Done)
        {
            match self.start(&source, work)? {
                Some(started) => *state = started,
                None => return Ok(None),
            }
        }
        match state {
            State::Done | State::Start(..) => Ok(None),
            State::Ready(items) => Ok(items.pop()),
            State::Running(cursor, work) => self.work(cursor, work),
            State::Loop(cursor, source, node, home) => {
                if cursor.is_none() {
                    *cursor = Some(self.iterate(source)?);
                    if let Some(test) = &node.test {
                        self.enter(&test.frame, home)?;
                    }
                }
                match (cursor, &node.test) {
                    (Some(cursor), Some(test)) => self.filtered(cursor, test, home),
                    _ => Ok(None),
                }
            }
        }
    }

    /// The next item of a loop that meets its condition.
    fn filtered(
        &mut self,
        cursor: &mut Cursor,
        test: &LoopTest,
        home: &Arc<Activation>,
    ) -> Outcome<Option<Value>> {
        while let Some(item) = self.advance(cursor)? {
            self.assign(&test.target, item, home)?;
            if self.eval(&test.condition, home, None)?.is_true() {
                return rebuilt(&test.target, home).map(Some);
            }
        }
        Ok(None)
    }

    /// What a generator does when it is asked for the first time.
    fn start(&mut self, source: &Value, work: Work) -> Outcome<Option<State>> {
        Ok(match work {
            Work::Map { arguments, .. } => {
                if !source.is_true() {
                    return Ok(None);
                }
                let mapping = Some(mapping(arguments)?);
                let arguments = Arguments::default();
                Some(State::Running(
                    self.iterate(source)?,
                    Work::Map { arguments, mapping },
                ))
            }
            Work::Select {
                arguments,
                by_attribute,
                keep,
                ..
            } => {
                if !source.is_true() {
                    return Ok(None);
                }
                let selection = Some(selection(arguments, by_attribute)?);
                let work = Work::Select {
                    arguments: Arguments::default(),
                    by_attribute,
                    keep,
                    selection,
                };
                Some(State::Running(self.iterate(source)?, work))
            }
            Work::Slice { count, fill } => {
                let items = self.collect(source)?;
                let mut slices = slices(&items, &count, &fill)?;
                slices.reverse();
                Some(State::Ready(slices))
            }
            Work::Pairs => match source {
                Value::Undefined(_) => None,
                Value::Dict(dict) => {
                    let view = Value::View(View::Items, dict.clone());
                    Some(State::Running(self.iterate(&view)?, Work::Pairs))
                }
                _ => return type_fault("`items` takes a mapping"),
            },
            work => Some(State::Running(self.iterate(source)?, work)),
        })
    }

    fn work(&mut self, cursor: &mut Cursor, work: &mut Work) -> Outcome<Option<Value>> {
        match work {
            Work::Map { mapping, .. } => {
                let (Some(item), Some(mapping)) = (self.advance(cursor)?, mapping) else {
                    return Ok(None);
                };
                let mapping = mapping.clone();
                self.mapped(item, &mapping).map(Some)
            }
            Work::Select {
                selection, keep, ..
            } => {
                let (Some(selection), keep) = (selection.clone(), *keep) else {
                    return Ok(None);
                };
                while let Some(item) = self.advance(cursor)? {
                    if self.selected(&item, &selection)? == keep {
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
            Work::Unique { key, seen } => {
                while let Some(item) = self.advance(cursor)? {
                    let value = self.key(&item, key)?;
                    let known = seen.entry(hash(&value)?).or_default();
                    let mut found = false;
                    for other in &*known {
                        found |= equal(other, &value)?;
                    }
                    if !found {
                        known.push(value);
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
            Work::Batch { size, fill } => {
                let mut batch = Vec::new();
                while !matches!(size, Value::Int(size) if i64::try_from(batch.len()) == Ok(*size))
                    || batch.is_empty()
                {
                    match self.advance(cursor)? {
                        Some(item) => batch.push(item),
                        None => break,
                    }
                }
                if batch.is_empty() {
                    return Ok(None);
                }
                if !matches!(fill, Value::None) {
                    let Some(size) = as_small(size) else {
                        return type_fault("`batch` takes a whole number");
                    };
                    let size = usize::try_from(size).unwrap_or(0);
                    crate::python::fault::check_list(size)?;
                    if batch.len() < size {
                        batch.resize(size, fill.clone());
                    }
                }
                Value::list(batch).map(Some)
            }
            Work::Slice { .. } | Work::Pairs => self.advance(cursor),
        }
    }

    pub(crate) fn mapped(&mut self, item: Value, mapping: &Mapping) -> Outcome<Value> {
        match mapping {
            Mapping::Attribute(path, default) => self.follow(item, path, default.as_ref()),
            Mapping::Filter(name, arguments) => self.filter(name, item, arguments.clone()),
        }
    }

    fn selected(&mut self, item: &Value, selection: &Selection) -> Outcome<bool> {
        let lookup = match &selection.test {
            Some((name, _)) if matches!(&**name, "defined" | "undefined") => Lookup::Tentative,
            _ => Lookup::Sure,
        };
        let value = self.walked(item.clone(), &selection.path, None, lookup)?;
        match &selection.test {
            None => Ok(value.is_true()),
            Some((name, arguments)) => self.test(name, &value, arguments.clone()),
        }
    }

    /// An item's attribute, and so on along a path.
    pub(crate) fn follow(
        &mut self,
        item: Value,
        path: &[Value],
        default: Option<&Value>,
    ) -> Outcome<Value> {
        let lookup = match default {
            Some(_) => Lookup::Tentative,
            None => Lookup::Sure,
        };
        self.walked(item, path, default, lookup)
    }

    fn walked(
        &mut self,
        item: Value,
        path: &[Value],
        default: Option<&Value>,
        lookup: Lookup,
    ) -> Outcome<Value> {
        let mut value = item;
        for step in path {
            value = self.get_item(&value, step, lookup)?;
            if let (Value::Undefined(_), Some(default)) = (&value, default) {
                value = default.clone();
            }
        }
        Ok(value)
    }

    /// What an item is compared by.
    pub(crate) fn key(&mut self, item: &Value, key: &Key) -> Outcome<Value> {
        let value = self.follow(item.clone(), &key.path, None)?;
        Ok(if key.ignore_case {
            lowered(value)?
        } else {
            value
        })
    }
}

fn not_iterable<T>(value: &Value) -> Outcome<T> {
    type_fault(format!("a `{}` cannot be iterated over", value.type_name()))
}

/// Lower case for texts, all else as it is.
pub(crate) fn lowered(value: Value) -> Outcome<Value> {
    match value.as_str() {
        Some(text) => {
            meter::text(text.len())?;
            Ok(Value::text(text.to_lowercase()))
        }
        None => Ok(value),
    }
}

/// The steps of an attribute such as `a.b.0`.
pub(crate) fn path(attribute: &Value) -> Vec<Value> {
    match attribute {
        Value::None => Vec::new(),
        Value::Str(text) | Value::Markup(text) => text
            .split('.')
            .map(|part| match part.parse::<i64>() {
                Ok(place) if part.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(place),
                _ => Value::text(part),
            })
            .collect(),
        other => vec![other.clone()],
    }
}

fn mapping(mut arguments: Arguments) -> Outcome<Mapping> {
    let attribute = arguments
        .named
        .iter()
        .position(|(name, _)| &**name == "attribute");
    if let (true, Some(place)) = (arguments.positional.is_empty(), attribute) {
        let (_, attribute) = arguments.named.remove(place);
        let default = arguments
            .named
            .iter()
            .position(|(name, _)| &**name == "default");
        let default = default.map(|place| arguments.named.remove(place).1);
        if let Some((name, _)) = arguments.named.first() {
            return runtime(format!("`map` takes no argument named `{name}`"));
        }
        let default = default.filter(|value| !matches!(value, Value::None));
        return Ok(Mapping::Attribute(path(&attribute), default));
    }
    match name_of(&mut arguments)? {
        Some(name) => Ok(Mapping::Filter(name, arguments)),
        None => runtime("`map` needs the name of a filter"),
    }
}

/// Takes the name in front of other arguments.
fn name_of(arguments: &mut Arguments) -> Outcome<Option<Arc<str>>> {
    if arguments.positional.is_empty() {
        return Ok(None);
    }
    match arguments.positional.remove(0) {
        Value::Str(name) | Value::Markup(name) => Ok(Some(name)),
        other => runtime(format!(
            "a `{}` is not the name of a filter or test",
            other.type_name()
        )),
    }
}

fn selection(mut arguments: Arguments, by_attribute: bool) -> Outcome<Selection> {
    let mut steps = Vec::new();
    if by_attribute {
        if arguments.positional.is_empty() {
            return runtime("the name of an attribute is missing");
        }
        steps = path(&arguments.positional.remove(0));
    }
    let test = name_of(&mut arguments)?.map(|name| (name, arguments));
    Ok(Selection { path: steps, test })
}

fn slices(items: &[Value], count: &Value, fill: &Value) -> Outcome<Vec<Value>> {
    let Some(wanted) = as_small(count) else {
        return type_fault("`slice` takes a whole number");
    };
    if wanted == 0 {
        return Err(crate::python::fault::Fault::new(
            crate::python::fault::FaultKind::ZeroDivision,
            "`slice` into no slices",
        ));
    }
    let count = usize::try_from(wanted).unwrap_or(0);
    crate::python::fault::check_list(count)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let (size, extra) = (items.len() / count, items.len() % count);
    let mut start = 0;
    let mut found = Vec::new();
    for number in 0..count {
        let end = start + size + usize::from(number < extra);
        let mut slice = items[start..end].to_vec();
        if number >= extra && !matches!(fill, Value::None) {
            slice.push(fill.clone());
        }
        found.push(Value::list(slice)?);
        start = end;
    }
    Ok(found)
}

/// The item a loop's condition was asked about, as its names hold it.
fn rebuilt(target: &Target, home: &Arc<Activation>) -> Outcome<Value> {
    match target {
        Target::Name(variable) => Ok(super::machine::load(variable.place, home)
            .unwrap_or_else(|| Value::undefined(format!("`{}` is undefined", variable.name)))),
        Target::Tuple(targets) => Value::tuple(
            targets
                .iter()
                .map(|target| rebuilt(target, home))
                .collect::<Outcome<_>>()?,
        ),
        Target::Attribute(..) => value_fault("a namespace as the target of a loop"),
    }
}
