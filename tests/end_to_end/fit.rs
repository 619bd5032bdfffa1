//! From a bare connection to what the dialect pack proves.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::connector::{Engine, extend, write_credentials, write_sqlite};
use crate::needs::{Need, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    let embedded = [Engine::Postgres, Engine::DuckDb, Engine::Sqlite].map(|engine| {
        let name = format!("fit/{}", engine.name());
        trial(name, engine.needs(), move || as_good_as_the_pack(engine))
    });
    let mut trials = Vec::from(embedded);
    trials.extend([
        trial("fit/what_the_user_wrote", &[], what_the_user_wrote),
        trial("fit/what_a_fit_wrote", &[], what_a_fit_wrote),
        trial(
            "fit/what_a_pack_of_the_workspace_says",
            &[],
            what_a_pack_says,
        ),
        trial("fit/without_a_place", &[], without_a_place),
        trial("fit/refuted", &[], what_is_refuted),
        trial("fit/in_python", &[Need::Python], in_python),
        trial("fit/few_statements", &[], few_statements),
        trial("fit/no_table", &[], no_table),
        trial("fit/in_vain", &[], in_vain),
    ]);
    trials
}

/// The templates that a report proves.
fn proven(report: &Value) -> BTreeSet<String> {
    let templates = report["templates"].as_array().into_iter().flatten();
    let proven = templates.filter(|template| template["verdict"] == "supported");
    proven
        .filter_map(|template| template["name"].as_str().map(str::to_owned))
        .collect()
}

/// Everything that `before` has is in `after` too, and nothing in it is wrong.
fn assert_as_good(before: &BTreeSet<String>, after: &Value, said: &str) {
    let now = proven(after);
    let lost: Vec<&String> = before.difference(&now).collect();
    assert!(lost.is_empty(), "not found: {lost:?}\n{said}");
    let checks = after["checks"].as_array().into_iter().flatten();
    let wrong: Vec<&Value> = checks
        .filter(|check| check["verdict"] == "wrong")
        .map(|check| &check["id"])
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{said}");
}

/// A connector of the pack's, then the same connection with the base's templates alone.
fn as_good_as_the_pack(engine: Engine) -> Result<(), Failed> {
    let name = engine.name();
    let sandbox = engine.shop();
    let test = ["test", name, "--format", "json"];
    let before = proven(&sandbox.bowline(&test).json());
    let file = format!("connectors/{name}/connector.toml");
    let bare = sandbox
        .read(&file)
        .replace(&format!("extends = \"{name}\""), "extends = \"ansi\"");
    sandbox.write(&file, &bare);
    let fitted = sandbox.bowline(&["fit", name]).exits(0);
    let after = sandbox.bowline(&test).json();
    assert_as_good(&before, &after, &fitted.said());
    Ok(())
}

/// What the user wrote stays, wrong or not, until it is said that it may go.
fn what_the_user_wrote() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    let file = "connectors/shop/templates.toml";
    let own = "[string_functions]\n# Counts.\nget_length = 'LENGTH({x}) + 1'\n\n[aggregation_functions]\nany_value = false\n";
    sandbox.write(file, own);
    let wanted = ["get_length", "get_absolute_value_function"];
    let fitted = sandbox
        .bowline(&["fit", "shop", wanted[0], wanted[1]])
        .exits(1);
    assert!(
        fitted.stdout.contains("Wrong, and yours\n  get_length"),
        "{}",
        fitted.said()
    );
    assert_eq!(sandbox.read(file), own);
    sandbox
        .bowline(&["fit", "shop", wanted[0], "--replace"])
        .exits(0);
    let written = sandbox.read(file);
    assert_eq!(written, own.replace("LENGTH({x}) + 1", "LENGTH({x})"));
    let unknown = sandbox.bowline(&["fit", "shop", "get_lenght"]).exits(2);
    assert!(unknown.stderr.contains("get_length"), "{}", unknown.said());
    Ok(())
}

