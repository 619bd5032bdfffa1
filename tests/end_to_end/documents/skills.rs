//! The skills followed to the letter on one connector, from its start to its proof: what they say to do about an answer
//! is done, and nothing else.

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::page::Block;
use super::place::{Place, Setting};
use super::{read, root};
use crate::connector::Engine;
use crate::needs::trial;

/// The sections in the order that the skill says.
const SECTIONS: [&str; 5] = [
    "custom_monitors",
    "ql_prerequisites",
    "ql_metrics",
    "metadata",
    "functional",
];
/// Templates that are spelled wrongly when an assistant begins, each in another section.
const WRONG: [(&str, &str); 3] = [
    ("get_count_all_expression", "COUNT(*) + 1"),
    ("ascending_order", "{x} DESC"),
    ("get_avg_function", "MAX({x})"),
];

pub(super) fn trials() -> Vec<Trial> {
    let on = |engine: Engine| {
        let name = format!("documents/skills_on_{}", engine.name());
        trial(name, engine.needs(), move || warehouse(engine))
    };
    vec![
        on(Engine::DuckDb),
        on(Engine::Postgres),
        trial("documents/skills_on_simulator", &[], pipeline),
    ]
}

fn warehouse(engine: Engine) -> Result<(), Failed> {
    let name = "shop".to_owned();
    let place = Place::new(&Setting::Shop { name, engine })?;
    for (template, text) in WRONG {
        spell(&place, template, text);
    }
    follow(&place, "shop", "bowline-connect")?;
    let step = blocks("bowline-implement").remove(0);
    let step = script(&step, "shop");
    let mut mended = Vec::new();
    for section in SECTIONS {
        let ask = step.replace("SECTION", section);
        loop {
            let ran = place.shell(&ask);
            let report = ran.json();
            let Some(culprit) = report["culprits"].get(0) else {
                ran.exits(0);
                break;
            };
            let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (template, mend) = (words(&culprit["template"]), words(&culprit["mend"]["text"]));
            if mend.is_empty() || mended.contains(&template) {
                return Err(format!("{template} is not mended: {culprit:#}").into());
            }
            spell(&place, &template, &mend);
            mended.push(template);
        }
    }
    assert_eq!(mended, WRONG.map(|(template, _)| template));
    follow(&place, "shop", "bowline-prove")
}

fn pipeline() -> Result<(), Failed> {
    let name = "nights".to_owned();
    let place = Place::new(&Setting::Pipeline { name })?;
    // Its first step, which makes a connector, each way in a workspace of its own, is that page's own test.
    for block in blocks("bowline-new-pipeline").iter().skip(1) {
        place.run(block, &script(block, "nights"))?;
    }
    let prove = blocks("bowline-prove").remove(0);
    place.run(&prove, &script(&prove, "nights"))
}

fn blocks(skill: &str) -> Vec<Block> {
    read(root().join("skills").join(skill).join("SKILL.md")).1
}

/// The commands of a block for a connector.
fn script(block: &Block, connector: &str) -> String {
    block.runs().join("\n").replace("NAME", connector)
}

fn follow(place: &Place, connector: &str, skill: &str) -> Result<(), Failed> {
    blocks(skill)
        .iter()
        .try_for_each(|block| place.run(block, &script(block, connector)))
}

/// Writes a spelling where the scaffold has the template, as a comment or not.
fn spell(place: &Place, template: &str, text: &str) {
    let file = "connectors/shop/templates.toml";
    let is_its = |line: &str| {
        let line = line.trim_start_matches("# ");
        line.strip_prefix(template)
            .is_some_and(|rest| rest.starts_with([' ', ':']))
    };
    let lines: Vec<String> = place
        .sandbox
        .read(file)
        .lines()
        .map(|line| {
            if is_its(line) {
                format!("{template} = {}", Value::from(text))
            } else {
                line.to_owned()
            }
        })
        .collect();
    place.sandbox.write(file, &(lines.join("\n") + "\n"));
}
