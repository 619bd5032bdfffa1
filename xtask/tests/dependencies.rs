//! What crates must not depend on, not even over others: a connector for pipelines drags in no database.

use std::process::Command;

/// The crates that reach no database.
const WITHOUT_DATABASES: [&str; 5] = [
    "bowline-connector",
    "bowline-pipeline",
    "bowline-simulator",
    "bowline-collect",
    "bowline-image",
];

/// How the names of what they must not see begin: databases, and our crates that reach them.
const DATABASES: [&str; 8] = [
    "adbc",
    "arrow",
    "bowline-driver",
    "bowline-warehouse",
    "libloading",
    "libsqlite3",
    "postgres",
    "rusqlite",
];

/// The names of everything that a build of the crate compiles for its users.
fn dependencies(of: &str) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--edges=normal", "--prefix=none", "--package", of])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let text = String::from_utf8(tree.stdout).expect("names are text");
    text.lines()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

fn databases(of: &str) -> Vec<String> {
    let mut found = dependencies(of);
    found.retain(|name| DATABASES.iter().any(|start| name.starts_with(start)));
    found
}

#[test]
fn what_reaches_no_database_depends_on_none() {
    for of in WITHOUT_DATABASES {
        assert_eq!(databases(of), [""; 0], "{of}");
    }
}

#[test]
fn the_program_has_every_kind_of_driver() {
    let found = databases("bowline");
    for start in DATABASES {
        assert!(found.iter().any(|name| name.starts_with(start)), "{start}");
    }
}
