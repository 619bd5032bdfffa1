//! What a whole run leaves, and what is judged again from it when the database is gone.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use bowline_contract::exit_code;
use bowline_evidence::{Evidence, pack, unpack};
use bowline_servers::find_program;
use bowline_words::Redactor;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, spell, write_credentials};
use crate::image_sandbox::ImageSandbox;
use crate::needs::{Need, trial};
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
            "evidence/refreshed/later",
            &[],
            what_means_now_is_asked_anew,
        ),
        trial(
            "evidence/refreshed/elsewhere",
            &[],
            another_database_is_asked_everything,
        ),
        trial(
            "evidence/refreshed/functional",
            &[],
            another_test_table_is_looked_at,
        ),
        trial("evidence/masked", &[], evidence_that_is_worth_less_is_told),
        trial("evidence/best", &[], the_evidence_that_fits_best_counts),
        trial("evidence/none", &[], no_whole_run_leaves_none),
        trial("evidence/against", &[], servers_stand_side_by_side),
        trial("evidence/public", &[], what_is_confidential_is_not_shown),
        trial(
            "evidence/image",
            &[Need::ImageTools],
            an_image_carries_its_evidence,
        ),
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
    let folder = format!("connectors/{}", engine.name());
    sandbox.bowline(&["verify", &folder]).exits(exit_code::OK);
    let export = format!("output/{}", engine.name());
    sandbox.bowline(&["verify", &export]).exits(exit_code::OK);

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

    // Another blank is another statement, whose answer nobody knows; what shared one with it is known.
    let checks = || -> Vec<Value> {
        let report = sandbox.bowline(&["test", "--offline", "--format", "json"]);
        let mut report: Value = serde_json::from_str(&report.stdout).unwrap();
        serde_json::from_value(report["checks"].take()).unwrap()
    };
    let before = checks();
    spell(&sandbox, "sqlite", "get_avg_function", "AVG( {x})");
    let after = checks();
    assert_eq!(before.len(), after.len());
    let mut unknown = 0;
    for (before, after) in before.iter().zip(&after) {
        if before["verdict"] != after["verdict"] {
            let steps = before["steps"].as_array().unwrap();
            let mut asked = steps.iter().filter_map(|step| step["sql"].as_str());
            assert!(asked.any(|sql| sql.contains("AVG(")), "{}", after["id"]);
            assert_eq!(after["verdict"], "unknown", "{}", after["id"]);
            unknown += 1;
        }
    }
    assert!(unknown > 0);
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

fn what_means_now_is_asked_anew() -> Result<(), Failed> {
    let engine = Engine::Sqlite;
    let sandbox = engine.shop();
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    // Evidence of weeks ago: what was now then is none of the past days any more.
    let path = sandbox.work().join(evidence_of(engine));
    let evidence = unpack(&fs::read(&path).unwrap(), "run.jsonl.gz").unwrap();
    let then = Evidence {
        now: evidence.now - SignedDuration::from_hours(40 * 24),
        ..evidence
    };
    let text = then.to_text(&Redactor::default());
    pack(&text, File::create(&path).unwrap()).unwrap();
    // Whoever asked in the words of then would call the connector wrong.
    let older = sandbox.bowline(&["test", "--offline"]);
    assert_eq!(
        older.exit,
        Some(exit_code::INCONCLUSIVE),
        "{}",
        older.said()
    );
    for command in ["--refresh", "--offline"] {
        sandbox.bowline(&["test", command]).exits(exit_code::OK);
    }
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

fn another_test_table_is_looked_at() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let file = "connectors/sqlite/connector.toml";
    let config = sandbox.read(file);
    let (without, _) = config.split_once("[functional]").expect("a section");
    let named =
        |table: &str| format!("{without}[functional]\nschema = \"main\"\ntable = \"{table}\"\n");
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    for config in [without.to_owned(), named("one"), named("two")] {
        sandbox.write(file, &config);
        let refreshed = sandbox.bowline(&["test", "--refresh", "--format", "json"]);
        let again = sandbox.bowline(&["test", "--offline", "--format", "json"]);
        let whole = sandbox.bowline(&["test", "--format", "json"]);
        assert_eq!(refreshed.exit, whole.exit, "{}", refreshed.said());
        assert_eq!(
            but_for_times(&refreshed.stdout),
            but_for_times(&whole.stdout)
        );
        assert_eq!(refreshed.stdout, again.stdout, "it left evidence of itself");
        assert_ne!(asked(&refreshed.stderr), 0);
    }
    Ok(())
}

/// What a report found of every check, without what is confidential of it.
fn found(report: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(report).expect("a report in JSON");
    let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (text(check, "id"), text(check, "verdict")))
        .collect()
}

