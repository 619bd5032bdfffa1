//! What the program is asked to do.

use std::path::PathBuf;

use bowline_contract::{Template, TemplateSection};

use crate::by_hand;
use crate::engine::Engine;
use crate::operators::{Mutant, OPERATORS};

/// How the program is called.
pub(crate) const USAGE: &str = "\
usage: cargo xtask mutants [--pack NAME]... [--section NAME]... [--template NAME]...
                           [--operator NAME]... [--sample N] [--seed S] [--jobs N] [--record FILE]
                           [--spellings FILE]";

/// What the program is asked to do; an empty list means all.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) engines: Vec<Engine>,
    sections: Vec<TemplateSection>,
    templates: Vec<&'static Template>,
    operators: Vec<&'static str>,
    /// How many mutants of each pack.
    pub(crate) sample: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    /// Where the score is written.
    pub(crate) record: Option<PathBuf>,
    /// Spellings to try instead of those that there are, written as those in `by_hand/` and `right/`.
    pub(crate) spellings: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            engines: Vec::new(),
            sections: Vec::new(),
            templates: Vec::new(),
            operators: Vec::new(),
            sample: None,
            seed: fastrand::u64(..1 << 32),
            jobs: std::thread::available_parallelism().map_or(1, Into::into),
            record: None,
            spellings: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("no value for `{argument}`"))?;
            match argument.as_str() {
                "--pack" => parsed.engines.push(engine(&value)?),
                "--section" => {
                    let section = TemplateSection::from_name(&value);
                    let section = section.ok_or_else(|| format!("unknown section: `{value}`"))?;
                    parsed.sections.push(section);
                }
                "--template" => {
                    let template = Template::find(&value);
                    let template =
                        template.ok_or_else(|| format!("unknown template: `{value}`"))?;
                    parsed.templates.push(template);
                }
                "--operator" => parsed.operators.push(operator(&value)?),
                "--sample" => parsed.sample = Some(number(&value)?),
                "--seed" => parsed.seed = number(&value)?,
                "--jobs" => parsed.jobs = number(&value)?,
                "--record" => parsed.record = Some(value.into()),
                "--spellings" => parsed.spellings = Some(value.into()),
                _ => return Err(format!("unknown option: `{argument}`")),
            }
        }
        if parsed.engines.is_empty() {
            parsed.engines = Engine::ALL.to_vec();
        }
        Ok(parsed)
    }

    /// Whether a mutant is asked for. Right spellings are few: those of all sections are.
    pub(crate) fn wants(&self, mutant: &Mutant) -> bool {
        let template = mutant.template;
        let section = mutant.operator == by_hand::RIGHT
            || self.sections.is_empty()
            || self.sections.contains(&template.section);
        let template = self.templates.is_empty() || self.templates.contains(&template);
        section
            && template
            && (self.operators.is_empty() || self.operators.contains(&mutant.operator))
    }
}

fn engine(name: &str) -> Result<Engine, String> {
    let found = Engine::ALL.into_iter().find(|engine| engine.pack() == name);
    found.ok_or_else(|| {
        let known = Engine::ALL.map(Engine::pack).join(", ");
        format!("unknown pack: `{name}`; there are {known}")
    })
}

fn operator(name: &str) -> Result<&'static str, String> {
    let known = || {
        let operators = OPERATORS.iter().map(|operator| operator.name);
        operators.chain([by_hand::NAME, by_hand::RIGHT])
    };
    known().find(|known| *known == name).ok_or_else(|| {
        let known: Vec<&str> = known().collect();
        format!("unknown operator: `{name}`; there are {}", known.join(", "))
    })
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: `{text}`"))
}
