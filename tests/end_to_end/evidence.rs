//! What a whole run leaves, and what is judged again from it when the database is gone.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};

use bowline_contract::exit_code;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, spell, write_credentials};
use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = Engine::ALL
        .into_iter()
        .map(|engine| {
            let name = format!("evidence/{}", engine.name());
            trial(name, engine.needs(), move || is_judged_again(engine))
        })
        .collect();
    trials.extend(Engine::ALL.into_iter().map(|engine| {
        let name = format!("evidence/refreshed/{}", engine.name());
        trial(name, engine.needs(), move || is_refreshed(engine))
    }));
    trials.extend([
        trial("evidence/changed", &[], what_changed_is_told),
        trial("evidence/refreshed/chain", &[], a_chain_is_asked_whole),
        trial(
            "evidence/refreshed/elsewhere",
            &[],
            another_database_is_asked_everything,
        ),
        trial("evidence/none", &[], no_whole_run_leaves_none),
    ]);
    trials
}

/// The members of a report that tell of time, or name moments, and of how many connections were worth their while.
const TIMES: [&str; 5] = ["elapsed_ms", "began", "catalogue", "steps", "connections"];

fn evidence_of(engine: Engine) -> String {
    format!("output/{}/evidence/run.jsonl.gz", engine.name())
}

/// Takes away what a live run needs.
fn cut_off(sandbox: &Sandbox, engine: Engine) {
    let credentials = format!("connectors/{}/credentials.json", engine.name());
    fs::remove_file(sandbox.work().join(credentials)).unwrap();
    let _ = fs::remove_file(sandbox.work().join("shop.db"));
}

fn is_judged_again(engine: Engine) -> Result<(), Failed> {
    let sandbox = engine.shop();
    let live = sandbox.bowline(&["export", "--format", "json"]);
    cut_off(&sandbox, engine);
    let again = sandbox.bowline(&["test", "--offline", "--format", "json"]);
    assert_eq!(live.exit, again.exit, "{}", again.said());
    assert_eq!(live.stdout, again.stdout);
    let verified = sandbox.bowline(&["verify"]).exits(exit_code::OK);
    assert!(verified.stdout.contains("follows from its evidence"));

    let packed = fs::read(sandbox.work().join(evidence_of(engine))).unwrap();
    assert!(packed.len() < 300_000, "{} bytes", packed.len());
    Ok(())
}

fn what_changed_is_told() -> Result<(), Failed> {
    let engine = Engine::Sqlite;
    let sandbox = engine.shop();
    sandbox.bowline(&["export"]);
    let manifest = "output/sqlite/manifest.json";
    let exported = sandbox.read(manifest);
    let flag = |value: bool| format!("\"supports_query_logs\": {value}");
    let claim = exported.replace(&flag(false), &flag(true));
    assert_ne!(claim, exported);
    sandbox.write(manifest, &claim);
    let verified = sandbox.bowline(&["verify"]).exits(exit_code::FELL_SHORT);
    let told = "`manifest.json` claims what was not proven: `supports_query_logs`";
    assert!(verified.stdout.contains(told), "{}", verified.said());
    sandbox.write(manifest, &exported);

    // Another blank is another statement, whose answer nobody knows.
    spell(&sandbox, "sqlite", "get_avg_function", "AVG( {x})");
    let again = sandbox
        .bowline(&["test", "--offline"])
        .exits(exit_code::INCONCLUSIVE);
    assert!(
        again
            .stderr
            .contains("the evidence is older than `get_avg_function`")
    );
    sandbox.bowline(&["verify"]).exits(exit_code::FELL_SHORT);

    let path = sandbox.work().join(evidence_of(engine));
    let mut text = String::new();
    GzDecoder::new(fs::read(&path).unwrap().as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::default());
    let edited = text.replacen("SELECT", "SELECt", 1);
    packed.write_all(edited.as_bytes()).unwrap();
    packed.finish().unwrap();
    for command in [&["test", "--offline"][..], &["verify"]] {
        let told = sandbox.bowline(command).exits(exit_code::INVALID);
        assert!(
            told.stderr.contains("it was changed after it was written"),
            "{}",
            told.said()
        );
    }
    Ok(())
}

