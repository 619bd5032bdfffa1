//! What the program is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use bowline_fuzz::{Bound, TARGETS, Target};

/// How the program is called.
pub(crate) const USAGE: &str = "\
usage: cargo xtask fuzz [TARGET...] [--seconds N | --inputs N] [--seed S]
       cargo xtask fuzz TARGET --input FILE";

/// How long each target is fuzzed when nothing else is said.
const USUAL: Duration = Duration::from_secs(10);

/// What the program is asked to do.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) targets: Vec<&'static Target>,
    pub(crate) bound: Bound,
    pub(crate) seed: u64,
    pub(crate) work: Work,
}

/// What is done with the targets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Each is fuzzed in a process of its own.
    Targets,
    /// Each is given this input.
    Input(PathBuf),
    /// Each is fuzzed in this process, with the input at hand in this file.
    Alone(PathBuf),
}

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            targets: Vec::new(),
            bound: Bound::Time(USUAL),
            seed: fastrand::u64(..1 << 32),
            work: Work::Targets,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("no value for `{argument}`"))
            };
            match argument.as_str() {
                "--seconds" => parsed.bound = Bound::Time(Duration::from_secs(number(&value()?)?)),
                "--inputs" => parsed.bound = Bound::Inputs(number(&value()?)?),
                "--seed" => parsed.seed = number(&value()?)?,
                "--input" => parsed.work = Work::Input(value()?.into()),
                "--alone" => parsed.work = Work::Alone(value()?.into()),
                _ => parsed.targets.push(Target::find(&argument).ok_or_else(|| {
                    let known: Vec<String> = TARGETS
                        .iter()
                        .map(|target| format!("  {:<24}{}", target.name, target.about))
                        .collect();
                    format!(
                        "unknown target: `{argument}`\nthere are\n{}",
                        known.join("\n")
                    )
                })?),
            }
        }
        if parsed.targets.is_empty() {
            parsed.targets = TARGETS.to_vec();
        }
        Ok(parsed)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("not a number: `{text}`"))
}

/// A bound as arguments.
pub(crate) fn spelled(bound: Bound) -> [String; 2] {
    let (name, number) = match bound {
        Bound::Time(time) => ("--seconds", time.as_secs()),
        Bound::Inputs(inputs) => ("--inputs", inputs),
    };
    [name.to_owned(), number.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, String> {
        Arguments::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let all = parse("--inputs 7 --seed 3").expect("arguments");
        assert_eq!(
            (all.bound, all.seed, &all.work),
            (Bound::Inputs(7), 3, &Work::Targets)
        );
        assert_eq!(all.targets.len(), TARGETS.len());
        let one = parse("template --input x").expect("arguments");
        assert_eq!(one.work, Work::Input("x".into()));
        assert_eq!(one.targets.len(), 1);
        for wrong in ["--seed", "--seconds soon", "tamplate"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
