//! Connectors in Python: the same verdicts as declarative ones, clear faults, and no process left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bowline_contract::{Template, exit_code};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, MANIFEST, checks_with, connect_args, write_credentials};
use crate::needs::{Need, python, trial};
use crate::sandbox::Sandbox;

/// How long something that must happen soon may take.
const PATIENCE: Duration = Duration::from_secs(60);

const SQLITE: &str = include_str!("../fixtures/python/sqlite/base.py");
const SQLITE_REQUIREMENTS: &str = include_str!("../fixtures/python/sqlite/requirements.txt");
const SQLITE_TABLES: &str = include_str!("../fixtures/python/sqlite/get_tables_query.sql.j2");
const PSYCOPG2: &str = include_str!("../fixtures/python/psycopg2/base.py");
const PSYCOPG2_REQUIREMENTS: &str = include_str!("../fixtures/python/psycopg2/requirements.txt");
const BY_HAND: &str = include_str!("../fixtures/process/serve.py");
const INCOMPLETE: &str = include_str!("../fixtures/python/incomplete/connector.py");

const DECLARED: &str = r#"version = 1
[driver]
kind = "sqlite"
[driver.options]
path = "{{ path }}"
[dialect]
extends = "sqlite"
[functional]
database = "main"
schema = "main"
table = "bowline_functional_check"
"#;

/// Runs until it is stopped.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("python/sqlite_twin", &[Need::PythonPackages], sqlite_twin),
        trial(
            "python/psycopg2_twin",
            &[Need::Postgres, Need::PythonPackages],
            psycopg2_twin,
        ),
        trial("python/incomplete", &[Need::Python], incomplete),
        trial("python/protocol", &[Need::Python], protocol),
        trial("python/module_outside", &[Need::Python], module_outside),
        trial("python/by_hand", &[Need::Python], by_hand),
        trial("python/faults", &[Need::Python], faults),
        trial(
            "python/missing_package",
            &[Need::PythonPackages],
            missing_package,
        ),
        trial("python/killed", &[Need::Python], killed),
        trial("python/values", &[Need::Python], values),
    ]
}

fn write_connector(sandbox: &Sandbox, name: &str, code: &str) {
    sandbox.write(format!("connectors/{name}/connector.py"), code);
    sandbox.write(format!("connectors/{name}/manifest.json"), MANIFEST);
}

/// A connector in Python over `shop.db`.
fn write_over_sqlite(sandbox: &Sandbox, name: &str, code: &str) {
    write_connector(sandbox, name, code);
    write_credentials(sandbox, name, &json!({ "path": "shop.db" }));
}

/// The code of a connector with every template that another one exported, behind what the base says.
fn twin(sandbox: &Sandbox, declared: &str, base: &str) -> String {
    let mut classes: BTreeMap<&str, String> = BTreeMap::new();
    let folder = format!("output/{declared}/templates");
    for file in sandbox.files(&folder) {
        let name = file.strip_suffix(".j2").expect("a template's file");
        let class = Template::find(name)
            .expect("a template")
            .section
            .class_name();
        let text = Value::from(sandbox.read(format!("{folder}/{file}")));
        let code = classes.entry(class).or_default();
        write!(code, "\n    def {name}(self):\n        return {text}\n").expect("text");
    }
    let mut code = base.to_owned();
    for (class, methods) in classes {
        write!(code, "\n\nclass {class}:{methods}").expect("text");
    }
    code
}

/// The sections that change nothing, so that their answers do not depend on when they are asked.
const UNCHANGING: &[&str] = &[
    "connection",
    "metadata",
    "custom_monitors",
    "query_language",
];

/// The section that makes tables and drops them.
const CHANGING: &[&str] = &["functional"];

/// The report on some sections of a connector.
fn asked(sandbox: &Sandbox, connector: &str, tier: &str, sections: &[&str]) -> Value {
    let mut args = vec!["test", connector, "--format", "json", "--tier", tier];
    args.extend(sections.iter().flat_map(|section| ["-m", section]));
    sandbox.bowline_with_python(&args).json()
}

/// The verdict of every check of a report.
fn verdicts(report: &Value) -> BTreeMap<&str, &str> {
    report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|check| Some((check["id"].as_str()?, check["verdict"].as_str()?)))
        .collect()
}

