//! Pages for people who work on Bowline name files and folders that are there.

use std::fs;
use std::path::{Path, PathBuf};

/// What a path in the repository begins with.
const FOLDERS: [&str; 8] = [
    ".ci/",
    "crates/",
    "dialects/",
    "docs/",
    "examples/",
    "schemas/",
    "tests/",
    "xtask/",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md"]
        .map(|page| root().join(page))
        .into();
    for folder in ["docs", "docs/design", "docs/how-to", "docs/reference"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder of pages");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    pages
}

/// The parts of a text between two marks.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(close)?.0))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        // What stands in backticks is code, and links to nothing.
        let text: String = text.split('`').step_by(2).collect();
        for link in between(&text, "](", ")") {
            let path = link.split('#').next().unwrap_or_default();
            let folder = page.parent().expect("a page is in a folder");
            let is_ours = !link.contains("://") && !link.contains(char::is_whitespace);
            if is_ours && !path.is_empty() && !folder.join(path).exists() {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_book() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("the book's contents");
    let listed = between(&summary, "](", ")");
    let docs = root().join("docs");
    let missing: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| Some(page.strip_prefix(&docs).ok()?.to_owned()))
        .filter(|page| page != Path::new("SUMMARY.md"))
        .filter(|page| !listed.iter().any(|listed| Path::new(listed) == page))
        .collect();
    assert!(missing.is_empty(), "not in docs/SUMMARY.md: {missing:?}");
}

#[test]
fn paths_for_those_who_change_the_code_are_there() {
    let mut found = 0;
    let mut wrong = Vec::new();
    for page in ["CONTRIBUTING.md", "AGENTS.md", "docs/architecture.md"] {
        let text = fs::read_to_string(root().join(page)).expect("a page");
        for line in text.lines() {
            for path in line.split('`').skip(1).step_by(2) {
                let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder));
                if !is_path || path.contains(['*', '<', ' ']) {
                    continue;
                }
                found += 1;
                if !root().join(path).exists() {
                    wrong.push(format!("{page}: `{path}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 30, "only {found} paths");
}
