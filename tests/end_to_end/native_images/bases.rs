//! The bases that images are built on: wherever they are, and damaged ones.

use std::fs;
use std::process::Command;

use bowline_contract::exit_code;
use libtest_mimic::Failed;
use serde_json::Value;

use super::{BUILD, FILE, no_leftovers, nothing_half_done, with_three_connectors};
use crate::image_sandbox::{ImageSandbox, UNPROVEN, run, shop};

pub(super) fn a_base_in_an_engines_store() -> Result<(), Failed> {
    let place = with_three_connectors();
    let digest_on = |stocked: &str, output: &str| {
        run(Command::new("skopeo")
            .args(["copy", "--quiet", &place.image("oci:base:1")])
            .arg(format!("containers-storage:{stocked}"))
            .envs(place.store.environment()));
        let args = BUILD.map(|word| if word == "oci:base:1" { stocked } else { word });
        let built = place
            .bowline(&[&args[..], &["--output", &format!("oci:{output}")]].concat())
            .exits(exit_code::OK);
        let told = format!("`{stocked}` is in the store of podman");
        assert!(built.stderr.contains(&told), "{}", built.said());
        place.inspected(&format!("oci:{output}"))["digest"].clone()
    };
    let digest = digest_on("localhost/stocked:1", "stocked");
    // What it is called here is nobody else's business.
    assert_eq!(digest_on("localhost/renamed:2", "renamed"), digest);
    let root = place.unpack("stocked");
    let file = fs::read_to_string(root.join(&FILE.0[1..]))?;
    assert!(file.starts_with(FILE.1), "{file}");
    no_leftovers(&place.sandbox);
    Ok(())
}

pub(super) fn every_kind_of_base() -> Result<(), Failed> {
    let place = with_three_connectors();
    let expected = place.inspected(&format!("oci:{}", {
        place.built(&["--output", "oci:from-layout"]);
        "from-layout"
    }));
    let base = place.image("oci:base:1");
    for archive in [
        "oci-archive:base-oci.tar:1",
        "docker-archive:base-docker.tar:base:1",
    ] {
        run(Command::new("skopeo").args(["copy", "--quiet", &base, &place.image(archive)]));
    }
    run(Command::new("gzip")
        .arg("--keep")
        .arg(place.work("base-docker.tar")));
    for (number, base) in ["base-oci.tar", "base-docker.tar", "base-docker.tar.gz"]
        .iter()
        .enumerate()
    {
        let output = format!("oci:from-{number}");
        let args = BUILD.map(|word| if word == "oci:base:1" { base } else { word });
        let args = [&args[..], &["--output", &output]].concat();
        place.sandbox.bowline(&args).exits(exit_code::OK);
        let found = place.inspected(&output);
        let connectors = |image: &Value| image["platforms"][0]["connectors"].clone();
        assert_eq!(connectors(&found), connectors(&expected), "{base}");
        let config = |layout: &str| {
            let image = place.image(&format!("oci:{layout}:1"));
            let told = run(Command::new("skopeo").args(["inspect", "--config", &image]));
            let told: Value = serde_json::from_str(&told).expect("JSON");
            told["rootfs"].clone()
        };
        assert_eq!(config(&output[4..]), config("from-layout"), "{base}");
    }
    Ok(())
}

pub(super) fn damaged_bases() -> Result<(), Failed> {
    let place = with_three_connectors();
    let layer = place.base_layer();
    let name = layer
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let sound = fs::read(&layer).expect("a layer");
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [
        &flipped[..],
        &sound[..sound.len() - 7],
        &[&sound[..], b"x"].concat(),
    ] {
        fs::write(&layer, damaged).expect("a layer");
        let refused = place.build(&["--output", "oci:image"]);
        assert!(
            refused.stderr.contains("damaged: ") && refused.stderr.contains(&name),
            "{}",
            refused.said()
        );
        assert_ne!(refused.exit, Some(exit_code::OK));
        nothing_half_done(&place.sandbox, "image");
    }
    fs::write(&layer, &sound).expect("a layer");
    place.built(&["--output", "oci:image"]);
    // The base's layers are remembered now, and still checked.
    fs::write(&layer, &flipped).expect("a layer");
    let refused = place.build(&["--output", "oci-archive:image.tar"]);
    assert!(refused.stderr.contains("damaged: "), "{}", refused.said());
    nothing_half_done(&place.sandbox, "image.tar");

    let occupied = place.build(&["--output", "oci:connectors"]);
    assert!(
        occupied.stderr.contains("holds something else"),
        "{}",
        occupied.said()
    );
    assert!(place.work("connectors/shop/connector.py").is_file());
    Ok(())
}

/// No agent runs without a Python; what a Dockerfile.extra does may bring one.
pub(super) fn a_base_without_python() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    shop(&place.sandbox, &[]);
    let empty = place.sandbox.folder().join("empty");
    fs::create_dir_all(&empty)?;
    place
        .store
        .pack(&empty, &place.work("bare"), "1", &[])
        .expect("an empty base");
    for builder in ["native", "buildah"] {
        let args = ["build", "--base", "oci:bare:1", "--builder", builder];
        let refused = place
            .bowline(&[&args[..], &UNPROVEN].concat())
            .exits(exit_code::IMAGE);
        assert!(
            refused.stderr.contains("not there: Python in the base"),
            "{}",
            refused.said()
        );
    }
    no_leftovers(&place.sandbox);
    Ok(())
}
