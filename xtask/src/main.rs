//! Project chores: test, generate, bench.

fn main() {}
