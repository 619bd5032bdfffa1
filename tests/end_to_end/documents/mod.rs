//! The commands that the documents show, carried out page by page as a reader would.
//!
//! The blocks marked `console` of a page run in one workspace, from top to bottom, each as one script of a shell. Every
//! command must end well, and every line of output that a block shows must be among what its commands said; `…` in it
//! is any text. What a page needs and does not show stands in comments before a block, which no reader sees:
//!
//! ```text
//! <!-- console: workspace shop on sqlite -->          from here in a new workspace with a connector of that name
//! <!-- console: beside nightly on simulator -->        a pipeline connector joins the workspace
//! <!-- console: beside the base -->                    the workspace holds a small base, `oci:base:1`
//! <!-- console: beside the registry HOST/IMAGE:TAG --> there is such a registry, and it holds such a base
//! <!-- console: beside the platform HOST, posted to PATH --> there is a platform, and something is posted to PATH
//! <!-- console: each anew -->                          each line of the block is an alternative, in a workspace of its own
//! <!-- console: after COMMAND -->                      the reader has done this before; `$SOURCES` is this repository
//! <!-- console: read NAME as shop -->                  what a word of the commands stands for
//! <!-- console: exit 1 -->                             the block ends with this exit code
//! <!-- console: until TEXT -->                         the block goes on for ever; the reader stops it when it says this
//! <!-- console: not run (a cluster): why -->           the block cannot run here
//! <!-- console: not run from 2 (a cluster): why -->    nor can its commands from this one on
//! ```
//!
//! What is not run says what it wants that is not here, one of [`page::Obstacle`], and when it is a command of ours also
//! which tests do the same, between backticks: the first part of their names here, or a crate's folder.

mod page;
mod place;
mod skills;

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use page::{Block, Mark};
use place::{Place, Setting};

use crate::needs::{Need, trial};

/// One test for every page that shows commands, and one about those that are not run, which may name `other` tests.
pub(crate) fn trials(others: Vec<String>) -> Vec<Trial> {
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
            not_run(&counted, &others)
        })])
        .chain([Trial::test("documents/mistakes", mistakes)])
        .chain(skills::trials())
        .collect()
}

/// The book, the skills, and the pages that a reader sees first.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = ["README.md", "CONTRIBUTING.md", "AGENTS.md"]
        .map(|page| root.join(page))
        .to_vec();
    let mut folders = ["docs", "examples", "packages", "skills"]
        .map(|folder| root.join(folder))
        .to_vec();
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
            Mark::Beside(beside) => Some(beside.needs()),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    let mut commands = blocks.iter().flat_map(Block::runs);
    if commands.any(|command| command.starts_with("curl ")) {
        needs.push(Need::Curl);
    }
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
            match mark {
                Mark::Workspace(setting) => place = Place::new(setting)?,
                Mark::Beside(beside) => place.add(beside)?,
                _ => {}
            }
        }
        if block.marks.contains(&Mark::EachAnew) {
            for command in block.runs() {
                let script = block.script(std::slice::from_ref(command));
                Place::new(&Setting::Empty)?.run(block, &script)?;
            }
        } else {
            place.run(block, &block.script(block.runs()))?;
        }
    }
    Ok(())
}

/// What would let commands go by unseen is refused.
fn mistakes() -> Result<(), Failed> {
    let block = "```console\n$ bowline list\n```";
    for (page, mistake) in [
        ("```sh\nbowline list\n```".to_owned(), "is `console`"),
        ("```text\n$ bowline list\n```".to_owned(), "is `console`"),
        ("```console\nbowline list\n```".to_owned(), "`$ `"),
        (
            format!("<!-- console: not run: it is long -->\n{block}"),
            "not run: it is long",
        ),
        (
            format!("<!-- console: not run (time): it is long -->\n{block}"),
            "not run (time)",
        ),
        (
            format!("<!-- console: not run from 2 (a cluster): changes it -->\n{block}"),
            "no such command",
        ),
        (
            format!("<!-- console: read NAME as shop -->\n{block}"),
            "`NAME`",
        ),
        ("<!-- console: each anew -->".to_owned(), "before no block"),
    ] {
        match page::blocks(&page) {
            Err(told) if told.contains(mistake) => {}
            other => return Err(format!("{page}: {other:?}").into()),
        }
    }
    let left_out = |why: &str| {
        let page = format!("<!-- console: not run (a platform): {why} -->\n{block}");
        let blocks = page::blocks(&page).map_err(Failed::from)?;
        not_run(&[("page".to_owned(), blocks)], &["demo/first".to_owned()])
    };
    assert!(left_out("asks it").is_err());
    assert!(left_out("asks it; `nothing` tests the same").is_err());
    left_out("asks it; `demo` tests the same")
}

/// What is not run says why, and a command of ours which test does the same.
#[expect(
    clippy::print_stdout,
    reason = "whoever reads the log of a run wants the list"
)]
fn not_run(pages: &[(String, Vec<Block>)], tests: &[String]) -> Result<(), Failed> {
    let mut mistakes = Vec::new();
    let commands: usize = pages
        .iter()
        .flat_map(|(_, blocks)| blocks)
        .map(|block| block.commands.len())
        .sum();
    println!("of {commands} commands of the documents these are not run:");
    for (page, block) in pages
        .iter()
        .flat_map(|(page, blocks)| blocks.iter().map(move |block| (page, block)))
    {
        let Some(not_run) = block.not_run() else {
            continue;
        };
        let place = format!("{page}.md:{}", block.line);
        let (count, wants, why) = (
            block.left_out().len(),
            not_run.obstacle.words(),
            &not_run.why,
        );
        println!("  {count} in {place}, for want of {wants}: {why}");
        let is_ours = |command: &String| command.split(' ').any(|word| word == "bowline");
        if block.left_out().iter().any(is_ours) && not_run.tests().next().is_none() {
            mistakes.push(format!("{place}: no test is named that does the same"));
        }
        for named in not_run.tests() {
            let is_there = tests
                .iter()
                .any(|test| test.starts_with(&format!("{named}/")))
                || root().join(named).is_dir();
            if !is_there {
                mistakes.push(format!("{place}: there is no test `{named}`"));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes.join("\n").into())
    }
}
