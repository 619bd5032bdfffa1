//! Images that are built without an engine: what programs of others make of them, and what never happens.

mod bases;
mod secrets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::image_sandbox::{ImageSandbox, run, three_connectors};
use crate::needs::{Need, oracle_python, trial};
use crate::sandbox::{Ran, Sandbox};

type Body = fn() -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Body); 13] = [
        ("programs_of_others_read_it", programs_of_others_read_it),
        ("every_kind_of_base", bases::every_kind_of_base),
        (
            "a_base_in_an_engines_store",
            bases::a_base_in_an_engines_store,
        ),
        ("the_same_bytes_every_time", the_same_bytes_every_time),
        ("two_platforms", two_platforms),
        ("two_names", two_names),
        ("a_base_without_python", bases::a_base_without_python),
        (
            "programs_for_another_platform",
            programs_for_another_platform,
        ),
        ("no_blob_holds_a_secret", secrets::no_blob_holds_a_secret),
        ("what_an_image_holds", what_an_image_holds),
        ("a_full_disk", a_full_disk),
        ("damaged_bases", bases::damaged_bases),
        ("more_connectors_than_layers", more_connectors_than_layers),
    ];
    tests
        .into_iter()
        .map(|(name, body)| trial(format!("native_images/{name}"), &[Need::ImageTools], body))
        .chain([trial(
            "native_images/the_bill_is_valid",
            &[Need::ImageTools, Need::PythonPackages],
            the_bill_is_valid,
        )])
        .collect()
}

/// The arguments of a build on the base of every test here.
///
/// The connector that brings Bowline's own program along is left out: packing it takes long, and is tested beside the
/// engines.
const BUILD: [&str; 13] = [
    "build",
    "shop",
    "jobs",
    "--unproven",
    "shop",
    "--unproven",
    "jobs",
    "--base",
    "oci:base:1",
    "--tag",
    "localhost/agent:1",
    "--builder",
    "native",
];
/// A file that every image of these tests has, and how it begins.
const FILE: (&str, &str) = ("/opt/custom-connectors/shop/connector.py", "class Base");

/// A workspace with three connectors and a base.
fn with_three_connectors() -> ImageSandbox {
    let place = ImageSandbox::new();
    three_connectors(&place.sandbox);
    place
}

impl ImageSandbox {
    fn build(&self, more: &[&str]) -> Ran {
        self.sandbox.bowline(&[&BUILD[..], more].concat())
    }

    /// Builds and gives the digest that the build tells.
    fn built(&self, more: &[&str]) -> String {
        let built = self.build(more).exits(exit_code::OK);
        built
            .stdout
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("sha256:"))
            .unwrap_or_else(|| panic!("no digest: {}", built.said()))
            .to_owned()
    }

    /// The base's one layer.
    fn base_layer(&self) -> PathBuf {
        blobs(&self.work("base"))
            .into_iter()
            .max_by_key(|path| path.metadata().expect("a blob").len())
            .expect("a layer")
    }
}

fn blobs(layout: &Path) -> Vec<PathBuf> {
    let mut blobs: Vec<PathBuf> = fs::read_dir(layout.join("blobs/sha256"))
        .expect("blobs")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    blobs.sort();
    blobs
}

/// Neither part of an image nor of the work on it is left in the workspace.
#[track_caller]
fn nothing_half_done(sandbox: &Sandbox, output: &str) {
    assert!(!sandbox.work().join(output).exists(), "{output} is there");
    no_leftovers(sandbox);
}

