//! PostgreSQL: a private cluster with statement statistics and commit timestamps on.
//!
//! The superuser `postgres` logs in without a password, every other role with one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;
use crate::process::{Launch, Running, StopSignal, finish, free_port, on_free_port};
use crate::program::folders;

const SUPERUSER: &str = "postgres";
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];
const ACCESS_RULES: &str = "\
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

/// Where PostgreSQL's programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds `initdb`, `postgres` and `psql`: on the path, where `pg_config` says, or where Debian, Red Hat and
    /// Homebrew put them, the newest version first.
    ///
    /// # Errors
    /// [`ServerError::NotFound`].
    pub fn find() -> Result<Self, ServerError> {
        let configured = Command::new("pg_config")
            .arg("--bindir")
            .output()
            .ok()
            .and_then(|output| String::from_utf8(output.stdout).ok())
            .map(|text| PathBuf::from(text.trim()));
        folders()
            .into_iter()
            .chain(configured)
            .chain(versions("/usr/lib/postgresql", "bin"))
            .chain(versions("/usr", "bin"))
            .chain(versions("/opt/homebrew/opt", "bin"))
            .find(|folder| {
                ["initdb", "postgres", "psql"]
                    .iter()
                    .all(|program| folder.join(program).is_file())
            })
            .map(|folder| Self { folder })
            .ok_or(ServerError::NotFound {
                engine: "postgres",
                hint: "install PostgreSQL's server package, or let `cargo xtask test` do it as root on Debian",
            })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The `<child>` folders of the versioned folders in `parent`, the newest first.
fn versions(parent: &str, child: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name
                .strip_prefix("postgresql@")
                .or(name.strip_prefix("pgsql-"))
                .unwrap_or(&name);
            Some((number.parse().ok()?, entry.path().join(child)))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// A cluster one can talk to as superuser, whoever started it.
#[derive(Debug, Clone)]
pub struct Cluster {
    programs: Programs,
    host: String,
    port: u16,
}

impl Cluster {
    /// The cluster at `postgresql://postgres@host:port/...`, as [`Cluster::url`] writes it.
    ///
    /// # Errors
    /// [`ServerError::Address`], and [`ServerError::NotFound`] when there is no `psql` to talk to it.
    pub fn at(url: &str) -> Result<Self, ServerError> {
        let bad = || ServerError::Address {
            text: url.to_owned(),
        };
        let rest = url.strip_prefix("postgresql://postgres@").ok_or_else(bad)?;
        let address = rest.split('/').next().unwrap_or(rest);
        let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
        Ok(Self {
            programs: Programs::find()?,
            host: host.to_owned(),
            port: port.parse().map_err(|_| bad())?,
        })
    }

    /// The host it listens on.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgresql://{SUPERUSER}@{}:{}/{database}",
            self.host, self.port
        )
    }

    /// Runs statements as superuser and gives what came back, one line a row, unaligned and without headings.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, ServerError> {
        let program = self.programs.program("psql");
        let mut command = Command::new(&program);
        command
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statements,
            ])
            .arg(self.url(database));
        finish(&program, &mut command)
    }

    /// Makes an empty database with a login role that owns it and whose password is `password`.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn create_database(
        &self,
        database: &str,
        owner: &str,
        password: &str,
    ) -> Result<(), ServerError> {
        let (database, owner) = (quoted(database), quoted(owner));
        let password = password.replace('\'', "''");
        self.sql(
            "postgres",
            &format!("CREATE ROLE {owner} LOGIN PASSWORD '{password}'"),
        )?;
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {database} OWNER {owner}"),
        )?;
        Ok(())
    }

    /// Removes a database and its owner, whoever is still connected.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with the server's words.
    pub fn drop_database(&self, database: &str, owner: &str) -> Result<(), ServerError> {
        let (database, owner) = (quoted(database), quoted(owner));
        self.sql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        )?;
        self.sql("postgres", &format!("DROP ROLE IF EXISTS {owner}"))?;
        Ok(())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A running server of our own. Dropping it kills the server under whoever is connected.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    running: Running,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// [`ServerError`]; kind `NotFound` when PostgreSQL is not on this machine.
    pub fn start() -> Result<Self, ServerError> {
        let programs = Programs::find()?;
        on_free_port(|| Self::start_once(programs.clone(), None))
    }

    /// Makes a cluster whose connections can be encrypted, with this certificate and its key in PEM form, and starts
    /// it.
    ///
    /// # Errors
    /// [`ServerError`]; kind `NotFound` when PostgreSQL is not on this machine.
    pub fn encrypted(certificate: &str, key: &str) -> Result<Self, ServerError> {
        let programs = Programs::find()?;
        on_free_port(|| Self::start_once(programs.clone(), Some((certificate, key))))
    }

    /// Kills it under whoever is connected.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// The cluster it serves.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn start_once(programs: Programs, tls: Option<(&str, &str)>) -> Result<Self, ServerError> {
        let mut launch = Launch::prepare("postgres", &ACCOUNTS)?;
        let folder = launch.folder().to_owned();
        let data = folder.join("data");
        let locale = if cfg!(target_os = "linux") {
            "C.UTF-8"
        } else {
            "C"
        };
        let initdb = words([
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--username=postgres",
        ]);
        launch.run(
            &programs.program("initdb"),
            &[
                initdb,
                vec![
                    format!("--locale={locale}").into(),
                    "--pgdata".into(),
                    data.clone().into(),
                ],
            ]
            .concat(),
        )?;
        fs::write(data.join("pg_hba.conf"), ACCESS_RULES)?;

        let port = free_port()?;
        let mut args = settings(&data, port);
        if let Some((certificate, key)) = tls {
            launch.write_secret(&data.join("server.crt"), certificate)?;
            launch.write_secret(&data.join("server.key"), key)?;
            args.extend(words(["-c", "ssl=on"]));
        }
        let running = launch.start(
            &programs.program("postgres"),
            &args,
            StopSignal::Quit,
            is_ready,
        )?;
        let cluster = Cluster {
            programs,
            host: "127.0.0.1".to_owned(),
            port,
        };
        for database in ["template1", "postgres"] {
            cluster.sql(database, "CREATE EXTENSION pg_stat_statements")?;
        }
        Ok(Self { cluster, running })
    }
}

