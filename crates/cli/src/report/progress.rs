//! What is shown on standard error while the suite runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_conformance::{Event, Verdict};
use indicatif::ProgressBar;

use super::words::plural;
use crate::output::Printer;

/// A progress bar that follows the suite's events.
pub(crate) struct Progress {
    bar: ProgressBar,
    wrong: AtomicUsize,
}

impl Progress {
    /// A bar that waits for the first event.
    pub(crate) fn new(printer: &Printer, connector: &str) -> Self {
        let bar = printer.bar("{spinner} {prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_prefix(format!("testing {connector}"));
        bar.set_message("connecting");
        Self {
            bar,
            wrong: AtomicUsize::new(0),
        }
    }

    /// Takes one event in.
    pub(crate) fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Started { checks } => self.bar.set_length(*checks as u64),
            Event::Connected { product, .. } => self.bar.set_message((*product).to_owned()),
            Event::Finished { check, verdict, .. } => {
                let wrong = usize::from(*verdict == Verdict::Wrong);
                let so_far = match self.wrong.fetch_add(wrong, Ordering::Relaxed) + wrong {
                    0 => String::new(),
                    count => format!(" · {count} wrong so far"),
                };
                self.bar.set_message(format!("{}{so_far}", check.id));
                self.bar.inc(1);
            }
            Event::Blaming { checks } => self.bar.set_message(format!(
                "finding out what {} fell short of",
                plural(*checks, "check")
            )),
            Event::CleaningUp => self.bar.set_message("removing the test table"),
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
