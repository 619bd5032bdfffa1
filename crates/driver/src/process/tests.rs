//! Every way a process can misbehave, played by small shell scripts. None of them may outlive its call.

use std::path::Path;
use std::time::{Duration, Instant};

use bowline_process::{Process, Program};

use crate::{Connection, Database, DriverKind, DriverSpec, Limits, SqlError, SqlErrorKind};
use bowline_words::{Diagnose, Redactor};

/// Longer than anything here takes, so that only what hangs meets it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers the handshake and the login, writes down the process group, and waits for the statement.
const PRELUDE: &str = r#"
    echo $$ > group
    answer() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$1" "$2"; }
    read -r line
    answer 1 '"result":{"protocol":1,"kind":"warehouse","name":"shell","capabilities":["connect","query"]}'
    read -r line
    answer 2 '"result":{"product":"Shell 1.0"}'
    read -r line
"#;

/// A folder for one script, and the process group the script wrote down there.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn program(&self, script: &str) -> Program {
        Program::new("shop", ["/bin/sh", "-c", script], self.folder.path())
    }

    fn database(&self, script: &str) -> std::sync::Arc<dyn Database> {
        let mut spec = DriverSpec::new(DriverKind::Process(self.program(script)));
        spec.redactor = Redactor::new(["hunter2hunter2".to_owned()]);
        spec.connect_timeout = PATIENCE;
        crate::open(&spec).unwrap()
    }

    /// Connects to a script that continues after the login.
    fn connection(&self, script: &str) -> Box<dyn Connection> {
        self.database(&format!("{PRELUDE}\n{script}"))
            .connect()
            .unwrap()
    }

    /// The error of a statement that the script makes fail.
    fn fault(&self, script: &str) -> SqlError {
        let mut connection = self.connection(script);
        let error = connection.run("SELECT 1", &limits(PATIENCE)).unwrap_err();
        self.assert_nothing_runs();
        error
    }

    /// Waits until no living process is left in the group.
    fn assert_nothing_runs(&self) {
        let text = std::fs::read_to_string(self.folder.path().join("group")).unwrap();
        let group: i32 = text.trim().parse().unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let living = members(group);
            if living.is_empty() {
                return;
            }
            assert!(
                Instant::now() < until,
                "processes {living:?} outlive their call"
            );
            std::thread::yield_now();
        }
    }
}

/// The living processes of a group; what has ended and is not yet reaped does not count.
fn members(group: i32) -> Vec<String> {
    if !Path::new("/proc/self/stat").exists() {
        let id = rustix::process::Pid::from_raw(group).unwrap();
        let is_there = rustix::process::test_kill_process_group(id).is_ok();
        return is_there.then(|| group.to_string()).into_iter().collect();
    }
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| {
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
            fields[0] != "Z" && fields[2] == group.to_string()
        })
        .collect()
}

fn limits(timeout: Duration) -> Limits {
    Limits {
        timeout,
        ..Limits::default()
    }
}

const ONE: &str = r#"answer 3 '"result":{"columns":[{"name":"n","type":"int"}],"rows":[[1]]}'"#;

