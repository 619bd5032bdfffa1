//! The commands that the documents show, carried out page by page as a reader would.
//!
//! The blocks marked `console` of a page run in one workspace, from top to bottom, each as one script of a shell. Every
//! command must end well, and every line of output that a block shows must be among what its commands said; `…` in it
//! is any text. What a page needs and does not show stands in comments before a block, which no reader sees:
//!
//! ```text
//! <!-- console: workspace shop on sqlite -->   from here in a new workspace with a connector of that name
//! <!-- console: each anew -->                  each line of the block is an alternative, in a workspace of its own
//! <!-- console: after COMMAND -->              the reader has done this before; `$SOURCES` is this repository
//! <!-- console: exit 1 -->                     the block ends with this exit code
//! <!-- console: not run: why -->               the block cannot run here
//! <!-- console: not run from 2: why -->        nor can its commands from this one on
//! ```

mod page;
mod place;

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use page::{Block, Mark};
use place::{Place, Setting};

use crate::needs::{Need, trial};

/// One test for every page that shows commands, and one about those that are not run.
pub(crate) fn trials() -> Vec<Trial> {
    let pages: Vec<(String, Vec<Block>)> = pages().into_iter().map(read).collect();
    let counted: Vec<(String, Vec<Block>)> = pages.clone();
    pages
        .into_iter()
        .filter(|(_, blocks)| blocks.iter().any(|block| !block.runs().is_empty()))
        .map(|(page, blocks)| {
            let needs = needs(&blocks);
            trial(format!("documents/{page}"), &needs, move || walk(&blocks))
        })
        .chain([Trial::test("documents/what_is_not_run", move || {
            not_run(&counted)
        })])
        .collect()
}

/// The book and the page that a reader sees first.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the book") {
            let path = entry.expect("an entry of the book").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: PathBuf) -> (String, Vec<Block>) {
    let text = std::fs::read_to_string(&path).expect("a page");
    let name = path.strip_prefix(root()).unwrap_or(&path);
    let name = name.with_extension("").display().to_string();
    let blocks = page::blocks(&text).unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
    (name, blocks)
}

/// What the workspaces of a page need.
fn needs(blocks: &[Block]) -> Vec<Need> {
    let settings = blocks.iter().flat_map(|block| &block.marks);
    let mut needs: Vec<Need> = settings
        .filter_map(|mark| match mark {
            Mark::Workspace(setting) => Some(setting.needs()),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    needs.dedup();
    needs
}

/// Carries out the blocks of a page.
fn walk(blocks: &[Block]) -> Result<(), Failed> {
    let mut place = Place::new(&Setting::Empty)?;
    for block in blocks {
        if block.runs().is_empty() {
            continue;
        }
        for mark in &block.marks {
            if let Mark::Workspace(setting) = mark {
                place = Place::new(setting)?;
            }
        }
        if block.marks.contains(&Mark::EachAnew) {
            for command in block.runs() {
                Place::new(&Setting::Empty)?.run(block, command)?;
            }
        } else {
            place.run(block, &block.runs().join("\n"))?;
        }
    }
    Ok(())
}

/// What is not run says why, and is the exception.
#[expect(
    clippy::print_stdout,
    reason = "whoever reads the log of a run wants the list"
)]
fn not_run(pages: &[(String, Vec<Block>)]) -> Result<(), Failed> {
    let mut shown = 0;
    let mut left_out = Vec::new();
    for (page, blocks) in pages {
        for block in blocks {
            shown += block.commands.len();
            let missing = block.commands.len() - block.runs().len();
            let why = block.not_run().map(|(_, why)| why);
            left_out.extend(why.map(|why| (missing, page, block.line, why)));
        }
    }
    let count: usize = left_out.iter().map(|(commands, ..)| commands).sum();
    println!("{count} of {shown} commands of the documents are not run:");
    for (commands, page, line, why) in &left_out {
        println!("  {commands} in {page}.md:{line}: {why}");
    }
    if count * 2 > shown {
        return Err(format!("{count} of {shown} commands are not run").into());
    }
    Ok(())
}
