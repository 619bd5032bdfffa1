//! `cargo xtask bench`: how long the release binary takes over the whole suite, near and far, and how much
//! memory. Method and numbers are written down in `docs/benchmarks.md`.

mod catalogues;
mod images;
mod measure;
mod metrics;
mod pipelines;
mod proxy;
mod query_logs;
mod record;
mod waits;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bowline_servers::Cluster;

use crate::figures;
use crate::process::{self, Failure, cargo, run_quietly, step, target};
use crate::provide::{driver_folder, install_driver, oracles, postgres};
use measure::{Clock, Figures, repeat};
use record::{Goal, Row};

const DEFAULT_RUNS: usize = 21;
/// Runs over the far server take long and vary little.
const FAR_RUNS: usize = 5;
const ROUND_TRIP: Duration = Duration::from_millis(50);
const ROLE: &str = "bench";
const PASSWORD: &str = "bench-password";
const DATABASE: &str = "shop";
const SHOP: &str = "
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, email text, joined timestamptz);
CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers, total numeric(10, 2));
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
INSERT INTO customers SELECT i, 'customer ' || i, NULL, now() FROM generate_series(1, 1000) AS i;
INSERT INTO orders SELECT i, i % 1000 + 1, i FROM generate_series(1, 5000) AS i;
ANALYZE;
";

struct Options {
    runs: usize,
    record: Option<PathBuf>,
    cold_build: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            runs: DEFAULT_RUNS,
            record: None,
            cold_build: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("no value for `{arg}`"));
            match arg.as_str() {
                "--cold-build" => options.cold_build = true,
                "--record" => options.record = Some(PathBuf::from(value()?)),
                "--runs" => {
                    let text = value()?;
                    options.runs = text
                        .parse()
                        .ok()
                        .filter(|runs| *runs > 0)
                        .ok_or_else(|| format!("not a number of runs: `{text}`"))?;
                }
                _ => return Err(format!("unknown argument: `{arg}`")),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    let mut rows = Vec::new();

    step("the release binary");
    process::run(&mut cargo(&["build", "--release", "--package", "bowline"]))?;
    let bowline = Bowline {
        binary: target()?.join("release/bowline"),
    };
    let venv = oracles()?;
    for driver in ["duckdb", "postgresql"] {
        install_driver(&bowline.binary, driver, venv.parent())?;
    }

    step("PostgreSQL");
    let server = postgres()?;
    let cluster = server.cluster();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, cluster.port()));
    let far = proxy::start(address, ROUND_TRIP / 2)
        .map_err(|error| format!("cannot start the proxy: {error}"))?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let workspace = folder.path();
    fill(cluster)?;
    let here = (cluster.port(), DATABASE);
    bowline.scaffold(workspace, "near", &[], here)?;
    bowline.scaffold(workspace, "far", &[], (far, DATABASE))?;
    bowline.scaffold(workspace, "edited", &[], here)?;
    edit_a_template(workspace)?;

    step("DuckDB");
    let demo = workspace.join("demo");
    run_quietly(bowline.command(workspace).arg("demo").arg(&demo))?;

    let seconds = Duration::from_secs_f64;
    let mut add = |what, goal, figures| rows.push(Row::new(what, goal, figures));
    step("the whole suite on PostgreSQL");
    let near = bowline.measure(workspace, &["test", "near"], options.runs)?;
    add(
        "whole suite, PostgreSQL",
        Goal::new(seconds(0.4), 100),
        near,
    );
    step("the whole suite on DuckDB");
    let duckdb = bowline.measure(&demo, &["test"], options.runs)?;
    add("whole suite, DuckDB", Goal::new(seconds(0.4), 200), duckdb);
    step("the whole suite on PostgreSQL through a connector.py");
    bowline.scaffold(workspace, "python", &["--lang", "python"], here)?;
    // The first has its packages installed.
    run_quietly(
        bowline
            .command(workspace)
            .args(["query", "-c", "python", "SELECT 1"]),
    )?;
    let python = bowline.measure(workspace, &["test", "python"], options.runs)?;
    add(
        "whole suite, PostgreSQL through a connector.py over psycopg2",
        Goal::time(seconds(0.25)),
        python,
    );
    step("the whole suite on PostgreSQL, 50 ms added to every round trip");
    let far = bowline.measure(workspace, &["test", "far"], options.runs.min(FAR_RUNS))?;
    add(
        "whole suite, PostgreSQL, 50 ms added to every round trip",
        Goal::new(seconds(1.2), 100),
        far,
    );
    step("one section with one edited template");
    let section = ["test", "edited", "--section", "ql_metrics"];
    let edited = bowline.measure(workspace, &section, options.runs)?;
    add(
        "one section with one edited template, PostgreSQL",
        Goal::new(seconds(0.3), 100),
        edited,
    );

    rows.extend(waits::rows(&bowline, workspace, "near", options.runs)?);
    rows.extend(metrics::rows(
        &bowline,
        &demo,
        workspace,
        cluster,
        "near",
        options.runs,
    )?);
    rows.extend(catalogues::rows(
        &bowline,
        workspace,
        cluster,
        options.runs,
    )?);
    rows.extend(query_logs::rows(&bowline, workspace, options.runs)?);
    rows.extend(images::rows(&bowline, workspace, options.runs)?);
    let collecting = pipelines::rows(&bowline, &venv, workspace, options.runs)?;
    rows.extend(collecting);

    let cold_build = options.cold_build.then(cold_build).transpose()?;
    let report = record::report(&rows, cold_build);
    println!("{report}");
    match &options.record {
        Some(file) => figures::write(file, "bench", &report),
        None => Ok(()),
    }
}

