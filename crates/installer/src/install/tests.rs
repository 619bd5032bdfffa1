use std::fs::File;
use std::io::Write;
use std::sync::atomic::Ordering;

use bowline_words::Diagnose;
use sha2::{Digest, Sha256};

use super::*;
use crate::catalogue::{DriverOption, PackageSource, find};

static RUNNING: AtomicBool = AtomicBool::new(false);

/// A catalogue entry for an archive made here. It lives as long as the program, like the real ones.
fn entry(source: PackageSource, archive: &Path) -> &'static CatalogueEntry {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let bytes = fs::read(archive).unwrap();
    let sha256 = Sha256::digest(&bytes);
    let build = Build {
        platform: Platform::current().unwrap(),
        package: "demo-package",
        version: "1.0",
        file: leak(archive.file_name().unwrap().to_string_lossy().into_owned()),
        sha256: leak(sha256.iter().map(|byte| format!("{byte:02x}")).collect()),
        bytes: bytes.len() as u64,
        library: "pkg/libdemo.so",
    };
    Box::leak(Box::new(CatalogueEntry {
        name: "demo",
        title: "Demo",
        summary: "a driver for tests",
        source,
        license: "MIT",
        entrypoint: "DemoInit",
        options: &[] as &[DriverOption],
        builds: Box::leak(Box::new([build])),
    }))
}

fn wheel(folder: &Path, library: &str) -> PathBuf {
    let path = folder.join("demo_package-1.0-py3-none-any.whl");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("pkg/__init__.py", options).unwrap();
    zip.start_file(library, options).unwrap();
    zip.write_all(b"the library").unwrap();
    zip.finish().unwrap();
    path
}

fn npm_package(folder: &Path) -> PathBuf {
    let path = folder.join("demo-package-1.0.tgz");
    let gzip =
        flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(11);
    header.set_mode(0o644);
    tar.append_data(&mut header, "pkg/libdemo.so", &b"the library"[..])
        .unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    path
}

fn from_file(
    entry: &CatalogueEntry,
    archive: &Path,
    folder: &Path,
) -> Result<InstallOutcome, InstallError> {
    let options = InstallOptions {
        folder: folder.to_owned(),
        archive: Some(archive.to_owned()),
        cancel: &RUNNING,
    };
    install(entry, &options, &mut |_| {})
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn both_kinds_of_archive_become_a_library_and_a_manifest() {
    for source in [PackageSource::PyPi, PackageSource::Npm] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("drivers");
        let archive = match source {
            PackageSource::PyPi => wheel(home.path(), "pkg/libdemo.so"),
            PackageSource::Npm => npm_package(home.path()),
        };
        let entry = entry(source, &archive);
        assert_eq!(install_state(entry, &folder), InstallState::Missing);
        let InstallOutcome::New(installed) = from_file(entry, &archive, &folder).unwrap() else {
            panic!("it was not there before");
        };
        assert_eq!(fs::read(&installed.library).unwrap(), b"the library");
        assert_eq!(names(&folder), ["demo-1.0", "demo.toml"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
            // As readable as any other new file, whatever the umask here is.
            let other = folder.join("other");
            fs::write(&other, "").unwrap();
            assert_eq!(mode(&installed.manifest), mode(&other));
            fs::remove_file(other).unwrap();
        }
        let manifest: toml::Table = fs::read_to_string(&installed.manifest)
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(manifest["manifest_version"].as_integer(), Some(1));
        assert_eq!(manifest["Driver"]["entrypoint"].as_str(), Some("DemoInit"));
        let key = Platform::current().unwrap().manifest_key();
        let library = installed.library.to_str();
        assert_eq!(manifest["Driver"]["shared"][key].as_str(), library);
        assert_eq!(
            install_state(entry, &folder),
            InstallState::Current(installed.clone())
        );
        let again = from_file(entry, Path::new("not there"), &folder).unwrap();
        assert_eq!(again, InstallOutcome::AlreadyThere(installed));
    }
}

#[test]
fn an_archive_with_another_hash_is_not_unpacked() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("drivers");
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let entry = entry(PackageSource::PyPi, &archive);
    fs::write(&archive, b"something else").unwrap();
    let error = from_file(entry, &archive, &folder).unwrap_err();
    assert!(matches!(error, InstallError::WrongHash { .. }), "{error}");
    assert!(error.to_string().contains(entry.builds[0].sha256));
    assert!(names(&folder).is_empty());
}

