//! `bowline clean` where an engine does not do what it is asked.

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};

use crate::needs::trial;
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("clean/stuck", &[], stuck)]
}

/// Images that stay are told, what else was asked is done, and what others call nearly the same is no concern.
fn stuck() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox.write(".bowline/python/host.py", "");
    sandbox.write(
        "bin/docker",
        "#!/bin/sh\n[ \"$1\" = rmi ] && case \"$2\" in *:latest | *:0*) echo 'a container uses it' >&2; exit 1; esac\n\
         case \"$*\" in *dangling=true*label=bowline.connectors*--digests*'{{.ID}} {{.Digest}}') printf '%s\\n' '5c0f <none>' 'd16e sha256:d16e'; exit 0;; \
         *dangling=true*label=bowline.test*) printf '%s\\n' '7e57 <none>' '5c0f <none>'; exit 0;; *label=*) exit 1;; esac\n\
         [ \"$1\" = images ] && printf '%s\\n' bowline-test:latest bowline-test:keep shop/bowline-test:latest \
         localhost/bowline-base:0123456789ab localhost/bowline-base:1e370123cdef localhost/bowline-base:latest \
         localhost/bowline-base:1e37 bowline-base:1e370123cdef\nexit 0\n",
    );
    let engine = "chmod +x bin/docker; export PATH=\"$PWD/bin\"";
    let mut clean = sandbox.command_after(engine, &["clean"]);
    let ran = sandbox.finish(&mut clean, None).exits(exit_code::USAGE);
    assert_eq!(
        ran.stdout,
        "✓ removed .bowline/python, 0 B\n✓ removed image localhost/bowline-base:1e370123cdef of docker\n\
         ✓ removed untagged image 5c0f of docker\n✓ removed untagged image 7e57 of docker\n",
        "{}",
        ran.said()
    );
    assert!(
        ran.stderr.contains(
            "cannot remove image bowline-test:latest of docker: a container uses it; cannot remove image \
             localhost/bowline-base:0123456789ab of docker: a container uses it"
        ),
        "{}",
        ran.said()
    );
    Ok(())
}
