//! What drivers raise, and what is told of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bowline_contract::exit_code;
use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::write;
use crate::connector::write_credentials;
use crate::needs::python;
use crate::sandbox::Sandbox;

/// Classes as drivers have them, and a connector that raises what it is asked to.
const RAISES: &str = r#"
import sys, types


def made(package, name, *bases, **members):
    return type(name, bases or (Exception,), dict(members, __module__=package))


Error = made("somedb", "Error")
Odd = made("otherdb", "QueryFailed")
Java = made("java.sql", "SQLException", getSQLState=lambda self: "42S02")
Wrapped = made("jaydebeapi", "DatabaseError")
Spark = made("pyspark.errors", "AnalysisException", getSqlState=lambda self: "42703")
MySQL = made("pymysql.err", "ProgrammingError", Error)
Mute = made("somedb", "Mute", Error, __str__=lambda self: self.gone)
Stranger = made("licences", "Expired")
Held = made("heldengine", "Refused")


def engine(package):
    """An engine whose errors are Python's own, raised by the package's code or by something native."""
    module = types.ModuleType(package)
    exec("class Session(list):\n    def asked(self, error):\n        raise error\n", vars(module))
    return module.Session()


wrapped, strange = engine("wrappedengine"), engine("strangers")
Web = made("requests", "HTTPError")


class Connection(made("otherdb", "Session", object)):
    def __init__(self):
        self.engine = made("heldengine", "Engine", object)()
        self.run = (lambda session: lambda: session)(wrapped)
        self.web = made("requests", "Session", object)()

    def cursor(self):
        return types.SimpleNamespace(description=None, rowcount=-1)

    def close(self):
        pass


class BaseConnector:
    def create_connection(self):
        return Connection()

    def create_cursor(self):
        return self.connection.cursor()

    def execute_query(self, query):
        if query == "native":
            # An older Python does not tell which call of a line failed.
            wrapped.index(query) if sys.version_info >= (3, 11) else wrapped.asked(ValueError())
        if query == "code":
            int(query)
        raise eval(query)

    def fetch_all_results(self):
        return []

    def close_connection(self):
        pass
"#;

