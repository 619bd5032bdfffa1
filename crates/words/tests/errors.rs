//! Every error of the workspace is worded as the front page says, read out of the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of every crate, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if name == "tests" || name.ends_with("_tests") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let product = text.split("#[cfg(test)]\nmod tests {").next();
                let lines = product.unwrap_or_default().lines();
                let code = lines.filter(|line| !line.trim_start().starts_with("//"));
                found.push((path, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    let mut found = Vec::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in fs::read_dir(crates).expect("the crates") {
        walk(&entry.expect("a crate").path().join("src"), &mut found);
    }
    assert!(found.len() > 100, "{}", found.len());
    found
}

/// The texts of the errors in a source: the first literal of each `#[error(…)]`, and what `words` gives for a kind.
fn texts(source: &str) -> Vec<String> {
    let literal = |text: &str| {
        let mut rest = text.trim_start().strip_prefix('"')?.chars();
        let mut literal = String::new();
        while let Some(character) = rest.next().filter(|character| *character != '"') {
            literal.push(character);
            if character == '\\' {
                literal.extend(rest.next());
            }
        }
        Some(literal)
    };
    let attributes = source.split("#[error(").skip(1).filter_map(literal);
    let kinds = source.split("fn words(self) -> &'static str {").skip(1);
    let kinds = kinds.flat_map(|body| body.split("\n    }").next().unwrap_or_default().lines());
    let words = kinds.filter_map(|line| literal(line.split_once("=> ")?.1));
    attributes.chain(words).collect()
}

#[test]
fn an_error_is_a_lowercase_fragment_without_a_hint() {
    let mut count = 0;
    for (path, source) in sources() {
        for text in texts(&source) {
            count += 1;
            let place = path.display();
            // Names keep their capitals: ODBC, OpenAPI, Ctrl-C.
            let word = text.split(' ').next().unwrap_or_default();
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            let is_sentence = first.chars().any(char::is_uppercase)
                && rest.chars().all(|letter| letter.is_lowercase());
            assert!(
                !is_sentence && !text.ends_with('.'),
                "{place}: no fragment: {text}"
            );
            assert!(!text.contains("hint:"), "{place}: holds a hint: {text}");
        }
    }
    assert!(count > 150, "{count}");
}

#[test]
fn only_a_diagnostic_writes_a_hint() {
    for (path, source) in sources() {
        let is_own = path.ends_with("words/src/diagnostic.rs");
        let place = path.display();
        assert!(is_own || !source.contains("\\nhint: "), "{place}");
    }
}
