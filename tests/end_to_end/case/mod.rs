//! Cases as text files: `tests/cases/**/*.case`.
//!
//! A case begins with a sentence about what it shows. Then come sections, each begun by a line `=== word ...`
//! and running to the next such line:
//!
//! ```text
//! An unknown connector's message offers the nearest name.
//! === needs postgres
//! === connector shop
//! === file connectors/shop/templates.toml
//! [aggregation_functions]
//! === sql
//! CREATE TABLE t (x integer)
//! === run bowline test shp
//! === exit 4
//! === stderr
//! error: no such connector: `shp`
//! ...
//! === holds connectors/shop/manifest.json
//! === absent output/shop
//! === files output
//! ```
//!
//! - `needs`: `postgres` (with a fresh database) or `duckdb`; several words are allowed.
//! - `connector NAME`: writes the files of a connector for the SQLite file `shop.db`, nothing of its own in it.
//! - `file PATH`: writes a file.
//! - `run [NAME=value]... bowline ...`: runs the binary. Words are split as a shell does, quotes included.
//!   It may be followed by `stdin`, `exit` (0 if not said), `stdout`, `stderr` (empty if not said).
//! - `sql`: runs statements in the database as superuser; `rows` after it is what they gave.
//! - `holds PATH`: the file's whole text. `absent PATH`: nothing there. `files PATH`: the files below it.
//!
//! In `file`, `run`, `stdin` and `sql`, `$PG_HOST`, `$PG_PORT`, `$PG_DATABASE`, `$PG_USER` and `$PG_PASSWORD`
//! (as a JSON string: `$PG_PASSWORD_JSON`) stand for the case's database. Expected text is compared after
//! [`crate::redact`]; in it `[..]` is any text within a line and a line `...` any number of lines.
//! `BOWLINE_UPDATE_CASES=1` rewrites what is expected wherever it differs.

mod compare;
mod parse;
mod run;

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::needs;

/// One test for every case file.
pub(crate) fn trials() -> Vec<Trial> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files = Vec::new();
    collect(&base, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", base.display());
    let check = Trial::test("cases/comparison", compare::self_check);
    let cases = files.into_iter().map(|file| {
        let name = file.with_extension("");
        let name = name.strip_prefix(&base).unwrap_or(&name);
        let name = format!("cases/{}", name.display());
        match parse::parse_file(&file) {
            Ok(case) => needs::trial(name, &case.needs.clone(), move || run::run(&case)),
            Err(reason) => Trial::test(name, move || Err(reason.into())),
        }
    });
    std::iter::once(check).chain(cases).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "case")
        {
            files.push(path);
        }
    }
}