/// What an earlier fit wrote may be replaced by the next one, and its comment tells of that.
fn what_a_fit_wrote() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    let file = "connectors/shop/templates.toml";
    sandbox.write(
        file,
        "[string_functions]\n# Fitted on Elder 1.0: 3 checks.\nget_length = 'LEN({x})'\n",
    );
    sandbox.bowline(&["fit", "shop", "get_length"]).exits(0);
    let written = sandbox.read(file);
    assert!(
        written.contains("\nget_length = 'LENGTH({x})'\n"),
        "{written}"
    );
    assert!(written.contains("# Fitted on SQLite"), "{written}");
    assert!(!written.contains("Elder"), "{written}");
    Ok(())
}

/// What a pack of the workspace says is the user's too, and is named with its place.
fn what_a_pack_says() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    sandbox.write(
        "packs/own/pack.toml",
        "version = 1\nengine = \"SQLite\"\ndescription = \"Ours.\"\nextends = \"sqlite\"\n",
    );
    sandbox.write(
        "packs/own/templates.toml",
        "\nget_length = 'LENGTH({x}) + 1'\n",
    );
    extend(&sandbox, "shop", ["sqlite", "own"]);
    let fitted = sandbox.bowline(&["fit", "shop", "get_length"]).exits(1);
    let told = "Wrong, and yours\n  get_length at packs/own/templates.toml:2";
    assert!(fitted.stdout.contains(told), "{}", fitted.said());
    sandbox
        .bowline(&["fit", "shop", "get_length", "--replace"])
        .exits(0);
    let written = sandbox.read("connectors/shop/templates.toml");
    assert!(written.contains("get_length = 'LENGTH({x})'"), "{written}");
    Ok(())
}

/// What is not looked for because nothing says where a table may be made is told.
fn without_a_place() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    extend(&sandbox, "shop", ["sqlite", "ansi"]);
    let fit = ["fit", "shop", "create_test_table"];
    let fitted = sandbox.bowline(&fit).exits(0);
    let said = fitted
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for words in [
        "Not looked for - create_test_table: nothing says where a table may be made",
        "hint: write `schema` and `table` under `[functional]` in connector.toml",
    ] {
        assert!(said.contains(words), "{}", fitted.said());
    }
    Ok(())
}

/// What the base of all engines spells, the engine refuses, and nobody knows otherwise is left out; the next fit looks
/// for it again, unless the user says so.
fn what_is_refuted() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    extend(&sandbox, "shop", ["sqlite", "ansi"]);
    let file = "connectors/shop/templates.toml";
    let fit = ["fit", "shop", "get_stddev_function"];
    let fitted = sandbox.bowline(&fit).exits(0);
    let words = "get_stddev_function: what nobody wrote for this engine is refuted";
    let said = fitted
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains(words), "{}", fitted.said());
    let written = sandbox.read(file);
    assert!(written.contains("# Fitted on SQLite"), "{written}");
    assert!(
        written.contains("\nget_stddev_function = false\n"),
        "{written}"
    );
    let again = sandbox.bowline(&["fit", "shop"]).exits(0);
    assert!(
        again.stdout.contains("get_stddev_function:"),
        "{}",
        again.said()
    );
    let own = "get_stddev_function = false\n";
    sandbox.write(file, own);
    let refused = sandbox.bowline(&["fit", "shop", "--dry-run"]).exits(0);
    assert!(
        !refused.stdout.contains("get_stddev_function"),
        "{}",
        refused.said()
    );
    assert_eq!(sandbox.read(file), own);
    Ok(())
}

