//! Pushing to a registry that misbehaves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bowline_oci::registry::{Pushed, RegistryEvent, RegistryImage, push};
use bowline_oci::{BlobContent, BlobSource, OciError, OciErrorKind, PackedImage};

use crate::images::{access, image, read};
use crate::server::{Ask, Fault, REPOSITORY, Reply, Server};

const LAYER: usize = 2500;

fn push_to(server: &Server, image: &PackedImage) -> Result<Pushed, OciError> {
    push(&server.reference(":1"), image, None, &access(server))
}

/// Everything is there, byte for byte.
#[track_caller]
fn assert_there(server: &Server, image: &PackedImage) {
    for blob in &image.blobs {
        let BlobContent::Bytes(bytes) = &blob.content else {
            panic!("the test's blobs are in memory");
        };
        let digest = &blob.descriptor.digest;
        assert_eq!(server.blob(digest).as_ref(), Some(bytes), "{digest}");
    }
    for document in image.manifests.iter().chain(&image.referrers) {
        let there = server.manifest(document.digest.as_str());
        assert_eq!(there.as_ref(), Some(&document.bytes));
    }
    assert_eq!(server.manifest("1").as_ref(), Some(&image.root.bytes));
}

/// The fault for the request of that number, from 0, of those that fit.
fn nth(
    number: usize,
    fits: impl Fn(&Ask) -> bool + Send + 'static,
    fault: Fault,
) -> impl FnMut(&Ask) -> Fault + Send {
    let mut seen = 0;
    move |ask| {
        if !fits(ask) {
            return Fault::None;
        }
        seen += 1;
        if seen == number + 1 {
            fault.clone()
        } else {
            Fault::None
        }
    }
}

/// The fault for every such request from that number on.
fn since(
    number: usize,
    fits: impl Fn(&Ask) -> bool + Send + 'static,
    fault: Fault,
) -> impl FnMut(&Ask) -> Fault + Send {
    let mut seen = 0;
    move |ask| {
        seen += usize::from(fits(ask));
        if fits(ask) && seen > number {
            fault.clone()
        } else {
            Fault::None
        }
    }
}

#[test]
fn an_image_arrives_with_its_tag_last() {
    let server = Server::start(|_| Fault::None);
    let image = image(LAYER);
    let pushed = push_to(&server, &image).unwrap();
    assert_there(&server, &image);
    assert_eq!(
        pushed.reference,
        format!("{}/{REPOSITORY}@{}", server.name(), image.root.digest)
    );
    assert_eq!((pushed.sent, pushed.present), (image.blobs.len(), 0));
    let last = server.log().pop().unwrap();
    assert!(last.is("PUT", "/manifests/1"), "{last:?}");
    let ranges: Vec<String> = server
        .asked("PATCH", "/uploads/")
        .iter()
        .map(|ask| ask.header("content-range").to_owned())
        .collect();
    assert_eq!(
        ranges,
        ["0-999", "1000-1999", "2000-2999", "3000-3999", "4000-4095"]
    );
}

#[test]
fn what_is_there_is_not_sent_again() {
    let server = Server::start(|_| Fault::None);
    let image = image(LAYER);
    push_to(&server, &image).unwrap();
    let pushed = push_to(&server, &image).unwrap();
    assert_eq!((pushed.sent, pushed.present), (0, image.blobs.len()));
    assert_eq!(server.asked("POST", "/uploads/").len(), image.blobs.len());
}

#[test]
fn a_cut_piece_goes_on_from_what_was_taken() {
    let server = Server::start(nth(1, |ask| ask.method == "PATCH", Fault::CutUpload(300)));
    let image = image(LAYER);
    push_to(&server, &image).unwrap();
    assert_there(&server, &image);
    let ranges: Vec<String> = server
        .asked("PATCH", "/uploads/")
        .iter()
        .map(|ask| ask.header("content-range").to_owned())
        .collect();
    assert_eq!(
        ranges[..4],
        ["0-999", "1000-1999", "1300-1999", "2000-2999"]
    );
}

