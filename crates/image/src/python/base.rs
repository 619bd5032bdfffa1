//! The Python of a base: which it is, what it takes, and where it looks for packages.

use std::collections::BTreeMap;

use bowline_oci::layer::{Node, Tree};
use serde_json::{Map, Value};

use super::requirement::normalized;
use crate::error::{ImageError, ImageErrorKind};
use crate::native::BaseFacts;

/// Where programs are looked for when a base's configuration does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The glibc that the oldest wheels for all processors ask for; what is taken of a base that does not tell its own.
const OLDEST_GLIBC: Libc = Libc::Glibc(2, 17);
/// The version of musl in a base that does not tell it.
const OLDEST_MUSL: (u32, u32) = (1, 1);
/// The patch release of a Python that does not tell its own: a late one, as bases are kept up to date.
const LATE_PATCH: u32 = 99;

/// The C library of a base, with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Libc {
    /// The GNU C library.
    Glibc(u32, u32),
    /// musl.
    Musl(u32, u32),
}

impl Libc {
    /// The C library of a base, if it tells.
    #[must_use]
    pub fn of(facts: &BaseFacts) -> Option<Self> {
        let is_musl = facts.tree.iter().any(|(path, _)| {
            path.starts_with("/lib/ld-musl-") || path.starts_with("/usr/lib/ld-musl-")
        });
        if is_musl {
            let (major, minor) = musl(facts).unwrap_or(OLDEST_MUSL);
            return Some(Self::Musl(major, minor));
        }
        let (major, minor) = two_numbers(facts.glibc.as_deref()?)?;
        Some(Self::Glibc(major, minor))
    }
}

/// The Python that the agent of a base runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePython {
    /// Its version, major and minor.
    pub version: (u32, u32),
    /// Its patch release, or a late one when the base does not say.
    pub patch: u32,
    /// The program.
    pub interpreter: String,
    /// The folder that packages go into.
    pub packages: String,
    /// The folder that their programs go into.
    pub programs: String,
    /// The folder that other files of theirs go into.
    pub prefix: String,
    /// The C library that compiled packages have to fit.
    pub libc: Libc,
    /// What is in that folder already: names, in the spelling of the package index, with versions.
    pub installed: BTreeMap<String, String>,
}

/// The program that `python3` means in a base.
struct Program {
    /// The folder on the search path.
    folder: String,
    /// Its path there.
    interpreter: String,
    /// The file, with links followed.
    program: String,
}

impl Program {
    fn find(facts: &BaseFacts, config: &Map<String, Value>) -> Result<Self, ImageError> {
        let variables = variables(config);
        let tree = &facts.tree;
        let mut folders: Vec<String> = Vec::new();
        let environment = ["VIRTUAL_ENV", "VENV_DIR"]
            .iter()
            .find_map(|name| variables.get(name).filter(|value| !value.is_empty()));
        if let Some(folder) = environment {
            let start = if folder.starts_with('/') {
                String::new()
            } else {
                working_folder(config)
            };
            folders.push(format!("{start}/{}/bin", folder.trim_matches('/')));
        }
        let path = variables.get("PATH").copied().unwrap_or(DEFAULT_PATH);
        folders.extend(
            path.split(':')
                .map(|folder| folder.trim_end_matches('/').to_owned()),
        );
        let found = folders.iter().find_map(|folder| {
            let interpreter = format!("{folder}/python3");
            let program = tree.follow(&interpreter)?;
            matches!(tree.get(&program), Some(Node::File | Node::HardLink(_))).then(|| Self {
                folder: folder.clone(),
                interpreter,
                program,
            })
        });
        found.ok_or_else(|| {
            ImageError::new(ImageErrorKind::Missing, "Python in the base")
                .because(format!("no `python3` in {}", folders.join(", ")))
                .hint(
                    "name a base that has it, such as the stock agent, or build with an engine and install it in \
                     Dockerfile.extra"
                        .to_owned(),
                )
        })
    }
}

