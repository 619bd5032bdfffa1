//! The one place where what changes from run to run is made to stand still.

use std::sync::LazyLock;

use regex::Regex;

use crate::needs::drivers;
use crate::sandbox::Sandbox;

/// Patterns and what stands for them, in the order they are applied.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?",
            "[TIMESTAMP]",
        ),
        (r"custom-connector-[0-9a-f]{7}\b", "custom-connector-[ID]"),
        (
            r"\b(DuckDB|Firebird|MariaDB|PostgreSQL|SQLite) v?\d+(\.\d+)*( \([^)]*\))?",
            "$1 [VERSION]",
        ),
        (r"\b\d+(\.\d+)? ?(µs|ms|s|min)\b", "[TIME]"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).expect("a valid pattern"), name))
    .into()
});

/// The text with folders, ports, names of databases, times and versions replaced by their names in brackets.
pub(crate) fn redact(sandbox: &Sandbox, text: &str) -> String {
    let mut text = text.replace(&*sandbox.work().to_string_lossy(), "[DIR]");
    text = text.replace(&*sandbox.folder().to_string_lossy(), "[SANDBOX]");
    text = text.replace(&*drivers().to_string_lossy(), "[DRIVERS]");
    if let Some(database) = sandbox.database() {
        text = text.replace(&database.user, "[USER]");
        text = text.replace(&database.name, "[DATABASE]");
        text = text.replace(&database.port.to_string(), "[PORT]");
    }
    PATTERNS.iter().fold(text, |text, (pattern, name)| {
        pattern.replace_all(&text, *name).into_owned()
    })
}
