//! Connectors in Python over drivers that differ: how they commit, what they make rows of, what they raise.

mod errors;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{MANIFEST, write_credentials};
use crate::needs::{Need, trial};
use crate::sandbox::Sandbox;

use errors::{asked, errors, failing_exports};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("python_drivers/commit", &[Need::Python], commit),
        trial("python_drivers/rows", &[Need::Python], rows),
        trial("python_drivers/errors", &[Need::Python], errors),
        trial("python_drivers/scaffold", &[Need::Python], scaffold),
        trial("python_drivers/nulls", &[Need::Python], nulls),
        trial("python_drivers/misspelt", &[Need::Python], misspelt),
        trial(
            "python_drivers/failing_exports",
            &[Need::Python],
            failing_exports,
        ),
        trial("python_drivers/threads", &[Need::Python], threads),
        trial("python_drivers/asking", &[Need::Python], asking),
        trial("python_drivers/products", &[Need::Python], products),
    ]
}

/// A connector over SQLite: its file's text before, between and behind what every such connector has.
fn over_sqlite(connect: &str, run: &str, fetch: &str, rest: &str) -> String {
    format!(
        "import sqlite3\n\n\nclass BaseConnector:\n\
         \x20   def create_connection(self):\n\
         \x20       inner = sqlite3.connect(self.credentials['path'], isolation_level=None, check_same_thread=False)\n\
         \x20       return {connect}\n\n\
         \x20   def create_cursor(self):\n        return self.connection.cursor()\n\n\
         \x20   def execute_query(self, query):\n        {run}\n\n\
         \x20   def fetch_all_results(self):\n        return {fetch}\n\n\
         \x20   def close_connection(self):\n        self.connection.close()\n\n\n{rest}\n"
    )
}

fn write(sandbox: &Sandbox, code: &str) {
    sandbox.write("connectors/shop/connector.py", code);
    sandbox.write("connectors/shop/manifest.json", MANIFEST);
    write_credentials(sandbox, "shop", &json!({ "path": "shop.db" }));
}

/// What a report says of a check.
fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id);
    found.expect("the check was asked")
}

const RUN: &str = "self.cursor.execute(query)";
const FETCH: &str = "self.cursor.fetchall()";

/// A connection over another whose `commit` and `rollback` are what the test says.
fn wrapper(commit: &str) -> String {
    format!(
        "class Wrapper:\n    def __init__(self, inner):\n        self.inner = inner\n\n    \
         def __getattr__(self, name):\n        \
         if name in ('in_transaction', 'autocommit'):\n            raise AttributeError(name)\n        \
         return getattr(self.inner, name)\n\n    def commit(self):\n        {commit}\n"
    )
}

fn commit() -> Result<(), Failed> {
    for words in [
        "raise sqlite3.OperationalError('autocommit is on')",
        "raise ValueError('nothing begun')",
    ] {
        let sandbox = Sandbox::new();
        let code = over_sqlite("Wrapper(inner)", RUN, FETCH, &wrapper(words));
        write(&sandbox, &code);
        for statement in [
            "CREATE TABLE kept (id INTEGER)",
            "INSERT INTO kept VALUES (7)",
        ] {
            sandbox.bowline_with_python(&["query", statement]).exits(0);
        }
        let kept = sandbox
            .bowline_with_python(&["query", "SELECT id FROM kept", "--format", "json"])
            .exits(0);
        assert_eq!(kept.json(), json!([{ "id": 7 }]));
    }
    // What only fails when it is committed has failed: SQLite looks at deferred keys then.
    let sandbox = Sandbox::new();
    let code = over_sqlite(
        "inner",
        "self.cursor.execute('BEGIN'); self.cursor.execute(query)",
        FETCH,
        "",
    );
    let code = code.replace(
        "return inner",
        "inner.execute('PRAGMA foreign_keys = ON'); return inner",
    );
    write(&sandbox, &code);
    for statement in [
        "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
        "CREATE TABLE children (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
    ] {
        sandbox.bowline_with_python(&["query", statement]).exits(0);
    }
    let refused = sandbox
        .bowline_with_python(&["query", "INSERT INTO children VALUES (1)"])
        .exits(exit_code::FELL_SHORT);
    assert!(refused.stderr.contains("FOREIGN KEY"), "{}", refused.said());
    Ok(())
}

const ROWS: &str = "
import collections


class Counted:
    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __getitem__(self, place):
        return self.values[place]


