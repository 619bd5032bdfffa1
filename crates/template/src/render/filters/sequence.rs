//! Filters on sequences and mappings.

use std::collections::HashMap;

use crate::python::arguments::{Arguments, Bound, Signature};
use crate::python::compare::{equal, order};
use crate::python::fault::{Outcome, check_text, runtime, type_fault, unsupported};
use crate::python::form::{to_text, write_text};
use crate::python::meter;
use crate::python::number::Arithmetic;
use crate::python::ops::{binary, length};
use crate::python::value::{TupleNames, Value};
use crate::render::iterate::{Key, State, Work, generator, lowered, path};
use crate::render::looping;
use crate::render::machine::Machine;
use crate::render::object::Object;

static GROUP: TupleNames = TupleNames {
    title: None,
    names: &["grouper", "list"],
};

pub(super) fn apply(
    machine: &mut Machine,
    name: &'static str,
    value: Value,
    arguments: Arguments,
) -> Outcome<Value> {
    match name {
        "default" | "d" => {
            let signature = Signature::by_name(name, &["default_value", "boolean"], 0);
            let bound = arguments.bind(signature)?;
            let replaced = value.is_undefined() || (bound.is_true(1, false) && !value.is_true());
            if !replaced {
                return Ok(value);
            }
            Ok(bound.get(0).cloned().unwrap_or_else(|| Value::text("")))
        }
        "attr" => {
            let bound = arguments.bind(Signature::by_name(name, &["name"], 1))?;
            let attribute = bound.text(0)?;
            let found = machine.found_attribute(&value, attribute)?;
            Ok(found.unwrap_or_else(|| {
                Value::undefined(format!(
                    "a `{}` has no attribute `{attribute}`",
                    value.type_name()
                ))
            }))
        }
        "length" | "count" => {
            arguments.none(name)?;
            if let Value::Object(object) = &value
                && let Some(running) = looping::of(object)
            {
                return running.length(machine).map(Value::Int);
            }
            length(&value).map(Value::size)
        }
        "list" => {
            arguments.none(name)?;
            Value::list(machine.collect(&value)?)
        }
        "first" => {
            arguments.none(name)?;
            let mut cursor = machine.iterate(&value)?;
            let first = machine.advance(&mut cursor)?;
            Ok(first.unwrap_or_else(|| Value::undefined("there is no first item")))
        }
        "last" => {
            arguments.none(name)?;
            let last = reversed(machine, &value)?.into_iter().next();
            Ok(last.unwrap_or_else(|| Value::undefined("there is no last item")))
        }
        "join" => {
            let bound = arguments.bind(Signature::by_name(name, &["d", "attribute"], 0))?;
            join(machine, &value, &bound).map(Value::text)
        }
        "reverse" => {
            arguments.none(name)?;
            reverse(machine, value)
        }
        "sum" => {
            let bound = arguments.bind(Signature::by_name(name, &["attribute", "start"], 0))?;
            sum(machine, &value, &bound)
        }
        "min" | "max" => {
            let signature = Signature::by_name(name, &["case_sensitive", "attribute"], 0);
            let bound = arguments.bind(signature)?;
            let key = key(&bound, 0, 1);
            extreme(machine, &value, &key, name == "max")
        }
        "sort" => {
            let names = &["reverse", "case_sensitive", "attribute"];
            let bound = arguments.bind(Signature::by_name(name, names, 0))?;
            sort(machine, &value, &bound)
        }
        "dictsort" => {
            let names = &["case_sensitive", "by", "reverse"];
            let bound = arguments.bind(Signature::by_name(name, names, 0))?;
            dict_sort(&value, &bound)
        }
        "groupby" => {
            let names = &["attribute", "default", "case_sensitive"];
            let bound = arguments.bind(Signature::by_name(name, names, 1))?;
            group_by(machine, &value, &bound)
        }
        _ => lazy(name, value, arguments),
    }
}

/// Filters that work only when their items are asked for.
fn lazy(name: &'static str, value: Value, arguments: Arguments) -> Outcome<Value> {
    let held = |arguments: &Arguments| -> Vec<Value> {
        let named = arguments.named.iter().map(|(_, value)| value);
        arguments.positional.iter().chain(named).cloned().collect()
    };
    let (inside, work) = match name {
        "map" => (
            held(&arguments),
            Work::Map {
                arguments,
                mapping: None,
            },
        ),
        "select" | "reject" | "selectattr" | "rejectattr" => (
            held(&arguments),
            Work::Select {
                arguments,
                by_attribute: name.ends_with("attr"),
                keep: name.starts_with("select"),
                selection: None,
            },
        ),
        "unique" => {
            let signature = Signature::by_name(name, &["case_sensitive", "attribute"], 0);
            let bound = arguments.bind(signature)?;
            let work = Work::Unique {
                key: key(&bound, 0, 1),
                seen: HashMap::new(),
            };
            (Vec::new(), work)
        }
        "batch" => {
            let bound = arguments.bind(Signature::by_name(name, &["linecount", "fill_with"], 1))?;
            let (size, fill) = (bound.required(0).clone(), bound.required(1).clone());
            (vec![fill.clone()], Work::Batch { size, fill })
        }
        "slice" => {
            let bound = arguments.bind(Signature::by_name(name, &["slices", "fill_with"], 1))?;
            let (count, fill) = (bound.required(0).clone(), bound.required(1).clone());
            (vec![fill.clone()], Work::Slice { count, fill })
        }
        _ => {
            arguments.none(name)?;
            (Vec::new(), Work::Pairs)
        }
    };
    let mut inside: Vec<&Value> = inside.iter().collect();
    let source = value.clone();
    inside.push(&source);
    generator("generator", &inside, State::Start(value, work))
}

