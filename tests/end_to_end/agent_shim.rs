//! Connectors without Python in a Python agent: the generated connector.py under a program that does with it what the
//! platform's agent does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline_contract::ConnectorName;
use bowline_contract::manifest::AssetClass;
use bowline_contract::pipeline::{PipelineManifest, StatusMapping};
use bowline_image::PlannedFile;
use bowline_image::plan::{Candidate, PIPELINE_ROOT, Runtime, WAREHOUSE_ROOT};
use bowline_image::shim::BowlineRuntime;
use bowline_oci::layer::Content;
use bowline_oci::{Cancel, Platform};
use bowline_servers::{Answer, HttpServer};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, Exported, write_credentials, write_example};
use crate::needs::{Need, binary, python, trial};
use crate::sandbox::{MARK, Sandbox};

/// How long processes may take to notice that their agent is gone.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "agent_shim/duckdb",
            &[Need::DuckDb, Need::PythonPackages],
            duckdb,
        ),
        trial("agent_shim/sqlite", &[Need::Python], sqlite),
        trial("agent_shim/lost_program", &[Need::Python], lost_program),
        trial(
            "agent_shim/hanging_program",
            &[Need::Python],
            hanging_program,
        ),
        trial("agent_shim/own_program", &[Need::Python], own_program),
        trial("agent_shim/agent_dies", &[Need::Python], agent_dies),
        trial("agent_shim/prefect", &[Need::Python], prefect),
        trial("agent_shim/refused_login", &[Need::Python], refused_login),
    ]
}

/// A connector as an image holds it, unpacked in a sandbox.
pub(crate) struct Unpacked<'s> {
    pub(crate) sandbox: &'s Sandbox,
    /// Where the image's `/opt` is.
    pub(crate) opt: PathBuf,
    pub(crate) connection_type: String,
}

impl<'s> Unpacked<'s> {
    /// Unpacks a connector of the sandbox's workspace; a warehouse is exported before.
    fn new(sandbox: &'s Sandbox, name: &str, class: AssetClass) -> Self {
        let (parent, root) = match class {
            AssetClass::Warehouse => ("connectors", WAREHOUSE_ROOT),
            AssetClass::Pipeline => ("etl_connectors", PIPELINE_ROOT),
        };
        let (root, folder) = (format!("{root}/{name}"), format!("{parent}/{name}"));
        let candidate = Candidate {
            name: ConnectorName::parse(name).expect("a name"),
            class,
            dir: sandbox.work().join(&folder),
            packs: Vec::new(),
            export: sandbox.work().join("output").join(name),
        };
        let planned = |path: String, file: PathBuf| PlannedFile {
            path,
            content: Content::File(file),
            mode: 0o644,
            platform: None,
        };
        let own: Vec<PlannedFile> = sandbox
            .files(&folder)
            .into_iter()
            .filter(|file| file != "credentials.json")
            .map(|file| planned(format!("{root}/{file}"), candidate.dir.join(&file)))
            .collect();
        let cancel = Cancel::default();
        let runtime = BowlineRuntime {
            workspace: sandbox.work().to_path_buf(),
            binary: Some(binary().to_path_buf()),
            drivers: sandbox.folder().join("drivers"),
            cancel: &cancel,
            on_event: &|_| (),
        };
        let provided = runtime
            .provide(&candidate, &root, &own, &[Platform::host()])
            .unwrap_or_else(|error| panic!("{error}"));
        let exported = sandbox.files(format!("output/{name}"));
        let exported = exported
            .into_iter()
            .map(|file| planned(format!("{root}/{file}"), candidate.export.join(&file)));
        let image = sandbox.folder().join("image");
        for file in provided
            .own
            .into_iter()
            .chain(provided.shared)
            .chain(exported)
        {
            put(&image, &file);
        }
        let manifest = fs::read_to_string(image.join(&root[1..]).join("manifest.json"));
        let manifest: Value = serde_json::from_str(&manifest.expect("a manifest")).expect("JSON");
        Self {
            sandbox,
            opt: image.join("opt"),
            connection_type: manifest["connection_type"]
                .as_str()
                .expect("a type")
                .to_owned(),
        }
    }

