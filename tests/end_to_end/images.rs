//! Agent images: what `bowline build` makes, read back by programs nobody here wrote.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_contract::exit_code;
use bowline_servers::Docker;
use libtest_mimic::{Failed, Trial};

use crate::connector::write_sqlite;
use crate::image_sandbox::{ALL_UNPROVEN, ImageSandbox, UNPROVEN, run, shop, three_connectors};
use crate::needs::{Need, trial};
use crate::sandbox::{MARK, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "images/names_that_podman_does_not_know",
            &[],
            names_that_podman_does_not_know,
        ),
        trial(
            "images/both_builders_make_the_same_tree",
            &[Need::ImageTools],
            both_builders_make_the_same_tree,
        ),
        trial(
            "images/several_platforms",
            &[Need::ImageTools],
            several_platforms,
        ),
        trial(
            "images/an_engine_takes_over_what_needs_one",
            &[Need::ImageTools],
            an_engine_takes_over_what_needs_one,
        ),
        trial(
            "images/an_engine_that_fails",
            &[Need::ImageTools],
            an_engine_that_fails,
        ),
        trial(
            "images/a_docker_engine_builds_and_runs",
            &[Need::ImageTools, Need::Docker],
            a_docker_engine_builds_and_runs,
        ),
        trial("images/everything_in_the_way", &[], everything_in_the_way),
        trial(
            "images/warnings_want_an_answer",
            &[Need::ImageTools],
            warnings_want_an_answer,
        ),
        trial(
            "images/bases_that_cannot_be_read",
            &[],
            bases_that_cannot_be_read,
        ),
        trial("images/test_container_files", &[], test_container_files),
    ]
}

/// What `/opt` of an unpacked image holds.
fn opt(root: &Path) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    entries(root, &root.join("opt"), &mut found);
    found
}

/// What makes two files in an image the same.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    content: Option<Vec<u8>>,
    mode: u32,
    owner: (u32, u32),
}

fn entries(root: &Path, folder: &Path, found: &mut BTreeMap<String, Entry>) {
    for entry in fs::read_dir(folder)
        .expect("a folder of the image")
        .flatten()
    {
        let path = entry.path();
        let about = path.symlink_metadata().expect("a file of the image");
        let is_folder = about.is_dir();
        let name = path.strip_prefix(root).expect("below the root");
        found.insert(
            name.display().to_string(),
            Entry {
                content: (!is_folder).then(|| fs::read(&path).expect("a file of the image")),
                mode: about.permissions().mode() & 0o7777,
                owner: (about.uid(), about.gid()),
            },
        );
        if is_folder {
            entries(root, &path, found);
        }
    }
}

fn both_builders_make_the_same_tree() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    three_connectors(&place.sandbox);
    let base = ["--base", "oci:base:1", "--tag", "localhost/agent:1"];
    let native = [
        &["build"],
        &ALL_UNPROVEN[..],
        &base[..],
        &["--builder", "native", "--output", "oci:native"],
    ]
    .concat();
    let built = place.bowline(&native).exits(exit_code::OK);
    for expected in [
        "jobs",
        "shop",
        "till",
        "warehouse, full",
        "connectors/shop/credentials.json",
    ] {
        assert!(built.stdout.contains(expected), "{}", built.said());
    }
    let engine = [
        &["build"],
        &ALL_UNPROVEN[..],
        &base[..],
        &["--builder", "buildah"],
    ]
    .concat();
    place.bowline(&engine).exits(exit_code::OK);
    place.save("localhost/agent:1", "engine");

    let ours = opt(&place.unpack("native"));
    let theirs = opt(&place.unpack("engine"));
    let names: Vec<&String> = ours.keys().collect();
    assert_eq!(names, theirs.keys().collect::<Vec<_>>());
    for (name, entry) in &ours {
        assert!(*entry == theirs[name], "{name} differs");
    }
    for expected in [
        "opt/custom-connectors/shop/connector.py",
        "opt/custom-connectors/shop/Dockerfile.extra",
        "opt/custom-connectors/till/connector.py",
        "opt/custom-connectors/till/templates/get_avg_function_template.j2",
        "opt/custom-etl-connectors/jobs/lib/helper.py",
    ] {
        assert!(ours.contains_key(expected), "{expected}: {names:?}");
    }
    let leaked = ours.iter().find(|(_, entry)| {
        let content = entry.content.as_deref().unwrap_or_default();
        content
            .windows(MARK.len())
            .any(|part| part == MARK.as_bytes())
    });
    assert!(leaked.is_none(), "{:?}", leaked.map(|(name, _)| name));

    // What an engine makes of the same plan, it also says of itself.
    let config = |layout: &str| {
        let image = place.image(&format!("oci:{layout}:1"));
        let told = run(Command::new("skopeo").args(["inspect", "--config", &image]));
        let told: serde_json::Value = serde_json::from_str(&told).expect("a configuration");
        let mut variables: Vec<String> =
            serde_json::from_value(told["config"]["Env"].clone()).expect("variables");
        variables.sort();
        let mut labels = told["config"]["Labels"].clone();
        let labels = labels.as_object_mut().expect("labels");
        labels.remove("io.buildah.version");
        let digest = &labels["org.opencontainers.image.base.digest"];
        assert!(
            digest
                .as_str()
                .is_some_and(|digest| digest.starts_with("sha256:"))
        );
        (variables, told["config"]["User"].clone(), labels.clone())
    };
    assert_eq!(config("native"), config("engine"));

    place
        .bowline(&[&native[..native.len() - 1], &["oci:again"]].concat())
        .exits(exit_code::OK);
    let index = |layout: &str| place.sandbox.read(format!("{layout}/index.json"));
    assert_eq!(index("native"), index("again"));
    place
        .sandbox
        .bowline(
            &[
                &["build", "--base", "registry.invalid/agent:1", "--tag", "x"],
                &ALL_UNPROVEN[..],
            ]
            .concat(),
        )
        .exits(exit_code::UNREACHABLE);
    no_temporary_files(&place.sandbox);
    Ok(())
}

