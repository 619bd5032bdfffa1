//! The program that runs a `connector.py`: it stands in the binary and is written down where Python can read it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bowline_contract::{ConnectorName, layout};
use bowline_process::Program;

use super::environment::{self, EnvironmentError, EnvironmentEvent, fingerprint};
use super::interpreter::{LOWEST_PYTHON, how_to_have_python};
use super::system_packages::system_packages;
use crate::Workspace;

/// The host, in Python: one program of four files.
const HOST: &str = concat!(
    include_str!("host/values.py"),
    "\n\n",
    include_str!("host/failures.py"),
    "\n\n",
    include_str!("host/modules.py"),
    "\n\n",
    include_str!("host/serve.py"),
);

/// The host behind a look at the Python that runs it: an older one would stumble somewhere, and say so in its own words.
static GUARDED: LazyLock<String> = LazyLock::new(|| {
    let (major, minor) = LOWEST_PYTHON;
    let hint = how_to_have_python();
    format!(
        "import sys\n\nif sys.version_info < ({major}, {minor}):\n    \
         sys.exit(\"this is Python %d.%d: {hint}\" % sys.version_info[:2])\n\n{HOST}"
    )
});

/// How a Python connector is started: its packages are installed first, where they are not yet.
///
/// # Errors
/// [`EnvironmentError`]: no Python, packages that cannot be installed, a file that cannot be read or written.
pub fn program(
    name: &ConnectorName,
    dir: &Path,
    on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
) -> Result<Program, EnvironmentError> {
    let requirements = optional(name, &dir.join(layout::REQUIREMENTS_FILE))?;
    program_with(name, dir, &requirements, on_event)
}

/// How a Python connector is started without its packages: enough for its templates, if it imports none for them.
///
/// # Errors
/// As [`program`].
pub fn program_without_packages(
    name: &ConnectorName,
    dir: &Path,
) -> Result<Program, EnvironmentError> {
    program_with(name, dir, "", &mut |_| ())
}

/// Whether a Python connector can be started without installing packages first.
///
/// # Errors
/// As [`program`].
pub fn has_packages(name: &ConnectorName, dir: &Path) -> Result<bool, EnvironmentError> {
    let requirements = optional(name, &dir.join(layout::REQUIREMENTS_FILE))?;
    let dir = absolute(name, dir)?;
    let place = workspace(name, &dir)?.state_dir().join(environment::FOLDER);
    environment::is_prepared(name, &dir, &requirements, &place)
}

fn program_with(
    name: &ConnectorName,
    dir: &Path,
    requirements: &str,
    on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
) -> Result<Program, EnvironmentError> {
    let dir = absolute(name, dir)?;
    let workspace = workspace(name, &dir)?;
    let state = workspace.state_dir();
    let place = state.join(environment::FOLDER);
    environment::make_folder(name, &state, &place)?;
    let python = environment::prepare(name, &dir, requirements, &place, on_event)?;
    let extra = optional(name, &dir.join(layout::DOCKERFILE_EXTRA))?;
    let settings = serde_json::json!({
        "connector": dir.join(layout::PYTHON_FILE),
        "class": class_in(&dir),
        "name": name.as_str(),
        "system_packages": system_packages(&extra),
    });
    let command: [OsString; 4] = [
        python.into(),
        "-I".into(),
        write_host(name, &place)?.into(),
        settings.to_string().into(),
    ];
    Ok(Program::new(name.as_str(), command, workspace.root()))
}

/// The class that a connector's file has where its folder says what it connects to.
fn class_in(dir: &Path) -> Option<&'static str> {
    match dir.parent()?.file_name()?.to_str()? {
        layout::CONNECTORS_DIR => Some("BaseConnector"),
        layout::ETL_CONNECTORS_DIR => Some("Connector"),
        _ => None,
    }
}

/// The same program, run by the interpreter that was really found behind a launcher.
#[must_use]
pub fn with_interpreter(mut program: Program, interpreter: Option<&str>) -> Program {
    if let (Some(interpreter), Some(first)) = (interpreter, program.command.first_mut()) {
        *first = interpreter.into();
    }
    program
}

/// Puts the host where Python can read it, unless it is there.
fn write_host(name: &ConnectorName, place: &Path) -> Result<PathBuf, EnvironmentError> {
    let path = place.join(format!("host-{:016x}.py", fingerprint(GUARDED.as_str())));
    if std::fs::read(&path).is_ok_and(|there| there == GUARDED.as_bytes()) {
        return Ok(path);
    }
    let begun = path.with_extension(format!("{}.begun", std::process::id()));
    std::fs::write(&begun, GUARDED.as_str())
        .and_then(|()| std::fs::rename(&begun, &path))
        .map_err(|source| EnvironmentError::File {
            connector: name.clone(),
            path: path.clone(),
            source,
        })?;
    Ok(path)
}

fn workspace(name: &ConnectorName, dir: &Path) -> Result<Workspace, EnvironmentError> {
    Workspace::find(dir).map_err(|error| EnvironmentError::File {
        connector: name.clone(),
        path: dir.to_path_buf(),
        source: std::io::Error::other(error),
    })
}

fn absolute(name: &ConnectorName, dir: &Path) -> Result<PathBuf, EnvironmentError> {
    std::path::absolute(dir).map_err(|source| EnvironmentError::File {
        connector: name.clone(),
        path: dir.to_path_buf(),
        source,
    })
}

/// A file's text; empty when there is no such file.
fn optional(name: &ConnectorName, path: &Path) -> Result<String, EnvironmentError> {
    match bowline_contract::reading::read_text(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(EnvironmentError::File {
            connector: name.clone(),
            path: path.to_path_buf(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::find_python;

    #[test]
    fn a_python_that_is_too_old_says_so() {
        let Some(python) = find_python() else {
            return;
        };
        let old = "import sys; sys.version_info = (3, 7, 9); exec(sys.argv[1])";
        let ran = Command::new(python)
            .args(["-c", old, GUARDED.as_str()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(
            said.starts_with("this is Python 3.7: install Python 3.8 or later"),
            "{said}"
        );
    }
}
