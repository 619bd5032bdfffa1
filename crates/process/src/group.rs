//! Process groups: everything a connector's process started ends with it, and with us.

use std::io;
use std::process::{Child, Command};

/// Starts a command as the leader of a process group of its own.
///
/// # Errors
/// What the system says; `Unsupported` where there are no process groups.
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Group)> {
    #[cfg(unix)]
    {
        unix::start(command)
    }
    #[cfg(not(unix))]
    {
        let _ = command;
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
pub(crate) use unix::Group;

/// There are no process groups here, so there is never one of these.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) enum Group {}

#[cfg(not(unix))]
impl Group {
    pub(crate) fn kill(&self) {
        match *self {}
    }

    pub(crate) fn reap(&self, _leader: &mut Child) -> io::Result<std::process::ExitStatus> {
        match *self {}
    }
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
    use std::sync::{LazyLock, Mutex, PoisonError};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

    pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Group)> {
        let child = command.process_group(0).spawn()?;
        let leader = Pid::from_child(&child);
        guard(&format!("watch {}", leader.as_raw_pid()));
        Ok((
            child,
            Group {
                leader,
                is_there: Mutex::new(true),
            },
        ))
    }

    /// A process group that we lead the leader of.
    #[derive(Debug)]
    pub(crate) struct Group {
        leader: Pid,
        /// Until the leader is reaped, its number is nobody else's.
        is_there: Mutex<bool>,
    }

    impl Group {
        /// Ends every process of the group at once.
        pub(crate) fn kill(&self) {
            let is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
            if *is_there {
                // A group without a living member cannot be killed, and need not be.
                let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
            }
        }

        /// Waits until the leader has ended, then ends what it left behind.
        pub(crate) fn reap(&self, leader: &mut Child) -> io::Result<ExitStatus> {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(error) = rustix::process::waitid(WaitId::Pid(self.leader), ended) {
                if error != rustix::io::Errno::INTR {
                    return Err(error.into());
                }
            }
            self.kill();
            let mut is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
            *is_there = false;
            guard(&format!("forget {}", self.leader.as_raw_pid()));
            leader.wait()
        }
    }

    /// Ends the groups it was told of when its standard input does, which is when we are gone, however we went.
    const GUARD: &str = r#"
        trap '' HUP INT TERM
        groups=
        while read -r verb group; do
            kept=
            for one in $groups; do
                [ "$one" = "$group" ] || kept="$kept $one"
            done
            groups=$kept
            [ "$verb" = watch ] && groups="$groups $group"
        done
        [ -n "$groups" ] || exit 0
        sleep 1
        for one in $groups; do
            kill -s KILL -- "-$one"
        done
    "#;

    /// Tells the guard; without one, a process still ends when its standard input does.
    fn guard(message: &str) {
        static GUARDING: LazyLock<Mutex<Option<ChildStdin>>> = LazyLock::new(|| {
            let started = Command::new("/bin/sh")
                .args(["-c", GUARD])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // Ctrl-C and a killed process group must not reach it.
                .process_group(0)
                .spawn();
            Mutex::new(match started {
                Ok(mut child) => child.stdin.take(),
                Err(error) => {
                    tracing::debug!(%error, "no guard over the processes of connectors");
                    None
                }
            })
        });
        let mut input = GUARDING.lock().unwrap_or_else(PoisonError::into_inner);
        let told = input
            .as_mut()
            .map_or(Ok(()), |input| writeln!(input, "{message}"));
        if let Err(error) = told {
            tracing::debug!(%error, "the guard over the processes of connectors is gone");
            *input = None;
        }
    }
}
