//! How many mutants the suite caught.

use std::collections::BTreeMap;
use std::fmt;

use crate::by_hand;
use crate::engine::Engine;
use crate::operators::Mutant;
use crate::trial::Fate;

/// The least share of mutants, in percent, that is good enough.
const ENOUGH: usize = 95;

/// A mutant that was tried.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) engine: Engine,
    pub(crate) mutant: Mutant,
    pub(crate) fate: Fate,
    /// The check that it falls short of, or the statement that shows the difference.
    pub(crate) by: String,
    /// The dialect on which it would be right.
    pub(crate) right_on: Option<String>,
}

impl Tried {
    /// Whether it survived and should not have.
    pub(crate) fn is_hole(&self) -> bool {
        self.fate == Fate::Survived && self.right_on.is_none()
    }

    /// Whether there is nothing wrong with it.
    pub(crate) fn is_right(&self) -> bool {
        self.mutant.operator == by_hand::RIGHT
    }

    /// Whether it is right and something falls short of it. What only more rows than the suite's make the database refuse
    /// is no blame.
    pub(crate) fn is_blamed(&self) -> bool {
        let falls_short = matches!(self.fate, Fate::Caught | Fate::Refused) && !self.by.is_empty();
        self.is_right() && falls_short
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, mutant, .. } = self;
        let came_of_it = if self.is_right() {
            "blamed"
        } else {
            "survived"
        };
        writeln!(
            f,
            "{came_of_it}: {} {} [{}] {}",
            engine.pack(),
            mutant.template.short_name(),
            mutant.operator,
            mutant.fault
        )?;
        let indented = |text: &str| text.replace('\n', "\n    ");
        writeln!(f, "    {}", indented(&mutant.text))?;
        write!(f, "    shown by: {}", indented(&self.by))
    }
}

/// What came of mutants.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    caught: usize,
    listed: usize,
    holes: usize,
    refused: usize,
    equivalent: usize,
}

impl Count {
    fn add(&mut self, tried: &Tried) {
        let place = match tried.fate {
            Fate::Caught => &mut self.caught,
            Fate::Refused => &mut self.refused,
            Fate::Equivalent => &mut self.equivalent,
            Fate::Survived if tried.right_on.is_some() => &mut self.listed,
            Fate::Survived => &mut self.holes,
        };
        *place += 1;
    }

    /// How many are wrong and run.
    fn wrong(&self) -> usize {
        self.caught + self.listed + self.holes
    }
}

/// The counts by engine, and of each engine by section and by operator.
#[derive(Debug, Default)]
pub(crate) struct Score {
    engines: BTreeMap<Engine, Count>,
    sections: BTreeMap<(Engine, &'static str), Count>,
    operators: BTreeMap<(Engine, &'static str), Count>,
}

impl Score {
    pub(crate) fn of(tried: &[Tried]) -> Self {
        let mut score = Self::default();
        for each in tried {
            let section = each.mutant.template.section.name();
            score.engines.entry(each.engine).or_default().add(each);
            let sections = &mut score.sections;
            sections
                .entry((each.engine, section))
                .or_default()
                .add(each);
            let operators = &mut score.operators;
            operators
                .entry((each.engine, each.mutant.operator))
                .or_default()
                .add(each);
        }
        score
    }

    /// Whether enough of every engine's mutants are caught, or known to be right on another.
    pub(crate) fn is_enough(&self) -> bool {
        self.engines
            .values()
            .all(|count| (count.caught + count.listed) * 100 >= count.wrong() * ENOUGH)
    }

    /// The counts as the file that the page in the book is made from.
    pub(crate) fn to_toml(&self, seed: u64) -> String {
        let row = |kind: &str, engine: &Engine, name: &str, count: &Count| {
            format!(
                "\n[[{kind}]]\npack = \"{}\"\nname = \"{name}\"\ncaught = {}\nlisted = {}\nholes = {}\nrefused = {}\nequivalent = {}\n",
                engine.pack(),
                count.caught,
                count.listed,
                count.holes,
                count.refused,
                count.equivalent
            )
        };
        let mut text = format!(
            "# What the suite said of a sample of mutants, drawn by the seed. Written by `cargo xtask mutants --record`; never edited.\nseed = {seed}\n"
        );
        for (engine, count) in &self.engines {
            text.push_str(&row("engine", engine, engine.pack(), count));
        }
        for ((engine, name), count) in &self.sections {
            text.push_str(&row("section", engine, name, count));
        }
        for ((engine, name), count) in &self.operators {
            text.push_str(&row("operator", engine, name, count));
        }
        text
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (engine, count) in &self.engines {
            writeln!(
                f,
                "{}: {} of {} caught, {} right elsewhere, {} holes; {} refused, {} equivalent",
                engine.pack(),
                count.caught,
                count.wrong(),
                count.listed,
                count.holes,
                count.refused,
                count.equivalent
            )?;
        }
        Ok(())
    }
}
