//! Images pushed to a registry that lets in only who has a login, and read back from it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use bowline_contract::exit_code;
use bowline_servers::{Doors, ImageStore, Registry};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::image_sandbox::UNPROVEN;
use crate::needs::{Need, trial};
use crate::sandbox::{Ran, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    let needs = &[Need::Registry, Need::ImageTools];
    vec![
        trial(
            "registries/from_one_to_the_same",
            needs,
            from_one_to_the_same,
        ),
        trial(
            "registries/before_anything_is_packed",
            needs,
            before_anything_is_packed,
        ),
        trial("registries/from_an_archive", needs, from_an_archive),
        trial("registries/without_a_login", needs, without_a_login),
        trial("registries/a_helper_that_fails", needs, a_helper_that_fails),
        trial(
            "registries/nothing_is_pushed_half",
            needs,
            nothing_is_pushed_half,
        ),
    ]
}

/// A registry that holds a base, and a workspace with one connector to build on it.
struct Port {
    sandbox: Sandbox,
    registry: Registry,
}

impl Port {
    fn new() -> Self {
        let registry = Registry::start(Doors::Locked).expect("a registry");
        let sandbox = Sandbox::new();
        let store = ImageStore::new().expect("a store of images");
        let base = sandbox.folder().join("base");
        store.busybox_base(&base, "1").expect("a base image");
        let port = Self { sandbox, registry };
        port.skopeo(&[
            "copy",
            "--dest-tls-verify=false",
            "--dest-creds",
            &login(),
            &format!("oci:{}:1", base.display()),
            &format!("docker://{}", port.name("stock/agent:1")),
        ]);
        let sandbox = &port.sandbox;
        sandbox.write(
            "connectors/shop/connector.py",
            "class BaseConnector:\n    pass\n",
        );
        sandbox.write(
            "output/shop/manifest.json",
            r#"{"connection_type": "custom-connector-0000001", "connection_name": "shop",
                "capabilities": {"supports_metadata": true}, "metrics": {}}"#,
        );
        sandbox.write(
            "output/shop/templates/get_avg_function_template.j2",
            "AVG({{ x }})",
        );
        port
    }

    fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.registry.name())
    }

    fn skopeo(&self, args: &[&str]) -> String {
        let output = Command::new("skopeo").args(args).output().expect("skopeo");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A credential helper as `docker login` would name it, and Docker's configuration that names it.
    fn log_in(&self, script: &str) {
        let folder = self.helpers();
        fs::create_dir_all(&folder).expect("a folder in the sandbox");
        let helper = folder.join("docker-credential-drawer");
        fs::write(&helper, format!("#!/bin/sh\n{script}\n")).expect("a program in the sandbox");
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("a program");
        let config = self.sandbox.folder().join("home/.docker/config.json");
        fs::create_dir_all(config.parent().expect("a folder")).expect("a folder");
        fs::write(config, r#"{"credsStore": "drawer"}"#).expect("a file in the sandbox");
    }

    /// The helper that knows the login, of this registry and no other.
    fn log_in_right(&self) {
        let name = self.registry.name();
        let known = json!({"Username": Registry::USER, "Secret": Registry::PASSWORD});
        self.log_in(&format!(
            "read name\nif [ \"$name\" = {name} ]; then echo '{known}'; exit; fi\n\
             echo credentials not found in native keychain; exit 1"
        ));
    }

    fn helpers(&self) -> PathBuf {
        self.sandbox.folder().join("helpers")
    }

    fn bowline(&self, args: &[&str]) -> Ran {
        let mut command = self.sandbox.command(args);
        let path = format!("{}:/usr/bin:/bin", self.helpers().display());
        // Nobody answers there: a registry on this machine is not behind the proxy.
        let command = command
            .env("PATH", path)
            .env("HTTPS_PROXY", "http://127.0.0.1:9");
        self.sandbox.finish(command, None)
    }

    fn build(&self, tag: &str) -> Ran {
        let base = self.name("stock/agent:1");
        let args = ["build", "--base", &base, "--tag", &self.name(tag), "--push"];
        self.bowline(&[&args[..], &UNPROVEN[..]].concat())
    }

    fn inspect(&self, image: &str) -> Value {
        let ran = self
            .bowline(&["image", "inspect", &self.name(image), "--format", "json"])
            .exits(exit_code::OK);
        ran.json()
    }
}

fn login() -> String {
    format!("{}:{}", Registry::USER, Registry::PASSWORD)
}

fn from_one_to_the_same() -> Result<(), Failed> {
    let port = Port::new();
    port.log_in_right();
    port.build("team/agent:1").exits(exit_code::OK);
    port.build("team/agent:2").exits(exit_code::OK);
    let first = port.inspect("team/agent:1");
    assert_eq!(first["digest"], port.inspect("team/agent:2")["digest"]);
    assert!(first.to_string().contains("\"shop\""), "{first}");
    assert!(
        first.to_string().contains("cyclonedx"),
        "what is attached is found: {first}"
    );
    let theirs = port.skopeo(&[
        "inspect",
        "--tls-verify=false",
        "--creds",
        &login(),
        "--format",
        "{{.Digest}}",
        &format!("docker://{}", port.name("team/agent:1")),
    ]);
    assert_eq!(first["digest"], theirs.trim());
    port.sandbox.assert_clean();
    Ok(())
}

/// What the summary says of an archive, whose attachments no program of others copies.
fn from_an_archive() -> Result<(), Failed> {
    let port = Port::new();
    port.log_in_right();
    let [base, tag] = ["stock/agent:1", "team/agent:1"].map(|name| port.name(name));
    let archive = "oci-archive:agent.tar";
    let args = ["build", "--base", &base, "--tag", &tag, "--output", archive];
    let built = port.bowline(&[&args[..], &UNPROVEN[..]].concat());
    let built = built.exits(exit_code::OK);
    let command = "with all that is attached: bowline build --push --tag <registry>/<name>:<tag> with the same";
    assert!(built.stdout.contains(command), "{}", built.said());
    let inspected = ["image", "inspect", archive, "--format", "json"];
    let there = port.bowline(&inspected).exits(exit_code::OK).json();
    let attached = &there["platforms"][0]["attached"];
    assert!(attached[1].is_object(), "{there}");
    port.build("team/agent:1").exits(exit_code::OK);
    let pushed = port.inspect("team/agent:1");
    assert_eq!(&pushed["platforms"][0]["attached"], attached);
    assert_eq!(pushed["digest"], there["digest"]);
    Ok(())
}

/// A login is tried first, and none and a wrong one read differently, for engines that know no other too.
fn before_anything_is_packed() -> Result<(), Failed> {
    let port = Port::new();
    let base = format!("oci:{}:1", port.sandbox.folder().join("base").display());
    let tag = port.name("team/agent:1");
    let args = ["build", "--base", &base, "--tag", &tag, "--push"];
    let refused = |words: &str, builders: &[(&str, &str)]| {
        for (builder, program) in builders {
            let more = [&UNPROVEN[..], &["--builder", builder]].concat();
            let ran = port.bowline(&[&args[..], &more].concat());
            let ran = ran.exits(exit_code::UNREACHABLE);
            for work in ["packing", "loading", "building for"] {
                assert!(!ran.stderr.contains(work), "{}", ran.said());
            }
            assert!(ran.stderr.contains(words), "{}", ran.said());
            let login = format!("`{program} login {}`", port.registry.name());
            assert!(ran.stderr.contains(&login), "{}", ran.said());
        }
    };
    let builders = [
        ("native", "docker"),
        ("buildah", "buildah"),
        ("podman", "podman"),
    ];
    refused("no login for it is there", &builders);
    let wrong = json!({"Username": "nobody", "Secret": "knows"});
    port.log_in(&format!("read name; echo '{wrong}'"));
    refused("the login that is there may not", &builders);
    Ok(())
}

fn without_a_login() -> Result<(), Failed> {
    let port = Port::new();
    let refused = port.build("team/agent:1").exits(exit_code::UNREACHABLE);
    let hint = format!("docker login {}", port.registry.name());
    assert!(refused.stderr.contains(&hint), "{}", refused.said());
    Ok(())
}

fn a_helper_that_fails() -> Result<(), Failed> {
    let port = Port::new();
    port.log_in(&format!(
        "echo {}; echo {0} >&2; exit 2",
        Registry::PASSWORD
    ));
    // That the password is not shown is what every run in a sandbox is checked for.
    let refused = port.build("team/agent:1").exits(exit_code::UNREACHABLE);
    assert!(
        refused.stderr.contains("`docker-credential-drawer`"),
        "{}",
        refused.said()
    );
    Ok(())
}

fn nothing_is_pushed_half() -> Result<(), Failed> {
    let port = Port::new();
    port.log_in_right();
    port.build("team/agent:1").exits(exit_code::OK);
    let before = port.inspect("team/agent:1");
    // New blobs cannot be written any more: their place is a file.
    let blobs = port
        .registry
        .folder()
        .join("blobs/docker/registry/v2/blobs/sha256");
    fs::rename(&blobs, blobs.with_extension("old"))?;
    fs::write(&blobs, "")?;
    port.sandbox.write(
        "connectors/shop/connector.py",
        "class BaseConnector:\n    new = 1\n",
    );
    let failed = port.build("team/agent:1");
    assert_ne!(failed.exit, Some(exit_code::OK), "{}", failed.said());
    fs::remove_file(&blobs)?;
    fs::rename(blobs.with_extension("old"), &blobs)?;
    assert_eq!(port.inspect("team/agent:1"), before);
    port.build("team/agent:1").exits(exit_code::OK);
    assert_ne!(port.inspect("team/agent:1"), before);
    Ok(())
}
