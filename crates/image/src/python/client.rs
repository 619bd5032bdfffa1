//! Fetching wheels for another machine with the user's own package client.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bowline_installer::{InstallError, last_lines, run_client};
use bowline_oci::{Cancel, Platform};
use bowline_process::Ended;
use serde_json::json;

use super::base::{BasePython, Libc};
use super::requirement::{USE_AN_ENGINE, package, pin};
use crate::error::{ImageError, ImageErrorKind};
use crate::plan::PlannedConnector;

/// Runs pip for another machine.
const PIP: &str = include_str!("pip.py");

/// The ways to start a Python that has pip, in the order they are tried.
const PYTHONS: [&[&str]; 3] = [
    &["python3"],
    &["python"],
    &[
        "uv",
        "run",
        "--quiet",
        "--no-project",
        "--with",
        "pip",
        "python",
    ],
];

/// What pip says when the index has nothing that fits.
const NOTHING_FITS: &str = "No matching distribution found for ";
/// What stands before all versions that pip finds of a package.
const VERSIONS: &str = "Available versions: ";
/// The most versions that a hint names.
const MOST_VERSIONS: usize = 3;
/// What pip says when two requirements contradict each other.
const CONFLICT: &str = "ResolutionImpossible";
/// What pip says when some requirements have hashes and others do not.
const HASHES: &str = "--require-hashes mode";
/// What pip says when the index cannot be reached, beside that nothing fits.
const UNREACHABLE: [&str; 4] = [
    "NewConnectionError",
    "Max retries exceeded",
    "Could not fetch URL",
    "Read timed out",
];

/// The machine that wheels are for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) platform: &'a Platform,
    pub(super) python: &'a BasePython,
}

impl Target<'_> {
    /// The processor's name in wheels' tags and in requirements.
    fn machine(&self) -> &str {
        match self.platform.architecture.as_str() {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        }
    }

    /// The tag of the Python, such as `cp312`.
    pub(super) fn abi(&self) -> String {
        let (major, minor) = self.python.version;
        format!("cp{major}{minor}")
    }

    /// The tags of platforms whose wheels run there, the best first.
    pub(super) fn tags(&self) -> Vec<String> {
        let machine = self.machine();
        let mut tags = Vec::new();
        match self.python.libc {
            Libc::Glibc(major, newest) => {
                let (oldest, older): (u32, &[(u32, &str)]) = match machine {
                    "x86_64" => (
                        5,
                        &[
                            (17, "manylinux2014"),
                            (12, "manylinux2010"),
                            (5, "manylinux1"),
                        ],
                    ),
                    _ => (17, &[(17, "manylinux2014")]),
                };
                for minor in (oldest..=newest).rev() {
                    tags.push(format!("manylinux_{major}_{minor}_{machine}"));
                    let older = older.iter().filter(|(since, _)| *since == minor);
                    tags.extend(older.map(|(_, name)| format!("{name}_{machine}")));
                }
            }
            Libc::Musl(major, newest) => {
                tags.extend(
                    (0..=newest)
                        .rev()
                        .map(|minor| format!("musllinux_{major}_{minor}_{machine}")),
                );
            }
        }
        tags.push(format!("linux_{machine}"));
        tags
    }

    /// What requirements may ask of the machine.
    fn environment(&self) -> String {
        let (major, minor) = self.python.version;
        let full = self.full_version();
        json!({
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": self.machine(),
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": format!("{major}.{minor}"),
            "sys_platform": "linux",
        })
        .to_string()
    }

    fn full_version(&self) -> String {
        format!("{}.{}", self.python.shown(), self.python.patch)
    }

    fn shown(&self) -> String {
        let libc = match self.python.libc {
            Libc::Glibc(major, minor) => format!("glibc {major}.{minor}"),
            Libc::Musl(major, minor) => format!("musl {major}.{minor}"),
        };
        format!(
            "{}, Python {} and {libc}",
            self.platform,
            self.python.shown()
        )
    }
}

/// Fetches the wheels of everything that the connectors ask for, and of what that needs, into a folder of `folder`.
/// What the base has already is not asked for in another version.
///
/// # Errors
/// When there is no client, something has no wheel, or what is asked for does not fit together.
pub(super) fn download(
    connectors: &[&PlannedConnector],
    target: Target<'_>,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Vec<PathBuf>, ImageError> {
    let wheels = folder.join("wheels");
    let failed = |error| unwritable(folder, &error);
    fs::create_dir_all(&wheels).map_err(failed)?;
    let mut arguments = arguments(target, &wheels);
    let constraints = folder.join("constraints.txt");
    let installed = target.python.installed.iter();
    let lines: String = installed
        .map(|(name, version)| format!("{name}=={version}\n"))
        .collect();
    fs::write(&constraints, lines).map_err(failed)?;
    arguments.push(format!("--constraint={}", constraints.display()));
    for (number, connector) in connectors.iter().enumerate() {
        let file = folder.join(format!("requirements-{number}-{}.txt", connector.name));
        let lines = connector.requirements.iter();
        let lines: String = lines.map(|one| format!("{}\n", one.text)).collect();
        fs::write(&file, lines).map_err(failed)?;
        arguments.push(format!("--requirement={}", file.display()));
    }
    let run = run(target, &arguments, folder, cancel)?;
    if !run.status.success() {
        let index = match unmatched(&run.words) {
            // Options may name another index: what the usual one has says nothing, and a private name is not its to hear.
            Some(missing) if !connectors.iter().any(has_options) => {
                ask_index(target, missing, folder, cancel)?
            }
            _ => Index::Silent,
        };
        return Err(refused(&run.words, &index, connectors, target));
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&wheels).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.sort();
    Ok(found)
}

