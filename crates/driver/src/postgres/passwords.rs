//! The file of passwords.

use std::fs;
use std::path::{Path, PathBuf};

use super::parameters::Host;

/// What a file of passwords says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A password. `Debug` is for tests.
    Password(String),
    /// There is no file.
    Nothing,
    /// The file, which cannot be read.
    Unread(PathBuf),
    /// The file, which has none for this login.
    Unlisted(PathBuf),
    /// Others can read it, and so it is not.
    Open,
}

/// Looks for the password of a login.
pub(super) fn find(file: &Path, host: &Host, database: &str, user: &str) -> Found {
    let Ok(bytes) = fs::read(file) else {
        return Found::Unread(file.to_path_buf());
    };
    // A remark in another encoding hides no line.
    let text = String::from_utf8_lossy(&bytes);
    if is_open(file) {
        return Found::Open;
    }
    let is_here = host.folder().is_some();
    let port = host.port.to_string();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [server, its_port, its_database, its_user, password] = &fields(line)[..] else {
            continue;
        };
        let fits = |field: &str, value: &str| field == "*" || field == value;
        let is_server = fits(server, &host.name) || (is_here && server == "localhost");
        if is_server
            && fits(its_port, &port)
            && fits(its_database, database)
            && fits(its_user, user)
        {
            return Found::Password(password.clone());
        }
    }
    Found::Unlisted(file.to_path_buf())
}

#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

/// The five fields of a line; colons and backslashes in them stand behind a backslash.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        match character {
            '\\' => fields[last].extend(characters.next()),
            ':' if last < 4 => fields.push(String::new()),
            other => fields[last].push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_first_line_that_fits_gives_the_password() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        let text = "# note\nhalf:5432\nh\\:1:5432:d:u:a\\:b\\\\c:d\n*:*:d:u:second\n*:*:*:*:last\n";
        fs::write(&file, text).unwrap();
        let host = |name: &str| Host {
            name: name.to_owned(),
            address: None,
            port: 5432,
        };
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(find(&file, &host("h"), "d", "u"), Found::Open);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        for (name, database, password) in [
            ("h:1", "d", "a:b\\c:d"),
            ("h", "d", "second"),
            ("h", "e", "last"),
        ] {
            let found = find(&file, &host(name), database, "u");
            assert_eq!(found, Found::Password(password.to_owned()));
        }
        let missing = folder.path().join("none");
        assert_eq!(
            find(&missing, &host("h"), "d", "u"),
            Found::Unread(missing.clone())
        );
    }
}