class Keyed(collections.abc.Mapping):
    def __init__(self, names, values):
        self.fields = dict(zip(names, values))

    def __len__(self):
        return len(self.fields)

    def __iter__(self):
        return iter(self.fields)

    def __getitem__(self, name):
        return self.fields[name]


def names(cursor):
    return [column[0] for column in cursor.description]
";

fn rows() -> Result<(), Failed> {
    let two = "SELECT 1 AS a, 2 AS b";
    let same = "SELECT 1 AS a, 2 AS a";
    for (row, sql, expected) in [
        ("Counted(row)", two, Ok("1,2")),
        ("dict(zip(names(self.cursor), row))", two, Ok("1,2")),
        (
            "dict(zip(reversed(names(self.cursor)), reversed(row)))",
            two,
            Ok("1,2"),
        ),
        ("dict(zip('BA', row))", two, Ok("1,2")),
        ("Keyed(names(self.cursor), row)", two, Ok("1,2")),
        ("(value for value in row)", two, Ok("1,2")),
        (
            "dict(zip(names(self.cursor), row))",
            same,
            Err(
                "row 1 has 1 value for 2 columns: a `dict` keeps one value of the columns named `a`",
            ),
        ),
        (
            "Keyed(names(self.cursor), row)",
            same,
            Err("row 1 has 1 value for 2 columns"),
        ),
        ("row[:1]", two, Err("row 1 has 1 value for 2 columns")),
        ("row + (3,)", two, Err("row 1 has 3 values for 2 columns")),
        (
            "(row[0], 'a\\udc00')",
            two,
            Err("row 1, column `b`: text that is not Unicode: 'a\\udc00'"),
        ),
        (
            "(row[0], memoryview(b'abcd')[::2])",
            two,
            Err("row 1, column `b`: memoryview: underlying buffer is not C-contiguous"),
        ),
    ] {
        let sandbox = Sandbox::new();
        let fetch = format!("[{row} for row in self.cursor.fetchall()]");
        write(&sandbox, &over_sqlite("inner", RUN, &fetch, ROWS));
        let ran = sandbox.bowline_with_python(&["query", sql, "--format", "csv"]);
        match expected {
            Ok(line) => assert_eq!(
                ran.stdout.lines().nth(1),
                Some(line),
                "{row}\n{}",
                ran.said()
            ),
            Err(words) => assert!(ran.stderr.contains(words), "{row}\n{}", ran.said()),
        }
        if row == "row[:1]" {
            // As it should be for the one column that the suite asks for.
            continue;
        }
        let report = sandbox
            .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
            .json();
        assert!(
            report["summary"]["wrong"].as_u64() > Some(0),
            "{row}\n{report:#}"
        );
    }
    // Described only once rows were fetched, as some drivers ask the server no sooner.
    let sandbox = Sandbox::new();
    write(&sandbox, &over_sqlite("Late(inner)", RUN, FETCH, LATE));
    let ran = sandbox.bowline_with_python(&["query", two, "--format", "csv"]);
    assert!(ran.stdout.lines().eq(["a,b", "1,2"]), "{}", ran.said());
    let report = sandbox
        .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
        .json();
    assert_eq!(report["summary"]["wrong"], 0, "{report:#}");
    // Columns without a tuple of their own.
    let named = "SELECT 1 AS one, 2 AS two";
    for (columns, is_right) in [
        ("[column[:1] for column in self.ran.description]", true),
        ("[column[0] for column in self.ran.description]", false),
    ] {
        let sandbox = Sandbox::new();
        let late = LATE.replace(
            "self.ran.description\n        return",
            &format!("{columns}\n        return"),
        );
        write(&sandbox, &over_sqlite("Late(inner)", RUN, FETCH, &late));
        let ran = sandbox.bowline_with_python(&["query", named, "--format", "csv"]);
        assert!(ran.stdout.lines().eq(["one,two", "1,2"]), "{}", ran.said());
        let report = sandbox
            .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
            .json();
        let found = check(&report, "connection/description_as_json");
        assert_eq!(found["verdict"] == "supported", is_right, "{report:#}");
    }
    let sandbox = Sandbox::new();
    write(&sandbox, &over_sqlite("inner", RUN, "None", ""));
    let ran = sandbox.bowline_with_python(&["query", two]);
    assert!(
        ran.stderr
            .contains("`fetch_all_results` gives `NoneType`, not a list"),
        "{}",
        ran.said()
    );
    Ok(())
}

