//! Readings of the simulated vendor, judged by what is true of it.

mod bad_input;
mod clamped;
mod mutants;
mod operators;
mod over_http;
mod rates;
mod reading;
mod seeds;
mod unusual;
