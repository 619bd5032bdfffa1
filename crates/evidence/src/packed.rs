//! Evidence as it lies in a file: its text, packed with gzip. Statements and what a query log answers repeat themselves.

use std::io::{self, Read as _, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::{Evidence, EvidenceError, EvidenceErrorKind};

/// The most bytes that are unpacked: a thousand times what a run takes.
const MOST: u64 = 1 << 30;
/// How hard it is packed: a third of the time of the usual level, for little more space.
const LEVEL: u32 = 2;
/// What every file begins with: no name, no time, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Writes the text of evidence, packed.
///
/// # Errors
/// What `into` says.
pub fn pack(text: &str, into: impl Write) -> io::Result<()> {
    let mut packed = GzEncoder::new(into, Compression::new(LEVEL));
    packed.write_all(text.as_bytes())?;
    packed.finish().map(drop)
}

/// Reads packed evidence; `place` is where the bytes stand, for errors.
///
/// # Errors
/// As [`Evidence::parse`].
pub fn unpack(packed: &[u8], place: &str) -> Result<Evidence, EvidenceError> {
    let mut text = String::new();
    let read = MultiGzDecoder::new(packed)
        .take(MOST)
        .read_to_string(&mut text);
    let kind = match read {
        Ok(length) if length as u64 == MOST => {
            EvidenceErrorKind::Malformed("it is too large".to_owned())
        }
        Ok(_) if packed.starts_with(&HEADER) => return Evidence::parse(&text, place),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => EvidenceErrorKind::Cut,
        Ok(_) | Err(_) => EvidenceErrorKind::Changed,
    };
    Err(EvidenceError {
        kind,
        place: place.to_owned(),
        line: None,
    })
}