    /// The agent's process, and what it is to do.
    fn agent(&self, connect_args: &Value, steps: &Value) -> (Command, String) {
        let job = json!({
            "root": self.opt,
            "connection_type": self.connection_type,
            "connect_args": connect_args,
            "steps": steps,
        });
        let agent = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/agent.py");
        let mut command = Command::new(python().expect("a Python"));
        command
            .arg("-B")
            .arg(agent)
            .current_dir(self.sandbox.work())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TMPDIR", self.sandbox.folder().join("tmp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        (command, job.to_string())
    }

    /// Lets the agent carry out the steps; what each gave.
    pub(crate) fn run(&self, connect_args: &Value, steps: &Value) -> Vec<Value> {
        self.run_with(&[], connect_args, steps)
    }

    /// As [`Self::run`], with folders in which the agent's Python looks for packages.
    pub(crate) fn run_with(
        &self,
        packages: &[PathBuf],
        connect_args: &Value,
        steps: &Value,
    ) -> Vec<Value> {
        let (mut command, job) = self.agent(connect_args, steps);
        let packages = std::env::join_paths(packages).expect("folders of packages");
        command.env("PYTHONPATH", packages);
        let ran = self.sandbox.finish(&mut command, Some(&job)).exits(0);
        assert_eq!(ran.stderr, "", "{}", ran.said());
        serde_json::from_value(ran.json()).expect("a list")
    }
}

fn put(image: &Path, file: &PlannedFile) {
    let place = image.join(&file.path[1..]);
    fs::create_dir_all(place.parent().expect("a folder")).expect("a folder in the image");
    match &file.content {
        Content::Bytes(bytes) => fs::write(&place, bytes).expect("a file in the image"),
        // As good as a copy, and large programs are not copied.
        Content::File(path) => {
            std::os::unix::fs::symlink(path, &place).expect("a file in the image");
        }
    }
}

fn path_of_shop(sandbox: &Sandbox) -> Value {
    json!({ "path": sandbox.work().join("shop.db") })
}