fn key(bound: &Bound, case_sensitive: usize, attribute: usize) -> Key {
    Key {
        path: bound.some(attribute).map(path).unwrap_or_default(),
        ignore_case: !bound.is_true(case_sensitive, false),
    }
}

/// `reversed(value)`
fn reversed(machine: &mut Machine, value: &Value) -> Outcome<Vec<Value>> {
    let reversible = matches!(
        value,
        Value::Undefined(_)
            | Value::Str(_)
            | Value::Markup(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::View(..)
            | Value::Range(_)
    );
    if !reversible {
        return type_fault(format!("a `{}` cannot be reversed", value.type_name()));
    }
    let mut items = machine.collect(value)?;
    items.reverse();
    Ok(items)
}

fn reverse(machine: &mut Machine, value: Value) -> Outcome<Value> {
    match &value {
        Value::Str(text) | Value::Markup(text) => {
            let turned: String = text.chars().rev().collect();
            Ok(match value {
                Value::Markup(_) => Value::Markup(turned.into()),
                _ => Value::text(turned),
            })
        }
        Value::Object(object) => match &**object {
            Object::Generator(_) => {
                let mut items = machine.collect(&value)?;
                items.reverse();
                Value::list(items)
            }
            _ => runtime("`reverse` takes something to iterate over"),
        },
        _ => match reversed(machine, &value) {
            Ok(mut items) => {
                items.reverse();
                generator("reversed", &[&value], State::Ready(items))
            }
            Err(_) => runtime("`reverse` takes something to iterate over"),
        },
    }
}

fn join(machine: &mut Machine, value: &Value, bound: &Bound) -> Outcome<String> {
    let separator = match bound.get(0) {
        Some(separator) => to_text(separator)?,
        None => String::new(),
    };
    let attribute = bound.some(1).map(path);
    let mut cursor = machine.iterate(value)?;
    let mut out = String::new();
    let mut first = true;
    while let Some(item) = machine.advance(&mut cursor)? {
        if !first {
            out.push_str(&separator);
        }
        first = false;
        let item = match &attribute {
            Some(path) => machine.follow(item, path, None)?,
            None => item,
        };
        write_text(&item, &mut out)?;
        check_text(out.len())?;
    }
    Ok(out)
}

fn sum(machine: &mut Machine, value: &Value, bound: &Bound) -> Outcome<Value> {
    let attribute = bound.some(0).map(path);
    let start = bound.get(1).cloned().unwrap_or(Value::Int(0));
    if start.as_str().is_some() {
        return type_fault("`sum` does not join texts");
    }
    let mut total = start;
    // Newer versions of Python carry the rounding error of floats along; where that changes the sum, there is no one answer.
    let mut carried: Option<(f64, f64)> = None;
    let mut cursor = machine.iterate(value)?;
    while let Some(item) = machine.advance(&mut cursor)? {
        let item = match &attribute {
            Some(path) => machine.follow(item, path, None)?,
            None => item,
        };
        if let (Value::Float(sum), Some(next)) = (&total, as_float(&item)) {
            let (exact, lost) = carried.unwrap_or((*sum, 0.0));
            let added = exact + next;
            let error = if exact.abs() >= next.abs() {
                (exact - added) + next
            } else {
                (next - added) + exact
            };
            carried = Some((added, lost + error));
        }
        total = binary(Arithmetic::Add, &total, &item)?;
        total = machine.pay(total)?;
    }
    if let (Value::Float(sum), Some((exact, lost))) = (&total, carried)
        && (exact + lost).is_finite()
        && exact + lost != *sum
    {
        return unsupported(
            "`sum` of floats whose result depends on the version of Python; add them with `+`",
        );
    }
    Ok(total)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python adds whole numbers to floats so"
)]
fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}

fn extreme(machine: &mut Machine, value: &Value, key: &Key, greatest: bool) -> Outcome<Value> {
    let mut cursor = machine.iterate(value)?;
    let Some(mut best) = machine.advance(&mut cursor)? else {
        return Ok(Value::undefined(
            "there is no item to take, the sequence is empty",
        ));
    };
    let mut best_key = machine.key(&best, key)?;
    while let Some(item) = machine.advance(&mut cursor)? {
        let item_key = machine.key(&item, key)?;
        let better = if greatest {
            less(&best_key, &item_key, ">")?
        } else {
            less(&item_key, &best_key, "<")?
        };
        if better {
            (best, best_key) = (item, item_key);
        }
    }
    Ok(best)
}

