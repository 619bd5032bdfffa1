//! Every command that the documents show is one that this program takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::app::App;

/// The pages: the book, the examples' own, and what stands at the root.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![
        root.join("docs"),
        root.join("examples"),
        root.join("skills"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The commands of a page: lines of a shell, and what stands in backticks.
fn commands(page: &str) -> Vec<&str> {
    let lines = page.lines().filter_map(|line| {
        let line = line.strip_prefix("$ ")?;
        let (environment, _) = line.split_once("bowline ")?;
        let is_ours = environment
            .split_whitespace()
            .all(|word| word.contains('=') && !word.contains('('));
        is_ours.then(|| &line[environment.len()..])
    });
    let quoted = page.match_indices("`bowline ").filter_map(|(at, _)| {
        let rest = &page[at + 1..];
        let command = &rest[..rest.find('`')?];
        // A blank in a name, or three dots, stand for what a reader puts there.
        (!command.contains(['<', '…', '\n']) && !command.contains("...")).then_some(command)
    });
    lines.chain(quoted).collect()
}

/// The words of a command as a shell takes them, up to a comment, a pipe or a redirection.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#' | '|' | '>') => break,
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, letter) => word.push(letter),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[test]
fn commands_of_the_documents_are_taken() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for command in commands(&page) {
            let words = words(command);
            seen += 1;
            // The name of a command alone says which command is meant.
            let named = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                ErrorKind::DisplayHelp,
                ErrorKind::DisplayVersion,
            ];
            if let Err(error) = App::try_parse_from(&words)
                && !named.contains(&error.kind())
            {
                let page = path.file_name().unwrap().display();
                let reason = error.to_string();
                wrong.push(format!(
                    "{page}: {command}\n  {}",
                    reason.lines().next().unwrap()
                ));
            }
        }
    }
    assert!(seen > 150, "only {seen} commands");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_are_those_of_a_shell() {
    assert_eq!(
        words("bowline query  \"SELECT 'a b'\" --format csv > file # why"),
        ["bowline", "query", "SELECT 'a b'", "--format", "csv"]
    );
}
