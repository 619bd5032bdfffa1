//! PostgreSQL through the client that is compiled in: what it does beyond its ADBC driver.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bowline_driver::{Connection, Database, Limits, ResultSet, SqlErrorKind, Value, open};
use bowline_servers::{Cluster, shared};

use crate::engine::{Needed, check_values, compiled_in, postgresql, run, with};

/// A database of one test, whose name nobody else takes; it goes with the test.
struct Own {
    cluster: Cluster,
    name: String,
}

impl Own {
    fn create(options: &str) -> Needed<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let cluster = shared::postgres()?.clone();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("compiled_in_{}_{number}", std::process::id());
        let made = cluster.sql("postgres", &format!("CREATE DATABASE {name} {options}"));
        made.map_err(|error| error.to_string())?;
        Ok(Self { cluster, name })
    }

    fn open(&self) -> Arc<dyn Database> {
        open(&compiled_in(&[("uri", &self.cluster.url(&self.name))])).unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // A server that still has statements in bytes of another encoding tells nobody any.
        let forget = format!(
            "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = '{}'",
            self.name
        );
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        for sql in [forget, drop] {
            let _ = self.cluster.sql("postgres", &sql);
        }
    }
}

pub(crate) fn text(connection: &mut dyn Connection, sql: &str) -> String {
    run(connection, sql).unwrap().scalar().unwrap().to_string()
}

#[test]
fn types_that_have_no_value_of_ours_are_written_by_the_server() {
    with(Own::create(""), |own| {
        let database = own.open();
        let mut db = database.connect().unwrap();
        for sql in [
            "CREATE TYPE mood AS ENUM ('ok', 'bad')",
            "CREATE TYPE pair AS (a int, b mood, c text)",
            "CREATE DOMAIN small AS int CHECK (VALUE < 10)",
            "CREATE DOMAIN smaller AS small",
            "CREATE DOMAIN feeling AS mood",
            "CREATE TYPE span AS RANGE (SUBTYPE = float8)",
        ] {
            run(&mut *db, sql).unwrap();
        }
        let cases = [
            ("'ok'::mood", "text", "ok"),
            ("NULL::mood", "null", "NULL"),
            ("ARRAY['ok'::mood, NULL]", "list", "[ok, NULL]"),
            ("'ok'::feeling", "text", "ok"),
            ("ARRAY['bad'::feeling]", "list", "[bad]"),
            ("7::small", "integer", "7"),
            ("ARRAY[7::small]", "list", "[7]"),
            ("ARRAY[7::smaller]", "list", "[7]"),
            ("'::1.2.3.4'::inet", "text", "::1.2.3.4"),
            ("'::5'::inet", "text", "::5"),
            ("ROW(1, 'ok', 'a b')::pair", "text", "(1,ok,\"a b\")"),
            ("ARRAY[ROW(1, NULL, 'x')::pair]", "list", "[(1,,x)]"),
            ("'[1.5,2)'::span", "text", "[1.5,2)"),
            ("'[1,3)'::int4range", "text", "[1,3)"),
            ("'{[1,3)}'::int4multirange", "text", "{[1,3)}"),
            ("12.34::money", "text", "$12.34"),
            ("ARRAY[12.34::money]", "list", "[$12.34]"),
            ("'(1,2)'::point", "text", "(1,2)"),
            ("ARRAY['(1,2),(0,0)'::box]", "list", "[(1,2),(0,0)]"),
            ("'pg_class'::regclass", "text", "pg_class"),
            ("'int4'::regtype", "text", "integer"),
            ("'(1,2)'::tid", "text", "(1,2)"),
            ("'a:1 b'::tsvector", "text", "'a':1 'b'"),
            ("'10'::xid8", "integer", "10"),
            ("'10'::xid", "integer", "10"),
            ("'16/B374D848'::pg_lsn", "text", "16/B374D848"),
            ("'$.a[*]'::jsonpath", "text", "$.\"a\"[*]"),
            ("'1 2'::oidvector", "list", "[1, 2]"),
            ("'{{1,2},{3,4}}'::int[]", "list", "[[1, 2], [3, 4]]"),
            ("'{}'::mood[]", "list", "[]"),
            ("'a'::\"char\"", "text", "a"),
            ("''::\"char\"", "text", ""),
            ("DATE '0044-03-15 BC'", "date", "-000043-03-15"),
            ("TIME '24:00'", "text", "24:00:00"),
            ("TIMESTAMPTZ '-infinity'", "text", "-infinity"),
            (
                "TIMESTAMP '294276-12-31 23:59:59.999999'",
                "text",
                "+294276-12-31 23:59:59.999999",
            ),
            ("'Infinity'::numeric", "float", "Infinity"),
            ("1e-20::numeric", "decimal", "0.00000000000000000001"),
            ("'-0.00'::numeric", "decimal", "0.00"),
            (
                "aclitem 'postgres=r/postgres'",
                "text",
                "postgres=r/postgres",
            ),
            (
                "ARRAY[aclitem 'postgres=r/postgres']",
                "text",
                "{postgres=r/postgres}",
            ),
            ("pg_sleep(0)", "text", ""),
        ];
        check_values(&mut *db, &cases);
        // Another connection knows them from the start, and so does the next statement over many rows of several.
        let mut other = database.connect().unwrap();
        check_values(&mut *other, &cases);
        let result = run(
            &mut *other,
            "SELECT 'ok'::mood AS m, i AS n, ROW(i, 'bad', NULL)::pair AS p FROM generate_series(1, 5000) i",
        )
        .unwrap();
        let names: Vec<_> = result
            .columns
            .iter()
            .map(|column| column.type_name.as_str())
            .collect();
        assert_eq!(names, ["mood", "int4", "pair"]);
        assert_eq!(result.rows.len(), 5000);
        let last = result.rows[4999].iter().map(Value::to_string);
        assert_eq!(last.collect::<Vec<_>>(), ["ok", "5000", "(5000,bad,)"]);
        let none = run(&mut *other, "SELECT 'ok'::mood AS m WHERE false").unwrap();
        assert_eq!(none.columns[0].type_name, "mood");
    });
}