/// Refuses a base in which no agent could run: what it loads connectors with is a Python.
///
/// # Errors
/// When there is no `python3` on the base's search path.
pub(crate) fn check_python(
    facts: &BaseFacts,
    config: &Map<String, Value>,
) -> Result<(), ImageError> {
    Program::find(facts, config).map(drop)
}

impl BasePython {
    /// Finds the Python that `python3` means in a base with this configuration: that of the virtual environment which
    /// `VIRTUAL_ENV` or `VENV_DIR` names, else the first on the search path.
    ///
    /// # Errors
    /// When there is none, or its version cannot be told.
    pub fn find(facts: &BaseFacts, config: &Map<String, Value>) -> Result<Self, ImageError> {
        let variables = variables(config);
        let tree = &facts.tree;
        let Program {
            folder,
            interpreter,
            program,
        } = Program::find(facts, config)?;
        let home = folder.strip_suffix("/bin").unwrap_or(&folder);
        let settings = facts.files.get(&format!("{home}/pyvenv.cfg"));
        let settings = settings.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let version = version_of(&program)
            .or_else(|| settings.as_deref().and_then(setting_version))
            .or_else(|| only_library(tree, home))
            .ok_or_else(|| {
                ImageError::new(
                    ImageErrorKind::NeedsEngine,
                    format!("the Python `{interpreter}` of the base"),
                )
                .because("its files do not tell its version")
                .hint("build with `--builder docker`, `podman` or `buildah`".to_owned())
            })?;
        let told = settings
            .as_deref()
            .and_then(patch_setting)
            .or_else(|| variables.get("PYTHON_VERSION").copied().map(str::to_owned));
        let places = match settings {
            Some(_) => Places::of(home, home, "site-packages", version),
            None => system_places(facts, &program, version),
        };
        let packages = tree
            .follow(&places.packages)
            .unwrap_or(places.packages.clone());
        Ok(Self {
            version,
            patch: told
                .and_then(|told| patch_of(&told, version))
                .unwrap_or(LATE_PATCH),
            interpreter,
            installed: installed(tree, &packages),
            packages: places.packages,
            programs: places.programs,
            prefix: places.prefix,
            libc: Libc::of(facts).unwrap_or(OLDEST_GLIBC),
        })
    }

    /// Its version as people write it, such as `3.12`.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }
}

struct Places {
    packages: String,
    programs: String,
    prefix: String,
}

impl Places {
    /// `lib` is above the packages of this version, `prefix` above everything else.
    fn of(lib: &str, prefix: &str, packages: &str, (major, minor): (u32, u32)) -> Self {
        Self {
            packages: format!("{lib}/lib/python{major}.{minor}/{packages}"),
            programs: format!("{prefix}/bin"),
            prefix: prefix.to_owned(),
        }
    }
}

/// Where `pip` puts packages as root, outside of virtual environments.
fn system_places(facts: &BaseFacts, program: &str, version: (u32, u32)) -> Places {
    let folder = program.rsplit_once('/').map_or("", |(folder, _)| folder);
    let prefix = folder.strip_suffix("/bin").unwrap_or(folder);
    const LOCAL: &str = "/usr/local";
    if prefix != "/usr" {
        return Places::of(prefix, prefix, "site-packages", version);
    }
    // The system's own packages are not to be mixed with others.
    if has_folder(&facts.tree, "/usr/lib/python3/dist-packages") || is_like(facts, "debian") {
        Places::of(LOCAL, LOCAL, "dist-packages", version)
    } else if is_like(facts, "fedora") || is_like(facts, "rhel") {
        Places::of(LOCAL, LOCAL, "site-packages", version)
    } else {
        Places::of(prefix, prefix, "site-packages", version)
    }
}

fn has_folder(tree: &Tree, folder: &str) -> bool {
    let below = format!("{folder}/");
    tree.get(folder).is_some() || tree.iter().any(|(path, _)| path.starts_with(&below))
}

