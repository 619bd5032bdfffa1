//! What a connector's requirements.txt asks for, with the files that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bowline_contract::reading::read_text;

/// The lines of requirements.txt that ask for something.
pub(super) fn asked_for(requirements: &str) -> Vec<&str> {
    requirements
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line).trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// The requirements with the texts of the files that they name, and that those name in turn, as the package client reads
/// them: a path begins in the folder of the file that has it.
pub(super) fn whole(dir: &Path, requirements: &str) -> String {
    let mut whole = requirements.to_owned();
    let mut ahead = named_files(dir, requirements);
    let mut seen = BTreeSet::new();
    while let Some(file) = ahead.pop() {
        // The same file may be named by any number of paths.
        let file = file.canonicalize().unwrap_or(file);
        if !seen.insert(file.clone()) {
            continue;
        }
        if let Ok(text) = read_text(&file) {
            ahead.extend(named_files(file.parent().unwrap_or(dir), &text));
            whole.push('\n');
            whole.push_str(&text);
        }
    }
    whole
}

/// The files of more requirements, and of constraints, that a text of requirements names.
fn named_files(dir: &Path, requirements: &str) -> Vec<PathBuf> {
    const OPTIONS: [&str; 4] = ["--requirement", "--constraint", "-r", "-c"];
    let named = asked_for(requirements).into_iter().filter_map(|line| {
        let rest = OPTIONS
            .iter()
            .find_map(|option| line.strip_prefix(option))?;
        let file = rest.trim_start_matches(['=', ' ', '\t']);
        (!file.contains("://")).then(|| dir.join(file))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_ask_for_nothing() {
        assert!(asked_for("\n# psycopg2\n   \n").is_empty());
        assert_eq!(
            asked_for("a==1 # why\n\n-r other.txt\n"),
            ["a==1", "-r other.txt"]
        );
    }

    #[test]
    fn what_requirements_name_is_part_of_them() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).unwrap();
        std::fs::create_dir(root.path().join("more")).unwrap();
        write("more/a.txt", "-c b.txt\nsix==1");
        write("more/b.txt", "-r a.txt\nidna==2");
        write("c.txt", "attrs==3");
        for named in [
            "-r more/a.txt",
            "-rmore/a.txt # why",
            "--requirement=more/a.txt",
            "--constraint more/a.txt",
        ] {
            let whole = whole(root.path(), named);
            assert_eq!(whole.matches("six==1").count(), 1, "{whole}");
            assert_eq!(whole.matches("idna==2").count(), 1, "{whole}");
        }
        for plain in ["c.txt", "-r https://example.com/c.txt", "-r gone.txt"] {
            assert_eq!(whole(root.path(), plain), plain);
        }
    }
}
