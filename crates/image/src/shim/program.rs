//! The programs that go into an image: Bowline's own, and those of connectors that are programs.

use std::path::{Path, PathBuf};

use bowline_oci::Platform;
use bowline_oci::layer::Content;

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::PlannedFile;

/// Where Bowline's own program is in an image.
pub(crate) const PROGRAM: &str = "/opt/bowline/bin/bowline";

/// The name of Bowline's own program.
const NAME: &str = "bowline";

/// The folders in which Cargo keeps what it built for a platform, beside `target/release` for this machine's.
const TRIPLES: [(&str, [&str; 2]); 2] = [
    (
        "amd64",
        ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"],
    ),
    (
        "arm64",
        ["aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl"],
    ),
];

/// Bowline's own program for a platform, as a file of the image. `given` is a program, or a folder of them.
///
/// # Errors
/// When there is none for the platform.
pub(super) fn bowline(
    given: Option<&Path>,
    platform: &Platform,
) -> Result<PlannedFile, ImageError> {
    let missing = || {
        ImageError::new(
            ImageErrorKind::Missing,
            format!("the program `{NAME}` for {platform}"),
        )
    };
    let found = match given {
        Some(folder) if folder.is_dir() => candidates(folder, platform)
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| {
                missing()
                    .because(format!(
                        "`{}` does not hold `{}`",
                        folder.display(),
                        names(platform).join("` or `")
                    ))
                    .hint(format!("put a build of `{NAME}` for {platform} there"))
            })?,
        Some(file) if file.is_file() => file.to_path_buf(),
        Some(file) => {
            return Err(missing().because(format!("`{}` does not exist", file.display())));
        }
        None if *platform == Platform::host() => std::env::current_exe().map_err(|error| {
            missing().because(format!("this program cannot find itself: {error}"))
        })?,
        None => {
            return Err(missing()
                .because(format!("this one runs on {}", Platform::host()))
                .hint("name a build of it, or a folder of builds, with `--binary`".to_owned()));
        }
    };
    Ok(PlannedFile {
        path: PROGRAM.to_owned(),
        content: Content::File(found),
        mode: 0o755,
        platform: Some(platform.clone()),
    })
}

fn names(platform: &Platform) -> Vec<String> {
    let mut names = vec![
        format!("{NAME}-{}", platform.dashed()),
        format!("{}/{NAME}", platform.dashed()),
    ];
    names.extend(triples(platform).map(|triple| format!("{triple}/release/{NAME}")));
    names
}

fn candidates(folder: &Path, platform: &Platform) -> Vec<PathBuf> {
    names(platform)
        .iter()
        .map(|name| folder.join(name))
        .collect()
}

fn triples(platform: &Platform) -> impl Iterator<Item = &'static str> {
    TRIPLES
        .iter()
        .filter(|(architecture, _)| *architecture == platform.architecture)
        .flat_map(|(_, triples)| *triples)
}

/// The program of a connector for a platform, at the path that its command names in the image's folder `root`.
///
/// For another platform than this machine's, Cargo's folder of that platform is looked into.
///
/// # Errors
/// When there is none.
pub(super) fn of_connector(
    dir: &Path,
    program: &str,
    root: &str,
    platform: &Platform,
) -> Result<PlannedFile, ImageError> {
    let relative = program.strip_prefix("./").unwrap_or(program);
    let mut places = Vec::new();
    if let Some(rest) = relative.strip_prefix("target/") {
        places.extend(triples(platform).map(|triple| format!("target/{triple}/{rest}")));
    }
    if *platform == Platform::host() || places.is_empty() {
        places.insert(0, relative.to_owned());
    }
    let found = places.iter().map(|place| dir.join(place));
    let found = found.clone().find(|path| path.is_file()).ok_or_else(|| {
        ImageError::new(
            ImageErrorKind::Missing,
            format!("the program `{program}` for {platform}"),
        )
        .because(format!(
            "`{}` does not hold `{}`",
            dir.display(),
            places.join("` or `")
        ))
        .hint("build it before the image".to_owned())
    })?;
    Ok(PlannedFile {
        path: format!("{root}/{relative}"),
        content: Content::File(found),
        mode: 0o755,
        platform: Some(platform.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> Platform {
        if Platform::host() == Platform::linux_amd64() {
            Platform::linux_arm64()
        } else {
            Platform::linux_amd64()
        }
    }

    fn write(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "program").unwrap();
    }

    #[test]
    fn this_program_serves_its_own_platform_only() {
        let own = bowline(None, &Platform::host()).unwrap();
        assert_eq!(own.content, Content::File(std::env::current_exe().unwrap()));
        let error = bowline(None, &foreign()).unwrap_err();
        assert_eq!(error.kind, ImageErrorKind::Missing);
        assert!(error.hint.unwrap().contains("--binary"));
    }

    #[test]
    fn a_folder_of_builds_is_searched() {
        let dir = tempfile::tempdir().unwrap();
        let arm = Platform::linux_arm64();
        let error = bowline(Some(dir.path()), &arm).unwrap_err().to_string();
        assert!(error.contains("bowline-linux-arm64"), "{error}");
        let cross = dir.path().join("aarch64-unknown-linux-gnu/release/bowline");
        write(&cross);
        let found = |dir: &Path| bowline(Some(dir), &arm).unwrap().content;
        assert_eq!(found(dir.path()), Content::File(cross));
        let named = dir.path().join("bowline-linux-arm64");
        write(&named);
        assert_eq!(found(dir.path()), Content::File(named.clone()));
        assert_eq!(found(&named), Content::File(named.clone()));
    }

    #[test]
    fn a_connectors_program_is_the_one_for_the_platform() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("target/release/connector");
        write(&own);
        let program = "./target/release/connector";
        let of = |platform: &Platform| of_connector(dir.path(), program, "/opt/x", platform);
        let here = of(&Platform::host()).unwrap();
        assert_eq!(here.path, "/opt/x/target/release/connector");
        assert_eq!(here.content, Content::File(own));
        assert_eq!(of(&foreign()).unwrap_err().kind, ImageErrorKind::Missing);
        let triple = triples(&foreign()).next().unwrap();
        let cross = dir
            .path()
            .join(format!("target/{triple}/release/connector"));
        write(&cross);
        assert_eq!(of(&foreign()).unwrap().content, Content::File(cross));
    }
}
