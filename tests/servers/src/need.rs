//! What tests cannot run without.

use std::fmt::Display;

/// Whether every need must be met: in CI a test that did not run would look like one that passed.
#[must_use]
pub fn needs_are_demanded() -> bool {
    std::env::var_os("CI").is_some()
}

/// What a test needs, where it is there; where it is not, the test says that it did not run.
///
/// # Panics
/// Without it, when needs are demanded.
#[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
pub fn needed<T>(found: Result<T, impl Display>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if needs_are_demanded() => panic!("{reason}"),
        Err(reason) => {
            eprintln!("not run: {reason}");
            None
        }
    }
}
