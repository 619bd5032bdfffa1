//! Dialect packs of a workspace: made of a connector, extended by others, proven, exported and shipped.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, extend, write_credentials};
use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("packs/made_and_extended", &[], made_and_extended),
        trial("packs/wrong", &[], what_is_wrong_is_not_packed),
        trial("packs/refused", &[], what_is_refused_is_not_absent),
        trial("packs/lacking", &[], what_nobody_asked_is_not_absent),
        trial("packs/mistakes", &[], mistakes_stand_in_the_packs_files),
    ]
}

const PACK: &str = "packs/lite/templates.toml";

/// A workspace with a shop in SQLite, and a connector that spells a template its own way and drops another.
fn shop() -> Sandbox {
    let sandbox = Engine::Sqlite.shop();
    sandbox.write(
        "connectors/sqlite/templates.toml",
        "[string_functions]\nget_length = \"LENGTH({x} || '')\"\n\n[aggregation_functions]\nany_value = false\n",
    );
    sandbox
}

fn made_and_extended() -> Result<(), Failed> {
    let sandbox = shop();
    let packed = sandbox
        .bowline(&["pack", "sqlite", "--name", "lite"])
        .exits(0);
    assert!(
        packed
            .stderr
            .contains("dialect pack lite, proven on SQLite"),
        "{}",
        packed.said()
    );
    let templates = sandbox.read(PACK);
    for words in [
        "get_length = '''\nLENGTH({x} || '')'''\n",
        "any_value = false\n",
        "# Proven on SQLite",
    ] {
        assert!(templates.contains(words), "{words}\n{templates}");
    }
    let refused = sandbox
        .bowline(&["pack", "sqlite", "--name", "lite"])
        .exits(2);
    assert!(refused.stderr.contains("--replace"), "{}", refused.said());
    sandbox
        .bowline(&["pack", "sqlite", "--name", "lite", "--replace"])
        .exits(0);
    assert_eq!(sandbox.read(PACK), templates);

    // What was written by hand stays, and where it cannot be read nothing is replaced.
    let facts = sandbox.read("packs/lite/pack.toml");
    let by_hand = facts
        .replace("engine = \"SQLite\"", "engine = \"SQLite, ours\"")
        .replace("description = ", "description = \"Ours.\" # ")
        + "\n[needs]\nget_length = \"a long arm\"\n\n[has]\nget_length = \"SELECT 1\"\n";
    sandbox.write("packs/lite/pack.toml", &by_hand);
    let broken = templates.clone() + "\n[nowhere]\n";
    sandbox.write(PACK, &broken);
    let replace = ["pack", "sqlite", "--name", "lite", "--replace"];
    let refused = sandbox.bowline(&replace).exits(4);
    assert!(refused.stderr.contains("`[nowhere]`"), "{}", refused.said());
    assert_eq!(sandbox.read("packs/lite/pack.toml"), by_hand);
    assert_eq!(sandbox.read(PACK), broken);
    sandbox.write(PACK, &templates);
    sandbox.bowline(&replace).exits(0);
    let kept = sandbox.read("packs/lite/pack.toml");
    for words in [
        "engine = \"SQLite, ours\"",
        "description = \"Ours.\"",
        "get_length = \"a long arm\"",
        "get_length = \"SELECT 1\"",
    ] {
        assert!(kept.contains(words), "{words}\n{kept}");
    }
    let listed = sandbox.bowline(&["pack", "--list"]).exits(0);
    assert!(
        listed.stdout.contains("extends sqlite, in packs/lite"),
        "{}",
        listed.said()
    );

    // A pack over it, by its path, and a connector over that, by its name.
    sandbox.write(
        "packs/lighter/pack.toml",
        "version = 1\nengine = \"SQLite\"\ndescription = \"Ours.\"\nextends = \"../lite\"\n",
    );
    sandbox.write(
        "packs/lighter/templates.toml",
        "is_null = '({x} IS NULL)'\n",
    );
    sandbox
        .bowline(&["new", "other", "--dialect", "lite"])
        .exits(0);
    write_credentials(&sandbox, "other", &serde_json::json!({ "path": "shop.db" }));
    extend(&sandbox, "other", ["lite", "lighter"]);
    let rendered = sandbox
        .bowline(&["render", "get_length", "x=name", "-c", "other"])
        .exits(0);
    assert_eq!(rendered.stdout, "LENGTH(name || '')\n");
    sandbox.bowline(&["export", "other"]).exits(0);
    let exported = sandbox.read("output/other/templates/get_length_template.j2");
    assert_eq!(exported, "LENGTH({x} || '')");

    // The agent's program needs no pack: what ships has the export's templates.
    let elsewhere = sandbox.folder().join("elsewhere");
    fs::create_dir_all(&elsewhere)?;
    for name in ["connector.toml", "manifest.json"] {
        let from = sandbox.work().join("connectors/other").join(name);
        fs::copy(from, elsewhere.join(name))?;
    }
    let place = elsewhere.display().to_string();
    let served = sandbox.bowline(&["serve", &place, "--name", "other"]);
    assert_ne!(served.exit, Some(0), "{}", served.said());
    sandbox
        .bowline(&["serve", &place, "--name", "other", "--without-templates"])
        .exits(0);

    // What ships is what was proven: a pack that changed afterwards is told.
    sandbox.write(PACK, &templates.replace("|| ''", "|| '' "));
    let built = sandbox.bowline(&["build", "other", "--base", "oci:absent:1"]);
    let told = "not what was proven: `packs/lite/templates.toml` has changed";
    assert!(built.stderr.contains(told), "{}", built.said());
    Ok(())
}

