//! The files of templates in a folder, a connector's or a dialect pack's.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use bowline_connector::folder::{Document, LoadError, Problem, ProblemKind};
use bowline_contract::layout;

use super::templates::{GivenTemplate, read_templates, template_of_file, whole_file};

/// A file's text; none when there is no such file.
pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, LoadError> {
    match bowline_contract::reading::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(LoadError::Unreadable {
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// One file of templates: its text and what it gives.
pub(crate) struct TemplateFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) given: Vec<GivenTemplate>,
}

/// The templates that a folder's files give; mistakes in them are noted.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn read_own_templates(
    dir: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Vec<TemplateFile>, LoadError> {
    let mut files = Vec::new();
    let path = dir.join(layout::TEMPLATES_FILE);
    if let Some(text) = read_optional(&path)? {
        let mut document = Document::new(&path, &text);
        let given = read_templates(&mut document);
        problems.extend(document.into_problems());
        files.push(TemplateFile { path, text, given });
    }
    for path in template_paths(&dir.join(layout::TEMPLATES_DIR))? {
        match template_of_file(&path) {
            Ok(None) => {}
            Ok(Some(template)) => {
                let text = read_optional(&path)?.ok_or_else(|| LoadError::Unreadable {
                    path: path.clone(),
                    source: Error::new(ErrorKind::NotFound, "it is a link to what is not there"),
                })?;
                let given = whole_file(template, &text);
                report_second(&files, &given, &path, problems);
                files.push(TemplateFile {
                    given: vec![given],
                    path,
                    text,
                });
            }
            Err(problem) => problems.push(*problem),
        }
    }
    Ok(files)
}

/// The files of a folder, sorted; none when there is no such folder.
pub(crate) fn template_paths(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable {
        path: dir.to_path_buf(),
        source,
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        // A folder that is named like a template was meant to be one.
        if !path.is_dir() || matches!(template_of_file(&path), Ok(Some(_))) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn report_second(
    files: &[TemplateFile],
    given: &GivenTemplate,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    let earlier = files.iter().find_map(|file| {
        file.given
            .iter()
            .find(|earlier| earlier.template == given.template)
            .map(|earlier| (file, earlier))
    });
    if let Some((file, earlier)) = earlier {
        problems.push(Problem {
            kind: ProblemKind::Duplicate,
            path: path.to_path_buf(),
            place: None,
            message: format!(
                "`{}` is given twice: first in {}:{}",
                given.template.short_name(),
                file.path.display(),
                earlier.line
            ),
            hint: Some("keep one of them".to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(dir: &Path) -> String {
        let read = read_own_templates(dir, &mut Vec::new());
        read.err().map_or_else(String::new, |error| {
            bowline_words::Diagnose::diagnose(&error).to_string()
        })
    }

    #[test]
    fn what_is_named_like_a_template_is_one_or_refused() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join(layout::TEMPLATES_DIR);
        std::fs::create_dir_all(long.join("old")).unwrap();
        assert_eq!(told(root.path()), "");
        let folder = long.join("get_length.sql.j2");
        std::fs::create_dir(&folder).unwrap();
        let refused = told(root.path());
        assert!(refused.contains("it is a folder, not a file"), "{refused}");
        std::fs::remove_dir(&folder).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", &folder).unwrap();
            let refused = told(root.path());
            assert!(refused.contains("a link to what is not there"), "{refused}");
            // As some editors leave them beside a file that is being written.
            std::fs::rename(&folder, long.join(".#get_length.sql.j2")).unwrap();
            assert_eq!(told(root.path()), "");
        }
    }
}
