//! Expected text against actual text.

use similar::TextDiff;

const ANY_LINES: &str = "...";
const ANY_TEXT: &str = "[..]";

/// Whether the text is what was expected: `[..]` is any text within a line, a line `...` any number of lines.
pub(crate) fn matches(expected: &str, actual: &str) -> bool {
    let expected: Vec<&str> = expected.lines().collect();
    let actual: Vec<&str> = actual.lines().collect();
    // Everything up to a gap must be there in order; the first place found for a block is as good as any,
    // since what follows may start anywhere after it, but the last block must also end the text.
    let blocks: Vec<&[&str]> = expected.split(|line| *line == ANY_LINES).collect();
    let [first, middle @ .., last] = blocks.as_slice() else {
        return lines_match(blocks.first().copied().unwrap_or_default(), &actual);
    };
    if actual.len() < first.len() + last.len() {
        return false;
    }
    let (head, rest) = actual.split_at(first.len());
    let (rest, tail) = rest.split_at(rest.len() - last.len());
    if !lines_match(first, head) || !lines_match(last, tail) {
        return false;
    }
    middle
        .iter()
        .try_fold(rest, |rest, block| {
            let at = (0..=rest.len().checked_sub(block.len())?)
                .find(|at| lines_match(block, &rest[*at..at + block.len()]))?;
            Some(&rest[at + block.len()..])
        })
        .is_some()
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    expected.len() == actual.len()
        && expected
            .iter()
            .zip(actual)
            .all(|(pattern, line)| line_matches(pattern, line))
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split(ANY_TEXT).collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return pattern == line;
    };
    line.strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
        .and_then(|rest| {
            middle
                .iter()
                .try_fold(rest, |rest, part| Some(rest.split_once(part)?.1))
        })
        .is_some()
}

/// What differs, for people.
pub(crate) fn difference(what: &str, expected: &str, actual: &str) -> String {
    let diff = TextDiff::from_lines(expected, actual);
    let shown = diff.unified_diff().header("expected", "actual").to_string();
    format!("{what} differs:\n{shown}")
}

/// Holds the comparison itself to account: it runs before every other case.
pub(crate) fn self_check() -> Result<(), libtest_mimic::Failed> {
    let same = [
        ("", ""),
        ("a\nb\n", "a\nb\n"),
        ("a\n...\nd\n", "a\nb\nc\nd\n"),
        ("a\n...\n", "a\n"),
        ("...\nc\n...\n", "a\nb\nc\nd\n"),
        ("took [..] of [..]\n", "took 3 of 4\n"),
        ("[..]\n", "\n"),
    ];
    let different = [
        ("", "a\n"),
        ("a\n", ""),
        ("a\n...\nd\n", "a\nb\nc\n"),
        ("a\n...\na\n", "a\n"),
        ("...\nx\n...\n", "a\nb\n"),
        ("took [..] of 5\n", "took 3 of 4\n"),
        ("a[..]a\n", "a\n"),
    ];
    for (expected, actual) in same {
        if !matches(expected, actual) {
            return Err(format!("`{expected}` should match `{actual}`").into());
        }
    }
    for (expected, actual) in different {
        if matches(expected, actual) {
            return Err(format!("`{expected}` should not match `{actual}`").into());
        }
    }
    Ok(())
}
