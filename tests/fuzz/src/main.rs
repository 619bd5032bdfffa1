//! `bowline-fuzz [TARGET...] [--seconds N | --inputs N] [--seed S]`: fuzzes targets, each in a process of its own and as
//! many at a time as there are processors. `bowline-fuzz TARGET --input FILE` gives a target one input.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the people who work on Bowline talks to them"
)]

mod arguments;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::{Mutex, PoisonError};

use arguments::{Arguments, Work};
use bowline_fuzz::{Bound, Finding, MEMORY_LIMIT, STACK, TIME_LIMIT, Target, fuzz, outcome};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("error: {message}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match &arguments.work {
        Work::Targets => each(&arguments),
        Work::Input(file) => given(&arguments.targets, file),
        Work::Alone(current) => arguments.targets.iter().try_fold(true, |_, target| {
            fuzzed(target, arguments.seed, arguments.bound, current.clone())
        }),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Gives targets one input; false when one of them panics.
fn given(targets: &[&'static Target], file: &Path) -> Result<bool, Failure> {
    let mut all_well = true;
    for target in targets.iter().copied() {
        let input = std::fs::read(file)?;
        match alone(move || outcome(target, &input))? {
            Ok(words) => println!("{}: taken ({} bytes of words)", target.name, words.len()),
            Err(cause) => {
                eprintln!("{}: {cause}", target.name);
                all_well = false;
            }
        }
    }
    Ok(all_well)
}

/// Fuzzes targets; false when there are findings.
fn each(arguments: &Arguments) -> Result<bool, Failure> {
    println!("seed {}", arguments.seed);
    let folder = tempfile::tempdir()?;
    let left = Mutex::new(arguments.targets.iter().copied());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<bool, String> {
        let mut all_well = true;
        while let Some(target) = next() {
            let fuzzed = in_a_process(target, arguments, &folder.path().join(target.name));
            all_well &= fuzzed.map_err(|error| error.to_string())?;
        }
        Ok(all_well)
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.into_iter().try_fold(true, |all_well, worked| {
            let worked = worked.map_err(|_| "the fuzzer itself panicked")??;
            Ok(all_well & worked)
        })
    })
}

/// Fuzzes one target; the input at hand is kept in a file, for what ends the process leaves nothing else.
fn in_a_process(
    target: &'static Target,
    arguments: &Arguments,
    current: &Path,
) -> Result<bool, Failure> {
    let status = Command::new(std::env::current_exe()?)
        .arg(target.name)
        .args(["--seed", &arguments.seed.to_string()])
        .args(arguments::spelled(arguments.bound))
        .arg("--alone")
        .arg(current)
        .status()?;
    if !status.success() {
        tell(target, arguments.seed, status, current)?;
    }
    Ok(status.success())
}

fn tell(
    target: &'static Target,
    seed: u64,
    status: ExitStatus,
    current: &Path,
) -> Result<(), Failure> {
    let finding = Finding::keep(target, seed, std::fs::read(current)?)?;
    eprintln!(
        "{}: failed with seed {seed} ({status})\n  {} bytes in {}\n  again: {}",
        target.name,
        finding.input.len(),
        finding.path.display(),
        finding.command()
    );
    Ok(())
}

/// Fuzzes one target in this process.
fn fuzzed(
    target: &'static Target,
    seed: u64,
    bound: Bound,
    current: PathBuf,
) -> Result<bool, Failure> {
    limit_memory()?;
    match alone(move || fuzz(target, seed, bound, &current, on_hang))?? {
        Ok(tally) => {
            println!(
                "{}: {} inputs, {} different outcomes",
                target.name, tally.inputs, tally.outcomes
            );
            bowline_tally::add(bowline_tally::Kind::Inputs, tally.inputs);
            Ok(true)
        }
        Err(cause) => {
            eprintln!("{}: {cause}", target.name);
            Ok(false)
        }
    }
}

/// Does something with the stack that inputs are given.
fn alone<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work)?;
    thread
        .join()
        .map_err(|_| "the fuzzer itself panicked".into())
}

fn on_hang() -> ! {
    eprintln!("an input took over {TIME_LIMIT:?}");
    std::process::exit(1);
}

/// Lets this process run out of memory early.
fn limit_memory() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Data).maximum;
        setrlimit(
            Resource::Data,
            Rlimit {
                current: Some(MEMORY_LIMIT),
                maximum,
            },
        )?;
    }
    Ok(())
}
