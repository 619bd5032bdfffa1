//! ODBC drivers: MariaDB's and PostgreSQL's.

use std::net::TcpListener;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bowline_driver::{
    Database, DriverKind, DriverSpec, Limits, SqlError, SqlErrorKind, Value, open,
};
use bowline_servers::{needed, shared};
use bowline_words::{Diagnose, Redactor};

use crate::engine::{Needed, check_values, run, with};
use crate::postgresql::VALUES;

const PASSWORD: &str = "Marked};77{ PWD=x";

fn odbc(driver: &str, options: &[(&str, &str)]) -> DriverSpec {
    let mut spec = DriverSpec::new(DriverKind::Odbc {
        driver: Some(driver.to_owned()),
    });
    spec.options = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    spec.redactor = Redactor::new([PASSWORD.to_owned()]);
    spec.connect_timeout = Duration::from_secs(5);
    spec
}

/// The machine's ODBC driver for it must be there too.
fn opened(spec: &DriverSpec) -> Needed<Arc<dyn Database>> {
    let database = open(spec).map_err(|error| error.to_string())?;
    match database.connect() {
        Err(error) if error.kind == SqlErrorKind::Driver => Err(error.to_string()),
        _ => Ok(database),
    }
}

/// Where the MariaDB server listens that all tests share, with a database for them.
fn mariadb_port() -> Needed<u16> {
    static PORT: LazyLock<Needed<u16>> = LazyLock::new(|| {
        shared::mariadb(|server| {
            let made = server.create_database("shop", "clerk", PASSWORD);
            made.map(|()| server.port())
                .map_err(|error| error.to_string())
        })?
    });
    PORT.clone()
}

pub(crate) fn mariadb() -> Needed<Arc<dyn Database>> {
    mariadb_with("clerk", PASSWORD, "shop").and_then(|spec| opened(&spec))
}

fn mariadb_with(user: &str, password: &str, database: &str) -> Needed<DriverSpec> {
    let port = mariadb_port()?.to_string();
    Ok(odbc(
        "MariaDB Unicode",
        &[
            ("Server", "127.0.0.1"),
            ("Port", &port),
            ("Database", database),
            ("User", user),
            ("Password", password),
            ("Charset", "utf8mb4"),
        ],
    ))
}

pub(crate) fn postgresql() -> Needed<Arc<dyn Database>> {
    postgresql_with("postgres", "", "postgres").and_then(|spec| opened(&spec))
}

fn postgresql_with(user: &str, password: &str, database: &str) -> Needed<DriverSpec> {
    let cluster = shared::postgres()?;
    let port = cluster.port().to_string();
    Ok(odbc(
        "PostgreSQL Unicode",
        &[
            ("Servername", cluster.host()),
            ("Port", &port),
            ("Database", database),
            ("Username", user),
            ("Password", password),
        ],
    ))
}

fn refused(spec: Needed<DriverSpec>) -> Needed<SqlError> {
    let spec = spec?;
    opened(&spec)?;
    Ok(open(&spec).unwrap().connect().err().unwrap())
}

#[test]
fn mariadb_values_are_exact() {
    with(mariadb(), |database| {
        let mut db = database.connect().unwrap();
        check_values(
            &mut *db,
            &[
                ("NULL", "null", "NULL"),
                ("TRUE", "integer", "1"),
                ("-9223372036854775808", "integer", "-9223372036854775808"),
                ("18446744073709551615", "integer", "18446744073709551615"),
                ("10.50", "decimal", "10.50"),
                (
                    "CAST('12345678901234567890123456789012345.123456789' AS DECIMAL(65,9))",
                    "decimal",
                    "12345678901234567890123456789012345.123456789",
                ),
                ("CAST(0.1 AS DOUBLE)", "float", "0.1"),
                ("1e300", "float", "1e300"),
                ("'a ''b'' ✓ 🪢'", "text", "a 'b' ✓ 🪢"),
                ("''", "text", ""),
                ("x'00ff'", "bytes", "\\x00ff"),
                ("DATE '2024-02-29'", "date", "2024-02-29"),
                ("TIME '03:04:05'", "time", "03:04:05"),
                (
                    "TIMESTAMP '2024-01-02 03:04:05.123456'",
                    "timestamp",
                    "2024-01-02 03:04:05.123456",
                ),
                (
                    "TIMESTAMP '2024-01-02 03:04:05'",
                    "timestamp",
                    "2024-01-02 03:04:05",
                ),
                ("JSON_OBJECT('a', 1)", "text", "{\"a\": 1}"),
            ],
        );
        let version = run(&mut *db, "SELECT VERSION()").unwrap();
        let Some(Value::Text(version)) = version.scalar() else {
            panic!("{version:?}");
        };
        let number = version.split('-').next().unwrap();
        assert!(
            database.product().starts_with(&format!("MariaDB {number}")),
            "{}",
            database.product()
        );
    });
}

