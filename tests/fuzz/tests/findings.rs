//! What failed once does not fail again, and every target takes its own seeds.

use std::sync::mpsc;
use std::thread;

use bowline_fuzz::{STACK, TARGETS, TIME_LIMIT, Target, findings, outcome};

/// What is wrong with an input, if anything.
fn wrong(target: &'static Target, input: &[u8]) -> Option<String> {
    let (sender, outcomes) = mpsc::channel();
    let input = input.to_vec();
    // One that hangs goes on until the program ends.
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || sender.send(outcome(target, &input)))
        .expect("a thread");
    match outcomes.recv_timeout(TIME_LIMIT) {
        Ok(Ok(_)) => None,
        Ok(Err(cause)) => Some(cause.to_string()),
        Err(_) => Some("takes too long".to_owned()),
    }
}

#[test]
fn what_failed_once_does_not_fail_again() {
    let wrong: Vec<String> = findings()
        .expect("the findings can be read")
        .iter()
        .filter_map(|finding| {
            let why = wrong(finding.target, &finding.input)?;
            Some(format!("{}: {why}", finding.path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_target_takes_its_seeds() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "`{}` has no seeds", target.name);
        for seed in &seeds {
            let text = String::from_utf8_lossy(seed);
            assert_eq!(wrong(target, seed), None, "`{}`: {text}", target.name);
        }
    }
}
