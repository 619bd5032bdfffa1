//! Which C library a program needs, by its file, and whether the base has it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use bowline_oci::layer::Content;

use crate::error::{ImageError, ImageErrorKind};
use crate::native::BaseFacts;
use crate::plan::PlannedFile;
use crate::python::Libc;

/// How a 64-bit little-endian ELF file begins.
const ELF: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
/// The size of its header, and of the header of a section.
const HEADER: usize = 64;
/// The kind of a section that holds what is loaded from elsewhere; it links to its names.
const DYNAMIC_SYMBOLS: u32 = 11;
/// More sections or longer names than this has no file that makes sense.
const MOST_SECTIONS: u64 = 10_000;
const LONGEST_NAMES: u64 = 64 << 20;
/// The names of glibc's versions begin so.
const GLIBC_VERSION: &[u8] = b"GLIBC_";
/// The programs that load others begin so, for either library.
const GLIBC_LOADER: &[u8] = b"/ld-linux";
const MUSL_LOADER: &[u8] = b"/ld-musl-";
/// The part of a file in which the name of its loader stands.
const START: u64 = 64 << 10;

/// What a file needs of the C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The GNU C library, of this version at least.
    Glibc(u32, u32),
    /// musl.
    Musl,
}

/// Sees that the base has the C library that these programs and libraries need. Of a base that does not tell its own
/// nothing can be said.
///
/// # Errors
/// The first that needs another one, or a newer one.
pub(super) fn check<'a>(
    files: impl IntoIterator<Item = &'a PlannedFile>,
    facts: &BaseFacts,
) -> Result<(), ImageError> {
    let Some(libc) = Libc::of(facts) else {
        return Ok(());
    };
    for file in files {
        // What is made here is no program.
        let Content::File(path) = &file.content else {
            continue;
        };
        let need = File::open(path).and_then(|mut file| need(&mut file));
        let need = need.map_err(|error| {
            ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
                .because(error.to_string())
        })?;
        let (needed, had) = match (need, libc) {
            (Some(Need::Glibc(major, minor)), Libc::Glibc(had_major, had_minor))
                if (major, minor) > (had_major, had_minor) =>
            {
                (
                    format!("glibc {major}.{minor}"),
                    format!("glibc {had_major}.{had_minor}"),
                )
            }
            (Some(Need::Glibc(..)), Libc::Musl(..)) => ("glibc".to_owned(), "musl".to_owned()),
            (Some(Need::Musl), Libc::Glibc(..)) => ("musl".to_owned(), "glibc".to_owned()),
            _ => continue,
        };
        return Err(
            ImageError::new(ImageErrorKind::WrongPlatform, format!("`{}`", file.path))
                .because(format!("it needs {needed}, and the base has {had}"))
                .hint(
                    "give a build of it that is made for the base, or name another base".to_owned(),
                ),
        );
    }
    Ok(())
}

/// What an ELF file needs; nothing for any other file, and for a program that brings everything along.
fn need(file: &mut (impl Read + Seek)) -> io::Result<Option<Need>> {
    let mut start = Vec::new();
    file.take(START).read_to_end(&mut start)?;
    if !start.starts_with(&ELF) || start.len() < HEADER {
        return Ok(None);
    }
    let has = |words: &[u8]| start.windows(words.len()).any(|window| window == words);
    if has(MUSL_LOADER) {
        return Ok(Some(Need::Musl));
    }
    let versions = dynamic_names(file, &start)?;
    let newest = versions
        .split(|byte| *byte == 0)
        .filter_map(|name| version(name.strip_prefix(GLIBC_VERSION)?))
        .max();
    Ok(match newest {
        Some((major, minor)) => Some(Need::Glibc(major, minor)),
        None => has(GLIBC_LOADER).then_some(Need::Glibc(2, 0)),
    })
}