fn duckdb() -> Result<(), Failed> {
    let sandbox = Engine::DuckDb.shop();
    sandbox.bowline(&["export", "duckdb"]).exits(0);
    let unpacked = Unpacked::new(&sandbox, "duckdb", AssetClass::Warehouse);
    let exported = Exported::read(&sandbox, "duckdb");
    let texts: Value = exported
        .files
        .iter()
        .filter_map(|(file, text)| {
            let name = file.strip_prefix("templates/")?.strip_suffix(".j2")?;
            Some((name.to_owned(), Value::from(text.as_str())))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let names: Vec<&String> = texts.as_object().expect("texts").keys().collect();
    let all_types = "SELECT 1 AS a, 1.50::DECIMAL(10, 2) AS b, TIME '10:00:00' AS c, '\\xAA'::BLOB AS d, \
        INTERVAL 14 MONTH AS e, DATE '2024-02-29' AS f, TIMESTAMP '2024-02-29 10:00:00.5' AS g, 'nan'::DOUBLE AS h, \
        170141183460469231731687303715884105727::HUGEINT AS i, [1, NULL] AS j, {'k': 1} AS k, \
        TIMESTAMPTZ '2024-02-29 10:00:00+02' AS l, NULL AS m, 12345678901234567890.00::DECIMAL(22, 2) AS n";
    let outcomes = unpacked.run(
        &path_of_shop(&sandbox),
        &json!([
            ["load", null],
            ["templates", names],
            ["template", "get_no_such_template"],
            ["metadata", {"database_name": "shop", "schemas": "'main'", "tables": "'shop.main.customers'"}],
            ["query", all_types],
            ["children", null],
        ]),
    );
    assert!(exported.files.len() > 60, "{}", exported.files.len());
    assert_eq!(outcomes[1], texts);
    assert_eq!(outcomes[2], Value::Null);
    let metadata = &outcomes[3];
    assert_eq!(metadata["databases"], json!([{"database_name": "shop"}]));
    let mut tables: Vec<&str> = metadata["tables"]
        .as_array()
        .expect("tables")
        .iter()
        .filter_map(|table| table["table_name"].as_str())
        .collect();
    tables.sort_unstable();
    assert_eq!(
        tables,
        [
            "Order Items",
            "customers",
            "données 数据 🪢",
            "dotted.name",
            "named_customers"
        ]
    );
    assert_eq!(
        metadata["columns"][0],
        json!({"full_table_id": "shop.main.customers", "column_name": "id", "column_type": "INTEGER"})
    );
    assert_eq!(
        outcomes[4]["rows"],
        json!([[
            1, 1.5, "10:00:00", "aa", "P14M", "2024-02-29", "2024-02-29T10:00:00.5", "NaN",
            1.701_411_834_604_692_3e38, [1, null], {"k": 1},
            "2024-02-29T08:00:00+00:00", null, 12_345_678_901_234_567_890_u64
        ]])
    );
    assert_eq!(
        outcomes[4]["description"][1],
        json!(["b", "Decimal128(10, 2)", null, null, null, null, null])
    );
    assert_eq!(outcomes[5], 1, "one process serves a client");
    Ok(())
}

fn sqlite() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    // What proves a connector is not what is tested here: SQLite comes without some templates.
    sandbox.bowline(&["export", "sqlite"]);
    let unpacked = Unpacked::new(&sandbox, "sqlite", AssetClass::Warehouse);
    let statements = [
        "SELECT 1 AS a",
        "SELECT 2 AS b UNION SELECT 3",
        "SELEC",
        "SELECT 4 AS c WHERE 0",
    ];
    let outcomes = unpacked.run(
        &path_of_shop(&sandbox),
        &json!([
            ["load", null],
            ["query", "CREATE TABLE made (x INTEGER)"],
            ["query", "INSERT INTO made VALUES (1), (2)"],
            ["query", "SELECT x, x'00ab' AS bytes FROM made"],
            ["query", "SELECT * FROM nowhere"],
            ["query", "SELECT 1 AS still_there"],
            ["together", statements],
            ["children", null],
            ["close", null],
            ["children", null],
            ["query", "SELECT 5"],
            ["drop", null],
            ["children", null],
            ["load", null],
            ["query", "SELECT 6"],
        ]),
    );
    assert_eq!(outcomes[1]["description"], Value::Null);
    assert_eq!(outcomes[2]["rowcount"], 2);
    assert_eq!(outcomes[3]["rows"], json!([[1, "00ab"], [2, "00ab"]]));
    assert_eq!(outcomes[3]["rowcount"], 2);
    assert_eq!(outcomes[4]["error"], "ConnectorError");
    assert!(
        outcomes[4]["message"]
            .to_string()
            .contains("no such table: nowhere")
    );
    assert_eq!(outcomes[5]["rows"], json!([[1]]));
    let rows = [json!([[1]]), json!([[2], [3]]), Value::Null, json!([])];
    for (seen, expected) in outcomes[6].as_array().expect("threads").iter().zip(&rows) {
        let seen = seen.as_array().expect("what a thread saw");
        assert_eq!(seen.len(), 20);
        assert!(seen.iter().all(|one| one["rows"] == *expected), "{seen:?}");
    }
    assert_eq!(outcomes[7], 1);
    assert_eq!(outcomes[8], Value::Null, "it may be closed twice");
    assert_eq!(outcomes[9], 0);
    assert_eq!(
        outcomes[10]["rows"],
        json!([[5]]),
        "a late request is served"
    );
    assert_eq!(
        outcomes[12], 0,
        "a connector that is forgotten takes its process along"
    );
    assert_eq!(
        outcomes[14]["rows"],
        json!([[6]]),
        "the file is executed again"
    );
    Ok(())
}

fn lost_program() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    let unpacked = Unpacked::new(&sandbox, "sqlite", AssetClass::Warehouse);
    let outcomes = unpacked.run(
        &path_of_shop(&sandbox),
        &json!([
            ["load", null],
            ["kill", null],
            ["query", "SELECT 1"],
            [
                "replace_program",
                "#!/bin/sh\necho 'no more memory' >&2\nexit 3\n"
            ],
            ["query", "SELECT 2"],
            ["kill", null],
            ["query", "SELECT 3"],
        ]),
    );
    assert_eq!(outcomes[2]["rows"], json!([[1]]), "it is started again");
    assert_eq!(outcomes[4]["rows"], json!([[2]]), "what runs goes on");
    let message = outcomes[6]["message"].to_string();
    assert_eq!(outcomes[6]["error"], "ConnectorError");
    assert!(
        message.contains("connector `sqlite` was lost, and again after it was started anew")
            && message.contains("no more memory"),
        "{message}"
    );
    Ok(())
}