#[test]
fn a_lost_answer_is_no_lost_piece() {
    for number in 0..5 {
        let server = Server::start(nth(number, |ask| ask.method == "PATCH", Fault::LoseAnswer));
        let image = image(LAYER);
        push_to(&server, &image).unwrap();
        assert_there(&server, &image);
        let sent: usize = server
            .asked("PATCH", "/uploads/")
            .iter()
            .map(|ask| ask.body.len())
            .sum();
        assert_eq!(sent, 4096, "no byte is sent twice");
    }
}

#[test]
fn a_busy_registry_is_asked_again_at_every_step() {
    for (method, part) in [
        ("HEAD", "/blobs/"),
        ("POST", "/uploads/"),
        ("PATCH", "/uploads/"),
        ("PUT", "/uploads/"),
        ("PUT", "/manifests/"),
    ] {
        for fault in [
            Fault::Reply(Reply::new(429).header("Retry-After", "0")),
            Fault::Reply(Reply::new(503)),
            Fault::LoseAnswer,
        ] {
            let words = format!("{method} {part} {fault:?}");
            let server = Server::start(nth(1, move |ask| ask.is(method, part), fault));
            let image = image(LAYER);
            push_to(&server, &image).unwrap_or_else(|error| panic!("{words}: {error}"));
            assert_there(&server, &image);
        }
    }
}

