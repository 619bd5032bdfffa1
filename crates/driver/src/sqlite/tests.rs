use super::*;
use crate::{DriverKind, Surplus};
use bowline_words::Redactor;

fn spec(options: &[(&str, &str)]) -> DriverSpec {
    DriverSpec {
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..DriverSpec::new(DriverKind::Sqlite)
    }
}

fn memory() -> Box<dyn Connection> {
    let database = open(&spec(&[("path", ":memory:")])).unwrap();
    database.connect().unwrap()
}

fn run(connection: &mut dyn Connection, sql: &str) -> Result<ResultSet, SqlError> {
    connection.run(sql, &Limits::default())
}

fn refused(spec: &DriverSpec) -> SqlError {
    let opened = open(spec).and_then(|database| database.connect().map(|_| ()));
    opened.expect_err("opening must fail")
}

#[test]
fn values_and_types_are_what_sqlite_says() {
    let mut db = memory();
    run(
        &mut *db,
        "CREATE TABLE t (a INTEGER, b DECIMAL(10,2), c TIMESTAMP, d BLOB, e BOOLEAN)",
    )
    .unwrap();
    let inserted = run(
        &mut *db,
        "INSERT INTO t VALUES (9223372036854775807, 1.5, '2024-01-02', x'00ff', TRUE), (NULL, 0, 1, '', 0)",
    )
    .unwrap();
    assert_eq!(inserted.rows_affected, Some(2));
    assert!(inserted.columns.is_empty());
    let result = run(&mut *db, "SELECT *, a IS NULL AS f, 1e999 AS g FROM t").unwrap();
    let types: Vec<&str> = result
        .columns
        .iter()
        .map(|c| c.type_name.as_str())
        .collect();
    assert_eq!(
        types,
        [
            "INTEGER",
            "DECIMAL(10,2)",
            "TIMESTAMP",
            "BLOB",
            "BOOLEAN",
            "integer",
            "real"
        ]
    );
    assert_eq!(result.rows_affected, None);
    assert_eq!(
        result.rows[0],
        [
            i64::MAX.into(),
            1.5.into(),
            "2024-01-02".into(),
            vec![0u8, 255].into(),
            1i64.into(),
            0i64.into(),
            f64::INFINITY.into(),
        ]
    );
    assert_eq!(result.rows[1][0], Value::Null);
    assert_eq!(result.position("f"), Some(5));
}

#[test]
fn every_refusal_has_its_kind_and_sqlites_words() {
    let mut db = memory();
    run(&mut *db, "CREATE TABLE t (a INTEGER PRIMARY KEY NOT NULL)").unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)").unwrap();
    run(&mut *db, "CREATE TABLE wide (a, b)").unwrap();
    run(&mut *db, "CREATE VIEW broken AS SELECT * FROM gone").unwrap();
    use SqlErrorKind::{Data, MissingObject, Permission, Syntax, UnsupportedType};
    for (sql, kind, words) in [
        (
            "ALTER TABLE wide DROP COLUMN b",
            Permission,
            "error in view broken: no such table: main.gone (SQLITE_ERROR)",
        ),
        (
            "SELEC 1",
            Syntax,
            "near \"SELEC\": syntax error (SQLITE_ERROR)",
        ),
        ("SELECT", Syntax, "incomplete input (SQLITE_ERROR)"),
        ("SELECT 1\0 + 1", Syntax, "the text holds a NUL character"),
        (
            "SELECT 1; SELECT 2",
            Syntax,
            "more than one statement in one text",
        ),
        (
            "SELECT sum(a, 1) FROM t",
            Syntax,
            "wrong number of arguments to function sum() (SQLITE_ERROR)",
        ),
        (
            "SELECT * FROM nope",
            MissingObject,
            "no such table: nope (SQLITE_ERROR)",
        ),
        (
            "SELECT nope FROM t",
            MissingObject,
            "no such column: nope (SQLITE_ERROR)",
        ),
        (
            "SELECT 'a' REGEXP 'a'",
            MissingObject,
            "no such function: REGEXP (SQLITE_ERROR)",
        ),
        (
            "SELECT abs(-9223372036854775808)",
            Data,
            "integer overflow (SQLITE_ERROR)",
        ),
        (
            "INSERT INTO t VALUES (1)",
            Data,
            "UNIQUE constraint failed: t.a (SQLITE_CONSTRAINT_PRIMARYKEY)",
        ),
        (
            "SELECT CAST(x'ff' AS TEXT) AS bad",
            UnsupportedType,
            "text is not UTF-8: column `bad`, row 1: invalid utf-8 sequence of 1 bytes from index 0",
        ),
    ] {
        let error = run(&mut *db, sql).expect_err(sql);
        assert_eq!((error.kind, error.message.as_str()), (kind, words), "{sql}");
    }
    assert!(run(&mut *db, "SELECT 1;  -- done").is_ok());
    assert_eq!(run(&mut *db, " -- nothing").unwrap_err().kind, Syntax);
}

