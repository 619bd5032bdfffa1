//! The password appears in no output: every command, every verbosity, every format, every kind of failure.
//!
//! [`Sandbox::finish`](crate::sandbox::Sandbox::finish) looks for the marked password after each command; the
//! tests here lead it to where a password could slip out.

use bowline_contract::exit_code;
use bowline_servers::{Answer, HttpServer};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, connect_args, write_credentials};
use crate::needs::{Need, trial};
use crate::sandbox::{MARK, Sandbox};

const COMMANDS: [&[&str]; 9] = [
    &["test"],
    &["test", "--format", "json"],
    &["test", "--format", "junit"],
    &["export"],
    &["credentials", "check"],
    &["query", "SELECT 1 AS one"],
    &["query", "SELECT no_such_column"],
    &["query", "SELECT 1 AS one", "--format", "json"],
    &["render", "get_avg_function", "x=1"],
];

pub(crate) fn trials() -> Vec<Trial> {
    let postgres = &[Need::Postgres];
    vec![
        trial(
            "secrets/postgres_all_is_well",
            postgres,
            postgres_all_is_well,
        ),
        trial(
            "secrets/postgres_wrong_logins",
            postgres,
            postgres_wrong_logins,
        ),
        trial(
            "secrets/postgres_broken_address",
            postgres,
            postgres_broken_address,
        ),
        trial(
            "secrets/password_in_a_statement",
            postgres,
            password_in_a_statement,
        ),
        trial("secrets/duckdb", &[Need::DuckDb], || embedded("duckdb")),
        trial("secrets/sqlite", &[], || embedded("sqlite")),
        trial("secrets/echoed_in_any_writing", &[], echoed_in_any_writing),
        trial("secrets/in_an_export", &[], in_an_export),
        trial("secrets/open_to_others", &[], open_to_others),
    ]
}

fn every_way(sandbox: &Sandbox) {
    for verbosity in ["--color=never", "--verbose"] {
        for command in COMMANDS {
            any_end(sandbox, &[&[verbosity], command].concat());
        }
    }
    sandbox.assert_clean();
}

fn any_end(sandbox: &Sandbox, args: &[&str]) {
    let mut command = sandbox.command(args);
    command
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    let ran = sandbox.finish(&mut command, None);
    assert_ne!(ran.exit, Some(exit_code::INTERNAL), "{}", ran.said());
    assert!(!ran.stderr.contains("panicked"), "{}", ran.said());
}

fn postgres_all_is_well() -> Result<(), Failed> {
    every_way(&Engine::Postgres.shop());
    Ok(())
}

fn postgres_wrong_logins() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let right = connect_args(sandbox.database().expect("a database"));
    let wrong: [(&str, Value); 5] = [
        ("user", json!("nobody_here")),
        ("database", json!("nothing_here")),
        ("port", json!(1)),
        ("port", json!("not a port")),
        ("host", json!("no-such-host.invalid")),
    ];
    for (key, value) in wrong {
        let mut login = right.clone();
        login[key] = value;
        write_credentials(&sandbox, "postgres", &login);
        every_way(&sandbox);
    }
    Ok(())
}

/// An address in which the password is not escaped: libpq repeats such an address in its error.
fn postgres_broken_address() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let file = "connectors/postgres/connector.toml";
    let folder = sandbox.read(file);
    for address in [
        "postgresql://{{ user }}:{{ password }}@{{ host }}:{{ port }}/{{ database }}",
        "postgresql://{{ user }}:{{ password }}@[{{ host }}",
        "host={{ host }} password={{ password }}",
        "password={{ password }} =",
    ] {
        let lines: Vec<String> = folder
            .lines()
            .map(|line| match line.strip_prefix("uri = ") {
                Some(_) => format!("uri = {}", Value::from(address)),
                None => line.to_owned(),
            })
            .collect();
        sandbox.write(file, &(lines.join("\n") + "\n"));
        every_way(&sandbox);
    }
    Ok(())
}

