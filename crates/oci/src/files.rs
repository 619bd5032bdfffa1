//! Files by name, from a folder or from an archive packed with tar, so that both are read alike.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tempfile::TempPath;

use crate::{OciError, OciErrorKind};

/// How many links an archive may send a reader through.
const LINKS: usize = 8;
/// The largest manifest or configuration that is read; registries allow 4 MiB.
const LARGEST_DOCUMENT: u64 = 16 << 20;

/// Files that can be opened by name.
#[derive(Debug)]
pub(super) enum Files {
    Folder(PathBuf),
    Archive(Packed),
}

/// A tar archive whose entries have been found.
#[derive(Debug)]
pub(super) struct Packed {
    /// What it is called in messages.
    name: PathBuf,
    /// Where its bytes are: the archive itself, or what it holds when it was packed with gzip.
    bytes: PathBuf,
    entries: BTreeMap<String, Entry>,
    _unpacked: Option<TempPath>,
}

#[derive(Debug, Clone)]
enum Entry {
    File { offset: u64, size: u64 },
    Link(String),
}

impl Files {
    /// The files of a tar archive, which may be packed with gzip.
    pub(super) fn archive(path: &Path) -> Result<Self, OciError> {
        let failed = |error: io::Error| about(path, error);
        let mut file = File::open(path).map_err(failed)?;
        let mut magic = [0; 2];
        let count = file.read(&mut magic).map_err(failed)?;
        file.rewind().map_err(failed)?;
        if count == 2 && magic == [0x1f, 0x8b] {
            // Blobs are read several times and out of order, which a packed stream does not allow.
            let mut unpacked = tempfile::NamedTempFile::new()
                .map_err(|error| unwritable("a temporary file", &error))?;
            io::copy(&mut MultiGzDecoder::new(file), &mut unpacked).map_err(failed)?;
            let unpacked = unpacked.into_temp_path();
            let file = File::open(&unpacked).map_err(failed)?;
            let entries = entries(file).map_err(failed)?;
            return Ok(Self::Archive(Packed {
                name: path.to_owned(),
                bytes: unpacked.to_path_buf(),
                entries,
                _unpacked: Some(unpacked),
            }));
        }
        Ok(Self::Archive(Packed {
            name: path.to_owned(),
            bytes: path.to_owned(),
            entries: entries(file).map_err(failed)?,
            _unpacked: None,
        }))
    }

    /// What to call them in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::Archive(packed) => packed.name.display().to_string(),
        }
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(path) => path.join(name).is_file(),
            Self::Archive(packed) => packed.find(name).is_some(),
        }
    }

    /// The file with that name on disk, when it is one of its own.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Folder(path) => Some(path.join(name)),
            Self::Archive(_) => None,
        }
    }

    /// A file's bytes, and how many there are.
    pub(super) fn open(&self, name: &str) -> Result<(Box<dyn Read + Send>, u64), OciError> {
        match self {
            Self::Folder(path) => {
                let path = path.join(name);
                let open = || {
                    let file = File::open(&path)?;
                    let size = file.metadata()?.len();
                    Ok((Box::new(file) as Box<dyn Read + Send>, size))
                };
                open().map_err(|error| about(&path, error))
            }
            Self::Archive(packed) => {
                let missing = || {
                    OciError::new(
                        OciErrorKind::Missing,
                        format!("`{name}` in `{}`", packed.name.display()),
                    )
                };
                let (offset, size) = packed.find(name).ok_or_else(missing)?;
                let open = || {
                    let mut file = File::open(&packed.bytes)?;
                    file.seek(SeekFrom::Start(offset))?;
                    Ok((Box::new(file.take(size)) as Box<dyn Read + Send>, size))
                };
                open().map_err(|error| about(&packed.name, error))
            }
        }
    }

    /// All bytes of a file that is no layer.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, OciError> {
        let (mut reader, size) = self.open(name)?;
        let thing = || format!("`{name}` in `{}`", self.name());
        if size > LARGEST_DOCUMENT {
            return Err(
                OciError::new(OciErrorKind::Corrupt, thing()).because(format!(
                    "it has {size} bytes, too many for what it should be"
                )),
            );
        }
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => {
                Err(OciError::new(OciErrorKind::Unreadable, thing()).because(error.to_string()))
            }
        }
    }

    /// The values that a JSON file holds.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, OciError> {
        serde_json::from_slice(&self.read(name)?).map_err(|error| {
            OciError::new(
                OciErrorKind::Corrupt,
                format!("`{name}` in `{}`", self.name()),
            )
            .because(error.to_string())
        })
    }
}

impl Packed {
    fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name.to_owned();
        for _ in 0..LINKS {
            match self.entries.get(&name)? {
                Entry::File { offset, size } => return Some((*offset, *size)),
                Entry::Link(to) => name.clone_from(to),
            }
        }
        None
    }
}

fn entries(file: File) -> io::Result<BTreeMap<String, Entry>> {
    let length = file.metadata()?.len();
    let mut archive = tar::Archive::new(file);
    let mut found = BTreeMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let link = || {
            let to = entry.link_name_bytes()?;
            Some(String::from_utf8_lossy(&to).into_owned())
        };
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let (offset, size) = (entry.raw_file_position(), entry.size());
            if offset.checked_add(size).is_none_or(|end| end > length) {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the archive ends within `{name}`"),
                ));
            }
            found.insert(name, Entry::File { offset, size });
        } else if let (true, Some(to)) = (kind.is_symlink(), link()) {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            found.insert(name.clone(), Entry::Link(normal(&format!("{folder}/{to}"))));
        } else if let (true, Some(to)) = (kind.is_hard_link(), link()) {
            found.insert(name, Entry::Link(normal(&to)));
        }
    }
    if found.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no tar archive, or an empty one",
        ));
    }
    Ok(found)
}

/// A name in an archive without `.`, `..` and slashes in front.
fn normal(name: &str) -> String {
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn about(path: &Path, error: io::Error) -> OciError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => OciErrorKind::Missing,
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Other => OciErrorKind::Corrupt,
        _ => OciErrorKind::Unreadable,
    };
    OciError::new(kind, format!("`{}`", path.display())).because(error.to_string())
}

fn unwritable(thing: &str, error: &io::Error) -> OciError {
    OciError::new(OciErrorKind::Unwritable, thing).because(error.to_string())
}