/// The names that a file's dynamic symbols and their versions go by, a zero behind each; nothing when it has none.
fn dynamic_names(file: &mut (impl Read + Seek), header: &[u8]) -> io::Result<Vec<u8>> {
    let table = number(header, 40, 8);
    let count = number(header, 60, 2);
    if table == 0 || count == 0 || count > MOST_SECTIONS {
        return Ok(Vec::new());
    }
    let mut sections = Vec::new();
    file.seek(SeekFrom::Start(table))?;
    file.take(count * HEADER as u64)
        .read_to_end(&mut sections)?;
    let sections: Vec<&[u8]> = sections.chunks_exact(HEADER).collect();
    let names = sections
        .iter()
        .find(|section| number(section, 4, 4) == u64::from(DYNAMIC_SYMBOLS))
        .and_then(|section| usize::try_from(number(section, 40, 4)).ok())
        .and_then(|link| sections.get(link));
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(number(names, 24, 8)))?;
    file.take(number(names, 32, 8).min(LONGEST_NAMES))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number of so many bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let bytes = bytes.get(at..at + size).unwrap_or_default();
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The first two numbers of a version such as `2.3.4`.
fn version(text: &[u8]) -> Option<(u32, u32)> {
    let mut parts = std::str::from_utf8(text).ok()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;
    use std::io::Cursor;

    use bowline_oci::layer::Node;

    use super::*;

    /// A file with these names, and this loader behind its header.
    fn elf(names: &[u8], loader: &[u8]) -> Vec<u8> {
        let mut file = ELF.to_vec();
        file.resize(HEADER, 0);
        file.extend(loader);
        let names_at = file.len() as u64;
        file.extend(names);
        let table = file.len() as u64;
        file[40..48].copy_from_slice(&table.to_le_bytes());
        file[60..62].copy_from_slice(&2u16.to_le_bytes());
        let mut symbols = vec![0; HEADER];
        symbols[4..8].copy_from_slice(&DYNAMIC_SYMBOLS.to_le_bytes());
        symbols[40..44].copy_from_slice(&1u32.to_le_bytes());
        let mut strings = vec![0; HEADER];
        strings[24..32].copy_from_slice(&names_at.to_le_bytes());
        strings[32..40].copy_from_slice(&(names.len() as u64).to_le_bytes());
        file.extend(symbols);
        file.extend(strings);
        file
    }

    fn needed(bytes: &[u8]) -> Option<Need> {
        need(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn the_newest_version_that_is_asked_for_counts() {
        let names = b"\0printf\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(
            needed(&elf(names, b"/lib64/ld-linux-x86-64.so.2\0")),
            Some(Need::Glibc(2, 34))
        );
        assert_eq!(
            needed(&elf(b"\0", b"/lib/ld-musl-x86_64.so.1\0")),
            Some(Need::Musl)
        );
        assert_eq!(needed(&elf(b"\0", b"")), None, "it brings everything along");
        assert_eq!(needed(b"#!/bin/sh\n"), None);
        let cut = &elf(names, b"")[..HEADER + 10];
        assert_eq!(needed(cut), None);
    }

    #[test]
    fn what_the_base_lacks_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bowline");
        std::fs::write(&path, elf(b"\0GLIBC_2.39\0", b"")).unwrap();
        let file = PlannedFile {
            path: "/opt/bowline/bin/bowline".to_owned(),
            content: Content::File(path),
            mode: 0o755,
            platform: None,
        };
        let told =
            |facts: &BaseFacts| check([&file], facts).map_err(|error| error.diagnose().to_string());
        let mut facts = BaseFacts::default();
        assert_eq!(told(&facts), Ok(()), "nobody knows");
        facts.glibc = Some("2.39".to_owned());
        assert_eq!(told(&facts), Ok(()));
        facts.glibc = Some("2.36".to_owned());
        assert_eq!(
            told(&facts).unwrap_err(),
            "made for another platform: `/opt/bowline/bin/bowline`\n\
             it needs glibc 2.39, and the base has glibc 2.36\n\
             hint: give a build of it that is made for the base, or name another base"
        );
        facts.tree.add("/lib/ld-musl-x86_64.so.1", Node::File);
        assert!(
            told(&facts)
                .unwrap_err()
                .contains("it needs glibc, and the base has musl")
        );
    }
}
