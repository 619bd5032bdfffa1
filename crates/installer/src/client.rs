//! The user's own package clients, run to their end: mirrors, proxies and logins work as they are set up.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, io};

use crate::InstallError;

/// How often a running client is looked at.
const POLL: Duration = Duration::from_millis(20);

/// How many of the client's last lines an error shows.
const LAST_LINES: usize = 15;

/// A client that ended.
#[derive(Debug)]
pub struct ClientRun {
    /// How.
    pub status: ExitStatus,
    /// Everything it wrote, to either stream.
    pub words: String,
}

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
) -> Result<Option<ClientRun>, InstallError> {
    // To a file, for a pipe that nobody reads could fill up and block the client.
    let log = folder.join("client.log");
    let output = File::create(&log).map_err(|error| InstallError::write(&log, error))?;
    let errors = output
        .try_clone()
        .map_err(|error| InstallError::write(&log, error))?;
    let spawned = Command::new(client[0])
        .args(&client[1..])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(InstallError::write(Path::new(client[0]), error)),
    };
    let status = loop {
        if cancel.load(Ordering::Relaxed) {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(InstallError::Interrupted);
        }
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(POLL),
            Err(error) => return Err(InstallError::write(Path::new(client[0]), error)),
        }
    };
    let words = fs::read(&log).unwrap_or_default();
    Ok(Some(ClientRun {
        status,
        words: String::from_utf8_lossy(&words).into_owned(),
    }))
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
