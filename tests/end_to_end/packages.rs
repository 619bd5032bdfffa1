//! Python packages for images: resolved and unpacked here, and compared with what pip makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_contract::ConnectorName;
use bowline_contract::manifest::AssetClass;
use bowline_image::python::{BasePython, Libc, PackageRequest, install};
use bowline_image::{ImageError, ImageErrorKind, PlannedConnector, PlannedFile, Requirement};
use bowline_oci::layer::Content;
use bowline_oci::{Cancel, Platform};
use bowline_words::Diagnose;
use libtest_mimic::{Failed, Trial};

use crate::needs::{Need, python, trial};
use crate::sandbox::Sandbox;

/// A pure package, a compiled one, and one with a program.
const SMALL: [&str; 3] = ["packaging==24.2", "MarkupSafe==3.0.2", "tabulate==0.9.0"];
/// It needs `zipp` on Pythons before 3.10 only.
const WITH_MARKER: &str = "importlib-resources==6.4.5";
/// A package that never had a wheel.
const WITHOUT_WHEEL: &str = "docopt==0.6.2";

/// Reads every installed package's record, and checks it against the files.
const CHECK_RECORDS: &str = r#"
import base64, hashlib, importlib.metadata, sys
for package in importlib.metadata.distributions(path=[sys.argv[1]]):
    for file in package.files:
        content = file.locate().read_bytes()
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, content).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
            assert file.size == len(content), file
    print(package.metadata["Name"], package.version, package.read_text("INSTALLER").strip())
"#;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = &[Need::PythonPackages];
    vec![
        trial("packages/as_pip_installs_them", needs, as_pip_installs_them),
        trial("packages/for_other_machines", needs, for_other_machines),
        trial(
            "packages/markers_ask_the_target",
            needs,
            markers_ask_the_target,
        ),
        trial("packages/what_the_base_has", needs, what_the_base_has),
        trial("packages/what_is_not_there", needs, what_is_not_there),
        trial("packages/what_has_no_wheel", needs, what_has_no_wheel),
    ]
}

fn connector(name: &str, requirements: &[&str]) -> PlannedConnector {
    PlannedConnector {
        name: ConnectorName::parse(name).expect("a name"),
        class: AssetClass::Warehouse,
        mode: None,
        root: format!("/opt/custom-connectors/{name}"),
        files: Vec::new(),
        requirements: (1..)
            .zip(requirements)
            .map(|(line, text)| Requirement {
                text: (*text).to_owned(),
                line,
            })
            .collect(),
        extra: None,
        manifest: Vec::new(),
    }
}

fn base(version: (u32, u32), libc: Libc) -> BasePython {
    let lib = format!("/usr/local/lib/python{}.{}", version.0, version.1);
    BasePython {
        version,
        patch: 5,
        interpreter: "/usr/local/bin/python3".to_owned(),
        packages: format!("{lib}/site-packages"),
        programs: "/usr/local/bin".to_owned(),
        prefix: "/usr/local".to_owned(),
        libc,
        installed: BTreeMap::new(),
    }
}

/// Installs, and counts the steps that were told.
fn installed(
    folder: &Path,
    connectors: &[PlannedConnector],
    platform: &Platform,
    python: &BasePython,
) -> Result<(Vec<PlannedFile>, usize), ImageError> {
    let request = PackageRequest {
        connectors,
        platform,
        python,
        folder,
        cancel: &Cancel::default(),
    };
    let mut steps = 0;
    let packages = install(&request, &mut |_| steps += 1)?;
    Ok((packages.files, steps))
}

fn content(file: &PlannedFile) -> Vec<u8> {
    match &file.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => fs::read(path).expect("an unpacked file"),
    }
}

