//! Ctrl-C stops the run that listens to it, not the program, which runs again.

#![cfg(unix)]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bowline_conformance::warehouse::Options;
use bowline_conformance::{Conclusion, Event as Suite};
use bowline_connector::Workspace;
use bowline_contract::ConnectorName;
use bowline_driver::Limits;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::{Connector, Scaffold};
use bowline_workbench::{Event, Run, warehouse};
use rustix::process::{Signal, getpid, kill_process};

fn shop(folder: &std::path::Path) -> Connector {
    let name = ConnectorName::parse("shop").unwrap();
    let scaffold = Scaffold::plan(name, Pack::find("sqlite").cloned(), None).unwrap();
    let made = scaffold.write(&Workspace::at(folder)).unwrap();
    fs::write(
        made.connector.dir.join("credentials.json"),
        r#"{"connect_args": {"path": "shop.sqlite"}}"#,
    )
    .unwrap();
    let credentials = warehouse::credentials(&made.connector, &|_| ()).unwrap();
    let database =
        warehouse::open(&made.connector, &credentials, &Limits::default(), &|_| ()).unwrap();
    let mut connection = warehouse::connect(&made.connector, &*database).unwrap();
    let table = "CREATE TABLE customers (id INTEGER, name TEXT)";
    connection.run(table, &Limits::default()).unwrap();
    made.connector
}

fn wait_until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_runs_again_after_its_first_run_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let connector = shop(folder.path());
    // Not where the test was started: the database's path is relative.
    assert!(folder.path().join("shop.sqlite").is_file());

    let options = Options::default();
    let first = Run::new();
    let ctrl_c = first.listen_to_ctrl_c().unwrap();
    let recorded = warehouse::prove(&connector, &options, &first, &|event| {
        if let Event::Warehouse(Suite::Started { .. }) = event {
            kill_process(getpid(), Signal::INT).unwrap();
            wait_until(|| first.is_stopped());
        }
    })
    .unwrap();
    assert!(first.is_stopped() && recorded.report.interrupted);
    drop(ctrl_c);

    let second = Run::new();
    let ctrl_c = second.listen_to_ctrl_c().unwrap();
    let recorded = warehouse::prove(&connector, &options, &second, &|_| ()).unwrap();
    assert!(!second.is_stopped());
    assert_eq!(recorded.report.conclusion(), Conclusion::Fine);

    // The process's handler is still there, for whichever run listens.
    kill_process(getpid(), Signal::INT).unwrap();
    wait_until(|| second.is_stopped());
    drop(ctrl_c);
}
