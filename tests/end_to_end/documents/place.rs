//! Where the commands of a page run: what the reader is thought to have by then.

use std::process::{Command, Stdio};

use bowline_simulator::Server;
use libtest_mimic::Failed;
use serde_json::json;

use super::page::Block;
use crate::connector::{Engine, connect_args, simulated, write_credentials};
use crate::needs::{Need, binary};
use crate::sandbox::{Ran, Sandbox};

/// What a workspace holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    /// Nothing.
    Empty,
    /// A connector of the engine's own pack, over a database with a small shop in it.
    Shop { name: String, engine: Engine },
    /// The same over SQLite, with no more than the standard's templates.
    Bare { name: String },
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
            "duckdb" => shop(Engine::DuckDb),
            "sqlite" => shop(Engine::Sqlite),
            "ansi" => Self::Bare { name },
            "simulator" => Self::Pipeline { name },
            _ => return None,
        })
    }

    pub(super) fn needs(&self) -> &'static [Need] {
        match self {
            Self::Shop { engine, .. } => engine.needs(),
            Self::Empty | Self::Bare { .. } | Self::Pipeline { .. } => &[],
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
    sandbox: Sandbox,
    _server: Option<Server>,
}

impl Place {
    pub(super) fn new(setting: &Setting) -> Result<Self, Failed> {
        let mut server = None;
        let sandbox = match setting {
            Setting::Empty => Sandbox::new(),
            Setting::Shop { name, engine } => shop(name, *engine),
            Setting::Bare { name } => {
                let sandbox = Sandbox::new();
                let args = ["new", name, "--dialect", "ansi", "--driver", "sqlite"];
                sandbox.bowline(&args).exits(0);
                fill(&sandbox, name);
                sandbox
            }
            Setting::Pipeline { name } => {
                let (sandbox, started) = simulated(name)?;
                server = Some(started);
                sandbox
            }
        };
        std::fs::create_dir(sandbox.folder().join("bin"))?;
        std::os::unix::fs::symlink(binary(), sandbox.folder().join("bin/bowline"))?;
        Ok(Self {
            sandbox,
            _server: server,
        })
    }

    /// Carries out a script, and compares what it says with what the block shows.
    pub(super) fn run(&self, block: &Block, script: &str) -> Result<(), Failed> {
        for before in block.after() {
            let ran = self.shell(before);
            if ran.exit != Some(0) {
                return Err(format!("line {}: {before}\n{}", block.line, ran.said()).into());
            }
        }
        let ran = self.shell(script);
        let place = format!("line {}: {script}\n{}", block.line, ran.said());
        if ran.exit != Some(block.exit()) {
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
        Ok(())
    }

    /// Runs a script in the workspace, with the binary at hand.
    fn shell(&self, script: &str) -> Ran {
        let sandbox = &self.sandbox;
        let plain = sandbox.command_with_python(&[]);
        let path = format!("{}/bin:/usr/bin:/bin", sandbox.folder().display());
        let mut command = Command::new("sh");
        command
            .args(["-ec", script])
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
        sandbox.finish(&mut command, None)
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

/// Puts the shop into a database file of an embedded engine.
fn fill(sandbox: &Sandbox, name: &str) {
    write_credentials(sandbox, name, &json!({ "path": "shop.db" }));
    for statement in SHOP {
        sandbox.bowline(&["query", "-c", name, statement]).exits(0);
    }
}