fn settings(data: &Path, port: u16) -> Vec<OsString> {
    let mut args = vec![OsString::from("-D"), data.into()];
    let port = port.to_string();
    for (name, value) in [
        ("listen_addresses", "127.0.0.1"),
        ("port", port.as_str()),
        ("unix_socket_directories", ""),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("pg_stat_statements.track", "all"),
        // Many tests share one server, and none may push another's statements out.
        ("pg_stat_statements.max", "50000"),
        ("track_commit_timestamp", "on"),
        ("max_connections", "100"),
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
    ] {
        args.push("-c".into());
        args.push(format!("{name}={value}").into());
    }
    args
}

/// The postmaster writes `ready` on the eighth line of its pid file once it takes connections.
fn is_ready(folder: &Path) -> bool {
    fs::read_to_string(folder.join("data/postmaster.pid")).is_ok_and(|text| {
        text.lines()
            .nth(7)
            .is_some_and(|line| line.trim() == "ready")
    })
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needed;

    #[test]
    fn an_address_is_read_back() {
        let Some(programs) = needed(Programs::find()) else {
            return;
        };
        let cluster = Cluster {
            programs,
            host: "127.0.0.1".into(),
            port: 5433,
        };
        let again = Cluster::at(&cluster.url("postgres")).unwrap();
        assert_eq!((again.host(), again.port()), ("127.0.0.1", 5433));
        assert!(Cluster::at("mysql://root@127.0.0.1:3306/").is_err());
        assert!(Cluster::at("postgresql://postgres@127.0.0.1/").is_err());
    }

    #[test]
    fn a_role_needs_its_password_and_the_superuser_none() {
        if needed(Programs::find()).is_none() {
            return;
        }
        let server = Postgres::start().unwrap();
        let cluster = server.cluster();
        cluster
            .create_database("The \"shop\"", "clerk", "it's secret")
            .unwrap();
        assert_eq!(
            cluster
                .sql(
                    "The \"shop\"",
                    "SELECT count(*) >= 0 FROM pg_stat_statements"
                )
                .map_err(|error| error.to_string()),
            Ok("t\n".to_owned())
        );
        let psql = cluster.programs.program("psql");
        let login = |password: &str| {
            Command::new(&psql)
                .env("PGPASSWORD", password)
                .args([
                    "-X",
                    "-w",
                    "-h",
                    "127.0.0.1",
                    "-U",
                    "clerk",
                    "-c",
                    "SELECT 1",
                ])
                .args(["-p", &cluster.port().to_string(), "-d", "The \"shop\""])
                .output()
                .unwrap()
                .status
                .success()
        };
        assert!(login("it's secret"));
        assert!(!login("guess"));
        cluster.drop_database("The \"shop\"", "clerk").unwrap();
        assert_eq!(
            cluster
                .sql(
                    "postgres",
                    "SELECT count(*) FROM pg_roles WHERE rolname = 'clerk'"
                )
                .unwrap(),
            "0\n"
        );
    }
}
