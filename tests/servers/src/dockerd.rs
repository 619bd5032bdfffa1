//! A Docker engine of a test's own, started by hand as root.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ServerError;
use crate::program::{find_program, folders};

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAMS: [&str; 2] = ["dockerd", "docker"];

/// A running Docker daemon with a store of its own. Its containers have the machine's network, and only that.
#[derive(Debug)]
pub struct Docker {
    daemon: Child,
    folder: TempDir,
}

impl Docker {
    /// Whether a daemon can be started here: its programs are there, and whoever asks is root.
    #[must_use]
    pub fn is_installed() -> bool {
        let is_root = Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout == b"0\n");
        is_root
            && PROGRAMS
                .into_iter()
                .all(|name| find_program(name).is_some())
    }

    /// Starts a daemon with an empty store.
    ///
    /// # Errors
    /// [`ServerError`]; its log is in it when it does not start.
    pub fn start() -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new()
            .prefix("bowline-docker-")
            .tempdir()
            .map_err(ServerError::Folder)?;
        let below = |name: &str| folder.path().join(name);
        let log = File::create(below("log")).map_err(ServerError::Folder)?;
        let errors = log.try_clone().map_err(ServerError::Folder)?;
        let path = std::env::join_paths(folders()).unwrap_or_default();
        let daemon = Command::new("dockerd")
            .args([
                "--storage-driver",
                "vfs",
                "--iptables=false",
                "--bridge=none",
            ])
            .arg("--host")
            .arg(format!("unix://{}", below("socket").display()))
            .arg("--data-root")
            .arg(below("data"))
            .arg("--exec-root")
            .arg(below("exec"))
            .arg("--pidfile")
            .arg(below("pid"))
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|source| ServerError::Spawn {
                program: "dockerd".into(),
                source,
            })?;
        let mut docker = Self { daemon, folder };
        docker.wait()?;
        Ok(docker)
    }

    /// The address of the daemon, for `DOCKER_HOST`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    /// Runs `docker` with arguments and gives what it wrote.
    ///
    /// # Errors
    /// [`ServerError`] with its words when it fails.
    pub fn docker(&self, arguments: &[&str]) -> Result<String, ServerError> {
        let output = Command::new("docker")
            .args(arguments)
            .env("DOCKER_HOST", self.address())
            .output()
            .map_err(|source| ServerError::Spawn {
                program: "docker".into(),
                source,
            })?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(ServerError::Failed {
                program: "docker".into(),
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            })
        }
    }

    fn wait(&mut self) -> Result<(), ServerError> {
        let started = Instant::now();
        while self.docker(&["version"]).is_err() {
            let log = || {
                let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let last: Vec<&str> = text.lines().rev().take(10).collect();
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            };
            if matches!(self.daemon.try_wait(), Ok(Some(_))) {
                return Err(ServerError::Ended { log: log() });
            }
            if started.elapsed() > PATIENCE {
                return Err(ServerError::NotReady {
                    seconds: PATIENCE.as_secs(),
                    log: log(),
                });
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // Asked to end, it stops its containers and its own helper too; killed, it would leave them.
        let asked = Command::new("kill")
            .arg(self.daemon.id().to_string())
            .status();
        if asked.is_err() {
            let _ = self.daemon.kill();
        }
        let _ = self.daemon.wait();
        // The daemon leaves its containers' network mounted, and the folder could not be removed.
        let _ = Command::new("umount")
            .arg(self.folder.path().join("exec/netns/default"))
            .stderr(Stdio::null())
            .status();
    }
}
