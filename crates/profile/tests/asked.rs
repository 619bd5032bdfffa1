//! How an engine is asked about a large table: nothing that it says of lists is believed, and no statement keeps too much.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bowline_contract::Metric;
use bowline_driver::{
    Canceller, Column, Connection, DriverKind, DriverSpec, Limits, ResultSet, SqlError,
    SqlErrorKind, Value, open,
};
use bowline_profile::{
    Cost, Costs, Family, MOST_KEPT, Outcome, Profile, ProfileError, Request, plan, profile,
};
use bowline_warehouse::dialect::Pack;

/// What an engine makes of several percentiles in one aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    Right,
    Reversed,
    AsText,
    Refused,
    /// Right over some of the rows, and text over all.
    TextOverAll,
    /// Right over some of the rows, and refused over all.
    RefusedOverAll,
    /// One value in every column.
    Constant,
}

/// An engine over columns of numbers, which spells as DuckDB does.
struct Engine {
    lists: Lists,
    rows: i64,
    columns: usize,
    asked: Vec<String>,
}

impl Engine {
    fn new(lists: Lists, rows: i64, columns: usize) -> Self {
        Self {
            lists,
            rows,
            columns,
            asked: Vec::new(),
        }
    }

    fn percentile(&self, share: &str) -> Value {
        match self.lists {
            Lists::Constant => Value::Float(7.0),
            _ => Value::Float(share.parse::<f64>().unwrap() * 100.0),
        }
    }

    fn value(&self, aggregate: &str, is_over_all: bool) -> Result<Value, SqlError> {
        if aggregate == "COUNT(*)" {
            return Ok(self.rows.into());
        }
        let Some((_, rest)) = aggregate.split_once("QUANTILE_CONT(") else {
            return Ok(5_i64.into());
        };
        let (_, share) = rest.split_once(", ").unwrap();
        let share = share.trim_end_matches(')');
        let Some(shares) = share
            .strip_prefix('[')
            .and_then(|shares| shares.strip_suffix(']'))
        else {
            return Ok(self.percentile(share));
        };
        let mut items: Vec<Value> = shares
            .split(", ")
            .map(|share| self.percentile(share))
            .collect();
        Ok(match self.lists {
            Lists::AsText => "[0.0]".into(),
            Lists::TextOverAll if is_over_all => "[0.0]".into(),
            Lists::Refused => return Err(SqlError::new(SqlErrorKind::Syntax, "no lists")),
            Lists::RefusedOverAll if is_over_all => {
                return Err(SqlError::new(SqlErrorKind::Syntax, "no lists"));
            }
            Lists::Reversed => {
                items.reverse();
                Value::List(items)
            }
            _ => Value::List(items),
        })
    }

    /// The statements over the whole table in which an aggregate stands.
    fn over_all(&self, aggregate: &str) -> Vec<&String> {
        let statements = self.asked.iter();
        let over_all = statements.filter(|sql| !sql.contains("LIMIT") && sql.contains(aggregate));
        over_all.collect()
    }
}

impl Connection for Engine {
    fn run(&mut self, sql: &str, _: &Limits) -> Result<ResultSet, SqlError> {
        if sql.starts_with("SELECT * FROM") {
            return Ok(ResultSet {
                columns: (0..self.columns)
                    .map(|number| Column {
                        name: format!("c{number}"),
                        type_name: "INTEGER".to_owned(),
                    })
                    .collect(),
                rows: vec![vec![5_i64.into(); self.columns]],
                ..ResultSet::default()
            });
        }
        self.asked.push(sql.to_owned());
        let list = sql.strip_prefix("SELECT ").unwrap();
        let list = &list[..list.find(" FROM ").unwrap()];
        let mut depth = 0;
        let aggregates = list.split(|letter| {
            match letter {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                _ => {}
            }
            letter == ',' && depth == 0
        });
        let is_over_all = !sql.contains("LIMIT");
        let row: Result<Vec<Value>, SqlError> = aggregates
            .map(|aggregate| self.value(aggregate.trim(), is_over_all))
            .collect();
        Ok(ResultSet {
            rows: vec![row?],
            ..ResultSet::default()
        })
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        let mut spec = DriverSpec::new(DriverKind::Sqlite);
        spec.options
            .insert("path".to_owned(), ":memory:".to_owned());
        open(&spec).unwrap().connect().unwrap().canceller()
    }
}

fn request(metrics: &[&str]) -> Request {
    Request {
        table: "numbers".to_owned(),
        metrics: metrics
            .iter()
            .map(|name| Metric::find(name).unwrap())
            .collect(),
        ..Request::default()
    }
}