/// The database repeats a statement in its error, and the statement holds the password.
fn password_in_a_statement() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let password = sandbox.database().expect("a database").password.clone();
    let quoted = password.replace('\'', "''");
    for statement in [
        format!("SELECT '{quoted}' AS it"),
        format!("SELECT no_such_function('{quoted}')"),
        format!("SELECT CAST('{quoted}' AS integer)"),
    ] {
        for format in ["table", "csv", "json"] {
            any_end(&sandbox, &["query", &statement, "--format", format]);
        }
    }
    Ok(())
}

/// Engines without a login: the password stands in an option that the driver refuses by repeating it.
fn embedded(dialect: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", dialect, "--dialect", dialect])
        .exits(0);
    let path = sandbox.work().join("shop.db");
    write_credentials(
        &sandbox,
        dialect,
        &json!({ "path": path, "password": format!("{MARK}/\"%41") }),
    );
    let file = format!("connectors/{dialect}/connector.toml");
    let folder = sandbox.read(&file);
    every_way(&sandbox);
    for option in [
        "path = \"{{ path }}/{{ password }}\"",
        "path = \"{{ path }}\"\nno_such_option = \"{{ password }}\"",
    ] {
        let lines: Vec<&str> = folder
            .lines()
            .map(|line| {
                if line.starts_with("path = ") {
                    option
                } else {
                    line
                }
            })
            .collect();
        sandbox.write(&file, &(lines.join("\n") + "\n"));
        every_way(&sandbox);
    }
    Ok(())
}

