//! Servers that are killed and connections that are cut, at many moments: no verdict but that of an undisturbed run or
//! unknown, and what is left is told.
//!
//! A few moments of each engine by default; `BOWLINE_SEVERED` says how many, and tries what takes minutes too.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use bowline_contract::exit_code;
use bowline_servers::{Firebird, MariaDb, Moments, Postgres};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, connect_args, write_credentials};
use crate::needs::{Need, firebird, mariadb, trial};
use crate::proxy::{Fault, Proxy};
use crate::sandbox::{Ran, Sandbox, many};

/// How many moments of each engine and fault are tried where nobody says.
const MOMENTS: usize = 2;
const SEED: u64 = 0x5eed;
/// The sections whose statements touch tables; the others ask for values of expressions.
const SECTIONS: [&str; 6] = ["-m", "connection", "-m", "metadata", "-m", "functional"];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, fault) in [
        ("cut", Fault::Cut),
        ("cut_once", Fault::CutOnce),
        ("reset", Fault::Reset),
        ("black_hole", Fault::BlackHole),
    ] {
        trials.extend([
            trial(
                format!("severed/postgres/{name}"),
                &[Need::Postgres],
                move || severed(&Target::postgres()?, fault),
            ),
            trial(
                format!("severed/mariadb/{name}"),
                &[Need::MariaDb],
                move || severed(&Target::mariadb(name)?, fault),
            ),
            trial(
                format!("severed/firebird/{name}"),
                &[Need::Firebird, Need::PythonPackages],
                move || severed(&Target::firebird(name)?, fault),
            ),
        ]);
    }
    trials.extend([
        trial("severed/silent", &[], silent),
        trial("severed/postgres/killed", &[Need::Postgres], || {
            killed(Kind::Postgres)
        }),
        trial("severed/mariadb/killed", &[Need::MariaDb], || {
            killed(Kind::MariaDb)
        }),
        trial(
            "severed/firebird/killed",
            &[Need::Firebird, Need::PythonPackages],
            || killed(Kind::Firebird),
        ),
        trial("severed/postgres/delayed", &[Need::Postgres], delayed),
    ]);
    trials
}

/// Servers that take a connection and say nothing: who asks how it is with a connector is told within seconds.
fn silent() -> Result<(), Failed> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "pg", "--dialect", "postgres"])
        .exits(exit_code::OK);
    let login = json!({
        "host": address.ip(), "port": address.port(), "database": "d", "user": "u", "password": "p",
    });
    write_credentials(&sandbox, "pg", &login);
    sandbox
        .bowline(&["new", "nights", "--pipeline", "--like", "prefect"])
        .exits(exit_code::OK);
    let login =
        json!({"api_url": format!("http://{address}/api"), "username": "u", "password": "p"});
    sandbox.write(
        "etl_connectors/nights/credentials.json",
        &json!({ "connect_args": login }).to_string(),
    );
    for (name, who) in [("pg", "database"), ("nights", "orchestrator")] {
        let told = sandbox
            .bowline(&["doctor", name])
            .exits(exit_code::FELL_SHORT);
        assert!(
            told.stdout
                .contains(&format!("the {who} does not answer within 5 s")),
            "{}",
            told.said()
        );
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    MariaDb,
    Firebird,
}

/// A connector and the server that it is for.
struct Target {
    kind: Kind,
    sandbox: Sandbox,
    connector: &'static str,
    port: u16,
    login: Value,
}

impl Target {
    fn postgres() -> Result<Self, Failed> {
        let sandbox = Engine::Postgres.shop();
        let login = connect_args(sandbox.database().ok_or("no database")?);
        let port = sandbox.database().ok_or("no database")?.port;
        Ok(Self {
            kind: Kind::Postgres,
            sandbox,
            connector: "postgres",
            port,
            login,
        })
    }

    fn mariadb(name: &str) -> Result<Self, Failed> {
        let database = format!("severed_{name}_{}", std::process::id());
        let port = mariadb(|server| mariadb_shop(server, &database))??;
        Self::scaffolded(Kind::MariaDb, port, mariadb_login(&database))
    }

    fn firebird(name: &str) -> Result<Self, Failed> {
        let (port, login) = firebird(|server| firebird_shop(server, &format!("severed_{name}")))??;
        Self::scaffolded(Kind::Firebird, port, login)
    }