fn profiled(engine: &mut Engine, request: &Request) -> Profile {
    let templates = Arc::new(Pack::find("duckdb").unwrap().templates());
    let mut costs = Costs::new();
    profile(
        templates,
        engine,
        &no_other,
        request,
        &mut costs,
        &mut |_| (),
    )
    .unwrap()
}

const PERCENTILES: [&str; 5] = [
    "zero_count",
    "numeric_median",
    "approx_quantiles5",
    "percentile_80",
    "percentile_20",
];

#[test]
fn a_list_is_believed_where_it_is_what_each_percentile_is() {
    for (lists, has_lists) in [
        (Lists::Right, true),
        (Lists::TextOverAll, true),
        (Lists::RefusedOverAll, true),
        (Lists::Reversed, false),
        (Lists::AsText, false),
        (Lists::Refused, false),
        (Lists::Constant, false),
    ] {
        let mut engine = Engine::new(lists, 100_000, 2);
        let found = profiled(&mut engine, &request(&PERCENTILES));
        let alone = Engine::new(lists, 100_000, 2);
        let expected: Vec<Outcome> = ["0.5", "1.0", "0.8", "0.2"]
            .iter()
            .map(|share| Outcome::Value(alone.percentile(share)))
            .collect();
        for outcomes in &found.slices[0].outcomes {
            assert_eq!(outcomes[1..], expected, "{lists:?}");
        }
        let in_lists = engine.over_all("[0.2, 0.5, 0.8, 1.0]");
        assert_eq!(!in_lists.is_empty(), has_lists, "{lists:?}");
        let apart = engine.over_all(r#"QUANTILE_CONT("c1", 0.8)"#);
        assert_eq!(apart.is_empty(), lists == Lists::Right, "{lists:?}");
    }
    // Of few rows it does not matter, and a single percentile needs no list.
    let mut engine = Engine::new(Lists::Right, 99_999, 2);
    profiled(&mut engine, &request(&PERCENTILES));
    assert!(engine.asked.iter().all(|sql| !sql.contains('[')));
    let mut engine = Engine::new(Lists::Right, 100_000, 2);
    profiled(
        &mut engine,
        &request(&["numeric_median", "approx_quantiles"]),
    );
    assert!(engine.asked.iter().all(|sql| !sql.contains('[')));
}

#[test]
fn no_statement_keeps_more_than_it_may() {
    let metrics = [
        "zero_count",
        "approx_distinct_count",
        "approx_distinctness",
        "numeric_median",
        "percentile_20",
    ];
    let most = |rows: i64, aggregate: &str| {
        let mut engine = Engine::new(Lists::Refused, rows, 40);
        let found = profiled(&mut engine, &request(&metrics));
        assert!(found.is_whole());
        let together = |sql: &&String| sql.matches(aggregate).count();
        let statements = engine.over_all(aggregate);
        let asked: usize = statements.iter().map(together).sum();
        assert_eq!(asked % 40, 0, "{aggregate}");
        statements.iter().map(together).max().unwrap()
    };
    for aggregate in ["COUNT(DISTINCT", "QUANTILE_CONT"] {
        let (few, many, huge) = (
            most(1_000, aggregate),
            most(1_000_000, aggregate),
            most(1_000_000_000, aggregate),
        );
        assert_eq!(huge, 1, "{aggregate}");
        assert!(
            many < few && many as i128 * 16_000_000 <= MOST_KEPT,
            "{many} of {few}"
        );
    }
    let told = |rows| {
        let mut engine = Engine::new(Lists::Right, rows, 40);
        let templates = Arc::new(Pack::find("duckdb").unwrap().templates());
        let wanted = request(&metrics);
        let plan = plan(templates, &mut engine, &wanted, &mut Costs::new()).unwrap();
        plan.steps.iter().map(|step| step.kept).max().unwrap()
    };
    assert!(told(1_000_000) <= MOST_KEPT);
    assert!(told(1_000_000_000) > MOST_KEPT);
}

#[test]
fn what_is_cheaper_together_takes_three_statements() {
    let cheaper = Cost {
        columns: 8,
        together: 0.1,
        apart: 1.0,
    };
    let mut costs: Costs = Family::DEAR.map(|family| (family, cheaper)).into();
    for lists in [Lists::Right, Lists::Refused] {
        let mut engine = Engine::new(lists, 100_000, 100);
        let templates = Arc::new(Pack::find("duckdb").unwrap().templates());
        let wanted = Request {
            table: "numbers".to_owned(),
            ..Request::default()
        };
        let plan = plan(templates, &mut engine, &wanted, &mut costs).unwrap();
        let most = if lists == Lists::Right { 3 } else { 6 };
        assert_eq!(plan.steps.len(), most, "{:?}", plan.steps);
        assert_eq!(
            plan.steps.iter().map(|step| step.metrics).sum::<usize>(),
            100 * 18
        );
    }
}

fn no_other() -> Result<Box<dyn Connection>, SqlError> {
    Err(SqlError::new(SqlErrorKind::Connection, "no other"))
}

/// A large table, with a metric of each family.
fn of_every_family() -> Request {
    Request {
        keeps_in_memory: false,
        connections: 2,
        ..request(&["zero_count", "approx_distinct_count", "percentile_20"])
    }
}

fn server() -> Engine {
    Engine::new(Lists::Refused, 200_000, 1)
}

/// A server on which a dear statement over the whole table waits until another runs beside it.
#[derive(Clone, Default)]
struct Server {
    running: Arc<(Mutex<usize>, Condvar)>,
}

impl Connection for Server {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let is_dear = sql.contains("DISTINCT") || sql.contains("QUANTILE");
        if is_dear && !sql.contains("LIMIT") {
            let (running, changed) = &*self.running;
            let mut running = running.lock().unwrap();
            *running += 1;
            changed.notify_all();
            let is_alone = |running: &mut usize| *running < 2;
            let waited = changed.wait_timeout_while(running, Duration::from_secs(20), is_alone);
            assert!(!waited.unwrap().1.timed_out(), "nothing runs beside {sql}");
        }
        server().run(sql, limits)
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        server().canceller()
    }
}

