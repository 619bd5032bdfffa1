//! A way to stop work from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{OciError, OciErrorKind};

/// A wish to stop, shared by those who wish and those who work.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the work to stop at the next place where nothing is left half-done.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the work shall stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The wish as a flag, for work that knows nothing else.
    #[must_use]
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Goes on, or stops.
    ///
    /// # Errors
    /// Kind `Cancelled` once the work shall stop; `what` is the work.
    pub fn check(&self, what: &str) -> Result<(), OciError> {
        if self.is_cancelled() {
            return Err(OciError::new(OciErrorKind::Cancelled, what));
        }
        Ok(())
    }
}
