//! Runs that change the same test table take turns.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use bowline_connector::{Credentials, Workspace};
use bowline_contract::layout::IGNORE_FILE;
use bowline_evidence::digest;
use bowline_warehouse::Connector;

use crate::warehouse::functional_target;
use crate::{Event, Run, WorkbenchError};

/// Where the locks are, in the workspace's state folder.
const FOLDER: &str = "locks";

/// How often one looks whether the other run has ended.
const POLL: Duration = Duration::from_millis(50);

/// The right to use a test table, whichever connectors name it; given back when dropped.
#[derive(Debug)]
pub(crate) struct TableLock {
    _lock: Option<File>,
}

impl TableLock {
    /// Waits until no other run in this workspace uses the test table, and tells when that takes time.
    ///
    /// Without a right to write to the workspace nothing is waited for.
    pub(crate) fn take(
        connector: &Connector,
        credentials: &Credentials,
        run: &Run,
        on_event: &dyn Fn(Event<'_>),
    ) -> Result<Self, WorkbenchError> {
        let Some(file) = opened(connector, credentials, on_event)? else {
            return Ok(Self { _lock: None });
        };
        let mut is_told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _lock: Some(file) }),
                // Where a file system knows no locks, runs go on as if alone.
                Err(TryLockError::Error(_)) => return Ok(Self { _lock: None }),
                Err(TryLockError::WouldBlock) if run.is_stopped() => {
                    return Err(WorkbenchError::Interrupted);
                }
                Err(TryLockError::WouldBlock) => {
                    if !is_told {
                        on_event(Event::Waiting {
                            connector: &connector.name,
                        });
                        is_told = true;
                    }
                    thread::sleep(POLL);
                }
            }
        }
    }

    /// As [`TableLock::take`], and refused where another run has it.
    pub(crate) fn take_at_once(
        connector: &Connector,
        credentials: &Credentials,
        on_event: &dyn Fn(Event<'_>),
    ) -> Result<Self, WorkbenchError> {
        let Some(file) = opened(connector, credentials, on_event)? else {
            return Ok(Self { _lock: None });
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: Some(file) }),
            Err(TryLockError::Error(_)) => Ok(Self { _lock: None }),
            Err(TryLockError::WouldBlock) => Err(WorkbenchError::InUse {
                connector: connector.name.to_string(),
            }),
        }
    }
}

/// The file that is locked; none without a right to write to the workspace.
fn opened(
    connector: &Connector,
    credentials: &Credentials,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Option<File>, WorkbenchError> {
    let state = Workspace::find(&connector.dir)?.state_dir();
    match lock_file(&state, &name(connector, credentials)?) {
        Ok(file) => Ok(Some(file)),
        Err(reason) => {
            on_event(Event::Alone { reason: &reason });
            Ok(None)
        }
    }
}

/// What the lock of a test table is called: two connectors may lead to one table. Where a connector's own code reaches the
/// database, its name stands for that.
fn name(connector: &Connector, credentials: &Credentials) -> Result<String, WorkbenchError> {
    let target = functional_target(connector, credentials)?;
    let way = connector.way(credentials);
    Ok(way.map_or_else(
        || connector.name.to_string(),
        |way| digest(&format!("{way}\n{target:?}")),
    ))
}

fn lock_file(state: &Path, name: &str) -> io::Result<File> {
    let folder = state.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let ignore = state.join(IGNORE_FILE);
    if !ignore.exists() {
        fs::write(&ignore, "*\n")?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_lock() {
        let state = tempfile::tempdir().unwrap();
        let lock = |connector| lock_file(state.path(), connector).unwrap();
        let first = lock("shop");
        first.try_lock().unwrap();
        assert!(matches!(
            lock("shop").try_lock(),
            Err(TryLockError::WouldBlock)
        ));
        lock("till").try_lock().unwrap();
        drop(first);
        lock("shop").try_lock().unwrap();
        assert_eq!(
            fs::read_to_string(state.path().join(IGNORE_FILE)).unwrap(),
            "*\n"
        );
    }
}
