//! What is shown on standard error while the suite runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_conformance::{Event, Verdict};
use bowline_words::counted;
use indicatif::ProgressBar;

use crate::output::Printer;

/// A bar for a suite that has not begun yet.
pub(super) fn bar(printer: &Printer, connector: &str) -> ProgressBar {
    let bar = printer.bar("{spinner} {prefix} {wide_bar} {pos}/{len} {msg}");
    bar.set_prefix(format!("testing {connector}"));
    bar.set_message("connecting");
    bar
}

/// The end of a message when checks are wrong.
pub(super) fn so_far(wrong: usize) -> String {
    match wrong {
        0 => String::new(),
        count => format!(" · {count} wrong so far"),
    }
}

/// A progress bar that follows the suite's events.
pub(crate) struct Progress {
    bar: ProgressBar,
    wrong: AtomicUsize,
}

impl Progress {
    /// A bar that waits for the first event.
    pub(crate) fn new(printer: &Printer, connector: &str) -> Self {
        Self {
            bar: bar(printer, connector),
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
                let wrong = self.wrong.fetch_add(wrong, Ordering::Relaxed) + wrong;
                self.bar
                    .set_message(format!("{}{}", check.id, so_far(wrong)));
                self.bar.inc(1);
            }
            Event::Blaming { checks } => self.bar.set_message(format!(
                "finding out what {} fell short of",
                counted(*checks, "check")
            )),
            Event::CleaningUp => self.bar.set_message("removing the test table"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
