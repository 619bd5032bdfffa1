//! MariaDB: a private server that logs every statement in `mysql.slow_log`.
//!
//! The superuser `root` logs in without a password through the server's socket alone, everyone else with one.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;
use crate::process::{Launch, Running, StopSignal, finish, free_port, on_free_port};
use crate::program::find_program;

const ACCOUNTS: [&str; 2] = ["mysql", "nobody"];
const SOCKET: &str = "socket";

/// Where MariaDB's programs are.
#[derive(Debug, Clone)]
struct Programs {
    server: PathBuf,
    client: PathBuf,
    installer: PathBuf,
}

impl Programs {
    fn find() -> Result<Self, ServerError> {
        let programs = find_program("mariadbd")
            .zip(find_program("mariadb"))
            .zip(find_program("mariadb-install-db"));
        let ((server, client), installer) = programs.ok_or(ServerError::NotFound {
            engine: "mariadb",
            hint: "install MariaDB's server package, or let `cargo xtask test` do it as root on Debian",
        })?;
        Ok(Self {
            server,
            client,
            installer,
        })
    }
}

/// A running server of our own. Dropping it kills the server under whoever is connected.
#[derive(Debug)]
pub struct MariaDb {
    programs: Programs,
    port: u16,
    running: Running,
}

impl MariaDb {
    /// Whether MariaDB's programs are on this machine.
    #[must_use]
    pub fn is_installed() -> bool {
        Programs::find().is_ok()
    }

    /// Makes a data folder and starts a server on it.
    ///
    /// # Errors
    /// [`ServerError`]; kind `NotFound` when MariaDB is not on this machine.
    pub fn start() -> Result<Self, ServerError> {
        let programs = Programs::find()?;
        on_free_port(|| Self::start_once(programs.clone()))
    }

    fn start_once(programs: Programs) -> Result<Self, ServerError> {
        let mut launch = Launch::prepare("mariadb", &ACCOUNTS)?;
        let folder = launch.folder().to_owned();
        let data = format!("--datadir={}", folder.join("data").display());
        let temporary = format!("--tmpdir={}", folder.display());
        launch.run(
            &programs.installer,
            &[
                "--no-defaults".into(),
                data.clone().into(),
                temporary.clone().into(),
                "--auth-root-authentication-method=normal".into(),
                "--skip-test-db".into(),
            ],
        )?;
        let port = free_port()?;
        let args = [
            "--no-defaults".to_owned(),
            data,
            temporary,
            format!("--socket={}", folder.join(SOCKET).display()),
            format!("--pid-file={}", folder.join("pid").display()),
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            "--log-output=TABLE".to_owned(),
            "--slow-query-log=ON".to_owned(),
            "--long-query-time=0".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
        ];
        let running = launch.start(
            &programs.server,
            &args.map(Into::into),
            StopSignal::Terminate,
            |folder| UnixStream::connect(folder.join(SOCKET)).is_ok(),
        )?;
        let server = Self {
            programs,
            port,
            running,
        };
        server.load_zone("Europe/Berlin")?;
        Ok(server)
    }

    /// Teaches the server a time zone from the machine's own tables, where there are any.
    fn load_zone(&self, name: &str) -> Result<(), ServerError> {
        let file = Path::new("/usr/share/zoneinfo").join(name);
        let program = self.programs.client.with_file_name("mariadb-tzinfo-to-sql");
        if !file.is_file() || !program.is_file() {
            return Ok(());
        }
        let mut command = Command::new(&program);
        command.arg(file).arg(name);
        let statements = finish(&program, &mut command)?;
        self.sql(&format!("USE mysql; {statements}")).map(drop)
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

    /// The server's folder, gone with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.running.folder()
    }

    /// Runs statements as superuser and gives what came back, one line a row, values parted by tabs and without headings.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn sql(&self, statements: &str) -> Result<String, ServerError> {
        let program = &self.programs.client;
        let mut command = Command::new(program);
        command
            .args([
                "--no-defaults",
                "--user=root",
                "--batch",
                "--skip-column-names",
            ])
            .arg("--default-character-set=utf8mb4")
            .arg(format!("--socket={}", self.folder().join(SOCKET).display()))
            .args(["--execute", statements]);
        finish(program, &mut command)
    }

    /// Makes an empty database with a login that may do everything in it, and read what the server logged.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn create_database(
        &self,
        database: &str,
        user: &str,
        password: &str,
    ) -> Result<(), ServerError> {
        let (database, user) = (quoted(database), quoted(user));
        let password = password.replace('\\', "\\\\").replace('\'', "''");
        self.sql(&format!(
            "CREATE DATABASE {database}; CREATE USER {user} IDENTIFIED BY '{password}'; \
             GRANT ALL ON {database}.* TO {user}; GRANT SELECT ON mysql.slow_log TO {user}"
        ))
        .map(drop)
    }

    /// Removes a database and its login.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn drop_database(&self, database: &str, user: &str) -> Result<(), ServerError> {
        let (database, user) = (quoted(database), quoted(user));
        self.sql(&format!(
            "DROP DATABASE IF EXISTS {database}; DROP USER IF EXISTS {user}"
        ))
        .map(drop)
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needed;

    #[test]
    fn a_login_sees_its_own_database_and_the_log() {
        if needed(Programs::find()).is_none() {
            return;
        }
        let server = MariaDb::start().unwrap();
        server
            .create_database("The `shop`", "clerk", "it's \\secret")
            .unwrap();
        let login = |password: &str| {
            let output = Command::new(&server.programs.client)
                .args([
                    "--no-defaults",
                    "--protocol=tcp",
                    "--host=127.0.0.1",
                    "--user=clerk",
                ])
                .args(["--batch", "--skip-column-names", "The `shop`"])
                .arg(format!("--port={}", server.port()))
                .arg(format!("--password={password}"))
                .args(["--execute", "SELECT COUNT(*) > 0 FROM mysql.slow_log"])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(login("it's \\secret"), "1\n");
        assert_eq!(login("guess"), "");
        let folder = server.folder().to_owned();
        assert!(folder.join(SOCKET).exists());
        server.drop_database("The `shop`", "clerk").unwrap();
        assert_eq!(
            server
                .sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'clerk'")
                .unwrap(),
            "0\n"
        );
    }
}