#[test]
fn what_no_other_type_holds_is_exact() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        for (sql, expected) in [
            ("SELECT 1e-16383", format!("0.{}1", "0".repeat(16_382))),
            ("SELECT -9e131071", format!("-9{}", "0".repeat(131_071))),
            ("SELECT 'NaN'::numeric", "NaN".to_owned()),
            ("SELECT '-Infinity'::numeric", "-Infinity".to_owned()),
            ("SELECT (-56)::\"char\"", r"\310".to_owned()),
            ("SELECT ARRAY['a', (-1)::\"char\"]", r"[a, \377]".to_owned()),
        ] {
            assert_eq!(text(&mut *db, sql), expected, "{sql}");
        }
    });
}

#[test]
fn a_row_without_a_type_of_its_own_is_refused_by_name() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        run(&mut *db, "BEGIN").unwrap();
        let error = run(&mut *db, "SELECT ROW(1, 'a') AS x").unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::UnsupportedType);
        assert_eq!(
            error.text(),
            "type is not supported: column `x` is of type `record`\nhint: cast it to text"
        );
        // Nothing was asked of the server that would have failed the transaction.
        assert_eq!(text(&mut *db, "SELECT 1"), "1");
        let error = run(&mut *db, "SELECT aclitem 'postgres=r/postgres'").unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::UnsupportedType, "{error:?}");
        run(&mut *db, "ROLLBACK").unwrap();
        assert_eq!(text(&mut *db, "SELECT '{}'::aclitem[]"), "{}");
    });
}

#[test]
fn what_a_session_is_set_to_changes_no_value() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        for set in [
            "SET DateStyle TO 'German, DMY'",
            "SET IntervalStyle TO 'sql_standard'",
            "SET bytea_output TO 'escape'",
            "SET extra_float_digits TO -15",
            "SET TimeZone TO 'Asia/Kathmandu'",
            "SET standard_conforming_strings TO off",
        ] {
            run(&mut *db, set).unwrap();
        }
        check_values(
            &mut *db,
            &[
                ("DATE '2024-02-29'", "date", "2024-02-29"),
                ("INTERVAL '1 day -2 hours'", "interval", "P1DT-2H"),
                ("decode('00ff', 'hex')", "bytes", "\\x00ff"),
                ("0.1::float8", "float", "0.1"),
                ("0.1::float4", "float", "0.10000000149011612"),
                ("to_timestamp(0)", "instant", "1970-01-01 00:00:00+00:00"),
            ],
        );
    });
}

