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
