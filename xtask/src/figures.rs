//! What chores measured, in documents: where and when, and the place between two marks.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{Failure, run_quietly};

const END: &str = "<!-- end of figures -->\n";

/// When and where something was measured.
pub(crate) fn machine() -> String {
    let ask = |program: &str, args: &[&str]| {
        run_quietly(Command::new(program).args(args))
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let processor = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| ask("uname", &["-m"]));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "Measured on {} with {cores} cores ({processor}), {}, {}.",
        ask("date", &["+%Y-%m-%d"]),
        ask("uname", &["-sr"]),
        ask("rustc", &["--version"]),
    )
}

/// Puts what a chore measured between the marks of a document.
pub(crate) fn write(file: &Path, chore: &str, report: &str) -> Result<(), Failure> {
    let shown = file.display();
    let document =
        fs::read_to_string(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let begin = begin(chore);
    let document = placed(&document, &begin, report).ok_or_else(|| {
        format!(
            "no place for the figures in `{shown}`: it lacks `{}`",
            begin.trim()
        )
    })?;
    fs::write(file, document).map_err(|error| format!("cannot write `{shown}`: {error}"))
}

fn begin(chore: &str) -> String {
    format!("<!-- figures: written by cargo xtask {chore} -->\n")
}

fn placed(document: &str, begin: &str, report: &str) -> Option<String> {
    let (before, rest) = document.split_once(begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}{report}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_the_old_ones_and_nothing_else() {
        let begin = begin("bench");
        let document = format!("# Title\n{begin}old\n{END}rest\n");
        assert_eq!(
            placed(&document, &begin, "new\n").unwrap(),
            format!("# Title\n{begin}new\n{END}rest\n")
        );
        assert!(placed("# Title\n", &begin, "new\n").is_none());
    }
}
