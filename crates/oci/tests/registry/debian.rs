//! A real registry, and a program nobody here wrote that reads what was pushed.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bowline_oci::registry::{Access, LoginFiles, Reference, RegistryImage, push};
use bowline_oci::{BlobContent, BlobSource, OciErrorKind, PackedImage, media_type};
use bowline_servers::{Doors, Registry, needed};
use bowline_words::Diagnose;
use serde_json::json;

use crate::images::{hurried, image, logins, read};

/// Large enough for several pieces of every size.
const LAYER: usize = 300_000;

/// Starts a registry; nothing when its program is not here.
fn registry(doors: Doors) -> Option<Registry> {
    let program = Registry::is_installed().then_some(());
    needed(program.ok_or("the program `docker-registry` is not installed"))?;
    Some(Registry::start(doors).unwrap())
}

fn access(logins: LoginFiles) -> Access {
    let mut access = Access::new(logins);
    access.limits = hurried();
    access.limits.chunk = 64 << 10;
    access
}

fn reference(registry: &Registry, rest: &str) -> Reference {
    format!("{}/{rest}", registry.name()).parse().unwrap()
}

/// Everything that was pushed comes back, byte for byte.
#[track_caller]
fn assert_there(place: &Reference, wanted: &PackedImage, access: &Access) {
    let there = RegistryImage::new(place, access);
    let root = there.root().unwrap();
    assert_eq!(root, wanted.root);
    let listed = root.to_index().unwrap().manifests;
    for (descriptor, manifest) in listed.iter().zip(&wanted.manifests) {
        assert_eq!(&there.manifest(descriptor).unwrap(), manifest);
        let found = there.referrers(descriptor).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].artifact_type.as_deref(),
            Some("application/spdx+json")
        );
        let referrer = there.manifest(&found[0]).unwrap();
        assert!(wanted.referrers.contains(&referrer));
    }
    for blob in &wanted.blobs {
        let BlobContent::Bytes(bytes) = &blob.content else {
            panic!("the test's blobs are in memory");
        };
        assert_eq!(&read(&there, &blob.descriptor).unwrap(), bytes);
    }
}

#[test]
fn an_image_goes_there_and_comes_back() {
    let Some(registry) = registry(Doors::Open) else {
        return;
    };
    let access = access(LoginFiles::default());
    let wanted = image(LAYER);
    let place = reference(&registry, "team/agent:1");
    let pushed = push(&place, &wanted, None, &access).unwrap();
    assert_eq!(pushed.sent, wanted.blobs.len());
    assert_there(&place, &wanted, &access);
    assert_there(&pushed.reference.parse().unwrap(), &wanted, &access);
    let again = push(&place, &wanted, None, &access).unwrap();
    assert_eq!((again.sent, again.present), (0, wanted.blobs.len()));
    let other = reference(&registry, "other/agent:1");
    let mounted = push(&other, &wanted, Some(&place), &access).unwrap();
    assert_eq!(mounted.mounted, wanted.blobs.len());
    assert_there(&other, &wanted, &access);
}

#[test]
fn locked_doors_open_for_a_login() {
    let Some(registry) = registry(Doors::Locked) else {
        return;
    };
    let wanted = image(LAYER);
    let place = reference(&registry, "team/agent:1");
    let error = push(&place, &wanted, None, &access(LoginFiles::default())).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    assert!(
        error.diagnose().to_string().contains("`docker login "),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let login = |password: &str| {
        let entry = json!({"username": Registry::USER, "password": password});
        access(logins(&folder, &json!({"auths": {registry.name(): entry}})))
    };
    let error = push(&place, &wanted, None, &login("guess")).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unauthorized);
    let access = login(Registry::PASSWORD);
    push(&place, &wanted, None, &access).unwrap();
    assert_there(&place, &wanted, &access);
}

#[test]
fn a_blob_other_than_its_digest_is_refused_there() {
    let Some(registry) = registry(Doors::Open) else {
        return;
    };
    let mut wrong = image(LAYER);
    let BlobContent::Bytes(bytes) = &mut wrong.blobs[0].content else {
        panic!("the test's blobs are in memory");
    };
    bytes[600] ^= 1;
    let place = reference(&registry, "team/agent:1");
    let access = access(LoginFiles::default());
    let error = push(&place, &wrong, None, &access).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("DIGEST_INVALID"), "{error}");
    let error = RegistryImage::new(&place, &access).root().unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Missing);
}

#[test]
fn skopeo_reads_what_was_pushed() {
    let Some(registry) = registry(Doors::Locked) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let entry = json!({"username": Registry::USER, "password": Registry::PASSWORD});
    let access = access(logins(&folder, &json!({"auths": {registry.name(): entry}})));
    let wanted = image(LAYER);
    let place = reference(&registry, "team/agent:1");
    push(&place, &wanted, None, &access).unwrap();
    let login = format!("{}:{}", Registry::USER, Registry::PASSWORD);
    let address = format!("docker://{place}");
    let run = |arguments: &[&str]| {
        let output = Command::new("skopeo").args(arguments).output();
        let output = match output {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return needed(Err("`skopeo` is not installed"));
            }
            Err(error) => panic!("{error}"),
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let inspect = [
        "inspect",
        "--tls-verify=false",
        "--raw",
        "--creds",
        &login,
        &address,
    ];
    let Some(raw) = run(&inspect) else {
        return;
    };
    assert_eq!(raw.as_bytes(), wanted.root.bytes);
    let layout = folder.path().join("layout");
    let target = format!("oci:{}:copy", layout.display());
    let copy = [
        "copy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        "--src-creds",
        &login,
        &address,
        &target,
    ];
    run(&copy);
    for blob in wanted
        .blobs
        .iter()
        .filter(|blob| blob.descriptor.media_type == media_type::LAYER)
    {
        let copied = layout
            .join("blobs/sha256")
            .join(blob.descriptor.digest.hex());
        assert!(Path::new(&copied).is_file());
    }
    // And what skopeo pushes is read here.
    let back = reference(&registry, "team/copied:1");
    let back_address = format!("docker://{back}");
    run(&[
        "copy",
        "--all",
        "--preserve-digests",
        "--dest-tls-verify=false",
        "--dest-creds",
        &login,
        &target,
        &back_address,
    ]);
    let read_back: Arc<dyn BlobSource> = Arc::new(RegistryImage::new(&back, &access));
    assert_eq!(read_back.root().unwrap(), wanted.root);
}
