//! Survivors that a right connector may be: the table `survivors.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::by_hand;
use crate::engine::Engine;
use crate::operators::Mutant;

/// A row: wrong spellings of one template that are right somewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    template: String,
    /// The packs whose mutants are meant; without, those of all.
    packs: Option<Vec<String>>,
    /// What is wrong with them, as the operators say it; a `*` stands for anything.
    faults: Vec<String>,
    /// The dialect on which that is right, and why.
    right_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    survivor: Vec<Known>,
}

impl Known {
    fn all() -> &'static [Self] {
        static TABLE: LazyLock<Vec<Known>> = LazyLock::new(|| {
            let table: Result<Table, _> = toml::from_str(include_str!("../survivors.toml"));
            let table =
                table.unwrap_or_else(|error| panic!("tests/mutants/survivors.toml: {error}"));
            table.survivor
        });
        &TABLE
    }

    /// On which dialect a survivor is right, where the table says so.
    pub(crate) fn right_on(engine: Engine, mutant: &Mutant) -> Option<String> {
        if mutant.operator == by_hand::NAME {
            let mut planted = by_hand::planted(engine).into_iter();
            return planted.find(|(own, _)| own.text == mutant.text)?.1;
        }
        let rows = Self::all().iter();
        let mut rows = rows.filter(|known| {
            let packs = known.packs.as_ref();
            known.template == mutant.template.short_name()
                && packs.is_none_or(|packs| packs.iter().any(|pack| pack == engine.pack()))
                && known.faults.iter().any(|fault| fits(fault, &mutant.fault))
        });
        rows.next().map(|known| known.right_on.clone())
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| fits(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use bowline_contract::Template;

    use super::*;

    #[test]
    fn the_table_names_templates() {
        for known in Known::all() {
            assert!(
                Template::find(&known.template).is_some(),
                "{}",
                known.template
            );
            assert!(!known.right_on.is_empty(), "{}", known.template);
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("a*c", "abc") && fits("a*", "a") && fits("*", ""));
        assert!(!fits("a*c", "ab") && !fits("a", "ab"));
    }
}
