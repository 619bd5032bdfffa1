//! A PostgreSQL server that goes away or stops answering.

use std::time::Duration;

use bowline_driver::{Connection, Database, Limits, SqlErrorKind, open};
use bowline_servers::Postgres;

use crate::engine::{Needed, WAYS_TO_POSTGRESQL, Way, run, with};

struct Doomed {
    server: Postgres,
    connection: Box<dyn Connection>,
    database: std::sync::Arc<dyn Database>,
}

/// A server of its own for each way to it.
fn every_doomed(test: impl Fn(Doomed)) {
    for (_, way) in WAYS_TO_POSTGRESQL {
        with(doomed(way), &test);
    }
}

fn doomed(way: Way) -> Needed<Doomed> {
    // Asked for first: a server is slow to start.
    way("")?;
    let server = Postgres::start().map_err(|error| error.to_string())?;
    let database = open(&way(&server.cluster().url("postgres"))?).unwrap();
    let connection = database.connect().unwrap();
    Ok(Doomed {
        server,
        connection,
        database,
    })
}

#[test]
fn a_server_that_dies_while_idle_is_a_lost_connection() {
    every_doomed(|mut doomed| {
        run(&mut *doomed.connection, "SELECT 1").unwrap();
        drop(doomed.server);
        for _ in 0..2 {
            let error = run(&mut *doomed.connection, "SELECT 1").unwrap_err();
            assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
        }
        let error = doomed.database.connect().err().unwrap();
        assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
    });
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_statement_is_a_lost_connection() {
    for sql in [
        "SELECT pg_sleep(3600)",
        "SELECT generate_series(1, 100000000000)",
    ] {
        every_doomed(|mut doomed| {
            let mut watcher = doomed.database.connect().unwrap();
            std::thread::scope(|scope| {
                let running = scope.spawn(|| {
                    let limits = Limits {
                        max_rows: usize::MAX,
                        max_bytes: usize::MAX,
                        ..Limits::default()
                    };
                    doomed.connection.run(sql, &limits)
                });
                let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()";
                while run(&mut *watcher, active).unwrap().scalar() != Some(&1i64.into()) {
                    std::thread::yield_now();
                }
                drop(doomed.server);
                let error = running.join().unwrap().unwrap_err();
                assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
            });
        });
    }
}

#[test]
fn a_statement_that_ignores_being_cancelled_is_left_behind() {
    every_doomed(|mut doomed| {
        let stop = "SELECT pg_backend_pid()";
        let pid = run(&mut *doomed.connection, stop)
            .unwrap()
            .scalar()
            .unwrap()
            .to_string();
        let signal = |name: &str| {
            let done = std::process::Command::new("kill")
                .args([name, &pid])
                .status();
            assert!(done.unwrap().success());
        };
        signal("-STOP");
        let limits = Limits {
            timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let error = doomed.connection.run("SELECT 1", &limits).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Timeout);
        assert_eq!(
            error.message,
            "statement was cancelled: it ran longer than 0.05 s; it did not stop within 3 s of being asked to, so its connection was given up"
        );
        let next = run(&mut *doomed.connection, stop).unwrap();
        assert_ne!(next.scalar().unwrap().to_string(), pid);
        signal("-CONT");
    });
}
