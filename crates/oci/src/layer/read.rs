//! Reading a layer of an image, entry by entry.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use crate::layer::Node;
use crate::{BlobSource, Descriptor, OciError, OciErrorKind, oci_error};

const BUFFER: usize = 128 << 10;
/// What a tar is made of, in bytes.
const BLOCK: usize = 512;

/// An entry of a layer that is being read.
pub struct LayerEntry<'a> {
    /// Where it is: absolute, without a slash at its end. Names that begin with `.wh.` take something away.
    pub path: &'a str,
    /// What it is.
    pub node: Node,
    /// How many bytes a file has.
    pub size: u64,
    /// What a file holds; what is left unread is skipped.
    pub content: &'a mut dyn Read,
}

impl std::fmt::Debug for LayerEntry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayerEntry")
            .field("path", &self.path)
            .field("node", &self.node)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Shows every entry of a layer to `visit`, in the layer's order. The whole layer is read, and checked on the way.
///
/// # Errors
/// When the layer cannot be had, is damaged, or is packed in a way not understood here; and what `visit` gives.
pub fn read_layer(
    source: &dyn BlobSource,
    layer: &Descriptor,
    visit: &mut dyn FnMut(LayerEntry<'_>) -> Result<(), OciError>,
) -> Result<(), OciError> {
    let thing = || format!("layer `{}` of `{}`", layer.digest, source.name());
    let failed = |error: io::Error| oci_error(error, OciErrorKind::Corrupt, thing());
    let mut blob = BufReader::with_capacity(BUFFER, source.open(layer)?);
    let unpacked: Box<dyn Read + '_> = match start(&mut blob).map_err(failed)? {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(&mut blob)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            return Err(
                OciError::new(OciErrorKind::Unsupported, thing()).because("it is packed with zstd")
            );
        }
        _ => Box::new(&mut blob),
    };
    let mut archive = tar::Archive::new(Filled {
        inner: BufReader::with_capacity(BUFFER, unpacked),
        read: 0,
    });
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = absolute(&entry.path_bytes());
        let link = entry
            .link_name_bytes()
            .map(|to| String::from_utf8_lossy(&to).into_owned())
            .unwrap_or_default();
        let kind = entry.header().entry_type();
        let node = if kind.is_dir() {
            Node::Folder
        } else if kind.is_symlink() {
            Node::Link(link)
        } else if kind.is_hard_link() {
            Node::HardLink(absolute(link.as_bytes()))
        } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            Node::File
        } else {
            Node::Other
        };
        let size = entry.size();
        visit(LayerEntry {
            path: &path,
            node,
            size,
            content: &mut entry,
        })?;
    }
    // What is behind the archive's end counts for the digest as well.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(failed)?;
    io::copy(&mut blob, &mut io::sink()).map_err(failed)?;
    Ok(())
}

/// A tar with zeros up to a whole block behind it: some programs leave them out behind the last file.
struct Filled<R> {
    inner: R,
    read: usize,
}

impl<R: Read> Read for Filled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer)? {
            0 => {
                let missing = self.read.next_multiple_of(BLOCK) - self.read;
                let count = missing.min(buffer.len());
                buffer[..count].fill(0);
                count
            }
            count => count,
        };
        self.read += count;
        Ok(count)
    }
}

/// The first bytes, which stay unread; fewer than four when there are no more.
fn start<R: Read>(blob: &mut BufReader<R>) -> io::Result<&[u8]> {
    use std::io::BufRead;
    let buffer = blob.fill_buf()?;
    Ok(&buffer[..buffer.len().min(4)])
}

fn absolute(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let mut path = String::with_capacity(name.len() + 1);
    for part in name.split('/').filter(|part| !matches!(*part, "" | ".")) {
        path.push('/');
        path.push_str(part);
    }
    if path.is_empty() {
        "/".to_owned()
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tar of one file; `end` says how much of it is there.
    fn names(end: fn(usize) -> usize) -> io::Result<Vec<String>> {
        let mut builder = tar::Builder::new(Vec::new());
        let content = [7; 700];
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, "a/file", &content[..])?;
        let bytes = builder.into_inner()?;
        let inner = &bytes[..end(BLOCK + content.len())];
        let mut archive = tar::Archive::new(Filled { inner, read: 0 });
        let entries = archive.entries()?;
        entries
            .map(|entry| Ok(entry?.path()?.display().to_string()))
            .collect()
    }

    #[test]
    fn a_tar_may_end_with_its_last_file() {
        assert_eq!(names(|whole| whole).unwrap(), ["a/file"]);
        assert_eq!(names(|whole| whole + 100).unwrap(), ["a/file"]);
        assert!(names(|whole| whole - BLOCK).is_err());
    }
}
