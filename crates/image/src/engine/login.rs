//! Whether a registry would let an engine push, asked before anything is built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bowline_oci::OciErrorKind;
use bowline_oci::registry::{self, Access, Login, LoginFiles, Reference};
use bowline_process::find_program;

use super::Engine;
use crate::error::{ImageError, from_oci};
use crate::event::BuildEvent;

/// How long a registry may say nothing before it is left to the engine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Podman and Buildah say when they would push as nobody.
const KNOWS_NONE: &str = "not logged into";

/// Where Docker looks without being told to, when its settings name no login.
const USUAL_HELPERS: [&str; 5] = ["desktop", "osxkeychain", "pass", "secretservice", "wincred"];

/// The variable that gives Docker logins without a file.
const LOGINS: &str = "DOCKER_AUTH_CONFIG";

/// Variables that have an engine work on another machine, to which a registry of this one is another.
const MACHINES: [&str; 3] = ["CONTAINER_HOST", "DOCKER_CONTEXT", "DOCKER_HOST"];

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

/// Asks the registry to let a push in with the login that the engine has, or with none where it has none. An engine that
/// may know another, or reach the registry by ways of its own, is left to try: only what it cannot do stops a build.
pub(super) fn ask_to_push(
    (engine, program): (Engine, &Path),
    tag: &str,
    access: &Access,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<(), ImageError> {
    let reference: Reference = tag.parse().map_err(from_oci)?;
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let logins = LoginFiles::of_engine(engine.name(), variable);
    let is_elsewhere = variable(LOGINS).is_some()
        || reference.is_loopback() && MACHINES.iter().any(|name| variable(name).is_some());
    let known = match logins.login(&reference) {
        _ if is_elsewhere => Known::Elsewhere,
        Ok(Login::Anonymous) => known_to(engine, program, &reference),
        Ok(_) => Known::Here,
        Err(_) => Known::Elsewhere,
    };
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

/// Asks an engine whether it has a login that is not in its files.
fn known_to(engine: Engine, program: &Path, reference: &Reference) -> Known {
    let name = format!("{}/{}", reference.registry(), reference.repository());
    let asked = Command::new(program)
        .args(["login", "--get-login", &name])
        .stdin(Stdio::null())
        .output();
    let helper = |name: &&str| find_program(&format!("docker-credential-{name}")).is_some();
    asked.map_or(Known::Elsewhere, |output| {
        let words = String::from_utf8_lossy(&output.stderr);
        let answer = (output.status.success(), words.as_ref());
        meant(engine, answer, USUAL_HELPERS.iter().any(helper))
    })
}

/// What an engine's answer means. Docker cannot be asked: where its files hold no login, only a helper may have one.
fn meant(engine: Engine, (has_login, words): (bool, &str), has_helper: bool) -> Known {
    let has_none = words.contains(KNOWS_NONE) || engine == Engine::Docker && !has_helper;
    if has_none && !has_login {
        Known::None
    } else {
        Known::Elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_engine_that_has_no_login_is_taken_to_have_none() {
        let none = (false, "Error: not logged into registry.example.com");
        let flag = (false, "unknown flag: --get-login");
        for (engine, answer, has_helper, known) in [
            (Engine::Podman, (true, ""), false, Known::Elsewhere),
            (Engine::Podman, none, true, Known::None),
            (Engine::Buildah, flag, false, Known::Elsewhere),
            (Engine::Docker, flag, false, Known::None),
            (Engine::Docker, flag, true, Known::Elsewhere),
            // Podman under the name of Docker.
            (Engine::Docker, (true, ""), false, Known::Elsewhere),
            (Engine::Docker, none, true, Known::None),
        ] {
            assert_eq!(
                meant(engine, answer, has_helper),
                known,
                "{engine:?} {answer:?}"
            );
        }
    }
}
