//! `bowline clean` where an engine does not do what it is asked.

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};

use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("clean/stuck", &[], stuck)]
}

/// An image that stays is told, and what else was asked is done.
fn stuck() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox.write(".bowline/python/host.py", "");
    sandbox.write(
        "bin/docker",
        "#!/bin/sh\n[ \"$2\" = inspect ] || { echo 'a container uses it' >&2; exit 1; }\n",
    );
    let engine = "chmod +x bin/docker; export PATH=\"$PWD/bin\"";
    let mut clean = sandbox.command_after(engine, &["clean"]);
    let ran = sandbox.finish(&mut clean, None).exits(exit_code::USAGE);
    assert!(
        ran.stdout.contains("removed .bowline/python"),
        "{}",
        ran.said()
    );
    assert!(
        ran.stderr
            .contains("cannot remove image bowline-test of docker: a container uses it"),
        "{}",
        ran.said()
    );
    Ok(())
}
