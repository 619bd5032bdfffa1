//! What Ctrl-C stops: a run, not the process.

use std::fmt;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bowline_contract::exit_code;

use crate::WorkbenchError;

/// What is done when a run is stopped.
type Action = dyn Fn() + Send + Sync;

/// One run of something that takes its time, and can be stopped. Copies are the same run.
///
/// Once stopped, a run stays so; what comes after it is another run.
#[derive(Clone, Default)]
pub struct Run {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    watchers: Mutex<Watchers>,
}

/// What wants to know that the run was stopped, as long as somebody holds it.
#[derive(Default)]
struct Watchers {
    actions: Vec<Weak<Action>>,
    flags: Vec<Weak<AtomicBool>>,
}

/// What is done when a run is stopped, until this is dropped.
#[must_use = "nothing is done at a stop once this is dropped"]
pub struct OnStop {
    _action: Arc<Action>,
}

impl Run {
    /// A run that nobody has stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run: asks its work to clean up and end. Gives whether this was the first time.
    pub fn stop(&self) -> bool {
        let watchers = {
            let mut watchers = self.watchers();
            if self.shared.stopped.swap(true, Ordering::SeqCst) {
                return false;
            }
            std::mem::take(&mut *watchers)
        };
        for flag in watchers.flags.iter().filter_map(Weak::upgrade) {
            flag.store(true, Ordering::SeqCst);
        }
        for action in watchers.actions.iter().filter_map(Weak::upgrade) {
            action();
        }
        true
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    /// Does something when the run is stopped; at once where it was stopped already.
    pub fn on_stop(&self, action: impl Fn() + Send + Sync + 'static) -> OnStop {
        let action: Arc<Action> = Arc::new(action);
        let stopped = {
            let mut watchers = self.watchers();
            watchers.actions.retain(|each| each.strong_count() > 0);
            watchers.actions.push(Arc::downgrade(&action));
            self.is_stopped()
        };
        if stopped {
            action();
        }
        OnStop { _action: action }
    }

    /// A flag that is set when the run is stopped, for work that looks at one.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        let mut watchers = self.watchers();
        let flag = Arc::new(AtomicBool::new(self.is_stopped()));
        watchers.flags.retain(|each| each.strong_count() > 0);
        watchers.flags.push(Arc::downgrade(&flag));
        flag
    }

    /// Lets Ctrl-C, or a request to terminate, stop the run, until the result is dropped. A second one ends the process,
    /// as one does when no run listens.
    ///
    /// The process's signals are listened to from the first call on, and never let go.
    ///
    /// # Errors
    /// [`WorkbenchError::CtrlC`] when the process's signals are somebody else's.
    pub fn listen_to_ctrl_c(&self) -> Result<CtrlC, WorkbenchError> {
        static HANDLED: OnceLock<Result<(), String>> = OnceLock::new();
        listening().push(self.clone());
        let listens = CtrlC { run: self.clone() };
        HANDLED
            .get_or_init(|| ctrlc::set_handler(interrupted).map_err(|error| error.to_string()))
            .clone()
            .map_err(WorkbenchError::CtrlC)?;
        Ok(listens)
    }

    fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.shared
            .watchers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

/// Ctrl-C stops a run as long as this lives.
#[derive(Debug)]
#[must_use = "Ctrl-C stops nothing once this is dropped"]
pub struct CtrlC {
    run: Run,
}

impl Drop for CtrlC {
    fn drop(&mut self) {
        let mut listening = listening();
        let place = listening
            .iter()
            .position(|run| Arc::ptr_eq(&run.shared, &self.run.shared));
        if let Some(place) = place {
            listening.remove(place);
        }
    }
}

/// The runs that Ctrl-C stops. Signals are the process's, and so is this.
fn listening() -> MutexGuard<'static, Vec<Run>> {
    static LISTENING: Mutex<Vec<Run>> = Mutex::new(Vec::new());
    LISTENING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn interrupted() {
    let runs = listening().clone();
    let stopped = runs.iter().filter(|run| run.stop()).count();
    if stopped == 0 {
        process::exit(exit_code::INTERRUPTED);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn counting(count: &Arc<AtomicUsize>) -> impl Fn() + Send + Sync + 'static {
        let count = Arc::clone(count);
        move || {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_stop_is_told_once_to_all_who_want_to_know() {
        let (run, kept, dropped) = (Run::new(), Arc::default(), Arc::default());
        let _kept = run.on_stop(counting(&kept));
        drop(run.on_stop(counting(&dropped)));
        let flag = run.flag();
        assert!(run.stop() && !run.clone().stop());
        assert!(run.is_stopped() && flag.load(Ordering::SeqCst));
        assert_eq!(kept.load(Ordering::SeqCst), 1);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn who_comes_late_is_told_at_once() {
        let (run, late) = (Run::new(), Arc::default());
        run.stop();
        let _late = run.on_stop(counting(&late));
        assert_eq!(late.load(Ordering::SeqCst), 1);
        assert!(run.flag().load(Ordering::SeqCst));
    }

    #[test]
    fn a_flag_set_by_others_does_not_stop_the_run() {
        let run = Run::new();
        run.flag().store(true, Ordering::SeqCst);
        assert!(!run.is_stopped());
    }
}
