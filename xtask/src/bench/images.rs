//! Images: how long two connectors take to go onto a base of 100 MB without an engine, beside `buildah bud` on the same
//! base, and how much memory a large layer takes.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bowline_servers::ImageStore;

use super::measure::{Clock, repeat};
use super::record::{Goal, Row};
use super::{Bowline, write};
use crate::process::{Failure, run_quietly, step};
use crate::provide::image_tools;

/// Engines take long and vary little.
const ENGINE_RUNS: usize = 5;
const BASE_FILES: u32 = 100;
const MEGABYTE: usize = 1_000_000;
const LARGE_FILE: u32 = 300;

const EXPORTED: &str = r#"{
  "connection_type": "custom-connector-0000001",
  "connection_name": "Shop",
  "capabilities": {"supports_metadata": true},
  "metrics": {}
}
"#;
const PIPELINE: &str = r#"{"connection_type": "custom-etl-connector-0000002", "connection_name": "Jobs", "asset_class": "etl",
        "run_status_mapping": {"done": "success"}}"#;
const DOCKERFILE: &str = "FROM localhost/bench-base:1
USER root
ENV MCD_CUSTOM_CONNECTORS_ENABLED=true
COPY connectors/shop /opt/custom-connectors/shop
COPY etl_connectors/jobs /opt/custom-etl-connectors/jobs
USER mcdagent
";

/// Measures everything about images.
pub(super) fn rows(bowline: &Bowline, folder: &Path, runs: usize) -> Result<Vec<Row>, Failure> {
    image_tools()?;
    let workspace = folder.join("images");
    connectors(&workspace)?;
    let mut rows = Vec::new();

    step("a base image");
    let store = ImageStore::new().map_err(|error| error.to_string())?;
    let root = workspace.join("root");
    for number in 0..BASE_FILES {
        noise(&root.join(format!("data/{number}")), number, 1)?;
    }
    write(
        &root.join("passwd"),
        "root:x:0:0::/:/bin/sh\nmcdagent:x:1000:1000::/:/bin/sh\n",
    )?;
    fs::create_dir_all(root.join("usr/bin"))
        .map_err(|error| format!("cannot make a base: {error}"))?;
    // What an agent needs; nothing here starts it.
    write(&root.join("usr/bin/python3"), "")?;
    fs::create_dir_all(root.join("etc"))
        .and_then(|()| fs::rename(root.join("passwd"), root.join("etc/passwd")))
        .map_err(|error| format!("cannot make a base: {error}"))?;
    store
        .pack(&root, &workspace.join("base"), "1", &["--env", "A=1"])
        .map_err(|error| error.to_string())?;

    step("two connectors onto a base of 100 MB");
    let build = |output: &'static str| {
        let args = ["build", "--base", "oci:base:1", "--output", output];
        let unproven = ["--unproven", "shop", "--unproven", "jobs"];
        let mut command = bowline.command(&workspace);
        command.args(args).args(unproven);
        command
    };
    let goal = Goal::new(Duration::from_secs(2), 150);
    for (what, output) in [
        (
            "image of two connectors on a base of 100 MB, to an OCI layout",
            "oci:image",
        ),
        ("the same to an OCI archive", "oci-archive:image.tar"),
    ] {
        let figures = repeat(runs, &[0], Clock::Process, || build(output))?;
        rows.push(Row::new(what, goal, figures));
    }

    step("the same with buildah");
    // buildah itself takes no folder with a capital letter in its path.
    run_quietly(
        Command::new("skopeo")
            .args(["copy", "--quiet"])
            .arg(format!("oci:{}:1", workspace.join("base").display()))
            .arg("containers-storage:localhost/bench-base:1")
            .envs(store.environment()),
    )?;
    write(&workspace.join("Dockerfile"), DOCKERFILE)?;
    let figures = repeat(runs.min(ENGINE_RUNS), &[0], Clock::Process, || {
        let mut command = Command::new("buildah");
        command
            .current_dir(&workspace)
            .envs(store.environment())
            .args([
                "bud",
                "--quiet",
                "--timestamp",
                "0",
                "--ignorefile",
                "ignored",
            ])
            .args(["--file", "Dockerfile", "."]);
        command
    })?;
    rows.push(Row::new(
        "the same with `buildah bud`, the base pulled before",
        Goal::none(),
        figures,
    ));

    step("a large layer");
    noise(
        &workspace.join("etl_connectors/jobs/large"),
        BASE_FILES,
        LARGE_FILE,
    )?;
    let figures = repeat(1, &[0], Clock::Process, || build("oci:large"))?;
    rows.push(Row::new(
        "the same with a file of 300 MB that does not pack, to an OCI layout",
        Goal::memory(150),
        figures,
    ));
    Ok(rows)
}

fn connectors(workspace: &Path) -> Result<(), Failure> {
    for folder in [
        "connectors/shop",
        "etl_connectors/jobs",
        "output/shop/templates",
        "root/data",
    ] {
        fs::create_dir_all(workspace.join(folder))
            .map_err(|error| format!("cannot make `{folder}`: {error}"))?;
    }
    for (path, text) in [
        ("connectors/shop/connector.py", "class BaseConnector: ...\n"),
        ("etl_connectors/jobs/connector.py", "class Connector: ...\n"),
        ("etl_connectors/jobs/manifest.json", PIPELINE),
        ("output/shop/manifest.json", EXPORTED),
        (
            "output/shop/templates/get_avg_function_template.j2",
            "AVG({{ x }})",
        ),
        ("ignored", "root\nbase\nimage*\nlarge\n.bowline\n"),
    ] {
        write(&workspace.join(path), text)?;
    }
    Ok(())
}

/// Writes a file of so many megabytes that do not pack, always the same for the same seed.
fn noise(path: &Path, seed: u32, megabytes: u32) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    let mut file = BufWriter::new(fs::File::create(path).map_err(failed)?);
    let mut state = u64::from(seed) + 0x9e37_79b9_7f4a_7c15;
    for _ in 0..megabytes as usize * MEGABYTE / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes()).map_err(failed)?;
    }
    file.flush().map_err(failed)
}