#[test]
fn mariadb_columns_of_a_table_are_exact() {
    with(mariadb(), |database| {
        let mut db = database.connect().unwrap();
        run(
            &mut *db,
            "CREATE TEMPORARY TABLE t (a BIT(1), b TINYINT UNSIGNED, c FLOAT, d TIME(6), e TIMESTAMP(6) NULL, f YEAR, g LONGTEXT, h ENUM('x','y'))",
        )
        .unwrap();
        let inserted = run(
            &mut *db,
            "INSERT INTO t VALUES (b'1', 255, 0.5, '-838:59:59', '2024-01-02 03:04:05.000001', 2024, NULL, 'y'), (b'0', 0, NULL, '00:00:00.5', NULL, NULL, '', NULL)",
        )
        .unwrap();
        assert_eq!(
            (inserted.columns.len(), inserted.rows_affected),
            (0, Some(2))
        );
        let result = run(&mut *db, "SELECT * FROM t ORDER BY b DESC").unwrap();
        let rows: Vec<Vec<String>> = result
            .rows
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(
            rows,
            [
                [
                    "true",
                    "255",
                    "0.5",
                    "-838:59:59.000000",
                    "2024-01-02 03:04:05.000001",
                    "2024",
                    "NULL",
                    "y"
                ],
                [
                    "false",
                    "0",
                    "NULL",
                    "00:00:00.5",
                    "NULL",
                    "NULL",
                    "",
                    "NULL"
                ],
            ],
            "{result:?}"
        );
    });
}

#[test]
fn postgresql_values_are_exact() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        check_values(&mut *db, VALUES);
        check_values(
            &mut *db,
            &[
                ("'{1,NULL}'::int[]", "text", "{1,NULL}"),
                ("12.34::numeric::money", "text", "$12.34"),
            ],
        );
        assert!(
            database.product().starts_with("PostgreSQL 1"),
            "{}",
            database.product()
        );
    });
}

#[test]
fn of_several_results_the_last_counts_and_the_others_are_counted() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        run(&mut *db, "CREATE TEMP TABLE several (a INTEGER)").unwrap();
        for (sql, scalar, changed, others) in [
            ("SELECT 1; SELECT 2; SELECT 3", Some(3), None, 2),
            (
                "INSERT INTO several VALUES (1); SELECT 4; DELETE FROM several",
                Some(4),
                None,
                0,
            ),
            (
                "INSERT INTO several VALUES (1), (2); DELETE FROM several WHERE a = 1",
                None,
                Some(3),
                0,
            ),
        ] {
            let result = run(&mut *db, sql).unwrap();
            let scalar: Option<Value> = scalar.map(|number: i64| number.into());
            assert_eq!(result.scalar(), scalar.as_ref(), "{sql}");
            assert_eq!(
                (result.rows_affected, result.others),
                (changed, others),
                "{sql}"
            );
        }
    });
}

#[test]
fn long_values_are_read_whole() {
    for (database, sql, length) in [
        (
            mariadb(),
            "SELECT REPEAT('x🪢é', 100000), UNHEX(REPEAT('00ff', 70001)), REPEAT('y', 300)",
            8191,
        ),
        (
            postgresql(),
            "SELECT repeat('x🪢é', 100000), decode(repeat('00ff', 70001), 'hex'), repeat('y', 300)",
            8191,
        ),
    ] {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let result = run(&mut *db, sql).unwrap();
            let [Value::Text(text), Value::Bytes(bytes), Value::Text(short)] = &result.rows[0][..]
            else {
                panic!("{:?}", result.columns);
            };
            assert_eq!(text, &"x🪢é".repeat(100_000));
            assert_eq!(bytes, &[0, 255].repeat(70_001));
            assert_eq!(short.len(), 300);
            // Lengths around every size a buffer may have: a pair of units must not be parted.
            let lengths: Vec<String> = (2040..2056)
                .chain([length])
                .map(|n| format!("SELECT repeat('🪢', {n} / 2) || 'x' AS t"))
                .collect();
            for sql in &lengths {
                let sql = if database.product().starts_with("MariaDB") {
                    sql.replace(" || 'x'", "").replace("/", "DIV")
                } else {
                    sql.clone()
                };
                let result = run(&mut *db, &sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                assert!(
                    matches!(result.scalar(), Some(Value::Text(text)) if text.starts_with('🪢')),
                    "{sql}"
                );
            }
            let limits = Limits {
                max_bytes: 100_000,
                ..Limits::default()
            };
            let error = db.run(sql, &limits).unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::TooLarge, "{error}");
            assert!(run(&mut *db, "SELECT 1").is_ok());
        });
    }
}

