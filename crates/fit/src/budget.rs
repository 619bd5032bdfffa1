//! How much a fit may ask.

use std::time::{Duration, Instant};

use bowline_conformance::warehouse::{Interrupt, Trial};

/// How much a fit may ask, and whether somebody stopped it.
#[derive(Clone)]
pub(crate) struct Budget {
    pub(crate) statements: usize,
    pub(crate) until: Option<Instant>,
    pub(crate) interrupt: Interrupt,
}

impl Budget {
    pub(crate) fn new(
        statements: Option<usize>,
        time: Option<Duration>,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            statements: statements.unwrap_or(usize::MAX),
            until: time.map(|time| Instant::now() + time),
            interrupt,
        }
    }

    /// Whether nothing more may be asked.
    pub(crate) fn is_spent(&self, trial: &Trial) -> bool {
        self.interrupt.is_stopped()
            || trial.is_lost()
            || trial.statements() >= self.statements
            || self.until.is_some_and(|until| Instant::now() >= until)
    }
}
