//! Where the commands of a page run: what the reader is thought to have by then.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use bowline_servers::{Answer, Doors, HttpServer, ImageStore, Registry};
use bowline_simulator::Server;
use libtest_mimic::Failed;
use serde_json::json;

use super::page::Block;
use crate::connector::{Engine, connect_args, write_credentials, write_simulated};
use crate::image_sandbox::run;
use crate::needs::{Need, binary};
use crate::sandbox::{PATIENCE, Ran, Sandbox};

/// What a workspace holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    /// Nothing.
    Empty,
    /// A connector of the engine's own pack, over a database with a small shop in it.
    Shop { name: String, engine: Engine },
    /// The same over SQLite, with no more than the standard's templates.
    Bare { name: String },
    /// A connector of a PostgreSQL database that logs in as the superuser, with tables in two schemas.
    Superuser { name: String },
    /// A connector in Python over a shop in a SQLite file.
    Python { name: String },
    /// A pipeline connector over an orchestrator that answers.
    Pipeline { name: String },
}

impl Setting {
    pub(super) fn parse(name: &str, on: &str) -> Option<Self> {
        let name = name.to_owned();
        let shop = |engine| Self::Shop {
            name: name.clone(),
            engine,
        };
        Some(match on {
            "postgres" => shop(Engine::Postgres),
            "postgres as its superuser" => Self::Superuser { name },
            "duckdb" => shop(Engine::DuckDb),
            "sqlite" => shop(Engine::Sqlite),
            "ansi" => Self::Bare { name },
            "python" => Self::Python { name },
            "simulator" => Self::Pipeline { name },
            _ => return None,
        })
    }

    pub(super) fn needs(&self) -> &'static [Need] {
        match self {
            Self::Shop { engine, .. } => engine.needs(),
            Self::Superuser { .. } => &[Need::Postgres],
            Self::Python { .. } => &[Need::Python],
            Self::Empty | Self::Bare { .. } | Self::Pipeline { .. } => &[],
        }
    }
}

/// What joins a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beside {
    /// A pipeline connector over an orchestrator that answers.
    Pipeline(String),
    /// A small base for agents, `oci:base:1`.
    Base,
    /// A registry that answers for a host, and holds a small base under this name and tag.
    Registry { host: String, image: String },
    /// A platform that answers for a host, and takes whatever is posted to a path, as something must be.
    Platform { host: String, path: String },
}

impl Beside {
    pub(super) fn parse(words: &str) -> Option<Self> {
        if words == "the base" {
            return Some(Self::Base);
        }
        if let Some(image) = words.strip_prefix("the registry ") {
            let (host, image) = image.split_once('/')?;
            return Some(Self::Registry {
                host: host.to_owned(),
                image: image.to_owned(),
            });
        }
        if let Some(host) = words.strip_prefix("the platform ") {
            let (host, path) = host.split_once(", posted to ")?;
            return Some(Self::Platform {
                host: host.to_owned(),
                path: path.to_owned(),
            });
        }
        let name = words.strip_suffix(" on simulator")?;
        Some(Self::Pipeline(name.to_owned()))
    }

    pub(super) fn needs(&self) -> &'static [Need] {
        match self {
            Self::Pipeline(_) | Self::Platform { .. } => &[],
            Self::Base => &[Need::ImageTools],
            Self::Registry { .. } => &[Need::ImageTools, Need::Registry],
        }
    }
}

/// What the pages ask the shop about.
const SHOP: [&str; 5] = [
    "CREATE TABLE orders (id INTEGER, status VARCHAR(20), amount DECIMAL(10, 2), placed TIMESTAMP)",
    "INSERT INTO orders VALUES (1, 'open', 9.99, '2024-06-15 14:30:00'), (2, 'paid', 12.5, NULL), (3, NULL, 7, NULL)",
    "CREATE TABLE products (id INTEGER, name VARCHAR(40), price DECIMAL(10, 2))",
    "INSERT INTO products VALUES (1, 'rope', 4.5), (2, 'anchor', 99), (3, 'sail', 250)",
    "CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open'",
];

/// A workspace, with what has to live as long as it does.
pub(super) struct Place {
    pub(super) sandbox: Sandbox,
    servers: Vec<Server>,
    /// A registry, and the host that it answers for.
    registry: Option<(String, Registry)>,
    platform: Option<Platform>,
}

