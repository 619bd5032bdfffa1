//! The blocks of a page that show a shell.

use super::place::Setting;

/// A block of commands.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The line of the page that it begins in, from 1.
    pub(super) line: usize,
    pub(super) marks: Vec<Mark>,
    pub(super) commands: Vec<String>,
    /// Lines of output that the block shows.
    pub(super) output: Vec<String>,
}

/// What a comment before a block says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Workspace(Setting),
    EachAnew,
    Exit(i32),
    /// What the reader has done before, as a script.
    After(String),
    /// From which of its commands on the block is not run, and why.
    NotRun(usize, String),
}

impl Block {
    /// From which command on it is not run, and why.
    pub(super) fn not_run(&self) -> Option<(usize, &str)> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::NotRun(from, why) => Some((*from, why.as_str())),
            _ => None,
        })
    }

    /// The commands that are run.
    pub(super) fn runs(&self) -> &[String] {
        let end = self.not_run().map_or(self.commands.len(), |(from, _)| from);
        &self.commands[..end.min(self.commands.len())]
    }

    /// What the reader has done before.
    pub(super) fn after(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::After(script) => Some(script.as_str()),
            _ => None,
        })
    }

    /// The exit code that it must end with.
    pub(super) fn exit(&self) -> i32 {
        let exit = self.marks.iter().find_map(|mark| match mark {
            Mark::Exit(code) => Some(*code),
            _ => None,
        });
        exit.unwrap_or(0)
    }
}

/// The blocks of a page in their order.
///
/// # Errors
/// A mark that is not understood, or that stands before no block.
pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut marks = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let text = line.trim();
        if let Some(words) = text.strip_prefix("<!-- console: ") {
            let words = words.trim_end_matches("-->").trim();
            marks.push(mark(words).ok_or_else(|| format!("line {number}: `{words}`"))?);
        } else if text == "```console" {
            let mut block = Block {
                line: number,
                marks: std::mem::take(&mut marks),
                commands: Vec::new(),
                output: Vec::new(),
            };
            for (line, _) in lines.by_ref() {
                let text = line.trim();
                match text.strip_prefix("$ ") {
                    _ if text == "```" => break,
                    Some(command) => block.commands.push(command.to_owned()),
                    None => block.output.push(text.to_owned()),
                }
            }
            blocks.push(block);
        }
    }
    if marks.is_empty() {
        Ok(blocks)
    } else {
        Err("a mark stands before no block".to_owned())
    }
}

fn mark(words: &str) -> Option<Mark> {
    if words == "each anew" {
        return Some(Mark::EachAnew);
    }
    if let Some(why) = words.strip_prefix("not run: ") {
        return Some(Mark::NotRun(0, why.to_owned()));
    }
    if let Some(rest) = words.strip_prefix("not run from ") {
        let (from, why) = rest.split_once(": ")?;
        let from: usize = from.parse().ok()?;
        return Some(Mark::NotRun(from.checked_sub(1)?, why.to_owned()));
    }
    if let Some(script) = words.strip_prefix("after ") {
        return Some(Mark::After(script.to_owned()));
    }
    if let Some(code) = words.strip_prefix("exit ") {
        return code.parse().ok().map(Mark::Exit);
    }
    let (name, on) = words.strip_prefix("workspace ")?.split_once(" on ")?;
    Setting::parse(name, on).map(Mark::Workspace)
}
