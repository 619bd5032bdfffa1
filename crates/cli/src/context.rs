//! What every command works with.

use std::path::PathBuf;
use std::sync::Arc;

use crate::output::Printer;

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) printer: Arc<Printer>,
    /// The directory the command works in.
    pub(crate) directory: PathBuf,
}

impl Context {
    /// The same, working in another directory.
    pub(crate) fn within(&self, directory: PathBuf) -> Self {
        Self {
            printer: Arc::clone(&self.printer),
            directory,
        }
    }
}