#[test]
fn a_statement_is_answered_and_the_process_ends_with_the_connection() {
    let scene = Scene::new();
    let database = scene.database(&format!(
        "{PRELUDE}\n{ONE}\nread -r line; echo \"$line\" > last"
    ));
    assert_eq!(database.product(), "shop");
    let mut connection = database.connect().unwrap();
    assert_eq!(database.product(), "Shell 1.0");
    let result = connection.run("SELECT 1", &limits(PATIENCE)).unwrap();
    assert_eq!(result.scalar(), Some(&1i64.into()));
    drop(connection);
    scene.assert_nothing_runs();
    let last = std::fs::read_to_string(scene.folder.path().join("last")).unwrap();
    assert!(last.contains(r#""method":"close""#), "{last}");
}

#[test]
fn notifications_and_logs_do_not_disturb() {
    let scene = Scene::new();
    let mut connection = scene.connection(&format!(
        "echo noise >&2; echo '{{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{{}}}}'; {ONE}"
    ));
    assert!(connection.run("SELECT 1", &limits(PATIENCE)).is_ok());
}

#[test]
fn a_crash_tells_how_it_ended_and_its_last_words_without_secrets() {
    let error = Scene::new().fault("echo 'cannot log in with hunter2hunter2' >&2; exit 3");
    assert_eq!(error.kind, SqlErrorKind::Connection);
    assert_eq!(
        error.message,
        "the process of connector `shop` ended during `query`: exit status: 3\n\
         its last words on standard error:\n  cannot log in with ***"
    );
    let error = Scene::new().fault("kill -KILL $$");
    assert!(error.message.contains("signal: 9"), "{}", error.message);
}

#[test]
fn a_crash_in_the_middle_of_an_answer_is_a_crash() {
    let error = Scene::new().fault(r#"printf '{"jsonrpc":"2.0","id":3,"resu'; exit 1"#);
    assert_eq!(error.kind, SqlErrorKind::Connection);
}

#[test]
fn a_lost_connection_stays_lost_and_a_new_one_lives() {
    let scene = Scene::new();
    let script = format!("{PRELUDE}\n[ -e died ] || {{ touch died; exit 1; }}\n{ONE}");
    let database = scene.database(&script);
    let mut connection = database.connect().unwrap();
    for _ in 0..2 {
        let error = connection.run("SELECT 1", &limits(PATIENCE)).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Connection);
    }
    assert!(
        database
            .connect()
            .unwrap()
            .run("SELECT 1", &limits(PATIENCE))
            .is_ok()
    );
}

#[test]
fn a_hang_meets_its_deadline_and_the_next_statement_runs() {
    let scene = Scene::new();
    let mut connection = scene.connection(&format!(
        "[ -e hung ] || {{ touch hung; sleep 1000; }}\n{ONE}"
    ));
    let error = connection
        .run("SELECT 1", &limits(Duration::from_millis(100)))
        .unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Timeout);
    assert_eq!(
        error.message,
        "the process of connector `shop` was ended: `query` took longer than 0.1 s"
    );
    scene.assert_nothing_runs();
    assert!(connection.run("SELECT 1", &limits(PATIENCE)).is_ok());
}

#[test]
fn a_process_that_reads_nothing_meets_its_deadline() {
    let scene = Scene::new();
    let mut connection = scene.connection("sleep 1000");
    let long = " ".repeat(10_000_000);
    let error = connection
        .run(&long, &limits(Duration::from_millis(100)))
        .unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Timeout);
    scene.assert_nothing_runs();
}

#[test]
fn a_cancelled_statement_ends_and_the_next_one_runs() {
    let scene = Scene::new();
    let script = format!("[ -e hung ] || {{ touch hung; sleep 1000; }}\n{ONE}");
    let mut connection = scene.connection(&script);
    let canceller = connection.canceller();
    canceller.cancel();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| connection.run("SELECT 1", &limits(PATIENCE)));
        while !running.is_finished() {
            canceller.cancel();
            std::thread::yield_now();
        }
        let error = running.join().unwrap().unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Cancelled);
    });
    scene.assert_nothing_runs();
    assert!(connection.run("SELECT 1", &limits(PATIENCE)).is_ok());
}