struct Bowline {
    binary: PathBuf,
}

impl Bowline {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(folder);
        if let Ok(drivers) = driver_folder() {
            command.env("BOWLINE_DRIVER_DIR", drivers);
        }
        command
    }

    fn scaffold(
        &self,
        workspace: &Path,
        name: &str,
        options: &[&str],
        (port, database): (u16, &str),
    ) -> Result<(), Failure> {
        self.scaffold_for("postgres", workspace, name, options, (port, database))
    }

    fn scaffold_for(
        &self,
        dialect: &str,
        workspace: &Path,
        name: &str,
        options: &[&str],
        (port, database): (u16, &str),
    ) -> Result<(), Failure> {
        run_quietly(
            self.command(workspace)
                .args(["new", name, "--dialect", dialect])
                .args(options),
        )?;
        let credentials = format!(
            r#"{{"connect_args": {{"host": "127.0.0.1", "port": {port}, "database": "{database}", "user": "{ROLE}", "password": "{PASSWORD}"}}}}"#
        );
        write(
            &workspace
                .join("connectors")
                .join(name)
                .join("credentials.json"),
            &credentials,
        )
    }

    fn measure(&self, folder: &Path, args: &[&str], runs: usize) -> Result<Figures, Failure> {
        repeat(runs, &[0], Clock::Process, || {
            let mut command = self.command(folder);
            command.args(args);
            command
        })
    }
}

fn fill(cluster: &Cluster) -> Result<(), Failure> {
    cluster
        .create_database(DATABASE, ROLE, PASSWORD)
        .and_then(|()| cluster.sql(DATABASE, &format!("SET ROLE {ROLE};{SHOP}")))
        .map(drop)
        .map_err(|error| error.to_string())
}

fn edit_a_template(workspace: &Path) -> Result<(), Failure> {
    let folder = workspace.join("connectors/edited/templates");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    write(
        &folder.join("get_avg_function.sql.j2"),
        "AVG( CAST({x} AS DOUBLE PRECISION) )\n",
    )
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

/// Builds the binary with nothing built before, in a folder of its own that is removed afterwards.
fn cold_build() -> Result<Duration, Failure> {
    step("a cold release build");
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    run_quietly(&mut cargo(&["fetch", "--locked"]))?;
    let begun = Instant::now();
    process::run(
        cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            "bowline",
            "--target-dir",
        ])
        .arg(folder.path()),
    )?;
    Ok(begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, Failure> {
        Options::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let options = parse(&["--runs", "3", "--cold-build"]).unwrap();
        assert_eq!((options.runs, options.cold_build), (3, true));
        assert!(options.record.is_none());
        assert!(parse(&["--runs", "0"]).is_err());
        assert!(parse(&["--record"]).is_err());
        assert!(parse(&["--fast"]).is_err());
    }
}
