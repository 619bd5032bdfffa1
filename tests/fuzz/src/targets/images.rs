//! Images and what goes into them: manifests, layers, archives, wheels, names, registries' headers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use bowline_image::DockerfileExtra;
use bowline_image::python::{BasePython, Libc, unpack};
use bowline_oci::layer::{Content, Entry, Tree, read_layer, write_layer};
use bowline_oci::registry::{Challenge, Reference};
use bowline_oci::{
    Archive, Blob, BlobContent, BlobSource, Cancel, Descriptor, Document, Index, Manifest,
    OciError, OciErrorKind, PackedImage, media_type, read_config, write_docker_archive,
    write_oci_archive,
};

use super::{text, told};
use crate::Target;
use crate::seeds::bytes;

/// A place with one blob, which nobody checks.
#[derive(Debug)]
struct Unchecked(Vec<u8>);

fn nothing<T>() -> Result<T, OciError> {
    Err(OciError::new(OciErrorKind::Missing, "a manifest"))
}

impl BlobSource for Unchecked {
    fn name(&self) -> String {
        "input".to_owned()
    }

    fn root(&self) -> Result<Document, OciError> {
        nothing()
    }

    fn manifest(&self, _: &Descriptor) -> Result<Document, OciError> {
        nothing()
    }

    fn open(&self, _: &Descriptor) -> Result<Box<dyn Read + Send + '_>, OciError> {
        Ok(Box::new(self.0.as_slice()))
    }

    fn referrers(&self, _: &Descriptor) -> Result<Vec<Descriptor>, OciError> {
        nothing()
    }
}

/// Reads a layer to its end into a tree.
fn read(source: &dyn BlobSource, layer: &Descriptor) -> Result<String, OciError> {
    let mut tree = Tree::default();
    tree.next_layer();
    read_layer(source, layer, &mut |entry| {
        tree.add(entry.path, entry.node);
        // What cannot be read is told at the end of the layer.
        let _ = io::copy(entry.content, &mut io::sink());
        Ok(())
    })?;
    let followed = tree.iter().filter_map(|(path, _)| tree.follow(path));
    Ok(followed.collect())
}

pub(super) static LAYER: Target = Target {
    name: "layer",
    about: "layers of images: tar, packed with gzip or not",
    run: |input| {
        let layer = Descriptor::of(media_type::LAYER, input);
        told(read(&Unchecked(input.to_vec()), &layer))
    },
    seeds: || vec![packed_layer().1, plain_layer()],
    words: &[
        "ustar",
        "\0\0\0\0",
        ".wh.",
        ".wh..wh..opq",
        "../",
        "/",
        "0000644",
        "7777777",
        "\u{1f}\u{8b}",
        "path=",
        "12 path=a\n",
        "GNU.sparse.map=",
    ],
};

/// A layer as it is written here: what it is called, and its bytes.
fn packed_layer() -> (Descriptor, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("layer");
    let content = Some(Cow::Owned(Content::Bytes(b"ahoy".to_vec())));
    let entry = Entry {
        path: "a/greeting.txt".to_owned(),
        content,
        mode: 0o644,
    };
    let layer = write_layer(&[entry], 0, &file, &Cancel::default()).expect("a layer");
    (layer.descriptor, fs::read(&file).expect("the layer"))
}

/// A layer with links and long names.
fn plain_layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    let mut add = |header: &mut tar::Header, path: &str, link: Option<&str>| {
        let added = match link {
            Some(link) => archive.append_link(header, path, link),
            None => archive.append_data(header, path, b"ahoy".as_slice()),
        };
        added.expect("memory can be written");
    };
    add(&mut header, "usr/bin/python3.12", None);
    add(&mut header, &"long/".repeat(40), None);
    add(&mut header, "etc/.wh.gone", None);
    header.set_size(0);
    header.set_entry_type(tar::EntryType::Symlink);
    add(&mut header, "usr/bin/python3", Some("python3.12"));
    add(&mut header, "bin", Some("usr/bin"));
    add(&mut header, "round", Some("./round"));
    header.set_entry_type(tar::EntryType::Link);
    add(&mut header, "usr/bin/python", Some("/usr/bin/python3"));
    archive.into_inner().expect("memory can be written")
}

