//! The programs that go into an image: Bowline's own, and those of connectors that are programs.

use std::path::{Component, Path, PathBuf};

use bowline_contract::layout::{CONNECTOR_FILE, IGNORE_FILE, MANIFEST_FILE};
use bowline_oci::Platform;
use bowline_oci::layer::Content;
use bowline_process::NamedPath;

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::{Ignored, PlannedFile, is_secret, mode_of};

/// Where Bowline's own program is in an image.
pub(crate) const PROGRAM: &str = "/opt/bowline/bin/bowline";

/// The name of Bowline's own program.
const NAME: &str = "bowline";

/// How files with keys end.
const KEYS: [&str; 5] = [".p12", ".jks", ".pem", ".key", ".sso"];

/// What only the connector itself has in an image's folder.
const OWN: [&str; 2] = [CONNECTOR_FILE, MANIFEST_FILE];

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

/// The files that a connector's command names in the connector's folder or in the workspace, at the same paths in the
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
            path: format!("{source}/{}", inside(named)?),
            content: Content::File(built(named, (workspace, dir), platform)?),
            mode: 0o755,
            platform: Some(platform.clone()),
        });
    }
    for named in arguments
        .iter()
        .filter_map(|word| NamedPath::of(word, false))
    {
        let Some(found) = argument(named, workspace, dir)? else {
            continue;
        };
        let path = format!("{source}/{}", inside(named)?);
        if files.iter().any(|file| file.path == path) {
            continue;
        }
        files.push(PlannedFile {
            path,
            mode: mode_of(&found).map_err(|error| unreadable(&found, &error))?,
            content: Content::File(found),
            platform: None,
        });
    }
    Ok(files)
}

/// The file that an argument of a command names, where there is one and it may go into an image.
fn argument(
    named: NamedPath<'_>,
    workspace: &Path,
    dir: &Path,
) -> Result<Option<PathBuf>, ImageError> {
    let path = named.path;
    if named.leads_up() {
        // The program runs in the workspace, and would find it there.
        let is_there = [dir, workspace]
            .iter()
            .any(|place| place.join(path).exists());
        return if is_there {
            inside(named).map(|_| None)
        } else {
            Ok(None)
        };
    }
    let Some(found) = named.find(workspace, dir) else {
        return Ok(None);
    };
    let is_own = found.starts_with(dir);
    if found.is_dir() {
        // The connector's own folders go in whole.
        return if is_own {
            Ok(None)
        } else {
            Err(
                unfit(path, "it is a folder of the workspace, which no image gets").hint(
                    "put it into the connector's folder, or name the files that it takes"
                        .to_owned(),
                ),
            )
        };
    }
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| unreadable(path, &error))
    };
    let end = real(&found)?;
    let root = real(workspace)?;
    let Ok(inside) = end.strip_prefix(&root) else {
        return Err(unfit(path, "it is a link that leaves the workspace")
            .hint("put the file in its place".to_owned()));
    };
    for file in [&found, &workspace.join(inside)] {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_key = !is_own && KEYS.iter().any(|ending| name.ends_with(ending));
        if is_secret(&name) || is_key {
            let why = "its name is that of a file with credentials or keys";
            return Err(unfit(path, why).hint(
                "leave it out: the program is given the credentials when it connects".to_owned(),
            ));
        }
        let is_ignored =
            Ignored::name_within(workspace, file).map_err(|problem| problem.into_error())?;
        if is_ignored {
            let why = "an ignore file names it, and what it names stays out of images";
            return Err(unfit(path, why).hint(format!(
                "take it out of the `{IGNORE_FILE}`, or out of `command`"
            )));
        }
    }
    let would_replace = |name: &&str| {
        Path::new(path)
            .components()
            .eq(Path::new(name).components())
    };
    if !is_own && OWN.iter().any(would_replace) {
        let why = "it would take the place of a file that the connector has of its own";
        return Err(unfit(path, why).hint("put it into the connector's folder".to_owned()));
    }
    Ok(Some(found))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ImageError {
    ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
        .because(error.to_string())
}

