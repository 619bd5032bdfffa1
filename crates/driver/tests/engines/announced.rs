//! Statements that are announced: PostgreSQL takes several in one round trip.

use std::sync::Arc;
use std::time::Duration;

use bowline_driver::{Connection, Database, Limits, SqlErrorKind};

use crate::engine::{every_engine, postgresql, run, with};

/// Announces statements and asks them in turn; gives what each came to, as people read it.
fn asked(connection: &mut dyn Connection, statements: &[&str]) -> Vec<String> {
    let announced: Vec<String> = statements.iter().map(|sql| (*sql).to_owned()).collect();
    connection.announce(&announced);
    statements
        .iter()
        .map(|sql| came_to(connection, sql))
        .collect()
}

fn came_to(connection: &mut dyn Connection, sql: &str) -> String {
    match run(connection, sql) {
        Ok(result) => result
            .scalar()
            .map_or("nothing".to_owned(), ToString::to_string),
        Err(error) => format!("{:?}", error.kind),
    }
}

#[test]
fn each_has_its_own_answer_on_every_engine() {
    for (engine, database) in every_engine() {
        with(database, |database| {
            let mut db = database.connect().unwrap();
            let statements = [
                "SELECT 1",
                "SELECT * FROM bowline_nowhere",
                "CREATE TABLE bowline_announced (a INTEGER)",
                "INSERT INTO bowline_announced VALUES (7)",
                "SELECT a FROM bowline_announced",
                "SELECT a FROM bowline_announced WHERE a = 8",
                "DROP TABLE bowline_announced",
            ];
            let came = asked(&mut *db, &statements);
            let wanted = [
                "1",
                "MissingObject",
                "nothing",
                "nothing",
                "7",
                "nothing",
                "nothing",
            ];
            assert_eq!(came, wanted, "{engine}");
        });
    }
}

#[test]
fn another_statement_than_the_announced_one_is_the_one_that_runs() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let announced = ["SELECT 1", "SELECT 2", "SELECT 3"].map(str::to_owned);
        db.announce(&announced);
        let came =
            ["SELECT 1", "SELECT 4", "SELECT 2", "SELECT 3"].map(|sql| came_to(&mut *db, sql));
        assert_eq!(came, ["1", "4", "2", "3"]);
        db.announce(&announced);
        let came = ["SELECT 3", "SELECT 1"].map(|sql| came_to(&mut *db, sql));
        assert_eq!(came, ["3", "1"]);
    });
}

#[test]
fn what_cannot_travel_with_others_travels_alone() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let came = asked(
            &mut *db,
            &[
                "SELECT 1",
                "SELECT 'a\0b'",
                "COPY (SELECT 1) TO STDOUT",
                "CREATE TEMPORARY TABLE two (a int); INSERT INTO two VALUES (5)",
                "SELECT a FROM two",
                "BEGIN",
                "SELECT 1 / 0",
                "SELECT 6",
                "ROLLBACK",
                "SELECT ARRAY['a'::pg_lsn IS NULL]",
                "SELECT ARRAY['x'::regclass]",
                "SELECT '12.34'::money",
                "",
                "SELECT 8",
            ],
        );
        let wanted = [
            "1", "Syntax", "Other", "nothing", "5", "nothing", "Data", "Other", "nothing",
        ];
        assert_eq!(came[..wanted.len()], wanted);
        assert_eq!(came[11..], ["$12.34", "Syntax", "8"]);
    });
}

#[test]
fn they_take_one_round_trip_and_tell_when() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let statements = ["SELECT pg_sleep(0.05)", "SELECT 1"].map(str::to_owned);
        db.announce(&statements);
        let limits = Limits::default();
        let answers = statements.map(|sql| db.ask(&sql, &limits).unwrap());
        let [first, second] = answers;
        assert!(first.elapsed >= Duration::from_millis(50));
        assert_eq!(first.asked + first.elapsed, second.asked);
        assert!(second.elapsed < first.elapsed, "{:?}", second.elapsed);
    });
}

#[test]
fn large_ones_and_large_answers_do_not_wait_for_each_other() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let large = format!("SELECT length('{}')", "a".repeat(4_000_000));
        let came = asked(
            &mut *db,
            &[&large, "SELECT repeat('b', 4000000)", &large, "SELECT 5"],
        );
        assert_eq!(came[1].len(), 4_000_000);
        assert_eq!([&came[0], &came[2], &came[3]], ["4000000", "4000000", "5"]);
    });
}

#[test]
fn one_that_is_stopped_takes_no_other_with_it() {
    with(postgresql(), |database: Arc<dyn Database>| {
        let mut db = database.connect().unwrap();
        let slow = "SELECT 1, pg_sleep(3600)";
        let announced = [slow, "SELECT 2", "SELECT pg_sleep(3600)"].map(str::to_owned);
        let limits = Limits {
            timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        db.announce(&announced);
        let error = db.run(slow, &limits).unwrap_err();
        let words = "statement was cancelled: it ran longer than 0.05 s";
        assert_eq!(
            error.message, words,
            "those behind it are stopped as well: no connection is given up"
        );
        assert_eq!(came_to(&mut *db, "SELECT 2"), "2");
        // One behind it that nobody waits for holds up the next no longer than its own limit.
        db.announce(&announced[1..]);
        assert!(db.run("SELECT 2", &limits).is_ok());
        let next = db.run("SELECT 3", &limits);
        assert!(next.is_ok() || next.is_err_and(|error| error.kind == SqlErrorKind::Timeout));
        assert_eq!(came_to(&mut *db, "SELECT 4"), "4");
    });
}

#[test]
fn a_result_without_end_is_refused_and_the_next_is_answered() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let came = asked(
            &mut *db,
            &[
                "SELECT generate_series(1, 100000000000)",
                "SELECT 2",
                "SELECT count(*) FROM generate_series(1, 300000)",
            ],
        );
        assert_eq!(came, ["TooLarge", "2", "300000"]);
    });
}

#[test]
fn a_lost_connection_is_lost_for_all_that_follow() {
    with(postgresql(), |database| {
        let mut db = database.connect().unwrap();
        let came = asked(
            &mut *db,
            &[
                "SELECT 1",
                "SELECT pg_terminate_backend(pg_backend_pid())",
                "SELECT 3",
            ],
        );
        assert_eq!(came, ["1", "Connection", "Connection"]);
    });
}
