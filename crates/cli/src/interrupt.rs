//! Ctrl-C: the first asks the running work to stop and clean up, the second leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bowline_contract::exit_code;

use crate::error::CliError;

type Action = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

/// The process's handling of Ctrl-C and of a request to terminate.
#[derive(Clone)]
pub(crate) struct Interrupt {
    flag: Arc<AtomicBool>,
    action: Action,
}

impl Interrupt {
    /// Takes over the handling; once in a process.
    pub(crate) fn install() -> Result<Self, CliError> {
        let interrupt = Self {
            flag: Arc::default(),
            action: Arc::default(),
        };
        let handled = interrupt.clone();
        ctrlc::set_handler(move || handled.fire())
            .map_err(|error| CliError::Internal(format!("Ctrl-C cannot be handled: {error}")))?;
        Ok(interrupt)
    }

    /// The flag that the first Ctrl-C sets.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// What else the first Ctrl-C does.
    pub(crate) fn also(&self, action: impl Fn() + Send + 'static) {
        *self.action.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
    }

    fn fire(&self) {
        if self.flag.swap(true, Ordering::SeqCst) {
            std::process::exit(exit_code::INTERRUPTED);
        }
        if let Some(action) = &*self.action.lock().unwrap_or_else(PoisonError::into_inner) {
            action();
        }
    }
}
