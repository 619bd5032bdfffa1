//! Break any one template, and the report's first line names it.

use bowline_contract::{Template, TemplateKind, exit_code};
use bowline_warehouse::dialect::Pack;
use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, spell};
use crate::needs::trial;

pub(crate) fn trials() -> Vec<Trial> {
    Engine::ALL
        .into_iter()
        .flat_map(|engine| {
            let pack = Pack::find(engine.name()).expect("a dialect pack");
            // What the engine cannot do at all cannot be broken.
            let spelled = Template::all().filter(|template| pack.spelling(template).is_some());
            spelled.map(move |template| {
                let name = format!("broken/{}/{}", engine.name(), template.short_name());
                trial(name, engine.needs(), move || {
                    is_named_first(engine, template)
                })
            })
        })
        .collect()
}

fn is_named_first(engine: Engine, template: &Template) -> Result<(), Failed> {
    let sandbox = engine.shop();
    let name = template.short_name();
    spell(&sandbox, engine.name(), name, &broken(template));
    let ran = sandbox.bowline(&["test"]).exits(exit_code::FELL_SHORT);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert!(
        first.split_whitespace().any(|word| word == name),
        "`{name}` is not in the first line\n{}",
        ran.said()
    );
    Ok(())
}

/// A spelling that renders, mentions all it must, and that no database takes.
fn broken(template: &Template) -> String {
    let variables = template
        .variables
        .iter()
        .filter(|variable| !variable.optional)
        .map(|variable| format!("{{{{ {} }}}}", variable.name));
    let placeholders = template
        .placeholders
        .iter()
        .map(|placeholder| format!("{{{placeholder}}}"));
    let mentioned: Vec<String> = variables.chain(placeholders).collect();
    match template.kind {
        TemplateKind::Flag => "perhaps".to_owned(),
        _ => format!("no_such_function_at_all({})", mentioned.join(", ")),
    }
}
