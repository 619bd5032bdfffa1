//! Whole images in the hands of an agent: three kinds of connectors, built by both builders, loaded by a program that
//! does what the platform's agent does, also inside a container of a real engine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowline_contract::exit_code;
use bowline_servers::Docker;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::agent_shim::{Unpacked, recorded_prefect};
use crate::connector::{Engine, connection_type, write_credentials, write_example};
use crate::image_sandbox::{ImageSandbox, run};
use crate::needs::{Need, oracle_python, python, trial};
use crate::sandbox::{MARK, Ran, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "agent_images/three_connectors",
            &[
                Need::ImageTools,
                Need::Docker,
                Need::DuckDb,
                Need::PythonPackages,
            ],
            three_connectors,
        ),
        trial(
            "agent_images/packages",
            &[Need::ImageTools, Need::PythonPackages],
            packages,
        ),
        trial(
            "agent_images/test_in_a_container",
            &[Need::ImageTools, Need::Docker, Need::PythonPackages],
            test_in_a_container,
        ),
    ]
}

/// A connector in Python that needs a package, compiled for the image's platform.
const ESCAPING: &str = r#"import sqlite3

import markupsafe._speedups


class BaseConnector:
    def create_connection(self):
        return sqlite3.connect(self.credentials["path"], check_same_thread=False)

    def create_cursor(self):
        return self.connection.cursor()

    def execute_query(self, query):
        self.cursor.execute(query)

    def fetch_all_results(self):
        return [tuple(markupsafe.escape(value) for value in row) for row in self.cursor.fetchall()]

    def close_connection(self):
        self.connection.close()
"#;

/// The machine's Python and package clients, beside what the sandbox lets through.
fn bowline(sandbox: &Sandbox, more: &[(&str, std::ffi::OsString)], args: &[&str]) -> Ran {
    let mut command = sandbox.command_with_python(args);
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(more.iter().cloned());
    sandbox.finish(&mut command, None)
}

/// What an agent is asked to do with each of the connectors.
struct Jobs {
    jobs: Vec<Value>,
}

impl Jobs {
    fn of(sandbox: &Sandbox, vendor: &str) -> Self {
        let metadata = |database: &str, tables: &str| {
            json!([
                ["load", null],
                ["metadata", {"database_name": database, "schemas": "'main'", "tables": tables}],
                ["query", "SELECT count(*) AS n FROM customers"],
                ["close", null],
            ])
        };
        let path = sandbox.work().join("shop.db");
        let till = sandbox.work().join("till.db");
        let window = ["2026-11-22T00:00:00+00:00", "2026-11-23T01:00:00+01:00"];
        Self {
            jobs: vec![
                json!({
                    "connection_type": connection_type(sandbox, "output/duckdb"),
                    "connect_args": {"path": path},
                    "steps": metadata("shop", "'shop.main.customers'"),
                }),
                json!({
                    "connection_type": connection_type(sandbox, "output/till"),
                    "connect_args": {"path": till},
                    "steps": metadata("main", "''"),
                }),
                json!({
                    "connection_type": connection_type(sandbox, "etl_connectors/prefect"),
                    "connect_args": {
                        "api_url": format!("{vendor}/api"), "username": "ann", "password": format!("{MARK}-secret"),
                    },
                    "steps": [["load", null], ["assets", 2], ["runs", {"window": window, "limit": 2}], ["close", null]],
                }),
            ],
        }
    }

    /// What the agent's program gives for each, when started by this command.
    fn results(
        &self,
        sandbox: &Sandbox,
        root: &Path,
        mut agent: impl FnMut() -> Command,
    ) -> Vec<Value> {
        self.jobs
            .iter()
            .map(|job| {
                let mut job = job.clone();
                job["root"] = json!(root);
                let mut command = agent();
                command
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                let ran = sandbox
                    .finish(&mut command, Some(&job.to_string()))
                    .exits(0);
                ran.json()
            })
            .collect()
    }
}

fn agent_program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python/agent.py")
}

