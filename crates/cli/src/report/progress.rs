//! What is shown on standard error while the suite runs.

use bowline_conformance::{Event, Verdict};
use indicatif::ProgressBar;

use super::words::plural;
use crate::output::Printer;

/// A progress bar that follows the suite's events.
pub(crate) struct Progress {
    bar: ProgressBar,
    short: usize,
}

impl Progress {
    /// A bar that waits for the first event.
    pub(crate) fn new(printer: &Printer, connector: &str) -> Self {
        let bar = printer.bar("{spinner} {prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_prefix(format!("testing {connector}"));
        bar.set_message("connecting");
        Self { bar, short: 0 }
    }

    /// Takes one event in.
    pub(crate) fn on_event(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { checks } => self.bar.set_length(*checks as u64),
            Event::Connected { product, .. } => self.bar.set_message((*product).to_owned()),
            Event::Finished { check, verdict, .. } => {
                if *verdict == Verdict::Wrong {
                    self.short += 1;
                }
                let short = match self.short {
                    0 => String::new(),
                    count => format!(" · {count} wrong so far"),
                };
                self.bar.set_message(format!("{}{short}", check.id));
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
