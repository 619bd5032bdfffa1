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
        "#!/bin/sh\n[ \"$1\" = rmi ] && [ \"$2\" = bowline-test:latest ] && { echo 'a container uses it' >&2; exit 1; }\n\
         [ \"$1\" = images ] && printf 'bowline-test:latest\\nshop/bowline-test:1\\nlocalhost/bowline-base:1e37\\n'\nexit 0\n",
    );
    let engine = "chmod +x bin/docker; export PATH=\"$PWD/bin\"";
    let mut clean = sandbox.command_after(engine, &["clean"]);
    let ran = sandbox.finish(&mut clean, None).exits(exit_code::USAGE);
    assert_eq!(
        ran.stdout,
        "✓ removed .bowline/python, 0 B\n✓ removed image localhost/bowline-base:1e37 of docker\n",
        "{}",
        ran.said()
    );
    assert!(
        ran.stderr
            .contains("cannot remove image bowline-test:latest of docker: a container uses it"),
        "{}",
        ran.said()
    );
    Ok(())
}
