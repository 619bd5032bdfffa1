//! Which Python runs connectors in Python: what the search path leads to, past links, launchers and virtual environments.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bowline_process::{find_program, run_into};

/// The environment variable that names the Python to use.
pub(super) const VARIABLE: &str = "BOWLINE_PYTHON";

/// The lowest Python that runs connectors in Python.
pub const LOWEST_PYTHON: (u32, u32) = (3, 8);

/// How long an interpreter has to say where it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// As much of a script or a file of versions as is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// What changes when another Python is installed in a Python's place.
pub(super) fn identity(interpreter: &Path) -> (PathBuf, u64, Option<Duration>) {
    let path = interpreter
        .canonicalize()
        .unwrap_or_else(|_| interpreter.to_path_buf());
    let data = path.metadata().ok();
    let changed = data
        .as_ref()
        .and_then(|data| data.modified().ok())
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    (path, data.map_or(0, |data| data.len()), changed)
}

/// The Python that runs connectors in Python: the one that the environment names, else the first on the search path.
#[must_use]
pub fn find_python() -> Option<PathBuf> {
    match std::env::var_os(VARIABLE) {
        Some(named) if !named.is_empty() => find_program(&named.to_string_lossy()),
        _ => find_program("python3").or_else(|| find_program("python")),
    }
}

/// What to do where there is no Python that runs connectors in Python.
#[must_use]
pub fn how_to_have_python() -> String {
    let (major, minor) = LOWEST_PYTHON;
    format!("install Python {major}.{minor} or later, or name it in `{VARIABLE}`")
}

/// The interpreter behind a path: past links, launchers and virtual environments, so that a connector finds the same
/// packages whichever of them was found first.
pub(super) fn real(python: &Path) -> PathBuf {
    let is_python = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("python") || name.starts_with("pypy")
    };
    let resolved = python.canonicalize().ok();
    match resolved {
        Some(resolved) if is_python(&resolved) && is_interpreter(&resolved) => resolved,
        _ => folder_for_pyenv()
            .and_then(|here| behind_pyenv(python, &here))
            .or_else(|| base_executable(python))
            .unwrap_or_else(|| python.to_path_buf()),
    }
}

/// The folder from which pyenv looks for a version, unless its variables say another or the version.
fn folder_for_pyenv() -> Option<PathBuf> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("PYENV_VERSION") || is_set("PYENV_DIR") {
        return None;
    }
    let here = std::env::current_dir().ok()?;
    // A shell goes by the name that it came by, past links or not.
    let by_name = std::env::var_os("PWD").is_none_or(|name| here == name);
    by_name.then_some(here)
}

/// The interpreter that a shim of pyenv would start in a folder, where that is plain: asking the shim takes it a tenth
/// of a second.
fn behind_pyenv(shim: &Path, here: &Path) -> Option<PathBuf> {
    let shims = shim.parent().filter(|folder| folder.ends_with("shims"))?;
    let root = shims.parent()?;
    if !read(shim)?.contains("pyenv") {
        return None;
    }
    let version = here
        .ancestors()
        .find_map(|folder| read(&folder.join(".python-version")))
        .or_else(|| read(&root.join("version")))?;
    let mut names = version
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (name, None) = (names.next()?, names.next()) else {
        return None;
    };
    // A name like `../x` leads elsewhere.
    let mut parts = Path::new(name).components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return None;
    };
    let python = root.join("versions").join(name).join("bin");
    let python = python.join(shim.file_name()?).canonicalize().ok()?;
    is_interpreter(&python).then_some(python)
}

fn read(file: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(file).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether a file is an interpreter of its own: neither a script that starts one nor the copy in a virtual environment.
fn is_interpreter(path: &Path) -> bool {
    let mut start = [0; 2];
    let is_script = File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_err()
        || start == *b"#!";
    let folders = path.ancestors().skip(1).take(2);
    let is_copy = folders
        .map(|folder| folder.join("pyvenv.cfg"))
        .any(|file| file.is_file());
    !is_script && !is_copy
}

/// What an interpreter says is at its base.
fn base_executable(python: &Path) -> Option<PathBuf> {
    let ask = "import sys; print(getattr(sys, '_base_executable', None) or sys.executable)";
    let mut command = Command::new(python);
    command.args(["-I", "-S", "-c", ask]);
    let said = tempfile::tempfile().ok()?;
    let ended = run_into(said, &mut command, Some(PATIENCE), &|| false).ok()??;
    let path = PathBuf::from(ended.words.trim());
    (ended.status.success() && path.is_file()).then(|| path.canonicalize().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn whatever_leads_to_an_interpreter_is_that_interpreter() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let Some(python) = find_program("python3") else {
            return;
        };
        let root = tempfile::tempdir().unwrap();
        let direct = real(&python);
        let link = root.path().join("python3");
        symlink(&python, &link).unwrap();
        assert_eq!(real(&link), direct);
        let launcher = root.path().join("launch");
        std::fs::write(
            &launcher,
            format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.display()),
        )
        .unwrap();
        std::fs::set_permissions(&launcher, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(real(&launcher), direct);
        let shim = root.path().join("shims").join("python3");
        std::fs::create_dir(root.path().join("shims")).unwrap();
        symlink(&launcher, &shim).unwrap();
        assert_eq!(real(&shim), direct);
        let copy = root.path().join("env").join("bin").join("python3");
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        symlink(&python, &copy).unwrap();
        std::fs::write(
            root.path().join("env").join("pyvenv.cfg"),
            format!("home = {}\n", python.parent().unwrap().display()),
        )
        .unwrap();
        assert_eq!(real(&copy), direct);
    }

    #[cfg(unix)]
    #[test]
    fn a_shim_of_pyenv_is_not_asked_where_its_files_say_it() {
        use std::os::unix::fs::symlink;
        let Some(python) = find_program("python3") else {
            return;
        };
        let direct = real(&python);
        let root = tempfile::tempdir().unwrap();
        let (shims, here) = (root.path().join("shims"), root.path().join("work/deep"));
        let bin = root.path().join("versions/3.11.7/bin");
        for folder in [&shims, &here, &bin] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let shim = shims.join("python3");
        std::fs::write(&shim, "#!/bin/sh\nexec pyenv exec python3 \"$@\"\n").unwrap();
        symlink(&direct, bin.join("python3")).unwrap();
        let chosen = |global: &str, local: Option<&str>| {
            std::fs::write(root.path().join("version"), global).unwrap();
            let file = root.path().join("work/.python-version");
            match local {
                Some(local) => std::fs::write(file, local).unwrap(),
                None => drop(std::fs::remove_file(file)),
            }
            behind_pyenv(&shim, &here)
        };
        assert_eq!(chosen("3.11.7\n", None), Some(direct.clone()));
        assert_eq!(chosen("3.12.0\n", Some("# why\n3.11.7\n")), Some(direct));
        for unclear in [
            "3.12.0",
            "3.11.7\n3.12.0",
            "system",
            "",
            "../versions/3.11.7",
            "3.11",
        ] {
            assert_eq!(chosen("3.11.7", Some(unclear)), None, "{unclear:?}");
        }
    }
}
