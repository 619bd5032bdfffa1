//! Files that would carry a secret into an image.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bowline_contract::credentials::{FoundSecret, SecretScan, UnreadCredentials};
use bowline_oci::layer::Content;

use super::{Candidate, PlannedFile};

/// How much of a file is searched at once, in bytes.
const PIECE: usize = 4 << 20;
/// How much of it is searched with the next piece once more: no secret is longer.
const OVERLAP: usize = 64 << 10;

/// The files that hold a secret, each with what it holds.
///
/// # Errors
/// When the connector's own secrets are not known.
pub(super) fn files_with_secrets<'f>(
    candidate: &Candidate,
    files: &'f [PlannedFile],
) -> Result<Vec<(&'f Path, FoundSecret)>, UnreadCredentials> {
    let scan = SecretScan::of(&candidate.dir)?;
    Ok(files
        .iter()
        .filter_map(|file| match &file.content {
            Content::File(path) => Some(path.as_path()),
            Content::Bytes(_) => None,
        })
        // What cannot be read is told where it is packed.
        .filter_map(|path| Some((path, secret_in(&scan, path, PIECE, OVERLAP).ok()??)))
        .collect())
}

/// The first secret in a file, in whatever encoding and however large it is.
fn secret_in(
    scan: &SecretScan,
    path: &Path,
    piece: usize,
    overlap: usize,
) -> io::Result<Option<FoundSecret>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    let mut marked = None;
    loop {
        let room = piece - bytes.len();
        let begins = bytes.is_empty();
        let read = (&mut file).take(room as u64).read_to_end(&mut bytes)?;
        if begins {
            marked = Wide::of(&bytes);
        }
        let wide = marked.or_else(|| Wide::without_mark(&bytes));
        if let Some(found) = scan.find(path, &text_of(&bytes, wide)) {
            return Ok(Some(found));
        }
        if read < room {
            return Ok(None);
        }
        bytes.drain(..piece - overlap);
    }
}

/// The order of the bytes of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wide {
    Little,
    Big,
}

impl Wide {
    /// What the mark says that such a text begins with.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xFE, ..] => Some(Self::Little),
            [0xFE, 0xFF, ..] => Some(Self::Big),
            _ => None,
        }
    }

    /// What texts have in which nearly every second byte, and hardly another, is zero.
    fn without_mark(bytes: &[u8]) -> Option<Self> {
        let pairs = bytes.len() / 2;
        let zeros = |at: usize| bytes.chunks_exact(2).filter(|pair| pair[at] == 0).count();
        let (first, second) = (zeros(0), zeros(1));
        let is_nearly_all = |zeros: usize| zeros > pairs / 4 * 3;
        let is_hardly_one = |zeros: usize| zeros <= pairs / 16;
        if is_nearly_all(second) && is_hardly_one(first) {
            Some(Self::Little)
        } else if is_nearly_all(first) && is_hardly_one(second) {
            Some(Self::Big)
        } else {
            None
        }
    }
}

/// A text of bytes; those that are none may hold one all the same.
fn text_of(bytes: &[u8], wide: Option<Wide>) -> Cow<'_, str> {
    let Some(order) = wide else {
        return String::from_utf8_lossy(bytes);
    };
    let units = bytes.chunks_exact(2).map(|pair| match order {
        Wide::Little => u16::from_le_bytes([pair[0], pair[1]]),
        Wide::Big => u16::from_be_bytes([pair[0], pair[1]]),
    });
    Cow::Owned(String::from_utf16_lossy(&units.collect::<Vec<u16>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL_PIECE: usize = 256;
    const SMALL_OVERLAP: usize = 32;

    fn is_found(content: &[u8]) -> bool {
        is_found_of("Zq7-Seagull", content)
    }

    fn is_found_of(password: &str, content: &[u8]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let credentials = format!(r#"{{"connect_args": {{"password": "{password}"}}}}"#);
        std::fs::write(dir.path().join("credentials.json"), credentials).unwrap();
        let path = dir.path().join("data.bin");
        std::fs::write(&path, content).unwrap();
        let scan = SecretScan::of(dir.path()).unwrap();
        secret_in(&scan, &path, SMALL_PIECE, SMALL_OVERLAP)
            .unwrap()
            .is_some()
    }

    #[test]
    fn a_secret_is_found_wherever_in_a_file_it_stands() {
        let secret = b"Zq7-Seagull";
        for before in [
            0,
            100,
            SMALL_PIECE - 5,
            SMALL_PIECE - SMALL_OVERLAP - 5,
            SMALL_PIECE,
            2 * SMALL_PIECE + 7,
        ] {
            let mut content = vec![b'.'; before];
            content.extend(secret);
            assert!(is_found(&content), "{before}");
            content.extend(vec![b'.'; SMALL_PIECE]);
            assert!(is_found(&content), "{before}, and more after it");
        }
        assert!(!is_found(&vec![b'.'; 2 * SMALL_PIECE]));
        assert!(!is_found(b""));
    }

    #[test]
    fn a_secret_is_found_in_utf_16() {
        let units = "x = \u{2603} Zq7-Seagull".encode_utf16();
        let little: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
        for (content, mark) in [(little, [0xFF, 0xFE]), (big, [0xFE, 0xFF])] {
            assert!(is_found(&content));
            assert!(is_found(&[&mark[..], &content].concat()));
        }
    }

    #[test]
    fn what_stands_in_programs_by_chance_is_no_secret() {
        let program = b"\x7fELF\x01\0postgres\0-----BEGIN PRIVATE KEY-----\0\0\0 1234 \xff";
        for password in ["postgres", "1234"] {
            assert!(!is_found_of(password, program), "{password}");
            assert!(is_found_of(password, b"the word is postgres or 1234"));
        }
        assert!(is_found(b"\x7fELF\x01\0Zq7-Seagull\0\xff"));
        // Two strings are no third one.
        assert!(!is_found(b"\x7fELF\x01\0Zq7-\0Seagull\0\xff"));
    }
}
