//! Unpacking a wheel as an installer does: files in their places, programs with the base's Python in their first
//! line, and a record of it all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::base::BasePython;
use super::client::{Target, unwritable};
use super::record;
use super::requirement::normalized;
use crate::error::{ImageError, ImageErrorKind};

/// What `INSTALLER` says of who unpacked a package.
const INSTALLER: &str = "bowline\n";
/// How the first line of a program begins that wants the Python it is installed for.
const ANY_PYTHON: &[u8] = b"#!python";

/// A wheel's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WheelName {
    /// The package, spelled as the index does.
    pub(super) package: String,
    /// Its version.
    pub(super) version: String,
    pythons: Vec<String>,
    platforms: Vec<String>,
}

impl WheelName {
    /// Reads the name of a wheel's file.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse(file: &Path) -> Result<Self, ImageError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let parts: Vec<&str> = name
            .strip_suffix(".whl")
            .map(|stem| stem.split('-').collect())
            .unwrap_or_default();
        let (5 | 6, [package, version, ..], [.., pythons, _, platforms]) =
            (parts.len(), parts.as_slice(), parts.as_slice())
        else {
            return Err(
                ImageError::new(ImageErrorKind::Corrupt, format!("`{name}`"))
                    .because("it is not named as a wheel is"),
            );
        };
        let list = |tags: &str| tags.split('.').map(str::to_owned).collect();
        Ok(Self {
            package: normalized(package),
            version: (*version).to_owned(),
            pythons: list(pythons),
            platforms: list(platforms),
        })
    }

    /// Sees that the wheel is for the machine.
    ///
    /// # Errors
    /// Kind `WrongPlatform` when it is for another one.
    pub(super) fn check(&self, target: Target<'_>) -> Result<(), ImageError> {
        let tags = target.tags();
        let is_for_it = self
            .platforms
            .iter()
            .any(|platform| platform == "any" || tags.contains(platform));
        let (major, _) = target.python.version;
        let abi = target.abi();
        // A wheel for the stable interface names the first Python that has it.
        let families = [format!("cp{major}"), format!("py{major}")];
        let is_for_python = self
            .pythons
            .iter()
            .any(|python| families.iter().any(|family| python.starts_with(family)));
        if is_for_it && is_for_python {
            Ok(())
        } else {
            Err(ImageError::new(
                ImageErrorKind::WrongPlatform,
                format!("package `{}` {}", self.package, self.version),
            )
            .because(format!(
                "the wheel is for {} on {}, and the image for {abi} on {}",
                self.pythons.join(", "),
                self.platforms.join(", "),
                target.platform
            )))
        }
    }
}

/// Unpacks a wheel below `root`, which stands for the image's root folder. `is_asked_for` is whether a connector asks
/// for it by name.
///
/// # Errors
/// When the wheel is damaged, or a file cannot be written.
pub fn unpack(
    wheel: &Path,
    python: &BasePython,
    is_asked_for: bool,
    root: &Path,
) -> Result<(), ImageError> {
    let damaged = |why: String| damaged(wheel, why);
    let mut archive = Archive::open(wheel)?;
    let metadata = archive
        .paths
        .iter()
        .filter_map(|path| path.split_once('/'))
        .find_map(|(folder, file)| {
            (file == "WHEEL" && folder.ends_with(".dist-info")).then_some(folder)
        })
        .ok_or_else(|| damaged("it has no metadata".to_owned()))?
        .to_owned();
    let own_record = format!("{metadata}/RECORD");
    let told = archive
        .text(&own_record)?
        .ok_or_else(|| damaged("it has no RECORD".to_owned()))?;
    let told = record::read(&told);
    let data = format!("{}.data/", metadata.trim_end_matches(".dist-info"));
    let name = metadata.split('-').next().unwrap_or_default();
    let mut installed = Installed {
        python,
        root,
        record: BTreeMap::new(),
    };
    for path in archive.paths.clone() {
        if path == own_record {
            continue;
        }
        let (place, rest) = match path.strip_prefix(&data) {
            None => (Place::Packages, path.as_str()),
            Some(inside) => {
                let (scheme, rest) = inside.split_once('/').unwrap_or((inside, ""));
                let place = Place::of(scheme);
                (
                    place.ok_or_else(|| damaged(format!("`{path}` has no place")))?,
                    rest,
                )
            }
        };
        let to = format!("{}/{rest}", place.folder(name, python));
        let hash = match place {
            Place::Programs => {
                let bytes = archive.bytes(&path)?;
                installed.put(&to, &program(&bytes, python), true)?;
                record::hash(&bytes)
            }
            _ => archive.copy(&path, &to, &mut installed)?,
        };
        // Signatures of the record cannot stand in it.
        let is_signature = path.starts_with(&own_record);
        if !is_signature && told.get(&path) != Some(&hash) {
            return Err(damaged(format!("`{path}` is not what its RECORD says")));
        }
    }
    let points = archive.text(&format!("{metadata}/entry_points.txt"))?;
    for (name, module, object) in programs(points.as_deref().unwrap_or_default()) {
        let text = starter(&python.interpreter, module, object);
        installed.put(
            &format!("{}/{name}", python.programs),
            text.as_bytes(),
            true,
        )?;
    }
    let notes = format!("{}/{metadata}", python.packages);
    installed.put(&format!("{notes}/INSTALLER"), INSTALLER.as_bytes(), false)?;
    if is_asked_for {
        installed.put(&format!("{notes}/REQUESTED"), b"", false)?;
    }
    let text = record::write(&installed.record, &own_record);
    installed.put(&format!("{notes}/RECORD"), text.as_bytes(), false)
}

