//! Images written and read back, and what stays when writing does not come to its end.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::{
    Archive, Blob, BlobContent, BlobSource, Cancel, Descriptor, Document, Index, Layout, Manifest,
    OciError, OciErrorKind, PackedImage, media_type, write_docker_archive, write_layout,
    write_oci_archive,
};

const TEXT: &[u8] = b"a layer, as far as anybody here can tell";

fn manifest(layer: &[u8], subject: Option<Descriptor>) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: subject.as_ref().map(|_| "application/x-note".to_owned()),
        config: Descriptor::of(media_type::CONFIG, b"{}"),
        layers: vec![Descriptor::of(media_type::LAYER, layer)],
        subject,
        annotations: [].into(),
    }
}

fn image(tag: &str, layer: BlobContent) -> PackedImage {
    image_of(tag, TEXT, layer)
}

fn image_with(tag: &str, text: &[u8]) -> PackedImage {
    image_of(tag, text, BlobContent::Bytes(text.to_vec()))
}

fn image_of(tag: &str, text: &[u8], layer: BlobContent) -> PackedImage {
    let root = Document::manifest(&manifest(text, None));
    PackedImage {
        tag: tag.to_owned(),
        blobs: vec![
            Blob {
                descriptor: Descriptor::of(media_type::CONFIG, b"{}"),
                content: BlobContent::Bytes(b"{}".to_vec()),
            },
            Blob {
                descriptor: Descriptor::of(media_type::LAYER, text),
                content: layer,
            },
        ],
        manifests: Vec::new(),
        referrers: vec![Document::manifest(&manifest(text, Some(root.descriptor())))],
        root,
    }
}

fn sound() -> PackedImage {
    image_with("agent:1", TEXT)
}

fn check(source: &dyn BlobSource) {
    let root = source.root().unwrap();
    assert_eq!(root.digest, sound().root.digest);
    let layer = &root.to_manifest().unwrap().layers[0];
    let mut text = Vec::new();
    source.open(layer).unwrap().read_to_end(&mut text).unwrap();
    assert_eq!(text, TEXT);
    let referrers = source.referrers(&root.descriptor()).unwrap();
    assert_eq!(referrers.len(), 1);
    assert_eq!(referrers[0].digest, sound().referrers[0].digest);
    assert!(source.manifest(&referrers[0]).is_ok());
    let stranger = Descriptor::of(media_type::MANIFEST, b"");
    assert!(source.referrers(&stranger).unwrap().is_empty());
    assert_eq!(
        source.manifest(&stranger).unwrap_err().kind,
        OciErrorKind::Missing
    );
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let go = Cancel::default();
    write_layout(&sound(), &at("layout"), &go).unwrap();
    write_oci_archive(&sound(), &at("oci.tar"), &go).unwrap();
    write_docker_archive(&sound(), &at("docker.tar"), &go).unwrap();
    for image in [
        None,
        Some("1"),
        Some("agent:1"),
        Some(sound().root.digest.as_str()),
    ] {
        check(&Layout::open(&at("layout"), image).unwrap());
    }
    check(&Archive::open(&at("oci.tar")).unwrap());
    check(&Archive::open(&at("docker.tar")).unwrap());
    let unknown = Layout::open(&at("layout"), Some("2")).unwrap_err();
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `1`?"));
    assert_eq!(names(folder.path()), ["docker.tar", "layout", "oci.tar"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A place whose blobs are cut off, or that asks to stop while one is read.
#[derive(Debug)]
enum Trouble {
    CutOff,
    Stop(Cancel),
}

impl BlobSource for Trouble {
    fn name(&self) -> String {
        "trouble".to_owned()
    }

    fn root(&self) -> Result<Document, OciError> {
        Ok(Document::index(&Index::new(Vec::new())))
    }

    fn manifest(&self, _descriptor: &Descriptor) -> Result<Document, OciError> {
        self.root()
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        let bytes: &[u8] = match self {
            Self::CutOff => &TEXT[..7],
            Self::Stop(cancel) => {
                cancel.cancel();
                TEXT
            }
        };
        Ok(Box::new(crate::Verified::new(
            io::Cursor::new(bytes),
            blob,
            self.name(),
        )))
    }

    fn referrers(&self, _subject: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        Ok(Vec::new())
    }
}

#[test]
fn there_is_a_whole_image_or_what_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("old.tar"), "old").unwrap();
    write_layout(&sound(), &at("old"), &Cancel::default()).unwrap();
    let old = fs::read(at("old/index.json")).unwrap();
    for stops in [false, true] {
        let cancel = Cancel::default();
        let source: Arc<dyn BlobSource> = Arc::new(if stops {
            Trouble::Stop(cancel.clone())
        } else {
            Trouble::CutOff
        });
        let kind = if stops {
            OciErrorKind::Cancelled
        } else {
            OciErrorKind::Corrupt
        };
        let image = image("agent:1", BlobContent::Source(source));
        for name in ["new", "old"] {
            let error = write_layout(&image, &at(name), &cancel).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
        }
        for name in ["new.tar", "old.tar"] {
            let error = write_oci_archive(&image, &at(name), &cancel).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            let error = write_docker_archive(&image, &at(name), &cancel).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
        }
    }
    assert_eq!(names(folder.path()), ["old", "old.tar"]);
    assert_eq!(fs::read(at("old.tar")).unwrap(), b"old");
    assert_eq!(fs::read(at("old/index.json")).unwrap(), old);
    check(&Layout::open(&at("old"), None).unwrap());
}

// Windows opens no folder to lock it.
#[cfg(unix)]
#[test]
fn images_that_are_written_into_a_layout_at_once_all_stay() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("image");
    let tags: Vec<String> = (0..8).map(|number| format!("agent:{number}")).collect();
    std::thread::scope(|scope| {
        for tag in &tags {
            let place = &place;
            scope.spawn(move || {
                let image = image_with(tag, tag.as_bytes());
                write_layout(&image, place, &Cancel::default()).unwrap();
            });
        }
    });
    for tag in &tags {
        Layout::open(&place, Some(tag)).unwrap();
    }
    assert_eq!(names(folder.path()), ["image"]);
    // Who waits for another may stop.
    let held = std::fs::File::open(folder.path()).unwrap();
    held.lock().unwrap();
    let cancel = Cancel::default();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let image = image_with("agent:8", b"8");
            write_layout(&image, &place, &cancel).unwrap_err()
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(!waiting.is_finished());
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().kind, OciErrorKind::Cancelled);
    });
}

