//! What work costs: fuel that every operation pays by the size of what it touches, and a clock behind it.
//!
//! The fuel bounds work in a way that repeats exactly; the clock bounds what the fuel misjudges. Both belong to the thread
//! that evaluates, so that operations deep within values can pay without being handed anything.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::fault::{Outcome, out_of_fuel};
use super::value::Value;

/// How much work an evaluation may do: steps, items and so many bytes of text count one each.
const FUEL: u64 = 5_000_000;

/// How long an evaluation may take, whatever its fuel.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How many bytes of text cost as much as one step.
const BYTES_PER_STEP: usize = 16;

/// How many items of a list cost as much as one step.
const ITEMS_PER_STEP: usize = 4;

/// How many multiplications of machine words cost as much as one step.
const WORD_PRODUCTS_PER_STEP: u64 = 256;

/// After how many steps the clock is read.
const STEPS_PER_LOOK: u64 = 1024;

/// Where an evaluation stands.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    fuel: u64,
    /// At how much fuel the clock is read next.
    look: u64,
    deadline: Option<Instant>,
}

/// Outside evaluations, on values at rest, nothing is bounded.
const IDLE: Reading = Reading {
    fuel: u64::MAX,
    look: 0,
    deadline: None,
};

thread_local! {
    static METER: Cell<Reading> = const { Cell::new(IDLE) };
}

/// An evaluation under way; dropping it ends the metering.
pub(crate) struct Metered {
    before: Option<Reading>,
}

/// Starts an evaluation; one within another pays from the outer one's fuel.
pub(crate) fn start() -> Metered {
    let before = METER.get();
    if before.deadline.is_some() {
        return Metered { before: None };
    }
    METER.set(Reading {
        fuel: FUEL,
        look: FUEL - STEPS_PER_LOOK,
        deadline: Some(Instant::now() + PATIENCE),
    });
    Metered {
        before: Some(before),
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            METER.set(before);
        }
    }
}

/// Where this thread's evaluation stands, to go on in another thread.
pub(crate) fn reading() -> Reading {
    METER.get()
}

/// Goes on with another thread's evaluation.
pub(crate) fn resume(reading: Reading) {
    METER.set(reading);
}

/// Pays for work.
pub(crate) fn spend(steps: u64) -> Outcome<()> {
    let mut reading = METER.get();
    let Some(left) = reading.fuel.checked_sub(steps) else {
        METER.set(Reading { fuel: 0, ..reading });
        return out_of_fuel(
            "the template takes too much work: it loops too often or builds too much",
        );
    };
    reading.fuel = left;
    if left < reading.look {
        reading.look = left.saturating_sub(STEPS_PER_LOOK);
        if reading
            .deadline
            .is_some_and(|deadline| Instant::now() > deadline)
        {
            METER.set(Reading { fuel: 0, ..reading });
            return out_of_fuel(format!(
                "the template takes longer than {} s",
                PATIENCE.as_secs()
            ));
        }
    }
    METER.set(reading);
    Ok(())
}

/// Notes work that is done already and cannot fail; what is spent next pays for it.
pub(crate) fn owe(steps: usize) {
    let reading = METER.get();
    if reading.deadline.is_some() {
        let fuel = reading.fuel.saturating_sub(steps as u64);
        METER.set(Reading { fuel, ..reading });
    }
}

/// Pays for reading or writing so many bytes of text.
pub(crate) fn text(bytes: usize) -> Outcome<()> {
    spend((bytes / BYTES_PER_STEP) as u64)
}

/// Pays for looking at a container of so many items.
pub(crate) fn items(count: usize) -> Outcome<()> {
    spend(1 + (count / ITEMS_PER_STEP) as u64)
}

/// Pays for multiplying or dividing numbers of so many bits.
pub(crate) fn product(bits: u64, other_bits: u64) -> Outcome<()> {
    spend((bits / 64).saturating_mul(other_bits / 64) / WORD_PRODUCTS_PER_STEP)
}

/// Pays for handing a value to an operation that reads it through, though not what stands in it.
pub(crate) fn operand(value: &Value) -> Outcome<()> {
    match value {
        Value::Str(found) | Value::Markup(found) => text(found.len()),
        Value::List(found) | Value::Tuple(found) => items(found.values.len()),
        Value::Dict(dict) | Value::View(_, dict) => items(dict.len()),
        Value::Big(number) => spend(number.bits() / 1024),
        Value::Native(native) => items(native.count()),
        _ => Ok(()),
    }
}