/// Whether the base's system is this one or says that it is like it.
fn is_like(facts: &BaseFacts, system: &str) -> bool {
    let release = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| facts.files.get(facts.tree.follow(path)?.as_str()));
    let release = String::from_utf8_lossy(release.map(Vec::as_slice).unwrap_or_default());
    release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or(line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
        .any(|word| word == system)
}

/// The variables that the base's configuration sets.
fn variables(config: &Map<String, Value>) -> BTreeMap<&str, &str> {
    let set = config.get("config").and_then(|inner| inner.get("Env"));
    set.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str()?.split_once('='))
        .collect()
}

fn working_folder(config: &Map<String, Value>) -> String {
    let folder = config
        .get("config")
        .and_then(|inner| inner.get("WorkingDir"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    folder.trim_end_matches('/').to_owned()
}

/// The version in a program's name, such as `python3.12`.
fn version_of(program: &str) -> Option<(u32, u32)> {
    two_numbers(program.rsplit('/').next()?.strip_prefix("python")?)
}

/// Two numbers with a point between them, and perhaps more behind another point.
fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What a virtual environment's settings say of its version.
fn patch_setting(settings: &str) -> Option<String> {
    settings.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key.trim(), "version" | "version_info").then(|| value.trim().to_owned())
    })
}

fn setting_version(settings: &str) -> Option<(u32, u32)> {
    two_numbers(&patch_setting(settings)?)
}

/// The third number of a version that begins with these two.
fn patch_of(text: &str, version: (u32, u32)) -> Option<u32> {
    if two_numbers(text)? != version {
        return None;
    }
    let digits: String = text
        .split('.')
        .nth(2)?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

/// The version of the one library below a folder.
fn only_library(tree: &Tree, home: &str) -> Option<(u32, u32)> {
    let start = format!("{home}/lib/python");
    let mut versions = tree
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(&start))
        .filter_map(|rest| two_numbers(rest.split('/').next()?));
    let first = versions.next()?;
    versions.all(|other| other == first).then_some(first)
}

/// The packages that a folder holds, as their metadata's folders are named.
fn installed(tree: &Tree, folder: &str) -> BTreeMap<String, String> {
    let below = format!("{folder}/");
    tree.iter()
        .filter_map(|(path, _)| path.strip_prefix(&below)?.split('/').next())
        .filter_map(|name| name.strip_suffix(".dist-info"))
        .filter_map(|name| name.rsplit_once('-'))
        .map(|(name, version)| (normalized(name), version.to_owned()))
        .collect()
}

