//! The real binary against real databases, in one test program.
//!
//! What text can say stands in `tests/cases/**/*.case` (see [`case`]); the rest are functions in the modules
//! here. Each test has a [`sandbox::Sandbox`] of its own: a fresh folder, a clean environment and, if it asks
//! for one, a fresh PostgreSQL database whose password must show up nowhere.

mod broken;
mod case;
mod connector;
mod demo;
mod faults;
mod needs;
mod redact;
mod sandbox;
mod secrets;
mod warehouse;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = [
        case::trials(),
        warehouse::trials(),
        demo::trials(),
        faults::trials(),
        secrets::trials(),
        broken::trials(),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());
    needs::stop_servers();
    conclusion.exit_code()
}