/// The Python of this machine as a base has it.
fn own_python(program: &Path) -> Result<BasePython, Failed> {
    let output = Command::new(program)
        .args(["-c", "import sys; print(*sys.version_info[:2])"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<u32> = text.split_whitespace().flat_map(str::parse).collect();
    let [major, minor] = numbers.as_slice() else {
        return Err(format!("no version: {text}").into());
    };
    Ok(base((*major, *minor), Libc::Glibc(2, 28)))
}

fn as_pip_installs_them() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let program = python().ok_or("a Python")?;
    let python = own_python(&program)?;
    let connectors = [connector("a", &SMALL[..2]), connector("b", &SMALL[1..])];
    let folder = sandbox.folder().join("kept");
    let (files, steps) = installed(&folder, &connectors, &Platform::host(), &python)?;
    assert!(steps > 0);
    let (again, steps) = installed(&folder, &connectors, &Platform::host(), &python)?;
    assert_eq!((&again, steps), (&files, 0), "what is kept is used");

    let elsewhere = sandbox.folder().join("elsewhere");
    let (other, _) = installed(&elsewhere, &connectors, &Platform::host(), &python)?;
    assert_eq!(files.len(), other.len());
    for (one, other) in files.iter().zip(&other) {
        assert_eq!((&one.path, one.mode), (&other.path, other.mode));
        assert_eq!(content(one), content(other), "{}", one.path);
    }

    // Pip, nobody's but its authors', makes the same of the same packages.
    let target = sandbox.folder().join("pip");
    let pip = Command::new(&program)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--only-binary=:all:",
        ])
        .args(["--disable-pip-version-check", "--target"])
        .arg(&target)
        .args(SMALL)
        .output()?;
    assert!(
        pip.status.success(),
        "{}",
        String::from_utf8_lossy(&pip.stderr)
    );
    let ours: BTreeMap<String, Vec<u8>> = files
        .iter()
        .filter_map(|file| {
            let inside = file
                .path
                .strip_prefix(&python.packages)?
                .strip_prefix('/')?;
            Some((inside.to_owned(), content(file)))
        })
        .collect();
    let theirs = tree(&target, &target);
    let differs = |path: &str| {
        // Who installed it, and programs, which `--target` puts elsewhere.
        path.ends_with("/INSTALLER") || path.ends_with("/RECORD") || path.starts_with("bin/")
    };
    let paths = |tree: &BTreeMap<String, Vec<u8>>| -> BTreeSet<String> {
        tree.keys()
            .filter(|path| !path.starts_with("bin/"))
            .cloned()
            .collect()
    };
    assert_eq!(paths(&ours), paths(&theirs));
    for (path, bytes) in theirs.iter().filter(|(path, _)| !differs(path)) {
        assert_eq!(&ours[path], bytes, "{path}");
    }
    let tabulate = files
        .iter()
        .find(|file| file.path == "/usr/local/bin/tabulate");
    assert_eq!(tabulate.ok_or("a program")?.mode, 0o755);

    let root = unpacked_root(&files);
    let site = root.join(&python.packages[1..]);
    let records = Command::new(&program)
        .args(["-c", CHECK_RECORDS])
        .arg(&site)
        .output()?;
    let mut told: Vec<String> = String::from_utf8(records.stdout)?
        .lines()
        .map(str::to_owned)
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "MarkupSafe 3.0.2 bowline",
            "packaging 24.2 bowline",
            "tabulate 0.9.0 bowline"
        ],
        "{}",
        String::from_utf8_lossy(&records.stderr)
    );
    let used = Command::new(&program)
        .args([
            "-c",
            "import markupsafe._speedups, tabulate; print(markupsafe.escape('<'))",
        ])
        .env("PYTHONPATH", &site)
        .output()?;
    assert_eq!(
        used.stdout,
        b"&lt;\n",
        "{}",
        String::from_utf8_lossy(&used.stderr)
    );
    Ok(())
}

/// Where files that belong together were unpacked.
fn unpacked_root(files: &[PlannedFile]) -> PathBuf {
    let file = files.first().expect("a file");
    let Content::File(path) = &file.content else {
        panic!("{} is not unpacked", file.path);
    };
    let depth = file.path.split('/').count() - 1;
    path.ancestors().nth(depth).expect("a root").to_path_buf()
}

fn tree(root: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(tree(root, &path));
        } else {
            let inside = path.strip_prefix(root).expect("a path inside");
            found.insert(
                inside.to_string_lossy().into_owned(),
                fs::read(&path).expect("a file"),
            );
        }
    }
    found
}