fn hanging_program() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    let unpacked = Unpacked::new(&sandbox, "sqlite", AssetClass::Warehouse);
    let endless =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    let outcomes = unpacked.run(
        &path_of_shop(&sandbox),
        &json!([
            ["load", null],
            ["set", {"ANSWER_SECONDS": 1}],
            ["query", endless],
            ["query", "SELECT 1"],
            ["replace_program", "#!/bin/sh\nexec tail -f /dev/null\n"],
            ["set", {"LOGIN_SECONDS": 0, "PATIENCE_SECONDS": 0.2}],
            ["kill", null],
            ["query", "SELECT 2"],
            ["children", null],
        ]),
    );
    let message = outcomes[2]["message"].to_string();
    assert!(message.contains("ran longer than"), "{message}");
    assert_eq!(
        outcomes[3]["rows"],
        json!([[1]]),
        "the connection is still good"
    );
    let message = outcomes[7]["message"].to_string();
    assert!(
        message.contains("gave no answer to `initialize`"),
        "{message}"
    );
    assert_eq!(outcomes[8], 0, "what hangs is ended");
    Ok(())
}

fn own_program() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/process/serve.py");
    sandbox.write("connectors/own/serve.py", &fs::read_to_string(fixture)?);
    let command = json!([python().ok_or("a Python")?, "serve.py"]);
    sandbox.write(
        "connectors/own/connector.toml",
        &format!("version = 1\n[driver]\nkind = \"process\"\ncommand = {command}\n[dialect]\nextends = \"sqlite\"\n"),
    );
    let manifest = json!({
        "connection_type": "custom-connector-0123abc",
        "connection_name": "own",
        "asset_class": "warehouse",
        "credentials_schema": {},
    });
    sandbox.write("connectors/own/manifest.json", &manifest.to_string());
    write_credentials(&sandbox, "own", &path_of_shop(&sandbox));
    sandbox.bowline(&["export", "own"]);
    let unpacked = Unpacked::new(&sandbox, "own", AssetClass::Warehouse);
    let outcomes = unpacked.run(
        &path_of_shop(&sandbox),
        &json!([
            ["load", null],
            ["query", "SELECT name FROM customers WHERE id = 1"],
            ["template", "get_avg_function_template"],
            ["close", null],
            ["children", null],
        ]),
    );
    assert_eq!(outcomes[1]["rows"], json!([["Ada"]]), "{outcomes:?}");
    assert!(outcomes[2].is_string(), "{outcomes:?}");
    assert_eq!(outcomes[4], 0);
    Ok(())
}