fn what_is_confidential_is_not_shown() -> Result<(), Failed> {
    let engine = Engine::Sqlite;
    let sandbox = engine.shop();
    // One that is judged by rows of the suite's, one by what the catalogue answers.
    spell(&sandbox, "sqlite", "get_avg_function", "MAX({x})");
    let no_columns = "SELECT 'a' AS database_name WHERE 1 = 0";
    spell(&sandbox, "sqlite", "get_columns_query", no_columns);
    // One whose error has words of the server.
    spell(&sandbox, "sqlite", "get_stddev_function", "DEVIATION({x})");
    let live = sandbox.bowline(&["export", "--public", "--format", "json"]);
    assert_eq!(live.exit, Some(exit_code::FELL_SHORT), "{}", live.said());

    let public = sandbox.work().join("evidence/sqlite.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(fs::read(public).unwrap().as_slice())
        .read_to_string(&mut text)
        .unwrap();
    for name in ["customers", "Order Items", "dotted.name", "named_customers"] {
        assert!(!text.contains(name), "`{name}` is in the public evidence");
    }
    let told = |words: &str| text.matches(&format!("\"message\":\"{words}")).count();
    assert_ne!(told(""), 0, "no error to look at");
    assert_eq!(told(""), told("confidential"));

    let credentials = sandbox.read("connectors/sqlite/credentials.json");
    let database = fs::read(sandbox.work().join("shop.db")).unwrap();
    cut_off(&sandbox, engine);
    fs::remove_file(sandbox.work().join(evidence_of(engine))).unwrap();
    let again = sandbox.bowline(&["test", "--offline", "--format", "json"]);
    assert_eq!(again.exit, live.exit, "{}", again.said());
    assert_eq!(found(&again.stdout), found(&live.stdout));
    assert!(again.stderr.contains("rest on what is confidential"));
    let exported = sandbox.work().join("output/sqlite");
    let aside = sandbox.work().join("aside");
    fs::rename(&exported, &aside).unwrap();
    let cloned = sandbox.bowline(&["verify"]).exits(exit_code::FELL_SHORT);
    let told = "there is no export in output/sqlite";
    assert!(cloned.stdout.contains(told), "{}", cloned.said());
    assert!(!cloned.stdout.contains("is missing"), "{}", cloned.said());
    fs::rename(&aside, &exported).unwrap();
    let told = "confidential: not in the public evidence";
    assert!(again.stdout.contains(told), "{}", again.stdout);
    sandbox.bowline(&["verify"]).exits(exit_code::OK);

    // Nobody knows what the catalogue would answer to another template.
    let other = "SELECT 'b' AS database_name WHERE 1 = 0";
    spell(&sandbox, "sqlite", "get_columns_query", other);
    sandbox.bowline(&["verify"]).exits(exit_code::FELL_SHORT);
    let again = sandbox.bowline(&["test", "--offline", "--format", "json"]);
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let listed = checks.find(|check| check["id"] == "metadata/databases");
    assert_eq!(listed.unwrap()["verdict"], "unknown");

    sandbox.write("connectors/sqlite/credentials.json", &credentials);
    fs::write(sandbox.work().join("shop.db"), database).unwrap();
    let refreshed = sandbox.bowline(&["test", "--refresh", "--format", "json"]);
    let whole = sandbox.bowline(&["test", "--format", "json"]);
    assert_eq!(
        but_for_times(&refreshed.stdout),
        but_for_times(&whole.stdout)
    );
    let told = "everything was asked: the evidence does not tell which database was asked";
    assert!(refreshed.stderr.contains(told), "{}", refreshed.said());
    Ok(())
}

fn an_image_carries_its_evidence() -> Result<(), Failed> {
    let place = ImageSandbox::of(Engine::Sqlite.shop());
    let sandbox = &place.sandbox;
    sandbox.bowline(&["export"]).exits(exit_code::OK);
    // Nothing of this test starts what goes in.
    let binary = find_program("busybox").expect("a program of the image tools");
    let binary = binary.to_str().expect("a path");
    let build = |more: &[&str]| {
        let always = ["build", "--base", "oci:base:1", "--tag", "agent:1"];
        let native = ["--builder", "native", "--binary", binary, "--yes"];
        sandbox.bowline(&[&always[..], &native, more].concat())
    };
    for output in ["oci:image", "oci-archive:image.tar"] {
        build(&["--output", output]).exits(exit_code::OK);
        let image = output.replacen("oci-archive:", "", 1);
        let verified = sandbox.bowline(&["verify", &image]).exits(exit_code::OK);
        let told = "sqlite for linux/amd64: manifest and templates follow from its evidence";
        assert!(verified.stdout.contains(told), "{}", verified.said());
    }
    let inspected = place.inspected("oci:image");
    let platform = &inspected["platforms"][0];
    let kinds: Vec<&str> = platform["attached"]
        .as_array()
        .expect("what is attached")
        .iter()
        .filter_map(|each| each["artifact_type"].as_str())
        .collect();
    for kind in [
        "application/vnd.bowline.evidence.v1",
        "application/vnd.in-toto+json",
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let statement = fs::read_dir(sandbox.work().join("image/blobs/sha256"))
        .unwrap()
        .filter_map(|blob| fs::read_to_string(blob.unwrap().path()).ok())
        .find(|text| text.contains("https://in-toto.io/attestation/test-result/v0.1"))
        .expect("a statement");
    let statement: Value = serde_json::from_str(&statement).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicate"]["result"], "PASSED");
    let digest = platform["digest"].as_str().unwrap();
    let subject = statement["subject"][0]["digest"]["sha256"]
        .as_str()
        .unwrap();
    assert_eq!(format!("sha256:{subject}"), digest);

    let average = "output/sqlite/templates/get_avg_function_template.j2";
    sandbox.write(average, "MAX({x})");
    let built = build(&["--unproven", "sqlite", "--output", "oci:other"]).exits(exit_code::OK);
    let told = "`templates/get_avg_function_template.j2` has another text";
    assert!(built.stderr.contains(told), "{}", built.said());
    let verified = sandbox
        .bowline(&["verify", "oci:other"])
        .exits(exit_code::FELL_SHORT);
    let told = "no evidence of it is attached";
    assert!(verified.stdout.contains(told), "{}", verified.said());

    let admit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy/admit.sh");
    for (image, is_let_in) in [("oci:image", true), ("oci:other", false)] {
        let policy = Command::new("sh")
            .args([admit.as_os_str(), image.as_ref()])
            .current_dir(sandbox.work())
            .env("BOWLINE", sandbox.command(&[]).get_program())
            .output()?;
        assert_eq!(policy.status.success(), is_let_in, "{image}: {policy:?}");
    }

    Ok(())
}

fn servers_stand_side_by_side() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let named = |name: &str, path: &str| {
        let file = format!("connectors/sqlite/credentials.{name}.json");
        let credentials = json!({ "connect_args": { "path": path } });
        sandbox.write(file, &credentials.to_string());
    };
    fs::write(sandbox.work().join("empty.db"), "").unwrap();
    named("full", "shop.db");
    named("empty", "empty.db");
    named("gone", "nowhere/shop.db");
    let servers = "full,empty";
    let json = ["test", "--against", servers, "--format", "json"];
    let ran = sandbox.bowline(&json).exits(exit_code::INCONCLUSIVE);
    let matrix = ran.json();
    let metadata = matrix["capabilities"].as_array().unwrap().iter();
    let metadata: Vec<&Value> = metadata
        .filter(|row| row["name"] == "supports_metadata")
        .collect();
    assert_eq!(metadata[0]["differs"], true);
    assert_eq!(metadata[0]["cells"][0]["verdict"], "supported");
    assert_eq!(metadata[0]["cells"][1]["verdict"], "unknown");
    let markdown = ["test", "--against", servers, "--format", "markdown"];
    let ran = sandbox.bowline(&markdown).exits(exit_code::INCONCLUSIVE);
    let row = "| `supports_metadata` | supported | unknown |";
    assert!(ran.stdout.contains(row), "{}", ran.said());

    let ran = sandbox
        .bowline(&["test", "--against", "full,gone"])
        .exits(exit_code::UNREACHABLE);
    assert!(ran.stdout.contains("SQLite"), "{}", ran.said());
    assert!(!ran.stdout.contains("what differs"), "{}", ran.said());
    // What was found elsewhere is no evidence of the connector's own run.
    assert!(!sandbox.work().join(evidence_of(Engine::Sqlite)).exists());
    for wrong in ["../x", "nobody"] {
        let ran = sandbox.bowline(&["test", "--against", wrong]);
        assert_ne!(ran.exit, Some(exit_code::OK), "{}", ran.said());
    }
    assert!(sandbox.read(".gitignore").contains("credentials.*.json"));
    Ok(())
}

fn evidence_that_is_worth_less_is_told() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let credentials = json!({ "path": "shop.db", "password": "SELECT" });
    write_credentials(&sandbox, "sqlite", &credentials);
    let run = sandbox.bowline(&["test"]).exits(exit_code::OK);
    let told = "hold the value of `password` in credentials.json";
    assert!(run.stderr.contains(told), "{}", run.said());

    write_credentials(&sandbox, "sqlite", &json!({ "path": "shop.db" }));
    // A file where the folder should be.
    let folder = sandbox.work().join("output/sqlite/evidence");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    let run = sandbox.bowline(&["test"]).exits(exit_code::OK);
    let told = "warning: cannot keep or read the evidence";
    assert!(run.stderr.contains(told), "{}", run.said());
    assert!(!run.stderr.contains("hold the value"), "{}", run.said());
    Ok(())
}

fn the_evidence_that_fits_best_counts() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    let older = fs::read(sandbox.work().join(evidence_of(Engine::Sqlite))).unwrap();
    spell(&sandbox, "sqlite", "get_avg_function", "AVG( {x})");
    sandbox
        .bowline(&["export", "--public"])
        .exits(exit_code::OK);
    fs::write(sandbox.work().join(evidence_of(Engine::Sqlite)), older).unwrap();
    let committed = sandbox.bowline(&["test", "--offline"]).exits(exit_code::OK);
    let told = "rest on what is confidential";
    assert!(committed.stderr.contains(told), "{}", committed.said());
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