#[track_caller]
fn no_leftovers(sandbox: &Sandbox) {
    for folder in [sandbox.work(), sandbox.folder().join("tmp")] {
        let left: Vec<String> = fs::read_dir(folder)
            .expect("a folder of the sandbox")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with(".bowline-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn programs_of_others_read_it() -> Result<(), Failed> {
    let place = with_three_connectors();
    let digest = place.built(&["--output", "oci:layout"]);
    for archive in ["oci-archive:oci.tar", "docker-archive:docker.tar"] {
        assert_eq!(place.built(&["--output", archive]), digest);
    }
    no_leftovers(&place.sandbox);

    // The SBOM and the manifests lie beside the image, and stand in nobody's way.
    for image in [
        "oci:layout:1",
        "oci-archive:oci.tar",
        "oci-archive:oci.tar:1",
    ] {
        let told = Command::new("skopeo")
            .args(["inspect", &place.image(image)])
            .output()
            .expect("skopeo");
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.status.success(), "{image}: {words}");
        let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        assert_eq!(told["Digest"], digest.as_str(), "{image}");
        assert_eq!(told["Architecture"], "amd64");
    }
    run(Command::new("skopeo").args(["inspect", &place.image("docker-archive:docker.tar")]));
    run(Command::new("skopeo").args([
        "copy",
        "--quiet",
        "--all",
        &place.image("oci-archive:oci.tar"),
        &place.image("dir:copied"),
    ]));
    let manifest = fs::read(place.work("copied/manifest.json")).expect("a copied manifest");
    let again = fs::read(place.work(&format!("layout/blobs/sha256/{}", &digest[7..])));
    assert!(
        manifest == again.expect("a manifest"),
        "the manifest changed"
    );

    let container = place
        .store
        .buildah(&["from", &place.image("oci-archive:oci.tar")])
        .expect("a container");
    let said = place
        .store
        .buildah(&["run", container.trim(), "cat", FILE.0])
        .expect("a run container");
    assert!(said.starts_with(FILE.1), "{said}");
    let said = place
        .store
        .buildah(&["run", container.trim(), "id"])
        .expect("a run container");
    assert!(said.contains("mcdagent"), "{said}");

    for archive in ["oci.tar", "docker.tar"] {
        let loaded = run(Command::new("podman")
            .args(["load", "--quiet", "--input"])
            .arg(place.work(archive))
            .envs(place.store.environment()));
        let name = loaded.trim().rsplit(' ').next().unwrap_or_default();
        let told = run(Command::new("podman")
            .args(["image", "inspect", name])
            .envs(place.store.environment()));
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told[0]["User"], "mcdagent", "{archive}: {loaded}");
    }
    Ok(())
}

/// What may differ between two machines does not show.
fn the_same_bytes_every_time() -> Result<(), Failed> {
    let place = with_three_connectors();
    let expected = place.built(&["--output", "oci-archive:one.tar"]);

    let other = Sandbox::new();
    // The same files again, in another order and at other times.
    for file in ["etl_connectors", "connectors", "output", "base"] {
        run(Command::new("cp")
            .arg("-r")
            .arg(place.work(file))
            .arg(other.work()));
    }
    run(Command::new("find").arg(other.work()).args([
        "-exec",
        "touch",
        "-d",
        "2001-02-03",
        "{}",
        "+",
    ]));
    let temporary = other.folder().join("elsewhere");
    fs::create_dir(&temporary).expect("a folder");
    let args = [&BUILD[..], &["--output", "oci-archive:two.tar"]].concat();
    let mut masked = other.command_after("umask 077", &args);
    masked.env("TMPDIR", &temporary).env("TZ", "Asia/Kathmandu");
    let ran = other.finish(&mut masked, None).exits(exit_code::OK);
    assert!(ran.stdout.contains(&expected), "{}", ran.said());
    let read =
        |sandbox: &Sandbox, name: &str| fs::read(sandbox.work().join(name)).expect("an archive");
    assert!(
        read(&place.sandbox, "one.tar") == read(&other, "two.tar"),
        "the archives differ"
    );

    // Time does not come in by itself, but it can be said.
    let mut told = place
        .sandbox
        .command(&[&BUILD[..], &["--output", "oci-archive:three.tar"]].concat());
    told.env("SOURCE_DATE_EPOCH", "1700000000");
    let ran = place.sandbox.finish(&mut told, None).exits(exit_code::OK);
    assert!(!ran.stdout.contains(&expected), "{}", ran.said());
    let inspected = place.inspected("three.tar");
    assert_eq!(inspected["platforms"][0]["created"], "2023-11-14T22:13:20Z");
    Ok(())
}