fn what_is_wrong_is_not_packed() -> Result<(), Failed> {
    let sandbox = shop();
    sandbox
        .bowline(&["pack", "sqlite", "--name", "lite"])
        .exits(0);
    let wrong = sandbox
        .read(PACK)
        .replace("LENGTH({x} || '')", "LENGTH({x} || 'x')");
    let line = wrong.lines().position(|line| line.contains("|| 'x'"));
    sandbox.write(PACK, &wrong);
    sandbox
        .bowline(&["new", "other", "--dialect", "lite"])
        .exits(0);
    write_credentials(&sandbox, "other", &serde_json::json!({ "path": "shop.db" }));
    let tested = sandbox
        .bowline(&["test", "other", "-m", "ql_metrics"])
        .exits(1);
    let place = format!("mend get_length at {PACK}:{}", line.unwrap_or_default() + 1);
    assert!(tested.stdout.contains(&place), "{place}\n{}", tested.said());
    let packed = sandbox
        .bowline(&["pack", "other", "--name", "third"])
        .exits(1);
    let told = "nothing was packed: 1 template is wrong: `get_length`";
    assert!(packed.stderr.contains(told), "{}", packed.said());
    assert!(!sandbox.work().join("packs/third").exists());
    Ok(())
}

fn what_is_refused_is_not_absent() -> Result<(), Failed> {
    let sandbox = shop();
    let file = "connectors/sqlite/templates.toml";
    sandbox.write(file, "get_length = \"LENGHT({x})\"\n");
    let packed = sandbox
        .bowline(&["pack", "sqlite", "--name", "typo"])
        .exits(1);
    let told = "nothing was packed: the database refuses `get_length`";
    assert!(packed.stderr.contains(told), "{}", packed.said());
    assert!(!sandbox.work().join("packs").exists());

    // One of a pack in a file is as little a proof.
    sandbox.write(
        "packs/own/pack.toml",
        "version = 1\nengine = \"SQLite\"\ndescription = \"Ours.\"\nextends = \"sqlite\"\n",
    );
    sandbox.write("packs/own/templates.toml", &sandbox.read(file));
    sandbox.write(file, "");
    extend(&sandbox, "sqlite", ["sqlite", "own"]);
    let packed = sandbox
        .bowline(&["pack", "sqlite", "--name", "typo"])
        .exits(1);
    assert!(packed.stderr.contains(told), "{}", packed.said());

    // What the program's own base spells and the database refuses is proven to be absent.
    extend(&sandbox, "sqlite", ["own", "ansi"]);
    let wrong = [
        "default_cast_to_timestamp_func",
        "cast_string_to_timestamp",
        "cast_default_to_timestamp",
    ];
    sandbox.write(
        file,
        &wrong.map(|name| format!("{name} = false\n")).concat(),
    );
    sandbox
        .bowline(&["pack", "sqlite", "--name", "plain"])
        .exits(0);
    let templates = sandbox.read("packs/plain/templates.toml");
    let told = "it refuses the inherited spelling.\nget_stddev_function = false\n";
    assert!(templates.contains(told), "{templates}");
    Ok(())
}