fn image() -> PackedImage {
    let config = br#"{"os": "linux", "architecture": "amd64", "config": {"Env": ["PATH=/bin"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#;
    let (layer, packed) = packed_layer();
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of(media_type::CONFIG, config),
        layers: vec![layer.clone()],
        subject: None,
        annotations: [].into(),
    };
    let blob = |descriptor, bytes| Blob {
        descriptor,
        content: BlobContent::Bytes(bytes),
    };
    PackedImage {
        tag: "greeter:1".to_owned(),
        blobs: vec![
            blob(manifest.config.clone(), config.to_vec()),
            blob(layer, packed),
        ],
        manifests: Vec::new(),
        root: Document::manifest(&manifest),
        referrers: Vec::new(),
    }
}

const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "\"schemaVersion\":2",
    "\"mediaType\":",
    "\"manifests\":[",
    "\"layers\":[",
    "\"config\":{",
    "\"digest\":",
    "\"size\":",
    "\"annotations\":{",
    "\"platform\":{",
    "\"os\":",
    "\"RepoTags\":",
    "\"Layers\":",
    "\"rootfs\":",
    "\"diff_ids\":",
    "sha256:",
    "18446744073709551615",
    "-1",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

pub(super) static DOCUMENT: Target = Target {
    name: "oci-document",
    about: "manifests and indexes of images, and their configurations",
    run: |input| {
        let document = |media_type: &str| Document::new(media_type, input.to_vec());
        let shown = |manifest| format!("{manifest:?}");
        let mut words = told(document(media_type::MANIFEST).to_manifest().map(shown));
        words += &told(
            document(media_type::INDEX)
                .to_index()
                .map(|index| format!("{index:?}")),
        );
        let config = read_config(
            &Unchecked(input.to_vec()),
            &Descriptor::of(media_type::CONFIG, input),
        );
        words + &told(config.map(|config| format!("{config:?}")))
    },
    seeds: || {
        let root = image().root;
        let mut seeds = vec![
            Document::index(&Index::new(vec![root.descriptor()])).bytes,
            root.bytes,
        ];
        seeds.extend(
            image()
                .blobs
                .into_iter()
                .filter_map(|blob| match blob.content {
                    BlobContent::Bytes(bytes) if bytes.starts_with(b"{") => Some(bytes),
                    _ => None,
                }),
        );
        seeds
    },
    words: JSON_WORDS,
};

/// What writes an archive.
type WriteArchive = fn(&PackedImage, &Path, &Cancel) -> Result<(), OciError>;

pub(super) static ARCHIVE: Target = Target {
    name: "image-archive",
    about: "archives of images, as OCI layouts and as Docker packs them",
    run: |input| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("image.tar");
        fs::write(&file, input).expect("the archive is written");
        let contents = Archive::open(&file).and_then(|archive| {
            let manifest = archive.root()?.to_manifest()?;
            let mut found = format!("{:?}", read_config(&archive, &manifest.config)?);
            for layer in &manifest.layers {
                found += &read(&archive, layer)?;
            }
            Ok(found)
        });
        told(contents)
    },
    seeds: || {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("image.tar");
        let cancel = Cancel::default();
        let write: [WriteArchive; 2] = [write_oci_archive, write_docker_archive];
        write
            .map(|write| {
                write(&image(), &file, &cancel).expect("an archive");
                fs::read(&file).expect("the archive")
            })
            .into()
    },
    words: JSON_WORDS,
};

