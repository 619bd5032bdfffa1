//! Ctrl-C: the first asks the running work to stop and clean up, the second leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};

use bowline_contract::exit_code;

use crate::error::CliError;

/// From now on the first Ctrl-C, or request to terminate, does this; the second ends the process. Once in a process.
pub(crate) fn on_interrupt(action: impl Fn() + Send + 'static) -> Result<(), CliError> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(exit_code::INTERRUPTED);
        }
        action();
    })
    .map_err(|error| CliError::Internal(format!("Ctrl-C cannot be handled: {error}")))
}
