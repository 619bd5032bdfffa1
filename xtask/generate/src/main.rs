//! Writes and checks the files that are generated from the code.

fn main() {}