/// What the host answers to statements, asked by its protocol.
pub(super) fn asked(sandbox: &Sandbox, statements: &[&str]) -> Vec<Value> {
    sandbox.bowline_with_python(&["query", "None"]);
    let files = sandbox.files(".bowline/python");
    let host = files
        .iter()
        .find(|file| file.starts_with("host-"))
        .expect("the host");
    let path = |file: &str| sandbox.work().join(file).display().to_string();
    let settings = json!({ "connector": path("connectors/shop/connector.py"), "name": "shop", "system_packages": [] });
    let mut child = Command::new(python().expect("a Python"))
        .args([
            "-I",
            &path(&format!(".bowline/python/{host}")),
            &settings.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a host");
    let statements = statements.iter().map(|sql| {
        (
            "query",
            json!({ "sql": sql, "max_rows": 1, "max_bytes": 1000, "timeout_ms": 1000 }),
        )
    });
    let begin = [
        ("initialize", json!({ "protocol": 1 })),
        ("connect", json!({ "credentials": {} })),
    ];
    let end = [("close", json!({}))];
    let mut input = child.stdin.take().expect("its input");
    for (number, (method, params)) in begin.into_iter().chain(statements).chain(end).enumerate() {
        let request = json!({ "jsonrpc": "2.0", "id": number, "method": method, "params": params });
        writeln!(input, "{request}").expect("it listens");
    }
    let output = child.wait_with_output().expect("its answers");
    let answers = String::from_utf8(output.stdout).expect("text");
    let answers = answers
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    answers.collect()
}

pub(super) fn errors() -> Result<(), Failed> {
    let cases = [
        ("Error('no such table: x')", "missing_object", None),
        ("Error('near x: syntax error')", "syntax", None),
        ("Error('permission denied for x')", "permission", None),
        ("Error('the frob is too large')", "other", None),
        (
            "Error('42S02', '[42S02] [maker][driver] no x (1146)')",
            "other",
            Some("42S02"),
        ),
        (
            "Error('State: 42000, Native error: 1044, Message: access denied')",
            "permission",
            Some("42000"),
        ),
        ("Error('bad x SQLSTATE=42704')", "other", Some("42704")),
        ("MySQL(1146, 'no x')", "missing_object", None),
        ("MySQL(1142, 'SELECT command denied')", "permission", None),
        ("Odd('what is x')", "other", None),
        ("Held('what is x')", "other", None),
        ("Web('gone')", "driver", None),
        ("Java('no x')", "other", Some("42S02")),
        ("Wrapped(Java('no x'))", "other", Some("42S02")),
        ("Spark('no x')", "other", Some("42703")),
        (
            "RuntimeError('Code: 60. DB::Exception: no x')",
            "missing_object",
            None,
        ),
        ("Error('ORA-00942: no x')", "missing_object", None),
        (
            "Error('ORA-01000: maximum open cursors exceeded')",
            "busy",
            None,
        ),
        ("MySQL(1213, 'Deadlock found')", "busy", None),
        (
            "Error('DPY-4011: it closed the connection')",
            "connection",
            None,
        ),
        (
            "Error('error in view v: no such table: x')",
            "permission",
            None,
        ),
        (
            "wrapped.asked(TypeError('not enough arguments for format string'))",
            "driver",
            None,
        ),
        ("TimeoutError('slow')", "timeout", None),
        ("ConnectionResetError('gone')", "connection", None),
        ("ValueError('year 0 is out of range')", "driver", None),
        ("EOFError('x')", "driver", None),
        ("KeyboardInterrupt()", "driver", None),
        ("SystemExit('no licence')", "driver", None),
        ("GeneratorExit()", "driver", None),
        ("RuntimeError('no licence')", "driver", None),
        ("LookupError('x')", "driver", None),
        (
            "wrapped.asked(ValueError('invalid function: frob'))",
            "missing_object",
            None,
        ),
        (
            "wrapped.asked(RuntimeError('SyntaxException at x'))",
            "syntax",
            None,
        ),
        (
            "wrapped.asked(Exception('table `x` was not found'))",
            "missing_object",
            None,
        ),
        (
            "wrapped.asked(ValueError('the frob is too large'))",
            "other",
            None,
        ),
        ("wrapped.asked(KeyError('x'))", "driver", None),
        ("wrapped.asked(AttributeError('x'))", "driver", None),
        ("strange.asked(ValueError('x'))", "driver", None),
        ("Mute()", "other", None),
        ("Error('page ' * 1000000)", "other", None),
        ("native", "other", None),
        ("code", "driver", None),
        ("Stranger('yesterday')", "driver", None),
        ("__import__('binascii').Error('padding')", "driver", None),
        ("__import__('shutil').Error('x')", "driver", None),
        ("OSError(28, 'disk')", "driver", None),
        (
            "UnicodeDecodeError('utf-8', b'', 0, 1, 'x')",
            "driver",
            None,
        ),
        ("made('somedb', 'Argument', TypeError)('x')", "driver", None),
    ];
    let sandbox = Sandbox::new();
    write(&sandbox, RAISES);
    let statements: Vec<&str> = cases.iter().map(|(raise, ..)| *raise).collect();
    let answers = asked(&sandbox, &statements);
    assert_eq!(answers.len(), cases.len() + 3, "{answers:#?}");
    for ((raise, kind, sqlstate), answer) in cases.iter().zip(&answers[2..]) {
        let data = &answer["error"]["data"];
        assert_eq!(data["kind"], *kind, "{raise}\n{answer:#}");
        assert_eq!(data["sqlstate"].as_str(), *sqlstate, "{raise}\n{answer:#}");
        let hint = data["hint"].as_str().unwrap_or_default();
        assert_eq!(
            hint.contains("percent signs"),
            raise.contains("format string"),
            "{raise}\n{answer:#}"
        );
    }
    Ok(())
}

/// What was proven once and fails now goes into no image, whether an export is made of it or not.
pub(super) fn failing_exports() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let new = ["new", "shop", "--lang", "python", "--dialect", "sqlite"];
    sandbox.bowline_with_python(&new).exits(exit_code::OK);
    let database = sandbox.work().join("shop.db");
    write_credentials(&sandbox, "shop", &json!({ "path": database }));
    let create = "CREATE TABLE orders AS SELECT 1 AS id";
    sandbox
        .bowline_with_python(&["query", create])
        .exits(exit_code::OK);
    sandbox
        .bowline_with_python(&["export", "shop"])
        .exits(exit_code::OK);
    let file = "connectors/shop/connector.py";
    let own = sandbox.read(file);
    for (method, ends, told) in [
        (
            "create_connection(self)",
            exit_code::DRIVER,
            "`connectors/shop/connector.py` has changed",
        ),
        (
            "get_avg_function_template(self)",
            exit_code::INVALID,
            "`connectors/shop/connector.py` has changed",
        ),
        (
            "execute_query(self, query)",
            exit_code::FELL_SHORT,
            "not proven: its last test found it wrong",
        ),
    ] {
        let head = format!("    def {method}:\n");
        assert!(own.contains(&head), "{head}");
        let failing = own.replace(
            &head,
            &format!("{head}        raise RuntimeError('down')\n"),
        );
        sandbox.write(file, &failing);
        sandbox.bowline_with_python(&["export", "shop"]).exits(ends);
        let built = sandbox
            .bowline_with_python(&["build", "shop", "--base", "oci:nowhere:1"])
            .exits(exit_code::INVALID);
        assert!(built.stderr.contains(told), "{told}\n{}", built.said());
    }
    Ok(())
}
