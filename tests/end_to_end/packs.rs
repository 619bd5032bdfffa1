//! Dialect packs of a workspace: made of a connector, extended by others, proven, exported and shipped.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, extend, write_credentials};
use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("packs/made_and_extended", &[], made_and_extended),
        trial("packs/wrong", &[], what_is_wrong_is_not_packed),
        trial("packs/refused", &[], what_is_refused_is_not_absent),
        trial("packs/lacking", &[], what_nobody_asked_is_not_absent),
        trial("packs/mistakes", &[], mistakes_stand_in_the_packs_files),
        trial("packs/facts", &[], facts_that_say_nothing),
        trial("packs/secrets", &[], no_secret_is_packed),
        trial("packs/foreign_files", &[], foreign_files_stay),
        trial("packs/embedded_name", &[], no_name_of_an_embedded_one),
        trial("packs/log_that_is_off", &[], a_log_that_is_off),
    ];
    if cfg!(unix) {
        trials.push(trial("packs/links", &[], links_are_not_followed));
    }
    trials
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
    sandbox.assert_schemas(&["packs/lite/pack.toml", PACK]);
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
    for file in [
        "packs/lite/connector.toml",
        "connectors/other/connector.toml",
    ] {
        let text = sandbox.read(file);
        assert!(text.starts_with("#:schema ../../.bowline/"), "{text}");
        assert_eq!(text.matches("#:schema").count(), 1, "{text}");
    }
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
    extending("broken");
    sandbox.write(
        "output/sqlite/manifest.json",
        &sandbox.read("connectors/sqlite/manifest.json"),
    );
    let built = sandbox.bowline(&["build", "sqlite", "--base", "oci:absent:1"]);
    let told = "cannot load the dialect pack: packs/broken/templates.toml:2:";
    assert!(built.stderr.contains(told), "{}", built.said());
    assert!(!built.stderr.contains("is gone"), "{}", built.said());
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

/// What `pack.toml` and the folder's name say is held to what it is for.
fn facts_that_say_nothing() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.work().join("connectors"))?;
    let all = "version = 1\nengine = \"X\"\ndescription = \"X.\"\n";
    let told_of = |folder: &str, text: &str| {
        let file = format!("packs/{folder}/pack.toml");
        sandbox.write(&file, text);
        let told = sandbox.bowline(&["explain", folder]).exits(4).stderr;
        fs::remove_file(sandbox.work().join(&file)).expect("the pack's file");
        told
    };
    for (text, told) in [
        (
            all.replace("\"X\"", "\" \""),
            "pack.toml:2:10: `engine` is empty",
        ),
        (
            all.replace("X.", "X.\\nY."),
            "`description` has more than one line",
        ),
        (format!("{all}enigne = 'X'"), "did you mean `engine`?"),
        (
            format!("{all}unproven = ['get_lenght']"),
            "did you mean `get_length`?",
        ),
        (
            format!("{all}[needs]\nget_lenght = 'X'"),
            "pack.toml:5:1: unknown template `get_lenght`",
        ),
        (
            format!("{all}[needs]\nget_length = ''"),
            "`get_length` is empty",
        ),
        (
            format!("{all}[has]\nget_length = 'SELECT 1'"),
            "write `get_length = \"…\"` under `[needs]`",
        ),
        (
            format!("{all}[[proven]]\nom = 'X'"),
            "unknown key `om` in `[proven]`",
        ),
        (
            format!("{all}[[proven]]\non = 'X'\nat = 'not a day'"),
            "`at` is no day: `not a day`",
        ),
        (format!("{all}extends = ''"), "unknown dialect ``"),
    ] {
        let said = told_of("facts", &text);
        assert!(said.contains(told), "{told}: {said}");
    }
    for name in ["odd;name", "_hidden", "né"] {
        let said = told_of(name, all);
        let told = format!("the folder's name `{name}` cannot name a dialect pack");
        assert!(said.contains(&told), "{said}");
    }
    sandbox.write("packs/Some-Pack/pack.toml", all);
    sandbox.bowline(&["explain", "Some-Pack"]).exits(0);
    Ok(())
}

fn no_secret_is_packed() -> Result<(), Failed> {
    let sandbox = shop();
    let path = sandbox.work().join("shop.db");
    let credentials = serde_json::json!({ "path": path, "pin": "Zq7/Sea&gull-wv" });
    write_credentials(&sandbox, "sqlite", &credentials);
    let refuses = |file: &str, text: &str, told: &str| {
        let before = sandbox.read(file);
        sandbox.write(file, text);
        let packed = sandbox
            .bowline(&["pack", "sqlite", "--name", "lite"])
            .exits(4);
        assert!(packed.stderr.contains(told), "{told}: {}", packed.said());
        assert!(!sandbox.work().join("packs").exists());
        sandbox.write(file, &before);
    };
    let templates = "connectors/sqlite/templates.toml";
    refuses(
        templates,
        "\nget_length = \"LENGTH({x}) /* Zq7%2FSea%26gull-wv */\"\n",
        "templates.toml:2` holds a value of its credentials",
    );
    refuses(
        templates,
        "get_length = \"LENGTH({x}) /* SECRET 'abc' */\"\n",
        "templates.toml:1` holds a secret in a statement",
    );
    let connector = "connectors/sqlite/connector.toml";
    let text = sandbox.read(connector) + "# as on postgres://bob:pa55word@host\n";
    let told = format!(
        "`connector.toml:{}` holds a secret in an address",
        text.lines().count()
    );
    refuses(connector, &text, &told);
    sandbox
        .bowline(&["pack", "sqlite", "--name", "lite"])
        .exits(0);
    Ok(())
}

