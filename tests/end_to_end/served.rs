//! `bowline serve`: connectors without code keep the process protocol like any program.

use std::path::Path;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::agent_shim::recorded_prefect;
use crate::connector::{Engine, write_sqlite};
use crate::needs::{binary, trial};
use crate::sandbox::{MARK, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("served/warehouse", &[], warehouse),
        trial("served/pipeline", &[], pipeline),
        trial("served/not_loaded", &[], not_loaded),
        trial("served/odd_option", &[], odd_option),
    ]
}

/// Asks everything the protocol asks of the connector in a folder.
fn check(sandbox: &Sandbox, credentials: &str, folder: &Path) {
    let (program, folder) = (binary().to_string_lossy(), folder.to_string_lossy());
    let checked = sandbox.bowline(&[
        "protocol",
        "check",
        "--credentials",
        credentials,
        "--",
        &program,
        "serve",
        &folder,
    ]);
    assert!(checked.stdout.contains(" 0 failed"), "{}", checked.said());
}

fn warehouse() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let folder = sandbox.work().join("connectors/sqlite");
    check(&sandbox, "connectors/sqlite/credentials.json", &folder);
    sandbox.assert_clean();
    Ok(())
}

fn pipeline() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let vendor = recorded_prefect();
    let credentials = json!({"connect_args": {
        "api_url": format!("{}/api", vendor.url()),
        "username": "ann",
        "password": format!("{MARK}-secret"),
    }});
    sandbox.write("credentials.json", &credentials.to_string());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/etl_connectors/prefect");
    check(&sandbox, "credentials.json", &folder);
    sandbox.assert_clean();
    Ok(())
}

fn not_loaded() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    sandbox.write("connectors/shop/connector.toml", "version = 2\n");
    let served = sandbox
        .bowline(&["serve", "connectors/shop"])
        .exits(exit_code::INVALID);
    assert_eq!(served.stdout, "", "standard output is the protocol's");
    assert!(served.stderr.contains("version"), "{}", served.said());
    Ok(())
}

/// What is wrong with an option reaches who asks the served connector.
fn odd_option() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    let file = "connectors/shop/connector.toml";
    let text = sandbox.read(file);
    let odd = text.replace("[driver.options]\n", "[driver.options]\nfrob = \"1\"\n");
    assert_ne!(odd, text);
    sandbox.write(file, &odd);
    let ask = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":1,"client":"test"}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":2,"method":"connect","params":{"credentials":{"path":"shop.db"}}}"#,
        "\n",
    );
    let served = sandbox.finish(
        &mut sandbox.command(&["serve", "connectors/shop"]),
        Some(ask),
    );
    assert!(served.stdout.contains("`frob`"), "{}", served.said());
    Ok(())
}