/// In Python what a fit found is one layer over the classes of `connector.py`, and what `ansi` gave is not the user's.
fn in_python() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let new = ["new", "other", "--lang", "python", "--dialect", "sqlite"];
    sandbox.bowline(&new).exits(0);
    let reaching = sandbox.read("connectors/other/connector.py");
    fs::remove_dir_all(sandbox.work().join("connectors/other"))?;
    sandbox
        .bowline(&["new", "other", "--lang", "python", "--dialect", "ansi"])
        .exits(0);
    let file = "connectors/other/connector.py";
    let given = sandbox.read(file);
    let class = |text: &str| {
        let start = text.find("class BaseConnector").expect("a class");
        start..start + text[start..].find("\n\n\n").expect("its end")
    };
    let given = given.replace(&given[class(&given)], &reaching[class(&reaching)]);
    sandbox.write(file, &given);
    let path = sandbox.work().join("shop.db");
    write_credentials(&sandbox, "other", &serde_json::json!({ "path": path }));
    let about = "\"\"\"What `bowline fit` found.\"\"\"";
    let fit = |templates: &[&str]| {
        let ran = sandbox.bowline(&[&["fit", "other"], templates].concat());
        let ran = ran.exits(0);
        assert!(!ran.stdout.contains("and yours"), "{}", ran.said());
        let text = sandbox.read(file);
        assert!(text.starts_with(&given), "{text}");
        text[given.len()..].to_owned()
    };
    let first = fit(&["get_stddev_function"]);
    assert_eq!(first.matches(about).count(), 1, "{first}");
    let second = fit(&["get_length"]);
    assert_eq!(second.matches(about).count(), 1, "{second}");
    for name in ["get_stddev_function", "get_length"] {
        let method = format!("def {name}_template(self):\n        # Fitted on ");
        assert_eq!(second.matches(&method).count(), 1, "{name}\n{second}");
    }
    Ok(())
}

/// What was found before the budget was spent is kept, and the next start goes on.
fn few_statements() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    extend(&sandbox, "shop", ["sqlite", "ansi"]);
    let first = sandbox
        .bowline(&["fit", "shop", "--max-statements", "350"])
        .exits(0);
    assert!(first.stdout.contains("goes on"), "{}", first.said());
    let file = "connectors/shop/templates.toml";
    let before = sandbox.read(file);
    let second = sandbox.bowline(&["fit", "shop"]).exits(0);
    assert!(!second.stdout.contains("goes on"), "{}", second.said());
    let after = sandbox.read(file);
    assert!(after.len() > before.len(), "{}", second.said());
    for line in before.lines() {
        assert!(after.contains(line), "{line}\n{after}");
    }
    Ok(())
}

/// Nobody is sent to fit again while nothing changed, and somebody is when something did.
fn in_vain() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    extend(&sandbox, "sqlite", ["sqlite", "ansi"]);
    let wanted = ["get_isnan_expression", "get_regexp_expression"];
    let missing = || {
        let ran = sandbox.bowline(&["test", "sqlite", "-m", "ql_metrics"]);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(missing().contains("knows spellings to try for 11 of them"));
    sandbox
        .bowline(&["fit", "sqlite", wanted[0], wanted[1]])
        .exits(0);
    let after = missing();
    assert!(
        after.contains("knows spellings to try for 9 of them"),
        "{after}"
    );
    assert!(
        after.contains("a fit found none that is right for 2 of them"),
        "{after}"
    );
    sandbox.write(
        "connectors/sqlite/templates.toml",
        "is_null = '{x} is null'\n",
    );
    let changed = missing();
    assert!(
        changed.contains("knows spellings to try for 11 of them"),
        "{changed}"
    );
    assert!(!changed.contains("a fit found none"), "{changed}");
    Ok(())
}

/// A database without a table proves no spelling that lists tables, and the fit says that this is why.
fn no_table() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "bare", "--dialect", "sqlite"])
        .exits(0);
    sandbox.write(
        "connectors/bare/credentials.json",
        r#"{"connect_args": {"path": "bare.db"}}"#,
    );
    extend(&sandbox, "bare", ["sqlite", "ansi"]);
    let fitted = sandbox.bowline(&[
        "fit",
        "bare",
        "get_databases_query",
        "get_schemas_query",
        "get_tables_query",
    ]);
    for words in [
        "could not be found out, no table",
        "hint: see that the database has a table",
    ] {
        assert!(fitted.stdout.contains(words), "{}", fitted.said());
    }
    Ok(())
}