/// A platform for a host.
struct Platform {
    host: String,
    path: String,
    server: HttpServer,
    /// The paths that something was posted to.
    posted: Arc<Mutex<Vec<String>>>,
}

impl Place {
    pub(super) fn new(setting: &Setting) -> Result<Self, Failed> {
        let sandbox = match setting {
            Setting::Empty | Setting::Pipeline { .. } => Sandbox::new(),
            Setting::Shop { name, engine } => shop(name, *engine),
            Setting::Superuser { name } => superuser(name),
            Setting::Bare { name } => {
                let args = ["new", name, "--dialect", "ansi", "--driver", "sqlite"];
                over_sqlite(name, &args)
            }
            Setting::Python { name } => over_sqlite(
                name,
                &["new", name, "--lang", "python", "--dialect", "sqlite"],
            ),
        };
        std::fs::create_dir(sandbox.folder().join("bin"))?;
        std::os::unix::fs::symlink(binary(), sandbox.folder().join("bin/bowline"))?;
        let mut place = Self {
            sandbox,
            servers: Vec::new(),
            registry: None,
            platform: None,
        };
        if let Setting::Pipeline { name } = setting {
            place.add(&Beside::Pipeline(name.clone()))?;
        }
        Ok(place)
    }

    pub(super) fn add(&mut self, beside: &Beside) -> Result<(), Failed> {
        match beside {
            Beside::Pipeline(name) => {
                self.servers.push(write_simulated(&self.sandbox, name)?);
            }
            Beside::Base => drop(self.base()?),
            Beside::Platform { host, path } => {
                let posted = Arc::new(Mutex::new(Vec::new()));
                let heard = Arc::clone(&posted);
                let server = HttpServer::start(move |request| {
                    if request.method == "POST" {
                        heard.lock().expect("the posts").push(request.path.clone());
                    }
                    Answer::new(202, "{}")
                })?;
                self.platform = Some(Platform {
                    host: host.clone(),
                    path: path.clone(),
                    server,
                    posted,
                });
            }
            Beside::Registry { host, image } => {
                let base = self.base()?;
                let registry = Registry::start(Doors::Open)?;
                let target = format!("docker://{}/{image}", registry.name());
                run(Command::new("skopeo").args([
                    "copy",
                    "--quiet",
                    "--dest-tls-verify=false",
                    &base,
                    &target,
                ]));
                let settings = format!(
                    "[[registry]]\nlocation = \"{}\"\ninsecure = true\n",
                    registry.name()
                );
                let folder = self.sandbox.folder().join("home/.config/containers");
                std::fs::create_dir_all(&folder)?;
                std::fs::write(folder.join("registries.conf"), settings)?;
                self.registry = Some((host.clone(), registry));
            }
        }
        Ok(())
    }

    /// Makes a base in a layout, and gives it as programs of others name it.
    fn base(&self) -> Result<String, Failed> {
        let layout = self.sandbox.work().join("base");
        if !layout.exists() {
            ImageStore::new()?.busybox_base(&layout, "1")?;
        }
        Ok(format!("oci:{}:1", layout.display()))
    }

    /// Carries out a script, and compares what it says with what the block shows.
    pub(super) fn run(&self, block: &Block, script: &str) -> Result<(), Failed> {
        for before in block.after() {
            let ran = self.shell(before);
            if ran.exit != Some(0) {
                return Err(format!("line {}: {before}\n{}", block.line, ran.said()).into());
            }
        }
        let ran = match block.until() {
            Some(text) => self.stopped(script, text)?,
            None => self.shell(script),
        };
        let place = format!("line {}: {script}\n{}", block.line, ran.said());
        if block.until().is_none() && ran.exit != Some(block.exit()) {
            return Err(place.into());
        }
        let said = format!("{}\n{}", ran.stdout, ran.stderr);
        // What a command says that is not run is not heard.
        let is_whole = block.not_run().is_none();
        for line in block.output.iter().filter(|_| is_whole) {
            if !said.lines().any(|said| reads(line, said.trim())) {
                return Err(format!("it does not say `{line}`\n{place}").into());
            }
        }
        if let Some(Platform { path, posted, .. }) = &self.platform {
            let posted = posted.lock().expect("the posts");
            if !posted.contains(path) {
                return Err(format!("nothing is posted to `{path}`: {posted:?}\n{place}").into());
            }
        }
        Ok(())
    }

