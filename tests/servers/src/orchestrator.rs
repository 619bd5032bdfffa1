//! Orchestrators as their vendors ship them, each in a Python environment that others make, with a few jobs and a run
//! in every state.
//!
//! To add one: a folder in `tests/orchestrators` with what it has to run and a `seed.py`, and an answer in each function
//! of [`Vendor`].

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Launch, Running, StopSignal, finish, free_port};
use crate::{Cluster, Postgres, ServerError};

const USER: &str = "clerk";
/// Begins as every password of the tests does.
const PASSWORD: &str = "canary7f3a-orchestrator";
/// Clears the environment before a program runs, so that no setting of the tester's reaches it.
const ENV: &str = "/usr/bin/env";
/// How long one question whether a server is ready may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Files in a folder of `tests/orchestrators`, with what is in them.
macro_rules! files {
    ($vendor:literal: $($name:literal),+) => {
        &[$(($name, include_str!(concat!("../../orchestrators/", $vendor, "/", $name)))),+]
    };
}

/// An orchestrator that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Prefect's own server.
    Prefect,
    /// Dagster's web server and daemon, with one code location that loads and one that does not.
    Dagster,
    /// Airflow's API server, scheduler and DAG processor, with a file of DAGs that loads and one that does not.
    Airflow,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prefect, Self::Dagster, Self::Airflow];

    /// Whether it is part of every test run. The others take a gigabyte and minutes each, and are asked for.
    #[must_use]
    pub fn is_cheap(self) -> bool {
        self == Self::Prefect
    }

    /// Its name: of the folder in `tests/orchestrators`, and of the connector that is like it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefect => "prefect",
            Self::Dagster => "dagster",
            Self::Airflow => "airflow",
        }
    }

    /// The environment variable that names the Python with the packages of its `requirements.txt`.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Prefect => "BOWLINE_PREFECT_PYTHON",
            Self::Dagster => "BOWLINE_DAGSTER_PYTHON",
            Self::Airflow => "BOWLINE_AIRFLOW_PYTHON",
        }
    }

    /// What its folder needs.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Prefect => files!("prefect": "flows.py", "seed.py"),
            Self::Dagster => files!(
                "dagster": "broken.py", "dagster.yaml", "seed.py", "shop.py", "workspace.yaml"
            ),
            Self::Airflow => files!(
                "airflow": "airflow.cfg", "dags/broken.py", "dags/shop.py", "seed.py", "serve.py"
            ),
        }
    }

    /// Whether it keeps what it knows in a PostgreSQL.
    ///
    /// Airflow's API server writes its access log on the thread that all its requests wait for. In SQLite, a request
    /// that is about to commit blocks that write and is itself blocked by it, until the scheduler gives up and ends.
    fn needs_postgres(self) -> bool {
        self == Self::Airflow
    }

    /// What the server and the seed find in their environment.
    fn settings(
        self,
        folder: &Path,
        port: u16,
        database: Option<&Cluster>,
    ) -> Vec<(&'static str, OsString)> {
        match self {
            Self::Prefect => {
                let login = format!("{USER}:{PASSWORD}");
                vec![
                    ("DO_NOT_TRACK", "1".into()),
                    ("PREFECT_API_AUTH_STRING", login.clone().into()),
                    ("PREFECT_API_URL", self.api_url(port).into()),
                    ("PREFECT_HOME", folder.join("prefect").into()),
                    ("PREFECT_SERVER_ANALYTICS_ENABLED", "false".into()),
                    ("PREFECT_SERVER_API_AUTH_STRING", login.into()),
                    ("PREFECT_SERVER_UI_ENABLED", "false".into()),
                ]
            }
            Self::Dagster => vec![
                ("DAGSTER_DISABLE_TELEMETRY", "yes".into()),
                ("DAGSTER_HOME", folder.into()),
                ("SERVER_PORT", port.to_string().into()),
            ],
            Self::Airflow => {
                let url = self.api_url(port);
                let database = database.map(|cluster| {
                    let url = cluster.url("postgres");
                    url.replacen("postgresql", "postgresql+psycopg2", 1).into()
                });
                let mut settings = vec![
                    ("AIRFLOW_HOME", folder.into()),
                    ("AIRFLOW__API__BASE_URL", url.clone().into()),
                    ("AIRFLOW__API__PORT", port.to_string().into()),
                    (
                        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
                        format!("{url}/execution/").into(),
                    ),
                    (
                        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
                        format!("{USER}:admin").into(),
                    ),
                    ("NO_PROXY", "*".into()),
                    ("SERVER_PASSWORD", PASSWORD.into()),
                    ("SERVER_USER", USER.into()),
                ];
                settings.extend(database.map(|url| ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", url)));
                settings
            }
        }
    }

    /// How its Python is asked to serve.
    fn serve(self, port: u16) -> Vec<OsString> {
        let (words, host_option) = match self {
            // Its settings say where.
            Self::Airflow => return vec!["serve.py".into()],
            Self::Prefect => (&["-m", "prefect", "server", "start"][..], "--host"),
            Self::Dagster => (&["-m", "dagster", "dev", "-w", "workspace.yaml"][..], "-h"),
        };
        let port = port.to_string();
        [words, &[host_option, "127.0.0.1", "--port", &port]]
            .concat()
            .into_iter()
            .map(OsString::from)
            .collect()
    }

    /// What answers with 200 once it is ready, without a login.
    fn ready(self) -> &'static str {
        match self {
            Self::Prefect => "/api/health",
            Self::Dagster => "/server_info",
            Self::Airflow => "/api/v2/version",
        }
    }

    fn api_url(self, port: u16) -> String {
        let server = format!("http://127.0.0.1:{port}");
        match self {
            Self::Prefect => format!("{server}/api"),
            Self::Dagster | Self::Airflow => server,
        }
    }
}