#[test]
fn an_archive_without_the_library_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("drivers");
    let archive = wheel(home.path(), "pkg/other.so");
    let error = from_file(entry(PackageSource::PyPi, &archive), &archive, &folder).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("there is no `pkg/libdemo.so` in it"),
        "{error}"
    );
    assert!(names(&folder).is_empty());
}

#[test]
fn a_broken_installation_is_seen_and_repaired() {
    let home = tempfile::tempdir().unwrap();
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let entry = entry(PackageSource::PyPi, &archive);
    let folder = home.path().join("drivers");
    let InstallOutcome::New(installed) = from_file(entry, &archive, &folder).unwrap() else {
        panic!("it was not there before");
    };
    fs::write(&installed.library, b"cut").unwrap();
    assert!(matches!(
        install_state(entry, &folder),
        InstallState::Broken { .. }
    ));
    let repaired = from_file(entry, &archive, &folder).unwrap();
    assert_eq!(repaired, InstallOutcome::New(installed.clone()));
    assert_eq!(
        install_state(entry, &folder),
        InstallState::Current(installed)
    );
}

#[test]
fn the_version_before_is_removed_and_others_are_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let entry = entry(PackageSource::PyPi, &archive);
    let folder = home.path().join("drivers");
    for other in ["demo-0.9", "demolition-1"] {
        fs::create_dir_all(folder.join(other)).unwrap();
        fs::write(folder.join(other).join("lib.so"), b"x").unwrap();
    }
    let old = folder.join("demo-0.9/lib.so");
    fs::write(
        folder.join("demo.toml"),
        format!(
            "version = \"0.9\"\n[Driver]\nshared = {:?}\n",
            old.display().to_string()
        ),
    )
    .unwrap();
    assert!(
        matches!(install_state(entry, &folder), InstallState::Foreign(other) if other.version == "0.9")
    );
    from_file(entry, &archive, &folder).unwrap();
    assert_eq!(names(&folder), ["demo-1.0", "demo.toml", "demolition-1"]);
}

#[test]
fn what_is_removed_leaves_others_alone() {
    let home = tempfile::tempdir().unwrap();
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let entry = entry(PackageSource::PyPi, &archive);
    let folder = home.path().join("drivers");
    assert_eq!(remove(entry, &folder).unwrap(), InstallState::Missing);
    from_file(entry, &archive, &folder).unwrap();
    fs::create_dir_all(folder.join("demolition-1")).unwrap();
    let removed = remove(entry, &folder).unwrap();
    assert!(matches!(removed, InstallState::Current(installed) if installed.version == "1.0"));
    assert_eq!(names(&folder), ["demolition-1"]);

    let theirs = folder.join("demolition-1/lib.so");
    fs::write(&theirs, b"x").unwrap();
    let text = format!(
        "version = \"9\"\n[Driver]\nshared = {:?}\n",
        theirs.display().to_string()
    );
    fs::write(folder.join("demo.toml"), text).unwrap();
    assert!(matches!(
        remove(entry, &folder).unwrap(),
        InstallState::Foreign(_)
    ));
    assert_eq!(names(&folder), ["demo.toml", "demolition-1"]);
}

#[test]
fn a_stopped_installation_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let entry = entry(PackageSource::PyPi, &archive);
    let folder = home.path().join("drivers");
    let cancel = AtomicBool::new(false);
    let options = InstallOptions {
        folder: folder.clone(),
        archive: Some(archive),
        cancel: &cancel,
    };
    let stopped = install(entry, &options, &mut |event| {
        if event == InstallEvent::Unpacking {
            cancel.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(stopped, Err(InstallError::Interrupted)));
    assert!(names(&folder).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    let archive = wheel(home.path(), "pkg/libdemo.so");
    let file = home.path().join("file");
    fs::write(&file, b"").unwrap();
    let folder = file.join("drivers");
    let error = from_file(entry(PackageSource::PyPi, &archive), &archive, &folder).unwrap_err();
    assert!(matches!(error, InstallError::Write { .. }), "{error}");
    assert!(
        error.to_string().contains(&folder.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_platform_without_a_build_is_told_which_have_one() {
    let error = InstallError::no_build(find("oracle").unwrap(), Some(Platform::WindowsAarch64));
    assert_eq!(
        error.diagnose().to_string(),
        "driver has no build for this machine: `oracle` on windows aarch64\nhint: it is built for linux x86_64, linux aarch64, macos x86_64, macos aarch64, windows x86_64"
    );
}