    /// Runs a script to its end.
    pub(super) fn shell(&self, script: &str) -> Ran {
        self.sandbox.finish(&mut self.command(script), None)
    }

    /// Runs a script until it says something, and stops it as Ctrl-C does.
    fn stopped(&self, script: &str, text: &str) -> Result<Ran, Failed> {
        let mut child = self
            .command(&format!("exec 2>&1\n{script}"))
            .process_group(0)
            .spawn()?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The receiver is gone only when the test gave up.
                let _late = sender.send(line);
            }
        });
        let mut said = String::new();
        let stop = |signal: &str| {
            let group = format!("-{}", child.id());
            Command::new("kill").args([signal, "--", &group]).status()
        };
        while !said.contains(text) {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                stop("-KILL")?;
                return Err(format!("it does not say `{text}`: {script}\n{said}").into());
            };
            said.push_str(&line);
            said.push('\n');
        }
        stop("-INT")?;
        let exit = child.wait()?.code();
        said.extend(lines.iter());
        Ok(Ran {
            exit,
            stdout: said,
            stderr: String::new(),
        })
    }

    /// A script, ready to run in the workspace, with the binary at hand.
    fn command(&self, script: &str) -> Command {
        let sandbox = &self.sandbox;
        let plain = sandbox.command_with_python(&[]);
        let path = format!("{}/bin:/usr/bin:/bin", sandbox.folder().display());
        let mut script = script.to_owned();
        if let Some((host, registry)) = &self.registry {
            script = script.replace(host, &registry.name());
        }
        if let Some(platform) = &self.platform {
            let address = format!("https://{}", platform.host);
            script = script.replace(&address, &platform.server.url());
        }
        let mut command = Command::new("sh");
        command
            .args(["-ec", &script])
            .current_dir(sandbox.work())
            .env_clear()
            .envs(
                plain
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("PATH", path)
            .env("SOURCES", super::root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Whether a line reads as a page shows it, `…` being any text.
fn reads(shown: &str, said: &str) -> bool {
    let mut rest = said;
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(behind) = rest.strip_prefix(first) else {
        return false;
    };
    rest = behind;
    let mut is_whole = !shown.contains('…');
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        is_whole = !part.is_empty();
    }
    !is_whole || rest.is_empty()
}

fn shop(name: &str, engine: Engine) -> Sandbox {
    let sandbox = match engine {
        Engine::Postgres => Sandbox::with_postgres(),
        Engine::DuckDb | Engine::Sqlite => Sandbox::new(),
    };
    let args = ["new", name, "--dialect", engine.name()];
    sandbox.bowline(&args).exits(0);
    match sandbox.database() {
        Some(database) => {
            write_credentials(&sandbox, name, &connect_args(database));
            let role = format!("SET ROLE {};", database.user);
            sandbox.sql(&format!("{role}{};ANALYZE orders", SHOP.join(";")));
        }
        None => fill(&sandbox, name),
    }
    sandbox
}

/// The shop over PostgreSQL and a stock beside it, as the superuser reaches them.
fn superuser(name: &str) -> Sandbox {
    let sandbox = shop(name, Engine::Postgres);
    sandbox.sql(
        "CREATE SCHEMA back; CREATE TABLE back.stock (n int); INSERT INTO back.stock VALUES (1); ANALYZE back.stock",
    );
    let mut login = connect_args(sandbox.database().expect("a database"));
    login["user"] = json!("postgres");
    login["password"] = json!("");
    write_credentials(&sandbox, name, &login);
    sandbox
}

/// A workspace with a connector that a command makes, over a shop in a SQLite file.
fn over_sqlite(name: &str, new: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.bowline(new).exits(0);
    fill(&sandbox, name);
    sandbox
}

/// Puts the shop into a database file of an embedded engine.
fn fill(sandbox: &Sandbox, name: &str) {
    write_credentials(sandbox, name, &json!({ "path": "shop.db" }));
    for statement in SHOP {
        sandbox.bowline(&["query", "-c", name, statement]).exits(0);
    }
}
