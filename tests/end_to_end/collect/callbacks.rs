//! Runs and jobs by name, and the callbacks that tell of them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bowline_contract::exit_code;
use libtest_mimic::Failed;

use super::stage::{self, Stage};
use super::{PATIENCE, interrupt};
use crate::sandbox::wait;

const OUTPUT: [&str; 2] = ["--output", "events.jsonl"];

fn runs(stage: &Stage) -> Vec<String> {
    let path = stage.sandbox.work().join("events.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The last line may be on its way.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    stage::parsed(whole)
        .iter()
        .filter_map(|event| Some(event["event"]["run_source_id"].as_str()?.to_owned()))
        .collect()
}

pub(super) fn by_name() -> Result<(), Failed> {
    let stage = Stage::with_runs(50);
    let collect = |args: &[&str]| stage.collect(&[&OUTPUT[..], args].concat());
    collect(&["--run", "run-3", "--run", "run-5"]).exits(exit_code::OK);
    assert_eq!(runs(&stage), ["run-3", "run-5"]);
    let ran = collect(&["--run", "run-7", "--run", "nowhere"]).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr
            .contains("no such run, or shows it no more: `nowhere`"),
        "{}",
        ran.said()
    );
    // Of another job.
    let ran = collect(&["--run", "run-8", "--job", "export"]).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr.contains(
            "no such run of job `export`, or shows it no more: `run-8`\nhint: leave `--job` out"
        ),
        "{}",
        ran.said()
    );
    let window = &super::ALL;
    collect(&[&["--job", "export"], &window[..]].concat()).exits(exit_code::OK);
    let events = stage::parsed(&stage.sandbox.read("events.jsonl"));
    assert_eq!(
        events.last().map(|event| &event["event"]["job_source_id"]),
        Some(&"export".into())
    );
    assert_eq!(runs(&stage).len(), 3);
    // A window sends none of them again, and begins where windows do.
    let ran = collect(&["--only", "runs"]).exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("is of another collection"),
        "{}",
        ran.said()
    );
    collect(window).exits(exit_code::OK);
    let all = runs(&stage);
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (50, 50));
    Ok(())
}

/// A collection that listens, and the port it listens at.
fn listening(mut command: Command) -> (Child, u16) {
    let mut child = command.spawn().expect("the binary under test");
    let mut stderr = BufReader::new(child.stderr.take().expect("its standard error"));
    // The vendor is on this machine too, and its address is masked.
    let port = stderr
        .by_ref()
        .lines()
        .map(|line| line.expect("its standard error"))
        .find_map(|line| {
            let (place, port) = line.trim().rsplit_once(':')?;
            place
                .starts_with("listening at ")
                .then(|| port.parse().expect("a port"))
        })
        .expect("it listens");
    // Nobody reads what else it says, and it must not wait for that.
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    (child, port)
}

fn listener(stage: &Stage, secret: Option<&str>) -> (Child, u16) {
    let args = [&OUTPUT[..], &["--listen", "127.0.0.1:0"]].concat();
    let mut command = stage.command(&args);
    command.envs(secret.map(|secret| ("BOWLINE_WEBHOOK_SECRET", secret)));
    listening(command)
}

/// Posts a callback, and gives the status.
fn call(port: u16, path: &str, headers: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {answer}"))
}