#[test]
fn a_lost_session_begins_anew() {
    let server = Server::start(nth(
        2,
        |ask| ask.method == "PATCH" || ask.is("GET", "/uploads/"),
        Fault::CutUpload(0),
    ));
    let image = image(LAYER);
    let refused = Reply::new(404).body(r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#);
    let mut patches = 0;
    let forgetful = Server::start(move |ask| {
        if ask.method == "PATCH" {
            patches += 1;
        }
        match (patches, ask.method.as_str()) {
            (2, "PATCH") => Fault::LoseAnswer,
            (2, "GET") => Fault::Reply(refused.clone()),
            _ => Fault::None,
        }
    });
    for server in [server, forgetful] {
        push_to(&server, &image).unwrap();
        assert_there(&server, &image);
    }
}

#[test]
fn a_registry_that_takes_no_pieces_gets_the_whole() {
    for status in [400, 405, 501] {
        let server = Server::start(move |ask| {
            if ask.method == "PATCH" {
                Fault::Reply(Reply::new(status))
            } else {
                Fault::None
            }
        });
        let image = image(LAYER);
        push_to(&server, &image).unwrap();
        assert_there(&server, &image);
        assert_eq!(server.asked("PATCH", "").len(), 1);
    }
}

#[test]
fn a_registry_that_finds_the_pieces_too_small_gets_the_whole() {
    let mut layer = None;
    let server = Server::start(move |ask| {
        let session = ask.path.split('?').next().map(str::to_owned);
        match ask.method.as_str() {
            "PATCH" => layer = session,
            "PUT" if layer.is_some() && session == layer => {
                return Fault::Reply(Reply::new(400).body("part too small"));
            }
            _ => {}
        }
        Fault::None
    });
    let image = image(LAYER);
    push_to(&server, &image).unwrap();
    assert_there(&server, &image);
    assert_eq!(server.asked("PATCH", "").len(), 5);
}

#[test]
fn a_registry_may_want_larger_pieces() {
    let server = Server::start(|ask| {
        if ask.is("POST", "/uploads/") {
            Fault::Reply(
                Reply::new(202)
                    .header("OCI-Chunk-Min-Length", "5000")
                    .header(
                        "Location",
                        format!("/v2/{REPOSITORY}/blobs/uploads/own?state=0"),
                    ),
            )
        } else {
            Fault::None
        }
    });
    // The session is not known to the server, so nothing arrives; what was tried is what counts.
    push_to(&server, &image(LAYER)).unwrap_err();
    assert!(server.asked("PATCH", "").is_empty());
    assert!(
        !server
            .asked("PUT", "/uploads/own?state=0&digest=sha256%3A")
            .is_empty()
    );
}

#[test]
fn a_registry_that_takes_what_is_not_so_is_refused() {
    let server = Server::start(|ask| match ask.method.as_str() {
        "PATCH" => Fault::Reply(
            Reply::new(202)
                .header(
                    "Location",
                    format!("/v2/{REPOSITORY}/blobs/uploads/x?state=0"),
                )
                .header("Range", "0-99999999"),
        ),
        _ => Fault::None,
    });
    let error = push_to(&server, &image(LAYER)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Refused);
    assert!(error.to_string().contains("`0-99999999`"), "{error}");
}

#[test]
fn layers_of_the_base_are_mounted() {
    let server = Server::start(|_| Fault::None);
    let image = image(LAYER);
    let BlobContent::Bytes(layer) = &image.blobs[0].content else {
        panic!("the test's blobs are in memory");
    };
    server.add_elsewhere(layer);
    let base = format!("{}/library/base:1", server.name()).parse().unwrap();
    let pushed = push(
        &server.reference(":1"),
        &image,
        Some(&base),
        &access(&server),
    )
    .unwrap();
    assert_there(&server, &image);
    assert_eq!((pushed.mounted, pushed.sent), (1, image.blobs.len() - 1));
    assert!(server.asked("PATCH", "").is_empty());
    assert!(server.asked("POST", "from=library%2Fbase").len() == image.blobs.len());
    let elsewhere = "other.example.com/library/base:1".parse().unwrap();
    let server = Server::start(|_| Fault::None);
    push(
        &server.reference(":1"),
        &image,
        Some(&elsewhere),
        &access(&server),
    )
    .unwrap();
    assert!(server.asked("POST", "from=").is_empty());
}

#[test]
fn a_push_that_is_stopped_leaves_the_tag() {
    let image = image(LAYER);
    for part in ["/uploads/", "/manifests/sha256"] {
        let server = Server::start(since(
            1,
            move |ask| ask.is("PUT", part),
            Fault::Reply(
                Reply::new(400).body(r#"{"errors":[{"code":"DENIED","message":"quota"}]}"#),
            ),
        ));
        server.add_manifest("1", "application/old", b"old");
        let error = push_to(&server, &image).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Refused);
        assert!(error.to_string().contains("DENIED: quota"), "{error}");
        assert_eq!(server.manifest("1").unwrap(), b"old");
        assert_eq!(server.manifest(image.root.digest.as_str()), None);
    }
}

#[test]
fn a_push_can_be_called_off() {
    let image = image(LAYER);
    let server = Server::start(|_| Fault::None);
    let mut access = access(&server);
    let cancel = access.cancel.clone();
    access.on_event = Arc::new(move |event| {
        if matches!(event, RegistryEvent::Progress { .. }) {
            cancel.cancel();
        }
    });
    let error = push(&server.reference(":1"), &image, None, &access).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Cancelled);
    assert!(server.asked("PUT", "/manifests/").is_empty());
}

#[test]
fn a_file_that_changed_is_not_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layer");
    for length in [LAYER, 100] {
        let mut image = image(length);
        let BlobContent::Bytes(layer) = image.blobs[0].content.clone() else {
            panic!("the test's blobs are in memory");
        };
        let mut changed = layer;
        changed[20] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        image.blobs[0].content = BlobContent::File(file.clone());
        let server = Server::start(|_| Fault::None);
        let error = push_to(&server, &image).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Corrupt, "{error}");
        assert!(server.asked("PUT", "/manifests/").is_empty());
        std::fs::write(&file, &changed[..60]).unwrap();
        let error = push_to(&server, &image).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn a_registry_that_keeps_another_manifest_is_refused() {
    let server = Server::start(|ask| {
        if ask.is("PUT", "/manifests/") {
            Fault::Reply(Reply::new(201).header("Docker-Content-Digest", "sha256:0"))
        } else {
            Fault::None
        }
    });
    let error = push_to(&server, &image(LAYER)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Corrupt);
}

