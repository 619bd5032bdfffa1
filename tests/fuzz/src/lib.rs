//! Mutated input for everything that parses: no text of others may make a parser panic, hang or take all memory.
//!
//! A [`Target`] is a function that takes any bytes and says in a few words what came of them. [`fuzz`] gives it inputs
//! that are made from those the repository holds; one that leads to something new is kept and changed further. The
//! program of this crate runs each target in a process of its own, so that running out of stack or memory is found as
//! well, and writes what fails to `findings/`, which `cargo test` gives to the targets again.
//!
//! It runs on stable Rust. libFuzzer and AFL, which crates such as `bolero` drive, steer by the branches that an input
//! reaches and need a compiler that is told to count them; without one, `bolero` only makes random bytes. What came of
//! an input is a coarser guide, and it does for parsers whose errors say what they met.

mod finding;
mod fuzzing;
mod mutate;
mod seeds;
mod target;
mod targets;

pub use finding::{Finding, findings};
pub use fuzzing::{Bound, Cause, MEMORY_LIMIT, STACK, TIME_LIMIT, Tally, fuzz, outcome};
pub use target::Target;
pub use targets::TARGETS;
