//! How long run events take to be checked: reads a file of them, a line each, checks them so many times over, and prints
//! the seconds that the checks alone took.
//!
//! `cargo run --release -p bowline-contract --example validate_runs -- FILE ROUNDS`

#![expect(
    clippy::print_stdout,
    reason = "the number is what it is run for, and the benchmarks read it"
)]

use std::error::Error;
use std::time::Instant;

use bowline_contract::pipeline::{RunEvent, validate_runs};

/// As many as are pushed together.
const BATCH: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(rounds)) = (args.next(), args.next()) else {
        return Err("usage: validate_runs FILE ROUNDS".into());
    };
    let rounds: usize = rounds.parse()?;
    let text = std::fs::read_to_string(file)?;
    let events: Vec<RunEvent> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let began = Instant::now();
    for _ in 0..rounds {
        for batch in events.chunks(BATCH) {
            if let Some(error) = validate_runs(batch).first() {
                return Err(error.to_string().into());
            }
        }
    }
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}