/// The checks on which two reports differ: the name, the first's verdict, the second's.
fn differences<'a>(one: &'a Value, other: &'a Value) -> Vec<(&'a str, &'a str, &'a str)> {
    let (one, other) = (verdicts(one), verdicts(other));
    let names: BTreeSet<&str> = one.keys().chain(other.keys()).copied().collect();
    let verdict =
        |of: &BTreeMap<&'a str, &'a str>, name| of.get(name).copied().unwrap_or("not asked");
    names
        .into_iter()
        .map(|name| (name, verdict(&one, name), verdict(&other, name)))
        .filter(|(_, one, other)| one != other)
        .collect()
}

fn sqlite_twin() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox.write("connectors/declared/connector.toml", DECLARED);
    sandbox.write("connectors/declared/manifest.json", MANIFEST);
    sandbox.write(
        "connectors/declared/templates/get_tables_query.sql.j2",
        SQLITE_TABLES,
    );
    write_credentials(&sandbox, "declared", &json!({ "path": "shop.db" }));
    for statement in [
        "CREATE TABLE orders (id INTEGER, note TEXT)",
        "INSERT INTO orders VALUES (1, NULL)",
    ] {
        sandbox
            .bowline(&["query", "-c", "declared", statement])
            .exits(0);
    }
    sandbox.bowline(&["export", "declared"]);
    let code = twin(&sandbox, "declared", SQLITE);
    write_over_sqlite(&sandbox, "twin", &code);
    sandbox.write("connectors/twin/requirements.txt", SQLITE_REQUIREMENTS);
    for tier in ["reference", "strict"] {
        for sections in [UNCHANGING, CHANGING] {
            let asked = |name| asked(&sandbox, name, tier, sections);
            let (declared, twin) = (asked("declared"), asked("twin"));
            // Only a connector in Python is asked for its values.
            // What only connectors are asked whose own code reaches the database.
            let more: &[&str] = match tier {
                _ if sections != UNCHANGING => &[],
                "strict" => &["connection/percent_signs", "connection/values_as_json"],
                _ => &["connection/percent_signs"],
            };
            let more = more.iter().map(|id| (*id, "not asked", "supported"));
            assert_eq!(
                differences(&declared, &twin),
                more.collect::<Vec<_>>(),
                "{tier}"
            );
            assert_eq!(twin["capabilities"], declared["capabilities"], "{tier}");
            assert!(!checks_with(&twin, "supported").is_empty(), "{twin:#}");
            assert_eq!(checks_with(&twin, "wrong"), Vec::<String>::new(), "{tier}");
        }
    }
    Ok(())
}

fn psycopg2_twin() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    sandbox.bowline(&["export", "postgres"]).exits(0);
    let database = sandbox.database().expect("a database");
    let base = PSYCOPG2.replace("SHOP_DATABASE", &database.name);
    write_connector(&sandbox, "twin", &twin(&sandbox, "postgres", &base));
    sandbox.write("connectors/twin/requirements.txt", PSYCOPG2_REQUIREMENTS);
    write_credentials(&sandbox, "twin", &connect_args(database));

    let first = sandbox
        .bowline_with_python(&["query", "-c", "twin", "SELECT 1", "--format", "json"])
        .exits(0);
    assert!(
        first
            .stderr
            .contains("installing the Python packages of `twin`"),
        "{}",
        first.said()
    );
    let second = sandbox
        .bowline_with_python(&["query", "-c", "twin", "SELECT 1", "--format", "json"])
        .exits(0);
    assert_eq!(second.stderr, "", "packages are installed once");
    // An open transaction would keep the change from others, and a failed statement would block the next.
    sandbox
        .bowline_with_python(&["query", "-c", "twin", "CREATE TABLE kept (id INTEGER)"])
        .exits(0);
    assert_eq!(sandbox.sql("SELECT count(*) FROM kept").trim(), "0");

    let asked = |name, sections| asked(&sandbox, name, "strict", sections);
    let (declared, twin) = (asked("postgres", CHANGING), asked("twin", CHANGING));
    assert_eq!(differences(&declared, &twin), []);
    let (declared, twin) = (asked("postgres", UNCHANGING), asked("twin", UNCHANGING));
    // psycopg2 describes columns by objects of its own.
    let expected = [
        ("connection/description_as_json", "supported", "wrong"),
        ("connection/percent_signs", "not asked", "supported"),
        ("connection/values_as_json", "not asked", "wrong"),
    ];
    assert_eq!(differences(&declared, &twin), expected);
    assert!(checks_with(&twin, "supported").len() > 150, "{twin:#}");
    assert!(
        twin.to_string()
            .contains("Object of type Column is not JSON serializable"),
        "{twin:#}"
    );

    let wrong = json!({ "host": "127.0.0.1", "port": database.port, "database": database.name,
        "user": database.user, "password": "canary7f3a-but-wrong" });
    write_credentials(&sandbox, "twin", &wrong);
    let refused = sandbox.bowline_with_python(&["query", "-c", "twin", "SELECT 1"]);
    assert!(
        refused.stderr.contains("password authentication failed"),
        "{}",
        refused.said()
    );
    sandbox
        .bowline_with_python(&["protocol", "check", "-c", "twin"])
        .exits(exit_code::FELL_SHORT);
    Ok(())
}

