//! Keeping secrets and products out of git, from the first moment.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bowline_contract::layout::{
    CREDENTIALS_FILE, IGNORE_FILE, NAMED_CREDENTIALS_FILES, OUTPUT_DIR,
};

use super::ScaffoldError;
use crate::workspace::STATE_DIR;

/// Sees to it that the workspace's `.gitignore` names what must never be committed; lines that are there stay.
///
/// Gives the file's path when it was changed.
pub(super) fn extend(root: &Path) -> Result<Option<PathBuf>, ScaffoldError> {
    let path = root.join(IGNORE_FILE);
    let failed = |source| ScaffoldError::Write {
        path: path.clone(),
        source,
    };
    let text = match bowline_contract::reading::read_text(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let wanted = [
        CREDENTIALS_FILE.to_owned(),
        NAMED_CREDENTIALS_FILES.to_owned(),
        ".env".to_owned(),
        format!("{OUTPUT_DIR}/"),
        format!("{STATE_DIR}/"),
    ];
    let missing: Vec<String> = wanted
        .into_iter()
        .filter(|line| !covers(&text, line))
        .collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let mut added = String::new();
    if !text.is_empty() {
        added.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    added.push_str("# Secrets, and what is made from the connectors.\n");
    for line in missing {
        added.push_str(&line);
        added.push('\n');
    }
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(added.as_bytes()))
        .map_err(failed)?;
    Ok(Some(path))
}

/// Whether a line of the file ignores this name everywhere in the workspace, and no later line takes it back.
fn covers(text: &str, wanted: &str) -> bool {
    let bare = |line: &str| line.trim_end_matches('/').to_owned();
    text.lines()
        .map(str::trim)
        .fold(false, |covered, line| match line.strip_prefix('!') {
            Some(kept) if bare(kept) == bare(wanted) => false,
            _ => covered || line == wanted || line == bare(wanted),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(before: Option<&str>) -> String {
        let dir = tempfile::tempdir().unwrap();
        if let Some(text) = before {
            std::fs::write(dir.path().join(IGNORE_FILE), text).unwrap();
        }
        extend(dir.path()).unwrap();
        std::fs::read_to_string(dir.path().join(IGNORE_FILE)).unwrap()
    }

    const ALL: &str = "# Secrets, and what is made from the connectors.\ncredentials.json\ncredentials.*.json\n.env\noutput/\n.bowline/\n";

    #[test]
    fn a_new_file_names_everything() {
        assert_eq!(extended(None), ALL);
    }

    #[test]
    fn what_is_there_stays_and_is_not_repeated() {
        assert_eq!(extended(Some(ALL)), ALL);
        assert_eq!(
            extended(Some("target\ncredentials.json\noutput")),
            "target\ncredentials.json\noutput\n\n# Secrets, and what is made from the connectors.\ncredentials.*.json\n.env\n.bowline/\n"
        );
    }

    #[test]
    fn a_line_that_takes_it_back_does_not_count() {
        assert!(!covers(
            "credentials.json\n!credentials.json\n",
            "credentials.json"
        ));
        assert!(!covers("/credentials.json\n", "credentials.json"));
        assert!(covers(
            "!credentials.json\ncredentials.json\n",
            "credentials.json"
        ));
    }
}