#[test]
fn a_push_goes_to_no_other_digest() {
    let server = Server::start(|_| Fault::None);
    let other = server.reference(&format!("@sha256:{}", "0".repeat(64)));
    let error = push(&other, &image(LAYER), None, &access(&server)).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Invalid);
    assert!(server.log().is_empty());
}

#[test]
fn what_belongs_to_an_image_is_found_again() {
    for keeps_referrers in [true, false] {
        let server = Server::start_with(keeps_referrers, |_| Fault::None);
        let image = image(LAYER);
        push_to(&server, &image).unwrap();
        push_to(&server, &image).unwrap();
        // A second artifact of the index: lists have pages, and indexes under tags grow.
        let mut more = crate::images::image(LAYER + 1);
        let mut manifest = more.referrers[2].to_manifest().unwrap();
        manifest.subject = Some(image.root.descriptor());
        manifest.annotations = [("note".to_owned(), "another".to_owned())].into();
        more.referrers = vec![bowline_oci::Document::manifest(&manifest)];
        push(&server.reference(":2"), &more, None, &access(&server)).unwrap();
        let reader = RegistryImage::new(&server.reference(":1"), &access(&server));
        let mut found: Vec<_> = reader
            .referrers(&image.root.descriptor())
            .unwrap()
            .into_iter()
            .map(|descriptor| descriptor.digest)
            .collect();
        found.sort();
        let mut wanted = vec![
            image.referrers[2].digest.clone(),
            more.referrers[0].digest.clone(),
        ];
        wanted.sort();
        assert_eq!(found, wanted, "{keeps_referrers}");
        let alone = reader.referrers(&image.manifests[0].descriptor()).unwrap();
        assert_eq!(alone.len(), 1);
        let tag = format!("sha256-{}", image.root.digest.hex());
        assert_eq!(server.manifest(&tag).is_some(), !keeps_referrers);
        let none = bowline_oci::Descriptor::of("x", b"nobody");
        assert!(reader.referrers(&none).unwrap().is_empty());
    }
}

#[test]
fn an_image_goes_from_registry_to_registry() {
    let from = Server::start(|_| Fault::None);
    let mut image = image(LAYER);
    push_to(&from, &image).unwrap();
    let source: Arc<dyn BlobSource> =
        Arc::new(RegistryImage::new(&from.reference(":1"), &access(&from)));
    let originals = image.blobs.clone();
    for blob in &mut image.blobs {
        blob.content = BlobContent::Source(Arc::clone(&source));
    }
    let to = Server::start(nth(1, |ask| ask.method == "PATCH", Fault::CutUpload(10)));
    push_to(&to, &image).unwrap();
    image.blobs = originals;
    assert_there(&to, &image);
    let copy = RegistryImage::new(&to.reference(":1"), &access(&to));
    let layer = &image.blobs[0].descriptor;
    assert_eq!(read(&copy, layer).unwrap(), to.blob(&layer.digest).unwrap());
}

#[test]
fn progress_is_told_by_bytes_taken() {
    let server = Server::start(nth(1, |ask| ask.method == "PATCH", Fault::CutUpload(300)));
    let told = Arc::new(Mutex::new(Vec::new()));
    let steps = Arc::new(AtomicUsize::new(0));
    let (events, count) = (Arc::clone(&told), Arc::clone(&steps));
    let mut access = access(&server);
    access.on_event = Arc::new(move |event| match event {
        RegistryEvent::Progress {
            done,
            total: Some(4096),
            ..
        } => {
            events.lock().unwrap().push(done);
        }
        RegistryEvent::Step(_) => {
            count.fetch_add(1, Ordering::Relaxed);
        }
        _ => {}
    });
    push(&server.reference(":1"), &image(LAYER), None, &access).unwrap();
    assert_eq!(*told.lock().unwrap(), [1000, 1300, 2000, 3000, 4000, 4096]);
    assert_eq!(steps.load(Ordering::Relaxed), 1);
}
