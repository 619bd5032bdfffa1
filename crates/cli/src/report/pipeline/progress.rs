//! What is shown on standard error while the suite for pipelines runs.

use std::cell::Cell;

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::Event;
use bowline_words::counted;
use indicatif::ProgressBar;

use crate::output::Printer;
use crate::report::progress::{bar, so_far};

/// A progress bar that follows the suite's events.
pub(crate) struct Progress<'p> {
    bar: ProgressBar,
    printer: &'p Printer,
    wrong: Cell<usize>,
}

impl<'p> Progress<'p> {
    /// A bar that waits for the first event.
    pub(crate) fn new(printer: &'p Printer, connector: &str) -> Self {
        Self {
            bar: bar(printer, connector),
            printer,
            wrong: Cell::new(0),
        }
    }

    /// Takes one event in.
    pub(crate) fn on_event(&self, event: Event<'_>) {
        match event {
            Event::Started { checks } => self.bar.set_length(checks as u64),
            Event::Reading { what } => {
                self.printer.detail(format!("reading {what}"));
                self.bar.set_message("reading");
            }
            Event::Read { events } => {
                let wrong = so_far(self.wrong.get());
                let events = counted(events, "event");
                self.bar.set_message(format!("reading, {events}{wrong}"));
            }
            Event::Finished { check, verdict } => {
                if verdict == Verdict::Wrong {
                    self.wrong.set(self.wrong.get() + 1);
                }
                self.bar.set_message(check.id);
                self.bar.inc(1);
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