fn foreign_files_stay() -> Result<(), Failed> {
    let sandbox = shop();
    let pack = ["pack", "sqlite", "--name", "lite", "--replace"];
    sandbox.write("packs/lite/notes.txt", "ours");
    let refused = sandbox.bowline(&pack).exits(2);
    assert!(
        refused.stderr.contains("exists already"),
        "{}",
        refused.said()
    );
    sandbox.write(
        "packs/lite/pack.toml",
        "version = 1\nengine = \"SQLite\"\ndescription = \"Ours.\"\n",
    );
    let long = "packs/lite/templates/get_length.sql.j2";
    sandbox.write(long, "LENGTH({x})");
    sandbox.write("packs/lite/templates/notes.txt", "ours");
    sandbox.bowline(&pack).exits(0);
    assert!(!sandbox.work().join(long).exists());
    for kept in ["packs/lite/notes.txt", "packs/lite/templates/notes.txt"] {
        assert_eq!(sandbox.read(kept), "ours");
    }
    Ok(())
}

/// A pack of the workspace that has the name of one that the program brings is told wherever the name is said.
fn no_name_of_an_embedded_one() -> Result<(), Failed> {
    let sandbox = shop();
    fs::create_dir_all(sandbox.work().join("packs/sqlite"))?;
    sandbox.bowline(&["explain", "sqlite"]).exits(0);
    sandbox.write(
        "packs/sqlite/pack.toml",
        "version = 1\nengine = \"X\"\ndescription = \"X.\"\n",
    );
    let commands: [&[&str]; 6] = [
        &["new", "other", "--dialect", "sqlite"],
        &["explain", "sqlite"],
        &["render", "get_length", "x=y", "-c", "sqlite"],
        &["fit", "sqlite"],
        &["test", "sqlite"],
        &["pack", "--list"],
    ];
    for command in commands {
        let ran = sandbox.bowline(command);
        let told = "packs/sqlite/pack.toml: the program brings a dialect pack called `sqlite`";
        assert!(ran.stderr.contains(told), "{command:?}: {}", ran.said());
    }
    Ok(())
}

#[cfg(unix)]
fn links_are_not_followed() -> Result<(), Failed> {
    use std::os::unix::fs::symlink;

    let sandbox = shop();
    let elsewhere = sandbox.folder().join("elsewhere");
    fs::create_dir_all(&elsewhere)?;
    let facts = "version = 1\nengine = \"X\"\ndescription = \"X.\"\n";
    fs::write(elsewhere.join("pack.toml"), facts)?;
    fs::create_dir_all(sandbox.work().join("packs"))?;
    symlink(&elsewhere, sandbox.work().join("packs/lite"))?;
    let pack = ["pack", "sqlite", "--name", "lite", "--replace"];
    let refused = sandbox.bowline(&pack).exits(2);
    assert!(
        refused.stderr.contains("`packs/lite` is a link"),
        "{}",
        refused.said()
    );
    extend(&sandbox, "sqlite", ["sqlite", "lite"]);
    let commands: [&[&str]; 3] = [
        &["explain", "lite"],
        &["render", "get_length", "x=y", "-c", "sqlite"],
        &["pack", "--list"],
    ];
    for command in commands {
        let ran = sandbox.bowline(command);
        let told = "it lies outside of the workspace";
        assert!(ran.stderr.contains(told), "{command:?}: {}", ran.said());
    }
    extend(&sandbox, "sqlite", ["lite", "sqlite"]);
    fs::remove_file(sandbox.work().join("packs/lite"))?;
    sandbox.write("packs/lite/pack.toml", facts);
    let templates = elsewhere.join("templates.toml");
    fs::write(&templates, "")?;
    symlink(&templates, sandbox.work().join("packs/lite/templates.toml"))?;
    let refused = sandbox.bowline(&pack).exits(2);
    let told = "`packs/lite/templates.toml` is a link";
    assert!(refused.stderr.contains(told), "{}", refused.said());
    assert_eq!(fs::read_to_string(&templates)?, "");
    assert_eq!(fs::read_to_string(elsewhere.join("pack.toml"))?, facts);
    Ok(())
}

#[cfg(not(unix))]
fn links_are_not_followed() -> Result<(), Failed> {
    Ok(())
}

/// Where the server says that it lacks what the pack's query of the log needs, nobody waits for the log, and no template is
/// wrong, whatever else stands in it.
fn a_log_that_is_off() -> Result<(), Failed> {
    let sandbox = shop();
    sandbox.write(
        "packs/own/pack.toml",
        "version = 1\nengine = \"SQLite\"\ndescription = \"Ours.\"\nextends = \"sqlite\"\n\n\
         [needs]\nget_query_logs_query = \"a log that is on\"\n\n[has]\nget_query_logs_query = \"SELECT 0\"\n",
    );
    sandbox.write(
        "packs/own/templates.toml",
        "get_query_logs_query = \"SELECT '1' AS query_id, datetime('now') AS start_time, datetime('now') AS end_time, \
         'SELECT 1' AS query_text WHERE '{{ start_time }}' < '{{ end_time }}' LIMIT {{ limit }} OFFSET {{ offset }}\"\n",
    );
    extend(&sandbox, "sqlite", ["sqlite", "own"]);
    let ran = sandbox.bowline(&["test", "sqlite", "-m", "functional", "--format", "json"]);
    let report = ran.json();
    let checks = report["checks"].as_array().expect("checks");
    let logged = checks
        .iter()
        .find(|check| check["id"] == "functional/query_logged")
        .expect("the check");
    assert_eq!(logged["verdict"], "unknown", "{logged:#}");
    let told = logged["reason"].to_string();
    assert!(told.contains("lacks what that takes"), "{told}");
    assert!(ran.said().contains("a log that is on"), "{}", ran.said());
    Ok(())
}