/// A connection that is lost at its first statement.
struct Lost;

impl Connection for Lost {
    fn run(&mut self, _: &str, _: &Limits) -> Result<ResultSet, SqlError> {
        no_other().map(|_| ResultSet::default())
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        server().canceller()
    }
}

/// The profile over a connection and others, and how many others were asked for.
fn profiled_beside(
    connection: &mut dyn Connection,
    request: &Request,
    other: &dyn Fn() -> Result<Box<dyn Connection>, SqlError>,
) -> (Result<Profile, ProfileError>, usize) {
    let templates = Arc::new(Pack::find("duckdb").unwrap().templates());
    let (asked, mut costs) = (Cell::new(0), Costs::new());
    let another = || {
        asked.set(asked.get() + 1);
        other()
    };
    let found = profile(
        templates,
        connection,
        &another,
        request,
        &mut costs,
        &mut |_| (),
    );
    (found, asked.get())
}

fn has_all(found: Result<Profile, ProfileError>) -> bool {
    let slices = found.unwrap().slices;
    let mut outcomes = slices.iter().flat_map(|slice| &slice.outcomes).flatten();
    outcomes.all(|outcome| matches!(outcome, Outcome::Value(_)))
}

#[test]
fn a_server_is_asked_several_statements_at_once() {
    let server = Server::default();
    let other = || -> Result<Box<dyn Connection>, SqlError> { Ok(Box::new(server.clone())) };
    let (found, asked) = profiled_beside(&mut server.clone(), &of_every_family(), &other);
    assert!(has_all(found));
    assert_eq!(asked, 1);
}

#[test]
fn what_other_connections_cannot_do_the_first_does() {
    let (found, asked) = profiled_beside(&mut server(), &of_every_family(), &no_other);
    assert!(has_all(found));
    assert_eq!(asked, 1, "what was refused is not asked for again");
    let lost = || -> Result<Box<dyn Connection>, SqlError> { Ok(Box::new(Lost)) };
    let (found, _) = profiled_beside(&mut server(), &of_every_family(), &lost);
    assert!(has_all(found));
}

#[test]
fn a_small_table_is_asked_over_one_connection() {
    let mut small = Engine::new(Lists::Refused, 10, 1);
    let (found, asked) = profiled_beside(&mut small, &of_every_family(), &no_other);
    assert!(has_all(found));
    assert_eq!(asked, 0);
    // The statement that is cheap counts the rows as well.
    assert_eq!(small.over_all("COUNT(*)").len(), 3);
}

#[test]
fn who_stops_while_another_connects_stops_all() {
    let stopped = || Err(SqlError::cancelled());
    let (found, _) = profiled_beside(&mut server(), &of_every_family(), &stopped);
    assert!(matches!(found, Err(ProfileError::Interrupted)));
}
