//! Whether a registry would let an engine push, asked before anything is built.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bowline_oci::registry::{self, Access, Login, LoginFiles, Reference};
use bowline_oci::{Cancel, OciErrorKind};
use bowline_process::{find_program, run_into};

use super::Engine;
use crate::error::{ImageError, from_oci};
use crate::event::BuildEvent;

/// How long a registry or an engine may say nothing before the push is left to the engine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Podman and Buildah say when they would push as nobody.
const KNOWS_NONE: &str = "not logged into";

/// Where Docker looks without being told to, when its settings name no login.
const USUAL_HELPERS: [&str; 5] = ["desktop", "osxkeychain", "pass", "secretservice", "wincred"];

/// The variable that gives Docker logins without a file.
const LOGINS: &str = "DOCKER_AUTH_CONFIG";

/// Variables that have an engine work on another machine, to which a registry of this one is another.
const MACHINES: [&str; 4] = [
    "CONTAINER_CONNECTION",
    "CONTAINER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
];

/// Whose login an engine pushes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// One that its files hold.
    Here,
    /// Nobody's.
    None,
    /// The engine's own affair.
    Elsewhere,
}

/// What an engine's files hold for a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filed {
    Login,
    Nothing,
    /// They cannot be read, or a helper that they name fails.
    Unknown,
}

/// What is seen of an engine and its settings.
#[derive(Debug, Clone, Copy)]
struct Seen {
    engine: Engine,
    filed: Filed,
    /// Something says that it reaches the registry by ways of its own, whatever its files hold.
    has_own_ways: bool,
    /// Another program stands before it, which may have it read other files.
    is_wrapped: bool,
    /// A helper is there that Docker looks for without being told to.
    has_helper: bool,
}

/// What an engine said when it was asked for a login.
#[derive(Debug, Clone)]
struct Answer {
    has_login: bool,
    words: String,
}

/// Asks the registry to let a push in with the login that the engine has, or with none where it has none. An engine that
/// may know another, or reach the registry by ways of its own, is left to try: only what it cannot do stops a build.
pub(super) fn ask_to_push(
    (engine, program): (Engine, &Path),
    tag: &str,
    access: &Access,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<(), ImageError> {
    let reference: Reference = tag.parse().map_err(from_oci)?;
    let variable = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let logins = LoginFiles::of_engine(engine.name(), variable);
    let helper = |name: &&str| find_program(&format!("docker-credential-{name}")).is_some();
    let seen = Seen {
        engine,
        filed: match logins.login(&reference) {
            Ok(Login::Anonymous) => Filed::Nothing,
            Ok(_) => Filed::Login,
            Err(_) => Filed::Unknown,
        },
        has_own_ways: has_own_ways(&reference, &variable),
        is_wrapped: is_wrapped(program),
        has_helper: USUAL_HELPERS.iter().any(helper),
    };
    let known = known(seen, || asked(program, &reference, &access.cancel));
    if known == Known::Elsewhere {
        return Ok(());
    }
    on_event(BuildEvent::Step(format!(
        "asking {} for leave to push",
        reference.registry()
    )));
    let mut access = access.clone();
    access.logins = logins;
    access.limits.retries = 0;
    access.limits.silence = PATIENCE;
    match registry::ask_to_push(&reference, &access) {
        Err(error) if error.kind == OciErrorKind::Unauthorized => Err(from_oci(error)),
        _ => Ok(()),
    }
}

/// Whose login an engine pushes with. Docker cannot be asked: where its files hold no login, only a helper may have one.
fn known(seen: Seen, ask: impl FnOnce() -> Option<Answer>) -> Known {
    let is_plain = seen.engine != Engine::Docker || !seen.is_wrapped;
    match seen.filed {
        _ if seen.has_own_ways => Known::Elsewhere,
        Filed::Login if is_plain => Known::Here,
        Filed::Login | Filed::Unknown => Known::Elsewhere,
        Filed::Nothing => {
            let has_none = ask().is_some_and(|answer| {
                let is_bare = seen.engine == Engine::Docker && is_plain && !seen.has_helper;
                !answer.has_login && (answer.words.contains(KNOWS_NONE) || is_bare)
            });
            if has_none {
                Known::None
            } else {
                Known::Elsewhere
            }
        }
    }
}

/// Asks an engine whether it has a login that is not in its files; nothing when it does not answer. Nobody is asked for
/// a passphrase by a helper of its: it is away from the terminal.
fn asked(program: &Path, reference: &Reference, cancel: &Cancel) -> Option<Answer> {
    let name = format!("{}/{}", reference.registry(), reference.repository());
    let mut command = Command::new(program);
    command
        .args(["login", "--get-login", &name])
        .env("GPG_TTY", "");
    let file = tempfile::tempfile().ok()?;
    let is_given_up = || cancel.is_cancelled();
    let ended = run_into(file, &mut command, Some(PATIENCE), &is_given_up);
    let ended = ended.ok()??;
    Some(Answer {
        has_login: ended.status.success(),
        words: ended.words,
    })
}

/// Whether a program is a script, or one of a snap, which has a home of its own.
fn is_wrapped(program: &Path) -> bool {
    let real = program.canonicalize();
    let mut paths = [Some(program), real.as_deref().ok()].into_iter().flatten();
    let mut start = [0; 2];
    let is_script = std::fs::File::open(program)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start == *b"#!");
    is_script || paths.any(|path| path.components().any(|part| part.as_os_str() == "snap"))
}

