//! Jinja's filters.

mod escape;
mod number;
mod sequence;
mod text;

pub(crate) use sequence::merge_sort;

use super::machine::Machine;
use crate::python::arguments::Arguments;
use crate::python::fault::{Outcome, unsupported};
use crate::python::meter;
use crate::python::value::Value;
use crate::syntax::scope::unknown;

/// The names of the filters, sorted.
pub(crate) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

impl Machine {
    /// Applies a filter.
    pub(crate) fn filter(
        &mut self,
        name: &str,
        value: Value,
        arguments: Arguments,
    ) -> Outcome<Value> {
        let environment = self.environment.clone();
        if let Some(filter) = environment.filter(name) {
            return filter.call(self, value, arguments);
        }
        let Ok(place) = NAMES.binary_search(&name) else {
            return Err(unknown("filter", name, environment.filter_names()));
        };
        let name = &NAMES[place];
        meter::operand(&value)?;
        for argument in arguments.all() {
            meter::operand(argument)?;
        }
        let value = match *name {
            "dictsort" | "items" | "last" | "reverse" | "urlencode" => {
                value.plain().unwrap_or(value)
            }
            _ => value,
        };
        let result = match *name {
            "abs" | "filesizeformat" | "float" | "int" | "round" => {
                number::apply(name, &value, arguments)
            }
            "capitalize" | "center" | "format" | "indent" | "lower" | "replace" | "string"
            | "title" | "trim" | "truncate" | "upper" | "wordcount" => {
                text::apply(name, value, arguments)
            }
            "e" | "escape" | "forceescape" | "safe" | "tojson" | "urlencode" => {
                escape::apply(self, name, value, arguments)
            }
            "pprint" => unsupported("the filter `pprint`: it lays values out by their width"),
            "random" => unsupported("the filter `random`: its result cannot be repeated"),
            "striptags" | "urlize" | "xmlattr" => {
                unsupported(format!("the filter `{name}`: templates make no HTML here"))
            }
            "wordwrap" => unsupported("the filter `wordwrap`"),
            _ => sequence::apply(self, name, value, arguments),
        }?;
        self.pay(result)
    }
}
