//! Project chores: `cargo xtask test`, `fuzz`, `mutants`, `teeth`, `reliability`, `generate`, `bench` and `package`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod figures;
mod fuzz;
mod generate;
mod mutants;
mod package;
mod platforms;
mod process;
mod provide;
mod reliability;
mod teeth;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test [--all-orchestrators] [FILTER...]    install and start what the tests need, then run all of them
  fuzz [--release] [TARGET...] [--seconds N | --inputs N] [--seed S]
                                            give mutated input to everything that parses
  mutants [--pack NAME]... [--section NAME]... [--template NAME]... [--operator NAME]... [--sample N] [--seed S]
          [--jobs N] [--record FILE]
                                            spell every template of every pack wrongly, and ask the suite
  teeth [--crate NAME]... [--sample N] [--seed S] [--record FILE]
                                            change our own code in one place at a time, and run its crate's tests
  reliability [--record FILE] [--share N]   kill, cut, stop and mislead what must not lose, leak or hang, thousands of
                                            times; with a share, an Nth of it
  generate [--check]                        write the generated files, or only say which are stale
  bench [--record FILE] [--runs N] [--cold-build]
                                            measure the release binary
  package [--unoptimized] [--try] [--image BASE]
                                            build what people install, and install it in fresh places";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match args.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("", args.as_slice()),
    };
    let outcome = match chore {
        "test" => test::run(rest),
        "fuzz" => fuzz::run(rest),
        "mutants" => mutants::run(rest),
        "teeth" => teeth::run(rest),
        "reliability" => reliability::run(rest),
        "generate" => generate::run(rest),
        "bench" => bench::run(rest),
        "package" => package::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
