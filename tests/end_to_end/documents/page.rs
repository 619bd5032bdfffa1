//! The blocks of a page that show a shell.

use super::place::{Beside, Setting};

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
    Beside(Beside),
    EachAnew,
    Exit(i32),
    /// What the reader has done before, as a script.
    After(String),
    /// What a word of the commands stands for.
    Read(String, String),
    /// What it says by the time the reader stops it.
    Until(String),
    NotRun(NotRun),
}

/// Why commands are not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotRun {
    /// From which of the block's commands on, from 0.
    from: usize,
    pub(super) obstacle: Obstacle,
    pub(super) why: String,
}

impl NotRun {
    /// The tests that do what the commands do.
    pub(super) fn tests(&self) -> impl Iterator<Item = &str> {
        // Every second piece stands between backticks.
        self.why.split('`').skip(1).step_by(2)
    }
}

/// What commands want that a test cannot give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Cluster,
    Compiler,
    Containers,
    Network,
    Platform,
    Release,
    Tools,
}

impl Obstacle {
    const ALL: [Self; 7] = [
        Self::Cluster,
        Self::Compiler,
        Self::Containers,
        Self::Network,
        Self::Platform,
        Self::Release,
        Self::Tools,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Cluster => "a cluster",
            Self::Compiler => "a compiler",
            Self::Containers => "containers",
            Self::Network => "the network",
            Self::Platform => "a platform",
            Self::Release => "a release",
            Self::Tools => "tools of others",
        }
    }
}

impl Block {
    /// From which command on it is not run, and why.
    pub(super) fn not_run(&self) -> Option<&NotRun> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::NotRun(not_run) => Some(not_run),
            _ => None,
        })
    }

    /// The commands that are run, and those that are not.
    fn parts(&self) -> (&[String], &[String]) {
        let all = self.commands.len();
        let end = self.not_run().map_or(all, |not_run| not_run.from);
        self.commands.split_at(end.min(all))
    }

    /// The commands that are run.
    pub(super) fn runs(&self) -> &[String] {
        self.parts().0
    }

    /// The commands that are not run.
    pub(super) fn left_out(&self) -> &[String] {
        self.parts().1
    }

    /// Commands of the block as they are carried out.
    pub(super) fn script(&self, commands: &[String]) -> String {
        let script = commands.join("\n");
        self.marks.iter().fold(script, |script, mark| match mark {
            Mark::Read(word, meant) => script.replace(word, meant),
            _ => script,
        })
    }

    /// What it says by the time the reader stops it.
    pub(super) fn until(&self) -> Option<&str> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::Until(text) => Some(text.as_str()),
            _ => None,
        })
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
/// A mark that is not understood, that stands before no block or says nothing of its block; a block without a command;
/// commands in a block of another kind.
pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut marks = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let text = line.trim();
        if let Some(words) = text.strip_prefix("<!-- console: ") {
            let words = words.trim_end_matches("-->").trim();
            marks.push(mark(words).ok_or_else(|| format!("line {number}: `{words}`"))?);
        } else if let Some((_, kind)) = text.split_once("```") {
            let mut block = Block {
                line: number,
                marks: Vec::new(),
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
            if text == "```console" {
                block.marks = std::mem::take(&mut marks);
                fits(&block).map_err(|mistake| format!("line {number}: {mistake}"))?;
                blocks.push(block);
            } else if SHELLS.contains(&kind) || !block.commands.is_empty() {
                return Err(format!("line {number}: a block of commands is `console`"));
            }
        }
    }
    if marks.is_empty() {
        Ok(blocks)
    } else {
        Err("a mark stands before no block".to_owned())
    }
}

/// Kinds of blocks under which commands would go by unseen.
const SHELLS: [&str; 6] = ["console", "sh", "bash", "shell", "zsh", "powershell"];

/// Whether a block has commands, and its marks say something of them.
fn fits(block: &Block) -> Result<(), String> {
    if block.commands.is_empty() {
        return Err("no line of it begins with `$ `".to_owned());
    }
    if block.not_run().is_some() && block.left_out().is_empty() {
        return Err("it has no such command".to_owned());
    }
    let missing = block.marks.iter().find_map(|mark| match mark {
        Mark::Read(word, _) => (!block.commands.join("\n").contains(word)).then_some(word),
        _ => None,
    });
    missing.map_or(Ok(()), |word| Err(format!("no command says `{word}`")))
}

fn mark(words: &str) -> Option<Mark> {
    if words == "each anew" {
        return Some(Mark::EachAnew);
    }
    if let Some(rest) = words.strip_prefix("not run ") {
        return not_run(rest).map(Mark::NotRun);
    }
    if let Some(script) = words.strip_prefix("after ") {
        return Some(Mark::After(script.to_owned()));
    }
    if let Some(text) = words.strip_prefix("until ") {
        return Some(Mark::Until(text.to_owned()));
    }
    if let Some(rest) = words.strip_prefix("read ") {
        let (word, meant) = rest.split_once(" as ")?;
        return Some(Mark::Read(word.to_owned(), meant.to_owned()));
    }
    if let Some(code) = words.strip_prefix("exit ") {
        return code.parse().ok().map(Mark::Exit);
    }
    if let Some(what) = words.strip_prefix("beside ") {
        return Beside::parse(what).map(Mark::Beside);
    }
    let (name, on) = words.strip_prefix("workspace ")?.split_once(" on ")?;
    Setting::parse(name, on).map(Mark::Workspace)
}

/// What stands behind `not run`: `(OBSTACLE): WHY`, or the same behind `from NUMBER`.
fn not_run(words: &str) -> Option<NotRun> {
    let (from, rest) = match words.strip_prefix("from ") {
        Some(rest) => rest.split_once(' ')?,
        None => ("1", words),
    };
    let (obstacle, why) = rest.strip_prefix('(')?.split_once("): ")?;
    Some(NotRun {
        from: from.parse::<usize>().ok()?.checked_sub(1)?,
        obstacle: Obstacle::ALL
            .into_iter()
            .find(|known| known.words() == obstacle)?,
        why: why.to_owned(),
    })
}