fn arguments(target: Target<'_>, wheels: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "download",
        "--progress-bar=off",
        "--no-input",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--implementation=cp",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--python-version={}", target.full_version()));
    arguments.push(format!("--abi={}", target.abi()));
    let tags = target.tags();
    arguments.extend(tags.iter().map(|tag| format!("--platform={tag}")));
    arguments.push(format!("--dest={}", wheels.display()));
    arguments
}

fn run(
    target: Target<'_>,
    arguments: &[String],
    folder: &Path,
    cancel: &Cancel,
) -> Result<Ended, ImageError> {
    let mut words = vec!["-c".to_owned(), PIP.to_owned(), target.environment()];
    words.extend(arguments.iter().cloned());
    for python in PYTHONS {
        let run =
            run_client(python, &words, folder, cancel.flag()).map_err(|error| match error {
                InstallError::Interrupted => {
                    ImageError::new(ImageErrorKind::Cancelled, "fetching Python packages")
                }
                error => ImageError::new(ImageErrorKind::Packages, "`pip`").because_of(&error),
            })?;
        match run {
            Some(run) if !run.words.contains("No module named pip") => return Ok(run),
            _ => {}
        }
    }
    Err(
        ImageError::new(ImageErrorKind::Packages, "no package client")
            .because("neither `python3` with pip nor `uv` is on the search path")
            .hint(
                "install pip or uv; or build with `--builder docker`, `podman` or `buildah`"
                    .to_owned(),
            ),
    )
}

/// What the package index has of a package, as source or wheel.
#[derive(Debug)]
enum Index {
    /// No package of that name.
    Nothing,
    /// These versions, the newest first.
    Versions(Vec<String>),
    /// It is not known.
    Silent,
}

/// The requirement that nothing fits, as pip tells it of an index that could be reached.
fn unmatched(words: &str) -> Option<&str> {
    let is_reachable = !UNREACHABLE.iter().any(|sign| words.contains(sign));
    if !is_reachable || words.contains(CONFLICT) {
        return None;
    }
    let (_, rest) = words.split_once(NOTHING_FITS)?;
    rest.lines().next().map(str::trim)
}

/// Whether requirements.txt has a line of options.
fn has_options(connector: &&PlannedConnector) -> bool {
    let mut lines = connector.requirements.iter();
    lines.any(|line| line.text.starts_with('-'))
}