/// An opened wheel.
struct Archive<'a> {
    wheel: &'a Path,
    zip: zip::ZipArchive<File>,
    /// Its files, sorted; none of them leads out of it.
    paths: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(wheel: &'a Path) -> Result<Self, ImageError> {
        let file = File::open(wheel).map_err(|error| damaged(wheel, error.to_string()))?;
        let zip = zip::ZipArchive::new(file).map_err(|error| damaged(wheel, error.to_string()))?;
        let mut paths = Vec::new();
        for path in zip.file_names() {
            let path = path.map_err(|error| damaged(wheel, error.to_string()))?;
            if !path.ends_with('/') {
                paths.push(path.into_owned());
            }
        }
        paths.sort();
        let outside = paths.iter().find(|path| {
            path.starts_with('/')
                || path.contains('\\')
                || path.split('/').any(|part| matches!(part, "" | "." | ".."))
        });
        match outside {
            Some(path) => Err(damaged(wheel, format!("`{path}` leads out of it"))),
            None => Ok(Self { wheel, zip, paths }),
        }
    }

    fn bytes(&mut self, path: &str) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::new();
        let read = self
            .zip
            .by_name(path)
            .map_err(io::Error::other)
            .and_then(|mut packed| packed.read_to_end(&mut bytes));
        read.map_err(|error| damaged(self.wheel, format!("`{path}`: {error}")))?;
        Ok(bytes)
    }

    /// A file as text; none when it is not there.
    fn text(&mut self, path: &str) -> Result<Option<String>, ImageError> {
        if !self.paths.iter().any(|one| one == path) {
            return Ok(None);
        }
        let bytes = self.bytes(path)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Copies a file to its place, without ever holding it, and gives its hash.
    fn copy(
        &mut self,
        path: &str,
        to: &str,
        installed: &mut Installed<'_>,
    ) -> Result<String, ImageError> {
        let mut packed = self
            .zip
            .by_name(path)
            .map_err(|error| damaged(self.wheel, format!("`{path}`: {error}")))?;
        let is_program = packed.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let (place, mut file) = installed.create(to)?;
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = packed
                .read(&mut buffer)
                .map_err(|error| damaged(self.wheel, format!("`{path}`: {error}")))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            size += count;
            file.write_all(&buffer[..count])
                .map_err(|error| unwritable(&place, &error))?;
        }
        let hash = record::spelled(hash);
        installed.done(to, &place, hash.clone(), size, is_program)?;
        Ok(hash)
    }
}

fn damaged(wheel: &Path, why: String) -> ImageError {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    ImageError::new(ImageErrorKind::Corrupt, format!("`{name}`")).because(why)
}

/// Where files of a wheel go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Packages,
    Programs,
    Data,
    Headers,
}

impl Place {
    /// The place of a folder of `.data`.
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "purelib" | "platlib" => Self::Packages,
            "scripts" => Self::Programs,
            "data" => Self::Data,
            "headers" => Self::Headers,
            _ => return None,
        })
    }

    fn folder(self, package: &str, python: &BasePython) -> String {
        match self {
            Self::Packages => python.packages.clone(),
            Self::Programs => python.programs.clone(),
            Self::Data => python.prefix.clone(),
            Self::Headers => format!(
                "{}/include/python{}/{package}",
                python.prefix,
                python.shown()
            ),
        }
    }
}

