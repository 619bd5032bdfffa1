//! Which files of a connector's folder go into an image: never credentials, never what `.gitignore` names.

use std::io;
use std::path::{Path, PathBuf};

use bowline_contract::layout;
use bowline_oci::layer::Content;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::PlannedFile;
use crate::error::{ImageError, ImageErrorKind};

/// Folders that programs make for themselves.
const MACHINE_FOLDERS: [&str; 9] = [
    ".git",
    ".bowline",
    ".idea",
    ".venv",
    ".vscode",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
];
/// Folders that builds are kept in, which ignore files name.
const BUILT_FOLDERS: [&str; 3] = ["target", "dist", "build"];
/// Files that desktops put into every folder that is looked at.
const MACHINE_FILES: [&str; 2] = [".DS_Store", "Thumbs.db"];

/// What the `.gitignore` files from the workspace's root down to a connector's folder name.
pub(crate) struct Ignored {
    /// The root's first.
    rules: Vec<Gitignore>,
}

/// Why a file or folder cannot go into an image.
#[derive(Debug)]
pub(crate) struct FileProblem {
    /// Which.
    pub(super) path: PathBuf,
    /// Why.
    pub(super) why: String,
}

impl FileProblem {
    pub(super) fn new(path: &Path, why: impl ToString) -> Self {
        Self {
            path: path.to_path_buf(),
            why: why.to_string(),
        }
    }

    pub(crate) fn into_error(self) -> ImageError {
        let thing = format!("`{}`", self.path.display());
        ImageError::new(ImageErrorKind::Unreadable, thing).because(self.why)
    }
}

/// Whether files of this name hold credentials or an environment, which no image gets.
pub(crate) fn is_secret(name: &str) -> bool {
    layout::is_credentials_file(name) || name == ".env" || name.starts_with(".env.")
}

impl Ignored {
    /// Reads the files that hold for this folder.
    pub(super) fn of(workspace: &Path, folder: &Path) -> Result<Self, FileProblem> {
        let below: Vec<&Path> = folder
            .ancestors()
            .take_while(|each| each.starts_with(workspace))
            .collect();
        let mut ignored = Self { rules: Vec::new() };
        for each in below.into_iter().rev() {
            ignored.add(each)?;
        }
        Ok(ignored)
    }

    /// Whether the files from the workspace's root down to a file name it or a folder around it. What was built goes in
    /// though they do.
    pub(crate) fn name_within(workspace: &Path, file: &Path) -> Result<bool, FileProblem> {
        let within = |path: &&Path| path.starts_with(workspace) && *path != workspace;
        let around = || file.ancestors().skip(1).take_while(within);
        let is_built = |folder: &Path| {
            let name = folder.file_name().unwrap_or_default();
            BUILT_FOLDERS.iter().any(|built| name == *built)
        };
        if around().any(is_built) {
            return Ok(false);
        }
        let ignored = Self::of(workspace, file.parent().unwrap_or(workspace))?;
        Ok(ignored.names(file, false) || around().any(|folder| ignored.names(folder, true)))
    }

    fn add(&mut self, folder: &Path) -> Result<bool, FileProblem> {
        let path = folder.join(layout::IGNORE_FILE);
        if !path.is_file() {
            return Ok(false);
        }
        let mut builder = GitignoreBuilder::new(folder);
        // Rules that cannot be read would let a file through that they name.
        match builder.add(&path) {
            Some(error) => Err(FileProblem::new(&path, error)),
            None => {
                let rules = builder
                    .build()
                    .map_err(|error| FileProblem::new(&path, error))?;
                self.rules.push(rules);
                Ok(true)
            }
        }
    }

    /// Whether a path stays out of images.
    pub(super) fn names(&self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_secret(&name) {
            return true;
        }
        let of_machines = if is_folder {
            &MACHINE_FOLDERS[..]
        } else {
            &MACHINE_FILES
        };
        if of_machines.contains(&name.as_ref()) {
            return true;
        }
        // As git has it: the file nearest to the path decides, in it the last line that fits.
        let nearest = self
            .rules
            .iter()
            .rev()
            .map(|rules| rules.matched(path, is_folder))
            .find(|found| !found.is_none());
        matches!(nearest, Some(Match::Ignore(_)))
    }
}

/// Every file of a folder that goes into an image, under this folder of the image.
pub(super) fn folder(
    dir: &Path,
    target: &str,
    mut ignored: Ignored,
) -> Result<Vec<PlannedFile>, Vec<FileProblem>> {
    let mut walk = Walk {
        root: dir,
        files: Vec::new(),
        problems: Vec::new(),
    };
    walk.folder(dir, target, &mut ignored);
    walk.files.sort_by(|a, b| a.path.cmp(&b.path));
    if walk.problems.is_empty() {
        Ok(walk.files)
    } else {
        Err(walk.problems)
    }
}

