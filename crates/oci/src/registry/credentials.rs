//! Logins for registries, from where `docker login` and `podman login` keep them.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value as Json;

use super::Reference;
use crate::{OciError, OciErrorKind};

/// Under which key the login of Docker's public registry is kept.
const DEFAULT_KEY: &str = "https://index.docker.io/v1/";
/// What every credential helper says when it knows no login, by the helpers' protocol.
const HELPER_KNOWS_NONE: &str = "credentials not found";

/// A login for a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// Nobody in particular.
    Anonymous,
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for tokens of short life.
    IdentityToken(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password(***)",
            Self::IdentityToken(_) => "IdentityToken(***)",
        })
    }
}

/// The files that logins are kept in, in the order they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFiles {
    paths: Vec<PathBuf>,
    /// What writes them.
    program: &'static str,
}

/// What keeps logins, when nothing else is named.
const DOCKER: &str = "docker";

impl Default for LoginFiles {
    fn default() -> Self {
        Self::new([])
    }
}

impl LoginFiles {
    /// The files of this user, as this reads environment variables: what `REGISTRY_AUTH_FILE` names, Docker's
    /// `config.json` (in `DOCKER_CONFIG` or `~/.docker`), and `auth.json` as Podman, Buildah and Skopeo keep it.
    #[must_use]
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let variable = set(variable);
        let named = variable("REGISTRY_AUTH_FILE");
        let paths = named
            .into_iter()
            .chain(docker_file(&variable))
            .chain(container_files(&variable));
        Self::new(paths)
    }

    /// The files that an engine itself reads: `docker` Docker's, any other those of Podman, in its order.
    #[must_use]
    pub fn of_engine(program: &'static str, variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let variable = set(variable);
        let docker = docker_file(&variable);
        let paths: Vec<PathBuf> = match variable("REGISTRY_AUTH_FILE") {
            _ if program == DOCKER => docker.into_iter().collect(),
            Some(named) => vec![named],
            None => container_files(&variable)
                .into_iter()
                .chain(docker)
                .collect(),
        };
        Self { paths, program }
    }

    /// These files; those that are not there are passed over.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            paths: paths.into_iter().collect(),
            program: DOCKER,
        }
    }

    /// The program whose `login` writes them.
    pub(super) const fn program(&self) -> &'static str {
        self.program
    }

    /// The login for an image's registry: the first that a file, or a credential helper that it names, holds.
    ///
    /// # Errors
    /// Kind `Unreadable` for a file that is damaged or closed to us, `Unauthorized` for a helper that fails. What
    /// a helper said is not shown: it may be the secret.
    pub fn login(&self, reference: &Reference) -> Result<Login, OciError> {
        for path in &self.paths {
            let unreadable = |cause: String| {
                OciError::new(
                    OciErrorKind::Unreadable,
                    format!("the logins in `{}`", path.display()),
                )
                .because(cause)
                .hint(format!(
                    "log in again with `{} login`, which writes it anew",
                    self.program
                ))
            };
            let text = match fs::read(path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound || is_closed(path) => continue,
                Err(error) => return Err(unreadable(error.to_string())),
            };
            let config: Json = serde_json::from_slice(&text)
                .map_err(|error| unreadable(format!("not JSON, line {}", error.line())))?;
            for key in keys(reference, &config) {
                match docker_credential::get_credential_from_reader(text.as_slice(), &key) {
                    Ok(credential) => return Ok(login(credential)),
                    Err(CredentialRetrievalError::NoCredentialConfigured) => {}
                    Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                        if stdout.contains(HELPER_KNOWS_NONE)
                            || stderr.contains(HELPER_KNOWS_NONE) => {}
                    Err(
                        CredentialRetrievalError::HelperFailure { .. }
                        | CredentialRetrievalError::HelperCommunicationError
                        | CredentialRetrievalError::MalformedHelperResponse,
                    ) => return Err(helper_failed(reference, path, &config, &key)),
                    Err(error) => return Err(unreadable(without_values(&error).to_owned())),
                }
            }
        }
        Ok(Login::Anonymous)
    }
}

