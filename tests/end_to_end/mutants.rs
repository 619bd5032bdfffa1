//! Wrong spellings of single templates, planted in a connector for DuckDB: what the suite says of each.
//!
//! They stand in `tests/mutants/duckdb.toml`, with what each tier is known to find. `docs/reference/mutants.md` is
//! written from the same file.

use bowline_contract::{Template, exit_code};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::connector::{Engine, spell};
use crate::needs::trial;
use crate::sandbox::Sandbox;

const FILE: &str = include_str!("../mutants/duckdb.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutants {
    mutant: Vec<Mutant>,
}

/// A wrong spelling.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    /// The template, by its short name.
    template: String,
    /// What is wrong.
    fault: String,
    /// The spelling.
    text: String,
    /// Whether the contract's own checks find it.
    #[serde(default)]
    reference: bool,
    /// Why the strict tier does not find it, where it must not: a connector that is right may do the same.
    survives: Option<String>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mutants: Mutants = toml::from_str(FILE).expect("tests/mutants/duckdb.toml");
    mutants
        .mutant
        .into_iter()
        .map(|mutant| {
            let slug = mutant.fault.replace([' ', ',', ':', '\''], "_");
            let name = format!("mutants/{}/{slug}", mutant.template);
            trial(name, Engine::DuckDb.needs(), move || is_judged(&mutant))
        })
        .collect()
}

fn is_judged(mutant: &Mutant) -> Result<(), Failed> {
    let engine = Engine::DuckDb;
    let sandbox = engine.shop();
    let name = mutant.template.as_str();
    assert!(
        Template::all().any(|template| template.short_name() == name),
        "`{name}` is no template"
    );
    spell(&sandbox, engine.name(), name, &mutant.text);

    let caught = is_caught(&sandbox, "reference", None);
    assert_eq!(caught, mutant.reference, "in the reference tier");
    let caught = is_caught(&sandbox, "strict", Some(name));
    assert_eq!(caught, mutant.survives.is_none(), "in the strict tier");
    Ok(())
}

/// Whether a tier finds something wrong; a name that is given must then stand in the first line.
fn is_caught(sandbox: &Sandbox, tier: &str, named: Option<&str>) -> bool {
    let ran = sandbox.bowline(&["test", "--tier", tier]);
    if ran.exit == Some(exit_code::OK) {
        return false;
    }
    let ran = ran.exits(exit_code::FELL_SHORT);
    let first = ran.stdout.lines().next().unwrap_or_default();
    if let Some(name) = named {
        assert!(
            first.split_whitespace().any(|word| word == name),
            "`{name}` is not in the first line\n{}",
            ran.said()
        );
    }
    true
}
