//! Refresh tokens that change with each use, kept between runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bowline_template::Scope;
use serde_json::{Value as Json, json};

use crate::error::{SourceError, SourceErrorKind};

/// The credential that the first refresh token is.
const CREDENTIAL: &str = "refresh_token";

/// Where the newest refresh token stands.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The file; only in memory when there is none.
    path: Option<PathBuf>,
    newest: Mutex<Option<Newest>>,
}

/// A refresh token, and the fingerprint of the credential that it came from in the end. One who writes a new credential
/// means it.
#[derive(Debug, Clone)]
struct Newest {
    of: String,
    token: String,
}

/// The newest refresh token while nobody else, in any process, logs in with it.
pub(super) struct Locked<'k> {
    pub(super) token: String,
    of: String,
    path: Option<&'k Path>,
    newest: MutexGuard<'k, Option<Newest>>,
    /// Open and locked until this is dropped.
    _lock: Option<File>,
}

impl Kept {
    /// Keeps the newest token in a file.
    pub(super) fn in_file(path: PathBuf) -> Self {
        Self {
            path: Some(path),
            newest: Mutex::default(),
        }
    }

    /// The newest token: the one that is kept, or else that of the credentials.
    pub(super) fn lock(&self, scope: &Scope) -> Result<Locked<'_>, SourceError> {
        let credentials = scope.get("credentials");
        let given = credentials.and_then(|credentials| credentials.get(CREDENTIAL));
        let given = given.as_ref().and_then(bowline_template::Value::as_text);
        let given = given.ok_or_else(|| {
            SourceError::new(
                SourceErrorKind::Credentials,
                format!("`credentials.{CREDENTIAL}`"),
            )
            .because("there is none to begin with")
            .hint("log in once by hand, and write the refresh token there".to_owned())
        })?;
        let of = ring::digest::digest(&ring::digest::SHA256, given.as_bytes());
        let of: String = of
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (lock, kept) = match &self.path {
            Some(path) => {
                let failed = |error| failure(path, "be read", &error);
                let lock = lock(path).map_err(failed)?;
                (Some(lock), read(path).map_err(failed)?)
            }
            None => (None, newest.clone()),
        };
        let kept = kept.filter(|kept| kept.of == of);
        Ok(Locked {
            token: kept.map_or_else(|| given.to_owned(), |kept| kept.token),
            of,
            path: self.path.as_deref(),
            newest,
            _lock: lock,
        })
    }
}

impl Locked<'_> {
    /// Keeps another token from now on.
    pub(super) fn replace(mut self, token: &str) -> Result<(), SourceError> {
        if let Some(path) = self.path {
            let text = json!({"of": self.of, CREDENTIAL: token}).to_string();
            write(path, &text).map_err(|error| failure(path, "be written", &error))?;
        }
        *self.newest = Some(Newest {
            of: self.of,
            token: token.to_owned(),
        });
        Ok(())
    }
}

fn failure(path: &Path, what: &str, error: &io::Error) -> SourceError {
    SourceError::new(
        SourceErrorKind::Credentials,
        format!("the refresh token in `{}`", path.display()),
    )
    .because(format!("it cannot {what}: {error}"))
}

fn lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn read(path: &Path) -> io::Result<Option<Newest>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let json: Json = serde_json::from_str(&text)?;
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    Ok(text("of")
        .zip(text(CREDENTIAL))
        .map(|(of, token)| Newest { of, token }))
}

/// Whole or not at all, for nobody else's eyes, and there to stay.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use bowline_template::Value;

    use super::*;

    fn scope(token: &str) -> Scope {
        let credentials = Value::mapping([(CREDENTIAL, Value::from(token))]);
        Scope::new([("credentials", credentials)])
    }

    #[test]
    fn the_newest_token_outlives_who_got_it_until_the_credential_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logins/vendor.json");
        let kept = Kept::in_file(path.clone());
        let locked = kept.lock(&scope("first")).unwrap();
        assert_eq!(locked.token, "first");
        locked.replace("second").unwrap();
        assert_eq!(kept.lock(&scope("first")).unwrap().token, "second");
        drop(kept);
        let other = Kept::in_file(path.clone());
        assert_eq!(other.lock(&scope("first")).unwrap().token, "second");
        assert_eq!(
            other.lock(&scope("written anew")).unwrap().token,
            "written anew"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_kept_and_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vendor.json");
        fs::write(&path, "{").unwrap();
        let error = Kept::in_file(path).lock(&scope("first")).err().unwrap();
        assert!(error.to_string().contains("cannot be read"), "{error}");
    }

    #[test]
    fn without_a_file_it_is_kept_in_memory() {
        let kept = Kept::default();
        kept.lock(&scope("first"))
            .unwrap()
            .replace("second")
            .unwrap();
        assert_eq!(kept.lock(&scope("first")).unwrap().token, "second");
        assert!(
            kept.lock(&Scope::new([("credentials", Value::NONE)]))
                .is_err()
        );
    }
}