/// What libraries make of a secret, each with what must be seen nowhere.
fn writings(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = secret.as_bytes();
    let each =
        |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    let quoted = |safe: &'static [u8]| {
        each(&|byte| {
            if byte.is_ascii_alphanumeric() || safe.contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
    };
    let json = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let base64 = |before: &str| {
        use base64::Engine;
        let text = format!("{before}{secret}");
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    vec![
        ("quote", quoted(b"_.-~/")),
        ("quote without /", quoted(b"_.-~")),
        (
            "html",
            secret
                .replace('&', "&amp;")
                .replace('"', "&quot;")
                .replace('\'', "&#x27;"),
        ),
        ("hex", each(&|byte| format!("{byte:02x}"))),
        (
            "repr of bytes",
            each(&|byte| match byte {
                b'\\' => "\\\\".to_owned(),
                0x20..0x7f => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            }),
        ),
        (
            "unicode escapes",
            secret
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        ),
        ("shell", secret.replace('\'', "'\"'\"'")),
        ("misread", bytes.iter().copied().map(char::from).collect()),
        ("accents apart", secret.replace('ö', "o\u{308}")),
        ("JSON in JSON", json(&json(secret))),
        ("base64", base64("")),
        ("base64 behind one", base64("u")),
        ("base64 behind two", base64("u:")),
        ("half", secret.chars().take(14).collect()),
    ]
}

/// A vendor that repeats the token in whatever writing: in what it refuses, in data, and in names of data.
fn echoed_in_any_writing() -> Result<(), Failed> {
    let mut shown = 0;
    // No common beginning here: some writings leave nothing of it as it is.
    let secret = "Zq7/Sea&gull \"ö' wv";
    for (name, written) in writings(secret) {
        for status in [200, 400] {
            let echo = written.clone();
            let vendor = HttpServer::start(move |_| {
                let item = json!({
                    "id": "1", "name": format!("<{echo}>"), "job": "1", "state": "done",
                    "at": "2026-11-22T10:00:00Z", echo.as_str(): echo,
                });
                Answer::new(
                    status,
                    json!({"items": [item], "message": format!("bad {echo}")}),
                )
            })?;
            let sandbox = echoing(&vendor.url(), secret);
            let window = [
                "--since",
                "2026-11-22T00:00:00Z",
                "--until",
                "2026-11-23T00:00:00Z",
            ];
            let collect = [&["collect", "echo", "--output", "out.jsonl"], &window[..]].concat();
            let commands: [&[&str]; 6] = [
                &["-v", "test", "echo"],
                &["test", "echo", "--format", "json"],
                &["inspect", "echo", "--trace", "--save", "saved"],
                &["inspect", "echo", "--format", "json"],
                &["inspect", "echo", "--replay", "saved"],
                &[&["-v"], &collect[..]].concat(),
            ];
            for command in commands {
                let ran = sandbox.bowline(command);
                shown += 1;
                for said in [&ran.stdout, &ran.stderr] {
                    assert!(
                        !said.contains(&written),
                        "{name}: {command:?}: {}",
                        ran.said()
                    );
                }
            }
            for file in sandbox.files("saved") {
                let text = sandbox.read(format!("saved/{file}"));
                let inner: Value = serde_json::from_str(&text)?;
                assert!(
                    !inner.to_string().contains(&written),
                    "{name}: {file}: {text}"
                );
                assert!(!text.contains(&written), "{name}: {file}: {text}");
            }
        }
    }
    bowline_tally::add(bowline_tally::Kind::Writings, shown);
    Ok(())
}

/// A workspace with a connector for a vendor that echoes, and a secret in its credentials.
fn echoing(url: &str, secret: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "etl_connectors/echo/manifest.json",
        r#"{"connection_type": "custom-etl-connector-abc1234", "connection_name": "Echo",
            "asset_class": "etl", "run_status_mapping": {"done": "success"}}"#,
    );
    sandbox.write(
        "etl_connectors/echo/connector.toml",
        r#"version = 1
[http]
base_url = "{{ credentials.url }}"
auth = { kind = "header", value = "Bearer {{ credentials.token | urlencode }}" }
limits = { retries = 0 }
[sources.jobs]
path = "/jobs"
records = "response.items"
[sources.runs]
path = "/runs"
records = "response.items"
[assets]
from = "jobs"
[assets.fields]
job_source_id = "record.id"
name = "record.name"
[runs]
from = "runs"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "record.state"
event_time = "record.at"
end_time = "record.at"
"#,
    );
    let credentials = json!({"connect_args": {"url": url, "token": secret}});
    sandbox.write(
        "etl_connectors/echo/credentials.json",
        &credentials.to_string(),
    );
    sandbox
}

/// A secret that somebody wrote into the manifest, in another writing, is not exported.
fn in_an_export() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "sqlite"])
        .exits(exit_code::OK);
    let credentials = json!({"path": "shop.db", "token": "Zq7/Sea&gull-wv"});
    write_credentials(&sandbox, "shop", &credentials);
    let path = "connectors/shop/manifest.json";
    let mut manifest: Value = serde_json::from_str(&sandbox.read(path))?;
    manifest["connection_name"] = json!("Shop");
    sandbox.write(path, &manifest.to_string());
    let ran = sandbox.bowline(&["export", "shop"]);
    assert_ne!(ran.exit, Some(exit_code::INVALID), "{}", ran.said());
    manifest["connection_name"] = json!("Shop Zq7%2FSea%26gull-wv");
    sandbox.write(path, &manifest.to_string());
    let ran = sandbox
        .bowline(&["export", "shop"])
        .exits(exit_code::INVALID);
    assert!(
        ran.stderr
            .contains("`manifest.json` holds a value of its credentials"),
        "{}",
        ran.said()
    );
    Ok(())
}

fn open_to_others() -> Result<(), Failed> {
    let sandbox = echoing("http://127.0.0.1:9", "Zq7/Sea&gull-wv");
    let path = sandbox.work().join("etl_connectors/echo/credentials.json");
    let warned = || {
        sandbox
            .bowline(&["inspect", "echo"])
            .stderr
            .contains("others on this machine may read")
    };
    assert!(!warned());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
        assert!(warned());
    }
    Ok(())
}