fn less(a: &Value, b: &Value, sign: &str) -> Outcome<bool> {
    Ok(order(a, b, sign)?.is_some_and(std::cmp::Ordering::is_lt))
}

/// Sorts what is there with its keys; equal keys keep their order, also when the greatest comes first.
fn sorted(keyed: Vec<(Value, Value)>, descending: bool) -> Outcome<Vec<Value>> {
    let mut keyed = keyed;
    merge_sort(&mut keyed, &mut |a, b| {
        if holds_nan(&a.0) || holds_nan(&b.0) {
            return unsupported("sorting values with NaN among them");
        }
        if descending {
            less(&a.0, &b.0, "<")
        } else {
            less(&b.0, &a.0, "<")
        }
    })?;
    Ok(keyed.into_iter().map(|(_, value)| value).collect())
}

fn holds_nan(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::List(items) | Value::Tuple(items) => items.values.iter().any(holds_nan),
        _ => false,
    }
}

/// A stable sort whose comparison may fail; `after` says whether the second item must come before the first.
pub(crate) fn merge_sort<T: Clone>(
    items: &mut Vec<T>,
    after: &mut impl FnMut(&T, &T) -> Outcome<bool>,
) -> Outcome<()> {
    if items.len() < 2 {
        return Ok(());
    }
    let mut right = items.split_off(items.len() / 2);
    merge_sort(items, after)?;
    merge_sort(&mut right, after)?;
    let left = std::mem::take(items);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if after(a, b)? {
            right.next()
        } else {
            left.next()
        };
        items.extend(next);
    }
    items.extend(left);
    items.extend(right);
    Ok(())
}

fn sort(machine: &mut Machine, value: &Value, bound: &Bound) -> Outcome<Value> {
    let ignore_case = !bound.is_true(1, false);
    let attributes: Vec<Value> = match bound.some(2) {
        Some(Value::Str(names)) => names.split(',').map(Value::text).collect(),
        Some(other) => vec![other.clone()],
        None => vec![Value::None],
    };
    let keys: Vec<Key> = attributes
        .iter()
        .map(|attribute| Key {
            path: path(attribute),
            ignore_case,
        })
        .collect();
    let mut keyed = Vec::new();
    for item in machine.collect(value)? {
        let parts: Vec<Value> = keys
            .iter()
            .map(|key| machine.key(&item, key))
            .collect::<Outcome<_>>()?;
        keyed.push((Value::list(parts)?, item));
    }
    Value::list(sorted(keyed, bound.is_true(0, false))?)
}

fn dict_sort(value: &Value, bound: &Bound) -> Outcome<Value> {
    let by = match bound.get(1) {
        None => 0,
        Some(by) => match by.as_str() {
            Some("key") => 0,
            Some("value") => 1,
            _ => return runtime("`dictsort` sorts by `key` or `value`"),
        },
    };
    let dict = match value {
        Value::Dict(dict) => dict,
        Value::Undefined(missing) => return Err(missing.fault()),
        _ => {
            return type_fault(format!(
                "`dictsort` takes a mapping, not a `{}`",
                value.type_name()
            ));
        }
    };
    let mut keyed = Vec::new();
    for (key, value) in dict.iter() {
        meter::spend(1)?;
        let part = if by == 0 { key } else { value };
        let sort_key = if bound.is_true(0, false) {
            part.clone()
        } else {
            lowered(part.clone())?
        };
        keyed.push((sort_key, Value::tuple(vec![key.clone(), value.clone()])?));
    }
    Value::list(sorted(keyed, bound.is_true(2, false))?)
}

fn group_by(machine: &mut Machine, value: &Value, bound: &Bound) -> Outcome<Value> {
    let steps = path(bound.required(0));
    let default = bound.some(1);
    let case_sensitive = bound.is_true(2, false);
    let mut keyed = Vec::new();
    for item in machine.collect(value)? {
        let key = machine.follow(item.clone(), &steps, default)?;
        let key = if case_sensitive { key } else { lowered(key)? };
        keyed.push((key.clone(), Value::tuple(vec![key, item])?));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in sorted(keyed, false)? {
        let Value::Tuple(pair) = pair else { continue };
        let [key, item] = &pair.values[..] else {
            continue;
        };
        match groups.last_mut() {
            Some((last, items)) if equal(last, key)? => items.push(item.clone()),
            _ => groups.push((key.clone(), vec![item.clone()])),
        }
    }
    let mut found = Vec::new();
    for (key, items) in groups {
        let key = match items.first() {
            Some(first) if !case_sensitive => machine.follow(first.clone(), &steps, default)?,
            _ => key,
        };
        found.push(Value::named_tuple(&GROUP, vec![key, Value::list(items)?])?);
    }
    Value::list(found)
}
