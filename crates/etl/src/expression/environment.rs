//! The one environment that all expressions share: it holds no state of any connector.

use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::filters;

pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("default", filters::default);
    environment.add_filter("d", filters::default);
    environment.add_test("defined", filters::is_defined);
    environment.add_test("undefined", filters::is_undefined);
    environment.add_test("containing", filters::containing);
    environment.add_test("holding", filters::holding);
    environment.add_test("matching", filters::matching);
    environment.add_filter("time", filters::time);
    environment.add_filter("epoch", filters::epoch);
    environment.add_filter("epoch_ms", filters::epoch_ms);
    environment.add_filter("duration", filters::duration);
    environment.add_filter("capture", filters::capture);
    environment.add_filter("lookup", filters::lookup);
    environment.add_filter("entry", filters::entry);
    environment.add_filter("with_prefix", filters::with_prefix);
    environment.add_filter("prefixed", filters::prefixed);
    environment.add_filter("flatten", filters::flatten);
    environment.add_filter("having", filters::having);
    environment.add_filter("pluck", filters::pluck);
    environment.add_filter("python_list", filters::python_list);
    environment.add_filter("next_link", filters::next_link);
    environment.add_filter("tojson", filters::tojson);
    environment.add_filter("present", filters::present);
    environment
});

/// Filters that a mistyped name may have meant.
const FILTERS: [&str; 37] = [
    "abs",
    "capture",
    "default",
    "duration",
    "entry",
    "epoch",
    "epoch_ms",
    "first",
    "flatten",
    "groupby",
    "having",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lookup",
    "lower",
    "map",
    "max",
    "min",
    "next_link",
    "pluck",
    "prefixed",
    "present",
    "python_list",
    "reject",
    "rejectattr",
    "replace",
    "select",
    "selectattr",
    "sort",
    "time",
    "tojson",
    "unique",
    "with_prefix",
];

/// A filter in an expression that there is not, and the nearest one there is.
///
/// Jinja itself tells of it only when it gets there, which may be with the one record in a thousand.
pub(super) fn unknown_filter(expression: &str) -> Option<(String, Option<&'static str>)> {
    let unknown = filters_of(expression).find(|name| {
        let probe = ENVIRONMENT.compile_expression_owned(format!("none | {name}"));
        probe
            .and_then(|probe| probe.eval(Value::UNDEFINED))
            .is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
    })?;
    let near = bowline_contract::nearest(unknown, FILTERS);
    Some((unknown.to_owned(), near))
}

/// The names behind `|`, outside of texts.
fn filters_of(expression: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let mut escaped = false;
    let mut starts = Vec::new();
    for (at, character) in expression.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '|') => starts.push(at + 1),
            (None, _) => {}
        }
    }
    starts.into_iter().map(|start| {
        let name = expression[start..].trim_start();
        let end = name
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        &name[..end]
    })
}
