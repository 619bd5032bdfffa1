//! `bowline-mutants [OPTION...]`: makes wrong spellings of every template of every pack and asks the suite about each, and
//! about right ones that are unusual.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the people who work on Bowline talks to them"
)]

mod arguments;
mod by_hand;
mod engine;
mod facts;
mod known;
mod operators;
mod score;
mod stress;
mod tokens;
mod trial;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bowline_servers::needed;
use bowline_warehouse::dialect::Pack;

use arguments::Arguments;
use engine::Engine;
use facts::Facts;
use known::Known;
use operators::{Mutant, Right, mutants};
use score::Tried;
use tokens::Source;
use trial::{Court, Fate};

/// What went wrong, in words.
pub(crate) type Failure = String;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("error: {message}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcome = tried(&arguments).and_then(|tried| told(&arguments, tried));
    bowline_servers::shared::stop();
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Tries the mutants of every engine that is asked for.
fn tried(arguments: &Arguments) -> Result<Vec<Tried>, Failure> {
    println!("seed {}", arguments.seed);
    let mut all = Vec::new();
    for engine in &arguments.engines {
        if needed(engine.is_here()).is_none() {
            continue;
        }
        let started = Instant::now();
        let chosen = chosen(*engine, arguments)?;
        let tried = on_engine(*engine, &chosen, arguments)?;
        eprintln!(
            "{}: {} mutants in {:.1} s",
            engine.pack(),
            chosen.len(),
            started.elapsed().as_secs_f64()
        );
        all.extend(tried);
    }
    Ok(all)
}

/// The mutants of a pack that are asked for, all or a sample of them, and the right spellings.
fn chosen(engine: Engine, arguments: &Arguments) -> Result<Vec<Mutant>, Failure> {
    let set = Pack::find(engine.pack()).map(Pack::templates);
    let set = set.unwrap_or_default();
    let of_template = set.iter().flat_map(|spelled| {
        mutants(&Right {
            template: spelled.template,
            facts: Facts::of(spelled.template),
            source: Source::new(&spelled.text),
        })
    });
    let spellings =
        |planted: Vec<(Mutant, Option<String>)>| planted.into_iter().map(|(mutant, _)| mutant);
    let all: Vec<Mutant> = match &arguments.spellings {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            spellings(by_hand::read(engine, &text)).collect()
        }
        None => of_template
            .chain(spellings(by_hand::planted(engine)))
            .chain(by_hand::right(engine))
            .collect(),
    };
    let wanted = all.into_iter().filter(|mutant| arguments.wants(mutant));
    let (right, mut mutants): (Vec<Mutant>, Vec<Mutant>) =
        wanted.partition(|mutant| mutant.operator == by_hand::RIGHT);
    if let Some(sample) = arguments.sample {
        fastrand::Rng::with_seed(arguments.seed).shuffle(&mut mutants);
        mutants.truncate(sample);
        mutants.sort_by_key(|mutant| mutant.template.short_name());
    }
    mutants.extend(right);
    Ok(mutants)
}

/// Tries mutants, a few at a time.
fn on_engine(
    engine: Engine,
    mutants: &[Mutant],
    arguments: &Arguments,
) -> Result<Vec<Tried>, Failure> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        let work = |job: usize| -> Result<(), Failure> {
            let root = tempfile::tempdir().map_err(|error| error.to_string())?;
            let mut court = Court::open(engine.subject(root.path(), job)?)?;
            if job == 0 {
                court.is_right()?;
            }
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(mutant) = mutants.get(number) else {
                    return Ok(());
                };
                let (mut fate, mut by) = court.try_one(mutant);
                if mutant.operator == by_hand::RIGHT && matches!(fate, Fate::Caught | Fate::Refused)
                {
                    // Catalogues and logs that lag get less patience here than they need.
                    (fate, by) = court.try_one(mutant);
                }
                let right_on = match fate {
                    Fate::Survived => Known::right_on(engine, mutant),
                    _ => None,
                };
                let tried = Tried {
                    engine,
                    mutant: mutant.clone(),
                    fate,
                    by,
                    right_on,
                };
                let mut done = done.lock().map_err(|error| error.to_string())?;
                done.insert(number, tried);
            }
        };
        let jobs: Vec<_> = (0..arguments.jobs)
            .map(|job| scope.spawn(move || work(job)))
            .collect();
        for job in jobs {
            job.join().map_err(|_| "a job panicked".to_owned())??;
        }
        Ok::<(), Failure>(())
    })?;
    let done = done.into_inner().map_err(|error| error.to_string())?;
    Ok(done.into_values().collect())
}

/// Tells what came of the mutants, holes and right ones that are blamed one by one; whether the share that is caught is
/// good enough, and none is blamed.
fn told(arguments: &Arguments, tried: Vec<Tried>) -> Result<bool, Failure> {
    let (right, wrong): (Vec<Tried>, Vec<Tried>) =
        tried.into_iter().partition(|tried| tried.is_right());
    let blamed: Vec<&Tried> = right.iter().filter(|right| right.is_blamed()).collect();
    if arguments.spellings.is_some() {
        for told in wrong.iter().chain(&right) {
            let (fate, mutant) = (told.fate, &told.mutant);
            let template = mutant.template.short_name();
            let by = told.by.lines().next().unwrap_or_default();
            println!(
                "{fate:?}: {} {template} {} [{by}]",
                told.engine.pack(),
                mutant.fault
            );
        }
    }
    for told in wrong
        .iter()
        .filter(|wrong| wrong.is_hole())
        .chain(blamed.iter().copied())
    {
        println!("{told}");
    }
    println!("{} of {} right ones are blamed", blamed.len(), right.len());
    let score = score::Score::of(&wrong);
    println!("{score}");
    if let Some(file) = &arguments.record {
        std::fs::write(file, score.to_toml(arguments.seed))
            .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    }
    Ok(score.is_enough() && blamed.is_empty())
}