/// Builders clean up after themselves; what programs of others leave is theirs.
fn no_temporary_files(sandbox: &Sandbox) {
    let left: Vec<PathBuf> = fs::read_dir(sandbox.folder().join("tmp"))
        .expect("the folder for temporary files")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.display().to_string().contains("bowline"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn several_platforms() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    shop(&place.sandbox, &[]);
    let platforms = ["--platform", "linux/amd64", "--platform", "linux/arm64"];
    let args = [
        &[
            "build",
            "--unproven",
            "shop",
            "--base",
            "oci:base:1",
            "--tag",
            "localhost/agent:2",
        ],
        &platforms[..],
    ]
    .concat();
    // The base is for one platform, and the native builder sees that it is not for the other.
    let refused = place.bowline(&[&args[..], &["--builder", "native"]].concat());
    assert_ne!(refused.exit, Some(exit_code::OK), "{}", refused.said());
    assert!(refused.stderr.contains("arm64"), "{}", refused.said());
    let engine = place
        .bowline(&[&args[..], &["--builder", "buildah"]].concat())
        .exits(exit_code::IMAGE);
    assert!(
        engine.stderr.contains("it is made for `linux/amd64`"),
        "{}",
        engine.said()
    );
    let docker = place.bowline(&[&args[..], &["--builder", "docker"]].concat());
    assert_eq!(docker.exit, Some(exit_code::IMAGE), "{}", docker.said());
    Ok(())
}

fn an_engine_takes_over_what_needs_one() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    shop(
        &place.sandbox,
        &[(
            "Dockerfile.extra",
            "RUN mkdir /opt/client && \\\n  echo ready > /opt/client/state\n",
        )],
    );
    let args = [
        "build",
        "--unproven",
        "shop",
        "--base",
        "oci:base:1",
        "--tag",
        "localhost/agent:3",
    ];
    let native = place
        .bowline(&[&args[..], &["--builder", "native"]].concat())
        .exits(exit_code::IMAGE);
    assert!(
        native.stderr.contains("RUN mkdir /opt/client") && native.stderr.contains("buildah"),
        "{}",
        native.said()
    );
    place
        .bowline(&[&args[..], &["--builder", "buildah"]].concat())
        .exits(exit_code::OK);
    place.save("localhost/agent:3", "engine");
    let opt = opt(&place.unpack("engine"));
    assert_eq!(
        opt["opt/client/state"].content.as_deref(),
        Some(&b"ready\n"[..])
    );
    Ok(())
}

fn an_engine_that_fails() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    shop(
        &place.sandbox,
        &[(
            "Dockerfile.extra",
            "RUN echo the mirror is down >&2 && exit 7\n",
        )],
    );
    let failed = place
        .bowline(
            &[
                &["build", "--base", "oci:base:1", "--builder", "buildah"],
                &UNPROVEN[..],
            ]
            .concat(),
        )
        .exits(exit_code::IMAGE);
    assert!(
        failed
            .stderr
            .contains("the engine's build failed: buildah bud for linux/amd64")
            && failed.stderr.contains("the mirror is down"),
        "{}",
        failed.said()
    );
    no_temporary_files(&place.sandbox);
    Ok(())
}

