//! Firebird: a private server with a folder of its own for settings, accounts and databases.

use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;
use crate::process::{Launch, Running, StopSignal, finish, free_port, on_free_port};
use crate::program::find_program;

const ACCOUNTS: [&str; 2] = ["firebird", "nobody"];
const USER: &str = "SYSDBA";
const PASSWORD: &str = "masterkey";
/// What every server reads, of the folder it is installed in.
const SHARED: [&str; 4] = ["plugins", "plugins.conf", "intl", "firebird.msg"];

/// Where Firebird's programs are.
#[derive(Debug, Clone)]
struct Programs {
    server: PathBuf,
    client: PathBuf,
    installed: PathBuf,
}

impl Programs {
    fn find() -> Result<Self, ServerError> {
        let programs = find_program("firebird")
            .zip(find_program("isql-fb"))
            .zip(installed());
        let ((server, client), installed) = programs.ok_or(ServerError::NotFound {
            engine: "firebird",
            hint: "install the package `firebird3.0-server`, or let `cargo xtask test` do it as root on Debian",
        })?;
        Ok(Self {
            server,
            client,
            installed,
        })
    }
}

/// Debian's folder for Firebird 3, below that of the machine's architecture.
fn installed() -> Option<PathBuf> {
    let architectures = std::fs::read_dir("/usr/lib").ok()?;
    architectures
        .filter_map(|entry| Some(entry.ok()?.path().join("firebird/3.0")))
        .find(|folder| folder.join("firebird.msg").is_file())
}

/// A running server of our own. Dropping it kills the server under whoever is connected.
#[derive(Debug)]
pub struct Firebird {
    programs: Programs,
    port: u16,
    running: Running,
}

impl Firebird {
    /// Whether Firebird's programs are on this machine.
    #[must_use]
    pub fn is_installed() -> bool {
        Programs::find().is_ok()
    }

    /// Makes a folder with an account in it and starts a server on it, whose clock shows UTC.
    ///
    /// # Errors
    /// [`ServerError`]; kind `NotFound` when Firebird is not on this machine.
    pub fn start() -> Result<Self, ServerError> {
        let programs = Programs::find()?;
        on_free_port(|| Self::start_once(programs.clone()))
    }

    fn start_once(programs: Programs) -> Result<Self, ServerError> {
        let mut launch = Launch::prepare("firebird", &ACCOUNTS)?;
        let folder = launch.folder().to_owned();
        for name in SHARED {
            symlink(programs.installed.join(name), folder.join(name))?;
        }
        let accounts = folder.join("accounts.fdb");
        let port = free_port()?;
        std::fs::write(
            folder.join("firebird.conf"),
            format!(
                "SecurityDatabase = {}\nRemoteBindAddress = 127.0.0.1\nRemoteServicePort = {port}\n",
                accounts.display()
            ),
        )?;
        std::fs::write(folder.join("databases.conf"), "")?;
        let script = folder.join("accounts.sql");
        std::fs::write(
            &script,
            format!(
                "CREATE DATABASE '{}' USER '{USER}';\nCREATE USER {USER} PASSWORD '{PASSWORD}';\nCOMMIT;\n",
                accounts.display()
            ),
        )?;
        for (name, value) in environment(&folder) {
            launch.set(name, value);
        }
        launch.run(
            &programs.client,
            &["-quiet".into(), "-input".into(), script.into()],
        )?;
        let running = launch.start(&programs.server, &[], StopSignal::Terminate, |_| {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            programs,
            port,
            running,
        })
    }

    /// Kills it under whoever is connected.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// The host it listens on.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's name and password.
    #[must_use]
    pub fn login(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// Makes an empty database; gives the path by which clients know it.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn create_database(&self, name: &str) -> Result<String, ServerError> {
        let path = self.running.folder().join(format!("{name}.fdb"));
        let path = path.display().to_string();
        let address = self.address(&path);
        self.isql(&format!(
            "CREATE DATABASE '{address}' USER '{USER}' PASSWORD '{PASSWORD}' DEFAULT CHARACTER SET UTF8;\n"
        ))?;
        Ok(path)
    }

    /// Runs statements in a database, each ended by a semicolon, and gives what the client printed.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn sql(&self, path: &str, statements: &str) -> Result<String, ServerError> {
        let address = self.address(path);
        self.isql(&format!(
            "CONNECT '{address}' USER '{USER}' PASSWORD '{PASSWORD}';\n{statements}\nCOMMIT;\n"
        ))
    }

    fn address(&self, path: &str) -> String {
        format!("inet://{}:{}/{path}", self.host(), self.port)
    }

    fn isql(&self, script: &str) -> Result<String, ServerError> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), script)?;
        let mut command = Command::new(&self.programs.client);
        command
            .args(["-quiet", "-bail", "-charset", "UTF8", "-input"])
            .arg(file.path());
        finish(&self.programs.client, &mut command)
    }
}

/// What tells Firebird's programs to live in a folder.
fn environment(folder: &Path) -> [(&'static str, PathBuf); 4] {
    [
        ("FIREBIRD", folder.to_owned()),
        ("FIREBIRD_LOCK", folder.to_owned()),
        ("FIREBIRD_TMP", folder.to_owned()),
        ("TZ", PathBuf::from("UTC")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needed;

    #[test]
    fn a_database_keeps_what_was_written() {
        if needed(Programs::find()).is_none() {
            return;
        }
        let server = Firebird::start().unwrap();
        let path = server.create_database("shop").unwrap();
        server
            .sql(
                &path,
                "CREATE TABLE t (id INTEGER);\nCOMMIT;\nINSERT INTO t VALUES (42);",
            )
            .unwrap();
        let found = server.sql(&path, "SELECT id FROM t;").unwrap();
        assert!(found.contains("42"), "{found}");
        assert!(server.sql(&path, "SELECT id FROM u;").is_err());
    }
}