    fn scaffolded(kind: Kind, port: u16, login: Value) -> Result<Self, Failed> {
        let sandbox = Sandbox::new();
        let connector = match kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mariadb",
            Kind::Firebird => "firebird",
        };
        sandbox
            .bowline_with_python(&["new", connector, "--dialect", connector])
            .exits(0);
        let target = Self {
            kind,
            sandbox,
            connector,
            port,
            login,
        };
        // The packages of its driver are installed before anything is measured.
        target.aim(port);
        Ok(target)
    }

    /// Lets the connector go to a port.
    fn aim(&self, port: u16) {
        let mut login = self.login.clone();
        login["port"] = json!(port);
        write_credentials(&self.sandbox, self.connector, &login);
    }

    fn test(&self, port: u16) -> Ran {
        self.aim(port);
        let mut args = vec!["test", "--format", "json", "--timeout", "2"];
        args.extend(SECTIONS);
        let ran = self.sandbox.bowline_with_python(&args);
        // MariaDB's ODBC library reads the columns of a result whether or not they came, and takes the program with it when
        // the connection was cut before them: no verdict is told then, right or wrong, and the run is tried again.
        if ran.exit.is_none() && matches!(self.kind, Kind::MariaDb) {
            return self.sandbox.bowline_with_python(&args);
        }
        ran
    }

    /// How many tables of the suite's are in the database.
    fn left(&self) -> Result<usize, Failed> {
        let text = |key: &str| self.login[key].as_str().unwrap_or_default().to_owned();
        let left = match self.kind {
            Kind::Postgres => self.sandbox.sql(
                "SELECT count(*) FROM pg_class WHERE relname ILIKE '%bowline%' AND relkind = 'r'",
            ),
            Kind::MariaDb => mariadb(|server| {
                server.sql(&format!(
                    "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{}' AND TABLE_NAME LIKE '%bowline%'",
                    text("database")
                ))
            })??,
            Kind::Firebird => firebird(|server| {
                server.sql(
                    &text("database"),
                    "SELECT COUNT(*) AS tables FROM RDB$RELATIONS WHERE UPPER(RDB$RELATION_NAME) CONTAINING 'BOWLINE';",
                )
            })??,
        };
        let count = left.split_whitespace().last().unwrap_or_default();
        Ok(count.parse()?)
    }
}

fn mariadb_shop(server: &MariaDb, database: &str) -> Result<u16, bowline_servers::ServerError> {
    server.create_database(database, database, "severed-password")?;
    server
        .sql(&format!(
            "USE {database}; CREATE TABLE customers (id INTEGER, name TEXT); INSERT INTO customers VALUES (1, 'Ada')"
        ))
        .map(|_| server.port())
}

fn mariadb_login(database: &str) -> Value {
    json!({ "host": "127.0.0.1", "database": database, "user": database, "password": "severed-password" })
}

fn firebird_shop(
    server: &Firebird,
    name: &str,
) -> Result<(u16, Value), bowline_servers::ServerError> {
    let path = server.create_database(name)?;
    server.sql(
        &path,
        "CREATE TABLE customers (id INTEGER, name VARCHAR(40));",
    )?;
    let (user, password) = server.login();
    Ok((
        server.port(),
        json!({ "host": "127.0.0.1", "database": path, "user": user, "password": password }),
    ))
}

fn moments() -> usize {
    many("BOWLINE_SEVERED").unwrap_or(MOMENTS)
}

/// What each check came to.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let checks = report["checks"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .map(|check| (text(&check["id"]), text(&check["verdict"])))
        .collect()
}

/// A run that was disturbed says of each check what an undisturbed one says, or that it is unknown.
#[track_caller]
fn assert_honest(ran: &Ran, undisturbed: &BTreeMap<String, String>, moment: &str) {
    assert!(!ran.stderr.contains("panicked"), "{moment}\n{}", ran.said());
    if ran.exit == Some(exit_code::UNREACHABLE) {
        return;
    }
    for (check, verdict) in verdicts(&ran.json()) {
        let expected = undisturbed.get(&check).map_or("", String::as_str);
        // What is only asked where an earlier check succeeds is not in every report.
        let is_lacking = expected.is_empty() && verdict == "unsupported";
        assert!(
            verdict == expected || [verdict.as_str(), expected].contains(&"unknown") || is_lacking,
            "{moment}: `{check}` is {verdict}, and {expected} when nothing disturbs\n{}",
            ran.stdout
                .lines()
                .filter(|line| line.contains("\"message\""))
                .collect::<String>()
        );
    }
}