/// A connection whose cursors know their columns only behind the rows.
const LATE: &str = r"
class Late:
    description, rowcount = None, -1

    def __init__(self, inner):
        self.inner, self.close = inner, inner.close

    def cursor(self):
        return self

    def execute(self, query):
        self.description, self.ran = None, self.inner.execute(query)

    def fetchall(self):
        rows = self.ran.fetchall()
        self.description = self.ran.description
        return rows
";

/// A driver of which nothing but the standard's names can be relied on: rows without an end, types that are objects.
const DRIVER: &str = r#"
import datetime, decimal, sqlite3, uuid


class Kind:
    def __init__(self, values):
        self.values = values


class Column:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]


VALUES = {
    "DECIMAL": decimal.Decimal("1.50"),
    "CURRENT_DATE": datetime.date(2024, 2, 29),
    "CURRENT_TIMESTAMP": datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc),
    "INTERVAL": datetime.timedelta(days=1),
    "TIME)": datetime.time(14, 30),
    "UUID": uuid.UUID(int=1),
    "ARRAY": [decimal.Decimal("1.5"), {"a": b"x"}],
    "X'": memoryview(b"\x00\xab"),
}


class DriverCursor:
    by_name = False
    rowcount = -1

    def __init__(self, inner):
        self.inner = inner

    @property
    def description(self):
        kinds = [int, Kind(("INT", "BIGINT")), None, 23]
        columns = self.inner.description or []
        return [Column((column[0], kinds[place % 4])) for place, column in enumerate(columns)]

    def execute(self, query):
        self.value = next((value for word, value in VALUES.items() if word in query), None)
        self.inner.execute("SELECT 1 AS test_col" if self.value is not None else query)

    def fetchall(self):
        rows = [row if self.value is None else (self.value,) for row in self.inner.fetchall()]
        names = [column[0] for column in self.inner.description]
        DriverCursor.by_name = not DriverCursor.by_name
        if DriverCursor.by_name and len(set(names)) == len(names):
            return [dict(zip(names, row)) for row in rows]
        return [Column(row) for row in rows]

    def close(self):
        self.inner.close()


class DriverConnection:
    def __init__(self, inner):
        self.inner = inner

    def cursor(self):
        return DriverCursor(self.inner.cursor())

    def close(self):
        self.inner.close()
"#;

/// What `new` writes is right over any driver, whatever its rows and types are.
fn scaffold() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--lang", "python"])
        .exits(0);
    let code = sandbox.read("connectors/shop/connector.py").replace(
        "raise NotImplementedError(\"create_connection in connector.py does not reach a database yet\")",
        "return DriverConnection(sqlite3.connect('shop.db', isolation_level=None, check_same_thread=False))",
    );
    sandbox.write("connectors/shop/connector.py", &format!("{code}\n{DRIVER}"));
    write_credentials(&sandbox, "shop", &json!({}));
    let report = sandbox
        .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(report["summary"]["supported"], 5, "{report:#}");
    for check in report["checks"].as_array().expect("checks") {
        assert_eq!(check["advice"], json!([]), "{report:#}");
    }
    let steps = check(&report, "connection/values_as_json")["steps"]
        .as_array()
        .expect("steps");
    assert!(steps.len() >= 8, "{report:#}");
    Ok(())
}

/// What makes columns of rows has no NULL among numbers; no template is at fault for that.
fn nulls() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let fetch = "[[float('nan') if value is None else value for value in row] for row in self.cursor.fetchall()]";
    write(&sandbox, &over_sqlite("inner", RUN, fetch, ""));
    let report = sandbox
        .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
        .exits(exit_code::FELL_SHORT)
        .json();
    let found = check(&report, "connection/values_as_json");
    assert_eq!(found["verdict"], "wrong", "{found:#}");
    assert!(found["reason"].to_string().contains("NaN"), "{found:#}");
    Ok(())
}