/// Makes `base` into an index for two platforms; what is for arm64 is so in name only, since nothing is run.
fn base_for_two(place: &ImageSandbox) {
    let base = place.image("oci:base:1");
    // buildah takes no folder with a capital letter in its path.
    let stored = "localhost/base-amd64";
    let storage = format!("containers-storage:{stored}:1");
    run(Command::new("skopeo")
        .args(["copy", "--quiet", &base, &storage])
        .envs(place.store.environment()));
    let container = place
        .store
        .buildah(&["from", "--pull-never", &format!("{stored}:1")])
        .expect("a container");
    let container = container.trim();
    for args in [
        &["config", "--arch", "arm64", container][..],
        &[
            "commit",
            "--quiet",
            "--timestamp",
            "0",
            container,
            "localhost/base-arm64:1",
        ],
        &["manifest", "create", "both"],
        &["manifest", "add", "both", &storage],
        &[
            "manifest",
            "add",
            "--arch",
            "arm64",
            "both",
            "containers-storage:localhost/base-arm64:1",
        ],
        &[
            "manifest",
            "push",
            "--all",
            "both",
            &place.image("oci:both:1"),
        ],
    ] {
        place.store.buildah(args).expect("a base for two platforms");
    }
}

const BOTH: [&str; 9] = [
    "--base",
    "oci:both:1",
    "--platform",
    "linux/amd64",
    "--platform",
    "linux/arm64",
    "--yes",
    "--tag",
    "localhost/agent:1",
];

fn two_platforms() -> Result<(), Failed> {
    let place = with_three_connectors();
    base_for_two(&place);
    let args = [&BUILD[..7], &["--builder", "native"], &BOTH[..]].concat();
    place
        .sandbox
        .bowline(&[&args[..], &["--output", "oci:image"]].concat())
        .exits(exit_code::OK);
    let index = run(Command::new("skopeo").args(["inspect", "--raw", &place.image("oci:image:1")]));
    let index: Value = serde_json::from_str(&index).expect("JSON");
    let platforms: Vec<&str> = index["manifests"]
        .as_array()
        .expect("manifests")
        .iter()
        .filter_map(|each| each["platform"]["architecture"].as_str())
        .collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    for platform in platforms {
        let told = run(Command::new("skopeo").args([
            "inspect",
            "--override-arch",
            platform,
            &place.image("oci:image:1"),
        ]));
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["Architecture"], platform);
    }
    let inspected = place.inspected("oci:image:1");
    for platform in inspected["platforms"].as_array().expect("platforms") {
        assert_eq!(platform["attached"].as_array().map(Vec::len), Some(2));
        assert_eq!(platform["connectors"].as_array().map(Vec::len), Some(2));
    }
    let refused = place
        .sandbox
        .bowline(&[&args[..], &["--output", "docker-archive:both.tar"]].concat());
    assert_ne!(refused.exit, Some(exit_code::OK));
    assert!(
        refused.stderr.contains("holds one platform") && refused.stderr.contains("hint: "),
        "{}",
        refused.said()
    );
    nothing_half_done(&place.sandbox, "both.tar");

    // What an engine builds for two platforms stays whole when the store is tidied up.
    for engine in ["buildah", "podman"] {
        let tag = format!("{engine}:1");
        let both = BOTH.map(|word| {
            if word == "localhost/agent:1" {
                &tag
            } else {
                word
            }
        });
        let args = [&BUILD[..7], &["--builder", engine], &both[..]].concat();
        for _ in 0..2 {
            place.bowline(&args).exits(exit_code::OK);
        }
        let dangling = ["images", "--quiet", "--filter", "dangling=true"];
        assert_eq!(place.store.buildah(&dangling).expect("a list"), "");
        let copy = place.image(&format!("oci:{engine}:1"));
        let push = ["manifest", "push", "--all", &tag, &copy];
        place.store.buildah(&push).expect("a whole list");
    }
    Ok(())
}