/// The version of musl among the packages of Alpine.
fn musl(facts: &BaseFacts) -> Option<(u32, u32)> {
    let listed = facts.files.get("/lib/apk/db/installed");
    let listed = listed.or_else(|| facts.files.get("/usr/lib/apk/db/installed"))?;
    let listed = String::from_utf8_lossy(listed);
    let package = listed
        .split("\n\n")
        .find(|package| package.lines().any(|line| line == "P:musl"))?;
    two_numbers(package.lines().find_map(|line| line.strip_prefix("V:"))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(paths: &[&str]) -> BaseFacts {
        let mut facts = BaseFacts::default();
        for path in paths {
            match path.split_once(" -> ") {
                Some((link, to)) => facts.tree.add(link, Node::Link(to.to_owned())),
                None => facts.tree.add(path, Node::File),
            }
        }
        facts
    }

    fn config(variables: &[&str]) -> Map<String, Value> {
        let config = json!({"config": {"Env": variables, "WorkingDir": "/app"}});
        config.as_object().unwrap().clone()
    }

    #[test]
    fn the_python_of_an_official_image_is_found() {
        let mut facts = facts(&[
            "/usr/local/bin/python3 -> python3.12",
            "/usr/local/bin/python3.12",
            "/usr/bin/python3 -> python3.11",
            "/usr/bin/python3.11",
            "/usr/local/lib/python3.12/site-packages/pip-24.0.dist-info/RECORD",
            "/usr/local/lib/python3.12/site-packages/Typing_Extensions-4.9.0.dist-info/RECORD",
        ]);
        facts.glibc = Some("2.36".to_owned());
        let found = BasePython::find(&facts, &config(&["PYTHON_VERSION=3.12.4"])).unwrap();
        assert_eq!((found.version, found.patch), ((3, 12), 4));
        assert_eq!(found.interpreter, "/usr/local/bin/python3");
        assert_eq!(found.packages, "/usr/local/lib/python3.12/site-packages");
        assert_eq!(found.programs, "/usr/local/bin");
        assert_eq!(found.libc, Libc::Glibc(2, 36));
        let installed: Vec<_> = found.installed.into_iter().collect();
        assert_eq!(
            installed,
            [("pip", "24.0"), ("typing-extensions", "4.9.0")]
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
        );
    }

    #[test]
    fn a_virtual_environment_goes_first() {
        let mut facts = facts(&[
            "/usr/local/bin/python3.12",
            "/usr/local/bin/python3 -> python3.12",
            "/app/.venv/bin/python3 -> python",
            "/app/.venv/bin/python -> /usr/local/bin/python3",
            "/app/.venv/pyvenv.cfg",
        ]);
        let settings = b"home = /usr/local/bin\nversion = 3.12.7\n".to_vec();
        facts
            .files
            .insert("/app/.venv/pyvenv.cfg".to_owned(), settings);
        for variable in [
            "VENV_DIR=.venv",
            "VIRTUAL_ENV=/app/.venv",
            "PATH=/app/.venv/bin:/usr/local/bin",
        ] {
            let found = BasePython::find(&facts, &config(&[variable])).unwrap();
            assert_eq!(
                found.packages, "/app/.venv/lib/python3.12/site-packages",
                "{variable}"
            );
            assert_eq!(found.programs, "/app/.venv/bin");
            assert_eq!(found.patch, 7);
        }
    }

    #[test]
    fn the_systems_own_packages_are_left_alone() {
        let debian = facts(&[
            "/bin -> usr/bin",
            "/usr/bin/python3 -> /etc/alternatives/python3",
            "/etc/alternatives/python3 -> /bin/python3.11",
            "/usr/bin/python3.11",
            "/usr/lib/python3/dist-packages/apt/__init__.py",
        ]);
        let found = BasePython::find(&debian, &Map::new()).unwrap();
        assert_eq!(found.packages, "/usr/local/lib/python3.11/dist-packages");
        assert_eq!(found.libc, Libc::Glibc(2, 17));
        assert_eq!(found.patch, LATE_PATCH);

        let mut alpine = facts(&[
            "/usr/bin/python3 -> python3.12",
            "/usr/bin/python3.12",
            "/lib/ld-musl-x86_64.so.1",
        ]);
        let listed = b"P:zlib\nV:1.3\n\nC:Q1\nP:musl\nV:1.2.5-r0\n".to_vec();
        alpine
            .files
            .insert("/lib/apk/db/installed".to_owned(), listed);
        let found = BasePython::find(&alpine, &Map::new()).unwrap();
        assert_eq!(found.packages, "/usr/lib/python3.12/site-packages");
        assert_eq!(found.libc, Libc::Musl(1, 2));

        let mut rocky = facts(&[
            "/usr/bin/python3 -> python3.9",
            "/usr/bin/python3.9",
            "/etc/os-release",
        ]);
        let release =
            b"NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n".to_vec();
        rocky.files.insert("/etc/os-release".to_owned(), release);
        let found = BasePython::find(&rocky, &Map::new()).unwrap();
        assert_eq!(found.packages, "/usr/local/lib/python3.9/site-packages");
    }

    #[test]
    fn a_base_without_python_is_told() {
        let error = BasePython::find(&facts(&["/usr/bin/python3 -> nowhere"]), &Map::new());
        assert_eq!(error.unwrap_err().kind, ImageErrorKind::Missing);
        let unclear = facts(&["/opt/bin/python3"]);
        let error = BasePython::find(&unclear, &config(&["PATH=/opt/bin"]));
        assert_eq!(error.unwrap_err().kind, ImageErrorKind::NeedsEngine);
    }
}