/// A path of a command as it stands in an image's folder.
fn inside(named: NamedPath<'_>) -> Result<String, ImageError> {
    if named.leads_up() {
        let why = "it may lead out of the folder that an image has for the connector";
        return Err(unfit(named.path, why)
            .hint("put it into the connector's folder, and leave `..` out".to_owned()));
    }
    let parts = Path::new(named.path).components();
    let parts = parts.filter(|part| *part != Component::CurDir);
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    Ok(parts.join("/"))
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
        .flat_map(|place| [dir.join(place), workspace.join(place)])
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        ImageError::new(
            ImageErrorKind::Missing,
            format!("the program `{}` for {platform}", named.path),
        )
        .because(format!(
            "neither `{}` nor `{}` holds `{}`",
            dir.display(),
            workspace.display(),
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
        let words = [
            "./lib/./serve.py",
            "own.py",
            "--with=conf.toml",
            "lib/serve.py",
            "fast",
        ];
        let files = of(&words).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/opt/x/lib/serve.py", "/opt/x/own.py", "/opt/x/conf.toml"]
        );
        write(&dir.join("credentials.json"));
        for file in [
            "conf.p12",
            "manifest.json",
            "local/a.toml",
            "local/dist/a.toml",
        ] {
            write(&workspace.path().join(file));
        }
        std::fs::write(workspace.path().join(".gitignore"), "local/a.*\ndist/\n").unwrap();
        assert_eq!(of(&["local/dist/a.toml"]).unwrap().len(), 1);
        // The connector's own is another.
        write(&dir.join("conf/a.pem"));
        assert_eq!(of(&["conf/a.pem", "conf/"]).unwrap().len(), 1);
        for unfit in [
            "connectors/../conf.toml",
            "--with=credentials.json",
            "conf.p12",
            "manifest.json",
            "local/a.toml",
            "./lib",
        ] {
            assert_eq!(
                of(&[unfit]).unwrap_err().kind,
                ImageErrorKind::Invalid,
                "{unfit}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_no_file_of_others_into_an_image() {
        let outer = tempfile::tempdir().unwrap();
        let workspace = outer.path().join("work");
        let dir = workspace.join("connectors/x");
        write(&outer.path().join("mine.toml"));
        write(&workspace.join("credentials.json"));
        write(&dir.join("a.toml"));
        let places = (workspace.as_path(), dir.as_path());
        for (link, end) in [
            ("out.toml", outer.path().join("mine.toml")),
            ("login.toml", workspace.join("credentials.json")),
        ] {
            std::os::unix::fs::symlink(end, workspace.join(link)).unwrap();
            let named = of_command(
                ("x", &[link.to_owned()]),
                places,
                "/opt/x",
                &Platform::host(),
            );
            assert_eq!(named.unwrap_err().kind, ImageErrorKind::Invalid, "{link}");
        }
        std::os::unix::fs::symlink("a.toml", dir.join("b.toml")).unwrap();
        let named = of_command(
            ("x", &["b.toml".to_owned()]),
            places,
            "/opt/x",
            &Platform::host(),
        );
        assert_eq!(named.unwrap().len(), 1);
    }

    #[test]
    fn a_connectors_own_program_goes_before_the_workspaces() {
        let workspace = tempfile::tempdir().unwrap();
        let dir = workspace.path().join("connectors/x");
        let program = "target/release/connector";
        write(&dir.join(program));
        write(&workspace.path().join(program));
        let places = (workspace.path(), dir.as_path());
        let named = of_command(
            ("./target/release/connector", &[]),
            places,
            "/x",
            &Platform::host(),
        );
        assert_eq!(
            named.unwrap()[0].content,
            Content::File(dir.join("./target/release/connector"))
        );
    }
}
