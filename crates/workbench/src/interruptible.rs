//! A database whose server may be silent: who stops a run need not wait for it.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use bowline_driver::{Connection, ConnectionCost, Database, SqlError, SqlErrorKind};

use crate::Run;

/// How often is looked whether the run was stopped.
const SLICE: Duration = Duration::from_millis(50);

/// A database to which connecting ends soon once a run is stopped.
pub(crate) struct Interruptible {
    database: Arc<dyn Database>,
    run: Run,
}

impl Interruptible {
    pub(crate) fn new(database: Arc<dyn Database>, run: &Run) -> Self {
        Self {
            database,
            run: run.clone(),
        }
    }
}

impl Database for Interruptible {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        // What connects after a stop cleans up, and must get through.
        if self.run.is_stopped() {
            return self.database.connect();
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let database = Arc::clone(&self.database);
        let connecting = thread::Builder::new()
            .name("connecting".to_owned())
            .spawn(move || {
                // Nobody waits any more when the run was stopped.
                let _late = sender.send(database.connect());
            });
        if connecting.is_err() {
            return self.database.connect();
        }
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(connected) => return connected,
                Err(mpsc::RecvTimeoutError::Timeout) if self.run.is_stopped() => {
                    return Err(SqlError::new(
                        SqlErrorKind::Cancelled,
                        "stopped while connecting",
                    ));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(SqlError::new(
                        SqlErrorKind::Other,
                        "connecting ended without an answer",
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// A server that answers nobody until it is told to.
    #[derive(Default)]
    struct Silent {
        asked: (Mutex<bool>, Condvar),
        answers: (Mutex<bool>, Condvar),
    }

    fn set(flag: &(Mutex<bool>, Condvar)) {
        *flag.0.lock().unwrap() = true;
        flag.1.notify_all();
    }

    fn wait(flag: &(Mutex<bool>, Condvar)) {
        let guard = flag.0.lock().unwrap();
        drop(flag.1.wait_while(guard, |is_set| !*is_set).unwrap());
    }

    impl Database for Silent {
        fn product(&self) -> String {
            "silent".to_owned()
        }

        fn cost(&self) -> ConnectionCost {
            ConnectionCost::Process
        }

        fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
            set(&self.asked);
            wait(&self.answers);
            Err(SqlError::new(SqlErrorKind::Connection, "at last"))
        }
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_silent_server() {
        let (run, server) = (Run::new(), Arc::new(Silent::default()));
        let database = Interruptible::new(Arc::clone(&server) as Arc<dyn Database>, &run);
        let waiting = thread::spawn(move || database.connect().err().map(|error| error.kind));
        wait(&server.asked);
        run.stop();
        assert_eq!(waiting.join().unwrap(), Some(SqlErrorKind::Cancelled));
        // Who cleans up afterwards does wait.
        set(&server.answers);
        let database = Interruptible::new(server, &run);
        assert_eq!(database.cost(), ConnectionCost::Process);
        let kind = database.connect().err().map(|error| error.kind);
        assert_eq!(kind, Some(SqlErrorKind::Connection));
    }
}
