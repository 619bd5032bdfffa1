//! Writing a layer: the same files give the same bytes, whenever, wherever and by whomever it is written.
//!
//! Entries are sorted by path, all belong to root, all have the same time. Headers are ustar; a path that does not
//! fit one, or is not ASCII, is said in a PAX record. The gzip header holds no time and no system. Digests of the
//! layer and of what it unpacks to are worked out while it is written; nothing is held in memory but buffers.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use crate::layer::gzip::Gzip;
use crate::{Cancel, Descriptor, Digest, Hasher, OciError, OciErrorKind, media_type, oci_error};

const BUFFER: usize = 128 << 10;

/// What a file holds that is to be written into a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// What this file holds when the layer is written.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// One entry of a layer to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it will be, without a slash at either end.
    pub path: String,
    /// What a file holds; nothing for a folder.
    pub content: Option<Cow<'a, Content>>,
    /// Its permission bits.
    pub mode: u32,
}

/// A layer that has been written to a file.
#[derive(Debug, Clone)]
pub struct NewLayer {
    /// Its name as it lies in the file.
    pub descriptor: Descriptor,
    /// The digest of what it unpacks to.
    pub diff_id: Digest,
}

/// Writes a layer of these entries, which are sorted and each once, into a new file. `time` is in seconds since 1970.
///
/// # Errors
/// When a file of an entry cannot be read or changes meanwhile, when the new file cannot be written, and when it is
/// cancelled.
pub fn write_layer(
    entries: &[Entry<'_>],
    time: u64,
    target: &Path,
    cancel: &Cancel,
) -> Result<NewLayer, OciError> {
    debug_assert!(entries.is_sorted_by(|a, b| a.path < b.path));
    let failed = |error| {
        oci_error(
            error,
            OciErrorKind::Unwritable,
            format!("`{}`", target.display()),
        )
    };
    let file = File::create_new(target).map_err(failed)?;
    let packed = Counted::new(BufWriter::with_capacity(BUFFER, file));
    let unpacked = Counted::new(BufWriter::with_capacity(
        BUFFER,
        Gzip::new(packed).map_err(failed)?,
    ));
    let unpacked = archive(entries, time, unpacked, cancel).map_err(failed)?;
    finish(unpacked).map_err(failed)
}

/// The digest of what a layer of these entries unpacks to. Working it out takes a fraction of the time that packing
/// does.
pub(crate) fn unpacked_digest(
    entries: &[Entry<'_>],
    time: u64,
    cancel: &Cancel,
) -> Result<Digest, OciError> {
    let digest = || {
        let target = BufWriter::with_capacity(BUFFER, Counted::new(io::sink()));
        let target = archive(entries, time, target, cancel)?;
        let counted = target
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(counted.hasher.finish().0)
    };
    digest().map_err(|error| oci_error(error, OciErrorKind::Unreadable, "a layer".to_owned()))
}

/// Writes the entries, not packed.
fn archive<W: Write>(
    entries: &[Entry<'_>],
    time: u64,
    target: W,
    cancel: &Cancel,
) -> io::Result<W> {
    let mut archive = tar::Builder::new(target);
    for entry in entries {
        append(&mut archive, entry, time, cancel)?;
    }
    archive.into_inner()
}

type Unpacked<W> = Counted<BufWriter<Gzip<Counted<BufWriter<W>>>>>;

fn finish(unpacked: Unpacked<File>) -> io::Result<NewLayer> {
    let Counted { inner, hasher } = unpacked;
    let (diff_id, _) = hasher.finish();
    let gzip = inner.into_inner().map_err(io::IntoInnerError::into_error)?;
    let Counted { mut inner, hasher } = gzip.finish()?;
    inner.flush()?;
    let (digest, size) = hasher.finish();
    Ok(NewLayer {
        descriptor: Descriptor::new(media_type::LAYER_GZIP, digest, size),
        diff_id,
    })
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    entry: &Entry<'_>,
    time: u64,
    cancel: &Cancel,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(entry.mode & 0o7777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(time);
    let Some(content) = entry.content.as_deref() else {
        header.set_entry_type(EntryType::Directory);
        header.set_size(0);
        name(archive, &mut header, &format!("{}/", entry.path))?;
        header.set_cksum();
        return archive.append(&header, io::empty());
    };
    header.set_entry_type(EntryType::Regular);
    let (reader, size): (Box<dyn Read + '_>, u64) = match content {
        Content::Bytes(bytes) => (Box::new(bytes.as_slice()), bytes.len() as u64),
        Content::File(path) => {
            let (file, size) = open(path)?;
            (Box::new(file), size)
        }
    };
    header.set_size(size);
    name(archive, &mut header, &entry.path)?;
    header.set_cksum();
    let place = match content {
        Content::Bytes(_) => entry.path.clone(),
        Content::File(path) => path.display().to_string(),
    };
    archive.append(
        &header,
        Exactly {
            inner: reader,
            left: size,
            place,
            cancel,
        },
    )
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let open = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        Ok((file, metadata.len()))
    };
    open().map_err(|error| unreadable(&path.display().to_string(), &error))
}

/// Puts the path into the header, and into a PAX record before it where the header cannot hold it.
fn name<W: Write>(
    archive: &mut tar::Builder<W>,
    header: &mut Header,
    path: &str,
) -> io::Result<()> {
    if path.is_ascii() && header.set_path(path).is_ok() {
        return Ok(());
    }
    archive.append_pax_extensions([("path", path.as_bytes())])?;
    let stand_in: String = path
        .chars()
        .filter(char::is_ascii)
        .take(90)
        .collect::<String>()
        .trim_end_matches('/')
        .to_owned();
    header.set_path(format!("{stand_in}_"))
}

fn unreadable(place: &str, error: &io::Error) -> io::Error {
    let error =
        OciError::new(OciErrorKind::Unreadable, format!("`{place}`")).because(error.to_string());
    io::Error::other(error)
}

/// Reads a file that must have exactly as many bytes as its header says.
struct Exactly<'a> {
    inner: Box<dyn Read + 'a>,
    left: u64,
    place: String,
    cancel: &'a Cancel,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel
            .check("packing the image")
            .map_err(io::Error::other)?;
        let count = self
            .inner
            .read(buffer)
            .map_err(|error| unreadable(&self.place, &error))?;
        let changed = count as u64 > self.left || (count == 0 && self.left > 0);
        if changed && !buffer.is_empty() {
            let error = io::Error::other("it changed while it was read");
            return Err(unreadable(&self.place, &error));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Passes bytes on and works out their digest.
struct Counted<W> {
    inner: W,
    hasher: Hasher,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(path: &str, content: Content) -> Entry<'a> {
        Entry {
            path: path.to_owned(),
            content: Some(Cow::Owned(content)),
            mode: 0o644,
        }
    }

    fn folder(path: &str) -> Entry<'_> {
        Entry {
            path: path.to_owned(),
            content: None,
            mode: 0o755,
        }
    }

    fn write(entries: &[Entry<'_>]) -> Result<(NewLayer, Vec<u8>), OciError> {
        let work = tempfile::tempdir().unwrap();
        let target = work.path().join("layer");
        let layer = write_layer(entries, 0, &target, &Cancel::default())?;
        Ok((layer, std::fs::read(target).unwrap()))
    }

    /// The bytes themselves are pinned: another digest for the same files is a change that users notice, whether it
    /// comes from here or from a new version of what packs. Layers that are kept from before have to be forgotten then.
    #[test]
    fn the_bytes_of_a_layer_never_change() {
        let text = "SELECT 1\n".repeat(1000);
        let entries = [
            folder("opt"),
            file("opt/empty", Content::Bytes(Vec::new())),
            file("opt/query.sql", Content::Bytes(text.into_bytes())),
        ];
        let (layer, bytes) = write(&entries).unwrap();
        assert_eq!(Digest::of(&bytes), layer.descriptor.digest);
        assert_eq!(bytes.len() as u64, layer.descriptor.size);
        assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(
            layer.diff_id.hex(),
            "c54167d75a4d391a9cd6e2df353271f50c577f0e10c07dd3b7910f1cd6b522b4"
        );
        assert_eq!(
            layer.descriptor.digest.hex(),
            "e9a49d8fdddb5c7aac7d76bc8409582e5be97864bad7c4edf90ee68db0be5ca0"
        );
    }

    #[test]
    fn what_a_layer_unpacks_to_is_known_without_packing_it() {
        let entries = [
            folder("opt"),
            file("opt/a", Content::Bytes(vec![7; 3 << 20])),
        ];
        let digest = unpacked_digest(&entries, 9, &Cancel::default()).unwrap();
        let work = tempfile::tempdir().unwrap();
        let target = work.path().join("layer");
        let layer = write_layer(&entries, 9, &target, &Cancel::default()).unwrap();
        assert_eq!(layer.diff_id, digest);
    }

    #[test]
    fn long_and_foreign_paths_survive() {
        let long = format!("opt/{}/{}", "a".repeat(120), "b".repeat(200));
        let paths = [long.as_str(), "opt/naïve/Ω.sql", "opt/plain"];
        let mut entries: Vec<Entry<'_>> = paths
            .iter()
            .map(|path| file(path, Content::Bytes(path.as_bytes().to_vec())))
            .collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let (_, bytes) = write(&entries).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!(path, text);
            found.push(path);
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let missing = PathBuf::from("no/such/file");
        let error = write(&[file("a", Content::File(missing))]).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Unreadable);
        assert!(error.to_string().contains("`no/such/file`"), "{error}");
    }

    #[test]
    fn a_cancelled_layer_stops() {
        let work = tempfile::tempdir().unwrap();
        let entries = [file("a", Content::Bytes(b"a".to_vec()))];
        let target = work.path().join("layer");
        let cancel = Cancel::default();
        cancel.cancel();
        let error = write_layer(&entries, 0, &target, &cancel).unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Cancelled);
    }

    #[test]
    fn a_file_that_grows_or_shrinks_is_an_error() {
        let cancel = Cancel::default();
        for (left, given) in [(3, &b"ab"[..]), (1, b"ab")] {
            let mut reader = Exactly {
                inner: Box::new(given),
                left,
                place: "x".to_owned(),
                cancel: &cancel,
            };
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            assert!(error.to_string().contains("changed while"), "{error}");
        }
    }
}
