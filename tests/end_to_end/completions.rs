//! Words completed by a real shell, with the names of the workspace it stands in.

use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use crate::connector::write_sqlite;
use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("completions/bash", &[], bash)]
}

/// Asks the function that the script has made for the last of the words, and prints what it found.
const ASK: &str = r#"
ask() {
    COMP_WORDS=("$@") COMP_CWORD=$(( $# - 1 )) COMPREPLY=()
    _clap_complete_bowline bowline "${COMP_WORDS[COMP_CWORD]}" "" 2> /dev/null
    echo "${COMPREPLY[*]}"
}
"#;

fn bash() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "sales");
    write_sqlite(&sandbox, "stock");
    sandbox.write("etl_connectors/sunday/manifest.json", "{}");
    sandbox.write("saved.json", "{}");
    let home = sandbox.folder().join("home");
    std::fs::create_dir_all(home.join("shop/connectors/far"))?;
    let script = sandbox.bowline(&["completions", "bash"]).exits(0).stdout;
    for (words, expected) in [
        ("bowline te", "test"),
        ("bowline test s", "sales stock sunday"),
        ("bowline -C / test s", ""),
        ("bowline -C connectors/stock test s", "sales stock sunday"),
        ("bowline -C \\~/shop/connectors/far test f", "far"),
        ("bowline --directory = \\~/shop test f", "far"),
        ("bowline --directory=$HOME/shop test f", "far"),
        ("bowline -C \\'$HOME/shop\\' test f", "far"),
        ("bowline list --format = j", "json"),
        ("bowline query -c st", "stock"),
        ("bowline test sales -m ql", "ql_prerequisites ql_metrics"),
        ("bowline inspect s", "sunday"),
        ("bowline collect -c s", "sunday"),
        ("bowline profile s", "sales stock"),
        ("bowline export s", "sales stock"),
        ("bowline verify s", "sales stock"),
        ("bowline pack -c s", "sales stock"),
        ("bowline render get_std", "get_stddev_function"),
        ("bowline fit sales get_std", "get_stddev_function"),
        ("bowline explain supports_fresh", "supports_freshness"),
        ("bowline explain numeric_mea", "numeric_mean"),
        ("bowline new x --dialect post", "postgres"),
        ("bowline driver install duck", "duckdb"),
        ("bowline schema temp", "templates"),
        ("bowline report s", "sales stock sunday saved.json"),
        ("bowline diff sa", "sales saved.json"),
        ("bowline explain duck", "duckdb"),
    ] {
        let plain = sandbox.command(&[]);
        let folder = sandbox.folder().join("bin");
        if !folder.exists() {
            std::fs::create_dir(&folder)?;
            std::os::unix::fs::symlink(plain.get_program(), folder.join("bowline"))?;
        }
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("{script}\n{ASK}\nask {words}")])
            .current_dir(sandbox.work())
            .env("HOME", &home)
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ran = sandbox.finish(&mut command, None);
        // The separator of the words is a control sign of the script's own.
        let found = ran.stdout.replace('\u{b}', " ");
        if found.trim() != expected {
            return Err(format!("{words}: `{}`\n{}", found.trim(), ran.said()).into());
        }
    }
    Ok(())
}