fn incomplete() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_over_sqlite(&sandbox, "incomplete", INCOMPLETE);
    sandbox
        .bowline_with_python(&["query", "CREATE TABLE kept (id INTEGER)"])
        .exits(0);
    sandbox
        .bowline_with_python(&["query", "INSERT INTO kept VALUES (7)"])
        .exits(0);
    let kept = sandbox
        .bowline_with_python(&["query", "SELECT id FROM kept", "--format", "json"])
        .exits(0);
    assert_eq!(kept.json(), json!([{ "id": 7 }]));

    let report = sandbox
        .bowline_with_python(&["test", "--format", "json", "--tier", "reference"])
        .json();
    let verdicts = verdicts(&report);
    for (check, verdict) in [
        ("connection/query", "supported"),
        ("connection/description_as_json", "supported"),
        ("connection/rows_as_json", "wrong"),
        ("custom_monitors/row_limit", "wrong"),
        ("ql_metrics/avg", "unsupported"),
        ("ql_metrics/stddev", "unsupported"),
        ("ql_metrics/length", "unsupported"),
        ("ql_metrics/rand", "unsupported"),
        ("ql_metrics/absolute", "supported"),
        ("metadata/databases", "unsupported"),
    ] {
        assert_eq!(verdicts.get(check), Some(&verdict), "{check}");
    }
    assert!(
        report.to_string().contains("row 1 is a `Row`"),
        "{report:#}"
    );
    Ok(())
}

fn protocol() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_over_sqlite(&sandbox, "incomplete", INCOMPLETE);
    let checked = sandbox
        .bowline_with_python(&["protocol", "check", "-c", "incomplete"])
        .exits(0);
    assert!(
        checked.stdout.contains("20 passed, 0 failed, 3 not asked"),
        "{}",
        checked.said()
    );
    let checked = sandbox
        .bowline_with_python(&["protocol", "check", "--", "cat"])
        .exits(exit_code::FELL_SHORT);
    assert!(checked.stdout.contains("✗ handshake"), "{}", checked.said());
    Ok(())
}

/// A module that only this machine has is told; what lies beside the connector is not, and goes in.
fn module_outside() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let database = sandbox.work().join("shop.db");
    let new = ["new", "shop", "--lang", "python", "--dialect", "sqlite"];
    sandbox.bowline_with_python(&new).exits(exit_code::OK);
    write_credentials(&sandbox, "shop", &json!({ "path": database }));
    let create = "CREATE TABLE orders AS SELECT 1 AS id";
    sandbox
        .bowline_with_python(&["query", create])
        .exits(exit_code::OK);
    let file = "connectors/shop/connector.py";
    let own = sandbox.read(file);
    sandbox.write("lib/spelling.py", "AVG = 'AVG({x})'\n");
    sandbox.write("connectors/shop/beside.py", "raise SystemExit\n");
    let path = "import os, sys\nhere = os.path.dirname(__file__)\nsys.path += [here, os.path.join(here, '../../lib')]\n";
    let exported_with = |imports: &str| {
        let (about, code) = own.split_once("import datetime\n").expect("imports");
        sandbox.write(
            file,
            &format!("{about}{path}{imports}import datetime\n{code}"),
        );
        let exported = sandbox.bowline_with_python(&["export", "shop"]);
        exported.exits(exit_code::OK).stderr
    };
    // As it is found by where the connector goes, and a module that would fail when it is looked at.
    let lazy = "import importlib.util as u\nos.chdir('/')\ns = u.find_spec('beside')\ns.loader = u.LazyLoader(s.loader)\n\
                m = u.module_from_spec(s)\ns.loader.exec_module(m)\nsys.modules['lazy'] = m\n\
                sys.modules['nothing'] = None\n";
    let refused = "`bowline build` will refuse it";
    let told = exported_with(&format!("import spelling\n{lazy}"));
    let why = format!("{refused}: connector.py imports `lib/spelling.py`");
    assert!(told.contains(&why), "{told}");
    assert!(
        !told.contains("beside"),
        "what lies beside it goes in: {told}"
    );
    sandbox.write("connectors/shop/beside.py", "X = 1\n");
    let told = exported_with("import beside\n");
    assert!(!told.contains("the image"), "{told}");
    // What a method would import, there or by a module that lies beside; not what only others run.
    sandbox.write(
        "connectors/shop/beside.py",
        "def f():\n    import further\n",
    );
    for file in [
        "lib/further.py",
        "lib/later.py",
        "apart.py",
        "typed.py",
        "lib/shown.py",
    ] {
        sandbox.write(file, "");
    }
    let told = exported_with(
        "import beside, typing\nif typing.TYPE_CHECKING:\n    import typed\n\
         def later():\n    sys.path.append(os.getcwd())\n    import later, apart\n\
         call = later\ndef show():\n    import shown\nif '__main__' == __name__:\n    show()\n",
    );
    // It may never be run.
    assert!(!told.contains(refused), "{told}");
    for file in ["lib/further.py", "lib/later.py", "apart.py"] {
        assert!(
            told.contains(&format!("imports `{file}`")),
            "{file}: {told}"
        );
    }
    for file in ["typed.py", "lib/shown.py", "lib/spelling.py", "beside.py"] {
        assert!(!told.contains(&format!("`{file}`")), "{file}: {told}");
    }
    Ok(())
}

