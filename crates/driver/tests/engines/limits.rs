//! Time limits, cancelling, and results that are too large, on every engine.

use std::time::Duration;

use bowline_driver::{Limits, SqlErrorKind, Surplus, Value};

use crate::engine::{every_engine, run, with};

/// A statement that never ends, one that gives rows without end, and one that gives a few large ones.
fn statements(engine: &str) -> [&'static str; 3] {
    match engine {
        "sqlite" => [
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT zeroblob(100000) FROM n",
        ],
        "duckdb" => [
            "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 7",
            "SELECT i FROM range(100000000000) t(i)",
            "SELECT repeat('x', 100000) FROM range(1000)",
        ],
        "mariadb" => [
            "SELECT SLEEP(3600)",
            "SELECT seq FROM seq_1_to_3000000",
            "SELECT REPEAT('x', 100000) FROM seq_1_to_1000",
        ],
        // Its driver takes in the whole result before the first row is seen.
        "postgresql through odbc" => [
            "SELECT pg_sleep(3600)",
            "SELECT generate_series(1, 1000000)",
            "SELECT repeat('x', 100000) FROM generate_series(1, 1000)",
        ],
        _ => [
            "SELECT pg_sleep(3600)",
            "SELECT generate_series(1, 100000000000)",
            "SELECT repeat('x', 100000) FROM generate_series(1, 1000)",
        ],
    }
}

#[test]
fn the_time_limit_stops_a_statement_and_the_connection_lives() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let limits = Limits {
                timeout: Duration::from_millis(50),
                ..Limits::default()
            };
            let error = db.run(statements(engine)[0], &limits).unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::Timeout, "{engine}: {error}");
            assert_eq!(
                error.message, "statement was cancelled: it ran longer than 0.05 s",
                "{engine}"
            );
            assert!(run(&mut *db, "SELECT 1").is_ok(), "{engine}");
        });
    }
}

#[test]
fn rows_beyond_the_limit_can_be_left_unread() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let limits = Limits {
                max_rows: 2,
                surplus: Surplus::Leave,
                ..Limits::default()
            };
            let result = db.run(statements(engine)[1], &limits).unwrap();
            assert_eq!((result.rows.len(), result.has_more), (2, true), "{engine}");
            let changed = "INSERT INTO bowline_left SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 RETURNING a";
            run(&mut *db, "DROP TABLE IF EXISTS bowline_left").unwrap();
            run(&mut *db, "CREATE TABLE bowline_left (a INTEGER)").unwrap();
            assert!(db.run(changed, &limits).unwrap().has_more, "{engine}");
            let count = run(&mut *db, "SELECT count(*) FROM bowline_left").unwrap();
            assert_eq!(count.scalar(), Some(&Value::Integer(3)), "{engine}");
            run(&mut *db, "DROP TABLE bowline_left").unwrap();
        });
    }
}

#[test]
fn a_statement_is_cancelled_from_another_thread() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let canceller = db.canceller();
            // Nothing runs yet: this must not touch the statement after it.
            canceller.cancel();
            assert!(run(&mut *db, "SELECT 1").is_ok(), "{engine}");
            std::thread::scope(|scope| {
                let running = scope.spawn(|| run(&mut *db, statements(engine)[0]));
                while !running.is_finished() {
                    canceller.cancel();
                    std::thread::yield_now();
                }
                let error = running.join().unwrap().unwrap_err();
                assert_eq!(error.kind, SqlErrorKind::Cancelled, "{engine}: {error}");
            });
            assert!(run(&mut *db, "SELECT 1").is_ok(), "{engine}");
        });
    }
}

#[test]
fn a_result_that_is_too_large_is_given_up_and_the_connection_lives() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let [_, endless, large] = statements(engine);
            for (sql, words) in [
                (endless, "result is too large: it has more than 100000 rows"),
                (large, "brings it over 33554432 bytes"),
            ] {
                let error = run(&mut *db, sql).unwrap_err();
                assert_eq!(error.kind, SqlErrorKind::TooLarge, "{engine}: {error}");
                assert!(error.message.contains(words), "{engine}: {error}");
            }
            assert!(run(&mut *db, "SELECT 1").is_ok(), "{engine}");
        });
    }
}

#[test]
fn connections_work_side_by_side() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..6i64)
                    .map(|number| {
                        let database = &database;
                        scope.spawn(move || {
                            let mut db = database.connect().unwrap();
                            (0..20).all(|_| {
                                let result = run(&mut *db, &format!("SELECT {number}")).unwrap();
                                result.scalar() == Some(&number.into())
                            })
                        })
                    })
                    .collect();
                assert!(
                    threads.into_iter().all(|thread| thread.join().unwrap()),
                    "{engine}"
                );
            });
        });
    }
}
