//! The text of a case, taken apart.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::needs::Need;

/// A case file, read.
#[derive(Debug)]
pub(crate) struct Case {
    /// Where it stands.
    pub(crate) file: PathBuf,
    /// What it cannot run without.
    pub(crate) needs: Vec<Need>,
    /// What it does, in order.
    pub(crate) steps: Vec<Step>,
}

/// One thing a case does, and the lines of the file that say so.
#[derive(Debug)]
pub(crate) struct Step {
    /// From its first section's heading to the next step.
    pub(crate) lines: Range<usize>,
    /// What it does.
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    /// Writes the files of a connector for SQLite.
    Connector { name: String },
    /// Writes a file.
    File { path: String, text: String },
    /// Runs the binary.
    Run(Run),
    /// Runs statements and compares their rows.
    Sql { text: String, rows: String },
    /// Compares a file.
    Holds { path: String, text: String },
    /// Makes sure that nothing is there.
    Absent { path: String },
    /// Compares the list of files below a folder.
    Files { path: String, list: String },
}

/// A command and how it must end.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) stdin: Option<String>,
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

struct Section<'t> {
    lines: Range<usize>,
    word: &'t str,
    rest: &'t str,
    body: String,
}

pub(crate) fn parse_file(file: &Path) -> Result<Case, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let (needs, steps) = parse(&text)?;
    Ok(Case {
        file: file.to_owned(),
        needs,
        steps,
    })
}

fn parse(text: &str) -> Result<(Vec<Need>, Vec<Step>), String> {
    let mut needs = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    if text.starts_with("===") {
        return Err("a case begins with a sentence about what it shows".to_owned());
    }
    for section in sections(text) {
        let at = section.lines.start + 1;
        let path = section.rest.to_owned();
        let action = match section.word {
            "needs" => {
                for word in section.rest.split_whitespace() {
                    needs.push(
                        Need::parse(word).ok_or(format!("line {at}: no such need: `{word}`"))?,
                    );
                }
                continue;
            }
            "connector" => Action::Connector { name: path },
            "file" => Action::File {
                path,
                text: section.body,
            },
            "run" => Action::Run(Run {
                line: path,
                ..Run::default()
            }),
            "sql" => Action::Sql {
                text: section.body,
                rows: String::new(),
            },
            "holds" => Action::Holds {
                path,
                text: section.body,
            },
            "absent" => Action::Absent { path },
            "files" => Action::Files {
                path,
                list: section.body,
            },
            word => {
                let step = steps
                    .last_mut()
                    .ok_or(format!("line {at}: `{word}` belongs to no step"))?;
                extend(step, &section).map_err(|reason| format!("line {at}: {reason}"))?;
                continue;
            }
        };
        steps.push(Step {
            lines: section.lines,
            action,
        });
    }
    Ok((needs, steps))
}

/// A section that says more about the step before it.
fn extend(step: &mut Step, section: &Section<'_>) -> Result<(), String> {
    match (&mut step.action, section.word) {
        (Action::Run(run), "stdin") => run.stdin = Some(section.body.clone()),
        (Action::Run(run), "stdout") => run.stdout.clone_from(&section.body),
        (Action::Run(run), "stderr") => run.stderr.clone_from(&section.body),
        (Action::Run(run), "exit") => {
            run.exit = section
                .rest
                .parse()
                .map_err(|_| format!("not an exit code: `{}`", section.rest))?;
        }
        (Action::Sql { rows, .. }, "rows") => rows.clone_from(&section.body),
        (_, word) => return Err(format!("`{word}` does not belong here")),
    }
    step.lines.end = section.lines.end;
    Ok(())
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("=== ") {
            let (word, rest) = heading.split_once(' ').unwrap_or((heading, ""));
            sections.push(Section {
                lines: number..number + 1,
                word,
                rest: rest.trim(),
                body: String::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.body.push_str(line);
            section.body.push('\n');
            section.lines.end = number + 1;
        }
    }
    sections
}

/// Splits a line into words as a shell does: blanks part them, quotes of both kinds keep them together.
pub(crate) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err(format!("a quote is not closed: `{line}`"));
    }
    words.extend(word);
    Ok(words)
}
