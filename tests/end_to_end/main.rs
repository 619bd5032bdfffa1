//! The real binary against real databases, in one test program.
//!
//! What text can say stands in `tests/cases/**/*.case` (see [`case`]); the rest are functions in the modules
//! here. Each test has a [`sandbox::Sandbox`] of its own: a fresh folder, a clean environment and, if it asks
//! for one, a fresh PostgreSQL database whose password must show up nowhere.

mod agent_images;
mod agent_shim;
mod broken;
mod case;
mod ci;
mod clean;
mod collect;
mod completions;
mod connector;
mod demo;
mod directories;
mod documents;
mod encodings;
mod evidence;
mod faults;
mod firebird;
mod fit;
mod grants;
mod hints;
mod hostile;
mod image_sandbox;
mod images;
mod languages;
mod mutants;
mod native_images;
mod needs;
mod odbc;
mod orchestrators;
mod packages;
mod packs;
mod pages;
mod pipeline_scaffold;
mod pipelines;
mod profile;
mod proxy;
mod python;
mod python_drivers;
mod redact;
mod registries;
mod sandbox;
mod secrets;
mod served;
mod severed;
mod simulate;
mod warehouse;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    // Several filters, as the standard harness takes them; the library knows only one.
    let mut given: Vec<String> = std::env::args().collect();
    let count = given[1..]
        .iter()
        .take_while(|argument| !argument.starts_with('-'))
        .count();
    let filters: Vec<String> = given.drain(1..=count).collect();
    let arguments = Arguments::from_iter(given);
    let mut trials: Vec<Trial> = [
        case::trials(),
        warehouse::trials(),
        odbc::trials(),
        firebird::trials(),
        fit::trials(),
        packs::trials(),
        grants::trials(),
        hostile::trials(),
        clean::trials(),
        demo::trials(),
        encodings::trials(),
        ci::trials(),
        completions::trials(),
        evidence::trials(),
        profile::trials(),
        directories::trials(),
        faults::trials(),
        severed::trials(),
        secrets::trials(),
        python::trials(),
        python_drivers::trials(),
        languages::trials(),
        pipeline_scaffold::trials(),
        pipelines::trials(),
        orchestrators::trials(),
        images::trials(),
        agent_images::trials(),
        native_images::trials(),
        registries::trials(),
        agent_shim::trials(),
        served::trials(),
        packages::trials(),
        pages::trials(),
        collect::trials(),
        simulate::trials(),
        broken::trials(),
        mutants::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let names = trials.iter().map(|trial| trial.name().to_owned()).collect();
    trials.extend(documents::trials(names));
    trials.retain(|trial| {
        filters.is_empty() || filters.iter().any(|filter| trial.name().contains(filter))
    });
    let conclusion = libtest_mimic::run(&arguments, trials);
    bowline_servers::shared::stop();
    sandbox::count_searched();
    conclusion.exit_code()
}