/// An image that goes by two names has one bill of materials and one list of connectors, and its new content has its own.
fn two_names() -> Result<(), Failed> {
    let place = with_three_connectors();
    let build = |tag: &'static str| {
        let args = BUILD.map(|word| {
            if word == "localhost/agent:1" {
                tag
            } else {
                word
            }
        });
        let args = [&args[..], &["--output", "oci:image"]].concat();
        place.bowline(&args).exits(exit_code::OK);
    };
    let attached = |tag: &str| {
        let told = place.inspected(&format!("oci:image:{tag}"));
        let attached = &told["platforms"][0]["attached"];
        attached.as_array().expect("what is attached").clone()
    };
    build("localhost/agent:1");
    build("localhost/agent:2");
    assert_eq!(attached("1").len(), 2);
    assert_eq!(attached("1"), attached("2"));
    place.sandbox.write("connectors/shop/more.py", "");
    build("localhost/agent:2");
    assert_eq!((attached("1").len(), attached("2").len()), (2, 2));
    assert_ne!(attached("1")[0], attached("2")[0]);
    Ok(())
}

fn programs_for_another_platform() -> Result<(), Failed> {
    let place = with_three_connectors();
    base_for_two(&place);
    let program = place.work("etl_connectors/jobs/lib/helper");
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(18, 0);
    elf.extend([62, 0, 1, 0, 0, 0]);
    fs::write(program, elf).expect("a program");
    let args = [
        &["build", "jobs", "--unproven", "jobs", "--builder", "native"],
        &BOTH[..],
        &["--output", "oci:image"],
    ]
    .concat();
    let refused = place.sandbox.bowline(&args);
    assert_ne!(refused.exit, Some(exit_code::OK));
    for expected in [
        "made for another platform: `/opt/custom-etl-connectors/jobs/lib/helper`",
        "it is a program for `linux/amd64`, and the image is for `linux/arm64`",
        "hint: ",
    ] {
        assert!(refused.stderr.contains(expected), "{}", refused.said());
    }
    nothing_half_done(&place.sandbox, "image");
    Ok(())
}

fn what_an_image_holds() -> Result<(), Failed> {
    let place = with_three_connectors();
    place.built(&["--output", "oci:image"]);
    let inspected = place.inspected("oci:image");
    let platform = &inspected["platforms"][0];
    assert_eq!(platform["described_by"], "label");
    let names: Vec<&str> = platform["connectors"]
        .as_array()
        .expect("connectors")
        .iter()
        .filter_map(|each| each["name"].as_str())
        .collect();
    assert_eq!(names, ["shop", "jobs"]);
    let kinds: Vec<&str> = platform["attached"]
        .as_array()
        .expect("what is attached")
        .iter()
        .filter_map(|each| each["artifact_type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "application/vnd.cyclonedx+json",
            "application/vnd.bowline.connectors.v1"
        ]
    );
    let shown = place
        .sandbox
        .bowline(&["image", "inspect", "oci:image"])
        .exits(exit_code::OK);
    for expected in ["shop  warehouse, full", "jobs  pipeline", "sbom.cdx.json"] {
        assert!(shown.stdout.contains(expected), "{}", shown.said());
    }
    // The image and what was exported into it are the same release.
    let same = place
        .sandbox
        .bowline(&["diff", "oci:image", "shop", "--format", "json"])
        .exits(exit_code::OK)
        .json();
    assert_eq!(same["bump"], "none", "{same:#}");
    let empty = place
        .sandbox
        .bowline(&["diff", "oci:base:1", "shop"])
        .exits(exit_code::USAGE);
    assert!(
        empty.stderr.contains("holds no warehouse connector"),
        "{}",
        empty.said()
    );
    // A base holds no connectors, and one that is not there is an error.
    let base = place.inspected("oci:base:1");
    assert_eq!(base["platforms"][0]["described_by"], "layers");
    assert_eq!(base["platforms"][0]["connectors"], Value::Array(Vec::new()));
    let unknown = place
        .sandbox
        .bowline(&["image", "inspect", "oci:base:2"])
        .exits(exit_code::IMAGE);
    assert!(
        unknown.stderr.contains("image `2` in"),
        "{}",
        unknown.said()
    );
    Ok(())
}