fn a_docker_engine_builds_and_runs() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    let docker = Docker::start().expect("a Docker engine");
    let work = place.sandbox.work();
    shop(&place.sandbox, &[]);
    let bowline = |args: &[&str]| {
        let mut command = place.sandbox.command(args);
        command.env("DOCKER_HOST", docker.address());
        place.sandbox.finish(&mut command, None)
    };
    let runs = |image: &str| {
        let file = "/opt/custom-connectors/shop/connector.py";
        let ran = docker
            .docker(&["run", "--rm", "--network", "host", image, "cat", file])
            .expect("a container");
        assert_eq!(ran, "class BaseConnector:\n    pass\n");
        let user = docker
            .docker(&["run", "--rm", "--network", "host", image, "id", "-u"])
            .expect("a container");
        assert_eq!(user, "1000\n");
    };

    let base = work.join("base.tar").display().to_string();
    let layout = format!("oci:{}:1", work.join("base").display());
    run(Command::new("skopeo").args([
        "copy",
        "--quiet",
        &layout,
        &format!("docker-archive:{base}:base:1"),
    ]));
    let tag = ["--tag", "localhost/agent:docker"];
    bowline(
        &[
            &["build", "--base", "oci:base:1", "--builder", "docker"],
            &UNPROVEN[..],
            &tag[..],
        ]
        .concat(),
    )
    .exits(exit_code::OK);
    runs(tag[1]);
    docker.docker(&["rmi", tag[1]]).expect("the image is there");
    bowline(
        &[
            &["build", "--base", "base.tar", "--builder", "docker"],
            &UNPROVEN[..],
            &tag[..],
        ]
        .concat(),
    )
    .exits(exit_code::OK);
    runs(tag[1]);

    let native = [
        "build",
        "--unproven",
        "shop",
        "--base",
        "base.tar",
        "--builder",
        "native",
        "--tag",
        "localhost/agent:native",
    ];
    bowline(&[&native[..], &["--output", "docker-archive:agent.tar"]].concat())
        .exits(exit_code::OK);
    let file = work.join("agent.tar").display().to_string();
    docker
        .docker(&["load", "--input", &file])
        .expect("an archive that docker loads");
    runs("localhost/agent:native");
    Ok(())
}

fn everything_in_the_way() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    three_connectors(&sandbox);
    sandbox.write("connectors/shop/Dockerfile.extra", "COPY a b\n");
    sandbox.write("connectors/draft/connector.py", "");
    let refused = sandbox
        .bowline(&[
            "build",
            "shpo",
            "shop",
            "draft",
            "--tag",
            "Not/A Tag",
            "--mode",
            "hybrid",
        ])
        .exits(exit_code::INVALID);
    for expected in [
        "unknown connector: `shpo`",
        "hint: did you mean `shop`?",
        "not a tag: ",
        "`draft`: not exported: `output/draft/manifest.json` and `output/draft/templates` are missing",
        "hint: run `bowline export draft`",
        "`shop`: mode `hybrid` is for connectors without metadata",
        "`shop`: not proven: no test of it is on record",
        "hint: run `bowline export shop`, or allow it with `--unproven shop`",
        "`shop`: `connectors/shop/Dockerfile.extra`: line 1: `COPY`",
    ] {
        assert!(
            refused.stderr.contains(expected),
            "{expected}\n{}",
            refused.said()
        );
    }
    let unknown = sandbox.bowline(&["build", "shpo"]).exits(exit_code::USAGE);
    assert!(
        !unknown.stderr.contains("no connector to put"),
        "{}",
        unknown.said()
    );
    let mut named = sandbox.command(&["build"]);
    let named = sandbox.finish(named.env("CONNECTOR", "shpo"), None);
    let named = named.exits(exit_code::USAGE);
    assert!(
        named.stderr.contains("unknown connector: `shpo`"),
        "{}",
        named.said()
    );
    assert!(
        sandbox
            .files("output")
            .iter()
            .all(|name| !name.contains("agent-image"))
    );
    sandbox.assert_clean_but(&[".env", "key.pem"]);
    Ok(())
}

