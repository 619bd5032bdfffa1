//! What is shown on standard error while a suite runs.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_conformance::{Event, Verdict, pipeline, warehouse};
use bowline_words::counted;
use indicatif::ProgressBar;

use crate::output::Printer;

/// A progress bar that follows a suite's events.
pub(crate) struct Progress<'p> {
    bar: ProgressBar,
    printer: &'p Printer,
    wrong: AtomicUsize,
}

impl<'p> Progress<'p> {
    /// A bar that waits for the first event.
    pub(crate) fn new(printer: &'p Printer, connector: &str) -> Self {
        let bar = printer.bar("{spinner} {prefix} {bar:20} {pos}/{len} {wide_msg}");
        bar.set_prefix(format!("testing {connector}"));
        bar.set_message("connecting");
        Self {
            bar,
            printer,
            wrong: AtomicUsize::new(0),
        }
    }

    /// Takes an event of the suite for warehouses in.
    pub(crate) fn on_warehouse(&self, event: warehouse::Event<'_>) {
        match event {
            Event::Started { checks } => self.bar.set_length(checks as u64),
            Event::Finished { check, verdict } => self.finished(&check.id, verdict),
            Event::Doing(warehouse::Activity::Connected { product, .. }) => {
                self.bar.set_message(product.to_owned());
            }
            Event::Doing(warehouse::Activity::Blaming { checks }) => {
                self.bar.set_message(format!(
                    "finding out what {} fell short of",
                    counted(checks, "check")
                ));
            }
            Event::Doing(warehouse::Activity::CleaningUp) => {
                self.bar.set_message("removing the test table");
            }
        }
    }

    /// Takes an event of the suite for pipelines in.
    pub(crate) fn on_pipeline(&self, event: pipeline::Event<'_>) {
        match event {
            Event::Started { checks } => self.bar.set_length(checks as u64),
            Event::Finished { check, verdict } => self.finished(&check.id, verdict),
            Event::Doing(pipeline::Activity::Reading { what }) => {
                self.printer.detail(format!("reading {what}"));
                self.bar.set_message("reading");
            }
            Event::Doing(pipeline::Activity::Read { events }) => {
                let events = counted(events, "event");
                self.bar
                    .set_message(format!("reading, {events}{}", self.so_far()));
            }
        }
    }

    fn finished(&self, check: &dyn Display, verdict: Verdict) {
        if verdict == Verdict::Wrong {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        self.bar.set_message(format!("{check}{}", self.so_far()));
        self.bar.inc(1);
    }

    /// The end of a message when checks fell short. Which are wrong is known at the end only, when excuses are looked for.
    fn so_far(&self) -> String {
        match self.wrong.load(Ordering::Relaxed) {
            0 => String::new(),
            count => format!(" · {count} fell short so far"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
