//! What goes in is what was proven.

use super::*;

#[test]
fn code_that_stays_out_keeps_a_connector_out() {
    let space = Space::new();
    space.pipeline("jobs").write("sdk/client.py", "");
    let one = space.candidate(AssetClass::Pipeline, "jobs");
    let own = one.dir.strip_prefix(space.0.path()).unwrap().join("lib.py");
    std::fs::write(one.dir.join("lib.py"), "x = 1").unwrap();
    let loaded = [own.to_str().unwrap().to_owned(), "sdk/client.py".to_owned()];
    let proof = Proof::begin(space.0.path(), &one).unwrap();
    let left_out = proof.left_out(space.0.path(), &loaded);
    let proof = proof.with_outside(left_out);
    proof
        .keep(space.0.path(), &one, ProofOutcome::Passed)
        .unwrap();
    let told = |unproven: &[PathBuf]| problems(&space, std::slice::from_ref(&one), unproven);
    let refusal = "`jobs`: not what was proven: it imports `sdk/client.py`, which does not go in";
    assert_eq!(told(&[]), [refusal]);
    assert_eq!(told(std::slice::from_ref(&one.dir)), [""; 0]);
    let planned = space.plan_by(std::slice::from_ref(&one), |request| {
        plan(&PlanRequest {
            unproven: &[],
            ..request
        })
    });
    // Another test would not take it away.
    let hint = planned.unwrap_err().problems.remove(0).hint.unwrap();
    assert!(
        hint.starts_with("write it into `connector.py`, name a package"),
        "{hint}"
    );
    // What was changed since may not import it any more.
    std::fs::write(one.dir.join("lib.py"), "x = 2").unwrap();
    let changed = format!(
        "`jobs`: not what was proven: `{}` has changed",
        own.display()
    );
    assert_eq!(told(&[]), [changed]);
}

#[test]
fn only_what_was_proven_goes_in() {
    let space = Space::new();
    space
        .warehouse("shop", "0000001", METADATA)
        .write("connectors/shop/lib.py", "x = 1")
        .pipeline("jobs");
    let all = [
        space.candidate(AssetClass::Warehouse, "shop"),
        space.candidate(AssetClass::Pipeline, "jobs"),
    ];
    let told = |unproven: &[PathBuf]| problems(&space, &all, unproven);
    let prove = |outcome: ProofOutcome| {
        for candidate in &all {
            let proof = Proof::begin(space.0.path(), candidate).unwrap();
            proof.keep(space.0.path(), candidate, outcome).unwrap();
        }
    };
    let missing = "not proven: no test of it is on record";
    assert_eq!(
        told(&[]),
        [format!("`shop`: {missing}"), format!("`jobs`: {missing}")]
    );
    assert_eq!(told(&[all[1].dir.clone()]), [format!("`shop`: {missing}")]);
    prove(ProofOutcome::Passed);
    assert_eq!(told(&[]), [""; 0]);
    for (path, text, expected) in [
        (
            "connectors/shop/lib.py",
            "x = 2",
            "`connectors/shop/lib.py` has changed",
        ),
        (
            "connectors/shop/more.py",
            "",
            "`connectors/shop/more.py` is new",
        ),
        (
            "output/shop/templates/get_avg_function_template.j2",
            "max(x)",
            "`output/shop/templates/get_avg_function_template.j2` has changed",
        ),
        (
            "output/shop/templates/x.j2",
            "",
            "`output/shop/templates/x.j2` is new",
        ),
        (
            "etl_connectors/jobs/connector.py",
            "raise",
            "`etl_connectors/jobs/connector.py` has changed",
        ),
    ] {
        let path = space.0.path().join(path);
        let before = std::fs::read(&path).ok();
        std::fs::write(&path, text).unwrap();
        let found = told(&[]);
        assert!(
            found.len() == 1 && found[0].ends_with(expected),
            "{found:?}"
        );
        std::fs::remove_file(&path).unwrap();
        if let Some(before) = before {
            let found = told(&[]);
            assert!(
                found[0].contains("is gone")
                    || found[0].contains("missing")
                    || found[0].contains("neither"),
                "{found:?}"
            );
            std::fs::write(&path, before).unwrap();
        }
    }
    // What is never shipped may change.
    space.write("connectors/shop/credentials.json", "{}");
    assert_eq!(told(&[]), [""; 0]);
    // An export with a mistake in it is made anew: one remedy, and not another beside it.
    let manifest = "output/shop/manifest.json";
    let before = std::fs::read(space.0.path().join(manifest)).unwrap();
    space.write(manifest, "{");
    let found = told(&[]);
    assert!(found.len() == 1 && found[0].contains("EOF"), "{found:?}");
    std::fs::write(space.0.path().join(manifest), before).unwrap();
    assert_eq!(told(&[]), [""; 0]);
    // The reference tier takes nothing from what the strict tier found of the same files, and adds nothing.
    let wrong = "its last test found it wrong";
    prove(ProofOutcome::PassedReference);
    assert_eq!(told(&[]), [""; 0]);
    prove(ProofOutcome::Failed);
    prove(ProofOutcome::PassedReference);
    assert!(told(&[]).iter().all(|told| told.ends_with(wrong)));
    space.write("connectors/shop/lib.py", "x = 3");
    prove(ProofOutcome::PassedReference);
    assert!(told(&[])[0].ends_with("its last test asked the reference tier only"));
    prove(ProofOutcome::Passed);
    let tested = || Proof::begin(space.0.path(), &all[0]).unwrap();
    // What was edited after the export says nothing of it.
    let lib = "connectors/shop/lib.py";
    space.write(lib, "x = 4");
    let edited = tested();
    space.write(lib, "x = 3");
    edited.refute(space.0.path(), &all[0]).unwrap();
    assert_eq!(told(&[]), [""; 0]);
    tested().refute(space.0.path(), &all[0]).unwrap();
    assert!(told(&[])[0].ends_with(wrong));
    prove(ProofOutcome::Failed);
    assert!(told(&[])[0].ends_with(wrong));
    prove(ProofOutcome::Inconclusive);
    assert!(told(&[])[1].ends_with("its last test left something unknown"));
}

