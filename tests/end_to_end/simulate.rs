//! `bowline simulate`: an orchestrator that the suite, the inspection and any client can be aimed at.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};

use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("simulate/connector_fits", &[], connector_fits),
        trial("simulate/any_seed", &[], any_seed),
        trial("simulate/query_tags", &[], query_tags),
    ]
}

/// A simulator under way; dropping it stops it.
struct Simulated(Child);

impl Simulated {
    /// Starts one that writes its connector, and waits until it answers.
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.command(&["simulate", "--connector", "etl_connectors/simulated"]);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut simulated = Self(command.spawn().unwrap());
        let mut line = String::new();
        let stdout = simulated.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://127.0.0.1:"), "{line}");
        simulated
    }

    /// Stops it as Ctrl-C does, and gives its exit code.
    fn interrupt(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.0.wait().unwrap().code()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connector_fits() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let simulated = Simulated::start(&sandbox, &["--runs", "80", "--steps", "batch", "--total"]);
    let tested = sandbox.bowline(&["test", "simulated"]).exits(exit_code::OK);
    assert!(tested.stdout.contains("run_task_runs"), "{}", tested.said());
    sandbox
        .bowline(&["inspect", "simulated"])
        .exits(exit_code::OK);
    assert_eq!(simulated.interrupt(), Some(exit_code::OK));
    let files = sandbox.files("etl_connectors");
    assert_eq!(files.len(), 3, "{files:?}");
    sandbox.assert_schemas(&["etl_connectors/simulated/connector.toml"]);
    Ok(())
}

/// Tags that name what the orchestrator has are told from tags that name nothing.
fn query_tags() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let _simulated = Simulated::start(
        &sandbox,
        &["--runs", "20", "--faults", "none", "--changes", "none"],
    );
    let inspected = sandbox
        .bowline(&["inspect", "simulated", "--format", "json"])
        .exits(exit_code::OK);
    let asset = &inspected.json()["asset"];
    let job = asset["job_source_id"].as_str().expect("a job");
    let task = asset["tasks"][0]["task_source_id"]
        .as_str()
        .expect("a task");
    let tagged = |job: &str, task: &str| {
        let job = format!("job={job}");
        let task = format!("task={task}");
        let made = sandbox
            .bowline(&["tag", "make", "custom", &job, &task])
            .exits(exit_code::OK);
        sandbox.write("tagged.sql", &format!("{}SELECT 1", made.stdout));
        sandbox.bowline(&["tag", "check", "tagged.sql", "--pipeline", "simulated"])
    };
    tagged(job, task).exits(exit_code::OK);
    let unknown = tagged(job, "no such task").exits(exit_code::FELL_SHORT);
    assert!(
        unknown.stdout.contains("has no task `no such task`"),
        "{}",
        unknown.said()
    );
    let unknown = tagged("no such job", task).exits(exit_code::FELL_SHORT);
    assert!(
        unknown.stdout.contains("reports no job `no such job`"),
        "{}",
        unknown.said()
    );
    Ok(())
}

fn any_seed() -> Result<(), Failed> {
    for seed in ["2", "3", "4"] {
        let sandbox = Sandbox::new();
        let args = [
            "--any",
            "--seed",
            seed,
            "--faults",
            "none",
            "--changes",
            "none",
        ];
        let _simulated = Simulated::start(&sandbox, &args);
        let tested = sandbox.bowline(&["test", "simulated", "--format", "json"]);
        let report = tested.json();
        let checks = report["checks"].as_array().expect("a list of checks");
        let wrong: Vec<_> = checks
            .iter()
            .filter(|check| check["verdict"] == "wrong")
            .collect();
        assert!(checks.len() > 10 && wrong.is_empty(), "{wrong:?}");
    }
    Ok(())
}