/// CycloneDX's own validator takes the bill of materials, and can say no.
fn the_bill_is_valid() -> Result<(), Failed> {
    let place = with_three_connectors();
    place.built(&["--output", "oci:image"]);
    let bill = blobs(&place.work("image"))
        .into_iter()
        .map(|blob| fs::read(blob).expect("a blob"))
        .find(|bytes| bytes.starts_with(br#"{"bomFormat""#))
        .expect("a bill of materials");
    let judged = |bill: &[u8]| {
        let file = place.sandbox.folder().join("bill.json");
        fs::write(&file, bill).expect("a file");
        let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/sbom_oracle.py");
        run(
            Command::new(oracle_python().expect("a Python with packages"))
                .arg(oracle)
                .stdin(fs::File::open(file).expect("a file")),
        )
    };
    assert_eq!(judged(&bill).trim(), "null");
    let wrong = String::from_utf8_lossy(&bill).replace("\"container\"", "\"crate\"");
    assert_ne!(judged(wrong.as_bytes()).trim(), "null");
    Ok(())
}

/// Writing fails halfway; what was there before stays, and nothing else does.
fn a_full_disk() -> Result<(), Failed> {
    let place = with_three_connectors();
    // What does not pack, so that even new layers are too large.
    let noise = Command::new("head")
        .args(["-c", "400000", "/dev/urandom"])
        .output();
    fs::write(
        place.work("etl_connectors/jobs/noise"),
        noise.expect("noise").stdout,
    )
    .expect("a file");
    fs::write(place.work("old.tar"), "old").expect("a file");
    for (output, name) in [
        ("oci-archive:old.tar", "old.tar"),
        ("docker-archive:new.tar", "new.tar"),
        ("oci:new", "new"),
    ] {
        // No file may grow beyond that; the signal for it is ignored, so that writing fails as on a full disk.
        let mut limited = place.sandbox.command_after(
            "trap '' XFSZ; ulimit -f 200",
            &[&BUILD[..], &["--output", output]].concat(),
        );
        let failed = place
            .sandbox
            .finish(&mut limited, None)
            .exits(exit_code::FILES);
        assert!(failed.stderr.contains("cannot write"), "{}", failed.said());
        if name == "old.tar" {
            assert_eq!(place.sandbox.read(name), "old");
            no_leftovers(&place.sandbox);
        } else {
            nothing_half_done(&place.sandbox, name);
        }
    }
    Ok(())
}

/// Docker takes 125 layers; connectors share some where there are more of them.
fn more_connectors_than_layers() -> Result<(), Failed> {
    let place = ImageSandbox::new();
    let names: Vec<String> = (1..=130)
        .map(|number| format!("jobs_{number:03}"))
        .collect();
    for (number, name) in names.iter().enumerate() {
        let manifest = serde_json::json!({
            "connection_type": format!("custom-etl-connector-{number:07x}"), "connection_name": name,
            "asset_class": "etl", "run_status_mapping": { "ok": "success" },
        });
        let file = |file: &str| format!("etl_connectors/{name}/{file}");
        place
            .sandbox
            .write(file("manifest.json"), &manifest.to_string());
        place
            .sandbox
            .write(file("connector.py"), "class Connector:\n    pass\n");
    }
    let unproven = names.iter().flat_map(|name| ["--unproven", name]);
    let mut arguments = vec![
        "build",
        "--base",
        "oci:base:1",
        "--output",
        "oci:many",
        "-y",
    ];
    arguments.extend(unproven);
    place.sandbox.bowline(&arguments).exits(exit_code::OK);
    let image = place.image("oci:many:latest-generic");
    let told = run(Command::new("skopeo").args(["inspect", &image]));
    let told: Value = serde_json::from_str(&told)?;
    let layers = told["Layers"].as_array().ok_or("layers")?.len();
    assert!((60..=125).contains(&layers), "{layers}");
    let inspected = place.inspected("oci:many:latest-generic").to_string();
    assert!(names.iter().all(|name| inspected.contains(name)));
    Ok(())
}