/// Whether the environment or settings say that an engine may reach a registry otherwise than with a login of its files.
fn has_own_ways(reference: &Reference, variable: &impl Fn(&str) -> Option<PathBuf>) -> bool {
    let home = variable("HOME").or_else(|| variable("USERPROFILE"));
    let in_home = |folder: &str| Some(home.as_ref()?.join(folder));
    let own = variable("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
    let folders: Vec<PathBuf> = [Some("/etc".into()), own]
        .into_iter()
        .flatten()
        .flat_map(|place: PathBuf| ["containers", "docker"].map(|folder| place.join(folder)))
        .collect();
    let docker = variable("DOCKER_CONFIG").or_else(|| in_home(".docker"));
    // To another machine, this one's own registry is another or none.
    let is_far = || {
        !cfg!(target_os = "linux")
            || MACHINES.iter().any(|name| variable(name).is_some())
            || docker.is_some_and(|folder| has_context(&folder.join("config.json")))
    };
    variable(LOGINS).is_some()
        || folders
            .iter()
            .any(|folder| has_certificate(&folder.join("certs.d").join(reference.registry())))
        || folders
            .iter()
            .flat_map(|folder| registry_settings(folder))
            .chain(variable("CONTAINERS_REGISTRIES_CONF"))
            .any(|file| names_helpers(&file))
        || reference.is_loopback() && is_far()
}

/// Whether Docker's settings name another machine than this one.
fn has_context(file: &Path) -> bool {
    let settings = std::fs::read(file).unwrap_or_default();
    let settings: serde_json::Value = serde_json::from_slice(&settings).unwrap_or_default();
    let context = settings["currentContext"].as_str();
    context.is_some_and(|context| !["", "default"].contains(&context))
}

/// Whether a registry's folder holds a client's certificate.
fn has_certificate(folder: &Path) -> bool {
    files_with(folder, "cert").next().is_some()
}

/// The settings of registries in a folder.
fn registry_settings(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let parts = files_with(&folder.join("registries.conf.d"), "conf");
    std::iter::once(folder.join("registries.conf")).chain(parts)
}

fn files_with(folder: &Path, ending: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(move |path| path.extension().is_some_and(|found| found == ending))
}

/// Whether settings of registries name helpers that keep logins.
fn names_helpers(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let settings: toml::Table = text.parse().unwrap_or_default();
    let helpers = settings.get("credential-helpers");
    helpers.is_some_and(|names| names.as_array().is_none_or(|names| !names.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(has_login: bool, words: &str) -> Option<Answer> {
        Some(Answer {
            has_login,
            words: words.to_owned(),
        })
    }

    #[test]
    fn only_an_engine_that_has_no_login_is_taken_to_have_none() {
        let none = || said(false, "Error: not logged into registry.example.com");
        let flag = || said(false, "unknown flag: --get-login");
        let of = |engine| Seen {
            engine,
            filed: Filed::Nothing,
            has_own_ways: false,
            is_wrapped: false,
            has_helper: false,
        };
        let (docker, podman, buildah) =
            (of(Engine::Docker), of(Engine::Podman), of(Engine::Buildah));
        let filed = |filed, seen| Seen { filed, ..seen };
        let with_helper = |seen| Seen {
            has_helper: true,
            ..seen
        };
        let wrapped = |seen| Seen {
            is_wrapped: true,
            ..seen
        };
        let with_own_ways = |seen| Seen {
            has_own_ways: true,
            ..seen
        };
        for (seen, answer, expected) in [
            (podman, said(true, ""), Known::Elsewhere),
            (with_helper(podman), none(), Known::None),
            (wrapped(podman), none(), Known::None),
            (podman, None, Known::Elsewhere),
            (buildah, flag(), Known::Elsewhere),
            (docker, flag(), Known::None),
            (docker, None, Known::Elsewhere),
            (with_helper(docker), flag(), Known::Elsewhere),
            (wrapped(docker), flag(), Known::Elsewhere),
            // Podman under the name of Docker.
            (docker, said(true, ""), Known::Elsewhere),
            (with_helper(docker), none(), Known::None),
            (wrapped(docker), none(), Known::None),
            (filed(Filed::Login, docker), None, Known::Here),
            (filed(Filed::Login, podman), None, Known::Here),
            (wrapped(filed(Filed::Login, docker)), None, Known::Elsewhere),
            (filed(Filed::Unknown, podman), none(), Known::Elsewhere),
            (with_own_ways(podman), none(), Known::Elsewhere),
            (with_own_ways(docker), flag(), Known::Elsewhere),
            (
                with_own_ways(filed(Filed::Login, podman)),
                None,
                Known::Elsewhere,
            ),
        ] {
            let shown = format!("{seen:?} {answer:?}");
            assert_eq!(known(seen, || answer), expected, "{shown}");
        }
    }

    #[test]
    fn settings_that_give_an_engine_ways_of_its_own_are_seen() {
        let home = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let variable = |name: &str| (name == "HOME").then(|| home.path().to_path_buf());
        let has = |tag: &str| has_own_ways(&tag.parse().unwrap(), &variable);
        let registries = ".config/containers/registries.conf";
        write(registries, "credential-helpers = []\n");
        write(".docker/config.json", "{\"currentContext\": \"default\"}");
        let (far, near) = ("reg.example.test:5000/agent:1", "localhost:5000/agent:1");
        assert!(!has(far));
        assert_eq!(has(near), !cfg!(target_os = "linux"));
        write(".docker/config.json", "{\"currentContext\": \"colima\"}");
        assert!(!has(far) && has(near));
        write(registries, "credential-helpers = [\"secretservice\"]\n");
        assert!(has(far));
        write(registries, "");
        write(
            ".config/containers/certs.d/reg.example.test:5000/client.cert",
            "",
        );
        assert!(has(far) && !has("reg.example.test/agent:1"));
    }

    #[cfg(unix)]
    #[test]
    fn scripts_and_snaps_stand_before_an_engine() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("docker");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        assert!(is_wrapped(&script));
        assert!(is_wrapped(Path::new("/snap/bin/docker")));
        assert!(!is_wrapped(&std::env::current_exe().unwrap()));
    }
}
