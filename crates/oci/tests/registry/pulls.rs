//! Reading from a registry that misbehaves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bowline_oci::cache::BlobCache;
use bowline_oci::registry::{RegistryEvent, RegistryImage};
use bowline_oci::{BlobSource, Descriptor, Digest, OciError, OciErrorKind, media_type};
use bowline_words::Diagnose;

use crate::images::{access, bytes, read};
use crate::server::{Fault, Reply, Server};

const LAYER: usize = 5000;

fn layer() -> Descriptor {
    Descriptor::of(media_type::LAYER, &bytes(LAYER, 1))
}

/// Reads the layer from a server on which this goes wrong.
fn pull(server: &Server) -> Result<Vec<u8>, OciError> {
    server.add_blob(&bytes(LAYER, 1));
    read(
        &RegistryImage::new(&server.reference(""), &access(server)),
        &layer(),
    )
}

/// The same fault for the first so many requests for a blob.
fn first(count: usize, fault: Fault) -> Server {
    let mut left = count;
    Server::start(move |ask| {
        if ask.is("GET", "/blobs/") && left > 0 {
            left -= 1;
            return fault.clone();
        }
        Fault::None
    })
}

#[track_caller]
fn fails(outcome: Result<Vec<u8>, OciError>, kind: OciErrorKind, words: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_blob_comes_as_it_is() {
    let server = first(0, Fault::None);
    assert_eq!(pull(&server).unwrap(), bytes(LAYER, 1));
    assert_eq!(server.log().len(), 1);
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let server = first(2, Fault::CutAnswer(1500));
    assert_eq!(pull(&server).unwrap(), bytes(LAYER, 1));
    let asked: Vec<String> = server
        .log()
        .iter()
        .map(|ask| ask.header("range").to_owned())
        .collect();
    assert_eq!(asked, ["", "bytes=1500-", "bytes=3000-"]);
}

#[test]
fn a_registry_without_ranges_is_read_again_from_the_beginning() {
    let mut asked = 0;
    let all = bytes(LAYER, 1);
    let server = Server::start(move |_| {
        asked += 1;
        match asked {
            1 => Fault::CutAnswer(1500),
            _ => Fault::Reply(Reply::new(200).body(all.clone())),
        }
    });
    assert_eq!(pull(&server).unwrap(), bytes(LAYER, 1));
    assert_eq!(server.log().len(), 2);
}

#[test]
fn who_always_cuts_is_given_up() {
    let server = first(usize::MAX, Fault::CutAnswer(0));
    fails(pull(&server), OciErrorKind::Unreachable, "4 tries failed");
    assert_eq!(server.log().len(), 4);
}

#[test]
fn a_silent_registry_is_asked_again() {
    let server = first(1, Fault::Stall(2000));
    server.add_blob(&bytes(LAYER, 1));
    let mut access = access(&server);
    access.limits.silence = Duration::from_millis(200);
    let image = RegistryImage::new(&server.reference(""), &access);
    assert_eq!(read(&image, &layer()).unwrap(), bytes(LAYER, 1));
    assert_eq!(server.log()[1].header("range"), "bytes=2000-");
}

#[test]
fn other_bytes_are_noticed() {
    let other = bytes(LAYER, 2);
    let server = first(1, Fault::Reply(Reply::new(200).body(other)));
    fails(pull(&server), OciErrorKind::Corrupt, "digest");
}

#[test]
fn a_wrong_length_is_noticed() {
    for (length, body) in [(LAYER - 1, LAYER - 1), (LAYER + 1, LAYER + 1)] {
        let server = first(1, Fault::Reply(Reply::new(200).body(bytes(body, 1))));
        fails(
            pull(&server),
            OciErrorKind::Corrupt,
            &format!("it has {length} bytes and should have {LAYER}"),
        );
    }
    let lying = Reply::new(206)
        .header("Content-Range", "bytes 7-4999/5000")
        .body(bytes(LAYER - 7, 1));
    let mut asked = 0;
    let server = Server::start(move |_| {
        asked += 1;
        match asked {
            1 => Fault::CutAnswer(5),
            _ => Fault::Reply(lying.clone()),
        }
    });
    fails(pull(&server), OciErrorKind::Corrupt, "bytes 7-4999/5000");
}

#[test]
fn an_endless_body_is_left() {
    let server = first(1, Fault::Endless);
    fails(pull(&server), OciErrorKind::Corrupt, "more than 5000");
}

#[test]
fn a_blob_that_is_not_there_is_named() {
    let server = first(1, Fault::Reply(Reply::new(404)));
    fails(
        pull(&server),
        OciErrorKind::Missing,
        layer().digest.as_str(),
    );
    assert_eq!(server.log().len(), 1);
}

#[test]
fn a_busy_registry_is_asked_again() {
    for status in [429, 500, 502, 503, 504] {
        let busy = Reply::new(status).header("Retry-After", "3600");
        let server = first(2, Fault::Reply(busy));
        assert_eq!(pull(&server).unwrap(), bytes(LAYER, 1), "{status}");
        assert_eq!(server.log().len(), 3);
    }
}

#[test]
fn a_registry_that_stays_broken_is_quoted() {
    let words =
        r#"{"errors":[{"code":"UNKNOWN","message":"disk\nfull"},{"code":"X","message":"y"}]}"#;
    let server = first(usize::MAX, Fault::Reply(Reply::new(500).body(words)));
    let error = pull(&server).unwrap_err();
    assert_eq!(
        error.diagnose().to_string(),
        format!(
            "the registry refused: `GET {}/v2/team/agent/blobs/{}`\n\
             status 500 Internal Server Error: UNKNOWN: disk full; X: y\n\
             4 tries failed\n\
             hint: try again later, or look into the registry's log",
            server.name(),
            layer().digest
        )
    );
}

#[test]
fn a_refusal_without_end_is_cut() {
    let server = first(
        1,
        Fault::Reply(Reply::new(418).body("teapot ".repeat(100_000))),
    );
    let error = pull(&server).unwrap_err();
    assert!(error.to_string().len() < 700, "{error}");
    assert_eq!(error.kind, OciErrorKind::Refused);
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let store = Server::start(|_| Fault::None);
    store.add_blob(&bytes(LAYER, 1));
    let there = format!(
        "http://{}/v2/team/agent/blobs/{}",
        store.name(),
        layer().digest
    );
    for status in [301, 302, 303, 307, 308] {
        let server = first(
            1,
            Fault::Reply(Reply::new(status).header("Location", &there)),
        );
        assert_eq!(pull(&server).unwrap(), bytes(LAYER, 1));
    }
    let around = Reply::new(307).header("Location", "?again");
    let server = first(usize::MAX, Fault::Reply(around));
    fails(pull(&server), OciErrorKind::Refused, "more than 5 times");
    let away = Reply::new(307).header("Location", "file:///etc/passwd?key=hidden");
    let server = first(usize::MAX, Fault::Reply(away));
    fails(pull(&server), OciErrorKind::Refused, "`file:///etc/passwd`");
}

#[test]
fn manifests_are_checked() {
    let manifest = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let both = br#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
    let named = br#"{"schemaVersion":2,"mediaType":"application/x","layers":[]}"#;
    let server = Server::start(|ask| {
        if ask.is("GET", "/manifests/lying") {
            Fault::Reply(
                Reply::new(200)
                    .header("Content-Type", media_type::MANIFEST)
                    .header("Docker-Content-Digest", Digest::of(b"other").as_str())
                    .body("{}"),
            )
        } else {
            Fault::None
        }
    });
    let digest = server.add_manifest("right", media_type::MANIFEST, manifest);
    server.add_manifest("page", "text/html", b"<html>");
    server.add_manifest("both", media_type::INDEX, both);
    server.add_manifest("named", media_type::MANIFEST, named);
    server.add_manifest("broken", media_type::MANIFEST, b"{");
    server.add_manifest(
        "large",
        media_type::MANIFEST,
        &b" ".repeat(manifest_limit() + 1),
    );
    let root = |rest: &str| RegistryImage::new(&server.reference(rest), &access(&server)).root();
    for rest in [":right".to_owned(), format!("@{digest}")] {
        let document = root(&rest).unwrap();
        assert_eq!(document.bytes, manifest);
        assert_eq!(document.digest, digest);
    }
    for (tag, words) in [
        (":page", "`text/html`"),
        (":lying", "its digest is"),
        (":both", "a manifest and an index at once"),
        (":named", "application/x"),
        (":broken", "not JSON"),
    ] {
        let error = root(tag).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Corrupt);
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = root(":large").unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Refused, "{error}");
    let error = root(":absent").unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Missing);
    assert_eq!(
        error.diagnose().to_string(),
        format!(
            "not there: the image `{}/team/agent:absent`\n\
             status 404 Not Found: MANIFEST_UNKNOWN: no such tag\n\
             hint: check the name and the tag",
            server.name()
        )
    );
}

