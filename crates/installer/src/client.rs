//! The user's own package clients, run to their end: mirrors, proxies and logins work as they are set up.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use bowline_process::{Ended, run_into};

use crate::InstallError;

/// How many of the client's last lines an error shows.
const LAST_LINES: usize = 15;

/// Runs a client, a program and its first arguments, in a folder to its end, or stops it; `None` when there is no such
/// program. What it writes is kept in the folder too, as `client.log`.
///
/// # Errors
/// [`InstallError::Write`] when it cannot be run, [`InstallError::Interrupted`] when it was stopped.
pub fn run_client(
    client: &[&str],
    arguments: &[String],
    folder: &Path,
    cancel: &AtomicBool,
) -> Result<Option<Ended>, InstallError> {
    let log = folder.join("client.log");
    let file = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&log)
        .map_err(|error| InstallError::write(&log, error))?;
    let mut command = Command::new(client[0]);
    command
        .args(&client[1..])
        .args(arguments)
        .current_dir(folder);
    let is_stopped = || cancel.load(Ordering::Relaxed);
    match run_into(file, &mut command, None, &is_stopped) {
        // One that was asked to end by somebody else at the same time has failed for that.
        Ok(_) if is_stopped() => Err(InstallError::Interrupted),
        Ok(ended) => Ok(ended),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(InstallError::write(Path::new(client[0]), error)),
    }
}

/// A client's last lines, without the logins an address may hold.
#[must_use]
pub fn last_lines(words: &str) -> String {
    let lines: Vec<&str> = words
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    if last.is_empty() {
        "it said nothing".to_owned()
    } else {
        without_logins(&last)
    }
}

/// Replaces `user:password` before an `@` in every address by `***`.
fn without_logins(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || c == '"' || c == '\'')
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(login) => {
                clean.push_str("***");
                &after[login..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_addresses_are_not_shown() {
        assert_eq!(
            without_logins(
                "failed: https://me:s3cret@mirror.example/simple/ and https://open.example/a@b"
            ),
            "failed: https://***@mirror.example/simple/ and https://open.example/a@b"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_client_that_ends_as_it_is_stopped_was_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = AtomicBool::new(true);
        let run = |script: &str, cancel: &AtomicBool| {
            run_client(&["sh", "-c"], &[script.to_owned()], folder.path(), cancel)
        };
        let error = run("exit 1", &stopped).unwrap_err();
        assert!(matches!(error, InstallError::Interrupted), "{error:?}");
        let ended = run("echo said; exit 1", &AtomicBool::new(false)).unwrap();
        assert_eq!(ended.unwrap().words, "said\n");
        let log = std::fs::read_to_string(folder.path().join("client.log")).unwrap();
        assert_eq!(log, "said\n");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let words: String = (0..20).map(|line| format!("line {line}\n\n")).collect();
        let last = last_lines(&words);
        assert!(
            last.starts_with("line 5\n") && last.ends_with("line 19"),
            "{last}"
        );
        assert_eq!(last_lines("\n \n"), "it said nothing");
    }
}
