//! Metrics of tables that somebody writes to, and of databases that take too long, meanwhile.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use bowline_contract::Metric;
use bowline_driver::{
    Canceller, Connection, DriverKind, DriverSpec, Limits, ResultSet, SqlError, SqlErrorKind, open,
};
use bowline_profile::{Bucket, Buckets, Costs, Outcome, Profile, ProfileError, Request, profile};
use bowline_warehouse::dialect::Pack;

/// What happens before a statement that holds a word.
enum Disturbance {
    /// Somebody runs this first.
    Write(&'static str),
    /// It takes so long that it is stopped.
    Slow(Duration),
    /// The account may not run it.
    Denied,
}

struct Disturbed {
    inner: Box<dyn Connection>,
    word: &'static str,
    disturbance: Disturbance,
}

impl Connection for Disturbed {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        if sql.contains(self.word) {
            match self.disturbance {
                Disturbance::Write(other) => drop(self.inner.run(other, limits)?),
                Disturbance::Slow(time) => {
                    sleep(time.min(limits.timeout));
                    return Err(SqlError::new(SqlErrorKind::Timeout, "it took too long"));
                }
                Disturbance::Denied => {
                    return Err(SqlError::new(SqlErrorKind::Permission, "permission denied"));
                }
            }
        }
        self.inner.run(sql, limits)
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.inner.canceller()
    }
}

/// A table of orders, some of which have no time.
const ORDERS: [&str; 2] = [
    "CREATE TABLE orders (amount INTEGER, ordered_at TEXT)",
    "INSERT INTO orders VALUES (0, '2026-11-20 10:15:00'), (5, '2026-11-20 23:59:59'), (0, '2026-11-22 00:00:00'), (7, NULL)",
];

fn connection() -> Box<dyn Connection> {
    let mut spec = DriverSpec::new(DriverKind::Sqlite);
    spec.options
        .insert("path".to_owned(), ":memory:".to_owned());
    let mut connection = open(&spec).unwrap().connect().unwrap();
    for sql in ORDERS {
        connection.run(sql, &Limits::default()).unwrap();
    }
    connection
}

fn request(metrics: &[&str]) -> Request {
    Request {
        table: "orders".to_owned(),
        columns: vec!["amount".to_owned()],
        metrics: metrics
            .iter()
            .map(|name| Metric::find(name).unwrap())
            .collect(),
        ..Request::default()
    }
}

fn profiled(connection: &mut dyn Connection, request: &Request) -> Profile {
    asked(connection, request).unwrap()
}

