//! The one environment that all expressions share: it holds no state of any connector.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior};

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