/// A Python connector for an SQLite file of its own, exported.
fn python_connector(sandbox: &Sandbox) {
    run(Command::new(python().expect("a Python"))
        .args(["-c", "import sqlite3\nc = sqlite3.connect('till.db')\nc.execute('CREATE TABLE customers (id INTEGER)')\nc.execute('INSERT INTO customers VALUES (1), (2)')\nc.commit()"])
        .current_dir(sandbox.work()));
    let new = ["new", "till", "--lang", "python", "--dialect", "sqlite"];
    bowline(sandbox, &[], &new).exits(exit_code::OK);
    write_credentials(
        sandbox,
        "till",
        &json!({ "path": sandbox.work().join("till.db") }),
    );
    // What is supported depends on the SQLite that Python brings.
    bowline(sandbox, &[], &["export", "till"]);
}

/// Builds on a base with the tests' own Python.
fn build(place: &ImageSandbox, more: &[&str]) {
    let args = [
        "build",
        "--yes",
        "--base",
        "oci:base:1",
        "--tag",
        "localhost/agent:1",
    ];
    let args = [&args[..], more].concat();
    bowline(&place.sandbox, &place.store.environment(), &args).exits(exit_code::OK);
}

fn three_connectors() -> Result<(), Failed> {
    let sandbox = Engine::DuckDb.shop();
    sandbox.bowline(&["export", "duckdb"]).exits(exit_code::OK);
    python_connector(&sandbox);
    write_example(&sandbox, "prefect");
    let vendor = recorded_prefect();
    let jobs = Jobs::of(&sandbox, &vendor.url());

    let python = python().expect("a Python");
    let place = ImageSandbox::with_python(sandbox, &python);
    let (sandbox, work) = (&place.sandbox, place.sandbox.work());
    // No orchestrator runs here that it could be proven on; the others were exported.
    build(
        &place,
        &[
            "--unproven",
            "prefect",
            "--builder",
            "native",
            "--output",
            "docker-archive:agent.tar",
        ],
    );
    build(&place, &["--unproven", "prefect", "--builder", "buildah"]);
    run(Command::new("skopeo").args([
        "copy",
        "--quiet",
        &place.image("docker-archive:agent.tar"),
        &place.image("oci:native:1"),
    ]));
    place.save("localhost/agent:1", "engine");

    let site = run(
        Command::new(oracle_python().expect("a Python with packages")).args([
            "-c",
            "import os, jinja2; print(os.path.dirname(os.path.dirname(jinja2.__file__)))",
        ]),
    );
    let mut seen = Vec::new();
    for layout in ["native", "engine"] {
        let root = place.unpack(layout).join("opt");
        seen.push(jobs.results(sandbox, &root, || {
            let mut command = Command::new(&python);
            command.arg("-B").arg(agent_program()).current_dir(&work);
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("LANG", "C.UTF-8");
            command.env("PYTHONPATH", site.trim());
            command
        }));
    }
    let found = &seen[0];
    let names = |result: &Value| -> Vec<String> {
        let tables = result[1]["tables"]
            .as_array()
            .unwrap_or_else(|| panic!("{result}"));
        tables
            .iter()
            .map(|table| table["table_name"].to_string())
            .collect()
    };
    assert!(
        names(&found[0]).contains(&"\"named_customers\"".to_owned()),
        "{}",
        found[0]
    );
    assert_eq!(found[0][1]["databases"], json!([{"database_name": "shop"}]));
    assert_eq!(names(&found[0]).len(), 5, "{}", found[0]);
    assert_eq!(found[0][1]["columns"][0]["column_name"], "id");
    assert_eq!(names(&found[1]), ["\"customers\""]);
    assert_eq!(found[1][2]["rows"], json!([[2]]));
    assert_eq!(
        found[2][1].as_array().map(Vec::len),
        Some(3),
        "{}",
        found[2]
    );
    assert_eq!(seen[0], seen[1]);

    // The same inside a container, with the image's own Python, as the agent's own user.
    for path in ["shop.db", "till.db", ""] {
        fs::set_permissions(work.join(path), fs::Permissions::from_mode(0o777))?;
    }
    let docker = Docker::start()?;
    docker.docker(&[
        "load",
        "--quiet",
        "--input",
        &work.join("agent.tar").display().to_string(),
    ])?;
    let mount = |from: &str, to: &str| format!("--volume={from}:{to}");
    let inside = jobs.results(sandbox, Path::new("/opt"), || {
        let mut command = Command::new("docker");
        command
            .env("DOCKER_HOST", docker.address())
            .args(["run", "--rm", "--interactive", "--network", "host"])
            .args(["--env", "PYTHONPATH=/packages", "--env", "LANG=C.UTF-8"])
            .arg(mount(
                &work.display().to_string(),
                &work.display().to_string(),
            ))
            .arg(mount(site.trim(), "/packages:ro"))
            .arg(mount(
                &agent_program().display().to_string(),
                "/agent.py:ro",
            ))
            .args(["localhost/agent:1", "python3", "-B", "/agent.py"]);
        command
    });
    assert_eq!(&inside, found);
    Ok(())
}