/// A program that knows nothing of us but the protocol's page.
fn by_hand() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let python = python().expect("a Python");
    let command = json!([python, "serve.py"]);
    sandbox.write(
        "connectors/shop/connector.toml",
        &format!("version = 1\n[driver]\nkind = \"process\"\ncommand = {command}\n"),
    );
    sandbox.write(
        "connectors/shop/templates.toml",
        "string_literal = \"'{{ string }}'\"\n",
    );
    sandbox.write("connectors/shop/manifest.json", MANIFEST);
    sandbox.write("connectors/shop/serve.py", BY_HAND);
    write_credentials(&sandbox, "shop", &json!({ "path": "shop.db" }));
    let checked = sandbox
        .bowline_with_python(&["protocol", "check", "-c", "shop"])
        .exits(0);
    assert!(
        checked.stdout.contains("20 passed, 0 failed"),
        "{}",
        checked.said()
    );
    let rendered = sandbox
        .bowline_with_python(&["render", "get_avg_function"])
        .exits(0);
    assert!(rendered.stdout.contains("AVG("), "{}", rendered.said());
    sandbox
        .bowline_with_python(&["render", "string_literal", "string=x"])
        .exits(0);
    let asked = sandbox
        .bowline_with_python(&["query", "SELECT 7 AS n", "--format", "json"])
        .exits(0);
    assert_eq!(asked.json(), json!([{ "n": 7 }]));
    let failed = sandbox
        .bowline_with_python(&["query", "SELECT missing"])
        .exits(exit_code::FELL_SHORT);
    assert!(
        failed.stderr.contains("no such column: missing"),
        "{}",
        failed.said()
    );
    Ok(())
}

fn faults() -> Result<(), Failed> {
    let no_login = "class BaseConnector:\n    def create_connection(self):\n        return self.credentials['hots']\n";
    let cases = [
        ("def (", "SyntaxError: "),
        (
            "import shoplib",
            "hint: name the package that has `shoplib` in requirements.txt",
        ),
        ("import shophelp", "hint: connector.py must stand alone"),
        (
            "print('hello')",
            "connector.py has no class `BaseConnector`",
        ),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "class BaseConnector: pass\nclass QueryLanguageTemplates:\n    def rand_func_template(self):\n        return 1\n",
            "connectors/shop/connector.py:3:5: `rand_func_template`: it gives `int`, not text",
        ),
        (
            "class BaseConnector: pass\nclass QueryLanguageTemplates:\n    def rand_func_template(self):\n        return '{{ x'\n",
            "connectors/shop/connector.py:3:5: `rand_func`: ",
        ),
        (
            "raise ImportError('libodbc.so.2: cannot open shared object file')",
            "hint: install the system packages that Dockerfile.extra names: `unixodbc`",
        ),
        (
            no_login,
            "  connector.py:3, in create_connection: return self.credentials['hots']",
        ),
        (
            "class Connector: pass",
            "it is a connector for an orchestrator",
        ),
    ];
    for (code, expected) in cases {
        let sandbox = Sandbox::new();
        write_over_sqlite(&sandbox, "shop", code);
        sandbox.write(
            "connectors/shop/Dockerfile.extra",
            "RUN apt-get install -y unixodbc\n",
        );
        sandbox.write("connectors/shop/shophelp.py", "");
        let ran = sandbox.bowline_with_python(&["query", "SELECT 1"]);
        assert_ne!(ran.exit, Some(0), "{}", ran.said());
        assert_ne!(ran.exit, Some(exit_code::INTERNAL), "{}", ran.said());
        assert!(ran.stderr.contains(expected), "{expected}\n{}", ran.said());
    }
    Ok(())
}