#[test]
fn connections_to_one_memory_database_share_it_and_databases_do_not() {
    let database = open(&spec(&[("path", ":memory:")])).unwrap();
    run(&mut *database.connect().unwrap(), "CREATE TABLE t (a)").unwrap();
    assert!(run(&mut *database.connect().unwrap(), "SELECT * FROM t").is_ok());
    assert!(run(&mut *memory(), "SELECT * FROM t").is_err());
    assert!(database.product().starts_with("SQLite 3."));
}

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[test]
fn the_time_limit_stops_a_statement_and_the_connection_lives() {
    let mut db = memory();
    let limits = Limits {
        timeout: Duration::from_millis(5),
        ..Limits::default()
    };
    let error = db.run(ENDLESS, &limits).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Timeout);
    assert_eq!(
        error.message,
        "statement was cancelled: it ran longer than 0.005 s"
    );
    assert!(run(&mut *db, "SELECT 1").is_ok());
}

#[test]
fn a_statement_is_cancelled_from_another_thread() {
    let mut db = memory();
    let canceller = db.canceller();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&mut *db, ENDLESS));
        while !running.is_finished() {
            canceller.cancel();
            std::thread::yield_now();
        }
        let error = running.join().unwrap().unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Cancelled);
    });
    assert!(run(&mut *db, "SELECT 1").is_ok());
}

#[test]
fn rows_beyond_the_limit_can_be_left_unread() {
    let mut db = memory();
    run(&mut *db, "CREATE TABLE t (a)").unwrap();
    let limits = Limits {
        max_rows: 2,
        surplus: Surplus::Leave,
        ..Limits::default()
    };
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let result = db.run(endless, &limits).unwrap();
    assert_eq!((result.rows.len(), result.has_more), (2, true));
    let result = db.run("VALUES (1), (2)", &limits).unwrap();
    assert_eq!((result.rows.len(), result.has_more), (2, false));
    let inserted = "INSERT INTO t VALUES (1), (2), (3) RETURNING a";
    assert!(db.run(inserted, &limits).unwrap().has_more);
    let count = run(&mut *db, "SELECT count(*) FROM t").unwrap();
    assert_eq!(count.scalar(), Some(&3i64.into()));
}

#[test]
fn a_huge_result_is_refused_while_it_is_read() {
    let mut db = memory();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(1000) FROM n";
    let error = run(&mut *db, rows).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::TooLarge);
    let limits = Limits {
        max_rows: 3,
        ..Limits::default()
    };
    let error = db.run(rows, &limits).unwrap_err();
    assert_eq!(
        error.message,
        "result is too large: it has more than 3 rows"
    );
    assert!(run(&mut *db, "SELECT 1").is_ok());
}

#[test]
fn files_are_opened_as_the_mode_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop & co?.db").display().to_string();
    for mode in ["read_only", "read_write"] {
        let error = refused(&spec(&[("path", &path), ("mode", mode)]));
        assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
        assert!(error.message.contains("SQLITE_CANTOPEN"), "{error}");
    }
    let writable = open(&spec(&[("path", &path)])).unwrap();
    run(&mut *writable.connect().unwrap(), "CREATE TABLE t (a)").unwrap();
    let read_only = open(&spec(&[("path", &path), ("mode", "read_only")])).unwrap();
    let mut connection = read_only.connect().unwrap();
    assert!(run(&mut *connection, "SELECT * FROM t").is_ok());
    let error = run(&mut *connection, "DROP TABLE t").unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Permission, "{error}");
}

#[test]
fn a_lock_is_waited_for_and_then_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked.db").display().to_string();
    let database = open(&spec(&[("path", &path), ("busy_timeout", "0.01")])).unwrap();
    let (mut first, mut second) = (database.connect().unwrap(), database.connect().unwrap());
    run(&mut *first, "BEGIN EXCLUSIVE").unwrap();
    let error = run(&mut *second, "CREATE TABLE t (a)").unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::Timeout);
    assert_eq!(error.message, "database is locked (SQLITE_BUSY)");
    run(&mut *first, "COMMIT").unwrap();
    assert!(run(&mut *second, "CREATE TABLE t (a)").is_ok());
}

#[test]
fn a_file_that_is_no_database_is_a_connection_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hunter22.csv");
    std::fs::write(&path, "id,name\n".repeat(200)).unwrap();
    let mut bad = spec(&[("path", &path.display().to_string())]);
    bad.redactor = Redactor::new(["database".to_owned()]);
    let error = refused(&bad);
    assert_eq!(error.kind, SqlErrorKind::Connection);
    assert_eq!(error.message, "file is not a *** (SQLITE_NOTADB)");
}

#[test]
fn options_are_checked() {
    for (options, words) in [
        (vec![], "missing SQLite option: `path`"),
        (vec![("pth", "x")], "did you mean `path`?"),
        (
            vec![("path", "x"), ("mode", "rw")],
            "unknown SQLite mode: `rw`",
        ),
        (
            vec![("path", "x"), ("busy_timeout", "-1")],
            "`busy_timeout` is `-1`",
        ),
    ] {
        let error = refused(&spec(&options));
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert!(error.text().contains(words), "{error}");
    }
}