/// Asks the index for every version of what a requirement names.
fn ask_index(
    target: Target<'_>,
    requirement: &str,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Index, ImageError> {
    let Some(name) = package(requirement) else {
        return Ok(Index::Silent);
    };
    let arguments = [
        "index",
        "versions",
        "--pre",
        "--no-input",
        "--ignore-requires-python",
        &name,
    ];
    let run = run(target, &arguments.map(str::to_owned), folder, cancel)?;
    Ok(listed(&run.words, run.status.success()))
}

/// What pip says of a package's versions.
fn listed(words: &str, is_there: bool) -> Index {
    match words.split_once(VERSIONS) {
        Some((_, rest)) if is_there => {
            let versions = rest.lines().next().unwrap_or_default().split(',');
            Index::Versions(versions.map(|version| version.trim().to_owned()).collect())
        }
        None if !is_there && unmatched(words).is_some() => Index::Nothing,
        _ => Index::Silent,
    }
}

/// A version without the zeros at its end, which count for nothing.
fn whole(version: &str) -> &str {
    version.trim_end_matches(".0")
}

/// What pip's words come to, and those of the index.
fn refused(
    words: &str,
    index: &Index,
    connectors: &[&PlannedConnector],
    target: Target<'_>,
) -> ImageError {
    let names: Vec<String> = connectors
        .iter()
        .map(|connector| format!("`{}`", connector.name))
        .collect();
    let of = match names.as_slice() {
        [one] => format!("connector {one}"),
        many => format!("connectors {}", many.join(", ")),
    };
    let missing = unmatched(words);
    let thing = missing.map_or(of.clone(), |missing| {
        format!("package `{missing}`, for {of}")
    });
    let is_listed = |versions: &[String]| {
        let pinned = missing.and_then(pin);
        pinned.is_none_or(|(_, wanted)| {
            versions
                .iter()
                .any(|version| whole(version) == whole(wanted))
        })
    };
    let absent = match index {
        Index::Nothing => Some((
            "the package index has nothing of that name",
            "mend its name in requirements.txt, or let pip ask the index that has it".to_owned(),
        )),
        Index::Versions(versions) if !is_listed(versions) => {
            let newest = versions.iter().take(MOST_VERSIONS);
            let newest: Vec<&str> = newest.map(String::as_str).collect();
            Some((
                "the package index does not have that version",
                format!(
                    "name one that it has in requirements.txt, such as {}",
                    newest.join(", ")
                ),
            ))
        }
        _ => None,
    };
    if missing.is_some() {
        // An engine may reach what this machine's pip does not.
        let error = ImageError::new(ImageErrorKind::NeedsEngine, thing);
        let no_wheel = || format!("it has no wheel for {}", target.shown());
        return match absent {
            Some((cause, hint)) => error.because(cause).hint(hint),
            None => error.because(no_wheel()).hint(USE_AN_ENGINE.to_owned()),
        };
    }
    let hint = if words.contains(CONFLICT) {
        "let their versions fit together; what pip calls a constraint is in the base already, and an engine replaces \
         it: `--builder docker`, `podman` or `buildah`"
    } else if words.contains(HASHES) {
        "give every package of every connector its hash, or none: all of them are resolved together"
    } else {
        "check the network and the settings of pip, whose own words are above"
    };
    ImageError::new(ImageErrorKind::Packages, format!("for {thing}"))
        .because(last_lines(words))
        .hint(hint.to_owned())
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> ImageError {
    ImageError::new(ImageErrorKind::Unwritable, format!("`{}`", path.display()))
        .because(error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use bowline_words::Diagnose;
    use std::collections::BTreeMap;

    use super::*;

    pub(in crate::python) fn python(libc: Libc) -> BasePython {
        BasePython {
            version: (3, 12),
            patch: 4,
            interpreter: "/usr/local/bin/python3".to_owned(),
            packages: "/usr/local/lib/python3.12/site-packages".to_owned(),
            programs: "/usr/local/bin".to_owned(),
            prefix: "/usr/local".to_owned(),
            libc,
            installed: BTreeMap::new(),
        }
    }

    #[test]
    fn tags_are_those_that_the_c_library_can_load() {
        let tags = |libc, platform: &Platform| {
            let python = python(libc);
            let target = Target {
                platform,
                python: &python,
            };
            target.tags()
        };
        let intel = tags(Libc::Glibc(2, 18), &Platform::linux_amd64());
        assert_eq!(
            intel[..4],
            [
                "manylinux_2_18_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64",
                "manylinux_2_16_x86_64"
            ]
        );
        assert!(intel.contains(&"manylinux1_x86_64".to_owned()));
        assert_eq!(
            tags(Libc::Glibc(2, 17), &Platform::linux_arm64()),
            [
                "manylinux_2_17_aarch64",
                "manylinux2014_aarch64",
                "linux_aarch64"
            ]
        );
        assert_eq!(
            tags(Libc::Musl(1, 1), &Platform::linux_arm64()),
            [
                "musllinux_1_1_aarch64",
                "musllinux_1_0_aarch64",
                "linux_aarch64"
            ]
        );
    }

    #[test]
    fn what_the_client_says_is_understood() {
        let python = python(Libc::Glibc(2, 36));
        let target = Target {
            platform: &Platform::linux_arm64(),
            python: &python,
        };
        let nothing = "ERROR: Could not find a version that satisfies the requirement x==9 (from versions: none)\n\
                       ERROR: No matching distribution found for x==9\n";
        let error = refused(nothing, &Index::Silent, &[], target);
        assert_eq!(error.kind, ImageErrorKind::NeedsEngine);
        assert!(
            error
                .to_string()
                .contains("`x==9`, for connectors \nit has no wheel for linux/arm64, Python 3.12 and glibc 2.36"),
            "{error}"
        );
        let told = |words: &str, is_there| {
            let error = refused(nothing, &listed(words, is_there), &[], target);
            assert_eq!(error.kind, ImageErrorKind::NeedsEngine, "{words}");
            error.diagnose().to_string()
        };
        let absent = told("ERROR: No matching distribution found for x\n", false);
        assert!(absent.contains("nothing of that name"), "{absent}");
        assert!(!absent.contains("wheel"), "{absent}");
        let other = told("x (2)\nAvailable versions: 2, 1.0\n", true);
        assert!(
            other.contains("does not have that version") && other.contains("such as 2, 1.0"),
            "{other}"
        );
        for (words, is_there) in [
            ("x (9)\nAvailable versions: 9, 1.0\n", true),
            ("ERROR: unknown command \"index\"\n", false),
        ] {
            assert!(told(words, is_there).contains("no wheel"), "{words}");
        }
        let offline = format!("WARNING: Retrying: NewConnectionError('no route')\n{nothing}");
        assert_eq!(
            refused(&offline, &Index::Silent, &[], target).kind,
            ImageErrorKind::Packages
        );
        let conflict =
            "ERROR: ResolutionImpossible: for help visit https://user:pw@mirror.example/x\n";
        let error = refused(conflict, &Index::Silent, &[], target)
            .diagnose()
            .to_string();
        assert!(
            error.contains("fit together") && !error.contains("pw"),
            "{error}"
        );
    }
}
