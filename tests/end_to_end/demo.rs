//! `bowline demo`, with and without what it would download.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::connector::Exported;
use crate::needs::{Need, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "demo/duckdb",
            &[Need::DuckDb],
            ends_with_an_exported_connector,
        ),
        trial("demo/no_network", &[], without_a_network_it_uses_sqlite),
    ]
}

/// The name of the one exported connector, and the folder of the demo that holds it.
fn exported(sandbox: &Sandbox, demo: &str) -> Exported {
    let output = sandbox.work().join(demo).join("output");
    let names: Vec<String> = fs::read_dir(&output)
        .unwrap_or_else(|error| panic!("{}: {error}", output.display()))
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let [name] = names.as_slice() else {
        panic!("one exported connector, not {names:?}");
    };
    Exported::read_below(sandbox, demo, name)
}

fn ends_with_an_exported_connector() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox.bowline(&["demo", "tour"]).exits(0);
    let exported = exported(&sandbox, "tour");
    for capability in [
        "supports_full_query_language",
        "supports_metadata",
        "supports_custom_sql_monitor",
        "supports_schema",
        "supports_volume_rows",
    ] {
        exported.assert_supports(capability);
    }
    let before = sandbox.files("tour");
    let again = sandbox.bowline(&["demo", "tour"]);
    assert_ne!(again.exit, Some(0), "{}", again.said());
    assert_eq!(
        sandbox.files("tour"),
        before,
        "a second demo changed the first"
    );
    sandbox.assert_clean();
    Ok(())
}

fn without_a_network_it_uses_sqlite() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let nothing = sandbox.folder().join("home");
    let ran = sandbox.finish(
        sandbox
            .command(&["demo", "tour"])
            .env("PATH", &nothing)
            .env("BOWLINE_DRIVER_DIR", nothing.join("drivers")),
        None,
    );
    let ran = ran.exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("SQLite"), "{said}");
    let connector = sandbox.work().join("tour/connectors/shop");
    let text = fs::read_to_string(connector.join("connector.toml"))?;
    let schema = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#:schema "));
    let schema = schema.expect("a schema for editors");
    assert!(connector.join(schema).is_file(), "{schema}");
    let exported = exported(&sandbox, "tour");
    exported.assert_supports("supports_metadata");
    exported.assert_supports("supports_custom_sql_monitor");
    sandbox.assert_clean();
    Ok(())
}