#[test]
fn an_image_of_the_same_name_is_replaced_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("image");
    let go = Cancel::default();
    fs::create_dir(&place).unwrap();
    write_layout(&sound(), &place, &go).unwrap();
    write_layout(&sound(), &place, &go).unwrap();
    assert_eq!(names(&place), ["blobs", "index.json", "oci-layout"]);
    let alone = names(&place.join("blobs/sha256"));

    let other = image_with("agent:2", b"another layer");
    write_layout(&other, &place, &go).unwrap();
    write_layout(&sound(), &place, &go).unwrap();
    check(&Layout::open(&place, Some("agent:1")).unwrap());
    let second = Layout::open(&place, Some("2")).unwrap();
    let root = second.root().unwrap().to_manifest().unwrap();
    let mut text = Vec::new();
    let mut blob = second.open(&root.layers[0]).unwrap();
    blob.read_to_end(&mut text).unwrap();
    assert_eq!(text, b"another layer");

    // What only the replaced image was made of does not stay.
    let changed = image_with("agent:2", TEXT);
    write_layout(&changed, &place, &go).unwrap();
    assert_eq!(names(&place.join("blobs/sha256")), alone);

    let error = write_layout(&image_with("else:1", b"x"), &place, &go).unwrap_err();
    assert!(error.to_string().contains("has the tag `1`"), "{error}");
    fs::write(place.join("notes"), "mine").unwrap();
    let error = write_layout(&sound(), &place, &go).unwrap_err();
    assert_eq!(error.kind, OciErrorKind::Unwritable);
    assert!(
        error.to_string().contains("holds something else"),
        "{error}"
    );
    check(&Layout::open(&place, Some("1")).unwrap());
}

#[test]
fn what_is_no_image_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let kind = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        Archive::open(&file).unwrap_err().kind
    };
    assert_eq!(kind(b""), OciErrorKind::Corrupt);
    assert_eq!(kind(&[b'x'; 2000]), OciErrorKind::Corrupt);
    assert_eq!(kind(b"\x1f\x8bxxxxxxxxxxxxxxxx"), OciErrorKind::Corrupt);
    let mut strange = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    strange
        .append_data(&mut header, "a.txt", &b"a"[..])
        .unwrap();
    assert_eq!(kind(&strange.into_inner().unwrap()), OciErrorKind::Invalid);
    write_oci_archive(&sound(), &file, &Cancel::default()).unwrap();
    let bytes = fs::read(&file).unwrap();
    let error = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        Archive::open(&file).map(|archive| {
            let root = archive.root().unwrap().to_manifest().unwrap();
            let mut text = Vec::new();
            archive
                .open(&root.layers[0])
                .unwrap()
                .read_to_end(&mut text)
        })
    };
    assert!(error(&bytes).is_ok_and(|read| read.is_ok()));
    assert!(error(&bytes[..bytes.len() / 2]).is_err());
    let at = bytes.windows(TEXT.len()).position(|window| window == TEXT);
    let mut flipped = bytes;
    flipped[at.unwrap()] ^= 1;
    assert!(error(&flipped).is_ok_and(|read| read.is_err()));
    assert_eq!(
        Layout::open(folder.path(), None).unwrap_err().kind,
        OciErrorKind::Invalid
    );
}