fn agent_dies() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    let unpacked = Unpacked::new(&sandbox, "sqlite", AssetClass::Warehouse);
    let note = sandbox.work().join("children.json");
    let (mut command, job) = unpacked.agent(
        &path_of_shop(&sandbox),
        &json!([["load", null], ["die", note]]),
    );
    assert_eq!(sandbox.finish(&mut command, Some(&job)).exit, None);
    let children: Vec<u32> = serde_json::from_str(&fs::read_to_string(&note)?)?;
    assert_eq!(children.len(), 1);
    let begun = Instant::now();
    while runs(children[0]) {
        assert!(
            begun.elapsed() < PATIENCE,
            "process {children:?} outlives its agent"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether a process runs; one that only waits to be noticed does not.
fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

fn refused_login() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    let unpacked = Unpacked::new(&sandbox, "sqlite", AssetClass::Warehouse);
    let outcomes = unpacked.run(
        &json!({"password": format!("{MARK}-x")}),
        &json!([["load", null], ["children", null]]),
    );
    assert_eq!(outcomes[0]["error"], "ConnectorError");
    let message = outcomes[0]["message"].to_string();
    assert!(message.contains("missing credential `path`"), "{message}");
    assert_eq!(outcomes[1], 0);
    Ok(())
}

/// Prefect as it was recorded; runs that are asked for by their ids are found among those that ended.
pub(crate) fn recorded_prefect() -> HttpServer {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pipeline/tests/data/prefect.json");
    let text = fs::read_to_string(file).expect("a recording");
    let exchanges: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let server = HttpServer::start(move |request| {
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let ids = &sent["flow_runs"]["id"]["any_"];
        let is_by_id = request.path.ends_with("/flow_runs/filter") && ids.is_array();
        let wanted = if is_by_id {
            r#""end_time""#.to_owned()
        } else {
            sent.to_string()
        };
        let asked = format!("{} {}", request.method, request.path);
        let exchange = exchanges.iter().find(|exchange| {
            let words = exchange["contains"].as_str().unwrap_or_default();
            exchange["ask"] == asked && wanted.contains(words)
        });
        let Some(exchange) = exchange else {
            return Answer::new(404, json!({"not recorded": request.path}));
        };
        let mut answer = exchange["answer"].clone();
        if let (Some(records), Some(_)) = (answer.as_array_mut(), exchange["list"].as_str()) {
            if is_by_id {
                let ids = ids.as_array().expect("ids");
                records.retain(|record| ids.contains(&record["id"]));
            }
            let offset = sent["offset"].as_u64().unwrap_or(0);
            let offset = usize::try_from(offset)
                .expect("an offset")
                .min(records.len());
            records.drain(..offset);
        }
        Answer::new(200, answer)
    });
    server.expect("a free port")
}

fn prefect() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_example(&sandbox, "prefect");
    let vendor = recorded_prefect();
    let unpacked = Unpacked::new(&sandbox, "prefect", AssetClass::Pipeline);
    let window = ["2026-11-22T00:00:00+00:00", "2026-11-23T01:00:00+01:00"];
    let outcomes = unpacked.run(
        &json!({
            "api_url": format!("{}/api", vendor.url()),
            "username": "ann",
            "password": format!("{MARK}-secret"),
        }),
        &json!([
            ["load", null],
            ["assets", 1],
            ["assets", 100],
            ["runs", {"window": window, "limit": 2}],
            ["runs", {"window": window, "limit": 100}],
            ["together", {"windows": [window, ["2026-11-22T00:00:00Z", "2026-11-22T18:06:00Z"]], "limit": 1}],
            ["runs_of_nothing", null],
            ["runs_by_id", ["r1"]],
            ["runs_by_id", []],
            // Neither may hold what logs in: `finish` sees to that.
            ["command_lines", null],
            ["kill", null],
            ["assets", 2],
            ["close", null],
            ["children", null],
        ]),
    );
    let ids = |events: &Value, key: &str| -> Vec<String> {
        let events = events
            .as_array()
            .unwrap_or_else(|| panic!("no events: {events}"));
        let mut ids: Vec<String> = events.iter().map(|event| event[key].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&outcomes[1], "job_source_id").len(), 3);
    assert_eq!(outcomes[1], outcomes[2], "pages make no difference");
    assert_eq!(outcomes[3], outcomes[4]);
    let runs = ids(&outcomes[3], "run_source_id");
    assert!(runs.len() >= 3, "{runs:?}");
    let mut once = runs.clone();
    once.dedup();
    assert_eq!(once, runs, "every run comes once");
    assert_eq!(outcomes[5][0], outcomes[4]);
    assert!(outcomes[5][1].is_array(), "{}", outcomes[5][1]);
    assert_eq!(outcomes[6]["error"], "ValueError");
    assert_eq!(ids(&outcomes[7], "run_source_id"), ["\"r1\""]);
    assert_eq!(outcomes[8], json!([]));
    let commands = outcomes[9].to_string();
    assert!(
        commands.contains("serve") && commands.contains("BOWLINE_DRIVER_DIR"),
        "{commands}"
    );
    assert_eq!(outcomes[11], outcomes[2], "a lost program is started again");
    assert_eq!(outcomes[13], 0);

    // The agent maps statuses itself: they must be words that the manifest has.
    let text = sandbox.read("etl_connectors/prefect/manifest.json");
    let manifest = PipelineManifest::parse(&text).map_err(|error| format!("{error:?}"))?;
    let known = |mapping: &StatusMapping, event: &Value| {
        let word = event["status"].as_str().expect("a status");
        assert!(mapping.find(word).is_some(), "`{word}` is in no mapping");
    };
    for run in outcomes[4].as_array().expect("runs") {
        known(&manifest.run_status_mapping, run);
        for task in run["task_runs"].as_array().into_iter().flatten() {
            known(manifest.task_statuses(), task);
        }
    }
    Ok(())
}