fn asked(connection: &mut dyn Connection, request: &Request) -> Result<Profile, ProfileError> {
    let templates = Arc::new(Pack::find("sqlite").unwrap().templates());
    let mut costs = Costs::new();
    profile(
        templates,
        connection,
        &|| Err(SqlError::new(SqlErrorKind::Connection, "no other")),
        request,
        &mut costs,
        &mut |_| (),
    )
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Value(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_table_that_changes_gives_no_share_above_one_and_is_told() {
    let mut disturbed = Disturbed {
        inner: connection(),
        word: "COUNT(DISTINCT",
        disturbance: Disturbance::Write(
            "INSERT INTO orders VALUES (100, NULL), (101, NULL), (102, NULL), (103, NULL)",
        ),
    };
    let wanted = request(&["zero_rate", "approx_distinctness"]);
    let found = profiled(&mut disturbed, &wanted);
    assert!(found.has_changed);
    let values: Vec<String> = found.slices[0].outcomes[0].iter().map(text).collect();
    // 7 of 8 rows differ, the four that came among them, and half of the first four are zero.
    assert_eq!(values, ["0.5", "0.875"]);
    assert!(!profiled(&mut *connection(), &wanted).has_changed);
}

#[test]
fn what_is_known_when_the_time_is_up_is_given() {
    let mut disturbed = Disturbed {
        inner: connection(),
        word: "COUNT(DISTINCT",
        disturbance: Disturbance::Slow(Duration::from_secs(3_600)),
    };
    let wanted = Request {
        max_time: Some(Duration::from_millis(300)),
        ..request(&["zero_count", "approx_distinct_count"])
    };
    let found = profiled(&mut disturbed, &wanted);
    assert!(!found.is_whole());
    assert_eq!(found.rows(), 4);
    let values: Vec<String> = found.slices[0].outcomes[0].iter().map(text).collect();
    assert_eq!(values, ["2", "NotReached"]);
    // When nothing is known there is nothing to give.
    disturbed.word = "COUNT";
    assert!(matches!(
        asked(&mut disturbed, &wanted),
        Err(ProfileError::NotInTime { .. })
    ));
    disturbed.word = "COUNT(DISTINCT";
    // A statement that has its own time and no more costs its metric alone.
    let wanted = Request {
        max_time: None,
        limits: Limits {
            timeout: Duration::from_millis(10),
            ..Limits::default()
        },
        ..wanted
    };
    let found = profiled(&mut disturbed, &wanted);
    assert!(found.is_whole());
    assert!(matches!(found.slices[0].outcomes[0][1], Outcome::Failed(_)));
}

#[test]
fn rows_are_put_into_buckets_of_time() {
    let mut wanted = request(&["zero_count", "zero_rate"]);
    let mut buckets = Buckets {
        column: "ordered_at".to_owned(),
        each: Bucket::Day,
        since: None,
    };
    wanted.buckets = Some(buckets.clone());
    let seen = |wanted: &Request| -> Vec<String> {
        let found = profiled(&mut *connection(), wanted);
        let slices = found.slices.iter().map(|slice| {
            let start = slice.start.as_deref().unwrap_or("none");
            let values: Vec<String> = slice.outcomes[0].iter().map(text).collect();
            format!("{start}: {} {}", slice.rows, values.join(" "))
        });
        slices.collect()
    };
    assert_eq!(
        seen(&wanted),
        [
            "none: 1 0 0.0",
            "2026-11-20 00:00:00: 2 1 0.5",
            "2026-11-22 00:00:00: 1 1 1.0"
        ]
    );
    buckets.since = Some("2026-11-20T12:00:00Z".parse().unwrap());
    buckets.each = Bucket::Hour;
    wanted.buckets = Some(buckets);
    assert_eq!(
        seen(&wanted),
        [
            "2026-11-20 23:00:00: 1 0 0.0",
            "2026-11-22 00:00:00: 1 1 1.0"
        ]
    );
}

#[test]
fn a_sample_is_the_first_rows() {
    let wanted = Request {
        sample: Some(3),
        condition: Some("amount >= 0".to_owned()),
        ..request(&["zero_count"])
    };
    let found = profiled(&mut *connection(), &wanted);
    assert_eq!(found.rows(), 3);
    assert_eq!(text(&found.slices[0].outcomes[0][0]), "2");
}

#[test]
fn who_may_read_some_columns_alone_profiles_these() {
    let mut disturbed = Disturbed {
        inner: connection(),
        word: "SELECT * FROM orders",
        disturbance: Disturbance::Denied,
    };
    let wanted = request(&["zero_count"]);
    let found = profiled(&mut disturbed, &wanted);
    assert_eq!(text(&found.slices[0].outcomes[0][0]), "2");
    let wanted = Request {
        columns: Vec::new(),
        ..wanted
    };
    assert!(matches!(
        asked(&mut disturbed, &wanted),
        Err(ProfileError::Table { .. })
    ));
}

#[test]
fn a_type_is_tried_once_and_not_for_every_column() {
    let mut connection = connection();
    let names: Vec<String> = (0..20).map(|number| format!("c{number} INTEGER")).collect();
    let wide = format!("CREATE TABLE wide ({})", names.join(", "));
    connection.run(&wide, &Limits::default()).unwrap();
    let wanted = Request {
        table: "wide".to_owned(),
        columns: Vec::new(),
        ..request(&["zero_count"])
    };
    let found = profiled(&mut *connection, &wanted);
    assert_eq!(found.columns.len(), 20);
    assert!(found.statements < 5, "{}", found.statements);
}