#[test]
fn errors_have_their_kind_and_the_servers_words() {
    use SqlErrorKind::{Data, MissingObject, Permission, Syntax};
    for (sql, kind, code, words) in [
        (
            "SELEC 1",
            Syntax,
            "42000",
            "You have an error in your SQL syntax",
        ),
        (
            "SELECT * FROM nope",
            MissingObject,
            "42S02",
            "'shop.nope' doesn't exist",
        ),
        (
            "SELECT nope",
            MissingObject,
            "42S22",
            "Unknown column 'nope'",
        ),
        (
            "SELECT nope()",
            MissingObject,
            "42000",
            "FUNCTION shop.nope does not exist",
        ),
        (
            "SELECT * FROM mysql.user",
            Permission,
            "42000",
            "SELECT command denied",
        ),
        (
            "SELECT CAST(18446744073709551615 AS UNSIGNED) + 1",
            Data,
            "22003",
            "out of range",
        ),
    ] {
        with(mariadb(), |database| {
            let mut db = database.connect().unwrap();
            let error = run(&mut *db, sql).expect_err(sql);
            assert_eq!(
                (error.kind, error.sqlstate.as_deref()),
                (kind, Some(code)),
                "{sql}: {error}"
            );
            assert!(
                error.message.contains(words) && !error.message.starts_with('['),
                "{error}"
            );
            assert!(run(&mut *db, "SELECT 1").is_ok());
        });
    }
    for (sql, kind, code, words) in [
        (
            "SELEC 1",
            Syntax,
            "42601",
            "syntax error at or near \"SELEC\"",
        ),
        (
            "SELECT * FROM nope",
            MissingObject,
            "42P01",
            "relation \"nope\" does not exist",
        ),
        ("SELECT 1/0", Data, "22012", "division by zero"),
    ] {
        with(postgresql(), |database| {
            let mut db = database.connect().unwrap();
            let error = run(&mut *db, sql).expect_err(sql);
            assert_eq!(
                (error.kind, error.sqlstate.as_deref()),
                (kind, Some(code)),
                "{sql}: {error}"
            );
            assert!(
                error.message.starts_with(words) && !error.message.contains("Error while"),
                "{error}"
            );
            assert!(run(&mut *db, "SELECT 1").is_ok());
        });
    }
}

#[test]
fn changes_last_and_tell_how_many_rows() {
    for database in [mariadb(), postgresql()] {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            run(&mut *db, "DROP TABLE IF EXISTS changed").unwrap();
            run(&mut *db, "CREATE TABLE changed (a INTEGER)").unwrap();
            let inserted = run(&mut *db, "INSERT INTO changed VALUES (1), (2)").unwrap();
            assert_eq!(inserted.rows_affected, Some(2));
            let none = run(&mut *db, "DELETE FROM changed WHERE a = 9").unwrap();
            assert_eq!((none.columns.len(), none.rows_affected), (0, Some(0)));
            let mut other = database.connect().unwrap();
            let counted = run(&mut *other, "SELECT a AS \"A b\" FROM changed WHERE a > 1").unwrap();
            assert_eq!(counted.scalar(), Some(&2i64.into()));
            run(&mut *db, "DROP TABLE changed").unwrap();
        });
    }
}