fn is_told(ran: &Ran) -> bool {
    ran.exit != Some(exit_code::UNREACHABLE)
        && ran.json()["left_behind"]
            .as_array()
            .is_some_and(|left| !left.is_empty())
}

fn severed(target: &Target, fault: Fault) -> Result<(), Failed> {
    let through = Proxy::start(target.port, (fault, usize::MAX), || ());
    let undisturbed = target.test(through.port());
    let (expected, passed) = (verdicts(&undisturbed.json()), through.passed());
    drop(through);
    let (mut random, mut struck) = (Moments::of(SEED), 0);
    for _ in 0..moments() {
        let mut after = random.below(passed);
        // What a log holds differs from run to run, and late moments may not come.
        let (ran, proxy) = loop {
            let proxy = Proxy::start(target.port, (fault, after), || ());
            let ran = target.test(proxy.port());
            if proxy.is_struck() || after == 0 {
                break (ran, proxy);
            }
            after /= 2;
        };
        let moment = format!("{fault:?} after {after} of {passed} bytes");
        struck += usize::from(proxy.is_struck());
        assert_honest(&ran, &expected, &moment);
        drop(proxy);
        let left = target.left()?;
        assert!(
            left == 0 || is_told(&ran),
            "{moment}: {left} tables are left, and nobody is told\n{}",
            ran.said()
        );
        // The next run takes away what is left, and is whole.
        if left > 0 {
            let next = target.test(target.port);
            assert_honest(&next, &expected, &format!("{moment}, then again"));
            assert_eq!(target.left()?, 0, "{moment}, then again");
        }
    }
    assert!(struck > 0, "nothing happened at any moment");
    bowline_tally::add(bowline_tally::Kind::Severed, u64::try_from(struck)?);
    Ok(())
}

/// A private server that is killed under the run.
fn killed(kind: Kind) -> Result<(), Failed> {
    let mut random = Moments::of(SEED);
    let (mut expected, mut passed, mut struck) = (BTreeMap::new(), 0, 0);
    for round in 0..=moments().min(MOMENTS.max(moments() / 4)) {
        let (target, kill): (Target, Box<dyn FnOnce() + Send>) = match kind {
            Kind::Postgres => {
                let mut server = Postgres::start()?;
                let cluster = server.cluster();
                cluster.sql("postgres", "CREATE TABLE customers (id int, name text); INSERT INTO customers VALUES (1, 'Ada'); ANALYZE customers")?;
                let port = cluster.port();
                let login =
                    json!({ "host": "127.0.0.1", "database": "postgres", "user": "postgres" });
                (
                    Target::scaffolded(kind, port, login)?,
                    Box::new(move || server.kill()),
                )
            }
            Kind::MariaDb => {
                let mut server = MariaDb::start()?;
                let port = mariadb_shop(&server, "severed")?;
                (
                    Target::scaffolded(kind, port, mariadb_login("severed"))?,
                    Box::new(move || server.kill()),
                )
            }
            Kind::Firebird => {
                let mut server = Firebird::start()?;
                let (port, login) = firebird_shop(&server, "severed")?;
                (
                    Target::scaffolded(kind, port, login)?,
                    Box::new(move || server.kill()),
                )
            }
        };
        let after = if round == 0 {
            usize::MAX
        } else {
            random.below(passed)
        };
        let moment = format!("killed after {after} of {passed} bytes");
        let proxy = Proxy::start(target.port, (Fault::Cut, after), kill);
        let ran = target.test(proxy.port());
        if round == 0 {
            (expected, passed) = (verdicts(&ran.json()), proxy.passed());
            continue;
        }
        assert_honest(&ran, &expected, &moment);
        if !proxy.is_struck() {
            continue;
        }
        struck += 1;
        // Killed when all was proven, only what is left has to be told.
        assert!(
            ran.exit != Some(exit_code::OK) || verdicts(&ran.json()) == expected,
            "{moment}\n{}",
            ran.said()
        );
    }
    bowline_tally::add(bowline_tally::Kind::Severed, struck);
    Ok(())
}

/// Far away and slow, the same is true.
fn delayed() -> Result<(), Failed> {
    let target = Target::postgres()?;
    let expected = verdicts(&target.test(target.port).json());
    let proxy = Proxy::delaying(target.port, Duration::from_millis(20));
    let ran = target.test(proxy.port());
    assert_eq!(verdicts(&ran.json()), expected, "{}", ran.said());
    Ok(())
}
