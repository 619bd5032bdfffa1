//! Files that would carry a secret into an image.

use std::path::Path;

use bowline_contract::credentials::{FoundSecret, SecretScan};
use bowline_contract::reading;
use bowline_oci::layer::Content;

use super::{Candidate, PlannedFile};

/// What is larger, in bytes, is no text that somebody wrote.
const LARGEST_READ: u64 = 4 << 20;

/// The files that hold a secret, each with what it holds.
pub(super) fn files_with_secrets<'f>(
    candidate: &Candidate,
    files: &'f [PlannedFile],
) -> Vec<(&'f Path, FoundSecret)> {
    let scan = SecretScan::of(&candidate.dir);
    files
        .iter()
        .filter_map(|file| match &file.content {
            Content::File(path) => Some(path.as_path()),
            Content::Bytes(_) => None,
        })
        .filter_map(|path| {
            let about = path.metadata().ok()?;
            let small = about.len() <= LARGEST_READ;
            let bytes = small.then(|| reading::read_bounded(path, LARGEST_READ).ok())??;
            // Bytes that are no text may hold one all the same.
            let text = String::from_utf8_lossy(&bytes);
            Some((path, scan.find(path, &text)?))
        })
        .collect()
}
