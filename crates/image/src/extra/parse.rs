//! From the text of a `Dockerfile.extra` to its instructions.

use std::fmt;

use bowline_words::{Diagnose, Diagnostic};

use super::words::{Word, split};
use super::{Action, DockerfileExtra, Instruction};

const ALLOWED: [&str; 3] = ["RUN", "ENV", "ARG"];

/// The other instructions of Dockerfiles.
const OTHERS: [&str; 15] = [
    "ADD",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Something in a `Dockerfile.extra` that may not stand there or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraProblem {
    /// The line it begins at, counted from 1.
    pub line: usize,
    /// What it is.
    pub kind: ExtraProblemKind,
}

/// What can be wrong in a `Dockerfile.extra`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraProblemKind {
    /// `COPY` or `ADD`: the instruction.
    Copies(String),
    /// `ADD` of what lies at an address.
    Fetches,
    /// Another instruction of Dockerfiles that is not for connectors to give.
    Refused(String),
    /// No instruction at all.
    Unknown(String),
    /// An instruction without what it needs, or with something that cannot be read: the instruction, and why.
    Malformed(String, String),
}

impl fmt::Display for ExtraProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.kind {
            ExtraProblemKind::Copies(word) => write!(
                f,
                "`{word}` has nothing to copy from: the folder that the image is built from is temporary"
            ),
            ExtraProblemKind::Fetches => f.write_str("`ADD` is not for connectors"),
            ExtraProblemKind::Refused(word) => {
                write!(
                    f,
                    "`{word}` is not for connectors: only `RUN`, `ENV` and `ARG` are"
                )
            }
            ExtraProblemKind::Unknown(word) => write!(f, "unknown instruction: `{word}`"),
            ExtraProblemKind::Malformed(word, why) => write!(f, "cannot read `{word}`: {why}"),
        }
    }
}

impl std::error::Error for ExtraProblem {}