#[cfg(unix)]
#[test]
fn a_program_that_can_no_longer_be_run_is_not_what_was_proven() {
    use std::os::unix::fs::PermissionsExt;
    let space = Space::new();
    space
        .pipeline("jobs")
        .write("etl_connectors/jobs/read.sh", "");
    let jobs = space.candidate(AssetClass::Pipeline, "jobs");
    let set = |mode: u32| {
        let path = jobs.dir.join("read.sh");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = || problems(&space, std::slice::from_ref(&jobs), &[]);
    set(0o755);
    let proof = Proof::begin(space.0.path(), &jobs).unwrap();
    proof
        .keep(space.0.path(), &jobs, ProofOutcome::Passed)
        .unwrap();
    set(0o700);
    assert_eq!(told(), [""; 0]);
    set(0o644);
    let expected = "`etl_connectors/jobs/read.sh` was a program that can be run, and is none now";
    assert!(told()[0].ends_with(expected), "{:?}", told());
    // An earlier version of the program did not note it.
    let record = space.0.path().join("output/jobs/pipeline-proof.json");
    let mut proof: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    proof.as_object_mut().unwrap().remove("executable").unwrap();
    std::fs::write(&record, proof.to_string()).unwrap();
    assert_eq!(told(), [""; 0]);
    let again = Proof::begin(space.0.path(), &jobs).unwrap();
    again
        .keep(space.0.path(), &jobs, ProofOutcome::PassedReference)
        .unwrap();
    assert_eq!(told(), [""; 0]);
    // What cannot be read is told, and not that everything else is gone.
    std::os::unix::fs::symlink("nowhere", jobs.dir.join("link")).unwrap();
    assert_eq!(told().len(), 1, "{:?}", told());
}

#[test]
fn a_driver_is_the_one_that_was_proven() {
    let space = Space::new();
    space.warehouse("shop", "0000001", METADATA).write(
        "connectors/shop/connector.toml",
        "[driver]\nkind = \"adbc\"\nname = \"duckdb\"\n",
    );
    let shop = space.candidate(AssetClass::Warehouse, "shop");
    let platforms = [Platform::linux_amd64(), Platform::linux_arm64()];
    let proof = Proof::begin(space.0.path(), &shop).unwrap();
    proof
        .keep(space.0.path(), &shop, ProofOutcome::Passed)
        .unwrap();
    let record = space.0.path().join("output/shop/proof.json");
    let mut proof: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    let mut told = |version: &str| {
        proof["driver"] = serde_json::json!(["duckdb", {
            "version": version, "platform": "macos-arm64", "archive": null,
        }]);
        std::fs::write(&record, proof.to_string()).unwrap();
        let planned = space.plan_by(std::slice::from_ref(&shop), |request| {
            plan(&PlanRequest {
                unproven: &[],
                platforms: &platforms,
                ..request
            })
        });
        planned.map_or_else(|error| error.to_string(), |_| String::new())
    };
    let entry = bowline_installer::catalogue::find("duckdb").unwrap();
    assert_eq!(told(entry.builds[0].version), "");
    let found = told("0.9.0");
    assert!(
        found.contains("driver `duckdb` was 0.9.0, and ") && found.contains("linux/arm64"),
        "{found}"
    );
}
