//! Ctrl-C: the first asks the running work to stop and clean up, the second leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use bowline_contract::exit_code;

use crate::error::CliError;

/// What the first Ctrl-C does. Signals are the process's, and so is this.
static ACTION: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);
static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C, or request to terminate, does this; the second ends the process.
///
/// An action takes the place of the one before. When the user has asked already, it is done at once.
pub(crate) fn on_interrupt(action: impl Fn() + Send + 'static) -> Result<(), CliError> {
    static HANDLED: OnceLock<Result<(), String>> = OnceLock::new();
    *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
    HANDLED
        .get_or_init(|| ctrlc::set_handler(interrupted).map_err(|error| error.to_string()))
        .clone()
        .map_err(|error| CliError::Internal(format!("Ctrl-C cannot be handled: {error}")))?;
    if ASKED.load(Ordering::SeqCst) {
        act();
    }
    Ok(())
}

fn interrupted() {
    if ASKED.swap(true, Ordering::SeqCst) {
        std::process::exit(exit_code::INTERRUPTED);
    }
    act();
}

fn act() {
    if let Some(action) = &*ACTION.lock().unwrap_or_else(PoisonError::into_inner) {
        action();
    }
}
