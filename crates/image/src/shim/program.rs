//! The programs that go into an image: Bowline's own, and those of connectors that are programs.

use std::path::{Component, Path, PathBuf};

use bowline_oci::Platform;
use bowline_oci::layer::Content;
use bowline_process::NamedPath;

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::{PlannedFile, is_secret, mode_of};

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

/// The files that a connector's command names in the workspace or in the connector's folder, at the same paths in the
/// image's folder `source`: its program for a platform, and what it is given.
///
/// For another platform than this machine's, Cargo's folder of that platform is looked into.
///
/// # Errors
/// When there is no such program, or a file may not be or cannot be where the command names it.
pub(super) fn of_command(
    (program, arguments): (&str, &[String]),
    (workspace, dir): (&Path, &Path),
    source: &str,
    platform: &Platform,
) -> Result<Vec<PlannedFile>, ImageError> {
    let mut files = Vec::new();
    // A bare name is looked up in the image, on its search path.
    if let Some(named) = NamedPath::of(program, true) {
        files.push(PlannedFile {
            path: format!("{source}/{}", inside(named.path)?),
            content: Content::File(built(named, (workspace, dir), platform)?),
            mode: 0o755,
            platform: Some(platform.clone()),
        });
    }
    for named in arguments
        .iter()
        .filter_map(|word| NamedPath::of(word, false))
    {
        let Some(found) = named.find(workspace, dir).filter(|found| found.is_file()) else {
            continue;
        };
        let unreadable = |error: std::io::Error| {
            ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", found.display()))
                .because(error.to_string())
        };
        let end = found.canonicalize().map_err(unreadable)?;
        let names = [found.file_name(), end.file_name()];
        if names
            .iter()
            .flatten()
            .any(|name| is_secret(&name.to_string_lossy()))
        {
            return Err(
                unfit(named.path, "its name is that of a file with credentials")
                    .hint("the program is given the credentials when it connects".to_owned()),
            );
        }
        files.push(PlannedFile {
            path: format!("{source}/{}", inside(named.path)?),
            mode: mode_of(&found).map_err(unreadable)?,
            content: Content::File(found),
            platform: None,
        });
    }
    Ok(files)
}

/// A path of a command as it stands in an image's folder.
fn inside(path: &str) -> Result<&str, ImageError> {
    let inside = path.strip_prefix("./").unwrap_or(path);
    let leads_out = |part| part == Component::ParentDir;
    if Path::new(inside).components().any(leads_out) {
        return Err(unfit(
            path,
            "it may lead out of the folder that an image has for the connector",
        )
        .hint("put it into the connector's folder, and leave `..` out".to_owned()));
    }
    Ok(inside)
}

fn unfit(path: &str, why: &str) -> ImageError {
    ImageError::new(ImageErrorKind::Invalid, format!("`{path}` in `command`")).because(why)
}

/// The build of a connector's program for a platform.
fn built(
    named: NamedPath<'_>,
    (workspace, dir): (&Path, &Path),
    platform: &Platform,
) -> Result<PathBuf, ImageError> {
    let mut places = Vec::new();
    let target = match named.path.split_once("/target/") {
        Some((before, rest)) => Some((format!("{before}/"), rest)),
        None => named
            .path
            .strip_prefix("target/")
            .map(|rest| (String::new(), rest)),
    };
    if let Some((before, rest)) = target {
        places.extend(triples(platform).map(|triple| format!("{before}target/{triple}/{rest}")));
    }
    if *platform == Platform::host() || places.is_empty() {
        places.insert(0, named.path.to_owned());
    }
    let found = places
        .iter()
        .flat_map(|place| [workspace.join(place), dir.join(place)])
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        ImageError::new(
            ImageErrorKind::Missing,
            format!("the program `{}` for {platform}", named.path),
        )
        .because(format!(
            "neither `{}` nor `{}` holds `{}`",
            workspace.display(),
            dir.display(),
            places.join("` or `")
        ))
        .hint("build it before the image".to_owned())
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
        let workspace = tempfile::tempdir().unwrap();
        let dir = workspace.path().join("connectors/x");
        for (program, place) in [
            ("./target/release/connector", dir.as_path()),
            ("connectors/x/target/release/connector", workspace.path()),
        ] {
            let own = place.join(program);
            let of = |platform: &Platform| {
                let places = (workspace.path(), dir.as_path());
                of_command((program, &[]), places, "/opt/x", platform)
            };
            write(&own);
            let here = of(&Platform::host()).unwrap();
            let path = format!("/opt/x/{}", program.trim_start_matches("./"));
            assert_eq!(here[0].path, path);
            assert_eq!(here[0].content, Content::File(own));
            assert_eq!(of(&foreign()).unwrap_err().kind, ImageErrorKind::Missing);
            let triple = triples(&foreign()).next().unwrap();
            let cross = place.join(program.replace("target/", &format!("target/{triple}/")));
            write(&cross);
            assert_eq!(of(&foreign()).unwrap()[0].content, Content::File(cross));
            std::fs::remove_dir_all(dir.join("target")).unwrap();
        }
    }

    #[test]
    fn files_that_a_command_names_go_in_but_for_credentials() {
        let workspace = tempfile::tempdir().unwrap();
        let dir = workspace.path().join("connectors/x");
        write(&dir.join("own.py"));
        write(&workspace.path().join("lib/serve.py"));
        write(&workspace.path().join("conf.toml"));
        let of = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
            let places = (workspace.path(), dir.as_path());
            of_command(("python3", &arguments), places, "/opt/x", &Platform::host())
        };
        let files = of(&["lib/serve.py", "own.py", "--with=conf.toml", "fast"]).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/opt/x/lib/serve.py", "/opt/x/own.py", "/opt/x/conf.toml"]
        );
        write(&dir.join("credentials.json"));
        for unfit in ["connectors/../conf.toml", "--with=credentials.json"] {
            assert_eq!(
                of(&[unfit]).unwrap_err().kind,
                ImageErrorKind::Invalid,
                "{unfit}"
            );
        }
    }
}
