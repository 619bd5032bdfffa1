//! Broken connector folders and what is said about them: each case is a text file.
//!
//! A case holds the folder's files, each under a line `--- <path>`, and under `--- error` what loading them must say.
//! A file that a case leaves out is a valid one; one that must not be there is named under a line `--- no <path>`.
//! With `BOWLINE_BLESS` set, the errors are written instead of compared.

use std::path::Path;

use bowline_warehouse::Connector;
use bowline_words::Diagnose;

const VALID: [(&str, &str); 2] = [
    (
        "connector.toml",
        "version = 1\n[driver]\nkind = \"sqlite\"\n[driver.options]\npath = \"{{ path }}\"\n[dialect]\nextends = \"sqlite\"\n",
    ),
    (
        "manifest.json",
        "{\n  \"connection_type\": \"custom-connector-0a1b2c3\",\n  \"connection_name\": \"shop\",\n  \"asset_class\": \"warehouse\"\n}\n",
    ),
];

/// A case's parts: the header after `--- ` and the text under it.
fn parts(case: &str) -> Vec<(&str, String)> {
    let mut parts: Vec<(&str, String)> = Vec::new();
    for line in case.lines() {
        match (line.strip_prefix("--- "), parts.last_mut()) {
            (Some(header), _) => parts.push((header, String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    parts
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn error_of(parts: &[(&str, String)]) -> String {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("shop");
    std::fs::create_dir(&dir).unwrap();
    for (file, text) in VALID {
        if !parts
            .iter()
            .any(|(header, _)| *header == format!("no {file}"))
        {
            write(&dir, file, text);
        }
    }
    for (file, text) in parts {
        if *file != "error" && !file.starts_with("no ") {
            write(&dir, file, text);
        }
    }
    let error = match Connector::load(&dir) {
        Ok(_) => "(it loads)".to_owned(),
        Err(error) => error.diagnose().to_string(),
    };
    error.replace(&format!("{}", dir.display()), "shop") + "\n"
}

#[test]
fn every_broken_folder_is_told_as_its_case_says() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/load");
    let bless = std::env::var_os("BOWLINE_BLESS").is_some();
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&cases).unwrap() {
        let path = entry.unwrap().path();
        let case = std::fs::read_to_string(&path).unwrap();
        let parts = parts(&case);
        let found = error_of(&parts);
        let expected = parts.iter().find(|(header, _)| *header == "error");
        count += 1;
        if bless {
            let head = case.split("--- error\n").next().unwrap();
            std::fs::write(&path, format!("{head}--- error\n{found}")).unwrap();
        } else if expected.map(|(_, text)| text) != Some(&found) {
            failures.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(count >= 20, "only {count} cases were found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
