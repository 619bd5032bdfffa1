//! Process groups: everything a child process started ends with it, and with us.
//!
//! On Unix that is a process group and a guard over it, on Windows a job object. This is the one place where the two
//! differ for processes; the rest of the program starts, asks and ends them alike.

#[cfg(unix)]
pub(crate) use unix::{Group, start};
#[cfg(windows)]
pub(crate) use windows::{Group, start};

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
    use std::sync::{LazyLock, Mutex, PoisonError};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

    /// Starts a command as the leader of a process group of its own.
    ///
    /// # Errors
    /// What the system says.
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
            self.signal(Signal::KILL);
        }

        /// Asks every process of the group to end, as Ctrl-C does.
        pub(crate) fn interrupt(&self) {
            self.signal(Signal::INT);
        }

        fn signal(&self, signal: Signal) {
            let is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
            if *is_there {
                // A group without a living member cannot be told, and need not be.
                let _ = rustix::process::kill_process_group(self.leader, signal);
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
                    tracing::debug!(%error, "no guard over child processes");
                    None
                }
            })
        });
        let mut input = GUARDING.lock().unwrap_or_else(PoisonError::into_inner);
        let told = input
            .as_mut()
            .map_or(Ok(()), |input| writeln!(input, "{message}"));
        if let Err(error) = told {
            tracing::debug!(%error, "the guard over child processes is gone");
            *input = None;
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::os::windows::io::AsRawHandle;
    use std::os::windows::process::CommandExt;
    use std::process::{Child, Command, ExitStatus};
    use std::sync::{Mutex, PoisonError};

    use win32job::{ExtendedLimitInfo, Job};

    /// The system's flag for a process that Ctrl-C of ours does not reach: `CREATE_NEW_PROCESS_GROUP`.
    const OWN_GROUP: u32 = 0x0000_0200;

    /// Starts a command in a job of its own, which ends all that is in it when the last handle to it is closed: ours.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Group)> {
        let mut limits = ExtendedLimitInfo::new();
        limits.limit_kill_on_job_close();
        let job = Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
        let mut child = command.creation_flags(OWN_GROUP).spawn()?;
        if let Err(error) = job.assign_process(child.as_raw_handle() as isize) {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::other(error));
        }
        Ok((
            child,
            Group {
                job: Mutex::new(Some(job)),
            },
        ))
    }

    /// The job that a process and all it starts are in.
    #[derive(Debug)]
    pub(crate) struct Group {
        job: Mutex<Option<Job>>,
    }

    impl Group {
        /// Ends every process of the job at once.
        pub(crate) fn kill(&self) {
            let mut job = self.job.lock().unwrap_or_else(PoisonError::into_inner);
            drop(job.take());
        }

        /// Nothing here asks a process to end that has no window.
        pub(crate) fn interrupt(&self) {
            self.kill();
        }

        /// Waits until the first process has ended, then ends what it left behind.
        pub(crate) fn reap(&self, leader: &mut Child) -> io::Result<ExitStatus> {
            let status = leader.wait();
            self.kill();
            status
        }
    }
}