pub(super) static WHEEL: Target = Target {
    name: "wheel",
    about: "wheels, unpacked below a folder",
    run: |input| {
        let folder = tempfile::tempdir().expect("a folder");
        let wheel = folder.path().join("demo-1.0-py3-none-any.whl");
        fs::write(&wheel, input).expect("the wheel is written");
        let python = BasePython {
            version: (3, 12),
            patch: 1,
            interpreter: "/usr/bin/python3".to_owned(),
            packages: "/usr/lib/python3.12/site-packages".to_owned(),
            programs: "/usr/bin".to_owned(),
            prefix: "/usr".to_owned(),
            libc: Libc::Glibc(2, 36),
            installed: BTreeMap::new(),
        };
        let root = folder.path().join("root");
        let words = told(unpack(&wheel, &python, true, &root).map(|()| String::new()));
        let mut beside = fs::read_dir(folder.path()).expect("the folder").flatten();
        assert!(
            beside.all(|entry| entry.path() == wheel || entry.path() == root),
            "it writes beside the root"
        );
        words
    },
    seeds: || {
        let files = [
            (
                "demo/__init__.py",
                "",
                "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
            ),
            (
                "demo-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\n",
                "hPnzolO11CFKQQfo-cfRSowPfsQIecdrr39HeOvVHcE",
            ),
            (
                "demo-1.0.dist-info/entry_points.txt",
                "[console_scripts]\ndemo = demo.cli:App.main [extra]\n",
                "5I_As6nHri6Yg55nhDt4iriyNWDLq_YcWeNL7uKnqZ0",
            ),
            (
                "demo-1.0.data/scripts/run",
                "#!python -s\nprint()\n",
                "R3__RF-jOiK3dwqic0vPSJtvDY-rLDRPMLLvtyfqpyE",
            ),
        ];
        let record: String = files
            .iter()
            .map(|(path, text, hash)| format!("{path},sha256={hash},{}\n", text.len()))
            .collect();
        let methods = [
            zip::CompressionMethod::Stored,
            zip::CompressionMethod::Deflated,
        ];
        let wheel = |method| {
            let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            let own = ("demo-1.0.dist-info/RECORD", record.as_str(), "");
            for (path, text, _) in files.iter().chain([&own]) {
                archive
                    .start_file(*path, options)
                    .expect("memory can be written");
                archive
                    .write_all(text.as_bytes())
                    .expect("memory can be written");
            }
            archive
                .finish()
                .expect("memory can be written")
                .into_inner()
        };
        methods.map(wheel).into()
    },
    words: &[
        "PK\u{3}\u{4}",
        "PK\u{1}\u{2}",
        "PK\u{5}\u{6}",
        "demo-1.0.dist-info/RECORD",
        "demo-1.0.dist-info/WHEEL",
        "demo-1.0.data/scripts/x",
        "demo-1.0.data/headers/x",
        "../",
        "/",
        "\\",
        "..",
        "\"",
        ",",
        "sha256=",
        "[console_scripts]",
        " = ",
        ":",
        "#!python",
    ],
};

pub(super) static TEXTS: Target = Target {
    name: "image-texts",
    about: "Dockerfile.extra, names of images, and what registries ask for",
    run: |input| {
        let text = text(input);
        let mut words = match DockerfileExtra::parse(&text) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(extra)) => {
                let (mut image, mut build) = (BTreeMap::new(), BTreeMap::new());
                format!("{:?}", extra.carry_out(&mut image, &mut build))
            }
            Err(problems) => format!("{problems:?}"),
        };
        words += &told(text.parse().map(|name: Reference| {
            let again: Reference = name
                .to_string()
                .parse()
                .expect("a name is spelled as it is read");
            assert_eq!(again, name);
            name.to_string()
        }));
        words + &format!("{:?}", Challenge::best(text.lines()))
    },
    seeds: || {
        let texts = [
            "# note\nARG A=1\nENV B=\"${A:-x}\" C='d e' \\\n  F=$B\nRUN apt-get update && \\\n  # more\n  echo ok\n",
            "registry.example.com:5000/team/agent:1.2",
            "agent@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            r#"Basic realm="a, b", Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a/b:pull,push""#,
        ];
        bytes(texts.map(str::to_owned))
    },
    words: &[
        "ARG ",
        "ENV ",
        "RUN ",
        "COPY ",
        "FROM ",
        "\\\n",
        "# escape=`\n",
        "$A",
        "${A}",
        "${A:-",
        "${A:+",
        "\"",
        "'",
        "\\",
        "=",
        "<<EOF\n",
        "--mount=",
        ":",
        "@sha256:",
        "/",
        "localhost",
        "Bearer ",
        "realm=\"",
        "service=",
        "scope=",
        ", ",
        "\\\"",
    ],
};
