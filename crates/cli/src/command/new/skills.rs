//! `bowline new --skills`: what an assistant needs to know, put where assistants look.

use std::path::{Path, PathBuf};

use bowline_connector::Workspace;
use bowline_words::listed;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Every skill, by its name.
const SKILLS: [(&str, &str); 6] = [
    (
        "bowline-new-warehouse",
        include_str!("../../../../../skills/bowline-new-warehouse/SKILL.md"),
    ),
    (
        "bowline-connect",
        include_str!("../../../../../skills/bowline-connect/SKILL.md"),
    ),
    (
        "bowline-implement",
        include_str!("../../../../../skills/bowline-implement/SKILL.md"),
    ),
    (
        "bowline-new-pipeline",
        include_str!("../../../../../skills/bowline-new-pipeline/SKILL.md"),
    ),
    (
        "bowline-prove",
        include_str!("../../../../../skills/bowline-prove/SKILL.md"),
    ),
    (
        "bowline-build",
        include_str!("../../../../../skills/bowline-build/SKILL.md"),
    ),
];

/// What holds for the whole workspace.
const AGENTS: &str = include_str!("../../../../../skills/AGENTS.md");

/// The folders in which assistants look for skills.
const FOLDERS: [&str; 2] = [".agents/skills", ".claude/skills"];

/// Writes the skills into the workspace. What is there and says something else is left alone.
pub(super) fn write(context: &Context) -> Result<Ended, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    let mut kept = Vec::new();
    for (path, text) in files() {
        let place = workspace.root().join(&path);
        if !put(&place, &for_readers(text))? {
            kept.push(path.display().to_string());
        }
    }
    context.printer.say(format!(
        "wrote {} for assistants to `{}`",
        bowline_words::counted(SKILLS.len(), "skill"),
        FOLDERS.join("` and `")
    ));
    if !kept.is_empty() {
        context.printer.say(format!(
            "left alone, because they say something else: {}",
            listed(kept)
        ));
    }
    Ok(Ended::Fine)
}

fn files() -> impl Iterator<Item = (PathBuf, &'static str)> {
    let skills = FOLDERS.into_iter().flat_map(|folder| {
        SKILLS
            .into_iter()
            .map(move |(name, text)| (Path::new(folder).join(name).join("SKILL.md"), text))
    });
    [(PathBuf::from("AGENTS.md"), AGENTS)]
        .into_iter()
        .chain(skills)
}

/// A text without what only the tests of this repository read.
fn for_readers(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !line.trim_start().starts_with("<!-- console: "))
        .collect()
}

/// Writes a file that is not there; says whether it now holds the text.
fn put(place: &Path, text: &str) -> Result<bool, CliError> {
    match std::fs::read_to_string(place) {
        Ok(there) => Ok(there == text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = place.parent().unwrap_or(place);
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(place, text))
                .map_err(|error| CliError::write(place, error))?;
            Ok(true)
        }
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skill_says_its_name_and_when_to_use_it() {
        for (name, text) in SKILLS {
            assert!(
                text.starts_with(&format!("---\nname: {name}\ndescription: ")),
                "{name}"
            );
            let described = text.lines().nth(2).unwrap();
            assert!(described.contains("Use "), "{name}");
        }
    }

    #[test]
    fn what_the_tests_read_stays_here() {
        for (_, text) in SKILLS {
            assert!(!for_readers(text).contains("<!--"));
        }
        assert_eq!(for_readers("a\n  <!-- console: b -->\nc"), "a\nc");
    }

    #[test]
    fn what_a_user_wrote_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/SKILL.md");
        assert!(put(&place, "ours").unwrap());
        assert!(put(&place, "ours").unwrap());
        std::fs::write(&place, "theirs").unwrap();
        assert!(!put(&place, "ours").unwrap());
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "theirs");
    }
}
