//! What the terminal is like, and what is shown on it while something takes its time.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use dialoguer::console::Term;

use crate::output::Printer;

/// How long somebody waits without wondering.
const SOON: Duration = Duration::from_millis(400);

/// How many columns standard output has; none when it is no terminal.
pub(crate) fn width() -> Option<usize> {
    columns(&Term::stdout())
}

/// How many columns standard error has; none when it is no terminal.
pub(crate) fn width_of_errors() -> Option<usize> {
    columns(&Term::stderr())
}

fn columns(terminal: &Term) -> Option<usize> {
    let (_, columns) = terminal.size_checked()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

/// Does something, and says on the terminal what it is when it takes its time.
pub(crate) fn waiting<T>(printer: &Printer, what: &'static str, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(SOON) {
                let bar = printer.bar("{spinner} {msg} {elapsed}");
                bar.set_message(what);
                // It never carries anything; it ends with the work.
                let _ = ended.recv();
                bar.finish_and_clear();
            }
        });
        let _done = done;
        work()
    })
}