/// A script of a wheel, started by the base's Python if it asks for any.
fn program(script: &[u8], python: &BasePython) -> Vec<u8> {
    match script.strip_prefix(ANY_PYTHON) {
        Some(rest) => {
            let line = rest.iter().position(|byte| *byte == b'\n');
            let rest = &rest[line.unwrap_or(rest.len())..];
            [b"#!", python.interpreter.as_bytes(), rest].concat()
        }
        None => script.to_vec(),
    }
}

/// The programs that a wheel's entry points name: name, module, object.
fn programs(entry_points: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    let mut is_wanted = false;
    for line in entry_points.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_wanted = matches!(section, "console_scripts]" | "gui_scripts]");
            continue;
        }
        let Some((name, target)) = line
            .split_once('=')
            .filter(|_| is_wanted && !line.starts_with(['#', ';']))
        else {
            continue;
        };
        let target = target.split('[').next().unwrap_or(target).trim();
        if let Some((module, object)) = target.split_once(':') {
            let name = name.trim();
            if !name.contains('/') && !name.is_empty() {
                found.push((name, module.trim(), object.trim()));
            }
        }
    }
    found
}

/// A program that calls a function of a package.
fn starter(interpreter: &str, module: &str, object: &str) -> String {
    let first = object.split('.').next().unwrap_or(object);
    format!(
        "#!{interpreter}\nimport sys\n\nfrom {module} import {first}\n\nif __name__ == \"__main__\":\n    sys.exit({object}())\n"
    )
}

/// What was unpacked so far.
struct Installed<'a> {
    python: &'a BasePython,
    root: &'a Path,
    /// Hash and size of each file, by its path from the folder of packages.
    record: BTreeMap<String, (String, usize)>,
}

impl Installed<'_> {
    /// Begins a file at its place in the image.
    fn create(&self, path: &str) -> Result<(PathBuf, File), ImageError> {
        let place = self.root.join(path.trim_start_matches('/'));
        let create = || {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            File::create(&place)
        };
        let file = create().map_err(|error| unwritable(&place, &error))?;
        Ok((place, file))
    }

    /// Notes a file that was written.
    fn done(
        &mut self,
        path: &str,
        place: &Path,
        hash: String,
        size: usize,
        is_program: bool,
    ) -> Result<(), ImageError> {
        let noted = relative(path, &self.python.packages);
        self.record.insert(noted, (hash, size));
        if is_program {
            make_program(place).map_err(|error| unwritable(place, &error))
        } else {
            Ok(())
        }
    }

    fn put(&mut self, path: &str, bytes: &[u8], is_program: bool) -> Result<(), ImageError> {
        let (place, mut file) = self.create(path)?;
        file.write_all(bytes)
            .map_err(|error| unwritable(&place, &error))?;
        self.done(path, &place, record::hash(bytes), bytes.len(), is_program)
    }
}