#[test]
fn setup_of_several_commands_runs_as_it_does_through_adbc() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let made = run(
            &mut *db,
            "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2)",
        );
        assert_eq!(made.unwrap().rows_affected, Some(2));
        let told = |result: ResultSet| (result.columns.len(), result.rows_affected, result.others);
        let several =
            "INSERT INTO t VALUES (3); SELECT a FROM t; DELETE FROM t WHERE a = 3; SELECT 1";
        assert_eq!(told(run(&mut *db, several).unwrap()), (0, Some(2), 2));
        let created = "CREATE TEMP TABLE u AS SELECT 1 AS a; SELECT a FROM u; DROP TABLE u";
        assert_eq!(told(run(&mut *db, created).unwrap()), (0, Some(1), 1));
        let refused = run(&mut *db, "SELECT 1; INSERT INTO t VALUES (3)").unwrap_err();
        assert_eq!(refused.kind, SqlErrorKind::Syntax);
        let error = run(&mut *db, "INSERT INTO t VALUES (3); SELECT nope").unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::MissingObject);
        assert_eq!(text(&mut *db, "SELECT count(*) FROM t"), "2");
        let error = run(&mut *db, "SET a.b = '1'; SET a.c = '2'").unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Syntax);
    });
}

#[test]
fn what_this_client_does_not_do_is_told_and_harms_nothing() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        run(&mut *db, "CREATE TEMP TABLE t (a int)").unwrap();
        run(&mut *db, "CREATE TEMP VIEW v AS SELECT 1 AS a").unwrap();
        for sql in [
            "COPY t FROM STDIN",
            "COPY (SELECT 1) TO STDOUT",
            // Refused before anything is read.
            "COPY v FROM STDIN",
            "CREATE TEMP TABLE u (); COPY t FROM STDIN",
        ] {
            let error = run(&mut *db, sql).unwrap_err();
            assert!(error.message.contains("COPY"), "{sql}: {error}");
            assert_eq!(text(&mut *db, "SELECT count(*) FROM t"), "0", "{sql}");
        }
        for sql in ["SELECT $1", "SELECT $1::int", "SELECT 'a\0b'"] {
            let error = run(&mut *db, sql).unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::Syntax, "{sql:?}: {error}");
        }
        let limits = Limits {
            max_bytes: 1000,
            ..Limits::default()
        };
        let error = db.run("SELECT repeat('x', 50000000)", &limits).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::TooLarge, "{error}");
        for sql in [
            "BEGIN",
            "CREATE TEMP TABLE a1 (x int); CREATE TEMP TABLE b1 (x int)",
            "COMMIT",
        ] {
            run(&mut *db, sql).unwrap();
        }
        assert_eq!(text(&mut *db, "SELECT count(*) FROM b1"), "0");
        // The rows of several commands are read by nobody.
        let several = "INSERT INTO t VALUES (1); SELECT generate_series(1, 200000)";
        run(&mut *db, several).unwrap();
        assert_eq!(text(&mut *db, "SELECT count(*) FROM t"), "1");
        run(
            &mut *db,
            "DO $$ BEGIN RAISE NOTICE 'n'; RAISE WARNING 'w'; END $$",
        )
        .unwrap();
        assert_eq!(text(&mut *db, "SELECT 1"), "1");
    });
}

