//! The one environment that all expressions share: it holds no state of any connector.

use std::sync::{Arc, LazyLock};

use bowline_template::{Absent, Environment};

use super::filters;

pub(super) static ENVIRONMENT: LazyLock<Arc<Environment>> = LazyLock::new(|| {
    let environment = Environment::new(Absent::Chained)
        .with_filters(filters::filters())
        .with_tests(filters::tests());
    Arc::new(environment)
});
