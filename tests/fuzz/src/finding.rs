//! Inputs that failed once, kept in the repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{TARGETS, Target};

/// An input that failed once.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it failed in.
    pub target: &'static Target,
    /// Its file.
    pub path: PathBuf,
    /// The input.
    pub input: Vec<u8>,
}

/// The folder of a target's findings.
fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("findings")
        .join(target.name)
}

impl Finding {
    /// Keeps an input that a run with this seed came to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(target: &'static Target, seed: u64, input: Vec<u8>) -> io::Result<Self> {
        let folder = folder(target);
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("seed-{seed}"));
        fs::write(&path, &input)?;
        Ok(Self {
            target,
            path,
            input,
        })
    }

    /// The command that gives it to its target again.
    #[must_use]
    pub fn command(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let path = root.and_then(|root| self.path.strip_prefix(root).ok());
        let path = path.unwrap_or(&self.path).display();
        format!("cargo xtask fuzz {} --input {path}", self.target.name)
    }
}

/// Every finding that is kept, sorted.
///
/// # Errors
/// When a file cannot be read.
pub fn findings() -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for target in TARGETS {
        let folder = folder(target);
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            findings.push(Finding {
                target,
                input: fs::read(&path)?,
                path,
            });
        }
    }
    findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(findings)
}