fn what_nobody_asked_is_not_absent() -> Result<(), Failed> {
    let sandbox = shop();
    let file = "connectors/sqlite/connector.toml";
    let text = sandbox.read(file);
    let without: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("[dialect]") && !line.starts_with("extends"))
        .collect();
    sandbox.write(file, &without.join("\n"));
    sandbox
        .bowline(&["pack", "sqlite", "--name", "lite"])
        .exits(0);
    let templates = sandbox.read(PACK);
    let absent: Vec<&str> = templates
        .lines()
        .filter(|line| line.ends_with("= false"))
        .collect();
    assert_eq!(absent, ["any_value = false"], "{templates}");
    let facts = sandbox.read("packs/lite/pack.toml");
    let open = facts.lines().find(|line| line.starts_with("unproven = "));
    let open = open.unwrap_or_default();
    assert!(open.contains("\"get_avg_function\""), "{facts}");
    assert!(!open.contains("any_value"), "{facts}");
    Ok(())
}

fn mistakes_stand_in_the_packs_files() -> Result<(), Failed> {
    let sandbox = shop();
    let file = "connectors/sqlite/connector.toml";
    let extending = |word: &str| {
        let text = sandbox.read(file);
        let start = text.find("extends = ").expect("a dialect");
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |end| start + end);
        let text = format!("{}extends = \"{word}\"{}", &text[..start], &text[end..]);
        sandbox.write(file, &text);
        let ran = sandbox.bowline(&["render", "get_length", "-c", "sqlite"]);
        assert_ne!(ran.exit, Some(0), "{}", ran.said());
        ran.stderr
    };
    let pack = |name: &str, text: &str| {
        let text = format!("version = 1\nengine = \"X\"\ndescription = \"X.\"\n{text}");
        sandbox.write(format!("packs/{name}/pack.toml"), &text);
    };
    pack("ring", "extends = \"chain\"\n");
    pack("chain", "extends = \"../ring\"\n");
    for number in 0..9 {
        pack(
            &format!("p{number}"),
            &format!("extends = \"p{}\"\n", number + 1),
        );
    }
    pack("p9", "extends = \"ansi\"\n");
    pack("broken", "extends = \"ansi\"\n");
    sandbox.write(
        "packs/broken/templates.toml",
        "\nget_length = 'LENGTH({{ )'\n",
    );
    sandbox.write("packs/newer/pack.toml", "version = 2\n");
    fs::create_dir_all(sandbox.work().join("packs/submodule"))?;
    for (word, told) in [
        (
            "ring",
            "dialect packs extend each other: ring → chain → ring",
        ),
        ("p0", "more than 8 dialect packs extend each other"),
        ("broken", "packs/broken/templates.toml:2:"),
        ("newer", "a newer file needs a newer program"),
        ("submodule", "`git submodule update --init`"),
        ("rung", "did you mean `ring`?"),
        ("../../../elsewhere", "lies outside of the workspace"),
        (
            "../ring",
            "a path begins in the folder of the file that names it",
        ),
    ] {
        let said = extending(word);
        assert!(said.contains(told), "{word}: {said}");
    }
    Ok(())
}