fn wait_for(stage: &Stage, wanted: usize) -> BTreeSet<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let found: BTreeSet<String> = runs(stage).into_iter().collect();
        if found.len() >= wanted {
            return found;
        }
        assert!(Instant::now() < end, "{found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A flood while the vendor is slow, a kill, and a run that the vendor shows only later.
pub(super) fn survive_a_kill() -> Result<(), Failed> {
    let stage = Stage::with_runs(60);
    stage.vendor.show_late(1);
    stage.vendor.hold();
    let (mut child, port) = listener(&stage, None);
    for number in 0..180 {
        let path = format!("/hook?job_run_id=run-{}&job_source_id=ingest", number % 60);
        assert_eq!(call(port, &path, ""), 202);
    }
    child.kill()?;
    child.wait()?;
    stage.vendor.mend();
    let (child, _port) = listener(&stage, None);
    wait_for(&stage, 59);
    stage.vendor.show_late(0);
    let found = wait_for(&stage, 60);
    assert_eq!(found.len(), 60);
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    Ok(())
}

/// A vendor that is out of reach, over restarts: a callback that was put off so often is a dead letter, and one that was
/// not still waits.
pub(super) fn without_a_vendor() -> Result<(), Failed> {
    let stage = Stage::with_runs(5);
    let folder = ".bowline/collect/shop";
    let reached = stage.sandbox.read("etl_connectors/shop/credentials.json");
    let out_of_reach = reached.replace(&stage.vendor.server.url(), "http://127.0.0.1:1");
    stage
        .sandbox
        .write("etl_connectors/shop/credentials.json", &out_of_reach);
    let (child, port) = listener(&stage, None);
    assert_eq!(call(port, "/?job_run_id=run-1", ""), 202);
    assert_eq!(call(port, "/?job_source_id=ingest", ""), 202);
    let path = format!("{folder}/callbacks");
    wait_until(|| stage.sandbox.read(&path).matches("put_off").count() >= 2);
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    let lines = stage.sandbox.read(&path);
    let put_off = lines
        .lines()
        .find(|line| line.contains("put_off") && line.contains("run-1"));
    let put_off = format!("{}\n", put_off.expect("it was put off"));
    stage
        .sandbox
        .write(&path, &format!("{lines}{}", put_off.repeat(10)));
    let (child, _port) = listener(&stage, None);
    let letters = stage.sandbox.work().join(folder).join("dead-letters.jsonl");
    wait_until(|| letters.exists());
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    let letters = std::fs::read_to_string(&letters)?;
    assert!(letters.contains("run-1") && letters.lines().count() == 1);
    stage
        .sandbox
        .write("etl_connectors/shop/credentials.json", &reached);
    let mut retry =
        stage
            .sandbox
            .command(&["collect", "retry", "shop", "--output", "events.jsonl"]);
    stage.sandbox.finish(&mut retry, None).exits(exit_code::OK);
    assert_eq!(runs(&stage), ["run-1"]);
    Ok(())
}

/// What a callback tells of is taken only where it can be handed on.
pub(super) fn without_an_output() -> Result<(), Failed> {
    let stage = Stage::with_runs(1);
    let args = [
        "--output",
        "nowhere/events.jsonl",
        "--listen",
        "127.0.0.1:0",
    ];
    let ran = stage.collect(&args).exits(exit_code::FILES);
    assert!(ran.stderr.contains("cannot write"), "{}", ran.said());
    assert!(!ran.stderr.contains("listening at"), "{}", ran.said());
    Ok(())
}

fn wait_until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "it never came");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn need_the_secret() -> Result<(), Failed> {
    let stage = Stage::with_runs(5);
    let secret = "canary7f3a-of-callbacks";
    let (child, port) = listener(&stage, Some(secret));
    let bearer = |secret: &str| format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(call(port, "/?job_run_id=run-1", ""), 401);
    assert_eq!(call(port, "/?job_run_id=run-1", &bearer("wrong")), 401);
    assert_eq!(call(port, "/?job_run_id=%ff", &bearer(secret)), 400);
    assert_eq!(call(port, "/?job_run_id=run-2", &bearer(secret)), 202);
    assert_eq!(wait_for(&stage, 1), ["run-2".to_owned()].into());
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    // Nobody else's machine may send callbacks without one.
    let ran = stage
        .collect(&["--listen", "0.0.0.0:0"])
        .exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("`BOWLINE_WEBHOOK_SECRET` is not set"),
        "{}",
        ran.said()
    );
    Ok(())
}
