//! The inputs that the repository itself holds.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The files in a folder of the repository and below it whose names end so, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut paths = Vec::new();
    gather(&root().join(folder), ending, &mut paths);
    paths.sort();
    let texts = paths.iter().map(|path| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    texts.collect()
}

fn gather(folder: &Path, ending: &str, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(Result::ok);
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            gather(&path, ending, paths);
        } else if path.to_string_lossy().ends_with(ending) {
            paths.push(path);
        }
    }
}

/// The texts of TOML files, wherever in them they stand.
pub(crate) fn texts_in(files: &[String]) -> Vec<String> {
    let mut texts = Vec::new();
    for file in files {
        if let Ok(table) = file.parse::<toml::Table>() {
            collect(&toml::Value::Table(table), &mut texts);
        }
    }
    texts.sort();
    texts.dedup();
    texts
}

fn collect(value: &toml::Value, texts: &mut Vec<String>) {
    match value {
        toml::Value::String(text) => texts.push(text.clone()),
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        toml::Value::Table(table) => table.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

/// The files that the cases of what users see begin with, by the end of their names.
pub(crate) fn files_in_cases(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for case in files("tests/cases", ".case") {
        for part in case.split("=== ").skip(1) {
            let Some((head, text)) = part.split_once('\n') else {
                continue;
            };
            if head.starts_with("file ") && head.trim_end().ends_with(ending) {
                found.push(text.to_owned());
            }
        }
    }
    found
}

/// As inputs.
pub(crate) fn bytes(texts: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
}
