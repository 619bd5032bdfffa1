//! `requirements.txt`: what a connector in Python asks of the package client.

use super::Requirement;

/// Reads the file's lines: those that ask for a package or set an option. The problems are lines that cannot hold in
/// an image: they name other files, or hold a password.
pub(super) fn read(text: &str) -> (Vec<Requirement>, Vec<(usize, String)>) {
    let mut requirements = Vec::new();
    let mut problems = Vec::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    while let Some((at, first)) = lines.next() {
        let mut joined = String::new();
        let mut next = Some(first);
        while let Some(line) = next {
            match line.strip_suffix('\\') {
                Some(part) => {
                    joined.push_str(part);
                    next = lines.next().map(|(_, line)| line);
                }
                None => {
                    joined.push_str(line);
                    next = None;
                }
            }
        }
        let asked = without_comment(&joined).trim();
        if asked.is_empty() {
            continue;
        }
        match problem(asked) {
            Some(problem) => problems.push((at + 1, problem)),
            None => requirements.push(Requirement {
                text: asked.to_owned(),
                line: at + 1,
            }),
        }
    }
    (requirements, problems)
}

/// A `#` begins a comment at the line's start or behind a blank; elsewhere it is part of an address.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = letter;
    }
    line
}

fn problem(line: &str) -> Option<String> {
    if has_password(line) {
        return Some(
            "an address with a user or a password in it: the file goes into the image; \
             set it in the package client's own configuration"
                .to_owned(),
        );
    }
    if line.starts_with("- ") {
        return Some(format!(
            "`{line}` is no requirement: write it without the `-` before it"
        ));
    }
    let option = line.split(['=', ' ', '\t']).next().unwrap_or(line);
    let reads_a_file = match option {
        "-r" | "--requirement" | "-c" | "--constraint" | "-e" | "--editable" => true,
        "-f" | "--find-links" => !line.contains("://"),
        _ if !option.starts_with("--") => ["-r", "-c", "-e"]
            .iter()
            .any(|short| option.starts_with(short)),
        _ => false,
    };
    let is_a_path = line.starts_with(['.', '/']) || line.contains("file://");
    (reads_a_file || is_a_path).then(|| {
        format!(
            "`{line}` reads another file, which is not in the image; name the packages themselves"
        )
    })
}

/// Whether an address in the line holds `user@` or `user:password@` before its host.
fn has_password(line: &str) -> bool {
    let mut rest = line;
    while let Some((_, behind)) = rest.split_once("://") {
        let authority = behind
            .split(['/', '?', '#', ' '])
            .next()
            .unwrap_or_default();
        // Version control addresses name their login, `git@`, which is no secret.
        if let Some((login, _)) = authority.rsplit_once('@')
            && (login != "git")
            && !login.contains("${")
        {
            return true;
        }
        rest = behind;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String)> {
        let (requirements, problems) = read(text);
        assert!(problems.is_empty(), "{problems:?}");
        requirements
            .into_iter()
            .map(|each| (each.line, each.text))
            .collect()
    }

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        assert_eq!(
            texts(
                "# head\npsycopg2-binary==2.9.9 \\\n    --hash=sha256:00  # pinned\n\n\
                 pkg @ https://host/pkg.whl#sha256=00\n--index-url https://host/simple\nx[y]>=1; python_version>'3.8'\n"
            ),
            [
                (2, "psycopg2-binary==2.9.9     --hash=sha256:00".to_owned()),
                (5, "pkg @ https://host/pkg.whl#sha256=00".to_owned()),
                (6, "--index-url https://host/simple".to_owned()),
                (7, "x[y]>=1; python_version>'3.8'".to_owned()),
            ]
        );
    }

    #[test]
    fn what_cannot_hold_in_an_image_is_told() {
        let (kept, problems) = read(
            "requests\n-r other.txt\n--constraint=c.txt\n-e .\n./local.whl\n-rother.txt\n--find-links wheels/\n\
             --index-url https://me:pw@host/simple\npkg @ git+ssh://git@host/x\n--extra-index-url https://${T}@host/\n\
             - six=1.16\n",
        );
        let lines: Vec<usize> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 11]);
        assert!(!problems[6].1.contains("pw@"), "{}", problems[6].1);
        let kept: Vec<usize> = kept.iter().map(|each| each.line).collect();
        assert_eq!(kept, [1, 9, 10]);
    }
}
