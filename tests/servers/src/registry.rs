//! A container registry: Debian's `docker-registry`, with its blobs in a temporary folder.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use crate::ServerError;
use crate::process::{Launch, Running, StopSignal, free_port, on_free_port};
use crate::program::find_program;

const ACCOUNTS: [&str; 2] = ["nobody", "www-data"];
/// The password below, as the registry wants it: with bcrypt.
const PASSWORD_HASH: &str = "$2y$05$abcdefghijklmnopqrstuuQmgVhJB4.UZaS4LBmqBPMX2gnCHRXNO";

/// Who a registry lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doors {
    /// Everybody.
    Open,
    /// Only [`Registry::USER`] with [`Registry::PASSWORD`].
    Locked,
}

/// A running registry of our own, without encryption.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    running: Running,
}

impl Registry {
    /// Who is let in when the doors are locked.
    pub const USER: &str = "clerk";
    /// With this password, which begins as every password of the tests does.
    pub const PASSWORD: &str = "canary7f3a-registry";

    fn program() -> Result<PathBuf, ServerError> {
        find_program("docker-registry").ok_or(ServerError::NotFound {
            engine: "docker-registry",
            hint: "install Debian's package of that name, or let `cargo xtask test` do it as root on Debian",
        })
    }

    /// Whether the registry's program is on this machine.
    #[must_use]
    pub fn is_installed() -> bool {
        Self::program().is_ok()
    }

    /// Starts an empty registry.
    ///
    /// # Errors
    /// [`ServerError`]; kind `NotFound` when its program is not on this machine.
    pub fn start(doors: Doors) -> Result<Self, ServerError> {
        let program = Self::program()?;
        on_free_port(|| Self::start_once(&program, doors))
    }

    fn start_once(program: &Path, doors: Doors) -> Result<Self, ServerError> {
        let launch = Launch::prepare("registry", &ACCOUNTS)?;
        let folder = launch.folder().to_owned();
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let mut config = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  delete:\n    enabled: true\n  \
             filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n  secret: not-secret\n",
            folder.join("blobs").display()
        );
        if doors == Doors::Locked {
            let passwords = folder.join("passwords");
            fs::write(&passwords, format!("{}:{PASSWORD_HASH}\n", Self::USER))?;
            config.push_str(&format!(
                "auth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
                passwords.display()
            ));
        }
        let config_path = folder.join("config.yml");
        fs::write(&config_path, config)?;
        let running = launch.start(
            program,
            &["serve".into(), config_path.into()],
            StopSignal::Terminate,
            |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
        )?;
        Ok(Self { port, running })
    }

    /// Its name in references, such as `127.0.0.1:5000`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it keeps everything, gone with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.running.folder()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::needed;

    fn status(registry: &Registry, login: &str) -> String {
        let mut stream = TcpStream::connect(registry.name()).unwrap();
        write!(
            stream,
            "GET /v2/ HTTP/1.0\r\nHost: {}\r\n{login}\r\n",
            registry.name()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn doors_are_open_or_locked() {
        if needed(Registry::program()).is_none() {
            return;
        }
        let open = Registry::start(Doors::Open).unwrap();
        assert!(status(&open, "").contains(" 200 "));
        let locked = Registry::start(Doors::Locked).unwrap();
        assert!(status(&locked, "").contains(" 401 "));
        // `clerk:canary7f3a-registry`
        let login = "Authorization: Basic Y2xlcms6Y2FuYXJ5N2YzYS1yZWdpc3RyeQ==\r\n";
        assert!(status(&locked, login).contains(" 200 "));
    }
}
