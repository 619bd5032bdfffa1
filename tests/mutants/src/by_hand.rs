//! Spellings that no operator makes. Those in `by_hand/` are wrong: a person's, who takes a template for something else.
//! Those in `right/` are unusual and right, and no check may say otherwise. Each folder has a file for each pack.

use bowline_contract::Template;
use bowline_warehouse::dialect::Pack;
use serde::Deserialize;

use crate::engine::Engine;
use crate::operators::Mutant;

/// What wrong spellings of a person are called where others have the name of their operator.
pub(crate) const NAME: &str = "by hand";

/// What right spellings are called there.
pub(crate) const RIGHT: &str = "right";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    mutant: Vec<Planted>,
    #[serde(default)]
    right: Vec<Planted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    /// The template, by its short name.
    template: String,
    /// What is wrong, or how a right one does it.
    #[serde(alias = "how")]
    fault: String,
    /// The spelling.
    text: Option<String>,
    /// Instead of a spelling: what stands in the pack's own, each with what stands there in the wrong one.
    #[serde(default)]
    edits: Vec<(String, String)>,
    /// Why the suite must let it pass, where it must: a connector that is right may do the same.
    survives: Option<String>,
}

/// The wrong spellings of a pack, each with the reason, if any, why it must pass.
pub(crate) fn planted(engine: Engine) -> Vec<(Mutant, Option<String>)> {
    let text = match engine {
        Engine::DuckDb => include_str!("../by_hand/duckdb.toml"),
        Engine::Postgres => include_str!("../by_hand/postgres.toml"),
        Engine::MariaDb => include_str!("../by_hand/mariadb.toml"),
        Engine::Sqlite => include_str!("../by_hand/sqlite.toml"),
    };
    read(engine, text)
}

/// The right spellings of a pack that are not its own.
pub(crate) fn right(engine: Engine) -> Vec<Mutant> {
    let text = match engine {
        Engine::DuckDb => include_str!("../right/duckdb.toml"),
        Engine::Postgres => include_str!("../right/postgres.toml"),
        Engine::MariaDb => include_str!("../right/mariadb.toml"),
        Engine::Sqlite => include_str!("../right/sqlite.toml"),
    };
    let planted = read(engine, text).into_iter();
    planted.map(|(right, _)| right).collect()
}

/// Reads spellings of a pack, wrong ones and right ones.
pub(crate) fn read(engine: Engine, text: &str) -> Vec<(Mutant, Option<String>)> {
    let name = engine.pack();
    let file: File =
        toml::from_str(text).unwrap_or_else(|error| panic!("spellings for {name}: {error}"));
    let set = Pack::find(name).map(Pack::templates).unwrap_or_default();
    let wrong = file.mutant.into_iter().map(|planted| (NAME, planted));
    let right = file.right.into_iter().map(|planted| (RIGHT, planted));
    let mutants = wrong.chain(right).map(|(operator, planted)| {
        let template = Template::find(&planted.template)
            .unwrap_or_else(|| panic!("spellings for {name}: no template `{}`", planted.template));
        assert!(
            planted.text.is_some() == planted.edits.is_empty(),
            "spellings for {name}: `{}` that {} has a text or edits",
            planted.template,
            planted.fault
        );
        let spelled = set.iter().find(|spelled| spelled.template == template);
        let own = spelled.map(|spelled| spelled.text.clone());
        let edited = own.map(|own| {
            planted.edits.iter().fold(own, |text, (from, to)| {
                assert!(
                    text.contains(from),
                    "spellings for {name}: no `{from}` in `{}`",
                    planted.template
                );
                text.replace(from, to)
            })
        });
        let mutant = Mutant {
            template,
            operator,
            fault: planted.fault,
            text: planted.text.or(edited).unwrap_or_default(),
        };
        (mutant, planted.survives)
    });
    mutants.collect()
}