#[test]
fn garbage_is_shown() {
    for (line, reason) in [
        ("Hello, world", "no value of JSON"),
        ("", "the line ends where a value belongs"),
        ("[]", "found a list, expected an object"),
        (
            r#"{"jsonrpc":"2.0","id":3}"#,
            "neither a result nor an error",
        ),
        (
            r#"{"jsonrpc":"2.0","id":9,"result":{"columns":[],"rows":[]}}"#,
            "answers request 9, not 3",
        ),
        (
            r#"{"jsonrpc":"2.0","id":3,"result":{"rows":[]}}"#,
            "missing member `columns`",
        ),
        (
            r#"{"jsonrpc":"2.0","id":3,"result":{"columns":[],"rows":[[{"$x":1}]]}}"#,
            "unknown tag `$x`",
        ),
    ] {
        let error = Scene::new().fault(&format!("echo '{line}'; sleep 1000"));
        assert_eq!(error.kind, SqlErrorKind::Driver);
        let start = "the process of connector `shop` did not answer `query` by the protocol: ";
        assert!(error.message.starts_with(start), "{}", error.message);
        assert!(error.message.contains(reason), "{line}: {}", error.message);
        assert!(
            error.text().contains("\nhint: only messages belong"),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_huge_answer_is_refused_without_being_held() {
    let scene = Scene::new();
    let mut connection = scene.connection("tr '\\0' x < /dev/zero");
    let few = Limits {
        max_bytes: 1000,
        ..limits(PATIENCE)
    };
    let error = connection.run("SELECT 1", &few).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::TooLarge);
    assert!(
        error.message.contains("more than 1049576 bytes"),
        "{}",
        error.message
    );
    scene.assert_nothing_runs();
}

#[test]
fn a_child_that_keeps_the_pipes_open_keeps_nobody_waiting() {
    let error = Scene::new().fault("sleep 1000 & exit 4");
    assert_eq!(error.kind, SqlErrorKind::Connection);
    assert!(
        error.message.contains("exit status: 4"),
        "{}",
        error.message
    );
}

#[test]
fn an_output_that_is_closed_is_an_end() {
    let error = Scene::new().fault("exec >&-; sleep 1000");
    assert_eq!(error.kind, SqlErrorKind::Connection);
    assert!(
        error.message.contains("it closed its standard output"),
        "{}",
        error.message
    );
}

#[test]
fn an_error_answer_leaves_the_process_running() {
    let scene = Scene::new();
    let mut connection = scene.connection(
        r#"answer 3 '"error":{"code":-32000,"message":"no such table: t","data":{"kind":"missing_object","sqlstate":"42S02"}}'
        read -r line
        answer 4 '"error":{"code":-32000,"message":"KeyError: hunter2hunter2","data":{"kind":"driver","trace":["connector.py:3, in x: y"],"hint":"do it"}}'"#,
    );
    let error = connection.run("SELECT 1", &limits(PATIENCE)).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::MissingObject);
    assert_eq!(error.to_string(), "no such table: t (SQLSTATE 42S02)");
    let error = connection.run("SELECT 1", &limits(PATIENCE)).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Driver);
    assert_eq!(
        error.text(),
        "KeyError: ***\n  connector.py:3, in x: y\nhint: do it"
    );
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let program = Program::new("shop", ["/nonexistent/program"], "/");
    let error = Process::start(&program, &Redactor::default())
        .err()
        .unwrap();
    assert_eq!(
        error.diagnose().to_string(),
        "cannot start the process of connector `shop`: `/nonexistent/program`: No such file or directory (os error 2)\nhint: build the program, or mend `command` in connector.toml"
    );
}

#[test]
fn a_program_that_is_no_connector_is_refused() {
    let scene = Scene::new();
    let hello = |protocol: u32, kind: &str| {
        format!(
            r#"echo $$ > group; read -r line
            echo '{{"jsonrpc":"2.0","id":1,"result":{{"protocol":{protocol},"kind":"{kind}","name":"x","capabilities":["query"]}}}}'
            sleep 1000"#
        )
    };
    for (script, reason) in [
        (
            hello(2, "warehouse"),
            "it speaks version 2 of the process protocol",
        ),
        (hello(1, "pipeline"), "it is no connector for a database"),
        (
            "echo $$ > group; cat".to_owned(),
            "did not answer `initialize`",
        ),
        (
            "echo $$ > group; exit 0".to_owned(),
            "ended during `initialize`: exit status: 0",
        ),
    ] {
        let error = scene.database(&script).connect().err().unwrap();
        assert!(error.message.contains(reason), "{}", error.message);
        scene.assert_nothing_runs();
    }
}

#[test]
fn a_kept_process_serves_the_next_start_unless_it_has_ended() {
    let scene = Scene::new();
    let starts = || std::fs::read_to_string(scene.folder.path().join("starts")).unwrap();
    let start = |program: &Program| Process::start(program, &Redactor::default()).unwrap();

    let program = scene.program(&format!("echo start >> starts\n{PRELUDE}"));
    program.keep(start(&program));
    let database = crate::open(&DriverSpec::new(DriverKind::Process(program))).unwrap();
    drop(database.connect().unwrap());
    assert_eq!(starts(), "start\n");
    drop(database.connect().unwrap());
    assert_eq!(starts(), "start\nstart\n");

    let greets = r#"
        echo start >> starts
        read -r line
        printf '{"jsonrpc":"2.0","id":1,"result":{"protocol":1,"kind":"warehouse","name":"shell","capabilities":[]}}\n'
    "#;
    let program = scene.program(greets);
    let mut ended = start(&program);
    assert!(ended.ends(PATIENCE));
    program.keep(ended);
    start(&program);
    assert_eq!(starts(), "start\n".repeat(4));
}
