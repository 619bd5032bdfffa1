//! `bowline new --skills`: what an assistant needs to know, put where assistants look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bowline_connector::Workspace;
use bowline_contract::AssetClass;
use bowline_words::{counted, listed};
use dialoguer::Confirm;
use dialoguer::theme::ColorfulTheme;

use super::unanswered;
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
    let mut written = BTreeMap::new();
    for (path, text) in files() {
        let place = workspace.root().join(&path);
        if !put(&place, &for_readers(text))? {
            kept.push(path.display().to_string());
        } else if let Some(folder) = FOLDERS.iter().find(|folder| path.starts_with(folder)) {
            *written.entry(*folder).or_insert(0) += 1;
        }
    }
    for (folder, count) in written {
        let skills = counted(count, "skill");
        let said = format!("wrote {skills} for assistants to `{folder}`");
        context.printer.say(said);
    }
    if !kept.is_empty() {
        context.printer.say(format!(
            "left alone, because something else is there: {}",
            listed(kept)
        ));
    }
    Ok(Ended::Fine)
}

/// Asks somebody who has just made a workspace's first connector whether the skills are wanted, where they are not there.
pub(super) fn offer(context: &Context) -> Result<(), CliError> {
    if !is_offered(&Workspace::find(&context.directory)?)? {
        return Ok(());
    }
    let wanted = Confirm::with_theme(&ColorfulTheme::default())
        .with_prompt("Does an assistant work here, too? Then Bowline's skills help it. Write them?")
        .default(false)
        .interact()
        .map_err(unanswered)?;
    if wanted {
        write(context)?;
    }
    Ok(())
}

/// Whether there is one connector, and no skill: each workspace is asked about once.
fn is_offered(workspace: &Workspace) -> Result<bool, CliError> {
    let is_there = |folder: &&'static str| {
        let skills = workspace.root().join(folder);
        SKILLS.iter().any(|(name, _)| skills.join(name).exists())
    };
    let mut connectors = 0;
    for class in [AssetClass::Warehouse, AssetClass::Pipeline] {
        connectors += workspace.connectors(class)?.len();
    }
    Ok(connectors == 1 && !FOLDERS.iter().any(is_there))
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
    fn skills_are_offered_with_the_first_connector() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let make = |path: &str| std::fs::create_dir_all(folder.path().join(path)).unwrap();
        assert!(!is_offered(&workspace).unwrap());
        make("connectors/shop");
        assert!(is_offered(&workspace).unwrap());
        make(".claude/skills/bowline-prove");
        assert!(!is_offered(&workspace).unwrap());
        std::fs::remove_dir_all(folder.path().join(".claude")).unwrap();
        make("etl_connectors/jobs");
        assert!(!is_offered(&workspace).unwrap());
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
        // Where a file is in the place of the folder.
        assert!(!put(&place.join("x/SKILL.md"), "ours").unwrap());
    }
}