fn missing_package() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_over_sqlite(&sandbox, "shop", INCOMPLETE);
    sandbox.write(
        "connectors/shop/requirements.txt",
        "bowline-no-such-package ==99.99 --no-such-option\n",
    );
    let ran = sandbox.bowline_with_python(&["query", "SELECT 1"]);
    assert_ne!(ran.exit, Some(0), "{}", ran.said());
    assert!(
        ran.stderr
            .contains("cannot install the packages of connector `shop`"),
        "{}",
        ran.said()
    );
    assert!(ran.stderr.contains("no such option"), "{}", ran.said());
    assert!(
        ran.stderr
            .contains("mend `connectors/shop/requirements.txt`"),
        "{}",
        ran.said()
    );
    let left = sandbox.files(".bowline/python");
    assert!(
        !left.iter().any(|file| file.contains("pyvenv.cfg")),
        "half an environment is left: {left:?}"
    );
    Ok(())
}

fn killed() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_over_sqlite(&sandbox, "shop", INCOMPLETE);
    let mut child = sandbox.command_with_python(&["query", ENDLESS]).spawn()?;
    let connector = sandbox.work().join("connectors/shop/connector.py");
    let wait_for = |there: bool| {
        let begun = Instant::now();
        while is_running(&connector) != there {
            assert!(
                begun.elapsed() < PATIENCE,
                "expected the connector's process to be there: {there}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    };
    wait_for(true);
    child.kill()?;
    child.wait()?;
    wait_for(false);
    Ok(())
}

/// Whether a process was started for a connector's file and has not ended.
fn is_running(connector: &Path) -> bool {
    let pattern = connector.to_string_lossy().into_owned();
    let listed = Command::new("ps")
        .args(["-A", "-o", "stat=,args="])
        .output()
        .expect("ps");
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .any(|line| line.contains(&pattern) && !line.trim_start().starts_with('Z'))
}

/// Values of every sort, as a driver might give them.
const VALUES: &str = r#"
import datetime as d
import decimal, enum, uuid


class Color(enum.IntEnum):
    RED = 3


class Cursor:
    description = [("a", str), ("b", None), ("c", 23), ("d", "TEXT")]
    rowcount = -1


ZONE = d.timezone(-d.timedelta(hours=4, minutes=56, seconds=2))
ROWS = [
    (decimal.Decimal("10.50"), decimal.Decimal("1E+3"), decimal.Decimal("NaN"), -0.0),
    (float("nan"), float("inf"), 2**53, -(2**127)),
    (d.date(2024, 2, 29), d.time(14, 30, 0, 250000), d.datetime(2024, 2, 29, 14, 30), d.datetime(1883, 11, 18, 12, tzinfo=ZONE)),
    (-d.timedelta(hours=1), d.timedelta(days=2, microseconds=1), uuid.UUID(int=1), b"\x00\xab"),
    (memoryview(b"\x01"), Color.RED, [1, None], {"k": decimal.Decimal("0.10"), 2: "x"}),
    ("text", "line\nbreak\u2028\U0001faa2", 1j, True),
]


class BaseConnector:
    def create_connection(self):
        return object()

    def create_cursor(self):
        return Cursor()

    def execute_query(self, query):
        pass

    def fetch_all_results(self):
        return ROWS
"#;

fn values() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_over_sqlite(&sandbox, "shop", VALUES);
    let ran = sandbox
        .bowline_with_python(&["query", "anything", "--format", "csv"])
        .exits(0);
    let expected = "\
a,b,c,d
10.50,1000,NaN,-0.0
NaN,Infinity,9007199254740992,-170141183460469231731687303715884105728
2024-02-29,14:30:00.25,2024-02-29 14:30:00,1883-11-18 12:00:00-04:56:02
PT-1H,P2DT0.000001S,00000000-0000-0000-0000-000000000001,\\x00ab
\\x01,3,\"[1, NULL]\",\"{k: 0.10, 2: x}\"
text,\"line\nbreak\u{2028}\u{1faa2}\",1j,true
";
    assert_eq!(ran.stdout.replace("\r\n", "\n"), expected);
    Ok(())
}
