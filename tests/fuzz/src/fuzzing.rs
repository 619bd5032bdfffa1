//! Input after input into one target, in this process.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::Target;
use crate::mutate::mutated;

/// The longest an input may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The most memory an input may take, in bytes.
pub const MEMORY_LIMIT: u64 = 1 << 30;

/// The stack that inputs are given, in bytes: that of a thread of the product, whose code is optimized. Other code takes
/// several times as much.
pub const STACK: usize = if cfg!(debug_assertions) { 16 } else { 2 } << 20;

/// How many inputs are kept for what came of them, beside the seeds.
const MOST_KEPT: usize = 4096;

/// How many characters of what came of an input tell it from others.
const LONGEST_SHAPE: usize = 500;

/// How often a failing input is tried with a piece left out.
const MOST_TRIES: u32 = 2000;

/// When it is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// After so long.
    Time(Duration),
    /// After so many inputs.
    Inputs(u64),
}

/// What fuzzing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How many inputs were given.
    pub inputs: u64,
    /// How many different things came of them.
    pub outcomes: usize,
}

/// Why an input is a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What the panic said.
    pub message: String,
    /// The file and line it came from.
    pub place: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "panicked at {}: {}", self.place, self.message)
    }
}

static LAST_PANIC: Mutex<Option<Cause>> = Mutex::new(None);

/// Keeps what panics say instead of printing it: most are caught where they happen, and are no finding.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(|at| format!("{}:{}", at.file(), at.line()));
            let payload = panic.payload();
            let message = (payload.downcast_ref::<&str>().copied())
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let cause = Cause {
                message: message.unwrap_or_default().to_owned(),
                place: place.unwrap_or_default(),
            };
            *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
        }));
    });
}

/// What comes of one input.
///
/// # Errors
/// When the target panics.
pub fn outcome(target: &Target, input: &[u8]) -> Result<String, Cause> {
    keep_panics();
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|_| {
        let mut last = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        last.take().unwrap_or(Cause {
            message: String::new(),
            place: String::new(),
        })
    })
}

/// Fuzzes a target until it is enough, or gives the first panic. The input at hand is always in the file `current`, for
/// whoever outlives this process; after a panic it is the shortest found. `on_hang` ends the process when an input
/// takes too long.
///
/// # Errors
/// When the file cannot be written.
pub fn fuzz(
    target: &'static Target,
    seed: u64,
    bound: Bound,
    current: &Path,
    on_hang: fn() -> !,
) -> io::Result<Result<Tally, Cause>> {
    let mut file = File::create(current)?;
    let mut rng = Rng::with_seed(seed);
    let mut pool = (target.seeds)();
    let seeds = pool.len();
    let mut seen = HashSet::new();
    let begun = Instant::now();
    let is_enough = |inputs: u64| match bound {
        Bound::Time(time) => begun.elapsed() >= time,
        Bound::Inputs(most) => inputs >= most,
    };
    watch(on_hang);
    let mut inputs = 0;
    while !is_enough(inputs) {
        let seed = usize::try_from(inputs)
            .ok()
            .and_then(|place| pool.get(place));
        let input = match seed {
            Some(seed) if inputs < seeds as u64 => seed.clone(),
            _ => mutated(&mut rng, &pool, target.words),
        };
        note(&mut file, &input)?;
        STARTED.store(inputs + 1, Ordering::Relaxed);
        match outcome(target, &input) {
            Ok(words) => {
                if seen.insert(shape(&words)) && pool.len() < seeds + MOST_KEPT {
                    pool.push(input);
                }
            }
            Err(cause) => {
                let input = shortened(target, input, &cause);
                note(&mut file, &input)?;
                return Ok(Err(cause));
            }
        }
        inputs += 1;
    }
    STARTED.store(0, Ordering::Relaxed);
    Ok(Ok(Tally {
        inputs,
        outcomes: seen.len(),
    }))
}

fn note(file: &mut File, input: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(input)
}

/// The number of the input at hand, from 1; 0 when there is none.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Sees that no input takes too long.
fn watch(on_hang: fn() -> !) {
    std::thread::spawn(move || {
        let mut last = 0;
        let mut since = Instant::now();
        loop {
            std::thread::sleep(TIME_LIMIT / 40);
            let now = STARTED.load(Ordering::Relaxed);
            if now != last || now == 0 {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > TIME_LIMIT {
                on_hang();
            }
        }
    });
}

/// What came of an input without the names and numbers in it, so that what is alike counts once.
fn shape(words: &str) -> String {
    let mut shape = String::new();
    for part in words.split('`').step_by(2) {
        shape.extend(part.chars().filter(|c| !c.is_ascii_digit()));
    }
    shape.chars().take(LONGEST_SHAPE).collect()
}

/// A shorter input that ends in the same panic.
fn shortened(target: &Target, mut input: Vec<u8>, cause: &Cause) -> Vec<u8> {
    let mut tries = 0;
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < input.len() {
            tries += 1;
            if tries > MOST_TRIES {
                return input;
            }
            let mut less = input.clone();
            less.drain(at..(at + size).min(input.len()));
            match outcome(target, &less) {
                Err(same) if same.place == cause.place => input = less,
                _ => at += size,
            }
            STARTED.fetch_add(1, Ordering::Relaxed);
        }
        size /= 2;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    static FRAGILE: Target = Target {
        name: "fragile",
        about: "a parser that cannot take two exclamation marks",
        run: |input| {
            assert!(!input.windows(2).any(|pair| pair == b"!!"), "two of them");
            format!("{} bytes", input.len())
        },
        seeds: || vec![b"so much text around it! and after it".to_vec()],
        words: &["!"],
    };

    #[test]
    fn a_panic_is_found_and_its_input_made_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let current = folder.path().join("input");
        let hang: fn() -> ! = || unreachable!("nothing hangs");
        let cause = fuzz(&FRAGILE, 1, Bound::Inputs(100_000), &current, hang)
            .expect("a file")
            .expect_err("a panic");
        assert_eq!(cause.message, "two of them");
        assert!(cause.place.contains("fuzzing.rs"), "{cause}");
        assert_eq!(std::fs::read(current).expect("the input"), b"!!");
    }

    #[test]
    fn names_and_numbers_do_not_count() {
        assert_eq!(
            shape("unknown key `a` in line 3"),
            shape("unknown key `bc` in line 12")
        );
        assert_ne!(shape("unknown key `a`"), shape("unknown name `a`"));
    }
}