#[cfg(unix)]
fn make_program(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_program(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A path as a record tells it: from the folder of packages, upwards where it is not in there.
fn relative(path: &str, from: &str) -> String {
    let (path, from): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), from.split('/').collect());
    let shared = path
        .iter()
        .zip(&from)
        .take_while(|(one, other)| one == other)
        .count();
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&path[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use bowline_oci::Platform;

    use super::super::base::Libc;
    use super::super::client::tests::python;
    use super::*;

    /// A wheel of these files, with the record that belongs to it.
    fn wheel(folder: &Path, files: &[(&str, &str)]) -> std::path::PathBuf {
        let path = folder.join("demo-1.0-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        let mut record = BTreeMap::new();
        for (path, text) in files {
            archive.start_file(*path, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
            record.insert(
                (*path).to_owned(),
                (record::hash(text.as_bytes()), text.len()),
            );
        }
        archive
            .start_file("demo-1.0.dist-info/RECORD", options)
            .unwrap();
        let text = record::write(&record, "demo-1.0.dist-info/RECORD");
        archive.write_all(text.as_bytes()).unwrap();
        archive.finish().unwrap();
        path
    }

    #[test]
    fn every_file_finds_its_place_and_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = wheel(
            folder.path(),
            &[
                ("demo/__init__.py", "x = 1\n"),
                ("demo-1.0.data/scripts/run", "#!python -s\nprint()\n"),
                ("demo-1.0.data/data/share/demo.txt", "text"),
                ("demo-1.0.data/purelib/more.py", ""),
                ("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n"),
                (
                    "demo-1.0.dist-info/entry_points.txt",
                    "[console_scripts]\ndemo = demo.cli:App.main [extra]\n\n[demo.plugins]\nx = y:z\n",
                ),
            ],
        );
        let root = folder.path().join("root");
        unpack(&wheel, &python(Libc::Glibc(2, 36)), true, &root).unwrap();
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
        let site = "usr/local/lib/python3.12/site-packages";
        assert_eq!(read(&format!("{site}/demo/__init__.py")), "x = 1\n");
        assert_eq!(read(&format!("{site}/more.py")), "");
        assert_eq!(
            read("usr/local/bin/run"),
            "#!/usr/local/bin/python3\nprint()\n"
        );
        assert_eq!(read("usr/local/share/demo.txt"), "text");
        assert_eq!(
            read("usr/local/bin/demo"),
            "#!/usr/local/bin/python3\nimport sys\n\nfrom demo.cli import App\n\nif __name__ == \"__main__\":\n    sys.exit(App.main())\n"
        );
        let record = read(&format!("{site}/demo-1.0.dist-info/RECORD"));
        let listed: Vec<&str> = record
            .lines()
            .filter_map(|line| line.split(',').next())
            .collect();
        assert_eq!(
            listed,
            [
                "../../../bin/demo",
                "../../../bin/run",
                "../../../share/demo.txt",
                "demo-1.0.dist-info/INSTALLER",
                "demo-1.0.dist-info/RECORD",
                "demo-1.0.dist-info/REQUESTED",
                "demo-1.0.dist-info/WHEEL",
                "demo-1.0.dist-info/entry_points.txt",
                "demo/__init__.py",
                "more.py",
            ]
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode();
            assert_eq!(mode("usr/local/bin/demo") & 0o111, 0o111);
            assert_eq!(mode(&format!("{site}/more.py")) & 0o111, 0);
        }
    }

    #[test]
    fn damaged_wheels_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let python = python(Libc::Glibc(2, 36));
        let refused = |files: &[(&str, &str)]| {
            let wheel = wheel(folder.path(), files);
            let error = unpack(&wheel, &python, false, &folder.path().join("root")).unwrap_err();
            assert_eq!(error.kind, ImageErrorKind::Corrupt);
            error.causes.join("; ")
        };
        assert_eq!(refused(&[("demo/x.py", "")]), "it has no metadata");
        assert_eq!(
            refused(&[("../x.py", ""), ("demo-1.0.dist-info/WHEEL", "")]),
            "`../x.py` leads out of it"
        );
        let wheel = wheel(folder.path(), &[("demo-1.0.dist-info/WHEEL", "")]);
        let mut archive = zip::ZipWriter::new_append(
            File::options().read(true).write(true).open(&wheel).unwrap(),
        )
        .unwrap();
        archive
            .start_file("slipped_in.py", zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.finish().unwrap();
        let error = unpack(&wheel, &python, false, folder.path()).unwrap_err();
        assert_eq!(
            error.causes,
            ["`slipped_in.py` is not what its RECORD says"]
        );
        fs::write(&wheel, "no zip").unwrap();
        assert!(unpack(&wheel, &python, false, folder.path()).is_err());
    }

    #[test]
    fn wheels_for_other_machines_are_told() {
        let python = python(Libc::Glibc(2, 36));
        let check = |name: &str, platform: &Platform| {
            let target = Target {
                platform,
                python: &python,
            };
            WheelName::parse(Path::new(name)).and_then(|name| name.check(target))
        };
        let intel = Platform::linux_amd64();
        let compiled = "x-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
        assert_eq!(check(compiled, &intel), Ok(()));
        assert_eq!(check("x-1-py2.py3-none-any.whl", &intel), Ok(()));
        assert_eq!(
            check("x-1-1build-cp37-abi3-manylinux_2_28_x86_64.whl", &intel),
            Ok(())
        );
        let kind = |name: &str, platform: &Platform| check(name, platform).unwrap_err().kind;
        assert_eq!(
            kind(compiled, &Platform::linux_arm64()),
            ImageErrorKind::WrongPlatform
        );
        assert_eq!(
            kind("x-1-cp312-cp312-manylinux_2_40_x86_64.whl", &intel),
            ImageErrorKind::WrongPlatform
        );
        assert_eq!(kind("x-1.tar.gz", &intel), ImageErrorKind::Corrupt);
    }
}