#[test]
fn bytes_that_are_no_text_name_their_column_and_row() {
    with(
        Own::create("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"),
        |own| {
            // Asked for UTF-8, such a server holds to it itself.
            let mut db = own.open().connect().unwrap();
            let error = run(&mut *db, "SELECT E'\\xe9'").unwrap_err();
            assert_eq!(
                (error.kind, error.sqlstate.as_deref()),
                (SqlErrorKind::Data, Some("22021"))
            );
            assert_eq!(text(&mut *db, "SELECT 'é'"), "é");

            let uri = own.cluster.url(&own.name);
            let spec = compiled_in(&[("uri", &uri), ("client_encoding", "SQL_ASCII")]);
            let mut db = open(&spec).unwrap().connect().unwrap();
            let error = run(
            &mut *db,
            "SELECT i AS n, CASE i WHEN 3 THEN E'caf\\xe9' ELSE 'x' END AS v FROM generate_series(1, 4) i",
        )
        .unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::UnsupportedType);
            assert_eq!(error.message, "text is not UTF-8: column `v`, row 3");
            let error = run(&mut *db, "SELECT ARRAY['a', E'\\xe9'] AS v").unwrap_err();
            assert_eq!(error.message, "text is not UTF-8: column `v`, row 1");
            run(
                &mut *db,
                "DO $$ BEGIN EXECUTE E'CREATE TABLE t (\"caf\\xe9\" int)'; END $$",
            )
            .unwrap();
            let error = run(&mut *db, "SELECT 1, t.* FROM t").unwrap_err();
            assert_eq!(error.message, "the name of column 2 is not UTF-8");
            let error =
                run(&mut *db, "DO $$ BEGIN RAISE EXCEPTION E'caf\\xe9'; END $$").unwrap_err();
            assert_eq!(error.message, "caf\u{fffd}");
            assert_eq!(text(&mut *db, "SELECT 'é'"), "é");
        },
    );
}

#[test]
fn a_session_in_another_encoding_says_so() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        // In these the bytes of some text are text in UTF-8 too, and another one.
        run(&mut *db, "SET client_encoding TO 'LATIN1'").unwrap();
        let error = run(&mut *db, "SELECT chr(195) || chr(169) AS v").unwrap_err();
        assert_eq!(
            error.message,
            "text is not UTF-8: column `v`, row 1, and the session's `client_encoding` is LATIN1"
        );
        let error = run(&mut *db, "SELECT 'é'").unwrap_err();
        assert!(
            error.message.starts_with("the statement cannot be sent"),
            "{error}"
        );
        assert_eq!(text(&mut *db, "SELECT 'e'"), "e");
    });
}

/// Passes on what comes for a server, and counts the connections that are open at once and the times that a client
/// spoke after the server did.
struct Relay {
    port: u16,
    turns: Arc<AtomicUsize>,
}

impl Relay {
    /// In front of a server; no connection gets through before so many are there.
    fn start(server: u16, together: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&turns);
        let barrier = Arc::new(Barrier::new(together));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (counted, barrier) = (Arc::clone(&counted), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    let upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
                    let back = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
                    let spoke = Arc::new(AtomicUsize::new(1));
                    let heard = Arc::clone(&spoke);
                    std::thread::spawn(move || {
                        pass(back.0, back.1, |_| heard.store(1, Ordering::SeqCst))
                    });
                    pass(client, upstream, |_| {
                        if spoke.swap(0, Ordering::SeqCst) == 1 {
                            counted.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                });
            }
        });
        Self { port, turns }
    }

    fn turns(&self) -> usize {
        self.turns.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(usize)) {
    let mut chunk = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        note(count);
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// Some proxies pass on no wish to stop, and say nothing of that either.
#[test]
fn a_server_that_does_not_hear_of_stopping_hides_no_error() {
    with(shared::postgres(), |cluster| {
        // Only the first connection gets through: the barrier keeps the second.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = cluster.port();
        std::thread::spawn(move || {
            let mut clients = listener.incoming().flatten();
            let client = clients.next().unwrap();
            let upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let back = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || pass(back.0, back.1, |_| ()));
            std::thread::spawn(move || pass(client, upstream, |_| ()));
            clients.collect::<Vec<_>>()
        });
        let uri = format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        let mut db = open(&compiled_in(&[("uri", &uri)]))
            .unwrap()
            .connect()
            .unwrap();
        let limits = Limits {
            max_bytes: 100_000,
            // Longer than the server is waited for.
            timeout: Duration::from_secs(6),
            ..Limits::default()
        };
        let large = db.run(
            "SELECT repeat('x', 1000) FROM generate_series(1, 1000)",
            &limits,
        );
        assert_eq!(large.unwrap_err().kind, SqlErrorKind::TooLarge);
        assert_eq!(text(&mut *db, "SELECT 1"), "1");
    });
}