fn for_other_machines() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let connectors = [connector("shop", &["markupsafe==3.0.2"])];
    // The numbers by which ELF names processors.
    for (platform, libc, machine, word) in [
        (
            Platform::linux_amd64(),
            Libc::Glibc(2, 36),
            62,
            "x86_64-linux-gnu",
        ),
        (
            Platform::linux_arm64(),
            Libc::Glibc(2, 36),
            183,
            "aarch64-linux-gnu",
        ),
        (
            Platform::linux_arm64(),
            Libc::Musl(1, 2),
            183,
            "aarch64-linux-musl",
        ),
    ] {
        let (files, _) = installed(
            sandbox.folder(),
            &connectors,
            &platform,
            &base((3, 12), libc),
        )?;
        let module = files
            .iter()
            .find(|file| file.path.ends_with(".so"))
            .ok_or("a module")?;
        assert!(
            module.path.contains(word) && module.path.contains("cpython-312"),
            "{}",
            module.path
        );
        assert_eq!(content(module)[18], machine, "{}", module.path);
        assert_eq!(module.platform.as_ref(), Some(&platform));
    }
    Ok(())
}

fn markers_ask_the_target() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let connectors = [connector("shop", &[WITH_MARKER])];
    let has_zipp = |version| -> Result<bool, ImageError> {
        let base = base(version, Libc::Glibc(2, 36));
        let (files, _) = installed(
            sandbox.folder(),
            &connectors,
            &Platform::linux_amd64(),
            &base,
        )?;
        Ok(files
            .iter()
            .any(|file| file.path.contains("/site-packages/zipp/")))
    };
    assert!(has_zipp((3, 9))?);
    assert!(!has_zipp((3, 12))?);
    Ok(())
}

fn what_the_base_has() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let mut python = base((3, 12), Libc::Glibc(2, 36));
    python
        .installed
        .insert("packaging".to_owned(), "23.2".to_owned());
    let files = |requirements: &[&str]| {
        let connectors = [connector("shop", requirements)];
        installed(
            sandbox.folder(),
            &connectors,
            &Platform::linux_amd64(),
            &python,
        )
    };
    let (files_of_both, _) = files(&["packaging", "tabulate==0.9.0"])?;
    assert!(
        files_of_both
            .iter()
            .any(|file| file.path.contains("tabulate"))
    );
    assert!(
        !files_of_both
            .iter()
            .any(|file| file.path.contains("/packaging")),
        "it is in the base"
    );
    let error = files(&["packaging==24.2"]).expect_err("two versions in one folder");
    assert_eq!(error.kind, ImageErrorKind::Packages);
    let text = error.diagnose().to_string();
    assert!(
        text.contains("23.2") && text.contains("--builder docker"),
        "{text}"
    );
    Ok(())
}

/// What the index does not have is not told to be built from its source.
fn what_is_not_there() -> Result<(), Failed> {
    for (requirements, words) in [
        (&["packaging==0.0.99"][..], "does not have that version"),
        (
            &["bowline-tests-no-such-package"],
            "has nothing of that name",
        ),
        // What the usual index has says nothing where options may name another.
        (
            &["--prefer-binary", "bowline-tests-no-such-package"],
            "--builder docker",
        ),
    ] {
        let sandbox = Sandbox::new();
        let connectors = [connector("shop", requirements)];
        let base = base((3, 12), Libc::Glibc(2, 36));
        let place = sandbox.folder();
        let error = installed(place, &connectors, &Platform::linux_arm64(), &base)
            .expect_err("it is not there");
        assert_eq!(error.kind, ImageErrorKind::NeedsEngine);
        let text = error.diagnose().to_string();
        assert!(text.contains(words), "{text}");
        assert_eq!(
            text.contains("nothing of that name") || text.contains("that version"),
            words != "--builder docker",
            "{text}"
        );
    }
    Ok(())
}

fn what_has_no_wheel() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let connectors = [connector("shop", &["packaging==24.2", WITHOUT_WHEEL])];
    let base = base((3, 12), Libc::Glibc(2, 36));
    let error = installed(
        sandbox.folder(),
        &connectors,
        &Platform::linux_arm64(),
        &base,
    )
    .expect_err("it has no wheel");
    assert_eq!(error.kind, ImageErrorKind::NeedsEngine);
    let text = error.diagnose().to_string();
    assert!(
        text.contains("package `docopt==0.6.2`, for connector `shop`")
            && text.contains("linux/arm64, Python 3.12 and glibc 2.36")
            && text.contains("--builder docker"),
        "{text}"
    );
    let left: Vec<_> = fs::read_dir(sandbox.folder())?
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| !["work", "home", "tmp"].iter().any(|own| name == own))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}
