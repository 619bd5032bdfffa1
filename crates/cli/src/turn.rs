//! Runs that change the same test table take turns.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use bowline_connector::Workspace;
use bowline_contract::layout::IGNORE_FILE;
use bowline_warehouse::Connector;

use crate::error::CliError;
use crate::run::Context;

/// Where the locks are, in the workspace's state folder.
const FOLDER: &str = "locks";

/// The right to use a connector's test table; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: Option<File>,
}

/// Waits until no other run in this workspace uses the connector's test table, and says so when that takes time.
///
/// Without a right to write to the workspace nothing is waited for.
pub(crate) fn take(context: &Context, connector: &Connector) -> Result<Turn, CliError> {
    let state = Workspace::find(&connector.dir)?.state_dir();
    let file = match lock_file(&state, connector.name.as_str()) {
        Ok(file) => file,
        Err(error) => {
            let what = "other runs cannot be waited for";
            context.printer.detail(format!("{what}: {error}"));
            return Ok(Turn { _lock: None });
        }
    };
    let locked = match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            context.printer.say(format!(
                "another run uses the test table of {}; waiting for it to end",
                connector.name
            ));
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => Ok(()),
    };
    Ok(Turn {
        // Where a file system knows no locks, runs go on as if alone.
        _lock: locked.is_ok().then_some(file),
    })
}

fn lock_file(state: &Path, connector: &str) -> io::Result<File> {
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
        .open(folder.join(connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock_of_a_connector() {
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