/// A running orchestrator that has jobs and runs. Dropping it stops it.
#[derive(Debug)]
pub struct Orchestrator {
    vendor: Vendor,
    port: u16,
    running: Running,
    // Stopped after the server, which is why it stands behind it.
    _database: Option<Postgres>,
}

impl Orchestrator {
    /// Starts one and lets it make a history, with the Python that [`Vendor::variable`] is about.
    ///
    /// # Errors
    /// [`ServerError`] with what the server or the seed said last.
    pub fn start(vendor: Vendor, python: &Path) -> Result<Self, ServerError> {
        let database = vendor.needs_postgres().then(Postgres::start).transpose()?;
        let launch = Launch::as_caller(vendor.name())?;
        let folder = launch.folder().to_owned();
        for (name, text) in vendor.files() {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, text)?;
        }
        let port = free_port()?;
        let cluster = database.as_ref().map(Postgres::cluster);
        let mut words = environment(&folder, vendor.settings(&folder, port, cluster));
        words.push(python.into());
        let serve = [words.clone(), vendor.serve(port)].concat();
        let running = launch.start(
            &PathBuf::from(ENV),
            &serve,
            StopSignal::TerminateGroup,
            |_| answers(port, vendor.ready()),
        )?;
        let orchestrator = Self {
            vendor,
            port,
            running,
            _database: database,
        };
        let mut seed = Command::new(ENV);
        seed.args(words).arg("seed.py").current_dir(folder);
        finish(python, &mut seed)?;
        Ok(orchestrator)
    }

    /// What a connector connects with: the `connect_args` of its credentials.
    #[must_use]
    pub fn connect_args(&self) -> Vec<(&'static str, String)> {
        let url = self.vendor.api_url(self.port);
        match self.vendor {
            Vendor::Prefect | Vendor::Airflow => vec![
                ("api_url", url),
                ("username", USER.to_owned()),
                ("password", PASSWORD.to_owned()),
            ],
            Vendor::Dagster => vec![("api_url", url)],
        }
    }

    /// Its address without a path, such as `http://127.0.0.1:4200`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it keeps everything, gone with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.running.folder()
    }
}

/// What `env` is told: to forget the environment and set this one.
fn environment(folder: &Path, settings: Vec<(&'static str, OsString)>) -> Vec<OsString> {
    let common = [
        ("HOME", folder.as_os_str().to_owned()),
        ("LANG", "C.UTF-8".into()),
        ("PATH", "/usr/bin:/bin".into()),
        ("TMPDIR", folder.as_os_str().to_owned()),
    ];
    let set = |(name, value): (&str, OsString)| {
        let mut word = OsString::from(format!("{name}="));
        word.push(value);
        word
    };
    std::iter::once("-i".into())
        .chain(common.map(set))
        .chain(settings.into_iter().map(set))
        .collect()
}

/// Whether a server on this port answers a question with 200.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| {
        answer
            .lines()
            .next()
            .is_some_and(|line| line.contains(" 200 "))
    })
}
