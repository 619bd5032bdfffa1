//! What files are on, and the machine's own.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What an open file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Reading one that is there.
    Reading,
    /// Adding to one that is there.
    Adding,
    /// Making one where nothing is, not even a link.
    Making,
}

/// A disk: files by their paths.
///
/// What is written to a file lasts once the file is synced, and the name of a file that was made, moved or removed once
/// its folder is.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens a file. One that is made is for nobody else to read.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] and [`io::ErrorKind::AlreadyExists`] mean what they say.
    fn open(&self, path: &Path, opening: Opening) -> io::Result<Box<dyn DiskFile>>;

    /// Moves a file, in place of another where there is one.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder and those it is in, unless they are there, and syncs their names.
    ///
    /// # Errors
    /// What the system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder last.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// The whole file.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut file = self.open(path, Opening::Reading)?;
        let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        file.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

/// An open file.
pub trait DiskFile: fmt::Debug + Send {
    /// How many bytes it has.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;

    /// Fills the bytes with those from a place on.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::UnexpectedEof`] when it has fewer.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Adds bytes at its end.
    ///
    /// # Errors
    /// What the system says; any part of them may have been added then.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it to so many bytes.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Returns when everything that was written to it lasts.
    ///
    /// # Errors
    /// What the system says. What was written since the last sync may be lost then, and another sync does not bring it back.
    fn sync(&mut self) -> io::Result<()>;

    /// Whether this is the file that a path leads to.
    ///
    /// # Errors
    /// What the system says, but for a path that leads nowhere.
    fn is_at(&self, path: &Path) -> io::Result<bool>;
}

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, opening: Opening) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match opening {
            Opening::Reading => {}
            Opening::Adding => {
                options.append(true);
            }
            // Making never follows a link: somebody else may have put it there.
            Opening::Making => {
                options.append(true).create_new(true);
                for_us_alone(&mut options);
            }
        }
        Ok(Box::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.create_folder(parent)?;
        }
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made?,
        }
        crate::sync_name(self, path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Other systems have no such thing, and need none.
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn for_us_alone(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn for_us_alone(_options: &mut OpenOptions) {}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.read_exact(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let there = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            there => there?,
        };
        Ok(is_same(&self.metadata()?, &there))
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere an open file keeps its name.
#[cfg(not(unix))]
fn is_same(_one: &fs::Metadata, _other: &fs::Metadata) -> bool {
    true
}
