//! One measured run of a program, and many of them.

use std::io::{self, Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::Failure;

/// How much of an unexpected run's output is shown.
const SHOWN_LINES: usize = 30;

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    wall: Duration,
    peak_memory: u64,
}

/// What many runs of the same command took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The middle time, by the clock that was asked for.
    pub(crate) median: Duration,
    /// The shortest time.
    pub(crate) shortest: Duration,
    /// The largest resident memory any run reached, in bytes; 0 where it was not measured.
    pub(crate) peak_memory: u64,
}

/// Where a time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The process's start to its end.
    Process,
    /// The processor time of the process and of what it started and waited for.
    Processor,
    /// The seconds that the process itself prints as its last line.
    Told,
}

/// Runs a command so many times, after one run that is not counted.
pub(crate) fn repeat(
    runs: usize,
    expected_exit: &[i32],
    clock: Clock,
    mut command: impl FnMut() -> Command,
) -> Result<Figures, Failure> {
    once(&mut command(), expected_exit, clock)?;
    let mut walls = Vec::with_capacity(runs);
    let mut peak_memory = 0;
    for _ in 0..runs {
        let run = once(&mut command(), expected_exit, clock)?;
        walls.push(run.wall);
        peak_memory = peak_memory.max(run.peak_memory);
    }
    walls.sort();
    let (Some(&shortest), Some(&median)) = (walls.first(), walls.get(walls.len() / 2)) else {
        return Err("nothing to measure: no runs were asked for".to_owned());
    };
    Ok(Figures {
        median,
        shortest,
        peak_memory,
    })
}

fn once(command: &mut Command, expected_exit: &[i32], clock: Clock) -> Result<Run, Failure> {
    let name = format!("{command:?}");
    // A file takes as long as nothing at all, and tells why a run ended as it should not.
    let prepare = |error| format!("cannot prepare {name}: {error}");
    let mut output = tempfile::tempfile().map_err(prepare)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(prepare)?)
        .stderr(output.try_clone().map_err(prepare)?);
    let begun = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    let (exit, processor, peak_memory) =
        wait(&child).map_err(|error| format!("cannot wait for {name}: {error}"))?;
    let wall = begun.elapsed();
    let mut said = || {
        let mut said = String::new();
        output
            .rewind()
            .and_then(|()| output.read_to_string(&mut said))
            .map_err(|error| format!("cannot read what {name} said: {error}"))?;
        Ok::<_, Failure>(said)
    };
    match exit {
        Some(code) if expected_exit.contains(&code) => {
            let wall = match clock {
                Clock::Process => wall,
                Clock::Processor => processor,
                Clock::Told => {
                    told(&said()?).ok_or_else(|| format!("{name} does not say how long it took"))?
                }
            };
            Ok(Run { wall, peak_memory })
        }
        Some(code) => {
            let said = said()?;
            let beginning: Vec<&str> = said.lines().take(SHOWN_LINES).collect();
            Err(format!(
                "{name} ended with exit code {code}\n{}",
                beginning.join("\n")
            ))
        }
        None => Err(format!("{name} was killed")),
    }
}

/// The seconds in the last line.
fn told(said: &str) -> Option<Duration> {
    let seconds = said.lines().last()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Waits for the process: its exit code, unless a signal ended it, its processor time, and its peak resident memory in
/// bytes.
#[expect(
    unsafe_code,
    reason = "only wait4 tells the memory of one child, and the standard library does not wrap it"
)]
fn wait(child: &Child) -> io::Result<(Option<i32>, Duration, u64)> {
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals, and the pid is our own child's, waited for nowhere else.
    if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // Linux counts in kilobytes, macOS in bytes.
    let unit = if cfg!(target_os = "linux") { 1024 } else { 1 };
    let peak_memory = u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit;
    let exit = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    Ok((
        exit,
        duration(usage.ru_utime) + duration(usage.ru_stime),
        peak_memory,
    ))
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn figures_come_in_order_and_with_memory() {
        let figures = repeat(3, &[0], Clock::Process, || shell("exit 0")).unwrap();
        assert!(figures.shortest <= figures.median);
        assert!(figures.peak_memory > 100_000);
    }

    #[test]
    fn a_program_may_tell_its_own_time() {
        let figures = repeat(1, &[0], Clock::Told, || shell("echo so long:; echo 12.5")).unwrap();
        assert_eq!(figures.median, Duration::from_millis(12_500));
        assert!(repeat(1, &[0], Clock::Told, || shell("echo long")).is_err());
    }

    #[test]
    fn an_unexpected_end_is_no_measurement() {
        assert!(
            repeat(1, &[0], Clock::Process, || shell("exit 3"))
                .unwrap_err()
                .contains("exit code 3")
        );
        assert!(
            repeat(1, &[0], Clock::Process, || shell("kill -9 $$"))
                .unwrap_err()
                .contains("was killed")
        );
        assert!(repeat(1, &[3], Clock::Process, || shell("exit 3")).is_ok());
    }
}