#[test]
fn a_statement_is_one_round_trip_whatever_the_catalogue_holds() {
    with(Own::create(""), |own| {
        let database = own.open();
        let mut db = database.connect().unwrap();
        run(
            &mut *db,
            "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s (a int, b text)', i); END LOOP; END $$",
        )
        .unwrap();
        run(&mut *db, "CREATE TYPE mood AS ENUM ('ok', 'bad')").unwrap();
        let relay = Relay::start(own.cluster.port(), 1);
        let uri = format!(
            "postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable",
            relay.port, own.name
        );
        let database = open(&compiled_in(&[("uri", &uri)])).unwrap();
        let mut db = database.connect().unwrap();
        assert_eq!(
            relay.turns(),
            1,
            "the login of somebody who needs no password"
        );
        for (sql, turns) in [
            ("SELECT 1", 1),
            (
                "SELECT i, i::text, i::numeric, now() FROM generate_series(1, 1000) i",
                1,
            ),
            ("SELECT relname FROM pg_class", 1),
            ("CREATE TEMP TABLE x (a int)", 1),
            ("SELECT 'ok'::mood", 2),
            ("SELECT 'bad'::mood", 1),
        ] {
            let before = relay.turns();
            run(&mut *db, sql).unwrap();
            assert_eq!(relay.turns() - before, turns, "{sql}");
        }
    });
}

#[test]
fn connections_open_side_by_side() {
    const TOGETHER: usize = 6;
    with(shared::postgres(), |cluster| {
        let relay = Relay::start(cluster.port(), TOGETHER);
        let uri = format!(
            "postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            relay.port
        );
        let database = open(&compiled_in(&[("uri", &uri)])).unwrap();
        let pids: BTreeSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..TOGETHER)
                .map(|_| {
                    scope.spawn(|| {
                        let mut db = database.connect().unwrap();
                        text(&mut *db, "SELECT pg_backend_pid()")
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(pids.len(), TOGETHER);
    });
}

#[test]
fn the_words_of_postgresqls_own_library_are_understood() {
    with(shared::postgres(), |cluster| {
        let (host, port) = (cluster.host(), cluster.port());
        let dead = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        for uri in [
            format!(
                "host={host} port={port} user=postgres dbname=postgres application_name='a \\'b'"
            ),
            format!(
                "postgres://postgres@{host}:{port}/postgres?application_name=a%20%27b&sslmode=prefer&connect_timeout=5&keepalives_idle=30"
            ),
            format!(
                "postgresql://postgres@{host}:{dead},{host}:{port}/postgres?application_name=a%20'b&target_session_attrs=primary"
            ),
            format!(
                "postgresql:///postgres?host={host}&port={port}&user=postgres&options=-c%20application_name%3Da%5C%20%27b"
            ),
        ] {
            let database = open(&compiled_in(&[("uri", &uri)])).unwrap();
            let mut db = database
                .connect()
                .unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(text(&mut *db, "SHOW application_name"), "a 'b", "{uri}");
        }
        let port = port.to_string();
        let apart = compiled_in(&[
            ("host", host),
            ("port", &port),
            ("user", "postgres"),
            ("dbname", "postgres"),
            ("application_name", "apart"),
        ]);
        let mut db = open(&apart).unwrap().connect().unwrap();
        assert_eq!(text(&mut *db, "SHOW application_name"), "apart");
        let standby =
            format!("postgresql://postgres@{host}:{port}/postgres?target_session_attrs=standby");
        let error = open(&compiled_in(&[("uri", &standby)]))
            .unwrap()
            .connect()
            .err()
            .unwrap();
        assert!(error.message.contains("target_session_attrs"), "{error}");
        let required = format!("postgresql://postgres@{host}:{port}/postgres?sslmode=require");
        let error = open(&compiled_in(&[("uri", &required)]))
            .unwrap()
            .connect()
            .err()
            .unwrap();
        assert!(
            error.message.contains("the server does not encrypt"),
            "{error}"
        );
    });
}
