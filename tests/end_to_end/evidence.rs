//! What a whole run leaves, and what is judged again from it when the database is gone.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};

use bowline_contract::exit_code;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, spell};
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
    trials.extend([
        trial("evidence/changed", &[], what_changed_is_told),
        trial("evidence/none", &[], no_whole_run_leaves_none),
    ]);
    trials
}

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