/// A report without what two runs may differ in.
fn but_for_times(report: &str) -> Value {
    let mut report: Value = serde_json::from_str(report).expect("a report in JSON");
    strip(&mut report);
    report
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !TIMES.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn is_refreshed(engine: Engine) -> Result<(), Failed> {
    let sandbox = engine.shop();
    sandbox.bowline(&["test"]);
    let refreshed = sandbox.bowline(&["test", "--refresh"]);
    let told = "nothing was asked: the evidence holds every answer";
    assert!(refreshed.stderr.contains(told), "{}", refreshed.said());

    spell(&sandbox, engine.name(), "get_avg_function", "MAX({x})");
    let refreshed = sandbox.bowline(&["test", "--refresh", "--format", "json"]);
    let again = sandbox.bowline(&["test", "--offline", "--format", "json"]);
    let whole = sandbox.bowline(&["test", "--format", "json"]);
    assert_eq!(whole.exit, Some(exit_code::FELL_SHORT));
    assert_eq!(refreshed.exit, whole.exit, "{}", refreshed.said());
    assert_eq!(
        but_for_times(&refreshed.stdout),
        but_for_times(&whole.stdout)
    );
    assert_eq!(refreshed.stdout, again.stdout, "it left evidence of itself");
    let asked = asked(&refreshed.stderr);
    assert!((1..150).contains(&asked), "{}", refreshed.stderr);
    Ok(())
}

/// How many statements a refreshment says it asked.
fn asked(said: &str) -> usize {
    let line = said
        .lines()
        .find(|line| line.contains("every other answer"));
    let count = line.and_then(|line| line.split_whitespace().next());
    count.and_then(|count| count.parse().ok()).expect(said)
}

fn a_chain_is_asked_whole() -> Result<(), Failed> {
    let engine = Engine::Sqlite;
    let sandbox = engine.shop();
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    // What the last statement of the chain drops, the first one made: an answer of then would tell of another table.
    let drop = "DROP TABLE  {{schema}}.{{table}}";
    spell(&sandbox, "sqlite", "drop_test_table", drop);
    let refreshed = sandbox.bowline(&["test", "--refresh", "--format", "json"]);
    let whole = sandbox.bowline(&["test", "--format", "json"]);
    assert_eq!(refreshed.exit, whole.exit, "{}", refreshed.said());
    assert_eq!(
        but_for_times(&refreshed.stdout),
        but_for_times(&whole.stdout)
    );
    let live: Value = serde_json::from_str(&refreshed.stdout).unwrap();
    let checks = live["checks"].as_array().unwrap();
    let functional = checks
        .iter()
        .filter(|check| check["section"] == "functional");
    let asked_then = functional
        .flat_map(|check| check["steps"].as_array().unwrap())
        .count();
    assert!(
        asked(&refreshed.stderr) >= asked_then,
        "{}",
        refreshed.stderr
    );
    Ok(())
}

fn another_database_is_asked_everything() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    fs::copy(sandbox.work().join("shop.db"), sandbox.work().join("b.db")).unwrap();
    write_credentials(&sandbox, "sqlite", &json!({ "path": "b.db" }));
    let refreshed = sandbox.bowline(&["test", "--refresh"]).exits(exit_code::OK);
    let told = "everything was asked: another database was asked then, or reached otherwise";
    assert!(refreshed.stderr.contains(told), "{}", refreshed.said());
    Ok(())
}

fn no_whole_run_leaves_none() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox
        .bowline(&["test", "-m", "connection"])
        .exits(exit_code::OK);
    let told = sandbox
        .bowline(&["test", "--offline"])
        .exits(exit_code::INVALID);
    assert!(
        told.stderr.contains("no whole run left evidence"),
        "{}",
        told.said()
    );
    Ok(())
}