/// A connector in Python that needs a package with a part for one platform, as if it had been proven.
fn write_escaping(sandbox: &Sandbox) {
    sandbox.write("connectors/till/connector.py", ESCAPING);
    sandbox.write("connectors/till/requirements.txt", "MarkupSafe==3.0.2\n");
    let exported = json!({
        "connection_type": "custom-connector-00000aa",
        "connection_name": "till",
        "capabilities": {"supports_metadata": true},
        "metrics": {},
    });
    sandbox.write("output/till/manifest.json", &exported.to_string());
    sandbox.write(
        "output/till/templates/get_schemas_query_template.j2",
        "SELECT 1",
    );
}

fn packages() -> Result<(), Failed> {
    let place = ImageSandbox::with_python(Sandbox::new(), &python().expect("a Python"));
    write_escaping(&place.sandbox);
    build(
        &place,
        &[
            "--unproven",
            "till",
            "--builder",
            "native",
            "--output",
            "oci:image",
        ],
    );
    let root = place.unpack("image");
    let packages = fs::read_dir(root.join("usr/local/lib"))?
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|packages| packages.join("markupsafe").is_dir())
        .ok_or("the connector's package in the image")?;
    let till = Unpacked {
        sandbox: &place.sandbox,
        opt: root.join("opt"),
        connection_type: "custom-connector-00000aa".to_owned(),
    };
    let outcomes = till.run_with(
        &[packages],
        &json!({"path": ":memory:"}),
        &json!([["load", null], ["query", "SELECT '<a>' AS a"]]),
    );
    assert_eq!(outcomes[1]["rows"], json!([["&lt;a&gt;"]]), "{outcomes:?}");
    Ok(())
}

fn test_in_a_container() -> Result<(), Failed> {
    let place = ImageSandbox::with_python(Sandbox::new(), &python().expect("a Python"));
    let sandbox = &place.sandbox;
    python_connector(sandbox);
    let docker = Docker::start()?;
    let archive = place.work("base.tar").display().to_string();
    run(Command::new("skopeo").args([
        "copy",
        "--quiet",
        &place.image("oci:base:1"),
        &format!("docker-archive:{archive}:localhost/base:1"),
    ]));
    docker.docker(&["load", "--input", &archive])?;
    write_credentials(sandbox, "till", &json!({ "path": "till.db" }));
    let environment = [("DOCKER_HOST", docker.address().into())];
    let args = [
        "test",
        "till",
        "-m",
        "connection",
        "--in-container",
        "--base",
        "localhost/base:1",
        "--format",
        "json",
    ];
    let ran = bowline(sandbox, &environment, &args).exits(exit_code::OK);
    assert!(ran.json().to_string().contains("till"), "{}", ran.said());
    // What is wrong inside is told as it is outside.
    write_credentials(
        sandbox,
        "till",
        &json!({ "path": "no/such/folder/till.db" }),
    );
    let refused = bowline(sandbox, &environment, &args);
    assert_ne!(refused.exit, Some(exit_code::OK), "{}", refused.said());
    assert_ne!(refused.exit, Some(exit_code::IMAGE), "{}", refused.said());
    let history = docker.docker(&["history", "--no-trunc", "bowline-test"])?;
    assert!(!history.contains("till.db"), "{history}");
    Ok(())
}