struct Walk<'a> {
    root: &'a Path,
    files: Vec<PlannedFile>,
    problems: Vec<FileProblem>,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Path, target: &str, ignored: &mut Ignored) {
        let own_rules = dir != self.root
            && match ignored.add(dir) {
                Ok(added) => added,
                Err(problem) => return self.problems.push(problem),
            };
        match sorted(dir) {
            Ok(entries) => {
                for path in entries {
                    self.entry(&path, target, ignored);
                }
            }
            Err(error) => self.problems.push(FileProblem::new(dir, error)),
        }
        if own_rules {
            ignored.rules.pop();
        }
    }

    fn entry(&mut self, path: &Path, target: &str, ignored: &mut Ignored) {
        let is_link = path.is_symlink();
        let is_folder = path.is_dir();
        if ignored.names(path, is_folder) {
            return;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let why = "its name is not UTF-8";
            return self.problems.push(FileProblem::new(path, why));
        };
        if is_link && let Err(problem) = self.check_link(path, is_folder, ignored) {
            return self.problems.push(problem);
        }
        let target = format!("{target}/{name}");
        if is_folder {
            return self.folder(path, &target, ignored);
        }
        if !path.is_file() {
            let why = "it is neither a file nor a folder";
            return self.problems.push(FileProblem::new(path, why));
        }
        match mode_of(path) {
            Ok(mode) => self.files.push(PlannedFile {
                path: target,
                content: Content::File(path.to_path_buf()),
                mode,
                platform: None,
            }),
            Err(error) => self.problems.push(FileProblem::new(path, error)),
        }
    }

    /// A link goes in as the file it points to, so it must not be a way around the rules.
    fn check_link(
        &self,
        path: &Path,
        is_folder: bool,
        ignored: &Ignored,
    ) -> Result<(), FileProblem> {
        if is_folder {
            return Err(FileProblem::new(path, "it is a link to a folder"));
        }
        let end = path
            .canonicalize()
            .map_err(|error| FileProblem::new(path, error))?;
        let root = self
            .root
            .canonicalize()
            .map_err(|error| FileProblem::new(self.root, error))?;
        let Ok(inside) = end.strip_prefix(&root) else {
            return Err(FileProblem::new(
                path,
                "it is a link that leaves the connector's folder",
            ));
        };
        let stays_out = inside
            .ancestors()
            .filter(|each| !each.as_os_str().is_empty())
            .any(|each| {
                let each = self.root.join(each);
                ignored.names(&each, each.is_dir())
            });
        if stays_out {
            Err(FileProblem::new(
                path,
                "it is a link to a file that stays out of images",
            ))
        } else {
            Ok(())
        }
    }
}

fn sorted(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The bits that an image gets do not depend on the user's umask: only whether a file can be run is kept.
pub(crate) fn mode_of(path: &Path) -> io::Result<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let bits = std::fs::metadata(path)?.permissions().mode();
        Ok(if bits & 0o100 == 0 { 0o644 } else { 0o755 })
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path).map(|_| 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: PathBuf, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn found(root: &Path) -> Result<Vec<String>, Vec<(PathBuf, String)>> {
        let dir = root.join("etl_connectors/jobs");
        let ignored = Ignored::of(root, &dir).unwrap();
        folder(&dir, "/opt/jobs", ignored)
            .map(|files| files.into_iter().map(|file| file.path).collect())
            .map_err(|problems| {
                problems
                    .into_iter()
                    .map(|each| {
                        (
                            each.path.strip_prefix(root).unwrap().to_path_buf(),
                            each.why,
                        )
                    })
                    .collect()
            })
    }

    #[test]
    fn secrets_and_ignored_files_stay_out() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("etl_connectors/jobs");
        for name in [
            "connector.py",
            "credentials.json",
            "credentials.pg13.json",
            "deep/credentials.json",
            ".env",
            ".env.local",
            "deep/.env",
            "keys/a.pem",
            "deep/b.pem",
            "deep/kept.pem",
            "deep/local.txt",
            "local.txt",
            "build/out.bin",
            "__pycache__/x.pyc",
            ".idea/x.xml",
            ".DS_Store",
            "notes.md",
            "a-b.txt",
            "a/b.txt",
        ] {
            write(dir.join(name), "x");
        }
        write(root.path().join(".gitignore"), "*.pem\n!credentials.json\n");
        write(
            dir.join(".gitignore"),
            "/build/\n!.env\nnotes.*\n.gitignore\n",
        );
        write(dir.join("deep/.gitignore"), "local.txt\n!kept.pem\n");
        assert_eq!(
            found(root.path()).unwrap(),
            [
                "/opt/jobs/a-b.txt",
                "/opt/jobs/a/b.txt",
                "/opt/jobs/connector.py",
                "/opt/jobs/deep/kept.pem",
                "/opt/jobs/local.txt",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_no_way_around() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("etl_connectors/jobs");
        write(dir.join("connector.py"), "x");
        write(dir.join("credentials.json"), "{}");
        symlink("connector.py", dir.join("fine.py")).unwrap();
        assert_eq!(
            found(root.path()).unwrap(),
            ["/opt/jobs/connector.py", "/opt/jobs/fine.py"]
        );
        symlink("credentials.json", dir.join("c.json")).unwrap();
        symlink("/etc", dir.join("etc")).unwrap();
        symlink("/etc/hostname", dir.join("host")).unwrap();
        symlink("nowhere", dir.join("gone")).unwrap();
        let problems = found(root.path()).unwrap_err();
        let names: Vec<&Path> = problems
            .iter()
            .map(|(path, _)| path.strip_prefix("etl_connectors/jobs").unwrap())
            .collect();
        assert_eq!(names, ["c.json", "etc", "gone", "host"].map(Path::new));
    }

    #[cfg(unix)]
    #[test]
    fn modes_do_not_depend_on_the_umask() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tool");
        write(path.clone(), "x");
        for (given, planned) in [
            (0o600, 0o644),
            (0o666, 0o644),
            (0o700, 0o755),
            (0o775, 0o755),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(given)).unwrap();
            assert_eq!(mode_of(&path).unwrap(), planned);
        }
    }
}