fn misspelt() -> Result<(), Failed> {
    let base = over_sqlite("inner", RUN, FETCH, "");
    let good = "    def get_avg_function_template(self):\n        return 'AVG({x})'\n";
    for (code, expected) in [
        (
            format!("{base}class QueryLangTemplates:\n{good}"),
            "`QueryLangTemplates`: no class of templates has this name: did you mean `QueryLanguageTemplates`?",
        ),
        (
            format!(
                "{base}class QueryLanguageTemplates:\n{}",
                good.replace("function", "functoin")
            ),
            "no template has this name: did you mean `get_avg_function_template`?",
        ),
        (
            format!(
                "{base}class QueryLanguageTemplates:\n{}",
                good.replace("_template", "")
            ),
            "`get_avg_function`: no template has this name: did you mean `get_avg_function_template`?",
        ),
        (
            base.replace("execute_query", "execute_qeury"),
            "`execute_qeury`: nobody calls it: did you mean `execute_query`?",
        ),
        (
            base.replace("BaseConnector", "BaseConector"),
            "did you mean `BaseConnector`? line 4: `BaseConector`",
        ),
        (
            base.replace("BaseConnector", "PostgresConnector"),
            "did you mean `BaseConnector`? line 4: `PostgresConnector`",
        ),
    ] {
        let sandbox = Sandbox::new();
        write(&sandbox, &code);
        let ran = sandbox.bowline_with_python(&["test", "-m", "connection"]);
        assert_ne!(ran.exit, Some(0), "{}", ran.said());
        assert!(ran.stderr.contains(expected), "{expected}\n{}", ran.said());
    }
    // A class that the file has from elsewhere is no misspelt one.
    let sandbox = Sandbox::new();
    let import = "from configparser import ConfigParser as BaseConnectors";
    let code = base.replace("BaseConnector", "Shop");
    write(&sandbox, &format!("{import}\n{code}"));
    let ran = sandbox.bowline_with_python(&["test", "-m", "connection"]);
    assert!(ran.stderr.contains("has no class"), "{}", ran.said());
    assert!(!ran.stderr.contains("did you mean"), "{}", ran.said());
    // Helpers, bases and templates that a later contract may have are nobody's mistake.
    let sandbox = Sandbox::new();
    let helpers = "class Common:\n    def get_max_function_template(self):\n        return 'MAX({x})'\n\n\n\
                   class QueryLanguageTemplates(Common):\n    def quoted(self, name):\n        return name\n\n    \
                   def get_geometry_hull_function_template(self):\n        return 'HULL({x})'\n\n\n\
                   class MetadataQueryTemplates:\n    def query_template(self):\n        return 'SELECT 1'\n\n    \
                   def fetch_tables_query_template(self):\n        return 'SELECT 1'\n\n    \
                   def get_databases_query_template(self):\n        return self.fetch_tables_query_template()\n";
    write(&sandbox, &format!("{base}{helpers}{good}"));
    let ran = sandbox
        .bowline_with_python(&["test", "-m", "connection"])
        .exits(0);
    assert!(!ran.stderr.contains("nobody reads it"), "{}", ran.said());
    let akin = "class MetadataQueryTemplates:\n    def fetch_tables_query_template(self):\n        return 'SELECT 1'\n";
    write(&sandbox, &format!("{base}{akin}"));
    let ran = sandbox
        .bowline_with_python(&["test", "-m", "connection"])
        .exits(0);
    assert!(
        ran.stderr.contains(
            "`fetch_tables_query_template`: no template has this name, so nobody reads it\n"
        ) && ran
            .stderr
            .contains("did you mean `get_tables_query_template`?"),
        "{}",
        ran.said()
    );
    sandbox.write(
        "connectors/shop/templates.toml",
        "get_avg_function = \"MIN({x})\"\n",
    );
    let ran = sandbox.bowline_with_python(&["test", "-m", "connection"]);
    assert!(
        ran.stderr
            .contains("connectors/shop/templates.toml: nobody reads it beside `connector.py`"),
        "{}",
        ran.said()
    );
    Ok(())
}

/// Threads that share a cursor see each other's rows, and are told so; it costs no verdict.
fn threads() -> Result<(), Failed> {
    let shared = "[self.last]";
    let sandbox = Sandbox::new();
    let run = "rows = self.connection.execute(query).fetchall(); self.last = rows[0]; \
               self.cursor = __import__('types').SimpleNamespace(description=[('test_col', None)], rowcount=1)";
    write(&sandbox, &over_sqlite("inner", run, shared, ""));
    let report = sandbox
        .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
        .json();
    let query = check(&report, "connection/query");
    assert_eq!(query["verdict"], "supported", "{report:#}");
    let advice = query["advice"].to_string();
    assert!(advice.contains("asked for"), "{report:#}");
    Ok(())
}