#[test]
fn logins_are_refused_with_their_kind_and_no_password() {
    for (spec, kind, words) in [
        (
            mariadb_with("clerk", "Marked77-wrong", "shop"),
            SqlErrorKind::Permission,
            "clerk",
        ),
        (
            mariadb_with("clerk", PASSWORD, "no_such"),
            SqlErrorKind::Permission,
            "no_such",
        ),
        (
            postgresql_with("nobody_here", "Marked77-wrong", "postgres"),
            SqlErrorKind::Permission,
            "nobody_here",
        ),
        (
            postgresql_with("postgres", "", "no_such"),
            SqlErrorKind::Connection,
            "no_such",
        ),
    ] {
        with(refused(spec), |error| {
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(words), "{error}");
            assert!(!format!("{error:?}").contains("Marked"), "{error}");
        });
    }
}

#[test]
fn nobody_listening_is_a_connection_error_and_silence_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    let closed_port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port().to_string()
    };
    for (driver, server) in [
        ("MariaDB Unicode", "Server"),
        ("PostgreSQL Unicode", "Servername"),
    ] {
        let spec = |port: &str| {
            let options = [
                (server, "127.0.0.1"),
                ("Port", port),
                ("Database", "x"),
                ("UID", "me"),
                ("PWD", PASSWORD),
            ];
            odbc(driver, &options)
        };
        with(refused(Ok(spec(&closed_port))), |error| {
            assert_eq!(error.kind, SqlErrorKind::Connection, "{driver}: {error}");
            assert!(!error.message.contains("Marked"), "{error}");
        });
        let mut hanging = spec(&silent_port);
        hanging.connect_timeout = Duration::from_millis(300);
        with(
            open(&hanging).map_err(|error| error.to_string()),
            |database| {
                let error = database.connect().err().unwrap();
                if error.kind != SqlErrorKind::Driver {
                    assert_eq!(error.kind, SqlErrorKind::Timeout, "{driver}: {error}");
                }
            },
        );
    }
}

#[test]
fn a_driver_that_is_not_there_is_named_with_its_package() {
    let spec = odbc(
        "Absent MariaDB driver 12",
        &[("Server", "h"), ("PWD", PASSWORD)],
    );
    with(open(&spec).map_err(|error| error.to_string()), |database| {
        let error = database.connect().err().unwrap();
        assert_eq!(error.kind, SqlErrorKind::Driver, "{error}");
        let told = error.diagnose().to_string();
        assert!(
            told.contains("`odbc-mariadb`") && !told.contains("Marked"),
            "{told}"
        );
    });
    let mut spec = DriverSpec::new(DriverKind::Odbc { driver: None });
    spec.options
        .insert("dsn".to_owned(), "no-such-source".to_owned());
    with(open(&spec).map_err(|error| error.to_string()), |database| {
        let error = database.connect().err().unwrap();
        assert_eq!(error.kind, SqlErrorKind::Driver, "{error}");
        let told = error.diagnose().to_string();
        assert!(told.contains("odbcinst -q -s"), "{told}");
    });
}

#[test]
fn a_connection_string_reaches_the_database() {
    let Some(port) = needed(mariadb_port()) else {
        return;
    };
    let mut spec = DriverSpec::new(DriverKind::Odbc { driver: None });
    spec.options.insert(
        "connection_string".to_owned(),
        format!("Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={port};Database=shop"),
    );
    spec.options.insert("User".to_owned(), "clerk".to_owned());
    spec.options
        .insert("Password".to_owned(), PASSWORD.to_owned());
    with(opened(&spec), |database| {
        let mut db = database.connect().unwrap();
        let name = run(&mut *db, "SELECT CURRENT_USER()").unwrap();
        assert_eq!(name.scalar(), Some(&"clerk@%".into()));
    });
}

/// The driver reads rows from its memory, and takes a wish to stop meanwhile as leave to free them.
#[test]
fn a_statement_is_stopped_at_any_moment_of_reading_its_result() {
    with(mariadb(), |database| {
        let mut db = database.connect().unwrap();
        let mut stopped = 0;
        for moment in 1..=40 {
            let limits = Limits {
                timeout: Duration::from_millis(moment * 8),
                ..Limits::default()
            };
            match db.run("SELECT seq, seq + 1 FROM seq_1_to_50000", &limits) {
                Ok(result) => assert_eq!(result.rows.len(), 50_000),
                Err(error) => {
                    assert_eq!(error.kind, SqlErrorKind::Timeout, "{error}");
                    stopped += 1;
                }
            }
            assert!(run(&mut *db, "SELECT 1").is_ok());
        }
        assert!(stopped > 0, "every result was there at once");
    });
}