/// Whether the folder of a file lets nobody in who is not its owner, such as root's or another user's.
fn is_closed(file: &Path) -> bool {
    fs::symlink_metadata(file).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Variables of which an empty one counts as none.
fn set(variable: impl Fn(&str) -> Option<PathBuf>) -> impl Fn(&str) -> Option<PathBuf> {
    move |name| variable(name).filter(|value| !value.as_os_str().is_empty())
}

/// The user's own folder, on Windows too.
fn home(variable: &impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable("HOME").or_else(|| variable("USERPROFILE"))
}

fn docker_file(variable: &impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = variable("DOCKER_CONFIG").or_else(|| Some(home(variable)?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// Where Podman, Buildah and Skopeo keep logins: those of this session, and those that stay.
fn container_files(variable: &impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let in_containers = |folder: PathBuf| folder.join("containers");
    let session = variable("XDG_RUNTIME_DIR").map(in_containers);
    let settings = variable("XDG_CONFIG_HOME").or_else(|| Some(home(variable)?.join(".config")));
    let folders = [session.or_else(session_folder), settings.map(in_containers)];
    let folders = folders.into_iter().flatten();
    folders.map(|folder| folder.join("auth.json")).collect()
}

/// Where those of this session are when nothing says where the session keeps its files, as for root.
#[cfg(unix)]
fn session_folder() -> Option<PathBuf> {
    let user = fs::metadata("/proc/self").ok()?.uid();
    Some(format!("/run/containers/{user}").into())
}

#[cfg(not(unix))]
const fn session_folder() -> Option<PathBuf> {
    None
}

/// The keys a login may stand under in a file, the most particular first.
fn keys(reference: &Reference, config: &Json) -> Vec<String> {
    let registry = reference.registry();
    let mut keys = Vec::new();
    // Podman keeps logins for parts of a registry as well.
    let mut part = format!("{registry}/{}", reference.repository());
    while part.len() > registry.len() {
        if config["auths"].get(&part).is_some() {
            keys.push(part.clone());
        }
        part.truncate(part.rfind('/').unwrap_or(registry.len()));
    }
    if registry == "docker.io" {
        keys.push(DEFAULT_KEY.to_owned());
    }
    keys.push(registry.to_owned());
    keys
}

fn login(credential: DockerCredential) -> Login {
    match credential {
        DockerCredential::IdentityToken(token) => Login::IdentityToken(token),
        DockerCredential::UsernamePassword(user, password)
            if user.is_empty() && password.is_empty() =>
        {
            Login::Anonymous
        }
        DockerCredential::UsernamePassword(user, password) => Login::Password { user, password },
    }
}

fn helper_failed(reference: &Reference, file: &Path, config: &Json, key: &str) -> OciError {
    let helper = config["credHelpers"][key]
        .as_str()
        .or(config["credsStore"].as_str())
        .unwrap_or_default();
    OciError::new(
        OciErrorKind::Unauthorized,
        format!("`{}`", reference.registry()),
    )
    .because(format!(
        "the credential helper `docker-credential-{helper}`, named in `{}`, failed",
        file.display()
    ))
    .hint(format!(
        "see what it says: `echo {key} | docker-credential-{helper} get`"
    ))
}

fn without_values(error: &CredentialRetrievalError) -> &'static str {
    match error {
        CredentialRetrievalError::CredentialDecodingError => "an `auth` is not base64 of a login",
        CredentialRetrievalError::CredentialMismatchError => {
            "an `auth` and the name and password beside it differ"
        }
        _ => "it does not have the form of Docker's configuration",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str) -> (tempfile::TempDir, LoginFiles) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, config).unwrap();
        let files = LoginFiles::new([folder.path().join("absent.json"), path]);
        (folder, files)
    }

    fn found(config: &str, image: &str) -> Result<Login, OciError> {
        files(config).1.login(&image.parse().unwrap())
    }

    fn password(user: &str, password: &str) -> Login {
        Login::Password {
            user: user.into(),
            password: password.into(),
        }
    }

    #[test]
    fn logins_are_found_by_registry() {
        // "clerk:pass:word", "hub:hub", and "team:t".
        let config = r#"{"auths": {
            "localhost:5000": {"auth": "Y2xlcms6cGFzczp3b3Jk"},
            "https://index.docker.io/v1/": {"auth": "aHViOmh1Yg=="},
            "r.io": {},
            "r.io/team": {"auth": "dGVhbTp0"},
            "token.io": {"auth": "eDo=", "identitytoken": "refresh me"}
        }}"#;
        for (image, login) in [
            ("localhost:5000/a", password("clerk", "pass:word")),
            ("team/agent", password("hub", "hub")),
            ("r.io/team/agent", password("team", "t")),
            ("r.io/teams/agent", Login::Anonymous),
            ("token.io/a", Login::IdentityToken("refresh me".into())),
            ("other.io/a", Login::Anonymous),
        ] {
            assert_eq!(found(config, image).unwrap(), login, "{image}");
        }
        assert_eq!(found("{}", "a").unwrap(), Login::Anonymous);
        assert!(!format!("{:?}", found(config, "token.io/a").unwrap()).contains("refresh"));
    }

    #[test]
    fn a_damaged_file_is_told_without_what_is_in_it() {
        for config in [
            r#"{"auths": {"r.io": {"auth": "c2VjcmV0c2VjcmV0"}}}"#,
            r#"{"auths": {"r.io": {"auth": "secretsecret!"}}}"#,
            r#"{"auths": "secretsecret"}"#,
            r#"{"auths": secretsecret"#,
        ] {
            let error = found(config, "r.io/a").unwrap_err();
            assert_eq!(error.kind, OciErrorKind::Unreadable);
            let words = format!("{error} {error:?}");
            assert!(
                !words.contains("secret") && !words.contains("c2Vj"),
                "{words}"
            );
        }
    }

    #[test]
    fn a_helper_that_fails_is_named_but_not_quoted() {
        let error = found(r#"{"credHelpers": {"r.io": "absent-helper"}}"#, "r.io/a").unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Unauthorized);
        assert!(
            error
                .to_string()
                .contains("`docker-credential-absent-helper`"),
            "{error}"
        );
        assert_eq!(
            found(r#"{"credHelpers": {"r.io": "absent-helper"}}"#, "s.io/a").unwrap(),
            Login::Anonymous
        );
    }

    #[test]
    fn an_empty_variable_is_none_and_windows_names_the_folder_otherwise() {
        let of = |home: &'static str| {
            LoginFiles::of_user(move |name| match name {
                name if name == home => Some(PathBuf::from("/home/me")),
                _ => Some(PathBuf::new()),
            })
        };
        assert_eq!(
            of("HOME").paths[0],
            PathBuf::from("/home/me/.docker/config.json")
        );
        assert_eq!(of("HOME"), of("USERPROFILE"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_entered_holds_no_login() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, files) = files(r#"{"auths": {"r.io": {"auth": "dGVhbTp0"}}}"#);
        let permit = |mode| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        };
        permit(0o000);
        let is_entered = fs::read_dir(folder.path()).is_ok();
        let login = files.login(&"r.io/a".parse().unwrap());
        permit(0o700);
        // Root enters everywhere.
        let expected = if is_entered {
            password("team", "t")
        } else {
            Login::Anonymous
        };
        assert_eq!(login.unwrap(), expected);
    }

    #[test]
    fn the_files_of_a_user() {
        let variables = |name: &str| match name {
            "HOME" => Some(PathBuf::from("/home/me")),
            "XDG_RUNTIME_DIR" => Some(PathBuf::from("/run/me")),
            _ => None,
        };
        assert_eq!(
            LoginFiles::of_user(variables).paths,
            [
                "/home/me/.docker/config.json",
                "/run/me/containers/auth.json",
                "/home/me/.config/containers/auth.json"
            ]
            .map(PathBuf::from)
        );
        assert_eq!(
            LoginFiles::of_engine("podman", variables).paths,
            [
                "/run/me/containers/auth.json",
                "/home/me/.config/containers/auth.json",
                "/home/me/.docker/config.json"
            ]
            .map(PathBuf::from)
        );
        assert_eq!(
            LoginFiles::of_engine("docker", variables).paths,
            [PathBuf::from("/home/me/.docker/config.json")]
        );
        // As root, whose session has no folder of its own.
        #[cfg(target_os = "linux")]
        {
            let rootless = |name: &str| variables(name).filter(|_| name == "HOME");
            let paths = LoginFiles::of_engine("buildah", rootless).paths;
            let user = fs::metadata("/proc/self").unwrap().uid();
            assert_eq!(
                paths[0],
                PathBuf::from(format!("/run/containers/{user}/auth.json"))
            );
        }
    }
}