fn warnings_want_an_answer() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    let sandbox = &place.sandbox;
    shop(sandbox, &[]);
    let manifest = sandbox.read("output/shop/manifest.json").replace(
        "\"metrics\": {}",
        "\"metrics\": {\"zero_rate\": true, \"null_rate\": true}",
    );
    sandbox.write("output/shop/manifest.json", &manifest);
    let args = [
        &["build", "--base", "oci:base:1", "--output", "oci:image"],
        &UNPROVEN[..],
    ]
    .concat();
    let stopped = place.bowline(&args).exits(exit_code::USAGE);
    assert!(
        stopped.stderr.contains("null_rate, zero_rate") && stopped.stderr.contains("--yes"),
        "{}",
        stopped.said()
    );
    assert!(!sandbox.work().join("image").exists());
    let built = place
        .bowline(&[&args[..], &["--yes"]].concat())
        .exits(exit_code::OK);
    assert!(
        built.stderr.contains("warning: `shop`: 2 metrics")
            && built
                .stderr
                .contains("warning: `shop` goes in all the same: not proven"),
        "{}",
        built.said()
    );
    Ok(())
}

fn bases_that_cannot_be_read() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    shop(&sandbox, &[]);
    sandbox.write(
        "broken.tar",
        "this is no archive at all, and it is long enough to be read as one",
    );
    let broken = sandbox.bowline(&[&["build", "--base", "broken.tar"], &UNPROVEN[..]].concat());
    assert!(
        matches!(broken.exit, Some(exit_code::IMAGE | exit_code::FILES)),
        "{}",
        broken.said()
    );
    assert!(broken.stderr.contains("broken.tar"), "{}", broken.said());
    let absent = sandbox
        .bowline(&[&["build", "--base", "oci:nowhere"], &UNPROVEN[..]].concat())
        .exits(exit_code::USAGE);
    assert!(
        absent.stderr.contains("no such folder"),
        "{}",
        absent.said()
    );
    no_temporary_files(&sandbox);
    Ok(())
}

fn test_container_files() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    three_connectors(&sandbox);
    sandbox.write("connectors/shop/requirements.txt", "packaging==24.0\n");
    sandbox.bowline(&["dockerfile"]).exits(exit_code::OK);
    let read = || {
        ["Dockerfile", "compose.yaml"].map(|name| sandbox.read(format!("output/test-image/{name}")))
    };
    let first = read();
    assert!(first[0].contains("'packaging==24.0'"), "{}", first[0]);
    assert!(first[0].contains("ENV SHOP_HOME=/opt/shop"), "{}", first[0]);
    assert!(first[1].contains("- ../..:/workspace"), "{}", first[1]);
    sandbox.bowline(&["dockerfile"]).exits(exit_code::OK);
    assert_eq!(read(), first);
    sandbox.write("output/test-image/Dockerfile", "FROM mine\n");
    sandbox.bowline(&["dockerfile"]).exits(exit_code::USAGE);
    assert_eq!(sandbox.read("output/test-image/Dockerfile"), "FROM mine\n");
    Ok(())
}

/// Podman gets a base by its whole name where its own store has none, and the platform that was asked for.
fn names_that_podman_does_not_know() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    let podman = r#"#!/bin/sh
echo "$@" >> "$TOLD"
case "$1" in inspect) exit "$KNOWN" ;; esac
while [ $# -gt 0 ]; do [ "$1" = --iidfile ] && echo sha256:00 > "$2"; shift; done
true
"#;
    sandbox.write("bin/podman", podman);
    let program = sandbox.work().join("bin/podman");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let told = sandbox.folder().join("told");
    for (known, base) in [("1", true), ("0", false)] {
        let mut command = sandbox.command(&[
            "test",
            "shop",
            "--in-container",
            "--engine",
            "podman",
            "--platform",
            &container_platform(),
            "--base",
            "team/agent:1",
        ]);
        let path = format!("{}:/usr/bin:/bin", sandbox.work().join("bin").display());
        command
            .env("PATH", path)
            .env("TOLD", &told)
            .env("KNOWN", known);
        sandbox.finish(&mut command, None).exits(exit_code::OK);
        let calls = fs::read_to_string(&told)?;
        fs::remove_file(&told)?;
        let called = |word: &str| {
            let mut lines = calls.lines();
            lines
                .find(|line| line.starts_with(word))
                .unwrap_or_default()
        };
        let whole = called("build").contains(".io/team/agent:1");
        assert_eq!(whole, base, "{calls}");
        for call in ["build", "run"] {
            let platform = format!("--platform {}", container_platform());
            assert!(called(call).contains(&platform), "{calls}");
        }
    }
    let dockerfile = sandbox.read("output/test-image/Dockerfile");
    assert!(
        dockerfile.contains("ARG BASE=team/agent:1\nFROM ${BASE}"),
        "{dockerfile}"
    );
    Ok(())
}

/// The platform of this machine's containers.
fn container_platform() -> String {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    format!("linux/{architecture}")
}