/// How a connector asks is its own mistake, and no template's.
fn asking() -> Result<(), Failed> {
    let undescribed = "self.kept = self.connection.execute(query)";
    for (run, fetch, id, words) in [
        (
            "self.cursor.execute(query % ())",
            FETCH,
            "connection/percent_signs",
            "not enough arguments for format string",
        ),
        (
            "self.cursor.execute(query.replace('%', '%%'))",
            FETCH,
            "connection/percent_signs",
            "100%% of %%s",
        ),
        (
            undescribed,
            "self.kept.fetchall()",
            "connection/query",
            "`cursor.description` is None behind a statement that gives rows",
        ),
    ] {
        let sandbox = Sandbox::new();
        write(&sandbox, &over_sqlite("inner", run, fetch, ""));
        let report = sandbox
            .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
            .exits(exit_code::FELL_SHORT)
            .json();
        let found = check(&report, id);
        assert_eq!(found["verdict"], "wrong", "{report:#}");
        assert!(found.to_string().contains(words), "{words}\n{found:#}");
    }
    // Doubled signs that come back single are some drivers' way.
    let sandbox = Sandbox::new();
    let run = "self.cursor.execute(query.replace('%%', '%'))";
    write(&sandbox, &over_sqlite("inner", run, FETCH, ""));
    let report = sandbox
        .bowline_with_python(&["test", "-m", "connection", "--format", "json"])
        .json();
    let found = check(&report, "connection/percent_signs");
    assert_eq!(found["verdict"], "supported", "{report:#}");
    assert!(found["advice"].to_string().contains("`a%b`"), "{found:#}");

    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--lang", "python", "--dialect", "sqlite"])
        .exits(0);
    let code = sandbox.read("connectors/shop/connector.py");
    let code = code
        .replace(
            "execute(query)\n\n",
            "execute(query.replace('%', '%%'))\n\n",
        )
        .replace(
            "return \"AVG(CAST({x} AS DOUBLE PRECISION))",
            "return \"AVG(CAST({x} AS DOUBLE PRECISION) + 0 % 7)",
        );
    sandbox.write("connectors/shop/connector.py", &code);
    write_credentials(&sandbox, "shop", &json!({ "path": "shop.db" }));
    sandbox.write("shop.db", "");
    let ran = sandbox
        .bowline_with_python(&["test"])
        .exits(exit_code::FELL_SHORT);
    let told = ran.stdout.trim_start();
    assert!(
        told.starts_with("✗ connection/percent_signs fell short")
            && told.contains("next: let `execute_query` in"),
        "{}",
        ran.said()
    );
    let report = sandbox
        .bowline_with_python(&["test", "--format", "json"])
        .json();
    assert_eq!(report["culprits"], json!([]), "{}", report["culprits"]);
    assert_eq!(check(&report, "ql_metrics/avg")["verdict"], "unknown");
    Ok(())
}

/// Connections that tell of the server as drivers do.
const SERVERS: &str = r#"
import sys, types


def over(package, **members):
    sys.modules.setdefault(package, types.SimpleNamespace(__version__="3.1"))
    cls = type("Connection", (), dict(members, __module__=package, close=lambda self: None))
    cls.cursor = lambda self: types.SimpleNamespace(description=None, rowcount=-1)
    return cls()


def lost(self):
    raise OSError("gone")


class BaseConnector:
    def create_connection(self):
        return CONNECTION

    def create_cursor(self):
        return self.connection.cursor()

    def execute_query(self, query):
        pass

    def fetch_all_results(self):
        return []
"#;

fn products() -> Result<(), Failed> {
    for (connection, product) in [
        (
            "over('pymysql', get_server_info=lambda self: '5.5.5-10.11.6-MariaDB-log')",
            "MariaDB 10.11.6",
        ),
        (
            "over('pymysql', get_server_info=lambda self: '10.6.12-8-MariaDB-enterprise-log')",
            "MariaDB 10.6.12",
        ),
        (
            "over('MySQLdb', get_server_info=lambda self: '8.4.2')",
            "MySQL 8.4.2",
        ),
        (
            "over('psycopg', info=types.SimpleNamespace(server_version=150004))",
            "PostgreSQL 15.4",
        ),
        (
            "over('pyodbc', getinfo=lambda self, what: {17: 'Frob', 18: '9.1'}[what])",
            "Frob 9.1",
        ),
        ("over('pyodbc', getinfo=lost)", "Python's pyodbc 3.1"),
        ("over('_frobdb')", "Python's frobdb"),
    ] {
        let sandbox = Sandbox::new();
        let code = SERVERS.replace("CONNECTION", connection);
        write(&sandbox, &code);
        let answers = asked(&sandbox, &[]);
        assert_eq!(answers[1]["result"]["product"], product, "{answers:#?}");
    }
    Ok(())
}