impl Diagnose for ExtraProblem {
    fn diagnose(&self) -> Diagnostic {
        let hint = match &self.kind {
            ExtraProblemKind::Copies(_) => Some(
                "put the file into the connector's folder, which goes into the image, or fetch it with `RUN`"
                    .to_owned(),
            ),
            ExtraProblemKind::Fetches => {
                Some("fetch it with `RUN curl -fsSLo FILE ADDRESS`".to_owned())
            }
            ExtraProblemKind::Unknown(word) => Some(bowline_words::nearest::hint(word, ALLOWED)),
            ExtraProblemKind::Refused(_) | ExtraProblemKind::Malformed(..) => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

pub(super) fn parse(text: &str) -> Result<Option<DockerfileExtra>, Vec<ExtraProblem>> {
    let mut instructions = Vec::new();
    let mut problems = Vec::new();
    for written in logical_lines(text) {
        let line = written.line;
        match instruction(written) {
            Ok(instruction) => instructions.push(instruction),
            Err(kind) => problems.push(ExtraProblem { line, kind }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok((!instructions.is_empty()).then_some(DockerfileExtra { instructions }))
}

/// An instruction with its continued lines.
struct Written {
    /// As it stands in the file, without the comments between its lines.
    text: String,
    /// On one line: what engines read of it.
    joined: String,
    line: usize,
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn logical_lines(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    let mut lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .peekable();
    while let Some((at, first)) = lines.next() {
        if is_comment(first) || first.trim().is_empty() {
            continue;
        }
        let mut written = Written {
            text: String::new(),
            joined: String::new(),
            line: at + 1,
        };
        let mut open = add(&mut written, first);
        while open {
            match lines.next() {
                // Engines pass over comments and blank lines between continued ones.
                Some((_, next)) if is_comment(next) || next.trim().is_empty() => {}
                Some((_, next)) => open = add(&mut written, next),
                None => break,
            }
        }
        for (dashed, word) in here_documents(&written.joined) {
            for (_, line) in lines.by_ref() {
                written.text.push('\n');
                written.text.push_str(line);
                let line = if dashed {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == word {
                    break;
                }
            }
        }
        found.push(written);
    }
    found
}

/// Adds a line and tells whether the next one continues it.
fn add(written: &mut Written, line: &str) -> bool {
    let line = line.trim_end();
    if !written.text.is_empty() {
        written.text.push('\n');
    }
    written.text.push_str(line);
    match line.strip_suffix('\\') {
        Some(part) => {
            written.joined.push_str(part);
            true
        }
        None => {
            written.joined.push_str(line);
            false
        }
    }
}

/// The ends of the here-documents that a `RUN` begins: whether tabs before them do not count, and the word.
fn here_documents(joined: &str) -> Vec<(bool, String)> {
    let is_run = joined
        .split_whitespace()
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("RUN"));
    if !is_run {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rest = joined;
    while let Some((_, behind)) = rest.split_once("<<") {
        let (dashed, behind) = match behind.strip_prefix('-') {
            Some(behind) => (true, behind),
            None => (false, behind),
        };
        let bare = behind.trim_start_matches(['"', '\'']);
        let end = bare
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .unwrap_or(bare.len());
        let word = &bare[..end];
        if word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
            found.push((dashed, word.to_owned()));
        }
        rest = &bare[end..];
    }
    found
}

fn instruction(written: Written) -> Result<Instruction, ExtraProblemKind> {
    let joined = written.joined.trim();
    let (word, arguments) = joined
        .split_once(char::is_whitespace)
        .unwrap_or((joined, ""));
    let arguments = arguments.trim();
    let name = word.to_uppercase();
    let malformed = |why: String| ExtraProblemKind::Malformed(name.clone(), why);
    if ALLOWED.contains(&name.as_str()) && arguments.is_empty() {
        return Err(malformed("nothing stands behind it".to_owned()));
    }
    let action = match name.as_str() {
        "RUN" => Action::Run,
        "ENV" => Action::Env(env(arguments).map_err(malformed)?),
        "ARG" => Action::Arg(arg(arguments).map_err(malformed)?),
        "ADD" if arguments.contains("://") => return Err(ExtraProblemKind::Fetches),
        "COPY" | "ADD" => return Err(ExtraProblemKind::Copies(name)),
        other if OTHERS.contains(&other) => return Err(ExtraProblemKind::Refused(name)),
        _ => return Err(ExtraProblemKind::Unknown(word.to_owned())),
    };
    Ok(Instruction {
        action,
        text: written.text.trim_start().to_owned(),
        line: written.line,
    })
}

fn env(arguments: &str) -> Result<Vec<(String, Word)>, String> {
    let words = split(arguments);
    let old_way = words.first().is_some_and(|word| !word.contains('='));
    if old_way {
        let (name, value) = arguments
            .split_once(char::is_whitespace)
            .ok_or_else(|| format!("`{arguments}` has no value"))?;
        return Ok(vec![(name.to_owned(), Word::parse(value.trim())?)]);
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), Word::parse(value)?)),
            _ => Err(format!("`{word}` is not `NAME=value`")),
        })
        .collect()
}

fn arg(arguments: &str) -> Result<Vec<(String, Option<Word>)>, String> {
    split(arguments)
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok((name.to_owned(), Some(Word::parse(value)?)))
            }
            None => Ok((word.to_owned(), None)),
            Some(_) => Err(format!("`{word}` is not `NAME=value`")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String)> {
        let extra = parse(text).unwrap();
        extra
            .into_iter()
            .flat_map(|extra| extra.instructions)
            .map(|each| (each.line, each.text))
            .collect()
    }

    fn problems(text: &str) -> Vec<String> {
        parse(text)
            .unwrap_err()
            .iter()
            .map(|problem| problem.diagnose().to_string())
            .collect()
    }

    #[test]
    fn a_file_of_comments_is_no_extra() {
        assert_eq!(parse("# RUN nothing\n\n  # more\n"), Ok(None));
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn continued_lines_and_here_documents_belong_to_their_instruction() {
        let text = "# head\nrun apt-get update \\\n  # why\n\n  && true\nENV A=1\n\
                    RUN <<EOF\nCOPY this is text\nEOF\nRUN cat <<-'ONE' <<TWO\n\tone\n\tONE\ntwo\nTWO\nARG X\n";
        assert_eq!(
            texts(text),
            [
                (2, "run apt-get update \\\n  && true".to_owned()),
                (6, "ENV A=1".to_owned()),
                (7, "RUN <<EOF\nCOPY this is text\nEOF".to_owned()),
                (
                    10,
                    "RUN cat <<-'ONE' <<TWO\n\tone\n\tONE\ntwo\nTWO".to_owned()
                ),
                (15, "ARG X".to_owned()),
            ]
        );
    }

    #[test]
    fn everything_that_may_not_stand_there_is_said_at_once() {
        assert_eq!(
            problems(
                "COPY a b\nadd x y\nADD https://h.example/x /x\nUSER root\nRUM ls\nENV A\nENV A='x\nRUN\nARG =1\n"
            ),
            [
                "line 1: `COPY` has nothing to copy from: the folder that the image is built from is temporary\n\
                 hint: put the file into the connector's folder, which goes into the image, or fetch it with `RUN`",
                "line 2: `ADD` has nothing to copy from: the folder that the image is built from is temporary\n\
                 hint: put the file into the connector's folder, which goes into the image, or fetch it with `RUN`",
                "line 3: `ADD` is not for connectors\nhint: fetch it with `RUN curl -fsSLo FILE ADDRESS`",
                "line 4: `USER` is not for connectors: only `RUN`, `ENV` and `ARG` are",
                "line 5: unknown instruction: `RUM`\nhint: did you mean `RUN`?",
                "line 6: cannot read `ENV`: `A` has no value",
                "line 7: cannot read `ENV`: a single quote is not closed",
                "line 8: cannot read `RUN`: nothing stands behind it",
                "line 9: cannot read `ARG`: `=1` is not `NAME=value`",
            ]
        );
    }

    #[test]
    fn the_old_way_of_env_takes_the_whole_line() {
        let extra = parse("ENV GREETING hello  world\n").unwrap().unwrap();
        assert_eq!(
            extra.carry_out(&mut Default::default(), &mut Default::default()),
            [("GREETING".to_owned(), "hello  world".to_owned())]
        );
    }
}