/// The largest manifest that every registry takes.
fn manifest_limit() -> usize {
    4 << 20
}

#[test]
fn a_manifest_by_its_digest_is_that_one() {
    let server = Server::start(|_| {
        Fault::Reply(
            Reply::new(200)
                .header("Content-Type", media_type::MANIFEST)
                .body("{}"),
        )
    });
    let reference = server.reference(&format!("@{}", Digest::of(b"wanted")));
    let error = RegistryImage::new(&reference, &access(&server))
        .root()
        .unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Corrupt);
}

#[test]
fn blobs_come_once_and_are_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = first(1, Fault::CutAnswer(1500));
    server.add_blob(&bytes(LAYER, 1));
    server.add_blob(&bytes(LAYER, 2));
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let mut access = access(&server);
    access.cache = Some(BlobCache::new(folder.path()));
    access.on_event = Arc::new(move |event| told.lock().unwrap().push(event));
    let image = RegistryImage::new(&server.reference(""), &access);
    let other = Descriptor::of(media_type::LAYER, &bytes(LAYER, 2));
    assert_eq!(image.file(&other), None);
    image.prepare(&[layer(), other.clone()]).unwrap();
    assert_eq!(read(&image, &layer()).unwrap(), bytes(LAYER, 1));
    let file = image.file(&other).unwrap();
    assert_eq!(std::fs::read(file).unwrap(), bytes(LAYER, 2));
    assert_eq!(server.log().len(), 3);
    let done = |event: &RegistryEvent| matches!(event, RegistryEvent::Progress { done, total: Some(total), .. } if done == total);
    assert_eq!(
        events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| done(event))
            .count(),
        2
    );
}

#[test]
fn nothing_damaged_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = first(1, Fault::Reply(Reply::new(200).body(bytes(LAYER, 2))));
    server.add_blob(&bytes(LAYER, 1));
    let mut access = access(&server);
    access.cache = Some(BlobCache::new(folder.path()));
    let image = RegistryImage::new(&server.reference(""), &access);
    fails(read(&image, &layer()), OciErrorKind::Corrupt, "digest");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(read(&image, &layer()).unwrap(), bytes(LAYER, 1));
}

#[test]
fn a_download_can_be_stopped() {
    let server = first(usize::MAX, Fault::CutAnswer(100));
    let access = access(&server);
    access.cancel.cancel();
    let image = RegistryImage::new(&server.reference(""), &access);
    fails(read(&image, &layer()), OciErrorKind::Cancelled, "");
    assert!(server.log().is_empty());
}
