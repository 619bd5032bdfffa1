//! Fetching a package with the user's own client, so that mirrors, proxies and logins work as they are set up.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::InstallError;
use crate::catalogue::{Build, PackageSource};
use crate::client::{last_lines, run_client};

/// The ways to start pip, in the order they are tried.
const PIPS: [&[&str]; 4] = [
    &["python3", "-m", "pip"],
    &["python", "-m", "pip"],
    &["pip3"],
    &["pip"],
];

const NPMS: [&[&str]; 1] = [if cfg!(windows) {
    &["npm.cmd"]
} else {
    &["npm"]
}];

/// Fetches a build's archive into a folder and says where it is.
pub(crate) fn fetch(
    source: PackageSource,
    build: &Build,
    folder: &Path,
    cancel: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    match source {
        PackageSource::PyPi => fetch_with(&PIPS, source, build, folder, cancel),
        PackageSource::Npm => fetch_with(&NPMS, source, build, folder, cancel),
    }
}

/// Fetches with the first of these clients that is on this machine.
fn fetch_with(
    clients: &[&[&str]],
    source: PackageSource,
    build: &Build,
    folder: &Path,
    cancel: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    let arguments = match source {
        PackageSource::PyPi => pip_arguments(build, folder),
        PackageSource::Npm => npm_arguments(build, folder),
    };
    let package = format!("{} {}", build.package, build.version);
    for client in clients {
        let Some(run) = run_client(client, &arguments, folder, cancel)? else {
            continue;
        };
        if run.words.contains("No module named pip") {
            continue;
        }
        let archive = folder.join(build.file);
        return if run.status.success() && archive.is_file() {
            Ok(archive)
        } else {
            Err(InstallError::Download {
                client: source.client(),
                package,
                words: last_lines(&run.words),
            })
        };
    }
    Err(InstallError::NoClient {
        client: source.client(),
        package,
    })
}

fn pip_arguments(build: &Build, folder: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--retries=1",
        "--implementation=py",
        "--abi=none",
        // The wheels hold no Python of a certain version; this only satisfies the client.
        "--python-version=3.11",
    ]
    .map(str::to_owned)
    .into();
    let stem = build.file.trim_end_matches(".whl");
    let tags = stem.rsplit('-').next().unwrap_or_default();
    arguments.extend(tags.split('.').map(|tag| format!("--platform={tag}")));
    arguments.push(format!("--dest={}", folder.display()));
    arguments.push(format!("{}=={}", build.package, build.version));
    arguments
}

fn npm_arguments(build: &Build, folder: &Path) -> Vec<String> {
    vec![
        "pack".to_owned(),
        "--loglevel=error".to_owned(),
        "--no-update-notifier".to_owned(),
        "--fetch-retries=1".to_owned(),
        "--fetch-retry-mintimeout=1000".to_owned(),
        format!("--pack-destination={}", folder.display()),
        format!("{}@{}", build.package, build.version),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn pip_is_asked_for_exactly_the_build() {
        let build = crate::catalogue::find("flightsql")
            .unwrap()
            .builds
            .first()
            .unwrap();
        let arguments = pip_arguments(build, Path::new("out"));
        for tag in [
            "manylinux1_x86_64",
            "manylinux_2_28_x86_64",
            "manylinux_2_5_x86_64",
        ] {
            assert!(
                arguments.contains(&format!("--platform={tag}")),
                "{arguments:?}"
            );
        }
        assert!(arguments.contains(&format!("adbc-driver-flightsql=={}", build.version)));
    }

    /// A client that is a shell script in a folder of its own.
    #[cfg(unix)]
    fn script(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.sh");
        fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        (folder, path)
    }

    #[cfg(unix)]
    fn fetch_from(
        clients: &[&[&str]],
        folder: &Path,
        cancel: &AtomicBool,
    ) -> Result<PathBuf, InstallError> {
        let build = crate::catalogue::find("sqlite")
            .unwrap()
            .builds
            .first()
            .unwrap();
        fetch_with(clients, PackageSource::PyPi, build, folder, cancel)
    }

    #[cfg(unix)]
    #[test]
    fn the_first_client_that_works_is_used() {
        let build = crate::catalogue::find("sqlite")
            .unwrap()
            .builds
            .first()
            .unwrap();
        let (_without_pip, broken) = script("echo 'No module named pip' >&2; exit 1");
        let (_with_pip, works) = script(&format!("echo archive > '{}'", build.file));
        let folder = tempfile::tempdir().unwrap();
        let clients: [&[&str]; 3] = [
            &["no-such-program-anywhere"],
            &["sh", &broken],
            &["sh", &works],
        ];
        let archive = fetch_from(&clients, folder.path(), &AtomicBool::new(false)).unwrap();
        assert_eq!(fs::read(archive).unwrap(), b"archive\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_machine_without_a_client_is_told_which_one_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let clients: [&[&str]; 1] = [&["no-such-program-anywhere"]];
        let error = fetch_from(&clients, folder.path(), &AtomicBool::new(false)).unwrap_err();
        assert!(
            matches!(error, InstallError::NoClient { client: "pip", .. }),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_client_that_fails_is_quoted_without_its_login() {
        let (_kept, fails) =
            script("echo 'no route to https://me:s3cret@mirror.example/simple' >&2; exit 1");
        let (_kept_too, silent) = script("exit 0");
        let folder = tempfile::tempdir().unwrap();
        for (client, words) in [
            (&fails, "no route to https://***@mirror.example/simple"),
            (&silent, "it said nothing"),
        ] {
            let error = fetch_from(&[&["sh", client]], folder.path(), &AtomicBool::new(false));
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains(words) && !error.contains("s3cret"),
                "{error}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_client_is_stopped_on_request() {
        let (_kept, endless) = script("exec tail -f /dev/null");
        let folder = tempfile::tempdir().unwrap();
        let stopped = fetch_from(&[&["sh", &endless]], folder.path(), &AtomicBool::new(true));
        assert!(matches!(stopped, Err(InstallError::Interrupted)));
    }
}
